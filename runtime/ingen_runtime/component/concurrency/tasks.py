"""Tasks: calls into component instances that may overlap.

Source: CanonicalABI.md, "Task State".
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ingen_runtime.canonical import BorrowScope, HandleTable, InstanceState, Loan, release
from ingen_runtime.component.binary.syntax import CanonOptions
from ingen_runtime.component.concurrency.waitables import trap_if
from ingen_runtime.component.types import FuncType
from ingen_runtime.errors import HostValueError, TrapKind

if TYPE_CHECKING:
    from ingen_runtime.component.concurrency.scheduler import GuestThread, Scheduler

OnResolve = Callable[[Any], None]


class InstanceTasks:
    """What a component instance keeps about its tasks.

    `idle` is the thread that code outside of any task runs in.
    """

    def __init__(self, scheduler: Scheduler, state: InstanceState) -> None:
        self.scheduler = scheduler
        self.state = state
        self.idle: GuestThread | None = None
        self.backpressure = 0
        self.exclusive: Task | None = None
        self.waiting_to_enter = 0
        self.threads = HandleTable()


class TaskState(enum.Enum):
    """How far a task has come."""

    INITIAL = enum.auto()
    PENDING_CANCEL = enum.auto()
    CANCEL_DELIVERED = enum.auto()
    RESOLVED = enum.auto()


CANCELLED_RESULT = object()
"""What `on_resolve` is called with where a task was cancelled."""


class Task:
    """A call of a function of a component instance.

    `on_resolve` gets the result, or `CANCELLED_RESULT`. `lift_return` reads the arguments of `task.return`.
    `main` is the thread that it began with.
    """

    def __init__(
        self, instance: InstanceTasks, type_: FuncType, options: CanonOptions, on_resolve: OnResolve
    ) -> None:
        self.instance = instance
        self.scheduler = instance.scheduler
        self.type = type_
        self.options = options
        self.state = TaskState.INITIAL
        self.scope = BorrowScope()
        self.threads: list[GuestThread] = []
        self.loans: list[Loan] = []
        self.lift_return: Callable[[Any], Any] | None = None
        self._on_resolve = on_resolve
        self._entering: GuestThread | None = None
        self._displaced: Task | None = None
        self.main: GuestThread | None = None

    @property
    def needs_exclusive(self) -> bool:
        """Whether the instance may run no other such task meanwhile."""
        return not self.options.is_async or self.options.callback is not None

    @property
    def may_block(self) -> bool:
        """Whether its threads may wait."""
        return self.type.is_async or self.state is TaskState.RESOLVED

    @property
    def resolved(self) -> bool:
        """Whether it has returned or was cancelled."""
        return self.state is TaskState.RESOLVED

    async def enter(self, thread: GuestThread) -> bool:
        """Wait until the instance lets the task in; False where it was cancelled before."""
        instance = self.instance
        if self.type.is_async:

            def is_held_up() -> bool:
                return instance.backpressure > 0 or (self.needs_exclusive and instance.exclusive is not None)

            if is_held_up() and instance.backpressure == 0 and instance.exclusive is not None:
                # The task in there may just be about to end.
                self.scheduler.run_if_ready(instance.exclusive.main)
            if is_held_up() or instance.waiting_to_enter > 0:
                instance.waiting_to_enter += 1
                self._entering = thread
                cancelled = await thread.wait_until(lambda: not is_held_up(), cancellable=True)
                self._entering = None
                instance.waiting_to_enter -= 1
                if cancelled:
                    self.cancel()
                    return False
            if self.needs_exclusive:
                instance.exclusive = self
        else:
            # A sync call barges in, and nothing that needs the instance for itself may go on meanwhile.
            self._displaced = instance.exclusive
            instance.exclusive = self
        self.main = thread
        self.register(thread)
        return True

    def refuse(self, thread: GuestThread, error: HostValueError) -> None:
        """End the task before the guest runs: what the host wants to pass does not fit."""
        release(self.loans)
        self._on_resolve(error)
        self._resolve()
        self.exit(thread)

    def exit(self, thread: GuestThread) -> None:
        """The task's first thread ends."""
        self.unregister(thread)
        if not self.type.is_async:
            self.instance.exclusive = self._displaced
        elif self.needs_exclusive:
            self.instance.exclusive = None

    def register(self, thread: GuestThread) -> None:
        """Count a thread among the task's."""
        self.threads.append(thread)
        thread.index = self.instance.threads.add(thread)

    def unregister(self, thread: GuestThread) -> None:
        """A thread ends. Raises Trap where it was the last one and the task has not returned."""
        self.threads.remove(thread)
        if not self.threads:
            trap_if(
                not self.resolved, TrapKind.OTHER, "the task ended without `task.return` or `task.cancel`"
            )
        self.instance.threads.remove(thread.index)

    def request_cancellation(self) -> None:
        """The caller wants the call to end."""
        if self._entering is not None:
            self.state = TaskState.CANCEL_DELIVERED
            self.scheduler.resume(self._entering, cancelled=True)
            return
        exclusive = self.instance.exclusive
        if not self.needs_exclusive or exclusive is None or exclusive is self:
            for thread in self.threads:
                if thread.cancellable:
                    self.state = TaskState.CANCEL_DELIVERED
                    self.scheduler.resume(thread, cancelled=True)
                    return
        self.state = TaskState.PENDING_CANCEL

    def deliver_pending_cancel(self, cancellable: bool) -> bool:
        """Whether a cancellation was waiting, which now is delivered."""
        if cancellable and self.state is TaskState.PENDING_CANCEL:
            self.state = TaskState.CANCEL_DELIVERED
            return True
        return False

    def return_(self, result: Any) -> None:
        """The task has its result."""
        trap_if(self.resolved, TrapKind.OTHER, "`task.return` was called after the task had returned")
        self.scope.check()
        self._on_resolve(result)
        self._resolve()

    def cancel(self) -> None:
        """The task ends as cancelled."""
        trap_if(
            self.state is not TaskState.CANCEL_DELIVERED,
            TrapKind.OTHER,
            "`task.cancel` was called by a task that has not been cancelled",
        )
        self.scope.check()
        self._on_resolve(CANCELLED_RESULT)
        self._resolve()

    def _resolve(self) -> None:
        self.state = TaskState.RESOLVED
        if not self.type.is_async:
            self.scheduler.pinned.remove(self)
