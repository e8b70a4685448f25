"""Handle tables, borrow scopes, and the state of a component instance.

Source: CanonicalABI.md#runtime-state, lift_own, lift_borrow, lower_own, lower_borrow, canon resource.*.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

from ingen_runtime.errors import IngenError, InternalError, PoisonedError, ReentranceError, Trap, TrapKind

if TYPE_CHECKING:
    from ingen_runtime.canonical.resources import Resource

MAX_TABLE_LENGTH: Final = (1 << 28) - 1


class InstanceState:
    """What the canonical ABI keeps for one component instance.

    `handles` is its table. `may_leave` is false while the instance's realloc or post-return runs. A call from
    the host enters the whole tree of instances that `root` is the top of, so `busy` and `cause` are the
    root's. `lowered` has the handles that the host has lowered for a call that is still being prepared: the
    index, what the host gave away (None where it only lent), and what takes that back.
    """

    __slots__ = ("_handles", "_lowered", "busy", "cause", "may_leave", "name", "parent", "root")

    def __init__(self, name: str = "component", parent: InstanceState | None = None) -> None:
        self.name = name
        self.parent = parent
        self.root: InstanceState = self if parent is None else parent.root
        # Many instances have no handles at all.
        self._handles: HandleTable | None = None
        self._lowered: list[tuple[int, Any, TakesBack]] | None = None
        self.may_leave = True
        self.busy = False
        self.cause: BaseException | None = None

    @property
    def handles(self) -> HandleTable:
        if self._handles is None:
            self._handles = HandleTable()
        return self._handles

    @property
    def lowered(self) -> list[tuple[int, Any, TakesBack]]:
        if self._lowered is None:
            self._lowered = []
        return self._lowered

    def enter(self) -> None:
        """Begin a call from the host.

        Raises: ReentranceError, PoisonedError.
        """
        root = self.root
        if root.busy:
            raise root.refusal()
        root.busy = True

    def leave(self) -> None:
        """End a call from the host that went well."""
        self.root.busy = False

    def poison(self, cause: BaseException) -> None:
        """Never let the host enter again: a call has ended by `cause`, maybe in the middle of guest code."""
        root = self.root
        root.busy = True
        if root.cause is None:
            root.cause = cause

    def refusal(self) -> IngenError:
        """Why the host can not enter now."""
        if self.cause is None:
            return ReentranceError(f"cannot enter {self.name}: a call into it is under way")
        error = PoisonedError(f"cannot enter {self.name}: an earlier call ended with {_summary(self.cause)}")
        error.__cause__ = self.cause
        return error

    def ancestors(self) -> list[InstanceState]:
        """This instance and those that it is nested in."""
        found, state = [], self
        while True:
            found.append(state)
            if state.parent is None:
                return found
            state = state.parent


def _summary(error: BaseException) -> str:
    text = str(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def might_be_recursive(caller: InstanceState, callee: InstanceState) -> bool:
    """Whether a call between two component instances traps because one is nested in the other.

    Source: CanonicalABI.md, call_might_be_recursive.
    """
    return caller in callee.ancestors() or callee in caller.ancestors()


class HandleTable:
    """The handles of one component instance. Index 0 is never used; what was freed last is used first.

    Elements are `Handle` objects, and whatever else shares the table (streams, futures, subtasks). There are
    never more than `limit`.
    """

    __slots__ = ("elements", "free", "limit")

    def __init__(self) -> None:
        self.elements: list[Any] = [None]
        self.free: list[int] = []
        self.limit = MAX_TABLE_LENGTH

    def __len__(self) -> int:
        """How many handles are alive."""
        return len(self.elements) - 1 - len(self.free)

    def get(self, index: int) -> Any:
        """The element at `index`.

        Raises: Trap(UNKNOWN_HANDLE).
        """
        elements = self.elements
        if index >= len(elements) or (element := elements[index]) is None:
            raise Trap(TrapKind.UNKNOWN_HANDLE, f"unknown handle index {index}")
        return element

    def add(self, element: object) -> int:
        """The index at which `element` now is.

        Raises: Trap(HANDLE_TABLE_FULL).
        """
        if self.free:
            index = self.free.pop()
            self.elements[index] = element
            return index
        index = len(self.elements)
        if index > self.limit:
            raise Trap(TrapKind.HANDLE_TABLE_FULL, f"{self.limit} are in use")
        self.elements.append(element)
        return index

    def remove(self, index: int) -> Any:
        """Take the element at `index` out.

        Raises: Trap(UNKNOWN_HANDLE).
        """
        element = self.get(index)
        self.elements[index] = None
        self.free.append(index)
        return element


class BorrowScope:
    """The call for whose time a guest holds borrowed handles; it counts them."""

    __slots__ = ("borrow_count",)

    def __init__(self) -> None:
        self.borrow_count = 0

    def check(self) -> None:
        """Trap unless all borrowed handles have been dropped: the call returns.

        Raises: Trap(BORROW_NOT_DROPPED).
        """
        if self.borrow_count:
            raise Trap(TrapKind.BORROW_NOT_DROPPED, f"{self.borrow_count} not dropped")


class Handle:
    """An element of a handle table that stands for a resource."""

    __slots__ = ("lend_count", "own", "rep", "resource", "scope")

    def __init__(self, resource: Resource, rep: Any, own: bool, scope: BorrowScope | None = None) -> None:
        self.resource = resource
        self.rep = rep
        self.own = own
        self.scope = scope
        self.lend_count = 0

    def release(self) -> None:
        """End one loan of this handle."""
        self.lend_count -= 1


class TakesBack(Protocol):
    """What gives the host back what a call would have moved, had it not been refused."""

    def take_back(self, value: Any) -> None:
        """Undo the move."""


class Loan(Protocol):
    """What is lent for the time of a call; `release` ends it."""

    def release(self) -> None:
        """End the loan."""


def _resource_handle(element: object, resource: Resource, index: int) -> Handle:
    if not isinstance(element, Handle) or element.resource is not resource:
        found = element.resource.name if isinstance(element, Handle) else type(element).__name__
        raise Trap(
            TrapKind.WRONG_HANDLE_TYPE,
            f"handle index {index} used with the wrong type, expected {resource.name} but found {found}",
        )
    return element


def lift_own(table: HandleTable, index: int, resource: Resource) -> Any:
    """The rep of the handle at `index`, which leaves the table.

    Raises: Trap(UNKNOWN_HANDLE), Trap(WRONG_HANDLE_TYPE), Trap(HANDLE_LENT), Trap(HANDLE_NOT_OWNED).
    """
    handle = _resource_handle(table.remove(index), resource, index)
    if handle.lend_count:
        raise Trap(TrapKind.HANDLE_LENT, f"handle index {index}")
    if not handle.own:
        raise Trap(TrapKind.HANDLE_NOT_OWNED, f"handle index {index}")
    return handle.rep


def lift_borrow(table: HandleTable, index: int, resource: Resource, loans: list[Loan]) -> Any:
    """The rep of the handle at `index`, which is lent until `loans` are released.

    Raises: Trap(UNKNOWN_HANDLE), Trap(WRONG_HANDLE_TYPE).
    """
    handle = _resource_handle(table.get(index), resource, index)
    handle.lend_count += 1
    loans.append(handle)
    return handle.rep


def lower_own(table: HandleTable, rep: Any, resource: Resource) -> int:
    """The index of a new owning handle."""
    return table.add(Handle(resource, rep, True))


def give_own(instance: InstanceState, value: object, resource: Resource) -> int:
    """The index of a new owning handle for what the host gives away.

    Raises: HostValueError.
    """
    index = instance.handles.add(Handle(resource, resource.give(value), True))
    instance.lowered.append((index, value, resource))
    return index


def lend_borrow(
    instance: InstanceState, value: object, resource: Resource, scope: BorrowScope, loans: list[Loan]
) -> Any:
    """What a guest gets for what the host lends: see `lower_borrow`.

    Raises: HostValueError.
    """
    lowered = lower_borrow(instance, resource.lend(value, loans), resource, scope)
    if resource.instance is not instance:
        instance.lowered.append((lowered, None, resource))
    return lowered


def undo_lowering(instance: InstanceState) -> None:
    """Take the handles of a call that will not happen out of the table, and give the host back what it gave
    away.
    """
    lowered = instance.lowered
    while lowered:
        index, value, resource = lowered.pop()
        instance.handles.remove(index)
        if value is not None:
            resource.take_back(value)


def lower_borrow(instance: InstanceState, rep: Any, resource: Resource, scope: BorrowScope) -> int:
    """What a guest gets for a borrow: the rep where it implements the resource, else the index of a new
    handle that it has to drop before the call of `scope` returns.
    """
    if resource.instance is instance:
        if not isinstance(rep, int):
            raise InternalError(f"the rep of guest resource {resource.name} is {rep!r}")
        return rep
    scope.borrow_count += 1
    return instance.handles.add(Handle(resource, rep, False, scope))


def resource_new(instance: InstanceState, resource: Resource, rep: int) -> int:
    """`canon resource.new`: the index of a new owning handle.

    Raises: Trap(CANNOT_LEAVE).
    """
    check_may_leave(instance)
    return instance.handles.add(Handle(resource, rep, True))


def resource_rep(instance: InstanceState, resource: Resource, index: int) -> Any:
    """`canon resource.rep`: the representation behind a handle.

    Raises: Trap(UNKNOWN_HANDLE), Trap(WRONG_HANDLE_TYPE).
    """
    return _resource_handle(instance.handles.get(index), resource, index).rep


def resource_drop(instance: InstanceState, resource: Resource, index: int) -> None:
    """`canon resource.drop`: take the handle out, and run the destructor where it owned the resource.

    Raises: Trap(CANNOT_LEAVE), Trap(UNKNOWN_HANDLE), Trap(WRONG_HANDLE_TYPE), Trap(HANDLE_LENT),
        Trap(CANNOT_ENTER).
    """
    handle = take_for_drop(instance, resource, index)
    if handle is not None:
        resource.destroy(handle.rep)


def take_for_drop(instance: InstanceState, resource: Resource, index: int) -> Handle | None:
    """The part of `canon resource.drop` before the destructor: takes the handle out, and returns it where the
    destructor has to run.

    Raises: as `resource_drop`.
    """
    check_may_leave(instance)
    handle = _resource_handle(instance.handles.remove(index), resource, index)
    if handle.lend_count:
        raise Trap(TrapKind.HANDLE_LENT, f"handle index {index}")
    if not handle.own:
        if handle.scope is None:
            raise InternalError("a borrowed handle without a scope")
        handle.scope.borrow_count -= 1
        return None
    implementer = resource.instance
    if implementer is not None and implementer is not instance and might_be_recursive(instance, implementer):
        raise Trap(TrapKind.CANNOT_ENTER, f"the destructor of {resource.name}")
    return handle


def check_may_leave(instance: InstanceState) -> None:
    """Trap unless the instance may call out now.

    Raises: Trap(CANNOT_LEAVE).
    """
    if not instance.may_leave:
        raise Trap(TrapKind.CANNOT_LEAVE, instance.name)


def release(loans: list[Loan]) -> None:
    """End all loans of a call."""
    for loan in loans:
        loan.release()
    loans.clear()
