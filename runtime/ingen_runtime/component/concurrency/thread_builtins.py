"""The built-ins of threads.

Source: CanonicalABI.md, "canon thread.index" and what follows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from ingen_runtime.canonical import check_may_leave
from ingen_runtime.component.binary.syntax import Sort
from ingen_runtime.component.concurrency.builtin_scope import BuiltinScope
from ingen_runtime.component.concurrency.scheduler import GuestThread
from ingen_runtime.component.concurrency.waitables import trap_if
from ingen_runtime.core_types import CoreFuncType
from ingen_runtime.engine import CoreFunc, CoreTable, call_async
from ingen_runtime.errors import Trap, TrapKind

if TYPE_CHECKING:
    from ingen_runtime.component.plan import BuiltinStep

_THREAD_START: Final = CoreFuncType(("i32",), ())


def thread_builtin(scope: BuiltinScope, step: BuiltinStep, type_: CoreFuncType) -> CoreFunc:
    """A built-in of the family `thread`."""
    verb = step.builtin.name.partition(".")[2]
    cancellable = step.builtin.cancellable

    async def give_way() -> int:
        check_may_leave(scope.state)
        return int(await scope.thread().give_way(cancellable))

    async def suspend() -> int:
        check_may_leave(scope.state)
        thread = scope.thread()
        trap_if(
            not thread.task.may_block and not scope.tasks.scheduler.can_run_in(scope.tasks),
            TrapKind.CANNOT_BLOCK,
            "cannot block a synchronous task before returning",
        )
        return int(await thread.suspend(cancellable))

    def switch(suspends: bool, promotes: bool) -> Callable[..., Any]:
        async def call(index: int) -> int:
            check_may_leave(scope.state)
            thread = scope.thread()
            other = _other_thread(scope, index)
            if promotes:
                if other.ready is not None and other.ready():
                    scope.tasks.scheduler.promote(other)
            else:
                trap_if(not other.suspended, TrapKind.OTHER, "cannot resume a thread that is not suspended")
                other.resume_later()
                scope.tasks.scheduler.promote(other)
            if suspends:
                return int(await thread.suspend(cancellable))
            return int(await thread.give_way(cancellable))

        return call

    match verb:
        case "index":

            def index() -> int:
                check_may_leave(scope.state)
                return scope.thread().index

            return scope.plain(type_, index)
        case "new-indirect":
            return scope.plain(type_, _new_thread(scope, step))
        case "resume-later":

            def resume_later(index: int) -> None:
                check_may_leave(scope.state)
                other = _other_thread(scope, index)
                trap_if(not other.suspended, TrapKind.OTHER, "cannot resume a thread that is not suspended")
                other.resume_later()

            return scope.plain(type_, resume_later)
        case "yield":
            return scope.waiting(type_, give_way)
        case "suspend":
            return scope.waiting(type_, suspend)
        case _:
            return scope.waiting(type_, switch(verb.startswith("suspend"), verb.endswith("promote")))


def _other_thread(scope: BuiltinScope, index: int) -> GuestThread:
    found = scope.tasks.threads.get(index)
    assert isinstance(found, GuestThread)
    return found


def _new_thread(scope: BuiltinScope, step: BuiltinStep) -> Callable[[int, int], int]:
    assert step.builtin.table is not None
    table_index = step.builtin.table

    def new_thread(func_index: int, argument: int) -> int:
        check_may_leave(scope.state)
        table = scope.core[Sort.CORE_TABLE][table_index]
        assert isinstance(table, CoreTable)
        func = table.func(func_index, _THREAD_START)
        if func is None:
            raise Trap(TrapKind.INDIRECT_CALL_TO_NULL, f"the start function of a thread, at {func_index}")
        task = scope.thread().task
        thread = GuestThread(task)

        async def body() -> None:
            await call_async(func, argument)
            task.unregister(thread)

        thread.body = body
        task.register(thread)
        return thread.index

    return new_thread
