"""The body of a component type or an instance type, written declaration by declaration.

Source: Binary.md, "Type Definitions", "Import and Export Definitions", "Alias Definitions".
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass, field

from ingen_sdkgen.model import Primitive

PRIMITIVE_BYTES = {
    Primitive.BOOL: 0x7F,
    Primitive.S8: 0x7E,
    Primitive.U8: 0x7D,
    Primitive.S16: 0x7C,
    Primitive.U16: 0x7B,
    Primitive.S32: 0x7A,
    Primitive.U32: 0x79,
    Primitive.S64: 0x78,
    Primitive.U64: 0x77,
    Primitive.F32: 0x76,
    Primitive.F64: 0x75,
    Primitive.CHAR: 0x74,
    Primitive.STRING: 0x73,
    Primitive.ERROR_CONTEXT: 0x64,
}


def unsigned(value: int) -> bytes:
    """`value` as unsigned LEB128."""
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def signed(value: int) -> bytes:
    """A non-negative `value` as signed LEB128: bit 6 of the last byte is the sign, so it stays clear."""
    out = bytearray()
    while value >= 0x40:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def string(text: str) -> bytes:
    """A length in bytes, then UTF-8."""
    data = text.encode()
    return unsigned(len(data)) + data


def vector(items: Iterable[bytes]) -> bytes:
    """A count, then the items."""
    listed = list(items)
    return unsigned(len(listed)) + b"".join(listed)


def section(number: int, content: bytes) -> bytes:
    """A section of a module or component."""
    return bytes([number]) + unsigned(len(content)) + content


def custom_section(name: str, data: bytes) -> bytes:
    """A custom section."""
    return section(0, string(name) + data)


def extern_name(name: str, implements: str | None = None, external_id: str | None = None) -> bytes:
    """The name of an import or export, with what annotates it."""
    if implements is None and external_id is None:
        return b"\x00" + string(name)
    annotations = []
    if implements is not None:
        annotations.append(b"\x00" + string(implements))
    if external_id is not None:
        annotations.append(b"\x02" + string(external_id))
    return b"\x02" + string(name) + vector(annotations)


class ScopeKind(enum.Enum):
    """What kind of type a scope is the body of; the value is its first byte."""

    COMPONENT = 0x41
    INSTANCE = 0x42


@dataclass(slots=True)
class Scope:
    """A body under construction; `type_count` and `instance_count` are the sizes of its index spaces."""

    kind: ScopeKind
    type_count: int = 0
    instance_count: int = 0
    declarations: list[bytes] = field(default_factory=list)

    def define_type(self, definition: bytes) -> int:
        """Add a type; returns its index."""
        self.declarations.append(b"\x01" + definition)
        return self._new_type()

    def alias_export(self, instance: int, name: str) -> int:
        """Add a type that instance number `instance` exports; returns its index here."""
        self.declarations.append(b"\x02\x03\x00" + unsigned(instance) + string(name))
        return self._new_type()

    def alias_outer(self, index: int) -> int:
        """Add type number `index` of the scope around this one; returns its index here."""
        self.declarations.append(b"\x02\x03\x02\x01" + unsigned(index))
        return self._new_type()

    def type_equal(self, name: bytes, index: int, *, imported: bool) -> int:
        """Import or export a type that is equal to type number `index`; returns the new type's index."""
        self._extern(name, b"\x03\x00" + unsigned(index), imported)
        return self._new_type()

    def resource(self, name: bytes, *, imported: bool) -> int:
        """Import or export a new resource type; returns its index."""
        self._extern(name, b"\x03\x01", imported)
        return self._new_type()

    def function(self, name: bytes, type_index: int, *, imported: bool) -> None:
        """Import or export a function."""
        self._extern(name, b"\x01" + unsigned(type_index), imported)

    def component(self, name: bytes, type_index: int) -> None:
        """Export a component."""
        self._extern(name, b"\x04" + unsigned(type_index), False)

    def instance(self, name: bytes, type_index: int, *, imported: bool) -> int:
        """Import or export an instance; returns its index."""
        self._extern(name, b"\x05" + unsigned(type_index), imported)
        self.instance_count += 1
        return self.instance_count - 1

    def finish(self) -> bytes:
        """The type that this is the body of."""
        return bytes([self.kind.value]) + vector(self.declarations)

    def _extern(self, name: bytes, description: bytes, imported: bool) -> None:
        self.declarations.append((b"\x03" if imported else b"\x04") + name + description)

    def _new_type(self) -> int:
        self.type_count += 1
        return self.type_count - 1
