"""`wasi:cli`, `wasi:clocks` and `wasi:random` without a guest."""

from __future__ import annotations

import asyncio

import pytest

from ingen_runtime.canonical import Err, Ok
from ingen_runtime.errors import Trap, TrapKind
from ingen_runtime.kernel.clock import ManualClock
from ingen_runtime.kernel.limits import MIB
from ingen_runtime.kernel.memory_streams import BytesInput, NullOutput
from ingen_runtime.kernel.process import Process, ProcessExit
from ingen_runtime.kernel.randomness import SeededRandomness, SystemRandomness
from ingen_runtime.wasi.p2.bindings.timezone import TimezoneDisplay
from ingen_runtime.wasi.p2.bindings.wall_clock import Datetime
from ingen_runtime.wasi.p2.cli import Environment, Exit
from ingen_runtime.wasi.p2.clocks import MonotonicClock, Timezone, WallClock
from ingen_runtime.wasi.p2.imports import Wasi
from ingen_runtime.wasi.p2.randomness import MOST_BYTES, Insecure, InsecureSeed, Random
from tests.runtime.wasi.p2.asynchronous import running, settle, value_of


def test_environment() -> None:
    with Process(arguments=["program", "x"], environment={"B": "2", "A": "1"}) as process:
        environment = Environment(process)
        assert environment.get_arguments() == ["program", "x"]
        assert environment.get_environment() == [("B", "2"), ("A", "1")]
        assert environment.initial_cwd() is None


@pytest.mark.parametrize("status", [0, 1, 255])
def test_exit(status: int) -> None:
    with pytest.raises(ProcessExit) as caught:
        Exit().exit_with_code(status)
    assert caught.value.status == status
    with pytest.raises(ProcessExit) as caught:
        Exit().exit(Err() if status else Ok())
    assert caught.value.status == min(status, 1)


def test_terminals() -> None:
    class Keyboard(BytesInput):
        is_terminal = True

    class Screen(NullOutput):
        is_terminal = True

    with Process(stdin=Keyboard(), stderr=Screen()) as process:
        wasi = Wasi(process)
    assert wasi.terminal_stdin.get_terminal_stdin() is not None
    assert wasi.terminal_stdout.get_terminal_stdout() is None
    assert wasi.terminal_stderr.get_terminal_stderr() is not None


def test_clocks() -> None:
    clock = ManualClock(wall_ns=1_700_000_000_000_000_001, monotonic_ns=77)
    monotonic, wall = MonotonicClock(clock), WallClock(clock)
    assert (monotonic.now(), monotonic.resolution()) == (77, 1)
    assert wall.now() == Datetime(1_700_000_000, 1)
    assert wall.resolution() == Datetime(0, 1)
    assert WallClock(ManualClock(wall_ns=-5)).now() == Datetime(0, 0)
    assert Timezone().display(wall.now()) == TimezoneDisplay(0, "UTC", False)
    assert Timezone().utc_offset(wall.now()) == 0


@running
async def test_random_bytes() -> None:
    for randomness in (SystemRandomness(), SeededRandomness(3)):
        secure, insecure = Random(randomness), Insecure(randomness)
        for get in (secure.get_random_bytes, insecure.get_insecure_random_bytes):
            assert get(0) == b""
            small = await value_of(get(100))
            assert len(small) == 100
            assert len(set(small)) > 20
            with pytest.raises(Trap) as caught:
                get(MOST_BYTES + 1)
            assert caught.value.kind is TrapKind.LIMIT_EXCEEDED
        assert len({secure.get_random_u64(), insecure.get_insecure_random_u64()}) == 2
        assert InsecureSeed(randomness).insecure_seed() != InsecureSeed(randomness).insecure_seed()


@running
async def test_others_run_while_much_is_made() -> None:
    random, again = (Random(SeededRandomness("seed")) for _ in range(2))
    making = asyncio.ensure_future(value_of(random.get_random_bytes(4 * MIB + 1)))
    await asyncio.sleep(0)
    assert not making.done()
    await settle()
    made = await making
    assert len(made) == 4 * MIB + 1
    assert made[:MIB] == await value_of(again.get_random_bytes(MIB))
