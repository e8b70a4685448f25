"""What the built-ins of one component instance share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from ingen_runtime.canonical import HandleTable, ValueClasses, check_may_leave
from ingen_runtime.component.binary.syntax import Sort
from ingen_runtime.component.concurrency.guest_calls import current_thread
from ingen_runtime.component.concurrency.scheduler import GuestThread
from ingen_runtime.component.concurrency.waitables import trap_if
from ingen_runtime.core_types import CoreFuncType
from ingen_runtime.engine import (
    CoreExtern,
    CoreFunc,
    CoreStore,
    async_host_function,
    may_wait_host_function,
)
from ingen_runtime.errors import TrapKind

if TYPE_CHECKING:
    from ingen_runtime.component.items import ComponentContext

BLOCKED: Final = 0xFFFF_FFFF


class BuiltinScope:
    """A component instance as its built-ins see it; `core` has its core index spaces."""

    def __init__(
        self,
        store: CoreStore,
        classes: ValueClasses,
        context: ComponentContext,
        core: Mapping[Sort, Sequence[CoreExtern]],
    ) -> None:
        self.store = store
        self.classes = classes
        self.context = context
        self.tasks = context.tasks
        self.state = context.state
        self.core = core

    def plain(self, type_: CoreFuncType, call: Callable[..., Any]) -> CoreFunc:
        """A built-in that never waits."""
        return CoreFunc.from_python(self.store, type_, call)

    def may_wait(self, type_: CoreFuncType, call: Callable[..., Any]) -> CoreFunc:
        """A built-in that returns its result, or an awaitable of it; it runs no other guest itself."""
        return may_wait_host_function(self.store, type_, call)

    def waiting(self, type_: CoreFuncType, call: Callable[..., Any]) -> CoreFunc:
        """A built-in that is an `async def`, and may run other guests."""
        return async_host_function(self.store, type_, call)

    def leave(self) -> HandleTable:
        """The handle table, after the check that the instance may call out."""
        check_may_leave(self.state)
        return self.state.handles

    def thread(self) -> GuestThread:
        """The current thread."""
        return current_thread(self.context)

    def blocking_thread(self, may_wait: bool) -> GuestThread:
        """The current thread, after the checks of a built-in that waits."""
        check_may_leave(self.state)
        thread = self.thread()
        trap_if(
            may_wait and not thread.task.may_block,
            TrapKind.CANNOT_BLOCK,
            "cannot block a synchronous task before returning",
        )
        return thread
