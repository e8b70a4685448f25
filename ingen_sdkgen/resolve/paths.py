"""The paths that are written in a package: what it needs from elsewhere, and in which order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import assert_never

from ingen_sdkgen.model import PackageName, Span
from ingen_sdkgen.wit import syntax


@dataclass(slots=True)
class PackageSyntax:
    """The syntax trees that make up one package: for each file (or nested package) its items."""

    name: PackageName
    span: Span
    docs: str | None
    files: list[Sequence[syntax.TopItem]]


@dataclass(frozen=True, slots=True)
class PathUse:
    """A path that is written somewhere in a package.

    `item` is the interface or world that needs what the path names to be resolved first.
    """

    item: str | None
    path: syntax.Path
    gates: syntax.Gates
    wants_world: bool


def paths_in(items: Sequence[syntax.TopItem]) -> Iterator[PathUse]:
    """Every path in a file; a world's imports come before its exports."""
    for item in items:
        match item:
            case syntax.InterfaceSyntax(id_, members):
                yield from _uses_in(members, id_.name)
            case syntax.TopLevelUse(path):
                yield PathUse(None, path, syntax.Gates(), False)
            case syntax.WorldSyntax(id_, world_items):
                for member in world_items:
                    if isinstance(member, syntax.Use):
                        yield PathUse(None, member.path, member.gates, False)
                    elif isinstance(member, syntax.Include):
                        yield PathUse(id_.name, member.path, member.gates, True)
                externs = [member for member in world_items if isinstance(member, syntax.WorldExtern)]
                for member in sorted(externs, key=lambda extern: not extern.is_import):
                    if isinstance(member.extern, syntax.ExternPath):
                        yield PathUse(None, member.extern.path, member.gates, False)
                    elif isinstance(member.extern, syntax.ExternInterface):
                        yield from _uses_in(member.extern.items, None)
            case syntax.NestedPackage():
                pass
            case _:
                assert_never(item)


def _uses_in(members: Sequence[syntax.InterfaceItem], item: str | None) -> Iterator[PathUse]:
    for member in members:
        if isinstance(member, syntax.Use):
            yield PathUse(item, member.path, member.gates, False)
