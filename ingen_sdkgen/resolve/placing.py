"""Puts a draft into the tables: applies gates, links other packages in, numbers everything anew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar, assert_never

from ingen_sdkgen.diagnostics import (
    GateError,
    ItemNotFound,
    ResolveError,
    WitError,
    did_you_mean,
)
from ingen_sdkgen.model import (
    Function,
    Interface,
    InterfaceId,
    InterfaceOwner,
    Own,
    Owner,
    Package,
    PackageId,
    PackageName,
    Primitive,
    Span,
    Stability,
    Type,
    TypeDef,
    TypeId,
    World,
    WorldFunction,
    WorldId,
    WorldInterface,
    WorldItem,
    WorldKey,
    WorldOwner,
    WorldType,
)
from ingen_sdkgen.resolve.drafts import (
    DraftExtern,
    DraftKey,
    DraftType,
    DraftWorld,
    ForeignItem,
    ForeignType,
    PackageDraft,
)
from ingen_sdkgen.resolve.elaborate import elaborate
from ingen_sdkgen.resolve.gates import Gatekeeper
from ingen_sdkgen.resolve.include import Includer
from ingen_sdkgen.resolve.tables import Tables
from ingen_sdkgen.rewrite import map_kind

_ItemId = TypeVar("_ItemId", InterfaceId, WorldId)
_Key = TypeVar("_Key")
_Value = TypeVar("_Value")


_WORLD_TYPE_HINT = (
    "switch the feature on, or move the type to an interface: a world cannot leave its types out"
)


class _Excluded(Exception):
    """The item cannot be placed; what there is to say is reported."""


def place_package(
    draft: PackageDraft, tables: Tables, gates: Gatekeeper, errors: list[WitError]
) -> PackageId:
    """Append a package; those that it uses are in the tables. Mistakes go to `errors`."""
    return _Placing(draft, tables, gates, errors).run()


class _Placing:
    def __init__(
        self, draft: PackageDraft, tables: Tables, gates: Gatekeeper, errors: list[WitError]
    ) -> None:
        self._draft = draft
        self._tables = tables
        self._gates = gates
        self._errors = errors
        self._package = PackageId(len(tables.packages))
        # Draft id to id; None where a gate excludes the item, or where it could not be placed.
        self._types: list[TypeId | None] = []
        self._interfaces: list[InterfaceId | None] = []
        self._worlds: list[WorldId | None] = []
        # The handle that stands for a value of a resource type.
        self._own: dict[TypeId, TypeId] = {}
        # Types that are not placed because of a mistake, rather than a gate.
        self._failed: set[int] = set()
        self._missing_packages: set[PackageName] = set()

    def run(self) -> PackageId:
        draft, tables = self._draft, self._tables
        self._number_interfaces()
        self._number_worlds()
        for type_ in draft.types:
            self._types.append(self._try_type(type_))
        for target, span in draft.resources_required:
            placed = self._types[target]
            if placed is not None and not tables.is_resource[placed]:
                self._errors.append(
                    ResolveError("this is not a resource, and only resources have handles", span)
                )
        interfaces: dict[str, InterfaceId] = {}
        for number, interface in enumerate(draft.interfaces):
            id_ = self._interfaces[number]
            if interface.foreign is not None or id_ is None:
                continue
            placed_interface = Interface(
                interface.name,
                {
                    name: placed
                    for name, type_ in interface.types.items()
                    if (placed := self._types[type_]) is not None
                },
                self._functions(interface.functions),
                self._package,
                interface.docs,
                interface.stability,
                span=interface.span,
            )
            placed_id = tables.add_interface(placed_interface)
            assert placed_id == id_
            if interface.name is not None:
                interfaces[interface.name] = id_
        worlds: dict[str, WorldId] = {}
        for number, world in enumerate(draft.worlds):
            world_id = self._worlds[number]
            if world.foreign is None and world_id is not None:
                assert tables.add_world(self._world(world)) == world_id
                worlds[world.name] = world_id
        self._finish_worlds()
        return tables.add_package(Package(draft.name, interfaces, worlds, draft.docs, draft.span))

    # --- Numbering --------------------------------------------------------------------------------------

    def _lets_in(self, stability: Stability, span: Span) -> bool:
        """Whether the gates let an item in; a wrong gate is reported, and its item stays."""
        try:
            return self._gates.lets_in(stability, self._draft.name, span)
        except GateError as error:
            if not any(known.span == span for known in self._errors):
                self._errors.append(error)
            return True

    def _number_interfaces(self) -> None:
        upcoming = len(self._tables.interfaces)
        for interface in self._draft.interfaces:
            if interface.foreign is not None:
                package = self._foreign_package(interface.foreign, "interface")
                self._interfaces.append(
                    None
                    if package is None
                    else self._foreign_item(interface.foreign, package, package.interfaces, "interface")
                )
            elif self._lets_in(interface.stability, interface.span):
                self._interfaces.append(InterfaceId(upcoming))
                upcoming += 1
            else:
                self._interfaces.append(None)

    def _number_worlds(self) -> None:
        upcoming = len(self._tables.worlds)
        for world in self._draft.worlds:
            if world.foreign is not None:
                package = self._foreign_package(world.foreign, "world")
                self._worlds.append(
                    None
                    if package is None
                    else self._foreign_item(world.foreign, package, package.worlds, "world")
                )
            elif self._lets_in(world.stability, world.span):
                self._worlds.append(WorldId(upcoming))
                upcoming += 1
            else:
                self._worlds.append(None)

    def _foreign_package(self, foreign: ForeignItem, what: str) -> Package | None:
        id_ = self._tables.package_ids.get(foreign.package)
        if id_ is not None:
            return self._tables.packages[id_]
        known = [str(name) for name in self._tables.package_ids]
        hint = did_you_mean(str(foreign.package), known) or (
            "packages that are used belong into the folder `deps/`, or into the same file"
        )
        if foreign.package not in self._missing_packages:
            self._missing_packages.add(foreign.package)
            self._errors.append(
                ItemNotFound(f"there is no package `{foreign.package}`", foreign.package_span, hint=hint)
            )
        return None

    def _is_wanted(self, foreign: ForeignItem) -> bool:
        return any(self._lets_in(stability, foreign.span) for stability in foreign.stabilities)

    def _foreign_item(
        self, foreign: ForeignItem, package: Package, items: Mapping[str, _ItemId], what: str
    ) -> _ItemId | None:
        if not self._is_wanted(foreign):
            return None
        found = items.get(foreign.name)
        if found is None:
            other = package.worlds if what == "interface" else package.interfaces
            hint = (
                f"`{foreign.name}` is {'a world' if what == 'interface' else 'an interface'} there"
                if foreign.name in other
                else did_you_mean(foreign.name, items)
            )
            self._errors.append(
                ItemNotFound(
                    f"package `{package.name}` has no {what} `{foreign.name}`", foreign.span, hint=hint
                )
            )
        return found

    # --- Types ------------------------------------------------------------------------------------------

    def _try_type(self, draft: DraftType) -> TypeId | None:
        try:
            if isinstance(draft.kind, ForeignType):
                return self._foreign_type(draft.kind, draft.span)
            if not self._lets_in(draft.stability, draft.span):
                return None
            span = draft.span
            kind = map_kind(
                draft.kind,
                lambda type_, where: self._use(type_, where or span),
                lambda type_: self._type(type_, span),
            )
            if draft.name is None and isinstance(kind, Own):
                return self._own_handle(kind.resource, draft.stability)
            return self._tables.add_type(
                TypeDef(
                    draft.name,
                    kind,
                    self._owner(draft.owner, span),
                    draft.docs,
                    draft.stability,
                    draft.external_id,
                    span,
                )
            )
        except _Excluded:
            self._failed.add(len(self._types))
            return None

    def _foreign_type(self, foreign: ForeignType, span: Span) -> TypeId | None:
        interface = self._interfaces[foreign.interface]
        if interface is None:
            item = self._draft.interfaces[foreign.interface].foreign
            assert item is not None, "a foreign type is of a foreign interface"
            if self._is_wanted(item):
                raise _Excluded  # it is missing, which is reported
            return None
        types = self._tables.interfaces[interface].types
        found = types.get(foreign.name)
        if found is None:
            name = self._draft.interfaces[foreign.interface].name
            self._errors.append(
                ItemNotFound(
                    f"the interface `{name}` has no type `{foreign.name}`",
                    span,
                    hint=did_you_mean(foreign.name, types),
                )
            )
            raise _Excluded
        return found

    def _type(self, type_: TypeId, span: Span, hint: str | None = None) -> TypeId:
        placed = self._types[type_]
        if placed is not None:
            return placed
        if type_ not in self._failed:
            draft = self._draft.types[type_]
            name = draft.kind.name if isinstance(draft.kind, ForeignType) else draft.name
            what = "a type in it" if name is None else f"the type `{name}`"
            self._report_excluded(what, span, hint)
        raise _Excluded

    def _report_excluded(self, what: str, span: Span, hint: str | None = None) -> None:
        self._errors.append(
            GateError(
                f"{what} is excluded: its feature is not switched on",
                span,
                hint=hint or "put the same `@unstable(…)` here, or switch the feature on",
            )
        )

    def _use(self, type_: Type, span: Span) -> Type:
        """A type where a value stands: a resource means an owned handle there."""
        if isinstance(type_, Primitive):
            return type_
        placed = self._type(type_, span)
        return self._own_handle(placed) if self._tables.is_resource[placed] else placed

    def _own_handle(self, resource: TypeId, stability: Stability = None) -> TypeId:
        if resource not in self._own:
            self._own[resource] = self._tables.add_type(TypeDef(None, Own(resource), None, None, stability))
        return self._own[resource]

    def _owner(self, owner: Owner, span: Span) -> Owner:
        match owner:
            case None:
                return None
            case InterfaceOwner(draft):
                interface = self._interfaces[draft]
                if interface is None:
                    self._report_excluded("the interface of this type", span, "gate the type as well")
                    raise _Excluded
                return InterfaceOwner(interface)
            case WorldOwner(draft_world):
                world = self._worlds[draft_world]
                if world is None:
                    self._report_excluded("the world of this type", span, "gate the type as well")
                    raise _Excluded
                return WorldOwner(world)
            case _:
                assert_never(owner)

    # --- Functions --------------------------------------------------------------------------------------

    def _functions(self, functions: Mapping[str, Function]) -> dict[str, Function]:
        placed = {}
        # Here the order is settled before handles are numbered; in a world it is after that.
        for name, function in setters_after_getters(functions).items():
            try:
                if self._lets_in(function.stability, _span_of(function)):
                    placed[name] = self._function(function)
            except _Excluded:
                pass
        return placed

    def _function(self, function: Function) -> Function:
        span = _span_of(function)
        kind = function.kind
        if kind.resource is not None:
            kind = replace(kind, resource=self._type(kind.resource, span))
        params = tuple(replace(param, type=self._use(param.type, span)) for param in function.params)
        result = None if function.result is None else self._use(function.result, span)
        if result is not None and self._tables.borrows(result):
            self._errors.append(
                ResolveError(
                    f"the function `{function.name}` returns a borrowed handle",
                    span,
                    hint="a borrow ends with the call; return an owned handle",
                )
            )
        return replace(function, kind=kind, params=params, result=result)

    # --- Worlds -----------------------------------------------------------------------------------------

    def _world(self, draft: DraftWorld) -> World:
        return World(
            draft.name,
            self._externs(draft.imports),
            self._externs(draft.exports),
            self._package,
            draft.docs,
            draft.stability,
            draft.span,
        )

    def _externs(self, externs: list[DraftExtern]) -> dict[WorldKey, WorldItem]:
        placed: dict[WorldKey, WorldItem] = {}
        for extern in externs:
            try:
                item = self._world_item(extern)
                if item is not None:
                    placed[self._key(extern.key, extern.span)] = item
            except _Excluded:
                pass
        return setters_after_getters(placed)

    def _world_item(self, extern: DraftExtern) -> WorldItem | None:
        """The item, or None where a gate excludes it."""
        item, span = extern.item, extern.span
        match item:
            case WorldType(type_):
                # Unlike everything else, a world's types cannot be left out: wasm-tools refuses that.
                return WorldType(self._type(type_, span, hint=_WORLD_TYPE_HINT), span)
            case WorldFunction(function):
                if not self._lets_in(function.stability, span):
                    return None
                return WorldFunction(self._function(function))
            case WorldInterface(interface, stability):
                if not self._lets_in(stability, span):
                    return None
                return replace(item, interface=self._interface(interface, span))
            case _:
                assert_never(item)

    def _key(self, key: DraftKey, span: Span) -> WorldKey:
        return key if isinstance(key, str) else self._interface(key, span)

    def _interface(self, interface: InterfaceId, span: Span) -> InterfaceId:
        placed = self._interfaces[interface]
        if placed is None:
            draft = self._draft.interfaces[interface]
            if draft.foreign is None:
                self._report_excluded(f"the interface `{draft.name}`", span)
            raise _Excluded
        return placed

    def _finish_worlds(self) -> None:
        """Includes and transitive imports; a world comes after those that it includes."""
        includer = Includer(self._tables, self._package, self._errors)
        for number, draft in enumerate(self._draft.worlds):
            world = self._worlds[number]
            if draft.foreign is not None or world is None:
                continue
            for include in draft.includes:
                if not self._lets_in(include.stability, include.span):
                    continue
                included = self._worlds[include.world]
                if included is not None:
                    includer.include(world, included, include.names, include.span)
                elif self._draft.worlds[include.world].foreign is None:
                    self._report_excluded(
                        f"the world `{self._draft.worlds[include.world].name}`", include.span
                    )
            elaborate(world, self._tables, self._errors)


def _span_of(function: Function) -> Span:
    assert function.span is not None, "a draft's function has a span"
    return function.span


def setters_after_getters(items: Mapping[_Key, _Value]) -> dict[_Key, _Value]:
    """The items in their order, but a setter that comes before its getter directly after that."""
    early: dict[object, _Key] = {}
    ordered: dict[_Key, _Value] = {}
    for key, item in items.items():
        if isinstance(key, str) and "[set]" in key:
            getter = key.replace("[set]", "[get]")
            if getter in items and getter not in ordered:
                early[getter] = key
                continue
        ordered[key] = item
        if key in early:
            setter = early[key]
            ordered[setter] = items[setter]
    return ordered
