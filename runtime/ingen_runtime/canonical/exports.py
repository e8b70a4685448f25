"""`canon lift` for the host: a guest's core function becomes a Python function.

Source: CanonicalABI.md#canon-lift.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

from ingen_runtime.canonical.classes import ValueClasses
from ingen_runtime.canonical.core import SLOT_SIZE, CoreFunction
from ingen_runtime.canonical.endpoint import Endpoint, EndpointNames
from ingen_runtime.canonical.handles import BorrowScope, Loan
from ingen_runtime.canonical.layout import MAX_FLAT_PARAMS, StringEncoding
from ingen_runtime.canonical.names import attribute_name
from ingen_runtime.canonical.plan import HostCall, Plan, on_failure, plan_key, write_release, write_scope
from ingen_runtime.canonical.source import Source
from ingen_runtime.canonical.styles import HostStyle
from ingen_runtime.canonical.values import ResultError
from ingen_runtime.canonical.writer import EndpointWriter, allocates, has_borrow, param_types
from ingen_runtime.component.types import FuncType, ResultType
from ingen_runtime.errors import HostValueError


@dataclass(frozen=True, slots=True)
class ExportParts:
    """An export's call in pieces, for calls that are suspended in the middle.

    `lower(buffer, at, arguments, scope, loans)` writes the arguments to a raw buffer. `lift(buffer, at,
    loans)` reads the result from one: the value, and the exception to raise in its place, which is None where
    the function did not return an error. The caller checks the scope and releases the loans when the call is
    over.
    """

    lower: Callable[[Any, int, tuple[Any, ...], BorrowScope, list[Loan]], None]
    lift: Callable[[Any, int, list[Loan]], tuple[Any, ResultError | None]]


class ExportPlan(Plan):
    """Calls of an export of one type."""

    def __init__(self, type_: FuncType, encoding: StringEncoding, classes: ValueClasses, name: str) -> None:
        super().__init__(f"lift {name}")
        self.type = type_
        self.encoding = encoding
        self.classes = classes
        self.name = name
        self.parameters = [attribute_name(label) for label, _ in type_.params]
        self._params = param_types(type_)
        self._labels = [label for label, _ in type_.params]
        self._error = classes.error(type_.result) if isinstance(type_.result, ResultType) else None

    def bind(
        self, callee: CoreFunction, endpoint: Endpoint, post_return: CoreFunction | None = None
    ) -> HostCall:
        """The Python function that calls `callee`.

        It raises HostValueError for arguments that do not fit, Trap, the ResultError class for an error
        result, ReentranceError and PoisonedError where the instance can not be entered, and whatever host
        functions raise. After a trap or an exception from a host function the instance is poisoned.
        """
        kind = "call" if post_return is None else "call and post-return"
        factory = self.factory(kind, lambda source: self._write_call(source, post_return is not None))
        call: HostCall = factory(endpoint, callee, post_return)
        call.__name__ = call.__qualname__ = attribute_name(self.name)
        return call

    def bind_parts(self, endpoint: Endpoint) -> ExportParts:
        """The same in pieces, which neither enter the instance nor call."""
        lower, lift = self.factory("parts", self._write_parts)(endpoint, None, None)
        return ExportParts(lower, lift)

    def _writer(self, source: Source) -> EndpointWriter:
        return EndpointWriter(source, HostStyle(source, self.classes), EndpointNames(), self.encoding)

    def _write_call(self, source: Source, has_post_return: bool) -> list[EndpointNames]:
        writer = self._writer(source)
        names, borrows = writer.names, has_borrow(self._params)
        source.line(f"_root = {names.state}.root")
        with source.block(f"def _result({', '.join(self.parameters)}):"):
            with source.block("if _root.busy:"):
                source.line("raise _root.refusal()")
            source.line("_root.busy = True")
            if borrows:
                write_scope(writer, names.loans, names.scope)
            with source.block("try:") if borrows else nullcontext():
                self._write_arguments(writer)
                self._write_body(writer, has_post_return)
            if borrows:
                with source.block("finally:"):
                    write_release(writer, names.loans)
            source.line("_root.busy = False")
            if self._error is not None:
                with source.block("if _failure is not None:"):
                    source.line("raise _failure")
            if self.type.result is not None:
                source.line("return _value")
        return [names]

    def _write_arguments(self, writer: EndpointWriter) -> None:
        if not self._params:
            return
        source = writer.source
        with source.block("try:"), writer.staying(allocates(self._params, MAX_FLAT_PARAMS)):
            writer.lower(self._params, self.parameters, MAX_FLAT_PARAMS, "_raw", "0")
        with on_failure(writer, self.classes, self._params, self.parameters, self._labels):
            with source.block(f"if isinstance(_error, {source.constant(HostValueError, 'HostValueError')}):"):
                source.line("_root.busy = False")
            with source.block("else:"):
                source.line("_root.poison(_error)")
            source.line("raise _error")

    def _write_body(self, writer: EndpointWriter, has_post_return: bool) -> None:
        source, names, result = writer.source, writer.names, self.type.result
        with source.block("try:"):
            source.line("_call()")
            if result is not None:
                source.line(f"_value = {writer.lift_outcome(result, '_raw', '0', self._error)}")
            if has_borrow(self._params):
                source.line(f"{names.scope}.check()")
            if has_post_return:
                if result is not None:
                    # No guest code has run since the call, so a shared buffer still has the results.
                    with source.block("if _post_raw is not _raw:"):
                        source.line(f"_post_raw[:{SLOT_SIZE}] = _raw[:{SLOT_SIZE}]")
                with writer.staying(True):
                    source.line("_post_call()")
        with source.block("except BaseException as _error:"):
            source.line("_root.poison(_error)")
            source.line("raise")

    def _write_parts(self, source: Source) -> list[EndpointNames]:
        writer, result = self._writer(source), self.type.result
        names = writer.names
        with source.block(f"def _lower(_buffer, _at, _arguments, {names.scope}, {names.loans}):"):
            if self._params:
                source.line(f"({', '.join(self.parameters)},) = _arguments")
                with source.block("try:"), writer.staying(allocates(self._params, MAX_FLAT_PARAMS)):
                    writer.lower(self._params, self.parameters, MAX_FLAT_PARAMS, "_buffer", "_at")
                with on_failure(writer, self.classes, self._params, self.parameters, self._labels):
                    source.line("raise _error")
        with source.block(f"def _lift(_buffer, _at, {names.loans}):"):
            value, failure = "None", "None"
            if result is not None:
                value = writer.lift_outcome(result, "_buffer", "_at", self._error)
                failure = "None" if self._error is None else "_failure"
            source.line(f"return {value}, {failure}")
        source.line("_result = (_lower, _lift)")
        return [names]


def compile_lift(
    type_: FuncType,
    encoding: StringEncoding = StringEncoding.UTF8,
    classes: ValueClasses | None = None,
    *,
    name: str = "call",
) -> ExportPlan:
    """The plan for calling an export of this type from the host; the same for the same type and classes."""
    if classes is None:
        classes = ValueClasses()
    key = ("lift", *plan_key(type_), encoding, name)
    if key not in classes.plans:
        classes.plans[key] = ExportPlan(type_, encoding, classes, name)
    plan: ExportPlan = classes.plans[key]
    return plan
