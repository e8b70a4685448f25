"""Calls that guests make where the callee may wait.

Source: CanonicalABI.md, "canon lower".
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
    ValueClasses,
    check_may_leave,
    might_be_recursive,
)
from ingen_runtime.canonical.layout import (
    MAX_FLAT_ASYNC_PARAMS,
    MAX_FLAT_PARAMS,
    MAX_FLAT_RESULTS,
    flat_counts,
)
from ingen_runtime.component.concurrency.guest_calls import GuestCallee, current_thread
from ingen_runtime.component.concurrency.host_work import HostWork
from ingen_runtime.component.concurrency.scheduler import GuestThread
from ingen_runtime.component.concurrency.tasks import CANCELLED_RESULT, InstanceTasks
from ingen_runtime.component.concurrency.values import values_plan
from ingen_runtime.component.concurrency.waitables import (
    Callee,
    Event,
    EventCode,
    Subtask,
    SubtaskState,
    trap_if,
)
from ingen_runtime.component.items import CanonSide, HostFunc, LiftedFunc
from ingen_runtime.component.types import ResultType, ValType
from ingen_runtime.core_types import CoreFuncType
from ingen_runtime.engine import CoreFunc, CoreStore, async_host_function, may_wait_host_function
from ingen_runtime.engine.signature import signature_of
from ingen_runtime.errors import Trap, TrapKind
from ingen_runtime.waiting import Waits, is_awaitable

if TYPE_CHECKING:
    import asyncio

    from ingen_runtime.component.plan import LowerStep


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
        type_: CoreFuncType,
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

    def __call__(self, *values: Any) -> Any:
        """Make the call; the core results, or an awaitable of them where a guest is to be waited for."""
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
            return self._results(subtask, raw) if subtask.resolved else self._later(thread, subtask, raw)
        if subtask.resolved:
            subtask.deliver()
            return int(SubtaskState.RETURNED)
        index = state.handles.add(subtask)
        return subtask.state | index << 4

    async def _later(self, thread: GuestThread, subtask: Subtask, raw: bytearray) -> Any:
        await thread.wait_until(lambda: subtask.resolved)
        return self._results(subtask, raw)

    def _results(self, subtask: Subtask, raw: bytearray) -> Any:
        subtask.deliver()
        results = self._signature.results.unpack_from(raw)
        return results[0] if results else None

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
    type_: CoreFuncType,
) -> CoreFunc:
    """The core function by which a component instance calls a function that may wait."""
    lowered: LoweredCall | None = None

    def call(*values: Any) -> Any:
        nonlocal lowered
        if lowered is None:
            lowered = LoweredCall(classes, step, func, side, type_)
        return lowered(*values)

    async def run(*values: Any) -> Any:
        result = call(*values)
        return await result if is_awaitable(result) else result

    if isinstance(func, HostFunc):
        return may_wait_host_function(store, type_, call)
    # A guest is started, which is not possible on the caller's stack.
    return async_host_function(store, type_, run)
