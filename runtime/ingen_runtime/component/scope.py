"""The index spaces of a component, component type or instance type while its definitions are evaluated."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from typing import TypeVar

from ingen_runtime.component.binary.core_module import CoreExternType, TagType
from ingen_runtime.component.binary.core_types import GlobalType, MemoryType, SubDef, TableType
from ingen_runtime.component.binary.syntax import ExternName, Sort
from ingen_runtime.component.entities import (
    ComponentType,
    DefinedType,
    Extern,
    FuncEntity,
    InstanceType,
    ModuleType,
    ResourceEntity,
    TypeEntity,
    kind_of_type,
)
from ingen_runtime.component.plan import Step
from ingen_runtime.component.types import ResourceType
from ingen_runtime.component.visibility import NamedDefinitions
from ingen_runtime.core_types import CoreFuncType
from ingen_runtime.errors import ComponentFormatError

T = TypeVar("T")
InstanceOrComponent = TypeVar("InstanceOrComponent", InstanceType, ComponentType)

MAX_TYPE_DEPTH = 100
"""How deep value types may nest."""

MAX_TYPE_NODES = 100_000
"""How many nodes a value type may have, written out as a tree."""

MAX_WORK = 20_000_000
"""How many type nodes the evaluation of one file may walk."""


class ScopeKind(enum.Enum):
    """What a scope belongs to."""

    COMPONENT = "component"
    COMPONENT_TYPE = "component type"
    INSTANCE_TYPE = "instance type"


class Budget:
    """Bounds the work that types which mention one another over and over can cause."""

    def __init__(self, limit: int = MAX_WORK) -> None:
        self.left = limit
        self.offset = 0

    def charge(self, nodes: int) -> None:
        """Account for a walk.

        Raises: ComponentFormatError where the limit is reached.
        """
        self.left -= nodes
        if self.left < 0:
            raise ComponentFormatError("the component's types are too large to check", self.offset)


class Scope:
    """Index spaces, names and the resources that belong to the scope."""

    def __init__(self, kind: ScopeKind, parent: Scope | None, budget: Budget) -> None:
        self.kind = kind
        self.parent = parent
        self.budget = budget
        self.types: list[TypeEntity] = []
        self.funcs: list[FuncEntity] = []
        self.instances: list[InstanceType] = []
        self.components: list[ComponentType] = []
        self.modules: list[ModuleType] = []
        self.core_types: list[SubDef | ModuleType] = []
        self.core_instances: list[Mapping[str, CoreExternType]] = []
        self.core_funcs: list[CoreFuncType] = []
        self.tables: list[TableType] = []
        self.memories: list[MemoryType] = []
        self.globals: list[GlobalType] = []
        self.tags: list[TagType] = []
        self.imports: dict[str, Extern] = {}
        self.exports: dict[str, Extern] = {}
        self.import_names: dict[str, ExternName] = {}
        self.export_names: dict[str, ExternName] = {}
        self.import_keys: dict[str, str] = {}
        self.export_keys: dict[str, str] = {}
        self.imported = NamedDefinitions()
        self.exported = NamedDefinitions(self.imported)
        self.import_bound: list[ResourceType] = []
        self.export_bound: list[ResourceType] = []
        self.local_resources: set[ResourceType] = set()
        self.steps: list[Step] = []

    def outer(self, count: int, offset: int) -> Scope:
        """The scope `count` scopes out.

        Raises: ComponentFormatError where there are not so many.
        """
        scope = self
        for _ in range(count):
            if scope.parent is None:
                raise ComponentFormatError(f"invalid outer alias count of {count}", offset)
            scope = scope.parent
        return scope

    def crosses_component(self, count: int) -> bool:
        """Whether going `count` scopes out leaves a component, not only types."""
        scope = self
        for _ in range(count):
            if scope.kind is ScopeKind.COMPONENT:
                return True
            assert scope.parent is not None
            scope = scope.parent
        return False

    def type(self, index: int, offset: int) -> TypeEntity:
        """A member of the type index space.

        Raises: ComponentFormatError where there is none.
        """
        return member(self.types, index, Sort.TYPE, offset)

    def defined_type(self, index: int, offset: int) -> DefinedType:
        """A value type. Raises: ComponentFormatError."""
        entity = self.type(index, offset)
        if not isinstance(entity, DefinedType):
            raise _wrong_kind(index, entity, "a defined type", offset)
        return entity

    def resource(self, index: int, offset: int) -> ResourceEntity:
        """A resource type. Raises: ComponentFormatError."""
        entity = self.type(index, offset)
        if not isinstance(entity, ResourceEntity):
            raise _wrong_kind(index, entity, "a resource type", offset)
        return entity

    def func_type(self, index: int, offset: int) -> FuncEntity:
        """A function type. Raises: ComponentFormatError."""
        entity = self.type(index, offset)
        if not isinstance(entity, FuncEntity):
            raise _wrong_kind(index, entity, "a function type", offset)
        return entity

    def instance_type(self, index: int, offset: int) -> InstanceType:
        """An instance type. Raises: ComponentFormatError."""
        entity = self.type(index, offset)
        if not isinstance(entity, InstanceType):
            raise _wrong_kind(index, entity, "an instance type", offset)
        return entity

    def component_type(self, index: int, offset: int) -> ComponentType:
        """A component type. Raises: ComponentFormatError."""
        entity = self.type(index, offset)
        if not isinstance(entity, ComponentType):
            raise _wrong_kind(index, entity, "a component type", offset)
        return entity

    def module_type(self, index: int, offset: int) -> ModuleType:
        """A core module type. Raises: ComponentFormatError."""
        entity = member(self.core_types, index, Sort.CORE_TYPE, offset)
        if not isinstance(entity, ModuleType):
            raise ComponentFormatError(f"core type {index} is no module type", offset)
        return entity

    def core_func_type(self, index: int, offset: int) -> CoreFuncType:
        """A core function type. Raises: ComponentFormatError."""
        entity = member(self.core_types, index, Sort.CORE_TYPE, offset)
        if isinstance(entity, ModuleType) or not isinstance(entity.type, CoreFuncType):
            raise ComponentFormatError(f"core type {index} is no function type", offset)
        return entity.type

    def core_item(self, sort: Sort, index: int, offset: int) -> CoreExternType:
        """A core function, table, memory, global or tag. Raises: ComponentFormatError."""
        match sort:
            case Sort.CORE_FUNC:
                return member(self.core_funcs, index, sort, offset)
            case Sort.CORE_TABLE:
                return member(self.tables, index, sort, offset)
            case Sort.CORE_MEMORY:
                return member(self.memories, index, sort, offset)
            case Sort.CORE_GLOBAL:
                return member(self.globals, index, sort, offset)
            case Sort.CORE_TAG:
                return member(self.tags, index, sort, offset)
            case _:
                raise ComponentFormatError(f"a core instance cannot export a {sort.value}", offset)

    def add_core_item(self, type_: CoreExternType) -> None:
        """Add to the index space that the item's class stands for."""
        match type_:
            case CoreFuncType():
                self.core_funcs.append(type_)
            case TableType():
                self.tables.append(type_)
            case MemoryType():
                self.memories.append(type_)
            case GlobalType():
                self.globals.append(type_)
            case TagType():
                self.tags.append(type_)

    def add_extern(self, extern: Extern) -> None:
        """Add to the index space that the item's class stands for."""
        match extern:
            case FuncEntity():
                self.funcs.append(extern)
            case InstanceType():
                self.instances.append(extern)
            case ComponentType():
                self.components.append(extern)
            case ModuleType():
                self.modules.append(extern)
            case _:
                self.types.append(extern.entity)


def member(space: Sequence[T], index: int, sort: Sort, offset: int) -> T:
    """A member of an index space.

    Raises: ComponentFormatError where there is none.
    """
    if index >= len(space):
        raise ComponentFormatError(
            f"{sort.value} index {index} is out of bounds: there are {len(space)}", offset
        )
    return space[index]


def _wrong_kind(index: int, entity: TypeEntity, wanted: str, offset: int) -> ComponentFormatError:
    return ComponentFormatError(f"type {index} is a {kind_of_type(entity)}, not {wanted}", offset)


def check_depth(type_: InstanceOrComponent, offset: int) -> InstanceOrComponent:
    """The type, if its instances do not nest too deep.

    Raises: ComponentFormatError.
    """
    if type_.depth > MAX_TYPE_DEPTH:
        raise ComponentFormatError(f"types of instances nest deeper than {MAX_TYPE_DEPTH}", offset)
    return type_
