"""What a guest can wait for: events, waitable sets, subtasks.

Source: CanonicalABI.md, "Waitable State" and "Subtask State".
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, TypeAlias

from ingen_runtime.canonical import Loan, release
from ingen_runtime.errors import Trap, TrapKind

if TYPE_CHECKING:
    from ingen_runtime.component.concurrency.scheduler import GuestThread


class EventCode(enum.IntEnum):
    """What an event tells."""

    NONE = 0
    SUBTASK = 1
    STREAM_READ = 2
    STREAM_WRITE = 3
    FUTURE_READ = 4
    FUTURE_WRITE = 5
    TASK_CANCELLED = 6


Event: TypeAlias = tuple[EventCode, int, int]
CANCELLED: Event = (EventCode.TASK_CANCELLED, 0, 0)
NOTHING: Event = (EventCode.NONE, 0, 0)


def trap_if(condition: bool, kind: TrapKind, detail: str) -> None:
    """Raise a Trap where the guest broke a rule."""
    if condition:
        raise Trap(kind, detail)


class Waitable:
    """Something that has an event from time to time; `pending` makes it when it is delivered.

    `waited_for` says that a synchronous built-in waits for it.
    """

    def __init__(self) -> None:
        self.pending: Callable[[], Event] | None = None
        self.set: WaitableSet | None = None
        self.waited_for = False

    @property
    def has_event(self) -> bool:
        """Whether an event is there to be delivered."""
        return self.pending is not None

    def take_event(self) -> Event:
        """Deliver the event."""
        pending, self.pending = self.pending, None
        assert pending is not None
        return pending()

    def join(self, set_: WaitableSet | None) -> None:
        """Move to another set, or to none."""
        if self.set is not None:
            self.set.members.remove(self)
        self.set = set_
        if set_ is not None:
            set_.members.append(self)

    def leave(self) -> None:
        """The waitable is dropped."""
        self.pending = None
        self.join(None)


class WaitableSet:
    """Waitables that a guest waits for together."""

    def __init__(self) -> None:
        self.members: list[Waitable] = []
        self.waiting_count = 0

    @property
    def has_event(self) -> bool:
        """Whether a member has an event."""
        return any(member.has_event for member in self.members)

    def take_event(self) -> Event:
        """Deliver the event of the member that comes first; that member then is the last one."""
        for index, member in enumerate(self.members):
            if member.has_event:
                self.members.append(self.members.pop(index))
                return member.take_event()
        raise AssertionError("no member has an event")

    async def wait(
        self, thread: GuestThread, cancellable: bool, ready: Callable[[], bool] | None = None
    ) -> Event:
        """Wait for an event, and until `ready()`."""
        self.waiting_count += 1
        try:
            if ready is None:
                cancelled = await thread.wait_until(lambda: self.has_event, cancellable)
            else:
                cancelled = await thread.wait_until(lambda: ready() and self.has_event, cancellable)
        finally:
            self.waiting_count -= 1
        return CANCELLED if cancelled else self.take_event()

    def poll(self, thread: GuestThread, cancellable: bool) -> Event:
        """An event if there is one now."""
        if thread.task.deliver_pending_cancel(cancellable):
            return CANCELLED
        return self.take_event() if self.has_event else NOTHING

    def check_drop(self) -> None:
        """Trap unless the set may go."""
        trap_if(bool(self.members), TrapKind.OTHER, "cannot drop a waitable set that has waitables in it")
        trap_if(self.waiting_count > 0, TrapKind.OTHER, "cannot drop a waitable set that is waited for")


class SubtaskState(enum.IntEnum):
    """How far a call has come."""

    STARTING = 0
    STARTED = 1
    RETURNED = 2
    CANCELLED_BEFORE_STARTED = 3
    CANCELLED_BEFORE_RETURNED = 4


class Callee(Protocol):
    """A call under way, from the caller's side."""

    def request_cancellation(self) -> None:
        """Ask it to end early."""


class Subtask(Waitable):
    """A call that a guest has made, as it sees it; `loans` last until it knows of the end."""

    def __init__(self) -> None:
        super().__init__()
        self.state = SubtaskState.STARTING
        self.callee: Callee | None = None
        self.loans: list[Loan] = []
        self.delivered = False
        self.cancellation_requested = False

    @property
    def resolved(self) -> bool:
        """Whether the call has returned or was cancelled."""
        return self.state >= SubtaskState.RETURNED

    def deliver(self) -> None:
        """The caller learns of the end."""
        release(self.loans)
        self.delivered = True
