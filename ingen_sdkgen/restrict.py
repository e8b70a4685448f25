"""One world out of an IR, with what it needs and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import assert_never

from ingen_sdkgen.diagnostics import ItemNotFound, did_you_mean
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
    Resolve,
    Resource,
    Result,
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


def find_world(resolve: Resolve, name: str) -> WorldId:
    """The world of that name: `name` in the main package, or `namespace:package/name@version` in any.

    Raises: ItemNotFound
    """
    main = resolve.packages[resolve.main]
    if name in main.worlds:
        return main.worlds[name]
    by_full_name = {
        package.name.interface_id(world): id_
        for package in resolve.packages
        for world, id_ in package.worlds.items()
    }
    if name in by_full_name:
        return by_full_name[name]
    known = [*main.worlds, *by_full_name]
    hint = did_you_mean(name, known)
    if hint is None and known:
        shown = [f"`{world}`" for world in (main.worlds or by_full_name)]
        hint = f"there is {', '.join(shown[:8])}{' and more' if len(shown) > 8 else ''}"
    raise ItemNotFound(f"package `{main.name}` has no world `{name}`", hint=hint)


def restrict_to_world(resolve: Resolve, world: WorldId) -> Resolve:
    """The IR with just this world, the interfaces and types that it reaches, and their packages.

    Interfaces stay whole. The main package is the world's. Order is kept, ids are numbered anew.
    """
    return _Restriction(resolve, world).result()


def _type_references(kind: TypeKind) -> Iterator[Type | None]:
    match kind:
        case Record(fields):
            yield from (field.type for field in fields)
        case Tuple(types):
            yield from types
        case Variant(cases):
            yield from (case.type for case in cases)
        case (
            Option(type_)
            | List(type_)
            | FixedLengthList(type_)
            | Future(type_)
            | Stream(type_)
            | Alias(type_)
        ):
            yield type_
        case Result(ok, err):
            yield ok
            yield err
        case Map(key, value):
            yield key
            yield value
        case Own(resource) | Borrow(resource):
            yield resource
        case Flags() | Enum() | Resource():
            return
        case _:
            assert_never(kind)


def _function_references(function: Function) -> Iterator[Type | None]:
    yield from (param.type for param in function.params)
    yield function.result
    yield function.kind.resource


class _Restriction:
    def __init__(self, resolve: Resolve, world: WorldId) -> None:
        self._resolve = resolve
        self._world = world
        self._kept_worlds: set[WorldId] = set()
        self._kept_interfaces: set[InterfaceId] = set()
        self._kept_types: set[TypeId] = set()
        self._collect()
        self._worlds = {old: WorldId(new) for new, old in enumerate(sorted(self._kept_worlds))}
        self._interfaces = {old: InterfaceId(new) for new, old in enumerate(sorted(self._kept_interfaces))}
        self._types = {old: TypeId(new) for new, old in enumerate(sorted(self._kept_types))}
        kept_packages = {resolve.interfaces[id_].package for id_ in self._kept_interfaces}
        kept_packages |= {resolve.worlds[id_].package for id_ in self._kept_worlds}
        self._packages = {old: PackageId(new) for new, old in enumerate(sorted(kept_packages))}

    # --- What is reached ---

    def _collect(self) -> None:
        """Fill the kept sets. A stack instead of recursion: chains of types may be long."""
        pending: list[World | Interface | TypeDef] = []

        def reach_type(type_: Type | None) -> None:
            if type_ is not None and not isinstance(type_, Primitive) and type_ not in self._kept_types:
                self._kept_types.add(type_)
                pending.append(self._resolve.types[type_])

        def reach_interface(id_: InterfaceId) -> None:
            if id_ not in self._kept_interfaces:
                self._kept_interfaces.add(id_)
                pending.append(self._resolve.interfaces[id_])

        def reach_world(id_: WorldId) -> None:
            if id_ not in self._kept_worlds:
                self._kept_worlds.add(id_)
                pending.append(self._resolve.worlds[id_])

        reach_world(self._world)
        while pending:
            match pending.pop():
                case World() as world:
                    for item in [*world.imports.values(), *world.exports.values()]:
                        match item:
                            case WorldInterface(interface=interface):
                                reach_interface(interface)
                            case WorldFunction(function):
                                for type_ in _function_references(function):
                                    reach_type(type_)
                            case WorldType(type=type_id):
                                reach_type(type_id)
                            case _:
                                assert_never(item)
                case Interface() as interface_:
                    for type_id in interface_.types.values():
                        reach_type(type_id)
                    for function in interface_.functions.values():
                        for type_ in _function_references(function):
                            reach_type(type_)
                case TypeDef() as definition:
                    for type_ in _type_references(definition.kind):
                        reach_type(type_)
                    match definition.owner:
                        case WorldOwner(owner_world):
                            reach_world(owner_world)
                        case InterfaceOwner(owner_interface):
                            reach_interface(owner_interface)
                        case None:
                            pass

    # --- The same, numbered anew ---

    def result(self) -> Resolve:
        old = self._resolve
        return Resolve(
            worlds=tuple(self._new_world(old.worlds[id_]) for id_ in self._worlds),
            interfaces=tuple(self._new_interface(old.interfaces[id_]) for id_ in self._interfaces),
            types=tuple(self._new_definition(old.types[id_]) for id_ in self._types),
            packages=tuple(self._new_package(old.packages[id_]) for id_ in self._packages),
            main=self._packages[old.worlds[self._world].package],
        )

    def _new_package(self, package: Package) -> Package:
        interfaces = {n: self._interfaces[i] for n, i in package.interfaces.items() if i in self._interfaces}
        worlds = {n: self._worlds[i] for n, i in package.worlds.items() if i in self._worlds}
        return replace(package, interfaces=interfaces, worlds=worlds)

    def _new_interface(self, interface: Interface) -> Interface:
        return replace(
            interface,
            types={name: self._types[id_] for name, id_ in interface.types.items()},
            functions={name: self._new_function(item) for name, item in interface.functions.items()},
            package=self._packages[interface.package],
            clone_of=None if interface.clone_of is None else self._interfaces.get(interface.clone_of),
        )

    def _new_world(self, world: World) -> World:
        return replace(
            world,
            imports=self._new_items(world.imports),
            exports=self._new_items(world.exports),
            package=self._packages[world.package],
        )

    def _new_items(self, items: Mapping[WorldKey, WorldItem]) -> dict[WorldKey, WorldItem]:
        return {
            key if isinstance(key, str) else self._interfaces[key]: self._new_item(item)
            for key, item in items.items()
        }

    def _new_item(self, item: WorldItem) -> WorldItem:
        match item:
            case WorldInterface():
                return replace(item, interface=self._interfaces[item.interface])
            case WorldFunction():
                return WorldFunction(self._new_function(item.function))
            case WorldType():
                return replace(item, type=self._types[item.type])
            case _:
                assert_never(item)

    def _new_function(self, function: Function) -> Function:
        kind = function.kind
        if kind.resource is not None:
            kind = FunctionKind(kind.shape, self._types[kind.resource])
        params = tuple(replace(param, type=self._new_type(param.type)) for param in function.params)
        return replace(function, kind=kind, params=params, result=self._new_optional(function.result))

    def _new_definition(self, definition: TypeDef) -> TypeDef:
        return replace(
            definition, kind=self._new_kind(definition.kind), owner=self._new_owner(definition.owner)
        )

    def _new_owner(self, owner: Owner) -> Owner:
        match owner:
            case WorldOwner(world):
                return WorldOwner(self._worlds[world])
            case InterfaceOwner(interface):
                return InterfaceOwner(self._interfaces[interface])
            case None:
                return None
            case _:
                assert_never(owner)

    def _new_type(self, type_: Type) -> Type:
        return type_ if isinstance(type_, Primitive) else self._types[type_]

    def _new_optional(self, type_: Type | None) -> Type | None:
        return None if type_ is None else self._new_type(type_)

    def _new_kind(self, kind: TypeKind) -> TypeKind:
        match kind:
            case Record(fields):
                return Record(tuple(replace(field, type=self._new_type(field.type)) for field in fields))
            case Tuple(types):
                return Tuple(tuple(self._new_type(type_) for type_ in types))
            case Variant(cases):
                return Variant(tuple(replace(case, type=self._new_optional(case.type)) for case in cases))
            case Option() | List() | FixedLengthList() | Alias():
                return replace(kind, type=self._new_type(kind.type))
            case Future() | Stream():
                return replace(kind, type=self._new_optional(kind.type))
            case Result(ok, err):
                return Result(self._new_optional(ok), self._new_optional(err))
            case Map(key, value):
                return Map(self._new_type(key), self._new_type(value))
            case Own() | Borrow():
                return replace(kind, resource=self._types[kind.resource])
            case Flags() | Enum() | Resource():
                return kind
            case _:
                assert_never(kind)
