"""How values of async calls and of streams pass between two sides: raw between guests, Python values with
the host.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from ingen_runtime.canonical import StringEncoding, ValueClasses, ValuesPlan
from ingen_runtime.canonical.plan import plan_key
from ingen_runtime.component.concurrency.copies import CopyState, End, Shared, SharedFuture, SharedStream
from ingen_runtime.component.concurrency.feeds import FedFuture, FedStream
from ingen_runtime.component.concurrency.host_ends import FutureReader, StreamReader, StreamWriter
from ingen_runtime.component.concurrency.waitables import trap_if
from ingen_runtime.component.types import FuncType, FutureType, StreamType, ValType
from ingen_runtime.errors import Trap, TrapKind

if TYPE_CHECKING:
    from ingen_runtime.component.concurrency.tasks import InstanceTasks

HOST = None
"""In the place of the other side's string encoding: the other side is the host."""


def values_plan(
    classes: ValueClasses,
    types: Sequence[ValType],
    encoding: StringEncoding,
    other: StringEncoding | None,
    max_flat: int,
    labels: Sequence[str] | None = None,
) -> ValuesPlan:
    """The plan for values that pass between a guest and another one of string encoding `other`, or `HOST`."""
    if labels is None:
        labels = [f"[{index}]" for index in range(len(types))]
    labelled = FuncType(tuple(zip(labels, types, strict=True)), None)
    key = ("values", *plan_key(labelled), encoding, other, max_flat)
    plan = classes.plans.get(key)
    if plan is None:
        plan = classes.plans[key] = ValuesPlan(
            types, encoding, classes, max_flat=max_flat, raw_from=other, name="an async call", paths=labels
        )
    assert isinstance(plan, ValuesPlan)
    return plan


class ErrorContext:
    """An error context: a message for people."""

    __slots__ = ("message",)

    def __init__(self, message: str) -> None:
        self.message = message


class InstanceAsyncValues:
    """Passes readable ends and error contexts into and out of a component instance's handle table."""

    def __init__(self, tasks: InstanceTasks) -> None:
        self._tasks = tasks
        self._state = tasks.state

    def lift_end(self, index: int, type_: StreamType | FutureType) -> Shared:
        """The middle of the stream or future whose readable end leaves the table."""
        kind, what = (SharedStream, "stream") if isinstance(type_, StreamType) else (SharedFuture, "future")
        end = readable_end(self._state.handles.get(index), kind, type_.element, index)
        trap_if(end.copying, TrapKind.OTHER, f"cannot lift {what} while it is being read")
        trap_if(
            not end.is_stream and end.state is CopyState.DONE,
            TrapKind.OTHER,
            "cannot lift future after it has been read",
        )
        trap_if(
            end.is_stream and end.state is CopyState.DONE,
            TrapKind.OTHER,
            "cannot lift stream after being notified that the writable end dropped",
        )
        trap_if(end.set is not None, TrapKind.OTHER, f"cannot lift {what} while it's in a waitable set")
        self._state.handles.remove(index)
        return end.shared

    def lower_end(self, shared: Shared, type_: StreamType | FutureType) -> int:
        """The index of a new readable end."""
        return self._state.handles.add(End(shared, type_.element, writes=False))

    def receive_end(
        self, index: int, type_: StreamType | FutureType
    ) -> StreamReader[Any] | FutureReader[Any]:
        """The same as `lift_end` for the host, which reads from what it gets."""
        reader = StreamReader if isinstance(type_, StreamType) else FutureReader
        return reader(self.lift_end(index, type_), type_.element, self._tasks)

    def give_end(self, value: object, type_: StreamType | FutureType) -> int:
        """The same as `lower_end` for what the host gives.

        Raises: HostValueError.
        """
        is_stream, element, tasks = isinstance(type_, StreamType), type_.element, self._tasks
        shared: Shared | None = None
        if isinstance(value, StreamReader if is_stream else FutureReader):
            shared = value.give(element, tasks)
        elif isinstance(value, StreamWriter) and is_stream:
            shared = value.begin(element, tasks)
        given = value if shared is not None else None
        if shared is None:
            shared = (FedStream if is_stream else FedFuture)(value, element, tasks)
        index = self.lower_end(shared, type_)
        self._state.lowered.append((index, given, _GIVEN))
        return index

    def lift_error_context(self, index: int) -> ErrorContext:
        """The error context at an index, which stays there."""
        found = self._state.handles.get(index)
        if not isinstance(found, ErrorContext):
            raise Trap(TrapKind.WRONG_HANDLE_TYPE, f"handle index {index} is no error context")
        return found

    def lower_error_context(self, value: Any) -> int:
        """The index of a new handle to an error context."""
        if not isinstance(value, ErrorContext):
            value = ErrorContext(str(value))
        return self._state.handles.add(value)


class _Given:
    """Takes back what a refused call would have moved."""

    def take_back(self, value: StreamReader[Any] | FutureReader[Any] | StreamWriter[Any]) -> None:
        value.take_back()


_GIVEN: Final = _Given()


def readable_end(found: object, kind: type[Shared], element: ValType | None, index: int) -> End:
    """The readable end that an element of a handle table is.

    Raises: Trap(WRONG_HANDLE_TYPE).
    """
    return checked_end(found, kind, element, index, writes=False)


def checked_end(found: object, kind: type[Shared], element: ValType | None, index: int, writes: bool) -> End:
    """The end of this kind and type that an element of a handle table is.

    Raises: Trap(WRONG_HANDLE_TYPE).
    """
    if not isinstance(found, End) or not isinstance(found.shared, kind) or found.writes is not writes:
        what = "stream" if kind is SharedStream else "future"
        side = "writable" if writes else "readable"
        raise Trap(TrapKind.WRONG_HANDLE_TYPE, f"handle index {index} is no {side} end of a {what}")
    if found.element != element:
        raise Trap(TrapKind.WRONG_HANDLE_TYPE, f"handle index {index} is an end of another type")
    return found
