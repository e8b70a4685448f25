"""The built-ins of tasks and subtasks, and of waiting.

Source: CanonicalABI.md, "canon context.get" to "canon waitable.join".
"""

from __future__ import annotations

import struct
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final

from ingen_runtime.canonical import SLOT_SIZE
from ingen_runtime.component.binary.syntax import Sort
from ingen_runtime.component.concurrency.builtin_scope import BLOCKED, BuiltinScope
from ingen_runtime.component.concurrency.copies import CopyState, End
from ingen_runtime.component.concurrency.guest_calls import waitable_set
from ingen_runtime.component.concurrency.scheduler import GuestThread
from ingen_runtime.component.concurrency.waitables import (
    NOTHING,
    Event,
    Subtask,
    Waitable,
    WaitableSet,
    trap_if,
)
from ingen_runtime.core_types import CoreFuncType
from ingen_runtime.engine import CoreFunc, CoreMemory
from ingen_runtime.engine.signature import signature_of
from ingen_runtime.errors import Trap, TrapKind

if TYPE_CHECKING:
    from ingen_runtime.component.items import CanonSide
    from ingen_runtime.component.plan import BuiltinStep

_MAX_BACKPRESSURE: Final = (1 << 16) - 1


class TaskBuiltins:
    """The built-ins of one component instance about what it does and waits for."""

    def __init__(self, scope: BuiltinScope) -> None:
        self._scope = scope

    def make(self, step: BuiltinStep, type_: CoreFuncType, side: CanonSide) -> CoreFunc:
        """The core function of a built-in."""
        scope, name, slot = self._scope, step.builtin.name, step.builtin.slot or 0
        plain: dict[str, Callable[..., Any]] = {
            "task.return": self._task_return(step, type_, side),
            "task.cancel": self._task_cancel,
            "context.get": lambda: scope.thread().storage[slot],
            "context.set": lambda value: scope.thread().storage.__setitem__(slot, value),
            "backpressure.inc": lambda: self._backpressure(1),
            "backpressure.dec": lambda: self._backpressure(-1),
            "subtask.drop": self._subtask_drop,
            "waitable-set.new": lambda: scope.leave().add(WaitableSet()),
            "waitable-set.poll": self._waitable_set_poll(step),
            "waitable-set.drop": self._waitable_set_drop,
            "waitable.join": self._waitable_join,
        }
        match name:
            case "subtask.cancel":
                return scope.waiting(type_, self._subtask_cancel(step.builtin.is_async))
            case "waitable-set.wait":
                return scope.may_wait(type_, self._waitable_set_wait(step))
            case _ if name in plain:
                return scope.plain(type_, plain[name])
            case _:
                raise Trap(TrapKind.OTHER, f"the built-in {name} is not supported")

    # Tasks.

    def _task_return(self, step: BuiltinStep, type_: CoreFuncType, side: CanonSide) -> Callable[..., None]:
        def task_return(*values: Any) -> None:
            self._scope.leave()
            task = self._scope.thread().task
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
            signature = signature_of(type_)
            raw = bytearray(signature.slots * SLOT_SIZE)
            signature.params.pack_into(raw, 0, *values)
            task.return_(lift(raw))

        return task_return

    def _task_cancel(self) -> None:
        self._scope.leave()
        task = self._scope.thread().task
        trap_if(
            not task.options.is_async, TrapKind.OTHER, "`task.cancel` was called by a task that is not async"
        )
        task.cancel()

    def _backpressure(self, change: int) -> None:
        tasks = self._scope.tasks
        tasks.backpressure += change
        trap_if(
            not 0 <= tasks.backpressure <= _MAX_BACKPRESSURE, TrapKind.OTHER, "backpressure counter overflow"
        )

    # Subtasks.

    def _subtask(self, index: int) -> Subtask:
        found = self._scope.state.handles.get(index)
        if not isinstance(found, Subtask):
            raise Trap(TrapKind.WRONG_HANDLE_TYPE, f"handle index {index} is no subtask")
        return found

    def _subtask_drop(self, index: int) -> None:
        handles = self._scope.leave()
        subtask = self._subtask(index)
        trap_if(not subtask.delivered, TrapKind.OTHER, "cannot drop a subtask which has not yet resolved")
        subtask.leave()
        handles.remove(index)

    def _subtask_cancel(self, is_async: bool) -> Callable[..., Any]:
        async def cancel(index: int) -> int:
            thread = self._scope.blocking_thread(not is_async)
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

    # Waiting.

    def _waitable_join(self, index: int, set_index: int) -> None:
        handles = self._scope.leave()
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
        handles = self._scope.leave()
        waitable_set(handles.get(index), index).check_drop()
        handles.remove(index)

    def _waitable_set_wait(self, step: BuiltinStep) -> Callable[..., Any]:
        cancellable = step.builtin.cancellable

        async def later(set_: WaitableSet, thread: GuestThread, ptr: int) -> int:
            return self._put_event(step, ptr, await set_.wait(thread, cancellable))

        def wait(index: int, ptr: int) -> int | Awaitable[int]:
            thread = self._scope.blocking_thread(True)
            set_ = waitable_set(self._scope.state.handles.get(index), index)
            event = set_.poll(thread, cancellable)
            return later(set_, thread, ptr) if event is NOTHING else self._put_event(step, ptr, event)

        return wait

    def _waitable_set_poll(self, step: BuiltinStep) -> Callable[..., int]:
        def poll(index: int, ptr: int) -> int:
            set_ = waitable_set(self._scope.leave().get(index), index)
            return self._put_event(step, ptr, set_.poll(self._scope.thread(), step.builtin.cancellable))

        return poll

    def _put_event(self, step: BuiltinStep, ptr: int, event: Event) -> int:
        assert step.builtin.memory is not None
        memory = self._scope.core[Sort.CORE_MEMORY][step.builtin.memory]
        assert isinstance(memory, CoreMemory)
        view = memory.view()
        trap_if(ptr % 4 != 0, TrapKind.UNALIGNED_POINTER, f"0x{ptr:x} is not aligned to 4 bytes")
        trap_if(ptr + 8 > len(view), TrapKind.OUT_OF_BOUNDS, f"an event's payload at 0x{ptr:x}")
        struct.pack_into("<II", view, ptr, event[1], event[2])
        return int(event[0])
