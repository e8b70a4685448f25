"""Streams and futures that the host writes to: what it gave for them is asked when a guest reads."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final

from ingen_runtime.component.concurrency.buffers import Buffer, HostSource, as_sequence
from ingen_runtime.component.concurrency.copies import (
    CopyResult,
    OnCopy,
    OnDone,
    SharedFuture,
    SharedStream,
)
from ingen_runtime.component.concurrency.host_work import HostWork
from ingen_runtime.component.types import PrimitiveType, ValType
from ingen_runtime.errors import HostValueError, Trap, TrapKind
from ingen_runtime.waiting import is_awaitable

if TYPE_CHECKING:
    import asyncio

    from ingen_runtime.component.concurrency.tasks import InstanceTasks

_END: Final = object()


def result_of(future: asyncio.Future[Any]) -> Any:
    """The result of something that the host has given.

    Raises: what it raised, and Trap where it was cancelled.
    """
    if future.cancelled():
        raise Trap(TrapKind.OTHER, "what the host gave for a stream or future was cancelled")
    return future.result()


def ignore_done(result: CopyResult) -> None:
    """What to do at the end of a copy that nobody waits for."""


def give_back_when_empty(source: HostSource) -> OnCopy:
    """What to do with a part of a copy: the source stays until all of it was read."""

    def on_copy(give_back: Callable[[], None]) -> None:
        if not source.remaining:
            give_back()

    return on_copy


class FedStream(SharedStream):
    """A stream that the host writes values of an iterable to.

    A buffer or sequence is written as a whole; an iterator gives one element at a time, for u8 a buffer of
    them. It is only asked when a guest of `instance`, or whoever has the readable end then, wants more.
    """

    def __init__(self, values: object, element: ValType | None, instance: InstanceTasks) -> None:
        super().__init__()
        self._element = element
        self._instance = instance
        self._rest: HostSource | None = None
        self._work: HostWork | None = None
        self._asked = False
        self._source: Iterator[Any] | AsyncIterator[Any]
        self._whole = as_sequence(values)
        if self._whole:
            self._source = iter([values])
        elif isinstance(values, AsyncIterable):
            self._source = aiter(values)
        elif isinstance(values, Iterable) and not isinstance(values, str):
            self._source = iter(values)
        else:
            expected = "an iterable or an async iterable of values, a sequence or a buffer"
            raise HostValueError("stream", expected, f"{type(values).__name__} {values!r:.60}")

    def copy(
        self,
        end: object,
        instance: object,
        buffer: Buffer,
        writes: bool,
        on_copy: OnCopy,
        on_done: OnDone,
    ) -> None:
        super().copy(end, instance, buffer, writes, on_copy, on_done)
        if not writes and self.is_waiting(end) and self._work is None:
            self._feed()

    def _feed(self) -> None:
        if self._rest is not None:
            self._give(self._rest)
            return
        self._asked = True
        if isinstance(self._source, AsyncIterator):
            self._work = HostWork(
                self._instance, anext(self._source, _END), "a stream of the host", self._fed
            )
            return
        for item in self._source:
            source = self._elements(item)
            if source.remaining:
                self._give(source)
                return
        self.drop()

    def _fed(self, future: asyncio.Future[Any]) -> None:
        self._work = None
        if self.dropped:
            self._close()
            if not future.cancelled():
                future.result()
            return
        item = result_of(future)
        if item is _END:
            self.drop()
            return
        source = self._elements(item)
        if source.remaining:
            self._give(source)
        elif self.is_waiting_for(self):
            self._feed()

    def _elements(self, item: Any) -> HostSource:
        if self._whole:
            return HostSource(self._element, item)
        if self._element is not PrimitiveType.U8:
            return HostSource(self._element, [item])
        if not isinstance(item, bytes | bytearray | memoryview):
            raise HostValueError("stream", "buffers of bytes", f"{type(item).__name__} {item!r:.60}")
        return HostSource(self._element, item)

    def _give(self, source: HostSource) -> None:
        self._rest = None
        if self.is_waiting_for(self):
            super().copy(self, self, source, True, give_back_when_empty(source), ignore_done)
        if source.remaining and not self.is_waiting(self):
            self._rest = source

    def drop(self) -> None:
        first = not self.dropped
        super().drop()
        if first and self._work is not None:
            self._work.cancel()
        elif first:
            self._close()

    def _close(self) -> None:
        """End a generator that was begun, so that its `finally` runs now."""
        source, self._source = self._source, iter(())
        close = getattr(source, "aclose" if isinstance(source, AsyncIterator) else "close", None)
        if close is None or not self._asked:
            return
        if not isinstance(source, AsyncIterator):
            close()
        elif self._instance.scheduler.on_asyncio:
            HostWork(self._instance, close(), "a stream of the host", result_of)


class FedFuture(SharedFuture):
    """A future whose value the host awaits when a guest reads it."""

    def __init__(self, value: object, element: ValType | None, instance: InstanceTasks) -> None:
        super().__init__()
        if not is_awaitable(value):
            raise HostValueError("future", "an awaitable", f"{type(value).__name__} {value!r:.60}")
        self._awaitable: Any = value
        self._element = element
        self._instance = instance
        self._work: HostWork | None = None
        self._value: HostSource | None = None

    def copy(
        self,
        end: object,
        instance: object,
        buffer: Buffer,
        writes: bool,
        on_copy: OnCopy,
        on_done: OnDone,
    ) -> None:
        super().copy(end, instance, buffer, writes, on_copy, on_done)
        if writes or not self.is_waiting(end):
            return
        if self._value is not None:
            self._give(self._value)
        elif self._work is None:
            awaitable: Awaitable[Any] = self._awaitable
            self._awaitable = None
            self._work = HostWork(self._instance, awaitable, "a future of the host", self._fed)

    def _fed(self, future: asyncio.Future[Any]) -> None:
        if self.dropped:
            if not future.cancelled():
                future.result()
            return
        value = result_of(future)
        try:
            self._value = HostSource(self._element, [value])
        except HostValueError as error:
            raise HostValueError("future", error.expected, error.got) from None
        if self.is_waiting_for(self):
            self._give(self._value)

    def _give(self, value: HostSource) -> None:
        super().copy(self, self, value, True, give_back_when_empty(value), ignore_done)

    def drop(self) -> None:
        super().drop()
        if self._work is not None:
            self._work.cancel()
        elif isinstance(self._awaitable, Coroutine):
            self._awaitable.close()
