"""Runs command components: those that export `wasi:cli/run`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ingen_runtime.canonical import ResultError
from ingen_runtime.component.component import Component
from ingen_runtime.component.instance import Instance
from ingen_runtime.component.linker import Linker
from ingen_runtime.component.names import compatible_track
from ingen_runtime.engine import CoreStore, StoreLimits
from ingen_runtime.errors import LinkError, Trap
from ingen_runtime.kernel.process import Process, ProcessExit
from ingen_runtime.wasi.p2.bindings import P2
from ingen_runtime.wasi.p2.imports import Wasi

_RUN = "wasi:cli/run@0.2"


async def run_component(
    component: Component,
    process: Process,
    *,
    imports: Mapping[str, Any] | None = None,
    store: CoreStore | None = None,
) -> int:
    """Run a command component as a guest process; returns its exit status.

    `imports` go before those of WASI. Without a store it gets one of its own, with the memory that the
    process may have. When this returns, standard output and error have what the guest wrote; what it left
    open is closed with the process.

    Raises: LinkError where an import is missing, or nothing can be run; Trap, with what the guest last wrote
    to standard error; what the functions of `imports` raise.
    """
    wasi = Wasi(process)
    linker = Linker({**P2.imports(wasi), **(imports or {})})
    owned = CoreStore(component.engine, StoreLimits(memory_bytes=process.limits.memory_bytes))
    try:
        instance = await linker.instantiate_async(component, store=store or owned)
        await _run(instance)
        status = 0
    except ResultError:
        status = 1
    except ProcessExit as exit_:
        status = exit_.status
    except Trap as trap:
        trap.guest_stderr = process.stderr.tail
        raise
    finally:
        owned.close()
    for sink in (wasi.standard_output, wasi.standard_error):
        await sink.settled()
    return status


async def _run(instance: Instance) -> None:
    for name in instance.exports:
        if compatible_track(name) == _RUN:
            await instance.exports[name]["run"].call_async()
            return
    raise LinkError("the component does not export `wasi:cli/run`, so it cannot be run", "wasi:cli/run")
