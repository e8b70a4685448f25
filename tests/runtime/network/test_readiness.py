"""Waiting, by itself."""

from __future__ import annotations

import asyncio

import pytest

from ingen_runtime.readiness import ALWAYS, Signal, Timer, wait, wait_any


async def test_signals() -> None:
    holds = False
    signal = Signal(lambda: holds)
    woken: list[str] = []

    def first() -> None:
        woken.append("first")
        signal.unwatch(second)

    def second() -> None:
        woken.append("second")

    signal.watch(first)
    signal.watch(second)
    signal.watch(first)
    signal.wake_all()
    assert woken == ["first", "second"], "each once, in order; who leaves meanwhile may be called once more"
    signal.wake_all()
    assert woken == ["first", "second", "first"]
    signal.unwatch(first)
    signal.unwatch(first)
    async with asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(wait(signal))
        await asyncio.sleep(0)
        signal.wake_all()  # for nothing
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert not waiting.done()
        holds = True
        signal.wake_all()


async def test_timers() -> None:
    now = asyncio.get_running_loop().time()
    soon, late = Timer(now + 0.01), Timer(now + 1000)
    assert not soon.ready()
    assert await wait_any([late, soon]) == [1]
    assert soon.ready() and not late.ready()
    await wait(Timer(now - 1))


async def test_many() -> None:
    never = Signal(lambda: False)
    assert await wait_any([never, ALWAYS, never, ALWAYS]) == [1, 3]
    with pytest.raises(ValueError, match="nothing to wait for"):
        await wait_any([])
    woken: list[int] = []
    ALWAYS.watch(lambda: woken.append(1))
    assert woken == [1]
