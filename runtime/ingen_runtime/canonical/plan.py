"""What the compiled plans have in common.

A plan is made once for a type; its source is written and compiled when it is first bound. Binding it to an
instance's memory and functions only runs the compiled factory, which is cheap.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from ingen_runtime.canonical import handles
from ingen_runtime.canonical.check import Checker
from ingen_runtime.canonical.classes import ValueClasses
from ingen_runtime.canonical.endpoint import Endpoint, EndpointNames
from ingen_runtime.canonical.handles import BorrowScope, Loan
from ingen_runtime.canonical.layout import components_of
from ingen_runtime.canonical.source import Source
from ingen_runtime.canonical.writer import EndpointWriter, param_types, result_types
from ingen_runtime.component.types import (
    EnumType,
    FlagsType,
    FuncType,
    RecordType,
    ValType,
    VariantType,
)
from ingen_runtime.errors import HostValueError

HostCall = Callable[..., Any]
"""A component function as the host sees it."""
CoreCall = Callable[[Any, int], None]
"""A lowered import: takes a writable buffer and the offset of its first slot, where the parameters are and
the results go."""

Suspend = Callable[[Any, Any, int, list[Loan]], int]
"""Has the guest wait for the awaitable that a host function returned: takes it, the buffer and the offset of
its call, and the loans that end with it. What it returns, the lowered import returns."""

HOST_ERRORS: Final = (struct.error, TypeError, ValueError, AttributeError, OverflowError, LookupError)
"""What generated code stumbles into over a host value that does not fit."""


def names_in(type_: ValType) -> tuple[str | None, ...]:
    """The names of the named types in a type, in a fixed order; two equal types may differ in these."""
    own: tuple[str | None, ...] = ()
    if isinstance(type_, RecordType | VariantType | EnumType | FlagsType):
        own = (type_.name,)
    return own + tuple(name for part in components_of(type_) for name in names_in(part))


def plan_key(type_: FuncType) -> tuple[object, ...]:
    """What a plan for a function type is cached under, among plans for the same classes."""
    types = [*param_types(type_), *result_types(type_)]
    return (type_, tuple(names_in(part) for part in types))


class Plan:
    """A factory that is compiled when it is first needed."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._factories: dict[str, Callable[..., Any]] = {}

    def factory(self, kind: str, write: Callable[[Source], Iterable[EndpointNames]]) -> Callable[..., Any]:
        """The compiled factory of a kind; `write` writes its body, which assigns what it makes to `_result`.

        The factory takes the endpoints that `write` has named, the callee and the post-return function.
        """
        if kind not in self._factories:
            source = Source()
            with source.aside() as lines:
                endpoints = list(write(source))
            used = set(re.findall(r"\w+", "\n".join(lines)))
            parameters = ", ".join(names.endpoint for names in endpoints)
            with source.block(f"def _make({parameters}, _callee, _post_return):"):
                for names in endpoints:
                    getter = source.constant(names.resource_getter(), "resource_of")
                    for line in names.prologue(used, getter):
                        source.line(line)
                if "_raw" in used:
                    source.line("_raw = _callee.raw")
                for part in ("call", "suspend"):
                    if f"_{part}" in used:
                        source.line(f"_{part} = _callee.{part}")
                for part in ("raw", "call"):
                    if f"_post_{part}" in used:
                        source.line(f"_post_{part} = _post_return.{part}")
                if "_native" in used:
                    source.line("_callee_arguments = _callee.arguments")
                    for part in ("trap", "fail", "abandon", "probe", "probed"):
                        source.line(f"_{part} = _callee.{part}")
                    # Only places: see `ExportPlan.bind`.
                    source.line("_native = _active = None")
                if "_post_arguments" in used:
                    source.line("_post_arguments = _post_return.arguments")
                source.extend(lines)
                source.line("return _result")
            self._factories[kind] = source.build(self._title)["_make"]
        return self._factories[kind]


def lowering_failed(
    error: BaseException,
    endpoint: Endpoint,
    classes: ValueClasses,
    types: Sequence[ValType | None],
    values: Sequence[Any],
    paths: Sequence[str],
) -> BaseException:
    """The exception to raise for one that came up while host values were lowered."""
    if not isinstance(error, (HostValueError, *HOST_ERRORS)):
        return error
    # The values are to blame: nothing of the guest has been left half-done.
    endpoint.instance.may_leave = True
    handles.undo_lowering(endpoint.instance)
    if isinstance(error, HostValueError):
        return error
    checker = Checker(classes, endpoint.resources)
    for type_, value, path in zip(types, values, paths, strict=True):
        found = checker.payload(type_, value, path)
        if found is not None:
            break
    else:
        path = paths[0] if len(paths) == 1 else "arguments"
        found = HostValueError(path, "values that fit their types", f"{type(error).__name__}: {error}")
    # What generated code stumbled into says nothing to a user.
    found.__suppress_context__ = True
    return found


@contextmanager
def on_failure(
    writer: EndpointWriter,
    classes: ValueClasses,
    types: Sequence[ValType | None],
    values: Sequence[str],
    paths: Sequence[str],
) -> Iterator[None]:
    """Write the handler of what comes up while host values are lowered: `_error` is what is to be raised."""
    source = writer.source
    with source.block("except BaseException as _error:"):
        failed = source.constant(lowering_failed, "lowering_failed")
        constants = [source.constant(item) for item in (classes, tuple(types), tuple(paths))]
        classes_name, types_name, paths_name = constants
        source.line(
            f"_error = {failed}(_error, {writer.names.endpoint}, {classes_name}, {types_name},"
            f" [{', '.join(values)}], {paths_name})"
        )
        yield


def write_scope(writer: EndpointWriter, loans: str | None, scope: str | None) -> None:
    """Write what makes the list of loans and the borrow scope of a call, under the names given."""
    if loans is not None:
        writer.source.line(f"{loans} = []")
    if scope is not None:
        writer.source.line(f"{scope} = {writer.source.constant(BorrowScope, 'BorrowScope')}()")


def write_release(writer: EndpointWriter, loans: str) -> None:
    """Write what ends the loans of a call."""
    writer.source.line(f"{writer.source.constant(handles.release, 'release')}({loans})")


class HostFunction:
    """Gives a Python function the place of a core function in a factory."""

    def __init__(self, call: HostCall, suspend: Suspend | None = None) -> None:
        self.call = call
        self.suspend = suspend
        self.raw = None
