"""What the canonical ABI needs of a core WebAssembly engine, and the checked way into a guest's memory.

The engine implements `Memory` and `CoreFunction`; tests do it with a bytearray.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Final, Protocol

from ingen_runtime.canonical.layout import MAX_LIST_BYTE_LENGTH
from ingen_runtime.errors import Trap, TrapKind

SLOT_SIZE: Final = 16
"""Bytes of one core value in a raw buffer: the value is in the low bytes, little-endian."""


class Memory(Protocol):
    """A linear memory.

    `view` shows its bytes (format `B`) and stays valid while the memory lives. After the memory has grown it
    may be too short until `refresh` is called; it is never too long.
    """

    view: memoryview

    def refresh(self) -> memoryview:
        """Make `view` as long as the memory is now, and return it."""


class CoreFunction(Protocol):
    """A core function, ready to be called.

    `raw` is writable and holds `SLOT_SIZE` bytes for each parameter, or for each result where there are more
    of these. `call` takes the parameters from it and leaves the results in it. It raises Trap, or what a
    host function raised.
    """

    @property
    def raw(self) -> memoryview:
        """The parameters, then the results."""

    def call(self) -> None:
        """Call the function."""


Allocate = Callable[[int, int], int]
Reallocate = Callable[[int, int, int, int], int]

_realloc_params = struct.Struct("<I12xI12xI12xI12x")


def reallocator(memory: Memory, realloc: CoreFunction) -> Reallocate:
    """A function `(old_ptr, old_size, alignment, new_size)` that calls the guest's `realloc` and checks what
    it returns.

    Raises: Trap(UNALIGNED_POINTER), Trap(OUT_OF_BOUNDS), and what the guest's function raises.
    """
    raw = memoryview(realloc.raw).cast("B")
    words = raw.cast("I")
    pack, call = _realloc_params.pack_into, realloc.call

    def reallocate(old_ptr: int, old_size: int, alignment: int, new_size: int) -> int:
        pack(raw, 0, old_ptr, old_size, alignment, new_size)
        call()
        ptr = words[0]
        if ptr & (alignment - 1) or ptr + new_size > len(memory.view):
            check_allocation(memory, ptr, alignment, new_size)
        return ptr

    return reallocate


def allocator(memory: Memory, realloc: CoreFunction) -> Allocate:
    """A function `(alignment, size)` that asks the guest's `realloc` for fresh memory.

    Raises: Trap(UNALIGNED_POINTER), Trap(OUT_OF_BOUNDS), and what the guest's function raises.
    """
    raw = memoryview(realloc.raw).cast("B")
    words = raw.cast("I")
    pack, call = _realloc_params.pack_into, realloc.call

    def allocate(alignment: int, size: int) -> int:
        pack(raw, 0, 0, 0, alignment, size)
        call()
        ptr = words[0]
        if ptr & (alignment - 1) or ptr + size > len(memory.view):
            check_allocation(memory, ptr, alignment, size)
        return ptr

    return allocate


def check_allocation(memory: Memory, ptr: int, alignment: int, size: int) -> None:
    """Trap unless `realloc` may return this pointer."""
    if ptr & (alignment - 1):
        raise Trap(
            TrapKind.UNALIGNED_POINTER, f"realloc return: result 0x{ptr:x} not aligned to {alignment} bytes"
        )
    length = len(memory.refresh())
    if ptr + size > length:
        raise Trap(
            TrapKind.OUT_OF_BOUNDS,
            f"realloc return: beyond end of memory: {size} bytes at 0x{ptr:x}, memory has {length}",
        )


def check_pointer(memory: Memory, ptr: int, alignment: int, size: int, path: str = "") -> memoryview:
    """The memory, refreshed where need be, holding `size` bytes at `ptr`.

    Raises: Trap(UNALIGNED_POINTER), Trap(OUT_OF_BOUNDS).
    """
    if ptr & (alignment - 1):
        raise Trap(TrapKind.UNALIGNED_POINTER, f"0x{ptr:x} is not a multiple of {alignment}", path)
    view = memory.refresh()
    if ptr + size > len(view):
        raise Trap(TrapKind.OUT_OF_BOUNDS, f"{size} bytes at 0x{ptr:x}, memory has {len(view)}", path)
    return view


def check_list(
    memory: Memory, ptr: int, length: int, alignment: int, elem_size: int, path: str = ""
) -> memoryview:
    """The memory, refreshed where need be, holding a list of `length` elements at `ptr`.

    Raises: Trap(LIST_TOO_LONG), Trap(UNALIGNED_POINTER), Trap(OUT_OF_BOUNDS).
    Source: CanonicalABI.md#loading, load_list_from_range.
    """
    byte_length = length * elem_size
    if byte_length > MAX_LIST_BYTE_LENGTH:
        raise Trap(TrapKind.LIST_TOO_LONG, f"{byte_length} bytes, at most {MAX_LIST_BYTE_LENGTH}", path)
    try:
        return check_pointer(memory, ptr, alignment, byte_length, path)
    except Trap as trap:
        if trap.kind is TrapKind.OUT_OF_BOUNDS:
            trap.detail = f"list content out-of-bounds: {trap.detail}"
        raise
