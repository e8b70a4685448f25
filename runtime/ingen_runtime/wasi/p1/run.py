"""Running a program for preview 1."""

from __future__ import annotations

from ingen_runtime.engine import (
    CoreExternType,
    CoreFunc,
    CoreFuncType,
    CoreInstance,
    CoreMemory,
    CoreMemoryType,
    CoreModule,
    CoreStore,
    StoreLimits,
    call_async,
    default_engine,
    instantiate_async,
)
from ingen_runtime.errors import LinkError, Trap, TrapKind
from ingen_runtime.kernel.process import Process, ProcessExit
from ingen_runtime.wasi.p1.abi import MODULE
from ingen_runtime.wasi.p1.preview1 import Preview1


async def run_core_module(
    module: CoreModule | bytes, process: Process, *, limits: StoreLimits | None = None
) -> int:
    """Run a command, a module that exports `_start`, to its end; returns its exit status.

    Of the limits that are not given, that on memory is the process's. What the guest has opened is still open
    afterwards: close the process. Cancelling the task ends the guest.

    Raises: Trap with the guest's backtrace and the end of its standard error; LinkError where the module
    imports something else than preview 1, or is no command; ComponentFormatError where it is no module.
    """
    if not isinstance(module, CoreModule):
        module = CoreModule(default_engine(), module)
    if limits is None:
        limits = StoreLimits(memory_bytes=process.limits.memory_bytes)
    store = CoreStore(module.engine, limits)
    try:
        return await _run(store, module, process)
    except Trap as trap:
        trap.guest_stderr = process.stderr.tail
        raise
    finally:
        store.close()


async def _run(store: CoreStore, module: CoreModule, process: Process) -> int:
    preview1 = Preview1(process)
    instances: list[CoreInstance] = []

    def memory() -> CoreMemory:
        if not instances:
            raise Trap(TrapKind.OTHER, "a system call was made before the module was instantiated")
        found = instances[0].export("memory")
        assert isinstance(found, CoreMemory)
        return found

    _check_command(module)
    imports: list[CoreFunc] = []
    for wanted in module.imports:
        if wanted.module != MODULE or not isinstance(wanted.type, CoreFuncType):
            name = f"{wanted.module}.{wanted.name}"
            raise LinkError(f"the module imports `{name}`, which is not of preview 1 of WASI", name)
        imports.append(preview1.core_function(store, wanted.name, wanted.type, memory))
    try:
        instances.append(await instantiate_async(store, module, imports))
        start = instances[0].export("_start")
        assert isinstance(start, CoreFunc)
        await call_async(start)
    except ProcessExit as exit:
        return exit.status
    return 0


def _check_command(module: CoreModule) -> None:
    """Raises: LinkError where it is none."""
    names = module.export_names
    if "_start" not in names or module.export_type("_start") != CoreFuncType((), ()):
        reason = "it is a reactor" if "_initialize" in names else "it exports no function `_start`"
        raise LinkError(f"the module cannot be run as a program: {reason}")
    if "memory" not in names or not _is_memory32(module.export_type("memory")):
        raise LinkError("the module exports no 32-bit `memory`, in which system calls find what they work on")


def _is_memory32(type_: CoreExternType) -> bool:
    return isinstance(type_, CoreMemoryType) and not type_.limits.is_64 and not type_.limits.shared
