"""Feed corrupted components to the host: it may refuse them, and nothing else.

    python scripts/fuzz_component.py [--count N] [--seed S] [--only INDEX] [--workers W]

Each input is a small component with bytes changed, cut out, repeated, or replaced by those of another one. It
has to give ComponentFormatError or LinkError, or to be instantiated; then its start functions may trap.
Workers in processes of their own have little memory and time, so a crash, a hang and unbounded memory show,
too.

Input number i of seed s is always the same: `--seed s --only i` runs it alone, here. The exit status is 1
where something was found.
"""

from __future__ import annotations

import argparse
import collections
import random
import selectors
import subprocess
import sys
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass, field

from ingen_runtime.component.component import Component
from ingen_runtime.component.linker import Linker
from ingen_runtime.engine import CoreStore, Engine, EngineConfig, StoreLimits, wat_to_wasm
from ingen_runtime.errors import ComponentFormatError, LinkError, Trap

_SEEDS = [
    """
    (component
      (import "log" (func $log (param "text" string)))
      (core module $libc
        (memory (export "memory") 1)
        (func (export "realloc") (param i32 i32 i32 i32) (result i32) i32.const 64))
      (core module $m
        (import "libc" "memory" (memory 1))
        (import "host" "log" (func $log (param i32 i32)))
        (data (i32.const 16) "hello")
        (func $start (call $log (i32.const 16) (i32.const 5)))
        (start $start)
        (func (export "f") (param i32 i32) (result i32) i32.const 32)
        (func (export "free") (param i32)))
      (core instance $libc (instantiate $libc))
      (core func $log' (canon lower (func $log) (memory (core memory $libc "memory"))))
      (core instance $i (instantiate $m (with "libc" (instance $libc))
        (with "host" (instance (export "log" (func $log'))))))
      (type $pair' (record (field "x" u8) (field "y" (list string))))
      (export $pair "pair" (type $pair'))
      (func $f (param "p" string) (result $pair)
        (canon lift (core func $i "f") (memory (core memory $libc "memory"))
          (realloc (core func $libc "realloc")) (post-return (core func $i "free")) string-encoding=utf16))
      (export "f" (func $f)))
    """,
    """
    (component
      (import "ns:pkg/types@1.2.0" (instance $types
        (export "file" (type $file (sub resource)))
        (type $mode' (flags "read" "write"))
        (export "mode" (type $mode (eq $mode')))
        (export "open" (func (param "m" $mode) (result (result (own $file) (error string)))))
        (export "[method]file.size" (func (param "self" (borrow $file)) (result u64)))))
      (alias export $types "file" (type $file))
      (core func $drop (canon resource.drop $file))
      (core func $size (canon lower (func $types "[method]file.size")))
      (core module $m
        (import "" "drop" (func (param i32)))
        (import "" "size" (func (param i32) (result i64)))
        (func (export "take") (param i32)))
      (core instance $i (instantiate $m
        (with "" (instance (export "drop" (func $drop)) (export "size" (func $size))))))
      (func $take (param "f" (own $file)) (canon lift (core func $i "take")))
      (export "take" (func $take)))
    """,
    """
    (component $outer
      (core module $shared (func (export "run") (result i32) i32.const 7) (table (export "t") 2 funcref))
      (type $shape (variant (case "circle" f64) (case "none") (case "many" (list u32))))
      (component $inner
        (alias outer $outer 0 (core module $shared))
        (core instance $i (instantiate $shared))
        (type $r (resource (rep i32)))
        (export $r' "counter" (type $r))
        (core func $new (canon resource.new $r))
        (core module $n (import "" "new" (func $new (param i32) (result i32)))
          (func (export "make") (result i32) (call $new (i32.const 1))))
        (core instance $j (instantiate $n (with "" (instance (export "new" (func $new))))))
        (func $make (result (own $r')) (canon lift (core func $j "make")))
        (export "[constructor]counter" (func $make))
        (func $run (result u32) (canon lift (core func $i "run")))
        (export "run" (func $run)))
      (instance $a (instantiate $inner))
      (instance $b (instantiate $inner))
      (export "a" (instance $a))
      (export "b:c/d@0.1.0" (instance $b))
      (alias export $a "run" (func $run))
      (export "again" (func $run)))
    """,
    """
    (component
      (core module $m
        (memory (export "mem") 1)
        (func (export "f") (result i32) i32.const 0)
        (func (export "cb") (param i32 i32 i32) (result i32) i32.const 0))
      (core instance $i (instantiate $m))
      (type $s (stream u8))
      (type $f (future string))
      (core func $new (canon stream.new $s))
      (core func $read (canon stream.read $s async (memory (core memory $i "mem"))))
      (core func $wait (canon waitable-set.wait (memory (core memory $i "mem"))))
      (core func $return (canon task.return (result u32)))
      (func (export "f") async (result u32)
        (canon lift (core func $i "f") async (callback (core func $i "cb")))))
    """,
]
"""Components with something of each section."""

_INTERESTING = [0x00, 0x01, 0x7F, 0x80, 0xFF, 0x40, 0x60, 0x70, 0x0B, 0x0D]
_HUGE = [b"\xff\xff\xff\xff\x0f", b"\x80\x80\x80\x80\x08", b"\xff\xff\xff\x7f", b"\x80\x80\x04"]
_HANG_S = 60.0
_MEMORY_BYTES = 2 << 30
_TIMEOUT_S = 0.5


@dataclass(slots=True)
class Tally:
    """How the inputs of a run ended: numbers by outcome, and what must not be."""

    outcomes: collections.Counter[str] = field(default_factory=collections.Counter)
    findings: list[str] = field(default_factory=list)


class Corpus:
    """The components that are corrupted."""

    def __init__(self) -> None:
        self.seeds = [wat_to_wasm(text) for text in _SEEDS]

    def input(self, seed: int, index: int) -> bytes:
        """Input number `index` of a seed."""
        choose = random.Random(f"{seed}/{index}")
        data = bytearray(choose.choice(self.seeds))
        for _ in range(choose.choice((1, 1, 1, 2, 3, 6))):
            self._corrupt(data, choose)
        return bytes(data)

    def _corrupt(self, data: bytearray, choose: random.Random) -> None:
        # The first eight bytes are worth little: whatever else is there is refused at once.
        at = choose.randrange(8, max(9, len(data))) if choose.random() < 0.99 else choose.randrange(8)
        length = min(choose.choice((1, 1, 2, 4, 16, 64)), max(1, len(data) - at))
        match choose.randrange(8):
            case 0:
                data[at : at + 1] = bytes([data[at] ^ 1 << choose.randrange(8)] if at < len(data) else [])
            case 1:
                data[at : at + 1] = bytes([choose.choice(_INTERESTING)])
            case 2:
                data[at : at + 1] = bytes([choose.randrange(256)])
            case 3:
                del data[at : at + length]
            case 4:
                data[at:at] = data[at : at + length] * choose.choice((1, 2, 50))
            case 5:
                other = choose.choice(self.seeds)
                start = choose.randrange(8, len(other))
                data[at : at + length] = other[start : start + length]
            case 6:
                data[at : at + choose.choice((1, 2, 5))] = choose.choice(_HUGE)
            case _:
                # One up or down keeps most structure: other indices, other lengths.
                if at < len(data):
                    data[at] = (data[at] + choose.choice((-1, 1))) & 0xFF


class Host:
    """Runs inputs as a host would."""

    def __init__(self) -> None:
        self._engine = Engine(EngineConfig(parallel_compilation=False, opt_level="none"))
        self._limits = StoreLimits(memory_bytes=16 << 20, table_elements=10_000)

    def run(self, data: bytes) -> str:
        """What became of an input: `refused`, `unlinked`, `trapped` or `instantiated`.

        Raises: whatever else happens.
        """
        try:
            component = Component.from_bytes(data, engine=self._engine)
        except ComponentFormatError:
            return "refused"
        store = CoreStore(self._engine, self._limits)
        store.set_timeout(_TIMEOUT_S)
        try:
            str(component.imports), str(component.exports)
            instance = Linker().trap_missing().instantiate(component, store=store)
            list(instance.exports.values())
        except LinkError:
            return "unlinked"
        except Trap:
            return "trapped"
        finally:
            store.close()
        return "instantiated"


def work(seed: int, indices: Sequence[int]) -> None:
    """Run inputs, and print of each its number before and its outcome after: a worker's whole life."""
    _limit_memory()
    corpus, host = Corpus(), Host()
    for index in indices:
        print(index, end=" ", flush=True)
        try:
            outcome = host.run(corpus.input(seed, index))
        except BaseException as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            outcome = f"! {type(error).__name__}: {error} ({where.filename}:{where.lineno})"
        print(outcome.replace("\n", " "), flush=True)


def _limit_memory() -> None:
    try:
        import resource
    except ImportError:  # not on Windows
        return
    resource.setrlimit(resource.RLIMIT_DATA, (_MEMORY_BYTES, _MEMORY_BYTES))


class Worker:
    """A process that runs a range of inputs."""

    def __init__(self, program: Sequence[str], seed: int, start: int, stop: int) -> None:
        self.stop = stop
        self.next = start
        self.last_word = time.monotonic()
        self._rest = b""
        command = [*program, "--seed", str(seed), "--work", str(start), str(stop)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def read(self, tally: Tally) -> bool:
        """Take what the process has printed; whether it goes on."""
        assert self.process.stdout is not None
        chunk = self.process.stdout.read1()  # type: ignore[attr-defined]  # a pipe is a BufferedReader
        self.last_word = time.monotonic()
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            number, _, outcome = line.decode().partition(" ")
            self.next = int(number) + 1
            if outcome.startswith("!"):
                tally.findings.append(f"input {number}: {outcome[2:]}")
            else:
                tally.outcomes[outcome] += 1
        return bool(chunk)

    def end(self, tally: Tally) -> None:
        """The process has ended, or has to."""
        hangs = time.monotonic() - self.last_word > _HANG_S
        if hangs:
            self.process.kill()
        _, stderr = self.process.communicate()
        status = self.process.returncode
        if self.next < self.stop or status:
            what = "hangs" if hangs else f"ends the process with status {status}"
            tally.findings.append(f"input {self.next}: {what} {stderr.decode(errors='replace')[-500:]}")
            self.next += 1


def fuzz(seed: int, count: int, workers: int, program: Sequence[str] = (sys.executable, __file__)) -> Tally:
    """Run inputs 0 to `count` of a seed in worker processes; `program` is this one."""
    tally = Tally()
    share = -(-count // workers)
    running = [Worker(program, seed, first, min(first + share, count)) for first in range(0, count, share)]
    with selectors.DefaultSelector() as selector:
        for worker in running:
            assert worker.process.stdout is not None
            selector.register(worker.process.stdout, selectors.EVENT_READ, worker)
        while running:
            ready = [key.data for key, _ in selector.select(1.0)]
            for worker in list(running):
                if worker in ready and worker.read(tally):
                    continue
                if worker in ready or time.monotonic() - worker.last_word > _HANG_S:
                    assert worker.process.stdout is not None
                    selector.unregister(worker.process.stdout)
                    running.remove(worker)
                    worker.end(tally)
                    if worker.next < worker.stop:
                        again = Worker(program, seed, worker.next, worker.stop)
                        assert again.process.stdout is not None
                        selector.register(again.process.stdout, selectors.EVENT_READ, again)
                        running.append(again)
    return tally


def main(arguments: list[str]) -> int:
    """Run the command; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=100_000, help="how many inputs")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int, metavar="INDEX", help="run one input in this process")
    parser.add_argument("--workers", type=int, default=2, help="how many processes")
    parser.add_argument("--work", type=int, nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.work is not None:
        work(options.seed, range(*options.work))
        return 0
    if options.only is not None:
        print(Host().run(Corpus().input(options.seed, options.only)))
        return 0
    tally = fuzz(options.seed, options.count, options.workers)
    for finding in tally.findings:
        print(finding)
    print(", ".join(f"{number:,} {outcome}" for outcome, number in sorted(tally.outcomes.items())))
    return 1 if tally.findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
