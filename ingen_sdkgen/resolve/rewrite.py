"""Type kinds seen as containers of type ids: visit them, or replace them."""

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
    Span,
    Stream,
    Tuple,
    Type,
    TypeId,
    TypeKind,
    Variant,
)


def map_kind(
    kind: TypeKind, use: Callable[[Type, Span | None], Type], refer: Callable[[TypeId], TypeId]
) -> TypeKind:
    """The kind with its types replaced.

    `use` replaces a type where a value of it stands, and is told the span of the field or case, where there
    is one; `refer` replaces what a handle or an alias names.
    """
    match kind:
        case Resource() | Flags() | Enum():
            return kind
        case Own(resource):
            return Own(refer(resource))
        case Borrow(resource):
            return Borrow(refer(resource))
        case Alias(target):
            return kind if isinstance(target, Primitive) else Alias(refer(target))
        case Record(fields):
            return Record(tuple(replace(item, type=use(item.type, item.span)) for item in fields))
        case Variant(cases):
            return Variant(
                tuple(
                    case if case.type is None else replace(case, type=use(case.type, case.span))
                    for case in cases
                )
            )
        case Tuple(types):
            return Tuple(tuple(use(item, None) for item in types))
        case Option(item):
            return Option(use(item, None))
        case List(item):
            return List(use(item, None))
        case FixedLengthList(item, length):
            return FixedLengthList(use(item, None), length)
        case Map(key, value):
            return Map(use(key, None), use(value, None))
        case Result(ok, err):
            return Result(None if ok is None else use(ok, None), None if err is None else use(err, None))
        case Future(item):
            return kind if item is None else Future(use(item, None))
        case Stream(item):
            return kind if item is None else Stream(use(item, None))
        case _:
            assert_never(kind)


def types_in(kind: TypeKind) -> Iterator[Type]:
    """The types that a kind is made of, in order; what a handle or an alias names counts."""
    match kind:
        case Resource() | Flags() | Enum():
            return
        case Own(resource) | Borrow(resource):
            yield resource
        case Alias(item) | Option(item) | List(item) | FixedLengthList(item, _):
            yield item
        case Record(fields):
            for entry in fields:
                yield entry.type
        case Variant(cases):
            for case in cases:
                if case.type is not None:
                    yield case.type
        case Tuple(types):
            yield from types
        case Map(key, value):
            yield key
            yield value
        case Result(ok, err):
            if ok is not None:
                yield ok
            if err is not None:
                yield err
        case Future(item) | Stream(item):
            if item is not None:
                yield item
        case _:
            assert_never(kind)
