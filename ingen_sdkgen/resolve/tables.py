"""The tables of a `Resolve` while it is being built."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from ingen_sdkgen.model import (
    Alias,
    Borrow,
    Interface,
    InterfaceId,
    InterfaceOwner,
    Own,
    Package,
    PackageId,
    PackageName,
    Primitive,
    Resolve,
    Resource,
    Type,
    TypeDef,
    TypeId,
    World,
    WorldId,
    WorldItem,
    WorldKey,
)
from ingen_sdkgen.rewrite import types_in


@dataclass(slots=True)
class Tables:
    """Append-only, but for worlds, which change until their package is done."""

    worlds: list[World] = field(default_factory=list)
    interfaces: list[Interface] = field(default_factory=list)
    types: list[TypeDef] = field(default_factory=list)
    packages: list[Package] = field(default_factory=list)
    package_ids: dict[PackageName, PackageId] = field(default_factory=dict)
    # For each type: whether it is a resource or an alias of one, and whether a borrow is anywhere in it.
    is_resource: list[bool] = field(default_factory=list)
    has_borrow: list[bool] = field(default_factory=list)
    # For each interface: those whose types it uses, in order.
    interface_uses: list[list[InterfaceId]] = field(default_factory=list)

    def add_type(self, type_: TypeDef) -> TypeId:
        """Append a type; those that it refers to are there already."""
        kind = type_.kind
        target = kind.type if isinstance(kind, Alias) else None
        self.types.append(type_)
        self.is_resource.append(
            isinstance(kind, Resource)
            or (target is not None and not isinstance(target, Primitive) and self.is_resource[target])
        )
        if isinstance(kind, Own | Borrow):
            self.has_borrow.append(isinstance(kind, Borrow))
        else:
            self.has_borrow.append(any(self.borrows(item) for item in types_in(kind)))
        return TypeId(len(self.types) - 1)

    def rename_type(self, type_: TypeId, name: str) -> None:
        """Give a type that was just added another name."""
        self.types[type_] = replace(self.types[type_], name=name)

    def borrows(self, type_: Type) -> bool:
        """Whether a borrow is anywhere in the type."""
        return not isinstance(type_, Primitive) and self.has_borrow[type_]

    def add_interface(self, interface: Interface) -> InterfaceId:
        """Append an interface; its types are there already."""
        self.interfaces.append(interface)
        uses = (self.used_interface(type_) for type_ in interface.types.values())
        self.interface_uses.append(list(dict.fromkeys(use for use in uses if use is not None)))
        return InterfaceId(len(self.interfaces) - 1)

    def used_interface(self, type_: TypeId) -> InterfaceId | None:
        """The interface that a `use`d type comes from."""
        kind, owner = self.types[type_].kind, self.types[type_].owner
        if not isinstance(kind, Alias) or isinstance(kind.type, Primitive):
            return None
        source = self.types[kind.type].owner
        return source.interface if isinstance(source, InterfaceOwner) and source != owner else None

    def interface_name(self, interface: InterfaceId) -> str:
        """The full name of an interface for messages."""
        item = self.interfaces[interface]
        if item.name is None:
            return "an interface in place"
        # The package that is being placed right now is not in the table yet.
        if item.package < len(self.packages):
            return self.packages[item.package].name.interface_id(item.name)
        return item.name

    def add_world(self, world: World) -> WorldId:
        """Append a world."""
        self.worlds.append(world)
        return WorldId(len(self.worlds) - 1)

    def add_package(self, package: Package) -> PackageId:
        """Append a package."""
        id_ = PackageId(len(self.packages))
        self.packages.append(package)
        self.package_ids[package.name] = id_
        return id_

    def world_items(self, world: WorldId) -> Iterator[tuple[WorldKey, WorldItem]]:
        """Imports, then exports."""
        yield from self.worlds[world].imports.items()
        yield from self.worlds[world].exports.items()

    def finish(self, main: PackageId) -> Resolve:
        """The finished IR."""
        return Resolve(
            tuple(self.worlds), tuple(self.interfaces), tuple(self.types), tuple(self.packages), main
        )
