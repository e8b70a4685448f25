"""Makes core functions for guests: lowered imports, calls between components, built-ins.

Code is generated when a function is called for the first time, unless the same plan has it already.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from ingen_runtime.canonical import (
    SLOT_SIZE,
    CoreCall,
    Endpoint,
    FusedPlan,
    ImportParts,
    ImportPlan,
    Resource,
    ResultError,
    ValueClasses,
    compile_fused,
    compile_lower,
    release,
    resource_drop,
    resource_new,
    resource_rep,
)
from ingen_runtime.canonical.handles import Loan
from ingen_runtime.component.items import (
    CanonSide,
    ComponentContext,
    HostFunc,
    LiftedFunc,
)
from ingen_runtime.component.plan import BuiltinStep, LowerStep
from ingen_runtime.core_types import CoreFuncType
from ingen_runtime.engine import CoreFunc, CoreStore, async_host_function
from ingen_runtime.engine.async_host import RawCall, fiber_for, raw_may_wait_host_function
from ingen_runtime.engine.raw import raw_host_function
from ingen_runtime.engine.signature import signature_of
from ingen_runtime.errors import InternalError
from ingen_runtime.waiting import Waits


def lower(
    store: CoreStore, classes: ValueClasses, step: LowerStep, func: LiftedFunc | HostFunc, side: CanonSide
) -> CoreFunc:
    """The core function by which the component instance of `side` calls `func`."""
    type_ = step.core_type
    if isinstance(func, HostFunc) and func.classes is not None:
        classes = func.classes
    if isinstance(func, LiftedFunc) and func.side.context.is_async:
        # The callee may wait, so the caller has to be able to.
        side.context.is_async = True
    if step.options.is_async or (isinstance(func, LiftedFunc) and func.side.context.is_async):
        # Late: slow to import, and most components have no tasks.
        from ingen_runtime.component.concurrency.lowered_calls import lower_async

        return lower_async(store, classes, step, func, side, type_)
    if isinstance(func, HostFunc):
        host = func
        match func.waits:
            case Waits.ALWAYS:
                return _WaitingImport(store, classes, type_, func, side).async_def()
            case Waits.MAYBE:
                return _WaitingImport(store, classes, type_, func, side).may_wait()
            case Waits.NEVER:
                return _late(store, type_, lambda: _bind_host(classes, host, side))
    lifted = func
    return _late(store, type_, lambda: _bind_lifted(classes, step, lifted, side))


def _late(store: CoreStore, type_: CoreFuncType, bind: Callable[[], CoreCall]) -> CoreFunc:
    """A core function that is bound when it is called for the first time."""

    bound: CoreCall | None = None

    def call(buffer: Any, at: int) -> None:
        nonlocal bound
        if bound is None:
            bound = bind()
        bound(buffer, at)

    return raw_host_function(store, type_, call)


def _bind_host(classes: ValueClasses, func: HostFunc, side: CanonSide) -> CoreCall:
    plan = compile_lower(func.type, side.encoding, classes, name=func.name)
    return plan.bind(func.call, side.endpoint(func.resources))


def _bind_lifted(classes: ValueClasses, step: LowerStep, callee: LiftedFunc, caller: CanonSide) -> CoreCall:
    key = ("fused", step.type, caller.encoding, callee.type, callee.side.encoding)
    plan = classes.plans.get(key)
    if plan is None:
        plan = compile_fused(step.type, caller.encoding, callee.type, callee.side.encoding)
        classes.plans[key] = plan
    assert isinstance(plan, FusedPlan)
    return plan.bind(callee.raw_call, callee.side.endpoint(), caller.endpoint(), callee.raw_post_return)


class _WaitingImport:
    """A host function that the guest waits in, as one component instance calls it."""

    __slots__ = ("_bound_parts", "_classes", "_func", "_side", "_store", "_type")

    def __init__(
        self, store: CoreStore, classes: ValueClasses, type_: CoreFuncType, func: HostFunc, side: CanonSide
    ) -> None:
        self._store = store
        self._classes = classes
        self._type = type_
        self._func = func
        self._side = side
        self._bound_parts: ImportParts | None = None

    def async_def(self) -> CoreFunc:
        """The core function where the host's is an `async def`."""
        signature = signature_of(self._type)

        async def call(*values: Any) -> _Outcome:
            raw = bytearray(signature.slots * SLOT_SIZE)
            signature.params.pack_into(raw, 0, *values)
            loans: list[Loan] = []
            # `_outcome` written out: thousands of guests may wait here, each with all coroutines on the way.
            try:
                awaitable = self._func.call(*self._parts.lift(raw, 0, loans))
                return raw, await self._apart(awaitable), None
            except ResultError as error:
                return raw, None, error
            finally:
                release(loans)

        return async_host_function(self._store, self._type, call, self._finish)

    def may_wait(self) -> CoreFunc:
        """The core function where the host's may wait."""

        def suspend(value: Awaitable[Any], buffer: Any, at: int, loans: list[Loan]) -> int:
            fiber = fiber_for(self._store, value)
            raw, awaitable = bytearray(memoryview(buffer)[at:]), self._apart(value)
            return fiber.note(_outcome(raw, loans, awaitable), self._finish)

        def bind() -> RawCall:
            return self._plan.bind_may_wait(self._func.call, self._endpoint, suspend)

        return raw_may_wait_host_function(self._store, self._type, bind)

    def _apart(self, awaitable: Awaitable[Any]) -> Awaitable[Any]:
        """Give what the host awaits a task of its own, where threads are run by one task and by another."""
        context = self._side.context
        return context.tasks.scheduler.apart(awaitable) if context.is_async else awaitable

    # Late, because the memory may not be there yet, and compiling takes time.

    @property
    def _plan(self) -> ImportPlan:
        return compile_lower(self._func.type, self._side.encoding, self._classes, name=self._func.name)

    @property
    def _endpoint(self) -> Endpoint:
        return self._side.endpoint(self._func.resources)

    @property
    def _parts(self) -> ImportParts:
        if self._bound_parts is None:
            self._bound_parts = self._plan.bind_parts(self._endpoint)
        return self._bound_parts

    def _finish(self, outcome: _Outcome) -> Any:
        raw, value, failure = outcome
        self._parts.lower(raw, 0, value, failure)
        results = signature_of(self._type).results.unpack_from(raw)
        return results[0] if len(results) == 1 else results or None


_Outcome: TypeAlias = tuple[bytearray, Any, ResultError | None]
"""The buffer of a call, and what the host function returned, or raised as the error of a result."""


async def _outcome(raw: bytearray, loans: list[Loan], awaitable: Awaitable[Any]) -> _Outcome:
    try:
        return raw, await awaitable, None
    except ResultError as error:
        return raw, None, error
    finally:
        release(loans)


def resource_builtin(store: CoreStore, context: ComponentContext, step: BuiltinStep) -> CoreFunc:
    """The core function of a built-in that makes or drops a resource."""
    type_ = step.core_type
    state = context.state
    assert step.resource is not None
    resource: Resource = context.resources[step.resource]
    match step.builtin.name:
        case "resource.new":

            def call(value: int) -> Any:
                return resource_new(state, resource, value)

        case "resource.rep":

            def call(value: int) -> Any:
                return resource_rep(state, resource, value)

        case "resource.drop":
            make_drop = getattr(resource.destructor, "make_drop", None)
            if make_drop is not None:  # a `TaskDestructor`
                drop: CoreFunc = make_drop(store, type_, context, resource)
                return drop

            def call(value: int) -> Any:
                resource_drop(state, resource, value)

        case name:
            raise InternalError(f"an unknown built-in {name}")
    return CoreFunc.from_python(store, type_, call)
