"""Makes a world complete: adds the imports and exports that its items need, and sorts it.

An interface that uses another's types needs that one beside it. An exported interface takes it from the
exports where it is there, else from the imports, and may not reach it both ways: it would see two types where
the text has one.
"""

from __future__ import annotations

from dataclasses import replace

from ingen_sdkgen.diagnostics import ResolveError, WitError
from ingen_sdkgen.model import (
    Alias,
    InterfaceId,
    Primitive,
    WorldFunction,
    WorldId,
    WorldInterface,
    WorldItem,
    WorldKey,
    WorldType,
)
from ingen_sdkgen.resolve.tables import Tables


def elaborate(id_: WorldId, tables: Tables, errors: list[WitError]) -> None:
    """Complete a world in place; mistakes go to `errors`."""
    world = tables.worlds[id_]
    imports: dict[WorldKey, WorldItem] = {}
    for key, item in sorted(world.imports.items(), key=lambda entry: _rank(tables, entry[1])):
        if isinstance(item, WorldInterface):
            _import_with_uses(tables, imports, key, item)
        else:
            if isinstance(item, WorldType):
                used = tables.used_interface(item.type)
                if used is not None:
                    stability = tables.types[item.type].stability
                    _import_with_uses(tables, imports, used, WorldInterface(used, stability))
            imports[key] = item

    exports: dict[WorldKey, WorldItem] = {
        key: item for key, item in world.exports.items() if not isinstance(item, WorldInterface)
    }
    interfaces = {key: item for key, item in world.exports.items() if isinstance(item, WorldInterface)}
    exporter = _Exporter(tables, imports, exports, interfaces)
    for key, item in interfaces.items():
        conflict = exporter.add(key, item)
        if conflict is not None:
            name = key if isinstance(key, str) else tables.interface_name(key)
            shared = tables.interface_name(conflict)
            errors.append(
                ResolveError(
                    f"the export `{name}` reaches `{shared}` both as an import and as an export",
                    world.span,
                    hint=f"export every interface between `{name}` and `{shared}` too, or none of them",
                )
            )
            break
    ordered = sorted(imports.items(), key=lambda entry: _rank(tables, entry[1]))
    tables.worlds[id_] = replace(world, imports=dict(ordered), exports=exports)


def _rank(tables: Tables, item: WorldItem) -> int:
    """Interfaces, types that are used, types that are defined, functions, functions of resources."""
    match item:
        case WorldInterface():
            return 0
        case WorldType(type_):
            definition = tables.types[type_]
            kind = definition.kind
            is_used = (
                isinstance(kind, Alias)
                and not isinstance(kind.type, Primitive)
                and tables.types[kind.type].owner != definition.owner
            )
            return 1 if is_used else 2
        case WorldFunction(function):
            return 3 if function.kind.resource is None else 4


def _import_with_uses(
    tables: Tables, imports: dict[WorldKey, WorldItem], root: WorldKey, item: WorldInterface
) -> None:
    """Import an interface after those that it uses. They take over its gate."""
    # An explicit stack: chains of `use` can be longer than Python's.
    pending: list[tuple[WorldKey, WorldInterface, bool]] = [(root, item, False)]
    while pending:
        key, current, ready = pending.pop()
        if key in imports:
            continue
        if ready:
            imports[key] = current
            continue
        pending.append((key, current, True))
        for used in reversed(tables.interface_uses[current.interface]):
            if used not in imports:
                pending.append((used, WorldInterface(used, item.stability), False))


class _Exporter:
    def __init__(
        self,
        tables: Tables,
        imports: dict[WorldKey, WorldItem],
        exports: dict[WorldKey, WorldItem],
        wanted: dict[WorldKey, WorldInterface],
    ) -> None:
        self._tables = tables
        self._imports = imports
        self._exports = exports
        self._wanted = wanted
        # Interfaces that some export can reach only as imports.
        self._required_imports: set[InterfaceId] = set()

    def add(self, root: WorldKey, item: WorldInterface) -> InterfaceId | None:
        """Export an interface after those that it uses. Returns one that it reaches both ways, or None."""
        pending: list[tuple[WorldKey, WorldInterface, bool, bool]] = [(root, item, True, False)]
        while pending:
            key, current, as_export, ready = pending.pop()
            interface = current.interface
            if not ready:
                if key in self._exports:
                    if as_export:
                        continue
                    return interface
                if not as_export and interface in self._required_imports:
                    continue
                pending.append((key, current, as_export, True))
                for used in reversed(self._tables.interface_uses[interface]):
                    pending.append(self._used(used, item, as_export))
                continue
            if as_export:
                if interface in self._required_imports:
                    return interface
                self._exports[key] = current
            else:
                self._required_imports.add(interface)
                self._imports.setdefault(key, current)
        return None

    def _used(
        self, used: InterfaceId, root: WorldInterface, as_export: bool
    ) -> tuple[WorldKey, WorldInterface, bool, bool]:
        """What an export uses goes by the gate and the external id of that export, even if it has its own."""
        as_export = as_export and used in self._wanted
        return used, WorldInterface(used, root.stability, root.external_id), as_export, False
