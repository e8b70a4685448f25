"""What the canonical ABI needs of a core WebAssembly engine, and the checked way into a guest's memory.

The engine's memories and raw functions are such; tests make them of a bytearray.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from types import CellType
from typing import Any, Final, NoReturn, Protocol

from ingen_runtime.canonical.layout import MAX_LIST_BYTE_LENGTH
from ingen_runtime.errors import Trap, TrapKind

SLOT_SIZE: Final = 16
"""Bytes of one core value in a raw buffer: the value is in the low bytes, little-endian."""


class Memory(Protocol):
    """A linear memory."""

    def view(self) -> memoryview:
        """All of it: bytes, writable. Valid until guest code runs again; slices must be gone by then.

        A view stays valid where the memory is as long as before, because a memory moves only to grow; and
        always, but for its length, where the memory `stays`.
        """

    @property
    def stays(self) -> bool:
        """Whether the memory never moves."""

    @property
    def measure(self) -> Callable[[Any, Any], int]:
        """Gives the length in bytes, called with `measured`; only while a call of a guest is under way."""

    @property
    def measured(self) -> tuple[Any, Any]:
        """The arguments for `measure`."""


class CoreFunction(Protocol):
    """A core function, ready to be called.

    `raw` is writable and holds `SLOT_SIZE` bytes for each parameter, or for each result where there are more
    of these; functions may share one. `call` takes the parameters from it and leaves the results in it, so
    parameters are put there right before the call, and results taken right after. It raises Trap, or what a
    host function raised.

    The rest is for code that calls several functions of a store in a row: see `engine.raw.RawFunction`.
    """

    @property
    def raw(self) -> bytearray:
        """The parameters, then the results."""

    @property
    def call(self) -> Callable[[], object]:
        """Calls the function."""

    @property
    def native(self) -> CellType:
        """Holds what calls a function with its `arguments`, from below a frame that has called `probe`."""

    @property
    def arguments(self) -> tuple[Any, ...]:
        """Five arguments for the native call."""

    @property
    def trap(self) -> object:
        """True after a native call that has ended in a trap."""

    @property
    def fail(self) -> Callable[[Any], NoReturn]:
        """Raises what a native call has ended in; takes what it has returned."""

    @property
    def abandon(self) -> Callable[[], None]:
        """To be called when an exception leaves code that calls natively."""

    @property
    def active(self) -> CellType:
        """Counts what is between the beginning and the end of such code."""

    @property
    def probe(self) -> Callable[[Any], None]:
        """Has ready what native calls from the caller's frame need; called with `probed`."""

    @property
    def probed(self) -> object:
        """The argument for `probe`."""


Reallocate = Callable[[int, int, int, int], int]

REALLOC_PARAMS: Final = struct.Struct("<I12xI12xI12xI12x")


def reallocator(memory: Memory, realloc: CoreFunction) -> Reallocate:
    """A function `(old_ptr, old_size, alignment, new_size)` that calls the guest's `realloc` and checks what
    it returns.

    Raises: Trap(UNALIGNED_POINTER), Trap(OUT_OF_BOUNDS), and what the guest's function raises.
    """
    raw = realloc.raw
    words = memoryview(raw).cast("B").cast("I")
    pack, call, view_of = REALLOC_PARAMS.pack_into, realloc.call, memory.view

    def reallocate(old_ptr: int, old_size: int, alignment: int, new_size: int) -> int:
        pack(raw, 0, old_ptr, old_size, alignment, new_size)
        call()
        ptr = words[0]
        length = len(view_of())
        if ptr & (alignment - 1) or ptr + new_size > length:
            raise invalid_allocation(ptr, alignment, new_size, length)
        return ptr

    return reallocate


def invalid_allocation(ptr: int, alignment: int, size: int, memory_size: int) -> Trap:
    """The trap for a pointer that `realloc` must not return."""
    trap = invalid_pointer(ptr, alignment, size, memory_size)
    trap.detail = f"realloc return: {trap.detail}"
    return trap


def invalid_pointer(ptr: int, alignment: int, size: int, memory_size: int, path: str = "") -> Trap:
    """The trap for a pointer that is not aligned, or else does not have `size` bytes of memory at it."""
    if ptr & (alignment - 1):
        return Trap(TrapKind.UNALIGNED_POINTER, f"0x{ptr:x} is not aligned to {alignment} bytes", path)
    detail = f"{size} bytes at 0x{ptr:x} reach beyond the end of memory at 0x{memory_size:x}"
    return Trap(TrapKind.OUT_OF_BOUNDS, detail, path)


def invalid_list(
    ptr: int,
    length: int,
    alignment: int,
    elem_size: int,
    memory_size: int,
    max_byte_length: int = MAX_LIST_BYTE_LENGTH,
    path: str = "",
) -> Trap:
    """The trap for a list that is too long, not aligned or out of bounds.

    Source: CanonicalABI.md#loading, load_list_from_range.
    """
    byte_length = length * elem_size
    if byte_length > max_byte_length:
        return Trap(TrapKind.LIST_TOO_LONG, f"{byte_length} bytes, at most {max_byte_length}", path)
    return invalid_pointer(ptr, alignment, byte_length, memory_size, path)
