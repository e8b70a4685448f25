"""The built-ins of error contexts.

Source: CanonicalABI.md, "canon error-context.new" and what follows.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ingen_runtime.canonical import BorrowScope
from ingen_runtime.canonical.layout import MAX_FLAT_PARAMS
from ingen_runtime.component.concurrency.builtin_scope import BuiltinScope
from ingen_runtime.component.concurrency.values import ErrorContext, values_plan
from ingen_runtime.component.types import PrimitiveType
from ingen_runtime.errors import Trap, TrapKind

if TYPE_CHECKING:
    from ingen_runtime.canonical import ValuesPlan
    from ingen_runtime.component.items import CanonSide


def error_context_builtin(scope: BuiltinScope, side: CanonSide, verb: str) -> Callable[..., Any]:
    """What a built-in of the family `error-context` does."""

    def plan() -> ValuesPlan:
        return values_plan(scope.classes, [PrimitiveType.STRING], side.encoding, None, MAX_FLAT_PARAMS)

    def find(index: int) -> ErrorContext:
        found = scope.leave().get(index)
        if not isinstance(found, ErrorContext):
            raise Trap(TrapKind.WRONG_HANDLE_TYPE, f"handle index {index} is no error context")
        return found

    def new(ptr: int, length: int) -> int:
        handles = scope.leave()
        raw = struct.pack("<I12xI12x", ptr, length)
        (message,) = plan().bind_lift(side.endpoint())(raw, 0, [])
        return handles.add(ErrorContext(message))

    def debug_message(index: int, ptr: int) -> None:
        plan().bind_store(side.endpoint())(ptr, (find(index).message,), BorrowScope(), [])

    def drop(index: int) -> None:
        find(index)
        scope.state.handles.remove(index)

    found: dict[str, Callable[..., Any]] = {"new": new, "debug-message": debug_message, "drop": drop}
    return found[verb]
