"""Guests that wait in async host functions."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import random
import sys
import warnings
import weakref
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, cast

import pytest

from ingen_runtime.engine import (
    CoreFunc,
    CoreFuncType,
    CoreGlobal,
    CoreInstance,
    CoreMemory,
    CoreModule,
    CoreStore,
    Engine,
    async_host_function,
    call_async,
    instantiate_async,
    may_wait_host_function,
    wat_to_wasm,
)
from ingen_runtime.engine.mappings import MAPPINGS, MAPPINGS_PER_FIBER
from ingen_runtime.errors import StoreUnusableError, Trap, TrapKind
from tests.runtime.engine.conftest import func

UNARY = CoreFuncType(("i32",), ("i32",))
GUEST = """
(module $guest
  (import "" "wait" (func $wait (param i32) (result i32)))
  (import "" "sync" (func $sync (param i32) (result i32)))
  (memory (export "memory") 1)
  (global $calls (mut i32) (i32.const 0))
  (func (export "wait") (param i32) (result i32) (call $wait (local.get 0)))
  (func (export "sync") (param i32) (result i32) (call $sync (local.get 0)))
  (func (export "sum") (param $times i32) (result i32) (local $sum i32)
    (loop $again
      (local.set $sum (i32.add (local.get $sum) (call $wait (local.get $times))))
      (br_if $again (local.tee $times (i32.sub (local.get $times) (i32.const 1)))))
    (local.get $sum))
  (func (export "double") (param i32) (result i32)
    (drop (memory.grow (i32.const 1)))
    (global.set $calls (i32.add (global.get $calls) (i32.const 1)))
    (i32.mul (local.get 0) (i32.const 2)))
  (func (export "calls") (result i32) (global.get $calls))
  (func $boom (export "boom") (param i32) (result i32) (drop (call $wait (local.get 0))) unreachable)
  (func (export "forever") (loop (br 0)))
  (func $deep (export "deep") (param i32) (result i32)
    (if (result i32) (i32.eqz (local.get 0)) (then (call $wait (i32.const 1)))
      (else (i32.add (i32.const 1) (call $deep (i32.sub (local.get 0) (i32.const 1)))))))
  (func $endless (export "endless") (result i32) (i32.add (call $endless) (i32.const 1))))
"""

Wait = Callable[..., Awaitable[Any]]


def run(main: Coroutine[Any, Any, None]) -> None:
    async def in_time() -> None:
        async with asyncio.timeout(60):
            await main

    asyncio.run(in_time())


@pytest.fixture(scope="module")
def guest_module(engine: Engine) -> CoreModule:
    return CoreModule(engine, wat_to_wasm(GUEST))


@pytest.fixture
def guest(guest_module: CoreModule) -> Callable[..., CoreInstance]:
    def make(wait: Wait, sync: Callable[[int], int] = lambda value: value) -> CoreInstance:
        store = CoreStore(guest_module.engine)
        return CoreInstance(
            store,
            guest_module,
            [async_host_function(store, UNARY, wait), CoreFunc.from_python(store, UNARY, sync)],
        )

    return make


Guest = Callable[..., CoreInstance]


async def _next(value: int) -> int:
    await asyncio.sleep(0)
    return value + 1


def test_a_guest_waits_and_goes_on(guest: Guest) -> None:
    async def main() -> None:
        instance = guest(_next)
        assert await call_async(func(instance, "wait"), 41) == 42
        assert await call_async(func(instance, "sum"), 10) == 65
        assert await call_async(func(instance, "double"), 4) == 8

    run(main())


def test_a_host_function_that_does_not_wait_is_as_good(guest: Guest) -> None:
    async def at_once(value: int) -> int:
        return value

    async def main() -> None:
        assert await call_async(func(guest(at_once), "sum"), 100) == 5050

    run(main())


def test_values_of_all_number_types_arrive(engine: Engine) -> None:
    types = ("i32", "i64", "f32", "f64")
    module = CoreModule(
        engine,
        wat_to_wasm(
            """(module (import "" "h" (func $h (param i32 i64 f32 f64) (result f64 f32 i64 i32)))
                 (func (export "f") (param i32 i64 f32 f64) (result f64 f32 i64 i32)
                   (call $h (local.get 0) (local.get 1) (local.get 2) (local.get 3))))"""
        ),
    )

    async def turn(*values: Any) -> Any:
        await asyncio.sleep(0)
        return values[::-1]

    async def main() -> None:
        store = CoreStore(engine)
        imports = [async_host_function(store, CoreFuncType(types, types[::-1]), turn)]
        values = (2**32 - 1, 2**64 - 1, -0.5, 1e300)
        assert await call_async(func(CoreInstance(store, module, imports), "f"), *values) == values[::-1]

    run(main())


@pytest.mark.parametrize("results", [(), ("i64",), ("f64", "i32")])
def test_a_function_that_may_wait_gives_its_results_at_once_or_later(
    engine: Engine, results: tuple[str, ...]
) -> None:
    type_ = CoreFuncType(("i32", "i64"), results)
    wanted = {(): None, ("i64",): 2**64 - 1, ("f64", "i32"): (-0.5, 7)}[results]
    text = "".join(f"(result {result})" for result in results)
    module = CoreModule(
        engine,
        wat_to_wasm(
            f"""(module (import "" "h" (func $h (param i32 i64) {text}))
                 (func (export "f") (param i32 i64) {text} (call $h (local.get 0) (local.get 1))))"""
        ),
    )
    called = []

    def host(*values: int) -> Any:
        called.append(values)
        return wanted if values[0] == 0 else later()

    async def later() -> Any:
        await asyncio.sleep(0)
        return wanted

    store = CoreStore(engine)
    guest_func = func(CoreInstance(store, module, [may_wait_host_function(store, type_, host)]), "f")

    async def main() -> None:
        for waits in (0, 1, 1, 0):
            assert await call_async(guest_func, waits, 2**63) == wanted

    run(main())
    assert guest_func.bind()(0, 2**63) == wanted
    assert called == [(0, 2**63), (1, 2**63), (1, 2**63), (0, 2**63), (0, 2**63)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # the coroutine is closed, so that nobody misses its `await`
        with pytest.raises(Trap) as caught:
            guest_func.bind()(1, 2**63)
    assert caught.value.kind is TrapKind.CANNOT_BLOCK


def test_many_guests_wait_together(guest: Guest) -> None:
    async def main() -> None:
        gate = asyncio.Event()
        waiting = 0

        async def wait(value: int) -> int:
            nonlocal waiting
            waiting += 1
            await gate.wait()
            return value

        tasks = [asyncio.ensure_future(call_async(func(guest(wait), "wait"), index)) for index in range(500)]
        while waiting < 500:
            await asyncio.sleep(0)
        gate.set()
        assert await asyncio.gather(*tasks) == list(range(500))

    run(main())


def test_the_coroutine_runs_in_the_callers_task_and_context(guest: Guest) -> None:
    variable: contextvars.ContextVar[int] = contextvars.ContextVar("variable")

    tasks = []

    async def wait(value: int) -> int:
        tasks.append(asyncio.current_task())
        return variable.get()

    async def main() -> None:
        variable.set(7)
        assert await call_async(func(guest(wait), "wait"), 1) == 7
        assert tasks == [asyncio.current_task()]

    run(main())


def test_an_exception_arrives_as_it_was_raised(guest: Guest) -> None:
    error = LookupError("mine")

    async def wait(value: int) -> int:
        await asyncio.sleep(0)
        raise error

    async def main() -> None:
        instance = guest(wait)
        with pytest.raises(LookupError) as caught:
            await call_async(func(instance, "sum"), 3)
        assert caught.value is error
        assert func(instance, "double")(2) == 4

    run(main())


def test_a_result_out_of_range_stops_the_guest(guest: Guest) -> None:
    async def wait(value: int) -> int:
        return -1

    async def main() -> None:
        with pytest.raises(Exception, match=r"argument out of range|format"):
            await call_async(func(guest(wait), "wait"), 1)

    run(main())


def test_a_trap_after_waiting_has_frames(guest: Guest) -> None:
    async def main() -> None:
        instance = guest(_next)
        with pytest.raises(Trap) as caught:
            await call_async(func(instance, "boom"), 1)
        assert caught.value.kind is TrapKind.UNREACHABLE
        assert [frame.func_name for frame in caught.value.frames] == ["boom"]
        with pytest.raises(Trap) as caught:
            await call_async(func(instance, "endless"))
        assert caught.value.kind is TrapKind.STACK_OVERFLOW
        assert await call_async(func(instance, "wait"), 1) == 2

    run(main())


def test_a_guest_waits_deep_in_its_stack(guest: Guest) -> None:
    async def main() -> None:
        assert await call_async(func(guest(_next), "deep"), 2000) == 2002

    run(main())


# Cancellation.


def test_cancelling_the_task_ends_the_guests_call(guest: Guest) -> None:
    async def main() -> None:
        cancelled = []

        waiting = asyncio.Event()

        async def wait(value: int) -> int:
            waiting.set()
            try:
                await asyncio.get_running_loop().create_future()
            except asyncio.CancelledError:
                cancelled.append(value)
                raise
            return 0

        instance = guest(wait)
        task = asyncio.ensure_future(call_async(func(instance, "wait"), 5))
        await waiting.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert cancelled == [5]
        with pytest.raises(StoreUnusableError, match="cancelled"):
            func(instance, "double")(1)
        with pytest.raises(StoreUnusableError, match="cancelled"):
            await call_async(func(instance, "double"), 1)
        assert await call_async(func(guest(_next), "wait"), 1) == 2

    run(main())


def test_a_busy_guest_lets_others_run_and_can_be_cancelled(guest: Guest) -> None:
    async def main() -> None:
        task = asyncio.ensure_future(call_async(func(guest(_next), "forever")))
        assert await call_async(func(guest(_next), "sum"), 50) == sum(range(2, 52))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(main())


def test_a_busy_guest_meets_its_deadline(guest: Guest) -> None:
    async def main() -> None:
        instance = guest(_next)
        instance.store.set_timeout(0.03)
        with pytest.raises(Trap) as caught:
            await call_async(func(instance, "forever"))
        assert caught.value.kind is TrapKind.TIMEOUT
        assert caught.value.frames[0].module_name == "guest"

    run(main())


def test_a_store_can_be_closed_while_its_guest_waits(guest: Guest) -> None:
    async def main() -> None:
        async def wait(value: int) -> int:
            instance.store.close()
            return 1

        instance = guest(wait)
        with pytest.raises(StoreUnusableError, match="is closed"):
            await call_async(func(instance, "wait"), 1)

    run(main())


def test_a_forgotten_guest_is_freed(guest: Guest) -> None:
    async def never(value: int) -> int:
        await asyncio.get_running_loop().create_future()
        return 0

    async def main() -> None:
        instance = guest(never)
        store = weakref.ref(instance.store)
        coroutine = call_async(func(instance, "wait"), 1)
        coroutine.send(None)
        del instance, coroutine
        gc.collect()
        assert store() is None

    run(main())


# What may run while a guest waits.


def test_functions_of_a_waiting_guests_store_can_be_called(guest: Guest) -> None:
    async def main() -> None:
        double: Callable[[int], int]

        async def wait(value: int) -> int:
            assert double(value) == 2 * value
            with pytest.raises(Trap):
                endless()
            await asyncio.sleep(0)
            memory.view()[0] = 9
            return double(value)

        instance = guest(wait)
        double, endless = func(instance, "double").bind(), func(instance, "endless").bind()
        memory = cast(CoreMemory, instance.export("memory"))
        assert await call_async(func(instance, "sum"), 5) == 30
        assert func(instance, "calls")() == 10
        assert len(memory.view()) == 11 * 65536

    run(main())


def test_several_fibers_of_one_store_end_in_any_order(guest: Guest) -> None:
    dice = random.Random(7)

    async def main() -> None:
        async def wait(value: int) -> int:
            for _ in range(dice.randrange(4)):
                await asyncio.sleep(0)
            if value == 3 and dice.random() < 0.2:
                raise LookupError
            return value

        instance = guest(wait)
        calls = [
            call_async(func(instance, name), dice.randrange(1, 30))
            for name in (dice.choice(["sum", "wait", "deep", "boom"]) for _ in range(300))
        ]
        for result in await asyncio.gather(*calls, return_exceptions=True):
            assert isinstance(result, int | LookupError | Trap)
            assert not isinstance(result, Trap) or result.kind is TrapKind.UNREACHABLE
        assert func(instance, "double")(1) == 2

    run(main())


def test_sync_host_functions_work_on_fibers(guest: Guest) -> None:
    async def main() -> None:
        double: Callable[[int], int]
        instance = guest(_next, lambda value: double(value) + 1)
        double = func(instance, "double").bind()
        assert await call_async(func(instance, "sync"), 10) == 21

    run(main())


def test_deep_python_on_a_fiber_is_an_exception(guest: Guest) -> None:
    def deep(value: int) -> int:
        return deep(value) + 1

    def nested(value: int) -> int:
        items: list[Any] = []
        for _ in range(100_000):
            items = [items]
        return len(repr(items))

    async def main() -> None:
        for sync in (deep, nested):
            with pytest.raises(RecursionError):
                await call_async(func(guest(_next, sync), "sync"), 1)

    run(main())


def test_a_guest_that_was_called_synchronously_cannot_wait(guest: Guest) -> None:
    with pytest.raises(Trap) as caught:
        func(guest(_next), "wait")(1)
    assert caught.value.kind is TrapKind.CANNOT_BLOCK


def test_a_guest_cannot_wait_below_a_sync_host_function(guest: Guest) -> None:
    async def main() -> None:
        wait: Callable[[int], int]
        instance = guest(_next, lambda value: wait(value))
        wait = func(instance, "wait").bind()
        with pytest.raises(Trap) as caught:
            await call_async(func(instance, "sync"), 1)
        assert caught.value.kind is TrapKind.CANNOT_BLOCK
        assert await call_async(func(instance, "wait"), 1) == 2

    run(main())


def test_start_functions_can_wait(engine: Engine) -> None:
    module = CoreModule(
        engine,
        wat_to_wasm(
            """(module (import "" "wait" (func $wait (param i32) (result i32)))
                 (import "" "wait" (func (param i32) (result i32)))
                 (global (export "g") (mut i32) (i32.const 0))
                 (func $start (global.set 0 (call $wait (i32.const 1)))) (start $start))"""
        ),
    )

    async def main() -> None:
        store = CoreStore(engine)
        wait = async_host_function(store, UNARY, _next)
        instance = await instantiate_async(store, module, [wait, wait])
        assert cast(CoreGlobal, instance.export("g")).value == 2
        with pytest.raises(Trap) as caught:
            CoreInstance(store, module, [wait, wait])
        assert caught.value.kind is TrapKind.CANNOT_BLOCK

        async def fail(value: int) -> int:
            raise LookupError

        failing = async_host_function(store, UNARY, fail)
        with pytest.raises(LookupError):
            await instantiate_async(store, module, [failing, failing])

    run(main())


# Guests with garbage collection.

COLLECTED = """
(module
  (import "" "wait" (func $wait (param i32) (result i32)))
  (import "" "sync" (func $sync (param i32) (result i32)))
  (type $box (struct (field i32)))
  (func (export "wait") (param i32) (result i32) (local $kept (ref null $box))
    (local.set $kept (struct.new $box (local.get 0)))
    (i32.add (i32.mul (call $wait (local.get 0)) (i32.const 1000)) (struct.get $box 0 (local.get $kept))))
  (func (export "sync") (param i32) (result i32) (local $kept (ref null $box))
    (local.set $kept (struct.new $box (local.get 0)))
    (i32.add (i32.mul (call $sync (local.get 0)) (i32.const 1000)) (struct.get $box 0 (local.get $kept))))
  (func (export "garbage") (param i32) (result i32) (local $box (ref null $box))
    (loop
      (local.set $box (struct.new $box (i32.const 7)))
      (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))
    (struct.get $box 0 (local.get $box))))
"""
MUCH = 300_000


def test_what_a_waiting_guest_uses_is_not_collected(engine: Engine) -> None:
    module = CoreModule(engine, wat_to_wasm(COLLECTED))

    async def wait(value: int) -> int:
        await asyncio.sleep(0)
        with pytest.raises(StoreUnusableError, match="garbage collection"):
            garbage(1)
        with pytest.raises(StoreUnusableError, match="garbage collection"):
            await call_async(func(instance, "garbage"), 1)
        return value

    store = CoreStore(engine)
    instance = CoreInstance(
        store,
        module,
        [
            async_host_function(store, UNARY, wait, lambda _: garbage(MUCH)),
            CoreFunc.from_python(store, UNARY, lambda _: garbage(MUCH)),
        ],
    )
    garbage = func(instance, "garbage").bind()

    async def main() -> None:
        assert await call_async(func(instance, "wait"), 42) == 7042
        assert await call_async(func(instance, "sync"), 42) == 7042
        assert func(instance, "sync")(42) == 7042
        assert await call_async(func(instance, "garbage"), MUCH) == 7

    run(main())


def test_little_stays_with_a_waiting_guest(guest: Guest) -> None:
    """The figure is for the guest's objects; a fiber's stack is not among them."""

    async def main() -> None:
        async def wait(value: int) -> int:
            return value

        guest(wait)
        before = sys.getallocatedblocks()
        kept = [guest(wait) for _ in range(100)]
        assert (sys.getallocatedblocks() - before) / 100 < 150
        del kept

    run(main())


def test_guests_are_refused_before_the_process_runs_out_of_mappings(
    guest: Guest, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        gc.collect()
        gate = asyncio.Event()

        async def wait(value: int) -> int:
            await gate.wait()
            return value

        instances = [guest(wait) for _ in range(3)]
        before = MAPPINGS.used
        monkeypatch.setattr(MAPPINGS, "limit", before + 2 * MAPPINGS_PER_FIBER)
        tasks = [
            asyncio.ensure_future(call_async(func(instances[index], "wait"), index)) for index in range(2)
        ]
        await asyncio.sleep(0)
        for start in (lambda: call_async(func(instances[2], "wait"), 2), _instantiate):
            with pytest.raises(Trap, match=r"vm\.max_map_count") as caught:
                await start()
            assert caught.value.kind is TrapKind.LIMIT_EXCEEDED
        gate.set()
        assert await asyncio.gather(*tasks) == [0, 1]
        assert await call_async(func(instances[2], "wait"), 2) == 2
        assert MAPPINGS.used == before

    async def _instantiate() -> None:
        guest(_next)

    run(main())
