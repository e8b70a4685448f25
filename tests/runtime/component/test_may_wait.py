"""Host functions marked with `may_wait`: they return a result, or an awaitable of one."""

from __future__ import annotations

import asyncio
import functools
import inspect
import warnings
from collections.abc import Awaitable, Callable, Coroutine, Generator
from types import coroutine
from typing import Any

import pytest

from ingen_runtime import Component, Instance, ResultError, may_wait
from ingen_runtime.engine import Engine, EngineConfig
from ingen_runtime.errors import HostValueError, PoisonedError, Trap, TrapKind
from ingen_runtime.waiting import Waits, is_awaitable, waits
from tests.runtime.component.test_concurrency import BOTH

HOST = "test:may-wait/host"
GUEST = f"""
(component
  (import "{HOST}" (instance $host
    (export "file" (type $file (sub resource)))
    (export "[constructor]file" (func (param "size" u32) (result (own $file))))
    (export "[method]file.read" (func (param "self" (borrow $file)) (param "length" u32) (result u32)))
    (export "[static]file.open" (func (param "size" u32) (result (own $file))))
    (export "ask" (func (param "x" u32) (result u32)))
    (export "tell" (func (param "x" u32)))
    (export "name" (func (param "x" u32) (result string)))
    (export "attempt" (func (param "x" u32) (result (result u32 (error string)))))))
  (alias export $host "file" (type $file))
  (core module $libc
    (memory (export "memory") 1)
    (global $next (mut i32) (i32.const 1024))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32)
      (global.get $next)
      (global.set $next (i32.add (global.get $next) (local.get 3)))))
  (core instance $libc (instantiate $libc))
  (core func $new (canon lower (func $host "[constructor]file")))
  (core func $read (canon lower (func $host "[method]file.read")))
  (core func $open (canon lower (func $host "[static]file.open")))
  (core func $drop (canon resource.drop $file))
  (core func $ask (canon lower (func $host "ask")))
  (core func $tell (canon lower (func $host "tell")))
  (core func $name (canon lower (func $host "name")
    (memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))))
  (core func $attempt (canon lower (func $host "attempt")
    (memory (core memory $libc "memory")) (realloc (core func $libc "realloc"))))
  (core module $m
    (import "" "new" (func $new (param i32) (result i32)))
    (import "" "read" (func $read (param i32 i32) (result i32)))
    (import "" "open" (func $open (param i32) (result i32)))
    (import "" "drop" (func $drop (param i32)))
    (import "" "ask" (func $ask (param i32) (result i32)))
    (import "" "tell" (func $tell (param i32)))
    (import "" "name" (func $name (param i32 i32)))
    (import "" "attempt" (func $attempt (param i32 i32)))
    (func $read-and-drop (param $file i32) (param $length i32) (result i32)
      (call $read (local.get $file) (local.get $length))
      (call $drop (local.get $file)))
    (func (export "relay") (param i32) (result i32)
      (call $tell (local.get 0))
      (i32.add (call $ask (local.get 0)) (i32.const 1)))
    (func (export "name") (param i32) (result i32)
      (call $name (local.get 0) (i32.const 8)) (i32.const 8))
    (func (export "attempt") (param i32) (result i32)
      (call $attempt (local.get 0) (i32.const 32)) (i32.const 32))
    (func (export "read-new") (param i32 i32) (result i32)
      (call $read-and-drop (call $new (local.get 0)) (local.get 1)))
    (func (export "read-open") (param i32 i32) (result i32)
      (call $read-and-drop (call $open (local.get 0)) (local.get 1))))
  (core instance $i (instantiate $m (with "" (instance
    (export "new" (func $new)) (export "read" (func $read)) (export "open" (func $open))
    (export "drop" (func $drop)) (export "ask" (func $ask)) (export "tell" (func $tell))
    (export "name" (func $name)) (export "attempt" (func $attempt))))))
  (func (export "relay") (param "x" u32) (result u32) (canon lift (core func $i "relay")))
  (func (export "name") (param "x" u32) (result string)
    (canon lift (core func $i "name") (memory (core memory $libc "memory"))))
  (func (export "attempt") (param "x" u32) (result (result u32 (error string)))
    (canon lift (core func $i "attempt") (memory (core memory $libc "memory"))))
  (func (export "read-new") (param "size" u32) (param "length" u32) (result u32)
    (canon lift (core func $i "read-new")))
  (func (export "read-open") (param "size" u32) (param "length" u32) (result u32)
    (canon lift (core func $i "read-open"))))
"""


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine(EngineConfig(parallel_compilation=False))


@pytest.fixture(scope="module")
def component(engine: Engine, assemble: Callable[[str], bytes]) -> Component:
    return Component.from_bytes(assemble(GUEST), engine=engine)


async def later(value: Any) -> Any:
    await asyncio.sleep(0)
    if isinstance(value, BaseException):
        raise value
    return value


class File:
    """A file whose reads beyond its size wait."""

    def __init__(self, size: int) -> None:
        self.size = size

    @may_wait
    def read(self, length: int) -> int | Awaitable[int]:
        return length if length <= self.size else self.rest(length)

    async def rest(self, length: int) -> int:
        await asyncio.sleep(0)
        return length * 10

    @staticmethod
    @may_wait
    def open(size: int) -> File | Awaitable[File]:
        return File(size) if size < 100 else later(File(size))


class Host:
    """Small numbers are answered at once."""

    File = File

    @may_wait
    def ask(self, x: int) -> int | Awaitable[int]:
        return x * 2 if x < 10 else later(x * 3)

    @may_wait
    def tell(self, x: int) -> Awaitable[None] | None:
        return None if x < 10 else later(None)

    @may_wait
    def name(self, x: int) -> str | Awaitable[str]:
        return "now" if x < 10 else later("later")

    @may_wait
    def attempt(self, x: int) -> int | Awaitable[int]:
        match x:
            case 1:
                raise ResultError("no")
            case 10:
                return later(ResultError("not later"))
            case 11:
                return later(LookupError("lost"))
            case 12:
                return later("no number")
            case 2:
                raise LookupError("lost")
            case _:
                return x if x < 10 else later(x)


def start(component: Component, **replaced: Any) -> Instance:
    host = Host()
    for name, function in replaced.items():
        setattr(host, name, function)
    return component.instantiate({HOST: host})


def run(main: Coroutine[Any, Any, Any]) -> Any:
    async def in_time() -> Any:
        async with asyncio.timeout(60):
            return await main

    return asyncio.run(in_time())


@pytest.mark.parametrize(
    ("function", "arguments", "expected"),
    [
        ("relay", (1,), 3),
        ("relay", (10,), 31),
        ("name", (1,), "now"),
        ("name", (10,), "later"),
        ("attempt", (3,), 3),
        ("attempt", (13,), 13),
        ("read-new", (5, 4), 4),
        ("read-new", (5, 6), 60),
        ("read-open", (5, 4), 4),
        ("read-open", (100, 101), 1010),
    ],
)
def test_a_result_arrives_at_once_or_later(
    component: Component, function: str, arguments: tuple[int, ...], expected: object
) -> None:
    assert run(start(component).call_async(function, *arguments)) == expected


@pytest.mark.parametrize(
    ("function", "arguments", "expected"),
    [("relay", (1,), 3), ("name", (1,), "now"), ("read-new", (5, 4), 4), ("read-open", (5, 4), 4)],
)
def test_a_result_at_once_needs_no_asyncio(
    component: Component, function: str, arguments: tuple[int, ...], expected: object
) -> None:
    assert start(component).exports[function](*arguments) == expected


@pytest.mark.parametrize("function", ["relay", "name", "attempt", "read-open"])
def test_an_awaitable_needs_asyncio(component: Component, function: str) -> None:
    instance = start(component)
    arguments = (100, 101) if function == "read-open" else (100,)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # the coroutine is closed, so that nobody misses its `await`
        with pytest.raises(Trap) as caught:
            instance.exports[function](*arguments)
    assert caught.value.kind is TrapKind.CANNOT_BLOCK


@pytest.mark.parametrize(("x", "error"), [(1, "no"), (10, "not later")])
def test_an_error_result(component: Component, x: int, error: str) -> None:
    async def main() -> None:
        instance = start(component)
        for _ in range(2):
            with pytest.raises(ResultError) as caught:
                await instance.call_async("attempt", x)
            assert caught.value.value == error

    run(main())


@pytest.mark.parametrize(("x", "kind"), [(2, LookupError), (11, LookupError), (12, HostValueError)])
def test_an_exception_arrives_as_it_was_raised(component: Component, x: int, kind: type[Exception]) -> None:
    async def main() -> None:
        instance = start(component)
        with pytest.raises(kind):
            await instance.call_async("attempt", x)
        with pytest.raises(PoisonedError):
            await instance.call_async("attempt", 3)

    run(main())


def test_any_awaitable_will_do(component: Component) -> None:
    @coroutine
    def generator(value: int) -> Generator[None, None, int]:
        yield
        return value

    class Answer:
        def __await__(self) -> Generator[Any, None, int]:
            return later(5).__await__()

    async def main() -> None:
        def future(x: int) -> asyncio.Future[int]:
            made: asyncio.Future[int] = asyncio.get_running_loop().create_future()
            asyncio.get_running_loop().call_soon(made.set_result, x)
            return made

        def task(x: int) -> asyncio.Task[int]:
            return asyncio.ensure_future(later(x))

        for ask in (generator, future, task, lambda x: Answer()):
            assert await start(component, ask=may_wait(ask)).call_async("relay", 5) == 6

    run(main())


def test_the_function_runs_on_the_spot(component: Component) -> None:
    # What it sees is the call itself: the same task, nothing in between.
    seen: list[object] = []

    @may_wait
    def ask(x: int) -> int:
        seen.append(asyncio.current_task())
        return x

    async def main() -> None:
        instance = start(component, ask=ask)
        assert await instance.call_async("relay", 5) == 6
        assert seen == [asyncio.current_task()]

    run(main())


def test_a_borrow_lasts_until_the_guest_goes_on(component: Component) -> None:
    async def main() -> None:
        reading, may_go = asyncio.Event(), asyncio.Event()

        class Slow(File):
            async def rest(self, length: int) -> int:
                reading.set()
                await may_go.wait()
                return length

        instance = start(component, File=Slow)
        handles = instance.exports._context.state.handles
        call = asyncio.ensure_future(instance.call_async("read-new", 1, 2))
        await reading.wait()
        (handle,) = [found for found in handles.elements if hasattr(found, "lend_count")]
        assert handle.lend_count == 1
        may_go.set()
        assert await call == 2
        assert handle.lend_count == 0

    run(main())


def test_cancelling_ends_what_is_awaited(component: Component) -> None:
    async def main() -> None:
        waiting, cancelled = asyncio.Event(), asyncio.Event()

        async def wait() -> int:
            waiting.set()
            try:
                return await asyncio.get_running_loop().create_future()  # type: ignore[no-any-return]  # a future of Any
            finally:
                cancelled.set()

        instance = start(component, ask=may_wait(lambda x: wait()))
        call = asyncio.ensure_future(instance.call_async("relay", 1))
        await waiting.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert cancelled.is_set()

    run(main())


def test_a_guest_that_does_not_wait_itself(engine: Engine, assemble: Callable[[str], bytes]) -> None:
    # An async lowered import: what waits becomes a subtask.
    both = Component.from_bytes(assemble(BOTH), engine=engine)

    @may_wait
    def ask(x: int) -> int | Awaitable[int]:
        return x * 10 if x % 2 else later(x * 100)

    async def main() -> None:
        instance = both.instantiate({"ask": ask})
        assert await instance.call_async("both", 3) == 430
        assert await instance.call_async("both", 4) == 450

    run(main())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(Trap) as caught:
            both.instantiate({"ask": ask}).exports.both(3)
    assert caught.value.kind is TrapKind.CANNOT_BLOCK
    assert both.instantiate({"ask": may_wait(lambda x: x)}).exports.both(3) == 7


def test_constructors_by_their_whole_name(component: Component) -> None:
    host = {name: getattr(Host(), name) for name in ("ask", "tell", "name", "attempt")}
    host |= {
        "[constructor]file": may_wait(lambda size: later(File(size + 1))),
        "[static]file.open": File.open,
        "[method]file.read": may_wait(lambda self, length: later(length + self.size)),
    }
    instance = component.instantiate({HOST: host})
    assert run(instance.call_async("read-new", 5, 4)) == 10


# Telling them apart.


class _Called:
    @may_wait
    def __call__(self, x: int) -> int:
        return x


class _CalledAsync:
    async def __call__(self, x: int) -> int:
        return x


async def _async(x: int) -> int:
    return x


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (len, Waits.NEVER),
        (File, Waits.NEVER),
        (lambda x: x, Waits.NEVER),
        (later, Waits.ALWAYS),
        (functools.partial(later, 1), Waits.ALWAYS),
        (_CalledAsync(), Waits.ALWAYS),
        (Host().ask, Waits.MAYBE),
        (File.open, Waits.MAYBE),
        (_Called(), Waits.MAYBE),
        (may_wait(functools.partial(later, 1)), Waits.MAYBE),
        (may_wait(_async), Waits.MAYBE),
    ],
)
def test_how_a_function_waits(call: Callable[..., Any], expected: Waits) -> None:
    assert waits(call) is expected


def test_the_order_of_decorators_does_not_matter() -> None:
    class Files:
        @may_wait
        @staticmethod
        def open(size: int) -> int:
            return size

        @classmethod
        @may_wait
        def make(cls, size: int) -> int:
            return size

    assert waits(Files.open) is waits(Files.make) is Waits.MAYBE


def test_what_cannot_be_marked() -> None:
    with pytest.raises(TypeError, match=r"^may_wait marks functions written in Python, not <built-in"):
        may_wait(len)


def test_awaitables_are_those_of_inspect() -> None:
    @coroutine
    def awaited() -> Generator[None, None, None]:
        yield

    waiting = later(1)
    values = [1, "x", None, b"", [], waiting, awaited(), iter(()), (x for x in [1]), File(1), later]
    assert [is_awaitable(value) for value in values] == [inspect.isawaitable(value) for value in values]
    waiting.close()
