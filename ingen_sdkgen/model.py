"""The intermediate representation (IR): a set of resolved WIT packages.

Everything is an index into one of the four tables of a `Resolve`, so a value of the IR can be compared,
cached and printed without following cycles. All names are WIT names, kebab-case and without `%`.

The IR is immutable. It prints as the JSON of `wasm-tools component wit --json` (`ingen_sdkgen.model_json`).
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NewType, TypeAlias

WorldId = NewType("WorldId", int)
InterfaceId = NewType("InterfaceId", int)
TypeId = NewType("TypeId", int)
PackageId = NewType("PackageId", int)


class Primitive(enum.Enum):
    """A type that has no definition; the value is its WIT keyword."""

    BOOL = "bool"
    U8 = "u8"
    U16 = "u16"
    U32 = "u32"
    U64 = "u64"
    S8 = "s8"
    S16 = "s16"
    S32 = "s32"
    S64 = "s64"
    F32 = "f32"
    F64 = "f64"
    CHAR = "char"
    STRING = "string"
    ERROR_CONTEXT = "error-context"


Type: TypeAlias = Primitive | TypeId
"""A use of a type: a primitive, or an index into `Resolve.types`."""


@dataclass(frozen=True, slots=True)
class Span:
    """Where something stands in the source: a half-open range of UTF-8 byte offsets.

    `file` indexes the sources that were read together. Spans are no part of an item's value: two IRs that
    differ only in spans are equal.
    """

    file: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Stable:
    """`@since(version = …)`; `since` is a valid semantic version, at most the package's own."""

    since: str
    deprecated: str | None = None


@dataclass(frozen=True, slots=True)
class Unstable:
    """`@unstable(feature = …)`; only features that are switched on reach the IR."""

    feature: str
    deprecated: str | None = None


Stability: TypeAlias = Stable | Unstable | None


# --- Types ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a record."""

    name: str
    type: Type
    docs: str | None = None
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Record:
    """`record { … }`; at least one field, names unique."""

    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Flag:
    """One flag of a flags type."""

    name: str
    docs: str | None = None
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Flags:
    """`flags { … }`; one to 32 flags, names unique; flag number i is bit i."""

    flags: tuple[Flag, ...]


@dataclass(frozen=True, slots=True)
class Tuple:
    """`tuple<…>`; at least one type."""

    types: tuple[Type, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """A case of a variant; `type` is None where it carries nothing."""

    name: str
    type: Type | None
    docs: str | None = None
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Variant:
    """`variant { … }`; at least one case, names unique."""

    cases: tuple[Case, ...]


@dataclass(frozen=True, slots=True)
class EnumCase:
    """A case of an enum."""

    name: str
    docs: str | None = None
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Enum:
    """`enum { … }`; at least one case, names unique."""

    cases: tuple[EnumCase, ...]


@dataclass(frozen=True, slots=True)
class Option:
    """`option<T>`."""

    type: Type


@dataclass(frozen=True, slots=True)
class Result:
    """`result<ok, err>`; None where that side carries nothing."""

    ok: Type | None
    err: Type | None


@dataclass(frozen=True, slots=True)
class List:
    """`list<T>`."""

    type: Type


@dataclass(frozen=True, slots=True)
class FixedLengthList:
    """`list<T, length>`."""

    type: Type
    length: int


@dataclass(frozen=True, slots=True)
class Map:
    """`map<K, V>`; the key is a primitive other than a float or an error context."""

    key: Type
    value: Type


@dataclass(frozen=True, slots=True)
class Future:
    """`future<T>` or `future`."""

    type: Type | None


@dataclass(frozen=True, slots=True)
class Stream:
    """`stream<T>` or `stream`."""

    type: Type | None


@dataclass(frozen=True, slots=True)
class Own:
    """`own<r>`, and `r` itself where a value is meant; following aliases of `resource` ends at a resource."""

    resource: TypeId


@dataclass(frozen=True, slots=True)
class Borrow:
    """`borrow<r>`; `resource` as in `Own`. Never in a function's result."""

    resource: TypeId


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource type of its own; its functions are in the owner's functions."""


@dataclass(frozen=True, slots=True)
class Alias:
    """`type a = b`, or what `use` brings in: the same type under another name."""

    type: Type


TypeKind: TypeAlias = (
    Record
    | Flags
    | Tuple
    | Variant
    | Enum
    | Option
    | Result
    | List
    | FixedLengthList
    | Map
    | Future
    | Stream
    | Own
    | Borrow
    | Resource
    | Alias
)


@dataclass(frozen=True, slots=True)
class WorldOwner:
    """The type is defined in a world."""

    world: WorldId


@dataclass(frozen=True, slots=True)
class InterfaceOwner:
    """The type is defined in an interface."""

    interface: InterfaceId


Owner: TypeAlias = WorldOwner | InterfaceOwner | None


@dataclass(frozen=True, slots=True)
class TypeDef:
    """A type with a definition. A name and an owner come together, or both are None (a type in place)."""

    name: str | None
    kind: TypeKind
    owner: Owner
    docs: str | None = None
    stability: Stability = None
    external_id: str | None = None
    span: Span | None = field(default=None, compare=False)


# --- Functions ------------------------------------------------------------------------------------------


class FunctionShape(enum.Enum):
    """How a function is called; the value is its name in the JSON form."""

    FREESTANDING = "freestanding"
    ASYNC_FREESTANDING = "async-freestanding"
    METHOD = "method"
    ASYNC_METHOD = "async-method"
    STATIC = "static"
    ASYNC_STATIC = "async-static"
    CONSTRUCTOR = "constructor"
    GETTER = "getter"
    SETTER = "setter"
    METHOD_GETTER = "method-getter"
    METHOD_SETTER = "method-setter"
    STATIC_GETTER = "static-getter"
    STATIC_SETTER = "static-setter"

    @property
    def is_async(self) -> bool:
        """Whether the function is declared `async`."""
        return self.value.startswith("async-")


@dataclass(frozen=True, slots=True)
class FunctionKind:
    """A function's shape; `resource` is set just for what belongs to a resource: methods and the like."""

    shape: FunctionShape
    resource: TypeId | None = None


@dataclass(frozen=True, slots=True)
class Param:
    """A parameter. A method's first one is `self`, a borrow of the resource."""

    name: str
    type: Type
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Function:
    """A function.

    `name` is the component-level name: `f`, `[method]r.m`, `[static]r.s`, `[constructor]r`, `[get]f`,
    `[method][set]r.f` and so on. A constructor's result is the resource, or a result of it.
    """

    name: str
    kind: FunctionKind
    params: tuple[Param, ...]
    result: Type | None
    docs: str | None = None
    stability: Stability = None
    external_id: str | None = None
    span: Span | None = field(default=None, compare=False)


# --- Interfaces, worlds, packages ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Interface:
    """A set of types and functions, both in the order of the JSON form.

    `name` is None for an interface written in place in a world. `package` is the package it stands in.
    `clone_of` is the interface that `include` made this one from, where that one is written in place too.
    """

    name: str | None
    types: Mapping[str, TypeId]
    functions: Mapping[str, Function]
    package: PackageId
    docs: str | None = None
    stability: Stability = None
    clone_of: InterfaceId | None = None
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class WorldInterface:
    """An interface that a world imports or exports."""

    interface: InterfaceId
    stability: Stability = None
    external_id: str | None = None
    docs: str | None = None
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class WorldFunction:
    """A function that a world imports or exports; its details are those of the function."""

    function: Function


@dataclass(frozen=True, slots=True)
class WorldType:
    """A type of a world; always among the imports."""

    type: TypeId
    span: Span | None = field(default=None, compare=False)


WorldItem: TypeAlias = WorldInterface | WorldFunction | WorldType

WorldKey: TypeAlias = str | InterfaceId
"""How a world names an item: a plain name, or an interface that goes by its own (package-qualified) name."""


@dataclass(frozen=True, slots=True)
class World:
    """Imports and exports, both in the order of the JSON form, transitive imports included.

    A key is an `InterfaceId` exactly where the item is an interface that is named by its package; a labelled
    interface (`import a: pkg:name/iface`) and one written in place have a string key.
    """

    name: str
    imports: Mapping[WorldKey, WorldItem]
    exports: Mapping[WorldKey, WorldItem]
    package: PackageId
    docs: str | None = None
    stability: Stability = None
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class PackageName:
    """`namespace:name@version`; the version is a semantic version, or None."""

    namespace: str
    name: str
    version: str | None = None

    def __str__(self) -> str:
        suffix = "" if self.version is None else f"@{self.version}"
        return f"{self.namespace}:{self.name}{suffix}"

    def interface_id(self, interface: str) -> str:
        """The full name of an interface or world: `namespace:name/interface@version`."""
        suffix = "" if self.version is None else f"@{self.version}"
        return f"{self.namespace}:{self.name}/{interface}{suffix}"


@dataclass(frozen=True, slots=True)
class Package:
    """A package and what it defines, in source order."""

    name: PackageName
    interfaces: Mapping[str, InterfaceId]
    worlds: Mapping[str, WorldId]
    docs: str | None = None
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Resolve:
    """All packages that were read together.

    `packages` are in topological order: each comes after those that it uses. Every type in `types` refers
    only to earlier types. `main` is the package that the user asked for.
    """

    worlds: tuple[World, ...]
    interfaces: tuple[Interface, ...]
    types: tuple[TypeDef, ...]
    packages: tuple[Package, ...]
    main: PackageId

    def dealias(self, type_: TypeId) -> TypeId:
        """Follow aliases to the type that is meant; the result is no alias, or an alias of a primitive."""
        while True:
            kind = self.types[type_].kind
            if not isinstance(kind, Alias) or isinstance(kind.type, Primitive):
                return type_
            type_ = kind.type

    def interface_name(self, interface: InterfaceId) -> str | None:
        """`namespace:package/name@version`, or None for an interface written in place."""
        item = self.interfaces[interface]
        return None if item.name is None else self.packages[item.package].name.interface_id(item.name)
