"""A guest that misbehaves gets an error within its limits, its instance is poisoned, the next guest runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from ingen_runtime.component.component import Component
from ingen_runtime.component.instance import Instance
from ingen_runtime.engine import CoreStore, StoreLimits, wat_to_wasm
from ingen_runtime.errors import PoisonedError, Trap, TrapKind

COMPONENT = r"""
(component
  (import "pause" (func $pause))
  (core func $core-pause (canon lower (func $pause)))
  (core module $m
    (import "" "pause" (func $pause))
    (memory (export "memory") 1)
    (func $recurse (export "recurse") (result i32) (i32.add (call $recurse) (i32.const 1)))
    (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
    (func (export "fail") unreachable)
    (func (export "spin") (loop (br 0)))
    (func (export "spin-outside") (loop (call $pause) (br 0)))
    (func (export "eat") (result i32)
      (loop (if (i32.ne (memory.grow (i32.const 16)) (i32.const -1)) (then (br 1))))
      memory.size)
    (func (export "eat-all")
      (loop (if (i32.ne (memory.grow (i32.const 16)) (i32.const -1)) (then (br 1))))
      unreachable)
    ;; Descriptors and values as the parameter says.
    (func (export "same") (param i32) (result i32) (local.get 0))
    (func (export "pair") (param i32 i32) (result i32)
      (i32.store (i32.const 16) (local.get 0))
      (i32.store (i32.const 20) (local.get 1))
      (i32.const 16))
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) i32.const -4)
    (func (export "take") (param i32 i32)))
  (core instance $i (instantiate $m (with "" (instance (export "pause" (func $core-pause))))))
  (func (export "add") (param "a" u32) (param "b" u32) (result u32) (canon lift (core func $i "add")))
  (func (export "fail") (canon lift (core func $i "fail")))
  (func (export "recurse") (result u32) (canon lift (core func $i "recurse")))
  (func (export "spin") (canon lift (core func $i "spin")))
  (func (export "spin-outside") (canon lift (core func $i "spin-outside")))
  (func (export "eat") (result u32) (canon lift (core func $i "eat")))
  (func (export "eat-all") (canon lift (core func $i "eat-all")))
  (func (export "text-at") (param "ptr" u32) (result string)
    (canon lift (core func $i "same") (memory (core memory $i "memory"))))
  (func (export "text") (param "ptr" u32) (param "length" u32) (result string)
    (canon lift (core func $i "pair") (memory (core memory $i "memory"))))
  (func (export "numbers") (param "ptr" u32) (param "length" u32) (result (list u32))
    (canon lift (core func $i "pair") (memory (core memory $i "memory"))))
  (func (export "letter") (param "code" u32) (result char) (canon lift (core func $i "same")))
  (type $e' (enum "a" "b"))
  (export $e "e" (type $e'))
  (func $choice (param "index" u32) (result $e) (canon lift (core func $i "same")))
  (export "choice" (func $choice))
  (func (export "take") (param "text" string)
    (canon lift (core func $i "take") (memory (core memory $i "memory"))
      (realloc (core func $i "realloc")))))
"""

Make = Callable[..., Instance]


@pytest.fixture(scope="module")
def component() -> Component:
    return Component.from_bytes(wat_to_wasm(COMPONENT))


@pytest.fixture
def make(component: Component) -> Make:
    def make(limits: StoreLimits | None = None, timeout_s: float | None = None) -> Instance:
        store = CoreStore(component.engine, limits)
        if timeout_s is not None:
            store.set_timeout(timeout_s)
        return component.instantiate({"pause": lambda: None}, store=store)

    return make


def misbehave(make: Make, instance: Instance, name: str, *arguments: Any) -> Trap:
    """Call a function that traps. Afterwards only this instance cannot be called."""
    bystander = make()
    with pytest.raises(Trap) as caught:
        instance.exports[name](*arguments)
    with pytest.raises(PoisonedError):
        instance.exports["add"](1, 2)
    assert bystander.exports["add"](1, 2) == make().exports["add"](1, 2) == 3
    return caught.value


def test_trap(make: Make) -> None:
    trap = misbehave(make, make(), "fail")
    assert trap.kind is TrapKind.UNREACHABLE
    assert trap.frames


def test_endless_recursion(make: Make) -> None:
    assert misbehave(make, make(), "recurse").kind is TrapKind.STACK_OVERFLOW


def test_endless_recursion_on_a_fiber(make: Make) -> None:
    with pytest.raises(Trap) as caught:
        asyncio.run(make().call_async("recurse"))
    assert caught.value.kind is TrapKind.STACK_OVERFLOW
    assert make().exports["add"](1, 2) == 3


@pytest.mark.parametrize("name", ["spin", "spin-outside"])
def test_endless_loop(make: Make, name: str) -> None:
    assert misbehave(make, make(timeout_s=0.05), name).kind is TrapKind.TIMEOUT


def test_endless_loop_on_asyncio(make: Make) -> None:
    async def main() -> int:
        async with asyncio.timeout(5):
            busy = asyncio.ensure_future(make(timeout_s=0.1).call_async("spin"))
            # Others run meanwhile.
            added: int = await make().call_async("add", 1, 2)
            with pytest.raises(Trap) as caught:
                await busy
            assert caught.value.kind is TrapKind.TIMEOUT
            return added

    assert asyncio.run(main()) == 3


def test_all_memory(make: Make) -> None:
    limits = StoreLimits(memory_bytes=4 << 20)
    # One page, and 16 more as often as they fit into 64.
    assert make(limits).exports["eat"]() == 49
    assert misbehave(make, make(limits), "eat-all").kind is TrapKind.UNREACHABLE


WILD = [
    ("text-at", (0xFFFFFFFC,), TrapKind.OUT_OF_BOUNDS),
    ("text-at", (65532,), TrapKind.OUT_OF_BOUNDS),
    ("text-at", (2,), TrapKind.UNALIGNED_POINTER),
    ("text", (0xFFFFFFFF, 0xFFFFFFFF), TrapKind.STRING_TOO_LONG),
    ("text", (0xFFFFFFFF, 1), TrapKind.OUT_OF_BOUNDS),
    # The length is part of the text, and no UTF-8.
    ("text", (20, 0x80), TrapKind.INVALID_STRING),
    ("text", (65535, 2), TrapKind.OUT_OF_BOUNDS),
    ("text", (0, 1 << 28), TrapKind.STRING_TOO_LONG),
    ("numbers", (0xFFFFFFF0, 1), TrapKind.OUT_OF_BOUNDS),
    ("numbers", (8, 0xFFFFFFFF), TrapKind.LIST_TOO_LONG),
    ("numbers", (2, 1), TrapKind.UNALIGNED_POINTER),
    ("letter", (0xD800,), TrapKind.INVALID_CHAR),
    ("letter", (0x110000,), TrapKind.INVALID_CHAR),
    ("choice", (2,), TrapKind.INVALID_DISCRIMINANT),
    ("choice", (0xFFFFFFFF,), TrapKind.INVALID_DISCRIMINANT),
    ("take", ("text",), TrapKind.OUT_OF_BOUNDS),
]


@pytest.mark.parametrize(("name", "arguments", "kind"), WILD)
def test_wild_values(make: Make, name: str, arguments: tuple[Any, ...], kind: TrapKind) -> None:
    assert misbehave(make, make(), name, *arguments).kind is kind


def test_strings_and_lists_have_limits(make: Make) -> None:
    limits = StoreLimits(string_bytes=100, list_bytes=100)
    assert len(make(limits).exports["text"](256, 100)) == 100
    assert len(make(limits).exports["numbers"](256, 25)) == 25
    too_long = misbehave(make, make(limits), "text", 256, 101)
    assert (too_long.kind, too_long.detail) == (TrapKind.STRING_TOO_LONG, "101 bytes, at most 100")
    too_long = misbehave(make, make(limits), "numbers", 256, 26)
    assert (too_long.kind, too_long.detail) == (TrapKind.LIST_TOO_LONG, "104 bytes, at most 100")
