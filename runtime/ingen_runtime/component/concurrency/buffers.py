"""Buffers of copies: a guest's in its memory, the host's as Python values.

Between two buffers numbers move as bytes, everything else as values, so both sides read and write the same.

Source: CanonicalABI.md, "Buffer State".
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any, Final, Protocol

from ingen_runtime.canonical import BorrowScope, Endpoint, StringEncoding, ValueClasses, ValuesPlan
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


class GuestBuffer:
    """A guest's memory that elements are read from or written to, `length` of them from `ptr` on."""

    def __init__(
        self,
        element: ValType | None,
        endpoint: Endpoint,
        encoding: StringEncoding,
        classes: ValueClasses,
        ptr: int,
        length: int,
    ) -> None:
        trap_if(length > MAX_BUFFER_LENGTH, TrapKind.LIST_TOO_LONG, f"a stream's buffer of {length} elements")
        self.element = element
        self.progress = 0
        self.length = length
        self._endpoint = endpoint
        self._ptr = ptr
        self._size = 0 if element is None else elem_size(element)
        if element is not None and length > 0:
            assert endpoint.memory is not None
            trap_if(
                ptr % alignment(element) != 0,
                TrapKind.UNALIGNED_POINTER,
                f"a stream's buffer at 0x{ptr:x} is not aligned to {alignment(element)} bytes",
            )
            trap_if(
                ptr + length * self._size > len(endpoint.memory.view()),
                TrapKind.OUT_OF_BOUNDS,
                f"a stream's buffer of {length} elements at 0x{ptr:x}",
            )
            if not is_number(element):
                plan = _values_plan(element, encoding, classes)
                self._load = plan.bind_load(endpoint)
                self._store = plan.bind_store(endpoint)

    @property
    def remaining(self) -> int:
        return self.length - self.progress

    def read(self, count: int) -> Any:
        element, at = self.element, self._ptr + self.progress * self._size
        self.progress += count
        if element is None:
            return None
        if is_number(element):
            assert self._endpoint.memory is not None
            return bytes(self._endpoint.memory.view()[at : at + count * self._size])
        return [self._load(at + index * self._size, [])[0] for index in range(count)]

    def write(self, elements: Any, count: int) -> None:
        element, at = self.element, self._ptr + self.progress * self._size
        self.progress += count
        if element is None:
            return
        if is_number(element):
            assert self._endpoint.memory is not None
            self._endpoint.memory.view()[at : at + count * self._size] = elements
            return
        for index, value in enumerate(elements):
            self._store(at + index * self._size, (value,), BorrowScope(), [])


def _values_plan(element: ValType, encoding: StringEncoding, classes: ValueClasses) -> ValuesPlan:
    key = ("element", element, names_in(element), encoding)
    plan = classes.plans.get(key)
    if plan is None:
        plan = classes.plans[key] = ValuesPlan(
            [element], encoding, classes, name="an element", paths=["element"]
        )
    assert isinstance(plan, ValuesPlan)
    return plan


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
