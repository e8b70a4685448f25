"""Time calls between Python and guests, beside `wasmtime.component`, and print the ratios.

    python -m benchmarks.calls [--quick] [--check]

Both hosts run the same component in one process and take turns, so that a busy moment of the machine meets
both. Figures are medians of processor time, and a ratio is the median of the turns' ratios. With `--check`
the exit status is 1 where a ratio misses its target.
"""

from __future__ import annotations

import argparse
import ctypes
import operator
import statistics
import struct
import sys
import time
import timeit
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import wasmtime
from wasmtime import _ffi as ffi
from wasmtime import component as theirs

from ingen_runtime import may_wait
from ingen_runtime.component.component import Component
from ingen_runtime.component.instance import Instance
from ingen_runtime.engine import wat_to_wasm

CORE = """
  (core module $m
    (import "host" "add" (func $host-add (param i32 i32) (result i32)))
    (memory (export "memory") 1)
    (global $next (mut i32) (i32.const 1024))
    (func (export "realloc") (param $old i32) (param $size i32) (param $align i32) (param $new i32)
      (result i32)
      (local $at i32)
      (local.set $at (i32.and (i32.add (global.get $next) (i32.sub (local.get $align) (i32.const 1)))
                              (i32.sub (i32.const 0) (local.get $align))))
      (global.set $next (i32.add (local.get $at) (local.get $new)))
      (loop $grow
        (if (i32.gt_u (global.get $next) (i32.mul (memory.size) (i32.const 65536)))
          (then (drop (memory.grow (i32.const 256))) (br $grow))))
      (local.get $at))
    (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
    (func (export "echo") (param $at i32) (param $length i32) (result i32)
      (i32.store (i32.const 8) (local.get $at))
      (i32.store (i32.const 12) (local.get $length))
      (i32.const 8))
    (func (export "free") (param i32) (global.set $next (i32.const 1024)))
    (func (export "call-host") (param $times i32) (result i32)
      (local $sum i32)
      (loop $again
        (local.set $sum (call $host-add (local.get $sum) (local.get $times)))
        (local.set $times (i32.sub (local.get $times) (i32.const 1)))
        (br_if $again (local.get $times)))
      (local.get $sum)))
"""

_ECHO = """(canon lift (core func $i "echo") (memory (core memory $i "memory"))
      (realloc (core func $i "realloc")) (post-return (core func $i "free")))"""

COMPONENT = f"""
(component
  (import "bench:calls/host" (instance $host
    (export "add" (func (param "a" u32) (param "b" u32) (result u32)))))
  {CORE}
  (core func $host-add (canon lower (func $host "add")))
  (core instance $i (instantiate $m (with "host" (instance (export "add" (func $host-add))))))
  (type $point' (record (field "x" f64) (field "y" f64)))
  (export $point "point" (type $point'))
  (type $place' (record (field "name" string) (field "x" f64) (field "y" f64)))
  (export $place "place" (type $place'))
  (func (export "add") (param "a" u32) (param "b" u32) (result u32) (canon lift (core func $i "add")))
  (func (export "call-host") (param "times" u32) (result u32) (canon lift (core func $i "call-host")))
  (func (export "echo-string") (param "text" string) (result string) {_ECHO})
  (func (export "echo-bytes") (param "data" (list u8)) (result (list u8)) {_ECHO})
  (func $points (param "points" (list $point)) (result (list $point)) {_ECHO})
  (export "echo-points" (func $points))
  (func $places (param "places" (list $place)) (result (list $place)) {_ECHO})
  (export "echo-places" (func $places)))
"""

CORE_ONLY = '(module (func (export "add") (param i32 i32) (result i32) local.get 0 local.get 1 i32.add))'


class Calls:
    """What a generated binding looks like: a class whose methods call the guest."""

    __slots__ = ("_ingen_add",)

    def __init__(self, instance: Instance) -> None:
        self._ingen_add = instance.exports["add"]

    def add(self, a: int, b: int) -> int:
        """Add two numbers."""
        result: int = self._ingen_add(a, b)
        return result


def wrapping_add(a: int, b: int) -> int:
    """The import of both hosts."""
    return (a + b) & 0xFFFFFFFF


@may_wait
def ready_add(a: int, b: int) -> int:
    """The same, which might have to wait."""
    return (a + b) & 0xFFFFFFFF


def their_functions(wasm: bytes) -> Callable[[str], Callable[..., Any]]:
    """Functions of the component in wasmtime's own host, by name."""
    engine = wasmtime.Engine()
    store = wasmtime.Store(engine)
    linker = theirs.Linker(engine)
    with linker.root() as root, root.add_instance("bench:calls/host") as host:
        host.add_func("add", lambda store, a, b: wrapping_add(a, b))
    instance = linker.instantiate(store, theirs.Component(engine, wasm))

    def function(name: str) -> Callable[..., Any]:
        func = instance.get_func(store, name)
        assert func is not None

        def call(*arguments: Any) -> Any:
            value = func(store, *arguments)
            func.post_return(store)
            return value

        return call

    return function


def unchecked_add() -> Callable[[int, int], tuple[int]]:
    """The least that a call from Python can be: ctypes, two struct methods, no checks, nothing kept safe."""
    store = wasmtime.Store(wasmtime.Engine())
    instance = wasmtime.Instance(store, wasmtime.Module(store.engine, CORE_ONLY), [])
    func = instance.exports(store)["add"]
    assert isinstance(func, wasmtime.Func)
    kind = ctypes.CFUNCTYPE(ctypes.c_void_p, *[ctypes.c_void_p] * 3, ctypes.c_size_t, ctypes.c_void_p)
    call = kind(_address(ffi.dll.wasmtime_func_call_unchecked))
    raw, trap = ctypes.create_string_buffer(32), ctypes.c_void_p()
    context, function = _address(store._context()), ctypes.addressof(func._func)
    raw_at, trap_at = ctypes.addressof(raw), ctypes.addressof(trap)
    pack, unpack = struct.Struct("<I12xI12x").pack_into, struct.Struct("<I12x").unpack_from

    def invoke(a: int, b: int) -> tuple[int]:
        pack(raw, 0, a, b)
        if call(context, function, raw_at, 2, trap_at) or trap:
            raise RuntimeError("trap")
        return unpack(raw, 0)

    invoke.__dict__["kept"] = (func, store)
    return invoke


def _address(pointer: Any) -> int:
    return ctypes.cast(pointer, ctypes.c_void_p).value or 0


class Call:
    """A function with its arguments, to be called over and over with nothing around it."""

    def __init__(self, function: Callable[..., object], *arguments: object) -> None:
        names = {f"a{index}": argument for index, argument in enumerate(arguments)}
        statement = f"call({', '.join(names)})"
        self._timer = timeit.Timer(statement, timer=time.process_time, globals={"call": function, **names})

    def seconds(self, times: int) -> float:
        """Processor seconds of one call, the mean of so many."""
        return self._timer.timeit(times) / times

    def times(self, batch_s: float) -> int:
        """How many calls last about so many seconds."""
        once = self.seconds(1)
        if once < batch_s / 10:
            once = self.seconds(10)
        return max(1, round(batch_s / max(once, 1e-9)))


@dataclass(frozen=True, slots=True)
class Row:
    """A comparison. What a call takes is `divided` by this number of calls that the guest makes in it."""

    label: str
    slow: Call
    fast: Call
    target: float
    divided: int = 1
    at_most: bool = False
    """Whether the target is a bound on fast / slow, not the least slow / fast."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A row, measured: seconds per call."""

    row: Row
    slow: float
    fast: float
    ratio: float
    """What the target is about."""

    @property
    def met(self) -> bool:
        """Whether the target is reached."""
        return self.ratio <= self.row.target if self.row.at_most else self.ratio >= self.row.target


def rows() -> list[Row]:
    """All comparisons, ready to run. Both hosts give the same results."""
    wasm = wat_to_wasm(COMPONENT)
    their = their_functions(wasm)
    component = Component.from_bytes(wasm)
    instance = component.instantiate({"bench:calls/host": {"add": wrapping_add}})
    ours = instance.exports
    may_wait_host = component.instantiate({"bench:calls/host": {"add": ready_add}}).exports["call-host"]
    bound = Calls(instance)
    minimal = unchecked_add()
    add, their_add = ours["add"], their("add")
    text, data = "0123456789", bytes(range(256)) * 4096
    point, place = ours["point"], ours["place"]
    points = [point(float(index), -0.5) for index in range(1000)]
    places = [place(f"place {index}", float(index), -0.5) for index in range(1000)]
    their_points = [_record(x=each.x, y=each.y) for each in points]
    their_places = [_record(name=each.name, x=each.x, y=each.y) for each in places]
    echo_string, echo_bytes = ours["echo-string"], ours["echo-bytes"]
    echo_points, echo_places, call_host = ours["echo-points"], ours["echo-places"], ours["call-host"]
    their_string, their_bytes, their_host = their("echo-string"), their("echo-bytes"), their("call-host")
    their_echo_points, their_echo_places = their("echo-points"), their("echo-places")
    assert add(2, 3) == bound.add(2, 3) == their_add(2, 3) == minimal(2, 3)[0] == 5
    assert echo_string(text) == their_string(text) == text
    assert echo_bytes(data) == data
    assert echo_points(points) == points and echo_places(places) == places
    assert their_echo_places(their_places[:2]) == their_places[:2]
    assert call_host(100) == their_host(100) == may_wait_host(100)
    loops = 2000
    return [
        Row("add(u32, u32)", Call(their_add, 1, 2), Call(add, 1, 2), 15),
        Row("guest calls the host", Call(their_host, loops), Call(call_host, loops), 15, loops),
        Row("string of 10, there and back", Call(their_string, text), Call(echo_string, text), 8),
        Row("1 MiB list<u8>, there and back", Call(their_bytes, data), Call(echo_bytes, data), 5000),
        Row(
            "1,000 x {f64, f64}, there and back",
            Call(their_echo_points, their_points),
            Call(echo_points, points),
            100,
        ),
        Row(
            "1,000 x {string, f64, f64}, ...",
            Call(their_echo_places, their_places),
            Call(echo_places, places),
            10,
        ),
        Row("class method / unchecked call", Call(minimal, 1, 2), Call(bound.add, 1, 2), 1.5, 1, True),
        Row(
            "`may_wait` that does not / `def`",
            Call(call_host, loops),
            Call(may_wait_host, loops),
            2,
            loops,
            True,
        ),
    ]


def _record(**fields: object) -> theirs.Record:
    record = theirs.Record()
    for name, value in fields.items():
        setattr(record, name, value)
    return record


def measure(row: Row, rounds: int, batch_s: float) -> Outcome:
    """Run both sides by turns. What takes seconds is run fewer times."""
    slow_times, fast_times = row.slow.times(batch_s), row.fast.times(batch_s)
    slow, fast = list[float](), list[float]()
    for _ in range(rounds):
        slow.append(row.slow.seconds(slow_times) if not slow or slow[0] < _LONG_S else slow[0])
        fast.append(row.fast.seconds(fast_times))
    ratio = statistics.median(map(operator.truediv, slow, fast))
    return Outcome(
        row,
        statistics.median(slow) / row.divided,
        statistics.median(fast) / row.divided,
        1 / ratio if row.at_most else ratio,
    )


_LONG_S = 0.5


def main(arguments: list[str]) -> int:
    """Run the command; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="take seconds, and be less exact")
    parser.add_argument("--only", default="", help="only rows with this in their label")
    parser.add_argument("--check", action="store_true", help="fail where a target is missed")
    options = parser.parse_args(arguments)
    rounds, batch_s = (3, 0.01) if options.quick else (25, 0.04)
    print(f"{'microseconds per call':36}{'wasmtime':>14}{'ingen':>10}{'ratio':>11}{'target':>11}")
    missed = 0
    for row in (row for row in rows() if options.only in row.label):
        outcome = measure(row, rounds, batch_s)
        missed += not outcome.met
        target = f"{'<=' if row.at_most else '>='} {row.target:,g}"
        mark = "" if outcome.met else "  missed"
        figures = f"{outcome.slow * 1e6:14,.2f}{outcome.fast * 1e6:10,.2f}{outcome.ratio:10,.2f}x{target:>11}"
        print(f"{row.label:36}{figures}{mark}", flush=True)
    return 1 if missed and options.check else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
