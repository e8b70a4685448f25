"""`canon lower` for the host: a Python function becomes a core function of a guest.

Source: CanonicalABI.md#canon-lower.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

from ingen_runtime.canonical.classes import ValueClasses
from ingen_runtime.canonical.endpoint import Endpoint, EndpointNames
from ingen_runtime.canonical.handles import Loan
from ingen_runtime.canonical.layout import MAX_FLAT_PARAMS, needs_memory
from ingen_runtime.canonical.plan import (
    CoreCall,
    HostCall,
    HostFunction,
    Plan,
    Suspend,
    on_failure,
    plan_key,
    write_release,
    write_scope,
)
from ingen_runtime.canonical.source import Source
from ingen_runtime.canonical.styles import HostStyle
from ingen_runtime.canonical.values import Err, Ok, ResultError
from ingen_runtime.canonical.writer import EndpointWriter, has_borrow, param_types
from ingen_runtime.component.types import FuncType, ResultType, StringEncoding
from ingen_runtime.frozen import frozen
from ingen_runtime.waiting import is_awaitable


@frozen
class ImportParts:
    """An import's call in pieces, for host functions that are awaited.

    `lift(buffer, at, loans)` reads the arguments from a raw buffer. `lower(buffer, at, value, failure)`
    writes the result to the same buffer, in which the parameters must still be; `failure` is the ResultError
    that the host function raised, or None. The caller releases the loans after the host function.
    """

    lift: Callable[[Any, int, list[Loan]], tuple[Any, ...]]
    lower: Callable[[Any, int, Any, ResultError | None], None]


class ImportPlan(Plan):
    """Calls of an import of one type."""

    def __init__(self, type_: FuncType, encoding: StringEncoding, classes: ValueClasses, name: str) -> None:
        super().__init__(f"lower {name}")
        self.type = type_
        self.encoding = encoding
        self.classes = classes
        self.name = name
        self._params = param_types(type_)
        self._labels = [label for label, _ in type_.params]

    def bind(self, host: HostCall, endpoint: Endpoint) -> CoreCall:
        """The core function `(buffer, offset)` that calls `host`.

        It raises Trap for what the guest got wrong, HostValueError for a result of the host function that
        does not fit, and whatever the host function raises; a ResultError becomes the error of a result.
        """
        factory = self.factory("call", lambda source: self._write_call(source, False))
        bound: CoreCall = factory(endpoint, HostFunction(host), None)
        return bound

    def bind_may_wait(
        self, host: HostCall, endpoint: Endpoint, suspend: Suspend
    ) -> Callable[[Any, int], int | None]:
        """The same, where `host` may return an awaitable of its result.

        Then neither the results are written nor the loans released, and what `suspend` returns is returned;
        else None.
        """
        factory = self.factory("call that may wait", lambda source: self._write_call(source, True))
        bound: Callable[[Any, int], int | None] = factory(endpoint, HostFunction(host, suspend), None)
        return bound

    def bind_parts(self, endpoint: Endpoint) -> ImportParts:
        """The same in pieces, for a host function that is awaited between them."""
        lift, lower = self.factory("parts", self._write_parts)(endpoint, None, None)
        return ImportParts(lift, lower)

    def _writer(self, source: Source) -> EndpointWriter:
        return EndpointWriter(source, HostStyle(source, self.classes), EndpointNames(), self.encoding)

    def _write_call(self, source: Source, may_wait: bool) -> list[EndpointNames]:
        writer = self._writer(source)
        names, borrows = writer.names, has_borrow(self._params)
        with source.block("def _result(_buffer, _at):"):
            writer.leave_check()
            if borrows:
                write_scope(writer, names.loans, None)
            with source.block("try:") if borrows else nullcontext():
                arguments = self._write_lift(writer)
                writer.result_pointer(self.type)
                self._write_host_call(source, f"_call({', '.join(arguments)})", may_wait)
                if may_wait:
                    self._write_suspension(source, names.loans if borrows else None)
            if borrows:
                with source.block("finally:"):
                    write_release(writer, names.loans)
            self._write_lower(writer)
        return [names]

    def _write_suspension(self, source: Source, loans: str | None) -> None:
        with source.block(f"if {source.constant(is_awaitable, 'is_awaitable')}(_value):"):
            source.line(f"_address = _suspend(_value, _buffer, _at, {loans or '[]'})")
            if loans is not None:
                source.line(f"{loans} = []")
            source.line("return _address")

    def _write_host_call(self, source: Source, call: str, keeps: bool) -> None:
        if isinstance(self.type.result, ResultType):
            source.line("_failure = None")
            with source.block("try:"):
                source.line(f"_value = {call}")
            with source.block(f"except {source.constant(ResultError, 'ResultError')} as _error:"):
                source.line("_value, _failure = None, _error")
        else:
            source.line(f"_value = {call}" if keeps or self.type.result is not None else call)

    def _write_parts(self, source: Source) -> list[EndpointNames]:
        writer = self._writer(source)
        names = writer.names
        with source.block(f"def _lift(_buffer, _at, {names.loans}):"):
            writer.leave_check()
            arguments = self._write_lift(writer)
            source.line(f"return ({', '.join(arguments)}{',' if arguments else ''})")
        with source.block("def _lower(_buffer, _at, _value, _failure):"):
            writer.result_pointer(self.type)
            self._write_lower(writer)
        source.line("_result = (_lift, _lower)")
        return [names]

    def _write_lift(self, writer: EndpointWriter) -> list[str]:
        return writer.lift(self._params, self._labels, MAX_FLAT_PARAMS, "_buffer", "_at")

    def _write_lower(self, writer: EndpointWriter) -> None:
        source, result = writer.source, self.type.result
        if result is None:
            return
        value = "_value"
        if isinstance(result, ResultType):
            value = "_outcome"
            ok, err = source.constant(Ok, "Ok"), source.constant(Err, "Err")
            source.line(f"_outcome = {ok}(_value) if _failure is None else {err}(_failure.value)")
        with source.block("try:"), writer.staying(needs_memory(result)):
            writer.lower_result(result, value)
        with on_failure(writer, self.classes, [result], [value], ["result"]):
            source.line("raise _error")


def compile_lower(
    type_: FuncType,
    encoding: StringEncoding = StringEncoding.UTF8,
    classes: ValueClasses | None = None,
    *,
    name: str = "call",
) -> ImportPlan:
    """The plan for an import that the host implements; the same for the same type and classes."""
    if classes is None:
        classes = ValueClasses()
    key = ("lower", *plan_key(type_), encoding, name)
    if key not in classes.plans:
        classes.plans[key] = ImportPlan(type_, encoding, classes, name)
    plan: ImportPlan = classes.plans[key]
    return plan
