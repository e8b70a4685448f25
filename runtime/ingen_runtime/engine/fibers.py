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
import sys
import types
from typing import TYPE_CHECKING, Any, TypeAlias

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


Finish: TypeAlias = "Callable[[Any], Any]"


class Fiber:
    """One call on a fiber: what runs, and what it waits for."""

    __slots__ = (
        "_awaited",
        "_finish",
        "_future",
        "_go",
        "_kept",
        "error",
        "exception",
        "future_ref",
        "go_address",
        "result",
        "store",
        "trap",
    )

    def __init__(self, store: CoreStore) -> None:
        self.store = store
        self.trap = ctypes.c_void_p()
        self.error = ctypes.c_void_p()
        # One byte that tells the continuation to go on, and a zero.
        self._go = bytearray(2)
        self.go_address = ctypes.addressof(ctypes.c_char.from_buffer(self._go))
        self._awaited: Awaitable[Any] | None = None
        self._finish: Finish | None = None
        self.result: Any = None
        self.exception: BaseException | None = None
        self._future = 0
        self._kept: tuple[Any, ...] = ()

    def start(self, future: int, *kept: Any) -> None:
        """The call has become `future`; `kept` has to live as long."""
        self._future = future
        self.store.add_fiber(self)
        self.future_ref = c.by_address(future)
        self._kept = kept

    def note(self, awaitable: Awaitable[Any], finish: Finish | None) -> int:
        """The guest waits for what a host function has returned; the result is where the continuation looks.

        `finish`, if given, makes the core results of what is awaited.
        """
        self._awaited = awaitable
        self._finish = finish
        self._go[0] = 0
        return self.go_address

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
        poll = self.store.poll
        ended = False
        try:
            while not (ended := poll(self)):
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
                self._go[0] = 1
        finally:
            self._end(ended)
        if self.trap or self.error:
            self.store.raise_failure(self.trap.value or 0, self.error.value or 0, doing)

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
    packed = signature.pack_values(arguments)
    store.begin_fiber()
    results = bytearray(max(len(func.type.results), 1) * c.VAL_SIZE)
    handle = c.Func.from_buffer_copy(func.raw, c.EXTERN_OF_OFFSET)
    fiber = Fiber(store)
    arguments_at, results_at = _address_of(packed), _address_of(results)
    fiber.start(
        c.func_call_async(
            store.context,
            ctypes.byref(handle),
            arguments_at,
            len(func.type.params),
            results_at,
            len(func.type.results),
            ctypes.byref(fiber.trap),
            ctypes.byref(fiber.error),
        ),
        handle,
        arguments_at,
        results_at,
    )
    await fiber.run("calling a guest")
    values = signature.unpack_values(results)
    if len(values) == 1:
        return values[0]
    return values or None


def _address_of(buffer: bytearray) -> ctypes.Array[ctypes.c_char]:
    return (ctypes.c_char * len(buffer)).from_buffer(buffer)


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
        handle = c.Instance()
        fiber = Fiber(store)
        fiber.start(
            c.linker_instantiate_async(
                linker,
                store.context,
                module.ptr,
                ctypes.byref(handle),
                ctypes.byref(fiber.trap),
                ctypes.byref(fiber.error),
            ),
            handle,
        )
        await fiber.run("instantiating")
    finally:
        c.linker_delete(linker)
    return CoreInstance.from_handle(store, module, handle)


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
