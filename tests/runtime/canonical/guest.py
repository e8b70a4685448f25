"""A guest made of a bytearray: memory, allocator and core functions without an engine."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from types import CellType
from typing import Any, NoReturn

from ingen_runtime.canonical import Endpoint, InstanceState, Resource
from ingen_runtime.component.types import ResourceType

SLOT = 16
_FOUR = struct.Struct("<I12xI12xI12xI12x")


class FakeMemory:
    """A linear memory that can grow; `stays` leaves it in its place."""

    _RESERVED = 1 << 24

    def __init__(self, size: int = 1 << 16, *, stays: bool = False) -> None:
        self.stays = stays
        self.bytes = bytearray(self._RESERVED if stays else size)
        self._view = memoryview(self.bytes)[:size]

    def view(self) -> memoryview:
        return self._view

    @staticmethod
    def measure(memory: FakeMemory, _: None) -> int:
        return len(memory._view)

    @property
    def measured(self) -> tuple[Any, Any]:
        return self, None

    def grow(self, size: int) -> None:
        """Make it longer, at another place, as an engine may: then old views can not be used any more."""
        if self.stays:
            self._view = memoryview(self.bytes)[: len(self._view) + size]
            return
        self._view.release()
        self.bytes = bytearray(self.bytes) + bytearray(size)
        self._view = memoryview(self.bytes)


class FakeFunction:
    """A core function that is a Python function on its raw slots."""

    trap = False

    def __init__(self, function: Callable[[bytearray], object], slots: int = 17) -> None:
        self.raw = bytearray(SLOT * slots)
        self._function = function
        self.native = CellType(_call_native)
        self.active = CellType(0)

    @property
    def arguments(self) -> tuple[Any, ...]:
        return (self, None, None, None, None)

    def call(self) -> None:
        self._function(self.raw)

    probed = None

    def probe(self, probed: object) -> None:
        pass

    def abandon(self) -> None:
        pass

    def fail(self, error: object) -> NoReturn:
        raise AssertionError(f"nothing has failed, but {error}")


def _call_native(function: FakeFunction, *_: None) -> None:
    function.call()


class Guest:
    """A component instance with a bump allocator; `reallocs` has its calls: old, old size, align, size."""

    def __init__(
        self,
        size: int = 1 << 16,
        resources: Mapping[ResourceType, Resource] | None = None,
        name: str = "guest",
        *,
        stays: bool = False,
        **options: Any,
    ) -> None:
        self.memory = FakeMemory(size, stays=stays)
        self.next = 64
        self.reallocs: list[tuple[int, int, int, int]] = []
        self.state = InstanceState(name)
        self.may_leave_in_realloc: set[bool] = set()
        self.endpoint = Endpoint(
            instance=self.state,
            memory=self.memory,
            realloc=FakeFunction(self._realloc, 4),
            resources=resources or {},
            **options,
        )

    def _realloc(self, raw: bytearray) -> None:
        old, old_size, alignment, size = call = _FOUR.unpack_from(raw)
        self.reallocs.append(call)
        self.may_leave_in_realloc.add(self.state.may_leave)
        ptr = self.allocate(alignment, size)
        view = self.memory.view()
        view[ptr : ptr + min(old_size, size)] = bytes(view[old : old + min(old_size, size)])
        struct.pack_into("<I", raw, 0, ptr)

    def allocate(self, alignment: int, size: int) -> int:
        """Memory that has not been used before."""
        ptr = (self.next + alignment - 1) & -alignment
        self.next = ptr + size
        if self.next > len(self.memory.view()):
            self.memory.grow(self.next)
        return ptr
