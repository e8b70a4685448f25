"""Generated code on real core WebAssembly: memories that grow in their place or move, traps, callbacks."""

from __future__ import annotations

from typing import Any

import pytest

from ingen_runtime.canonical import (
    Endpoint,
    InstanceState,
    StringEncoding,
    ValueClasses,
    compile_fused,
    compile_lift,
    compile_lower,
)
from ingen_runtime.component.types import FieldType, FuncType, ListType, PrimitiveType, RecordType, ValType
from ingen_runtime.engine import (
    CoreFunc,
    CoreFuncType,
    CoreInstance,
    CoreMemory,
    CoreModule,
    CoreStore,
    Engine,
    EngineConfig,
    default_engine,
    wat_to_wasm,
)
from ingen_runtime.engine.raw import RawFunction, raw_host_function
from ingen_runtime.errors import PoisonedError, Trap, TrapKind

P = PrimitiveType
GUEST = """
(module
  (import "host" "join" (func $join (param i32 i32 i32)))
  (memory (export "memory") 1)
  (global $next (mut i32) (i32.const 1024))
  (func (export "realloc") (param $old i32) (param $old_size i32) (param $align i32) (param $size i32)
    (result i32)
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $next) (i32.sub (local.get $align) (i32.const 1)))
                            (i32.sub (i32.const 0) (local.get $align))))
    (global.set $next (i32.add (local.get $at) (local.get $size)))
    (loop $grow
      (if (i32.gt_u (global.get $next) (i32.mul (memory.size) (i32.const 65536)))
        (then (drop (memory.grow (i32.const 1))) (br $grow))))
    (local.get $at))
  (func (export "echo") (param $at i32) (param $length i32) (result i32)
    (drop (memory.grow (i32.const 1)))
    (i32.store (i32.const 8) (local.get $at))
    (i32.store (i32.const 12) (local.get $length))
    (i32.const 8))
  (func (export "join") (param $at i32) (param $length i32) (result i32)
    (call $join (local.get $at) (local.get $length) (i32.const 16))
    (i32.const 16))
  (func (export "fail") unreachable))
"""
STRING = FuncType((("s", P.STRING),), P.STRING)


class RealGuest:
    """A component instance on the engine."""

    def __init__(self, store: CoreStore, join: Any = None, name: str = "guest") -> None:
        self.store = store
        self.state = InstanceState(name)
        self.endpoint = Endpoint(instance=self.state)
        host = raw_host_function(store, CoreFuncType(("i32", "i32", "i32"), ()), self.join)
        self.instance = CoreInstance(store, CoreModule(store.engine, wat_to_wasm(GUEST)), [host])
        memory = self.instance.export("memory")
        assert isinstance(memory, CoreMemory)
        self.endpoint.memory = memory
        self.endpoint.realloc = self.function("realloc")
        self._calls = compile_lower(STRING).bind(join, self.endpoint)

    def join(self, buffer: Any, offset: int) -> None:
        self._calls(buffer, offset)

    def function(self, name: str) -> RawFunction:
        export = self.instance.export(name)
        assert isinstance(export, CoreFunc)
        return RawFunction(export)

    def echo(self, type_: ValType, classes: ValueClasses) -> Any:
        plan = compile_lift(FuncType((("v", type_),), type_), classes=classes)
        return plan.bind(self.function("echo"), self.endpoint)


@pytest.fixture
def store() -> CoreStore:
    return CoreStore(default_engine())


@pytest.fixture(params=["stays", "moves"])
def each_store(request: pytest.FixtureRequest) -> CoreStore:
    """A store whose memories never move, and one whose memories do."""
    moves = EngineConfig(memory_reservation=0, memory_guard_size=0)
    return CoreStore(default_engine() if request.param == "stays" else Engine(moves))


def test_strings_and_lists_are_found_where_memory_has_grown(each_store: CoreStore) -> None:
    guest, classes = RealGuest(each_store), ValueClasses()
    texts, lists = guest.echo(P.STRING, classes), guest.echo(ListType(P.U16), classes)
    for length in (0, 1, 10, 100_000, 3, 300_000, 7):
        assert texts("é" * length) == "é" * length
        assert lists([length % 65536] * length) == [length % 65536] * length


def test_memories_that_grow_in_the_middle_of_lowering(each_store: CoreStore) -> None:
    guest, classes = RealGuest(each_store), ValueClasses()
    row = RecordType((FieldType("name", P.STRING), FieldType("values", ListType(P.F64))), "row")
    class_ = classes.record(row).class_
    rows = [class_(f"row {index} " * 100, [float(index)] * 300) for index in range(200)]
    assert guest.echo(ListType(row), classes)(rows) == rows
    data = bytes(range(256)) * 4096
    assert guest.echo(ListType(P.U8), classes)(data) == data


def test_a_guest_calls_the_host(store: CoreStore) -> None:
    guest = RealGuest(store, lambda text: text * 20000)
    call = compile_lift(STRING).bind(guest.function("join"), guest.endpoint)
    assert call("né") == "né" * 20000


def test_an_exception_of_the_host_comes_out_as_it_was_raised(store: CoreStore) -> None:
    error = LookupError("no such thing")

    def join(text: str) -> str:
        raise error

    guest = RealGuest(store, join)
    call = compile_lift(STRING).bind(guest.function("join"), guest.endpoint)
    with pytest.raises(LookupError) as caught:
        call("x")
    assert caught.value is error
    with pytest.raises(PoisonedError):
        call("x")


def test_a_trap(store: CoreStore) -> None:
    guest = RealGuest(store)
    call = compile_lift(FuncType((), None)).bind(guest.function("fail"), guest.endpoint)
    with pytest.raises(Trap) as caught:
        call()
    assert caught.value.kind is TrapKind.UNREACHABLE
    assert caught.value.frames


def test_a_component_calls_another(store: CoreStore) -> None:
    callee = RealGuest(store, name="callee")
    plan = compile_fused(STRING, StringEncoding.UTF8, STRING, StringEncoding.UTF8)
    caller = RealGuest(store, name="caller")
    caller._calls = plan.bind(callee.function("echo"), callee.endpoint, caller.endpoint)
    call = compile_lift(STRING).bind(caller.function("join"), caller.endpoint)
    text = "through two components " * 10000
    assert call(text) == text
    assert not callee.state.root.busy


def test_floats_of_both_widths_pass_raw_slots(store: CoreStore) -> None:
    module = CoreModule(
        store.engine,
        wat_to_wasm(
            '(module (func (export "f") (param f32 f64 i64 i32) (result f64)'
            " (f64.add (f64.add (f64.promote_f32 (local.get 0)) (local.get 1))"
            " (f64.add (f64.convert_i64_s (local.get 2)) (f64.convert_i32_s (local.get 3))))))"
        ),
    )
    function = CoreInstance(store, module).export("f")
    assert isinstance(function, CoreFunc)
    type_ = FuncType((("a", P.F32), ("b", P.F64), ("c", P.S64), ("d", P.S8)), P.F64)
    call = compile_lift(type_).bind(RawFunction(function), Endpoint(instance=InstanceState()))
    assert call(1.5, 2.25, -4, -8) == -8.25
