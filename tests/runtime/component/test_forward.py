"""`stream.forward` and `future.forward`: two streams become one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from ingen_runtime import Component, StreamWriter
from ingen_runtime.engine import Engine, EngineConfig
from ingen_runtime.errors import Trap, TrapKind
from tests.runtime.component.test_streams import chunks, run

GUEST = """
(component
  (core module $libc (memory (export "memory") 1))
  (core instance $libc (instantiate $libc))
  (type $stream (stream u8))
  (type $future (future u32))
  (core func $stream.new (canon stream.new $stream))
  (core func $stream.write (canon stream.write $stream (memory (core memory $libc "memory"))))
  (core func $stream.forward (canon stream.forward $stream))
  (core func $future.new (canon future.new $future))
  (core func $future.forward (canon future.forward $future))
  (core func $return-stream (canon task.return (result $stream)))
  (core func $return-future (canon task.return (result $future)))
  (core func $yield (canon thread.yield))
  (core func $new-set (canon waitable-set.new))
  (core func $join (canon waitable.join))
  (core module $m
    (import "" "stream.new" (func $stream.new (result i64)))
    (import "" "stream.write" (func $stream.write (param i32 i32 i32) (result i32)))
    (import "" "stream.forward" (func $stream.forward (param i32 i32)))
    (import "" "future.new" (func $future.new (result i64)))
    (import "" "future.forward" (func $future.forward (param i32 i32)))
    (import "" "return-stream" (func $return-stream (param i32)))
    (import "" "return-future" (func $return-future (param i32)))
    (import "" "yield" (func $yield (result i32)))
    (import "" "new-set" (func $new-set (result i32)))
    (import "" "join" (func $join (param i32 i32)))
    (import "" "memory" (memory 1))
    (data (i32.const 16) "ab")
    (func $low (param i64) (result i32) (i32.wrap_i64 (local.get 0)))
    (func $high (param i64) (result i32) (i32.wrap_i64 (i64.shr_u (local.get 0) (i64.const 32))))
    (func (export "forward") (param $source i32)
      (local $ends i64)
      (local.set $ends (call $stream.new))
      (call $stream.forward (local.get $source) (call $high (local.get $ends)))
      (call $return-stream (call $low (local.get $ends))))
    (func (export "forward-later") (param $source i32)
      (local $ends i64)
      (local.set $ends (call $stream.new))
      (call $return-stream (call $low (local.get $ends)))
      (drop (call $yield))
      (call $stream.forward (local.get $source) (call $high (local.get $ends))))
    (func (export "prefix") (param $source i32)
      (local $ends i64)
      (local.set $ends (call $stream.new))
      (call $return-stream (call $low (local.get $ends)))
      (drop (call $stream.write (call $high (local.get $ends)) (i32.const 16) (i32.const 2)))
      (call $stream.forward (local.get $source) (call $high (local.get $ends))))
    (func (export "forward-future") (param $source i32)
      (local $ends i64)
      (local.set $ends (call $future.new))
      (call $future.forward (local.get $source) (call $high (local.get $ends)))
      (call $return-future (call $low (local.get $ends))))
    (func (export "into-itself") (param $source i32)
      (local $ends i64)
      (local.set $ends (call $stream.new))
      (call $stream.forward (call $low (local.get $ends)) (call $high (local.get $ends)))
      (call $return-stream (local.get $source)))
    (func (export "twice") (param $source i32)
      (local $ends i64)
      (local.set $ends (call $stream.new))
      (call $stream.forward (local.get $source) (call $high (local.get $ends)))
      (call $stream.forward (local.get $source) (call $high (local.get $ends))))
    (func (export "wrong-end") (param $source i32)
      (call $stream.forward (local.get $source) (call $low (call $stream.new))))
    (func (export "in-set") (param $source i32)
      (call $join (local.get $source) (call $new-set))
      (call $stream.forward (local.get $source) (call $high (call $stream.new)))))
  (core instance $i (instantiate $m (with "" (instance
    (export "stream.new" (func $stream.new)) (export "stream.write" (func $stream.write))
    (export "stream.forward" (func $stream.forward)) (export "future.new" (func $future.new))
    (export "future.forward" (func $future.forward)) (export "return-stream" (func $return-stream))
    (export "return-future" (func $return-future)) (export "yield" (func $yield))
    (export "new-set" (func $new-set)) (export "join" (func $join))
    (export "memory" (memory $libc "memory"))))))
  (func (export "forward-future") async (param "source" $future) (result $future)
    (canon lift (core func $i "forward-future") async))
  EXPORTS)
""".replace(
    "EXPORTS",
    "\n".join(
        f"""(func (export "{name}") async (param "source" $stream) (result $stream)
              (canon lift (core func $i "{name}") async))"""
        for name in (
            "forward",
            "forward-later",
            "prefix",
            "into-itself",
            "twice",
            "wrong-end",
            "in-set",
        )
    ),
)


@pytest.fixture(scope="module")
def component(assemble: Callable[[str], bytes]) -> Component:
    return Component.from_bytes(assemble(GUEST), engine=Engine(EngineConfig(parallel_compilation=False)))


@pytest.mark.parametrize(
    ("function", "expected"),
    [("forward", b"xyz"), ("forward-later", b"xyz"), ("prefix", b"abxyz"), ("into-itself", b"xyz")],
)
@pytest.mark.parametrize("size", [1, 2, 100])
def test_what_is_written_to_one_is_read_from_the_other(
    component: Component, function: str, expected: bytes, size: int
) -> None:
    async def main() -> None:
        instance = component.instantiate({})
        for source in (b"xyz", chunks(b"x", b"yz")):
            stream = await instance.call_async(function, source)
            parts = []
            while part := await stream.read(size):
                parts.append(part)
            assert b"".join(parts) == expected

    run(main())


def test_a_chain(component: Component) -> None:
    async def main() -> None:
        instance = component.instantiate({})
        first = await instance.call_async("forward-later", chunks(b"x", b"y"))
        second = await instance.call_async("prefix", await instance.call_async("forward-later", first))
        assert b"".join([chunk async for chunk in second]) == b"abxy"

    run(main())


def test_a_writer_at_one_end(component: Component) -> None:
    async def main() -> None:
        writer = StreamWriter[int]()
        stream = await component.instantiate({}).call_async("forward-later", writer)
        async with asyncio.TaskGroup() as group:
            group.create_task(writer.write(b"abc"))
            assert await stream.read(2) == b"ab"
            assert await stream.read(2) == b"c"
        writer.close()
        assert await stream.read() == b""

    run(main())


def test_nobody_reads(component: Component) -> None:
    async def main() -> None:
        ended = asyncio.Event()

        async def source() -> AsyncIterator[bytes]:
            try:
                yield b"x"
                yield b"y"
            finally:
                ended.set()

        instance = component.instantiate({})
        stream = await instance.call_async("forward", source())
        assert await stream.read() == b"x"
        stream.close()
        await ended.wait()
        writer = StreamWriter[int]()
        (await instance.call_async("forward-later", writer)).close()
        with pytest.raises(BrokenPipeError):
            await writer.write(b"x")

    run(main())


def test_futures(component: Component) -> None:
    async def main() -> None:
        instance = component.instantiate({})
        future = await instance.call_async("forward-future", asyncio.sleep(0, 5))
        assert await (await instance.call_async("forward-future", future)) == 5

    run(main())


@pytest.mark.parametrize(
    ("function", "kind"),
    [
        ("twice", TrapKind.UNKNOWN_HANDLE),
        ("wrong-end", TrapKind.WRONG_HANDLE_TYPE),
        ("in-set", TrapKind.OTHER),
    ],
)
def test_ends_that_cannot_be_joined(component: Component, function: str, kind: TrapKind) -> None:
    with pytest.raises(Trap) as caught:
        component.instantiate({}).exports[function](b"x")
    assert caught.value.kind is kind
