"""The canonical ABI again, the slow and plain way, to compare generated code with.

Host values come in the form that `ValueClasses` gives them. Core values are unsigned integers and floats.
Source: CanonicalABI.md#loading, #storing, #flat-lifting, #flat-lowering.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

from ingen_runtime.canonical import Err, Ok, Some, StringEncoding, ValueClasses
from ingen_runtime.canonical.layout import (
    alignment,
    cases_of,
    discriminant_size,
    elem_size,
    entry_type,
    field_offsets,
    fields_of,
    flags_size,
    flatten_type,
    flatten_variant,
    payload_offset,
)
from ingen_runtime.component.types import (
    EnumType,
    FixedListType,
    FlagsType,
    ListType,
    MapType,
    OptionType,
    PrimitiveType,
    RecordType,
    ResultType,
    TupleType,
    ValType,
    VariantType,
)
from ingen_runtime.core_types import NumberType
from tests.runtime.canonical.guest import SLOT, Guest

P = PrimitiveType
INTEGERS = {
    P.U8: (1, False),
    P.S8: (1, True),
    P.U16: (2, False),
    P.S16: (2, True),
    P.U32: (4, False),
    P.S32: (4, True),
    P.U64: (8, False),
    P.S64: (8, True),
}
Case = VariantType | OptionType | ResultType
CODECS = {StringEncoding.UTF8: "utf-8", StringEncoding.UTF16: "utf-16-le"}


class Reference:
    """Reads and writes one guest's memory."""

    def __init__(self, guest: Guest, classes: ValueClasses, encoding: StringEncoding) -> None:
        self.guest = guest
        self.classes = classes
        self.encoding = encoding

    # Values of the host, taken apart and put together.

    def to_fields(self, type_: RecordType | TupleType, value: Any) -> list[Any]:
        if isinstance(type_, TupleType):
            return list(value)
        return [getattr(value, name) for name in self.classes.record(type_).attributes]

    def from_fields(self, type_: RecordType | TupleType, fields: list[Any]) -> Any:
        return tuple(fields) if isinstance(type_, TupleType) else self.classes.record(type_).class_(*fields)

    def to_case(self, type_: Case, value: Any) -> tuple[int, Any]:
        if isinstance(type_, OptionType):
            if value is None:
                return 0, None
            return 1, value.value if isinstance(type_.type, OptionType) else value
        if isinstance(type_, ResultType):
            return (0 if isinstance(value, Ok) else 1), value.value
        index = self.classes.variant(type_).cases.index(type(value))
        return index, getattr(value, "value", None)

    def from_case(self, type_: Case, index: int, payload: Any) -> Any:
        if isinstance(type_, OptionType):
            if index == 0:
                return None
            return Some(payload) if isinstance(type_.type, OptionType) else payload
        if isinstance(type_, ResultType):
            return (Ok, Err)[index](payload)
        class_ = self.classes.variant(type_).cases[index]
        return class_() if type_.cases[index].type is None else class_(payload)

    # Memory.

    def _integer(self, ptr: int, size: int, signed: bool = False) -> int:
        return int.from_bytes(self.guest.memory.bytes[ptr : ptr + size], "little", signed=signed)

    def _write(self, ptr: int, data: bytes) -> None:
        assert ptr + len(data) <= len(self.guest.memory.bytes)
        self.guest.memory.bytes[ptr : ptr + len(data)] = data

    def load(self, ptr: int, type_: ValType) -> Any:
        assert ptr % alignment(type_) == 0
        match type_:
            case P.BOOL:
                return self._integer(ptr, 1) != 0
            case P.F32:
                return struct.unpack_from("<f", self.guest.memory.bytes, ptr)[0]
            case P.F64:
                return struct.unpack_from("<d", self.guest.memory.bytes, ptr)[0]
            case P.CHAR:
                return chr(self._integer(ptr, 4))
            case P.STRING:
                return self.load_string(self._integer(ptr, 4), self._integer(ptr + 4, 4))
            case PrimitiveType():
                return self._integer(ptr, *INTEGERS[type_])
            case RecordType() | TupleType():
                fields = fields_of(type_)
                offsets = field_offsets(fields)
                values = [self.load(ptr + at, field) for at, field in zip(offsets, fields, strict=True)]
                return self.from_fields(type_, values)
            case VariantType() | OptionType() | ResultType():
                cases = cases_of(type_)
                index = self._integer(ptr, discriminant_size(len(cases)))
                case = cases[index]
                at = ptr + payload_offset(cases)
                return self.from_case(type_, index, None if case is None else self.load(at, case))
            case EnumType(labels):
                return list(self.classes.enum(type_))[self._integer(ptr, discriminant_size(len(labels)))]
            case FlagsType(labels):
                return self.classes.flags(type_)(self._integer(ptr, flags_size(len(labels))))
            case ListType(element):
                return self.load_list(self._integer(ptr, 4), self._integer(ptr + 4, 4), element)
            case MapType():
                entries = self.load_list(self._integer(ptr, 4), self._integer(ptr + 4, 4), entry_type(type_))
                return dict(entries)
            case FixedListType(element, length):
                return self.load_list(ptr, length, element)
            case _:
                raise AssertionError(type_)

    def load_list(self, ptr: int, length: int, element: ValType) -> Any:
        values = [self.load(ptr + index * elem_size(element), element) for index in range(length)]
        return bytes(values) if element is P.U8 else values

    def load_string(self, ptr: int, tagged: int) -> str:
        view = self.guest.memory.bytes
        if self.encoding is StringEncoding.LATIN1_UTF16:
            if tagged >> 31:
                return view[ptr : ptr + 2 * (tagged - (1 << 31))].decode("utf-16-le")
            return view[ptr : ptr + tagged].decode("latin-1")
        size = tagged * (2 if self.encoding is StringEncoding.UTF16 else 1)
        return view[ptr : ptr + size].decode(CODECS[self.encoding])

    def store(self, value: Any, type_: ValType, ptr: int) -> None:
        assert ptr % alignment(type_) == 0
        match type_:
            case P.BOOL:
                self._write(ptr, bytes([value]))
            case P.F32:
                self._write(ptr, struct.pack("<f", value))
            case P.F64:
                self._write(ptr, struct.pack("<d", value))
            case P.CHAR:
                self._write(ptr, struct.pack("<I", ord(value)))
            case P.STRING:
                self._write(ptr, struct.pack("<II", *self.store_string(value)))
            case PrimitiveType():
                size, signed = INTEGERS[type_]
                self._write(ptr, value.to_bytes(size, "little", signed=signed))
            case RecordType() | TupleType():
                fields = fields_of(type_)
                values = self.to_fields(type_, value)
                for at, field, each in zip(field_offsets(fields), fields, values, strict=True):
                    self.store(each, field, ptr + at)
            case VariantType() | OptionType() | ResultType():
                cases = cases_of(type_)
                index, payload = self.to_case(type_, value)
                self._write(ptr, index.to_bytes(discriminant_size(len(cases)), "little"))
                case = cases[index]
                if case is not None:
                    self.store(payload, case, ptr + payload_offset(cases))
            case EnumType(labels):
                index = list(self.classes.enum(type_)).index(value)
                self._write(ptr, index.to_bytes(discriminant_size(len(labels)), "little"))
            case FlagsType(labels):
                self._write(ptr, value.value.to_bytes(flags_size(len(labels)), "little"))
            case ListType(element):
                self._write(ptr, struct.pack("<II", *self.store_list(value, element)))
            case MapType():
                entries = list(value.items())
                self._write(ptr, struct.pack("<II", *self.store_list(entries, entry_type(type_))))
            case FixedListType(element, _):
                for index, each in enumerate(value):
                    self.store(each, element, ptr + index * elem_size(element))
            case _:
                raise AssertionError(type_)

    def store_list(self, value: Any, element: ValType) -> tuple[int, int]:
        ptr = self.guest.allocate(alignment(element), len(value) * elem_size(element))
        for index, each in enumerate(value):
            self.store(each, element, ptr + index * elem_size(element))
        return ptr, len(value)

    def store_string(self, value: str) -> tuple[int, int]:
        if self.encoding is StringEncoding.LATIN1_UTF16:
            latin1 = all(ord(char) < 256 for char in value)
            data = value.encode("latin-1" if latin1 else "utf-16-le")
            units = len(data) if latin1 else len(data) // 2 | 1 << 31
        else:
            data = value.encode(CODECS[self.encoding])
            units = len(data) // (2 if self.encoding is StringEncoding.UTF16 else 1)
        ptr = self.guest.allocate(2, len(data))
        self._write(ptr, data)
        return ptr, units

    # Core values.

    def lift_flat(self, values: Iterator[Any], type_: ValType) -> Any:
        match type_:
            case P.BOOL:
                return next(values) != 0
            case P.F32 | P.F64:
                return next(values)
            case P.CHAR:
                return chr(next(values))
            case P.STRING:
                return self.load_string(next(values), next(values))
            case PrimitiveType():
                size, signed = INTEGERS[type_]
                bits = next(values) % (1 << 8 * size)
                return bits - (1 << 8 * size) if signed and bits >> (8 * size - 1) else bits
            case RecordType() | TupleType():
                fields = [self.lift_flat(values, field) for field in fields_of(type_)]
                return self.from_fields(type_, fields)
            case VariantType() | OptionType() | ResultType():
                return self._lift_flat_variant(values, type_)
            case EnumType():
                return list(self.classes.enum(type_))[next(values)]
            case FlagsType(labels):
                return self.classes.flags(type_)(next(values) % (1 << len(labels)))
            case ListType(element):
                return self.load_list(next(values), next(values), element)
            case MapType():
                return dict(self.load_list(next(values), next(values), entry_type(type_)))
            case FixedListType(element, length):
                items = [self.lift_flat(values, element) for _ in range(length)]
                return bytes(items) if element is P.U8 else items
            case _:
                raise AssertionError(type_)

    def _lift_flat_variant(self, values: Iterator[Any], type_: Case) -> Any:
        cases = cases_of(type_)
        have = flatten_variant(cases)[1:]
        index = next(values)
        slots = [next(values) for _ in have]
        case = cases[index]
        if case is None:
            return self.from_case(type_, index, None)
        wanted = flatten_type(case)
        payload = [
            _coerce(slot, *types) for slot, types in zip(slots, zip(have, wanted, strict=False), strict=False)
        ]
        return self.from_case(type_, index, self.lift_flat(iter(payload), case))

    def lower_flat(self, value: Any, type_: ValType) -> list[Any]:
        match type_:
            case P.BOOL:
                return [int(value)]
            case P.F32 | P.F64:
                return [value]
            case P.CHAR:
                return [ord(value)]
            case P.STRING:
                return list(self.store_string(value))
            case P.U64 | P.S64:
                return [value % (1 << 64)]
            case PrimitiveType():
                return [value % (1 << 32)]
            case RecordType() | TupleType():
                parts = zip(fields_of(type_), self.to_fields(type_, value), strict=True)
                return [core for field, each in parts for core in self.lower_flat(each, field)]
            case VariantType() | OptionType() | ResultType():
                cases = cases_of(type_)
                index, payload = self.to_case(type_, value)
                case, want = cases[index], flatten_variant(cases)[1:]
                lowered = [] if case is None else self.lower_flat(payload, case)
                have = () if case is None else flatten_type(case)
                joined = [_widen(*each) for each in zip(lowered, have, want, strict=False)]
                zeros: list[Any] = [
                    0.0 if core in (NumberType.F32, NumberType.F64) else 0 for core in want[len(joined) :]
                ]
                return [index, *joined, *zeros]
            case EnumType():
                return [list(self.classes.enum(type_)).index(value)]
            case FlagsType():
                return [value.value]
            case ListType(element):
                return list(self.store_list(value, element))
            case MapType():
                return list(self.store_list(list(value.items()), entry_type(type_)))
            case FixedListType(element, _):
                return [core for each in value for core in self.lower_flat(each, element)]
            case _:
                raise AssertionError(type_)


def _coerce(bits: Any, have: NumberType, want: NumberType) -> Any:
    if have is want:
        return bits
    if want is NumberType.I32:
        return bits % (1 << 32)
    if want is NumberType.F32:
        return struct.unpack("<f", struct.pack("<I", bits % (1 << 32)))[0]
    assert want is NumberType.F64 and have is NumberType.I64
    return struct.unpack("<d", struct.pack("<Q", bits))[0]


def _widen(value: Any, have: NumberType, want: NumberType) -> Any:
    if have is want or have is NumberType.I32:
        return value
    format_ = "<fI" if have is NumberType.F32 else "<dQ"
    return struct.unpack(f"<{format_[2]}", struct.pack(f"<{format_[1]}", value))[0]


_SLOTS = {NumberType.I32: "I12x", NumberType.I64: "Q8x", NumberType.F32: "f12x", NumberType.F64: "d8x"}


def to_raw(raw: bytearray, values: list[Any], types: tuple[NumberType, ...]) -> None:
    """Put core values into the slots of a raw buffer."""
    for index, (value, type_) in enumerate(zip(values, types, strict=True)):
        struct.pack_into(f"<{_SLOTS[type_]}", raw, SLOT * index, value)


def from_raw(raw: bytearray, types: tuple[NumberType, ...]) -> list[Any]:
    """Take core values out of the slots of a raw buffer."""
    return [struct.unpack_from(f"<{_SLOTS[type_]}", raw, SLOT * i)[0] for i, type_ in enumerate(types)]
