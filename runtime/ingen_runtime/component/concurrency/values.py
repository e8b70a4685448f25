"""How values of async calls and of streams pass between two sides: raw between guests, Python values with
the host.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ingen_runtime.canonical import StringEncoding, ValueClasses, ValuesPlan
from ingen_runtime.canonical.plan import plan_key
from ingen_runtime.component.concurrency.copies import End, Shared, SharedFuture, SharedStream
from ingen_runtime.component.concurrency.waitables import trap_if
from ingen_runtime.component.types import FuncType, FutureType, StreamType, ValType
from ingen_runtime.errors import HostValueError, Trap, TrapKind

if TYPE_CHECKING:
    from ingen_runtime.canonical import InstanceState

HOST = None
"""In the place of the other side's string encoding: the other side is the host."""


def values_plan(
    classes: ValueClasses,
    types: Sequence[ValType],
    encoding: StringEncoding,
    other: StringEncoding | None,
    max_flat: int,
) -> ValuesPlan:
    """The plan for values that pass between a guest and another one of string encoding `other`, or `HOST`."""
    labelled = FuncType(tuple((str(index), type_) for index, type_ in enumerate(types)), None)
    key = ("values", *plan_key(labelled), encoding, other, max_flat)
    plan = classes.plans.get(key)
    if plan is None:
        plan = classes.plans[key] = ValuesPlan(
            types, encoding, classes, max_flat=max_flat, raw_from=other, name="an async call"
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

    def __init__(self, state: InstanceState) -> None:
        self._state = state

    def lift_stream(self, index: int, type_: StreamType) -> Shared:
        """The stream whose readable end leaves the table."""
        return self._lift(index, type_.element, SharedStream)

    def lift_future(self, index: int, type_: FutureType) -> Shared:
        """The future whose readable end leaves the table."""
        return self._lift(index, type_.element, SharedFuture)

    def _lift(self, index: int, element: ValType | None, kind: type[Shared]) -> Shared:
        what = "stream" if kind is SharedStream else "future"
        end = readable_end(self._state.handles.get(index), kind, element, index)
        trap_if(end.copying, TrapKind.OTHER, f"cannot lift {what} while it is being read")
        trap_if(
            not end.is_stream and end.state.name == "DONE",
            TrapKind.OTHER,
            "cannot lift future after it has been read",
        )
        trap_if(
            end.is_stream and end.state.name == "DONE",
            TrapKind.OTHER,
            "cannot lift stream after being notified that the writable end dropped",
        )
        trap_if(end.set is not None, TrapKind.OTHER, f"cannot lift {what} while it's in a waitable set")
        self._state.handles.remove(index)
        return end.shared

    def lower_stream(self, value: Any, type_: StreamType) -> int:
        """The index of the new readable end of a stream."""
        return self._lower(value, type_.element, SharedStream)

    def lower_future(self, value: Any, type_: FutureType) -> int:
        """The index of the new readable end of a future."""
        return self._lower(value, type_.element, SharedFuture)

    def _lower(self, value: Any, element: ValType | None, kind: type[Shared]) -> int:
        if not isinstance(value, kind):
            raise HostValueError("value", f"a {kind.__name__}", repr(value)[:60])
        return self._state.handles.add(End(value, element, writes=False))

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
