"""The types that a definition of the IR is made of."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import assert_never

from ingen_sdkgen.model import (
    Alias,
    Borrow,
    Enum,
    FixedLengthList,
    Flags,
    Future,
    List,
    Map,
    Option,
    Own,
    Primitive,
    Record,
    Resource,
    Result,
    Stream,
    Tuple,
    Type,
    TypeId,
    TypeKind,
    Variant,
)


def map_types(kind: TypeKind, change: Callable[[Type], Type]) -> TypeKind:
    """The definition with every use of a type changed."""

    def optional(type_: Type | None) -> Type | None:
        return None if type_ is None else change(type_)

    def resource(type_: TypeId) -> TypeId:
        changed = change(type_)
        assert not isinstance(changed, Primitive), "a resource is no primitive"
        return changed

    match kind:
        case Record(fields):
            return Record(tuple(replace(field, type=change(field.type)) for field in fields))
        case Variant(cases):
            return Variant(tuple(replace(case, type=optional(case.type)) for case in cases))
        case Tuple(types):
            return Tuple(tuple(map(change, types)))
        case Option(type_):
            return Option(change(type_))
        case Result(ok, err):
            return Result(optional(ok), optional(err))
        case List(type_):
            return List(change(type_))
        case FixedLengthList(type_, length):
            return FixedLengthList(change(type_), length)
        case Map(key, value):
            return Map(change(key), change(value))
        case Future(payload):
            return Future(optional(payload))
        case Stream(payload):
            return Stream(optional(payload))
        case Own(type_id):
            return Own(resource(type_id))
        case Borrow(type_id):
            return Borrow(resource(type_id))
        case Alias(type_):
            return Alias(change(type_))
        case Enum() | Flags() | Resource():
            return kind
        case _:
            assert_never(kind)


def types_in(kind: TypeKind) -> Iterator[Type]:
    """The types that a definition uses directly, in order; a handle's resource is one."""
    found: list[Type] = []

    def note(type_: Type) -> Type:
        found.append(type_)
        return type_

    map_types(kind, note)
    return iter(found)
