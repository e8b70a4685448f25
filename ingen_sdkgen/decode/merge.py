"""Several worlds in one core module: each section adds its tables, and its world joins the world `root`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import assert_never

from ingen_runtime.errors import ComponentFormatError
from ingen_sdkgen.decode.drafts import Drafts, InterfaceDraft, PackageDraft, WorldDraft
from ingen_sdkgen.decode.structure import kind_structure, resource_of
from ingen_sdkgen.model import (
    Function,
    InterfaceId,
    InterfaceOwner,
    Owner,
    PackageId,
    Primitive,
    Type,
    TypeId,
    TypeKind,
    WorldFunction,
    WorldId,
    WorldInterface,
    WorldItem,
    WorldKey,
    WorldOwner,
    WorldType,
)
from ingen_sdkgen.rewrite import map_kind


def merge_section(drafts: Drafts, root: WorldId, section: Drafts) -> None:
    """Add the packages of `section` to `drafts`, and the items of its worlds to the world `root`.

    What is in both by name is one thing then; an interface can have more types and functions in one of them.

    Raises: ComponentFormatError, where an item is in both and differs.
    """
    for world in _Merge(drafts, section).run():
        _WorldUnion(drafts, world, root).run()


@dataclass(slots=True)
class _Merge:
    """Adds `other` to `drafts`; the maps lead from the numbers of `other` to those of `drafts`."""

    drafts: Drafts
    other: Drafts
    packages: dict[PackageId, PackageId] = field(default_factory=dict)
    interfaces: dict[InterfaceId, InterfaceId] = field(default_factory=dict)
    worlds: dict[WorldId, WorldId] = field(default_factory=dict)
    types: dict[TypeId, TypeId] = field(default_factory=dict)

    def run(self) -> list[WorldId]:
        """Returns the worlds of `other` by their new numbers."""
        self.match_packages()
        self.number_the_rest()
        for number, type_def in enumerate(self.other.types):
            if TypeId(number) not in self.types:
                kind = map_kind_types(type_def.kind, self.type)
                self.types[TypeId(number)] = self.drafts.add_type(
                    replace(type_def, kind=kind, owner=self.owner(type_def.owner))
                )
        for number, interface in enumerate(self.other.interfaces):
            self.add_interface(self.interfaces[InterfaceId(number)], interface)
        for number, world in enumerate(self.other.worlds):
            if self.worlds[WorldId(number)] == len(self.drafts.worlds):
                self.drafts.add_world(self.world(world))
        for number, package in enumerate(self.other.packages):
            self.add_package(self.packages[PackageId(number)], package)
        return list(self.worlds.values())

    def match_packages(self) -> None:
        by_name = {package.name: number for number, package in enumerate(self.drafts.packages)}
        for number, package in enumerate(self.other.packages):
            if package.name not in by_name:
                continue
            known_id = PackageId(by_name[package.name])
            known = self.drafts.packages[known_id]
            self.packages[PackageId(number)] = known_id
            for name, interface in package.interfaces.items():
                if name in known.interfaces:
                    self.match_interface(interface, known.interfaces[name])
            for name, world in package.worlds.items():
                if name in known.worlds:
                    self.worlds[world] = known.worlds[name]

    def match_interface(self, interface: InterfaceId, known: InterfaceId) -> None:
        self.interfaces[interface] = known
        known_types = self.drafts.interfaces[known].types
        for name, type_id in self.other.interfaces[interface].types.items():
            if name in known_types:
                self.types[type_id] = known_types[name]
                shape, _ = kind_structure(self.other.types[type_id].kind)
                known_shape, _ = kind_structure(self.drafts.types[known_types[name]].kind)
                if shape != known_shape:
                    raise ComponentFormatError(f"two sections differ in what the type `{name}` is")

    def number_the_rest(self) -> None:
        interfaces, worlds, packages = (
            len(self.drafts.interfaces),
            len(self.drafts.worlds),
            len(self.drafts.packages),
        )
        for number in range(len(self.other.interfaces)):
            if self.interfaces.setdefault(InterfaceId(number), InterfaceId(interfaces)) == interfaces:
                interfaces += 1
        for number in range(len(self.other.worlds)):
            if self.worlds.setdefault(WorldId(number), WorldId(worlds)) == worlds:
                worlds += 1
        for number in range(len(self.other.packages)):
            if self.packages.setdefault(PackageId(number), PackageId(packages)) == packages:
                packages += 1

    def type(self, type_: Type) -> Type:
        return type_ if isinstance(type_, Primitive) else self.types[type_]

    def owner(self, owner: Owner) -> Owner:
        match owner:
            case None:
                return None
            case WorldOwner(world):
                return WorldOwner(self.worlds[world])
            case InterfaceOwner(interface):
                return InterfaceOwner(self.interfaces[interface])
            case _:
                assert_never(owner)

    def add_interface(self, number: InterfaceId, interface: InterfaceDraft) -> None:
        if number == len(self.drafts.interfaces):
            assert interface.package is not None
            self.drafts.add_interface(
                InterfaceDraft(interface.name, package=self.packages[interface.package])
            )
        known = self.drafts.interfaces[number]
        for name, type_id in interface.types.items():
            known.types.setdefault(name, self.types[type_id])
        for name, function in interface.functions.items():
            mapped = map_function(function, self.type)
            present = known.functions.setdefault(name, mapped)
            if not same_function(self.drafts, mapped, present):
                raise ComponentFormatError(f"two sections differ in what the function `{name}` is")

    def world(self, world: WorldDraft) -> WorldDraft:
        assert world.package is not None
        return WorldDraft(
            world.name,
            dict(self.world_item(key, item) for key, item in world.imports.items()),
            dict(self.world_item(key, item) for key, item in world.exports.items()),
            self.packages[world.package],
        )

    def world_item(self, key: WorldKey, item: WorldItem) -> tuple[WorldKey, WorldItem]:
        match item:
            case WorldInterface(interface):
                new_key = key if isinstance(key, str) else self.interfaces[key]
                return new_key, replace(item, interface=self.interfaces[interface])
            case WorldFunction(function):
                return key, WorldFunction(map_function(function, self.type))
            case WorldType(type_id):
                return key, WorldType(self.types[type_id])
            case _:
                assert_never(item)

    def add_package(self, number: PackageId, package: PackageDraft) -> None:
        if number == len(self.drafts.packages):
            self.drafts.add_package(PackageDraft(package.name))
        known = self.drafts.packages[number]
        for name, interface in package.interfaces.items():
            known.interfaces.setdefault(name, self.interfaces[interface])
        for name, world in package.worlds.items():
            known.worlds.setdefault(name, self.worlds[world])


@dataclass(slots=True)
class _WorldUnion:
    """Copies the items of one world to another one, with the types that they own."""

    drafts: Drafts
    source: WorldId
    target: WorldId
    types: dict[TypeId, TypeId] = field(default_factory=dict)

    def run(self) -> None:
        source, target = self.drafts.worlds[self.source], self.drafts.worlds[self.target]
        for items, joined in ((source.imports, target.imports), (source.exports, target.exports)):
            for key, item in items.items():
                if key not in joined:
                    joined[key] = self.item(item)
                elif not self.joins(item, joined[key]):
                    raise ComponentFormatError(f"two sections differ in what the world item `{key}` is")

    def joins(self, item: WorldItem, present: WorldItem) -> bool:
        """Whether both are the same; types of the one world become those of the other."""
        match item, present:
            case WorldInterface(interface), WorldInterface(known):
                return interface == known or self.drafts.interfaces[known].clone_of == interface
            case WorldFunction(function), WorldFunction(known_function):
                return same_function(self.drafts, map_function(function, self.known_type), known_function)
            case WorldType(type_id), WorldType(known_type):
                self.types[type_id] = known_type
                kind = map_kind_types(self.drafts.types[type_id].kind, self.known_type)
                return same_kind(self.drafts, kind, self.drafts.types[known_type].kind)
            case _:
                return False

    def known_type(self, type_: Type) -> Type:
        return type_ if isinstance(type_, Primitive) else self.types.get(type_, type_)

    def item(self, item: WorldItem) -> WorldItem:
        match item:
            case WorldInterface(interface):
                if self.drafts.interfaces[interface].name is not None:
                    return item
                return replace(item, interface=self.copy_interface(interface))
            case WorldFunction(function):
                return WorldFunction(map_function(function, self.type))
            case WorldType(type_id):
                return WorldType(self.copy_type(type_id, WorldOwner(self.target)))
            case _:
                assert_never(item)

    def copy_interface(self, interface: InterfaceId) -> InterfaceId:
        original = self.drafts.interfaces[interface]
        package = self.drafts.worlds[self.target].package
        copy = InterfaceDraft(None, package=package, clone_of=interface)
        number = self.drafts.add_interface(copy)
        for name, type_id in original.types.items():
            copy.types[name] = self.copy_type(type_id, InterfaceOwner(number))
        for name, function in original.functions.items():
            copy.functions[name] = map_function(function, self.type)
        return number

    def copy_type(self, type_id: TypeId, owner: Owner) -> TypeId:
        type_def = self.drafts.types[type_id]
        kind = map_kind_types(type_def.kind, self.type)
        copy = self.drafts.add_type(replace(type_def, kind=kind, owner=owner))
        self.types[type_id] = copy
        return copy

    def type(self, type_: Type) -> Type:
        if isinstance(type_, Primitive):
            return type_
        known = self.types.get(type_)
        if known is None:
            type_def = self.drafts.types[type_]
            known = type_ if type_def.name is not None else self.copy_type(type_, None)
        return known


def map_kind_types(kind: TypeKind, type_: Callable[[Type], Type]) -> TypeKind:
    """`kind` with `type_` applied to each type in it, the resource of a handle included."""

    def refer(type_id: TypeId) -> TypeId:
        mapped = type_(type_id)
        assert not isinstance(mapped, Primitive)
        return mapped

    return map_kind(kind, lambda inner, _: type_(inner), refer)


def map_function(function: Function, type_: Callable[[Type], Type]) -> Function:
    """`function` with `type_` applied to each type that it refers to."""
    resource = function.kind.resource
    if resource is not None:
        mapped = type_(resource)
        assert not isinstance(mapped, Primitive)
        resource = mapped
    return replace(
        function,
        kind=replace(function.kind, resource=resource),
        params=tuple(replace(param, type=type_(param.type)) for param in function.params),
        result=None if function.result is None else type_(function.result),
    )


def same_function(drafts: Drafts, left: Function, right: Function) -> bool:
    """Whether two functions have the same name, kind and types."""
    if left.name != right.name or left.kind != right.kind or len(left.params) != len(right.params):
        return False
    for param, other in zip(left.params, right.params, strict=True):
        if param.name != other.name or not same_type(drafts, param.type, other.type):
            return False
    if left.result is None or right.result is None:
        return left.result is right.result
    return same_type(drafts, left.result, right.result)


def same_type(drafts: Drafts, left: Type, right: Type) -> bool:
    """Whether two types are the same: one type with a name, or structures of the same types."""
    if isinstance(left, Primitive) or isinstance(right, Primitive) or left == right:
        return left == right
    left_def, right_def = drafts.types[left], drafts.types[right]
    if left_def.name is not None or right_def.name is not None:
        return False
    return same_kind(drafts, left_def.kind, right_def.kind)


def same_kind(drafts: Drafts, left: TypeKind, right: TypeKind) -> bool:
    """Whether two definitions have one structure, of the same types."""
    left_shape, left_types = kind_structure(left)
    right_shape, right_types = kind_structure(right)
    return (
        left_shape == right_shape
        and resource_of(left) == resource_of(right)
        and all(same_type(drafts, one, other) for one, other in zip(left_types, right_types, strict=True))
    )
