"""The resource types that a type mentions and does not bind itself."""

from __future__ import annotations

from collections.abc import Iterable

from ingen_runtime.component.entities import (
    ComponentType,
    DefinedType,
    Extern,
    FuncEntity,
    InstanceType,
    ModuleType,
    ResourceEntity,
    TypeEntity,
    TypeExtern,
)
from ingen_runtime.component.types import ResourceType


def free_resources(*externs: Extern) -> dict[ResourceType, None]:
    """The free resource types of imports or exports, in the order in which they are met first."""
    found: dict[ResourceType, None] = {}
    for extern in externs:
        _extern(extern, found)
    return found


def _extern(extern: Extern, found: dict[ResourceType, None]) -> None:
    match extern:
        case TypeExtern(entity):
            _type(entity, found)
        case ModuleType():
            pass
        case _:
            _type(extern, found)


def _type(entity: TypeEntity, found: dict[ResourceType, None]) -> None:
    match entity:
        case ResourceEntity(resource=resource):
            found.setdefault(resource)
        case DefinedType():
            if entity.has_resource:
                for operand in entity.operands:
                    _type(operand, found)
        case FuncEntity():
            for type_ in entity.mentioned():
                _type(type_, found)
        case InstanceType():
            _bound(entity.exports.values(), entity.bound, found)
        case ComponentType():
            bound = (*entity.import_bound, *entity.export_bound)
            _bound([*entity.imports.values(), *entity.exports.values()], bound, found)


def _bound(
    externs: Iterable[Extern], bound: tuple[ResourceType, ...], found: dict[ResourceType, None]
) -> None:
    inner: dict[ResourceType, None] = {}
    for extern in externs:
        _extern(extern, inner)
    for resource in inner:
        if resource not in bound:
            found.setdefault(resource)
