"""The `package-docs` section of an encoded WIT package: documentation and gates, which types cannot carry.

Its content is a version byte and a JSON object that is nested like the package; whatever has neither
documentation nor gates is left out.

Source: wit-component 0.262; the format is documented nowhere else.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, TypeAlias, assert_never

from ingen_sdkgen.model import (
    Enum,
    Flags,
    Function,
    Interface,
    Package,
    Record,
    Resolve,
    Stability,
    TypeDef,
    Variant,
    World,
    WorldFunction,
    WorldInterface,
    WorldKey,
    WorldType,
)
from ingen_sdkgen.model_json import stability_json

PACKAGE_DOCS_SECTION = "package-docs"
_VERSION = 1

_Object: TypeAlias = dict[str, Any]


def encode_package_docs(resolve: Resolve) -> bytes:
    """The content of the section for the main package."""
    content = _package(resolve, resolve.packages[resolve.main])
    text = json.dumps(content, separators=(",", ":"), ensure_ascii=False)
    return bytes([_VERSION]) + text.encode()


def _package(resolve: Resolve, package: Package) -> _Object:
    worlds = {name: _world(resolve, resolve.worlds[id_]) for name, id_ in package.worlds.items()}
    interfaces = {
        name: _interface(resolve, resolve.interfaces[id_]) for name, id_ in package.interfaces.items()
    }
    return _item(package.docs) | _without_empty({"worlds": worlds, "interfaces": interfaces})


def _item(docs: str | None, stability: Stability = None) -> _Object:
    out: _Object = {}
    if docs is not None:
        out["docs"] = docs
    if stability is not None:
        out["stability"] = stability_json(stability)
    return out


def _without_empty(groups: dict[str, dict[str, Any]]) -> _Object:
    """`groups` without empty entries, and without groups that have no entry then."""
    pruned = {
        group: {name: content for name, content in entries.items() if content}
        for group, entries in groups.items()
    }
    return {group: entries for group, entries in pruned.items() if entries}


def _world(resolve: Resolve, world: World) -> _Object:
    groups: dict[str, dict[str, Any]] = {
        name: {}
        for name in (
            "interfaces",
            "types",
            "funcs",
            "interface_exports",
            "func_exports",
            "interface_import_stability",
            "interface_export_stability",
            "interface_import_docs",
            "interface_export_docs",
        )
    }
    for imported, items in ((True, world.imports), (False, world.exports)):
        direction = "import" if imported else "export"
        for key, item in items.items():
            match item:
                case WorldInterface(interface_id):
                    interface = resolve.interfaces[interface_id]
                    if interface.name is None:
                        group = groups["interfaces" if imported else "interface_exports"]
                        group[str(key)] = _interface(resolve, interface)
                        continue
                    name = world_key_name(resolve, key)
                    if item.stability is not None:
                        groups[f"interface_{direction}_stability"][name] = stability_json(item.stability)
                    if item.docs is not None:
                        groups[f"interface_{direction}_docs"][name] = item.docs
                case WorldFunction(function):
                    group = groups["funcs" if imported else "func_exports"]
                    group[function.name] = _function(function)
                case WorldType(type_id):
                    groups["types"][str(key)] = _type_def(resolve.types[type_id])
                case _:
                    assert_never(item)
    return _item(world.docs, world.stability) | _without_empty(groups)


def world_key_name(resolve: Resolve, key: WorldKey) -> str:
    """The name of an item of a world as its binary form spells it."""
    if isinstance(key, str):
        return key
    name = resolve.interface_name(key)
    assert name is not None, "an interface that is named by its package has a name"
    return name


def _interface(resolve: Resolve, interface: Interface) -> _Object:
    functions = {name: _function(function) for name, function in interface.functions.items()}
    types = {name: _type_def(resolve.types[type_id]) for name, type_id in interface.types.items()}
    return _item(interface.docs, interface.stability) | _without_empty({"funcs": functions, "types": types})


def _function(function: Function) -> _Object:
    return _item(function.docs, function.stability)


def _type_def(type_def: TypeDef) -> _Object:
    members: Iterable[Any]
    match type_def.kind:
        case Record(members) | Flags(members) | Variant(members) | Enum(members):
            pass
        case _:
            members = ()
    items = {member.name: member.docs for member in members if member.docs is not None}
    out = _item(type_def.docs, type_def.stability)
    if items:
        out["items"] = items
    return out
