"""Async components together with asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from ingen_runtime.component.component import Component
from ingen_runtime.engine import Engine, EngineConfig
from ingen_runtime.errors import HostValueError, PoisonedError, Trap, TrapKind

# `both` calls the host twice without waiting in between, then waits for both subtasks in its callback.
BOTH = """
(component
  (import "ask" (func $ask async (param "x" u32) (result u32)))
  (core module $libc (memory (export "mem") 1))
  (core instance $libc (instantiate $libc))
  (core func $ask' (canon lower (func $ask) async (memory (core memory $libc "mem"))))
  (core func $new (canon waitable-set.new))
  (core func $join (canon waitable.join))
  (core func $drop (canon subtask.drop))
  (core func $return (canon task.return (result u32)))
  (core module $m
    (import "" "mem" (memory 1))
    (import "" "ask" (func $ask (param i32 i32) (result i32)))
    (import "" "new" (func $new (result i32)))
    (import "" "join" (func $join (param i32 i32)))
    (import "" "drop" (func $drop (param i32)))
    (import "" "return" (func $return (param i32)))
    (global $set (mut i32) (i32.const 0))
    (global $open (mut i32) (i32.const 0))
    (func $begin (param $x i32) (param $ptr i32)
      (local $status i32)
      (local.set $status (call $ask (local.get $x) (local.get $ptr)))
      (if (i32.ne (i32.and (local.get $status) (i32.const 15)) (i32.const 2))
        (then
          (global.set $open (i32.add (global.get $open) (i32.const 1)))
          (call $join (i32.shr_u (local.get $status) (i32.const 4)) (global.get $set)))))
    (func $next (result i32)
      (if (result i32) (global.get $open)
        (then (i32.or (i32.const 2) (i32.shl (global.get $set) (i32.const 4))))
        (else
          (call $return (i32.add (i32.load (i32.const 16)) (i32.load (i32.const 20))))
          (i32.const 0))))
    (func (export "both") (param i32) (result i32)
      (global.set $set (call $new))
      (call $begin (local.get 0) (i32.const 16))
      (call $begin (i32.add (local.get 0) (i32.const 1)) (i32.const 20))
      (call $next))
    (func (export "callback") (param $event i32) (param $index i32) (param $state i32) (result i32)
      (if (i32.and (i32.eq (local.get $event) (i32.const 1)) (i32.eq (local.get $state) (i32.const 2)))
        (then
          (call $drop (local.get $index))
          (global.set $open (i32.sub (global.get $open) (i32.const 1)))))
      (call $next)))
  (core instance $i (instantiate $m (with "" (instance
    (export "mem" (memory $libc "mem")) (export "ask" (func $ask')) (export "new" (func $new))
    (export "join" (func $join)) (export "drop" (func $drop)) (export "return" (func $return))))))
  (func (export "both") async (param "x" u32) (result u32)
    (canon lift (core func $i "both") async (callback (core func $i "callback")))))
"""


@pytest.fixture(scope="module")
def component(assemble: Callable[[str], bytes]) -> Component:
    return Component.from_bytes(assemble(BOTH), engine=Engine(EngineConfig(parallel_compilation=False)))


def test_host_functions_run_at_the_same_time(component: Component) -> None:
    async def main() -> None:
        both_began = asyncio.Event()
        began: list[int] = []

        async def ask(x: int) -> int:
            began.append(x)
            if len(began) == 2:
                both_began.set()
            await both_began.wait()
            return x * 10

        instance = component.instantiate({"ask": ask})
        async with asyncio.timeout(20):
            assert await instance.call_async("both", 3) == 70
        assert began == [3, 4]

    asyncio.run(main())


def test_plain_host_functions_need_no_asyncio(component: Component) -> None:
    instance = component.instantiate({"ask": lambda x: x * 10})
    assert instance.exports.both(3) == 70
    assert instance.exports.both(4) == 90


def test_an_async_host_function_cannot_be_waited_for_synchronously(component: Component) -> None:
    async def ask(x: int) -> int:
        return x

    instance = component.instantiate({"ask": ask})
    with pytest.raises(Trap) as caught:
        instance.exports.both(1)
    assert caught.value.kind is TrapKind.CANNOT_BLOCK


def test_arguments_are_given_by_position_or_name(component: Component) -> None:
    async def main() -> None:
        instance = component.instantiate({"ask": lambda x: x})
        assert instance.exports.both(x=3) == 7
        assert await instance.exports.both.call_async(x=3) == 7
        with pytest.raises(TypeError, match=r"^both\(\) missing 1 required positional argument: 'x'$"):
            instance.exports.both()
        with pytest.raises(TypeError, match=r"^both\(\) got an unexpected keyword argument 'y'$"):
            await instance.exports.both.call_async(y=3)
        assert instance.exports.both(3) == 7

    asyncio.run(main())


def test_an_argument_that_does_not_fit_is_refused(component: Component) -> None:
    instance = component.instantiate({"ask": lambda x: x})
    for _ in range(2):
        with pytest.raises(HostValueError, match="expected u32"):
            instance.exports.both(-1)
    assert instance.exports.both(3) == 7


def test_a_result_that_does_not_fit_poisons(component: Component) -> None:
    instance = component.instantiate({"ask": lambda x: -x})
    with pytest.raises(HostValueError, match="expected u32"):
        instance.exports.both(1)
    with pytest.raises(PoisonedError):
        instance.exports.both(1)


def test_host_exceptions_arrive(component: Component) -> None:
    async def main() -> None:
        async def ask(x: int) -> int:
            await asyncio.sleep(0)
            raise LookupError(x)

        instance = component.instantiate({"ask": ask})
        with pytest.raises(LookupError):
            await instance.call_async("both", 1)
        with pytest.raises(PoisonedError):
            await instance.call_async("both", 1)

    asyncio.run(main())


def test_cancellation_ends_the_call(component: Component) -> None:
    async def main() -> None:
        cancelled: list[int] = []
        waiting = asyncio.Event()

        async def ask(x: int) -> int:
            try:
                waiting.set()
                await asyncio.Event().wait()
            finally:
                cancelled.append(x)
            return x

        instance = component.instantiate({"ask": ask})
        call = asyncio.ensure_future(instance.call_async("both", 1))
        await waiting.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        for _ in range(3):
            await asyncio.sleep(0)
        assert cancelled == [1, 2]
        with pytest.raises(PoisonedError):
            await instance.call_async("both", 1)

    asyncio.run(main())


# The destructor uses a built-in of async components, so it runs as a task.
DESTRUCTOR = """
(component
  (core module $m
    (import "" "yield" (func $yield (result i32)))
    (import "" "new" (func $new (param i32) (result i32)))
    (import "" "drop" (func $drop (param i32)))
    (global $last (mut i32) (i32.const 0))
    (func (export "destroy") (param i32)
      (drop (call $yield))
      (if (i32.eqz (local.get 0)) (then unreachable))
      (global.set $last (local.get 0)))
    (func (export "make") (param i32) (result i32) (call $new (local.get 0)))
    (func (export "make-and-drop") (param i32) (call $drop (call $new (local.get 0))))
    (func (export "last") (result i32) (global.get $last)))
  (core module $table
    (table (export "table") 1 funcref)
    (type $destructor (func (param i32)))
    (func (export "destroy") (param i32)
      (call_indirect (type $destructor) (local.get 0) (i32.const 0))))
  (core module $fill
    (import "" "table" (table 1 funcref))
    (import "" "destroy" (func $destroy (param i32)))
    (elem (i32.const 0) $destroy))
  (core instance $table (instantiate $table))
  (type $thing' (resource (rep i32) (dtor (core func $table "destroy"))))
  (core func $yield (canon thread.yield))
  (core func $new (canon resource.new $thing'))
  (core func $drop (canon resource.drop $thing'))
  (core instance $i (instantiate $m (with "" (instance
    (export "yield" (func $yield)) (export "new" (func $new)) (export "drop" (func $drop))))))
  (core instance (instantiate $fill (with "" (instance
    (export "table" (table $table "table")) (export "destroy" (func $i "destroy"))))))
  (export $thing "thing" (type $thing'))
  (func (export "make") (param "rep" u32) (result (own $thing)) (canon lift (core func $i "make")))
  (func (export "make-and-drop") (param "rep" u32) (canon lift (core func $i "make-and-drop")))
  (func (export "last") (result u32) (canon lift (core func $i "last"))))
"""


def test_a_destructor_is_a_task(assemble: Callable[[str], bytes]) -> None:
    component = Component.from_bytes(
        assemble(DESTRUCTOR), engine=Engine(EngineConfig(parallel_compilation=False))
    )
    instance = component.instantiate({})
    with instance.exports.make(5):
        assert instance.exports.last() == 0
    assert instance.exports.last() == 5
    instance.exports.make_and_drop(6)
    assert instance.exports.last() == 6
    with pytest.raises(Trap), instance.exports.make(0):
        pass
    with pytest.raises(PoisonedError):
        instance.exports.last()
