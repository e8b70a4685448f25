"""What the host does while guests run: awaitables that go on by themselves."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any

from ingen_runtime.component.binary.syntax import CanonOptions
from ingen_runtime.component.concurrency.scheduler import GuestThread, Scheduler
from ingen_runtime.component.concurrency.tasks import InstanceTasks, Task
from ingen_runtime.component.types import FuncType
from ingen_runtime.errors import Trap, TrapKind

if TYPE_CHECKING:
    import asyncio


class HostWork:
    """An awaitable that was begun for a guest; `then` gets its future when it is done and it is its turn.

    `what` names it in errors.

    Raises: Trap(CANNOT_BLOCK) where the guest was called synchronously; then a coroutine is closed.
    """

    def __init__(
        self,
        instance: InstanceTasks,
        awaitable: Awaitable[Any],
        what: str,
        then: Callable[[asyncio.Future[Any]], None],
    ) -> None:
        scheduler = instance.scheduler
        if not scheduler.on_asyncio:
            if isinstance(awaitable, Coroutine):
                awaitable.close()
            raise Trap(
                TrapKind.CANNOT_BLOCK,
                f"{what} waits, and the guest was called synchronously: use `call_async`",
            )
        self._future = scheduler.begin(awaitable)
        task = Task(instance, FuncType((), None, True), CanonOptions(is_async=True), lambda result: None)
        scheduler.start(GuestThread(task), self._run(scheduler, then))

    async def _run(self, scheduler: Scheduler, then: Callable[[asyncio.Future[Any]], None]) -> None:
        then(await scheduler.finished(self._future))

    def cancel(self) -> None:
        """Cancel the awaitable."""
        self._future.cancel()
