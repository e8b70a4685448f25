"""Streams and futures: the shared middle, and the two ends in handle tables.

Source: CanonicalABI.md, "Stream State", "Future State".
"""

from __future__ import annotations

import enum
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Protocol
from weakref import ref

from ingen_runtime.component.concurrency.buffers import Buffer, is_number
from ingen_runtime.component.concurrency.waitables import Waitable, trap_if
from ingen_runtime.component.types import ValType
from ingen_runtime.errors import TrapKind


def is_number_or_nothing(element: ValType | None) -> bool:
    """Whether a stream of these may have both ends in one instance."""
    return element is None or is_number(element)


class CopyResult(enum.IntEnum):
    """How a copy ended."""

    COMPLETED = 0
    DROPPED = 1
    CANCELLED = 2


OnCopy = Callable[[Callable[[], None]], None]
"""Some elements were copied; the argument gives the buffer back."""

OnDone = Callable[[CopyResult], None]
"""The copy is over."""


class _Pending:
    """A copy that waits for its other side; `in_part` says that `on_copy` was called."""

    def __init__(
        self, end: object, instance: object, buffer: Buffer, on_copy: OnCopy, on_done: OnDone
    ) -> None:
        self.end = end
        self.instance = instance
        self.buffer = buffer
        self.on_copy = on_copy
        self.on_done = on_done
        self.in_part = False


class Reader(Protocol):
    """Who has a readable end."""

    shared: Shared


class Shared(ABC):
    """The middle of a stream or future: what one side has begun and the other one has not met yet."""

    def __init__(self) -> None:
        self.dropped = False
        self._pending: _Pending | None = None
        self._reader: ref[Reader] | None = None

    def read_by(self, reader: Reader) -> None:
        """The readable end goes to `reader`. It is not kept alive from here: forgetting it may close it."""
        self._reader = ref(reader)

    def forward(self, destination: Shared) -> None:
        """Join what is written here with whoever reads from `destination`; the two ends between are gone."""
        if destination is self:
            return
        if self.dropped or destination.dropped:
            self.drop()
            destination.drop()
            return
        written, wanted = self._pending, destination._pending
        if written is not None and written.in_part and isinstance(written.end, End):
            self._pending = None  # the guest has been told of the part, and writes the rest again
        reader = None if destination._reader is None else destination._reader()
        if reader is not None:
            reader.shared = self
            self.read_by(reader)
        if wanted is not None and not wanted.in_part:
            destination._pending = None
            self.copy(wanted.end, wanted.instance, wanted.buffer, False, wanted.on_copy, wanted.on_done)

    def _told_of_part(self, pending: _Pending) -> None:
        def give_back() -> None:
            if self._pending is pending:
                self._pending = None

        pending.in_part = True
        pending.on_copy(give_back)

    def _notify(self, result: CopyResult) -> None:
        pending, self._pending = self._pending, None
        assert pending is not None
        pending.on_done(result)

    def is_pending(self, end: object) -> bool:
        """Whether a copy of `end` waits, with room left in its buffer."""
        pending = self._pending
        return pending is not None and pending.end is end and pending.buffer.remaining > 0

    def is_waiting(self, end: object) -> bool:
        """Whether a copy of `end` has not met the other side yet."""
        return self._pending is not None and self._pending.end is end

    def is_waiting_for(self, end: object) -> bool:
        """Whether a copy of the other side waits for one of `end`."""
        return self._pending is not None and self._pending.end is not end

    def cancel(self) -> None:
        """End the copy that waits."""
        self._notify(CopyResult.CANCELLED)

    def drop(self) -> None:
        """One end goes."""
        if not self.dropped:
            self.dropped = True
            if self._pending is not None:
                self._notify(CopyResult.DROPPED)

    @abstractmethod
    def copy(
        self,
        end: object,
        instance: object,
        buffer: Buffer,
        writes: bool,
        on_copy: OnCopy,
        on_done: OnDone,
    ) -> None:
        """Begin a copy from (`writes`) or to a buffer of `instance`; `end` is whose copy it is."""

    def _move(self, instance: object, buffer: Buffer, writes: bool, count: int) -> None:
        assert self._pending is not None
        trap_if(
            instance is self._pending.instance and not is_number_or_nothing(buffer.element),
            TrapKind.OTHER,
            "cannot read from and write to intra-component stream or future of values that are no numbers",
        )
        source, target = (buffer, self._pending.buffer) if writes else (self._pending.buffer, buffer)
        target.write(source.read(count), count)


class SharedStream(Shared):
    """The middle of a stream."""

    def copy(
        self,
        end: object,
        instance: object,
        buffer: Buffer,
        writes: bool,
        on_copy: OnCopy,
        on_done: OnDone,
    ) -> None:
        if self.dropped:
            on_done(CopyResult.DROPPED)
            return
        pending = self._pending
        if pending is None:
            self._pending = _Pending(end, instance, buffer, on_copy, on_done)
            return
        if pending.buffer.remaining > 0:
            count = min(buffer.remaining, pending.buffer.remaining)
            if count > 0:
                self._move(instance, buffer, writes, count)
                self._told_of_part(pending)
            else:
                self._check(instance, pending, buffer)
            on_done(CopyResult.COMPLETED)
        elif writes and buffer.length == 0 and pending.buffer.length == 0:
            on_done(CopyResult.COMPLETED)
        else:
            self._check(instance, pending, buffer)
            self._notify(CopyResult.COMPLETED)
            self._pending = _Pending(end, instance, buffer, on_copy, on_done)

    def _check(self, instance: object, pending: _Pending, buffer: Buffer) -> None:
        trap_if(
            instance is pending.instance and not is_number_or_nothing(buffer.element),
            TrapKind.OTHER,
            "cannot read from and write to intra-component stream of values that are no numbers",
        )


class SharedFuture(Shared):
    """The middle of a future."""

    def copy(
        self,
        end: object,
        instance: object,
        buffer: Buffer,
        writes: bool,
        on_copy: OnCopy,
        on_done: OnDone,
    ) -> None:
        if self.dropped and writes:
            on_done(CopyResult.DROPPED)
        elif self._pending is None:
            self._pending = _Pending(end, instance, buffer, on_copy, on_done)
        else:
            self._move(instance, buffer, writes, 1)
            self._notify(CopyResult.COMPLETED)
            on_done(CopyResult.COMPLETED)


class CopyState(enum.Enum):
    """What an end is doing."""

    IDLE = enum.auto()
    SYNC_COPYING = enum.auto()
    ASYNC_COPYING = enum.auto()
    CANCELLING = enum.auto()
    DONE = enum.auto()


class End(Waitable):
    """An end of a stream or future in a handle table; `element` is its type as the instance knows it."""

    def __init__(self, shared: Shared, element: ValType | None, writes: bool) -> None:
        super().__init__()
        self.shared = shared
        self.element = element
        self.writes = writes
        if not writes:
            shared.read_by(self)
        self.state = CopyState.IDLE

    @property
    def is_stream(self) -> bool:
        """Whether it is a stream's."""
        return isinstance(self.shared, SharedStream)

    @property
    def copying(self) -> bool:
        """Whether a copy is under way."""
        return self.state not in (CopyState.IDLE, CopyState.DONE)

    def drop(self) -> None:
        """Let go of the end.

        Raises: Trap while it copies, and for a future's writable end that was not written.
        """
        what = "stream" if self.is_stream else "future"
        trap_if(self.copying, TrapKind.OTHER, f"cannot drop busy {what}")
        trap_if(
            not self.is_stream and self.writes and self.state is not CopyState.DONE,
            TrapKind.OTHER,
            "cannot drop future write end without first writing a value",
        )
        self.shared.drop()
        self.leave()
