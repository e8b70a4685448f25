"""What a process is made of: arguments, folders, clocks, randomness."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from ingen_runtime.kernel.clock import ManualClock, SystemClock
from ingen_runtime.kernel.errors import FileError
from ingen_runtime.kernel.process import Folder, Process
from ingen_runtime.kernel.randomness import SeededRandomness, SystemRandomness
from ingen_runtime.readiness import wait


@pytest.mark.parametrize(
    ("text", "folder"),
    [
        ("/data", Folder("/data", "/data")),
        ("/data:/", Folder("/data", "/")),
        ("data:/in:ro", Folder("data", "/in", writable=False)),
        ("data:/in:rw", Folder("data", "/in")),
    ],
)
def test_folders_in_text(text: str, folder: Folder) -> None:
    assert Folder.parse(text) == folder


@pytest.mark.parametrize("text", ["", ":", "a:", ":b", "a:b:c", "a:b:ro:x"])
def test_what_is_no_folder_in_text(text: str) -> None:
    with pytest.raises(ValueError, match="HOST:GUEST"):
        Folder.parse(text)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=f"no-entry: {tmp_path}/missing: No such file"):
        Process(folders=[Folder(tmp_path / "missing", "/")])


@pytest.mark.parametrize("name", ["", "a=b"])
def test_names_of_variables(name: str) -> None:
    with pytest.raises(ValueError, match="no name of a variable"):
        Process(environment={name: "x"})


@pytest.mark.parametrize("text", ["a\0b", "\udcff"])
def test_text_that_no_guest_can_read(text: str) -> None:
    for arguments, environment in (([text], {}), ([], {text: ""}), ([], {"a": text})):
        with pytest.raises(ValueError, match="no guest can read"):
            Process(arguments=arguments, environment=environment)
    with pytest.raises(ValueError, match="no guest can read"):
        Process(folders=[Folder("/", text)])


def test_seeded_randomness_is_the_same_again() -> None:
    first, second, other = SeededRandomness(1), SeededRandomness(1), SeededRandomness(2)
    assert first.secure(16) == second.secure(16) != other.secure(16)
    first.insecure(100)
    assert first.secure(16) == second.secure(16), "one does not change the other"
    assert first.secure(16) != first.insecure(16)
    assert SeededRandomness(b"\1").secure(8) == SeededRandomness(b"\1").secure(8)


def test_system_randomness() -> None:
    source = SystemRandomness()
    assert len(source.secure(100)) == len(source.insecure(100)) == 100
    assert source.secure(16) != source.secure(16)


def test_a_clock_that_is_moved() -> None:
    async def run() -> None:
        clock = ManualClock(wall_ns=1_000, monotonic_ns=50)
        timer, later = clock.timer(60), clock.timer(1_000)
        waiting = asyncio.ensure_future(wait(timer))
        other = asyncio.ensure_future(wait(later))
        await asyncio.sleep(0)
        assert clock.waiting == 2
        clock.advance(9)
        await asyncio.sleep(0)
        assert not timer.ready()
        clock.advance(1)
        await waiting
        assert (clock.wall_ns(), clock.monotonic_ns(), clock.waiting) == (1_010, 60, 1)
        other.cancel()
        await asyncio.gather(other, return_exceptions=True)
        assert clock.waiting == 0

    asyncio.run(run())


def test_timers_are_never_early() -> None:
    async def run() -> None:
        clock = SystemClock()
        for wait_ns in (0, 1, 999, 12_345, 300_000):
            when = clock.monotonic_ns() + wait_ns
            await wait(clock.timer(when))
            assert clock.monotonic_ns() >= when
        assert clock.timer(0).ready()
        assert not clock.timer((1 << 64) - 1).ready()

    asyncio.run(run())
