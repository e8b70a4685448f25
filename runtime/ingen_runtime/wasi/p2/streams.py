"""`wasi:io/error` and `wasi:io/streams`, on the streams of the kernel."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, cast, final

from ingen_runtime.errors import IngenError, Trap, TrapKind
from ingen_runtime.kernel import streams as kernel
from ingen_runtime.kernel.errors import FileError
from ingen_runtime.kernel.limits import KIB, MIB
from ingen_runtime.kernel.streams import StreamClosedError, WouldBlockError
from ingen_runtime.network.errors import NetworkError
from ingen_runtime.readiness import Readiness, Wake, wait
from ingen_runtime.waiting import may_wait
from ingen_runtime.wasi.p2.bindings import streams as bindings
from ingen_runtime.wasi.p2.bindings.error import AsyncErrorImports
from ingen_runtime.wasi.p2.bindings.streams import (
    AsyncStreamsImports,
    StreamErrorClosed,
    StreamErrorException,
    StreamErrorLastOperationFailed,
)
from ingen_runtime.wasi.p2.poll import Pollable
from ingen_runtime.wasi.p2.resources import Resource

READ_LIMIT: Final = MIB
"""What one read gives at most."""
BLOCKING_WRITE_LIMIT: Final = 4096
"""What the functions that write and wait take at most; more traps."""

_FAILURES: Final = (FileError, NetworkError)


@final
class Error(Resource):
    """What went wrong with a stream."""

    __slots__ = ("cause",)

    def __init__(self, cause: IngenError) -> None:
        super().__init__()
        self.cause = cause

    def to_debug_string(self) -> str:
        return str(self.cause)


def closed() -> StreamErrorException:
    """The stream has ended."""
    return StreamErrorException(StreamErrorClosed())


def failed(cause: IngenError) -> StreamErrorException:
    """The stream broke."""
    return StreamErrorException(StreamErrorLastOperationFailed(Error(cause)))


@final
class InputStream(Resource):
    """Reads a stream of the kernel; `release` is called when the guest drops it."""

    __slots__ = ("_closed", "_on_release", "_source")

    def __init__(
        self,
        source: kernel.InputStream,
        parent: Resource | None = None,
        release: Callable[[], object] | None = None,
    ) -> None:
        super().__init__(parent)
        self._source = source
        self._closed = False
        self._on_release = release

    @property
    def readable(self) -> Readiness:
        """Bytes, the end or an error."""
        return self._source.readable

    def read(self, length: int) -> bytes:
        if self._closed:
            raise closed()
        if not length:
            return b""
        try:
            data = self._source.read(length if length < READ_LIMIT else READ_LIMIT)
        except WouldBlockError:
            return b""
        except StreamClosedError:
            data = b""
        except _FAILURES as error:
            self._closed = True
            raise failed(error) from None
        if not data:
            self._closed = True
            raise closed()
        return data

    @may_wait
    def blocking_read(self, length: int) -> bytes | Awaitable[bytes]:
        data = self.read(length)
        return data if data or not length else self._read_later(length)

    async def _read_later(self, length: int) -> bytes:
        while True:
            await wait(self._source.readable)
            data = self.read(length)
            if data:
                return data

    def skip(self, length: int) -> int:
        return len(self.read(length))

    @may_wait
    def blocking_skip(self, length: int) -> int | Awaitable[int]:
        data = self.read(length)
        return len(data) if data or not length else self._skip_later(length)

    async def _skip_later(self, length: int) -> int:
        return len(await self._read_later(length))

    def subscribe(self) -> Pollable:
        return Pollable(self._source.readable, self)

    def _release(self) -> None:
        if self._on_release is not None:
            self._on_release()


class Sink:
    """Takes what is written at once, and hands it on as fast as a stream of the kernel takes it.

    It takes up to `capacity` bytes, and nothing more until all of them are gone.
    """

    __slots__ = ("_error", "_loop", "_on_empty", "_pending", "_stream", "capacity")

    def __init__(self, stream: kernel.OutputStream, capacity: int = 64 * KIB) -> None:
        self._stream = stream
        self.capacity = capacity
        self._pending = memoryview(b"")
        self._error: IngenError | None = None
        self._loop: asyncio.AbstractEventLoop | None = None  # on which it goes on by itself
        self._on_empty: list[Callable[[], object]] = []

    @property
    def writable(self) -> Readiness:
        """Room in the stream behind."""
        return self._stream.writable

    def room(self) -> int:
        """How many bytes it takes now. Raises: StreamErrorException"""
        if self._pending:
            self.hand_on()
        if self._error is not None:
            raise self._failure()
        return 0 if self._pending else self.capacity

    def is_ready(self) -> bool:
        """Whether there is room, or an error that `room` raises."""
        if self._pending:
            self.hand_on()
        return not self._pending

    def write(self, data: bytes) -> None:
        """Take bytes, no more than there is room for. Raises: StreamErrorException"""
        if self._error is not None:
            raise self._failure()
        if self._pending:  # by another handle
            self._pending = memoryview(bytes(self._pending) + data)
            return
        length = len(data)
        done = 0
        try:
            done = self._stream.write(data)
            while done < length:
                done += self._stream.write(memoryview(data)[done:])
        except WouldBlockError:
            self._pending = memoryview(data)[done:]
            self._watch()
        except (StreamClosedError, *_FAILURES) as error:
            self._error = error
            raise self._failure() from None

    def hand_on(self) -> None:
        """Hand on what is left, as much as goes."""
        try:
            while self._pending:
                self._pending = self._pending[self._stream.write(self._pending) :]
        except WouldBlockError:
            self._watch()
            return
        except (StreamClosedError, *_FAILURES) as error:
            self._error = error
            self._pending = memoryview(b"")
        if self._loop is not None:
            self._loop = None
            self._stream.writable.unwatch(self._wake)
        while self._on_empty:
            self._on_empty.pop()()

    def when_empty(self, then: Callable[[], object]) -> None:
        """Call `then` as soon as everything was handed on, or could not be."""
        if self._pending:
            self._on_empty.append(then)
        else:
            then()

    def end(self) -> None:
        """Take nothing more."""
        self._error = _CLOSED

    async def emptied(self) -> None:
        """Return as soon as everything was handed on. Raises: StreamErrorException"""
        while not self.room():
            await wait(_Room(self))

    async def settled(self) -> None:
        """Return as soon as everything was handed on, or could not be."""
        while not self.is_ready():
            await wait(_Room(self))

    def _failure(self) -> StreamErrorException:
        """The error that made it stop; from then on it is closed."""
        error = self._error
        self._error = _CLOSED
        return failed(error) if isinstance(error, _FAILURES) else closed()

    # Goes on by itself, so that nothing waits for a guest that has written and does something else.

    def _watch(self) -> None:
        if self._loop is None:
            try:
                self._loop = asyncio.get_running_loop()
            except RuntimeError:
                return  # the guest was called without `async`: it goes on with the guest's next call
            self._stream.writable.watch(self._wake)

    def _wake(self) -> None:
        # Not at once: the stream may be in the middle of something.
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon(self.hand_on)


_CLOSED: Final = StreamClosedError("the stream is closed")


class _Room(Readiness):
    """Whether a sink has room, or an error."""

    __slots__ = ("_sink",)

    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    def ready(self) -> bool:
        return self._sink.is_ready()

    def watch(self, wake: Wake) -> None:
        self._sink.writable.watch(wake)

    def unwatch(self, wake: Wake) -> None:
        self._sink.writable.unwatch(wake)


@final
class OutputStream(Resource):
    """Writes to a sink; `release` is called when the guest drops it."""

    __slots__ = ("_on_release", "_permit", "_sink")

    def __init__(
        self, sink: Sink, parent: Resource | None = None, release: Callable[[], object] | None = None
    ) -> None:
        super().__init__(parent)
        self._sink = sink
        self._permit = 0
        self._on_release = release

    def check_write(self) -> int:
        self._permit = self._sink.room()
        return self._permit

    def write(self, contents: bytes) -> None:
        if len(contents) > self._permit:
            raise Trap(
                TrapKind.OTHER, f"{len(contents)} bytes written, where check-write allowed {self._permit}"
            )
        self._permit = 0
        self._sink.write(contents)

    @may_wait
    def blocking_write_and_flush(self, contents: bytes) -> Awaitable[None] | None:
        if len(contents) > BLOCKING_WRITE_LIMIT:
            raise Trap(
                TrapKind.OTHER, f"{len(contents)} bytes written at once: more than {BLOCKING_WRITE_LIMIT}"
            )
        if not self._sink.room():
            return self._write_later(contents)
        self._sink.write(contents)
        return self.blocking_flush()

    async def _write_later(self, contents: bytes) -> None:
        await self._sink.emptied()
        self._sink.write(contents)
        await self._sink.emptied()

    def flush(self) -> None:
        self._sink.room()

    @may_wait
    def blocking_flush(self) -> Awaitable[None] | None:
        return None if self._sink.room() else self._sink.emptied()

    def subscribe(self) -> Pollable:
        return Pollable(_Room(self._sink), self)

    def write_zeroes(self, length: int) -> None:
        self.write(bytes(length) if length <= self._permit else b"\0" * (self._permit + 1))

    @may_wait
    def blocking_write_zeroes_and_flush(self, length: int) -> Awaitable[None] | None:
        zeros = bytes(min(length, BLOCKING_WRITE_LIMIT + 1))
        return self.blocking_write_and_flush(zeros)

    def splice(self, src: bindings.AsyncInputStream, length: int) -> int:
        room = self._sink.room()
        if not room:
            return 0
        data = cast(InputStream, src).read(min(length, room))
        if data:
            self._sink.write(data)
        return len(data)

    @may_wait
    def blocking_splice(self, src: bindings.AsyncInputStream, length: int) -> int | Awaitable[int]:
        moved = self.splice(src, length)
        return moved if moved or not length else self._splice_later(cast(InputStream, src), length)

    async def _splice_later(self, source: InputStream, length: int) -> int:
        while True:
            await self._sink.emptied()
            await wait(source.readable)
            moved = self.splice(source, length)
            if moved:
                return moved

    def _release(self) -> None:
        if self._on_release is not None:
            self._on_release()


class Errors(AsyncErrorImports):
    """Implements `wasi:io/error`."""

    error = Error


class Streams(AsyncStreamsImports):
    """Implements `wasi:io/streams`."""

    input_stream = InputStream
    output_stream = OutputStream
