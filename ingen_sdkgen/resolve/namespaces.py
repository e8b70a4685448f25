"""What a path names: the names of a package's interfaces and worlds, and those at the top of each file."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from ingen_sdkgen.diagnostics import (
    ItemConflict,
    ItemNotFound,
    Note,
    ResolveError,
    WitError,
    did_you_mean,
)
from ingen_sdkgen.model import InterfaceId, PackageName, Span, WorldId
from ingen_sdkgen.resolve.drafts import DraftInterface, DraftWorld, ForeignItem, PackageDraft
from ingen_sdkgen.resolve.order import topological_order
from ingen_sdkgen.resolve.paths import PackageSyntax, paths_in
from ingen_sdkgen.wit import syntax


@dataclass(frozen=True, slots=True)
class _LocalInterface:
    id: InterfaceId


@dataclass(frozen=True, slots=True)
class _LocalWorld:
    id: WorldId


_Item: TypeAlias = _LocalInterface | _LocalWorld


_Foreign: TypeAlias = dict[tuple[PackageName, str], _Item]


class FileNames:
    """What paths in one file mean: its own names come before those of the package."""

    def __init__(self, package_items: dict[str, _Item], foreign: _Foreign, errors: list[WitError]) -> None:
        self._package_items = package_items
        self._foreign = foreign
        self._errors = errors
        self._items: dict[str, _Item] = {}
        self._spans: dict[str, Span] = {}
        # Names whose `use` failed; they are not reported again.
        self._broken: set[str] = set()

    def define(self, id_: syntax.Id, target: _Item | None) -> None:
        """Give a target a name in the file; None is one that failed, and is not reported again."""
        if id_.name in self._spans:
            self._errors.append(
                ItemConflict(
                    f"this file has the name `{id_.name}` twice",
                    id_.span,
                    notes=[Note("the first one is here", self._spans[id_.name])],
                )
            )
            return
        self._spans[id_.name] = id_.span
        if target is None:
            self._broken.add(id_.name)
        else:
            self._items[id_.name] = target

    def interface_at(self, path: syntax.Path) -> InterfaceId | None:
        """The interface that a path names, or None after a mistake."""
        target = self._target(path)
        if isinstance(target, _LocalWorld):
            self._errors.append(
                ResolveError(f"`{path.id.name}` is a world, and an interface is needed here", path.id.span)
            )
            return None
        return None if target is None else target.id

    def world_at(self, path: syntax.Path) -> WorldId | None:
        """The world that a path names, or None after a mistake."""
        target = self._target(path)
        if isinstance(target, _LocalInterface):
            self._errors.append(
                ResolveError(f"`{path.id.name}` is an interface, and a world is needed here", path.id.span)
            )
            return None
        return None if target is None else target.id

    def target_in_package(self, path: syntax.Path) -> _Item | None:
        """What a path at the top of the file names, where the names of the file do not count."""
        return self._find(path, self._package_items)

    def _target(self, path: syntax.Path) -> _Item | None:
        if isinstance(path, syntax.LocalPath) and path.id.name in self._broken:
            return None
        return self._find(path, ChainMap(self._items, self._package_items))

    def _find(self, path: syntax.Path, items: Mapping[str, _Item]) -> _Item | None:
        if isinstance(path, syntax.PackagePath):
            return self._foreign[path.package, path.id.name]
        name = path.id.name
        found = items.get(name)
        if found is None:
            self._errors.append(
                ItemNotFound(
                    f"there is no interface or world `{name}`", path.id.span, hint=did_you_mean(name, items)
                )
            )
        return found


class PackageNames:
    """The interfaces and worlds of a package, numbered in its draft; mistakes go to `errors`.

    Each comes after those that it needs, and the foreign ones come first.
    """

    def __init__(self, package: PackageSyntax, draft: PackageDraft, errors: list[WitError]) -> None:
        self._package = package
        self._draft = draft
        self._errors = errors
        self._foreign: _Foreign = {}
        self._items: dict[str, _Item] = {}
        self._item_spans: dict[str, Span] = {}
        self._files: list[FileNames] = []
        self._add_foreign_items()
        self._definitions = self._number_items()
        self._name_in_files()

    def interfaces(self) -> Iterator[tuple[InterfaceId, syntax.InterfaceSyntax, FileNames]]:
        """The interfaces that the package defines, each with the names of its file, in dependency order."""
        for item, file in self._definitions:
            target = self._items[item.id.name]
            if isinstance(item, syntax.InterfaceSyntax) and isinstance(target, _LocalInterface):
                yield target.id, item, self._files[file]

    def worlds(self) -> Iterator[tuple[WorldId, syntax.WorldSyntax, FileNames]]:
        """The worlds, in the same way."""
        for item, file in self._definitions:
            target = self._items[item.id.name]
            if isinstance(item, syntax.WorldSyntax) and isinstance(target, _LocalWorld):
                yield target.id, item, self._files[file]

    def _add_foreign_items(self) -> None:
        """Whether a foreign item is a world or an interface is decided by its first mention."""
        for file in self._package.files:
            for use in paths_in(file):
                path = use.path
                if not isinstance(path, syntax.PackagePath):
                    continue
                key = (path.package, path.id.name)
                item = self._foreign.get(key)
                if item is None:
                    foreign = ForeignItem(path.package, path.package_span, path.id.name, path.id.span)
                    if use.wants_world:
                        world = DraftWorld(path.id.name, path.id.span, foreign=foreign)
                        item = _LocalWorld(self._draft.add_world(world))
                    else:
                        interface = DraftInterface(path.id.name, path.id.span, foreign=foreign)
                        item = _LocalInterface(self._draft.add_interface(interface))
                    self._foreign[key] = item
                known = (
                    self._draft.interfaces[item.id].foreign
                    if isinstance(item, _LocalInterface)
                    else self._draft.worlds[item.id].foreign
                )
                assert known is not None
                known.stabilities.append(use.gates.stability)

    def _number_items(self) -> list[tuple[syntax.InterfaceSyntax | syntax.WorldSyntax, int]]:
        """Number interfaces and worlds. Returns them with their file, in dependency order."""
        definitions: dict[str, tuple[syntax.InterfaceSyntax | syntax.WorldSyntax, int]] = {}
        for number, file in enumerate(self._package.files):
            for item in file:
                if isinstance(item, syntax.InterfaceSyntax | syntax.WorldSyntax):
                    first = definitions.get(item.id.name)
                    if first is not None:
                        self._errors.append(
                            ItemConflict(
                                f"package `{self._package.name}` defines `{item.id.name}` twice",
                                item.id.span,
                                notes=[Note("the first one is here", first[0].id.span)],
                            )
                        )
                        continue
                    definitions[item.id.name] = (item, number)

        dependencies: dict[str, list[syntax.Id]] = {name: [] for name in definitions}
        for file in self._package.files:
            targets = self._file_targets(file)
            for use in paths_in(file):
                if use.item is None or not isinstance(use.path, syntax.LocalPath):
                    continue
                written = use.path.id
                target = targets.get(written.name, written if written.name in definitions else None)
                if target is not None:
                    dependencies[use.item].append(target)

        order = topological_order({name: [id_.name for id_ in ids] for name, ids in dependencies.items()})
        if len(order) < len(definitions):
            order += self._report_cycle(dependencies, order)
        for name in order:
            item, _ = definitions[name]
            if isinstance(item, syntax.InterfaceSyntax):
                id_ = self._draft.add_interface(DraftInterface(name, item.id.span))
                self._items[name] = _LocalInterface(id_)
            else:
                world_id = self._draft.add_world(DraftWorld(name, item.id.span))
                self._items[name] = _LocalWorld(world_id)
            self._item_spans[name] = item.id.span
        return [definitions[name] for name in order]

    def _file_targets(self, file: Sequence[syntax.TopItem]) -> dict[str, syntax.Id | None]:
        """What the names at the top of a file stand for: an item of this package, or None for another's."""
        targets: dict[str, syntax.Id | None] = {}
        for item in file:
            if isinstance(item, syntax.TopLevelUse):
                local = isinstance(item.path, syntax.LocalPath)
                targets[item.local.name] = item.path.id if local else None
            elif isinstance(item, syntax.InterfaceSyntax | syntax.WorldSyntax):
                targets[item.id.name] = item.id
        return targets

    def _report_cycle(self, dependencies: Mapping[str, list[syntax.Id]], order: list[str]) -> list[str]:
        """Report one cycle; return the names on cycles, so that all the same they can be looked at."""
        done = set(order)
        left = [name for name in dependencies if name not in done]
        for name in left:
            for id_ in dependencies[name]:
                if id_.name in dependencies and id_.name not in done:
                    self._errors.append(
                        ResolveError(f"the interface or world `{id_.name}` depends on itself", id_.span)
                    )
                    return left
        return left

    def _name_in_files(self) -> None:
        for file in self._package.files:
            names = FileNames(self._items, self._foreign, self._errors)
            self._files.append(names)
            for item in file:
                if isinstance(item, syntax.TopLevelUse):
                    if item.has_gates:
                        self._errors.append(
                            ResolveError(
                                "a `use` at the top of a file has no attributes",
                                item.keyword,
                                hint="put them on the items that need it",
                            )
                        )
                    names.define(item.local, names.target_in_package(item.path))
                elif isinstance(item, syntax.InterfaceSyntax | syntax.WorldSyntax):
                    target = self._items.get(item.id.name)
                    # A second definition in the package is reported already.
                    if target is not None and self._item_spans[item.id.name] == item.id.span:
                        names.define(item.id, target)
