"""Parts of the IR seen as containers of ids: visit the ids, or replace them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import assert_never

from ingen_sdkgen.model import (
    Alias,
    Borrow,
    Enum,
    FixedLengthList,
    Flags,
    Function,
    FunctionKind,
    Future,
    Interface,
    InterfaceId,
    InterfaceOwner,
    List,
    Map,
    Option,
    Own,
    Owner,
    Package,
    PackageId,
    Primitive,
    Record,
    Resource,
    Result,
    Span,
    Stream,
    Tuple,
    Type,
    TypeDef,
    TypeId,
    TypeKind,
    Variant,
    World,
    WorldFunction,
    WorldId,
    WorldInterface,
    WorldItem,
    WorldKey,
    WorldOwner,
    WorldType,
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


def map_types(kind: TypeKind, change: Callable[[Type], Type]) -> TypeKind:
    """The kind with its types changed; what a handle or an alias names counts."""
    return map_kind(kind, lambda type_, _: change(type_), for_ids(change))


def for_ids(change: Callable[[Type], Type]) -> Callable[[TypeId], TypeId]:
    """`change` for what handles and aliases name, which is no primitive."""

    def refer(type_: TypeId) -> TypeId:
        changed = change(type_)
        assert not isinstance(changed, Primitive), "handles and aliases name definitions"
        return changed

    return refer


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


def types_of(function: Function) -> Iterator[Type]:
    """The types that a function refers to: of parameters, of the result, and its resource."""
    yield from (param.type for param in function.params)
    if function.result is not None:
        yield function.result
    if function.kind.resource is not None:
        yield function.kind.resource


def map_function(
    function: Function, use: Callable[[Type], Type], refer: Callable[[TypeId], TypeId]
) -> Function:
    """The function with its types replaced, as `map_kind` does it."""
    kind = function.kind
    if kind.resource is not None:
        kind = FunctionKind(kind.shape, refer(kind.resource))
    return replace(
        function,
        kind=kind,
        params=tuple(replace(param, type=use(param.type)) for param in function.params),
        result=None if function.result is None else use(function.result),
    )


@dataclass(slots=True)
class Renumbering:
    """New ids for old ones. Each method gives its argument with the ids in it replaced."""

    types: dict[TypeId, TypeId] = field(default_factory=dict)
    interfaces: dict[InterfaceId, InterfaceId] = field(default_factory=dict)
    worlds: dict[WorldId, WorldId] = field(default_factory=dict)
    packages: dict[PackageId, PackageId] = field(default_factory=dict)

    def type(self, type_: Type, _span: Span | None = None) -> Type:
        """A use of a type."""
        return type_ if isinstance(type_, Primitive) else self.types[type_]

    def owner(self, owner: Owner) -> Owner:
        """The owner of a type."""
        match owner:
            case None:
                return None
            case InterfaceOwner(interface):
                return InterfaceOwner(self.interfaces[interface])
            case WorldOwner(world):
                return WorldOwner(self.worlds[world])
            case _:
                assert_never(owner)

    def definition(self, definition: TypeDef) -> TypeDef:
        """A type definition."""
        kind = map_kind(definition.kind, self.type, self.types.__getitem__)
        return replace(definition, kind=kind, owner=self.owner(definition.owner))

    def function(self, function: Function) -> Function:
        """A function."""
        return map_function(function, self.type, self.types.__getitem__)

    def interface(self, interface: Interface) -> Interface:
        """An interface; what it is a clone of is forgotten where that has no new id."""
        return replace(
            interface,
            types={name: self.types[type_] for name, type_ in interface.types.items()},
            functions={name: self.function(function) for name, function in interface.functions.items()},
            package=self.packages[interface.package],
            clone_of=None if interface.clone_of is None else self.interfaces.get(interface.clone_of),
        )

    def world(self, world: World) -> World:
        """A world."""
        return replace(
            world,
            imports=dict(self.world_item(*entry) for entry in world.imports.items()),
            exports=dict(self.world_item(*entry) for entry in world.exports.items()),
            package=self.packages[world.package],
        )

    def world_item(self, key: WorldKey, item: WorldItem) -> tuple[WorldKey, WorldItem]:
        """An import or export with its key."""
        new_key = key if isinstance(key, str) else self.interfaces[key]
        match item:
            case WorldInterface(interface):
                return new_key, replace(item, interface=self.interfaces[interface])
            case WorldFunction(function):
                return new_key, WorldFunction(self.function(function))
            case WorldType(type_):
                return new_key, replace(item, type=self.types[type_])
            case _:
                assert_never(item)

    def package(self, package: Package) -> Package:
        """A package, without the items that have no new id."""
        return replace(
            package,
            interfaces={
                name: self.interfaces[id_]
                for name, id_ in package.interfaces.items()
                if id_ in self.interfaces
            },
            worlds={name: self.worlds[id_] for name, id_ in package.worlds.items() if id_ in self.worlds},
        )
