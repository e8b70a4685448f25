"""Time calls between Python and guests, beside `wasmtime.component`, and print the ratios.

    python -m benchmarks.calls [--quick] [--check]

Both hosts run the same component in one process and take turns, so that a busy moment of the machine meets
both. Figures are medians of processor time. With `--check` the exit status is 1 where a ratio misses its
target.
"""

from __future__ import annotations

import argparse
import ctypes
import statistics
import struct
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import wasmtime
from wasmtime import _bindings as ffi
from wasmtime import component as theirs

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
        return unpack(raw, 0)  # type: ignore[return-value]  # one number, which typeshed cannot know

    invoke.__dict__["kept"] = (func, store)
    return invoke


def _address(pointer: Any) -> int:
    return ctypes.cast(pointer, ctypes.c_void_p).value or 0


@dataclass(frozen=True, slots=True)
class Row:
    """A comparison: seconds of one call of `slow` and of `fast` come from these, `divided` by this number."""

    label: str
    slow: Callable[[], object]
    fast: Callable[[], object]
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

    @property
    def ratio(self) -> float:
        """What the target is about."""
        return self.fast / self.slow if self.row.at_most else self.slow / self.fast

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
    assert call_host(100) == their_host(100)
    loops = 2000
    return [
        Row("add(u32, u32)", lambda: their_add(1, 2), lambda: add(1, 2), 15),
        Row("guest calls the host", lambda: their_host(loops), lambda: call_host(loops), 15, loops),
        Row("string of 10, there and back", lambda: their_string(text), lambda: echo_string(text), 8),
        Row("1 MiB list<u8>, there and back", lambda: their_bytes(data), lambda: echo_bytes(data), 5000),
        Row(
            "1,000 × {f64, f64}, there and back",
            lambda: their_echo_points(their_points),
            lambda: echo_points(points),
            100,
        ),
        Row(
            "1,000 × {string, f64, f64}, ...",
            lambda: their_echo_places(their_places),
            lambda: echo_places(places),
            10,
        ),
        Row("class method / unchecked call", lambda: minimal(1, 2), lambda: bound.add(1, 2), 1.5, 1, True),
    ]


def _record(**fields: object) -> theirs.Record:
    record = theirs.Record()
    for name, value in fields.items():
        setattr(record, name, value)
    return record


def _times(function: Callable[[], object], batch_s: float) -> int:
    """How many calls last about `batch_s` seconds."""
    start = time.process_time()
    function()
    once = time.process_time() - start
    if once < batch_s / 10:
        start = time.process_time()
        for _ in range(10):
            function()
        once = (time.process_time() - start) / 10
    return max(1, round(batch_s / max(once, 1e-9)))


def _seconds(function: Callable[[], object], times: int) -> float:
    start = time.process_time()
    for _ in range(times):
        function()
    return (time.process_time() - start) / times


def measure(row: Row, rounds: int, batch_s: float) -> Outcome:
    """Run both sides by turns; the medians."""
    slow_times, fast_times = _times(row.slow, batch_s), _times(row.fast, batch_s)
    slow, fast = list[float](), list[float]()
    for _ in range(rounds):
        slow.append(_seconds(row.slow, slow_times))
        fast.append(_seconds(row.fast, fast_times))
    return Outcome(row, statistics.median(slow) / row.divided, statistics.median(fast) / row.divided)


def main(arguments: list[str]) -> int:
    """Run the command; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="take seconds, and be less exact")
    parser.add_argument("--check", action="store_true", help="fail where a target is missed")
    options = parser.parse_args(arguments)
    rounds, batch_s = (3, 0.01) if options.quick else (9, 0.1)
    print(f"{'microseconds per call':36}{'wasmtime':>14}{'ingen':>10}{'ratio':>11}{'target':>11}")
    missed = 0
    for row in rows():
        outcome = measure(row, rounds, batch_s)
        missed += not outcome.met
        target = f"{'<=' if row.at_most else '>='} {row.target:,g}"
        mark = "" if outcome.met else "  missed"
        figures = f"{outcome.slow * 1e6:14,.2f}{outcome.fast * 1e6:10,.2f}{outcome.ratio:10,.2f}x{target:>11}"
        print(f"{row.label:36}{figures}{mark}", flush=True)
    return 1 if missed and options.check else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
