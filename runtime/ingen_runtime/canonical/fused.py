"""`canon lower` of a `canon lift`: a call from one component to another.

Values go from one memory to the other without becoming host values.

Source: CanonicalABI.md#canon-lower, #canon-lift.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from ingen_runtime.canonical.core import SLOT_SIZE, CoreFunction
from ingen_runtime.canonical.endpoint import Endpoint, EndpointNames
from ingen_runtime.canonical.handles import BorrowScope, Loan, might_be_recursive
from ingen_runtime.canonical.layout import (
    MAX_FLAT_PARAMS,
    MAX_FLAT_RESULTS,
    needs_memory,
)
from ingen_runtime.canonical.plan import CoreCall, Plan, write_release, write_scope
from ingen_runtime.canonical.source import Source
from ingen_runtime.canonical.styles import RawStyle
from ingen_runtime.canonical.writer import EndpointWriter, allocates, has_borrow, param_types, result_types
from ingen_runtime.component.types import FuncType, StringEncoding
from ingen_runtime.errors import Trap, TrapKind
from ingen_runtime.frozen import frozen


@frozen
class FusedParts:
    """A call between components in pieces, for callees that are suspended.

    `begin(caller_buffer, at, callee_buffer, scope, loans)` moves the arguments; `finish(callee_buffer,
    caller_buffer, at, scope)` moves the result and checks the scope. The callee's post-return runs after
    that, and then the loans are released.
    """

    begin: Callable[[Any, int, Any, BorrowScope, list[Loan]], None]
    finish: Callable[[Any, Any, int, BorrowScope], None]


class FusedPlan(Plan):
    """Calls between components.

    The two types are equal but for the resource types that they name.
    """

    def __init__(
        self,
        caller_type: FuncType,
        caller_encoding: StringEncoding,
        callee_type: FuncType,
        callee_encoding: StringEncoding,
        name: str,
    ) -> None:
        super().__init__(f"fuse {name}")
        self.caller_type = caller_type
        self.caller_encoding = caller_encoding
        self.callee_type = callee_type
        self.callee_encoding = callee_encoding

    def bind(
        self,
        callee: CoreFunction,
        callee_endpoint: Endpoint,
        caller_endpoint: Endpoint,
        post_return: CoreFunction | None = None,
    ) -> CoreCall:
        """The caller's core function `(buffer, offset)` that calls `callee` in the other component.

        Raises (when called): Trap, and whatever host functions raise.
        """
        if might_be_recursive(caller_endpoint.instance, callee_endpoint.instance):
            return _refusal(callee_endpoint.instance.name)
        kind = "call" if post_return is None else "call and post-return"
        factory = self.factory(kind, lambda source: self._write_call(source, post_return is not None))
        bound: CoreCall = factory(caller_endpoint, callee_endpoint, callee, post_return)
        return bound

    def bind_parts(self, callee_endpoint: Endpoint, caller_endpoint: Endpoint) -> FusedParts:
        """The same in pieces, for a callee that is awaited between them.

        Raises: Trap(CANNOT_ENTER) where one of the instances is nested in the other.
        """
        if might_be_recursive(caller_endpoint.instance, callee_endpoint.instance):
            raise _recursion(callee_endpoint.instance.name)
        factory = self.factory("parts", self._write_parts)
        begin, finish = factory(caller_endpoint, callee_endpoint, None, None)
        return FusedParts(begin, finish)

    def _writers(self, source: Source) -> tuple[EndpointWriter, EndpointWriter]:
        style = RawStyle(source)
        encodings = self.caller_encoding, self.callee_encoding
        caller = EndpointWriter(source, style, EndpointNames("caller_"), *encodings)
        callee = EndpointWriter(source, style, EndpointNames("callee_"), *reversed(encodings))
        return caller, callee

    def _write_call(self, source: Source, has_post_return: bool) -> list[EndpointNames]:
        caller, callee = self._writers(source)
        types, results = param_types(self.caller_type), result_types(self.callee_type)
        borrows = has_borrow(types)
        with source.block("def _result(_buffer, _at):"):
            if borrows:
                write_scope(callee, caller.names.loans, callee.names.scope)
            self._write_begin(caller, callee, "_raw")
            source.line("_call()")
            if has_post_return and results:
                # Before any other guest function can run: they may share the buffer.
                source.line(f"_kept = bytes(_raw[:{SLOT_SIZE}])")
            self._write_finish(caller, callee, "_raw")
            if has_post_return:
                if results:
                    source.line(f"_post_raw[:{SLOT_SIZE}] = _kept")
                with callee.staying(True):
                    source.line("_post_call()")
            if borrows:
                write_release(caller, caller.names.loans)
        return [caller.names, callee.names]

    def _write_parts(self, source: Source) -> list[EndpointNames]:
        caller, callee = self._writers(source)
        loans, scope = caller.names.loans, callee.names.scope
        with source.block(f"def _begin(_buffer, _at, _target, {scope}, {loans}):"):
            self._write_begin(caller, callee, "_target")
        with source.block(f"def _finish(_target, _buffer, _at, {scope}):"):
            caller.result_pointer(self.caller_type)
            self._write_finish(caller, callee, "_target")
        source.line("_result = (_begin, _finish)")
        return [caller.names, callee.names]

    def _write_begin(self, caller: EndpointWriter, callee: EndpointWriter, target: str) -> None:
        source, types = caller.source, param_types(self.caller_type)
        caller.leave_check()
        labels = [label for label, _ in self.caller_type.params]
        values = caller.lift(types, labels, MAX_FLAT_PARAMS, "_buffer", "_at")
        caller.result_pointer(self.caller_type)
        names = [source.name() for _ in values]
        for name, value in zip(names, values, strict=True):
            source.line(f"{name} = {value}")
        callee_types = param_types(self.callee_type)
        with callee.staying(allocates(callee_types, MAX_FLAT_PARAMS)):
            callee.lower(callee_types, names, MAX_FLAT_PARAMS, target, "0")

    def _write_finish(self, caller: EndpointWriter, callee: EndpointWriter, target: str) -> None:
        source, result = caller.source, self.caller_type.result
        values = callee.lift(result_types(self.callee_type), ["result"], MAX_FLAT_RESULTS, target, "0")
        if values:
            source.line(f"_value = {values[0]}")
        if has_borrow(param_types(self.callee_type)):
            source.line(f"{callee.names.scope}.check()")
        if result is not None:
            with caller.staying(needs_memory(result)):
                caller.lower_result(result, "_value")


def _recursion(name: str) -> Trap:
    return Trap(TrapKind.CANNOT_ENTER, f"{name} is nested in its caller, or its caller in it")


def _refusal(name: str) -> CoreCall:
    def refuse(buffer: Any, offset: int) -> None:
        raise _recursion(name)

    return refuse


@lru_cache(maxsize=1024)
def compile_fused(
    caller_type: FuncType,
    caller_encoding: StringEncoding,
    callee_type: FuncType,
    callee_encoding: StringEncoding,
    *,
    name: str = "call",
) -> FusedPlan:
    """The plan for a call from one component to another; the same for the same types."""
    return FusedPlan(caller_type, caller_encoding, callee_type, callee_encoding, name)
