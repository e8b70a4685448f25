"""The syntax tree of a WIT file: what was written, names not yet looked up."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from ingen_sdkgen.model import PackageName, Primitive, Span, Stability


@dataclass(slots=True)
class Id:
    """An identifier, without `%`."""

    name: str
    span: Span


@dataclass(slots=True)
class Gates:
    """The attributes before an item."""

    stability: Stability = None
    external_id: str | None = None


@dataclass(slots=True)
class LocalPath:
    """A name in this file or package."""

    id: Id


@dataclass(slots=True)
class PackagePath:
    """`namespace:package/name@version`; `span` covers it all, `package_span` the package's part."""

    package: PackageName
    package_span: Span
    id: Id


Path: TypeAlias = LocalPath | PackagePath


# --- Types ----------------------------------------------------------------------------------------------
# The span of a compound type is that of its keyword.


@dataclass(slots=True)
class PrimitiveType:
    """`u8` and its like."""

    primitive: Primitive
    span: Span


@dataclass(slots=True)
class NamedType:
    """A type by its name."""

    id: Id

    @property
    def span(self) -> Span:
        """The span of the name."""
        return self.id.span


@dataclass(slots=True)
class ListType:
    """`list<T>`, or `list<T, length>`."""

    element: Type
    length: int | None
    span: Span


@dataclass(slots=True)
class MapType:
    """`map<K, V>`."""

    key: Type
    value: Type
    span: Span


@dataclass(slots=True)
class OptionType:
    """`option<T>`."""

    type: Type
    span: Span


@dataclass(slots=True)
class TupleType:
    """`tuple<…>`."""

    types: list[Type]
    span: Span


@dataclass(slots=True)
class ResultType:
    """`result`, `result<T>`, `result<_, E>`, `result<T, E>`."""

    ok: Type | None
    err: Type | None
    span: Span


@dataclass(slots=True)
class HandleType:
    """`own<r>` or `borrow<r>`."""

    resource: Id
    borrow: bool
    span: Span


@dataclass(slots=True)
class FutureType:
    """`future<T>` or `future`."""

    type: Type | None
    span: Span


@dataclass(slots=True)
class StreamType:
    """`stream<T>` or `stream`."""

    type: Type | None
    span: Span


Type: TypeAlias = (
    PrimitiveType
    | NamedType
    | ListType
    | MapType
    | OptionType
    | TupleType
    | ResultType
    | HandleType
    | FutureType
    | StreamType
)


# --- Functions ------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Param:
    """A parameter."""

    id: Id
    type: Type


@dataclass(slots=True)
class Function:
    """The part after the colon. `accessor` is None for `func`, otherwise `get` or `set`."""

    params: list[Param]
    result: Type | None
    is_async: bool
    accessor: str | None
    span: Span


@dataclass(slots=True)
class NamedFunction:
    """A function with its name; for a constructor, `id` is the keyword."""

    id: Id
    function: Function
    docs: str | None
    gates: Gates
    is_static: bool = False
    is_constructor: bool = False


# --- Type definitions -----------------------------------------------------------------------------------


@dataclass(slots=True)
class FieldSyntax:
    """A record's field."""

    id: Id
    type: Type
    docs: str | None


@dataclass(slots=True)
class CaseSyntax:
    """A variant's case."""

    id: Id
    type: Type | None
    docs: str | None


@dataclass(slots=True)
class LabelSyntax:
    """A flag, or a case of an enum."""

    id: Id
    docs: str | None


@dataclass(slots=True)
class AliasBody:
    """`type … = T`."""

    type: Type


@dataclass(slots=True)
class RecordBody:
    """`record … { … }`."""

    fields: list[FieldSyntax]


@dataclass(slots=True)
class FlagsBody:
    """`flags … { … }`."""

    labels: list[LabelSyntax]


@dataclass(slots=True)
class EnumBody:
    """`enum … { … }`."""

    labels: list[LabelSyntax]


@dataclass(slots=True)
class VariantBody:
    """`variant … { … }`."""

    cases: list[CaseSyntax]


@dataclass(slots=True)
class ResourceBody:
    """`resource …;` or `resource … { … }`."""

    functions: list[NamedFunction]


TypeBody: TypeAlias = AliasBody | RecordBody | FlagsBody | EnumBody | VariantBody | ResourceBody


@dataclass(slots=True)
class TypeDefinition:
    """A type with a name."""

    id: Id
    body: TypeBody
    docs: str | None
    gates: Gates


# --- Items ----------------------------------------------------------------------------------------------


@dataclass(slots=True)
class UseName:
    """One name of a `use`; `alias` is None without `as`."""

    id: Id
    alias: Id | None

    @property
    def local(self) -> Id:
        """The name it has from here on."""
        return self.alias or self.id


@dataclass(slots=True)
class Use:
    """`use path.{…};`."""

    path: Path
    names: list[UseName]
    gates: Gates


@dataclass(slots=True)
class TopLevelUse:
    """`use path as name;` at the top of a file. `keyword` is the span of `use`."""

    path: Path
    alias: Id | None
    keyword: Span
    has_gates: bool

    @property
    def local(self) -> Id:
        """The name it has in this file."""
        return self.alias or self.path.id


InterfaceItem: TypeAlias = Use | TypeDefinition | NamedFunction


@dataclass(slots=True)
class InterfaceSyntax:
    """`interface … { … }`."""

    id: Id
    items: list[InterfaceItem]
    docs: str | None
    gates: Gates


@dataclass(slots=True)
class ExternFunction:
    """`name: func(…)` in a world."""

    id: Id
    function: Function

    @property
    def span(self) -> Span:
        """The span of the name."""
        return self.id.span


@dataclass(slots=True)
class ExternInterface:
    """`name: interface { … }` in a world."""

    id: Id
    items: list[InterfaceItem]

    @property
    def span(self) -> Span:
        """The span of the name."""
        return self.id.span


@dataclass(slots=True)
class ExternPath:
    """An interface by its path; with a label it goes by that name."""

    label: Id | None
    path: Path

    @property
    def span(self) -> Span:
        """The span of the label, or of the path's last name."""
        return self.path.id.span if self.label is None else self.label.span


Extern: TypeAlias = ExternFunction | ExternInterface | ExternPath


@dataclass(slots=True)
class WorldExtern:
    """An import or an export."""

    is_import: bool
    extern: Extern
    docs: str | None
    gates: Gates


@dataclass(slots=True)
class IncludeName:
    """`id as alias`."""

    id: Id
    alias: Id


@dataclass(slots=True)
class Include:
    """`include path with { … };`."""

    path: Path
    names: list[IncludeName]
    gates: Gates


WorldItemSyntax: TypeAlias = Use | TypeDefinition | Include | WorldExtern


@dataclass(slots=True)
class WorldSyntax:
    """`world … { … }`."""

    id: Id
    items: list[WorldItemSyntax]
    docs: str | None
    gates: Gates


@dataclass(slots=True)
class PackageId:
    """A package's name where it is declared; `docs_span` covers the comments before it."""

    name: PackageName
    span: Span
    docs: str | None
    docs_span: Span


TopItem: TypeAlias = "TopLevelUse | InterfaceSyntax | WorldSyntax | NestedPackage"


@dataclass(slots=True)
class NestedPackage:
    """`package … { … }`."""

    package: PackageId
    items: list[TopItem]


@dataclass(slots=True)
class FileSyntax:
    """A file. `package` is its header, which only one file of a package needs."""

    package: PackageId | None
    items: list[TopItem] = field(default_factory=list)
