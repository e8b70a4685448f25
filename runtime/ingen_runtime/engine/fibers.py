"""Guests that wait: calls on fibers, driven by asyncio.

A guest that was called with `call_async` runs on a stack of its own. When it calls an async host function,
the fiber is suspended with no Python frame on it, and the task that awaits `call_async` awaits the host
function's coroutine on the ordinary stack. The guest goes on when the coroutine has returned. Nothing is held
meanwhile but the touched pages of the fiber's stack.

- An exception of the coroutine stops the guest and comes out of `call_async` as it was raised.
- Cancelling the task cancels the coroutine and ends the guest's call; the store cannot be used any more.
- A guest that computes for longer than a tick (`engine.TICK_S`) lets other tasks run.
- Several fibers may wait in one store, and other functions of the store may be called meanwhile; except where
  the guest uses garbage collection or exceptions, see `CoreStore.uses_gc`: then StoreUnusableError is raised.
- A guest cannot be suspended while a host function that is no `async def` waits for it: Trap(CANNOT_BLOCK).

Host functions that are no `async def` run on the fiber's stack, which is as large as CPython's limits of
recursion assume (`EngineConfig.async_stack_size`); the pages that they touch stay with the guest until its
call ends. Linux limits the memory mappings of a process, and so the guests that wait in it: see `mappings`.
"""

from __future__ import annotations

import ctypes
import struct
import sys
import types
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from ingen_runtime.engine import bindings as c
from ingen_runtime.engine.externs import CoreFunc, CoreInstance, pack_imports
from ingen_runtime.engine.module import CoreModule
from ingen_runtime.engine.signature import signature_of
from ingen_runtime.engine.suspend import LATE
from ingen_runtime.errors import InternalError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator, Sequence

    from ingen_runtime.engine.externs import CoreExtern
    from ingen_runtime.engine.store import CoreStore


@types.coroutine
def _let_others_run() -> Generator[None, None, None]:
    """What `asyncio.sleep(0)` does."""
    yield


def _ends_the_task(exception: BaseException) -> bool:
    """Whether this is no failure of the host function, but the end of the task that it runs in."""
    # Importing asyncio takes longer than all of the engine. Where it was not imported, nothing was cancelled.
    asyncio = sys.modules.get("asyncio")
    return isinstance(exception, GeneratorExit) or (
        asyncio is not None and isinstance(exception, asyncio.CancelledError)
    )


_HANDLE_SIZE: Final = 16
_GO_AT: Final = 0
"""In a fiber's block: a byte that tells the continuation to go on, and zeros."""
_TRAP_AT, _ERROR_AT, _HANDLE_AT = 8, 16, 24
_VALUES_AT: Final = _HANDLE_AT + _HANDLE_SIZE
"""Where the arguments are, and behind them the results."""
_END: Final = struct.Struct("=QQ")
"""The trap and the error."""

Finish: TypeAlias = "Callable[[Any], Any]"


class Fiber:
    """One call on a fiber: what runs, and what it waits for."""

    __slots__ = (
        "_awaited",
        "_finish",
        "_future",
        "address",
        "block",
        "exception",
        "future_ref",
        "result",
        "store",
    )

    def __init__(self, store: CoreStore, handle: bytes, value_count: int) -> None:
        self.store = store
        # One block for all that wasmtime reads and writes meanwhile: thousands of guests may wait.
        self.block = bytearray(_VALUES_AT + value_count * c.VAL_SIZE)
        self.block[_HANDLE_AT:_VALUES_AT] = handle
        self.address: int = ctypes.addressof(ctypes.c_char.from_buffer(self.block))
        self._awaited: Awaitable[Any] | None = None
        self._finish: Finish | None = None
        self.result: Any = None
        self.exception: BaseException | None = None
        self._future = 0

    def start(self, future: int) -> None:
        """The call has become `future`."""
        self._future = future
        self.store.add_fiber(self)
        self.future_ref = c.by_address(future)

    def note(self, awaitable: Awaitable[Any], finish: Finish | None) -> int:
        """The guest waits for what a host function has returned; the result is where the continuation looks.

        `finish`, if given, makes the core results of what is awaited.
        """
        self._awaited = awaitable
        self._finish = finish
        self.block[_GO_AT] = 0
        return self.address + _GO_AT

    def take(self) -> Any:
        """The guest wants the results of its host function."""
        exception, self.exception = self.exception, None
        if exception is not None:
            try:
                raise exception
            finally:
                del exception
        result, self.result = self.result, None
        finish, self._finish = self._finish, None
        return result if finish is None else finish(result)

    async def run(self, doing: str) -> None:
        """Drive the call to its end. Raises what stopped the guest."""
        ended = False
        try:
            while not (ended := self.store.poll(self)):
                if LATE.exception is not None:
                    exception, LATE.exception = LATE.exception, None
                    raise exception
                awaited = self._awaited
                if awaited is None:
                    await _let_others_run()  # the guest was busy, and yielded
                    continue
                self._awaited = None
                try:
                    self.result = await awaited
                    if self._finish is not None and not self.store.uses_gc:
                        self.result = self._finish(self.result)
                        self._finish = None
                except BaseException as exception:
                    if _ends_the_task(exception):
                        raise
                    # Raised where the guest goes on, which stops it, and out of there to our caller.
                    self.exception = exception
                self.block[_GO_AT] = 1
        finally:
            self._end(ended)
        trap, error = _END.unpack_from(self.block, _TRAP_AT)
        if trap or error:
            self.store.raise_failure(trap, error, doing)

    def abandon(self) -> None:
        """Free the call, if it has not ended. That unwinds the guest's stack without running guest code."""
        future, self._future = self._future, 0
        if future:
            c.call_future_delete(future)

    def _end(self, ended: bool) -> None:
        if not ended:
            self.store.disable("was left in the middle of a call that was cancelled")
        self.abandon()
        self.store.end_fiber(self)
        self._awaited = self._finish = self.exception = None


async def call_async(func: CoreFunc, *arguments: int | float) -> Any:
    """Call a core function on a fiber, so that it can wait in async host functions.

    Arguments, results and exceptions are those of `CoreFunc.bind`. Raises CancelledError where the task is
    cancelled.
    """
    store = func.store
    signature = signature_of(func.type)
    param_count, result_count = len(func.type.params), len(func.type.results)
    fiber = Fiber(store, func.raw[c.EXTERN_OF_OFFSET :][:_HANDLE_SIZE], param_count + result_count)
    results_at = _VALUES_AT + param_count * c.VAL_SIZE
    signature.pack_values(fiber.block, _VALUES_AT, arguments)
    store.begin_fiber()
    fiber.start(
        c.func_call_async(
            store.context,
            fiber.address + _HANDLE_AT,
            fiber.address + _VALUES_AT,
            param_count,
            fiber.address + results_at,
            result_count,
            fiber.address + _TRAP_AT,
            fiber.address + _ERROR_AT,
        )
    )
    await fiber.run("calling a guest")
    values = signature.unpack_values(fiber.block, results_at)
    if len(values) == 1:
        return values[0]
    return values or None


async def instantiate_async(
    store: CoreStore, module: CoreModule, imports: Sequence[CoreExtern] = ()
) -> CoreInstance:
    """Instantiate a module as `CoreInstance` does; its start function may wait in async host functions."""
    if not module.has_start:
        return CoreInstance(store, module, imports)
    packed = pack_imports(store, module, imports)
    store.prepare_for(module)
    store.begin_fiber()
    linker = c.linker_new(store.engine.ptr)
    try:
        _define_imports(linker, store, module, packed)
        fiber = Fiber(store, bytes(_HANDLE_SIZE), 0)
        fiber.start(
            c.linker_instantiate_async(
                linker,
                store.context,
                module.ptr,
                fiber.address + _HANDLE_AT,
                fiber.address + _TRAP_AT,
                fiber.address + _ERROR_AT,
            )
        )
        await fiber.run("instantiating")
    finally:
        c.linker_delete(linker)
    return CoreInstance.from_handle(store, module, c.Instance.from_buffer_copy(fiber.block, _HANDLE_AT))


def _define_imports(linker: int, store: CoreStore, module: CoreModule, packed: bytes) -> None:
    defined: dict[tuple[str, str], bytes] = {}
    for index, wanted in enumerate(module.imports):
        raw = packed[index * c.EXTERN_SIZE : (index + 1) * c.EXTERN_SIZE]
        key = (wanted.module, wanted.name)
        if defined.setdefault(key, raw) is not raw:
            if defined[key] != raw:
                raise InternalError(f"two different imports are called {wanted.module}.{wanted.name}")
            continue
        module_name, name = wanted.module.encode(), wanted.name.encode()
        error = c.linker_define(
            linker,
            store.context,
            module_name,
            len(module_name),
            name,
            len(name),
            ctypes.byref(c.Extern.from_buffer_copy(raw)),
        )
        assert not error, "a fresh linker accepts every name"
