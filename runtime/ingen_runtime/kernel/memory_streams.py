"""Streams without a host's file behind them: nothing, bytes, a callback, a pipe inside the process."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from ingen_runtime.kernel.limits import KIB, MIB, Quota
from ingen_runtime.kernel.streams import (
    BytesLike,
    InputStream,
    OutputStream,
    StreamClosedError,
    WouldBlockError,
)
from ingen_runtime.readiness import ALWAYS, Signal


class BytesInput(InputStream):
    """Gives these bytes, then the end; the end at once where there are none."""

    def __init__(self, data: BytesLike = b"") -> None:
        self.readable = ALWAYS
        self._rest = memoryview(bytes(data))

    def read(self, limit: int) -> bytes:
        data = bytes(self._rest[:limit])
        self._rest = self._rest[len(data) :]
        return data

    def close(self) -> None:
        self._rest = memoryview(b"")


class NullOutput(OutputStream):
    """Takes everything and forgets it."""

    def __init__(self) -> None:
        self.writable = ALWAYS

    def write(self, data: BytesLike) -> int:
        return memoryview(data).nbytes

    def close(self) -> None:
        pass


class BufferOutput(OutputStream):
    """Keeps what is written, up to a limit; more fails with INSUFFICIENT_SPACE."""

    def __init__(self, limit: int | None = 16 * MIB) -> None:
        self.writable = ALWAYS
        self._room = Quota(limit)
        self._written = bytearray()

    def write(self, data: BytesLike) -> int:
        length = memoryview(data).nbytes
        self._room.check(length, "kept output")
        self._room.use(length)
        self._written += data
        return length

    @property
    def data(self) -> bytes:
        """All that was written."""
        return bytes(self._written)

    def close(self) -> None:
        pass


class CallbackOutput(OutputStream):
    """Hands what is written to a function, at once. What it raises stops the guest."""

    def __init__(self, callback: Callable[[bytes], object]) -> None:
        self.writable = ALWAYS
        self._callback = callback

    def write(self, data: BytesLike) -> int:
        copy = bytes(data)
        self._callback(copy)
        return len(copy)

    def close(self) -> None:
        pass


class Pipe:
    """A pipe inside the process: what is written to `writer` is read from `reader`.

    It holds up to `capacity` bytes; a writer has to wait while it is full. Once the writer is closed, the
    reader gets what is left and then the end; once the reader is closed, writing raises StreamClosedError.
    """

    def __init__(self, capacity: int = 64 * KIB) -> None:
        self.capacity = capacity
        self.chunks: deque[bytes] = deque()
        self.held = 0
        self.reader_closed = False
        self.writer_closed = False
        self.readable = Signal(lambda: bool(self.held) or self.writer_closed or self.reader_closed)
        self.writable = Signal(lambda: self.held < capacity or self.reader_closed or self.writer_closed)
        self.reader: InputStream = _PipeReader(self)
        self.writer: OutputStream = _PipeWriter(self)


class _PipeReader(InputStream):
    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe
        self.readable = pipe.readable

    def read(self, limit: int) -> bytes:
        pipe = self._pipe
        if pipe.reader_closed:
            raise StreamClosedError("the pipe is closed")
        if not pipe.chunks:
            if pipe.writer_closed:
                return b""
            raise WouldBlockError
        chunk = pipe.chunks.popleft()
        if len(chunk) > limit:
            pipe.chunks.appendleft(chunk[limit:])
            chunk = chunk[:limit]
        pipe.held -= len(chunk)
        pipe.writable.wake_all()
        return chunk

    def close(self) -> None:
        pipe = self._pipe
        pipe.reader_closed = True
        pipe.chunks.clear()
        pipe.held = 0
        pipe.writable.wake_all()
        pipe.readable.wake_all()


class _PipeWriter(OutputStream):
    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe
        self.writable = pipe.writable

    def write(self, data: BytesLike) -> int:
        pipe = self._pipe
        if pipe.writer_closed or pipe.reader_closed:
            raise StreamClosedError("the pipe is closed")
        room = pipe.capacity - pipe.held
        if not room:
            raise WouldBlockError
        chunk = bytes(memoryview(data).cast("B")[:room])
        if chunk:
            pipe.chunks.append(chunk)
            pipe.held += len(chunk)
            pipe.readable.wake_all()
        return len(chunk)

    def close(self) -> None:
        self._pipe.writer_closed = True
        self._pipe.readable.wake_all()
        self._pipe.writable.wake_all()


class GuestOutput(OutputStream):
    """Standard output or error of a guest: another stream, counted against a quota.

    `tail` is the end of what was written, at most `keep` bytes.
    """

    def __init__(self, stream: OutputStream, quota: Quota, keep: int = 0) -> None:
        self._stream = stream
        self._quota = quota
        self._keep = keep
        self._tail = bytearray()
        self.writable = stream.writable
        self.is_terminal = stream.is_terminal

    def write(self, data: BytesLike) -> int:
        if self._quota.left is not None:
            data = memoryview(data).cast("B")
            self._quota.check(min(len(data), 1), "output")
            data = data[: self._quota.left]
        count = self._stream.write(data)
        self._quota.use(count)
        if self._keep:
            self._tail += memoryview(data).cast("B")[:count][-self._keep :]
            del self._tail[: -self._keep]
        return count

    @property
    def tail(self) -> bytes:
        """What was last written."""
        return bytes(self._tail)

    def close(self) -> None:
        self._stream.close()
