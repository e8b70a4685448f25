"""The two shapes of a value: in linear memory, and flat in a raw buffer of core values.

Both are blocks of bytes with leaves at offsets, so one generator serves both. A joined variant slot needs no
conversion: core values are little-endian, so reading a narrower leaf wraps and writing one zero-extends.

Source: CanonicalABI.md#loading, #storing, #flat-lifting, #flat-lowering.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

from ingen_runtime.canonical import layout
from ingen_runtime.canonical.core import SLOT_SIZE
from ingen_runtime.component.types import PrimitiveType, ValType

NUMBER_FORMATS: Final = {
    PrimitiveType.U8: "B",
    PrimitiveType.S8: "b",
    PrimitiveType.U16: "H",
    PrimitiveType.S16: "h",
    PrimitiveType.U32: "I",
    PrimitiveType.S32: "i",
    PrimitiveType.U64: "Q",
    PrimitiveType.S64: "q",
    PrimitiveType.F32: "f",
    PrimitiveType.F64: "d",
}
UNSIGNED_FORMATS: Final = {1: "B", 2: "H", 4: "I"}


class Shape(Protocol):
    """How values lie in a block."""

    is_flat: bool
    second: int
    """The offset of a list's or string's length from its pointer."""

    def size(self, type_: ValType) -> int:
        """Bytes of a value."""

    def offsets(self, fields: Sequence[ValType]) -> Sequence[int]:
        """The offsets of a record's fields."""

    def payload_offset(self, cases: Sequence[ValType | None]) -> int:
        """The offset of a variant's payload."""

    def discriminant_format(self, case_count: int) -> str:
        """The struct format of a variant's discriminant."""

    def flags_format(self, label_count: int) -> str:
        """The struct format of flags."""


class MemoryShape:
    """Values in linear memory."""

    is_flat = False
    second = 4

    def size(self, type_: ValType) -> int:
        return layout.elem_size(type_)

    def offsets(self, fields: Sequence[ValType]) -> Sequence[int]:
        return layout.field_offsets(fields)

    def payload_offset(self, cases: Sequence[ValType | None]) -> int:
        return layout.payload_offset(cases)

    def discriminant_format(self, case_count: int) -> str:
        return UNSIGNED_FORMATS[layout.discriminant_size(case_count)]

    def flags_format(self, label_count: int) -> str:
        return UNSIGNED_FORMATS[layout.flags_size(label_count)]


class FlatShape:
    """Values as core values, one in each slot of a raw buffer."""

    is_flat = True
    second = SLOT_SIZE

    def size(self, type_: ValType) -> int:
        return layout.flat_count(type_) * SLOT_SIZE

    def offsets(self, fields: Sequence[ValType]) -> Sequence[int]:
        offsets, at = [], 0
        for field in fields:
            offsets.append(at)
            at += self.size(field)
        return offsets

    def payload_offset(self, cases: Sequence[ValType | None]) -> int:
        return SLOT_SIZE

    def discriminant_format(self, case_count: int) -> str:
        return "I"

    def flags_format(self, label_count: int) -> str:
        return "I"


MEMORY: Final[Shape] = MemoryShape()
FLAT: Final[Shape] = FlatShape()
