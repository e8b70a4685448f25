"""What a component imports and exports, for people and programs to look at."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ingen_runtime.component.entities import (
    ComponentType,
    DefinedType,
    Extern,
    FuncEntity,
    InstanceType,
    ModuleType,
    ResourceEntity,
    TypeExtern,
    sort_of,
)
from ingen_runtime.component.names import AnnotatedName, Annotation, PlainName, parse_name
from ingen_runtime.component.type_text import definition_text, func_type_text
from ingen_runtime.component.types import (
    EnumType,
    FlagsType,
    FuncType,
    OwnType,
    RecordType,
    ValType,
    VariantType,
)
from ingen_runtime.frozen import frozen


@frozen
class ItemInfo:
    """An import or export. `kind` is its sort (`func`, `instance`, `type`, …), `str()` is WIT-like text.

    `func` is set for functions, `type` for types that are no resources, `items` for instances.
    """

    name: str
    kind: str
    text: str
    func: FuncType | None = None
    type: ValType | None = None
    items: Mapping[str, ItemInfo] = MappingProxyType({})

    def __str__(self) -> str:
        return self.text


def describe(name: str, extern: Extern) -> ItemInfo:
    """The description of an import or export."""
    kind = sort_of(extern).value
    match extern:
        case FuncEntity():
            # What a program for preview 1 runs by has a name that no component may have.
            parsed = None if name.startswith("_") else parse_name(name)
            text = f"{name}: {func_type_text(extern.type)};"
            if isinstance(parsed, PlainName) and parsed.accessor is not None:
                text = f"{parsed.label}: {_func_text(parsed, extern.type)};"
            return ItemInfo(name, kind, text, func=extern.type)
        case InstanceType():
            items = {inner: describe(inner, each) for inner, each in extern.exports.items()}
            lines = [line for text in _interface_texts(items) for line in text.splitlines()]
            body = "".join(f"\n  {line}" for line in lines)
            return ItemInfo(name, kind, f"interface {name} {{{body}\n}}", items=items)
        case TypeExtern(ResourceEntity()):
            return ItemInfo(name, "resource", f"resource {name};")
        case TypeExtern(DefinedType() as defined):
            return ItemInfo(name, kind, _definition(name, defined), type=defined.type)
        case TypeExtern():
            return ItemInfo(name, kind, f"type {name};")
        case ComponentType() | ModuleType():
            return ItemInfo(name, kind, f"{name}: {kind};")


def _definition(name: str, defined: DefinedType) -> str:
    match defined.type:
        case RecordType() | VariantType() | EnumType() | FlagsType():
            keyword, _, content = definition_text(defined.type).partition(" ")
            return f"{keyword} {name} {content}"
        case type_:
            return f"type {name} = {definition_text(type_)};"


def _interface_texts(items: Mapping[str, ItemInfo]) -> list[str]:
    """The texts of an interface's items, functions of resources inside their resources."""
    members: dict[str, list[str]] = {}
    texts: list[str] = []
    for name, item in items.items():
        parsed = parse_name(name)
        if isinstance(parsed, AnnotatedName) and item.func is not None and parsed.resource in items:
            members.setdefault(parsed.resource, []).append(_member(parsed, item.func))
    for name, item in items.items():
        if item.kind == "resource" and name in members:
            body = "".join(f"\n  {member}" for member in members[name])
            texts.append(f"resource {name} {{{body}\n}}")
        elif not (isinstance(parsed := parse_name(name), AnnotatedName) and parsed.resource in members):
            texts.append(item.text)
    return texts


def _member(name: AnnotatedName, func: FuncType) -> str:
    match name.annotation:
        case Annotation.CONSTRUCTOR:
            text = func_type_text(func)
            bare = isinstance(func.result, OwnType)
            return f"constructor{text.removeprefix('func').rpartition(' -> ')[0] if bare else text[4:]};"
        case Annotation.METHOD:
            inner = FuncType(func.params[1:], func.result, func.is_async)
            return f"{name.label}: {_func_text(name, inner)};"
        case Annotation.STATIC:
            return f"{name.label}: static {_func_text(name, func)};"


def _func_text(name: PlainName | AnnotatedName, func: FuncType) -> str:
    text = func_type_text(func)
    return text if name.accessor is None else f"{name.accessor.value}{text.removeprefix('func')}"
