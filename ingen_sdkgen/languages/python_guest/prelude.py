"""The top of a module: what it imports, and what it offers."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from ingen_sdkgen.languages.python.definitions import DefinitionView
from ingen_sdkgen.languages.python.errors import ErrorView
from ingen_sdkgen.languages.python.names import constants_first, natural
from ingen_sdkgen.languages.python_guest.views import FunctionView, ProtocolView, ResourceView

WORLD_NAMES = ("Err", "NoHost", "Ok", "ResultError", "Some", "WrongValue")
"""What the world's module offers of what all worlds have."""


def public_names(
    is_world: bool,
    definitions: Sequence[DefinitionView],
    errors: Sequence[ErrorView],
    functions: Sequence[FunctionView],
    resources: Sequence[ResourceView],
    protocols: Sequence[ProtocolView],
) -> list[str]:
    """The names of a module that are for its users, in the order of `__all__`."""
    found = {name for view in definitions for name in (view.name, *(case.name for case in view.cases))}
    found |= {error.name for error in errors}
    found |= {function.name for function in functions}
    found |= {resource.name for resource in resources}
    found |= {protocol.class_name for protocol in protocols}
    found |= {resource.name for protocol in protocols for resource in protocol.resources}
    if is_world:
        found |= {*WORLD_NAMES, "export", "fake_host"}
    return constants_first(found)


def import_lines(
    is_world: bool,
    definitions: Sequence[DefinitionView],
    errors: Sequence[ErrorView],
    protocols: Sequence[ProtocolView],
    has_calls: bool,
    used: Collection[str],
    modules: Collection[str],
) -> list[str]:
    """The imports of a module, sorted as ruff sorts them; just those that it needs."""
    implemented = any(p.functions or any(r.functions for r in p.resources) for p in protocols)
    wanted: dict[str, dict[str, bool]] = {
        "collections.abc": {"Mapping": "Mapping" in used, "Sequence": "Sequence" in used},
        "contextlib": {"AbstractContextManager as _AbstractContextManager": is_world},
        "dataclasses": {"dataclass": any(d.is_record or d.is_variant for d in definitions)},
        "enum": {
            "Enum": any(d.is_enum for d in definitions),
            "Flag": any(d.is_flags for d in definitions),
        },
        "typing": {
            "Protocol": bool(protocols),
            "TypeAlias": any(d.is_alias or d.is_variant for d in definitions),
        },
    }
    values = {
        name: is_world or name in used or (name == "ResultError" and bool(errors)) for name in WORLD_NAMES
    }
    lines = ["import builtins as _builtins"] * ("builtins" in used)
    lines += ["from abc import abstractmethod as _abstractmethod"] * implemented
    for module, names in wanted.items():
        lines += _from(module, names)
    lines += ["from typing import TypeVar as _TypeVar"] * is_world
    here = ["from . import _ingen"] * (is_world or has_calls)
    here += [f"from . import {module} as _{module}" for module in sorted(modules, key=natural)]
    here += _from("._ingen", values)
    return [*lines, *([""] if lines and here else []), *here]


def _from(module: str, names: dict[str, bool]) -> list[str]:
    chosen = [name for name, needed in names.items() if needed]
    return [f"from {module} import {', '.join(chosen)}"] * bool(chosen)
