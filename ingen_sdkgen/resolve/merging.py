"""Adds packages that come in resolved form, out of a binary, to the tables."""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from ingen_sdkgen.diagnostics import ItemConflict
from ingen_sdkgen.model import (
    Function,
    InterfaceId,
    InterfaceOwner,
    Owner,
    Package,
    PackageId,
    Primitive,
    Resolve,
    Span,
    Type,
    TypeDef,
    TypeId,
    WorldFunction,
    WorldId,
    WorldInterface,
    WorldItem,
    WorldKey,
    WorldOwner,
    WorldType,
)
from ingen_sdkgen.resolve.rewrite import map_kind
from ingen_sdkgen.resolve.tables import Tables


def merge(resolve: Resolve, tables: Tables) -> None:
    """Add the packages of `resolve` that the tables do not have yet.

    Raises: ItemConflict where a package is in both, and `resolve` has something in it that the tables lack.
    """
    _Merging(resolve, tables).run()


class _Merging:
    def __init__(self, resolve: Resolve, tables: Tables) -> None:
        self._resolve = resolve
        self._tables = tables
        self._types: dict[TypeId, TypeId] = {}
        self._interfaces: dict[InterfaceId, InterfaceId] = {}
        self._worlds: dict[WorldId, WorldId] = {}
        self._packages: dict[PackageId, PackageId] = {}

    def run(self) -> None:
        resolve, tables = self._resolve, self._tables
        for number, package in enumerate(resolve.packages):
            id_ = PackageId(number)
            known = tables.package_ids.get(package.name)
            if known is not None:
                self._match(package, tables.packages[known])
                self._packages[id_] = known
            else:
                self._packages[id_] = PackageId(len(tables.packages) + self._new_packages())
        self._number()
        for type_id, type_ in enumerate(resolve.types):
            if TypeId(type_id) not in self._types:
                self._types[TypeId(type_id)] = tables.add_type(self._type(type_))
        for interface_id, interface in enumerate(resolve.interfaces):
            if self._is_new(interface.package):
                types = {name: self._types[type_] for name, type_ in interface.types.items()}
                functions = {name: self._function(function) for name, function in interface.functions.items()}
                placed = tables.add_interface(
                    replace(
                        interface,
                        types=types,
                        functions=functions,
                        package=self._packages[interface.package],
                        clone_of=None if interface.clone_of is None else self._interfaces[interface.clone_of],
                        span=None,
                    )
                )
                assert placed == self._interfaces[InterfaceId(interface_id)]
        for world in resolve.worlds:
            if self._is_new(world.package):
                tables.add_world(
                    replace(
                        world,
                        imports={self._key(key): self._item(item) for key, item in world.imports.items()},
                        exports={self._key(key): self._item(item) for key, item in world.exports.items()},
                        package=self._packages[world.package],
                        span=None,
                    )
                )
        for package in resolve.packages:
            if package.name not in tables.package_ids:
                tables.add_package(
                    replace(
                        package,
                        interfaces={n: self._interfaces[i] for n, i in package.interfaces.items()},
                        worlds={n: self._worlds[i] for n, i in package.worlds.items()},
                        span=None,
                    )
                )

    def _new_packages(self) -> int:
        return sum(1 for id_ in self._packages.values() if id_ >= len(self._tables.packages))

    def _is_new(self, package: PackageId) -> bool:
        return self._packages[package] >= len(self._tables.packages)

    def _match(self, package: Package, known: Package) -> None:
        """Identify what both have by name."""
        for name, interface in package.interfaces.items():
            if name not in known.interfaces:
                raise ItemConflict(f"package `{package.name}` is here twice, and only one has `{name}`")
            target = known.interfaces[name]
            self._interfaces[interface] = target
            there = self._tables.interfaces[target]
            for type_name, type_ in self._resolve.interfaces[interface].types.items():
                if type_name not in there.types:
                    raise ItemConflict(
                        f"package `{package.name}` is here twice, and only one has the type `{type_name}` "
                        f"in `{name}`"
                    )
                self._types[type_] = there.types[type_name]
        for name, world in package.worlds.items():
            if name in known.worlds:
                self._worlds[world] = known.worlds[name]

    def _number(self) -> None:
        upcoming = len(self._tables.interfaces)
        for number, interface in enumerate(self._resolve.interfaces):
            if self._is_new(interface.package):
                self._interfaces[InterfaceId(number)] = InterfaceId(upcoming)
                upcoming += 1
        upcoming = len(self._tables.worlds)
        for number, world in enumerate(self._resolve.worlds):
            if self._is_new(world.package):
                self._worlds[WorldId(number)] = WorldId(upcoming)
                upcoming += 1

    def _type(self, type_: TypeDef) -> TypeDef:
        kind = map_kind(type_.kind, self._use, self._types.__getitem__)
        return replace(type_, kind=kind, owner=self._owner(type_.owner), span=None)

    def _use(self, type_: Type, _span: Span | None = None) -> Type:
        return type_ if isinstance(type_, Primitive) else self._types[type_]

    def _owner(self, owner: Owner) -> Owner:
        match owner:
            case None:
                return None
            case InterfaceOwner(interface):
                return InterfaceOwner(self._interfaces[interface])
            case WorldOwner(world):
                return WorldOwner(self._worlds[world])
            case _:
                assert_never(owner)

    def _function(self, function: Function) -> Function:
        kind = function.kind
        if kind.resource is not None:
            kind = replace(kind, resource=self._types[kind.resource])
        return replace(
            function,
            kind=kind,
            params=tuple(replace(param, type=self._use(param.type)) for param in function.params),
            result=None if function.result is None else self._use(function.result),
            span=None,
        )

    def _key(self, key: WorldKey) -> WorldKey:
        return key if isinstance(key, str) else self._interfaces[key]

    def _item(self, item: WorldItem) -> WorldItem:
        match item:
            case WorldInterface(interface):
                return replace(item, interface=self._interfaces[interface])
            case WorldFunction(function):
                return WorldFunction(self._function(function))
            case WorldType(type_):
                return WorldType(self._types[type_])
            case _:
                assert_never(item)
