"""Reads a core module's imports and exports from its binary.

Reading them here takes a fraction of the time of asking wasmtime item by item (a Python interpreter built as
WebAssembly exports thousands), and knows types that its C API cannot express. Only well-formed modules come
here: wasmtime has compiled, that is validated, the same bytes.

Source: WebAssembly core specification 3.0, "Binary Format", "Modules".
"""

from __future__ import annotations

from typing import Final, NamedTuple

from ingen_runtime.core_types import CoreFuncType, CoreValType, RefType
from ingen_runtime.engine.core_types import (
    CoreExternType,
    CoreGlobalType,
    CoreImport,
    CoreLimits,
    CoreMemoryType,
    CoreTableType,
    CoreTagType,
)
from ingen_runtime.errors import ComponentFormatError

_TYPE, _IMPORT, _FUNCTION, _TABLE, _MEMORY, _GLOBAL, _EXPORT, _START, _TAG = 1, 2, 3, 4, 5, 6, 7, 8, 13
_WANTED = frozenset({_TYPE, _IMPORT, _FUNCTION, _TABLE, _MEMORY, _GLOBAL, _EXPORT, _START, _TAG})

FUNC, TABLE, MEMORY, GLOBAL, TAG = range(5)
"""External kinds, in the binary format's numbering."""

_VALUE_TYPES: Final = {
    0x7F: "i32",
    0x7E: "i64",
    0x7D: "f32",
    0x7C: "f64",
    0x7B: "v128",
    0x78: "i8",
    0x77: "i16",
}
_HEAP_TYPES: Final = {
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
    0x75: "nocont",
}


class _Reader:
    """A position in the bytes of a module."""

    __slots__ = ("at", "data")

    def __init__(self, data: bytes, at: int = 0) -> None:
        self.data = data
        self.at = at

    def byte(self) -> int:
        value = self.data[self.at]
        self.at += 1
        return value

    def unsigned(self) -> int:
        data, at = self.data, self.at
        value = data[at]
        at += 1
        if value >= 0x80:
            value &= 0x7F
            shift = 7
            while True:
                more = data[at]
                at += 1
                value |= (more & 0x7F) << shift
                if more < 0x80:
                    break
                shift += 7
        self.at = at
        return value

    def signed(self) -> int:
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value - (1 << shift) if byte & 0x40 else value

    def name(self) -> str:
        length = self.unsigned()
        at = self.at
        self.at = at + length
        return self.data[at : at + length].decode()

    def heap_type(self) -> str | int:
        if self.data[self.at] in _HEAP_TYPES:
            return _HEAP_TYPES[self.byte()]
        return self.signed()

    def value_type(self) -> CoreValType:
        code = self.byte()
        if code in _VALUE_TYPES:
            return _VALUE_TYPES[code]
        if code in _HEAP_TYPES:
            return RefType(_HEAP_TYPES[code])
        if code in (0x63, 0x64):
            return RefType(self.heap_type(), nullable=code == 0x63)
        raise ComponentFormatError(f"unknown value type 0x{code:x}", self.at - 1)

    def value_types(self) -> tuple[CoreValType, ...]:
        return tuple([self.value_type() for _ in range(self.unsigned())])

    def limits(self) -> tuple[CoreLimits, int]:
        """Limits and, for a memory, its page size."""
        flags = self.byte()
        minimum = self.unsigned()
        maximum = self.unsigned() if flags & 1 else None
        page_size = 1 << self.unsigned() if flags & 8 else 65536
        return CoreLimits(minimum, maximum, is_64=bool(flags & 4), shared=bool(flags & 2)), page_size

    def memory_type(self) -> CoreMemoryType:
        limits, page_size = self.limits()
        return CoreMemoryType(limits, page_size)

    def table_type(self) -> CoreTableType:
        element = self.value_type()
        return CoreTableType(element, self.limits()[0])

    def global_type(self) -> CoreGlobalType:
        value = self.value_type()
        return CoreGlobalType(value, self.byte() == 1)


def sections(data: bytes) -> dict[int, tuple[int, int]]:
    """Where the wanted sections' contents begin and end, by section id."""
    reader = _Reader(data, 8)
    found = {}
    while reader.at < len(data):
        section = reader.byte()
        size = reader.unsigned()
        if section in _WANTED:
            found[section] = (reader.at, reader.at + size)
        reader.at += size
    return found


class KnownInterface(NamedTuple):
    """What a `ModuleInterface` says, read out of it: to be kept without the module's binary."""

    imports: tuple[CoreImport, ...]
    exports: dict[str, CoreExternType]
    has_start: bool
    memory_count: int
    uses_gc: bool

    def export_type(self, name: str) -> CoreExternType:
        """The type of the export `name`, which exists."""
        return self.exports[name]


class ModuleInterface:
    """The imports and exports of the well-formed module `data`."""

    __slots__ = (
        "_data",
        "_defined_types",
        "_func_types",
        "_sections",
        "_spaces",
        "_types",
        "exports",
        "has_start",
        "imports",
        "memory_count",
        "uses_gc",
    )

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._sections = sections(data)
        self._types = self._read_types()
        self._func_types: bytes | list[int] | None = None
        self._defined_types: dict[int, list[CoreExternType]] = {}
        # What the imports put at the start of each index space.
        self._spaces: tuple[list[CoreExternType], ...] = ([], [], [], [], [])
        self.imports = self._read_imports()
        self.exports = self._read_exports()
        """Kind and index of each export, by name."""
        self.has_start = _START in self._sections
        reader = self._section(_MEMORY)
        self.memory_count = 0 if reader is None else reader.unsigned()
        """The memories that the module defines itself."""
        self.uses_gc = None in self._types or _TAG in self._sections or bool(self._spaces[TAG])
        """Whether its code can make objects that wasmtime collects: structures, arrays, exceptions."""

    def known(self) -> KnownInterface:
        """All of it, read."""
        exports = {name: self.export_type(name) for name in self.exports}
        return KnownInterface(self.imports, exports, self.has_start, self.memory_count, self.uses_gc)

    def export_type(self, name: str) -> CoreExternType:
        """The type of the export `name`, which exists."""
        kind, index = self.exports[name]
        imported = self._spaces[kind]
        if index < len(imported):
            return imported[index]
        defined = index - len(imported)
        if kind == FUNC:
            return self._func_type(self._defined_func_types()[defined])
        return self._defined(kind)[defined]

    def _section(self, section: int) -> _Reader | None:
        place = self._sections.get(section)
        return None if place is None else _Reader(self._data, place[0])

    def _func_type(self, index: int) -> CoreFuncType:
        type_ = self._types[index]
        if type_ is None:
            raise ComponentFormatError(f"type {index} is no function type")
        return type_

    def _read_types(self) -> list[CoreFuncType | None]:
        """The function types by type index; other types leave None."""
        types: list[CoreFuncType | None] = []
        reader = self._section(_TYPE)
        for _ in range(0 if reader is None else reader.unsigned()):
            assert reader is not None
            count = 1
            if reader.data[reader.at] == 0x4E:  # a group of types that may refer to each other
                reader.at += 1
                count = reader.unsigned()
            for _ in range(count):
                types.append(_sub_type(reader))
        return types

    def _read_imports(self) -> tuple[CoreImport, ...]:
        reader = self._section(_IMPORT)
        imports: list[CoreImport] = []
        if reader is None:
            return ()
        for _ in range(reader.unsigned()):
            module, name = reader.name(), reader.name()
            kind = reader.byte()
            type_ = self._import_type(reader, kind)
            self._spaces[kind].append(type_)
            imports.append(CoreImport(module, name, type_))
        return tuple(imports)

    def _import_type(self, reader: _Reader, kind: int) -> CoreExternType:
        if kind == FUNC:
            return self._func_type(reader.unsigned())
        if kind == TABLE:
            return reader.table_type()
        if kind == MEMORY:
            return reader.memory_type()
        if kind == GLOBAL:
            return reader.global_type()
        if kind == TAG:
            reader.byte()
            return CoreTagType(self._func_type(reader.unsigned()))
        raise ComponentFormatError(f"unknown import kind 0x{kind:x}", reader.at - 1)

    def _read_exports(self) -> dict[str, tuple[int, int]]:
        reader = self._section(_EXPORT)
        exports: dict[str, tuple[int, int]] = {}
        for _ in range(0 if reader is None else reader.unsigned()):
            assert reader is not None
            name = reader.name()
            kind = reader.byte()
            exports[name] = (kind, reader.unsigned())
        return exports

    def _defined_func_types(self) -> bytes | list[int]:
        """The type index of each function that the module defines."""
        if self._func_types is None:
            start, end = self._sections[_FUNCTION]
            reader = _Reader(self._data, start)
            count = reader.unsigned()
            body = self._data[reader.at : end]
            # With fewer than 128 types each index is one byte, and the section is the answer.
            self._func_types = body if len(body) == count else [reader.unsigned() for _ in range(count)]
        return self._func_types

    def _defined(self, kind: int) -> list[CoreExternType]:
        """The types of the tables, memories, globals or tags that the module defines."""
        if kind not in self._defined_types:
            reader = self._section({TABLE: _TABLE, MEMORY: _MEMORY, GLOBAL: _GLOBAL, TAG: _TAG}[kind])
            assert reader is not None
            self._defined_types[kind] = [self._defined_type(reader, kind) for _ in range(reader.unsigned())]
        return self._defined_types[kind]

    def _defined_type(self, reader: _Reader, kind: int) -> CoreExternType:
        initialised_table = kind == TABLE and reader.data[reader.at] == 0x40
        if initialised_table:
            reader.at += 2
        type_ = self._import_type(reader, kind)
        if kind == GLOBAL or initialised_table:
            _skip_constant(reader)
        return type_


def _sub_type(reader: _Reader) -> CoreFuncType | None:
    code = reader.byte()
    if code in (0x50, 0x4F):  # a type with declared supertypes
        for _ in range(reader.unsigned()):
            reader.unsigned()
        code = reader.byte()
    if code == 0x60:
        return CoreFuncType(reader.value_types(), reader.value_types())
    if code == 0x5F:
        for _ in range(reader.unsigned()):
            reader.value_type()
            reader.byte()
        return None
    if code == 0x5E:
        reader.value_type()
        reader.byte()
        return None
    raise ComponentFormatError(f"unknown core type 0x{code:x}", reader.at - 1)


def _skip_constant(reader: _Reader) -> None:
    """Step over a constant expression."""
    while True:
        code = reader.byte()
        if code == 0x0B:
            return
        if code in (0x41, 0x42):  # i32.const, i64.const
            reader.signed()
        elif code == 0x43:  # f32.const
            reader.at += 4
        elif code == 0x44:  # f64.const
            reader.at += 8
        elif code in (0x23, 0xD2):  # global.get, ref.func
            reader.unsigned()
        elif code == 0xD0:  # ref.null
            reader.heap_type()
        elif code == 0xFD:  # v128.const
            reader.unsigned()
            reader.at += 16
        elif code == 0xFB:  # the constant instructions on structs, arrays and i31
            operator = reader.unsigned()
            if operator in (0, 1, 6, 7, 8):  # struct.new(_default), array.new(_default), array.new_fixed
                reader.unsigned()
            if operator == 8:
                reader.unsigned()
