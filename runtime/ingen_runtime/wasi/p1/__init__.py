"""Preview 1 of WASI (`wasi_snapshot_preview1`), for core modules, on the kernel.

`Preview1(process)` is what a `Linker` takes for `wasi_snapshot_preview1`.
"""

from ingen_runtime.wasi.p1.preview1 import Preview1

__all__ = ["Preview1"]
