"""Replaces resource types and definitions inside types.

Instantiation gives a component's imports a meaning and makes its own resources anew; importing or declaring
an instance makes the resources in its type anew. Both are one substitution.
"""

from __future__ import annotations

from collections.abc import Callable

from ingen_runtime.component.entities import (
    ComponentType,
    DefinedType,
    Extern,
    FuncEntity,
    InstanceType,
    ModuleType,
    Operand,
    ResourceEntity,
    TypeEntity,
    TypeExtern,
    TypeRef,
)
from ingen_runtime.component.types import PrimitiveType, ResourceType


class Substitution:
    """A mapping of resource types, and of definitions, that is applied to whole types.

    What a mapping does not touch keeps its identity; each definition that it does touch becomes one new one,
    however often it is met.
    """

    def __init__(self) -> None:
        self.resources: dict[ResourceType, ResourceType] = {}
        self.definitions: dict[int, DefinedType | ResourceEntity] = {}
        self._kept_alive: list[TypeEntity] = []
        self._done: dict[int, TypeEntity] = {}

    def map_resource(self, old: ResourceType, new: ResourceType) -> None:
        """Replace one resource type by another one."""
        self.resources[old] = new
        self._done.clear()

    def map_definition(self, old: DefinedType | ResourceEntity, new: DefinedType | ResourceEntity) -> None:
        """Let mentions of definition `old` be mentions of `new`."""
        self.definitions[id(old)] = new
        self._kept_alive.append(old)
        self._done.clear()

    def type(self, entity: TypeEntity) -> TypeEntity:
        """Apply to a member of a type index space."""
        match entity:
            case DefinedType() | ResourceEntity():
                return self.operand(entity)
            case FuncEntity():
                return self.func(entity)
            case InstanceType():
                return self.instance(entity)
            case ComponentType():
                return self.component(entity)

    def extern(self, extern: Extern) -> Extern:
        """Apply to an import or export."""
        match extern:
            case FuncEntity():
                return self.func(extern)
            case InstanceType():
                return self.instance(extern)
            case ComponentType():
                return self.component(extern)
            case ModuleType():
                return extern
            case TypeExtern(entity):
                new = self.type(entity)
                return extern if new is entity else TypeExtern(new)

    def operand(self, operand: Operand) -> Operand:
        """Apply to a value type's or resource type's definition."""
        mapped = self.definitions.get(id(operand))
        if mapped is not None:
            return mapped
        done = self._done.get(id(operand))
        if done is not None:
            assert isinstance(done, (DefinedType, ResourceEntity))
            return done
        new: Operand = operand
        if isinstance(operand, ResourceEntity):
            resource = self.resources.get(operand.resource)
            if resource is not None:
                new = ResourceEntity(resource)
        elif operand.operands:
            operands = tuple(self.operand(inner) for inner in operand.operands)
            if any(a is not b for a, b in zip(operands, operand.operands, strict=True)):
                new = DefinedType(operand.definition, operands, operand.name)
        self._remember(operand, new)
        return new

    def _remember(self, old: TypeEntity, new: TypeEntity) -> None:
        self._done[id(old)] = new
        self._kept_alive.append(old)

    def _ref(self, ref: TypeRef) -> TypeRef:
        if isinstance(ref, PrimitiveType):
            return ref
        new = self.operand(ref)
        assert isinstance(new, DefinedType)
        return new

    def func(self, func: FuncEntity) -> FuncEntity:
        """Apply to a function type."""
        done = self._done.get(id(func))
        if isinstance(done, FuncEntity):
            return done
        params = tuple((label, self._ref(param)) for label, param in func.params)
        result = None if func.result is None else self._ref(func.result)
        same = result is func.result and all(
            a is b for (_, a), (_, b) in zip(params, func.params, strict=True)
        )
        new = func if same else FuncEntity(params, result, func.is_async)
        self._remember(func, new)
        return new

    def instance(self, instance: InstanceType) -> InstanceType:
        """Apply to an instance type; bound resources stay bound unless they are mapped."""
        done = self._done.get(id(instance))
        if isinstance(done, InstanceType):
            return done
        exports = {name: self.extern(extern) for name, extern in instance.exports.items()}
        bound = tuple(resource for resource in instance.bound if resource not in self.resources)
        same = len(bound) == len(instance.bound) and all(
            exports[name] is extern for name, extern in instance.exports.items()
        )
        new = instance if same else InstanceType(exports, bound)
        self._remember(instance, new)
        return new

    def component(self, component: ComponentType) -> ComponentType:
        """Apply to a component type; its bound resources are its own and stay."""
        done = self._done.get(id(component))
        if isinstance(done, ComponentType):
            return done
        imports = {name: self.extern(extern) for name, extern in component.imports.items()}
        exports = {name: self.extern(extern) for name, extern in component.exports.items()}
        same = all(imports[name] is extern for name, extern in component.imports.items()) and all(
            exports[name] is extern for name, extern in component.exports.items()
        )
        new = (
            component
            if same
            else ComponentType(imports, exports, component.import_bound, component.export_bound)
        )
        self._remember(component, new)
        return new


def freshen(
    instance: InstanceType, rename: Callable[[ResourceType], ResourceType] | None = None
) -> tuple[InstanceType, tuple[ResourceType, ...]]:
    """The instance type with its bound resources made anew, none of them bound, and the new resources.

    `rename` makes the new resource of an old one; without it, names stay.
    """
    if not instance.bound:
        return instance, ()
    make = rename or (lambda resource: ResourceType(resource.name))
    substitution = Substitution()
    fresh = tuple(make(resource) for resource in instance.bound)
    for old, new in zip(instance.bound, fresh, strict=True):
        substitution.map_resource(old, new)
    return substitution.instance(instance), fresh
