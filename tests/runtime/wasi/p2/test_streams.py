"""`wasi:io` without a guest: what reads, writes and polls do."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from ingen_runtime.canonical import ResultError
from ingen_runtime.errors import Trap
from ingen_runtime.kernel.clock import ManualClock
from ingen_runtime.kernel.errors import FileError, FileErrorKind
from ingen_runtime.kernel.memory_streams import BytesInput, Pipe
from ingen_runtime.kernel.streams import BytesLike, WouldBlockError
from ingen_runtime.kernel.streams import InputStream as KernelInput
from ingen_runtime.kernel.streams import OutputStream as KernelOutput
from ingen_runtime.readiness import ALWAYS, Signal
from ingen_runtime.wasi.p2.bindings.poll import AsyncPollable
from ingen_runtime.wasi.p2.bindings.streams import StreamErrorClosed, StreamErrorLastOperationFailed
from ingen_runtime.wasi.p2.clocks import MonotonicClock
from ingen_runtime.wasi.p2.poll import Poll, Pollable
from ingen_runtime.wasi.p2.streams import Error, InputStream, OutputStream, Sink
from tests.runtime.wasi.p2.asynchronous import running, settle, value_of

POLL = Poll()


def all_of(reader: KernelInput) -> bytes:
    """What can be read now."""
    data = b""
    try:
        while True:
            data += reader.read(100)
    except WouldBlockError:
        return data


def is_closed(call: Callable[[], object]) -> bool:
    with pytest.raises(ResultError) as caught:
        call()
    return isinstance(caught.value.value, StreamErrorClosed)


class Failing(KernelOutput):
    """Takes a few bytes, and fails then."""

    def __init__(self) -> None:
        self.writable = ALWAYS
        self.taken = b""

    def write(self, data: BytesLike) -> int:
        if self.taken:
            raise FileError(FileErrorKind.INSUFFICIENT_SPACE, "full")
        self.taken = bytes(data[:2])
        return 2

    def close(self) -> None:
        pass


# Reading.


def test_reading_gives_what_is_there_and_then_the_end() -> None:
    stream = InputStream(BytesInput(b"abcdef"))
    assert stream.read(0) == b""
    assert stream.read(4) == b"abcd"
    assert stream.read(1 << 63) == b"ef"
    assert is_closed(lambda: stream.read(1))
    assert is_closed(lambda: stream.read(0))
    assert is_closed(lambda: stream.skip(1))


def test_nothing_yet_is_no_end() -> None:
    pipe = Pipe()
    stream = InputStream(pipe.reader)
    assert stream.read(5) == b""
    pipe.writer.write(b"later")
    assert stream.skip(2) == 2
    assert stream.read(5) == b"ter"
    pipe.writer.close()
    assert is_closed(lambda: stream.read(5))


@running
async def test_a_blocking_read_waits_for_the_first_byte() -> None:
    pipe = Pipe()
    stream = InputStream(pipe.reader)
    assert stream.blocking_read(0) == b""
    reading = asyncio.ensure_future(value_of(stream.blocking_read(3)))
    await settle()
    assert not reading.done()
    pipe.writer.write(b"abcdef")
    assert await reading == b"abc"
    assert stream.blocking_read(2) == b"de"
    assert stream.blocking_skip(5) == 1
    skipping = asyncio.ensure_future(value_of(stream.blocking_skip(5)))
    await settle()
    pipe.writer.close()
    with pytest.raises(ResultError) as caught:
        await skipping
    assert isinstance(caught.value.value, StreamErrorClosed)


# Writing.


def test_writing_more_than_was_allowed_traps() -> None:
    stream = OutputStream(Sink(Pipe().writer, 4))
    with pytest.raises(Trap, match="1 bytes written, where check-write allowed 0"):
        stream.write(b"x")
    assert stream.check_write() == 4
    stream.write(b"xxx")
    with pytest.raises(Trap):
        stream.write(b"x")  # it was not asked again
    stream.check_write()
    with pytest.raises(Trap):
        stream.write_zeroes(5)
    with pytest.raises(Trap, match="4097 bytes written at once"):
        stream.blocking_write_and_flush(bytes(4097))
    with pytest.raises(Trap, match="bytes written at once"):
        stream.blocking_write_zeroes_and_flush(1 << 60)


@running
async def test_back_pressure() -> None:
    pipe = Pipe(capacity=3)
    stream = OutputStream(Sink(pipe.writer, 8))
    ready = stream.subscribe()
    assert ready.ready()
    assert stream.check_write() == 8
    stream.write(b"abcdefgh")
    assert stream.check_write() == 0
    assert not ready.ready()
    polling = asyncio.ensure_future(value_of(POLL.poll([ready])))
    seen = b""
    while not polling.done():
        await settle()
        seen += all_of(pipe.reader)
    assert await polling == [0]
    assert stream.check_write() == 8
    assert seen + all_of(pipe.reader) == b"abcdefgh"


@running
async def test_what_was_written_goes_on_by_itself() -> None:
    pipe = Pipe(capacity=3)
    stream = OutputStream(Sink(pipe.writer, 8))
    stream.check_write()
    stream.write(b"abcdefgh")
    stream.drop()
    seen = b""
    while len(seen) < 8:
        await settle()
        seen += pipe.reader.read(3)
    assert seen == b"abcdefgh"
    assert not isinstance(pipe.writable, Signal) or not pipe.writable.watched


def test_without_an_event_loop_the_next_call_goes_on() -> None:
    pipe = Pipe(capacity=3)
    stream = OutputStream(Sink(pipe.writer, 8))
    stream.check_write()
    stream.write(b"abcdef")
    assert stream.check_write() == 0
    assert all_of(pipe.reader) == b"abc"
    assert stream.check_write() == 8
    assert all_of(pipe.reader) == b"def"


def test_closing_what_is_written_to_after_the_event_loop_has_ended() -> None:
    pipe = Pipe(capacity=3)

    async def write() -> None:
        stream = OutputStream(Sink(pipe.writer, 8))
        stream.check_write()
        stream.write(b"abcdef")

    asyncio.run(write())
    pipe.reader.close()


@running
async def test_functions_that_write_and_wait() -> None:
    pipe = Pipe(capacity=4)
    stream = OutputStream(Sink(pipe.writer, 8))
    assert stream.blocking_write_and_flush(b"ab") is None
    assert stream.blocking_flush() is None
    writing = asyncio.ensure_future(value_of(stream.blocking_write_and_flush(b"cdef")))
    await settle()
    assert not writing.done()
    other = asyncio.ensure_future(value_of(stream.blocking_write_zeroes_and_flush(2)))
    assert all_of(pipe.reader) == b"abcd"
    await writing
    await other
    stream.flush()
    assert all_of(pipe.reader) == b"ef\0\0"


@running
async def test_two_handles_keep_the_order() -> None:
    pipe = Pipe(capacity=2)
    sink = Sink(pipe.writer, 8)
    first, second = OutputStream(sink), OutputStream(sink)
    first.check_write(), second.check_write()
    first.write(b"abcd")
    second.write(b"ef")
    seen = b""
    while len(seen) < 6:
        await settle()
        seen += pipe.reader.read(2)
    assert seen == b"abcdef"


def test_errors_are_told_once_and_close_the_stream() -> None:
    stream = OutputStream(Sink(Failing()))
    stream.check_write()
    with pytest.raises(ResultError) as caught:
        stream.write(b"abcd")
    match caught.value.value:
        case StreamErrorLastOperationFailed(Error() as error):
            assert error.to_debug_string() == "insufficient-space: full"
        case other:
            pytest.fail(f"another error: {other}")
    assert is_closed(stream.check_write)
    assert is_closed(lambda: stream.blocking_write_and_flush(b"x"))
    assert stream.subscribe().ready()


def test_a_reader_that_went_closes_the_writer() -> None:
    pipe = Pipe()
    stream = OutputStream(Sink(pipe.writer))
    pipe.reader.close()
    stream.check_write()
    assert is_closed(lambda: stream.write(b"x"))
    assert is_closed(stream.check_write)


@running
async def test_splicing() -> None:
    source, target = Pipe(), Pipe(capacity=4)
    reader, writer = InputStream(source.reader), OutputStream(Sink(target.writer, 5))
    assert writer.splice(reader, 10) == 0
    source.writer.write(b"abcdefgh")
    assert writer.splice(reader, 10) == 5
    assert writer.splice(reader, 10) == 0
    assert all_of(target.reader) == b"abcd"
    splicing = asyncio.ensure_future(value_of(writer.blocking_splice(reader, 2)))
    assert await splicing == 2
    assert all_of(target.reader) == b"efg"
    assert writer.blocking_splice(reader, 9) == 1
    waiting = asyncio.ensure_future(value_of(writer.blocking_splice(reader, 9)))
    await settle()
    assert not waiting.done()
    source.writer.write(b"i")
    assert await waiting == 1
    assert all_of(target.reader) == b"hi"


# Polling.


@running
async def test_a_poll_wakes_for_the_one_that_is_ready() -> None:
    pipes = [Pipe() for _ in range(10)]
    streams = [InputStream(pipe.reader) for pipe in pipes]
    pollables: list[AsyncPollable] = [stream.subscribe() for stream in streams]
    clock = ManualClock()
    timers = MonotonicClock(clock)
    pollables.append(timers.subscribe_duration(1000))
    polling = asyncio.ensure_future(value_of(POLL.poll(pollables)))
    await settle()
    assert not polling.done()
    pipes[7].writer.write(b"x")
    assert await polling == [7]
    assert POLL.poll(pollables) == [7]
    pipes[2].writer.close()
    assert POLL.poll(pollables) == [2, 7]
    assert [pollable.ready() for pollable in pollables[:3]] == [False, False, True]
    streams[7].read(1)
    polling = asyncio.ensure_future(value_of(POLL.poll([pollables[0], pollables[10]])))
    await settle()
    assert not polling.done()
    clock.advance(1000)
    assert await polling == [1]
    assert clock.waiting == 0
    assert timers.subscribe_instant(1000).ready()
    assert not timers.subscribe_instant((1 << 64) - 1).ready()


def test_a_poll_for_nothing_traps() -> None:
    with pytest.raises(Trap, match="would never end"):
        POLL.poll([])


@running
async def test_blocking_on_one() -> None:
    pipe = Pipe()
    pollable = Pollable(pipe.readable)
    blocking = asyncio.ensure_future(value_of(pollable.block()))
    await settle()
    assert not blocking.done()
    pipe.writer.write(b"x")
    await blocking
    assert pollable.block() is None


def test_a_stream_that_is_dropped_before_its_pollables_traps() -> None:
    stream = InputStream(BytesInput(b""))
    pollables = [stream.subscribe(), stream.subscribe()]
    with pytest.raises(Trap, match=r"InputStream.*before 2 derived from it"):
        stream.drop()
    pollables[0].drop()
    with pytest.raises(Trap, match="before one derived from it"):
        stream.drop()
    pollables[1].drop()
    stream.drop()
