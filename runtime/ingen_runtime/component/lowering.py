"""Makes core functions for guests: lowered imports, calls between components, built-ins.

Code is generated when a function is called for the first time, unless the same plan has it already.
"""

from __future__ import annotations

from collections.abc import Callable
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any, Final

from ingen_runtime.canonical import (
    SLOT_SIZE,
    CoreCall,
    FusedPlan,
    ImportParts,
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
from ingen_runtime.component.concurrency.calls import lower_async
from ingen_runtime.component.items import (
    CanonSide,
    ComponentContext,
    HostFunc,
    LiftedFunc,
    engine_func_type,
)
from ingen_runtime.component.plan import BuiltinStep, LowerStep
from ingen_runtime.engine import CoreFunc, CoreStore, async_host_function
from ingen_runtime.engine import CoreFuncType as EngineFuncType
from ingen_runtime.engine.raw import raw_host_function
from ingen_runtime.engine.signature import signature_of
from ingen_runtime.errors import InternalError


def lower(
    store: CoreStore, classes: ValueClasses, step: LowerStep, func: LiftedFunc | HostFunc, side: CanonSide
) -> CoreFunc:
    """The core function by which the component instance of `side` calls `func`."""
    type_ = engine_func_type(step.core_type)
    if isinstance(func, LiftedFunc) and func.side.context.is_async:
        # The callee may wait, so the caller has to be able to.
        side.context.is_async = True
    if step.options.is_async or (isinstance(func, LiftedFunc) and func.side.context.is_async):
        return lower_async(store, classes, step, func, side, type_)
    if isinstance(func, HostFunc):
        if func.is_async:
            return _lower_async_host(store, classes, type_, func, side)
        host = func
        return _late(store, type_, lambda: _bind_host(classes, host, side))
    lifted = func
    return _late(store, type_, lambda: _bind_lifted(classes, step, lifted, side))


def _late(store: CoreStore, type_: EngineFuncType, bind: Callable[[], CoreCall]) -> CoreFunc:
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


def _lower_async_host(
    store: CoreStore, classes: ValueClasses, type_: EngineFuncType, func: HostFunc, side: CanonSide
) -> CoreFunc:
    parts: ImportParts | None = None
    signature = signature_of(type_)

    async def call(*values: Any) -> tuple[bytearray, Any, ResultError | None]:
        nonlocal parts
        if parts is None:
            plan = compile_lower(func.type, side.encoding, classes, name=func.name)
            parts = plan.bind_parts(side.endpoint(func.resources))
        raw = bytearray(signature.slots * SLOT_SIZE)
        signature.params.pack_into(raw, 0, *values)
        loans: list[Loan] = []
        try:
            arguments = parts.lift(raw, 0, loans)
            try:
                return raw, await func.call(*arguments), None
            except ResultError as error:
                return raw, None, error
        finally:
            release(loans)

    def finish(outcome: tuple[bytearray, Any, ResultError | None]) -> Any:
        assert parts is not None
        raw, value, failure = outcome
        parts.lower(raw, 0, value, failure)
        results = signature.results.unpack_from(raw)
        return results[0] if len(results) == 1 else results or None

    return async_host_function(store, type_, call, finish)


_CO_COROUTINE: Final = 0x80
"""The flag of an `async def`: `inspect.CO_COROUTINE`."""


def is_coroutine_function(call: Callable[..., Any]) -> bool:
    """Whether a host function is an `async def`, or an object whose `__call__` is one."""
    if isinstance(call, type | BuiltinFunctionType):
        return False
    function = call.__func__ if isinstance(call, MethodType) else call
    if isinstance(function, FunctionType) and not function.__dict__:
        return bool(function.__code__.co_flags & _CO_COROUTINE)
    import inspect  # slow to import, and rarely needed

    return inspect.iscoroutinefunction(call) or inspect.iscoroutinefunction(type(call).__call__)


def resource_builtin(store: CoreStore, context: ComponentContext, step: BuiltinStep) -> CoreFunc:
    """The core function of a built-in that makes or drops a resource."""
    type_ = engine_func_type(step.core_type)
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

            def call(value: int) -> Any:
                resource_drop(state, resource, value)

        case name:
            raise InternalError(f"an unknown built-in {name}")
    return CoreFunc.from_python(store, type_, call)
