"""Calls of lifted functions: each starts a task in a component instance.

Source: CanonicalABI.md, "canon lift".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ingen_runtime.canonical import SLOT_SIZE, StringEncoding, ValueClasses
from ingen_runtime.canonical.layout import MAX_FLAT_PARAMS, MAX_FLAT_RESULTS
from ingen_runtime.component.binary.syntax import CanonOptions
from ingen_runtime.component.concurrency.scheduler import GuestThread
from ingen_runtime.component.concurrency.tasks import Task
from ingen_runtime.component.concurrency.values import values_plan
from ingen_runtime.component.concurrency.waitables import CANCELLED, NOTHING, Event, WaitableSet, trap_if
from ingen_runtime.component.items import ComponentContext, LiftedFunc
from ingen_runtime.component.types import FuncType
from ingen_runtime.engine import call_async
from ingen_runtime.engine.signature import signature_of
from ingen_runtime.errors import HostValueError, Trap, TrapKind

if TYPE_CHECKING:
    from ingen_runtime.canonical import Endpoint

_EXIT, _YIELD, _WAIT = range(3)


def current_thread(context: ComponentContext) -> GuestThread:
    """The thread that runs in a component instance.

    Start functions, realloc and destructors run in none: for them it is one that may not block.
    """
    tasks = context.tasks
    current = tasks.scheduler.current
    if current is not None and current.task.instance is tasks:
        return current
    if tasks.idle is None:
        task = Task(tasks, FuncType((), None), CanonOptions(), lambda result: None)
        tasks.idle = GuestThread(task)
    return tasks.idle


class GuestCallee:
    """How values go into and out of a lifted function, for a caller of string encoding `other` or the host.

    `type` and `endpoint` are those that the caller's values are made for.
    """

    def __init__(
        self,
        lifted: LiftedFunc,
        type_: FuncType,
        endpoint: Endpoint,
        classes: ValueClasses,
        other: StringEncoding | None,
    ) -> None:
        self.lifted = lifted
        encoding = lifted.side.encoding
        labels, params = [label for label, _ in type_.params], [param for _, param in type_.params]
        results = [] if type_.result is None else [type_.result]
        max_results = MAX_FLAT_PARAMS if lifted.options.is_async else MAX_FLAT_RESULTS
        self.state = endpoint.instance
        params_plan = values_plan(classes, params, encoding, other, MAX_FLAT_PARAMS, labels)
        results_plan = values_plan(classes, results, encoding, other, max_results, ["result"][: len(results)])
        self.lower_params = params_plan.bind_lower(endpoint)
        self.lift_results = results_plan.bind_lift(endpoint)

    def start(self, on_start: Callable[[], Any], on_resolve: Callable[[Any], None]) -> Task:
        """Begin a call: it runs until it waits or ends.

        `on_start` gives the arguments when the instance lets the call in; `on_resolve` gets the results (a
        tuple of none or one), `CANCELLED_RESULT`, or the HostValueError for arguments that do not fit.
        """
        tasks = self.lifted.side.context.tasks
        task = Task(tasks, self.lifted.type, self.lifted.options, on_resolve)
        task.lift_return = lambda raw: self.lift_results(raw, 0, [])
        thread = GuestThread(task)
        if not task.type.is_async:
            tasks.scheduler.pinned.append(task)
        tasks.scheduler.start(thread, self._run(task, thread, on_start))
        return task

    async def _run(self, task: Task, thread: GuestThread, on_start: Callable[[], Any]) -> None:
        if not await task.enter(thread):
            return
        lifted = self.lifted
        signature = signature_of(lifted.core.type)
        raw = bytearray(signature.slots * SLOT_SIZE)
        try:
            self.lower_params(raw, 0, on_start(), task.scope, task.loans)
        except HostValueError as error:
            task.refuse(thread, error)
            return
        result = await call_async(lifted.core, *signature.params.unpack_from(raw))
        if lifted.options.callback is not None:
            await self._callback_loop(task, thread, result)
        elif not lifted.options.is_async:
            results = () if result is None else (result,)
            signature.results.pack_into(raw, 0, *results)
            task.return_(self.lift_results(raw, 0, []))
            if lifted.post_return is not None:
                self.state.may_leave = False
                await call_async(lifted.post_return, *results)
                self.state.may_leave = True
        task.exit(thread)

    async def _callback_loop(self, task: Task, thread: GuestThread, packed: int) -> None:
        instance, callback = task.instance, self.lifted.callback
        assert callback is not None

        def is_free() -> bool:
            return instance.exclusive is None

        while (code := packed & 0xF) != _EXIT:
            trap_if(code > _WAIT, TrapKind.OTHER, f"unsupported callback code: {code}")
            event: Event = NOTHING
            # Only async functions have a callback, so the instance is the task's own now.
            instance.exclusive = None
            if code == _YIELD:
                if await thread.yield_until(is_free, cancellable=True):
                    event = CANCELLED
            else:
                set_ = waitable_set(self.state.handles.get(packed >> 4), packed >> 4)
                event = await set_.wait(thread, True, is_free)
            instance.exclusive = task
            packed = await call_async(callback, *event)


def waitable_set(found: object, index: int) -> WaitableSet:
    """The waitable set that an element of a handle table is.

    Raises: Trap(WRONG_HANDLE_TYPE).
    """
    if not isinstance(found, WaitableSet):
        raise Trap(TrapKind.WRONG_HANDLE_TYPE, f"handle index {index} is no waitable set")
    return found
