"""Reads what linking needs of a core module: its imports, its exports with their types, its custom sections.

The code, data and element sections are stepped over, so this takes time by the number of declarations, not
by the size of the module. It does not validate: the engine does, when it compiles.

Source: WebAssembly core specification 3.0, "Modules" in the binary format.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, TypeAlias

from ingen_runtime.component.binary.core_types import (
    CoreExternDesc,
    GlobalType,
    MemoryType,
    SubDef,
    TableType,
    TagUse,
    TypeUse,
    read_core_extern_desc,
    read_global_type,
    read_heap_type,
    read_memory_type,
    read_rec_group,
    read_table_type,
)
from ingen_runtime.component.binary.preamble import BinaryKind, expect_kind
from ingen_runtime.component.binary.reader import Buffer, Reader
from ingen_runtime.component.binary.syntax import CoreImport, CustomSection
from ingen_runtime.core_types import CoreFuncType
from ingen_runtime.errors import ComponentFormatError

_SECTION_ORDER = (0, 1, 2, 3, 4, 5, 13, 6, 7, 8, 9, 12, 10, 11)
"""The section ids of a module in the order they must have; custom sections may be anywhere."""

_READ_SECTIONS = (1, 2, 3, 4, 5, 6, 7, 13)
"""The sections that say what a module imports and exports."""


class TagType(NamedTuple):
    """A tag with the type of what it carries."""

    type: CoreFuncType


CoreExternType: TypeAlias = CoreFuncType | TableType | MemoryType | GlobalType | TagType


class CoreModule(NamedTuple):
    """A core module from outside; `types` keeps what the indices in reference types mean."""

    imports: tuple[tuple[str, str, CoreExternType], ...]
    exports: Mapping[str, CoreExternType]
    types: tuple[SubDef, ...]
    sections: tuple[CustomSection, ...]

    def custom_sections(self, prefix: str = "") -> tuple[CustomSection, ...]:
        """The custom sections whose name begins with `prefix`."""
        return tuple(section for section in self.sections if section.name.startswith(prefix))


def func_type(types: tuple[SubDef, ...] | list[SubDef], index: int, offset: int) -> CoreFuncType:
    """The function type at an index.

    Raises: ComponentFormatError where there is none.
    """
    if index >= len(types):
        raise ComponentFormatError(f"core type index {index} is out of bounds", offset)
    type_ = types[index].type
    if not isinstance(type_, CoreFuncType):
        raise ComponentFormatError(f"core type {index} is no function type", offset)
    return type_


def read_core_module(data: Buffer, start: int = 0, end: int | None = None) -> CoreModule:
    """Read the core module in `data[start:end]`.

    Raises: ComponentFormatError where the parts that are read are malformed.
    """
    return _ModuleReader(Reader(data, start, end)).read()


class _ModuleReader:
    """The index spaces of a module while its sections are read."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.types: list[SubDef] = []
        self.imports: list[CoreImport] = []
        self.funcs: list[int] = []
        self.tables: list[TableType] = []
        self.memories: list[MemoryType] = []
        self.globals: list[GlobalType] = []
        self.tags: list[int] = []
        self.exports: list[tuple[str, int, int, int]] = []
        self.sections: list[CustomSection] = []

    def read(self) -> CoreModule:
        reader = self.reader
        offset = reader.position
        expect_kind(reader.data, offset, reader.end, BinaryKind.CORE_MODULE)
        reader.position += 8
        last_place = 0
        while reader.position < reader.end:
            start = reader.position
            section_id = reader.u8()
            if section_id not in _SECTION_ORDER:
                raise reader.error(f"malformed section id {section_id} in a core module", start)
            if section_id != 0:
                place = _SECTION_ORDER.index(section_id)
                if place <= last_place:
                    raise reader.error("section out of order or given twice in a core module", start)
                last_place = place
            byte_length = reader.u32()
            end = reader.position + byte_length
            if end > reader.end:
                raise reader.error("unexpected end of the module in a section")
            if section_id in _READ_SECTIONS:
                # Reading bytes is faster than reading a view.
                section_start = reader.position
                section = Reader(bytes(reader.data[section_start:end]))
                try:
                    self._section(section, section_id)
                except ComponentFormatError as error:
                    raise ComponentFormatError(error.message, section_start + (error.offset or 0)) from None
            elif section_id == 0:
                self._custom_section(Reader(reader.data, reader.position, end), start)
            reader.position = end
        imports = tuple((item.module, item.name, self._resolve(item.desc, offset)) for item in self.imports)
        exports = {
            name: self._exported(kind, index, export_offset)
            for name, kind, index, export_offset in self.exports
        }
        return CoreModule(imports, exports, tuple(self.types), tuple(self.sections))

    def _custom_section(self, section: Reader, start: int) -> None:
        name = section.name()
        self.sections.append(CustomSection(start, name, section.take(section.end - section.position)))

    def _section(self, section: Reader, section_id: int) -> None:
        match section_id:
            case 1:
                for _ in range(section.count()):
                    self.types.extend(read_rec_group(section).types)
            case 2:
                for _ in range(section.count()):
                    self._import(section)
            case 3:
                self.funcs.extend(section.u32_vector())
            case 4:
                self.tables.extend(section.vector(lambda: _read_table(section)))
            case 5:
                self.memories.extend(section.vector(lambda: read_memory_type(section)))
            case 6:
                self.globals.extend(section.vector(lambda: _read_global(section)))
            case 7:
                for _ in range(section.count()):
                    offset = section.position
                    self.exports.append((section.name(), section.u8(), section.u32(), offset))
            case _:  # tags
                for _ in range(section.count()):
                    attribute = section.u8()
                    if attribute != 0:
                        raise section.invalid_byte(attribute, "tag attribute")
                    self.tags.append(section.u32())
        section.expect_end("a section of a core module")

    def _import(self, section: Reader) -> None:
        item = CoreImport(section.name(), section.name(), read_core_extern_desc(section))
        self.imports.append(item)
        match item.desc:
            case TypeUse(index):
                self.funcs.append(index)
            case TableType():
                self.tables.append(item.desc)
            case MemoryType():
                self.memories.append(item.desc)
            case GlobalType():
                self.globals.append(item.desc)
            case TagUse(index):
                self.tags.append(index)

    def _resolve(self, desc: CoreExternDesc, offset: int) -> CoreExternType:
        match desc:
            case TypeUse(index):
                return func_type(self.types, index, offset)
            case TagUse(index):
                return TagType(func_type(self.types, index, offset))
            case _:
                return desc

    def _exported(self, kind: int, index: int, offset: int) -> CoreExternType:
        spaces = (self.funcs, self.tables, self.memories, self.globals, self.tags)
        if kind >= len(spaces):
            raise ComponentFormatError(f"invalid external kind 0x{kind:02x} of an export", offset)
        if index >= len(spaces[kind]):
            raise ComponentFormatError(f"an export names item {index}, which does not exist", offset)
        match kind:
            case 0:
                return func_type(self.types, self.funcs[index], offset)
            case 1:
                return self.tables[index]
            case 2:
                return self.memories[index]
            case 3:
                return self.globals[index]
            case _:
                return TagType(func_type(self.types, self.tags[index], offset))


def _read_table(section: Reader) -> TableType:
    if section.peek() != 0x40:
        return read_table_type(section)
    section.u8()
    section.u8()
    type_ = read_table_type(section)
    _skip_const_expr(section)
    return type_


def _read_global(section: Reader) -> GlobalType:
    type_ = read_global_type(section)
    _skip_const_expr(section)
    return type_


def _skip_const_expr(section: Reader) -> None:
    """Step over a constant expression.

    Source: core specification 3.0, "Constant Expressions"; the instructions that it lists.
    """
    while True:
        opcode = section.u8()
        match opcode:
            case 0x0B:
                return
            case 0x41:
                section.signed(32)
            case 0x42:
                section.signed(64)
            case 0x43:
                section.take(4)
            case 0x44:
                section.take(8)
            case 0x23 | 0xD2:
                section.u32()
            case 0xD0:
                read_heap_type(section)
            case 0x6A | 0x6B | 0x6C | 0x7C | 0x7D | 0x7E:
                continue
            case 0xFD:
                if section.u32() != 0x0C:
                    raise section.error("only v128.const is a constant vector instruction")
                section.take(16)
            case 0xFB:
                _skip_const_gc(section)
            case _:
                raise section.invalid_byte(opcode, "constant expression")


def _skip_const_gc(section: Reader) -> None:
    match section.u32():
        case 0 | 1 | 6 | 7:  # struct.new, struct.new_default, array.new, array.new_default
            section.u32()
        case 8:  # array.new_fixed
            section.u32()
            section.u32()
        case 26 | 27 | 28:  # any.convert_extern, extern.convert_any, ref.i31
            return
        case other:
            raise section.error(f"instruction 0xfb {other} is not constant")
