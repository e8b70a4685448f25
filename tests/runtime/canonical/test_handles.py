"""Handle tables, ownership, loans and borrow scopes, with every trap that they have."""

from __future__ import annotations

import gc
import struct
from collections.abc import Callable
from typing import Any

import pytest

from ingen_runtime.canonical import (
    BorrowScope,
    CoreCall,
    Endpoint,
    GuestResource,
    Handle,
    HandleTable,
    HostResource,
    InstanceState,
    ResourceHandle,
    StringEncoding,
    compile_fused,
    compile_lift,
    compile_lower,
    handles,
    might_be_recursive,
    resource_drop,
    resource_new,
    resource_rep,
)
from ingen_runtime.component.types import (
    BorrowType,
    FuncType,
    ListType,
    OwnType,
    PrimitiveType,
    ResourceType,
    TupleType,
    ValType,
)
from ingen_runtime.errors import HostValueError, InternalError, Trap, TrapKind
from tests.runtime.canonical.guest import FakeFunction, Guest

UTF8 = StringEncoding.UTF8
R = ResourceType("r")
OWN, BORROW = OwnType(R), BorrowType(R)


def traps(kind: TrapKind, function: Callable[..., Any], *arguments: Any) -> Trap:
    with pytest.raises(Trap) as caught:
        function(*arguments)
    assert caught.value.kind is kind
    return caught.value


def test_indices_start_at_one_and_come_back_last_in_first_out() -> None:
    table = HandleTable()
    assert [table.add(name) for name in "abc"] == [1, 2, 3]
    assert table.remove(2) == "b"
    assert table.remove(1) == "a"
    assert len(table) == 1
    assert [table.add(name) for name in "def"] == [1, 2, 4]
    assert [table.get(index) for index in (1, 2, 3, 4)] == ["d", "e", "c", "f"]


@pytest.mark.parametrize("index", [0, 2, 5, 0xFFFFFFFF])
def test_unknown_indices(index: int) -> None:
    table = HandleTable()
    table.add("a")
    table.add("b")
    table.remove(2)
    for method in (table.get, table.remove):
        trap = traps(TrapKind.UNKNOWN_HANDLE, method, index)
        assert trap.detail == f"unknown handle index {index}"


def test_a_full_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handles, "MAX_TABLE_LENGTH", 2)
    table = HandleTable()
    assert [table.add("a"), table.add("b")] == [1, 2]
    traps(TrapKind.HANDLE_TABLE_FULL, table.add, "c")
    table.remove(1)
    assert table.add("c") == 1


def guest_resource(dropped: list[Any] | None = None) -> tuple[InstanceState, GuestResource]:
    implementer = InstanceState("implementer")
    destructor = None if dropped is None else dropped.append
    return implementer, GuestResource("r", implementer, destructor)


def test_builtins() -> None:
    dropped: list[Any] = []
    state, resource = guest_resource(dropped)
    other = GuestResource("other", state)
    index = resource_new(state, resource, 42)
    assert resource_rep(state, resource, index) == 42
    trap = traps(TrapKind.WRONG_HANDLE_TYPE, resource_rep, state, other, index)
    assert "expected other but found r" in trap.detail
    state.handles.add("a stream")
    trap = traps(TrapKind.WRONG_HANDLE_TYPE, resource_rep, state, resource, 2)
    assert "expected r but found str" in trap.detail
    resource_drop(state, resource, index)
    assert dropped == [42]
    traps(TrapKind.UNKNOWN_HANDLE, resource_drop, state, resource, index)


def test_builtins_where_the_instance_may_not_leave() -> None:
    state, resource = guest_resource()
    index = resource_new(state, resource, 42)
    state.may_leave = False
    traps(TrapKind.CANNOT_LEAVE, resource_new, state, resource, 42)
    traps(TrapKind.CANNOT_LEAVE, resource_drop, state, resource, index)
    assert resource_rep(state, resource, index) == 42


def test_a_lent_handle_can_not_be_dropped() -> None:
    state, resource = guest_resource()
    index = resource_new(state, resource, 42)
    state.handles.get(index).lend_count = 1
    traps(TrapKind.HANDLE_LENT, resource_drop, state, resource, index)


def test_the_destructor_of_a_nested_instance_can_not_be_entered() -> None:
    parent = InstanceState("parent")
    child = InstanceState("child", parent)
    resource = GuestResource("r", child, lambda rep: None)
    index = parent.handles.add(Handle(resource, 1, True))
    traps(TrapKind.CANNOT_ENTER, resource_drop, parent, resource, index)
    assert might_be_recursive(child, parent) and might_be_recursive(parent, parent)
    assert not might_be_recursive(child, InstanceState("sibling", parent))


def function(params: list[ValType], result: ValType | None) -> FuncType:
    return FuncType(tuple((f"p{index}", param) for index, param in enumerate(params)), result)


def export(
    guest: Guest, params: list[ValType], result: ValType | None, core: Callable[[bytearray], Any]
) -> Any:
    return compile_lift(function(params, result)).bind(FakeFunction(core), guest.endpoint)


def import_(
    guest: Guest, params: list[ValType], result: ValType | None, host: Callable[..., Any]
) -> CoreCall:
    return compile_lower(function(params, result)).bind(host, guest.endpoint)


def core_value(raw: bytearray, slot: int = 0) -> int:
    return int(struct.unpack_from("<I", raw, 16 * slot)[0])


class File:
    def __init__(self, name: str) -> None:
        self.name = name


class TestHostResources:
    def setup_method(self) -> None:
        self.closed: list[File] = []
        self.resource = HostResource("file", File, self.closed.append)
        self.guest = Guest(resources={R: self.resource})
        self.file = File("a")

    def test_own_to_guest_and_dropped_there(self) -> None:
        export(self.guest, [OWN], None, lambda raw: None)(self.file)
        assert self.guest.state.handles.get(1).rep is self.file
        resource_drop(self.guest.state, self.resource, 1)
        assert self.closed == [self.file]
        assert len(self.guest.state.handles) == 0

    def test_own_back_to_host(self) -> None:
        export(self.guest, [OWN], None, lambda raw: None)(self.file)
        assert export(self.guest, [], OWN, lambda raw: struct.pack_into("<I", raw, 0, 1))() is self.file
        assert len(self.guest.state.handles) == 0
        assert self.closed == []

    def test_borrow_has_to_be_dropped_before_the_call_returns(self) -> None:
        def drop(raw: bytearray) -> None:
            resource_drop(self.guest.state, self.resource, core_value(raw))

        export(self.guest, [BORROW], None, drop)(self.file)
        assert self.closed == []
        keep = export(self.guest, [BORROW], None, lambda raw: None)
        traps(TrapKind.BORROW_NOT_DROPPED, keep, self.file)

    def test_a_borrow_can_not_be_given_away(self) -> None:
        give = import_(self.guest, [OWN], None, lambda file: None)

        def core(raw: bytearray) -> None:
            give(raw, 0)

        traps(TrapKind.HANDLE_NOT_OWNED, export(self.guest, [BORROW], None, core), self.file)

    def test_lent_to_the_host(self) -> None:
        index = self.guest.state.handles.add(Handle(self.resource, self.file, True))
        raw = bytearray(16)
        struct.pack_into("<I", raw, 0, index)

        def host(file: File) -> None:
            assert file is self.file
            traps(TrapKind.HANDLE_LENT, resource_drop, self.guest.state, self.resource, index)
            self.guest.state.handles.elements[index] = kept

        kept = self.guest.state.handles.get(index)
        import_(self.guest, [BORROW], None, host)(raw, 0)
        assert kept.lend_count == 0

    def test_the_loan_ends_when_the_host_raises(self) -> None:
        index = self.guest.state.handles.add(Handle(self.resource, self.file, True))
        raw = bytearray(16)
        struct.pack_into("<I", raw, 0, index)
        with pytest.raises(ZeroDivisionError):
            import_(self.guest, [BORROW], None, lambda file: 1 / 0)(raw, 0)
        assert self.guest.state.handles.get(index).lend_count == 0

    def test_lent_and_given_away_in_one_call(self) -> None:
        index = self.guest.state.handles.add(Handle(self.resource, self.file, True))
        raw = bytearray(32)
        struct.pack_into("<I12xI", raw, 0, index, index)
        traps(TrapKind.HANDLE_LENT, import_(self.guest, [BORROW, OWN], None, lambda a, b: None), raw, 0)

    @pytest.mark.parametrize("index", [0, 1, 7])
    def test_unknown_handles(self, index: int) -> None:
        raw = bytearray(16)
        struct.pack_into("<I", raw, 0, index)
        for type_ in (OWN, BORROW):
            traps(TrapKind.UNKNOWN_HANDLE, import_(self.guest, [type_], None, lambda file: None), raw, 0)

    def test_in_lists(self) -> None:
        files = [File("a"), File("b")]
        export(self.guest, [ListType(OWN)], None, lambda raw: None)(files)
        assert [self.guest.state.handles.get(index).rep for index in (1, 2)] == files
        assert self.guest.memory.bytes[64:72] == b"\1\0\0\0\2\0\0\0"

    @pytest.mark.parametrize("value", [None, "a", 5])
    def test_another_object(self, value: Any) -> None:
        call = export(self.guest, [ListType(TupleType((PrimitiveType.U8, OWN)))], None, lambda raw: None)
        with pytest.raises(HostValueError, match=r"a resource file \(File\)"):
            call([(1, value)])
        assert not self.guest.state.busy


class TestGuestResources:
    def setup_method(self) -> None:
        self.dropped: list[int] = []
        self.guest = Guest(name="implementer")
        self.resource = GuestResource("counter", self.guest.state, self.dropped.append)
        self.guest.endpoint.resources = {R: self.resource}

        def make(raw: bytearray) -> None:
            struct.pack_into("<I", raw, 0, resource_new(self.guest.state, self.resource, 1000))

        self.make = export(self.guest, [], OWN, make)

    def test_made_used_and_dropped(self) -> None:
        seen: list[int] = []
        with self.make() as counter:
            assert repr(counter) == "<ResourceHandle of counter>"
            export(self.guest, [BORROW], None, lambda raw: seen.append(core_value(raw)))(counter)
            assert counter.is_alive
        assert (seen, self.dropped) == ([1000], [1000])
        counter.drop()
        assert self.dropped == [1000]
        assert len(self.guest.state.handles) == 0

    def test_used_after_drop(self) -> None:
        counter = self.make()
        counter.drop()
        for type_ in (OWN, BORROW):
            with pytest.raises(HostValueError, match="a live resource counter, got a dropped one"):
                export(self.guest, [type_], None, lambda raw: None)(counter)

    def test_ownership_moves_to_the_guest(self) -> None:
        counter = self.make()

        def take(raw: bytearray) -> None:
            resource_drop(self.guest.state, self.resource, core_value(raw))

        export(self.guest, [OWN], None, take)(counter)
        assert self.dropped == [1000]
        assert not counter.is_alive

    @pytest.mark.parametrize("bad", ["text", 300])
    def test_what_a_refused_call_has_moved_comes_back(self, bad: object) -> None:
        first, second, lent = self.make(), self.make(), self.make()
        call = export(self.guest, [ListType(OWN), OWN, BORROW, PrimitiveType.U8], None, lambda raw: None)
        handles_before = len(self.guest.state.handles)
        with pytest.raises(HostValueError, match="expected u8"):
            call([first], second, lent, bad)
        assert len(self.guest.state.handles) == handles_before
        for counter in (first, second, lent):
            assert counter.is_alive
            counter.drop()
        assert len(self.dropped) == 3

    def test_one_resource_given_away_twice_comes_back(self) -> None:
        counter = self.make()
        with pytest.raises(HostValueError, match="a dropped one"):
            export(self.guest, [OWN, OWN], None, lambda raw: None)(counter, counter)
        counter.drop()
        assert len(self.dropped) == 1

    def test_lent_resources_can_not_be_dropped_or_given(self) -> None:
        counter = self.make()

        def during(raw: bytearray) -> None:
            with pytest.raises(HostValueError, match="one that a call borrows"):
                counter.drop()

        export(self.guest, [BORROW], None, during)(counter)
        with pytest.raises(HostValueError, match="one that is lent to a call"):
            export(self.guest, [BORROW, OWN], None, lambda raw: None)(counter, counter)
        counter.drop()

    def test_borrowed_by_the_host_for_one_call(self) -> None:
        index = resource_new(self.guest.state, self.resource, 7)
        kept: list[ResourceHandle] = []
        raw = bytearray(16)
        struct.pack_into("<I", raw, 0, index)

        def host(counter: ResourceHandle) -> None:
            kept.append(counter)
            assert counter.is_alive
            with pytest.raises(HostValueError, match="one that is only borrowed"):
                export(Guest(resources={R: self.resource}), [OWN], None, lambda raw: None)(counter)

        import_(self.guest, [BORROW], None, host)(raw, 0)
        assert not kept[0].is_alive
        assert self.dropped == []

    def test_of_another_type(self) -> None:
        other = ResourceHandle(GuestResource("other", None), 1)
        with pytest.raises(HostValueError, match="a live resource counter, got <ResourceHandle of other>"):
            export(self.guest, [BORROW], None, lambda raw: None)(other)
        other.drop()

    def test_forgotten(self) -> None:
        counter = self.make()
        with pytest.warns(ResourceWarning, match="counter> was never dropped"):
            del counter
            gc.collect()

    def test_a_class_of_a_binding(self) -> None:
        class Counter(ResourceHandle):
            __slots__ = ()

        self.resource.class_ = Counter
        with self.make() as counter:
            assert type(counter) is Counter


def test_between_components() -> None:
    """`c` implements a resource that `d` uses: owns move, borrows reach `c` as reps."""
    c, d = Guest(name="c"), Guest(name="d")
    resource = GuestResource("r", c.state)
    c.endpoint.resources = d.endpoint.resources = {R: resource}

    def fuse(params: list[ValType], result: ValType | None, core: Callable[[bytearray], Any]) -> CoreCall:
        type_ = function(params, result)
        plan = compile_fused(type_, UTF8, type_, UTF8)
        return plan.bind(FakeFunction(core), c.endpoint, d.endpoint)

    raw = bytearray(32)

    def make(slots: bytearray) -> None:
        struct.pack_into("<I", slots, 0, resource_new(c.state, resource, 0x40))

    fuse([], OWN, make)(raw, 0)
    assert core_value(raw) == 1
    assert (len(c.state.handles), len(d.state.handles)) == (0, 1)

    seen: list[int] = []
    fuse([BORROW], None, lambda slots: seen.append(core_value(slots)))(raw, 0)
    assert seen == [0x40]
    assert d.state.handles.get(1).lend_count == 0

    struct.pack_into("<I12xI", raw, 0, 1, 1)
    traps(TrapKind.HANDLE_LENT, fuse([BORROW, OWN], None, lambda slots: None), raw, 0)


def test_borrows_between_components_that_do_not_implement_the_resource() -> None:
    c, d = Guest(name="c"), Guest(name="d")
    resource = HostResource("file", File)
    c.endpoint.resources = d.endpoint.resources = {R: resource}
    type_ = FuncType((("f", BORROW),), None)
    plan = compile_fused(type_, UTF8, type_, UTF8)
    index = d.state.handles.add(Handle(resource, File("a"), True))
    raw = bytearray(16)
    struct.pack_into("<I", raw, 0, index)

    def drops(slots: bytearray) -> None:
        assert d.state.handles.get(index).lend_count == 1
        resource_drop(c.state, resource, core_value(slots))

    plan.bind(FakeFunction(drops), c.endpoint, d.endpoint)(raw, 0)
    assert d.state.handles.get(index).lend_count == 0
    keeps = plan.bind(FakeFunction(lambda slots: None), c.endpoint, d.endpoint)
    traps(TrapKind.BORROW_NOT_DROPPED, keeps, raw, 0)


def test_borrow_scopes_count() -> None:
    scope = BorrowScope()
    scope.check()
    scope.borrow_count = 2
    assert traps(TrapKind.BORROW_NOT_DROPPED, scope.check).detail == "2 not dropped"


def test_a_resource_without_a_run_time_resource() -> None:
    type_ = FuncType((("f", OWN),), None)
    with pytest.raises(InternalError, match="no run-time resource is bound"):
        compile_lift(type_).bind(FakeFunction(lambda raw: None), Endpoint(instance=InstanceState()))
