"""Host functions that a guest waits in: see `fibers` for what waiting means, `suspend` for the adapter."""

from __future__ import annotations

import functools
import struct
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any, Final

from ingen_runtime.core_types import CoreFuncType
from ingen_runtime.engine import bindings as c
from ingen_runtime.engine.externs import CoreFunc, CoreInstance
from ingen_runtime.engine.module import CoreModule
from ingen_runtime.engine.raw import raw_host_function
from ingen_runtime.engine.suspend import WAIT_TYPE, adapter_text, note_type, take_type
from ingen_runtime.engine.text import wat_to_wasm
from ingen_runtime.errors import Trap
from ingen_runtime.waiting import is_awaitable

if TYPE_CHECKING:
    from ingen_runtime.engine.engine import Engine
    from ingen_runtime.engine.fibers import Fiber, Finish
    from ingen_runtime.engine.store import CoreStore

RawCall = Callable[[Any, int], "int | None"]
"""Takes the slots of a call: the writable buffer and the offset of the first parameter, where the results go.

None says that the results are there; what `Fiber.note` returned, that the guest has to wait.
"""


def async_host_function(
    store: CoreStore,
    type_: CoreFuncType,
    function: Callable[..., Awaitable[Any]],
    finish: Finish | None = None,
) -> CoreFunc:
    """A core function that calls `function`, an `async def`, and suspends the guest until it has returned.

    Values are those of `CoreStore.define_host_function`. `finish`, if given, makes the core results of what
    `function` returned, and may call the guest to do so (as lowering calls `realloc`); `function` itself must
    not, because a guest that uses garbage collection cannot be called while it is suspended. Only a guest
    that was called with `call_async` can wait; any other is stopped with Trap(CANNOT_BLOCK).
    """
    note = _Note(store, type_, function, finish)
    return _adapted(store, type_, CoreFunc.from_python(store, note_type(type_), note))


class _Note:
    """Begins the call of an `async def`. One object, where a closure would be six for each waiting guest."""

    __slots__ = ("__weakref__", "_finish", "_function", "_nothing", "_store")

    def __init__(
        self,
        store: CoreStore,
        type_: CoreFuncType,
        function: Callable[..., Awaitable[Any]],
        finish: Finish | None,
    ) -> None:
        self._store = store
        self._nothing = (0,) * len(type_.results)
        self._function = function
        self._finish = finish

    def __call__(self, *arguments: int | float) -> Any:
        fiber = self._store.suspending_fiber()
        address = fiber.note(self._function(*arguments), self._finish)
        return (*self._nothing, address) if self._nothing else address


def may_wait_host_function(store: CoreStore, type_: CoreFuncType, function: Callable[..., Any]) -> CoreFunc:
    """A core function that calls `function`, a plain `def`, and suspends the guest only where it has to.

    Where `function` returns an awaitable, that gives the results, and the guest is suspended until it does:
    then it must have been called with `call_async`, or is stopped with Trap(CANNOT_BLOCK). Anything else is
    the results, and costs little more than with a host function that never waits.
    """
    nothing = (0,) * len(type_.results)

    def note(*arguments: int | float) -> Any:
        results, address = function(*arguments), 0
        if is_awaitable(results):
            address = fiber_for(store, results).note(results, None)
            results = nothing[0] if len(nothing) == 1 else nothing
        match len(nothing):
            case 0:
                return address
            case 1:
                return results, address
            case _:
                return (*results, address)

    return _adapted(store, type_, CoreFunc.from_python(store, note_type(type_), note))


def raw_may_wait_host_function(
    store: CoreStore, type_: CoreFuncType, bind: Callable[[], RawCall]
) -> CoreFunc:
    """The same for a function that packs and unpacks its values itself; `bind` makes it at the first call."""
    bound: RawCall | None = None
    address_at = len(type_.results) * c.RAW_SLOT_SIZE

    def note(buffer: Any, at: int) -> None:
        nonlocal bound
        if bound is None:
            bound = bind()
        address = bound(buffer, at)
        _pack_address(buffer, at + address_at, address or 0)

    return _adapted(store, type_, raw_host_function(store, note_type(type_), note))


_pack_address: Final = struct.Struct("<Q").pack_into


def fiber_for(store: CoreStore, awaitable: object) -> Fiber:
    """The fiber that runs now, and will wait for `awaitable`.

    Raises: Trap(CANNOT_BLOCK) where there is none; then a coroutine is closed.
    """
    try:
        return store.suspending_fiber()
    except Trap:
        if isinstance(awaitable, Coroutine):
            awaitable.close()
        raise


def _adapted(store: CoreStore, type_: CoreFuncType, note: CoreFunc) -> CoreFunc:
    """The function that a guest calls, around one that begins the call."""
    adapter = CoreInstance(
        store,
        _adapter(store.engine, type_),
        (
            note,
            CoreFunc(store, WAIT_TYPE, store.wait_function()),
            CoreFunc.from_python(store, take_type(type_), store.take),
        ),
    )
    call = adapter.export("call")
    assert isinstance(call, CoreFunc)
    return call


@functools.lru_cache(maxsize=256)
def _adapter(engine: Engine, type_: CoreFuncType) -> CoreModule:
    return CoreModule(engine, _adapter_wasm(type_))


@functools.cache
def _adapter_wasm(type_: CoreFuncType) -> bytes:
    return wat_to_wasm(adapter_text(type_))
