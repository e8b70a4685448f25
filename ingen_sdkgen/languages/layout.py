"""How values lie in memory and what they flatten to, in the form in which views want it."""

from __future__ import annotations

from dataclasses import dataclass

from ingen_runtime.canonical.layout import (
    MAX_FLAT_PARAMS,
    alignment,
    cases_of,
    discriminant_size,
    elem_size,
    entry_type,
    field_offsets,
    fields_of,
    flat_count,
    flatten_type,
    payload_offset,
)
from ingen_runtime.component.types import (
    EnumType,
    MapType,
    OptionType,
    RecordType,
    ResultType,
    TupleType,
    ValType,
    VariantType,
)
from ingen_runtime.core_types import NumberType


@dataclass(frozen=True, slots=True)
class Layout:
    """How a value lies in memory, and what it is passed as outside of it. Sizes and offsets in bytes.

    `flat` is None where there are more than 16 flat values: then the value is only ever passed in memory.
    `offsets` are those of a record's fields or a tuple's elements. `discriminant_size` and `payload_offset`
    are set for variants, enums, options and results; the discriminant itself has offset 0. `entry` is set for
    maps: the layout of an entry, a tuple of key and value; entries lie in memory like a list's elements.
    """

    size: int
    alignment: int
    flat: tuple[NumberType, ...] | None
    offsets: tuple[int, ...] = ()
    discriminant_size: int | None = None
    payload_offset: int | None = None
    entry: Layout | None = None


def layout_of(type_: ValType) -> Layout:
    """The layout of a value type."""
    size, align = elem_size(type_), alignment(type_)
    flat = flatten_type(type_) if flat_count(type_) <= MAX_FLAT_PARAMS else None
    match type_:
        case RecordType() | TupleType():
            return Layout(size, align, flat, offsets=field_offsets(fields_of(type_)))
        case VariantType() | EnumType() | OptionType() | ResultType():
            cases = cases_of(type_)
            return Layout(
                size,
                align,
                flat,
                discriminant_size=discriminant_size(len(cases)),
                payload_offset=payload_offset(cases),
            )
        case MapType():
            return Layout(size, align, flat, entry=layout_of(entry_type(type_)))
        case _:
            return Layout(size, align, flat)
