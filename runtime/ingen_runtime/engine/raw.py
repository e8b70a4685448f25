"""Calls whose values are packed and unpacked by generated code, straight in the raw slots.

A raw value is in the low bytes of a 16-byte slot, little-endian; what is above an i32 or f32 is ignored when
it is read, so an i64 slot may be filled in its low half only if the rest is zeroed.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from types import CellType
from typing import Any, NoReturn

from ingen_runtime.core_types import CoreFuncType
from ingen_runtime.engine import bindings as c
from ingen_runtime.engine.calls import function_from, invoke_code, probe, raw_dispatch_code
from ingen_runtime.engine.externs import CoreFunc
from ingen_runtime.engine.host import dispatch_cells
from ingen_runtime.engine.store import CoreStore


class RawFunction:
    """A core function with the buffer that its values pass through.

    `call()` takes the parameters from `raw` and leaves the results there. Functions of one store may share
    the buffer: fill it right before the call, read it right after.

    Generated code that calls several functions of a store in a row may do without `call`, and pay once for
    what comes before and after:

        probe(probed); active.cell_contents += 1; native = self.native.cell_contents
        error = native(*self.arguments)            # for each function, from this frame
        if error or trap: fail(error)
        active.cell_contents -= 1                  # in any case; abandon() before, where an exception passes
    """

    __slots__ = ("abandon", "active", "arguments", "call", "fail", "native", "probed", "raw", "trap")

    probe = staticmethod(probe)

    def __init__(self, func: CoreFunc) -> None:
        cells = func.store.call_cells(func.type, func.raw)
        self.raw: bytearray = cells["raw"].cell_contents
        self.call: Callable[[], None] = function_from(invoke_code(0, 0), cells)
        self.native: CellType = cells["call"]
        self.arguments: tuple[Any, ...] = cells["arguments"].cell_contents
        self.trap: object = cells["trap"].cell_contents
        self.fail: Callable[[Any], NoReturn] = cells["fail"].cell_contents
        self.abandon: Callable[[], None] = cells["abandon"].cell_contents
        self.active: CellType = cells["active"]
        self.probed: object = cells["failure"].cell_contents


def raw_host_function(
    store: CoreStore, type_: CoreFuncType, function: Callable[[Any, int], object]
) -> CoreFunc:
    """A core function that calls `function(buffer, offset)`.

    The parameters are in the slots of the writable `buffer` from `offset` on; the results go to the same
    place. What it raises stops the guest, as with `CoreFunc.from_python`.
    """
    return CoreFunc(store, type_, store.define_host_function(type_, function, _raw_callback(type_)))


@functools.cache
def _raw_callback(type_: CoreFuncType) -> Any:
    cells: dict[str, CellType] = dispatch_cells(type_)
    return c.UncheckedCallback(function_from(raw_dispatch_code(), cells))
