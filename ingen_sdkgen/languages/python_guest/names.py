"""What componentize-py calls things: its bindings are replaced under the same names.

The modules of interfaces are called as we say, so that none is called like a module of Python.
"""

from __future__ import annotations

import keyword
from dataclasses import dataclass

from ingen_sdkgen.cache import digest
from ingen_sdkgen.languages.casing import pascal_case, snake_case
from ingen_sdkgen.languages.plan import Direction, FunctionPlan, Plan
from ingen_sdkgen.model import FunctionShape

WORLD_MODULE = "ingen_world"


@dataclass(frozen=True, slots=True)
class InterfaceNames:
    """The names of imported and exported interfaces, by their names in the component."""

    imported: dict[str, str]
    exported: dict[str, str]

    @staticmethod
    def of(plan: Plan) -> InterfaceNames:
        """The names for a world: no other one has them, so that a component can be of several."""
        own = "".join("abcdefghijklmnop"[int(digit, 16)] for digit in digest([plan.full_name.encode()])[:12])
        keys = {
            side: [scope.key for scope in plan.scopes if scope.direction is side and scope.key is not None]
            for side in Direction
        }
        return InterfaceNames(
            {key: f"ingen-{own}-import{number}" for number, key in enumerate(keys[Direction.IMPORT])},
            {key: f"ingen-{own}-export{number}" for number, key in enumerate(keys[Direction.EXPORT])},
        )


def raw_function(function: FunctionPlan) -> str:
    """The name of a function, within its class or module."""
    if function.shape is FunctionShape.CONSTRUCTOR:
        return "__init__"
    return _escaped(snake_case(function.item_name))


def raw_field(label: str) -> str:
    """The name of a record's field."""
    return _escaped(snake_case(label))


def raw_class(label: str) -> str:
    """The name of a type's class."""
    return _escaped(pascal_case(label))


def raw_case(type_: str, label: str) -> str:
    """The name of the class of a variant's case."""
    return f"{raw_class(type_)}_{raw_class(label)}"


def _escaped(name: str) -> str:
    return f"{name}_" if keyword.iskeyword(name) else name
