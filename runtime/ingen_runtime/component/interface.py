"""What a component imports and exports, for people and programs to look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

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
from ingen_runtime.component.type_text import func_type_text, val_type_text
from ingen_runtime.component.types import FuncType, ValType


@dataclass(frozen=True, slots=True)
class ItemInfo:
    """An import or export. `kind` is its sort (`func`, `instance`, `type`, …), `str()` is WIT-like text.

    `func` is set for functions, `type` for types that are no resources, `items` for instances.
    """

    name: str
    kind: str
    text: str
    func: FuncType | None = None
    type: ValType | None = None
    items: Mapping[str, ItemInfo] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.text


def describe(name: str, extern: Extern) -> ItemInfo:
    """The description of an import or export."""
    kind = sort_of(extern).value
    match extern:
        case FuncEntity():
            return ItemInfo(name, kind, f"{name}: {func_type_text(extern.type)};", func=extern.type)
        case InstanceType():
            items = {inner: describe(inner, each) for inner, each in extern.exports.items()}
            lines = "".join(f"\n  {line}" for item in items.values() for line in item.text.splitlines())
            return ItemInfo(name, kind, f"interface {name} {{{lines}\n}}", items=items)
        case TypeExtern(ResourceEntity()):
            return ItemInfo(name, "resource", f"resource {name};")
        case TypeExtern(DefinedType() as defined):
            return ItemInfo(name, kind, _definition_text(name, defined), type=defined.type)
        case TypeExtern():
            return ItemInfo(name, kind, f"type {name};")
        case ComponentType() | ModuleType():
            return ItemInfo(name, kind, f"{name}: {kind};")


def _definition_text(name: str, defined: DefinedType) -> str:
    text = val_type_text(defined.type)
    keyword, brace, rest = text.partition(" {")
    if brace and keyword in ("record", "variant", "enum", "flags"):
        return f"{keyword} {name} {{{rest}"
    return f"type {name} = {text};"
