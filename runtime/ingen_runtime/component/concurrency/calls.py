"""Async calls: starting tasks in component instances, and lowering functions whose callees may wait.

Source: CanonicalABI.md, "canon lift" and "canon lower".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from ingen_runtime.canonical import (
    SLOT_SIZE,
    BorrowScope,
    Err,
    Ok,
    ResultError,
    StringEncoding,
    ValueClasses,
    check_may_leave,
    might_be_recursive,
    release,
)
from ingen_runtime.canonical.layout import (
    MAX_FLAT_ASYNC_PARAMS,
    MAX_FLAT_PARAMS,
    MAX_FLAT_RESULTS,
    flat_counts,
)
from ingen_runtime.component.binary.syntax import CanonOptions
from ingen_runtime.component.concurrency.host_work import HostWork
from ingen_runtime.component.concurrency.scheduler import GuestThread, Scheduler
from ingen_runtime.component.concurrency.tasks import CANCELLED_RESULT, InstanceTasks, Task
from ingen_runtime.component.concurrency.values import values_plan
from ingen_runtime.component.concurrency.waitables import (
    CANCELLED,
    NOTHING,
    Callee,
    Event,
    EventCode,
    Subtask,
    SubtaskState,
    WaitableSet,
    trap_if,
)
from ingen_runtime.component.items import CanonSide, ComponentContext, HostFunc, LiftedFunc
from ingen_runtime.component.types import FuncType, ResultType, ValType
from ingen_runtime.engine import CoreFunc, CoreStore, async_host_function, call_async
from ingen_runtime.engine import CoreFuncType as EngineFuncType
from ingen_runtime.engine.signature import signature_of
from ingen_runtime.errors import HostValueError, Trap, TrapKind
from ingen_runtime.waiting import Waits, is_awaitable

if TYPE_CHECKING:
    import asyncio

    from ingen_runtime.canonical import Endpoint, InstanceState
    from ingen_runtime.component.plan import LowerStep

_EXIT, _YIELD, _WAIT = range(3)
_TURNS_AFTER_RETURN = 64
"""How many turns a task's first thread gets, after the host's call has returned, to come to its end.

What then still runs goes on with the host's next call into the store, as do all other threads.
"""


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


# --- lift ---------------------------------------------------------------------------------------------------


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


# --- lower --------------------------------------------------------------------------------------------------


class HostTask:
    """A call of a host function from a guest that does not wait for it."""

    def __init__(self) -> None:
        self._work: HostWork | None = None

    def start(
        self,
        func: HostFunc,
        instance: InstanceTasks,
        on_start: Callable[[], Any],
        on_resolve: Callable[[Any], None],
    ) -> None:
        """Call the function; where it returns an awaitable, that goes on by itself."""
        arguments = on_start()
        awaitable: Any = None

        def call() -> Any:
            nonlocal awaitable
            value = func.call(*arguments)
            if func.waits is not Waits.NEVER and is_awaitable(value):
                awaitable = value
            return value

        def done(future: asyncio.Future[Any]) -> None:
            if future.cancelled():
                on_resolve(CANCELLED_RESULT)
            else:
                on_resolve(_outcome(func.type.result, future.result))

        results = _outcome(func.type.result, call)
        if awaitable is None:
            on_resolve(results)
        else:
            self._work = HostWork(instance, awaitable, func.name, done)

    def request_cancellation(self) -> None:
        """Cancel the host function."""
        if self._work is not None:
            self._work.cancel()


def _outcome(type_: ValType | None, call: Callable[[], Any]) -> tuple[Any, ...]:
    """The results of a host function, as values to lower."""
    if not isinstance(type_, ResultType):
        value = call()
        return () if type_ is None else (value,)
    try:
        return (Ok(call()),)
    except ResultError as error:
        return (Err(error.value),)


class LoweredCall:
    """A function as a guest calls it where the callee may wait."""

    def __init__(
        self,
        classes: ValueClasses,
        step: LowerStep,
        func: LiftedFunc | HostFunc,
        side: CanonSide,
        type_: EngineFuncType,
    ) -> None:
        self._func = func
        self._context = side.context
        self._is_async = step.options.is_async
        self._signature = signature_of(type_)
        self._guest: GuestCallee | None = None
        if isinstance(func, LiftedFunc):
            caller_type, endpoint, other = step.type, side.endpoint(), func.side.encoding
            self._guest = GuestCallee(func, func.type, func.side.endpoint(), classes, side.encoding)
        else:
            caller_type, endpoint, other = func.type, side.endpoint(func.resources), None
        self._may_wait = step.type.is_async
        labels, params = (
            [label for label, _ in caller_type.params],
            [param for _, param in caller_type.params],
        )
        results = [] if caller_type.result is None else [caller_type.result]
        max_params = MAX_FLAT_ASYNC_PARAMS if self._is_async else MAX_FLAT_PARAMS
        max_results = 0 if self._is_async else MAX_FLAT_RESULTS
        params_plan = values_plan(classes, params, side.encoding, other, max_params, labels)
        self._lift = params_plan.bind_lift(endpoint)
        plan = values_plan(
            classes, results, side.encoding, other, MAX_FLAT_RESULTS, ["result"][: len(results)]
        )
        self._store = self._lower = None
        if flat_counts(results) > max_results:
            count = flat_counts(params)
            self._pointer_at = SLOT_SIZE * (count if count <= max_params else 1)
            self._store = plan.bind_store(endpoint)
        elif results:
            self._lower = plan.bind_lower(endpoint)

    async def __call__(self, *values: Any) -> Any:
        """Make the call; the core results."""
        context, signature = self._context, self._signature
        state, thread = context.state, current_thread(context)
        check_may_leave(state)
        trap_if(
            self._may_wait and not self._is_async and not thread.task.may_block,
            TrapKind.CANNOT_BLOCK,
            "cannot block a synchronous task before returning",
        )
        raw = bytearray(signature.slots * SLOT_SIZE)
        signature.params.pack_into(raw, 0, *values)
        subtask = Subtask()
        index = 0

        def on_progress() -> None:
            if index:
                subtask.pending = event

        def event() -> Event:
            if subtask.resolved:
                subtask.deliver()
            return (EventCode.SUBTASK, index, subtask.state)

        def on_start() -> Any:
            subtask.state = SubtaskState.STARTED
            on_progress()
            return self._lift(raw, 0, subtask.loans)

        def on_resolve(result: Any) -> None:
            if result is CANCELLED_RESULT:
                if subtask.state is SubtaskState.STARTED:
                    subtask.state = SubtaskState.CANCELLED_BEFORE_RETURNED
                else:
                    subtask.state = SubtaskState.CANCELLED_BEFORE_STARTED
            else:
                self._put_result(raw, result)
                subtask.state = SubtaskState.RETURNED
            on_progress()

        subtask.callee = self._start(thread.task.instance, on_start, on_resolve)
        if not self._is_async:
            if not subtask.resolved:
                await thread.wait_until(lambda: subtask.resolved)
            subtask.deliver()
            results = signature.results.unpack_from(raw)
            return results[0] if results else None
        if subtask.resolved:
            subtask.deliver()
            return int(SubtaskState.RETURNED)
        index = state.handles.add(subtask)
        return subtask.state | index << 4

    def _put_result(self, raw: bytearray, result: tuple[Any, ...]) -> None:
        if self._store is not None:
            ptr = int.from_bytes(raw[self._pointer_at : self._pointer_at + 4], "little")
            self._store(ptr, result, BorrowScope(), [])
        elif self._lower is not None:
            self._lower(raw, 0, result, BorrowScope(), [])

    def _start(
        self, instance: InstanceTasks, on_start: Callable[[], Any], on_resolve: Callable[[Any], None]
    ) -> Callee:
        if self._guest is None:
            host = HostTask()
            host.start(cast(HostFunc, self._func), instance, on_start, on_resolve)
            return host
        callee = self._guest.state
        if might_be_recursive(self._context.state, callee):
            raise Trap(TrapKind.CANNOT_ENTER, f"{callee.name} is nested in its caller, or its caller in it")
        return self._guest.start(on_start, on_resolve)


def lower_async(
    store: CoreStore,
    classes: ValueClasses,
    step: LowerStep,
    func: LiftedFunc | HostFunc,
    side: CanonSide,
    type_: EngineFuncType,
) -> CoreFunc:
    """The core function by which a component instance calls a function that may wait."""
    lowered: LoweredCall | None = None

    async def call(*values: Any) -> Any:
        nonlocal lowered
        if lowered is None:
            lowered = LoweredCall(classes, step, func, side, type_)
        return await lowered(*values)

    return async_host_function(store, type_, call)


# --- calls from the host ------------------------------------------------------------------------------------


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
        except BaseException as error:
            raise self._failed(error, scheduler) from None
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
