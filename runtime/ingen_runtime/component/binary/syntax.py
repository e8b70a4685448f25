"""The definitions of a component as its binary has them: by index, in order, unevaluated.

Every definition carries the byte offset of its first byte in the outermost file. An index counts within the
index space of its sort in the enclosing component or type; which definitions add to which space is the
evaluation's knowledge, not this module's.

Source: component-model Binary.md.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TypeAlias

from ingen_runtime.component.binary.core_types import CoreExternDesc, NumberType, RecGroup
from ingen_runtime.component.types import PrimitiveType


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


@dataclass(frozen=True, slots=True)
class CustomSection:
    """A custom section; `data` is a view into the file."""

    offset: int
    name: str
    data: memoryview


@dataclass(frozen=True, slots=True)
class CoreModuleDef:
    """A core module; `data` is a view into the file, preamble included, and starts at `start`."""

    offset: int
    start: int
    data: memoryview


@dataclass(frozen=True, slots=True)
class CoreInstantiateArg:
    """Supplies the imports of module `name` from a core instance."""

    name: str
    instance: int


@dataclass(frozen=True, slots=True)
class CoreInstantiate:
    """A core instance made from a module."""

    module: int
    args: tuple[CoreInstantiateArg, ...]


@dataclass(frozen=True, slots=True)
class CoreInlineExport:
    """An export of a core instance that is put together."""

    name: str
    sort: Sort
    index: int


@dataclass(frozen=True, slots=True)
class CoreInstanceDef:
    """A core instance: from a module, or put together from exports."""

    offset: int
    expr: CoreInstantiate | tuple[CoreInlineExport, ...]


@dataclass(frozen=True, slots=True)
class CoreImport:
    """An import of a core module or module type."""

    module: str
    name: str
    desc: CoreExternDesc


@dataclass(frozen=True, slots=True)
class CoreExportDecl:
    """An export of a module type."""

    name: str
    desc: CoreExternDesc


@dataclass(frozen=True, slots=True)
class CoreOuterAlias:
    """A core type of an enclosing scope, `count` scopes out."""

    count: int
    index: int


ModuleDecl: TypeAlias = CoreImport | RecGroup | CoreOuterAlias | CoreExportDecl


@dataclass(frozen=True, slots=True)
class ModuleTypeDef:
    """A core module type."""

    declarations: tuple[ModuleDecl, ...]


@dataclass(frozen=True, slots=True)
class CoreTypeDef:
    """A definition of the core type section, or of a declarator."""

    offset: int
    type: RecGroup | ModuleTypeDef


# --- names --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ExternName:
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


@dataclass(frozen=True, slots=True)
class RecordDef:
    """A record."""

    fields: tuple[tuple[str, ValTypeRef], ...]


@dataclass(frozen=True, slots=True)
class VariantDef:
    """A variant."""

    cases: tuple[tuple[str, ValTypeRef | None], ...]


@dataclass(frozen=True, slots=True)
class ListDef:
    """A list, of a fixed length where `length` is given."""

    element: ValTypeRef
    length: int | None = None


@dataclass(frozen=True, slots=True)
class MapDef:
    """A map."""

    key: ValTypeRef
    value: ValTypeRef


@dataclass(frozen=True, slots=True)
class TupleDef:
    """A tuple."""

    types: tuple[ValTypeRef, ...]


@dataclass(frozen=True, slots=True)
class FlagsDef:
    """Flags."""

    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EnumDef:
    """An enum."""

    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OptionDef:
    """An option."""

    type: ValTypeRef


@dataclass(frozen=True, slots=True)
class ResultDef:
    """A result."""

    ok: ValTypeRef | None
    err: ValTypeRef | None


@dataclass(frozen=True, slots=True)
class OwnDef:
    """An owning handle to the resource type at an index."""

    resource: int


@dataclass(frozen=True, slots=True)
class BorrowDef:
    """A borrowing handle to the resource type at an index."""

    resource: int


@dataclass(frozen=True, slots=True)
class StreamDef:
    """A stream."""

    element: ValTypeRef | None


@dataclass(frozen=True, slots=True)
class FutureDef:
    """A future."""

    element: ValTypeRef | None


@dataclass(frozen=True, slots=True)
class FuncDef:
    """A function type."""

    params: tuple[tuple[str, ValTypeRef], ...]
    result: ValTypeRef | None
    is_async: bool = False


@dataclass(frozen=True, slots=True)
class ResourceDef:
    """A resource type with its representation and the core function that destroys one."""

    rep: NumberType
    destructor: int | None


@dataclass(frozen=True, slots=True)
class ComponentTypeDef:
    """A component type."""

    declarations: tuple[ComponentDecl, ...]


@dataclass(frozen=True, slots=True)
class InstanceTypeDef:
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


@dataclass(frozen=True, slots=True)
class TypeDef:
    """A definition of the type section, or of a declarator."""

    offset: int
    type: DefType


@dataclass(frozen=True, slots=True)
class TypeEq:
    """The bound of a type import or export: equal to the type at an index."""

    index: int


@dataclass(frozen=True, slots=True)
class SubResource:
    """The bound of a type import or export: any resource type."""


@dataclass(frozen=True, slots=True)
class SortDesc:
    """A func, component, instance or core module by the index of its type."""

    sort: Sort
    type: int


@dataclass(frozen=True, slots=True)
class TypeDesc:
    """A type with its bound."""

    bound: TypeEq | SubResource


@dataclass(frozen=True, slots=True)
class ValueDesc:
    """A value of a type."""

    type: ValTypeRef


ExternDesc: TypeAlias = SortDesc | TypeDesc | ValueDesc


# --- component definitions ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ImportDef:
    """An import of a component or component type."""

    offset: int
    name: ExternName
    desc: ExternDesc


@dataclass(frozen=True, slots=True)
class ExportDecl:
    """An export of a component type or instance type."""

    offset: int
    name: ExternName
    desc: ExternDesc


@dataclass(frozen=True, slots=True)
class ExportDef:
    """An export of a component; `desc` is the type it is ascribed, where it is."""

    offset: int
    name: ExternName
    sort: Sort
    index: int
    desc: ExternDesc | None


@dataclass(frozen=True, slots=True)
class ExportAlias:
    """The target of an alias: an export of an instance."""

    instance: int
    name: str


@dataclass(frozen=True, slots=True)
class CoreExportAlias:
    """The target of an alias: an export of a core instance."""

    instance: int
    name: str


@dataclass(frozen=True, slots=True)
class OuterAlias:
    """The target of an alias: a member of an enclosing scope, `count` scopes out."""

    count: int
    index: int


@dataclass(frozen=True, slots=True)
class AliasDef:
    """An alias."""

    offset: int
    sort: Sort
    target: ExportAlias | CoreExportAlias | OuterAlias


@dataclass(frozen=True, slots=True)
class InstantiateArg:
    """Supplies the import `name`."""

    name: str
    sort: Sort
    index: int


@dataclass(frozen=True, slots=True)
class Instantiate:
    """An instance made from a component."""

    component: int
    args: tuple[InstantiateArg, ...]


@dataclass(frozen=True, slots=True)
class InlineExport:
    """An export of an instance that is put together."""

    name: ExternName
    sort: Sort
    index: int


@dataclass(frozen=True, slots=True)
class InstanceDef:
    """An instance: from a component, or put together from exports."""

    offset: int
    expr: Instantiate | tuple[InlineExport, ...]


class StringEncoding(enum.Enum):
    """How a core module represents strings."""

    UTF8 = "utf8"
    UTF16 = "utf16"
    LATIN1_UTF16 = "latin1+utf16"


@dataclass(frozen=True, slots=True)
class CanonOptions:
    """The options of a canonical definition; each index is of the core index space that the name implies."""

    string_encoding: StringEncoding | None = None
    memory: int | None = None
    realloc: int | None = None
    post_return: int | None = None
    is_async: bool = False
    callback: int | None = None
    core_type: int | None = None
    gc: bool = False


@dataclass(frozen=True, slots=True)
class CanonLift:
    """Makes a function of type `type` from a core function."""

    core_func: int
    options: CanonOptions
    type: int


@dataclass(frozen=True, slots=True)
class CanonLower:
    """Makes a core function from a function."""

    func: int
    options: CanonOptions


@dataclass(frozen=True, slots=True)
class CanonBuiltin:
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


@dataclass(frozen=True, slots=True)
class CanonDef:
    """A definition of the canon section."""

    offset: int
    canon: CanonLift | CanonLower | CanonBuiltin


@dataclass(frozen=True, slots=True)
class StartDef:
    """A function that is called at instantiation, with values."""

    offset: int
    func: int
    args: tuple[int, ...]
    result_count: int


@dataclass(frozen=True, slots=True)
class NestedComponentDef:
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


@dataclass(frozen=True, slots=True)
class Component:
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
