"""Strings from one encoding to another: the bytes, and the specified calls of `realloc`."""

from __future__ import annotations

import struct

import pytest

from ingen_runtime.canonical import BorrowScope, StringEncoding, ValuesPlan, compile_fused
from ingen_runtime.component.types import FuncType, PrimitiveType
from tests.runtime.canonical.guest import FakeFunction, Guest

UTF8, UTF16, LATIN1_UTF16 = StringEncoding
TAG = 1 << 31


def encoded(text: str, encoding: StringEncoding, wide: bool) -> tuple[bytes, int]:
    """The bytes and the (tagged) length of a string; `wide` chooses UTF-16 for `latin1+utf16`."""
    if encoding is UTF8:
        data = text.encode()
        return data, len(data)
    if encoding is UTF16 or wide:
        data = text.encode("utf-16-le")
        return data, len(data) // 2 | (TAG if encoding is LATIN1_UTF16 else 0)
    data = text.encode("latin-1")
    return data, len(data)


@pytest.mark.parametrize(
    ("text", "source", "wide", "target", "reallocs", "stored", "length"),
    [
        # Equal sizes: one exact allocation.
        ("hö", UTF8, False, UTF8, [(0, 1, 3)], b"h\xc3\xb6", 3),
        ("hö", UTF16, False, UTF16, [(0, 2, 4)], b"h\0\xf6\0", 2),
        ("hö", LATIN1_UTF16, False, LATIN1_UTF16, [(0, 2, 2)], b"h\xf6", 2),
        ("hö", LATIN1_UTF16, False, UTF16, [(0, 2, 4)], b"h\0\xf6\0", 2),
        ("☃", LATIN1_UTF16, True, UTF16, [(0, 2, 2)], b"\x03\x26", 1),
        ("", UTF8, False, UTF8, [(0, 1, 0)], b"", 0),
        # To UTF-8: first as if ASCII, then the worst case, then what was needed.
        ("ok", UTF16, False, UTF8, [(0, 1, 2)], b"ok", 2),
        ("hö", UTF16, False, UTF8, [(0, 1, 2), (2, 1, 6), (6, 1, 3)], b"h\xc3\xb6", 3),
        ("☃", UTF16, False, UTF8, [(0, 1, 1), (1, 1, 3)], b"\xe2\x98\x83", 3),
        ("öö", LATIN1_UTF16, False, UTF8, [(0, 1, 2), (2, 1, 4)], b"\xc3\xb6\xc3\xb6", 4),
        ("hö", LATIN1_UTF16, False, UTF8, [(0, 1, 2), (2, 1, 4), (4, 1, 3)], b"h\xc3\xb6", 3),
        ("h☃", LATIN1_UTF16, True, UTF8, [(0, 1, 2), (2, 1, 6), (6, 1, 4)], b"h\xe2\x98\x83", 4),
        # UTF-8 to UTF-16: the worst case, then what was needed.
        ("ok", UTF8, False, UTF16, [(0, 2, 4)], b"o\0k\0", 2),
        ("h☃", UTF8, False, UTF16, [(0, 2, 8), (8, 2, 4)], b"h\0\x03\x26", 2),
        # To latin1+utf16: first as if Latin-1.
        ("ok", UTF8, False, LATIN1_UTF16, [(0, 2, 2)], b"ok", 2),
        ("hö", UTF8, False, LATIN1_UTF16, [(0, 2, 3), (3, 2, 2)], b"h\xf6", 2),
        ("hö", UTF16, False, LATIN1_UTF16, [(0, 2, 2)], b"h\xf6", 2),
        ("h☃", UTF16, False, LATIN1_UTF16, [(0, 2, 2), (2, 2, 4)], b"h\0\x03\x26", 2 | TAG),
        ("h☃", UTF8, False, LATIN1_UTF16, [(0, 2, 4), (4, 2, 8), (8, 2, 4)], b"h\0\x03\x26", 2 | TAG),
        # UTF-16 is probably needed where the source had chosen it.
        ("h☃", LATIN1_UTF16, True, LATIN1_UTF16, [(0, 2, 4)], b"h\0\x03\x26", 2 | TAG),
        ("AB", LATIN1_UTF16, True, LATIN1_UTF16, [(0, 2, 4), (4, 1, 2)], b"AB", 2),
    ],
)
def test_transcode(
    text: str,
    source: StringEncoding,
    wide: bool,
    target: StringEncoding,
    reallocs: list[tuple[int, int, int]],
    stored: bytes,
    length: int,
) -> None:
    caller, callee = Guest(name="caller"), Guest(name="callee")
    data, tagged = encoded(text, source, wide)
    caller.memory.bytes[16 : 16 + len(data)] = data
    seen: list[tuple[bytes, int]] = []

    def receive(raw: bytearray) -> None:
        ptr, units = struct.unpack_from("<I12xI", raw)
        seen.append((bytes(callee.memory.bytes[ptr : ptr + len(stored)]), units))

    type_ = FuncType((("s", PrimitiveType.STRING),), None)
    plan = compile_fused(type_, source, type_, target)
    call = plan.bind(FakeFunction(receive), callee.endpoint, caller.endpoint)
    raw = bytearray(64)
    struct.pack_into("<I12xI", raw, 0, 16, tagged)
    call(raw, 0)
    assert seen == [(stored, length)]
    assert [(old_size, align, size) for _, old_size, align, size in callee.reallocs] == reallocs
    assert caller.reallocs == []


@pytest.mark.parametrize(
    ("text", "target", "reallocs", "length"),
    [
        ("h☃", UTF8, [(0, 1, 4)], 4),
        ("h☃", UTF16, [(0, 2, 4)], 2),
        ("hö", LATIN1_UTF16, [(0, 2, 2)], 2),
        ("h☃", LATIN1_UTF16, [(0, 2, 4)], 2 | TAG),
        ("", LATIN1_UTF16, [(0, 2, 0)], 0),
    ],
)
def test_strings_of_the_host_take_one_allocation(
    text: str, target: StringEncoding, reallocs: list[tuple[int, int, int]], length: int
) -> None:
    guest, raw = Guest(), bytearray(32)
    plan = ValuesPlan([PrimitiveType.STRING], target)
    plan.bind_lower(guest.endpoint)(raw, 0, (text,), BorrowScope(), [])
    assert [(old_size, align, size) for _, old_size, align, size in guest.reallocs] == reallocs
    assert struct.unpack_from("<I", raw, 16) == (length,)
    assert plan.bind_lift(guest.endpoint)(raw, 0, []) == (text,)
