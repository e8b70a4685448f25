"""Writes the code that lifts and lowers the parameters or the result of a function at one endpoint.

Source: CanonicalABI.md#lifting-and-lowering-values, lift_flat_values, lower_flat_values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from ingen_runtime.canonical import handles
from ingen_runtime.canonical.core import SLOT_SIZE, invalid_pointer
from ingen_runtime.canonical.endpoint import EndpointNames
from ingen_runtime.canonical.layout import (
    MAX_FLAT_PARAMS,
    MAX_FLAT_RESULTS,
    alignment,
    contains,
    elem_size,
    flat_counts,
    needs_memory,
)
from ingen_runtime.canonical.lifting import Lifted, Lifter
from ingen_runtime.canonical.lowering import Lowerer
from ingen_runtime.canonical.shape import FLAT, MEMORY, Shape
from ingen_runtime.canonical.source import Region, Source
from ingen_runtime.canonical.styles import RawStyle
from ingen_runtime.canonical.values import ResultError
from ingen_runtime.canonical.view import refresh_view, where_invalid
from ingen_runtime.component.types import (
    BorrowType,
    FuncType,
    FutureType,
    OwnType,
    ResultType,
    StreamType,
    StringEncoding,
    TupleType,
    ValType,
)


def has_borrow(types: Sequence[ValType]) -> bool:
    """Whether values of these types have borrows in them."""
    return any(contains(type_, lambda part: isinstance(part, BorrowType)) for type_ in types)


def _is_handle(type_: ValType) -> bool:
    return isinstance(type_, OwnType | BorrowType | StreamType | FutureType)


def allocates(types: Sequence[ValType], max_flat: int) -> bool:
    """Whether lowering such values, to `max_flat` core values at most, calls the guest's `realloc`."""
    return flat_counts(types) > max_flat or any(needs_memory(type_) for type_ in types)


def param_types(type_: FuncType) -> list[ValType]:
    """The types of a function's parameters."""
    return [param for _, param in type_.params]


def result_types(type_: FuncType) -> list[ValType]:
    """The type of a function's result, in a list that is empty where it has none."""
    return [] if type_.result is None else [type_.result]


class EndpointWriter:
    """Writes into a source what lifts and lowers lists of values at one endpoint."""

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
        if flat_counts(types) > max_flat:
            ptr = self.source.name("ptr")
            self.source.line(f"({ptr},) = {self.source.struct('<I', 'unpack_from')}({buffer}, {at})")
            return self._load(types, paths, ptr, error)
        if any(needs_memory(type_) for type_ in types):
            refresh_view(self.source, self.names)
        region, lifted = self._note(types, paths, FLAT, error)
        self.lifter.unpack(region, sum(map(FLAT.size, types)), buffer, at)
        return [each.emit() for each in lifted]

    def load(self, types: Sequence[ValType], paths: Sequence[str], ptr: str) -> list[str]:
        """Write what lifts values that are a tuple in memory at `ptr`; their expressions."""
        return self._load(types, paths, ptr, None)

    def _load(
        self, types: Sequence[ValType], paths: Sequence[str], ptr: str, error: type[ResultError] | None
    ) -> list[str]:
        tuple_ = TupleType(tuple(types))
        refresh_view(self.source, self.names)
        self.check_pointer(ptr, tuple_)
        region, lifted = self._note(types, paths, MEMORY, error)
        self.lifter.unpack(region, elem_size(tuple_), self.names.view, ptr)
        return [each.emit() for each in lifted]

    def _note(
        self, types: Sequence[ValType], paths: Sequence[str], shape: Shape, error: type[ResultError] | None
    ) -> tuple[Region, list[Lifted]]:
        """The leaves of several values. A result whose error is to be raised is noted as its ok value."""
        region, lifted = Region(), []
        for type_, path, offset in zip(types, paths, shape.offsets(types), strict=True):
            if error is not None and isinstance(type_, ResultType):
                lifted.append(self.lifter.variant(type_, region, offset, shape, path, self._outcome(error)))
            else:
                lifted.append(self.lifter.lift(type_, region, offset, shape, path))
        return region, lifted

    def lift_outcome(self, type_: ValType, buffer: str, at: str, error: type[ResultError] | None) -> str:
        """Write what lifts a function's result; its expression. Where the result is an error, `_failure` is
        the exception.
        """
        if error is not None:
            self.source.line("_failure = None")
        return self._lift([type_], ["result"], MAX_FLAT_RESULTS, buffer, at, error)[0]

    def _outcome(self, error: type[ResultError]) -> Callable[[int, str | None], str]:
        def make(index: int, payload: str | None) -> str:
            if index == 0:
                return payload or "None"
            self.source.line(f"_failure = {self.source.constant(error, 'Error')}({payload or 'None'})")
            return "None"

        return make

    def check_pointer(self, ptr: str, type_: ValType) -> None:
        """Write what checks a pointer to a value."""
        align, size, names = alignment(type_), elem_size(type_), self.names
        unaligned = f"{ptr} & {align - 1} or " if align > 1 else ""
        condition = f"{unaligned}{ptr} + {size} > {names.view_length}"
        with where_invalid(self.source, names, condition):
            fail = self.source.constant(invalid_pointer, "invalid")
            self.source.line(f"raise {fail}({ptr}, {align}, {size}, {names.view_length})")

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
            self._settle(types)
            return
        tuple_, ptr, source = TupleType(tuple(types)), self.source.name("ptr"), self.source
        self.lowerer.allocate(ptr, alignment(tuple_), elem_size(tuple_))
        self._store(tuple_, values, ptr)
        source.line(f"{source.struct(f'<I{SLOT_SIZE - 4}x', 'pack_into')}({buffer}, {at}, {ptr})")
        self._settle(types)

    def lower_to(self, types: Sequence[ValType], values: Sequence[str], ptr: str) -> None:
        """Write what lowers values to the memory that a guest has given a pointer to."""
        tuple_ = TupleType(tuple(types))
        refresh_view(self.source, self.names)
        self.check_pointer(ptr, tuple_)
        self._store(tuple_, values, ptr)
        self._settle(types)

    def _settle(self, types: Sequence[ValType]) -> None:
        """Write what forgets how to undo the lowering of handles: it is done."""
        if self.style.is_host and any(contains(type_, _is_handle) for type_ in types):
            self.source.line(f"{self.names.state}.lowered.clear()")

    def _store(self, tuple_: TupleType, values: Sequence[str], ptr: str) -> None:
        region = Region()
        for type_, value, offset in zip(tuple_.types, values, MEMORY.offsets(tuple_.types), strict=True):
            self.lowerer.lower(type_, value, region, offset, MEMORY)
        self.lowerer.pack(region, elem_size(tuple_), self.names.view, ptr)

    @contextmanager
    def staying(self, guarded: bool) -> Iterator[None]:
        """Write `may_leave = False` and `= True` around statements that run the guest's allocator."""
        if guarded:
            self.source.line(f"{self.names.state}.may_leave = False")
        yield
        if guarded:
            self.source.line(f"{self.names.state}.may_leave = True")

    def leave_check(self) -> None:
        """Write what traps where the instance may not call out."""
        with self.source.block(f"if not {self.names.state}.may_leave:"):
            check = self.source.constant(handles.check_may_leave, "check_may_leave")
            self.source.line(f"{check}({self.names.state})")

    def result_pointer(self, type_: FuncType) -> None:
        """Write what reads the pointer that a caller gives for a result that is not flat."""
        if flat_counts(result_types(type_)) > MAX_FLAT_RESULTS:
            count = flat_counts(param_types(type_))
            slot = SLOT_SIZE * (count if count <= MAX_FLAT_PARAMS else 1)
            unpack = self.source.struct("<I", "unpack_from")
            self.source.line(f"(_pointer,) = {unpack}(_buffer, _at + {slot})")

    def lower_result(self, type_: ValType, value: str) -> None:
        """Write what lowers a result for the caller, to where `result_pointer` has found or to `_buffer`."""
        if flat_counts([type_]) > MAX_FLAT_RESULTS:
            self.lower_to([type_], [value], "_pointer")
        else:
            self.lower([type_], [value], MAX_FLAT_RESULTS, "_buffer", "_at")
