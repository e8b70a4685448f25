"""One side of a call: the component instance, its memory, and how strings lie in it.

`Endpoint` is the side itself; `EndpointNames` is how generated code refers to one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Protocol

from ingen_runtime.canonical.core import CoreFunction, Memory, reallocator
from ingen_runtime.canonical.handles import InstanceState
from ingen_runtime.canonical.layout import MAX_LIST_BYTE_LENGTH, MAX_STRING_BYTE_LENGTH
from ingen_runtime.canonical.resources import Resource
from ingen_runtime.canonical.strings import Heap
from ingen_runtime.component.types import FutureType, ResourceType, StreamType
from ingen_runtime.errors import InternalError


class AsyncValues(Protocol):
    """Passes streams, futures and error contexts between a handle table and the outside."""

    def lift_end(self, index: int, type_: StreamType | FutureType) -> Any:
        """What another component gets for the readable end at `index`."""

    def lower_end(self, shared: Any, type_: StreamType | FutureType) -> int:
        """The index of a new readable end for what `lift_end` gave."""

    def receive_end(self, index: int, type_: StreamType | FutureType) -> Any:
        """What the host gets for the readable end at `index`."""

    def give_end(self, value: Any, type_: StreamType | FutureType) -> int:
        """The index of a new readable end for what the host gives; in `InstanceState.lowered` until the call
        is made.

        Raises: HostValueError.
        """

    def lift_error_context(self, index: int) -> Any:
        """What the host or another component gets for the error context at `index`."""

    def lower_error_context(self, value: Any) -> int:
        """The index of a new handle to an error context."""


class Endpoint:
    """A component instance with the canonical options of one lift or lower.

    `resources` has the run-time resource for each resource type that the function's type mentions. Strings
    and lists that come from the instance are no longer than `max_string_bytes` and `max_list_bytes`.
    """

    __slots__ = (
        "_async_values",
        "_heap",
        "_make_async_values",
        "instance",
        "max_list_bytes",
        "max_string_bytes",
        "memory",
        "realloc",
        "resources",
    )

    def __init__(
        self,
        *,
        instance: InstanceState,
        memory: Memory | None = None,
        realloc: CoreFunction | None = None,
        resources: Mapping[ResourceType, Resource] = MappingProxyType({}),
        make_async_values: Callable[[], AsyncValues] | None = None,
        max_string_bytes: int | None = None,
        max_list_bytes: int | None = None,
    ) -> None:
        self.instance = instance
        self.memory = memory
        self.realloc = realloc
        self.resources = resources
        self._make_async_values = make_async_values
        self._async_values: AsyncValues | None = None
        self.max_string_bytes = MAX_STRING_BYTE_LENGTH if max_string_bytes is None else max_string_bytes
        self.max_list_bytes = MAX_LIST_BYTE_LENGTH if max_list_bytes is None else max_list_bytes
        self._heap: Heap | None = None

    @property
    def async_values(self) -> AsyncValues:
        """What passes streams, futures and error contexts, made when there are any."""
        if self._async_values is None:
            if self._make_async_values is None:
                raise InternalError("streams, futures or error contexts are passed where nothing takes them")
            self._async_values = self._make_async_values()
        return self._async_values

    @property
    def heap(self) -> Heap | None:
        """The memory with its allocator, None where there is no `realloc`."""
        if self._heap is None and self.memory is not None and self.realloc is not None:
            self._heap = Heap(self.memory, reallocator(self.memory, self.realloc))
        return self._heap

    @property
    def memory_stays(self) -> bool:
        """Whether there is a memory that never moves."""
        return self.memory is not None and self.memory.stays

    @property
    def view_of(self) -> Callable[[], memoryview]:
        """Views the memory."""
        if self.memory is None:
            raise InternalError("values that lie in memory are passed where there is none")
        return self.memory.view

    @property
    def measure(self) -> Callable[[Any, Any], int]:
        """Measures the memory."""
        if self.memory is None:
            raise InternalError("values that lie in memory are passed where there is none")
        return self.memory.measure

    @property
    def measured(self) -> tuple[Any, Any]:
        """The arguments for `measure`."""
        if self.memory is None:
            raise InternalError("values that lie in memory are passed where there is none")
        return self.memory.measured

    @property
    def realloc_raw(self) -> bytearray:
        """The buffer of `realloc`."""
        if self.realloc is None:
            raise InternalError("values that need `realloc` are lowered where there is none")
        return self.realloc.raw

    @property
    def realloc_words(self) -> memoryview:
        """The same as 32-bit words: the first is what `realloc` has returned."""
        return memoryview(self.realloc_raw).cast("B").cast("I")

    @property
    def realloc_arguments(self) -> tuple[Any, ...]:
        """The arguments for native calls of `realloc`."""
        if self.realloc is None:
            raise InternalError("values that need `realloc` are lowered where there is none")
        return self.realloc.arguments

    @property
    def realloc_call(self) -> Callable[[], object]:
        """Calls `realloc`."""
        if self.realloc is None:
            raise InternalError("values that need `realloc` are lowered where there is none")
        return self.realloc.call


class EndpointNames:
    """The names that generated code has for an endpoint's parts; `prefix` tells two endpoints apart.

    - `calls_natively`: `realloc` is called natively, in code that has prepared for that.
    - `keeps_view`: the view of the memory is kept from call to call and renewed where the memory has grown,
      in one function, which only runs during a call of the guest.
    - `stays`: moreover the memory never moves, and the view is renewed where something lies beyond its end.
    """

    def __init__(
        self,
        prefix: str = "",
        *,
        calls_natively: bool = False,
        keeps_view: bool = False,
        stays: bool = False,
    ) -> None:
        self.calls_natively = calls_natively
        self.keeps_view = keeps_view
        self.stays = stays
        self.endpoint = f"_{prefix}endpoint"
        self.view = f"_{prefix}view"
        self.view_length = f"_{prefix}view_length" if keeps_view else f"len({self.view})"
        self.measure = f"_{prefix}measure"
        self.measured = f"_{prefix}measured"
        self.realloc_raw = f"_{prefix}realloc_raw"
        self.realloc_words = f"_{prefix}realloc_words"
        self.realloc_call = f"_{prefix}realloc_call"
        self.view_of = f"_{prefix}view_of"
        self.heap = f"_{prefix}heap"
        self.max_string_bytes = f"_{prefix}max_string_bytes"
        self.max_list_bytes = f"_{prefix}max_list_bytes"
        self.state = f"_{prefix}state"
        self.table = f"_{prefix}table"
        self.async_values = f"_{prefix}async_values"
        self.loans = f"_{prefix}loans"
        self.scope = f"_{prefix}scope"
        self._prefix = prefix
        self._resources: list[ResourceType] = []

    def resource(self, type_: ResourceType) -> str:
        """The name of the run-time resource for a resource type."""
        if type_ not in self._resources:
            self._resources.append(type_)
        return f"_{self._prefix}resource{self._resources.index(type_)}"

    def prologue(self, used: set[str], getter: str) -> list[str]:
        """Statements that take the parts whose names are in `used` out of the endpoint; `getter` is the
        name of `resource_getter()`.
        """
        parts = [
            (self.view_of, "view_of"),
            (self.measure, "measure"),
            (self.measured, "measured"),
            ("_realloc_arguments", "realloc_arguments"),
            (self.realloc_raw, "realloc_raw"),
            (self.realloc_words, "realloc_words"),
            (self.realloc_call, "realloc_call"),
            (self.heap, "heap"),
            (self.max_string_bytes, "max_string_bytes"),
            (self.max_list_bytes, "max_list_bytes"),
            (self.state, "instance"),
            (self.table, "instance.handles"),
            (self.async_values, "async_values"),
        ]
        lines = []
        if self.keeps_view:
            lines.append(f"{self.view}, {self.view_length} = None, -1")
        lines += [f"{name} = {self.endpoint}.{part}" for name, part in parts if name in used]
        lines += [
            f"{self.resource(type_)} = {getter}({self.endpoint}, {index})"
            for index, type_ in enumerate(self._resources)
        ]
        return lines

    def resource_getter(self) -> Callable[[Endpoint, int], Resource]:
        """What the prologue calls to find a resource."""
        types = self._resources

        def resource_of(endpoint: Endpoint, index: int) -> Resource:
            try:
                return endpoint.resources[types[index]]
            except KeyError:
                raise InternalError(f"no run-time resource is bound for {types[index]!r}") from None

        return resource_of
