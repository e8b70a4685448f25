"""Whole processes, timed side by side.

Between tools the wall time counts, and runs of different tools take turns, so that a busy moment of the
machine meets all of them.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

PROGRAMS = Path(sys.executable).parent
# An installed program has its bytecode. A variable that keeps Python from writing it would time the compiler.
_ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


@dataclass(frozen=True, slots=True)
class Run:
    """What one process took."""

    seconds: float
    processor_seconds: float
    peak_bytes: int
    status: int
    stderr: str


def run(command: list[str], environment: dict[str, str]) -> Run:
    """Run a command to its end, its standard output thrown away."""
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as stderr:
        start = time.perf_counter()
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
            env={**_ENVIRONMENT, **environment},
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        stderr.seek(0)
        # Linux counts in KiB, macOS in bytes.
        unit = 1 if sys.platform == "darwin" else 1024
        processor_seconds = usage.ru_utime + usage.ru_stime
        return Run(seconds, processor_seconds, usage.ru_maxrss * unit, process.returncode, stderr.read())


def ours(*arguments: str) -> list[str]:
    """Our command line tool, as a user starts it."""
    return [str(PROGRAMS / "ingen-sdkgen"), *arguments]


@dataclass(frozen=True, slots=True)
class Contender:
    """A command to time; `prepare` makes the command line and environment of each run."""

    name: str
    prepare: Callable[[], tuple[list[str], dict[str, str]]]
    target_ratio: float | None = None


def compete(contenders: Sequence[Contender], runs: int, base: str) -> None:
    """Print each contender's median wall time, and its ratio to that of the one called `base`."""
    seconds: dict[str, list[float]] = {contender.name: [] for contender in contenders}
    for round_ in range(runs + 1):
        for contender in contenders:
            command, environment = contender.prepare()
            done = run(command, environment)
            if done.status != 0:
                sys.exit(f"{contender.name} failed: {done.stderr}")
            if round_:  # the first round fills file caches, and ours
                seconds[contender.name].append(done.seconds)
    one = statistics.median(seconds[base])
    print(f"\n{'median of ' + str(runs):34} {'ms':>7} {'min':>7} {'ratio':>7}")
    for contender in contenders:
        median = statistics.median(seconds[contender.name])
        target = f"   (to reach: at most {contender.target_ratio})" if contender.target_ratio else ""
        print(
            f"{contender.name:34} {median * 1e3:7.1f} {min(seconds[contender.name]) * 1e3:7.1f} "
            f"{median / one:7.2f}{target}"
        )
