"""Core types: what imports, exports and the core type section say, and how they are read.

Source: WebAssembly core specification 3.0, "Types" in the binary format.

Most classes here are named tuples: as dataclasses, they would add 50 ms to every start.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from ingen_runtime.component.binary.reader import Reader
from ingen_runtime.core_types import CoreFuncType, CoreValType, NumberType, RefType
from ingen_runtime.frozen import frozen


class FieldDef(NamedTuple):
    """A field of a struct or the elements of an array."""

    type: CoreValType
    mutable: bool


class StructDef(NamedTuple):
    """A struct type."""

    fields: tuple[FieldDef, ...]


class ArrayDef(NamedTuple):
    """An array type."""

    element: FieldDef


CompositeDef: TypeAlias = CoreFuncType | StructDef | ArrayDef


class SubDef(NamedTuple):
    """A composite type with its supertypes; a bare composite type is final and has none."""

    type: CompositeDef
    supertypes: tuple[int, ...] = ()
    final: bool = True


class RecGroup(NamedTuple):
    """Types that may name one another; each takes an index."""

    types: tuple[SubDef, ...]


class Limits(NamedTuple):
    """Limits of a memory (in pages) or a table (in elements)."""

    minimum: int
    maximum: int | None
    shared: bool = False
    is_64: bool = False


class TableType(NamedTuple):
    """A table's type."""

    element: RefType
    limits: Limits


class MemoryType(NamedTuple):
    """A memory's type; a page has `1 << page_size_log2` bytes."""

    limits: Limits
    page_size_log2: int = 16


class GlobalType(NamedTuple):
    """A global's type."""

    type: CoreValType
    mutable: bool


@frozen
class TypeUse:
    """A function by the index of its type."""

    index: int


@frozen
class TagUse:
    """A tag by the index of its function type."""

    index: int


CoreExternDesc: TypeAlias = TypeUse | TableType | MemoryType | GlobalType | TagUse

_NUMBER_TYPES = {
    0x7F: NumberType.I32,
    0x7E: NumberType.I64,
    0x7D: NumberType.F32,
    0x7C: NumberType.F64,
    0x7B: NumberType.V128,
}

_PACKED_TYPES = {0x78: NumberType.I8, 0x77: NumberType.I16}

_HEAP_TYPES = {
    0x75: "nocont",
    0x74: "noexn",
    0x73: "nofunc",
    0x72: "noextern",
    0x71: "none",
    0x70: "func",
    0x6F: "extern",
    0x6E: "any",
    0x6D: "eq",
    0x6C: "i31",
    0x6B: "struct",
    0x6A: "array",
    0x69: "exn",
    0x68: "cont",
}


def read_heap_type(reader: Reader) -> str | int:
    """Read a heap type: its keyword, or a type index."""
    start = reader.position
    byte = reader.peek()
    if byte == 0x65:  # the shared heap types of the threads proposal
        reader.u8()
        byte = reader.u8()
        if byte not in _HEAP_TYPES:
            raise reader.invalid_byte(byte, "shared heap type")
        return f"shared {_HEAP_TYPES[byte]}"
    if byte in _HEAP_TYPES:
        reader.u8()
        return _HEAP_TYPES[byte]
    index = reader.signed(33)
    if index < 0:
        raise reader.error(f"invalid leading byte 0x{byte:02x} for heap type", start)
    return index


def read_ref_type(reader: Reader) -> RefType:
    """Read a reference type."""
    byte = reader.u8()
    if byte in _HEAP_TYPES:
        return RefType(_HEAP_TYPES[byte])
    if byte == 0x64 or byte == 0x63:
        return RefType(read_heap_type(reader), nullable=byte == 0x63)
    raise reader.invalid_byte(byte, "reference type")


def read_core_val_type(reader: Reader) -> CoreValType:
    """Read a value type."""
    number = _NUMBER_TYPES.get(reader.peek())
    if number is not None:
        reader.u8()
        return number
    return read_ref_type(reader)


def _read_field(reader: Reader) -> FieldDef:
    packed = _PACKED_TYPES.get(reader.peek())
    if packed is None:
        type_ = read_core_val_type(reader)
    else:
        reader.u8()
        type_ = packed
    return FieldDef(type_, reader.boolean())


def _read_composite(reader: Reader, byte: int) -> CompositeDef:
    if byte == 0x65:  # shared
        byte = reader.u8()
    if byte == 0x60:
        params = reader.vector(lambda: read_core_val_type(reader))
        return CoreFuncType(params, reader.vector(lambda: read_core_val_type(reader)))
    if byte == 0x5F:
        return StructDef(reader.vector(lambda: _read_field(reader)))
    if byte == 0x5E:
        return ArrayDef(_read_field(reader))
    raise reader.invalid_byte(byte, "core type")


def read_sub_def(reader: Reader) -> SubDef:
    """Read a type of a recursion group."""
    byte = reader.u8()
    if byte == 0x50 or byte == 0x4F:
        supertypes = reader.vector(reader.u32)
        if len(supertypes) > 1:
            raise reader.error("a core type has at most one supertype")
        return SubDef(_read_composite(reader, reader.u8()), supertypes, final=byte == 0x4F)
    return SubDef(_read_composite(reader, byte))


def read_rec_group(reader: Reader) -> RecGroup:
    """Read a recursion group, or the single type that stands for a group of one."""
    if reader.peek() == 0x4E:
        reader.u8()
        return RecGroup(reader.vector(lambda: read_sub_def(reader)))
    return RecGroup((read_sub_def(reader),))


def _read_limits(reader: Reader, flags: int) -> Limits:
    is_64 = bool(flags & 4)
    read = reader.u64 if is_64 else reader.u32
    minimum = read()
    maximum = read() if flags & 1 else None
    return Limits(minimum, maximum, shared=bool(flags & 2), is_64=is_64)


def read_table_type(reader: Reader) -> TableType:
    """Read a table's type."""
    element = read_ref_type(reader)
    flags = reader.u8()
    if flags > 7:
        raise reader.invalid_byte(flags, "table limits")
    return TableType(element, _read_limits(reader, flags))


def read_memory_type(reader: Reader) -> MemoryType:
    """Read a memory's type."""
    flags = reader.u8()
    if flags > 15:
        raise reader.invalid_byte(flags, "memory limits")
    limits = _read_limits(reader, flags)
    return MemoryType(limits, reader.u32() if flags & 8 else 16)


def read_global_type(reader: Reader) -> GlobalType:
    """Read a global's type."""
    type_ = read_core_val_type(reader)
    flags = reader.u8()
    if flags > 3:
        raise reader.invalid_byte(flags, "global mutability")
    return GlobalType(type_, bool(flags & 1))


def read_core_extern_desc(reader: Reader) -> CoreExternDesc:
    """Read what an import, or an export of a module type, is."""
    byte = reader.u8()
    match byte:
        case 0x00 | 0x20:  # 0x20: exactly this type
            return TypeUse(reader.u32())
        case 0x01:
            return read_table_type(reader)
        case 0x02:
            return read_memory_type(reader)
        case 0x03:
            return read_global_type(reader)
        case 0x04:
            attribute = reader.u8()
            if attribute != 0:
                raise reader.invalid_byte(attribute, "tag attribute")
            return TagUse(reader.u32())
        case _:
            raise reader.invalid_byte(byte, "external kind")
