"""Values as `wasmtime.component` has them: what it can express, theirs as ours, ours as theirs."""

from __future__ import annotations

import math
from typing import Any, Protocol

from wasmtime import component as theirs

from ingen_runtime.canonical import Err, Ok, Some, ValueClasses
from ingen_runtime.canonical.layout import components_of
from ingen_runtime.component.types import (
    BorrowType,
    EnumType,
    FixedListType,
    FlagsType,
    ListType,
    MapType,
    OptionType,
    OwnType,
    PrimitiveType,
    RecordType,
    ResultType,
    TupleType,
    ValType,
    VariantType,
)

P = PrimitiveType
Cases = list[tuple[str, ValType | None]]


def cases_of(type_: VariantType | OptionType | ResultType) -> Cases:
    """Labels and payloads, in order."""
    match type_:
        case VariantType(cases):
            return [(case.label, case.type) for case in cases]
        case OptionType(some):
            return [("none", None), ("some", some)]
        case ResultType(ok, err):
            return [("ok", ok), ("err", err)]


def _classes(type_: ValType | None) -> set[type]:
    """The Python classes of their values."""
    match type_:
        case None:
            return {object}
        case P.BOOL:
            return {bool}
        case P.F32 | P.F64:
            return {float}
        case P.CHAR | P.STRING | EnumType():
            return {str}
        case PrimitiveType():
            return {int}
        case ListType(P.U8):
            return {bytes}
        case ListType():
            return {list}
        case RecordType():
            return {theirs.Record}
        case TupleType():
            return {tuple}
        case FlagsType():
            return {set}
        case OwnType() | BorrowType():
            return {theirs.ResourceAny, theirs.ResourceHost}
        case VariantType() | OptionType() | ResultType():
            if _is_tagged(type_):
                return {theirs.Variant}
            return {class_ for _, payload in cases_of(type_) for class_ in _classes(payload)}
        case _:
            raise AssertionError(type_)


def _is_tagged(type_: VariantType | OptionType | ResultType) -> bool:
    """Whether values name their case: where classes alone do not tell cases apart."""
    seen: set[type] = set()
    for _, payload in cases_of(type_):
        classes = _classes(payload)
        if classes & seen:
            return True
        seen |= classes
    return False


def is_expressible(type_: ValType) -> bool:
    """Whether their host can pass all values of a type: it knows no maps and no lists of fixed length, and
    takes the wrong case where a class of one case is a subclass of another's.
    """
    if isinstance(type_, MapType | FixedListType):
        return False
    if not all(map(is_expressible, components_of(type_))):
        return False
    if isinstance(type_, VariantType | OptionType | ResultType) and not _is_tagged(type_):
        before: set[type] = set()
        for _, payload in cases_of(type_):
            if any(issubclass(class_, earlier) for class_ in _classes(payload) for earlier in before):
                return False
            if payload is not None:
                before |= _classes(payload)
            elif any(object in _classes(other) for _, other in cases_of(type_) if other is not None):
                return False
    return True


class Handles(Protocol):
    """Translates handles of resources."""

    def theirs(self, value: Any, type_: OwnType | BorrowType) -> Any:
        """What stands there for an object of ours."""

    def ours(self, value: Any, type_: OwnType | BorrowType) -> Any:
        """The object that stands for a handle of theirs."""


class Translation:
    """Translates values of the types of a component; those with resources in them need `handles`."""

    def __init__(self, classes: ValueClasses, handles: Handles | None = None) -> None:
        self._classes = classes
        self._handles = handles

    def normal(self, value: Any, type_: ValType) -> Any:
        """Our value in a form that compares by content, a NaN as equal to itself."""
        match type_:
            case P.F32 | P.F64:
                return "nan" if math.isnan(value) else value
            case PrimitiveType():
                return value
            case RecordType(fields):
                attributes = self._classes.record(type_).attributes
                return [
                    self.normal(getattr(value, attribute), field.type)
                    for attribute, field in zip(attributes, fields, strict=True)
                ]
            case TupleType(types):
                return [self.normal(inner, each) for inner, each in zip(value, types, strict=True)]
            case ListType(element):
                return [self.normal(inner, element) for inner in value]
            case FlagsType(labels):
                return {label for bit, label in enumerate(labels) if value.value >> bit & 1}
            case EnumType(labels):
                return labels[list(self._classes.enum(type_)).index(value)]
            case VariantType() | OptionType() | ResultType():
                label, payload, inner = self._case(value, type_)
                return [label, None if payload is None else self.normal(inner, payload)]
            case _:
                raise AssertionError(type_)

    def theirs(self, value: Any, type_: ValType) -> Any:
        """Our value as theirs."""
        match type_:
            case RecordType(fields):
                record = theirs.Record()
                attributes = self._classes.record(type_).attributes
                for attribute, field in zip(attributes, fields, strict=True):
                    setattr(record, field.label, self.theirs(getattr(value, attribute), field.type))
                return record
            case TupleType(types):
                return tuple(self.theirs(inner, each) for inner, each in zip(value, types, strict=True))
            case ListType(P.U8):
                return value
            case ListType(element):
                return [self.theirs(inner, element) for inner in value]
            case FlagsType() | EnumType():
                return self.normal(value, type_)
            case VariantType() | OptionType() | ResultType():
                label, payload, inner = self._case(value, type_)
                made = None if payload is None else self.theirs(inner, payload)
                return theirs.Variant(label, made) if _is_tagged(type_) else made
            case OwnType() | BorrowType():
                assert self._handles is not None
                return self._handles.theirs(value, type_)
            case _:
                return value

    def _case(
        self, value: Any, type_: VariantType | OptionType | ResultType
    ) -> tuple[str, ValType | None, Any]:
        """A value's label, the payload's type and the payload."""
        match type_:
            case VariantType(cases):
                index = self._classes.variant(type_).cases.index(type(value))
                return cases[index].label, cases[index].type, getattr(value, "value", None)
            case OptionType(some):
                if value is None:
                    return "none", None, None
                return "some", some, value.value if isinstance(value, Some) else value
            case ResultType(ok, err):
                assert isinstance(value, Ok | Err)
                return ("ok", ok, value.value) if isinstance(value, Ok) else ("err", err, value.value)

    def ours(self, value: Any, type_: ValType) -> Any:
        """Their value as ours."""
        match type_:
            case RecordType(fields):
                made = [self.ours(getattr(value, field.label), field.type) for field in fields]
                return self._classes.record(type_).class_(*made)
            case TupleType(types):
                return tuple(self.ours(inner, each) for inner, each in zip(value, types, strict=True))
            case ListType(P.U8):
                return value
            case ListType(element):
                return [self.ours(inner, element) for inner in value]
            case FlagsType(labels):
                bits = sum(1 << bit for bit, label in enumerate(labels) if label in value)
                return self._classes.flags(type_)(bits)
            case EnumType(labels):
                return list(self._classes.enum(type_))[labels.index(value)]
            case VariantType() | OptionType() | ResultType():
                tagged = _is_tagged(type_)
                for index, (label, payload) in enumerate(cases_of(type_)):
                    if tagged:
                        found, inner = value.tag == label, value.payload
                    else:
                        inner = value
                        found = value is None if payload is None else _fits(value, payload)
                    if found:
                        return self._made(type_, index, payload, inner)
                raise AssertionError(f"{value!r} is none of {type_}")
            case OwnType() | BorrowType():
                assert self._handles is not None
                return self._handles.ours(value, type_)
            case _:
                return value

    def _made(
        self, type_: VariantType | OptionType | ResultType, index: int, payload: ValType | None, inner: Any
    ) -> Any:
        """Our value of a case, from its payload in theirs."""
        value = None if payload is None else self.ours(inner, payload)
        match type_:
            case VariantType():
                class_ = self._classes.variant(type_).cases[index]
                return class_() if payload is None else class_(value)
            case OptionType(some):
                return Some(value) if index == 1 and isinstance(some, OptionType) else value
            case ResultType():
                return (Ok, Err)[index](value)


def _fits(value: Any, type_: ValType) -> bool:
    return isinstance(value, tuple(_classes(type_)))
