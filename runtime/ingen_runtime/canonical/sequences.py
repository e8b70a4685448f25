"""Lifts and lowers values by themselves: for `task.return`, async calls, streams and futures.

Source: CanonicalABI.md#lifting-and-lowering-values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from ingen_runtime.canonical.classes import ValueClasses
from ingen_runtime.canonical.endpoint import Endpoint, EndpointNames
from ingen_runtime.canonical.handles import BorrowScope, Loan
from ingen_runtime.canonical.layout import MAX_FLAT_PARAMS, needs_memory
from ingen_runtime.canonical.plan import Plan, on_failure
from ingen_runtime.canonical.source import Source
from ingen_runtime.canonical.styles import HostStyle, RawStyle
from ingen_runtime.canonical.writer import EndpointWriter, allocates
from ingen_runtime.component.types import StringEncoding, ValType


class ValuesPlan(Plan):
    """A sequence of values, of which up to `max_flat` core values are flat.

    With `raw_from`, they are no host values: they pass between this side and one of that string encoding.
    `paths` name the values in errors.
    """

    def __init__(
        self,
        types: Sequence[ValType],
        encoding: StringEncoding = StringEncoding.UTF8,
        classes: ValueClasses | None = None,
        *,
        max_flat: int = MAX_FLAT_PARAMS,
        raw_from: StringEncoding | None = None,
        name: str = "values",
        paths: Sequence[str] | None = None,
    ) -> None:
        super().__init__(f"values of {name}")
        self._types = list(types)
        self._encoding = encoding
        self._classes = classes if classes is not None else ValueClasses()
        self._max_flat = max_flat
        self._raw_from = raw_from
        self._paths = list(paths) if paths is not None else [f"[{index}]" for index in range(len(types))]

    def bind_lift(self, endpoint: Endpoint) -> Callable[[Any, int, list[Loan]], tuple[Any, ...]]:
        """A function `(buffer, offset, loans)` that reads the values from core values."""
        lift: Callable[[Any, int, list[Loan]], tuple[Any, ...]]
        lift = self.factory("lift", self._write_lift)(endpoint, None, None)
        return lift

    def bind_load(self, endpoint: Endpoint) -> Callable[[int, list[Loan]], tuple[Any, ...]]:
        """A function `(ptr, loans)` that reads the values as a tuple from memory at `ptr`."""
        load: Callable[[int, list[Loan]], tuple[Any, ...]]
        load = self.factory("load", self._write_load)(endpoint, None, None)
        return load

    def bind_lower(
        self, endpoint: Endpoint
    ) -> Callable[[Any, int, tuple[Any, ...], BorrowScope, list[Loan]], None]:
        """A function `(buffer, offset, values, scope, loans)` that writes the values as core values."""
        lower: Callable[[Any, int, tuple[Any, ...], BorrowScope, list[Loan]], None]
        lower = self.factory("lower", self._write_lower)(endpoint, None, None)
        return lower

    def bind_store(
        self, endpoint: Endpoint
    ) -> Callable[[int, tuple[Any, ...], BorrowScope, list[Loan]], None]:
        """A function `(ptr, values, scope, loans)` that writes the values as a tuple to memory at `ptr`."""
        store: Callable[[int, tuple[Any, ...], BorrowScope, list[Loan]], None]
        store = self.factory("store", self._write_store)(endpoint, None, None)
        return store

    def _writer(self, source: Source) -> EndpointWriter:
        if self._raw_from is not None:
            style = RawStyle(source)
            return EndpointWriter(source, style, EndpointNames(), self._encoding, self._raw_from)
        return EndpointWriter(source, HostStyle(source, self._classes), EndpointNames(), self._encoding)

    def _write_lift(self, source: Source) -> list[EndpointNames]:
        writer = self._writer(source)
        with source.block(f"def _result(_buffer, _at, {writer.names.loans}):"):
            values = writer.lift(self._types, self._paths, self._max_flat, "_buffer", "_at")
            source.line(f"return ({', '.join(values)}{',' if values else ''})")
        return [writer.names]

    def _write_load(self, source: Source) -> list[EndpointNames]:
        writer = self._writer(source)
        with source.block(f"def _result(_ptr, {writer.names.loans}):"):
            values = writer.load(self._types, self._paths, "_ptr") if self._types else []
            source.line(f"return ({', '.join(values)}{',' if values else ''})")
        return [writer.names]

    def _write_lower(self, source: Source) -> list[EndpointNames]:
        writer = self._writer(source)
        with self._lowering(writer, "_buffer, _at", allocates(self._types, self._max_flat)) as values:
            writer.lower(self._types, values, self._max_flat, "_buffer", "_at")
        return [writer.names]

    def _write_store(self, source: Source) -> list[EndpointNames]:
        writer = self._writer(source)
        guarded = any(needs_memory(type_) for type_ in self._types)
        with self._lowering(writer, "_ptr", guarded) as values:
            if values:
                writer.lower_to(self._types, values, "_ptr")
        return [writer.names]

    @contextmanager
    def _lowering(self, writer: EndpointWriter, parameters: str, guarded: bool) -> Iterator[list[str]]:
        source, names = writer.source, writer.names
        values = [source.name() for _ in self._types]
        with source.block(f"def _result({parameters}, _values, {names.scope}, {names.loans}):"):
            source.line(f"[{', '.join(values)}] = _values")
            with source.block("try:"), writer.staying(guarded):
                yield values
            with on_failure(writer, self._classes, self._types, values, self._paths):
                source.line("raise _error")
