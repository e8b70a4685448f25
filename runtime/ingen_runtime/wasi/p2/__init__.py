"""WASI 0.2 (any 0.2.x) for components, implemented on the kernel.

    with Process(arguments=["program"], folders=[Folder("data", "/data")]) as process:
        linker = Linker({**wasi_imports(process), "my:own/logging": logging})
        instance = await linker.instantiate_async(component)

`run_program` in `ingen_runtime.wasi.program` runs a program from its beginning to its end. The modules here
implement the interfaces that their names say; `bindings` is generated from `wit/wasi.wit`.
"""

from ingen_runtime.wasi.p2.imports import Wasi, wasi_imports

__all__ = ["Wasi", "wasi_imports"]
