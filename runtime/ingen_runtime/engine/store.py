"""Stores: what one group of instances owns."""

from __future__ import annotations

import ctypes
import itertools
import math
import sys
import time
import weakref
from collections.abc import Callable
from types import CellType
from typing import TYPE_CHECKING, Any, Final, NoReturn

from ingen_runtime.engine import bindings as c
from ingen_runtime.engine import epochs
from ingen_runtime.engine.calls import function_from, invoke_code, probe
from ingen_runtime.engine.host import Failure, HostFunctions
from ingen_runtime.engine.limits import NO_LIMITS, StoreLimits, limit_store
from ingen_runtime.engine.mappings import (
    MAPPINGS,
    MAPPINGS_PER_FIBER,
    MAPPINGS_PER_MEMORY,
    MAPPINGS_PER_RESERVATION,
)
from ingen_runtime.engine.nested import call_on_own_fiber
from ingen_runtime.engine.signature import signature_of
from ingen_runtime.engine.traps import drop_exception, exception_from_error, exception_from_trap
from ingen_runtime.errors import InternalError, StoreUnusableError, Trap, TrapKind

if TYPE_CHECKING:
    from ingen_runtime.core_types import CoreFuncType
    from ingen_runtime.engine.engine import Engine
    from ingen_runtime.engine.externs import CoreMemory
    from ingen_runtime.engine.fibers import Fiber
    from ingen_runtime.engine.module import CoreModule

_SHARED_SLOTS: Final = 16
"""Functions with up to this many values share the store's raw buffer."""


class CoreStore:
    """Owns core instances, their memories and host functions. Not to be used by two threads at a time.

    A store goes with its last user, or at `close()`: then calls into it raise StoreUnusableError. After a
    trap a store can still be called; whether its instances make sense is the caller's question.
    """

    __slots__ = (
        "__weakref__",
        "_active",
        "_call",
        "_cells",
        "_context_ref",
        "_deadline",
        "_epoch_callback",
        "_failure",
        "_fiber",
        "_fibers",
        "_holder",
        "_host",
        "_interrupted",
        "_mappings",
        "_memories",
        "_number",
        "_raw",
        "_raw_at",
        "_trap",
        "_trap_at",
        "_unusable",
        "_wait",
        "context",
        "engine",
        "limits",
        "ptr",
        "uses_gc",
    )

    def __init__(self, engine: Engine, limits: StoreLimits | None = None, *, fuel: int | None = None) -> None:
        self.ptr: int = 0  # for __del__, if what follows fails
        if fuel is not None and not engine.config.consume_fuel:
            raise ValueError("limiting fuel needs an engine with EngineConfig(consume_fuel=True)")
        self.engine = engine
        self.limits = limits if limits is not None else NO_LIMITS
        self._failure = Failure()
        self._host = HostFunctions(self._failure)
        self._memories: weakref.WeakSet[CoreMemory] | None = None
        self._deadline: float | None = None
        self._interrupted = False
        self._mappings = 0
        self._fiber: Fiber | None = None
        self._fibers: set[Fiber] = set()
        self._holder: Fiber | None = None
        self._wait: bytes | None = None
        self.uses_gc = False
        """Whether there are objects in the store that wasmtime collects."""
        self._unusable: str | None = None
        self.ptr = c.store_new(engine.ptr, None, None)
        self.context: int = c.store_context(self.ptr)
        self._number = next(_numbers)
        self._epoch_callback: int | None = None
        engine.store_opened(self._number)
        self._prepare_calls()
        if limits is not None:
            limit_store(self.ptr, limits)
        if engine.config.consume_fuel:
            self.set_fuel(_ENDLESS if fuel is None else fuel)
        if engine.config.epoch_interruption:
            self._epoch_callback = epochs.watch(self, self._failure)
            c.context_set_epoch_deadline(self._context_ref, 1)

    def _prepare_calls(self) -> None:
        self._raw = bytearray(_SHARED_SLOTS * c.RAW_SLOT_SIZE)
        self._trap = ctypes.c_void_p()
        self._context_ref = c.by_address(self.context)
        # By its address: the store keeps the buffer, and `by_buffer` would keep three objects more.
        self._raw_at = c.by_address(c.address_of(c.by_buffer(self._raw)))
        self._trap_at = ctypes.byref(self._trap)
        self._active = CellType(0)
        self._call = CellType(c.func_call_unchecked)
        self._cells = {
            "abandon": CellType(self._abandon),
            "active": self._active,
            "call": self._call,
            "fail": CellType(self._fail),
            "failure": CellType(self._failure),
            "raw": CellType(self._raw),
            "trap": CellType(self._trap),
        }

    def __del__(self, _is_finalizing: Callable[[], bool] = sys.is_finalizing) -> None:
        # When the interpreter ends, what this needs is gone already, and the process frees everything.
        if self.ptr and not _is_finalizing():
            self._delete("is closed")

    # Life.

    def close(self) -> None:
        """Free all that the store owns. Raises StoreUnusableError from inside one of its calls."""
        if not self.ptr:
            return
        if self._active.cell_contents or self._fiber is not None:
            raise StoreUnusableError("a store cannot be closed from inside a call of its guest")
        self._delete("is closed")

    def _delete(self, why: str) -> None:
        self.disable(why)
        for memory in self._memories or ():
            memory.detach()
        while self._fibers:
            self._fibers.pop().abandon()
        ptr, self.ptr = self.ptr, 0
        c.store_delete(ptr)
        MAPPINGS.give_back(self._mappings)
        self._host.forget()
        self._failure.free()
        if self._epoch_callback is not None:
            epochs.forget(self._epoch_callback)
        self.engine.store_closed(self._number)

    def disable(self, why: str) -> None:
        """From now on every call raises StoreUnusableError, saying that the store `why` ("is closed")."""
        if self._unusable is None:
            self._unusable = why

            def refuse(*_: object) -> NoReturn:
                raise StoreUnusableError(f"this guest cannot be called: its store {why}")

            self._call.cell_contents = refuse

    def check_usable(self) -> None:
        """Raises StoreUnusableError where calls would."""
        if self._unusable is not None:
            raise StoreUnusableError(f"this guest cannot be called: its store {self._unusable}")

    @property
    def usable(self) -> bool:
        return self._unusable is None

    @property
    def can_suspend(self) -> bool:
        """Whether a host function that is called now could let its guest wait."""
        # A fiber must not be suspended while a Python frame is on its stack: a guest called by a host
        # function.
        return self._fiber is not None and not self._active.cell_contents

    # Limits.

    def set_fuel(self, fuel: int) -> None:
        """Give the guest this much fuel: about one unit for an instruction."""
        self.check_usable()
        error = c.context_set_fuel(self.context, fuel)
        if error:
            raise exception_from_error(error, "setting fuel")

    @property
    def fuel(self) -> int:
        """The fuel that is left."""
        self.check_usable()
        left = ctypes.c_uint64()
        error = c.context_get_fuel(self.context, ctypes.byref(left))
        if error:
            raise exception_from_error(error, "reading fuel")
        return left.value

    def set_timeout(self, timeout_s: float | None) -> None:
        """Stop guest code that still runs `timeout_s` seconds from now with Trap(TIMEOUT); None lifts it.

        Only running guest code is stopped: time in host functions counts, but they are not interrupted.

        Raises: ValueError for what is no number, and where the engine has no epochs.
        """
        if timeout_s is not None and math.isnan(timeout_s):
            raise ValueError("a timeout is a number of seconds, not NaN")
        if not self.engine.config.epoch_interruption:
            raise ValueError("a timeout needs an engine with EngineConfig(epoch_interruption=True)")
        self._deadline = None if timeout_s is None else time.monotonic() + timeout_s

    def interrupt(self) -> None:
        """Stop what runs, or runs next, with Trap(INTERRUPTED). Safe from any thread and from a signal
        handler."""
        if not self.engine.config.epoch_interruption:
            raise ValueError("interrupting needs an engine with EngineConfig(epoch_interruption=True)")
        self._interrupted = True
        self.engine.increment_epoch()

    def on_epoch(self) -> bool:
        """Time has passed while a guest ran. Whether it has to let others run; raises where it has to
        stop."""
        if self._interrupted:
            self._interrupted = False
            raise Trap(TrapKind.INTERRUPTED)
        if self._deadline is not None and time.monotonic() >= self._deadline:
            raise Trap(TrapKind.TIMEOUT)
        return self.can_suspend

    # Calls.

    def bind(self, type_: CoreFuncType, func: bytes) -> Callable[..., Any]:
        """A Python callable for the core function in the extern `func`.

        It takes the parameters by position and returns None, the only result, or a tuple of results; integers
        are unsigned. It raises Trap, or what a host function raised. Values out of range raise struct.error
        before the guest is entered.
        """
        return function_from(invoke_code(len(type_.params), len(type_.results)), self.call_cells(type_, func))

    def call_cells(self, type_: CoreFuncType, func: bytes) -> dict[str, CellType]:
        """The free variables of a function that calls the core function in the extern `func`, by name.

        For generated code that wants to pack and unpack by itself: see `calls.invoke_code` for what it has to
        do with them, and in which order, and `calls.function_from` for how to make a function of them. `raw`
        is shared by the store's functions, so arguments are packed right before the call and results unpacked
        right after.
        """
        signature = signature_of(type_)
        function = c.Func.from_buffer_copy(func, c.EXTERN_OF_OFFSET)
        cells = {**self._cells, "pack": signature.pack_cell, "unpack": signature.unpack_cell}
        raw_at = self._raw_at
        if signature.slots > _SHARED_SLOTS:
            raw = bytearray(signature.slots * c.RAW_SLOT_SIZE)
            raw_at = c.by_buffer(raw)
            cells["raw"] = CellType(raw)
        cells["arguments"] = CellType(
            (self._context_ref, ctypes.byref(function), raw_at, signature.slots, self._trap_at)
        )
        return cells

    def define_host_function(
        self, type_: CoreFuncType, function: Callable[..., Any], callback: Any = None
    ) -> bytes:
        """The extern of a core function of `type_` that calls `function` with unsigned integers and floats.

        It returns None, the only result, or a sequence of results. What it raises stops the guest and comes
        out of the Python call that entered the guest, as it was raised.
        """
        self.check_usable()
        return self._host.define(self.engine, self.context, type_, function, callback)

    def prepare_for(self, module: CoreModule) -> None:
        """An instance of `module` is about to be made."""
        reservations = MAPPINGS_PER_RESERVATION if self.engine.config.memory_reservation else 0
        mappings = module.memory_count * (MAPPINGS_PER_MEMORY + reservations)
        MAPPINGS.take(mappings)
        self._mappings += mappings
        self.uses_gc |= module.uses_gc

    def enter(self) -> None:
        """Guest code is about to run, through something else than a bound call. `leave` follows in any
        case."""
        if self._holder is not None or (self.uses_gc and self._fiber is not None):
            raise StoreUnusableError(_HELD)
        probe(self._failure)
        self._active.cell_contents += 1

    def leave(self) -> None:
        self._active.cell_contents -= 1

    def _abandon(self) -> None:
        """An exception that is no trap left the native call: forget what the guest may have left."""
        trap = self._trap.value
        if trap:
            self._trap.value = None
            c.trap_delete(trap)
        self._failure.exception = None
        self._failure.renew()

    def _fail(self, error: int) -> NoReturn:
        """Raise the reason why a call came back with an error or a trap."""
        trap = self._trap.value
        self._trap.value = None
        self.raise_failure(trap or 0, error)

    def raise_failure(self, trap: int, error: int, doing: str = "calling a guest") -> NoReturn:
        """Raise what the trap or error that wasmtime returned stands for; frees it."""
        failure = self._failure
        exception = failure.exception
        failure.exception = None
        try:
            failure.renew()
            if trap:
                found: Exception = exception_from_trap(trap)
                if self.uses_gc:
                    drop_exception(self.context)
            elif error:
                found = exception_from_error(error, doing)
            else:
                found = InternalError("a call failed without a reason")
        except (ctypes.ArgumentError, RecursionError):
            # ctypes wraps what comes up while it converts an argument: Python's stack is full.
            found = RecursionError("maximum recursion depth exceeded while a guest's failure was looked at")
        if exception is None:
            exception = found
        elif isinstance(exception, Trap) and isinstance(found, Trap) and not exception.frames:
            exception.frames = found.frames
        try:
            raise exception
        finally:
            # The exception's traceback holds this frame: without this, they would keep each other alive.
            del exception, found

    # Fibers: see `fibers`.

    def begin_fiber(self) -> None:
        """A call on a fiber is about to begin; `end_fiber` follows. Raises where that cannot be now."""
        self.check_usable()
        if self._holder is not None:
            raise StoreUnusableError(_HELD)
        MAPPINGS.take(MAPPINGS_PER_FIBER)

    def add_fiber(self, fiber: Fiber) -> None:
        """The call has begun: if the store goes before the fiber ends, the fiber has to be abandoned
        first."""
        self._fibers.add(fiber)

    def end_fiber(self, fiber: Fiber) -> None:
        """The call has ended."""
        self._fibers.discard(fiber)
        MAPPINGS.give_back(MAPPINGS_PER_FIBER)

    def poll(self, fiber: Fiber) -> bool:
        """Let a fiber of this store run until it ends or waits; whether it ended."""
        if self._unusable is not None:
            self.check_usable()
        if self._fiber is not None or self._active.cell_contents:
            raise StoreUnusableError("a guest cannot be resumed from inside a call of the same store")
        if self._holder is not None and self._holder is not fiber:
            raise StoreUnusableError(_HELD)
        self._holder = None
        probe(self._failure)
        if self.engine.config.epoch_interruption:
            # Else a guest that waited for longer than a tick would have to yield at once.
            c.context_set_epoch_deadline(self._context_ref, 1)
        ended = False
        self._fiber = fiber
        if self.uses_gc:
            self._call.cell_contents = call_on_own_fiber
        try:
            ended = bool(c.call_future_poll(fiber.future_ref))
        finally:
            self._fiber = None
            if self.uses_gc:
                self._call.cell_contents = c.func_call_unchecked
                if not ended:
                    self._hold(fiber)
        return ended

    def _hold(self, fiber: Fiber) -> None:
        """Let nothing but `fiber` run next.

        wasmtime's collector does not look at the stacks of suspended fibers: it would free what is in use
        there.
        """
        self._holder = fiber

        def refuse(*_: object) -> NoReturn:
            raise StoreUnusableError(_HELD)

        self._call.cell_contents = refuse

    def suspending_fiber(self) -> Fiber:
        """The fiber that runs now and may be suspended. Raises Trap(CANNOT_BLOCK) where there is none."""
        fiber = self._fiber
        if fiber is None:
            raise Trap(TrapKind.CANNOT_BLOCK, "the guest was called synchronously: use `call_async`")
        if self._active.cell_contents:
            raise Trap(
                TrapKind.CANNOT_BLOCK, "the guest was called by a host function that is no `async def`"
            )
        return fiber

    def take(self) -> Any:
        """What the fiber that runs now has waited for; it has waited."""
        assert self._fiber is not None
        return self._fiber.take()

    def wait_function(self) -> bytes:
        """The extern of the core function that suspends the fiber that calls it."""
        if self._wait is None:
            self._wait = self.engine.wait_function(self.context)
        return self._wait

    def watch_memory(self, memory: CoreMemory) -> None:
        """Take care that `memory` lets go of its view before the store is freed."""
        if self._memories is None:
            self._memories = weakref.WeakSet()
        self._memories.add(memory)


_HELD: Final = "the guest uses garbage collection or exceptions, and waits: nothing else of its store can run"
_ENDLESS: Final = (1 << 64) - 1
_numbers = itertools.count(1)
