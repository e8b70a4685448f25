"""Streams between guests and asyncio tasks that take their turns in any order."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from ingen_runtime import Component, Instance, StreamReader, StreamWriter
from ingen_runtime.engine import CoreStore, Engine, EngineConfig
from tests.runtime.component import stream_guest, test_forward


@pytest.fixture(scope="module")
def components(assemble: Callable[[str], bytes]) -> tuple[Component, Component]:
    engine = Engine(EngineConfig(parallel_compilation=False))
    guest, forwarder = (
        Component.from_bytes(assemble(text), engine=engine)
        for text in (stream_guest.GUEST, test_forward.GUEST)
    )
    return guest, forwarder


class Caller:
    """Calls an instance, one call at a time."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._lock = asyncio.Lock()

    async def __call__(self, name: str, argument: object) -> Any:
        async with self._lock:
            return await self._instance.call_async(name, argument)


class Schedule:
    """What happens in which order, as a seed says."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def below(self, limit: int) -> int:
        return self._random.randrange(limit)

    async def pause(self) -> None:
        for _ in range(self.below(4)):
            await asyncio.sleep(0)

    async def chunks(self, data: bytes) -> AsyncIterator[bytes]:
        while data:
            await self.pause()
            length = self.below(6)
            yield data[:length]
            data = data[length:]

    async def write(self, writer: StreamWriter[int], data: bytes) -> None:
        with writer:
            async for chunk in self.chunks(data):
                await writer.write(chunk)

    async def read(self, stream: StreamReader[bytes]) -> bytes:
        data = b""
        while chunk := await stream.read(1 + self.below(8)):
            data += chunk
            await self.pause()
        return data

    async def pipe(self, guest: Caller, forwarder: Caller) -> None:
        """Send bytes through some streams; all of them arrive."""
        data = bytes([self.below(256) for _ in range(self.below(40))])
        writer = StreamWriter[int]()
        source: Any = [data, self.chunks(data), iter([data[:5], data[5:]]), writer][self.below(4)]
        async with asyncio.TaskGroup() as group:
            if source is writer:
                group.create_task(self.write(writer, data))
            for _ in range(self.below(3)):
                source = await forwarder(["forward", "forward-later"][self.below(2)], source)
                await self.pause()
            if self.below(2):
                assert await guest("sum", source) == sum(data)
            else:
                assert await self.read(await guest("echo", source)) == data

    async def count(self, guest: Caller) -> None:
        """Read numbers, or some of them."""
        count, enough, numbers = self.below(12), self.below(12), []
        with await guest("count", count) as stream:
            async for number in stream:
                numbers.append(number)
                await self.pause()
                if number == enough:
                    break
        assert numbers == list(range(min(count, enough + 1)))


@pytest.mark.parametrize("seed", range(25))
def test_everything_arrives(components: tuple[Component, Component], seed: int) -> None:
    async def main() -> None:
        schedule = Schedule(seed)
        stores = [CoreStore(component.engine) for component in components]
        if schedule.below(3):
            stores[1] = stores[0]
        guest = Caller(
            components[0].instantiate({"source": lambda: b"", "sink": lambda bytes: 0}, store=stores[0])
        )
        forwarder = Caller(components[1].instantiate({}, store=stores[1]))
        async with asyncio.timeout(60), asyncio.TaskGroup() as group:
            for _ in range(1 + schedule.below(7)):
                group.create_task(schedule.pipe(guest, forwarder))
                group.create_task(schedule.count(guest))

    asyncio.run(main())
