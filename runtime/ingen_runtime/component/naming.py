"""Gives definitions the names that hosts see: `point`, or `ingen:demo/shapes#point` inside an instance.

A name with an interface in it stays when the definition is exported again, so that a type that several
interfaces use is one type to the host.
"""

from __future__ import annotations

from ingen_runtime.component.binary.syntax import EnumDef, FlagsDef, RecordDef, VariantDef
from ingen_runtime.component.entities import (
    DefinedType,
    Extern,
    InstanceType,
    ResourceEntity,
    TypeEntity,
    TypeExtern,
)
from ingen_runtime.component.substitution import Substitution
from ingen_runtime.component.types import ResourceType

_NAMEABLE = (RecordDef, VariantDef, EnumDef, FlagsDef)


def introduce_type(entity: TypeEntity, name: str) -> TypeEntity:
    """The definition that an import or export of `entity` under `name` introduces; equal, and new."""
    match entity:
        case DefinedType(definition=definition):
            if isinstance(definition, _NAMEABLE) and "#" not in (entity.name or ""):
                return DefinedType(definition, entity.operands, name)
            return DefinedType(definition, entity.operands, entity.name)
        case ResourceEntity():
            return ResourceEntity(entity.resource)
        case _:
            return entity


def qualify(instance: InstanceType, name: str) -> InstanceType:
    """The instance type with the types that it defines called `name#…`."""
    substitution = Substitution()
    renamed = False
    for extern in instance.exports.values():
        if isinstance(extern, TypeExtern) and isinstance(extern.entity, DefinedType):
            entity = extern.entity
            if entity.name is not None and "#" not in entity.name:
                # Operands that were renamed before have to be met again under their new names.
                operands = tuple(substitution.operand(operand) for operand in entity.operands)
                new = DefinedType(entity.definition, operands, f"{name}#{entity.name}")
                substitution.map_definition(entity, new)
                renamed = True
    return substitution.instance(instance) if renamed else instance


def qualified_resource(name: str, resource: ResourceType) -> ResourceType:
    """A new resource type that is called `name#…`, unless it names an interface already."""
    return ResourceType(resource.name if "#" in resource.name else f"{name}#{resource.name}")


def name_resources(extern: Extern, name: str, local: set[ResourceType]) -> None:
    """Let the component's own resources among exports be called by the first name they are exported under."""
    match extern:
        case TypeExtern(ResourceEntity(resource=resource)):
            if resource in local and "#" not in resource.name:
                resource.name = name
        case InstanceType():
            for inner_name, inner in extern.exports.items():
                name_resources(inner, f"{name}#{inner_name}", local)
        case _:
            pass
