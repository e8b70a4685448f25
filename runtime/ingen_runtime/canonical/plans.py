"""Compiling function types: calls of guest exports, calls of host imports, calls between components.

A plan is made once for a type; its source is written and compiled when it is first bound. Binding it to an
instance's memory and functions only runs the compiled factory, which is cheap.

Source: CanonicalABI.md#canon-lift, #canon-lower, lift_flat_values, lower_flat_values.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, Final

from ingen_runtime.canonical import handles
from ingen_runtime.canonical.check import Checker
from ingen_runtime.canonical.classes import ValueClasses
from ingen_runtime.canonical.core import SLOT_SIZE, CoreFunction, check_pointer
from ingen_runtime.canonical.endpoint import Endpoint, EndpointNames
from ingen_runtime.canonical.handles import BorrowScope, InstanceState, Loan, Resource
from ingen_runtime.canonical.layout import (
    MAX_FLAT_PARAMS,
    MAX_FLAT_RESULTS,
    StringEncoding,
    alignment,
    components_of,
    contains,
    elem_size,
    flat_counts,
    needs_memory,
)
from ingen_runtime.canonical.lifting import Lifter
from ingen_runtime.canonical.lowering import Lowerer
from ingen_runtime.canonical.names import attribute_name
from ingen_runtime.canonical.shape import FLAT, MEMORY
from ingen_runtime.canonical.source import Region, Source
from ingen_runtime.canonical.styles import HostStyle, RawStyle
from ingen_runtime.canonical.values import ResultError
from ingen_runtime.component.types import (
    BorrowType,
    EnumType,
    FlagsType,
    FuncType,
    RecordType,
    ResourceType,
    ResultType,
    TupleType,
    ValType,
    VariantType,
)
from ingen_runtime.errors import HostValueError, Trap, TrapKind

HOST_ERRORS: Final = (
    struct.error,
    TypeError,
    ValueError,
    AttributeError,
    OverflowError,
    LookupError,
)
"""What generated code stumbles into over a host value that does not fit."""

HostCall = Callable[..., Any]
CoreCall = Callable[[Any, int], None]
"""A lowered import: takes a writable buffer and the offset of its first slot, where the parameters are and
the results go."""


@dataclass(frozen=True, slots=True)
class ExportParts:
    """An export's call in pieces, for calls that are suspended in the middle.

    `lower` writes the arguments (a tuple) to a raw buffer. `lift` reads the results from one: the value, and
    the exception to raise in its place, which is None where the function did not return an error.
    Both take the loans that the caller releases when the call is over, and `lower` the scope that the caller
    checks before it ends the call.
    """

    lower: Callable[[Any, int, tuple[Any, ...], BorrowScope, list[Loan]], None]
    lift: Callable[[Any, int, list[Loan]], tuple[Any, ResultError | None]]


@dataclass(frozen=True, slots=True)
class ImportParts:
    """An import's call in pieces, for host functions that are awaited.

    `lift` reads the arguments from a raw buffer. `lower` writes the result to one; `failure` is the
    ResultError that the host function raised. The pointer to the result's place is one of the arguments'
    slots, so `lower` needs the buffer with the arguments too where the result is not flat: it is the same
    buffer.
    """

    lift: Callable[[Any, int, list[Loan]], tuple[Any, ...]]
    lower: Callable[[Any, int, Any, ResultError | None], None]


def names_in(type_: ValType) -> tuple[str | None, ...]:
    """The names of the named types in a type, in a fixed order; two equal types may differ in these."""
    own: tuple[str | None, ...] = ()
    if isinstance(type_, RecordType | VariantType | EnumType | FlagsType):
        own = (type_.name,)
    return own + tuple(name for part in components_of(type_) for name in names_in(part))


def _has_borrow(types: Sequence[ValType]) -> bool:
    return any(contains(type_, lambda part: isinstance(part, BorrowType)) for type_ in types)


def _results(type_: FuncType) -> tuple[ValType, ...]:
    return () if type_.result is None else (type_.result,)


class _Writer:
    """Writes the pieces that the plans have in common, for one endpoint."""

    def __init__(
        self,
        source: Source,
        style: RawStyle,
        names: EndpointNames,
        encoding: StringEncoding,
        source_encoding: StringEncoding | None = None,
    ) -> None:
        self.source = source
        self.style = style
        self.names = names
        self.lifter = Lifter(source, style, names, encoding)
        self.lowerer = Lowerer(source, style, names, encoding, source_encoding)

    def view(self) -> None:
        """Write the statement that takes the memory's view."""
        self.source.line(f"{self.names.view} = {self.names.memory}.view")

    def lift(
        self, types: Sequence[ValType], paths: Sequence[str], max_flat: int, buffer: str, at: str
    ) -> list[str]:
        """Write what lifts values from the core values in a buffer; their expressions."""
        return self._lift(types, paths, max_flat, buffer, at, None)

    def _lift(
        self,
        types: Sequence[ValType],
        paths: Sequence[str],
        max_flat: int,
        buffer: str,
        at: str,
        error: type[ResultError] | None,
    ) -> list[str]:
        if not types:
            return []
        spilled = flat_counts(types) > max_flat
        if spilled or any(needs_memory(type_) for type_ in types):
            self.view()
        region, shape = Region(), MEMORY if spilled else FLAT
        lifted = []
        for type_, path, offset in zip(types, paths, shape.offsets(types), strict=True):
            if error is not None and isinstance(type_, ResultType):
                lifted.append(self.lifter.variant(type_, region, offset, shape, path, self._outcome(error)))
            else:
                lifted.append(self.lifter.lift(type_, region, offset, shape, path))
        if spilled:
            ptr = self.source.name("ptr")
            self.source.line(f"({ptr},) = {self.source.struct('<I', 'unpack_from')}({buffer}, {at})")
            tuple_ = TupleType(tuple(types))
            self.check_pointer(ptr, tuple_)
            self.lifter.unpack(region, elem_size(tuple_), self.names.view, ptr)
        else:
            self.lifter.unpack(region, sum(map(shape.size, types)), buffer, at)
        return [each.emit() for each in lifted]

    def lift_outcome(self, type_: ValType, buffer: str, error: type[ResultError] | None) -> str:
        """Write what lifts a function's result; its expression. Where the result is an error, `_failure` is
        the exception.
        """
        if error is not None:
            self.source.line("_failure = None")
        return self._lift([type_], ["result"], MAX_FLAT_RESULTS, buffer, "0", error)[0]

    def _outcome(self, error: type[ResultError]) -> Callable[[int, str | None], str]:
        def make(index: int, payload: str | None) -> str:
            if index == 0:
                return payload or "None"
            self.source.line(f"_failure = {self.source.constant(error, 'Error')}({payload or 'None'})")
            return "None"

        return make

    def check_pointer(self, ptr: str, type_: ValType) -> None:
        """Write what checks a pointer to a value, and refreshes the view."""
        align, size, names = alignment(type_), elem_size(type_), self.names
        unaligned = f"{ptr} & {align - 1} or " if align > 1 else ""
        with self.source.block(f"if {unaligned}{ptr} + {size} > len({names.view}):"):
            check = self.source.constant(check_pointer, "check_pointer")
            self.source.line(f"{names.view} = {check}({names.memory}, {ptr}, {align}, {size})")

    def lower(
        self, types: Sequence[ValType], values: Sequence[str], max_flat: int, buffer: str, at: str
    ) -> None:
        """Write what lowers values to core values in a buffer, or to fresh memory where they are too many."""
        if not types:
            return
        region = Region()
        if flat_counts(types) <= max_flat:
            for type_, value, offset in zip(types, values, FLAT.offsets(types), strict=True):
                self.lowerer.lower(type_, value, region, offset, FLAT)
            self.lowerer.pack(region, sum(map(FLAT.size, types)), buffer, at)
            return
        tuple_, ptr, source = TupleType(tuple(types)), self.source.name("ptr"), self.source
        source.line(f"{ptr} = {self.names.allocate}({alignment(tuple_)}, {elem_size(tuple_)})")
        self.view()
        self._store(tuple_, values, ptr)
        source.line(f"{source.struct(f'<I{SLOT_SIZE - 4}x', 'pack_into')}({buffer}, {at}, {ptr})")

    def lower_to(self, types: Sequence[ValType], values: Sequence[str], ptr: str) -> None:
        """Write what lowers values to the memory that a guest has given a pointer to."""
        tuple_ = TupleType(tuple(types))
        self.view()
        self.check_pointer(ptr, tuple_)
        self._store(tuple_, values, ptr)

    def _store(self, tuple_: TupleType, values: Sequence[str], ptr: str) -> None:
        region = Region()
        for type_, value, offset in zip(tuple_.types, values, MEMORY.offsets(tuple_.types), strict=True):
            self.lowerer.lower(type_, value, region, offset, MEMORY)
        self.lowerer.pack(region, elem_size(tuple_), self.names.view, ptr)

    @contextmanager
    def staying(self, allocates: bool) -> Any:
        """Write `may_leave = False` and `= True` around statements that run the guest's allocator."""
        if allocates:
            self.source.line(f"{self.names.state}.may_leave = False")
        yield
        if allocates:
            self.source.line(f"{self.names.state}.may_leave = True")


def _allocates(types: Sequence[ValType], max_flat: int) -> bool:
    return flat_counts(types) > max_flat or any(needs_memory(type_) for type_ in types)


def _failed_lowering(
    error: BaseException,
    state: InstanceState,
    checked: Sequence[tuple[ValType, Any, str]],
    classes: ValueClasses,
    resources: Any,
) -> BaseException:
    """The exception to raise for one that came up while host values were lowered."""
    if isinstance(error, HostValueError):
        state.may_leave = True
        return error
    if not isinstance(error, HOST_ERRORS):
        return error
    state.may_leave = True
    checker = Checker(classes, resources)
    for type_, value, path in checked:
        if found := checker.find(type_, value, path):
            return found.with_traceback(None)
    path = checked[0][2] if len(checked) == 1 else "arguments"
    return HostValueError(path, "values that fit their types", f"{type(error).__name__}: {error}")


class _Plan:
    """A factory that is compiled when it is first needed."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._factories: dict[str, Callable[..., Any]] = {}

    def _factory(self, kind: str, write: Callable[[Source], list[EndpointNames]]) -> Callable[..., Any]:
        if kind not in self._factories:
            source = Source()
            with source.aside() as lines:
                endpoints = write(source)
            text = "\n".join(lines)
            parameters = ", ".join(names.endpoint for names in endpoints)
            with source.block(f"def _make({parameters}, _callee, _post_return):"):
                for names in endpoints:
                    getter = source.constant(names.resource_getter(), "resource_of")
                    for line in names.prologue(text):
                        source.line(line.replace("_resource_of", getter))
                for line in ("_raw = _callee.raw", "_call = _callee.call"):
                    if line.split()[0] in text:
                        source.line(line)
                if "_post_" in text:
                    source.line("_post_raw, _post_call = _post_return.raw, _post_return.call")
                source.extend(lines)
                source.line("return _result")
            self._factories[kind] = source.build(self._title)["_make"]
        return self._factories[kind]

    def source_text(self) -> str:
        """What has been generated so far, for people."""
        import linecache

        texts = []
        for factory in self._factories.values():
            texts.append("".join(linecache.getlines(factory.__code__.co_filename)))
        return "\n".join(texts)


def _identifiers(labels: Sequence[str]) -> list[str]:
    return [attribute_name(label) for label in labels]


class ExportPlan(_Plan):
    """`canon lift` for the host: makes a guest's core function a Python function."""

    def __init__(
        self,
        type_: FuncType,
        encoding: StringEncoding = StringEncoding.UTF8,
        classes: ValueClasses | None = None,
        *,
        name: str = "call",
    ) -> None:
        super().__init__(f"lift {name}")
        self.type = type_
        self.encoding = encoding
        self.classes = classes if classes is not None else ValueClasses()
        self.name = name
        self._params = [param for _, param in type_.params]
        self._labels = [label for label, _ in type_.params]
        self._error = self.classes.error(type_.result) if isinstance(type_.result, ResultType) else None

    def bind(
        self, callee: CoreFunction, endpoint: Endpoint, post_return: CoreFunction | None = None
    ) -> HostCall:
        """The Python function that calls `callee`.

        It raises HostValueError for arguments that do not fit, Trap, the ResultError class for an error
        result, ReentranceError and PoisonedError where the instance can not be entered, and whatever host
        functions raise. After a trap or an exception from a host function the instance is poisoned.
        """
        kind = "call" if post_return is None else "call and post-return"
        factory = self._factory(kind, lambda source: self._write_call(source, post_return is not None))
        call: HostCall = factory(endpoint, callee, post_return)
        call.__name__ = call.__qualname__ = attribute_name(self.name) or "call"
        return call

    def bind_parts(self, endpoint: Endpoint) -> ExportParts:
        """The same in pieces, which do neither enter the instance nor call."""
        lower, lift = self._factory("parts", self._write_parts)(endpoint, None, None)
        return ExportParts(lower, lift)

    def _writer(self, source: Source) -> _Writer:
        return _Writer(source, HostStyle(source, self.classes), EndpointNames(), self.encoding)

    def _raise_failed(self, writer: _Writer, values: Sequence[str], poison: bool) -> None:
        """Write the handler of what comes up while arguments are lowered."""
        source, names = writer.source, writer.names
        paths = self._labels
        checked = ", ".join(
            f"({source.constant(type_, 'type')}, {value}, {path!r})"
            for type_, value, path in zip(self._params, values, paths, strict=True)
        )
        failed = source.constant(_failed_lowering, "failed_lowering")
        classes = source.constant(self.classes, "classes")
        with source.block("except BaseException as _error:"):
            source.line(
                f"_error = {failed}(_error, {names.state}, [{checked}], {classes}, {names.endpoint}.resources)"
            )
            if poison:
                with source.block(
                    f"if isinstance(_error, {source.constant(HostValueError, 'HostValueError')}):"
                ):
                    source.line("_root.busy = False")
                with source.block("else:"):
                    source.line("_root.poison(_error)")
            source.line("raise _error")

    def _write_call(self, source: Source, has_post_return: bool) -> list[EndpointNames]:
        writer, type_ = self._writer(source), self.type
        names, parameters = writer.names, _identifiers(self._labels)
        borrows = _has_borrow(self._params)
        source.line(f"_root = {names.state}.root")
        with source.block(f"def _result({', '.join(parameters)}):"):
            with source.block("if _root.busy:"):
                source.line("raise _root.refusal()")
            source.line("_root.busy = True")
            if borrows:
                source.line(f"{names.loans} = []")
                source.line(f"{names.scope} = {source.constant(BorrowScope, 'BorrowScope')}()")
            with source.block("try:") if borrows else nullcontext():
                self._write_body(writer, parameters, has_post_return)
            if borrows:
                with source.block("finally:"):
                    source.line(f"{source.constant(handles.release, 'release')}({names.loans})")
            source.line("_root.busy = False")
            if self._error is not None:
                with source.block("if _failure is not None:"):
                    source.line("raise _failure")
            if type_.result is not None:
                source.line("return _value")
        return [names]

    def _write_body(self, writer: _Writer, parameters: list[str], has_post_return: bool) -> None:
        source, names, type_ = writer.source, writer.names, self.type
        if parameters:
            with source.block("try:"), writer.staying(_allocates(self._params, MAX_FLAT_PARAMS)):
                writer.lower(self._params, parameters, MAX_FLAT_PARAMS, "_raw", "0")
            self._raise_failed(writer, parameters, True)
        with source.block("try:"):
            source.line("_call()")
            if type_.result is not None:
                value = writer.lift_outcome(type_.result, "_raw", self._error)
                source.line(f"_value = {value}")
            if _has_borrow(self._params):
                source.line(f"{names.scope}.check()")
            if has_post_return:
                if type_.result is not None:
                    source.line(f"_post_raw[:{SLOT_SIZE}] = _raw[:{SLOT_SIZE}]")
                with writer.staying(True):
                    source.line("_post_call()")
        with source.block("except BaseException as _error:"):
            source.line("_root.poison(_error)")
            source.line("raise")

    def _write_parts(self, source: Source) -> list[EndpointNames]:
        writer, type_ = self._writer(source), self.type
        names, parameters = writer.names, _identifiers(self._labels)
        with source.block(f"def _lower(_buffer, _at, _arguments, {names.scope}, {names.loans}):"):
            if parameters:
                source.line(f"({', '.join(parameters)},) = _arguments")
                with source.block("try:"), writer.staying(_allocates(self._params, MAX_FLAT_PARAMS)):
                    writer.lower(self._params, parameters, MAX_FLAT_PARAMS, "_buffer", "_at")
                self._raise_failed(writer, parameters, False)
        with source.block(f"def _lift(_raw, _at, {names.loans}):"):
            value, failure = "None", "None"
            if type_.result is not None:
                value = writer.lift_outcome(type_.result, "_raw", self._error)
                failure = "None" if self._error is None else "_failure"
            source.line(f"return {value}, {failure}")
        source.line("_result = (_lower, _lift)")
        return [names]


class ImportPlan(_Plan):
    """`canon lower` for the host: makes a Python function a core function of a guest."""

    def __init__(
        self,
        type_: FuncType,
        encoding: StringEncoding = StringEncoding.UTF8,
        classes: ValueClasses | None = None,
        *,
        name: str = "call",
    ) -> None:
        super().__init__(f"lower {name}")
        self.type = type_
        self.encoding = encoding
        self.classes = classes if classes is not None else ValueClasses()
        self.name = name
        self._params = [param for _, param in type_.params]
        self._labels = [label for label, _ in type_.params]

    def bind(self, host: HostCall, endpoint: Endpoint) -> CoreCall:
        """The core function `(buffer, offset)` that calls `host`.

        It raises Trap for what the guest got wrong, HostValueError for a result of the host function that
        does not fit, and whatever the host function raises; a ResultError becomes the error of a result.
        """
        bound: CoreCall = self._factory("call", self._write_call)(endpoint, _Host(host), None)
        return bound

    def bind_parts(self, endpoint: Endpoint) -> ImportParts:
        """The same in pieces, for a host function that is awaited between them."""
        lift, lower = self._factory("parts", self._write_parts)(endpoint, None, None)
        return ImportParts(lift, lower)

    def _writer(self, source: Source) -> _Writer:
        return _Writer(source, HostStyle(source, self.classes), EndpointNames(), self.encoding)

    def _write_call(self, source: Source) -> list[EndpointNames]:
        writer, type_ = self._writer(source), self.type
        names, borrows = writer.names, _has_borrow(self._params)
        with source.block("def _result(_buffer, _at):"):
            self._write_leave_check(writer)
            if borrows:
                source.line(f"{names.loans} = []")
            with source.block("try:") if borrows else nullcontext():
                arguments = self._write_lift(writer)
                self._write_pointer(writer)
                call = f"_call({', '.join(arguments)})"
                if isinstance(type_.result, ResultType):
                    source.line("_failure = None")
                    with source.block("try:"):
                        source.line(f"_value = {call}")
                    with source.block(f"except {source.constant(ResultError, 'ResultError')} as _error:"):
                        source.line("_failure = _error")
                else:
                    source.line(f"_value = {call}" if type_.result is not None else call)
            if borrows:
                with source.block("finally:"):
                    source.line(f"{source.constant(handles.release, 'release')}({names.loans})")
            self._write_lower(writer)
        return [names]

    def _write_parts(self, source: Source) -> list[EndpointNames]:
        writer = self._writer(source)
        names = writer.names
        with source.block(f"def _lift(_buffer, _at, {names.loans}):"):
            self._write_leave_check(writer)
            arguments = self._write_lift(writer)
            source.line(f"return ({', '.join(arguments)}{',' if arguments else ''})")
        with source.block("def _lower(_buffer, _at, _value, _failure):"):
            self._write_pointer(writer)
            self._write_lower(writer)
        source.line("_result = (_lift, _lower)")
        return [names]

    def _write_leave_check(self, writer: _Writer) -> None:
        with writer.source.block(f"if not {writer.names.state}.may_leave:"):
            check = writer.source.constant(handles.check_may_leave, "check_may_leave")
            writer.source.line(f"{check}({writer.names.state})")

    def _write_lift(self, writer: _Writer) -> list[str]:
        paths = self._labels
        return writer.lift(self._params, paths, MAX_FLAT_PARAMS, "_buffer", "_at")

    def _write_pointer(self, writer: _Writer) -> None:
        """Write what reads the pointer to the result's place, where the result is not flat."""
        if flat_counts(_results(self.type)) > MAX_FLAT_RESULTS:
            count = flat_counts(self._params)
            slot = SLOT_SIZE * (count if count <= MAX_FLAT_PARAMS else 1)
            unpack = writer.source.struct("<I", "unpack_from")
            writer.source.line(f"(_pointer,) = {unpack}(_buffer, _at + {slot})")

    def _write_lower(self, writer: _Writer) -> None:
        source, names, result = writer.source, writer.names, self.type.result
        if result is None:
            return
        flat = flat_counts([result]) <= MAX_FLAT_RESULTS
        value = "_value"
        with source.block("try:"), writer.staying(needs_memory(result)):
            if isinstance(result, ResultType):
                value = self._write_outcome(writer, result, flat)
            if flat:
                writer.lower([result], [value], MAX_FLAT_RESULTS, "_buffer", "_at")
            else:
                writer.lower_to([result], [value], "_pointer")
        failed = source.constant(_failed_lowering, "failed_lowering")
        classes = source.constant(self.classes, "classes")
        checked = f"({source.constant(result, 'type')}, _value, 'result')"
        if isinstance(result, ResultType):
            ok = source.constant(result.ok, "type")
            err = source.constant(result.err, "type")
            checked = f"({ok}, _value, 'result') if _failure is None else ({err}, _failure.value, 'error')"
        with source.block("except BaseException as _error:"):
            source.line(
                f"raise {failed}(_error, {names.state}, [{checked}], {classes}, {names.endpoint}.resources)"
            )

    def _write_outcome(self, writer: _Writer, result: ResultType, flat: bool) -> str:
        """Write what makes Ok or Err of what the host function returned or raised."""
        from ingen_runtime.canonical.values import Err, Ok

        source = writer.source
        ok, err = source.constant(Ok, "Ok"), source.constant(Err, "Err")
        source.line(f"_outcome = {ok}(_value) if _failure is None else {err}(_failure.value)")
        return "_outcome"


@dataclass(frozen=True, slots=True)
class _Host:
    """Gives a Python function the place of a core function in a factory."""

    call: HostCall
    raw: None = None


class FusedPlan(_Plan):
    """A call from one component to another: `canon lower` of a `canon lift`.

    Both types are equal but for the resource types that they name; values go from one memory to the other
    without becoming host values.
    """

    def __init__(
        self,
        caller_type: FuncType,
        caller_encoding: StringEncoding,
        callee_type: FuncType,
        callee_encoding: StringEncoding,
        *,
        name: str = "call",
    ) -> None:
        super().__init__(f"fuse {name}")
        self._caller_type = caller_type
        self._caller_encoding = caller_encoding
        self._callee_type = callee_type
        self._callee_encoding = callee_encoding

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
        if handles.might_be_recursive(caller_endpoint.instance, callee_endpoint.instance):
            return _always_recursive(callee_endpoint.instance.name)
        kind = "call" if post_return is None else "call and post-return"
        factory = self._factory(kind, lambda source: self._write(source, post_return is not None))
        bound: CoreCall = factory(caller_endpoint, callee_endpoint, callee, post_return)
        return bound

    def _write(self, source: Source, has_post_return: bool) -> list[EndpointNames]:
        style = RawStyle(source)
        caller = _Writer(
            source, style, EndpointNames("caller_"), self._caller_encoding, self._callee_encoding
        )
        callee = _Writer(
            source, style, EndpointNames("callee_"), self._callee_encoding, self._caller_encoding
        )
        types = [param for _, param in self._caller_type.params]
        borrows = _has_borrow(types)
        with source.block("def _result(_buffer, _at):"):
            with source.block(f"if not {caller.names.state}.may_leave:"):
                check = source.constant(handles.check_may_leave, "check_may_leave")
                source.line(f"{check}({caller.names.state})")
            if borrows:
                source.line(f"{caller.names.loans} = []")
                source.line(f"{callee.names.scope} = {source.constant(BorrowScope, 'BorrowScope')}()")
            self._write_params(caller, callee, types)
            source.line("_call()")
            result = self._callee_type.result
            values = []
            if result is not None:
                values = callee.lift([result], ["result"], MAX_FLAT_RESULTS, "_raw", "0")
            if borrows:
                source.line(f"{callee.names.scope}.check()")
            if result is not None:
                self._write_result(caller, values, types)
            if has_post_return:
                if result is not None:
                    source.line(f"_post_raw[:{SLOT_SIZE}] = _raw[:{SLOT_SIZE}]")
                with callee.staying(True):
                    source.line("_post_call()")
            if borrows:
                source.line(f"{source.constant(handles.release, 'release')}({caller.names.loans})")
        return [caller.names, callee.names]

    def _write_params(self, caller: _Writer, callee: _Writer, types: list[ValType]) -> None:
        source = caller.source
        paths = [label for label, _ in self._caller_type.params]
        values = caller.lift(types, paths, MAX_FLAT_PARAMS, "_buffer", "_at")
        if flat_counts(_results(self._caller_type)) > MAX_FLAT_RESULTS:
            count = flat_counts(types)
            slot = SLOT_SIZE * (count if count <= MAX_FLAT_PARAMS else 1)
            source.line(f"(_pointer,) = {source.struct('<I', 'unpack_from')}(_buffer, _at + {slot})")
        callee_types = [param for _, param in self._callee_type.params]
        names = []
        for value in values:
            names.append(source.name())
            source.line(f"{names[-1]} = {value}")
        with callee.staying(_allocates(callee_types, MAX_FLAT_PARAMS)):
            callee.lower(callee_types, names, MAX_FLAT_PARAMS, "_raw", "0")

    def _write_result(self, caller: _Writer, values: list[str], types: list[ValType]) -> None:
        results = _results(self._caller_type)
        caller.source.line(f"_value = {values[0]}")
        with caller.staying(_allocates(results, MAX_FLAT_RESULTS + 1)):
            if flat_counts(results) > MAX_FLAT_RESULTS:
                caller.lower_to(results, ["_value"], "_pointer")
            else:
                caller.lower(results, ["_value"], MAX_FLAT_RESULTS, "_buffer", "_at")


def _always_recursive(name: str) -> CoreCall:
    def refuse(buffer: Any, offset: int) -> None:
        raise Trap(TrapKind.CANNOT_ENTER, f"{name} is nested in its caller, or its caller in it")

    return refuse


class ValuesPlan(_Plan):
    """Lifts and lowers lists of values by themselves: for `task.return`, async calls, streams and futures."""

    def __init__(
        self,
        types: Sequence[ValType],
        encoding: StringEncoding = StringEncoding.UTF8,
        classes: ValueClasses | None = None,
        *,
        max_flat: int = MAX_FLAT_PARAMS,
        name: str = "values",
    ) -> None:
        super().__init__(f"values of {name}")
        self._types = list(types)
        self._encoding = encoding
        self._classes = classes if classes is not None else ValueClasses()
        self._max_flat = max_flat

    def bind_lift(self, endpoint: Endpoint) -> Callable[[Any, int, list[Loan]], tuple[Any, ...]]:
        """A function `(buffer, offset, loans)` that reads the values from core values."""
        lift: Callable[[Any, int, list[Loan]], tuple[Any, ...]]
        lift = self._factory("lift", self._write_lift)(endpoint, None, None)
        return lift

    def bind_lower(
        self, endpoint: Endpoint
    ) -> Callable[[Any, int, tuple[Any, ...], BorrowScope, list[Loan]], None]:
        """A function `(buffer, offset, values, scope, loans)` that writes the values as core values."""
        lower: Callable[[Any, int, tuple[Any, ...], BorrowScope, list[Loan]], None]
        lower = self._factory("lower", self._write_lower)(endpoint, None, None)
        return lower

    def bind_store(
        self, endpoint: Endpoint
    ) -> Callable[[int, tuple[Any, ...], BorrowScope, list[Loan]], None]:
        """A function `(ptr, values, scope, loans)` that writes the values as a tuple to memory at `ptr`."""
        store: Callable[[int, tuple[Any, ...], BorrowScope, list[Loan]], None]
        store = self._factory("store", self._write_store)(endpoint, None, None)
        return store

    def _writer(self, source: Source) -> _Writer:
        return _Writer(source, HostStyle(source, self._classes), EndpointNames(), self._encoding)

    def _write_lift(self, source: Source) -> list[EndpointNames]:
        writer = self._writer(source)
        paths = [f"[{index}]" for index in range(len(self._types))]
        with source.block(f"def _result(_buffer, _at, {writer.names.loans}):"):
            values = writer.lift(self._types, paths, self._max_flat, "_buffer", "_at")
            source.line(f"return ({', '.join(values)}{',' if values else ''})")
        return [writer.names]

    def _write_lower(self, source: Source) -> list[EndpointNames]:
        writer = self._writer(source)
        with self._lowering(writer, "_buffer, _at", _allocates(self._types, self._max_flat)) as values:
            writer.lower(self._types, values, self._max_flat, "_buffer", "_at")
        return [writer.names]

    def _write_store(self, source: Source) -> list[EndpointNames]:
        writer = self._writer(source)
        allocates = any(needs_memory(type_) for type_ in self._types)
        with self._lowering(writer, "_ptr", allocates) as values:
            writer.lower_to(self._types, values, "_ptr")
        return [writer.names]

    @contextmanager
    def _lowering(self, writer: _Writer, parameters: str, allocates: bool) -> Any:
        source, names = writer.source, writer.names
        values = [source.name() for _ in self._types]
        checked = ", ".join(
            f"({source.constant(type_, 'type')}, {value}, '[{index}]')"
            for index, (type_, value) in enumerate(zip(self._types, values, strict=True))
        )
        failed = source.constant(_failed_lowering, "failed_lowering")
        classes = source.constant(self._classes, "classes")
        with source.block(f"def _result({parameters}, _values, {names.scope}, {names.loans}):"):
            if not values:
                source.line("return")
            with source.block("try:"), writer.staying(allocates):
                if values:
                    source.line(f"({', '.join(values)},) = _values")
                    yield values
            with source.block("except BaseException as _error:"):
                source.line(
                    f"raise {failed}(_error, {names.state}, [{checked}], {classes},"
                    f" {names.endpoint}.resources)"
                )


def _key(type_: FuncType) -> tuple[object, ...]:
    types = [*(param for _, param in type_.params), *_results(type_)]
    return (type_, tuple(names_in(part) for part in types))


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
    key = ("lift", *_key(type_), encoding, name)
    if key not in classes.plans:
        classes.plans[key] = ExportPlan(type_, encoding, classes, name=name)
    plan: ExportPlan = classes.plans[key]
    return plan


def compile_lower(
    type_: FuncType,
    encoding: StringEncoding = StringEncoding.UTF8,
    classes: ValueClasses | None = None,
    *,
    name: str = "call",
) -> ImportPlan:
    """The plan for an import of this type that the host implements; the same for the same type and classes."""
    if classes is None:
        classes = ValueClasses()
    key = ("lower", *_key(type_), encoding, name)
    if key not in classes.plans:
        classes.plans[key] = ImportPlan(type_, encoding, classes, name=name)
    plan: ImportPlan = classes.plans[key]
    return plan


def compile_fused(
    caller_type: FuncType,
    caller_encoding: StringEncoding,
    callee_type: FuncType,
    callee_encoding: StringEncoding,
    *,
    name: str = "call",
) -> FusedPlan:
    """The plan for a call from one component to another."""
    return FusedPlan(caller_type, caller_encoding, callee_type, callee_encoding, name=name)


__all__ = [
    "ExportParts",
    "ExportPlan",
    "FusedPlan",
    "ImportParts",
    "ImportPlan",
    "Resource",
    "ResourceType",
    "ValuesPlan",
    "compile_fused",
    "compile_lift",
    "compile_lower",
    "names_in",
]
