"""One level of a type's structure, to compare types.

A structure is a shape and the types in it. Two types are the same if their shapes are equal and so are,
pairwise, the types in them. Which resource a handle is for is not looked at.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias, TypeVar, assert_never

from ingen_runtime.component.binary import syntax as s
from ingen_runtime.component.types import PrimitiveType
from ingen_sdkgen.decode.evaluation import ResourceMark
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

Shape: TypeAlias = tuple[object, ...]


def definition_structure(definition: s.ValTypeDef | ResourceMark) -> tuple[Shape, Sequence[s.ValTypeRef]]:
    """The structure of a binary definition."""
    match definition:
        case ResourceMark():
            return ("resource",), ()
        case PrimitiveType():
            return ("primitive", definition.value), ()
        case s.RecordDef(fields):
            return ("record", *(name for name, _ in fields)), [type_ for _, type_ in fields]
        case s.VariantDef(cases):
            shape = ("variant", *((name, type_ is not None) for name, type_ in cases))
            return shape, [type_ for _, type_ in cases if type_ is not None]
        case s.FlagsDef(labels):
            return ("flags", *labels), ()
        case s.EnumDef(labels):
            return ("enum", *labels), ()
        case s.TupleDef(types):
            return ("tuple", len(types)), types
        case s.ListDef(element, length):
            return ("list", length), (element,)
        case s.MapDef(key, value):
            return ("map",), (key, value)
        case s.OptionDef(type_):
            return ("option",), (type_,)
        case s.ResultDef(ok, err):
            return ("result", ok is not None, err is not None), _present(ok, err)
        case s.StreamDef(payload):
            return ("stream", payload is not None), _present(payload)
        case s.FutureDef(payload):
            return ("future", payload is not None), _present(payload)
        case s.OwnDef():
            return ("own",), ()
        case s.BorrowDef():
            return ("borrow",), ()
        case _:
            assert_never(definition)


def kind_structure(kind: TypeKind) -> tuple[Shape, Sequence[Type]]:
    """The structure of a type of the IR that is no alias of another one."""
    match kind:
        case Resource():
            return ("resource",), ()
        case Alias(Primitive() as primitive):
            return ("primitive", primitive.value), ()
        case Alias(type_):
            return ("alias",), (type_,)
        case Record(fields):
            return ("record", *(field.name for field in fields)), [field.type for field in fields]
        case Variant(cases):
            shape = ("variant", *((case.name, case.type is not None) for case in cases))
            return shape, [case.type for case in cases if case.type is not None]
        case Flags(flags):
            return ("flags", *(flag.name for flag in flags)), ()
        case Enum(enum_cases):
            return ("enum", *(case.name for case in enum_cases)), ()
        case Tuple(types):
            return ("tuple", len(types)), types
        case List(type_):
            return ("list", None), (type_,)
        case FixedLengthList(type_, length):
            return ("list", length), (type_,)
        case Map(key, value):
            return ("map",), (key, value)
        case Option(type_):
            return ("option",), (type_,)
        case Result(ok, err):
            return ("result", ok is not None, err is not None), _present(ok, err)
        case Stream(payload):
            return ("stream", payload is not None), _present(payload)
        case Future(payload):
            return ("future", payload is not None), _present(payload)
        case Own():
            return ("own",), ()
        case Borrow():
            return ("borrow",), ()
        case _:
            assert_never(kind)


_T = TypeVar("_T")


def _present(*items: _T | None) -> list[_T]:
    return [item for item in items if item is not None]


def resource_of(kind: TypeKind) -> TypeId | None:
    """The resource that a handle is for, None for what is no handle."""
    return kind.resource if isinstance(kind, Own | Borrow) else None
