"""Core WebAssembly's value and function types, for everything that speaks of them.

Source: WebAssembly core specification 3.0, "Types".

The classes are named tuples: as dataclasses, they would add to every start.
"""

from __future__ import annotations

import enum
from typing import NamedTuple, TypeAlias


class NumberType(enum.StrEnum):
    """A number, vector or packed type; it equals its keyword. The packed ones only occur in fields."""

    I32 = "i32"
    I64 = "i64"
    F32 = "f32"
    F64 = "f64"
    V128 = "v128"
    I8 = "i8"
    I16 = "i16"

    # That of an enum would differ from the equal keyword's.
    __hash__ = str.__hash__


class RefType(NamedTuple):
    """A reference type; `heap` is a heap type's keyword or a type index."""

    heap: str | int
    nullable: bool = True

    def __str__(self) -> str:
        if self.nullable and isinstance(self.heap, str):
            return f"{self.heap}ref"
        return f"(ref {'null ' if self.nullable else ''}{self.heap})"


CoreValType: TypeAlias = str | RefType
"""A number type by its keyword, or a reference type; `str` gives the text format."""


class CoreFuncType(NamedTuple):
    """A core function type."""

    params: tuple[CoreValType, ...]
    results: tuple[CoreValType, ...]

    def __str__(self) -> str:
        parts = ["func"]
        if self.params:
            parts.append(f"(param {' '.join(map(str, self.params))})")
        if self.results:
            parts.append(f"(result {' '.join(map(str, self.results))})")
        return f"({' '.join(parts)})"
