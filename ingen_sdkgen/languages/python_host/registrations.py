"""What a generated package tells the runtime: its classes for the types of a component.

A component may call a type by the name of any interface that uses it, so the names of a type in all of them
stand for its one class.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ingen_sdkgen.languages.plan import ScopePlan
from ingen_sdkgen.languages.python.errors import Errors
from ingen_sdkgen.languages.python.types import Annotator, PyTypes
from ingen_sdkgen.model import Enum, Flags, Primitive, Record, TypeId, Variant


@dataclass(frozen=True, slots=True)
class RegistrationView:
    """What stands for a type: a class, or the tuple of its cases' classes."""

    key: str
    value: str


def registered_classes(
    types: PyTypes, scopes: Iterable[ScopePlan], annotator: Annotator
) -> tuple[RegistrationView, ...]:
    """The classes for the values of the types in a module's scopes."""
    found: dict[str, str] = {}
    for key, type_ in _named(types, scopes):
        match types.plan.types[type_].kind:
            case Variant():
                cases = types.variant(type_).cases
                found[key] = "".join(["(", *(f"{annotator.qualified(type_, case)}, " for case in cases), ")"])
            case Record() | Enum() | Flags():
                found[key] = annotator.qualified(type_, types.class_of(type_))
            case _:
                pass
    return tuple(RegistrationView(key, value) for key, value in found.items())


def registered_errors(
    types: PyTypes, scopes: Iterable[ScopePlan], annotator: Annotator, errors: Errors
) -> tuple[RegistrationView, ...]:
    """The exception classes for the types in a module's scopes that are errors."""
    found: dict[str, str] = {}
    for key, type_ in _named(types, scopes):
        name = errors.name_of(type_)
        if name is not None:
            found[key] = annotator.qualified(type_, name)
    return tuple(RegistrationView(key, value) for key, value in found.items())


def _named(types: PyTypes, scopes: Iterable[ScopePlan]) -> Iterable[tuple[str, TypeId]]:
    """What a component calls the types in some scopes, and the types that are meant."""
    for scope in scopes:
        for type_ in scope.types:
            name, meant = types.plan.types[type_].name, types.plan.canonical(type_)
            if name is not None and not isinstance(meant, Primitive):
                yield name if scope.key is None else f"{scope.key}#{name}", meant
