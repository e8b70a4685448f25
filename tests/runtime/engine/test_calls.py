"""Calls in both directions: values, exceptions, re-entrance, life of a store."""

from __future__ import annotations

import gc
import math
import struct
import traceback
import weakref
from collections.abc import Callable
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingen_runtime.engine import (
    CoreFunc,
    CoreFuncType,
    CoreGlobal,
    CoreInstance,
    CoreMemory,
    CoreModule,
    CoreStore,
    CoreTable,
    Engine,
    wat_to_wasm,
)
from ingen_runtime.errors import InternalError, LinkError, StoreUnusableError, Trap, TrapKind
from tests.runtime.engine.conftest import Instantiate, func

IDENTITIES = """
(module
  (import "host" "identity" (func $host (param i32 i64 f32 f64) (result i32 i64 f32 f64)))
  (func (export "host") (param i32 i64 f32 f64) (result i32 i64 f32 f64)
    (call $host (local.get 0) (local.get 1) (local.get 2) (local.get 3)))
  (func (export "swap") (param i32 i64 f32 f64) (result f64 f32 i64 i32)
    (local.get 3) (local.get 2) (local.get 1) (local.get 0)))
"""


def _bits(value: float) -> bytes:
    return struct.pack("<d", value)


@given(
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**64 - 1),
    st.floats(width=32, allow_nan=False),
    st.floats(),
)
def test_values_arrive_both_ways(i32: int, i64: int, f32: float, f64: float) -> None:
    values = (i32, i64, f32, f64)
    given_to_host: list[tuple[Any, ...]] = []

    def host(*arguments: Any) -> tuple[Any, ...]:
        given_to_host.append(arguments)
        return arguments

    instance = _identities(host)
    for returned in (
        func(instance, "host")(*values),
        func(instance, "swap")(*values)[::-1],
        given_to_host[0],
    ):
        assert returned[:2] == values[:2]
        assert _bits(returned[2]) == _bits(f32)
        assert _bits(returned[3]) == _bits(f64) or math.isnan(f64)


_engine = Engine()
_module = CoreModule(_engine, wat_to_wasm(IDENTITIES))


def _identities(host: Any) -> CoreInstance:
    store = CoreStore(_engine)
    type_ = _module.imports[0].type
    assert isinstance(type_, CoreFuncType)
    return CoreInstance(store, _module, [CoreFunc.from_python(store, type_, host)])


@pytest.mark.parametrize("bits", [0x7FF8000000000001, 0xFFF8000000000000, 0x7FFC0DEC0DEC0DE0])
def test_payloads_of_nans_are_kept(bits: int) -> None:
    (nan,) = struct.unpack("<d", struct.pack("<Q", bits))
    returned = func(_identities(lambda *arguments: arguments), "host")(0, 0, 0.0, nan)[3]
    assert _bits(returned) == struct.pack("<Q", bits)


@pytest.mark.parametrize("count", [0, 1, 2, 15, 16, 17, 40])
def test_any_number_of_values_passes(instantiate: Instantiate, count: int) -> None:
    params = "(param i32)" * count
    results = "(result i32)" * count
    gets = "".join(f"(local.get {index})" for index in range(count))
    instance = instantiate(
        f"""(module (import "" "h" (func $h {params} {results}))
              (func (export "f") {params} {results} {gets} (call $h)))""",
        [lambda *values: None if not count else values[0] if count == 1 else values],
    )
    values = tuple(range(1000, 1000 + count))
    expected = None if count == 0 else values[0] if count == 1 else values
    assert func(instance, "f")(*values) == expected


@pytest.mark.parametrize("arguments", [(-1, 0), (2**32, 0), (1.5, 0), ("1", 0), (None, 0)])
def test_arguments_out_of_range_do_not_enter_the_guest(instantiate: Instantiate, arguments: Any) -> None:
    instance = instantiate('(module (func (export "f") (param i32 i32) unreachable))')
    with pytest.raises(struct.error):
        func(instance, "f")(*arguments)


def test_a_wrong_number_of_arguments_is_a_type_error(instantiate: Instantiate) -> None:
    with pytest.raises(TypeError):
        func(instantiate('(module (func (export "f") (param i32)))'), "f")()


def test_references_do_not_pass(instantiate: Instantiate) -> None:
    instance = instantiate('(module (func (export "f") (param externref)))')
    with pytest.raises(InternalError, match="only numbers pass"):
        func(instance, "f").bind()


CALL_HOST = '(module (import "" "h" (func $h)) (func (export "f") (call $h)))'


def test_an_exception_of_a_host_function_arrives_as_it_was_raised(instantiate: Instantiate) -> None:
    error = ValueError("mine")

    def raises() -> None:
        raise error

    instance = instantiate(CALL_HOST, [raises])
    with pytest.raises(ValueError, match="mine") as caught:
        func(instance, "f")()
    assert caught.value is error
    assert error.__context__ is None
    assert "raises" in [frame.name for frame in traceback.extract_tb(error.__traceback__)]


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, GeneratorExit, StopIteration, BaseException])
def test_no_exception_is_too_special(instantiate: Instantiate, kind: type[BaseException]) -> None:
    def raises() -> None:
        raise kind

    with pytest.raises(kind):
        func(instantiate(CALL_HOST, [raises]), "f")()


def test_a_host_function_that_returns_the_wrong_thing_stops_the_guest(instantiate: Instantiate) -> None:
    text = '(module (import "" "h" (func $h (result i32))) (func (export "f") (result i32) (call $h)))'
    for wrong in (None, -1, 2**32, "1", (1,)):
        with pytest.raises(struct.error):
            func(instantiate(text, [lambda wrong=wrong: wrong]), "f")()


def test_a_trap_that_a_host_function_raises_gets_the_guests_frames(instantiate: Instantiate) -> None:
    def raises() -> None:
        raise Trap(TrapKind.OTHER, "no more")

    with pytest.raises(Trap, match="no more") as caught:
        func(
            instantiate('(module $m (import "" "h" (func $h)) (func $g (export "f") (call $h)))', [raises]),
            "f",
        )()
    assert [(frame.module_name, frame.func_name) for frame in caught.value.frames] == [("m", "g")]


FACTORIAL = """
(module
  (import "" "times" (func $times (param i64) (result i64)))
  (func (export "factorial") (param i64) (result i64)
    (if (result i64) (i64.eqz (local.get 0)) (then (i64.const 1))
      (else (i64.mul (local.get 0) (call $times (i64.sub (local.get 0) (i64.const 1))))))))
"""


def test_guests_and_hosts_may_call_each_other_again_and_again(instantiate: Instantiate) -> None:
    factorial: Callable[[int], int]
    instance = instantiate(FACTORIAL, [lambda n: factorial(n)])
    factorial = func(instance, "factorial").bind()
    assert factorial(20) == math.factorial(20)


def test_an_inner_exception_can_be_handled_on_the_way_out(instantiate: Instantiate) -> None:
    factorial: Callable[[int], int]

    def times(n: int) -> int:
        if n == 3:
            raise LookupError(n)
        try:
            return factorial(n)
        except LookupError:
            return 1000

    factorial = func(instantiate(FACTORIAL, [times]), "factorial").bind()
    assert factorial(5) == 5 * 1000
    assert factorial(3) == 6


def test_endless_recursion_through_the_host_is_an_error(instantiate: Instantiate) -> None:
    again: Callable[[], None]
    instance = instantiate(
        '(module (import "" "h" (func $h)) (func (export "f") (call $h)))', [lambda: again()]
    )
    again = func(instance, "f").bind()
    with pytest.raises((RecursionError, Trap)):
        again()


def test_a_full_python_stack_is_a_recursion_error_and_no_crash(instantiate: Instantiate) -> None:
    call = func(instantiate(CALL_HOST, [lambda: None]), "f").bind()
    outcomes = set()

    def call_at(depth: int) -> None:
        if depth:
            call_at(depth - 1)
        else:
            call()

    for depth in range(800, 1000):
        try:
            call_at(depth)
            outcomes.add("returned")
        except RecursionError:
            outcomes.add("raised")
    assert outcomes == {"returned", "raised"}


def test_no_failure_is_lost_after_one_where_the_stack_was_full(instantiate: Instantiate) -> None:
    def fail() -> None:
        raise KeyError

    call = func(instantiate(CALL_HOST, [fail]), "f").bind()
    outcomes = set()

    def call_at(depth: int) -> None:
        if depth:
            call_at(depth - 1)
        else:
            call()

    for depth in range(800, 1000):
        with pytest.raises((KeyError, RecursionError)) as caught:
            call_at(depth)
        outcomes.add(caught.type)
        with pytest.raises(KeyError):
            call()
    assert outcomes == {KeyError, RecursionError}


def test_failures_find_their_way_however_many_host_functions_there_are(instantiate: Instantiate) -> None:
    # Small integers are objects that there are once; others are compared, which takes of Python's stack.
    many = [instantiate(CALL_HOST, [lambda: None]) for _ in range(300)]
    again: Callable[[], None]
    again = func(instantiate(CALL_HOST, [lambda: again()]), "f").bind()
    with pytest.raises((RecursionError, Trap)):
        again()
    test_no_failure_is_lost_after_one_where_the_stack_was_full(instantiate)
    assert len(many) == 300


def test_a_callable_that_takes_no_weak_reference_can_be_a_host_function(instantiate: Instantiate) -> None:
    class Slotted:
        __slots__ = ()

        def __call__(self) -> None:
            called.append(1)

    called: list[int] = []
    func(instantiate(CALL_HOST, [Slotted()]), "f")()
    assert called == [1]


# Externs between instances.


def test_everything_passes_from_one_instance_to_another(engine: Engine, instantiate: Instantiate) -> None:
    first = instantiate(
        """(module (func (export "f") (result i32) (i32.const 7)) (memory (export "m") 1) (table (export "t")
        1 funcref)
             (global (export "g") (mut i64) (i64.const 5)) (tag (export "e") (param i32))
             (func (export "v") (param v128) (result v128) (local.get 0))
             (func (export "r") (param externref)) (elem (i32.const 0) 0))"""
    )
    module = CoreModule(
        engine,
        wat_to_wasm(
            """(module (import "a" "f" (func $f (result i32))) (import "a" "m" (memory 1)) (import "a" "t"
            (table 1 funcref)) (import "a" "g" (global (mut i64))) (import "a" "e" (tag (param i32))) (import
            "a" "v" (func (param v128) (result v128))) (import "a" "r" (func (param externref))) (func (export
            "run") (result i32) (i32.store (i32.const 0) (call_indirect (result i32) (i32.const 0)))
            (global.set 0 (i64.const 9)) (block $caught (result i32) (try_table (catch 0 $caught) (throw 0
            (i32.const 3))) (unreachable))))"""
        ),
    )
    imports = [first.export(item.name) for item in module.imports]
    second = CoreInstance(first.store, module, imports)
    assert func(second, "run")() == 3
    assert cast(CoreMemory, first.export("m")).read(0, 1) == b"\x07"
    assert cast(CoreGlobal, first.export("g")).value == 9
    assert first.exports.keys() == {"f", "m", "t", "g", "e", "v", "r"}


def test_imports_that_do_not_fit_are_link_errors(engine: Engine, instantiate: Instantiate) -> None:
    exporter = instantiate('(module (func (export "f") (param i32)) (memory (export "m") 1))')
    store = exporter.store
    wants_func = CoreModule(engine, wat_to_wasm('(module (import "a" "b" (func)))'))
    with pytest.raises(LinkError, match="needs 1 imports, not 0"):
        CoreInstance(store, wants_func)
    with pytest.raises(LinkError, match=r"a\.b") as caught:
        CoreInstance(store, wants_func, [exporter.export("m")])
    assert caught.value.import_name == "a.b"
    with pytest.raises(LinkError):
        CoreInstance(store, wants_func, [exporter.export("f")])


def test_a_shared_memory_is_refused(instantiate: Instantiate) -> None:
    with pytest.raises(LinkError, match="shared memory"):
        instantiate("(module (memory 1 2 shared))")


def test_externs_and_modules_of_elsewhere_are_refused(engine: Engine, instantiate: Instantiate) -> None:
    exporter = instantiate('(module (func (export "f")))')
    module = CoreModule(engine, wat_to_wasm('(module (import "a" "b" (func)))'))
    with pytest.raises(InternalError, match="another store"):
        CoreInstance(CoreStore(engine), module, [exporter.export("f")])
    with pytest.raises(InternalError, match="another engine"):
        CoreInstance(CoreStore(_engine), module, [exporter.export("f")])


def test_tables_and_globals_can_be_read(instantiate: Instantiate) -> None:
    instance = instantiate(
        """(module (table (export "t") 2 funcref) (func $f (result i32) (i32.const 6)) (elem (i32.const 1) $f)
             (global (export "g") (mut i32) (i32.const -1)) (global (export "c") f64 (f64.const 0.5)))"""
    )
    table = cast(CoreTable, instance.export("t"))
    assert len(table) == 2
    type_ = CoreFuncType((), ("i32",))
    assert table.func(0, type_) is None
    six = table.func(1, type_)
    assert six is not None
    assert six() == 6
    with pytest.raises(Trap) as caught:
        table.func(2, type_)
    assert caught.value.kind is TrapKind.OUT_OF_BOUNDS_TABLE
    variable, constant = cast(CoreGlobal, instance.export("g")), cast(CoreGlobal, instance.export("c"))
    assert variable.value == 2**32 - 1
    variable.value = 5
    assert variable.value == 5
    with pytest.raises(ValueError, match="constant"):
        constant.value = 1.0


# Life.


def test_a_closed_store_refuses_everything(instantiate: Instantiate) -> None:
    instance = instantiate(
        '(module (func (export "f")) (memory (export "m") 1) (global (export "g") i32 (i32.const 1)))'
    )
    call = func(instance, "f").bind()
    memory, variable = cast(CoreMemory, instance.export("m")), cast(CoreGlobal, instance.export("g"))
    view = memory.view()
    instance.store.close()
    instance.store.close()
    with pytest.raises(StoreUnusableError, match="is closed"):
        call()
    with pytest.raises(StoreUnusableError):
        memory.view()
    with pytest.raises(ValueError, match="released"):
        view[0]
    with pytest.raises(StoreUnusableError):
        variable.value  # noqa: B018 # the access is the test
    with pytest.raises(StoreUnusableError):
        instance.export("f")


def test_a_store_cannot_be_closed_by_its_own_guest(instantiate: Instantiate) -> None:
    instance: CoreInstance = instantiate(CALL_HOST, [lambda: instance.store.close()])
    with pytest.raises(StoreUnusableError, match="from inside a call"):
        func(instance, "f")()
    instance.store.close()


def test_a_store_goes_with_its_last_user(instantiate: Instantiate) -> None:
    class Host:
        def __init__(self) -> None:
            self.instance = instantiate(CALL_HOST, [self.call])  # a cycle through the store

        def call(self) -> None:
            pass

    host = Host()
    call = func(host.instance, "f").bind()
    reference, store = weakref.ref(host), weakref.ref(host.instance.store)
    del host
    gc.collect()
    assert store() is not None
    call()
    del call
    # A collection does nothing while one is under way in another thread.
    for _ in range(10):
        gc.collect()
    assert reference() is None
    assert store() is None
