"""The tables of an IR while they are being filled.

A draft has what its class in `ingen_sdkgen.model` has, but can change; `finish` turns drafts into the IR.
Types need no drafts: one that gets its documentation later is replaced.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ingen_sdkgen.model import (
    Function,
    Interface,
    InterfaceId,
    Package,
    PackageId,
    PackageName,
    Resolve,
    Stability,
    TypeDef,
    TypeId,
    World,
    WorldId,
    WorldItem,
    WorldKey,
)


@dataclass(slots=True)
class InterfaceDraft:
    """An interface; `package` is set when the packages are put in order."""

    name: str | None
    types: dict[str, TypeId] = field(default_factory=dict)
    functions: dict[str, Function] = field(default_factory=dict)
    package: PackageId | None = None
    docs: str | None = None
    stability: Stability = None
    clone_of: InterfaceId | None = None


@dataclass(slots=True)
class WorldDraft:
    """A world; `package` as in `InterfaceDraft`."""

    name: str
    imports: dict[WorldKey, WorldItem] = field(default_factory=dict)
    exports: dict[WorldKey, WorldItem] = field(default_factory=dict)
    package: PackageId | None = None
    docs: str | None = None
    stability: Stability = None


@dataclass(slots=True)
class PackageDraft:
    """A package."""

    name: PackageName
    interfaces: dict[str, InterfaceId] = field(default_factory=dict)
    worlds: dict[str, WorldId] = field(default_factory=dict)
    docs: str | None = None


@dataclass(slots=True)
class Drafts:
    """All tables."""

    worlds: list[WorldDraft] = field(default_factory=list)
    interfaces: list[InterfaceDraft] = field(default_factory=list)
    types: list[TypeDef] = field(default_factory=list)
    packages: list[PackageDraft] = field(default_factory=list)

    def add_type(self, type_def: TypeDef) -> TypeId:
        """Append a type."""
        self.types.append(type_def)
        return TypeId(len(self.types) - 1)

    def add_interface(self, interface: InterfaceDraft) -> InterfaceId:
        """Append an interface."""
        self.interfaces.append(interface)
        return InterfaceId(len(self.interfaces) - 1)

    def add_world(self, world: WorldDraft) -> WorldId:
        """Append a world."""
        self.worlds.append(world)
        return WorldId(len(self.worlds) - 1)

    def add_package(self, package: PackageDraft) -> PackageId:
        """Append a package."""
        self.packages.append(package)
        return PackageId(len(self.packages) - 1)

    def finish(self, main: PackageId) -> Resolve:
        """The IR; every interface and world has to have its package."""
        return Resolve(
            worlds=tuple(_world(world) for world in self.worlds),
            interfaces=tuple(_interface(interface) for interface in self.interfaces),
            types=tuple(self.types),
            packages=tuple(
                Package(package.name, package.interfaces, package.worlds, package.docs)
                for package in self.packages
            ),
            main=main,
        )


def _world(world: WorldDraft) -> World:
    assert world.package is not None
    return World(world.name, world.imports, world.exports, world.package, world.docs, world.stability)


def _interface(interface: InterfaceDraft) -> Interface:
    assert interface.package is not None
    return Interface(
        interface.name,
        interface.types,
        interface.functions,
        interface.package,
        interface.docs,
        interface.stability,
        interface.clone_of,
    )
