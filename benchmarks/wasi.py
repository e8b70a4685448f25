"""Time a program for WASI here and in wasmtime's own WASI, and print the ratios.

    python -m benchmarks.wasi [--preview 1|2] [--quick] [--check]

Both hosts run the same core module, or the same component, in one process and take turns, so that a busy
moment of the machine meets both. Figures are medians of processor time, in all threads. With `--check` the
exit status is 1 where a ratio misses its target.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import wasmtime

from benchmarks import wasi_components
from ingen_runtime.engine import (
    CoreFunc,
    CoreFuncType,
    CoreInstance,
    CoreMemory,
    CoreModule,
    CoreStore,
    call_async,
    default_engine,
    wat_to_wasm,
)
from ingen_runtime.kernel.process import Folder, Process
from ingen_runtime.wasi.p1 import Preview1

CHUNK = 64 << 10

_LOOP = """
    (loop $again
      (if (i32.ne (i32.const 0) {call}) (then (unreachable)))
      {after}
      (local.set $times (i32.sub (local.get $times) (i32.const 1)))
      (br_if $again (local.get $times)))
"""


def _loop(name: str, call: str, *, before: str = "", after: str = "") -> str:
    loop = _LOOP.format(call=call, after=after)
    return f'(func (export "{name}") (param $times i32) {before} {loop})'


def _iovec(length: int) -> str:
    return f"(i32.store (i32.const 0) (i32.const 1024)) (i32.store (i32.const 4) (i32.const {length}))"


_REWIND = "(drop (call $fd_seek (global.get $file) (i64.const 0) (i32.const 0) (i32.const 16)))"
# Files of 16 MiB, in memory: what is measured is not the disk.
_FULL = f"(if (i32.eqz (i32.and (local.get $times) (i32.const 255))) (then {_REWIND}))"
_ALL_READ = f"(if (i32.eqz (i32.load (i32.const 8))) (then {_REWIND}))"
_IO = "(global.get $file) (i32.const 0) (i32.const 1) (i32.const 8)"

# At 0 an iovec, at 8 how much was moved, at 16 an offset, at 32 a path, from 1024 on data.
PROGRAM = f"""
(module
  (import "wasi_snapshot_preview1" "path_open"
    (func $path_open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "path_filestat_get"
    (func $path_filestat_get (param i32 i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_close" (func $fd_close (param i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_seek" (func $fd_seek (param i32 i64 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "clock_time_get"
    (func $clock_time_get (param i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "random_get" (func $random_get (param i32 i32) (result i32)))
  (memory (export "memory") 4)
  (data (i32.const 32) "bench.dat")
  (global $file (mut i32) (i32.const 0))
  (func $open (param $flags i32) (result i32)
    (call $path_open (i32.const 3) (i32.const 0) (i32.const 32) (i32.const 9) (local.get $flags)
      (i64.const 0x1fffffff) (i64.const 0x1fffffff) (i32.const 0) (i32.const 48)))
  (func (export "prepare") (param $times i32)
    (if (call $open (i32.const 1)) (then (unreachable)))
    (global.set $file (i32.load (i32.const 48))))
  {_loop("write", f"(call $fd_write {_IO})", before=_REWIND + _iovec(CHUNK), after=_FULL)}
  {_loop("read", f"(call $fd_read {_IO})", before=_REWIND + _iovec(CHUNK), after=_ALL_READ)}
  {_loop("read-1", f"(call $fd_read {_IO})", before=_REWIND + _iovec(1), after=_ALL_READ)}
  {_loop("write-1", f"(call $fd_write {_IO})", before=_REWIND + _iovec(1), after=_FULL)}
  {_loop("clock", "(call $clock_time_get (i32.const 1) (i64.const 0) (i32.const 16))")}
  {_loop("random", "(call $random_get (i32.const 64) (i32.const 16))")}
  {
    _loop(
        "stat",
        "(call $path_filestat_get (i32.const 3) (i32.const 0) (i32.const 32) (i32.const 9) (i32.const 64))",
    )
}
  {_loop("open", "(call $open (i32.const 0))", after="(drop (call $fd_close (i32.load (i32.const 48))))")}
)
"""

Run = Callable[[str, int], float]
"""Calls an exported function with a number of times; returns the seconds that it took."""


@contextmanager
def theirs(wasm: bytes, folder: str) -> Iterator[Run]:
    """The program in wasmtime's own WASI."""
    engine = wasmtime.Engine()
    linker = wasmtime.Linker(engine)
    linker.define_wasi()
    store = wasmtime.Store(engine)
    config = wasmtime.WasiConfig()
    config.preopen_dir(folder, "/", True)
    store.set_wasi(config)
    exports = linker.instantiate(store, wasmtime.Module(engine, wasm)).exports(store)

    def run(name: str, times: int) -> float:
        function: Any = exports[name]
        begin = time.process_time()
        function(store, times)
        return time.process_time() - begin

    yield run


@contextmanager
def ours(wasm: bytes, folder: str) -> Iterator[Run]:
    """The program here, on a fiber, as programs are run."""
    module = CoreModule(default_engine(), wasm)
    store = CoreStore(module.engine)
    instances: list[CoreInstance] = []

    def memory() -> CoreMemory:
        found = instances[0].export("memory")
        assert isinstance(found, CoreMemory)
        return found

    with Process(folders=[Folder(folder, "/")]) as process, asyncio.Runner() as runner:
        preview1 = Preview1(process)
        imports: list[CoreFunc] = []
        for wanted in module.imports:
            assert isinstance(wanted.type, CoreFuncType)
            imports.append(preview1.core_function(store, wanted.name, wanted.type, memory))
        instances.append(CoreInstance(store, module, imports))

        async def call(name: str, times: int) -> float:
            function = instances[0].export(name)
            assert isinstance(function, CoreFunc)
            begin = time.process_time()
            await call_async(function, times)
            return time.process_time() - begin

        yield lambda name, times: runner.run(call(name, times))
        store.close()


@dataclass(frozen=True, slots=True)
class Row:
    """A measurement, and what to reach."""

    label: str
    export: str
    chunk: int = 0
    """Bytes that each call moves, where that is what counts."""
    target: float = 0
    """The least of wasmtime's speed that ours is to have."""


ROWS = (
    Row("write, 64 KiB at a time", "write", CHUNK, 0.5),
    Row("read, 64 KiB at a time", "read", CHUNK, 0.5),
    Row("clock_time_get", "clock"),
    Row("random_get, 16 bytes", "random"),
    Row("fd_read, 1 byte", "read-1"),
    Row("fd_write, 1 byte", "write-1"),
    Row("path_filestat_get", "stat"),
    Row("path_open and fd_close", "open"),
)
COMPONENT_ROWS = (
    Row("write, 64 KiB at a time", "write", CHUNK, 0.5),
    Row("read, 64 KiB at a time", "read", CHUNK, 0.5),
    Row("monotonic clock", "clock"),
    Row("read, 1 byte", "read-1"),
    Row("write, 1 byte", "write-1"),
    Row("fs::metadata", "stat"),
    Row("File::open", "open"),
    Row("print a line", "print"),
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Seconds per call of both."""

    theirs: float
    ours: float

    @property
    def ratio(self) -> float:
        return self.theirs / self.ours


def measure(row: Row, their_run: Run, our_run: Run, rounds: int, batch_s: float) -> Outcome:
    """Medians of rounds that take about `batch_s` seconds each."""
    times = 16
    while our_run(row.export, times) < batch_s / 2:
        times *= 2
    both = [(their_run(row.export, times), our_run(row.export, times)) for _ in range(rounds)]
    return Outcome(
        statistics.median(theirs for theirs, _ in both) / times,
        statistics.median(ours for _, ours in both) / times,
    )


def main(arguments: list[str]) -> int:
    """Run the command; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="take seconds, and be less exact")
    parser.add_argument("--only", default="", help="only rows with this in their label")
    parser.add_argument("--check", action="store_true", help="fail where a target is missed")
    parser.add_argument("--preview", type=int, choices=(1, 2), default=1, help="which WASI; 2 needs Rust")
    options = parser.parse_args(arguments)
    rounds, batch_s = (3, 0.005) if options.quick else (9, 0.1)
    with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as second:
        if options.preview == 1:
            wasm = wat_to_wasm(PROGRAM)
            with theirs(wasm, first) as their_run, ours(wasm, second) as our_run:
                their_run("prepare", 0)
                our_run("prepare", 0)
                rows = [row for row in ROWS if options.only in row.label]
                missed = report(rows, their_run, our_run, rounds, batch_s)
        else:
            with tempfile.TemporaryDirectory() as built:
                program = wasi_components.build(Path(built))
                with (
                    wasi_components.theirs(program, first) as their_run,
                    wasi_components.ours(program, second) as our_run,
                ):
                    rows = [row for row in COMPONENT_ROWS if options.only in row.label]
                    missed = report(rows, their_run, our_run, rounds, batch_s)
    return 1 if missed and options.check else 0


def report(rows: Sequence[Row], their_run: Run, our_run: Run, rounds: int, batch_s: float) -> int:
    """Measure and print rows; returns how many targets are missed."""
    print(f"{'microseconds per call':28}{'wasmtime':>12}{'ingen':>10}{'speed':>9}{'target':>9}")
    for run in (their_run, our_run):
        run("write", 256)
    missed = 0
    for row in rows:
        outcome = measure(row, their_run, our_run, rounds, batch_s)
        met = outcome.ratio >= row.target
        missed += not met
        figures = f"{outcome.theirs * 1e6:12,.2f}{outcome.ours * 1e6:10,.2f}{outcome.ratio:8,.2f}x"
        target = f"{row.target:>8g}x" if row.target else ""
        rates = [row.chunk / seconds / 1e6 for seconds in (outcome.theirs, outcome.ours)]
        rate = f"   {rates[0]:,.0f} and {rates[1]:,.0f} MB/s" if row.chunk else ""
        mark = "" if met else "  missed"
        print(f"{row.label:28}{figures}{target}{rate}{mark}", flush=True)
    return missed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
