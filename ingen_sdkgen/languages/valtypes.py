"""IR types as the runtime's value types, so that layout and flattening have one implementation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias, assert_never

from ingen_runtime.component.types import (
    BorrowType,
    CaseType,
    EnumType,
    FieldType,
    FixedListType,
    FlagsType,
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

Resources: TypeAlias = Callable[[TypeId], ResourceType]

_PRIMITIVES: Mapping[Primitive, PrimitiveType] = {
    primitive: PrimitiveType(primitive.value) for primitive in Primitive
}


def primitive_value_type(primitive: Primitive) -> PrimitiveType:
    """A primitive type as a value type."""
    return _PRIMITIVES[primitive]


def value_type(
    kind: TypeKind, of: Callable[[Type], ValType], resources: Resources, name: str | None = None
) -> ValType | None:
    """The value type of a definition that is called `name`; None for a resource, which is no type of values.

    `of` gives the value types of what the definition is made of, `resources` the resource type that a
    handle's `resource` means.
    """

    def optional(type_: Type | None) -> ValType | None:
        return None if type_ is None else of(type_)

    match kind:
        case Record(fields):
            return RecordType(tuple(FieldType(field.name, of(field.type)) for field in fields), name)
        case Variant(cases):
            return VariantType(tuple(CaseType(case.name, optional(case.type)) for case in cases), name)
        case Enum(labels):
            return EnumType(tuple(label.name for label in labels), name)
        case Flags(flags):
            return FlagsType(tuple(flag.name for flag in flags), name)
        case Tuple(types):
            return TupleType(tuple(of(type_) for type_ in types))
        case Option(type_):
            return OptionType(of(type_))
        case Result(ok, err):
            return ResultType(optional(ok), optional(err))
        case List(type_):
            return ListType(of(type_))
        case FixedLengthList(type_, length):
            return FixedListType(of(type_), length)
        case Map(key, value):
            return MapType(of(key), of(value))
        case Future(type_):
            return FutureType(optional(type_))
        case Stream(type_):
            return StreamType(optional(type_))
        case Own(resource):
            return OwnType(resources(resource))
        case Borrow(resource):
            return BorrowType(resources(resource))
        case Alias(type_):
            return of(type_)
        case Resource():
            return None
        case _:
            assert_never(kind)
