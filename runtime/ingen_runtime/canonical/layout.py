"""Where values lie: alignment and size in linear memory, and the core types of a flattened function.

Everything is for 32-bit memories. Types are taken to be valid: at least one case, field or label where the
specification wants one, at most 32 flags.

Source: CanonicalABI.md#alignment, #element-size, #flattening.
"""

from __future__ import annotations

import enum
import sys
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Final, assert_never

from ingen_runtime.component.types import (
    BorrowType,
    EnumType,
    FixedListType,
    FlagsType,
    FuncType,
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
from ingen_runtime.core_types import CoreFuncType, NumberType

if sys.byteorder != "little":  # lists of numbers move as blocks of machine words
    raise ImportError("ingen_runtime.canonical needs a little-endian machine")

MAX_FLAT_PARAMS: Final = 16
MAX_FLAT_ASYNC_PARAMS: Final = 4
MAX_FLAT_RESULTS: Final = 1
MAX_STRING_BYTE_LENGTH: Final = (1 << 28) - 1
MAX_LIST_BYTE_LENGTH: Final = (1 << 28) - 1
UTF16_TAG: Final = 1 << 31
"""Set in the length of a `latin1+utf16` string whose code units are UTF-16."""


_remember = lru_cache(maxsize=4096)


class Direction(enum.Enum):
    """Which canonical definition a core signature belongs to."""

    LIFT = "lift"
    LOWER = "lower"


_PRIMITIVE_SIZES: Final = {
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
    PrimitiveType.STRING: 8,
    PrimitiveType.ERROR_CONTEXT: 4,
}

_WIDE_CORE_TYPES: Final = {
    PrimitiveType.S64: NumberType.I64,
    PrimitiveType.U64: NumberType.I64,
    PrimitiveType.F32: NumberType.F32,
    PrimitiveType.F64: NumberType.F64,
}


def align_to(ptr: int, alignment: int) -> int:
    """The least multiple of `alignment` (a power of two) that is not below `ptr`."""
    return (ptr + alignment - 1) & -alignment


def fields_of(type_: RecordType | TupleType) -> tuple[ValType, ...]:
    """The types of a record's fields or a tuple's elements, in order."""
    return type_.types if isinstance(type_, TupleType) else tuple(field.type for field in type_.fields)


def cases_of(type_: VariantType | EnumType | OptionType | ResultType) -> tuple[ValType | None, ...]:
    """The payload types of a variant or of what despecializes to one, in discriminant order.

    Source: CanonicalABI.md#despecialization.
    """
    match type_:
        case VariantType(cases):
            return tuple(case.type for case in cases)
        case EnumType(labels):
            return (None,) * len(labels)
        case OptionType(some):
            return (None, some)
        case ResultType(ok, err):
            return (ok, err)
        case _:
            assert_never(type_)


def entry_type(type_: MapType) -> TupleType:
    """The element type of the list that a map travels as."""
    return TupleType((type_.key, type_.value))


def discriminant_size(case_count: int) -> int:
    """Bytes of the discriminant of a variant with `case_count` cases: 1, 2 or 4."""
    if case_count <= 1 << 8:
        return 1
    return 2 if case_count <= 1 << 16 else 4


def flags_size(label_count: int) -> int:
    """Bytes of a flags value with `label_count` labels (at most 32): 1, 2 or 4."""
    if label_count <= 8:
        return 1
    return 2 if label_count <= 16 else 4


@_remember
def alignment(type_: ValType) -> int:
    """The alignment, in bytes, of a value in linear memory."""
    match type_:
        case PrimitiveType.STRING:
            return 4
        case PrimitiveType():
            return _PRIMITIVE_SIZES[type_]
        case RecordType() | TupleType():
            return max(alignment(field) for field in fields_of(type_))
        case VariantType() | EnumType() | OptionType() | ResultType():
            cases = cases_of(type_)
            return max(discriminant_size(len(cases)), max_case_alignment(cases))
        case FlagsType(labels):
            return flags_size(len(labels))
        case FixedListType(element, _):
            return alignment(element)
        case ListType() | MapType() | OwnType() | BorrowType() | StreamType() | FutureType():
            return 4
        case _:
            assert_never(type_)


def max_case_alignment(cases: Iterable[ValType | None]) -> int:
    """The greatest alignment among the payloads, 1 where there is none."""
    return max((alignment(case) for case in cases if case is not None), default=1)


@_remember
def elem_size(type_: ValType) -> int:
    """The number of bytes that a value takes as an element of a list."""
    match type_:
        case PrimitiveType():
            return _PRIMITIVE_SIZES[type_]
        case RecordType() | TupleType():
            fields = fields_of(type_)
            last = field_offsets(fields)[-1] + elem_size(fields[-1])
            return align_to(last, alignment(type_))
        case VariantType() | EnumType() | OptionType() | ResultType():
            cases = cases_of(type_)
            payload = max((elem_size(case) for case in cases if case is not None), default=0)
            return align_to(payload_offset(cases) + payload, alignment(type_))
        case FlagsType(labels):
            return flags_size(len(labels))
        case FixedListType(element, length):
            return elem_size(element) * length
        case ListType() | MapType():
            return 8
        case OwnType() | BorrowType() | StreamType() | FutureType():
            return 4
        case _:
            assert_never(type_)


def field_offsets(fields: Sequence[ValType]) -> tuple[int, ...]:
    """The offset of each field from the start of a record of these fields."""
    offsets, at = [], 0
    for field in fields:
        at = align_to(at, alignment(field))
        offsets.append(at)
        at += elem_size(field)
    return tuple(offsets)


def payload_offset(cases: Sequence[ValType | None]) -> int:
    """The offset of the payload from the start of a variant with these cases."""
    return align_to(discriminant_size(len(cases)), max_case_alignment(cases))


@_remember
def flat_count(type_: ValType) -> int:
    """How many core values a value flattens to, found without listing them.

    A valid type may flatten to hundreds of millions (`list<u8, 268435455>`): ask this first.
    """
    match type_:
        case PrimitiveType.STRING | ListType() | MapType():
            return 2
        case RecordType() | TupleType():
            return sum(flat_count(field) for field in fields_of(type_))
        case VariantType() | EnumType() | OptionType() | ResultType():
            return 1 + max((flat_count(case) for case in cases_of(type_) if case is not None), default=0)
        case FixedListType(element, length):
            return flat_count(element) * length
        case PrimitiveType() | FlagsType() | OwnType() | BorrowType() | StreamType() | FutureType():
            return 1
        case _:
            assert_never(type_)


@_remember
def flatten_type(type_: ValType) -> tuple[NumberType, ...]:
    """The core types that a value is passed as when it is not in memory."""
    match type_:
        case PrimitiveType.STRING:
            return (NumberType.I32, NumberType.I32)
        case PrimitiveType():
            return (_WIDE_CORE_TYPES.get(type_, NumberType.I32),)
        case RecordType() | TupleType():
            return flatten_types(fields_of(type_))
        case VariantType() | EnumType() | OptionType() | ResultType():
            return flatten_variant(cases_of(type_))
        case FixedListType(element, length):
            return flatten_type(element) * length
        case ListType() | MapType():
            return (NumberType.I32, NumberType.I32)
        case FlagsType() | OwnType() | BorrowType() | StreamType() | FutureType():
            return (NumberType.I32,)
        case _:
            assert_never(type_)


def flat_counts(types: Iterable[ValType]) -> int:
    """How many core values several values flatten to."""
    return sum(map(flat_count, types))


def flatten_types(types: Iterable[ValType]) -> tuple[NumberType, ...]:
    """The core types of several values, one after the other."""
    return tuple(core for type_ in types for core in flatten_type(type_))


def flatten_variant(cases: Sequence[ValType | None]) -> tuple[NumberType, ...]:
    """The discriminant, then slots wide enough for each case's payload."""
    slots: list[NumberType] = []
    for case in cases:
        for index, core in enumerate(() if case is None else flatten_type(case)):
            if index < len(slots):
                slots[index] = join(slots[index], core)
            else:
                slots.append(core)
    return (NumberType.I32, *slots)


def join(first: NumberType, second: NumberType) -> NumberType:
    """The core type whose slot can carry the bits of either."""
    if first is second:
        return first
    if {first, second} == {NumberType.I32, NumberType.F32}:
        return NumberType.I32
    return NumberType.I64


def flatten_functype(
    type_: FuncType, direction: Direction, *, is_async: bool = False, callback: bool = False
) -> CoreFuncType:
    """The core signature of `canon lift` or `canon lower` for a component function type.

    `is_async` and `callback` say whether the canonical definition has these options.
    """
    param_types = tuple(param for _, param in type_.params)
    result_types = () if type_.result is None else (type_.result,)
    pointer = (NumberType.I32,)
    lowers_async = is_async and direction is Direction.LOWER
    max_params = MAX_FLAT_ASYNC_PARAMS if lowers_async else MAX_FLAT_PARAMS
    params = pointer if flat_counts(param_types) > max_params else flatten_types(param_types)
    if is_async:
        if direction is Direction.LIFT:
            return CoreFuncType(params, pointer if callback else ())
        return CoreFuncType(params + pointer if result_types else params, pointer)
    if flat_counts(result_types) <= MAX_FLAT_RESULTS:
        return CoreFuncType(params, flatten_types(result_types))
    if direction is Direction.LIFT:
        return CoreFuncType(params, pointer)
    return CoreFuncType(params + pointer, ())


def components_of(type_: ValType) -> tuple[ValType, ...]:
    """The types that a type is made of directly; none for streams' and futures' elements."""
    match type_:
        case RecordType() | TupleType():
            return fields_of(type_)
        case VariantType() | EnumType() | OptionType() | ResultType():
            return tuple(case for case in cases_of(type_) if case is not None)
        case ListType(element) | FixedListType(element, _):
            return (element,)
        case MapType(key, value):
            return (key, value)
        case PrimitiveType() | FlagsType() | OwnType() | BorrowType() | StreamType() | FutureType():
            return ()
        case _:
            assert_never(type_)


def contains(type_: ValType, predicate: Callable[[ValType], bool]) -> bool:
    """Whether the predicate holds for the type or for one that it is made of."""
    return predicate(type_) or any(contains(part, predicate) for part in components_of(type_))


@_remember
def needs_memory(type_: ValType) -> bool:
    """Whether lifting the flat value reads memory: whether it has a string, list or map in it."""
    return contains(type_, lambda part: part is PrimitiveType.STRING or isinstance(part, ListType | MapType))
