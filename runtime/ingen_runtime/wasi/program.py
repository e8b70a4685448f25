"""Running programs: components that export `wasi:cli/run`, and core modules for preview 1."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from ingen_runtime.canonical import ResultError
from ingen_runtime.component.component import Component
from ingen_runtime.component.linker import Linker
from ingen_runtime.component.names import compatible_track
from ingen_runtime.component.plan import PREVIEW_1, START
from ingen_runtime.engine import StoreLimits
from ingen_runtime.errors import LinkError, Trap
from ingen_runtime.kernel.process import Process, ProcessExit
from ingen_runtime.wasi.p1 import Preview1

_RUN: Final = compatible_track("wasi:cli/run@0.2.0")


async def run_program(program: Component, process: Process, imports: Mapping[str, Any] | None = None) -> int:
    """Run a program to its end; returns its exit status.

    `imports` are for what it imports beside WASI, of which any version 0.2.x will do. When this returns,
    standard output and error have what the guest wrote; what it has opened is still open: close the process.
    Cancelling the task ends the guest.

    Raises: Trap with the guest's backtrace and the end of its standard error; LinkError where it imports
    something that is not there, or is no program.
    """
    entry = _entry(program)
    provided: dict[str, Any] = {PREVIEW_1: Preview1(process)}
    wasi = None
    if any(name.startswith("wasi:") for name in program.plan.type.imports):
        # Not imported where a program does without.
        from ingen_runtime.wasi.p2 import Wasi

        wasi = Wasi(process)
        provided |= wasi.imports
    try:
        return await _run(program, entry, Linker(provided | dict(imports or {})), process)
    except asyncio.CancelledError:
        wasi = None  # who ends a guest does not wait for what it has written
        raise
    finally:
        if wasi is not None:
            await wasi.settled()


async def _run(program: Component, entry: str, linker: Linker, process: Process) -> int:
    limits = process.limits
    store_limits = StoreLimits(
        memory_bytes=limits.memory_bytes,
        memories=limits.memories,
        tables=limits.tables,
        table_elements=limits.table_elements,
        handles=limits.handles,
    )
    instance = None
    try:
        instance = await linker.instantiate_async(program, limits=store_limits)
        await instance.call_async(entry)
    except ProcessExit as exit:
        return exit.status
    except ResultError:
        # `run: func() -> result` has failed, and does not say more.
        return 1
    except Trap as trap:
        trap.guest_stderr = process.stderr.tail
        raise
    finally:
        if instance is not None:
            instance.close()
    return 0


def _entry(program: Component) -> str:
    """The function that runs a program. Raises: LinkError where there is none."""
    exports = program.export_type.exports
    for name in exports:
        if name == START:
            return name
        if compatible_track(name) == _RUN:
            return f"{name}#run"
    offered = ", ".join(exports)
    raise LinkError(
        "this is no program: it exports neither `wasi:cli/run` nor `_start`"
        + (f", but {offered}" if offered else "")
    )
