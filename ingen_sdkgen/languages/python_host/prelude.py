"""The top of a module: what it imports, and what it offers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ingen_sdkgen.languages.plan import Direction
from ingen_sdkgen.languages.python.definitions import DefinitionView
from ingen_sdkgen.languages.python.errors import ErrorView
from ingen_sdkgen.languages.python.names import constants_first, natural
from ingen_sdkgen.languages.python_host.views import SideView


def public_names(
    is_world: bool,
    definitions: Sequence[DefinitionView],
    errors: Sequence[ErrorView],
    sides: Mapping[Direction, SideView],
) -> list[str]:
    """The names of a module that are for its users, in the order of `__all__`."""
    found = {name for view in definitions for name in (view.name, *(case.name for case in view.cases))}
    found |= {error.name for error in errors}
    for side in sides.values():
        if is_world or not side.is_empty:
            found |= {side.class_name, side.async_class_name}
        found |= {name for resource in side.resources for name in (resource.name, resource.async_name)}
    return constants_first(found)


def written_builtins(is_world: bool, sides: Mapping[Direction, SideView]) -> set[str]:
    """The built-in names of a module outside of the annotations of values, where a member may hide them."""
    imported, exported = sides[Direction.IMPORT], sides[Direction.EXPORT]
    found = {"bytes", "classmethod", "object", "staticmethod", "str"} if is_world else set()
    if imported.resources:
        found.add("type")
    if any(function.is_static for function in imported.checked):
        found.add("staticmethod")
    if any(function.is_static or function.is_constructor for function in exported.checked):
        found.add("classmethod")
    return found


def import_lines(
    is_world: bool,
    definitions: Sequence[DefinitionView],
    errors: Sequence[ErrorView],
    sides: Mapping[Direction, SideView],
    used: set[str],
    modules: set[str],
) -> list[str]:
    """The imports of a module, sorted as ruff sorts them; just those that it needs."""
    imported, exported = sides[Direction.IMPORT], sides[Direction.EXPORT]
    has_imports = is_world or not imported.is_empty
    functions = imported.checked
    constructs = any(f.is_constructor for f in exported.checked)
    wanted: dict[str, dict[str, bool]] = {
        "collections.abc": {
            "AsyncIterable": "AsyncIterable" in used,
            "Awaitable": "Awaitable" in used or any(not f.is_constructor for f in functions),
            "Iterable": "Iterable" in used,
            "Mapping": True,
            "Sequence": "Sequence" in used,
        },
        "dataclasses": {"dataclass": any(d.is_record or d.is_variant for d in definitions)},
        "enum": {
            "Enum": any(d.is_enum for d in definitions),
            "Flag": any(d.is_flags for d in definitions),
        },
        "typing": {
            "Any": True,
            "Protocol": has_imports,
            "Self": is_world or constructs,
            "TypeAlias": any(d.is_alias or d.is_variant for d in definitions),
        },
    }
    bindings = {
        "Err": "Err" in used,
        "ExportedResource": bool(exported.resources),
        "FutureReader": "FutureReader" in used,
        "Ok": "Ok" in used,
        "ResultError": bool(errors) or not is_world,
        "Some": "Some" in used,
        "StreamReader": "StreamReader" in used,
        "StreamWriter": "StreamWriter" in used,
    }
    lines = ["import builtins as _builtins"] * ("builtins" in used) + ["import os as _os"] * is_world
    lines += ["from abc import abstractmethod as _abstractmethod"] * bool(functions)
    for module, names in wanted.items():
        chosen = [name for name, needed in names.items() if needed]
        lines += [f"from {module} import {', '.join(chosen)}"] * bool(chosen)
    lines.append("")
    lines += ["from ingen_runtime import bindings as _bindings"] * (is_world or not exported.is_empty)
    chosen = [name for name, needed in bindings.items() if needed]
    lines += [f"from ingen_runtime.bindings import {', '.join(chosen)}"] * bool(chosen)
    if modules:
        lines += ["", *(f"from . import {module} as _{module}" for module in sorted(modules, key=natural))]
    return lines
