"""How large a value may be: a limit of validation, taken with 64-bit pointers so that it fits any memory.

Source: CanonicalABI.md#element-size.
"""

from __future__ import annotations

from typing import assert_never

from ingen_runtime.canonical.layout import align_to, discriminant_size, flags_size
from ingen_runtime.component.types import (
    BorrowType,
    EnumType,
    FixedListType,
    FlagsType,
    FutureType,
    ListType,
    MapType,
    OptionType,
    OwnType,
    PrimitiveType,
    RecordType,
    ResultType,
    StreamType,
    TupleType,
    ValType,
    VariantType,
)

MAX_VALUE_SIZE = 1 << 28

_SIZES = {
    PrimitiveType.BOOL: 1,
    PrimitiveType.S8: 1,
    PrimitiveType.U8: 1,
    PrimitiveType.S16: 2,
    PrimitiveType.U16: 2,
    PrimitiveType.S32: 4,
    PrimitiveType.U32: 4,
    PrimitiveType.S64: 8,
    PrimitiveType.U64: 8,
    PrimitiveType.F32: 4,
    PrimitiveType.F64: 8,
    PrimitiveType.CHAR: 4,
    PrimitiveType.ERROR_CONTEXT: 4,
}


def value_size(type_: ValType) -> int:
    """The bytes that a value takes in a 64-bit memory."""
    return _size_and_alignment(type_)[0]


def _size_and_alignment(type_: ValType) -> tuple[int, int]:
    match type_:
        case PrimitiveType.STRING | ListType() | MapType():
            return 16, 8
        case PrimitiveType():
            return _SIZES[type_], _SIZES[type_]
        case RecordType(fields):
            return _sequence([field.type for field in fields])
        case TupleType(types):
            return _sequence(list(types))
        case VariantType(cases):
            return _choice([case.type for case in cases])
        case EnumType(labels):
            size = discriminant_size(len(labels))
            return size, size
        case OptionType(some):
            return _choice([None, some])
        case ResultType(ok, err):
            return _choice([ok, err])
        case FlagsType(labels):
            size = flags_size(len(labels))
            return size, size
        case FixedListType(element, length):
            size, alignment = _size_and_alignment(element)
            return size * length, alignment
        case OwnType() | BorrowType() | StreamType() | FutureType():
            return 4, 4
        case _:
            assert_never(type_)


def _sequence(types: list[ValType]) -> tuple[int, int]:
    end, widest = 0, 1
    for type_ in types:
        size, alignment = _size_and_alignment(type_)
        end = align_to(end, alignment) + size
        widest = max(widest, alignment)
    return align_to(end, widest), widest


def _choice(types: list[ValType | None]) -> tuple[int, int]:
    discriminant = discriminant_size(len(types))
    payloads = [_size_and_alignment(type_) for type_ in types if type_ is not None]
    widest = max([discriminant, *(alignment for _, alignment in payloads)])
    payload_at = align_to(discriminant, max((alignment for _, alignment in payloads), default=1))
    return align_to(payload_at + max((size for size, _ in payloads), default=0), widest), widest
