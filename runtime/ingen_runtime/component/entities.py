"""What indices mean once they are evaluated: types with identity, and what imports and exports are.

Two types are equal by structure (`ValType`), yet which definition a type came through still counts: only a
definition that was imported or exported may be mentioned by what is imported or exported. So the members of a
type index space are objects compared by identity, each holding its structural type.

Source: component-model Explainer.md, "Type Checking" and "External Visibility of Types".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from ingen_runtime.component.binary.core_module import CoreExternType
from ingen_runtime.component.binary.syntax import (
    BorrowDef,
    EnumDef,
    FlagsDef,
    FutureDef,
    ListDef,
    MapDef,
    OptionDef,
    OwnDef,
    RecordDef,
    ResultDef,
    Sort,
    StreamDef,
    TupleDef,
    ValTypeDef,
    VariantDef,
)
from ingen_runtime.component.types import (
    BorrowType,
    CaseType,
    EnumType,
    FieldType,
    FixedListType,
    FlagsType,
    FuncType,
    FutureType,
    ListType,
    MapType,
    OptionType,
    OwnType,
    PrimitiveType,
    RecordType,
    ResourceType,
    ResultType,
    StreamType,
    TupleType,
    ValType,
    VariantType,
)
from ingen_runtime.frozen import frozen


class ResourceEntity:
    """A definition of a resource type; several may share one `resource`, then they are the same type."""

    __slots__ = ("resource",)

    def __init__(self, resource: ResourceType) -> None:
        self.resource = resource


class DefinedType:
    """A definition of a value type.

    `definition` is as in the binary, `operands` are what its indices stand for, in the order in which they
    are written. `type` is the structure; `name` is the name outside, where it has one. `node_count` and
    `depth` measure it as a tree.
    """

    __slots__ = (
        "definition",
        "depth",
        "has_borrow",
        "has_resource",
        "name",
        "node_count",
        "operands",
        "type",
    )

    def __init__(
        self, definition: ValTypeDef, operands: tuple[Operand, ...], name: str | None = None
    ) -> None:
        self.definition = definition
        self.operands = operands
        self.name = name
        self.type = _structure(definition, operands, name)
        self.depth: int
        self.node_count: int
        self.has_borrow: bool
        self.has_resource: bool
        inner = [operand for operand in operands if isinstance(operand, DefinedType)]
        self.depth = 1 + max((type_.depth for type_ in inner), default=0)
        self.node_count = 1 + sum(type_.node_count for type_ in inner) + _label_count(definition)
        self.has_borrow = isinstance(definition, BorrowDef) or any(type_.has_borrow for type_ in inner)
        self.has_resource = isinstance(definition, (OwnDef, BorrowDef)) or any(
            type_.has_resource for type_ in inner
        )


Operand: TypeAlias = DefinedType | ResourceEntity
TypeRef: TypeAlias = PrimitiveType | DefinedType
"""A value type where it is used: primitive types need no definition."""


def structure_of(type_: TypeRef) -> ValType:
    """The structural type."""
    return type_ if isinstance(type_, PrimitiveType) else type_.type


class FuncEntity:
    """A definition of a function type."""

    __slots__ = ("is_async", "params", "result", "type")

    def __init__(
        self, params: tuple[tuple[str, TypeRef], ...], result: TypeRef | None, is_async: bool
    ) -> None:
        self.params = params
        self.result = result
        self.is_async = is_async
        self.type = FuncType(
            tuple((label, structure_of(param)) for label, param in params),
            None if result is None else structure_of(result),
            is_async,
        )

    def mentioned(self) -> list[DefinedType]:
        """The defined types of parameters and result."""
        types = [param for _, param in self.params]
        if self.result is not None:
            types.append(self.result)
        return [type_ for type_ in types if isinstance(type_, DefinedType)]


class ModuleType:
    """The type of a core module; superfluous imports and exports do not matter to who uses it."""

    __slots__ = ("exports", "imports")

    def __init__(
        self, imports: Mapping[tuple[str, str], CoreExternType], exports: Mapping[str, CoreExternType]
    ) -> None:
        self.imports = imports
        self.exports = exports


class InstanceType:
    """The type of an instance.

    `bound` are the resources among its exports that each import or instantiation makes anew; empty for an
    instance at hand. `node_count` bounds the work of walking it, `depth` the recursion.
    """

    __slots__ = ("bound", "depth", "exports", "node_count")

    def __init__(self, exports: Mapping[str, Extern], bound: tuple[ResourceType, ...] = ()) -> None:
        self.exports = exports
        self.bound = bound
        self.node_count = 1 + sum(extern_node_count(extern) for extern in exports.values())
        self.depth = 1 + max((_extern_depth(extern) for extern in exports.values()), default=0)


class ComponentType:
    """The type of a component.

    `import_bound` are the resources that it is given, `export_bound` those that it makes.
    """

    __slots__ = ("depth", "export_bound", "exports", "import_bound", "imports", "node_count")

    def __init__(
        self,
        imports: Mapping[str, Extern],
        exports: Mapping[str, Extern],
        import_bound: tuple[ResourceType, ...],
        export_bound: tuple[ResourceType, ...],
    ) -> None:
        self.imports = imports
        self.exports = exports
        self.import_bound = import_bound
        self.export_bound = export_bound
        externs = [*imports.values(), *exports.values()]
        self.node_count = 1 + sum(extern_node_count(extern) for extern in externs)
        self.depth = 1 + max((_extern_depth(extern) for extern in externs), default=0)


TypeEntity: TypeAlias = DefinedType | ResourceEntity | FuncEntity | InstanceType | ComponentType


@frozen(eq=False)
class TypeExtern:
    """A type as an import or export; `entity` is the definition that the import or export introduces."""

    entity: TypeEntity


Extern: TypeAlias = FuncEntity | InstanceType | ComponentType | ModuleType | TypeExtern
"""What an import or export is; each class stands for one sort."""


def sort_of(extern: Extern) -> Sort:
    """The sort of an import or export."""
    match extern:
        case FuncEntity():
            return Sort.FUNC
        case InstanceType():
            return Sort.INSTANCE
        case ComponentType():
            return Sort.COMPONENT
        case ModuleType():
            return Sort.CORE_MODULE
        case TypeExtern():
            return Sort.TYPE


def kind_of_type(entity: TypeEntity) -> str:
    """What messages call a member of a type index space."""
    match entity:
        case DefinedType():
            return "defined type"
        case ResourceEntity():
            return "resource type"
        case FuncEntity():
            return "function type"
        case InstanceType():
            return "instance type"
        case ComponentType():
            return "component type"


def extern_node_count(extern: Extern | TypeEntity) -> int:
    """How many nodes a walk of the import or export meets."""
    match extern:
        case TypeExtern(entity):
            return extern_node_count(entity)
        case InstanceType() | ComponentType() | DefinedType():
            return extern.node_count
        case FuncEntity():
            return 1 + len(extern.params) + sum(type_.node_count for type_ in extern.mentioned())
        case ModuleType():
            return 1 + len(extern.imports) + len(extern.exports)
        case ResourceEntity():
            return 1


def _extern_depth(extern: Extern) -> int:
    inner = extern.entity if isinstance(extern, TypeExtern) else extern
    return inner.depth if isinstance(inner, InstanceType | ComponentType) else 0


def _label_count(definition: ValTypeDef) -> int:
    match definition:
        case RecordDef(fields):
            return len(fields)
        case VariantDef(cases):
            return len(cases)
        case TupleDef(types):
            return len(types)
        case FlagsDef(labels) | EnumDef(labels):
            return len(labels)
        case _:
            return 0


def _structure(definition: ValTypeDef, operands: tuple[Operand, ...], name: str | None) -> ValType:
    """The structural type of a definition whose indices stand for `operands`, in order."""
    rest = iter(operands)

    def use(ref: PrimitiveType | int) -> ValType:
        if isinstance(ref, PrimitiveType):
            return ref
        operand = next(rest)
        assert isinstance(operand, DefinedType)
        return operand.type

    def maybe(ref: PrimitiveType | int | None) -> ValType | None:
        return None if ref is None else use(ref)

    match definition:
        case PrimitiveType():
            return definition
        case RecordDef(fields):
            return RecordType(tuple(FieldType(label, use(ref)) for label, ref in fields), name)
        case VariantDef(cases):
            return VariantType(tuple(CaseType(label, maybe(ref)) for label, ref in cases), name)
        case ListDef(element, None):
            return ListType(use(element))
        case ListDef(element, length):
            assert length is not None
            return FixedListType(use(element), length)
        case MapDef(key, value):
            return MapType(use(key), use(value))
        case TupleDef(types):
            return TupleType(tuple(use(ref) for ref in types))
        case FlagsDef(labels):
            return FlagsType(labels, name)
        case EnumDef(labels):
            return EnumType(labels, name)
        case OptionDef(ref):
            return OptionType(use(ref))
        case ResultDef(ok, err):
            return ResultType(maybe(ok), maybe(err))
        case OwnDef() | BorrowDef():
            operand = operands[0]
            assert isinstance(operand, ResourceEntity)
            handle = OwnType if isinstance(definition, OwnDef) else BorrowType
            return handle(operand.resource)
        case StreamDef(element_ref):
            return StreamType(maybe(element_ref))
        case FutureDef(element_ref):
            return FutureType(maybe(element_ref))
