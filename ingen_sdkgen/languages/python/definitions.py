"""What templates say of types: the classes of values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ingen_sdkgen.languages.plan import FunctionPlan, Plan, ScopePlan
from ingen_sdkgen.languages.python.names import Names, attribute_name, member_name
from ingen_sdkgen.languages.python.types import Annotator, Position, PyTypes
from ingen_sdkgen.model import Alias, Enum, Flags, FunctionShape, Record, TypeId, Variant

_SETTERS = {FunctionShape.SETTER, FunctionShape.METHOD_SETTER, FunctionShape.STATIC_SETTER}


@dataclass(frozen=True, slots=True)
class FieldView:
    """A field of a dataclass."""

    name: str
    annotation: str
    docs: str | None


@dataclass(frozen=True, slots=True)
class MemberView:
    """A member of an enum, or a flag, and its value."""

    name: str
    value: str
    docs: str | None


@dataclass(frozen=True, slots=True)
class CaseView:
    """The class of a variant's case; `annotation` is its payload's."""

    name: str
    label: str
    annotation: str
    docs: str | None
    has_payload: bool


@dataclass(frozen=True, slots=True)
class DefinitionView:
    """A type of a module. Exactly one of the fields that begin with `is_` is true.

    `key` is what the component calls the type. `target` is what an alias or a variant's union stands for.
    """

    name: str
    key: str
    docs: str | None
    target: str = ""
    fields: tuple[FieldView, ...] = ()
    members: tuple[MemberView, ...] = ()
    cases: tuple[CaseView, ...] = ()
    is_alias: bool = False
    is_record: bool = False
    is_variant: bool = False
    is_enum: bool = False
    is_flags: bool = False


@dataclass(frozen=True, slots=True)
class BuiltinsView:
    """The built-in names that a module writes, qualified where one of its members has such a name."""

    classmethod_: str
    object_: str
    staticmethod_: str
    str_: str
    bytes_: str
    type_: str

    @staticmethod
    def of_module(types: PyTypes, module: str, shadowed: frozenset[str]) -> BuiltinsView:
        """The names as a module writes them, with members that hide some."""
        annotator = Annotator(types, module, shadowed)
        names = BuiltinsView.__slots__
        return BuiltinsView(**{name: annotator.builtin(name.removesuffix("_")) for name in names})


def define_all(types: PyTypes, scopes: Iterable[ScopePlan], annotator: Annotator) -> list[DefinitionView]:
    """The definitions of a module's types, by their names; those of resources that are others' come last."""
    definitions: dict[str, DefinitionView] = {}
    aliases: dict[str, DefinitionView] = {}
    for scope in scopes:
        for type_ in scope.types:
            view = define(types, type_, annotator)
            if view is not None:
                definitions.setdefault(view.name, view)
            elif types.plan.canonical(type_) != type_:
                planned = types.plan.types[type_]
                target = annotator.annotate(type_, Position.GOT)
                name = types.class_of(type_)
                aliases[name] = DefinitionView(name, planned.name or "", planned.docs, target, is_alias=True)
    return [*definitions.values(), *aliases.values()]


def member_names(plan: Plan, scopes: Iterable[ScopePlan]) -> set[str]:
    """Every name that a class of a module, or the module itself, may have for a function or an attribute, and
    those of parameters.
    """
    found: set[str] = set()
    for scope in scopes:
        for function in scope.functions:
            found |= {function_name(function), *(attribute_name(param.name) for param in function.params)}
        found |= {attribute_name(resource.name) for resource in scope.resources}
        for type_ in scope.types:
            kind = plan.types[type_].kind
            if isinstance(kind, Record):
                found |= {attribute_name(field.name) for field in kind.fields}
    return found


def function_name(function: FunctionPlan) -> str:
    """What a function is called: `max-speed` is `max_speed`, its setter `set_max_speed`."""
    name = attribute_name(function.item_name)
    return f"set_{name.rstrip('_')}" if function.shape in _SETTERS else name


def define(types: PyTypes, type_: TypeId, annotator: Annotator) -> DefinitionView | None:
    """The definition of a named type in its module; None for resources, which are no values."""
    planned = types.plan.types[type_]
    if planned.value is None or planned.name is None:
        return None
    name, docs = types.class_of(type_), planned.docs
    scope = types.scope_of(type_)
    key = planned.name if scope.key is None else f"{scope.key}#{planned.name}"
    match planned.kind:
        case Record(fields):
            names = Names({"mro"})  # every class has one, so a dataclass takes it for the field's default
            views = tuple(
                FieldView(
                    names.claim(attribute_name(field.name)),
                    annotator.annotate(field.type, Position.GOT),
                    field.docs,
                )
                for field in fields
            )
            return DefinitionView(name, key, docs, fields=views, is_record=True)
        case Variant(cases):
            case_views = tuple(
                CaseView(
                    case_name,
                    case.name,
                    annotator.annotate(case.type, Position.GOT),
                    case.docs,
                    case.type is not None,
                )
                for case, case_name in zip(cases, types.variant(type_).cases, strict=True)
            )
            union = " | ".join(view.name for view in case_views)
            return DefinitionView(name, key, docs, union, cases=case_views, is_variant=True)
        case Enum(labels):
            members = tuple(
                MemberView(member_name(label.name), f'"{label.name}"', label.docs) for label in labels
            )
            return DefinitionView(name, key, docs, members=members, is_enum=True)
        case Flags(flags):
            members = tuple(
                MemberView(member_name(flag.name), str(1 << bit), flag.docs) for bit, flag in enumerate(flags)
            )
            return DefinitionView(name, key, docs, members=members, is_flags=True)
        case _:
            return DefinitionView(name, key, docs, _target(types, type_, annotator), is_alias=True)


def _target(types: PyTypes, type_: TypeId, annotator: Annotator) -> str:
    kind = types.plan.types[type_].kind
    if isinstance(kind, Alias):
        return annotator.annotate(kind.type, Position.GOT)
    return annotator.annotate(type_, Position.GOT)
