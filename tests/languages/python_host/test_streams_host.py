"""Generated Python hosts of worlds with streams and futures."""

from __future__ import annotations

import asyncio
import importlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from ingen_runtime import StreamReader, StreamWriter
from ingen_runtime.engine import wat_to_wasm
from ingen_sdkgen.model import WorldId
from ingen_sdkgen.resolve import load_text
from tests.languages.python_host.test_host import run, write
from tests.runtime.component.stream_guest import GUEST

WORLD = """
package test:streams;

world flow {
    import source: func() -> stream<u8>;
    import sink: func(bytes: stream<u8>) -> u32;
    export sum: async func(bytes: stream<u8>) -> u32;
    export sum-source: async func() -> u32;
    export echo: async func(bytes: stream<u8>) -> stream<u8>;
    export through: async func(bytes: stream<u8>) -> u32;
    export count: async func(n: u32) -> stream<u32>;
    export tick: async func(n: u32) -> stream;
    export copy: async func(texts: stream<string>) -> stream<string>;
    export double: async func(%future: future<u32>) -> future<u32>;
}
"""

USER = """
import asyncio
from collections.abc import AsyncIterator, Awaitable

from ingen_runtime import StreamReader, StreamWriter, may_wait
from flow_host import AsyncFlow, Flow


async def source() -> AsyncIterator[bytes]:
    yield b"x"


class Host:
    def source(self) -> AsyncIterator[bytes]:
        return source()

    async def sink(self, bytes: StreamReader[bytes]) -> int:
        return sum([len(chunk) async for chunk in bytes])


class Sometimes:
    @may_wait
    def source(self) -> bytes | Awaitable[bytes]:
        return b"x"

    @may_wait
    def sink(self, bytes: StreamReader[bytes]) -> int | Awaitable[int]:
        return 0 if bytes.closed else Host().sink(bytes)


class Ready:
    def source(self) -> bytes:
        return b"x"

    def sink(self, bytes: StreamReader[bytes]) -> int:
        return 0


async def main() -> None:
    async with await Flow.load_async("flow.wasm", Host()) as flow:
        writer = StreamWriter[int]()
        total: int = await flow.sum(writer)
        total += await flow.sum(b"abc") + await flow.sum(source())
        texts: list[str] = [text async for text in await flow.copy(["a", "b"])]
        numbers: list[int] = await (await flow.count(3)).read(2)
        doubled: int = await (await flow.double(asyncio.sleep(0, 5)))
        print(total, texts, numbers, doubled)
    async with await Flow.load_async("flow.wasm", Sometimes()) as flow:
        print(await flow.through(b"x"))
    with Flow.load("flow.wasm", Ready()) as ready:
        print(ready.sum(b"abc"))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("streams")
    write(load_text(WORLD).resolve, WorldId(0), folder / "flow_host")
    return folder


def test_types(folder: Path) -> None:
    (folder / "user.py").write_text(USER, "utf-8")
    run("ruff", "check", "--isolated", "--no-cache", "flow_host", folder=folder)
    run("mypy", "--strict", "--explicit-package-bases", "user.py", folder=folder)
    # Each one has another length than the one before, by which mypy tells that the file has changed.
    for good, bad, error in (
        ('flow.sum(b"abc")', "flow.sum()", "Missing positional"),
        ('["a", "b"]', "[1, 2]", 'has incompatible type "int"'),
        ("-> int | Awaitable[int]", "-> float | Awaitable[int]", 'has incompatible type "Sometimes"'),
        ("texts: list[str]", "texts: list[int]", "List comprehension has incompatible type"),
        ("asyncio.sleep(0, 5)", "5", 'has incompatible type "int"'),
    ):
        assert good in USER
        (folder / "user.py").write_text(USER.replace(good, bad), "utf-8")
        with pytest.raises(AssertionError, match=error):
            run("mypy", "--strict", "--explicit-package-bases", "user.py", folder=folder)


async def chunks(*values: Any) -> AsyncIterator[Any]:
    for value in values:
        await asyncio.sleep(0)
        yield value


class Host:
    def source(self) -> AsyncIterator[bytes]:
        return chunks(b"\x01", b"\x02")

    async def sink(self, bytes: StreamReader[bytes]) -> int:
        return sum([sum(chunk) async for chunk in bytes])


def test_a_guest(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(folder))
    flow_host = importlib.import_module("flow_host")
    wasm = wat_to_wasm(GUEST)

    async def main() -> None:
        async with await flow_host.Flow.load_async(wasm, Host()) as flow:
            assert await flow.sum_source() == 3
            assert await flow.through(chunks(b"\x04", b"\x05")) == 9
            assert [number async for number in await flow.count(3)] == [0, 1, 2]
            assert [tick async for tick in await flow.tick(2)] == [None, None]
            assert [text async for text in await flow.copy(chunks("a", "ü"))] == ["a", "ü"]
            assert await (await flow.double(asyncio.sleep(0, 21))) == 42
            async with asyncio.TaskGroup() as group:
                with StreamWriter[int]() as writer:
                    total = group.create_task(flow.sum(writer))
                    await writer.write(b"\x07")
            assert total.result() == 7

    try:
        asyncio.run(main())
        with flow_host.Flow.load(wasm, Host()) as flow:
            assert flow.sum(b"\x01\x02") == 3
    finally:
        del sys.modules["flow_host"]
