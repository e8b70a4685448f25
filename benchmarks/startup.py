"""Time starts, and count what many instances and many waiting guests take.

    python -m benchmarks.startup [--quick] [--only python|instances|waiting] [--check]

- python: from process start to the first result of an 18 MB component made by componentize-py, with warm
  caches, beside `wasmtime.component` with a deserialised component. Runs take turns; medians of the time that
  passes and of processor time.
- instances: many instances of a small component in one process.
- waiting: many guests that wait in an `async def` host function, each resumed several times.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path

from benchmarks.contest import run
from ingen_runtime.component.component import Component
from ingen_runtime.component.instance import Instance
from ingen_runtime.engine import wat_to_wasm

_WIT = """
package bench:startup;
world calculator {
  export add: func(a: u32, b: u32) -> u32;
}
"""

_APP = """
import wit_world

class WitWorld(wit_world.WitWorld):
    def add(self, a: int, b: int) -> int:
        return a + b
"""

_OURS = """
import sys
from ingen_runtime.component.component import Component
from ingen_runtime.component.linker import Linker
component = Component.from_file(sys.argv[1])
environment = {"get-environment": list, "get-arguments": list, "initial-cwd": lambda: None}
linker = Linker({"wasi:cli/environment@0.2.0": environment,
                 "wasi:random/random@0.2.0": {"get-random-bytes": bytes}})
instance = linker.trap_missing().instantiate(component)
assert instance.exports["add"](1, 2) == 3
"""

_THEIRS = """
import sys
import wasmtime
from wasmtime import component
engine = wasmtime.Engine()
loaded = component.Component.deserialize_file(engine, sys.argv[1])
linker = component.Linker(engine)
linker.add_wasip2()
store = wasmtime.Store(engine)
store.set_wasi(wasmtime.WasiConfig())
assert linker.instantiate(store, loaded).get_func(store, "add")(store, 1, 2) == 3
"""

_SERIALIZE = """
import sys
import wasmtime
from wasmtime import component
engine = wasmtime.Engine()
made = component.Component(engine, open(sys.argv[1], "rb").read())
open(sys.argv[2], "wb").write(made.serialize())
"""

SMALL = """
(component
  (core module $m
    (memory (export "memory") 1)
    (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))
  (core instance $i (instantiate $m))
  (func (export "add") (param "a" u32) (param "b" u32) (result u32) (canon lift (core func $i "add"))))
"""

WAITING = """
(component
  (import "wait" (func $wait (param "n" u32) (result u32)))
  (core module $m
    (import "" "wait" (func $wait (param i32) (result i32)))
    (memory (export "memory") 17)
    (data (i32.const 1024) "agent")
    (func (export "run") (param $rounds i32) (result i32)
      (local $sum i32)
      (loop $again
        (local.set $sum (i32.add (local.get $sum) (call $wait (i32.const 1))))
        (i32.store (i32.const 70000) (local.get $sum))
        (local.set $rounds (i32.sub (local.get $rounds) (i32.const 1)))
        (br_if $again (local.get $rounds)))
      (local.get $sum)))
  (core func $core-wait (canon lower (func $wait)))
  (core instance $i (instantiate $m (with "" (instance (export "wait" (func $core-wait))))))
  (func (export "run") (param "rounds" u32) (result u32) (canon lift (core func $i "run"))))
"""


def python_component() -> Path:
    """The component that componentize-py makes, built once and kept in the user's cache."""
    folder = user_cache_path("ingen", appauthor=False) / "benchmarks"
    component = folder / "calculator.wasm"
    if not component.exists():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "calculator.wit").write_text(_WIT)
        (folder / "app.py").write_text(_APP)
        program = str(Path(sys.executable).with_name("componentize-py"))
        command = [program, "-q", "-d", "calculator.wit", "-w", "calculator", "componentize", "app"]
        subprocess.run([*command, "-o", "new.wasm"], cwd=folder, check=True)
        (folder / "new.wasm").replace(component)
    return component


def measure_python(quick: bool) -> float:
    """Print how long the Python component takes; returns the ratio of the processor times."""
    component = python_component()
    serialized = component.with_suffix(".cwasm")
    python, environment = sys.executable, {"PYTHONPATH": os.pathsep.join(sys.path)}

    def start(script: str, *arguments: Path) -> Any:
        done = run([python, "-c", script, *map(str, arguments)], environment)
        if done.status:
            raise RuntimeError(done.stderr)
        return done

    start(_SERIALIZE, component, serialized)
    start(_OURS, component)
    ours, theirs = [], []
    for _ in range(3 if quick else 15):
        theirs.append(start(_THEIRS, serialized))
        ours.append(start(_OURS, component))
    print(f"{'first result, milliseconds':32}{'wasmtime':>12}{'ingen':>10}{'ratio':>9}{'target':>9}")
    ratio = 0.0
    for label, of in (
        ("time that passes", lambda done: done.seconds),
        ("processor time", lambda done: done.processor_seconds),
    ):
        slow, fast = (statistics.median(map(of, runs)) for runs in (theirs, ours))
        ratio = fast / slow
        print(f"{label:32}{slow * 1e3:12.0f}{fast * 1e3:10.0f}{ratio:8.2f}x{'<= 2':>9}")
    return ratio


def resident_bytes() -> int:
    """What the process holds in memory now."""
    with Path("/proc/self/statm").open() as statm:
        pages = int(statm.read().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def measure_instances(count: int) -> None:
    """Print what many instances take."""
    component = Component.from_bytes(wat_to_wasm(SMALL))
    component.instantiate().exports["add"](1, 2)
    instances, seconds, used = _make(count, component.instantiate)
    print(
        f"{count:,} instances: {count / seconds:,.0f} per second, {used / count / 1024:.1f} KiB each",
        flush=True,
    )
    instances.clear()


def _make(count: int, make: Callable[[], Instance]) -> tuple[list[Instance], float, int]:
    gc.collect()
    before, start = resident_bytes(), time.process_time()
    instances = [make() for _ in range(count)]
    seconds = time.process_time() - start
    return instances, seconds, resident_bytes() - before


async def measure_waiting(count: int, rounds: int) -> None:
    """Print what guests take that wait, and what resuming one takes."""
    component = Component.from_bytes(wat_to_wasm(WAITING))
    loop = asyncio.get_running_loop()
    waiting: list[asyncio.Future[int]] = []
    all_wait = asyncio.Event()

    async def wait(_: int) -> int:
        future = loop.create_future()
        waiting.append(future)
        if len(waiting) == count:
            all_wait.set()
        result: int = await future
        return result

    def make() -> Instance:
        return component.instantiate({"wait": wait})

    make().exports["run"]
    instances, seconds, _ = _make(count, make)
    made = f"{count:,} guests: {count / seconds:,.0f} made per second"
    instances.clear()
    gc.collect()
    before = resident_bytes()
    instances = [make() for _ in range(count)]
    tasks = [asyncio.ensure_future(each.exports["run"].call_async(rounds)) for each in instances]
    await all_wait.wait()
    print(f"{made}, {(resident_bytes() - before) / count / 1024:.1f} KiB each while waiting", flush=True)
    start = time.process_time()
    for left in reversed(range(rounds)):
        resumed, waiting[:] = waiting[:], []
        all_wait.clear()
        for future in resumed:
            future.set_result(1)
        if left:
            await all_wait.wait()
    sums = await asyncio.gather(*tasks)
    seconds = time.process_time() - start
    assert sums == [rounds] * count
    print(f"{seconds / count / rounds * 1e6:.1f} µs per resume", flush=True)


def main(arguments: list[str]) -> int:
    """Run the command; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="take seconds, and be less exact")
    parser.add_argument("--only", choices=["python", "instances", "waiting"], help="one of the parts")
    parser.add_argument("--check", action="store_true", help="fail where the target is missed")
    options = parser.parse_args(arguments)
    count = 200 if options.quick else 10_000
    missed = False
    if options.only in (None, "python"):
        missed = measure_python(options.quick) > 2
    if options.only == "instances":
        measure_instances(count)
    if options.only == "waiting":
        asyncio.run(measure_waiting(count, 10))
    if options.only is None:
        # Each in a process of its own: memory that another part has left would be used again.
        for part in ("instances", "waiting"):
            quick = ["--quick"] if options.quick else []
            subprocess.run([sys.executable, "-m", "benchmarks.startup", "--only", part, *quick], check=True)
    return 1 if missed and options.check else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
