"""The memory of a guest, as its system calls use it. What is outside of it traps."""

from __future__ import annotations

import struct
from collections.abc import Callable

from ingen_runtime.engine import CoreMemory
from ingen_runtime.errors import Trap, TrapKind
from ingen_runtime.wasi.p1.abi import IOVEC, U32, U64

_MOST_BUFFERS = 1024
"""What the host takes in one call."""


class GuestMemory:
    """Reads and writes a memory that may not be there before the first call."""

    __slots__ = ("_find", "transfer_bytes", "view")

    def __init__(self, find: Callable[[], CoreMemory], transfer_bytes: int) -> None:
        self._find = find
        self.transfer_bytes = transfer_bytes
        self.view: Callable[[], memoryview] = self._first_view
        """Gives all of it. Slices must be gone before guest code runs again."""

    def _first_view(self) -> memoryview:
        self.view = self._find().view
        return self.view()

    def slice(self, ptr: int, length: int) -> memoryview:
        """A range. Raises: Trap(OUT_OF_BOUNDS_MEMORY)"""
        view = self.view()
        if ptr + length > len(view):
            raise out_of_bounds(ptr, length, view)
        return view[ptr : ptr + length]

    def write_u32(self, ptr: int, value: int) -> None:
        view = self.view()
        if ptr + 4 > len(view):
            raise out_of_bounds(ptr, 4, view)
        U32.pack_into(view, ptr, value)

    def write_u64(self, ptr: int, value: int) -> None:
        view = self.view()
        if ptr + 8 > len(view):
            raise out_of_bounds(ptr, 8, view)
        U64.pack_into(view, ptr, value)

    def write(self, ptr: int, data: bytes) -> None:
        self.slice(ptr, len(data))[:] = data

    def pack(self, layout: struct.Struct, ptr: int, *values: int) -> None:
        layout.pack_into(self.slice(ptr, layout.size), 0, *values)

    def buffers(self, ptr: int, count: int) -> list[memoryview]:
        """The ranges that `count` iovecs at `ptr` stand for, those without bytes left out.

        Of what is longer than the limit on one transfer, only the beginning.
        """
        view = self.view()
        size = len(view)
        left = self.transfer_bytes
        if ptr + count * 8 > size:
            raise out_of_bounds(ptr, count * 8, view)
        found: list[memoryview] = []
        for at in range(ptr, ptr + min(count, _MOST_BUFFERS) * 8, 8):
            start, length = IOVEC.unpack_from(view, at)
            if start + length > size:
                raise out_of_bounds(start, length, view)
            if length >= left:
                if left:
                    found.append(view[start : start + left])
                break
            if length:
                found.append(view[start : start + length])
                left -= length
        return found


def out_of_bounds(ptr: int, length: int, view: memoryview) -> Trap:
    return Trap(
        TrapKind.OUT_OF_BOUNDS_MEMORY,
        f"a system call was given {length} bytes at 0x{ptr:x} in a memory of 0x{len(view):x} bytes",
    )
