"""Guests that trap, never end, or want too much: an error within their limits, and the next guest runs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import pytest

from ingen_runtime.engine import (
    CoreInstance,
    CoreModule,
    CoreStore,
    Engine,
    EngineConfig,
    StoreLimits,
    wat_to_wasm,
)
from ingen_runtime.errors import Trap, TrapKind
from tests.runtime.engine.conftest import Instantiate, func

TRAPS = {
    "unreachable": ("unreachable", TrapKind.UNREACHABLE),
    "load": ("(drop (i32.load (i32.const -1)))", TrapKind.OUT_OF_BOUNDS_MEMORY),
    "store": ("(i64.store offset=65535 (i32.const 0) (i64.const 0))", TrapKind.OUT_OF_BOUNDS_MEMORY),
    "fill": ("(memory.fill (i32.const 65535) (i32.const 0) (i32.const 2))", TrapKind.OUT_OF_BOUNDS_MEMORY),
    "table": ("(drop (table.get (i32.const 9)))", TrapKind.OUT_OF_BOUNDS_TABLE),
    "null": ("(call_indirect (i32.const 0))", TrapKind.INDIRECT_CALL_TO_NULL),
    "signature": ("(drop (call_indirect (result i32) (i32.const 1)))", TrapKind.BAD_SIGNATURE),
    "divide": ("(drop (i32.div_u (i32.const 1) (i32.const 0)))", TrapKind.INTEGER_DIVISION_BY_ZERO),
    "overflow": ("(drop (i32.div_s (i32.const 0x80000000) (i32.const -1)))", TrapKind.INTEGER_OVERFLOW),
    "convert": ("(drop (i32.trunc_f32_s (f32.const nan)))", TrapKind.BAD_CONVERSION_TO_INTEGER),
    "recurse": ("(call $f)", TrapKind.STACK_OVERFLOW),
    "null reference": ("(drop (struct.get $s 0 (ref.null $s)))", TrapKind.NULL_REFERENCE),
    "cast": ("(drop (ref.cast (ref i31) (ref.null i31)))", TrapKind.CAST_FAILURE),
    "array": ("(drop (array.get $a (array.new_fixed $a 0) (i32.const 0)))", TrapKind.OUT_OF_BOUNDS_ARRAY),
    "throw": ("(throw $e (i32.const 1))", TrapKind.UNCAUGHT_EXCEPTION),
}


FAULTS = {"load": "0xffffffff", "store": "0x10000"}
"""The addresses in the texts of traps; other texts say no more than the kind."""


@pytest.mark.parametrize("name", TRAPS)
def test_traps_have_kinds_and_frames(instantiate: Instantiate, name: str) -> None:
    body, kind = TRAPS[name]
    instance = instantiate(
        f"""(module $guest (type $s (struct (field i32))) (type $a (array i32)) (tag $e (param i32))
              (memory 1) (table 2 funcref) (elem (i32.const 1) $g)
              (func $g) (func $f {body}) (func $outer (export "outer") (call $f))
              (func (export "fine") (result i32) (i32.const 1)))"""
    )
    for _ in range(3):
        with pytest.raises(Trap) as caught:
            func(instance, "outer")()
        assert caught.value.kind is kind
    fault = f"memory fault at wasm address {FAULTS.get(name)} in linear memory of size 0x10000"
    assert caught.value.detail == (fault if name in FAULTS else "")
    frames = caught.value.frames
    assert frames[0].func_name == "f"
    if kind is not TrapKind.STACK_OVERFLOW:
        assert [frame.func_index for frame in frames] == [1, 2]
        assert frames[1].func_name == "outer"
        assert 0 < frames[1].func_offset < frames[1].module_offset
        assert "in guest!f (at 0x" in str(caught.value)
    assert func(instance, "fine")() == 1


def test_an_uncaught_exception_leaves_nothing_behind(instantiate: Instantiate) -> None:
    instance = instantiate(
        """(module (tag $e (param i32)) (func (export "throw") (throw $e (i32.const 5)))
             (func (export "catch") (result i32)
               (block $b (result i32) (try_table (catch $e $b) (throw $e (i32.const 7))) (unreachable))))"""
    )
    for _ in range(5):
        with pytest.raises(Trap):
            func(instance, "throw")()
        assert func(instance, "catch")() == 7


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ('(module (memory 1) (data (i32.const 65536) "x"))', TrapKind.OUT_OF_BOUNDS_MEMORY),
        ("(module (table 1 funcref) (elem (i32.const 1) 0) (func))", TrapKind.OUT_OF_BOUNDS_TABLE),
        ("(module (start 0) (func unreachable))", TrapKind.UNREACHABLE),
        ("(module (memory 3))", TrapKind.LIMIT_EXCEEDED),
        ("(module (table 11 funcref))", TrapKind.LIMIT_EXCEEDED),
        ("(module (memory 1) (memory 1) (memory 1))", TrapKind.LIMIT_EXCEEDED),
        ("(module (table 1 funcref) (table 1 funcref) (table 1 funcref))", TrapKind.LIMIT_EXCEEDED),
    ],
)
def test_instantiation_fails_within_the_limits(instantiate: Instantiate, text: str, kind: TrapKind) -> None:
    limits = StoreLimits(memory_bytes=2 * 65536, table_elements=10, instances=5, tables=2, memories=2)
    with pytest.raises(Trap) as caught:
        instantiate(text, limits=limits)
    assert caught.value.kind is kind


def test_the_number_of_instances_is_limited(engine: Engine, instantiate: Instantiate) -> None:
    store = CoreStore(engine, StoreLimits(instances=2))
    for _ in range(2):
        instantiate("(module)", store=store)
    with pytest.raises(Trap) as caught:
        instantiate("(module)", store=store)
    assert caught.value.kind is TrapKind.LIMIT_EXCEEDED


def test_a_guest_that_wants_all_memory_is_told_no(instantiate: Instantiate) -> None:
    instance = instantiate(
        """(module (memory 1) (table $t 1 funcref)
             (func (export "memory") (result i32) (loop (br_if 0 (i32.ne (memory.grow (i32.const 16))
             (i32.const -1)))) (memory.size)) (func (export "table") (result i32) (loop (br_if 0 (i32.ne
             (table.grow (ref.null func) (i32.const 16)) (i32.const -1)))) (table.size)))""",
        limits=StoreLimits(memory_bytes=4 << 20, table_elements=1000),
    )
    assert func(instance, "memory")() == 1 + 3 * 16
    assert 1000 - 16 < func(instance, "table")() <= 1000


FOREVER = """
(module
  (import "" "h" (func $h))
  (func (export "forever") (loop (br 0)))
  (func (export "calling") (loop (call $h) (br 0)))
  (func (export "once") (call $h)))
"""


@pytest.mark.parametrize("name", ["forever", "calling"])
def test_a_guest_without_end_meets_its_deadline(instantiate: Instantiate, name: str) -> None:
    instance = instantiate(FOREVER, [lambda: None])
    instance.store.set_timeout(0.03)
    with pytest.raises(Trap) as caught:
        func(instance, name)()
    assert caught.value.kind is TrapKind.TIMEOUT
    assert caught.value.frames
    instance.store.set_timeout(None)
    func(instance, "once")()


def test_limits_out_of_range() -> None:
    engine = Engine()
    for limits in (StoreLimits(memory_bytes=-1), StoreLimits(tables=1 << 63), StoreLimits(handles=-5)):
        with pytest.raises(ValueError, match=r"a limit is from 0 to 2\*\*63 - 1, or None"):
            CoreStore(engine, limits)
    with pytest.raises(ValueError, match="a timeout is a number of seconds, not NaN"):
        CoreStore(engine).set_timeout(float("nan"))


def test_a_deadline_does_not_stop_what_ends_in_time(instantiate: Instantiate) -> None:
    instance = instantiate(FOREVER, [lambda: None])
    instance.store.set_timeout(3600)
    func(instance, "once")()


def test_another_thread_can_interrupt(instantiate: Instantiate) -> None:
    running = threading.Event()
    instance = instantiate(FOREVER, [running.set])

    def interrupt() -> None:
        running.wait()
        instance.store.interrupt()

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(Trap) as caught:
        func(instance, "calling")()
    thread.join()
    assert caught.value.kind is TrapKind.INTERRUPTED
    func(instance, "once")()


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs POSIX timers")
@pytest.mark.parametrize("name", ["forever", "calling"])
def test_a_signal_handler_can_raise_out_of_a_guest(instantiate: Instantiate, name: str) -> None:
    """The exception comes at the first instruction of a callback, mostly."""

    class AlarmError(Exception):
        pass

    def handler(number: int, frame: object) -> None:
        raise AlarmError

    previous = signal.signal(signal.SIGALRM, handler)
    try:
        for _ in range(20):
            instance = instantiate(FOREVER, [lambda: None])
            endless = func(instance, name)
            with pytest.raises(AlarmError):
                # Within: on a busy machine the alarm may come before the guest is entered.
                signal.setitimer(signal.ITIMER_REAL, 0.002)
                endless()
            func(instance, "once")()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


def test_fuel_runs_out(instantiate: Instantiate) -> None:
    store = CoreStore(Engine(EngineConfig(consume_fuel=True)), fuel=10_000)
    instance = instantiate(FOREVER, [lambda: None], store=store)
    func(instance, "once")()
    assert 9_000 < store.fuel < 10_000
    with pytest.raises(Trap) as caught:
        func(instance, "forever")()
    assert caught.value.kind is TrapKind.OUT_OF_FUEL
    assert store.fuel == 0
    store.set_fuel(100)
    func(instance, "once")()


def test_limits_that_the_engine_cannot_watch_are_refused() -> None:
    deaf = Engine(EngineConfig(epoch_interruption=False))
    with pytest.raises(ValueError, match="consume_fuel"):
        CoreStore(deaf, fuel=1)
    store = CoreStore(deaf)
    with pytest.raises(ValueError, match="epoch_interruption"):
        store.set_timeout(1)
    with pytest.raises(ValueError, match="epoch_interruption"):
        store.interrupt()
    module = CoreModule(deaf, wat_to_wasm('(module (func (export "f")))'))
    assert func(CoreInstance(store, module), "f")() is None


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_time_passes_in_the_child_of_a_fork(instantiate: Instantiate) -> None:
    instantiate(FOREVER, [lambda: None])  # the thread that ticks runs in the parent
    child = os.fork()
    if child == 0:
        status = 1
        try:
            signal.alarm(30)  # whatever goes wrong, no process stays behind
            instance = instantiate(FOREVER, [lambda: None])
            instance.store.set_timeout(0.02)
            func(instance, "forever")()
        except Trap as trap:
            signal.alarm(0)
            status = 0 if trap.kind is TrapKind.TIMEOUT else 2
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


_FEW_ADDRESSES = """
import resource
from ingen_runtime.engine import CoreInstance, CoreModule, CoreStore, Engine, wat_to_wasm
from ingen_runtime.errors import Trap

engine = Engine()
module = CoreModule(engine, wat_to_wasm("(module (memory 1))"))
kept = [CoreInstance(CoreStore(engine), module)]
resource.setrlimit(resource.RLIMIT_AS, (16 << 30, 16 << 30))
try:
    while True:
        kept.append(CoreInstance(CoreStore(engine), module))
except Trap as trap:
    print(trap.kind.name, "memory_reservation" in trap.detail)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="other systems limit address space otherwise")
def test_a_process_without_address_space_is_told_what_to_do() -> None:
    done = subprocess.run([sys.executable, "-c", _FEW_ADDRESSES], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("LIMIT_EXCEEDED True\n", "")


def test_ten_thousand_stores_fit(engine: Engine) -> None:
    module = CoreModule(
        engine, wat_to_wasm('(module (memory 1) (func (export "f") (result i32) (i32.const 3)))')
    )
    instances = [CoreInstance(CoreStore(engine), module) for _ in range(10_000)]
    assert func(instances[-1], "f")() == 3
    assert func(instances[0], "f")() == 3
