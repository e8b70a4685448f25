"""Sizes, alignments and core signatures, as the specification's definitions give them."""

from __future__ import annotations

import pytest

from ingen_runtime.canonical.layout import (
    Direction,
    alignment,
    discriminant_size,
    elem_size,
    field_offsets,
    flat_count,
    flatten_functype,
    flatten_type,
    join,
    payload_offset,
)
from ingen_runtime.component.types import (
    BorrowType,
    CaseType,
    EnumType,
    FieldType,
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
    ResourceType,
    ResultType,
    StreamType,
    TupleType,
    ValType,
    VariantType,
)
from ingen_runtime.core_types import CoreFuncType, NumberType

P = PrimitiveType
I32, I64, F32, F64 = NumberType.I32, NumberType.I64, NumberType.F32, NumberType.F64
R = ResourceType("r")


def labels(count: int) -> tuple[str, ...]:
    return tuple(f"l{index}" for index in range(count))


def variant(*types: ValType | None) -> VariantType:
    return VariantType(tuple(CaseType(f"c{index}", type_) for index, type_ in enumerate(types)))


def record(*types: ValType) -> RecordType:
    return RecordType(tuple(FieldType(f"f{index}", type_) for index, type_ in enumerate(types)))


TABLE: list[tuple[ValType, int, int, tuple[NumberType, ...]]] = [
    # type, alignment, size, flat
    (P.BOOL, 1, 1, (I32,)),
    (P.S8, 1, 1, (I32,)),
    (P.U16, 2, 2, (I32,)),
    (P.S32, 4, 4, (I32,)),
    (P.U64, 8, 8, (I64,)),
    (P.F32, 4, 4, (F32,)),
    (P.F64, 8, 8, (F64,)),
    (P.CHAR, 4, 4, (I32,)),
    (P.STRING, 4, 8, (I32, I32)),
    (P.ERROR_CONTEXT, 4, 4, (I32,)),
    (ListType(P.U64), 4, 8, (I32, I32)),
    (MapType(P.U8, P.U64), 4, 8, (I32, I32)),
    (FixedListType(P.U16, 3), 2, 6, (I32, I32, I32)),
    (FixedListType(TupleType((P.U8, P.U32)), 2), 4, 16, (I32, I32, I32, I32)),
    (record(P.U8), 1, 1, (I32,)),
    (record(P.U8, P.U32, P.U8), 4, 12, (I32, I32, I32)),
    (record(P.U8, P.U64), 8, 16, (I32, I64)),
    (TupleType((P.U16, P.U8)), 2, 4, (I32, I32)),
    (TupleType((P.STRING, P.F64, P.F64)), 8, 24, (I32, I32, F64, F64)),
    (variant(None), 1, 1, (I32,)),
    (variant(None, P.U8), 1, 2, (I32, I32)),
    (variant(P.U16, P.U8), 2, 4, (I32, I32)),
    (variant(P.F32, P.U32), 4, 8, (I32, I32)),
    (variant(P.F32, P.F32), 4, 8, (I32, F32)),
    (variant(P.F32, P.U64), 8, 16, (I32, I64)),
    (variant(P.F64, P.F32), 8, 16, (I32, I64)),
    (variant(TupleType((P.F32, P.F64)), P.U8), 8, 24, (I32, I32, F64)),
    (variant(*[None] * 256), 1, 1, (I32,)),
    (variant(*[None] * 257), 2, 2, (I32,)),
    (variant(*[None] * 256, P.U8), 2, 4, (I32, I32)),
    (EnumType(labels(256)), 1, 1, (I32,)),
    (EnumType(labels(257)), 2, 2, (I32,)),
    (EnumType(labels(65537)), 4, 4, (I32,)),
    (OptionType(P.U64), 8, 16, (I32, I64)),
    (OptionType(OptionType(P.U8)), 1, 3, (I32, I32, I32)),
    (ResultType(None, None), 1, 1, (I32,)),
    (ResultType(P.U8, P.STRING), 4, 12, (I32, I32, I32)),
    (FlagsType(labels(1)), 1, 1, (I32,)),
    (FlagsType(labels(8)), 1, 1, (I32,)),
    (FlagsType(labels(9)), 2, 2, (I32,)),
    (FlagsType(labels(16)), 2, 2, (I32,)),
    (FlagsType(labels(17)), 4, 4, (I32,)),
    (FlagsType(labels(32)), 4, 4, (I32,)),
    (OwnType(R), 4, 4, (I32,)),
    (BorrowType(R), 4, 4, (I32,)),
    (StreamType(P.U8), 4, 4, (I32,)),
    (FutureType(None), 4, 4, (I32,)),
]


@pytest.mark.parametrize(("type_", "align", "size", "flat"), TABLE)
def test_layout(type_: ValType, align: int, size: int, flat: tuple[NumberType, ...]) -> None:
    assert alignment(type_) == align
    assert elem_size(type_) == size
    assert flatten_type(type_) == flat
    assert flat_count(type_) == len(flat)


def test_offsets() -> None:
    assert field_offsets((P.U8, P.U32, P.U8, P.U64)) == (0, 4, 8, 16)
    assert payload_offset((None, P.U64)) == 8
    assert payload_offset([*[None] * 300, P.U8]) == 2
    assert [discriminant_size(count) for count in (1, 256, 257, 65536, 65537)] == [1, 1, 2, 2, 4]


@pytest.mark.parametrize(
    ("first", "second", "joined"),
    [(I32, I32, I32), (I32, F32, I32), (F32, I32, I32), (F32, F64, I64), (I32, I64, I64), (F64, F64, F64)],
)
def test_join(first: NumberType, second: NumberType, joined: NumberType) -> None:
    assert join(first, second) is joined


def function(params: list[ValType], result: ValType | None) -> FuncType:
    return FuncType(tuple((f"p{index}", param) for index, param in enumerate(params)), result)


@pytest.mark.parametrize(
    ("type_", "lift", "lower"),
    [
        (function([], None), ((), ()), ((), ())),
        (function([P.U8, P.F64], P.S64), ((I32, F64), (I64,)), ((I32, F64), (I64,))),
        (function([P.STRING], P.STRING), ((I32, I32), (I32,)), ((I32, I32, I32), ())),
        (function([P.U32] * 16, None), ((I32,) * 16, ()), ((I32,) * 16, ())),
        (function([P.U32] * 17, P.U8), ((I32,), (I32,)), ((I32,), (I32,))),
        (function([P.U32] * 17, P.STRING), ((I32,), (I32,)), ((I32, I32), ())),
    ],
)
def test_flatten_functype(type_: FuncType, lift: object, lower: object) -> None:
    lifted, lowered = (flatten_functype(type_, direction) for direction in Direction)
    assert (lifted.params, lifted.results) == lift
    assert (lowered.params, lowered.results) == lower


def test_flatten_async_functype() -> None:
    type_ = function([P.U32] * 4, P.STRING)
    assert flatten_functype(type_, Direction.LOWER, is_async=True) == CoreFuncType((I32,) * 5, (I32,))
    type_ = function([P.U32] * 5, None)
    assert flatten_functype(type_, Direction.LOWER, is_async=True) == CoreFuncType((I32,), (I32,))
    assert flatten_functype(type_, Direction.LIFT, is_async=True) == CoreFuncType((I32,) * 5, ())
    assert flatten_functype(type_, Direction.LIFT, is_async=True, callback=True) == CoreFuncType(
        (I32,) * 5, (I32,)
    )


def test_huge_fixed_lists_are_counted_not_listed() -> None:
    huge = FixedListType(P.U8, (1 << 28) - 1)
    assert flat_count(variant(huge, P.U8)) == 1 << 28
    assert flatten_functype(function([huge], huge), Direction.LIFT) == CoreFuncType((I32,), (I32,))
