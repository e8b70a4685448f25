"""What the templates say of types: definitions for the header."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

from ingen_sdkgen.languages.c.types import PRIMITIVES, CTypes, ResourceNames
from ingen_sdkgen.languages.plan import PlannedType
from ingen_sdkgen.model import (
    Alias,
    Borrow,
    Enum,
    FixedLengthList,
    Flags,
    Future,
    List,
    Map,
    Option,
    Own,
    Primitive,
    Record,
    Resource,
    Result,
    Stream,
    Tuple,
    Type,
    TypeId,
    Variant,
)


@dataclass(frozen=True, slots=True)
class MemberView:
    """A member of a struct or union: its declaration without semicolon (`uint8_t items[4]`)."""

    declaration: str
    docs: str | None = None


@dataclass(frozen=True, slots=True)
class ConstantView:
    """A constant and its value."""

    name: str
    value: str
    docs: str | None = None


@dataclass(frozen=True, slots=True)
class DefinitionView:
    """A type of the header. Exactly one of the fields that begin with `is_` is true.

    `typedef` is the type that `name` stands for, for aliases, enums and flags. A struct has `members`; one of
    a variant, option or result has those of its union in `cases`, after the members.
    """

    name: str
    docs: str | None = None
    typedef: str = ""
    members: tuple[MemberView, ...] = ()
    cases: tuple[MemberView, ...] = ()
    constants: tuple[ConstantView, ...] = ()
    resource: ResourceNames | None = None
    is_typedef: bool = False
    is_struct: bool = False
    is_enum: bool = False
    is_flags: bool = False
    is_imported_resource: bool = False
    is_exported_resource: bool = False

    @property
    def has_cases(self) -> bool:
        """Whether there is a union."""
        return bool(self.cases)


@dataclass(frozen=True, slots=True)
class CheckView:
    """A layout that the canonical ABI relies on."""

    type: str
    size: int
    alignment: int


def define_types(types: CTypes) -> list[DefinitionView]:
    """Definitions of all types of a plan, each after those that it uses."""
    return [
        definition
        for number, planned in enumerate(types.plan.types)
        for definition in _define(types, TypeId(number), planned)
    ]


def checked_layouts(types: CTypes) -> list[CheckView]:
    """The types whose C layout must be that of the canonical ABI."""
    checks = []
    for number, name in types.defined.items():
        layout = types.plan.layout(number)
        if types.plan.canonical(number) == number:
            checks.append(CheckView(name, layout.size, layout.alignment))
        if number in types.entries and layout.entry is not None:
            checks.append(CheckView(types.entries[number], layout.entry.size, layout.entry.alignment))
    return checks


def _define(types: CTypes, number: TypeId, planned: PlannedType) -> list[DefinitionView]:
    if number in types.resources:
        names = types.resources[number]
        imported = names.rep is None
        return [
            DefinitionView(
                names.own,
                planned.docs,
                resource=names,
                is_imported_resource=imported,
                is_exported_resource=not imported,
            )
        ]
    if number in types.resource_aliases:
        target = types.resource(number)
        own, borrow = types.resource_aliases[number]
        return [
            DefinitionView(own, planned.docs, typedef=target.own, is_typedef=True),
            DefinitionView(borrow, planned.docs, typedef=target.borrow, is_typedef=True),
        ]
    if number not in types.defined:
        return []
    name, docs = types.defined[number], planned.docs
    if planned.canonical != number:
        meant = types.name(planned.kind.type if isinstance(planned.kind, Alias) else planned.canonical)
        return [DefinitionView(name, docs, typedef=meant, is_typedef=True)]
    return _define_structure(types, number, planned)


def _define_structure(types: CTypes, number: TypeId, planned: PlannedType) -> list[DefinitionView]:
    name, docs = types.defined[number], planned.docs
    tag_type = PRIMITIVES[Primitive(f"u{8 * (types.plan.layout(number).discriminant_size or 1)}")]
    constants = types.constants.get(number, ())
    names = types.members.get(number, ())
    match planned.kind:
        case Record(fields):
            members = tuple(
                MemberView(_declare(types, field.type, member), field.docs)
                for field, member in zip(fields, names, strict=True)
            )
            return [DefinitionView(name, docs, members=members, is_struct=True)]
        case Tuple(parts):
            members = tuple(
                MemberView(_declare(types, part, member)) for part, member in zip(parts, names, strict=True)
            )
            return [DefinitionView(name, docs, members=members, is_struct=True)]
        case Variant(cases):
            numbered = _numbered(constants, [case.docs for case in cases])
            payloads = tuple(
                MemberView(_declare(types, case.type, member), case.docs)
                for case, member in zip(cases, names, strict=True)
                if case.type is not None
            )
            tag = MemberView(f"{tag_type} tag")
            return [DefinitionView(name, docs, "", (tag,), payloads, numbered, is_struct=True)]
        case Option(some):
            members = (MemberView("bool is_some"), MemberView(_declare(types, some, "val")))
            return [DefinitionView(name, docs, members=members, is_struct=True)]
        case Result(ok, err):
            payloads = tuple(
                MemberView(_declare(types, payload, member))
                for payload, member in ((ok, "ok"), (err, "err"))
                if payload is not None
            )
            return [DefinitionView(name, docs, "", (MemberView("bool is_err"),), payloads, is_struct=True)]
        case List():
            pointer = MemberView(_with_name(types.element_pointer(number), "ptr"))
            return [DefinitionView(name, docs, members=(pointer, MemberView("size_t len")), is_struct=True)]
        case Map(key, value):
            entry = types.entries[number]
            pair = (
                MemberView(_declare(types, key, "key")),
                MemberView(_declare(types, value, "value")),
            )
            pointer = MemberView(_with_name(types.element_pointer(number), "ptr"))
            return [
                DefinitionView(entry, members=pair, is_struct=True),
                DefinitionView(name, docs, members=(pointer, MemberView("size_t len")), is_struct=True),
            ]
        case FixedLengthList(element, length):
            items = MemberView(_declare(types, element, f"items[{length}]"))
            return [DefinitionView(name, docs, members=(items,), is_struct=True)]
        case Enum(labels):
            numbered = _numbered(constants, [label.docs for label in labels])
            return [DefinitionView(name, docs, tag_type, constants=numbered, is_enum=True)]
        case Flags(flags):
            width = PRIMITIVES[Primitive(f"u{8 * types.plan.layout(number).size}")]
            bits = tuple(
                ConstantView(constant, f"(({name})(UINT32_C(1) << {bit}))", flag.docs)
                for bit, (constant, flag) in enumerate(zip(constants, flags, strict=True))
            )
            return [DefinitionView(name, docs, width, constants=bits, is_flags=True)]
        case Alias() | Own() | Borrow() | Resource() | Future() | Stream():
            raise AssertionError("has no structure of its own")
        case _:
            assert_never(planned.kind)


def _numbered(names: Sequence[str], docs: Sequence[str | None]) -> tuple[ConstantView, ...]:
    return tuple(
        ConstantView(name, str(value), text)
        for value, (name, text) in enumerate(zip(names, docs, strict=True))
    )


def _declare(types: CTypes, type_: Type, name: str) -> str:
    return _with_name(types.name(type_), name)


def _with_name(type_: str, name: str) -> str:
    return f"{type_}{name}" if type_.endswith("*") else f"{type_} {name}"
