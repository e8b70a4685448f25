"""Streams in memory and on the host's descriptors; nothing blocks."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingen_runtime.kernel.directories import Directory
from ingen_runtime.kernel.errors import FileError
from ingen_runtime.kernel.file_streams import FileInput, FileOutput
from ingen_runtime.kernel.files import File
from ingen_runtime.kernel.host_streams import HostInput, HostOutput
from ingen_runtime.kernel.memory_streams import BufferOutput, BytesInput, CallbackOutput, NullOutput, Pipe
from ingen_runtime.kernel.streams import StreamClosedError, WouldBlockError
from ingen_runtime.readiness import wait


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    for end in ends:
        with contextlib.suppress(OSError):  # closed by the test
            os.close(end)


def test_bytes_and_then_the_end() -> None:
    stream = BytesInput(b"hello")
    assert (stream.read(2), stream.read(100), stream.read(100)) == (b"he", b"llo", b"")
    assert stream.readable.ready()
    assert BytesInput().read(1) == b""


def test_output_in_memory() -> None:
    calls: list[bytes] = []
    buffer = BufferOutput()
    for stream in (CallbackOutput(calls.append), buffer, NullOutput()):
        assert stream.write(b"one") == 3
        assert stream.write(memoryview(b" two")) == 4
        assert stream.writable.ready()
    assert calls == [b"one", b" two"]
    assert buffer.data == b"one two"


def test_what_a_callback_raises_comes_out() -> None:
    def fail(data: bytes) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        CallbackOutput(fail).write(b"x")


def test_a_pipe_in_the_process() -> None:
    pipe = Pipe(capacity=4)
    assert not pipe.reader.readable.ready() and pipe.writer.writable.ready()
    with pytest.raises(WouldBlockError):
        pipe.reader.read(1)
    assert pipe.writer.write(b"123456") == 4
    assert pipe.reader.readable.ready() and not pipe.writer.writable.ready()
    with pytest.raises(WouldBlockError):
        pipe.writer.write(b"5")
    assert pipe.reader.read(3) == b"123"
    assert pipe.writer.write(b"56") == 2
    pipe.writer.close()
    with pytest.raises(StreamClosedError):
        pipe.writer.write(b"7")
    assert pipe.reader.read(10) + pipe.reader.read(10) == b"456"
    assert pipe.reader.read(10) == b""


def test_who_waits_for_a_pipe_is_woken() -> None:
    async def run() -> bytes:
        pipe = Pipe(capacity=2)

        async def read_all() -> bytes:
            data = b""
            while True:
                await wait(pipe.reader.readable)
                if not (part := pipe.reader.read(100)):
                    return data
                data += part

        reading = asyncio.ensure_future(read_all())
        rest = b"hello world"
        while rest:
            await wait(pipe.writer.writable)
            rest = rest[pipe.writer.write(rest) :]
        pipe.writer.close()
        return await reading

    assert asyncio.run(run()) == b"hello world"


def test_writing_to_a_pipe_that_nobody_reads() -> None:
    async def run() -> None:
        pipe = Pipe(capacity=1)
        pipe.writer.write(b"x")
        waiting = asyncio.ensure_future(wait(pipe.writer.writable))
        await asyncio.sleep(0)
        pipe.reader.close()
        await waiting
        with pytest.raises(StreamClosedError):
            pipe.writer.write(b"y")

    asyncio.run(run())


def test_reading_from_a_descriptor(pipe: tuple[int, int]) -> None:
    async def run() -> list[bytes]:
        stream = HostInput(pipe[0])
        with pytest.raises(WouldBlockError):
            stream.read(10)
        asyncio.get_running_loop().call_soon(os.write, pipe[1], b"hello")
        await wait(stream.readable)
        found = [stream.read(2), stream.read(10)]
        asyncio.get_running_loop().call_soon(os.close, pipe[1])
        await wait(stream.readable)
        found.append(stream.read(10))
        stream.close()
        stream.close()
        with pytest.raises(StreamClosedError):
            stream.read(1)
        assert os.fstat(pipe[0]), "the descriptor itself stays open"
        assert os.get_blocking(pipe[0])
        return found

    assert asyncio.run(run()) == [b"he", b"llo", b""]


def test_writing_to_a_descriptor(pipe: tuple[int, int]) -> None:
    async def run() -> int:
        stream = HostOutput(pipe[1])
        written = 0
        while stream.writable.ready():
            written += stream.write(b"x" * 100_000)
        with pytest.raises(WouldBlockError):
            stream.write(b"x")
        waiting = asyncio.ensure_future(wait(stream.writable))
        await asyncio.sleep(0)
        assert not waiting.done()
        left = written
        while left:
            left -= len(os.read(pipe[0], 1 << 20))
        await waiting
        assert stream.write(b"more") == 4
        os.close(pipe[0])
        with pytest.raises(StreamClosedError):
            stream.write(b"x")
        stream.close()
        with pytest.raises(StreamClosedError):
            stream.write(b"x")
        return written

    assert asyncio.run(run()) >= 4096


def test_closing_a_stream_wakes_who_waits_for_it(pipe: tuple[int, int]) -> None:
    async def run() -> None:
        stream = HostInput(pipe[0])
        woken = asyncio.Event()
        stream.readable.watch(woken.set)
        stream.close()
        await woken.wait()
        stream.readable.unwatch(woken.set)

    asyncio.run(run())


def test_two_streams_on_one_descriptor(pipe: tuple[int, int]) -> None:
    async def run() -> None:
        first, second = HostInput(pipe[0]), HostInput(pipe[0])
        waiting = [asyncio.ensure_future(wait(stream.readable)) for stream in (first, second)]
        await asyncio.sleep(0)
        os.write(pipe[1], b"hello")
        await asyncio.gather(*waiting)
        assert first.read(2) + second.read(10) == b"hello"
        first.close()
        second.close()

    asyncio.run(run())


def test_files_and_devices_are_always_ready(tmp_path: Path) -> None:
    async def run() -> None:
        (tmp_path / "in").write_bytes(b"text")
        with (tmp_path / "in").open("rb") as source, Path("/dev/null").open("r+b", buffering=0) as null:
            reading, nothing, sink = (
                HostInput(source.fileno()),
                HostInput(null.fileno()),
                HostOutput(null.fileno()),
            )
            for stream in (reading, nothing):
                await wait(stream.readable)
                woken = asyncio.Event()
                stream.readable.watch(woken.set)
                await woken.wait()
                stream.readable.unwatch(woken.set)
            assert reading.read(1 << 60) == b"text"
            assert nothing.read(10) == b""
            await wait(sink.writable)
            assert sink.write(b"gone") == 4
            assert not reading.is_terminal

    asyncio.run(run())


def test_sockets_and_terminals() -> None:
    async def run() -> None:
        one, other = socket.socketpair()
        with one, other:
            stream = HostOutput(one.fileno())
            assert stream.write(b"hello") == 5
            assert HostInput(other.fileno()).read(10) == b"hello"
        main, terminal = os.openpty()
        try:
            assert HostInput(terminal).is_terminal and HostOutput(terminal).is_terminal
        finally:
            os.close(main)
            os.close(terminal)

    asyncio.run(run())


def test_files_as_streams(root: Directory) -> None:
    file = root.open("a", write=True, create=True)
    assert isinstance(file, File)
    out = FileOutput(file, 2)
    assert out.write(b"abc") + out.write(b"def") == 6
    log = FileOutput(file, None)
    assert log.write(b"!") == 1
    stream = FileInput(file, 1)
    assert (stream.read(3), stream.read(100), stream.read(100)) == (b"\0ab", b"cdef!", b"")
    for one in (out, log, stream):
        one.close()
    assert file.is_open


def test_a_descriptor_that_is_not_open(pipe: tuple[int, int]) -> None:
    os.close(pipe[0])
    for kind in (HostInput, HostOutput):
        with pytest.raises(FileError, match=f"bad-descriptor: the file descriptor {pipe[0]}"):
            kind(pipe[0])
