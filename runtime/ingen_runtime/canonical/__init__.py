"""The canonical ABI: layout and flattening, the lift and lower compiler, handles, traps.

For each function type one small Python function is written, compiled once, and bound to each instance.
How WIT values look in Python is in `values` (`Some`, `Ok`, `Err`, `ResultError`) and `classes`.

What the engine provides (`core`): a `Memory` with `view()` (`CoreMemory`), and `CoreFunction`s with a `raw`
buffer of 16-byte slots and `call()` (`engine.raw.RawFunction`).

What a linker does:

1.  For each component instance, an `InstanceState(name, parent)`. It has the handle table, `may_leave`, and
    (at the root of a tree) whether the host may enter.
2.  For each evaluated resource definition, a run-time `Resource`: `GuestResource(name, state, destructor,
    class_)` or `HostResource(name, class_, destructor)`. A destructor takes the rep: an unsigned i32, or the
    host's object. `canon resource.new`, `.rep` and `.drop` are `resource_new(state, resource, rep)`,
    `resource_rep(state, resource, index)` and `resource_drop(state, resource, index)`.
3.  For each lift or lower, an `Endpoint(instance=state, memory=…, realloc=…, resources={…},
    make_async_values=…)`: one side of a call. `resources` maps the `ResourceType`s in the function's type,
    which may be shared by all instances of a component, to the `Resource`s of this instance.
4.  Host calls guest: `compile_lift(type, encoding, classes, name=…)` gives an `ExportPlan`;
    `plan.bind(core_function, endpoint, post_return)` the Python function, with the parameters of the type.
    It enters and leaves the instance, and poisons it after a trap or a foreign exception.
    Suspendable calls: `plan.bind_parts(endpoint)` gives `ExportParts`:
    `lower(buffer, at, arguments, scope, loans)`, then the call, then
    `value, failure = lift(buffer, at, loans)`, `scope.check()`, post-return, `release(loans)`, and
    `raise failure` where it is not None; all between `state.enter()` and `state.leave()`, or `state.poison(
    error)` where it went wrong.
5.  Guest calls host: `compile_lower(type, encoding, classes, name=…)` gives an `ImportPlan`;
    `plan.bind(function, endpoint)` a core function `(buffer, at)`: `buffer` is writable, the parameters are
    at the offset `at`, and the results are left there. Exceptions pass through it.
    For `async def` functions: `plan.bind_parts(endpoint)` gives `ImportParts`: `lift(buffer, at, loans)`
    gives the argument tuple; `lower(buffer, at, value, failure)` writes the result, where `failure` is the
    `ResultError` that the function raised; then `release(loans)`. The buffer with the arguments must be kept
    for `lower`.
6.  Guest calls guest: `compile_fused(caller_type, caller_encoding, callee_type, callee_encoding, name=…)`
    gives a `FusedPlan`; `plan.bind(core_function, callee_endpoint, caller_endpoint, post_return)` the
    caller's core function `(buffer, at)`. It calls `realloc` for strings as the specification's transcoding
    does, and always traps where one instance is nested in the other. `plan.bind_parts` for awaited callees.
7.  `ValuesPlan(types, encoding, classes, max_flat=…)` lifts and lowers values by themselves: `bind_lift`,
    `bind_lower`, `bind_load`, `bind_store`, for `task.return`, async lowers, streams and futures.

Core signatures to check against: `flatten_functype(type, Direction.LIFT or LOWER, is_async=…, callback=…)`.
Plans are cached in the `ValueClasses`, so keep one of these with each component, not with each instance.
Binding compiles a plan that has not been bound before (about a millisecond): bind what is rarely called when
it is first called.

`ValueClasses(named, errors)` decides which Python classes stand for named types: its own, made from the
types, or those that a binding brings by type name.

Names are looked up when they are first used: who needs the layout alone does not load the compiler.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ingen_runtime.canonical.classes import RecordClass, ValueClasses, VariantClass
    from ingen_runtime.canonical.core import SLOT_SIZE, CoreFunction, Memory
    from ingen_runtime.canonical.endpoint import AsyncValues, Endpoint
    from ingen_runtime.canonical.exports import ExportParts, ExportPlan, compile_lift
    from ingen_runtime.canonical.fused import FusedParts, FusedPlan, compile_fused
    from ingen_runtime.canonical.handles import (
        BorrowScope,
        Handle,
        HandleTable,
        InstanceState,
        Loan,
        check_may_leave,
        might_be_recursive,
        release,
        resource_drop,
        resource_new,
        resource_rep,
        take_for_drop,
    )
    from ingen_runtime.canonical.imports import ImportParts, ImportPlan, compile_lower
    from ingen_runtime.canonical.layout import (
        Direction,
        alignment,
        elem_size,
        flatten_functype,
    )
    from ingen_runtime.canonical.plan import CoreCall, HostCall
    from ingen_runtime.canonical.resources import GuestResource, HostResource, Resource, ResourceHandle
    from ingen_runtime.canonical.sequences import ValuesPlan
    from ingen_runtime.canonical.values import Err, Ok, ResultError, Some
    from ingen_runtime.component.types import StringEncoding

_PLACES = {
    "AsyncValues": "endpoint",
    "BorrowScope": "handles",
    "CoreCall": "plan",
    "CoreFunction": "core",
    "Direction": "layout",
    "Endpoint": "endpoint",
    "Err": "values",
    "ExportParts": "exports",
    "ExportPlan": "exports",
    "FusedParts": "fused",
    "FusedPlan": "fused",
    "GuestResource": "resources",
    "Handle": "handles",
    "HandleTable": "handles",
    "HostCall": "plan",
    "HostResource": "resources",
    "ImportParts": "imports",
    "ImportPlan": "imports",
    "InstanceState": "handles",
    "Loan": "handles",
    "Memory": "core",
    "Ok": "values",
    "RecordClass": "classes",
    "Resource": "resources",
    "ResourceHandle": "resources",
    "ResultError": "values",
    "SLOT_SIZE": "core",
    "Some": "values",
    "StringEncoding": "strings",
    "ValueClasses": "classes",
    "ValuesPlan": "sequences",
    "VariantClass": "classes",
    "alignment": "layout",
    "check_may_leave": "handles",
    "compile_fused": "fused",
    "compile_lift": "exports",
    "compile_lower": "imports",
    "elem_size": "layout",
    "flatten_functype": "layout",
    "might_be_recursive": "handles",
    "release": "handles",
    "resource_drop": "handles",
    "resource_new": "handles",
    "resource_rep": "handles",
    "take_for_drop": "handles",
}

__all__ = [
    "SLOT_SIZE",
    "AsyncValues",
    "BorrowScope",
    "CoreCall",
    "CoreFunction",
    "Direction",
    "Endpoint",
    "Err",
    "ExportParts",
    "ExportPlan",
    "FusedParts",
    "FusedPlan",
    "GuestResource",
    "Handle",
    "HandleTable",
    "HostCall",
    "HostResource",
    "ImportParts",
    "ImportPlan",
    "InstanceState",
    "Loan",
    "Memory",
    "Ok",
    "RecordClass",
    "Resource",
    "ResourceHandle",
    "ResultError",
    "Some",
    "StringEncoding",
    "ValueClasses",
    "ValuesPlan",
    "VariantClass",
    "alignment",
    "check_may_leave",
    "compile_fused",
    "compile_lift",
    "compile_lower",
    "elem_size",
    "flatten_functype",
    "might_be_recursive",
    "release",
    "resource_drop",
    "resource_new",
    "resource_rep",
    "take_for_drop",
]


def __getattr__(name: str) -> Any:
    place = _PLACES.get(name)
    if place is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(f"{__name__}.{place}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return [*globals(), *_PLACES]
