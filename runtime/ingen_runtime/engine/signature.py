"""How the values of one core signature travel between Python and wasmtime.

Integers are unsigned both ways (`-1` is passed as `0xFFFFFFFF`), floats are floats. An unchecked call passes
all arguments in 16-byte slots of one buffer and takes the results from the same slots; a call on a fiber
passes tagged values of 32 bytes.
"""

from __future__ import annotations

import ctypes
import functools
import struct
from types import CellType
from typing import Final

from ingen_runtime.core_types import CoreFuncType, CoreValType
from ingen_runtime.engine import bindings as c
from ingen_runtime.errors import InternalError
from ingen_runtime.frozen import frozen

_RAW_FORMATS: Final[dict[CoreValType, str]] = {"i32": "I12x", "i64": "Q8x", "f32": "f12x", "f64": "d8x"}
_VALUE_FORMATS: Final[dict[CoreValType, str]] = {"i32": "I20x", "i64": "Q16x", "f32": "f20x", "f64": "d16x"}
_KINDS: Final[dict[CoreValType, int]] = {
    "i32": c.VAL_I32,
    "i64": c.VAL_I64,
    "f32": c.VAL_F32,
    "f64": c.VAL_F64,
}
_VALTYPE_KINDS: Final[dict[CoreValType, int]] = {"i32": 0, "i64": 1, "f32": 2, "f64": 3}


@frozen
class Signature:
    """The packers of one core function type; there is one object per type."""

    type: CoreFuncType
    params: struct.Struct
    """Packs all arguments into raw slots, or unpacks them from there."""
    results: struct.Struct
    """The same for the results."""
    slots: int
    """Raw slots that a call needs, at least one."""

    pack_cell: CellType
    unpack_cell: CellType
    """Cells for the functions that `calls` writes, shared between all functions of this type."""

    def pack_values(self, buffer: bytearray, at: int, arguments: tuple[int | float, ...]) -> None:
        """Write the arguments as tagged values."""
        for index, (type_, argument) in enumerate(zip(self.type.params, arguments, strict=True)):
            pack_value(buffer, at + index * c.VAL_SIZE, type_, argument)

    def unpack_values(self, buffer: bytearray, at: int) -> tuple[int | float, ...]:
        """The results from tagged values."""
        return tuple(
            [
                unpack_value(buffer, at + index * c.VAL_SIZE, type_)
                for index, type_ in enumerate(self.type.results)
            ]
        )


_VALUES = {type_: struct.Struct(f"<B7x{format_}") for type_, format_ in _VALUE_FORMATS.items()}


def pack_value(buffer: bytearray, offset: int, type_: CoreValType, value: int | float) -> None:
    """Write one number as a tagged value."""
    _VALUES[type_].pack_into(buffer, offset, _KINDS[type_], value)


def unpack_value(buffer: bytearray, offset: int, type_: CoreValType) -> int | float:
    """Read one number from a tagged value."""
    value: int | float = _VALUES[type_].unpack_from(buffer, offset)[1]
    return value


def is_callable(type_: CoreFuncType) -> bool:
    """Whether Python can pass all the parameters and take all the results."""
    return all(value in _RAW_FORMATS for value in (*type_.params, *type_.results))


@functools.cache
def signature_of(type_: CoreFuncType) -> Signature:
    """The packers of `type_`. Raises InternalError where it has types other than numbers."""
    if not is_callable(type_):
        raise InternalError(f"only numbers pass between Python and core WebAssembly, not {type_}")
    params, results = _raw_struct(type_.params), _raw_struct(type_.results)
    slots = max(len(type_.params), len(type_.results), 1)
    return Signature(
        type=type_,
        params=params,
        results=results,
        slots=slots,
        pack_cell=CellType(params.pack_into),
        unpack_cell=CellType(results.unpack_from),
    )


def _raw_struct(types: tuple[CoreValType, ...]) -> struct.Struct:
    return struct.Struct("<" + "".join([_RAW_FORMATS[type_] for type_ in types]))


def new_functype(type_: CoreFuncType) -> int:
    """A `wasm_functype_t`, to be used with one engine only: wasmtime keeps in it what that engine made of
    it."""
    params, results = _valtypes(type_.params), _valtypes(type_.results)
    functype: int = c.functype_new(ctypes.byref(params), ctypes.byref(results))
    return functype


def _valtypes(types: tuple[CoreValType, ...]) -> c.PointerVec:
    items = (ctypes.c_void_p * len(types))(*[c.valtype_new(_VALTYPE_KINDS[type_]) for type_ in types])
    vec = c.PointerVec()
    c.valtype_vec_new(ctypes.byref(vec), len(types), items)
    return vec
