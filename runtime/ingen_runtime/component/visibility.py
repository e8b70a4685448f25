"""Which definitions an import or export may mention.

A record, variant, enum, flags or resource type that an import or export mentions must itself be imported (or,
for an export, exported) before, so that whoever is outside can name it.

Source: component-model Explainer.md, "External Visibility of Types".
"""

from __future__ import annotations

from ingen_runtime.component.binary.syntax import (
    BorrowDef,
    EnumDef,
    FlagsDef,
    OwnDef,
    RecordDef,
    VariantDef,
)
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

_NAMEABLE = (RecordDef, VariantDef, EnumDef, FlagsDef)


class NamedDefinitions:
    """The definitions that have a name outside, and the names of resources."""

    def __init__(self, outer: NamedDefinitions | None = None) -> None:
        self._outer = outer
        self._members: dict[int, TypeEntity] = {}
        self._resource_names: dict[int, str] = {}

    def add(self, entity: TypeEntity, name: str | None) -> None:
        """Note a definition that was imported or exported; `name` where it is at the top level."""
        self._members[id(entity)] = entity
        if name is not None and isinstance(entity, ResourceEntity):
            self._resource_names[id(entity)] = name

    def add_extern(self, extern: Extern, name: str | None) -> None:
        """Note every type that an import or export brings, those inside instances without a name."""
        match extern:
            case TypeExtern(entity):
                self.add(entity, name)
            case InstanceType():
                for inner in extern.exports.values():
                    self.add_extern(inner, None)
            case FuncEntity() | ComponentType() | ModuleType():
                pass

    def __contains__(self, entity: TypeEntity) -> bool:
        return id(entity) in self._members or (self._outer is not None and entity in self._outer)

    def resource_name(self, entity: ResourceEntity) -> str | None:
        """The name at the top level of a resource's definition."""
        return self._resource_names.get(id(entity))

    def has_resource_named(self, name: str) -> bool:
        """Whether a resource of this name was imported or exported at the top level."""
        return name in self._resource_names.values()

    def allows(self, extern: Extern) -> bool:
        """Whether everything that an import or export mentions has a name; to be asked after `add_extern`."""
        match extern:
            case FuncEntity():
                return all(self._named(type_) for type_ in extern.mentioned())
            case InstanceType():
                return all(self.allows(inner) for inner in extern.exports.values())
            case TypeExtern(entity):
                return self._allows_type(entity)
            case ComponentType() | ModuleType():
                return True

    def _allows_type(self, entity: TypeEntity) -> bool:
        match entity:
            case DefinedType():
                return all(self._operand_named(operand) for operand in entity.operands)
            case FuncEntity():
                return self.allows(entity)
            case InstanceType():
                inside = NamedDefinitions(self)
                inside.add_extern(entity, None)
                return inside.allows(entity)
            case ResourceEntity() | ComponentType():
                return True

    def _operand_named(self, operand: DefinedType | ResourceEntity) -> bool:
        return operand in self if isinstance(operand, ResourceEntity) else self._named(operand)

    def _named(self, type_: DefinedType) -> bool:
        if isinstance(type_.definition, _NAMEABLE):
            return type_ in self
        if isinstance(type_.definition, (OwnDef, BorrowDef)):
            return type_.operands[0] in self
        return all(self._operand_named(operand) for operand in type_.operands)
