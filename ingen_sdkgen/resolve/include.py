"""`include`: copies one world's items into another, with types of their own.

Source: WIT.md, "Union of Worlds with `include`".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ingen_sdkgen.diagnostics import ItemConflict, ItemNotFound, WitError, did_you_mean
from ingen_sdkgen.labels import NameScope, rename
from ingen_sdkgen.model import (
    Alias,
    Function,
    InterfaceId,
    InterfaceOwner,
    Owner,
    PackageId,
    Primitive,
    Span,
    Stability,
    Stable,
    Type,
    TypeId,
    WorldFunction,
    WorldId,
    WorldInterface,
    WorldItem,
    WorldKey,
    WorldOwner,
    WorldType,
)
from ingen_sdkgen.resolve.tables import Tables
from ingen_sdkgen.rewrite import map_function, map_kind, types_in


class Includer:
    """Adds worlds to worlds of one package; mistakes go to `errors`."""

    def __init__(self, tables: Tables, package: PackageId, errors: list[WitError]) -> None:
        self._tables = tables
        self._package = package
        self._errors = errors

    def include(self, into: WorldId, source: WorldId, names: Sequence[tuple[str, str]], span: Span) -> None:
        """Copy what `source` imports and exports into `into`, renamed as `names` (old, new) say."""
        tables = self._tables
        labels = [key for key, _ in tables.world_items(source) if isinstance(key, str)]
        for old, new in names:
            if not any(rename(label, old, new) is not None for label in labels):
                plain = [label for label in labels if "[" not in label]
                self._errors.append(
                    ItemNotFound(
                        f"the world `{tables.worlds[source].name}` has no import or export `{old}`",
                        span,
                        hint=did_you_mean(old, plain)
                        or "only items with a plain name can be renamed, not interfaces of a package",
                    )
                )
                return
        from_another_package = tables.worlds[source].package != self._package
        copier = _Copier(tables, WorldOwner(source), WorldOwner(into))
        for side in ("import", "export"):
            world = tables.worlds[source]
            items = world.imports if side == "import" else world.exports
            merged = dict(tables.worlds[into].imports if side == "import" else tables.worlds[into].exports)
            for key, item in items.items():
                if isinstance(key, str):
                    self._add_labelled(copier, merged, key, item, names, span, side)
                else:
                    self._add_interface(merged, key, item, span, from_another_package)
            target = tables.worlds[into]
            tables.worlds[into] = (
                replace(target, imports=merged) if side == "import" else replace(target, exports=merged)
            )
            self._check_names(merged, tables.worlds[into].name, span, side)

    def _add_labelled(
        self,
        copier: _Copier,
        merged: dict[WorldKey, WorldItem],
        label: str,
        item: WorldItem,
        names: Sequence[tuple[str, str]],
        span: Span,
        side: str,
    ) -> None:
        renamed = (rename(label, old, new) for old, new in names)
        label = next((name for name in renamed if name is not None), label)
        copy: WorldItem
        match item:
            case WorldFunction(function):
                copy = WorldFunction(replace(copier.function(function), name=label))
            case WorldType(type_):
                copied = copier.type(type_)
                self._tables.rename_type(copied, label)
                copy = WorldType(copied, item.span)
            case WorldInterface(interface):
                copy = replace(item, interface=self._copy_interface(copier, interface))
        if label in merged:
            self._errors.append(
                ItemConflict(
                    f"the {side} `{label}` of the included world is there already",
                    span,
                    hint=f"rename it: `with {{ {label} as … }}`",
                )
            )
            return
        merged[label] = copy

    def _add_interface(
        self,
        merged: dict[WorldKey, WorldItem],
        key: InterfaceId,
        item: WorldItem,
        span: Span,
        from_another_package: bool,
    ) -> None:
        there = merged.get(key, item)
        assert isinstance(item, WorldInterface)
        assert isinstance(there, WorldInterface)
        stability: Stability
        if from_another_package and isinstance(item.stability, Stable):
            # Versions of another package say nothing about this one.
            stability = None
        elif item.stability is None or item.stability == there.stability:
            stability = there.stability
        elif there.stability is None:
            stability = item.stability
        else:
            self._errors.append(
                ItemConflict(
                    f"`{self._tables.interface_name(key)}` is gated in one way here, and in another there",
                    span,
                )
            )
            return
        merged[key] = replace(there, stability=stability)

    def _copy_interface(self, copier: _Copier, interface: InterfaceId) -> InterfaceId:
        """A copy of an interface written in place; one with a name is itself."""
        tables = self._tables
        original = tables.interfaces[interface]
        if original.name is not None:
            return interface
        copy_id = InterfaceId(len(tables.interfaces))
        copier = copier.within(InterfaceOwner(interface), InterfaceOwner(copy_id))
        types = {name: copier.type(type_) for name, type_ in original.types.items()}
        functions = {name: copier.function(function) for name, function in original.functions.items()}
        return tables.add_interface(
            replace(original, types=types, functions=functions, package=self._package, clone_of=interface)
        )

    def _check_names(self, items: dict[WorldKey, WorldItem], world: str, span: Span, side: str) -> None:
        scope = NameScope()
        for key in items:
            if isinstance(key, str):
                previous = scope.add(key)
                if previous is not None:
                    self._errors.append(
                        ItemConflict(
                            f"in world `{world}`, the {side} `{key}` clashes with `{previous}`",
                            span,
                            hint="names must differ in more than case and hyphens; rename one with `with`",
                        )
                    )


class _Copier:
    """Copies types from one owner to another, each once."""

    def __init__(self, tables: Tables, old_owner: Owner, new_owner: Owner) -> None:
        self._tables = tables
        self._old_owner = old_owner
        self._new_owner = new_owner
        self._copies: dict[TypeId, TypeId] = {}

    def within(self, old_owner: Owner, new_owner: Owner) -> _Copier:
        """A copier for an interface inside; types in place are copied once for both."""
        copier = _Copier(self._tables, old_owner, new_owner)
        copier._copies = self._copies
        return copier

    def type(self, root: TypeId) -> TypeId:
        """The copy of a type, after copies of the types that it refers to."""
        # An explicit stack: types can be nested deeper than Python calls.
        pending: list[tuple[TypeId, bool]] = [(root, False)]
        while pending:
            type_, ready = pending.pop()
            if type_ in self._copies:
                continue
            definition = self._tables.types[type_]
            if not ready:
                pending.append((type_, True))
                inner = [item for item in types_in(definition.kind) if not isinstance(item, Primitive)]
                if isinstance(definition.kind, Alias):
                    inner = [item for item in inner if self._tables.types[item].owner == self._old_owner]
                pending += [(item, False) for item in reversed(inner) if item not in self._copies]
                continue
            kind = map_kind(definition.kind, self._copy_of, self._copy_of_id)
            owner = None if definition.owner is None else self._new_owner
            self._copies[type_] = self._tables.add_type(replace(definition, kind=kind, owner=owner))
        return self._copies[root]

    def _copy_of_id(self, type_: TypeId) -> TypeId:
        return self._copies.get(type_, type_)

    def _copy_of(self, type_: Type, _span: Span | None) -> Type:
        return type_ if isinstance(type_, Primitive) else self._copy_of_id(type_)

    def _use(self, type_: Type) -> Type:
        return type_ if isinstance(type_, Primitive) else self.type(type_)

    def function(self, function: Function) -> Function:
        """A function that speaks of the copies."""
        return map_function(function, self._use, self.type)
