"""What calls do around their values: entering and leaving, poisoning, post-return, errors as exceptions."""

from __future__ import annotations

import builtins
import inspect
import keyword
import struct
import traceback
from typing import Any

import pytest

from ingen_runtime.canonical import (
    BorrowScope,
    InstanceState,
    ResultError,
    StringEncoding,
    ValueClasses,
    compile_fused,
    compile_lift,
    compile_lower,
)
from ingen_runtime.component.types import (
    FuncType,
    ListType,
    OptionType,
    PrimitiveType,
    ResultType,
    StreamType,
    TupleType,
    ValType,
)
from ingen_runtime.errors import HostValueError, PoisonedError, ReentranceError, Trap, TrapKind
from tests.runtime.canonical.guest import FakeFunction, Guest

P = PrimitiveType
UTF8 = StringEncoding.UTF8
CLASSES = ValueClasses()
ADD = FuncType((("left", P.U32), ("class", P.U32)), P.U32)


def add(raw: bytearray) -> None:
    left, right = struct.unpack_from("<I12xI", raw)
    struct.pack_into("<I", raw, 0, left + right)


def test_the_function_looks_like_its_type() -> None:
    call = compile_lift(ADD, name="add-up").bind(FakeFunction(add), Guest().endpoint)
    assert call.__name__ == "add_up"
    assert str(inspect.signature(call)) == "(left, class_)"
    assert call(1, class_=2) == 3
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'class_'"):
        call(1)


def test_parameters_may_have_any_name() -> None:
    labels = [*keyword.kwlist, *(name for name in dir(builtins) if name.islower()), "self", "raw", "result"]
    labels = [label.replace("_", "-").strip("-") for label in labels if label.islower()]
    params = tuple((label, ListType(P.STRING)) for label in dict.fromkeys(labels))
    seen: list[int] = []
    guest = Guest()
    plan = compile_lift(FuncType(params, None))
    call = plan.bind(FakeFunction(lambda raw: seen.append(raw[0])), guest.endpoint)
    call(*[["text"]] * len(params))
    assert len(seen) == 1
    names = list(inspect.signature(call).parameters)
    assert {"len", "type", "class_", "str", "raw"} <= set(names)
    call(**dict.fromkeys(names, ()))
    with pytest.raises(HostValueError, match="len: expected a list"):
        call(**dict.fromkeys(names, ()) | {"len": 5})


def test_instances_share_compiled_code() -> None:
    plan = compile_lift(ADD, classes=CLASSES)
    assert plan is compile_lift(ADD, classes=CLASSES)
    first, second = (plan.bind(FakeFunction(add), Guest().endpoint) for _ in range(2))
    assert first.__code__ is second.__code__


def test_generated_source_is_in_tracebacks() -> None:
    def fail(raw: bytearray) -> None:
        raise ZeroDivisionError

    call = compile_lift(ADD, name="add").bind(FakeFunction(fail), Guest().endpoint)
    try:
        call(1, 2)
    except ZeroDivisionError:
        assert "_call()" in traceback.format_exc()


def test_reentrance() -> None:
    guest = Guest()
    errors: list[Exception] = []

    def again(raw: bytearray) -> None:
        try:
            call(1, 2)
        except ReentranceError as error:
            errors.append(error)
        add(raw)

    call = compile_lift(ADD).bind(FakeFunction(again), guest.endpoint)
    assert call(1, 2) == 3
    assert str(errors[0]) == "cannot enter guest: a call into it is under way"
    assert call(1, 2) == 3


def test_a_whole_tree_of_instances_is_entered_at_once() -> None:
    root, one, two = Guest(), Guest(), Guest()
    for guest in (one, two):
        guest.endpoint.instance = guest.state = InstanceState("child", root.state)

    def call_two(raw: bytearray) -> None:
        with pytest.raises(ReentranceError):
            inner(1, 2)
        add(raw)

    inner = compile_lift(ADD).bind(FakeFunction(add), two.endpoint)
    outer = compile_lift(ADD).bind(FakeFunction(call_two), one.endpoint)
    assert outer(1, 2) == 3
    assert inner(1, 2) == 3


@pytest.mark.parametrize(
    "error", [Trap(TrapKind.UNREACHABLE), ZeroDivisionError("zero"), KeyboardInterrupt()]
)
def test_poison(error: BaseException) -> None:
    guest = Guest()

    def fail(raw: bytearray) -> None:
        raise error

    call = compile_lift(ADD).bind(FakeFunction(fail), guest.endpoint)
    with pytest.raises(type(error)) as caught:
        call(1, 2)
    assert caught.value is error
    other = compile_lift(ADD).bind(FakeFunction(add), guest.endpoint)
    with pytest.raises(PoisonedError, match="cannot enter guest: an earlier call ended with") as poisoned:
        other(1, 2)
    assert poisoned.value.__cause__ is error


def test_a_bad_result_poisons() -> None:
    type_ = FuncType((), P.CHAR)
    guest = Guest()
    call = compile_lift(type_).bind(
        FakeFunction(lambda raw: struct.pack_into("<I", raw, 0, 0xD800)), guest.endpoint
    )
    with pytest.raises(Trap, match=r"invalid `char` bit pattern: 0xd800 \(in result\)"):
        call()
    with pytest.raises(PoisonedError):
        call()


def test_bad_arguments_do_not_poison() -> None:
    guest = Guest()
    call = compile_lift(ADD).bind(FakeFunction(add), guest.endpoint)
    with pytest.raises(HostValueError, match="class: expected u32"):
        call(1, -1)
    assert call(1, 2) == 3


def test_a_trap_of_realloc_poisons() -> None:
    guest = Guest()

    def fail(raw: bytearray) -> None:
        raise Trap(TrapKind.UNREACHABLE)

    guest.endpoint.realloc = FakeFunction(fail)
    call = compile_lift(FuncType((("s", P.STRING),), None)).bind(
        FakeFunction(lambda raw: None), guest.endpoint
    )
    with pytest.raises(Trap):
        call("x")
    with pytest.raises(PoisonedError):
        call("x")


def test_post_return_gets_the_results_after_they_were_lifted() -> None:
    guest, events = Guest(), list[Any]()
    guest.memory.bytes[8:16] = struct.pack("<II", 100, 2)
    guest.memory.bytes[100:102] = b"ok"

    def core(raw: bytearray) -> None:
        events.append("call")
        struct.pack_into("<I", raw, 0, 8)

    def post_return(raw: bytearray) -> None:
        events.append((struct.unpack_from("<I", raw)[0], guest.state.may_leave))
        guest.memory.bytes[100:102] = b"??"

    call = compile_lift(FuncType((), P.STRING)).bind(
        FakeFunction(core), guest.endpoint, FakeFunction(post_return)
    )
    assert call() == "ok"
    assert events == ["call", (8, False)]
    assert guest.state.may_leave


def test_functions_may_share_their_buffer() -> None:
    """The engine gives all functions of a store one buffer."""
    caller, callee = Guest(name="caller"), Guest(name="callee")
    raw, events = bytearray(16 * 16), list[int]()
    callee.memory.bytes[8:16] = struct.pack("<II", 100, 2)
    callee.memory.bytes[100:102] = b"ok"

    def echo(slots: bytearray) -> None:
        struct.pack_into("<I", slots, 0, 8)

    functions = [FakeFunction(echo), FakeFunction(lambda slots: events.append(slots[0]))]
    reallocs = [caller.endpoint.realloc, callee.endpoint.realloc]
    for function in [*functions, *reallocs]:
        assert isinstance(function, FakeFunction)
        function.raw = raw
    type_ = FuncType((("s", P.STRING),), P.STRING)
    plan = compile_fused(type_, UTF8, type_, UTF8)
    buffer = bytearray(48)
    struct.pack_into("<I12xI12xI", buffer, 0, 0, 0, 24)
    plan.bind(functions[0], callee.endpoint, caller.endpoint, functions[1])(buffer, 0)
    ptr, length = struct.unpack_from("<II", caller.memory.bytes, 24)
    assert caller.memory.bytes[ptr : ptr + length] == b"ok"
    assert events == [8]
    call = compile_lift(type_).bind(functions[0], callee.endpoint, functions[1])
    assert call("x") == "ok"
    assert events == [8, 8]


@pytest.mark.parametrize(
    ("type_", "bits", "expected"),
    [
        (ResultType(None, None), 0, None),
        (ResultType(None, None), 1, ResultError(None)),
        (ResultType(None, P.U8), 0x0301, ResultError(3)),
        (ResultType(P.U8, None), 0x0300, 3),
        (ResultType(ResultType(P.U8, None), None), 0x030000, "Ok(value=3)"),
        (OptionType(ResultType(P.U8, None)), 0x030001, "Ok(value=3)"),
    ],
)
def test_results_become_exceptions_only_where_they_are_all(type_: ValType, bits: int, expected: Any) -> None:
    guest = Guest()

    def core(raw: bytearray) -> None:
        struct.pack_into("<I", guest.memory.bytes, 8, bits)
        struct.pack_into("<I", raw, 0, bits if type_ == ResultType(None, None) else 8)

    call = compile_lift(FuncType((), type_)).bind(FakeFunction(core), guest.endpoint)
    if isinstance(expected, ResultError):
        with pytest.raises(ResultError) as caught:
            call()
        assert caught.value.value == expected.value
    else:
        value = call()
        assert (repr(value) if isinstance(expected, str) else value) == expected
    assert not guest.state.busy


def test_host_functions_pass_exceptions_on() -> None:
    guest = Guest()

    def host(*arguments: int) -> int:
        raise ResultError("only a result has an error")

    core = compile_lower(ADD).bind(host, guest.endpoint)
    with pytest.raises(ResultError):
        core(bytearray(32), 0)


def test_an_error_value_that_does_not_fit() -> None:
    def host() -> int:
        raise ResultError("text")

    core = compile_lower(FuncType((), ResultType(P.U8, P.U8))).bind(host, Guest().endpoint)
    with pytest.raises(HostValueError, match=r"result.err: expected u8"):
        core(bytearray(32), 0)


def test_imports_trap_where_the_instance_may_not_leave() -> None:
    guest = Guest()
    plan = compile_lower(ADD)
    core = plan.bind(lambda left, right: left, guest.endpoint)
    guest.state.may_leave = False
    for call in (core, lambda raw, at: plan.bind_parts(guest.endpoint).lift(raw, at, [])):
        with pytest.raises(Trap) as caught:
            call(bytearray(32), 0)
        assert caught.value.kind is TrapKind.CANNOT_LEAVE


def test_calls_between_nested_instances_trap() -> None:
    parent, child = Guest(), Guest()
    child.endpoint.instance = InstanceState("child", parent.state)
    plan = compile_fused(ADD, UTF8, ADD, UTF8)
    call = plan.bind(FakeFunction(add), child.endpoint, parent.endpoint)
    with pytest.raises(Trap) as caught:
        call(bytearray(32), 0)
    assert caught.value.kind is TrapKind.CANNOT_ENTER
    with pytest.raises(Trap):
        plan.bind_parts(child.endpoint, parent.endpoint)


def test_exports_in_parts() -> None:
    guest = Guest()
    type_ = FuncType((("s", P.STRING),), ResultType(P.U8, P.U8))
    parts = compile_lift(type_).bind_parts(guest.endpoint)
    raw = bytearray(32)
    parts.lower(raw, 0, ("abc",), BorrowScope(), [])
    ptr, length = struct.unpack_from("<I12xI", raw)
    assert guest.memory.bytes[ptr : ptr + length] == b"abc"
    guest.memory.bytes[8:10] = b"\1\7"
    struct.pack_into("<I", raw, 0, 8)
    value, failure = parts.lift(raw, 0, [])
    assert value is None and failure is not None and failure.value == 7
    with pytest.raises(HostValueError, match="s: expected a str"):
        parts.lower(raw, 0, (5,), BorrowScope(), [])
    assert guest.state.may_leave


def test_imports_in_parts() -> None:
    guest = Guest()
    type_ = FuncType((("n", P.S8),), ResultType(P.STRING, P.U8))
    parts = compile_lower(type_).bind_parts(guest.endpoint)
    raw = bytearray(16 * 3)
    struct.pack_into("<I12xI", raw, 16, 0xFE, 8)
    assert parts.lift(raw, 16, []) == (-2,)
    parts.lower(raw, 16, "ok", None)
    case, ptr, length = struct.unpack_from("<III", guest.memory.bytes, 8)
    assert (case, bytes(guest.memory.bytes[ptr : ptr + length])) == (0, b"ok")
    parts.lower(raw, 16, None, ResultError(9))
    assert guest.memory.bytes[8] == 1 and guest.memory.bytes[12] == 9


def test_calls_between_components_in_parts() -> None:
    caller, callee = Guest(), Guest()
    type_ = FuncType((("v", ListType(P.U16)),), TupleType((P.U8, P.U8)))
    parts = compile_fused(type_, UTF8, type_, UTF8).bind_parts(callee.endpoint, caller.endpoint)
    caller.memory.bytes[16:20] = b"\1\0\2\0"
    buffer, target, scope = bytearray(48), bytearray(32), BorrowScope()
    struct.pack_into("<I12xI12xI", buffer, 0, 16, 2, 32)
    parts.begin(buffer, 0, target, scope, [])
    ptr, length = struct.unpack_from("<I12xI", target)
    assert (bytes(callee.memory.bytes[ptr : ptr + 4]), length) == (b"\1\0\2\0", 2)
    callee.memory.bytes[8:10] = b"\5\6"
    struct.pack_into("<I", target, 0, 8)
    parts.finish(target, buffer, 0, scope)
    assert caller.memory.bytes[32:34] == b"\5\6"


def test_many_parameters_spill() -> None:
    guest = Guest()
    params = tuple((f"p{index}", P.U8) for index in range(17))
    seen: list[bytes] = []

    def core(raw: bytearray) -> None:
        (ptr,) = struct.unpack_from("<I", raw)
        seen.append(bytes(guest.memory.bytes[ptr : ptr + 17]))

    call = compile_lift(FuncType(params, None)).bind(FakeFunction(core), guest.endpoint)
    call(*range(17))
    assert seen == [bytes(range(17))]
    assert guest.reallocs == [(0, 0, 1, 17)]


class Streams:
    """Stands for the part that knows streams, futures and error contexts."""

    def __init__(self) -> None:
        self.table: list[Any] = []

    def lower(self, value: Any, type_: Any = None) -> int:
        self.table.append((value, type_))
        return len(self.table)

    def lift(self, index: int, type_: Any = None) -> Any:
        value, stored = self.table[index - 1]
        assert stored == type_
        return value

    lift_end = receive_end = lift_error_context = lift
    lower_end = give_end = lower_error_context = lower


def test_streams_are_passed_by_whoever_knows_them() -> None:
    streams = Streams()
    guest = Guest(make_async_values=lambda: streams)
    type_ = TupleType((StreamType(P.U8), P.ERROR_CONTEXT))
    guest.memory.bytes[8:16] = struct.pack("<II", 1, 2)
    call = compile_lift(FuncType((("v", type_),), type_)).bind(
        FakeFunction(lambda raw: struct.pack_into("<I", raw, 0, 8)), guest.endpoint
    )
    assert call(("stream", "context")) == ("stream", "context")
    assert streams.table == [("stream", StreamType(P.U8)), ("context", None)]
