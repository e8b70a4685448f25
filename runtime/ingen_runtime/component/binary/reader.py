"""A cursor over bytes that reads the scalar productions of the binary formats."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import TypeAlias, TypeVar

from ingen_runtime.errors import ComponentFormatError

Buffer: TypeAlias = bytes | memoryview
T = TypeVar("T")


class Reader:
    """Reads `data[position:end]`, never past `end`.

    `position` counts from the start of `data`, so it is the offset that errors carry; nothing is copied but
    what a method returns.

    Raises: ComponentFormatError, from every method, where the bytes do not match.
    """

    __slots__ = ("data", "end", "position")

    def __init__(self, data: Buffer, position: int = 0, end: int | None = None) -> None:
        self.data = data
        self.position = position
        self.end = len(data) if end is None else end

    def error(self, message: str, offset: int | None = None) -> ComponentFormatError:
        """An error at `offset`, or where the cursor is."""
        return ComponentFormatError(message, self.position if offset is None else offset)

    def invalid_byte(self, byte: int, what: str) -> ComponentFormatError:
        """An error about the byte that was just read."""
        return ComponentFormatError(f"invalid leading byte 0x{byte:02x} for {what}", self.position - 1)

    def u8(self) -> int:
        """One byte."""
        position = self.position
        if position >= self.end:
            raise ComponentFormatError("unexpected end of the section or file", position)
        self.position = position + 1
        return self.data[position]

    def peek(self) -> int:
        """The next byte, which stays unread."""
        if self.position >= self.end:
            raise self.error("unexpected end of the section or file")
        return self.data[self.position]

    def u32(self) -> int:
        """An unsigned LEB128 of at most 32 bits in at most five bytes."""
        position = self.position
        if position < self.end and (byte := self.data[position]) < 0x80:
            self.position = position + 1
            return byte
        return self._unsigned(32)

    def u64(self) -> int:
        """An unsigned LEB128 of at most 64 bits in at most ten bytes."""
        return self._unsigned(64)

    def _unsigned(self, bits: int) -> int:
        data, position, end = self.data, self.position, self.end
        result = shift = 0
        while True:
            if position >= end:
                raise ComponentFormatError("unexpected end of the section or file in an integer", position)
            byte = data[position]
            position += 1
            result |= (byte & 0x7F) << shift
            if byte < 0x80:
                break
            shift += 7
            if shift >= bits:
                raise ComponentFormatError("integer representation too long", position)
        if result >> bits:
            raise ComponentFormatError("integer too large", position - 1)
        self.position = position
        return result

    def signed(self, bits: int) -> int:
        """A signed LEB128 of `bits` bits."""
        result = shift = 0
        while True:
            byte = self.u8()
            result |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
            if shift >= bits:
                raise self.error("integer representation too long")
        if byte & 0x40:
            result -= 1 << shift
        if not -(1 << (bits - 1)) <= result < 1 << (bits - 1):
            raise self.error("integer too large", self.position - 1)
        return result

    def take(self, byte_length: int) -> memoryview:
        """The next bytes as a view."""
        start = self.position
        if byte_length > self.end - start:
            raise ComponentFormatError("unexpected end of the section or file", start)
        self.position = start + byte_length
        return memoryview(self.data)[start : start + byte_length]

    def f64(self) -> float:
        """Eight bytes as a float."""
        value: float = struct.unpack("<d", self.take(8))[0]
        return value

    def name(self) -> str:
        """A length-prefixed UTF-8 string."""
        byte_length = self.u32()
        start = self.position
        if byte_length > self.end - start:
            raise ComponentFormatError(
                f"unexpected end of the section or file in a string of {byte_length} bytes", start
            )
        self.position = start + byte_length
        try:
            return str(self.data[start : start + byte_length], "utf-8")
        except UnicodeDecodeError as error:
            raise ComponentFormatError("malformed UTF-8 encoding", start + error.start) from None

    def boolean(self) -> bool:
        """A byte that must be 0 or 1."""
        byte = self.u8()
        if byte > 1:
            raise self.error(f"invalid boolean value 0x{byte:02x}", self.position - 1)
        return byte == 1

    def count(self) -> int:
        """The length of a vector; at most the bytes that are left, as every element takes one at least."""
        count = self.u32()
        if count > self.end - self.position:
            raise self.error(f"unexpected end of the section or file: a vector claims {count} elements")
        return count

    def vector(self, element: Callable[[], T]) -> tuple[T, ...]:
        """A vector whose elements `element` reads."""
        return tuple([element() for _ in range(self.count())])

    def u32_vector(self) -> Sequence[int]:
        """A vector of `u32`; faster than `vector`, for the thousands of functions of a module."""
        count = self.count()
        data, start = self.data, self.position
        if count == self.end - start:
            small = bytes(data[start : self.end])
            if small.isascii():
                self.position = self.end
                return small
        return [self.u32() for _ in range(count)]

    def optional(self, element: Callable[[], T], what: str) -> T | None:
        """Nothing after 0x00, what `element` reads after 0x01."""
        byte = self.u8()
        if byte == 0:
            return None
        if byte != 1:
            raise self.invalid_byte(byte, what)
        return element()

    def expect_end(self, what: str) -> None:
        """Check that nothing is left."""
        if self.position != self.end:
            raise self.error(f"{what} is {self.end - self.position} bytes longer than its content")
