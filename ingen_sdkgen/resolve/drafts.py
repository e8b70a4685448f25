"""Drafts: a package with its own names resolved, before gates are applied and other packages are linked in.

A draft uses the classes of the IR, but its ids are indices into the lists of its own `PackageDraft`.
Everything that is written is in it, what a gate excludes too, so that mistakes there are found as well.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from ingen_sdkgen.model import (
    Function,
    InterfaceId,
    Owner,
    PackageName,
    Span,
    Stability,
    TypeId,
    TypeKind,
    WorldId,
    WorldItem,
)


@dataclass(slots=True)
class ForeignType:
    """A type of another package's interface."""

    interface: InterfaceId
    name: str


@dataclass(slots=True)
class DraftType:
    """A type definition. For a type in place, `span` is that of its keyword."""

    name: str | None
    kind: TypeKind | ForeignType
    owner: Owner
    span: Span
    docs: str | None = None
    stability: Stability = None
    external_id: str | None = None


@dataclass(slots=True)
class ForeignItem:
    """Another package's interface or world. It must exist if a gate that it is named under lets it in."""

    package: PackageName
    package_span: Span
    name: str
    span: Span
    stabilities: list[Stability] = field(default_factory=list)


@dataclass(slots=True)
class DraftInterface:
    """An interface; `foreign` is set for one of another package, which is then empty here."""

    name: str | None
    span: Span
    docs: str | None = None
    stability: Stability = None
    types: dict[str, TypeId] = field(default_factory=dict)
    functions: dict[str, Function] = field(default_factory=dict)
    foreign: ForeignItem | None = None


DraftKey: TypeAlias = str | InterfaceId


@dataclass(slots=True)
class DraftInclude:
    """`include`, with renamings as (old, new)."""

    world: WorldId
    names: list[tuple[str, str]]
    stability: Stability
    span: Span


@dataclass(slots=True)
class DraftExtern:
    """An import or an export of a world."""

    key: DraftKey
    item: WorldItem
    span: Span


@dataclass(slots=True)
class DraftWorld:
    """A world; `foreign` is set for one of another package, which is then empty here."""

    name: str
    span: Span
    docs: str | None = None
    stability: Stability = None
    imports: list[DraftExtern] = field(default_factory=list)
    exports: list[DraftExtern] = field(default_factory=list)
    includes: list[DraftInclude] = field(default_factory=list)
    foreign: ForeignItem | None = None


@dataclass(slots=True)
class PackageDraft:
    """A package. `resources_required` lists handles to types that only linking can tell to be resources."""

    name: PackageName
    span: Span
    docs: str | None
    types: list[DraftType] = field(default_factory=list)
    interfaces: list[DraftInterface] = field(default_factory=list)
    worlds: list[DraftWorld] = field(default_factory=list)
    resources_required: list[tuple[TypeId, Span]] = field(default_factory=list)

    def add_interface(self, interface: DraftInterface) -> InterfaceId:
        """Append an interface."""
        self.interfaces.append(interface)
        return InterfaceId(len(self.interfaces) - 1)

    def add_world(self, world: DraftWorld) -> WorldId:
        """Append a world."""
        self.worlds.append(world)
        return WorldId(len(self.worlds) - 1)
