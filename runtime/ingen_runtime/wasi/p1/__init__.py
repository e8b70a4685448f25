"""Preview 1 of WASI (`wasi_snapshot_preview1`), for core modules, on the kernel.

    with Process(arguments=["copy", "/in", "/out"], folders=[Folder("/tmp/data", "/")]) as process:
        status = await run_core_module(wasm, process)

`Preview1(process)` gives the functions one by one, for modules that are linked in another way.
"""

from ingen_runtime.wasi.p1.preview1 import Preview1
from ingen_runtime.wasi.p1.run import run_core_module

__all__ = ["Preview1", "run_core_module"]
