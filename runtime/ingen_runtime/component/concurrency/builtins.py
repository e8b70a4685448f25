"""The built-ins of async components as core functions.

Source: CanonicalABI.md, "Canonical Definitions".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ingen_runtime.component.concurrency.builtin_scope import BuiltinScope
from ingen_runtime.component.concurrency.copy_builtins import CopyBuiltin
from ingen_runtime.component.concurrency.error_context_builtins import error_context_builtin
from ingen_runtime.component.concurrency.task_builtins import TaskBuiltins
from ingen_runtime.component.concurrency.thread_builtins import thread_builtin
from ingen_runtime.core_types import CoreFuncType
from ingen_runtime.engine import CoreFunc

if TYPE_CHECKING:
    from ingen_runtime.component.items import CanonSide
    from ingen_runtime.component.plan import BuiltinStep


def make_builtin(scope: BuiltinScope, step: BuiltinStep, type_: CoreFuncType, side: CanonSide) -> CoreFunc:
    """The core function of a built-in that is not about resources."""
    family, _, verb = step.builtin.name.partition(".")
    match family:
        case "stream" | "future":
            return CopyBuiltin(scope, step, side).make(type_)
        case "thread":
            return thread_builtin(scope, step, type_)
        case "error-context":
            return scope.plain(type_, error_context_builtin(scope, side, verb))
        case _:
            return TaskBuiltins(scope).make(step, type_, side)
