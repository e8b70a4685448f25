"""A component host for Python: decode, link and call WebAssembly components."""
