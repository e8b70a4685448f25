"""Preview 1 as core functions of a store."""

from __future__ import annotations

import asyncio
import difflib
from collections.abc import Awaitable, Callable, Coroutine, Generator
from types import GeneratorType
from typing import Any, Final

from ingen_runtime.component.plan import PREVIEW_1
from ingen_runtime.engine import CoreFunc, CoreFuncType, CoreMemory, CoreStore, may_wait_host_function
from ingen_runtime.errors import LinkError
from ingen_runtime.kernel.errors import FileError
from ingen_runtime.kernel.process import Process
from ingen_runtime.network.errors import NetworkError
from ingen_runtime.readiness import Readiness, wait
from ingen_runtime.wasi.p1.abi import FILE_ERRNO, NETWORK_ERRNO, TYPES, ErrnoError
from ingen_runtime.wasi.p1.descriptors import Blocked
from ingen_runtime.wasi.p1.functions import FdFunctions, PathFunctions
from ingen_runtime.wasi.p1.memory import GuestMemory
from ingen_runtime.wasi.p1.polling import PollFunctions
from ingen_runtime.wasi.p1.process_functions import ProcessFunctions
from ingen_runtime.wasi.p1.sockets import SocketFunctions
from ingen_runtime.wasi.p1.table import DescriptorTable

_MAY_WAIT: Final = frozenset(
    """
    fd_allocate fd_datasync fd_pwrite fd_read fd_readdir fd_sync fd_write poll_oneoff random_get sched_yield
    sock_accept sock_recv sock_send
    """.split()
)
_GROUPS: Final[dict[str, type[object]]] = {
    name: group
    for group in (FdFunctions, PathFunctions, PollFunctions, ProcessFunctions, SocketFunctions)
    for name in TYPES
    if hasattr(group, name)
}
"""The class that has each function."""


class Preview1:
    """The functions that a module imports from `wasi_snapshot_preview1`, for one instance of it.

    What the guest gets to see is `process`; its descriptors are numbered from here. A guest that was not
    called with `call_async` cannot wait: Trap(CANNOT_BLOCK) where it would have to. `proc_exit` raises
    ProcessExit. A pointer out of memory traps.
    """

    def __init__(self, process: Process) -> None:
        self._process = process
        self._table = DescriptorTable(process)
        self._groups: dict[type[object], object] | None = None

    def core_function(
        self, store: CoreStore, name: str, type_: CoreFuncType, memory: Callable[[], CoreMemory]
    ) -> CoreFunc:
        """The function of that name and type; `memory` gives the instance's memory, once it is there.

        Raises: LinkError where preview 1 has no such function.
        """
        wanted = f"{PREVIEW_1}.{name}"
        if name not in TYPES:
            near = difflib.get_close_matches(name, TYPES, n=1)
            hint = f" (is it `{near[0]}`?)" if near else ""
            raise LinkError(f"preview 1 of WASI has no function `{name}`{hint}", wanted)
        if TYPES[name] != type_:
            raise LinkError(f"`{wanted}` is a function {TYPES[name]}, not {type_}", wanted)
        if self._groups is None:
            self._groups = self._bind(GuestMemory(memory, self._process.limits.transfer_bytes))
        function: Callable[..., Any] = getattr(self._groups[_GROUPS[name]], name)
        if name in _MAY_WAIT:
            return may_wait_host_function(store, type_, _waiting(store, function))
        return CoreFunc.from_python(store, type_, _plain(function))

    def _bind(self, memory: GuestMemory) -> dict[type[object], object]:
        process, table = self._process, self._table
        return {
            FdFunctions: FdFunctions(process, memory, table),
            PathFunctions: PathFunctions(process, memory, table),
            PollFunctions: PollFunctions(process, memory, table),
            ProcessFunctions: ProcessFunctions(process, memory),
            SocketFunctions: SocketFunctions(memory, table),
        }


_REPORTED: Final = (ErrnoError, FileError, NetworkError)
"""What a guest gets as an `errno`."""


def _errno(error: ErrnoError | FileError | NetworkError) -> int:
    match error:
        case ErrnoError():
            return error.errno
        case FileError():
            return FILE_ERRNO[error.kind]
        case NetworkError():
            return NETWORK_ERRNO[error.kind]


def _plain(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, with its errors as results."""

    def call(*arguments: Any) -> Any:
        try:
            return function(*arguments)
        except _REPORTED as error:
            return _errno(error)

    return call


def _waiting(store: CoreStore, function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, with its errors as results, and an awaitable where the guest has to wait."""

    def call(*arguments: Any) -> Any:
        try:
            result = function(*arguments)
            if result.__class__ is int:
                return result
            if isinstance(result, GeneratorType):
                result = _begin(result, to_the_end=not store.can_suspend)
        except _REPORTED as error:
            return _errno(error)
        except Blocked as blocked:
            result = _again(blocked.readiness, function, arguments)
        return _suspend(store, result) if isinstance(result, Coroutine) else result

    return call


def _suspend(store: CoreStore, waiting: Coroutine[Any, Any, Any]) -> Awaitable[Any]:
    """What the guest has to wait for. Raises: Trap(CANNOT_BLOCK) where it cannot"""
    if not store.can_suspend:
        waiting.close()
        store.suspending_fiber()  # says why
    return _reporting(waiting)


async def _again(readiness: Readiness, function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
    """Call the function when something is ready, until it does what it should."""
    while True:
        await wait(readiness)
        try:
            result = function(*arguments)
        except Blocked as blocked:
            readiness = blocked.readiness
        else:
            return await result if isinstance(result, Coroutine) else result


def _begin(steps: Generator[None, None, int], *, to_the_end: bool) -> Any:
    """Take the first step, or all of them; returns the result, or an awaitable of it."""
    try:
        next(steps)
        while to_the_end:
            next(steps)
    except StopIteration as end:
        return end.value
    return _go_on(steps)


async def _go_on(steps: Generator[None, None, int]) -> int:
    while True:
        await asyncio.sleep(0)
        try:
            next(steps)
        except StopIteration as end:
            return int(end.value)


async def _reporting(awaitable: Awaitable[Any]) -> Any:
    try:
        return await awaitable
    except _REPORTED as error:
        return _errno(error)
