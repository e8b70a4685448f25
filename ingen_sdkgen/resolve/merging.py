"""Adds packages that come in resolved form, out of a binary, to the tables."""

from __future__ import annotations

from dataclasses import replace

from ingen_sdkgen.diagnostics import ItemConflict
from ingen_sdkgen.model import InterfaceId, Package, PackageId, Resolve, TypeId, WorldId
from ingen_sdkgen.resolve.tables import Tables
from ingen_sdkgen.rewrite import Renumbering


def merge(resolve: Resolve, tables: Tables) -> None:
    """Add the packages of `resolve` that the tables do not have yet; their spans point nowhere then.

    Raises: ItemConflict where a package is in both, and `resolve` has something in it that the tables lack.
    """
    _Merging(resolve, tables).run()


class _Merging:
    def __init__(self, resolve: Resolve, tables: Tables) -> None:
        self._resolve = resolve
        self._tables = tables
        self._new = Renumbering()
        # Where the new packages begin.
        self._first = len(tables.packages)

    def run(self) -> None:
        resolve, tables, new = self._resolve, self._tables, self._new
        upcoming = self._first
        for number, package in enumerate(resolve.packages):
            known = tables.package_ids.get(package.name)
            if known is not None:
                self._match(package, tables.packages[known])
                new.packages[PackageId(number)] = known
            else:
                new.packages[PackageId(number)] = PackageId(upcoming)
                upcoming += 1
        self._number()
        for number, definition in enumerate(resolve.types):
            if TypeId(number) not in new.types:
                new.types[TypeId(number)] = tables.add_type(replace(new.definition(definition), span=None))
        for interface in resolve.interfaces:
            if self._is_new(interface.package):
                tables.add_interface(replace(new.interface(interface), span=None))
        for world in resolve.worlds:
            if self._is_new(world.package):
                tables.add_world(replace(new.world(world), span=None))
        for number, package in enumerate(resolve.packages):
            if self._is_new(PackageId(number)):
                tables.add_package(replace(new.package(package), span=None))

    def _is_new(self, package: PackageId) -> bool:
        return self._new.packages[package] >= self._first

    def _match(self, package: Package, known: Package) -> None:
        """Identify what both have by name."""
        for name, interface in package.interfaces.items():
            if name not in known.interfaces:
                raise ItemConflict(f"package `{package.name}` is here twice, and only one has `{name}`")
            target = known.interfaces[name]
            self._new.interfaces[interface] = target
            there = self._tables.interfaces[target]
            for type_name, type_ in self._resolve.interfaces[interface].types.items():
                if type_name not in there.types:
                    raise ItemConflict(
                        f"package `{package.name}` is here twice, and only one has the type `{type_name}` "
                        f"in `{name}`"
                    )
                self._new.types[type_] = there.types[type_name]
        for name, world in package.worlds.items():
            if name not in known.worlds:
                raise ItemConflict(f"package `{package.name}` is here twice, and only one has `{name}`")
            self._new.worlds[world] = known.worlds[name]

    def _number(self) -> None:
        upcoming = len(self._tables.interfaces)
        for number, interface in enumerate(self._resolve.interfaces):
            if self._is_new(interface.package):
                self._new.interfaces[InterfaceId(number)] = InterfaceId(upcoming)
                upcoming += 1
        upcoming = len(self._tables.worlds)
        for number, world in enumerate(self._resolve.worlds):
            if self._is_new(world.package):
                self._new.worlds[WorldId(number)] = WorldId(upcoming)
                upcoming += 1
