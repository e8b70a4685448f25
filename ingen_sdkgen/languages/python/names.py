"""Identifiers of Python.

Members (functions, fields, parameters) follow the runtime's `attribute_name`, so that what implements an
interface is found without a table of names.
"""

from __future__ import annotations

import builtins
import keyword
import re
from collections import Counter
from collections.abc import Iterable
from typing import Final

from ingen_runtime.canonical.names import attribute_name, class_name, member_name
from ingen_sdkgen.languages.casing import snake_case
from ingen_sdkgen.languages.plan import Plan, ScopePlan

__all__ = [
    "BUILTIN_NAMES",
    "BUILTIN_TYPES",
    "MODULE_NAMES",
    "Names",
    "attribute_name",
    "class_name",
    "constants_first",
    "member_name",
    "module_names",
    "natural",
]

BUILTIN_TYPES: Final = frozenset("bool bytearray bytes dict float int list memoryview str tuple type".split())
"""The built-in types that annotations use. Where a member has such a name, they are qualified."""

BUILTIN_NAMES: Final = BUILTIN_TYPES | {"classmethod", "object", "property", "staticmethod"}
"""The built-in names that generated modules write."""

MODULE_NAMES: Final = frozenset(
    {
        "Any", "AsyncIterable", "Awaitable", "Callable", "ClassVar", "Component", "Enum", "Err",
        "ExportedResource", "Exports", "Flag", "FutureReader", "Imports", "Instance", "Iterable", "Mapping",
        "NoHost", "Ok", "Protocol", "ResultError", "Self", "Sequence", "Some", "StreamReader", "StreamWriter",
        "TypeAlias", "ValueClasses", "WrongValue", "abstractmethod", "annotations", "builtins", "dataclass",
        *dir(builtins),
    }
)  # fmt: skip
"""What no type of WIT may be called in a generated module."""


class Names:
    """Names of one scope of Python, each given out once."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = set(taken)

    def claim(self, wanted: str) -> str:
        """`wanted`, with an underscore or a number where it is taken or a keyword."""
        name = f"{wanted}_" if keyword.iskeyword(wanted) or wanted in self._taken else wanted
        number = 2
        while name in self._taken:
            name = f"{wanted}_{number}"
            number += 1
        self._taken.add(name)
        return name


def module_names(plan: Plan, taken: Iterable[str] = ()) -> dict[str, str]:
    """The module of each interface, by its key: called as the interface is, or by all of its name where
    several interfaces are called so.
    """
    scopes: dict[str, ScopePlan] = {scope.key: scope for scope in plan.scopes if scope.key is not None}
    short = {key: _short(scope) for key, scope in scopes.items()}
    count = Counter(short.values())
    names = Names(taken)
    return {key: names.claim(short[key] if count[short[key]] == 1 else snake_case(key)) for key in scopes}


def _short(scope: ScopePlan) -> str:
    assert scope.key is not None, "an interface"
    return snake_case(scope.key if scope.labelled or scope.interface is None else scope.interface)


def natural(name: str) -> list[tuple[int, int, str]]:
    """The key by which Python tools sort names: numbers in them by their value."""
    parts = re.findall(r"[0-9]+|[^0-9]", name)
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts]


def constants_first(names: Iterable[str]) -> list[str]:
    """Names in the order of `__all__`."""
    return sorted(names, key=lambda name: (not (len(name) > 1 and name.isupper()), natural(name)))
