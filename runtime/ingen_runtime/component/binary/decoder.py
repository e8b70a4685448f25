"""Decodes a component: its sections in order, nested components included.

Source: component-model Binary.md, "Component Definitions".
"""

from __future__ import annotations

from collections.abc import Callable

from ingen_runtime.component.binary.canon_decoder import read_canon
from ingen_runtime.component.binary.preamble import BinaryKind, expect_kind
from ingen_runtime.component.binary.reader import Buffer, Reader
from ingen_runtime.component.binary.syntax import (
    Component,
    CoreInlineExport,
    CoreInstanceDef,
    CoreInstantiate,
    CoreInstantiateArg,
    CoreModuleDef,
    CustomSection,
    Definition,
    ExportDef,
    ImportDef,
    InlineExport,
    InstanceDef,
    Instantiate,
    InstantiateArg,
    NestedComponentDef,
    StartDef,
)
from ingen_runtime.component.binary.type_decoder import (
    MAX_NESTING_DEPTH,
    read_alias,
    read_core_sort,
    read_core_type_def,
    read_extern_desc,
    read_extern_name,
    read_sort,
    read_type_def,
)

_SECTION_NAMES = (
    "custom section",
    "core module section",
    "core instance section",
    "core type section",
    "component section",
    "instance section",
    "alias section",
    "type section",
    "canon section",
    "start section",
    "import section",
    "export section",
)


def decode_component(data: Buffer) -> Component:
    """Decode a component; core modules and custom sections stay views into `data`.

    Raises: ComponentFormatError where the bytes are no component. That indices are in bounds, names well
    formed and types right is not checked here.
    """
    return _read_component(Reader(data), 0)


def read_custom_section(reader: Reader, offset: int) -> CustomSection:
    """Read the content of a custom section that started at `offset`."""
    name = reader.name()
    return CustomSection(offset, name, reader.take(reader.end - reader.position))


def _read_component(reader: Reader, depth: int) -> Component:
    if depth >= MAX_NESTING_DEPTH:
        raise reader.error(f"components nest deeper than {MAX_NESTING_DEPTH}")
    offset = reader.position
    expect_kind(reader.data, offset, reader.end, BinaryKind.COMPONENT)
    reader.position += 8
    definitions: list[Definition] = []
    while reader.position < reader.end:
        start = reader.position
        section_id = reader.u8()
        if section_id >= len(_SECTION_NAMES):
            raise reader.error(f"malformed section id {section_id}", start)
        byte_length = reader.u32()
        end = reader.position + byte_length
        if end > reader.end:
            raise reader.error(
                f"unexpected end of the file: the {_SECTION_NAMES[section_id]} claims {byte_length} bytes"
            )
        section = Reader(reader.data, reader.position, end)
        _read_section(section, section_id, start, depth, definitions)
        section.expect_end(f"the {_SECTION_NAMES[section_id]}")
        reader.position = end
    return Component(offset, tuple(definitions))


def _read_section(
    section: Reader, section_id: int, start: int, depth: int, definitions: list[Definition]
) -> None:
    if section_id == 0:
        definitions.append(read_custom_section(section, start))
    elif section_id == 1:
        module_start = section.position
        expect_kind(section.data, module_start, section.end, BinaryKind.CORE_MODULE)
        definitions.append(CoreModuleDef(start, module_start, section.take(section.end - module_start)))
    elif section_id == 4:
        definitions.append(NestedComponentDef(start, _read_component(section, depth + 1)))
    elif section_id == 9:
        definitions.append(StartDef(start, section.u32(), section.vector(section.u32), section.u32()))
    else:
        read = _VECTOR_SECTIONS[section_id]
        definitions.extend(section.vector(lambda: read(section)))


def _read_core_instance(reader: Reader) -> CoreInstanceDef:
    start = reader.position
    byte = reader.u8()
    if byte == 0x00:
        module = reader.u32()
        return CoreInstanceDef(start, CoreInstantiate(module, reader.vector(lambda: _read_core_arg(reader))))
    if byte == 0x01:
        return CoreInstanceDef(
            start,
            reader.vector(lambda: CoreInlineExport(reader.name(), read_core_sort(reader), reader.u32())),
        )
    raise reader.invalid_byte(byte, "core instance")


def _read_core_arg(reader: Reader) -> CoreInstantiateArg:
    name = reader.name()
    byte = reader.u8()
    if byte != 0x12:
        raise reader.invalid_byte(byte, "core instantiation argument, which must be an instance")
    return CoreInstantiateArg(name, reader.u32())


def _read_instance(reader: Reader) -> InstanceDef:
    start = reader.position
    byte = reader.u8()
    if byte == 0x00:
        component = reader.u32()
        args = reader.vector(lambda: InstantiateArg(reader.name(), read_sort(reader), reader.u32()))
        return InstanceDef(start, Instantiate(component, args))
    if byte == 0x01:
        return InstanceDef(
            start,
            reader.vector(lambda: InlineExport(read_extern_name(reader), read_sort(reader), reader.u32())),
        )
    raise reader.invalid_byte(byte, "instance")


def _read_import(reader: Reader) -> ImportDef:
    return ImportDef(reader.position, read_extern_name(reader), read_extern_desc(reader))


def _read_export(reader: Reader) -> ExportDef:
    start = reader.position
    name, sort, index = read_extern_name(reader), read_sort(reader), reader.u32()
    desc = reader.optional(lambda: read_extern_desc(reader), "the ascribed type of an export")
    return ExportDef(start, name, sort, index, desc)


_VECTOR_SECTIONS: dict[int, Callable[[Reader], Definition]] = {
    2: _read_core_instance,
    3: read_core_type_def,
    5: _read_instance,
    6: read_alias,
    7: read_type_def,
    8: read_canon,
    10: _read_import,
    11: _read_export,
}
