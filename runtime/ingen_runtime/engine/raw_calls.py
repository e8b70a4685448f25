"""Calls in both directions with the core values left in their raw slots, for code that packs them itself.

A raw buffer has `RAW_SLOT_SIZE` bytes for each parameter, or for each result where there are more of these.
The value is in a slot's low bytes, little-endian.
"""

from __future__ import annotations

import functools
from types import CellType
from typing import TYPE_CHECKING, Any, TypeAlias

from ingen_runtime.engine import bindings as c
from ingen_runtime.engine.calls import cover_entry, function_from, inner_code
from ingen_runtime.engine.core_types import CoreFuncType
from ingen_runtime.engine.externs import CoreFunc
from ingen_runtime.engine.host import callback_cells
from ingen_runtime.engine.signature import signature_of
from ingen_runtime.engine.store import by_buffer

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType

    from ingen_runtime.engine.store import CoreStore

RAW_SLOT_SIZE = c.RAW_SLOT_SIZE

RawFunction: TypeAlias = "Callable[[Any, int], object]"
"""A host function that gets a writable buffer and the offset of the first slot in it."""


class RawCall:
    """A core function with a raw buffer of its own.

    `call()` takes the parameters from `raw` and leaves the results there. It raises as a bound function does.
    """

    __slots__ = ("call", "func", "raw")

    def __init__(self, func: CoreFunc) -> None:
        self.func = func
        self.raw = bytearray(signature_of(func.type).slots * RAW_SLOT_SIZE)
        cells = func.store.call_cells(func.type, func.raw)
        self.call: Callable[[], None] = function_from(
            _call_code(), cells | {"raw_at": CellType(by_buffer(self.raw))}
        )


@functools.cache
def _call_code() -> CodeType:
    return inner_code(
        "<raw call of a core function>",
        """\
def outer():
    abandon = active = call = context = fail = function = raw_at = slots = trap = trap_at = 0
    def invoke():
        nonlocal active
        probe()
        active += 1
        try:
            error = call(context, function, raw_at, slots, trap_at)
        except BaseException:
            abandon()
            raise
        finally:
            active -= 1
        if error or trap:
            fail(error)
    return invoke, (abandon, call, context, fail, function, raw_at, slots, trap, trap_at)
""",
    )


@functools.cache
def _dispatch_code() -> CodeType:
    return cover_entry(
        inner_code(
            "<raw call of a host function>",
            """\
def outer():
    failures = functions = window = windows = 0
    def dispatch(environment, caller, address):
        try:
            try:
                raw = windows[address]
            except KeyError:
                raw = window(address)
            functions[environment]()(raw, 0)
            return 0
        except BaseException as error:
            failure = failures[environment]
            failure.exception = error
            trap = failure.trap
            failure.trap = 0
            return trap
    return dispatch, (failures, functions, window, windows)
""",
        )
    )


@functools.cache
def _raw_callback(type_: CoreFuncType) -> Any:
    """The C callback of all raw host functions of one signature."""
    return c.UncheckedCallback(function_from(_dispatch_code(), callback_cells(type_)))


class RawHostFunction:
    """A host function that works on raw slots; `func` is its core function.

    What it raises stops the guest and comes out of the Python call that entered the guest.
    """

    __slots__ = ("_number", "func", "store")

    def __init__(self, store: CoreStore, type_: CoreFuncType, function: RawFunction) -> None:
        self.store = store
        raw, self._number = store.define_callback(type_, function, _raw_callback(type_))
        self.func = CoreFunc(store, type_, raw)

    def replace(self, function: RawFunction) -> None:
        """From the next call on, call `function`."""
        self.store.replace_callback(self._number, function)


def pack_arguments(type_: CoreFuncType, values: tuple[Any, ...]) -> bytearray:
    """A raw buffer with these parameters."""
    signature = signature_of(type_)
    raw = bytearray(signature.slots * RAW_SLOT_SIZE)
    signature.params.pack_into(raw, 0, *values)
    return raw


def unpack_arguments(type_: CoreFuncType, raw: bytearray) -> tuple[Any, ...]:
    """The parameters that a raw buffer holds."""
    return signature_of(type_).params.unpack_from(raw)


def pack_results(type_: CoreFuncType, raw: bytearray, results: tuple[Any, ...]) -> None:
    """Write results to a raw buffer."""
    signature_of(type_).results.pack_into(raw, 0, *results)


def unpack_results(type_: CoreFuncType, raw: bytearray) -> tuple[Any, ...]:
    """The results that a raw buffer holds."""
    return signature_of(type_).results.unpack_from(raw)


def new_raw(type_: CoreFuncType) -> bytearray:
    """An empty raw buffer for a signature."""
    return bytearray(signature_of(type_).slots * RAW_SLOT_SIZE)


__all__ = [
    "RAW_SLOT_SIZE",
    "RawCall",
    "RawFunction",
    "RawHostFunction",
    "new_raw",
    "pack_arguments",
    "pack_results",
    "unpack_arguments",
    "unpack_results",
]
