"""Strings in linear memory: decoding with every check, and encoding with the specification's reallocations.

Generated code decodes and encodes UTF-8 itself; what is here serves the other encodings and the failures.

Source: CanonicalABI.md#loading (load_string_from_range), #storing (store_string_into_range).
"""

from __future__ import annotations

from collections.abc import Callable

from ingen_runtime.canonical.core import Memory, Reallocate, invalid_pointer
from ingen_runtime.canonical.layout import MAX_STRING_BYTE_LENGTH, UTF16_TAG
from ingen_runtime.component.types import StringEncoding
from ingen_runtime.errors import Trap, TrapKind
from ingen_runtime.frozen import frozen


@frozen
class Heap:
    """A memory that strings are stored to, with the guest's allocator."""

    memory: Memory
    reallocate: Reallocate

    def allocate(self, alignment: int, size: int) -> int:
        """The pointer to fresh memory."""
        return self.reallocate(0, 0, alignment, size)

    def write(self, ptr: int, data: bytes) -> None:
        """Copy `data` to `ptr`, which an allocation has checked."""
        self.memory.view()[ptr : ptr + len(data)] = data


Store = Callable[[Heap, str], tuple[int, int]]
"""Encodes a string into a heap: its pointer and its (tagged) number of code units."""


def invalid_range(
    ptr: int, byte_length: int, alignment: int, memory_size: int, max_byte_length: int, path: str = ""
) -> Trap:
    """The trap for a string that is too long, not aligned or out of bounds."""
    if byte_length > max_byte_length:
        return Trap(TrapKind.STRING_TOO_LONG, f"{byte_length} bytes, at most {max_byte_length}", path)
    return invalid_pointer(ptr, alignment, byte_length, memory_size, path)


def invalid_string(error: UnicodeDecodeError, path: str = "") -> Trap:
    """The trap for bytes that are not what the string encoding says."""
    what = "incomplete" if error.reason in ("unexpected end of data", "truncated data") else "invalid"
    return Trap(TrapKind.INVALID_STRING, f"{what} {error.encoding} sequence at byte {error.start}", path)


def _load(
    view: memoryview, ptr: int, byte_length: int, alignment: int, codec: str, max_byte_length: int, path: str
) -> str:
    end = ptr + byte_length
    if byte_length > max_byte_length or ptr & (alignment - 1) or end > len(view):
        raise invalid_range(ptr, byte_length, alignment, len(view), max_byte_length, path)
    try:
        return str(view[ptr:end], codec)
    except UnicodeDecodeError as error:
        raise invalid_string(error, path) from None


def load_utf8(
    view: memoryview, ptr: int, code_units: int, max_byte_length: int = MAX_STRING_BYTE_LENGTH, path: str = ""
) -> str:
    """The string at `ptr`; generated code does the same without a call."""
    return _load(view, ptr, code_units, 1, "utf-8", max_byte_length, path)


def load_utf16(
    view: memoryview, ptr: int, code_units: int, max_byte_length: int = MAX_STRING_BYTE_LENGTH, path: str = ""
) -> str:
    """The UTF-16 string at `ptr`."""
    return _load(view, ptr, 2 * code_units, 2, "utf-16-le", max_byte_length, path)


def load_latin1_utf16(
    view: memoryview,
    ptr: int,
    tagged_code_units: int,
    max_byte_length: int = MAX_STRING_BYTE_LENGTH,
    path: str = "",
) -> str:
    """The string at `ptr`, in Latin-1, or in UTF-16 where the length has the tag."""
    if tagged_code_units & UTF16_TAG:
        return load_utf16(view, ptr, tagged_code_units ^ UTF16_TAG, max_byte_length, path)
    return _load(view, ptr, tagged_code_units, 2, "latin-1", max_byte_length, path)


LOADERS = {
    StringEncoding.UTF8: load_utf8,
    StringEncoding.UTF16: load_utf16,
    StringEncoding.LATIN1_UTF16: load_latin1_utf16,
}


def too_long(byte_length: int) -> ValueError:
    """What generated code raises for a string from the host that is over the limit; it becomes a
    HostValueError.
    """
    return ValueError(f"{byte_length} bytes, at most {MAX_STRING_BYTE_LENGTH}")


def store_utf8(heap: Heap, text: str) -> tuple[int, int]:
    """Store a string whose UTF-8 size is known: the host's, or one that was UTF-8 before."""
    data = text.encode()
    if len(data) > MAX_STRING_BYTE_LENGTH:
        raise too_long(len(data))
    ptr = heap.allocate(1, len(data))
    heap.write(ptr, data)
    return ptr, len(data)


def store_utf16(heap: Heap, text: str) -> tuple[int, int]:
    """Store a string whose UTF-16 size is known."""
    data = text.encode("utf-16-le")
    if len(data) > MAX_STRING_BYTE_LENGTH:
        raise too_long(len(data))
    ptr = heap.allocate(2, len(data))
    heap.write(ptr, data)
    return ptr, len(data) // 2


def store_latin1_utf16(heap: Heap, text: str) -> tuple[int, int]:
    """Store the host's string in the smaller of the two encodings that can hold it."""
    try:
        data = text.encode("latin-1")
    except UnicodeEncodeError:
        ptr, code_units = store_utf16(heap, text)
        return ptr, code_units | UTF16_TAG
    return _store_latin1(heap, data)


def _store_latin1(heap: Heap, data: bytes) -> tuple[int, int]:
    if len(data) > MAX_STRING_BYTE_LENGTH:
        raise too_long(len(data))
    ptr = heap.allocate(2, len(data))
    heap.write(ptr, data)
    return ptr, len(data)


def _store_to_utf8(heap: Heap, text: str, src_code_units: int, worst_case_size: int) -> tuple[int, int]:
    data = text.encode()
    ptr = heap.allocate(1, src_code_units)
    if not text.isascii():
        ptr = heap.reallocate(ptr, src_code_units, 1, worst_case_size)
        heap.write(ptr, data)
        if worst_case_size > len(data):
            ptr = heap.reallocate(ptr, worst_case_size, 1, len(data))
        return ptr, len(data)
    heap.write(ptr, data)
    return ptr, len(data)


def _utf16_units(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2


def store_utf16_to_utf8(heap: Heap, text: str) -> tuple[int, int]:
    """Store a string that was UTF-16 before."""
    code_units = _utf16_units(text)
    return _store_to_utf8(heap, text, code_units, 3 * code_units)


def store_latin1_to_utf8(heap: Heap, text: str) -> tuple[int, int]:
    """Store a string that was Latin-1 before."""
    return _store_to_utf8(heap, text, len(text), 2 * len(text))


def store_utf8_to_utf16(heap: Heap, text: str) -> tuple[int, int]:
    """Store a string that was UTF-8 before."""
    worst_case_size = 2 * len(text.encode())
    data = text.encode("utf-16-le")
    ptr = heap.allocate(2, worst_case_size)
    heap.write(ptr, data)
    if len(data) < worst_case_size:
        ptr = heap.reallocate(ptr, worst_case_size, 2, len(data))
    return ptr, len(data) // 2


def _store_to_latin1_or_utf16(heap: Heap, text: str, src_code_units: int) -> tuple[int, int]:
    ptr = heap.allocate(2, src_code_units)
    try:
        data = text.encode("latin-1")
    except UnicodeEncodeError:
        worst_case_size = 2 * src_code_units
        ptr = heap.reallocate(ptr, src_code_units, 2, worst_case_size)
        data = text.encode("utf-16-le")
        heap.write(ptr, data)
        if worst_case_size > len(data):
            ptr = heap.reallocate(ptr, worst_case_size, 2, len(data))
        return ptr, len(data) // 2 | UTF16_TAG
    heap.write(ptr, data)
    if len(data) < src_code_units:
        ptr = heap.reallocate(ptr, src_code_units, 2, len(data))
    return ptr, len(data)


def store_utf8_to_latin1_utf16(heap: Heap, text: str) -> tuple[int, int]:
    """Store a string that was UTF-8 before."""
    return _store_to_latin1_or_utf16(heap, text, len(text.encode()))


def store_utf16_to_latin1_utf16(heap: Heap, text: str) -> tuple[int, int]:
    """Store a string that was UTF-16 before."""
    return _store_to_latin1_or_utf16(heap, text, _utf16_units(text))


def store_probably_utf16(heap: Heap, text: str) -> tuple[int, int]:
    """Store a string whose source was `latin1+utf16` with the tag, so that it is probably not Latin-1."""
    data = text.encode("utf-16-le")
    ptr = heap.allocate(2, len(data))
    try:
        latin1 = text.encode("latin-1")
    except UnicodeEncodeError:
        heap.write(ptr, data)
        return ptr, len(data) // 2 | UTF16_TAG
    heap.write(ptr, latin1)
    return heap.reallocate(ptr, len(data), 1, len(latin1)), len(latin1)


def _store_same_latin1(heap: Heap, text: str) -> tuple[int, int]:
    return _store_latin1(heap, text.encode("latin-1"))


HOST_STORES: dict[StringEncoding, Store] = {
    StringEncoding.UTF8: store_utf8,
    StringEncoding.UTF16: store_utf16,
    StringEncoding.LATIN1_UTF16: store_latin1_utf16,
}

_TRANSCODERS: dict[StringEncoding, tuple[Store, Store, Store, Store]] = {
    # To: from UTF-8, from UTF-16, from untagged latin1+utf16, from tagged latin1+utf16.
    StringEncoding.UTF8: (store_utf8, store_utf16_to_utf8, store_latin1_to_utf8, store_utf16_to_utf8),
    StringEncoding.UTF16: (store_utf8_to_utf16, store_utf16, store_utf16, store_utf16),
    StringEncoding.LATIN1_UTF16: (
        store_utf8_to_latin1_utf16,
        store_utf16_to_latin1_utf16,
        _store_same_latin1,
        store_probably_utf16,
    ),
}


def transcoder(source: StringEncoding, target: StringEncoding) -> Callable[[Heap, str, int], tuple[int, int]]:
    """A function `(heap, text, tagged_code_units)` that stores what another guest had in `source` encoding.

    It calls `realloc` as the specification's algorithm for this pair does.
    """
    from_utf8, from_utf16, from_latin1, from_tagged = _TRANSCODERS[target]
    if source is StringEncoding.UTF8:
        return lambda heap, text, _: from_utf8(heap, text)
    if source is StringEncoding.UTF16:
        return lambda heap, text, _: from_utf16(heap, text)
    return lambda heap, text, units: (from_tagged if units & UTF16_TAG else from_latin1)(heap, text)
