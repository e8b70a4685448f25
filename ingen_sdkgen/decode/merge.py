"""Several worlds in one core module: each section adds its tables, and its world joins the world `root`."""

from __future__ import annotations

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
    WorldOwner,
    WorldType,
)
from ingen_sdkgen.rewrite import Renumbering, for_ids, map_function, map_types


def merge_section(drafts: Drafts, root: WorldId, section: Drafts) -> None:
    """Add the packages of `section` to `drafts`, and the items of its worlds to the world `root`.

    What is in both by name is one thing then; an interface can have more types and functions in one of them.

    Raises: ComponentFormatError, where an item is in both and differs.
    """
    for world in _Merge(drafts, section).run():
        _WorldUnion(drafts, world, root).run()


@dataclass(slots=True)
class _Merge:
    """Adds `other` to `drafts`; `new` leads from the numbers of `other` to those of `drafts`."""

    drafts: Drafts
    other: Drafts
    new: Renumbering = field(default_factory=Renumbering)

    def run(self) -> list[WorldId]:
        """Returns the worlds of `other` by their new numbers."""
        self.match_packages()
        self.number_the_rest()
        for number, type_def in enumerate(self.other.types):
            if TypeId(number) not in self.new.types:
                self.new.types[TypeId(number)] = self.drafts.add_type(self.new.definition(type_def))
        for number, interface in enumerate(self.other.interfaces):
            self.add_interface(self.new.interfaces[InterfaceId(number)], interface)
        for number, world in enumerate(self.other.worlds):
            if self.new.worlds[WorldId(number)] == len(self.drafts.worlds):
                self.drafts.add_world(self.world(world))
        for number, package in enumerate(self.other.packages):
            self.add_package(self.new.packages[PackageId(number)], package)
        return list(self.new.worlds.values())

    def match_packages(self) -> None:
        by_name = {package.name: number for number, package in enumerate(self.drafts.packages)}
        for number, package in enumerate(self.other.packages):
            if package.name not in by_name:
                continue
            known_id = PackageId(by_name[package.name])
            known = self.drafts.packages[known_id]
            self.new.packages[PackageId(number)] = known_id
            for name, interface in package.interfaces.items():
                if name in known.interfaces:
                    self.match_interface(interface, known.interfaces[name])
            for name, world in package.worlds.items():
                if name in known.worlds:
                    self.new.worlds[world] = known.worlds[name]

    def match_interface(self, interface: InterfaceId, known: InterfaceId) -> None:
        self.new.interfaces[interface] = known
        known_types = self.drafts.interfaces[known].types
        for name, type_id in self.other.interfaces[interface].types.items():
            if name in known_types:
                self.new.types[type_id] = known_types[name]
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
            if self.new.interfaces.setdefault(InterfaceId(number), InterfaceId(interfaces)) == interfaces:
                interfaces += 1
        for number in range(len(self.other.worlds)):
            if self.new.worlds.setdefault(WorldId(number), WorldId(worlds)) == worlds:
                worlds += 1
        for number in range(len(self.other.packages)):
            if self.new.packages.setdefault(PackageId(number), PackageId(packages)) == packages:
                packages += 1

    def add_interface(self, number: InterfaceId, interface: InterfaceDraft) -> None:
        if number == len(self.drafts.interfaces):
            assert interface.package is not None
            self.drafts.add_interface(
                InterfaceDraft(interface.name, package=self.new.packages[interface.package])
            )
        known = self.drafts.interfaces[number]
        for name, type_id in interface.types.items():
            known.types.setdefault(name, self.new.types[type_id])
        for name, function in interface.functions.items():
            mapped = self.new.function(function)
            present = known.functions.setdefault(name, mapped)
            if not same_function(self.drafts, mapped, present):
                raise ComponentFormatError(f"two sections differ in what the function `{name}` is")

    def world(self, world: WorldDraft) -> WorldDraft:
        assert world.package is not None
        return WorldDraft(
            world.name,
            dict(self.new.world_item(key, item) for key, item in world.imports.items()),
            dict(self.new.world_item(key, item) for key, item in world.exports.items()),
            self.new.packages[world.package],
        )

    def add_package(self, number: PackageId, package: PackageDraft) -> None:
        if number == len(self.drafts.packages):
            self.drafts.add_package(PackageDraft(package.name))
        known = self.drafts.packages[number]
        for name, interface in package.interfaces.items():
            known.interfaces.setdefault(name, self.new.interfaces[interface])
        for name, world in package.worlds.items():
            known.worlds.setdefault(name, self.new.worlds[world])


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
                return same_function(
                    self.drafts,
                    map_function(function, self.known_type, for_ids(self.known_type)),
                    known_function,
                )
            case WorldType(type_id), WorldType(known_type):
                self.types[type_id] = known_type
                kind = map_types(self.drafts.types[type_id].kind, self.known_type)
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
                return WorldFunction(map_function(function, self.type, for_ids(self.type)))
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
            copy.functions[name] = map_function(function, self.type, for_ids(self.type))
        return number

    def copy_type(self, type_id: TypeId, owner: Owner) -> TypeId:
        type_def = self.drafts.types[type_id]
        kind = map_types(type_def.kind, self.type)
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
