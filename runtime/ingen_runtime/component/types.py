"""The component-level value types, as the canonical ABI sees them.

Aliases are gone here: two uses of one defined type are equal values. A record, variant, enum or flags type
remembers the `name` under which it was exported or imported (`point`, or `ingen:demo/shapes#point` with its
interface), so that hosts can give each its own class; names take no part in comparison. Resource types are
compared by identity, because each evaluation of a resource definition makes a new type.

The encoding of strings is here too: it is no part of a type, but of what the canonical ABI makes of one.

Source: CanonicalABI.md and Explainer.md, "Type Definitions".
"""

from __future__ import annotations

import enum
from typing import TypeAlias

from ingen_runtime.frozen import frozen


class PrimitiveType(enum.Enum):
    """A primitive value type; the value is its WIT keyword."""

    BOOL = "bool"
    S8 = "s8"
    U8 = "u8"
    S16 = "s16"
    U16 = "u16"
    S32 = "s32"
    U32 = "u32"
    S64 = "s64"
    U64 = "u64"
    F32 = "f32"
    F64 = "f64"
    CHAR = "char"
    STRING = "string"
    ERROR_CONTEXT = "error-context"


class StringEncoding(enum.Enum):
    """How a core module holds strings: the `string-encoding` option, as the text format writes it."""

    UTF8 = "utf8"
    UTF16 = "utf16"
    LATIN1_UTF16 = "latin1+utf16"


@frozen
class FieldType:
    """A record's field."""

    label: str
    type: ValType


@frozen(uncompared=("name",))
class RecordType:
    """A record; at least one field."""

    fields: tuple[FieldType, ...]
    name: str | None = None


@frozen
class CaseType:
    """A variant's case; `type` is None where it carries nothing."""

    label: str
    type: ValType | None


@frozen(uncompared=("name",))
class VariantType:
    """A variant; at least one case."""

    cases: tuple[CaseType, ...]
    name: str | None = None


@frozen
class ListType:
    """A list of any length."""

    element: ValType


@frozen
class FixedListType:
    """A list of exactly `length` elements."""

    element: ValType
    length: int


@frozen
class MapType:
    """A map; passed like a list of key-value tuples."""

    key: ValType
    value: ValType


@frozen
class TupleType:
    """A tuple; at least one element."""

    types: tuple[ValType, ...]


@frozen(uncompared=("name",))
class FlagsType:
    """Flags; label number i is bit i."""

    labels: tuple[str, ...]
    name: str | None = None


@frozen(uncompared=("name",))
class EnumType:
    """An enum; at least one label."""

    labels: tuple[str, ...]
    name: str | None = None


@frozen
class OptionType:
    """An option."""

    type: ValType


@frozen
class ResultType:
    """A result; None where a side carries nothing."""

    ok: ValType | None
    err: ValType | None


class ResourceType:
    """A resource type; each object is a type of its own.

    `name` is what messages call it.
    """

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"<resource {self.name}>"


@frozen
class OwnType:
    """An owning handle."""

    resource: ResourceType


@frozen
class BorrowType:
    """A borrowing handle."""

    resource: ResourceType


@frozen
class StreamType:
    """The readable end of a stream."""

    element: ValType | None


@frozen
class FutureType:
    """The readable end of a future."""

    element: ValType | None


ValType: TypeAlias = (
    PrimitiveType
    | RecordType
    | VariantType
    | ListType
    | FixedListType
    | MapType
    | TupleType
    | FlagsType
    | EnumType
    | OptionType
    | ResultType
    | OwnType
    | BorrowType
    | StreamType
    | FutureType
)


@frozen
class FuncType:
    """A component function's type; parameter labels are unique, `result` is None where it returns nothing."""

    params: tuple[tuple[str, ValType], ...]
    result: ValType | None
    is_async: bool = False
