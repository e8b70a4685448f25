"""Buffers of copies: a guest's in its memory, the host's as Python values.

Between two buffers numbers move as bytes, everything else as values, so both sides read and write the same.

Source: CanonicalABI.md, "Buffer State".
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, Final, Protocol

from ingen_runtime.canonical import BorrowScope, Endpoint, Loan, StringEncoding, ValueClasses, ValuesPlan
from ingen_runtime.canonical.check import Checker, to_bytes
from ingen_runtime.canonical.layout import alignment, elem_size
from ingen_runtime.canonical.plan import names_in
from ingen_runtime.canonical.shape import NUMBER_FORMATS
from ingen_runtime.component.concurrency.waitables import trap_if
from ingen_runtime.component.types import ListType, PrimitiveType, ValType
from ingen_runtime.errors import HostValueError, TrapKind

MAX_BUFFER_LENGTH: Final = (1 << 28) - 1


def is_number(element: ValType | None) -> bool:
    """Whether elements of a type move as bytes."""
    return element in NUMBER_FORMATS


class Buffer(Protocol):
    """Room for `length` elements, of which `progress` have been read or written."""

    element: ValType | None
    length: int
    progress: int

    @property
    def remaining(self) -> int:
        """How many elements are left."""

    def read(self, count: int) -> Any:
        """Take elements out: bytes for numbers, a list for everything else, None where there is no type."""

    def write(self, elements: Any, count: int) -> None:
        """Put elements in, as `read` gives them."""


class GuestBuffers:
    """Makes the buffers of one built-in: elements of one type, in one memory."""

    def __init__(
        self, element: ValType | None, endpoint: Endpoint, encoding: StringEncoding, classes: ValueClasses
    ) -> None:
        self.element = element
        self.is_number = is_number(element)
        self.size = 0 if element is None else elem_size(element)
        self._alignment = 1 if element is None else alignment(element)
        self._endpoint = endpoint
        self._encoding = encoding
        self._classes = classes

    def buffer(self, ptr: int, length: int) -> GuestBuffer:
        """The buffer of `length` elements from `ptr` on.

        Raises: Trap(LIST_TOO_LONG), Trap(UNALIGNED_POINTER), Trap(OUT_OF_BOUNDS).
        """
        trap_if(length > MAX_BUFFER_LENGTH, TrapKind.LIST_TOO_LONG, f"a stream's buffer of {length} elements")
        if self.element is not None and length > 0:
            trap_if(
                ptr % self._alignment != 0,
                TrapKind.UNALIGNED_POINTER,
                f"a stream's buffer at 0x{ptr:x} is not aligned to {self._alignment} bytes",
            )
            trap_if(
                ptr + length * self.size > len(self.view()),
                TrapKind.OUT_OF_BOUNDS,
                f"a stream's buffer of {length} elements at 0x{ptr:x}",
            )
        return GuestBuffer(self, ptr, length)

    def view(self) -> memoryview:
        """The memory."""
        assert self._endpoint.memory is not None
        return self._endpoint.memory.view()

    @cached_property
    def load(self) -> Callable[[int, list[Loan]], tuple[Any, ...]]:
        """Reads an element."""
        return self._plan.bind_load(self._endpoint)

    @cached_property
    def store(self) -> Callable[[int, tuple[Any, ...], BorrowScope, list[Loan]], None]:
        """Writes an element."""
        return self._plan.bind_store(self._endpoint)

    @property
    def _plan(self) -> ValuesPlan:
        element, plans = self.element, self._classes.plans
        assert element is not None
        key = ("element", element, names_in(element), self._encoding)
        plan = plans.get(key)
        if plan is None:
            plan = plans[key] = ValuesPlan(
                [element], self._encoding, self._classes, name="an element", paths=["element"]
            )
        assert isinstance(plan, ValuesPlan)
        return plan


class GuestBuffer:
    """A guest's memory that elements are read from or written to, `length` of them from `ptr` on."""

    def __init__(self, buffers: GuestBuffers, ptr: int, length: int) -> None:
        self.element = buffers.element
        self.progress = 0
        self.length = length
        self._buffers = buffers
        self._ptr = ptr

    @property
    def remaining(self) -> int:
        return self.length - self.progress

    def read(self, count: int) -> Any:
        buffers = self._buffers
        size, at = buffers.size, self._ptr + self.progress * buffers.size
        self.progress += count
        if self.element is None:
            return None
        if buffers.is_number:
            return bytes(buffers.view()[at : at + count * size])
        return [buffers.load(at + index * size, [])[0] for index in range(count)]

    def write(self, elements: Any, count: int) -> None:
        buffers = self._buffers
        size, at = buffers.size, self._ptr + self.progress * buffers.size
        self.progress += count
        if self.element is None:
            return
        if buffers.is_number:
            buffers.view()[at : at + count * size] = elements
            return
        for index, value in enumerate(elements):
            buffers.store(at + index * size, (value,), BorrowScope(), [])


class HostSource:
    """Values that the host writes.

    Raises: HostValueError for numbers that do not fit; other values are looked at when a guest reads them.
    """

    def __init__(self, element: ValType | None, values: Any) -> None:
        self.element = element
        self.progress = 0
        self._elements: Any = _pack(element, values) if is_number(element) else values
        self._size = elem_size(element) if element is not None and is_number(element) else 1
        self.length = len(self._elements) // self._size

    @property
    def remaining(self) -> int:
        return self.length - self.progress

    def read(self, count: int) -> Any:
        begin = self.progress * self._size
        self.progress += count
        return self._elements[begin : begin + count * self._size]

    def write(self, elements: Any, count: int) -> None:
        raise AssertionError("nothing is written to what the host writes")


class HostTarget:
    """Room for `length` values that the host reads."""

    def __init__(self, element: ValType | None, length: int) -> None:
        self.element = element
        self.progress = 0
        self.length = length
        self._parts: list[Any] = []

    @property
    def remaining(self) -> int:
        return self.length - self.progress

    def read(self, count: int) -> Any:
        raise AssertionError("nothing is read from what the host reads to")

    def write(self, elements: Any, count: int) -> None:
        self.progress += count
        self._parts.append([None] * count if self.element is None else elements)

    def values(self) -> Any:
        """What was written: `bytes` for u8, a list for everything else."""
        if self.element is PrimitiveType.U8:
            return b"".join(self._parts)
        if not is_number(self.element):
            return [value for part in self._parts for value in part]
        data = b"".join(self._parts)
        assert isinstance(self.element, PrimitiveType)
        return list(struct.unpack(f"<{self.progress}{NUMBER_FORMATS[self.element]}", data))


def _pack(element: ValType | None, values: Any) -> bytes:
    assert isinstance(element, PrimitiveType)
    try:
        if element is PrimitiveType.U8:
            return bytes(to_bytes(values))
        return struct.pack(f"<{len(values)}{NUMBER_FORMATS[element]}", *values)
    except (struct.error, TypeError, ValueError, OverflowError):
        found = Checker(ValueClasses(), {}).find(ListType(element), values, "stream")
        if found is None:
            got = f"{type(values).__name__} {values!r:.60}"
            found = HostValueError("stream", f"values of type {element.value}", got)
        raise found from None


def as_sequence(values: Any) -> bool:
    """Whether values are there all together: a buffer or a sequence, and no string."""
    return isinstance(values, bytes | bytearray | memoryview) or (
        isinstance(values, Sequence) and not isinstance(values, str)
    )
