"""Hypothesis strategies: types, and values of a type."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from ingen_runtime.canonical import Err, Ok, Some, ValueClasses
from ingen_runtime.component.types import (
    CaseType,
    EnumType,
    FieldType,
    FixedListType,
    FlagsType,
    ListType,
    MapType,
    OptionType,
    PrimitiveType,
    RecordType,
    ResultType,
    TupleType,
    ValType,
    VariantType,
)

P = PrimitiveType
NUMBERS = [P.U8, P.S8, P.U16, P.S16, P.U32, P.S32, P.U64, P.S64]
PRIMITIVES = [*NUMBERS, P.BOOL, P.F32, P.F64, P.CHAR, P.STRING]
KEYS = [P.U8, P.S32, P.U64, P.BOOL, P.CHAR, P.STRING]


def _labels(count: int) -> tuple[str, ...]:
    return tuple(f"label-{chr(97 + index // 26)}{chr(97 + index % 26)}" for index in range(count))


def _extend_plainly(types: st.SearchStrategy[ValType]) -> st.SearchStrategy[ValType]:
    several = st.lists(types, min_size=1, max_size=4)
    maybe = st.none() | types
    return st.one_of(
        several.map(lambda ts: RecordType(tuple(map(FieldType, _labels(len(ts)), ts)))),
        several.map(lambda ts: TupleType(tuple(ts))),
        st.lists(maybe, min_size=1, max_size=4).map(
            lambda ts: VariantType(tuple(map(CaseType, _labels(len(ts)), ts)))
        ),
        types.map(ListType),
        types.map(OptionType),
        st.builds(ResultType, maybe, maybe),
    )


def _extend(types: st.SearchStrategy[ValType]) -> st.SearchStrategy[ValType]:
    return st.one_of(
        _extend_plainly(types),
        st.builds(FixedListType, types, st.integers(1, 5)),
        st.builds(MapType, st.sampled_from(KEYS), types),
    )


SIMPLE_TYPES: st.SearchStrategy[ValType] = st.one_of(
    st.sampled_from(PRIMITIVES),
    st.integers(1, 32).map(lambda count: FlagsType(_labels(count))),
    st.sampled_from([1, 2, 5, 300]).map(lambda count: EnumType(_labels(count))),
)
TYPES: st.SearchStrategy[ValType] = st.recursive(SIMPLE_TYPES, _extend, max_leaves=8)
PLAIN_TYPES: st.SearchStrategy[ValType] = st.recursive(SIMPLE_TYPES, _extend_plainly, max_leaves=8)
"""Without maps and lists of a fixed length."""
CHARS = st.characters(codec="utf-8") | st.characters(max_codepoint=255)


def values(type_: ValType, classes: ValueClasses) -> st.SearchStrategy[Any]:
    """Values of a type."""
    match type_:
        case P.BOOL:
            return st.booleans()
        case P.F32:
            return st.floats(width=32, allow_nan=False)
        case P.F64:
            return st.floats(allow_nan=False)
        case P.CHAR:
            return CHARS
        case P.STRING:
            return st.text(CHARS, max_size=8)
        case PrimitiveType():
            bits = int(type_.value[1:])
            low = -(1 << bits - 1) if type_.value[0] == "s" else 0
            return st.integers(low, low + (1 << bits) - 1)
        case RecordType(fields):
            class_ = classes.record(type_).class_
            return st.builds(class_, *(values(field.type, classes) for field in fields))
        case TupleType(types):
            return st.tuples(*(values(each, classes) for each in types))
        case VariantType(cases):
            return st.one_of(
                *(
                    st.builds(class_) if case.type is None else st.builds(class_, values(case.type, classes))
                    for case, class_ in zip(cases, classes.variant(type_).cases, strict=True)
                )
            )
        case EnumType():
            return st.sampled_from(list(classes.enum(type_)))
        case FlagsType(labels):
            return st.integers(0, (1 << len(labels)) - 1).map(classes.flags(type_))
        case ListType(P.U8):
            return st.binary(max_size=8)
        case ListType(element):
            return st.lists(values(element, classes), max_size=5)
        case FixedListType(P.U8, length):
            return st.binary(min_size=length, max_size=length)
        case FixedListType(element, length):
            return st.lists(values(element, classes), min_size=length, max_size=length)
        case MapType(key, value):
            return st.dictionaries(values(key, classes), values(value, classes), max_size=4)
        case OptionType(OptionType() as inner):
            return st.none() | values(inner, classes).map(Some)
        case OptionType(some):
            return st.none() | values(some, classes)
        case ResultType(ok, err):
            return st.one_of(
                st.just(Ok()) if ok is None else values(ok, classes).map(Ok),
                st.just(Err()) if err is None else values(err, classes).map(Err),
            )
        case _:
            raise AssertionError(type_)
