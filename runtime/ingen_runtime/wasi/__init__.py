"""The WebAssembly System Interface: front doors to the kernel. `p1` is preview 1, for core modules."""
