"""WASI 0.2 (any 0.2.x) for components, implemented on the kernel.

    with Process(arguments=["program"], folders=[Folder("data", "/data")]) as process:
        status = await run_component(Component.from_file("program.wasm"), process)

| | |
|---|---|
| `run_component` | runs a command component as a guest process |
| `wasi_imports` | what a `Linker` needs for components of other kinds |

The modules here implement the interfaces that their names say; `bindings` is generated from `wit/wasi`.
"""

from ingen_runtime.wasi.p2.command import run_component
from ingen_runtime.wasi.p2.imports import wasi_imports

__all__ = ["run_component", "wasi_imports"]
