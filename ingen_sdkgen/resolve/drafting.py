"""From the syntax trees of one package to its draft: namespaces, paths, interfaces, worlds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias, assert_never

from ingen_sdkgen.diagnostics import (
    ItemConflict,
    ItemNotFound,
    Note,
    ResolveError,
    WitError,
    did_you_mean,
)
from ingen_sdkgen.model import (
    Alias,
    InterfaceId,
    InterfaceOwner,
    PackageName,
    Span,
    TypeId,
    WorldFunction,
    WorldId,
    WorldInterface,
    WorldItem,
    WorldOwner,
    WorldType,
)
from ingen_sdkgen.resolve.drafts import (
    DraftExtern,
    DraftInclude,
    DraftInterface,
    DraftKey,
    DraftType,
    DraftWorld,
    ForeignItem,
    ForeignType,
    PackageDraft,
)
from ingen_sdkgen.resolve.labels import NameScope
from ingen_sdkgen.resolve.order import topological_order
from ingen_sdkgen.resolve.types import TypeDrafter, TypeScope
from ingen_sdkgen.wit import syntax


@dataclass(slots=True)
class PackageSyntax:
    """The syntax trees that make up one package: for each file (or nested package) its items."""

    name: PackageName
    span: Span
    docs: str | None
    files: list[Sequence[syntax.TopItem]]


@dataclass(frozen=True, slots=True)
class _LocalInterface:
    id: InterfaceId


@dataclass(frozen=True, slots=True)
class _LocalWorld:
    id: WorldId


_Item: TypeAlias = _LocalInterface | _LocalWorld


@dataclass(frozen=True, slots=True)
class PathUse:
    """A path that is written somewhere in a package.

    `item` is the interface or world that needs what the path names to be resolved first.
    """

    item: str | None
    path: syntax.Path
    gates: syntax.Gates
    wants_world: bool


@dataclass(slots=True)
class _Namespace:
    """Names at the top of one file."""

    items: dict[str, _Item] = field(default_factory=dict)
    spans: dict[str, Span] = field(default_factory=dict)
    # Names whose `use` failed; they are not reported again.
    broken: set[str] = field(default_factory=set)


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


def draft_package(package: PackageSyntax, errors: list[WitError]) -> PackageDraft:
    """Resolve the names of a package as far as the package itself tells; mistakes go to `errors`."""
    return _Drafting(package, errors).run()


class _Drafting:
    def __init__(self, package: PackageSyntax, errors: list[WitError]) -> None:
        self._package = package
        self._errors = errors
        self._draft = PackageDraft(package.name, package.span, package.docs)
        self._types = TypeDrafter(self._draft, errors)
        self._foreign: dict[tuple[PackageName, str], _Item] = {}
        self._foreign_types: dict[tuple[InterfaceId, str], TypeId] = {}
        # What other interfaces may take from an interface, by name; functions are there to say what they are.
        self._scopes: dict[InterfaceId, TypeScope] = {}
        self._items: dict[str, _Item] = {}
        self._item_spans: dict[str, Span] = {}
        self._namespaces: list[_Namespace] = []
        self._namespace = _Namespace()

    def run(self) -> PackageDraft:
        for file in self._package.files:
            for item in file:
                if isinstance(item, syntax.NestedPackage):
                    self._errors.append(
                        ResolveError(
                            "a nested package stands at the top of a file, not in another package",
                            item.package.span,
                        )
                    )
        self._add_foreign_items()
        definitions = self._order_items()
        self._fill_namespaces()
        for name, (interface, number) in definitions.items():
            target = self._items[name]
            if isinstance(interface, syntax.InterfaceSyntax) and isinstance(target, _LocalInterface):
                self._namespace = self._namespaces[number]
                self._interface(target.id, interface.items, interface.docs, interface.gates)
        for name, (world, number) in definitions.items():
            target = self._items[name]
            if isinstance(world, syntax.WorldSyntax) and isinstance(target, _LocalWorld):
                self._namespace = self._namespaces[number]
                self._world(target.id, world)
        return self._draft

    # --- Namespaces -------------------------------------------------------------------------------------

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
                        item = self._add_world(DraftWorld(path.id.name, path.id.span, foreign=foreign))
                    else:
                        item = self._add_interface(
                            DraftInterface(path.id.name, path.id.span, foreign=foreign)
                        )
                    self._foreign[key] = item
                known = (
                    self._draft.interfaces[item.id].foreign
                    if isinstance(item, _LocalInterface)
                    else self._draft.worlds[item.id].foreign
                )
                assert known is not None
                known.stabilities.append(use.gates.stability)

    def _add_interface(self, interface: DraftInterface) -> _LocalInterface:
        self._draft.interfaces.append(interface)
        return _LocalInterface(InterfaceId(len(self._draft.interfaces) - 1))

    def _add_world(self, world: DraftWorld) -> _LocalWorld:
        self._draft.worlds.append(world)
        return _LocalWorld(WorldId(len(self._draft.worlds) - 1))

    def _order_items(self) -> dict[str, tuple[syntax.InterfaceSyntax | syntax.WorldSyntax, int]]:
        """Number interfaces and worlds. Returns them by name, with their file, in dependency order."""
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
                self._items[name] = self._add_interface(DraftInterface(name, item.id.span))
            else:
                self._items[name] = self._add_world(DraftWorld(name, item.id.span))
            self._item_spans[name] = item.id.span
        return {name: definitions[name] for name in order}

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

    def _fill_namespaces(self) -> None:
        for file in self._package.files:
            namespace = _Namespace()
            self._namespaces.append(namespace)
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
                    target = self._path_target(item.path, file=None)
                    self._name_in_file(namespace, item.local, target)
                elif isinstance(item, syntax.InterfaceSyntax | syntax.WorldSyntax):
                    target = self._items.get(item.id.name)
                    # A second definition in the package is reported already.
                    if target is not None and self._item_spans[item.id.name] == item.id.span:
                        self._name_in_file(namespace, item.id, target)

    def _name_in_file(self, namespace: _Namespace, id_: syntax.Id, target: _Item | None) -> None:
        if id_.name in namespace.spans:
            self._errors.append(
                ItemConflict(
                    f"this file has the name `{id_.name}` twice",
                    id_.span,
                    notes=[Note("the first one is here", namespace.spans[id_.name])],
                )
            )
            return
        namespace.spans[id_.name] = id_.span
        if target is None:
            namespace.broken.add(id_.name)
        else:
            namespace.items[id_.name] = target

    # --- Paths ------------------------------------------------------------------------------------------

    def _path_target(self, path: syntax.Path, file: _Namespace | None) -> _Item | None:
        """What a path names, or None after a mistake. Without a file, only the package is looked at."""
        if isinstance(path, syntax.PackagePath):
            return self._foreign[path.package, path.id.name]
        name = path.id.name
        if file is not None and name in file.broken:
            return None
        found = (file.items.get(name) if file is not None else None) or self._items.get(name)
        if found is None:
            known = [*self._items, *(file.items if file is not None else ())]
            self._errors.append(
                ItemNotFound(
                    f"there is no interface or world `{name}`", path.id.span, hint=did_you_mean(name, known)
                )
            )
        return found

    def _interface_at(self, path: syntax.Path) -> InterfaceId | None:
        target = self._path_target(path, self._namespace)
        if isinstance(target, _LocalWorld):
            self._errors.append(
                ResolveError(f"`{path.id.name}` is a world, and an interface is needed here", path.id.span)
            )
            return None
        return None if target is None else target.id

    def _world_at(self, path: syntax.Path) -> WorldId | None:
        target = self._path_target(path, self._namespace)
        if isinstance(target, _LocalInterface):
            self._errors.append(
                ResolveError(f"`{path.id.name}` is an interface, and a world is needed here", path.id.span)
            )
            return None
        return None if target is None else target.id

    # --- Interfaces -------------------------------------------------------------------------------------

    def _interface(
        self,
        id_: InterfaceId,
        members: Sequence[syntax.InterfaceItem],
        docs: str | None,
        gates: syntax.Gates,
    ) -> None:
        interface = self._draft.interfaces[id_]
        interface.docs, interface.stability = docs, gates.stability
        functions = [member for member in members if isinstance(member, syntax.NamedFunction)]
        scope = TypeScope(InterfaceOwner(id_), (function.id.name for function in functions))
        self._use_and_define(scope, members)
        interface.types = dict(scope.types)
        names = NameScope()
        for name in scope.types:
            self._check_name(names, name, scope.spans[name], scope.spans)
        spans = dict(scope.spans)
        for member in members:
            if isinstance(member, syntax.NamedFunction):
                self._interface_function(interface, scope, names, spans, member, None)
            elif isinstance(member, syntax.TypeDefinition) and isinstance(member.body, syntax.ResourceBody):
                for function in member.body.functions:
                    self._interface_function(interface, scope, names, spans, function, member.id)
        self._check_setters(interface.functions)
        self._scopes[id_] = scope

    def _interface_function(
        self,
        interface: DraftInterface,
        scope: TypeScope,
        names: NameScope,
        spans: dict[str, Span],
        member: syntax.NamedFunction,
        resource: syntax.Id | None,
    ) -> None:
        function = self._types.function(scope, member, resource)
        if self._check_name(names, function.name, member.id.span, spans):
            interface.functions[function.name] = function
            spans[function.name] = member.id.span

    def _check_name(self, names: NameScope, name: str, span: Span, spans: Mapping[str, Span]) -> bool:
        previous = names.add(name)
        if previous is None:
            return True
        same = previous == name
        self._errors.append(
            ItemConflict(
                f"the name `{name}` stands here twice" if same else f"`{name}` clashes with `{previous}`",
                span,
                notes=[Note("the first one is here", spans[previous])] if previous in spans else [],
                hint=None if same else "names must differ in more than case and hyphens",
            )
        )
        return False

    def _check_setters(self, functions: Mapping[str, object]) -> None:
        for name, function in functions.items():
            if "[set]" in name and name.replace("[set]", "[get]") not in functions:
                span = getattr(function, "span", None)
                self._errors.append(
                    ResolveError(
                        f"the setter `{name}` has no getter `{name.replace('[set]', '[get]')}`",
                        span,
                        hint="write the getter too; WIT has no properties that can only be set",
                    )
                )

    def _use_and_define(
        self, scope: TypeScope, members: Sequence[syntax.InterfaceItem | syntax.WorldItemSyntax]
    ) -> None:
        for member in members:
            if isinstance(member, syntax.Use):
                self._use(scope, member)
        self._types.define(scope, members)

    def _use(self, scope: TypeScope, use: syntax.Use) -> None:
        source = self._interface_at(use.path)
        for name in use.names:
            type_ = None if source is None else self._type_of(source, name.id, use.path)
            if type_ is None:
                scope.broken.add(name.local.name)
                continue
            alias = DraftType(
                name.local.name,
                Alias(type_),
                scope.owner,
                name.id.span,
                stability=use.gates.stability,
                external_id=use.gates.external_id,
            )
            self._types.name_type(scope, name.local, self._types.add(alias))

    def _type_of(self, source: InterfaceId, id_: syntax.Id, path: syntax.Path) -> TypeId | None:
        """The type of that name in an interface, or None after a mistake."""
        if self._draft.interfaces[source].foreign is not None:
            key = (source, id_.name)
            if key not in self._foreign_types:
                foreign = DraftType(None, ForeignType(source, id_.name), None, id_.span)
                self._foreign_types[key] = self._types.add(foreign)
            return self._foreign_types[key]
        scope = self._scopes.get(source)
        if scope is None:
            return None  # on a cycle, which is reported
        found = scope.types.get(id_.name)
        if found is None and id_.name not in scope.broken:
            if id_.name in scope.function_names:
                self._errors.append(
                    ResolveError(f"`{id_.name}` is a function, and only types can be used", id_.span)
                )
            else:
                self._errors.append(
                    ItemNotFound(
                        f"the interface `{path.id.name}` has no type `{id_.name}`",
                        id_.span,
                        hint=did_you_mean(id_.name, scope.types),
                    )
                )
        return found

    # --- Worlds -----------------------------------------------------------------------------------------

    def _world(self, id_: WorldId, written: syntax.WorldSyntax) -> None:
        world = self._draft.worlds[id_]
        world.docs, world.stability = written.docs, written.gates.stability
        scope = TypeScope(WorldOwner(id_))
        self._use_and_define(scope, written.items)
        for item in written.items:
            if isinstance(item, syntax.Include):
                self._include(world, item)
        reading = _WorldReading(world)
        for name, type_ in scope.types.items():
            self._add_extern(reading, True, name, WorldType(type_, scope.spans[name]), scope.spans[name])
        for item in written.items:
            if isinstance(item, syntax.WorldExtern):
                self._extern(reading, scope, item)
            elif isinstance(item, syntax.TypeDefinition) and isinstance(item.body, syntax.ResourceBody):
                for member in item.body.functions:
                    function = self._types.function(scope, member, item.id)
                    self._add_extern(reading, True, function.name, WorldFunction(function), member.id.span)
        for side in (world.imports, world.exports):
            self._check_setters(
                {
                    extern.key: extern.item.function
                    for extern in side
                    if isinstance(extern.item, WorldFunction) and isinstance(extern.key, str)
                }
            )

    def _include(self, world: DraftWorld, include: syntax.Include) -> None:
        target = self._world_at(include.path)
        if target is not None:
            names = [(name.id.name, name.alias.name) for name in include.names]
            world.includes.append(DraftInclude(target, names, include.gates.stability, include.path.id.span))

    def _extern(self, reading: _WorldReading, scope: TypeScope, written: syntax.WorldExtern) -> None:
        extern, gates = written.extern, written.gates
        match extern:
            case syntax.ExternFunction(id_, function):
                named = syntax.NamedFunction(id_, function, written.docs, gates)
                result = self._types.function(scope, named, None)
                self._add_extern(reading, written.is_import, result.name, WorldFunction(result), extern.span)
            case syntax.ExternInterface(id_, members):
                interface = self._add_interface(DraftInterface(None, id_.span)).id
                self._interface(interface, members, written.docs, gates)
                item = WorldInterface(interface, gates.stability, gates.external_id, None, extern.span)
                self._add_extern(reading, written.is_import, id_.name, item, extern.span)
            case syntax.ExternPath(label, path):
                target = self._interface_at(path)
                if target is None:
                    return
                item = WorldInterface(target, gates.stability, gates.external_id, written.docs, extern.span)
                key: DraftKey = target if label is None else label.name
                self._add_extern(reading, written.is_import, key, item, extern.span)
            case _:
                assert_never(extern)

    def _add_extern(
        self, reading: _WorldReading, is_import: bool, key: DraftKey, item: WorldItem, span: Span
    ) -> None:
        what = "import" if is_import else "export"
        side = reading.imports if is_import else reading.exports
        if not isinstance(key, str):
            if key in side.interfaces:
                self._errors.append(
                    ItemConflict(
                        f"this interface is {what}ed twice",
                        span,
                        notes=[Note("the first time is here", side.interfaces[key])],
                        hint=f"give one of them a label of its own: `{what} label: …`",
                    )
                )
                return
            side.interfaces[key] = span
        else:
            kind = {WorldInterface: "interface", WorldFunction: "function", WorldType: "type"}[type(item)]
            previous = side.names.add(key)
            if previous is not None:
                self._errors.append(
                    ItemConflict(
                        f"the {what} `{key}` clashes with the {side.kinds[previous]} `{previous}`",
                        span,
                        notes=[Note("the first one is here", side.spans[previous])],
                        hint=None if previous == key else "names must differ in more than case and hyphens",
                    )
                )
                return
            side.kinds[key], side.spans[key] = kind, span
        externs = reading.world.imports if is_import else reading.world.exports
        externs.append(DraftExtern(key, item, span))


class _Side:
    """The names of a world's imports, or of its exports."""

    def __init__(self) -> None:
        self.names = NameScope()
        self.kinds: dict[str, str] = {}
        self.spans: dict[str, Span] = {}
        self.interfaces: dict[InterfaceId, Span] = {}


class _WorldReading:
    """A world while its items are added."""

    def __init__(self, world: DraftWorld) -> None:
        self.world = world
        self.imports = _Side()
        self.exports = _Side()
