"""Evaluates canonical definitions: their options and core signatures.

Source: component-model Explainer.md, "Canonical Definitions"; CanonicalABI.md, "Canonical Definitions".
"""

from __future__ import annotations

from ingen_runtime.canonical.layout import (
    MAX_FLAT_ASYNC_PARAMS,
    MAX_FLAT_PARAMS,
    MAX_FLAT_RESULTS,
    Direction,
    flat_counts,
    flatten_functype,
    needs_memory,
)
from ingen_runtime.component.binary.syntax import (
    CanonBuiltin,
    CanonDef,
    CanonLift,
    CanonLower,
    CanonOptions,
    FutureDef,
    Sort,
    StreamDef,
)
from ingen_runtime.component.entities import structure_of
from ingen_runtime.component.plan import BuiltinStep, LiftStep, LowerStep
from ingen_runtime.component.scope import Scope, member
from ingen_runtime.component.types import FuncType, FutureType, StreamType, ValType
from ingen_runtime.component.value_types import evaluate_ref
from ingen_runtime.core_types import CoreFuncType, NumberType, RefType
from ingen_runtime.errors import ComponentFormatError

_I32, _I64 = NumberType.I32, NumberType.I64
_REALLOC = CoreFuncType((_I32, _I32, _I32, _I32), (_I32,))
_CALLBACK = CoreFuncType((_I32, _I32, _I32), (_I32,))


def _signature(params: int, results: int) -> CoreFuncType:
    return CoreFuncType((_I32,) * params, (_I32,) * results)


_SIGNATURES = {
    "resource.new": _signature(1, 1),
    "resource.drop": _signature(1, 0),
    "resource.rep": _signature(1, 1),
    "task.cancel": _signature(0, 0),
    "subtask.cancel": _signature(1, 1),
    "subtask.drop": _signature(1, 0),
    "backpressure.inc": _signature(0, 0),
    "backpressure.dec": _signature(0, 0),
    "stream.new": CoreFuncType((), (_I64,)),
    "stream.read": _signature(3, 1),
    "stream.write": _signature(3, 1),
    "stream.cancel-read": _signature(1, 1),
    "stream.cancel-write": _signature(1, 1),
    "stream.drop-readable": _signature(1, 0),
    "stream.drop-writable": _signature(1, 0),
    "stream.forward": _signature(2, 0),
    "future.new": CoreFuncType((), (_I64,)),
    "future.read": _signature(2, 1),
    "future.write": _signature(2, 1),
    "future.cancel-read": _signature(1, 1),
    "future.cancel-write": _signature(1, 1),
    "future.drop-readable": _signature(1, 0),
    "future.drop-writable": _signature(1, 0),
    "future.forward": _signature(2, 0),
    "error-context.new": _signature(2, 1),
    "error-context.debug-message": _signature(2, 0),
    "error-context.drop": _signature(1, 0),
    "waitable-set.new": _signature(0, 1),
    "waitable-set.wait": _signature(2, 1),
    "waitable-set.poll": _signature(2, 1),
    "waitable-set.drop": _signature(1, 0),
    "waitable.join": _signature(2, 0),
    "thread.index": _signature(0, 1),
    "thread.new-indirect": _signature(2, 1),
    "thread.resume-later": _signature(1, 0),
    "thread.suspend": _signature(0, 1),
    "thread.suspend-then-resume": _signature(1, 1),
    "thread.suspend-then-promote": _signature(1, 1),
    "thread.yield": _signature(0, 1),
    "thread.yield-then-resume": _signature(1, 1),
    "thread.yield-then-promote": _signature(1, 1),
}
"""The core signatures of built-ins that do not depend on a type."""


def define_canon(scope: Scope, definition: CanonDef) -> None:
    """Add the function or core function that a canonical definition makes.

    Raises: ComponentFormatError.
    """
    match definition.canon:
        case CanonLift():
            _lift(scope, definition.canon, definition.offset)
        case CanonLower():
            _lower(scope, definition.canon, definition.offset)
        case CanonBuiltin():
            _builtin(scope, definition.canon, definition.offset)


def _lift(scope: Scope, lift: CanonLift, offset: int) -> None:
    entity = scope.func_type(lift.type, offset)
    type_ = entity.type
    core_type = member(scope.core_funcs, lift.core_func, Sort.CORE_FUNC, offset)
    options = lift.options
    _check_options(scope, options, offset)
    if options.is_async and not type_.is_async:
        raise _option_error("async", "requires an async function type", offset)
    if options.callback is not None and not options.is_async:
        raise _option_error("callback", "requires the option `async`", offset)
    if options.post_return is not None and options.is_async:
        raise _option_error("post-return", "cannot be combined with `async`", offset)
    wanted = flatten_functype(
        type_, Direction.LIFT, is_async=options.is_async, callback=options.callback is not None
    )
    if core_type != wanted:
        raise ComponentFormatError(
            f"the core function's type {core_type} is not what the function flattens to, {wanted}", offset
        )
    if options.post_return is not None:
        _check_core_func(scope, "post-return", options.post_return, CoreFuncType(wanted.results, ()), offset)
    params, results = _types(type_)
    lowers_pointers = any(needs_memory(param) for param in params) or flat_counts(params) > MAX_FLAT_PARAMS
    if lowers_pointers:
        _require(options, "realloc", offset)
    elif not options.is_async and (
        any(needs_memory(result) for result in results) or flat_counts(results) > MAX_FLAT_RESULTS
    ):
        _require(options, "memory", offset)
    scope.funcs.append(entity)
    scope.steps.append(LiftStep(lift.core_func, options, type_))


def _lower(scope: Scope, lower: CanonLower, offset: int) -> None:
    type_ = member(scope.funcs, lower.func, Sort.FUNC, offset).type
    options = lower.options
    _check_options(scope, options, offset)
    for name, option in (("post-return", options.post_return), ("callback", options.callback)):
        if option is not None:
            raise _option_error(name, "cannot be specified for lowerings", offset)
    if options.is_async and not type_.is_async:
        raise _option_error("async", "requires an async function type", offset)
    params, results = _types(type_)
    max_params = MAX_FLAT_ASYNC_PARAMS if options.is_async else MAX_FLAT_PARAMS
    max_results = 0 if options.is_async else MAX_FLAT_RESULTS
    if any(needs_memory(result) for result in results):
        _require(options, "realloc", offset)
    elif (
        any(needs_memory(param) for param in params)
        or flat_counts(params) > max_params
        or flat_counts(results) > max_results
    ):
        _require(options, "memory", offset)
    core_type = flatten_functype(type_, Direction.LOWER, is_async=options.is_async)
    scope.core_funcs.append(core_type)
    scope.steps.append(LowerStep(lower.func, options, type_, core_type))


def _types(type_: FuncType) -> tuple[list[ValType], list[ValType]]:
    return [param for _, param in type_.params], [] if type_.result is None else [type_.result]


def _option_error(name: str, problem: str, offset: int) -> ComponentFormatError:
    return ComponentFormatError(f"canonical option `{name}` {problem}", offset)


def _require(options: CanonOptions, name: str, offset: int) -> None:
    if options.memory is None:
        raise _option_error("memory", "is required", offset)
    if name == "realloc" and options.realloc is None:
        raise _option_error("realloc", "is required", offset)


def _check_options(scope: Scope, options: CanonOptions, offset: int) -> None:
    if options.gc or options.core_type is not None:
        raise _option_error("gc" if options.gc else "core-type", "is not supported", offset)
    if options.memory is not None:
        _check_memory(scope, options.memory, offset)
    if options.realloc is not None:
        if options.memory is None:
            raise _option_error("realloc", "requires `memory` to also be specified", offset)
        _check_core_func(scope, "realloc", options.realloc, _REALLOC, offset)
    if options.callback is not None:
        _check_core_func(scope, "callback", options.callback, _CALLBACK, offset)


def _check_memory(scope: Scope, memory: int, offset: int) -> None:
    type_ = member(scope.memories, memory, Sort.CORE_MEMORY, offset)
    if type_.limits.is_64 or type_.limits.shared:
        raise _option_error("memory", "has to be a 32-bit memory that is not shared", offset)


def _check_core_func(scope: Scope, name: str, index: int, wanted: CoreFuncType, offset: int) -> None:
    found = member(scope.core_funcs, index, Sort.CORE_FUNC, offset)
    if found != wanted:
        raise _option_error(
            name, f"uses a core function with an incorrect signature: {found}, not {wanted}", offset
        )


def _builtin(scope: Scope, builtin: CanonBuiltin, offset: int) -> None:
    name = builtin.name
    family = name.partition(".")[0]
    _check_options(scope, builtin.options, offset)
    if builtin.memory is not None:
        _check_memory(scope, builtin.memory, offset)
    step: BuiltinStep
    if family == "resource":
        step = _resource_builtin(scope, builtin, offset)
    elif family in ("stream", "future"):
        step = _copy_builtin(scope, builtin, offset)
    elif name == "task.return":
        step = _task_return(scope, builtin, offset)
    elif family == "context":
        step = _context(builtin, offset)
    elif name in _SIGNATURES:
        if name == "thread.new-indirect":
            _check_thread_table(scope, builtin, offset)
        elif name == "error-context.new":
            _require(builtin.options, "memory", offset)
        elif name == "error-context.debug-message":
            _require(builtin.options, "realloc", offset)
        step = BuiltinStep(builtin, _SIGNATURES[name])
    else:
        raise ComponentFormatError(
            f"`{name}` needs shared-everything threads, which are not supported", offset
        )
    scope.core_funcs.append(step.core_type)
    scope.steps.append(step)


def _resource_builtin(scope: Scope, builtin: CanonBuiltin, offset: int) -> BuiltinStep:
    assert builtin.type is not None
    entity = scope.resource(builtin.type, offset)
    if builtin.name != "resource.drop" and entity.resource not in scope.local_resources:
        raise ComponentFormatError(
            f"`{builtin.name}` of type {builtin.type}, which is not a local resource type", offset
        )
    return BuiltinStep(builtin, _SIGNATURES[builtin.name], resource=entity.resource)


def _copy_builtin(scope: Scope, builtin: CanonBuiltin, offset: int) -> BuiltinStep:
    assert builtin.type is not None
    family = builtin.name.partition(".")[0]
    type_ = scope.defined_type(builtin.type, offset)
    if not isinstance(type_.definition, StreamDef if family == "stream" else FutureDef):
        raise ComponentFormatError(
            f"`{builtin.name}` needs a {family} type, and type {builtin.type} is none", offset
        )
    assert isinstance(type_.type, StreamType | FutureType)
    element = type_.type.element
    if builtin.name.endswith((".read", ".write")) and element is not None:
        lowers = builtin.name.endswith(".read") and needs_memory(element)
        _require(builtin.options, "realloc" if lowers else "memory", offset)
    return BuiltinStep(builtin, _SIGNATURES[builtin.name], element=element)


def _task_return(scope: Scope, builtin: CanonBuiltin, offset: int) -> BuiltinStep:
    options = builtin.options
    if options.realloc is not None or options.post_return is not None or options.is_async or options.callback:
        raise ComponentFormatError("`task.return` allows the options memory and string-encoding only", offset)
    result = None if builtin.result is None else structure_of(evaluate_ref(scope, builtin.result, offset))
    results = () if result is None else (("result", result),)
    if result is not None and (needs_memory(result) or flat_counts([result]) > MAX_FLAT_PARAMS):
        _require(options, "memory", offset)
    flat = flatten_functype(FuncType(results, None), Direction.LIFT)
    return BuiltinStep(builtin, flat, result=result)


def _context(builtin: CanonBuiltin, offset: int) -> BuiltinStep:
    if builtin.number_type is not NumberType.I32:
        raise ComponentFormatError(f"`{builtin.name}` of i64 needs 64-bit memories", offset)
    if builtin.slot is None or builtin.slot > 1:
        raise ComponentFormatError(
            f"`{builtin.name}` has two slots, 0 and 1; this names {builtin.slot}", offset
        )
    return BuiltinStep(builtin, _signature(0, 1) if builtin.name == "context.get" else _signature(1, 0))


def _check_thread_table(scope: Scope, builtin: CanonBuiltin, offset: int) -> None:
    assert builtin.core_type is not None and builtin.table is not None
    if scope.core_func_type(builtin.core_type, offset) != _signature(1, 0):
        raise ComponentFormatError("the start function of a thread has the type (func (param i32))", offset)
    if member(scope.tables, builtin.table, Sort.CORE_TABLE, offset).element != RefType("func"):
        raise ComponentFormatError("the table of `thread.new-indirect` holds funcref", offset)
