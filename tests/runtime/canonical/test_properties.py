"""Generated code against the plain reference, for types and values that hypothesis makes."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingen_runtime.canonical import (
    BorrowScope,
    ResultError,
    StringEncoding,
    ValueClasses,
    ValuesPlan,
    compile_fused,
    compile_lift,
    compile_lower,
)
from ingen_runtime.canonical.layout import (
    MAX_FLAT_PARAMS,
    MAX_FLAT_RESULTS,
    alignment,
    elem_size,
    flat_count,
    flatten_type,
)
from ingen_runtime.component.types import FuncType, ResultType, ValType
from tests.runtime.canonical.guest import FakeFunction, Guest
from tests.runtime.canonical.reference import Reference, from_raw, to_raw
from tests.runtime.canonical.strategies import TYPES, values

ENCODINGS = st.sampled_from(list(StringEncoding))
common = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


def draw_value(data: st.DataObject, type_: ValType, classes: ValueClasses) -> Any:
    return data.draw(values(type_, classes), label="value")


@common
@given(TYPES, ENCODINGS, st.data())
def test_store_then_load(type_: ValType, encoding: StringEncoding, data: st.DataObject) -> None:
    classes, guest = ValueClasses(), Guest()
    value = draw_value(data, type_, classes)
    plan = ValuesPlan([type_], encoding, classes)
    reference = Reference(guest, classes, encoding)

    ptr = guest.allocate(alignment(type_), elem_size(type_))
    plan.bind_store(guest.endpoint)(ptr, (value,), BorrowScope(), [])
    assert reference.load(ptr, type_) == value
    assert plan.bind_load(guest.endpoint)(ptr, []) == (value,)

    reference.store(value, type_, ptr)
    assert plan.bind_load(guest.endpoint)(ptr, []) == (value,)
    assert guest.may_leave_in_realloc <= {False}
    assert guest.state.may_leave


@common
@given(TYPES.filter(lambda type_: flat_count(type_) <= 16), ENCODINGS, st.data())
def test_lower_flat_then_lift_flat(type_: ValType, encoding: StringEncoding, data: st.DataObject) -> None:
    classes, guest = ValueClasses(), Guest()
    value = draw_value(data, type_, classes)
    plan = ValuesPlan([type_], encoding, classes)
    reference = Reference(guest, classes, encoding)
    core = flatten_type(type_)

    raw = bytearray(b"\xff" * 16 * 17)
    plan.bind_lower(guest.endpoint)(raw, 0, (value,), BorrowScope(), [])
    assert reference.lift_flat(iter(from_raw(raw, core)), type_) == value

    to_raw(raw, reference.lower_flat(value, type_), core)
    assert plan.bind_lift(guest.endpoint)(raw, 0, []) == (value,)


def guest_echo(reference: Reference, type_: ValType, seen: list[Any]) -> FakeFunction:
    """A core function `(v: T) -> T` that returns its argument, and notes it in `seen`."""

    def echo(raw: bytearray) -> None:
        if flat_count(type_) > MAX_FLAT_PARAMS:
            value = reference.load(struct.unpack_from("<I", raw)[0], type_)
        else:
            value = reference.lift_flat(iter(from_raw(raw, flatten_type(type_))), type_)
        seen.append(value)
        if flat_count(type_) <= MAX_FLAT_RESULTS:
            to_raw(raw, reference.lower_flat(value, type_), flatten_type(type_))
            return
        ptr = reference.guest.allocate(alignment(type_), elem_size(type_))
        reference.store(value, type_, ptr)
        struct.pack_into("<I", raw, 0, ptr)

    return FakeFunction(echo)


@common
@given(TYPES, ENCODINGS, st.data())
def test_host_to_guest_and_back(type_: ValType, encoding: StringEncoding, data: st.DataObject) -> None:
    classes, guest, seen = ValueClasses(), Guest(stays=data.draw(st.booleans())), list[Any]()
    value = draw_value(data, type_, classes)
    echo = guest_echo(Reference(guest, classes, encoding), type_, seen)
    call = compile_lift(FuncType((("v", type_),), type_), encoding, classes).bind(echo, guest.endpoint)
    if isinstance(type_, ResultType) and type(value).__name__ == "Err":
        with pytest.raises(ResultError) as caught:
            call(value)
        assert caught.value.value == value.value
    else:
        assert call(value) == (value.value if isinstance(type_, ResultType) else value)
    assert seen == [value]
    assert not guest.state.busy


def call_from_guest(reference: Reference, type_: ValType, value: Any, core_call: Any) -> Any:
    """Call a core function `(v: T) -> T` as a guest does; what it returns."""
    raw, guest, slots = bytearray(16 * 19), reference.guest, flat_count(type_)
    if slots > MAX_FLAT_PARAMS:
        ptr, slots = guest.allocate(alignment(type_), elem_size(type_)), 1
        reference.store(value, type_, ptr)
        struct.pack_into("<I", raw, 16, ptr)
    else:
        lowered = bytearray(16 * 17)
        to_raw(lowered, reference.lower_flat(value, type_), flatten_type(type_))
        raw[16:] = lowered[: 16 * 17] + bytes(len(raw) - 16 - 16 * 17)
    place = guest.allocate(alignment(type_), elem_size(type_))
    if flat_count(type_) > MAX_FLAT_RESULTS:
        struct.pack_into("<I", raw, 16 + 16 * slots, place)
    core_call(raw, 16)
    if flat_count(type_) > MAX_FLAT_RESULTS:
        return reference.load(place, type_)
    return reference.lift_flat(iter(from_raw(raw[16:], flatten_type(type_))), type_)


@common
@given(TYPES, ENCODINGS, st.data())
def test_guest_to_host_and_back(type_: ValType, encoding: StringEncoding, data: st.DataObject) -> None:
    classes, guest, seen = ValueClasses(), Guest(stays=data.draw(st.booleans())), list[Any]()
    value = draw_value(data, type_, classes)

    def host(got: Any) -> Any:
        seen.append(got)
        if not isinstance(type_, ResultType):
            return got
        if type(got).__name__ == "Err":
            raise ResultError(got.value)
        return got.value

    plan = compile_lower(FuncType((("v", type_),), type_), encoding, classes)
    reference = Reference(guest, classes, encoding)
    assert call_from_guest(reference, type_, value, plan.bind(host, guest.endpoint)) == value
    assert seen == [value]


@common
@given(TYPES, ENCODINGS, ENCODINGS, st.data())
def test_guest_to_guest_and_back(
    type_: ValType, caller_encoding: StringEncoding, callee_encoding: StringEncoding, data: st.DataObject
) -> None:
    classes, caller, callee, seen = ValueClasses(), Guest(), Guest(), list[Any]()
    value = draw_value(data, type_, classes)
    func_type = FuncType((("v", type_),), type_)
    echo = guest_echo(Reference(callee, classes, callee_encoding), type_, seen)
    plan = compile_fused(func_type, caller_encoding, func_type, callee_encoding)
    call = plan.bind(echo, callee.endpoint, caller.endpoint)
    reference = Reference(caller, classes, caller_encoding)
    assert call_from_guest(reference, type_, value, call) == value
    assert seen == [value]
    assert caller.may_leave_in_realloc <= {False} and callee.may_leave_in_realloc <= {False}
