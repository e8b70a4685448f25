"""What a guest can get wrong: tables of core values or bytes, and the value or trap that they give."""

from __future__ import annotations

import struct
from typing import Any

import pytest

from ingen_runtime.canonical import BorrowScope, StringEncoding, ValueClasses, ValuesPlan, compile_lift
from ingen_runtime.component.types import (
    CaseType,
    EnumType,
    FieldType,
    FlagsType,
    FuncType,
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
from ingen_runtime.errors import Trap, TrapKind
from tests.runtime.canonical.guest import FakeFunction, Guest

P = PrimitiveType
K = TrapKind
CLASSES = ValueClasses()
ENUM = EnumType(("a", "b", "c"))
FLAGS = FlagsType(("a", "b", "c"))
SHAPE = VariantType((CaseType("circle", P.F32), CaseType("none", None), CaseType("named", P.STRING)), "shape")
A, B, C = CLASSES.enum(ENUM)
MEMORY_SIZE = 1 << 16


def flat(format_: str, *values: Any) -> bytearray:
    """Core values in raw slots; the format has one code for each."""
    raw = bytearray(16 * len(values))
    for index, (code, value) in enumerate(zip(format_, values, strict=True)):
        struct.pack_into(f"<{code}", raw, 16 * index, value)
    return raw


def lift(type_: ValType, raw: bytearray, guest: Guest, encoding: StringEncoding = StringEncoding.UTF8) -> Any:
    return ValuesPlan([type_], encoding, CLASSES).bind_lift(guest.endpoint)(raw, 0, [])[0]


F32_BITS = struct.unpack("<I", struct.pack("<f", 1.5))[0]


@pytest.mark.parametrize(
    ("type_", "raw", "expected"),
    [
        (P.BOOL, flat("I", 0), False),
        (P.BOOL, flat("I", 1), True),
        (P.BOOL, flat("I", 256), True),
        (P.U8, flat("I", 0xF01), 1),
        (P.S8, flat("I", 0xFF), -1),
        (P.S8, flat("I", 0x17F), 127),
        (P.U16, flat("I", 0xFFFFFFFF), 0xFFFF),
        (P.S16, flat("I", 0x18000), -(1 << 15)),
        (P.S32, flat("I", 0xFFFFFFFF), -1),
        (P.U32, flat("I", 0xFFFFFFFF), 0xFFFFFFFF),
        (P.S64, flat("Q", 1 << 63), -(1 << 63)),
        (P.U64, flat("Q", 1 << 63), 1 << 63),
        (P.CHAR, flat("I", 0xD7FF), "\ud7ff"),
        (P.CHAR, flat("I", 0xE000), "\ue000"),
        (P.CHAR, flat("I", 0x10FFFF), "\U0010ffff"),
        (P.CHAR, flat("I", 0xD800), K.INVALID_CHAR),
        (P.CHAR, flat("I", 0xDFFF), K.INVALID_CHAR),
        (P.CHAR, flat("I", 0x110000), K.INVALID_CHAR),
        (P.CHAR, flat("I", 0xFFFFFFFF), K.INVALID_CHAR),
        (ENUM, flat("I", 2), C),
        (ENUM, flat("I", 3), K.INVALID_DISCRIMINANT),
        (ENUM, flat("I", 0x100), K.INVALID_DISCRIMINANT),
        (FLAGS, flat("I", 0xFFFFFF05), CLASSES.flags(FLAGS)(5)),
        (OptionType(P.U8), flat("II", 0, 99), None),
        (OptionType(P.U8), flat("II", 1, 0x105), 5),
        (OptionType(P.U8), flat("II", 2, 5), K.INVALID_DISCRIMINANT),
        # Joined slots: only the bits of the case's own type count.
        (ResultType(P.F32, P.U64), flat("IQ", 0, 0xFFFFFFFF00000000 | F32_BITS), "Ok(value=1.5)"),
        (ResultType(P.U16, P.U64), flat("IQ", 0, 0xFF00FF0004), "Ok(value=4)"),
        (ResultType(P.S8, P.F64), flat("IQ", 0, 0xFFFFFFFF000000FF), "Ok(value=-1)"),
        (ResultType(None, P.F32), flat("IQ", 1, F32_BITS), "Err(value=1.5)"),
        (ResultType(None, None), flat("I", 2), K.INVALID_DISCRIMINANT),
        (P.STRING, flat("II", 0, 0), ""),
        (P.STRING, flat("II", MEMORY_SIZE, 0), ""),
        (P.STRING, flat("II", MEMORY_SIZE + 1, 0), K.OUT_OF_BOUNDS),
        (P.STRING, flat("II", MEMORY_SIZE - 1, 2), K.OUT_OF_BOUNDS),
        (P.STRING, flat("II", 0xFFFFFFFF, 0xFFFFFFFF), K.STRING_TOO_LONG),
        (P.STRING, flat("II", 0, 1 << 28), K.STRING_TOO_LONG),
        (P.STRING, flat("II", 0, (1 << 28) - 1), K.OUT_OF_BOUNDS),
        (ListType(P.U8), flat("II", MEMORY_SIZE, 0), b""),
        (ListType(P.U8), flat("II", MEMORY_SIZE + 1, 0), K.OUT_OF_BOUNDS),
        (ListType(P.U8), flat("II", 0, 1 << 28), K.LIST_TOO_LONG),
        (ListType(P.U32), flat("II", 2, 0), K.UNALIGNED_POINTER),
        (ListType(P.U32), flat("II", MEMORY_SIZE, 0), []),
        (ListType(P.U32), flat("II", 4, 1 << 26), K.LIST_TOO_LONG),
        (ListType(P.U32), flat("II", 0xFFFFFFFC, 1), K.OUT_OF_BOUNDS),
        (ListType(P.U64), flat("II", MEMORY_SIZE - 8, 1), [0]),
        (ListType(P.U64), flat("II", MEMORY_SIZE - 8, 2), K.OUT_OF_BOUNDS),
        (ListType(P.STRING), flat("II", 6, 1), K.UNALIGNED_POINTER),
        (MapType(P.U8, P.U64), flat("II", 4, 1), K.UNALIGNED_POINTER),
        (MapType(P.U8, P.U8), flat("II", 0, 2), {0: 0}),
    ],
)
def test_lift_flat(type_: ValType, raw: bytearray, expected: Any) -> None:
    guest = Guest(MEMORY_SIZE)
    if isinstance(expected, TrapKind):
        with pytest.raises(Trap) as caught:
            lift(type_, raw, guest)
        assert caught.value.kind is expected
    elif isinstance(expected, str) and not isinstance(type_, PrimitiveType):
        assert repr(lift(type_, raw, guest)) == expected
    else:
        value = lift(type_, raw, guest)
        assert value == expected
        assert type(value) is type(expected)


@pytest.mark.parametrize(
    ("encoding", "ptr", "length", "data", "expected"),
    [
        (StringEncoding.UTF8, 8, 1, b"\xff", K.INVALID_STRING),
        (StringEncoding.UTF8, 8, 1, b"\xc3", K.INVALID_STRING),
        (StringEncoding.UTF8, 8, 3, b"\xed\xa0\x80", K.INVALID_STRING),  # a surrogate
        (StringEncoding.UTF8, 8, 2, b"\xc0\x80", K.INVALID_STRING),  # overlong
        (StringEncoding.UTF8, 8, 3, b"\xef\xbb\xbf", "\ufeff"),  # a byte order mark is kept
        (StringEncoding.UTF8, 9, 1, b"\0", "\0"),
        (StringEncoding.UTF16, 9, 0, b"", K.UNALIGNED_POINTER),
        (StringEncoding.UTF16, 8, 1, b"\x3c\xd8", K.INVALID_STRING),
        (StringEncoding.UTF16, 8, 2, b"\x70\xdf\x3c\xd8", K.INVALID_STRING),
        (StringEncoding.UTF16, 8, 2, b"\x3c\xd8\x70\xdf", "🍰"),
        (StringEncoding.UTF16, 8, 1, b"\xff\xfe", "\ufeff"),
        (StringEncoding.UTF16, 8, 1 << 27, b"", K.STRING_TOO_LONG),
        (StringEncoding.UTF16, MEMORY_SIZE - 2, 2, b"", K.OUT_OF_BOUNDS),
        (StringEncoding.LATIN1_UTF16, 9, 0, b"", K.UNALIGNED_POINTER),
        (StringEncoding.LATIN1_UTF16, 9, 1 << 31, b"", K.UNALIGNED_POINTER),
        (StringEncoding.LATIN1_UTF16, 8, 2, b"h\xf6", "hö"),
        (StringEncoding.LATIN1_UTF16, 8, 1 << 31 | 1, b"\x03\x26", "☃"),
        (StringEncoding.LATIN1_UTF16, 8, 1 << 31 | 1, b"\x00\xd8", K.INVALID_STRING),
        (StringEncoding.LATIN1_UTF16, 8, 1 << 28, b"", K.STRING_TOO_LONG),
        (StringEncoding.LATIN1_UTF16, 8, 1 << 31 | 1 << 27, b"", K.STRING_TOO_LONG),
    ],
)
def test_lift_string(encoding: StringEncoding, ptr: int, length: int, data: bytes, expected: Any) -> None:
    guest = Guest(MEMORY_SIZE)
    guest.memory.bytes[ptr : ptr + len(data)] = data
    raw = flat("II", ptr, length)
    if isinstance(expected, TrapKind):
        with pytest.raises(Trap) as caught:
            lift(P.STRING, raw, guest, encoding)
        assert caught.value.kind is expected
    else:
        assert lift(P.STRING, raw, guest, encoding) == expected


@pytest.mark.parametrize(
    ("type_", "data", "kind", "path"),
    [
        (ListType(ENUM), b"\0\1\2\3", K.INVALID_DISCRIMINANT, "[0][3]"),
        (ListType(P.CHAR), struct.pack("<III", 65, 66, 0xD800), K.INVALID_CHAR, "[0][2]"),
        (ListType(P.CHAR), struct.pack("<II", 65, 0x110000), K.INVALID_CHAR, "[0][1]"),
        (ListType(P.STRING), struct.pack("<IIII", 0, 0, 1 << 20, 1), K.OUT_OF_BOUNDS, "[0][1]"),
        (
            ListType(RecordType((FieldType("items", ListType(TupleType((P.U8, ENUM)))),))),
            struct.pack("<II", 100, 3),
            K.INVALID_DISCRIMINANT,
            "[0][0].items[1][1]",
        ),
        (ListType(SHAPE), struct.pack("<B11xB11x", 1, 9), K.INVALID_DISCRIMINANT, "[0][1]"),
        (ListType(SHAPE), struct.pack("<B3xII", 2, 1 << 20, 1), K.OUT_OF_BOUNDS, "[0][0].named"),
        (MapType(P.U8, ENUM), b"\0\0\1\4", K.INVALID_DISCRIMINANT, "[0][1][1]"),
    ],
)
def test_path_of_a_trap(type_: ValType, data: bytes, kind: TrapKind, path: str) -> None:
    guest = Guest(MEMORY_SIZE)
    guest.memory.bytes[64 : 64 + len(data)] = data
    guest.memory.bytes[100:106] = b"\0\1\0\x07\0\0"
    sizes = {ENUM: 1, P.CHAR: 4, P.STRING: 8, SHAPE: 12}
    element = type_.element if isinstance(type_, ListType) else None
    count = len(data) // (2 if element is None else sizes.get(element, 8))
    with pytest.raises(Trap) as caught:
        lift(type_, flat("II", 64, count), guest)
    assert (caught.value.kind, caught.value.path) == (kind, path)


def test_spilled_parameters_are_checked() -> None:
    types = [P.U64] * 17
    plan = ValuesPlan(types, classes=CLASSES)
    lift_all = plan.bind_lift(Guest(MEMORY_SIZE).endpoint)
    assert lift_all(flat("I", MEMORY_SIZE - 17 * 8), 0, []) == (0,) * 17
    for ptr, kind in ((4, K.UNALIGNED_POINTER), (MEMORY_SIZE - 16 * 8, K.OUT_OF_BOUNDS)):
        with pytest.raises(Trap) as caught:
            lift_all(flat("I", ptr), 0, [])
        assert caught.value.kind is kind


@pytest.mark.parametrize(
    ("type_", "value", "returned", "kind"),
    [
        (ListType(P.U32), [1, 2], 2, K.UNALIGNED_POINTER),
        (ListType(P.U32), [1, 2], 0xFFFFFFFC, K.OUT_OF_BOUNDS),
        (ListType(P.U32), [], 0xFFFFFFFC, K.OUT_OF_BOUNDS),
        (ListType(P.U32), [1, 2], 0xFFFFFFFF, K.UNALIGNED_POINTER),
        (ListType(P.U8), b"", 0xFFFFFFFF, K.OUT_OF_BOUNDS),
        (P.STRING, "x", MEMORY_SIZE, K.OUT_OF_BOUNDS),
        (P.STRING, "", MEMORY_SIZE, None),
        (TupleType((P.U8,) * 17), (1,) * 17, MEMORY_SIZE - 16, K.OUT_OF_BOUNDS),
        (TupleType((P.U16,) * 17), (1,) * 17, 1, K.UNALIGNED_POINTER),
    ],
)
@pytest.mark.parametrize("stays", [False, True])
def test_what_realloc_returns(
    type_: ValType, value: Any, returned: int, kind: TrapKind | None, stays: bool
) -> None:
    guest = Guest(MEMORY_SIZE, stays=stays)
    guest.endpoint.realloc = FakeFunction(lambda raw: struct.pack_into("<I", raw, 0, returned))
    plan = compile_lift(FuncType((("v", type_),), None), classes=CLASSES)
    called: list[bytearray] = []
    call = plan.bind(FakeFunction(called.append), guest.endpoint)
    if kind is None:
        call(value)
        assert called
        return
    with pytest.raises(Trap) as caught:
        call(value)
    assert caught.value.kind is kind
    assert caught.value.detail.startswith("realloc return: ")
    assert not called


def test_where_a_result_goes_is_checked() -> None:
    plan = ValuesPlan([P.STRING], classes=CLASSES)
    guest = Guest(MEMORY_SIZE)
    store = plan.bind_store(guest.endpoint)
    for ptr, kind in ((2, K.UNALIGNED_POINTER), (MEMORY_SIZE - 4, K.OUT_OF_BOUNDS)):
        with pytest.raises(Trap) as caught:
            store(ptr, ("text",), BorrowScope(), [])
        assert caught.value.kind is kind
    assert guest.reallocs == []
