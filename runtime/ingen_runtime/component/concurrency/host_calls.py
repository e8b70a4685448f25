"""Calls of functions that may wait, from Python."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ingen_runtime.canonical import Err, ValueClasses, release
from ingen_runtime.component.concurrency.guest_calls import GuestCallee
from ingen_runtime.component.concurrency.scheduler import Scheduler
from ingen_runtime.component.concurrency.tasks import Task
from ingen_runtime.component.items import LiftedFunc
from ingen_runtime.component.types import FuncType, ResultType
from ingen_runtime.errors import HostValueError

if TYPE_CHECKING:
    from ingen_runtime.canonical import Endpoint, InstanceState

_TURNS_AFTER_RETURN = 64
"""How many turns a task's first thread gets, after the host's call has returned, to come to its end.

What then still runs goes on when the host next waits for something of the store, as do all other threads.
"""


class HostCaller:
    """Calls a lifted function that may wait, from Python, with as many arguments as it has parameters."""

    def __init__(
        self, lifted: LiftedFunc, type_: FuncType, endpoint: Endpoint, classes: ValueClasses
    ) -> None:
        self._lifted = lifted
        self._type = type_
        self._endpoint = endpoint
        self._classes = classes
        self._callee: GuestCallee | None = None

    def call(self, *arguments: Any) -> Any:
        """Call the guest; host functions that it calls may not wait."""
        scheduler, root = self._enter()
        try:
            scheduler.settle_now()
            task, outcome = self._begin(arguments)
            scheduler.run_until(lambda: bool(outcome))
            self._linger(task)
        except BaseException as error:
            raise self._failed(error, scheduler) from None
        root.busy = root.cause is not None
        return self._result(task, outcome)

    async def call_async(self, *arguments: Any) -> Any:
        """Call the guest on asyncio."""
        scheduler, root = self._enter()
        try:
            with scheduler.asyncio_call():
                await scheduler.settle()
                task, outcome = self._begin(arguments)
                await scheduler.run_until_async(lambda: bool(outcome), root)
                self._linger(task)
        except GeneratorExit as error:
            raise self._failed(error, scheduler) from None
        except BaseException as error:
            failure = self._failed(error, scheduler)
            await scheduler.ended()
            raise failure from None
        root.busy = root.cause is not None
        return self._result(task, outcome)

    def _enter(self) -> tuple[Scheduler, InstanceState]:
        tasks = self._lifted.side.context.tasks
        state = self._endpoint.instance
        state.enter()
        return tasks.scheduler, state.root

    def _begin(self, arguments: tuple[Any, ...]) -> tuple[Task, list[Any]]:
        if self._callee is None:
            self._callee = GuestCallee(self._lifted, self._type, self._endpoint, self._classes, None)
        outcome: list[Any] = []
        scheduler = self._lifted.side.context.tasks.scheduler

        def on_resolve(result: Any) -> None:
            outcome.append(result)
            scheduler.wake()

        return self._callee.start(lambda: arguments, on_resolve), outcome

    def _linger(self, task: Task) -> None:
        for _ in range(_TURNS_AFTER_RETURN):
            if not task.scheduler.run_if_ready(task.main):
                break

    def _failed(self, error: BaseException, scheduler: Scheduler) -> BaseException:
        state = self._endpoint.instance
        state.poison(error)
        scheduler.forget(state.root)
        return error

    def _result(self, task: Task, outcome: list[Any]) -> Any:
        result = outcome.pop()  # the task may live on, and would keep it
        if isinstance(result, HostValueError):
            raise result
        release(task.loans)
        value: Any = result[0] if result else None
        if isinstance(self._type.result, ResultType):
            if isinstance(value, Err):
                raise self._classes.error(self._type.result)(value.value)
            return value.value
        return value
