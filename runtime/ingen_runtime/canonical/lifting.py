"""Writes the code that lifts: reads values out of core values and linear memory.

Lifting has two steps, so that all leaves of a block are read by one struct operation. `lift` only notes the
leaves in a region; when the statement that unpacks the region is written, `Lifted.emit` writes what remains
to be done and gives the expression of the value.

Source: CanonicalABI.md#loading, #flat-lifting.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import assert_never

from ingen_runtime.canonical import handles, strings
from ingen_runtime.canonical.core import invalid_list
from ingen_runtime.canonical.endpoint import EndpointNames
from ingen_runtime.canonical.layout import (
    alignment,
    cases_of,
    elem_size,
    entry_type,
    fields_of,
)
from ingen_runtime.canonical.shape import MEMORY, NUMBER_FORMATS, Shape
from ingen_runtime.canonical.source import Region, Source
from ingen_runtime.canonical.styles import CaseTypes, RawStyle
from ingen_runtime.canonical.view import where_invalid
from ingen_runtime.component.types import (
    BorrowType,
    EnumType,
    FixedListType,
    FlagsType,
    FutureType,
    ListType,
    MapType,
    OptionType,
    OwnType,
    PrimitiveType,
    RecordType,
    ResultType,
    StreamType,
    StringEncoding,
    TupleType,
    ValType,
    VariantType,
)
from ingen_runtime.errors import Trap, TrapKind
from ingen_runtime.frozen import frozen


def invalid_discriminant(index: int, case_count: int, path: str) -> Trap:
    """The trap for a discriminant that no case has."""
    return Trap(TrapKind.INVALID_DISCRIMINANT, f"{index}, there are {case_count} cases", path)


def no_member(index: int, case_count: int, path: str) -> None:
    """Trap: an enum has no such member."""
    raise invalid_discriminant(index, case_count, path)


def no_char(code_point: int, path: str) -> None:
    """Trap: the bits are no char."""
    raise Trap(TrapKind.INVALID_CHAR, f"0x{code_point:x}", path)


def lift_chars(data: bytes, path: str) -> list[str]:
    """The chars of a list, which are four bytes each.

    Raises: Trap(INVALID_CHAR).
    """
    try:
        return list(str(data, "utf-32-le"))
    except UnicodeDecodeError as error:
        index = error.start // 4
        bits = int.from_bytes(data[4 * index : 4 * index + 4], "little")
        raise Trap(TrapKind.INVALID_CHAR, f"0x{bits:x}", f"{path}[{index}]") from None


@frozen
class Lifted:
    """A value whose leaves are in a region that is about to be unpacked.

    `emit` writes statements, none where `is_expression`, and returns the value's expression.
    """

    emit: Callable[[], str]
    is_expression: bool = True
    can_trap: bool = False


def _value(text: str, *, can_trap: bool = False) -> Lifted:
    return Lifted(lambda: text, True, can_trap)


class Lifter:
    """Writes lifting code for one endpoint into a source.

    The code expects the memory's view in the name `names.view`.
    """

    def __init__(
        self, source: Source, style: RawStyle, names: EndpointNames, encoding: StringEncoding
    ) -> None:
        self.source = source
        self.style = style
        self.names = names
        self.encoding = encoding

    def lift(self, type_: ValType, region: Region, at: int, shape: Shape, path: str) -> Lifted:
        """Note the leaves of a value at the offset `at` of a region."""
        match type_:
            case PrimitiveType():
                return self._primitive(type_, region, at, shape, path)
            case RecordType() | TupleType():
                return self._record(type_, region, at, shape, path)
            case VariantType() | OptionType() | ResultType():
                return self.variant(type_, region, at, shape, path)
            case EnumType(labels):
                count = len(labels)
                index = self._leaf(region, at, shape.discriminant_format(count))
                fail = self.source.constant(no_member, "no_member")
                member = self.style.enum(type_, index)
                return _value(
                    f"({member} if {index} < {count} else {fail}({index}, {count}, {path!r}))", can_trap=True
                )
            case FlagsType(labels):
                bits = self._leaf(region, at, shape.flags_format(len(labels)))
                return _value(self.style.flags(type_, f"{bits} & {(1 << len(labels)) - 1}"))
            case ListType(element):
                return self._list(element, region, at, shape, path, "")
            case MapType():
                convert = "dict" if self.style.is_host else ""
                return self._list(entry_type(type_), region, at, shape, path, convert)
            case FixedListType():
                return self._fixed_list(type_, region, at, shape, path)
            case OwnType() | BorrowType() | StreamType() | FutureType():
                return self._handle(type_, region, at)
            case _:
                assert_never(type_)

    def unpack(self, region: Region, size: int, source_: str, offset: str = "") -> None:
        """Write the statement that reads a region's leaves from a buffer, at an offset where it has one."""
        if len(region):
            method = "unpack_from" if offset else "unpack"
            unpack = self.source.struct(region.format(size), method)
            arguments = f"{source_}, {offset}" if offset else source_
            self.source.line(f"{region.targets()} = {unpack}({arguments})")

    def _leaf(self, region: Region, at: int, format_: str) -> str:
        return region.add(at, format_, self.source.name())

    def _primitive(self, type_: PrimitiveType, region: Region, at: int, shape: Shape, path: str) -> Lifted:
        match type_:
            case PrimitiveType.BOOL:
                if shape.is_flat:
                    return _value(f"({self._leaf(region, at, 'I')} != 0)")
                return _value(self._leaf(region, at, "?"))
            case PrimitiveType.CHAR:
                bits = self._leaf(region, at, "I")
                fail = self.source.constant(no_char, "no_char")
                valid = f"{bits} < 0xD800 or 0xDFFF < {bits} < 0x110000"
                return _value(
                    f"({self.style.char(bits)} if {valid} else {fail}({bits}, {path!r}))", can_trap=True
                )
            case PrimitiveType.STRING:
                ptr = self._leaf(region, at, "I")
                length = self._leaf(region, at + shape.second, "I")
                return Lifted(lambda: self._string(ptr, length, path), False, True)
            case PrimitiveType.ERROR_CONTEXT:
                index = self._leaf(region, at, "I")
                return _value(f"{self.names.async_values}.lift_error_context({index})", can_trap=True)
            case _:
                return _value(self._leaf(region, at, NUMBER_FORMATS[type_]))

    def _string(self, ptr: str, length: str, path: str) -> str:
        source, names, text = self.source, self.names, self.source.name("text")
        if self.encoding is not StringEncoding.UTF8:
            load = source.constant(strings.LOADERS[self.encoding], "load_string")
            source.line(f"{text} = {load}({names.view}, {ptr}, {length}, {names.max_string_bytes}, {path!r})")
            tagged = self.encoding is StringEncoding.LATIN1_UTF16 and not self.style.is_host
            return f"({text}, {length})" if tagged else text
        end = source.name("end")
        source.line(f"{end} = {ptr} + {length}")
        condition = f"{length} > {names.max_string_bytes} or {end} > {names.view_length}"
        with where_invalid(source, names, condition):
            fail = source.constant(strings.invalid_range, "invalid")
            arguments = f"{ptr}, {length}, 1, {names.view_length}, {names.max_string_bytes}, {path!r}"
            source.line(f"raise {fail}({arguments})")
        with source.block("try:"):
            # Twice as fast for short strings as `str` of a view; copying bytes costs little beside decoding.
            source.line(f"{text} = {names.view}[{ptr}:{end}].tobytes().decode()")
        with source.block("except UnicodeDecodeError as _error:"):
            source.line(
                f"raise {source.constant(strings.invalid_string, 'invalid')}(_error, {path!r}) from None"
            )
        return text

    def _record(
        self, type_: RecordType | TupleType, region: Region, at: int, shape: Shape, path: str
    ) -> Lifted:
        fields = fields_of(type_)
        if isinstance(type_, RecordType):
            paths = [f"{path}.{field.label}" for field in type_.fields]
        else:
            paths = [f"{path}[{index}]" for index in range(len(fields))]
        parts = [
            self.lift(field, region, at + offset, shape, field_path)
            for field, offset, field_path in zip(fields, shape.offsets(fields), paths, strict=True)
        ]
        return Lifted(
            lambda: self.style.record(type_, [part.emit() for part in parts]),
            all(part.is_expression for part in parts),
            any(part.can_trap for part in parts),
        )

    def variant(
        self,
        type_: CaseTypes,
        region: Region,
        at: int,
        shape: Shape,
        path: str,
        make: Callable[[int, str | None], str] | None = None,
    ) -> Lifted:
        """Note the leaves of a variant; `make` writes a case's value in place of the style."""
        cases = cases_of(type_)
        if any(case is not None for case in cases):
            block = self._leaf(region, at, f"{shape.size(type_)}s")
        else:
            block = ""
            discriminant = self._leaf(region, at, shape.discriminant_format(len(cases)))

        def emit() -> str:
            source, index = (
                self.source,
                discriminant if not block else self._discriminant(cases, block, shape),
            )
            result = source.name("case")
            labels = _case_labels(type_)
            for number, case in enumerate(cases):
                with source.block(f"{'elif' if number else 'if'} {index} == {number}:"):
                    payload = None
                    if case is not None:
                        inner = Region()
                        offset = shape.payload_offset(cases)
                        lifted = self.lift(case, inner, offset, shape, f"{path}.{labels[number]}")
                        self.unpack(inner, shape.size(type_), block)
                        payload = lifted.emit()
                    value = make(number, payload) if make else self.style.case(type_, number, payload)
                    source.line(f"{result} = {value}")
            with source.block("else:"):
                fail = source.constant(invalid_discriminant, "invalid")
                source.line(f"raise {fail}({index}, {len(cases)}, {path!r})")
            return result

        return Lifted(emit, False, True)

    def _discriminant(self, cases: Sequence[ValType | None], block: str, shape: Shape) -> str:
        index = self.source.name("index")
        format_ = shape.discriminant_format(len(cases))
        if format_ == "B":
            self.source.line(f"{index} = {block}[0]")
        else:
            unpack = self.source.struct(f"<{format_}", "unpack_from")
            self.source.line(f"({index},) = {unpack}({block})")
        return index

    def _list(
        self, element: ValType, region: Region, at: int, shape: Shape, path: str, convert: str
    ) -> Lifted:
        ptr = self._leaf(region, at, "I")
        length = self._leaf(region, at + shape.second, "I")

        def emit() -> str:
            source, names, end = self.source, self.names, self.source.name("end")
            size, align = elem_size(element), alignment(element)
            source.line(f"{end} = {ptr} + {length} * {size}" if size > 1 else f"{end} = {ptr} + {length}")
            unaligned = f"{ptr} & {align - 1} or " if align > 1 else ""
            limit = names.max_list_bytes
            too_long = f"{length} * {size} > {limit}" if size > 1 else f"{length} > {limit}"
            condition = f"{unaligned}{too_long} or {end} > {names.view_length}"
            with where_invalid(source, names, condition):
                fail = source.constant(invalid_list, "invalid")
                arguments = f"{ptr}, {length}, {align}, {size}, {names.view_length}, {limit}, {path!r}"
                source.line(f"raise {fail}({arguments})")
            block = f"{names.view}[{ptr}:{end}]"
            return self._elements(element, block, f"if {length} else []", path, convert)

        return Lifted(emit, False, True)

    def _fixed_list(self, type_: FixedListType, region: Region, at: int, shape: Shape, path: str) -> Lifted:
        element = type_.element
        if not shape.is_flat:
            block = self._leaf(region, at, f"{shape.size(type_)}s")
            if element is PrimitiveType.U8:
                return _value(block)
            return Lifted(lambda: self._elements(element, block, "", path, ""), False, True)
        parts = [
            self.lift(element, region, at + index * shape.size(element), shape, f"{path}[{index}]")
            for index in range(type_.length)
        ]

        def emit() -> str:
            items = ", ".join(part.emit() for part in parts)
            return f"bytes(({items},))" if element is PrimitiveType.U8 else f"[{items}]"

        return Lifted(emit, all(part.is_expression for part in parts), any(part.can_trap for part in parts))

    def _elements(self, element: ValType, block: str, if_empty: str, path: str, convert: str) -> str:
        """Write what makes a list of the elements in a block, an expression of bytes or a memoryview."""
        source, result = self.source, self.source.name("list")
        if element is PrimitiveType.U8:
            source.line(f"{result} = bytes({block})")
        elif element is PrimitiveType.BOOL:
            source.line(f"{result} = [_each != 0 for _each in {block}]")
        elif element is PrimitiveType.CHAR and self.style.is_host:
            lift = source.constant(lift_chars, "lift_chars")
            source.line(f"{result} = {lift}({block}, {path!r})")
        elif isinstance(element, PrimitiveType) and element in NUMBER_FORMATS:
            view = block if if_empty else f"memoryview({block})"
            source.line(f"{result} = {view}.cast({NUMBER_FORMATS[element]!r}).tolist() {if_empty}".rstrip())
        else:
            self._rows(element, block, result, path, convert)
        return result

    def _rows(self, element: ValType, block: str, result: str, path: str, convert: str) -> None:
        source, region = self.source, Region()
        lifted = self.lift(element, region, 0, MEMORY, "")
        rows = f"{source.struct(region.format(elem_size(element)), 'iter_unpack')}({block})"
        texts = region.texts()
        if lifted.is_expression and not lifted.can_trap:
            value = lifted.emit()
            plain = ", ".join(texts)
            constructor = (
                self.style.constructor(element) if isinstance(element, RecordType | TupleType) else None
            )
            if constructor is not None and value == f"{constructor}({plain})":
                starmap = source.constant(itertools.starmap, "starmap")
                source.line(f"{result} = {convert or 'list'}({starmap}({constructor}, {rows}))")
            elif value in (f"({plain})", f"({plain},)"):
                source.line(f"{result} = {convert or 'list'}({rows})")
            else:
                items = f"[{value} for {region.targets()} in {rows}]"
                source.line(f"{result} = {convert}({items})" if convert else f"{result} = {items}")
            return
        source.line(f"{result} = []")
        with source.block("try:"), source.block(f"for {region.targets()} in {rows}:"):
            value = lifted.emit()
            source.line(f"{result}.append({value})")
        trap = source.constant(Trap, "Trap")
        with source.block(f"except {trap} as _found:"):
            source.line(f"raise _found.within(f'{path}[{{len({result})}}]')")
        if convert:
            source.line(f"{result} = {convert}({result})")

    def _handle(
        self, type_: OwnType | BorrowType | StreamType | FutureType, region: Region, at: int
    ) -> Lifted:
        index, names = self._leaf(region, at, "I"), self.names
        match type_:
            case OwnType(resource):
                bound = names.resource(resource)
                lift = self.source.constant(handles.lift_own, "lift_own")
                rep = f"{lift}({names.table}, {index}, {bound})"
                return _value(f"{bound}.receive({rep})" if self.style.is_host else rep, can_trap=True)
            case BorrowType(resource):
                bound = names.resource(resource)
                lift = self.source.constant(handles.lift_borrow, "lift_borrow")
                rep = f"{lift}({names.table}, {index}, {bound}, {names.loans})"
                received = f"{bound}.receive_borrow({rep}, {names.loans})"
                return _value(received if self.style.is_host else rep, can_trap=True)
            case StreamType() | FutureType():
                lift = "receive_end" if self.style.is_host else "lift_end"
                constant = self.source.constant(type_, "type")
                return _value(f"{names.async_values}.{lift}({index}, {constant})", can_trap=True)


def _case_labels(type_: CaseTypes) -> list[str]:
    match type_:
        case VariantType(cases):
            return [case.label for case in cases]
        case OptionType():
            return ["none", "some"]
        case ResultType():
            return ["ok", "err"]
