"""The built-ins of streams and futures.

Source: CanonicalABI.md, "canon {stream,future}.new" and what follows.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import cached_property
from typing import TYPE_CHECKING

from ingen_runtime.component.concurrency.buffers import GuestBuffers
from ingen_runtime.component.concurrency.builtin_scope import BLOCKED, BuiltinScope
from ingen_runtime.component.concurrency.copies import (
    CopyResult,
    CopyState,
    End,
    Shared,
    SharedFuture,
    SharedStream,
)
from ingen_runtime.component.concurrency.scheduler import GuestThread
from ingen_runtime.component.concurrency.values import checked_end
from ingen_runtime.component.concurrency.waitables import Event, EventCode, trap_if
from ingen_runtime.core_types import CoreFuncType
from ingen_runtime.engine import CoreFunc
from ingen_runtime.errors import Trap, TrapKind

if TYPE_CHECKING:
    from ingen_runtime.component.items import CanonSide
    from ingen_runtime.component.plan import BuiltinStep


class CopyBuiltin:
    """A built-in of one stream or future type."""

    def __init__(self, scope: BuiltinScope, step: BuiltinStep, side: CanonSide) -> None:
        family, _, self._verb = step.builtin.name.partition(".")
        self._scope = scope
        self._step = step
        self._side = side
        self._element = step.element
        self._kind: type[Shared] = SharedStream if family == "stream" else SharedFuture
        self._is_stream = family == "stream"
        self._writes = self._verb.endswith(("write", "writable"))
        self._is_async = step.builtin.is_async or step.builtin.options.is_async

    def make(self, type_: CoreFuncType) -> CoreFunc:
        """The core function."""
        scope = self._scope
        match self._verb:
            case "new":
                return scope.plain(type_, self._new)
            case "read" | "write":
                return scope.may_wait(type_, self._copy)
            case "cancel-read" | "cancel-write":
                return scope.may_wait(type_, self._cancel)
            case "drop-readable" | "drop-writable":
                return scope.plain(type_, self._drop)
            case "forward":
                return scope.plain(type_, self._forward)
            case _:
                raise Trap(TrapKind.OTHER, f"the built-in {self._step.builtin.name} is not supported")

    def _new(self) -> int:
        handles, shared = self._scope.leave(), self._kind()
        readable = handles.add(End(shared, self._element, writes=False))
        writable = handles.add(End(shared, self._element, writes=True))
        return readable | writable << 32

    def _drop(self, index: int) -> None:
        handles = self._scope.leave()
        self._end(index, self._writes).drop()
        handles.remove(index)

    def _forward(self, readable: int, writable: int) -> None:
        handles = self._scope.leave()
        source, target = self._end(readable, False), self._end(writable, True)
        for end in (source, target):
            _check_idle(end)
            trap_if(
                end.set is not None, TrapKind.OTHER, "cannot forward while either end is in a waitable set"
            )
        handles.remove(readable)
        handles.remove(writable)
        source.shared.forward(target.shared)

    def _end(self, index: int, writes: bool) -> End:
        return checked_end(self._scope.state.handles.get(index), self._kind, self._element, index, writes)

    # Copies.

    @cached_property
    def _buffers(self) -> GuestBuffers:
        return GuestBuffers(self._element, self._side.endpoint(), self._side.encoding, self._scope.classes)

    @cached_property
    def _code(self) -> EventCode:
        if self._is_stream:
            return EventCode.STREAM_WRITE if self._writes else EventCode.STREAM_READ
        return EventCode.FUTURE_WRITE if self._writes else EventCode.FUTURE_READ

    def _copy(self, index: int, ptr: int, length: int = 1) -> int | Awaitable[int]:
        thread = self._scope.blocking_thread(not self._is_async)
        end = self._end(index, self._writes)
        _check_idle(end)
        trap_if(
            not self._is_async and end.set is not None,
            TrapKind.OTHER,
            "cannot use a waitable synchronously while it is in a waitable set",
        )
        buffer = self._buffers.buffer(ptr, length)

        def event(result: CopyResult, give_back: Callable[[], None] | None = None) -> Event:
            if give_back is not None:
                give_back()
            over = result is CopyResult.DROPPED or (not self._is_stream and result is CopyResult.COMPLETED)
            end.state = CopyState.DONE if over else CopyState.IDLE
            return (self._code, index, result | buffer.progress << 4 if self._is_stream else int(result))

        def on_copy(give_back: Callable[[], None]) -> None:
            end.pending = lambda: event(CopyResult.COMPLETED, give_back)

        def on_done(result: CopyResult) -> None:
            end.pending = lambda: event(result)

        end.shared.copy(end, self._scope.tasks, buffer, self._writes, on_copy, on_done)
        if end.has_event:
            return end.take_event()[2]
        if self._is_async:
            end.state = CopyState.ASYNC_COPYING
            return BLOCKED
        end.state = CopyState.SYNC_COPYING
        return _payload(thread, end)

    def _cancel(self, index: int) -> int | Awaitable[int]:
        thread = self._scope.blocking_thread(not self._is_async)
        end = self._end(index, self._writes)
        trap_if(
            end.state is not CopyState.ASYNC_COPYING,
            TrapKind.OTHER,
            "cannot cancel a copy where none is under way",
        )
        trap_if(
            not self._is_async and end.set is not None,
            TrapKind.OTHER,
            "cannot cancel a copy synchronously while its end is in a waitable set",
        )
        if end.shared.is_pending(end) or not end.has_event:
            # What was copied so far counts, but the copy as a whole did not complete.
            end.shared.cancel()
            if not end.has_event:
                end.state = CopyState.CANCELLING
                if self._is_async:
                    return BLOCKED
                end.waited_for = True
                return _payload(thread, end)
        return end.take_event()[2]


async def _payload(thread: GuestThread, end: End) -> int:
    """Wait for the event of an end; its payload."""
    await thread.wait_until(lambda: end.has_event)
    end.waited_for = False
    return end.take_event()[2]


def _check_idle(end: End) -> None:
    what = "stream" if end.is_stream else "future"
    trap_if(
        end.state is CopyState.DONE, TrapKind.OTHER, f"cannot use a {what} after its other end was dropped"
    )
    trap_if(end.copying, TrapKind.OTHER, f"cannot have concurrent operations active on a {what}")
