"""Views of linear memory, which grows, and without a reservation moves when it does."""

from __future__ import annotations

from typing import cast

import pytest

from ingen_runtime.engine import CoreMemory, CoreStore, Engine, EngineConfig, StoreLimits
from ingen_runtime.errors import Trap, TrapKind
from tests.runtime.engine.conftest import Instantiate, func

PAGE = 65536
MEMORY = """
(module
  (memory (export "m") 1 20)
  (data (i32.const 0) "hello")
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "load") (param i32) (result i32) (i32.load8_u (local.get 0))))
"""


def _memory(instantiate: Instantiate, limits: StoreLimits | None = None) -> CoreMemory:
    return cast(CoreMemory, instantiate(MEMORY, limits=limits).export("m"))


def test_a_view_reads_and_writes_the_guests_memory(instantiate: Instantiate) -> None:
    instance = instantiate(MEMORY)
    memory = cast(CoreMemory, instance.export("m"))
    view = memory.view()
    assert (bytes(view[:5]), len(view), view.format, view.readonly) == (b"hello", PAGE, "B", False)
    view[7] = 99
    assert func(instance, "load")(7) == 99
    assert memory.view() is view


@pytest.mark.parametrize("stays", [False, True])
def test_a_view_follows_growth_by_guest_and_host(instantiate: Instantiate, stays: bool) -> None:
    config = EngineConfig() if stays else EngineConfig(memory_reservation=0, memory_guard_size=0)
    store = CoreStore(Engine(config))
    instance = instantiate(MEMORY, store=store)
    memory = cast(CoreMemory, instance.export("m"))
    assert memory.stays is stays
    first = memory.view()
    for before in range(1, 10):
        old = memory.view()
        old[before] = before
        grown = memory.grow(1) if before % 2 else func(instance, "grow")(1)
        assert grown == before
        view = memory.view()
        assert len(view) == len(memory) == (before + 1) * PAGE
        assert view[before] == before
        if not stays:
            with pytest.raises(ValueError, match="released"):
                old[0]
    view[9 * PAGE] = 5
    assert func(instance, "load")(9 * PAGE) == 5
    if stays:
        assert (len(first), bytes(first[:10])) == (PAGE, bytes(view[:10]))
    store.close()
    for each in (first, view):
        with pytest.raises(ValueError, match="released"):
            each[0]


def test_a_64_bit_memory_may_move(instantiate: Instantiate) -> None:
    memory = cast(CoreMemory, instantiate('(module (memory (export "m") i64 1))').export("m"))
    assert not memory.stays


def test_growing_by_nothing_keeps_the_view(instantiate: Instantiate) -> None:
    instance = instantiate(MEMORY)
    memory = cast(CoreMemory, instance.export("m"))
    view = memory.view()
    assert func(instance, "grow")(0) == 1
    assert memory.view() is view


def test_two_handles_of_one_memory_see_each_others_growth(instantiate: Instantiate) -> None:
    instance = instantiate(MEMORY)
    one, other = cast(CoreMemory, instance.export("m")), cast(CoreMemory, instance.export("m"))
    one.view()
    other.grow(3)
    assert len(one.view()) == 4 * PAGE


def test_an_empty_memory_has_an_empty_view(instantiate: Instantiate) -> None:
    memory = cast(CoreMemory, instantiate('(module (memory (export "m") 0))').export("m"))
    assert len(memory.view()) == 0
    assert memory.read(0, 0) == b""


def test_a_host_function_sees_growth_in_the_middle_of_a_call(instantiate: Instantiate) -> None:
    lengths = []
    memory: CoreMemory
    instance = instantiate(
        """(module (import "" "look" (func $look)) (memory (export "m") 1)
             (func (export "f") (call $look) (drop (memory.grow (i32.const 2))) (call $look)))""",
        [lambda: lengths.append(len(memory.view()))],
    )
    memory = cast(CoreMemory, instance.export("m"))
    func(instance, "f")()
    assert lengths == [PAGE, 3 * PAGE]


@pytest.mark.parametrize(
    ("ptr", "length"), [(PAGE, 1), (PAGE - 1, 2), (-1, 1), (2**32, 1), (0, PAGE + 1), (5, -1)]
)
def test_ranges_out_of_bounds_are_traps(instantiate: Instantiate, ptr: int, length: int) -> None:
    memory = _memory(instantiate)
    with pytest.raises(Trap) as caught:
        memory.read(ptr, length)
    assert caught.value.kind is TrapKind.OUT_OF_BOUNDS_MEMORY
    if length > 0:
        with pytest.raises(Trap):
            memory.write(ptr, bytes(length))


def test_ranges_in_bounds_are_copied(instantiate: Instantiate) -> None:
    memory = _memory(instantiate)
    memory.write(PAGE - 3, memoryview(b"abcdef")[::2])
    assert memory.read(PAGE - 3, 3) == b"ace"
    assert memory.read(PAGE, 0) == b""


def test_a_memory_does_not_grow_beyond_its_limits(instantiate: Instantiate) -> None:
    memory = _memory(instantiate, StoreLimits(memory_bytes=2 * PAGE))
    assert memory.grow(1) == 1
    with pytest.raises(Trap) as caught:
        memory.grow(1)
    assert caught.value.kind is TrapKind.LIMIT_EXCEEDED
    assert len(memory.view()) == 2 * PAGE
