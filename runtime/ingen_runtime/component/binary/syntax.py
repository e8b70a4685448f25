"""The definitions of a component as its binary has them: by index, in order, unevaluated.

Every definition carries the byte offset of its first byte in the outermost file. An index counts within the
index space of its sort in the enclosing component or type; which definitions add to which space is the
evaluation's knowledge, not this module's.

Source: component-model Binary.md.

Most classes here are named tuples: as dataclasses, they would add 50 ms to every start.
"""

from __future__ import annotations

import enum
from typing import NamedTuple, TypeAlias

from ingen_runtime.component.binary.core_types import CoreExternDesc, RecGroup
from ingen_runtime.component.types import PrimitiveType, StringEncoding
from ingen_runtime.core_types import NumberType
from ingen_runtime.frozen import frozen


class Sort(enum.Enum):
    """An index space; the value is how messages call a member."""

    FUNC = "func"
    VALUE = "value"
    TYPE = "type"
    COMPONENT = "component"
    INSTANCE = "instance"
    CORE_FUNC = "core func"
    CORE_TABLE = "core table"
    CORE_MEMORY = "core memory"
    CORE_GLOBAL = "core global"
    CORE_TAG = "core tag"
    CORE_TYPE = "core type"
    CORE_MODULE = "core module"
    CORE_INSTANCE = "core instance"


# --- core definitions ---------------------------------------------------------------------------------------


class CustomSection(NamedTuple):
    """A custom section; `data` is a view into the file."""

    offset: int
    name: str
    data: memoryview


class CoreModuleDef(NamedTuple):
    """A core module; `data` is a view into the file, preamble included, and starts at `start`."""

    offset: int
    start: int
    data: memoryview


class CoreInstantiateArg(NamedTuple):
    """Supplies the imports of module `name` from a core instance."""

    name: str
    instance: int


class CoreInstantiate(NamedTuple):
    """A core instance made from a module."""

    module: int
    args: tuple[CoreInstantiateArg, ...]


@frozen
class CoreInlineExport:
    """An export of a core instance that is put together."""

    name: str
    sort: Sort
    index: int


class CoreInstanceDef(NamedTuple):
    """A core instance: from a module, or put together from exports."""

    offset: int
    expr: CoreInstantiate | tuple[CoreInlineExport, ...]


class CoreImport(NamedTuple):
    """An import of a core module or module type."""

    module: str
    name: str
    desc: CoreExternDesc


class CoreExportDecl(NamedTuple):
    """An export of a module type."""

    name: str
    desc: CoreExternDesc


@frozen
class CoreOuterAlias:
    """A core type of an enclosing scope, `count` scopes out."""

    count: int
    index: int


ModuleDecl: TypeAlias = CoreImport | RecGroup | CoreOuterAlias | CoreExportDecl


class ModuleTypeDef(NamedTuple):
    """A core module type."""

    declarations: tuple[ModuleDecl, ...]


class CoreTypeDef(NamedTuple):
    """A definition of the core type section, or of a declarator."""

    offset: int
    type: RecGroup | ModuleTypeDef


# --- names --------------------------------------------------------------------------------------------------


class ExternName(NamedTuple):
    """The name of an import or export, with its attributes where it has them."""

    name: str
    implements: str | None = None
    version_suffix: str | None = None
    external_id: str | None = None

    def __str__(self) -> str:
        return self.name


# --- types --------------------------------------------------------------------------------------------------

ValTypeRef: TypeAlias = PrimitiveType | int
"""A value type in place: a primitive type, or the index of a type."""


class RecordDef(NamedTuple):
    """A record."""

    fields: tuple[tuple[str, ValTypeRef], ...]


class VariantDef(NamedTuple):
    """A variant."""

    cases: tuple[tuple[str, ValTypeRef | None], ...]


class ListDef(NamedTuple):
    """A list, of a fixed length where `length` is given."""

    element: ValTypeRef
    length: int | None = None


class MapDef(NamedTuple):
    """A map."""

    key: ValTypeRef
    value: ValTypeRef


class TupleDef(NamedTuple):
    """A tuple."""

    types: tuple[ValTypeRef, ...]


class FlagsDef(NamedTuple):
    """Flags."""

    labels: tuple[str, ...]


class EnumDef(NamedTuple):
    """An enum."""

    labels: tuple[str, ...]


class OptionDef(NamedTuple):
    """An option."""

    type: ValTypeRef


class ResultDef(NamedTuple):
    """A result."""

    ok: ValTypeRef | None
    err: ValTypeRef | None


class OwnDef(NamedTuple):
    """An owning handle to the resource type at an index."""

    resource: int


class BorrowDef(NamedTuple):
    """A borrowing handle to the resource type at an index."""

    resource: int


class StreamDef(NamedTuple):
    """A stream."""

    element: ValTypeRef | None


class FutureDef(NamedTuple):
    """A future."""

    element: ValTypeRef | None


class FuncDef(NamedTuple):
    """A function type."""

    params: tuple[tuple[str, ValTypeRef], ...]
    result: ValTypeRef | None
    is_async: bool = False


class ResourceDef(NamedTuple):
    """A resource type with its representation and the core function that destroys one."""

    rep: NumberType
    destructor: int | None


class ComponentTypeDef(NamedTuple):
    """A component type."""

    declarations: tuple[ComponentDecl, ...]


class InstanceTypeDef(NamedTuple):
    """An instance type; its declarations hold no import."""

    declarations: tuple[ComponentDecl, ...]


ValTypeDef: TypeAlias = (
    PrimitiveType
    | RecordDef
    | VariantDef
    | ListDef
    | MapDef
    | TupleDef
    | FlagsDef
    | EnumDef
    | OptionDef
    | ResultDef
    | OwnDef
    | BorrowDef
    | StreamDef
    | FutureDef
)
DefType: TypeAlias = ValTypeDef | FuncDef | ResourceDef | ComponentTypeDef | InstanceTypeDef


class TypeDef(NamedTuple):
    """A definition of the type section, or of a declarator."""

    offset: int
    type: DefType


@frozen
class TypeEq:
    """The bound of a type import or export: equal to the type at an index."""

    index: int


class SubResource(NamedTuple):
    """The bound of a type import or export: any resource type."""


class SortDesc(NamedTuple):
    """A func, component, instance or core module by the index of its type."""

    sort: Sort
    type: int


class TypeDesc(NamedTuple):
    """A type with its bound."""

    bound: TypeEq | SubResource


class ValueDesc(NamedTuple):
    """A value of a type."""

    type: ValTypeRef


ExternDesc: TypeAlias = SortDesc | TypeDesc | ValueDesc


# --- component definitions ----------------------------------------------------------------------------------


class ImportDef(NamedTuple):
    """An import of a component or component type."""

    offset: int
    name: ExternName
    desc: ExternDesc


class ExportDecl(NamedTuple):
    """An export of a component type or instance type."""

    offset: int
    name: ExternName
    desc: ExternDesc


@frozen
class ExportDef:
    """An export of a component; `desc` is the type it is ascribed, where it is."""

    offset: int
    name: ExternName
    sort: Sort
    index: int
    desc: ExternDesc | None


class ExportAlias(NamedTuple):
    """The target of an alias: an export of an instance."""

    instance: int
    name: str


class CoreExportAlias(NamedTuple):
    """The target of an alias: an export of a core instance."""

    instance: int
    name: str


@frozen
class OuterAlias:
    """The target of an alias: a member of an enclosing scope, `count` scopes out."""

    count: int
    index: int


class AliasDef(NamedTuple):
    """An alias."""

    offset: int
    sort: Sort
    target: ExportAlias | CoreExportAlias | OuterAlias


@frozen
class InstantiateArg:
    """Supplies the import `name`."""

    name: str
    sort: Sort
    index: int


class Instantiate(NamedTuple):
    """An instance made from a component."""

    component: int
    args: tuple[InstantiateArg, ...]


@frozen
class InlineExport:
    """An export of an instance that is put together."""

    name: ExternName
    sort: Sort
    index: int


class InstanceDef(NamedTuple):
    """An instance: from a component, or put together from exports."""

    offset: int
    expr: Instantiate | tuple[InlineExport, ...]


class CanonOptions(NamedTuple):
    """The options of a canonical definition; each index is of the core index space that the name implies."""

    string_encoding: StringEncoding | None = None
    memory: int | None = None
    realloc: int | None = None
    post_return: int | None = None
    is_async: bool = False
    callback: int | None = None
    core_type: int | None = None
    gc: bool = False


class CanonLift(NamedTuple):
    """Makes a function of type `type` from a core function."""

    core_func: int
    options: CanonOptions
    type: int


class CanonLower(NamedTuple):
    """Makes a core function from a function."""

    func: int
    options: CanonOptions


class CanonBuiltin(NamedTuple):
    """Makes a core function from a built-in of the component model.

    `name` is the built-in's keyword (`resource.new`, `stream.read`). Which of the other fields are set is
    the keyword's: `type` is a type index, `core_type` a core type index, `table` and `memory` core indices,
    `number_type` and `slot` the operands of `context.get` and `context.set`, `result` that of `task.return`.
    """

    name: str
    type: int | None = None
    result: ValTypeRef | None = None
    options: CanonOptions = CanonOptions()
    is_async: bool = False
    cancellable: bool = False
    memory: int | None = None
    core_type: int | None = None
    table: int | None = None
    number_type: NumberType | None = None
    slot: int | None = None


class CanonDef(NamedTuple):
    """A definition of the canon section."""

    offset: int
    canon: CanonLift | CanonLower | CanonBuiltin


class StartDef(NamedTuple):
    """A function that is called at instantiation, with values."""

    offset: int
    func: int
    args: tuple[int, ...]
    result_count: int


class NestedComponentDef(NamedTuple):
    """A component inside a component."""

    offset: int
    component: Component


ComponentDecl: TypeAlias = CoreTypeDef | TypeDef | AliasDef | ImportDef | ExportDecl

Definition: TypeAlias = (
    CustomSection
    | CoreModuleDef
    | CoreInstanceDef
    | CoreTypeDef
    | NestedComponentDef
    | InstanceDef
    | AliasDef
    | TypeDef
    | CanonDef
    | StartDef
    | ImportDef
    | ExportDef
)


class Component(NamedTuple):
    """A decoded component: its definitions in the order of the file."""

    offset: int
    definitions: tuple[Definition, ...]

    def custom_sections(self, prefix: str = "") -> tuple[CustomSection, ...]:
        """The component's own custom sections whose name begins with `prefix`."""
        return tuple(
            definition
            for definition in self.definitions
            if isinstance(definition, CustomSection) and definition.name.startswith(prefix)
        )
