"""`canon lift` for the host: a guest's core function becomes a Python function.

Source: CanonicalABI.md#canon-lift.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from types import CodeType, FunctionType
from typing import Any

from ingen_runtime.canonical.classes import ValueClasses
from ingen_runtime.canonical.core import SLOT_SIZE, CoreFunction
from ingen_runtime.canonical.endpoint import Endpoint, EndpointNames
from ingen_runtime.canonical.handles import BorrowScope, Loan
from ingen_runtime.canonical.layout import MAX_FLAT_PARAMS
from ingen_runtime.canonical.names import attribute_name
from ingen_runtime.canonical.plan import HostCall, Plan, on_failure, plan_key, write_release, write_scope
from ingen_runtime.canonical.source import Source
from ingen_runtime.canonical.styles import HostStyle
from ingen_runtime.canonical.values import ResultError
from ingen_runtime.canonical.writer import EndpointWriter, allocates, has_borrow, param_types
from ingen_runtime.component.types import FuncType, ResultType, StringEncoding
from ingen_runtime.errors import HostValueError
from ingen_runtime.frozen import frozen


@frozen
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
        self.parameters = tuple(attribute_name(label) for label, _ in type_.params)
        self._arguments = [f"_argument{index}" for index in range(len(type_.params))]
        self._codes: dict[CodeType, CodeType] = {}
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
        # Other encodings are loaded and stored by functions that look at the memory's length.
        stays = endpoint.memory_stays and self.encoding is StringEncoding.UTF8
        kind = f"call, post-return: {post_return is not None}, memory stays: {stays}"
        factory = self.factory(kind, lambda source: self._write_call(source, post_return is not None, stays))
        written = factory(endpoint, callee, post_return)
        # Cells of the store take the place of its own: reading a variable is faster than `cell_contents`.
        shared = {"_active": callee.active, "_native": callee.native}
        closure = tuple(
            [
                shared.get(name, cell)
                for name, cell in zip(written.__code__.co_freevars, written.__closure__ or (), strict=True)
            ]
        )
        code = self._with_known_names(written.__code__)
        return FunctionType(code, written.__globals__, code.co_name, None, closure)

    def _with_known_names(self, code: CodeType) -> CodeType:
        """The code with the names that callers know, and that are in Python's messages. It is written with
        other names, because a parameter may have the name of a built-in function that the code uses.
        """
        if code not in self._codes:
            names = (*self.parameters, *code.co_varnames[len(self.parameters) :])
            called = attribute_name(self.name)
            self._codes[code] = code.replace(co_varnames=names, co_name=called, co_qualname=called)
        return self._codes[code]

    def bind_parts(self, endpoint: Endpoint) -> ExportParts:
        """The same in pieces, which neither enter the instance nor call."""
        lower, lift = self.factory("parts", self._write_parts)(endpoint, None, None)
        return ExportParts(lower, lift)

    def _writer(
        self, source: Source, calls_natively: bool = False, keeps_view: bool = False, stays: bool = False
    ) -> EndpointWriter:
        names = EndpointNames(calls_natively=calls_natively, keeps_view=keeps_view, stays=stays)
        return EndpointWriter(source, HostStyle(source, self.classes), names, self.encoding)

    def _write_call(self, source: Source, has_post_return: bool, stays: bool) -> list[EndpointNames]:
        # Several calls in a row share what comes before and after a native call.
        natively = has_post_return or allocates(self._params, MAX_FLAT_PARAMS)
        writer = self._writer(source, natively, keeps_view=True, stays=stays)
        names, borrows = writer.names, has_borrow(self._params)
        source.line(f"_root = {names.state}.root")
        with source.block(f"def _result({', '.join(self._arguments)}):"):
            source.line(f"nonlocal {names.view}, {names.view_length}{', _active' if natively else ''}")
            with source.block("if _root.busy:"):
                source.line("raise _root.refusal()")
            source.line("_root.busy = True")
            if borrows:
                write_scope(writer, names.loans, names.scope)
            if natively:
                source.line("_active += 1")
            with source.block("try:") if borrows or natively else nullcontext():
                if natively:
                    source.line("_probe(_probed)")
                self._write_arguments(writer)
                self._write_body(writer, has_post_return)
            if borrows or natively:
                with source.block("finally:"):
                    if natively:
                        source.line("_active -= 1")
                    if borrows:
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
            writer.lower(self._params, self._arguments, MAX_FLAT_PARAMS, "_raw", "0")
        with on_failure(writer, self.classes, self._params, self._arguments, self._labels):
            with source.block(f"if isinstance(_error, {source.constant(HostValueError, 'HostValueError')}):"):
                source.line("_root.busy = False")
            with source.block("else:"):
                source.line("_root.poison(_error)")
                if writer.names.calls_natively:
                    source.line("_abandon()")
            source.line("raise _error")

    def _write_body(self, writer: EndpointWriter, has_post_return: bool) -> None:
        source, names, result = writer.source, writer.names, self.type.result
        with source.block("try:"):
            self._write_core_call(writer, "callee", "_call()")
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
                    self._write_core_call(writer, "post", "_post_call()")
        with source.block("except BaseException as _error:"):
            source.line("_root.poison(_error)")
            if names.calls_natively:
                source.line("_abandon()")
            source.line("raise")

    def _write_core_call(self, writer: EndpointWriter, function: str, call: str) -> None:
        if writer.names.calls_natively:
            writer.source.native_call(function)
        else:
            writer.source.line(call)

    def _write_parts(self, source: Source) -> list[EndpointNames]:
        writer, result = self._writer(source), self.type.result
        names = writer.names
        with source.block(f"def _lower(_buffer, _at, _arguments, {names.scope}, {names.loans}):"):
            if self._params:
                source.line(f"({', '.join(self._arguments)},) = _arguments")
                with source.block("try:"), writer.staying(allocates(self._params, MAX_FLAT_PARAMS)):
                    writer.lower(self._params, self._arguments, MAX_FLAT_PARAMS, "_buffer", "_at")
                with on_failure(writer, self.classes, self._params, self._arguments, self._labels):
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
