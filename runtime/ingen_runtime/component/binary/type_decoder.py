"""Decodes the type, core type and alias productions, and what imports and exports share.

Source: component-model Binary.md, "Type Definitions" and "Alias Definitions".
"""

from __future__ import annotations

from collections.abc import Callable

from ingen_runtime.component.binary.core_types import read_core_extern_desc, read_rec_group
from ingen_runtime.component.binary.reader import Reader
from ingen_runtime.component.binary.syntax import (
    AliasDef,
    BorrowDef,
    ComponentDecl,
    ComponentTypeDef,
    CoreExportAlias,
    CoreExportDecl,
    CoreImport,
    CoreOuterAlias,
    CoreTypeDef,
    DefType,
    EnumDef,
    ExportAlias,
    ExportDecl,
    ExternDesc,
    ExternName,
    FlagsDef,
    FuncDef,
    FutureDef,
    ImportDef,
    InstanceTypeDef,
    ListDef,
    MapDef,
    ModuleDecl,
    ModuleTypeDef,
    OptionDef,
    OuterAlias,
    OwnDef,
    RecordDef,
    ResourceDef,
    ResultDef,
    Sort,
    SortDesc,
    StreamDef,
    SubResource,
    TupleDef,
    TypeDef,
    TypeDesc,
    TypeEq,
    ValTypeRef,
    ValueDesc,
    VariantDef,
)
from ingen_runtime.component.types import PrimitiveType
from ingen_runtime.core_types import NumberType

MAX_NESTING_DEPTH = 100
"""How deep components and component and instance types may nest."""

PRIMITIVE_TYPES = {
    0x7F: PrimitiveType.BOOL,
    0x7E: PrimitiveType.S8,
    0x7D: PrimitiveType.U8,
    0x7C: PrimitiveType.S16,
    0x7B: PrimitiveType.U16,
    0x7A: PrimitiveType.S32,
    0x79: PrimitiveType.U32,
    0x78: PrimitiveType.S64,
    0x77: PrimitiveType.U64,
    0x76: PrimitiveType.F32,
    0x75: PrimitiveType.F64,
    0x74: PrimitiveType.CHAR,
    0x73: PrimitiveType.STRING,
    0x64: PrimitiveType.ERROR_CONTEXT,
}

_SORTS = {
    0x01: Sort.FUNC,
    0x02: Sort.VALUE,
    0x03: Sort.TYPE,
    0x04: Sort.COMPONENT,
    0x05: Sort.INSTANCE,
}

_CORE_SORTS = {
    0x00: Sort.CORE_FUNC,
    0x01: Sort.CORE_TABLE,
    0x02: Sort.CORE_MEMORY,
    0x03: Sort.CORE_GLOBAL,
    0x04: Sort.CORE_TAG,
    0x10: Sort.CORE_TYPE,
    0x11: Sort.CORE_MODULE,
    0x12: Sort.CORE_INSTANCE,
}

_OUTER_ALIAS_SORTS = frozenset({Sort.TYPE, Sort.COMPONENT, Sort.CORE_TYPE, Sort.CORE_MODULE})


def read_core_sort(reader: Reader) -> Sort:
    """Read a `core:sort`."""
    byte = reader.u8()
    sort = _CORE_SORTS.get(byte)
    if sort is None:
        raise reader.invalid_byte(byte, "core sort")
    return sort


def read_sort(reader: Reader) -> Sort:
    """Read a `sort`."""
    byte = reader.u8()
    if byte == 0x00:
        return read_core_sort(reader)
    sort = _SORTS.get(byte)
    if sort is None:
        raise reader.invalid_byte(byte, "sort")
    return sort


def read_extern_name(reader: Reader) -> ExternName:
    """Read the name of an import or export with its attributes."""
    byte = reader.u8()
    if byte == 0x00 or byte == 0x01:
        return ExternName(reader.name())
    if byte != 0x02:
        raise reader.invalid_byte(byte, "extern name")
    name = reader.name()
    attributes: dict[str, str] = {}
    for _ in range(reader.count()):
        start = reader.position
        match reader.u8():
            case 0x00:
                attribute = "implements"
            case 0x01:
                attribute = "version_suffix"
            case 0x02:
                attribute = "external_id"
            case other:
                raise reader.invalid_byte(other, "name attribute")
        if attribute in attributes:
            raise reader.error(f"`{name}` has two `{attribute.replace('_', '-')}` attributes", start)
        attributes[attribute] = reader.name()
    return ExternName(name, **attributes)


def read_val_type(reader: Reader) -> ValTypeRef:
    """Read a value type in place."""
    primitive = PRIMITIVE_TYPES.get(reader.peek())
    if primitive is not None:
        reader.u8()
        return primitive
    start = reader.position
    index = reader.signed(33)
    if index < 0:
        raise reader.error(f"invalid leading byte 0x{reader.data[start]:02x} for value type", start)
    return index


def read_extern_desc(reader: Reader) -> ExternDesc:
    """Read what an import or export is."""
    byte = reader.u8()
    match byte:
        case 0x00:
            second = reader.u8()
            if second != 0x11:
                raise reader.invalid_byte(second, "core import or export of a component")
            return SortDesc(Sort.CORE_MODULE, reader.u32())
        case 0x01 | 0x04 | 0x05:
            return SortDesc(_SORTS[byte], reader.u32())
        case 0x02:
            return ValueDesc(read_val_type(reader))
        case 0x03:
            bound = reader.u8()
            if bound == 0x00:
                return TypeDesc(TypeEq(reader.u32()))
            if bound == 0x01:
                return TypeDesc(SubResource())
            raise reader.invalid_byte(bound, "type bound")
        case _:
            raise reader.invalid_byte(byte, "external kind")


def read_alias(reader: Reader) -> AliasDef:
    """Read an alias."""
    start = reader.position
    sort = read_sort(reader)
    byte = reader.u8()
    match byte:
        case 0x00:
            return AliasDef(start, sort, ExportAlias(reader.u32(), reader.name()))
        case 0x01:
            return AliasDef(start, sort, CoreExportAlias(reader.u32(), reader.name()))
        case 0x02:
            if sort not in _OUTER_ALIAS_SORTS:
                raise reader.error(f"a {sort.value} cannot be aliased from an enclosing component", start)
            return AliasDef(start, sort, OuterAlias(reader.u32(), reader.u32()))
        case _:
            raise reader.invalid_byte(byte, "alias target")


def read_result(reader: Reader) -> ValTypeRef | None:
    """Read the result list of a function type or of `task.return`."""
    byte = reader.u8()
    if byte == 0x00:
        return read_val_type(reader)
    if byte != 0x01:
        raise reader.invalid_byte(byte, "function results")
    count = reader.u8()
    if count != 0x00:
        raise reader.invalid_byte(count, "number of results: named results are no longer part of the format")
    return None


def _read_case(reader: Reader) -> tuple[str, ValTypeRef | None]:
    label = reader.name()
    type_ = reader.optional(lambda: read_val_type(reader), "case payload")
    refines = reader.u8()
    if refines != 0x00:
        raise reader.invalid_byte(refines, "the end of a case, which must be zero")
    return label, type_


def _read_resource(reader: Reader) -> ResourceDef:
    byte = reader.u8()
    if byte == 0x7F:
        rep = NumberType.I32
    elif byte == 0x7E:
        rep = NumberType.I64
    else:
        raise reader.invalid_byte(byte, "resource representation")
    return ResourceDef(rep, reader.optional(reader.u32, "resource destructor"))


def _read_declarations(reader: Reader, depth: int, *, imports: bool) -> tuple[ComponentDecl, ...]:
    if depth >= MAX_NESTING_DEPTH:
        raise reader.error(f"types nest deeper than {MAX_NESTING_DEPTH}")

    def declaration() -> ComponentDecl:
        start = reader.position
        byte = reader.u8()
        match byte:
            case 0x00:
                return read_core_type_def(reader)
            case 0x01:
                return read_type_def(reader, depth + 1)
            case 0x02:
                return read_alias(reader)
            case 0x03 if imports:
                return ImportDef(start, read_extern_name(reader), read_extern_desc(reader))
            case 0x04:
                return ExportDecl(start, read_extern_name(reader), read_extern_desc(reader))
            case _:
                raise reader.invalid_byte(byte, "component or instance type declaration")

    return reader.vector(declaration)


def _read_labelled(reader: Reader) -> tuple[str, ValTypeRef]:
    return reader.name(), read_val_type(reader)


def _read_maybe_type(reader: Reader) -> ValTypeRef | None:
    return reader.optional(lambda: read_val_type(reader), "optional type")


_DEF_TYPES: dict[int, Callable[[Reader], DefType]] = {
    0x72: lambda reader: RecordDef(reader.vector(lambda: _read_labelled(reader))),
    0x71: lambda reader: VariantDef(reader.vector(lambda: _read_case(reader))),
    0x70: lambda reader: ListDef(read_val_type(reader)),
    0x6F: lambda reader: TupleDef(reader.vector(lambda: read_val_type(reader))),
    0x6E: lambda reader: FlagsDef(reader.vector(reader.name)),
    0x6D: lambda reader: EnumDef(reader.vector(reader.name)),
    0x6B: lambda reader: OptionDef(read_val_type(reader)),
    0x6A: lambda reader: ResultDef(_read_maybe_type(reader), _read_maybe_type(reader)),
    0x69: lambda reader: OwnDef(reader.u32()),
    0x68: lambda reader: BorrowDef(reader.u32()),
    0x67: lambda reader: ListDef(read_val_type(reader), reader.u32()),
    0x66: lambda reader: StreamDef(_read_maybe_type(reader)),
    0x65: lambda reader: FutureDef(_read_maybe_type(reader)),
    0x63: lambda reader: MapDef(read_val_type(reader), read_val_type(reader)),
    0x43: lambda reader: FuncDef(reader.vector(lambda: _read_labelled(reader)), read_result(reader), True),
    0x40: lambda reader: FuncDef(reader.vector(lambda: _read_labelled(reader)), read_result(reader)),
    0x3F: _read_resource,
}


def read_type_def(reader: Reader, depth: int = 0) -> TypeDef:
    """Read a type definition inside `depth` component or instance types."""
    start = reader.position
    byte = reader.u8()
    primitive = PRIMITIVE_TYPES.get(byte)
    if primitive is not None:
        return TypeDef(start, primitive)
    if byte == 0x41:
        return TypeDef(start, ComponentTypeDef(_read_declarations(reader, depth, imports=True)))
    if byte == 0x42:
        return TypeDef(start, InstanceTypeDef(_read_declarations(reader, depth, imports=False)))
    read = _DEF_TYPES.get(byte)
    if read is None:
        raise reader.invalid_byte(byte, "component defined type")
    return TypeDef(start, read(reader))


def _read_core_outer_alias(reader: Reader) -> CoreOuterAlias:
    sort = reader.u8()
    if sort != 0x10:
        raise reader.invalid_byte(sort, "outer alias kind in a module type, which must be type")
    target = reader.u8()
    if target != 0x01:
        raise reader.invalid_byte(target, "outer alias target in a module type")
    return CoreOuterAlias(reader.u32(), reader.u32())


def _read_module_declaration(reader: Reader) -> ModuleDecl:
    byte = reader.u8()
    match byte:
        case 0x00:
            return CoreImport(reader.name(), reader.name(), read_core_extern_desc(reader))
        case 0x01:
            return read_rec_group(reader)
        case 0x02:
            return _read_core_outer_alias(reader)
        case 0x03:
            return CoreExportDecl(reader.name(), read_core_extern_desc(reader))
        case _:
            raise reader.invalid_byte(byte, "module type declaration")


def read_core_type_def(reader: Reader) -> CoreTypeDef:
    """Read a core type definition; 0x50 is a module type unless 0x00 is before it."""
    start = reader.position
    byte = reader.peek()
    if byte == 0x50:
        reader.u8()
        return CoreTypeDef(start, ModuleTypeDef(reader.vector(lambda: _read_module_declaration(reader))))
    if byte == 0x00:
        reader.u8()
        if reader.peek() != 0x50:
            raise reader.error("0x00 comes before a non-final core type only")
    return CoreTypeDef(start, read_rec_group(reader))
