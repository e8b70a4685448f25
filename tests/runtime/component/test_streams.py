"""Streams and futures between guests and Python."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import Any

import pytest

from ingen_runtime import Component, FutureReader, Instance, Ok, StreamReader, StreamWriter
from ingen_runtime.engine import Engine, EngineConfig
from ingen_runtime.errors import HostValueError, PoisonedError, Trap, TrapKind
from tests.runtime.component.stream_guest import GUEST


@pytest.fixture(scope="module")
def component(assemble: Callable[[str], bytes]) -> Component:
    return Component.from_bytes(assemble(GUEST), engine=Engine(EngineConfig(parallel_compilation=False)))


def start(component: Component, **imports: Any) -> Instance:
    return component.instantiate({"source": lambda: b"", "sink": lambda stream: 0} | imports)


def run(main: Coroutine[Any, Any, Any]) -> Any:
    async def in_time() -> Any:
        async with asyncio.timeout(60):
            return await main

    return asyncio.run(in_time())


async def chunks(*values: Any) -> AsyncIterator[Any]:
    for value in values:
        await asyncio.sleep(0)
        yield value


# What the host gives.


class Unending:
    """An iterator that is no generator."""

    def __init__(self) -> None:
        self.number = 0

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if self.number == 20:
            raise StopIteration
        self.number += 1
        return bytes([self.number])


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: b"\x01\x02\x03", 6),
        (lambda: bytearray(range(20)), 190),
        (lambda: memoryview(bytes(range(21))), 210),
        (lambda: [1, 2, 3], 6),
        (lambda: b"", 0),
        (lambda: (bytes([each]) for each in range(10)), 45),
        (Unending, 210),
        (lambda: iter([b"", b"\x05", b""]), 5),
    ],
)
def test_what_is_there_needs_no_asyncio(
    component: Component, make: Callable[[], object], expected: int
) -> None:
    assert start(component).exports.sum(make()) == expected


def test_an_async_iterable_is_asked_when_the_guest_reads(component: Component) -> None:
    asked = []

    async def source() -> AsyncIterator[bytes]:
        for length in (3, 0, 30):
            asked.append(length)
            await asyncio.sleep(0)
            yield bytes([1]) * length

    async def main() -> None:
        instance = start(component)
        assert await instance.call_async("sum", source()) == 33
        assert asked == [3, 0, 30]
        assert await instance.call_async("sum", source()) == 33

    run(main())


def test_an_async_iterable_needs_asyncio(component: Component) -> None:
    with pytest.raises(Trap) as caught:
        start(component).exports.sum(chunks(b"x"))
    assert caught.value.kind is TrapKind.CANNOT_BLOCK


def test_a_read_of_nothing_waits_for_the_first_element(component: Component) -> None:
    assert run(start(component).call_async("peek", chunks(b"\x01\x02", b"\x03"))) == 6
    assert start(component).exports.peek(b"\x01\x02\x03") == 6


def test_a_guest_that_wants_no_more_ends_the_generator(component: Component) -> None:
    ended: list[str] = []

    async def asynchronous() -> AsyncIterator[bytes]:
        try:
            for _ in range(10):
                yield b"\x07\x08"
        finally:
            await asyncio.sleep(0)
            ended.append("async")

    def plain() -> Iterator[bytes]:
        try:
            for _ in range(10):
                yield b"\x07"
        finally:
            ended.append("plain")

    async def main() -> None:
        instance = start(component)
        assert await instance.call_async("first", asynchronous()) == 7
        assert await instance.call_async("first", plain()) == 7
        assert await instance.call_async("first", b"\x09") == 9
        while len(ended) < 2:
            await asyncio.sleep(0)

    run(main())


def test_an_exception_of_the_source_arrives(component: Component) -> None:
    async def source() -> AsyncIterator[bytes]:
        yield b"\x01"
        raise LookupError("no more")

    async def main() -> None:
        instance = start(component)
        with pytest.raises(LookupError, match="no more"):
            await instance.call_async("sum", source())
        with pytest.raises(PoisonedError):
            await instance.call_async("sum", b"")

    run(main())


@pytest.mark.parametrize("value", [None, 5, "text", object()])
def test_what_is_no_stream_is_refused(component: Component, value: object) -> None:
    instance = start(component)
    with pytest.raises(HostValueError, match=r"^stream: expected an iterable or an async iterable"):
        instance.exports.sum(value)
    assert instance.exports.sum(b"\x01") == 1


@pytest.mark.parametrize("values", [[256], [True], ["x"]])
def test_elements_are_checked(component: Component, values: list[Any]) -> None:
    with pytest.raises(HostValueError, match=r"^stream\[0\]: expected u8"):
        start(component).exports.sum(values)
    with pytest.raises(HostValueError, match=r"^stream: expected buffers of bytes"):
        start(component).exports.sum(iter(values))


def test_a_host_function_gives_and_gets_streams(component: Component) -> None:
    async def sink(stream: StreamReader[bytes]) -> int:
        async with asyncio.timeout(60):
            task = asyncio.current_task()
            total = sum([sum(chunk) async for chunk in stream])
            assert asyncio.current_task() is task
            return total

    async def main() -> None:
        instance = start(component, source=lambda: chunks(b"\x01", b"\x02"), sink=sink)
        assert await instance.call_async("sum-source") == 3
        assert await instance.call_async("through", chunks(b"\x01\x02\x03", b"\x04")) == 10
        assert await instance.call_async("through", b"\x05") == 5

    run(main())


# What the host gets.


def test_reading(component: Component) -> None:
    async def main() -> None:
        instance = start(component)
        stream = await instance.call_async("count", 3)
        assert isinstance(stream, StreamReader)
        assert [value async for value in stream] == [0, 1, 2]
        assert await stream.read() == []
        stream = await instance.call_async("count", 5)
        assert await stream.read(10) == [0]
        assert await stream.read(1) == [1]
        stream.close()
        assert stream.closed
        with pytest.raises(HostValueError, match="an end that is open"):
            await stream.read()
        with pytest.raises(ValueError, match="at least one"):
            await stream.read(0)

    run(main())


def test_bytes_come_in_chunks(component: Component) -> None:
    async def main() -> None:
        instance = start(component)
        stream = await instance.call_async("echo", chunks(b"abc", b"", b"defg"))
        assert [chunk async for chunk in stream] == [b"abc", b"defg"]
        stream = await instance.call_async("echo", b"abcdef")
        assert await stream.read(4) == b"abcd"
        assert await stream.read(4) == b"ef"
        assert await stream.read(4) == b""

    run(main())


def test_a_stream_of_nothing(component: Component) -> None:
    async def main() -> None:
        stream = await start(component).call_async("tick", 3)
        assert [tick async for tick in stream] == [None, None, None]

    run(main())


def test_values_that_are_no_numbers(component: Component) -> None:
    texts = ["one", "", "zwei 🎉"]

    async def main() -> None:
        instance = start(component)
        for given in (texts, iter(texts), chunks(*texts)):
            stream = await instance.call_async("copy", given)
            assert [text async for text in stream] == texts
        stream = await instance.call_async("copy", chunks("x", 5))
        with pytest.raises(HostValueError, match="element: expected a str"):
            assert [text async for text in stream] == []
        with pytest.raises(PoisonedError):
            await instance.call_async("copy", [])

    run(main())


def test_streams_made_by_a_synchronous_call(component: Component) -> None:
    stream = start(component).exports.count(2)

    async def main() -> list[int]:
        return [value async for value in stream]

    assert run(main()) == [0, 1]


def test_a_forgotten_reader_is_closed(component: Component) -> None:
    async def main() -> None:
        instance = start(component)
        await instance.call_async("count", 3)
        gc.collect()
        assert instance.exports._context.tasks.scheduler.host_ends == 0
        with await instance.call_async("count", 3) as stream:
            assert await stream.read() == [0]
        assert stream.closed
        assert await instance.call_async("sum", b"\x01") == 1

    run(main())


def test_a_guest_that_goes_wrong_later(component: Component) -> None:
    async def main() -> None:
        instance = start(component)
        stream = await instance.call_async("fail", 1)
        assert await stream.read() == [0]
        with pytest.raises(Trap) as caught:
            await stream.read()
        assert caught.value.kind is TrapKind.UNREACHABLE
        with pytest.raises(PoisonedError):
            await stream.read()
        with pytest.raises(PoisonedError):
            await instance.call_async("count", 1)

    run(main())


def test_a_cancelled_read_loses_nothing(component: Component) -> None:
    async def main() -> None:
        may_go = asyncio.Event()

        async def source() -> AsyncIterator[bytes]:
            yield b"a"
            await may_go.wait()
            yield b"b"

        stream = await start(component).call_async("echo", source())
        assert await stream.read() == b"a"
        reading = asyncio.ensure_future(stream.read())
        await asyncio.sleep(0)
        with pytest.raises(HostValueError, match="nobody else"):
            await stream.read()
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        may_go.set()
        assert await stream.read() == b"b"
        assert await stream.read() == b""

    run(main())


def test_closing_ends_a_read(component: Component) -> None:
    async def main() -> None:
        async def source() -> AsyncIterator[bytes]:
            await asyncio.Event().wait()
            yield b""

        stream = await start(component).call_async("echo", source())
        reading = asyncio.ensure_future(stream.read())
        await asyncio.sleep(0)
        stream.close()
        assert await reading == b""

    run(main())


def test_a_reader_moves_to_a_guest(component: Component) -> None:
    async def main() -> None:
        first, second = start(component), start(component)
        for target in (first, second):  # the same store, and another one
            stream = await first.call_async("echo", chunks(b"\x01\x02", b"\x03"))
            assert await stream.read(1) == b"\x01"
            assert await target.call_async("sum", stream) == 5
        numbers = await first.call_async("count", 1)
        with pytest.raises(HostValueError, match="of this type"):
            await first.call_async("sum", numbers)
        assert await numbers.read() == [0]

    run(main())


def test_a_refused_call_gives_back(component: Component) -> None:
    async def main() -> None:
        instance = start(component)
        future = await instance.call_async("double", _value(4))
        with pytest.raises(HostValueError, match="number: expected u32"):
            await instance.call_async("forget", future, -1)
        assert await future == 8

    run(main())


def test_many_streams_at_a_time(component: Component) -> None:
    async def main() -> None:
        instance = start(component)

        async def one(n: int) -> int:
            stream = await instance.call_async("count", n)
            return sum([value async for value in stream])

        streams = [await instance.call_async("count", n) for n in range(20)]

        async def read(stream: StreamReader[int]) -> int:
            return sum([value async for value in stream])

        assert await asyncio.gather(*map(read, streams)) == [n * (n - 1) // 2 for n in range(20)]
        assert await one(4) == 6

    run(main())


def test_a_guest_waits_for_a_reader_that_is_busy_elsewhere(component: Component) -> None:
    async def main() -> None:
        instance = start(component)
        stream = await instance.call_async("copy", chunks("a", "b", "c"))
        got = []

        async def slowly() -> None:
            async for text in stream:
                got.append(text)
                for _ in range(10):
                    await asyncio.sleep(0)

        async with asyncio.TaskGroup() as group:
            group.create_task(slowly())
            for _ in range(5):
                assert await instance.call_async("sum", chunks(b"\x01", b"\x01")) == 2
        assert got == ["a", "b", "c"]

    run(main())


# Writers.


def test_a_writer(component: Component) -> None:
    async def main() -> None:
        instance = start(component)
        async with asyncio.TaskGroup() as group:
            with StreamWriter[int]() as writer:
                total = group.create_task(instance.call_async("sum", writer))
                await writer.write(b"\x01" * 100)
                await writer.write(b"")
                await writer.write([2, 3])
        assert total.result() == 105
        with pytest.raises(HostValueError, match="passed on"):
            await instance.call_async("sum", writer)
        with pytest.raises(HostValueError, match="open"):
            await writer.write(b"x")

    run(main())


def test_a_writer_learns_that_nobody_reads(component: Component) -> None:
    async def main() -> None:
        instance = start(component)
        writer = StreamWriter[int]()
        async with asyncio.TaskGroup() as group:
            first = group.create_task(instance.call_async("first", writer))
            with pytest.raises(BrokenPipeError):
                await writer.write(b"\x04\x05")
        assert first.result() == 4

    run(main())


def test_a_pipe_through_a_guest(component: Component) -> None:
    async def main() -> None:
        writer = StreamWriter[str]()
        stream = await start(component).call_async("copy", writer)
        await writer.write(["a"])
        assert await stream.read() == ["a"]

        async def write() -> None:
            with writer:
                await writer.write(["b", "c"])

        async with asyncio.TaskGroup() as group:
            group.create_task(write())
            assert [text async for text in stream] == ["b", "c"]

    run(main())


# Futures.


async def _value(value: Any) -> Any:
    await asyncio.sleep(0)
    if isinstance(value, BaseException):
        raise value
    return value


def test_futures(component: Component) -> None:
    async def main() -> None:
        instance = start(component)
        loop = asyncio.get_running_loop()
        pending = loop.create_future()
        loop.call_soon(pending.set_result, 7)
        for given, expected in ((_value(21), 42), (pending, 14), (asyncio.ensure_future(_value(3)), 6)):
            future = await instance.call_async("double", given)
            assert isinstance(future, FutureReader)
            assert await future == expected
            assert await future == expected
        chained = await instance.call_async("double", await instance.call_async("double", _value(5)))
        assert await chained == 20

    run(main())


def test_a_future_that_nobody_wants(component: Component) -> None:
    async def main() -> None:
        instance = start(component)
        assert await instance.call_async("forget", _value(1), 5) == 5
        with await instance.call_async("double", _value(5)) as future:
            pass
        with pytest.raises(HostValueError, match="open"):
            await future

    run(main())


@pytest.mark.parametrize(
    ("given", "kind"),
    [(LookupError("lost"), LookupError), (-1, HostValueError), (Ok(1), HostValueError)],
)
def test_a_future_that_goes_wrong(component: Component, given: Any, kind: type[Exception]) -> None:
    async def main() -> None:
        future = await start(component).call_async("double", _value(given))
        with pytest.raises(kind) as caught:
            await future
        if isinstance(caught.value, HostValueError):
            assert caught.value.path == "future"

    run(main())


def test_a_cancelled_call_ends_after_what_it_waited_for(component: Component) -> None:
    events: list[str] = []

    async def chunks() -> AsyncIterator[bytes]:
        try:
            yield b"\x01"
            events.append("waiting")
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            events.append("cleaned up")

    async def main() -> None:
        call = asyncio.ensure_future(start(component).call_async("sum", chunks()))
        while not events:
            await asyncio.sleep(0)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert events == ["waiting", "cleaned up"]
        assert asyncio.all_tasks() == {asyncio.current_task()}

    run(main())


def test_what_is_no_future_is_refused(component: Component) -> None:
    instance = start(component)
    with pytest.raises(HostValueError, match=r"^future: expected an awaitable, got int 5"):
        instance.exports.double(5)
    assert instance.exports.sum(b"\x01") == 1
