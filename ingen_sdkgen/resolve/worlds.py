"""Worlds of a draft: their types, includes, imports and exports."""

from __future__ import annotations

from typing import assert_never

from ingen_sdkgen.diagnostics import ItemConflict, Note, WitError
from ingen_sdkgen.labels import NameScope
from ingen_sdkgen.model import (
    InterfaceId,
    Span,
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
    DraftWorld,
    PackageDraft,
)
from ingen_sdkgen.resolve.functions import FunctionDrafter
from ingen_sdkgen.resolve.interfaces import InterfaceDrafter
from ingen_sdkgen.resolve.namespaces import FileNames
from ingen_sdkgen.resolve.types import TypeScope
from ingen_sdkgen.wit import syntax


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


class WorldDrafter:
    """Fills in worlds of a package's draft; mistakes go to `errors`."""

    def __init__(
        self,
        draft: PackageDraft,
        functions: FunctionDrafter,
        interfaces: InterfaceDrafter,
        errors: list[WitError],
    ) -> None:
        self._draft = draft
        self._functions = functions
        self._interfaces = interfaces
        self._errors = errors

    def draft(self, id_: WorldId, written: syntax.WorldSyntax, file: FileNames) -> None:
        """Fill in the world of that number; the package's interfaces are filled in."""
        world = self._draft.worlds[id_]
        world.docs, world.stability = written.docs, written.gates.stability
        scope = TypeScope(WorldOwner(id_))
        self._interfaces.use_and_define(scope, written.items, file)
        for item in written.items:
            if isinstance(item, syntax.Include):
                self._include(world, item, file)
        reading = _WorldReading(world)
        for name, type_ in scope.types.items():
            self._add_extern(reading, True, name, WorldType(type_, scope.spans[name]), scope.spans[name])
        for item in written.items:
            if isinstance(item, syntax.WorldExtern):
                self._extern(reading, scope, item, file)
            elif isinstance(item, syntax.TypeDefinition) and isinstance(item.body, syntax.ResourceBody):
                for member in item.body.functions:
                    function = self._functions.draft(scope, member, item.id)
                    self._add_extern(reading, True, function.name, WorldFunction(function), member.id.span)
        for side in (world.imports, world.exports):
            self._interfaces.check_setters(
                {
                    extern.key: extern.item.function
                    for extern in side
                    if isinstance(extern.item, WorldFunction) and isinstance(extern.key, str)
                }
            )

    def _include(self, world: DraftWorld, include: syntax.Include, file: FileNames) -> None:
        target = file.world_at(include.path)
        if target is not None:
            names = [(name.id.name, name.alias.name) for name in include.names]
            world.includes.append(DraftInclude(target, names, include.gates.stability, include.path.id.span))

    def _extern(
        self, reading: _WorldReading, scope: TypeScope, written: syntax.WorldExtern, file: FileNames
    ) -> None:
        extern, gates = written.extern, written.gates
        match extern:
            case syntax.ExternFunction(id_, function):
                named = syntax.NamedFunction(id_, function, written.docs, gates)
                result = self._functions.draft(scope, named, None)
                self._add_extern(reading, written.is_import, result.name, WorldFunction(result), extern.span)
            case syntax.ExternInterface(id_, members):
                interface = self._draft.add_interface(DraftInterface(None, id_.span))
                self._interfaces.draft(interface, members, written.docs, gates, file)
                item = WorldInterface(interface, gates.stability, gates.external_id, None, extern.span)
                self._add_extern(reading, written.is_import, id_.name, item, extern.span)
            case syntax.ExternPath(label, path):
                target = file.interface_at(path)
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
