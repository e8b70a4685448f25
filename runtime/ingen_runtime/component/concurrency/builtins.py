"""The built-ins of async components as core functions.

Source: CanonicalABI.md, "Canonical Definitions".
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ingen_runtime.canonical import SLOT_SIZE, ValueClasses, check_may_leave
from ingen_runtime.canonical.layout import MAX_FLAT_PARAMS
from ingen_runtime.component.binary.syntax import Sort
from ingen_runtime.component.concurrency.buffers import GuestBuffer
from ingen_runtime.component.concurrency.calls import current_thread, waitable_set
from ingen_runtime.component.concurrency.copies import (
    CopyResult,
    CopyState,
    End,
    Shared,
    SharedFuture,
    SharedStream,
)
from ingen_runtime.component.concurrency.scheduler import GuestThread
from ingen_runtime.component.concurrency.values import ErrorContext, checked_end, values_plan
from ingen_runtime.component.concurrency.waitables import (
    Event,
    EventCode,
    Subtask,
    Waitable,
    WaitableSet,
    trap_if,
)
from ingen_runtime.component.types import PrimitiveType
from ingen_runtime.engine import (
    CoreExtern,
    CoreFunc,
    CoreMemory,
    CoreStore,
    CoreTable,
    async_host_function,
    call_async,
)
from ingen_runtime.engine import CoreFuncType as EngineFuncType
from ingen_runtime.engine.signature import signature_of
from ingen_runtime.errors import Trap, TrapKind

if TYPE_CHECKING:
    from ingen_runtime.component.items import CanonSide, ComponentContext
    from ingen_runtime.component.plan import BuiltinStep

BLOCKED = 0xFFFF_FFFF
_MAX_BACKPRESSURE = (1 << 16) - 1
_THREAD_START = EngineFuncType(("i32",), ())


class Builtins:
    """Makes the built-ins of one component instance."""

    def __init__(
        self,
        store: CoreStore,
        classes: ValueClasses,
        context: ComponentContext,
        core: Mapping[Sort, Sequence[CoreExtern]],
    ) -> None:
        self._store = store
        self._classes = classes
        self._context = context
        self._tasks = context.tasks
        self._state = context.state
        self._core = core

    def make(self, step: BuiltinStep, type_: EngineFuncType, side: CanonSide) -> CoreFunc:
        """The core function of a built-in that is not about resources."""
        name = step.builtin.name
        family, _, verb = name.partition(".")
        if family in ("stream", "future"):
            return self._copy_builtin(
                step, type_, side, SharedStream if family == "stream" else SharedFuture, verb
            )
        if family == "thread":
            return self._thread_builtin(step, type_, verb)
        plain: dict[str, Callable[..., Any]] = {
            "task.cancel": self._task_cancel,
            "subtask.drop": self._subtask_drop,
            "backpressure.inc": lambda: self._backpressure(1),
            "backpressure.dec": lambda: self._backpressure(-1),
            "waitable-set.new": lambda: self._leave().add(WaitableSet()),
            "waitable-set.drop": self._waitable_set_drop,
            "waitable.join": self._waitable_join,
            "error-context.drop": self._error_context_drop,
        }
        if name in plain:
            return self._plain(type_, plain[name])
        match name:
            case "task.return":
                return self._plain(type_, self._task_return(step, type_, side))
            case "context.get" | "context.set":
                slot = step.builtin.slot or 0
                return self._plain(
                    type_, self._context_get(slot) if name == "context.get" else self._context_set(slot)
                )
            case "subtask.cancel":
                return self._waiting(type_, self._subtask_cancel(step.builtin.is_async))
            case "waitable-set.wait":
                return self._waiting(type_, self._waitable_set_wait(step))
            case "waitable-set.poll":
                return self._plain(type_, self._waitable_set_poll(step))
            case "error-context.new":
                return self._plain(type_, self._error_context_new(step, side))
            case "error-context.debug-message":
                return self._plain(type_, self._error_context_message(side))
            case _:
                raise Trap(TrapKind.OTHER, f"the built-in {name} is not supported")

    def _plain(self, type_: EngineFuncType, call: Callable[..., Any]) -> CoreFunc:
        return CoreFunc.from_python(self._store, type_, call)

    def _waiting(self, type_: EngineFuncType, call: Callable[..., Any]) -> CoreFunc:
        return async_host_function(self._store, type_, call)

    def _leave(self) -> Any:
        """The handle table, after the check that the instance may call out."""
        check_may_leave(self._state)
        return self._state.handles

    def _thread(self) -> GuestThread:
        return current_thread(self._context)

    def _blocking_thread(self, may_wait: bool) -> GuestThread:
        """The current thread, after the checks of a built-in that waits."""
        check_may_leave(self._state)
        thread = self._thread()
        trap_if(
            may_wait and not thread.task.may_block,
            TrapKind.CANNOT_BLOCK,
            "cannot block a synchronous task before returning",
        )
        return thread

    # Tasks.

    def _task_return(self, step: BuiltinStep, type_: EngineFuncType, side: CanonSide) -> Callable[..., None]:
        signature = signature_of(type_)

        def task_return(*values: Any) -> None:
            self._leave()
            task = self._thread().task
            lift = task.lift_return
            trap_if(
                not task.options.is_async or lift is None,
                TrapKind.OTHER,
                "`task.return` was called by a task that is not lifted with `async`",
            )
            assert lift is not None
            trap_if(
                step.result != task.type.result or not side.lifts_like(task.options),
                TrapKind.OTHER,
                "invalid `task.return` signature and/or options for current task",
            )
            raw = bytearray(signature.slots * SLOT_SIZE)
            signature.params.pack_into(raw, 0, *values)
            task.return_(lift(raw))

        return task_return

    def _task_cancel(self) -> None:
        self._leave()
        task = self._thread().task
        trap_if(
            not task.options.is_async, TrapKind.OTHER, "`task.cancel` was called by a task that is not async"
        )
        task.cancel()

    def _backpressure(self, change: int) -> None:
        tasks = self._tasks
        tasks.backpressure += change
        trap_if(
            not 0 <= tasks.backpressure <= _MAX_BACKPRESSURE, TrapKind.OTHER, "backpressure counter overflow"
        )

    def _context_get(self, slot: int) -> Callable[[], int]:
        return lambda: self._thread().storage[slot]

    def _context_set(self, slot: int) -> Callable[[int], None]:
        def context_set(value: int) -> None:
            self._thread().storage[slot] = value

        return context_set

    # Waiting.

    def _waitable_join(self, index: int, set_index: int) -> None:
        handles = self._leave()
        waitable = handles.get(index)
        if not isinstance(waitable, Waitable):
            raise Trap(TrapKind.WRONG_HANDLE_TYPE, f"handle index {index} is nothing to wait for")
        if isinstance(waitable, End):
            trap_if(
                waitable.state is CopyState.SYNC_COPYING,
                TrapKind.OTHER,
                "cannot join a waitable that is used synchronously",
            )
        trap_if(
            waitable.waited_for,
            TrapKind.OTHER,
            "cannot join a waitable set while a synchronous operation waits for the waitable",
        )
        waitable.join(None if set_index == 0 else waitable_set(handles.get(set_index), set_index))

    def _waitable_set_drop(self, index: int) -> None:
        handles = self._leave()
        waitable_set(handles.get(index), index).check_drop()
        handles.remove(index)

    def _put_event(self, step: BuiltinStep, ptr: int, event: Event) -> int:
        assert step.builtin.memory is not None
        memory = self._core[Sort.CORE_MEMORY][step.builtin.memory]
        assert isinstance(memory, CoreMemory)
        view = memory.view()
        trap_if(ptr % 4 != 0, TrapKind.UNALIGNED_POINTER, f"0x{ptr:x} is not aligned to 4 bytes")
        trap_if(ptr + 8 > len(view), TrapKind.OUT_OF_BOUNDS, f"an event's payload at 0x{ptr:x}")
        struct.pack_into("<II", view, ptr, event[1], event[2])
        return int(event[0])

    def _waitable_set_wait(self, step: BuiltinStep) -> Callable[..., Any]:
        async def wait(index: int, ptr: int) -> int:
            thread = self._blocking_thread(True)
            set_ = waitable_set(self._state.handles.get(index), index)
            return self._put_event(step, ptr, await set_.wait(thread, step.builtin.cancellable))

        return wait

    def _waitable_set_poll(self, step: BuiltinStep) -> Callable[..., int]:
        def poll(index: int, ptr: int) -> int:
            set_ = waitable_set(self._leave().get(index), index)
            return self._put_event(step, ptr, set_.poll(self._thread(), step.builtin.cancellable))

        return poll

    # Subtasks.

    def _subtask(self, index: int) -> Subtask:
        found = self._state.handles.get(index)
        if not isinstance(found, Subtask):
            raise Trap(TrapKind.WRONG_HANDLE_TYPE, f"handle index {index} is no subtask")
        return found

    def _subtask_drop(self, index: int) -> None:
        handles = self._leave()
        subtask = self._subtask(index)
        trap_if(not subtask.delivered, TrapKind.OTHER, "cannot drop a subtask which has not yet resolved")
        subtask.leave()
        handles.remove(index)

    def _subtask_cancel(self, is_async: bool) -> Callable[..., Any]:
        async def cancel(index: int) -> int:
            thread = self._blocking_thread(not is_async)
            subtask = self._subtask(index)
            trap_if(
                subtask.delivered or subtask.cancellation_requested,
                TrapKind.OTHER,
                "`subtask.cancel` called after terminal status delivered or twice",
            )
            trap_if(
                not is_async and subtask.set is not None,
                TrapKind.OTHER,
                "cannot cancel a subtask synchronously while it is in a waitable set",
            )
            if not subtask.resolved:
                subtask.cancellation_requested = True
                assert subtask.callee is not None
                subtask.callee.request_cancellation()
                if not subtask.resolved:
                    if is_async:
                        return BLOCKED
                    subtask.waited_for = True
                    await thread.wait_until(lambda: subtask.resolved)
                    subtask.waited_for = False
            subtask.take_event()
            return int(subtask.state)

        return cancel

    # Streams and futures.

    def _copy_builtin(
        self, step: BuiltinStep, type_: EngineFuncType, side: CanonSide, kind: type[Shared], verb: str
    ) -> CoreFunc:
        writes = verb.endswith(("write", "writable"))
        match verb:
            case "new":

                def new() -> int:
                    handles, shared = self._leave(), kind()
                    readable = handles.add(End(shared, step.element, writes=False))
                    writable = handles.add(End(shared, step.element, writes=True))
                    return int(readable | writable << 32)

                return self._plain(type_, new)
            case "read" | "write":
                return self._waiting(type_, self._copy(step, side, kind, writes))
            case "cancel-read" | "cancel-write":
                return self._waiting(type_, self._cancel_copy(step, kind, writes))
            case "drop-readable" | "drop-writable":

                def drop(index: int) -> None:
                    handles = self._leave()
                    end = checked_end(handles.get(index), kind, step.element, index, writes)
                    end.drop()
                    handles.remove(index)

                return self._plain(type_, drop)
            case "forward":

                def forward(readable: int, writable: int) -> None:
                    handles = self._leave()
                    source = checked_end(handles.get(readable), kind, step.element, readable, False)
                    target = checked_end(handles.get(writable), kind, step.element, writable, True)
                    for end in (source, target):
                        _check_idle(end)
                        trap_if(
                            end.set is not None,
                            TrapKind.OTHER,
                            "cannot forward while either end is in a waitable set",
                        )
                    handles.remove(readable)
                    handles.remove(writable)
                    source.shared.forward(target.shared)

                return self._plain(type_, forward)
            case _:
                raise Trap(TrapKind.OTHER, f"the built-in {step.builtin.name} is not supported")

    def _copy(
        self, step: BuiltinStep, side: CanonSide, kind: type[Shared], writes: bool
    ) -> Callable[..., Any]:
        is_stream, is_async = kind is SharedStream, step.builtin.options.is_async
        if is_stream:
            code = EventCode.STREAM_WRITE if writes else EventCode.STREAM_READ
        else:
            code = EventCode.FUTURE_WRITE if writes else EventCode.FUTURE_READ

        async def copy(index: int, ptr: int, length: int = 1) -> int:
            thread = self._blocking_thread(not is_async)
            end = checked_end(self._state.handles.get(index), kind, step.element, index, writes)
            _check_idle(end)
            trap_if(
                not is_async and end.set is not None,
                TrapKind.OTHER,
                "cannot use a waitable synchronously while it is in a waitable set",
            )
            buffer = GuestBuffer(step.element, side.endpoint(), side.encoding, self._classes, ptr, length)

            def event(result: CopyResult, give_back: Callable[[], None] | None = None) -> Event:
                if give_back is not None:
                    give_back()
                over = result is CopyResult.DROPPED or (not is_stream and result is CopyResult.COMPLETED)
                end.state = CopyState.DONE if over else CopyState.IDLE
                return (code, index, result | buffer.progress << 4 if is_stream else int(result))

            def on_copy(give_back: Callable[[], None]) -> None:
                end.pending = lambda: event(CopyResult.COMPLETED, give_back)

            def on_done(result: CopyResult) -> None:
                end.pending = lambda: event(result)

            end.shared.copy(end, self._tasks, buffer, writes, on_copy, on_done)
            if not end.has_event:
                if is_async:
                    end.state = CopyState.ASYNC_COPYING
                    return BLOCKED
                end.state = CopyState.SYNC_COPYING
                await thread.wait_until(lambda: end.has_event)
            return end.take_event()[2]

        return copy

    def _cancel_copy(self, step: BuiltinStep, kind: type[Shared], writes: bool) -> Callable[..., Any]:
        is_async = step.builtin.is_async

        async def cancel(index: int) -> int:
            thread = self._blocking_thread(not is_async)
            end = checked_end(self._state.handles.get(index), kind, step.element, index, writes)
            trap_if(
                end.state is not CopyState.ASYNC_COPYING,
                TrapKind.OTHER,
                "cannot cancel a copy where none is under way",
            )
            trap_if(
                not is_async and end.set is not None,
                TrapKind.OTHER,
                "cannot cancel a copy synchronously while its end is in a waitable set",
            )
            if end.shared.is_pending(end) or not end.has_event:
                # What was copied so far counts, but the copy as a whole did not complete.
                end.shared.cancel()
                if not end.has_event:
                    end.state = CopyState.CANCELLING
                    if is_async:
                        return BLOCKED
                    end.waited_for = True
                    await thread.wait_until(lambda: end.has_event)
                    end.waited_for = False
            return end.take_event()[2]

        return cancel

    # Threads.

    def _thread_builtin(self, step: BuiltinStep, type_: EngineFuncType, verb: str) -> CoreFunc:
        cancellable = step.builtin.cancellable

        async def give_way() -> int:
            check_may_leave(self._state)
            return int(await self._thread().give_way(cancellable))

        async def suspend() -> int:
            check_may_leave(self._state)
            thread = self._thread()
            trap_if(
                not thread.task.may_block and not self._tasks.scheduler.can_run_in(self._tasks),
                TrapKind.CANNOT_BLOCK,
                "cannot block a synchronous task before returning",
            )
            return int(await thread.suspend(cancellable))

        def switch(suspends: bool, promotes: bool) -> Callable[..., Any]:
            async def call(index: int) -> int:
                check_may_leave(self._state)
                thread = self._thread()
                other = self._other_thread(index)
                if promotes:
                    if other.ready is not None and other.ready():
                        self._tasks.scheduler.promote(other)
                else:
                    trap_if(
                        not other.suspended, TrapKind.OTHER, "cannot resume a thread that is not suspended"
                    )
                    other.resume_later()
                    self._tasks.scheduler.promote(other)
                if suspends:
                    return int(await thread.suspend(cancellable))
                return int(await thread.give_way(cancellable))

            return call

        match verb:
            case "index":

                def index() -> int:
                    check_may_leave(self._state)
                    return self._thread().index

                return self._plain(type_, index)
            case "new-indirect":
                return self._plain(type_, self._new_thread(step))
            case "resume-later":

                def resume_later(index: int) -> None:
                    check_may_leave(self._state)
                    other = self._other_thread(index)
                    trap_if(
                        not other.suspended, TrapKind.OTHER, "cannot resume a thread that is not suspended"
                    )
                    other.resume_later()

                return self._plain(type_, resume_later)
            case "yield":
                return self._waiting(type_, give_way)
            case "suspend":
                return self._waiting(type_, suspend)
            case _:
                return self._waiting(type_, switch(verb.startswith("suspend"), verb.endswith("promote")))

    def _other_thread(self, index: int) -> GuestThread:
        found = self._tasks.threads.get(index)
        assert isinstance(found, GuestThread)
        return found

    def _new_thread(self, step: BuiltinStep) -> Callable[[int, int], int]:
        assert step.builtin.table is not None
        table_index = step.builtin.table

        def new_thread(func_index: int, argument: int) -> int:
            check_may_leave(self._state)
            table = self._core[Sort.CORE_TABLE][table_index]
            assert isinstance(table, CoreTable)
            func = table.func(func_index, _THREAD_START)
            if func is None:
                raise Trap(TrapKind.INDIRECT_CALL_TO_NULL, f"the start function of a thread, at {func_index}")
            task = self._thread().task
            thread = GuestThread(task)

            async def body() -> None:
                await call_async(func, argument)
                task.unregister(thread)

            thread.body = body
            task.register(thread)
            return thread.index

        return new_thread

    # Error contexts.

    def _error_context_new(self, step: BuiltinStep, side: CanonSide) -> Callable[[int, int], int]:
        def new(ptr: int, length: int) -> int:
            handles = self._leave()
            plan = values_plan(self._classes, [PrimitiveType.STRING], side.encoding, None, MAX_FLAT_PARAMS)
            raw = struct.pack("<I12xI12x", ptr, length)
            (message,) = plan.bind_lift(side.endpoint())(raw, 0, [])
            return int(handles.add(ErrorContext(message)))

        return new

    def _error_context_message(self, side: CanonSide) -> Callable[[int, int], None]:
        from ingen_runtime.canonical import BorrowScope

        def message(index: int, ptr: int) -> None:
            found = self._error_context(self._leave(), index)
            plan = values_plan(self._classes, [PrimitiveType.STRING], side.encoding, None, MAX_FLAT_PARAMS)
            plan.bind_store(side.endpoint())(ptr, (found.message,), BorrowScope(), [])

        return message

    def _error_context(self, handles: Any, index: int) -> ErrorContext:
        found = handles.get(index)
        if not isinstance(found, ErrorContext):
            raise Trap(TrapKind.WRONG_HANDLE_TYPE, f"handle index {index} is no error context")
        return found

    def _error_context_drop(self, index: int) -> None:
        handles = self._leave()
        self._error_context(handles, index)
        handles.remove(index)


def _check_idle(end: End) -> None:
    what = "stream" if end.is_stream else "future"
    trap_if(
        end.state is CopyState.DONE, TrapKind.OTHER, f"cannot use a {what} after its other end was dropped"
    )
    trap_if(end.copying, TrapKind.OTHER, f"cannot have concurrent operations active on a {what}")
