"""Writes the code that lowers: turns values into core values and bytes of linear memory.

`lower` writes the statements that compute a value's leaves (allocating what lies elsewhere) and notes the
leaves in a region, which one struct operation packs at the end. A variant becomes the bytes of its whole
block first, so that its cases need not agree about leaves.

Host values are checked on the way, by what is cheapest: struct checks ranges, attribute access checks
records. What is raised then is made into a HostValueError with a path by `check.Checker`.

Source: CanonicalABI.md#storing, #flat-lowering.
"""

from __future__ import annotations

import struct
from typing import assert_never

from ingen_runtime.canonical import check, handles, strings
from ingen_runtime.canonical.core import REALLOC_PARAMS, invalid_allocation
from ingen_runtime.canonical.endpoint import EndpointNames
from ingen_runtime.canonical.layout import (
    MAX_LIST_BYTE_LENGTH,
    MAX_STRING_BYTE_LENGTH,
    alignment,
    cases_of,
    elem_size,
    entry_type,
    fields_of,
    needs_memory,
)
from ingen_runtime.canonical.shape import MEMORY, NUMBER_FORMATS, Shape
from ingen_runtime.canonical.source import Region, RowPacker, Source
from ingen_runtime.canonical.styles import CaseTypes, RawStyle
from ingen_runtime.canonical.view import refresh_view, where_invalid
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

FLOATS = (PrimitiveType.F32, PrimitiveType.F64)


class Lowerer:
    """Writes lowering code for one endpoint into a source.

    `source_encoding` is the encoding that strings had in the component that they come from, None where they
    come from the host.
    """

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
        self.encoding = encoding
        self.source_encoding = source_encoding

    def lower(self, type_: ValType, value: str, region: Region, at: int, shape: Shape) -> None:
        """Write what computes the leaves of a value, given as an expression, and note them in a region."""
        match type_:
            case PrimitiveType():
                self._primitive(type_, value, region, at, shape)
            case RecordType() | TupleType():
                self._record(type_, value, region, at, shape)
            case VariantType() | OptionType() | ResultType():
                self._variant(type_, value, region, at, shape)
            case EnumType(labels):
                index = self.style.index(type_, self._named(value))
                region.add(at, shape.discriminant_format(len(labels)), index)
            case FlagsType(labels):
                bits = self.style.bits(type_, self._named(value))
                region.add(at, shape.flags_format(len(labels)), bits)
            case ListType(element):
                self._list(element, value, region, at, shape)
            case MapType():
                entries = f"[*{value}.items()]" if self.style.is_host else value
                self._list(entry_type(type_), entries, region, at, shape)
            case FixedListType():
                self._fixed_list(type_, value, region, at, shape)
            case OwnType() | BorrowType() | StreamType() | FutureType():
                self._handle(type_, value, region, at)
            case _:
                assert_never(type_)

    def pack(self, region: Region, size: int, target: str, offset: str) -> None:
        """Write the statement that packs a region's leaves into a buffer at an offset."""
        pack = self.source.struct(region.format(size), "pack_into")
        self.source.line(f"{pack}({', '.join([target, offset, *region.texts()])})")

    def _named(self, value: str) -> str:
        """A name for the value, which may be an expression."""
        if value.isidentifier():
            return value
        name = self.source.name()
        self.source.line(f"{name} = {value}")
        return name

    def _primitive(self, type_: PrimitiveType, value: str, region: Region, at: int, shape: Shape) -> None:
        match type_:
            case PrimitiveType.BOOL:
                region.add(at, "I" if shape.is_flat else "B", self.style.truth(self._named(value)))
            case PrimitiveType.CHAR:
                region.add(at, "I", self.style.code_point(self._named(value)))
            case PrimitiveType.STRING:
                ptr, length = self._string(self._named(value))
                region.add(at, "I", ptr)
                region.add(at + shape.second, "I", length)
            case PrimitiveType.ERROR_CONTEXT:
                lower = f"{self.names.async_values}.lower_error_context"
                region.add(at, "I", f"{lower}({self._named(value)})")
            case PrimitiveType.F32 | PrimitiveType.F64:
                region.add(at, NUMBER_FORMATS[type_], value)
            case _:
                format_ = NUMBER_FORMATS[type_]
                if shape.is_flat and format_ in "bh":
                    format_ = "i"
                region.add(at, format_, self.style.integer(type_, self._named(value), shape.is_flat))

    def allocate(self, ptr: str, alignment: int, size: int | str) -> None:
        """Write what allocates memory and checks it; then `names.view` is of the memory as it is now."""
        source, names = self.source, self.names
        pack = source.constant(REALLOC_PARAMS.pack_into, "pack_into")
        source.line(f"{pack}({names.realloc_raw}, 0, 0, 0, {alignment}, {size})")
        if names.calls_natively:
            source.native_call("realloc")
        else:
            source.line(f"{names.realloc_call}()")
        source.line(f"{ptr} = {names.realloc_words}[0]")
        refresh_view(source, names)
        unaligned = f"{ptr} & {alignment - 1} or " if alignment > 1 else ""
        with where_invalid(source, names, f"{unaligned}{ptr} + {size} > {names.view_length}"):
            fail = source.constant(invalid_allocation, "invalid")
            source.line(f"raise {fail}({ptr}, {alignment}, {size}, {names.view_length})")

    def _string(self, value: str) -> tuple[str, str]:
        source, names = self.source, self.names
        ptr, length = source.name("ptr"), source.name("length")
        if self.source_encoding is not None and (
            self.source_encoding is not self.encoding or self.encoding is StringEncoding.LATIN1_UTF16
        ):
            store = source.constant(strings.transcoder(self.source_encoding, self.encoding), "transcode")
            tagged = self.source_encoding is StringEncoding.LATIN1_UTF16
            arguments = f"*{value}" if tagged else f"{value}, 0"
            source.line(f"{ptr}, {length} = {store}({names.heap}, {arguments})")
            refresh_view(source, names)
        elif self.encoding is not StringEncoding.UTF8:
            store = source.constant(strings.HOST_STORES[self.encoding], "store_string")
            source.line(f"{ptr}, {length} = {store}({names.heap}, {value})")
            refresh_view(source, names)
        else:
            data = source.name("data")
            source.line(f"{data} = {value}.encode()")
            source.line(f"{length} = len({data})")
            with source.block(f"if {length} > {MAX_STRING_BYTE_LENGTH}:"):
                source.line(f"raise {source.constant(strings.too_long, 'too_long')}({length})")
            self._copy_in(data, ptr, length)
        return ptr, length

    def _copy_in(self, data: str, ptr: str, length: str) -> None:
        self.allocate(ptr, 1, length)
        self.source.line(f"{self.names.view}[{ptr}:{ptr} + {length}] = {data}")

    def _record(
        self, type_: RecordType | TupleType, value: str, region: Region, at: int, shape: Shape
    ) -> None:
        fields = fields_of(type_)
        parts = self.style.fields(type_, self._named(value))
        for field, part, offset in zip(fields, parts, shape.offsets(fields), strict=True):
            self.lower(field, part, region, at + offset, shape)

    def _variant(self, type_: CaseTypes, value: str, region: Region, at: int, shape: Shape) -> None:
        value = self._named(value)
        conditions, is_open = self.style.cases(type_, value)
        block = self.source.name("block")
        last = len(conditions) - 1
        for number, (condition, payload) in enumerate(conditions):
            header = f"{'elif' if number else 'if'} {condition}:"
            if number == last and number and not is_open:
                header = "else:"
            with self.source.block(header):
                self.case(type_, number, payload, block, shape)
        if is_open:
            with self.source.block("else:"):
                self.source.line(f"raise TypeError({value})")
        region.add(at, f"{shape.size(type_)}s", block)

    def case(self, type_: CaseTypes, number: int, payload: str, block: str, shape: Shape) -> None:
        """Write what makes the bytes of a variant in one case, and assigns them to the name `block`."""
        cases = cases_of(type_)
        inner, case = Region(), cases[number]
        format_ = shape.discriminant_format(len(cases))
        if case is None:
            # Zero bytes up to the variant's size are added when the block is packed.
            if self.style.is_host and isinstance(type_, ResultType):
                with self.source.block(f"if {payload} is not None:"):
                    self.source.line(f"raise TypeError({payload})")
            size = {"B": 1, "H": 2, "I": 4}[format_]
            constant = self.source.constant(number.to_bytes(size, "little"), "block")
            self.source.line(f"{block} = {constant}")
            return
        inner.add(0, format_, str(number))
        self.lower(case, payload, inner, shape.payload_offset(cases), shape)
        pack = self.source.struct(inner.format(shape.size(type_)), "pack")
        self.source.line(f"{block} = {pack}({', '.join(inner.texts())})")

    def _list(self, element: ValType, value: str, region: Region, at: int, shape: Shape) -> None:
        ptr, length = self._stored_list(element, value)
        region.add(at, "I", ptr)
        region.add(at + shape.second, "I", length)

    def _stored_list(self, element: ValType, value: str) -> tuple[str, str]:
        """Write what stores a list's elements; names of the pointer and the length."""
        source, names = self.source, self.names
        items, ptr, length = source.name("items"), source.name("ptr"), source.name("length")
        size, align = elem_size(element), alignment(element)
        self._regular(element, value, items)
        source.line(f"{length} = len({items})")
        with source.block(f"if {length} > {MAX_LIST_BYTE_LENGTH // size}:"):
            source.line(f"raise ValueError({length})")
        if element is PrimitiveType.U8:
            self._copy_in(items, ptr, length)
            return ptr, length
        byte_length = f"{length} * {size}" if size > 1 else length
        if not needs_memory(element):
            data = self._block(element, items)
            if data is not None:
                self.allocate(ptr, align, byte_length)
                source.line(f"{names.view}[{ptr}:{ptr} + {byte_length}] = {data}")
                return ptr, length
        self.allocate(ptr, align, byte_length)
        if isinstance(element, PrimitiveType) and element in NUMBER_FORMATS:
            self._reject_bools(element, items)
            pack = source.constant(struct.pack_into, "pack_into")
            format_ = f"f'<{{{length}}}{NUMBER_FORMATS[element]}'"
            source.line(f"{pack}({format_}, {names.view}, {ptr}, *{items})")
        elif not needs_memory(element):
            leaves, packer = self._leaves(element, items)
            source.line(f"{packer}.pack_into({names.view}, {ptr}, {leaves})")
        else:
            self._each(element, items, ptr)
        return ptr, length

    def _regular(self, element: ValType, value: str, items: str) -> None:
        """Write what makes `items` of a list's value: bytes for bytes, else a list or tuple."""
        source = self.source
        source.line(f"{items} = {value}")
        if not self.style.is_host or value.startswith("[*"):
            return
        if element is PrimitiveType.U8:
            with source.block(f"if type({items}) is not bytes:"):
                source.line(f"{items} = {source.constant(check.to_bytes, 'to_bytes')}({items})")
        else:
            with source.block(f"if type({items}) is not list:"):
                source.line(f"{items} = {source.constant(check.to_list, 'to_list')}({items})")

    def _reject_bools(self, element: PrimitiveType, items: str) -> None:
        if self.style.is_host and element not in FLOATS:
            with self.source.block(f"if bool in {{*map(type, {items})}}:"):
                self.source.line("raise TypeError('a bool is no integer here')")

    def _block(self, element: ValType, items: str) -> str | None:
        """An expression for the bytes of all elements, where there is one that needs no loop."""
        if element is PrimitiveType.BOOL:
            lower = check.lower_bools if self.style.is_host else bytes
            return f"{self.source.constant(lower, 'lower_bools')}({items})"
        if element is PrimitiveType.CHAR and self.style.is_host:
            return f"{self.source.constant(check.lower_chars, 'lower_chars')}({items})"
        return None

    def _leaves(self, element: ValType, items: str) -> tuple[str, str]:
        """Write what lists the leaves of all elements, which allocate nothing; names of list and packer."""
        source, each, leaves = self.source, self.source.name("each"), self.source.name("leaves")
        region = Region()
        with source.aside() as lines:
            self.lower(element, each, region, 0, MEMORY)
        texts = region.texts()
        if not lines and len(texts) == 1:
            source.line(f"{leaves} = [{texts[0]} for {each} in {items}]")
        else:
            add = source.name("add")
            source.line(f"{leaves} = []")
            source.line(f"{add} = {leaves}.append")
            with source.block(f"for {each} in {items}:"):
                source.extend(lines)
                for text in texts:
                    source.line(f"{add}({text})")
        packer = RowPacker(region.format(elem_size(element)), len(texts))
        return leaves, source.constant(packer, "rows")

    def _each(self, element: ValType, items: str, ptr: str) -> None:
        """Write the loop that stores elements which allocate memory of their own."""
        source, each, at = self.source, self.source.name("each"), self.source.name("at")
        source.line(f"{at} = {ptr}")
        with source.block(f"for {each} in {items}:"):
            region = Region()
            self.lower(element, each, region, 0, MEMORY)
            self.pack(region, elem_size(element), self.names.view, at)
            source.line(f"{at} += {elem_size(element)}")

    def _fixed_list(self, type_: FixedListType, value: str, region: Region, at: int, shape: Shape) -> None:
        source, element, length = self.source, type_.element, type_.length
        items = source.name("items")
        self._regular(element, value, items)
        with source.block(f"if len({items}) != {length}:"):
            source.line(f"raise ValueError(len({items}))")
        if shape.is_flat:
            names = [source.name("item") for _ in range(length)]
            source.line(f"({', '.join(names)},) = {items}")
            for index, name in enumerate(names):
                self.lower(element, name, region, at + index * shape.size(element), shape)
            return
        region.add(at, f"{elem_size(type_)}s", self._fixed_block(element, items, length))

    def _fixed_block(self, element: ValType, items: str, length: int) -> str:
        """A name for the bytes of a fixed number of elements."""
        source = self.source
        if element is PrimitiveType.U8:
            return self._named(f"bytes({items})")
        if not needs_memory(element):
            block = self._block(element, items)
            if block is not None:
                return self._named(block)
        if isinstance(element, PrimitiveType) and element in NUMBER_FORMATS:
            self._reject_bools(element, items)
            pack = source.struct(f"<{length}{NUMBER_FORMATS[element]}", "pack")
            return self._named(f"{pack}(*{items})")
        if not needs_memory(element):
            leaves, packer = self._leaves(element, items)
            return self._named(f"bytes({packer}.pack({leaves}))")
        parts, each = source.name("parts"), source.name("each")
        source.line(f"{parts} = []")
        with source.block(f"for {each} in {items}:"):
            region = Region()
            self.lower(element, each, region, 0, MEMORY)
            pack = source.struct(region.format(elem_size(element)), "pack")
            source.line(f"{parts}.append({pack}({', '.join(region.texts())}))")
        return self._named(f"b''.join({parts})")

    def _handle(
        self, type_: OwnType | BorrowType | StreamType | FutureType, value: str, region: Region, at: int
    ) -> None:
        names, value = self.names, self._named(value)
        match type_:
            case OwnType(resource):
                bound = names.resource(resource)
                if self.style.is_host:
                    give = self.source.constant(handles.give_own, "give_own")
                    region.add(at, "I", f"{give}({names.state}, {value}, {bound})")
                    return
                lower = self.source.constant(handles.lower_own, "lower_own")
                region.add(at, "I", f"{lower}({names.table}, {value}, {bound})")
                return
            case BorrowType(resource):
                bound = names.resource(resource)
                if self.style.is_host:
                    lend = self.source.constant(handles.lend_borrow, "lend_borrow")
                    arguments = f"{names.state}, {value}, {bound}, {names.scope}, {names.loans}"
                    region.add(at, "I", f"{lend}({arguments})")
                    return
                lower = self.source.constant(handles.lower_borrow, "lower_borrow")
                region.add(at, "I", f"{lower}({names.state}, {value}, {bound}, {names.scope})")
                return
            case StreamType() | FutureType():
                lower = "give_end" if self.style.is_host else "lower_end"
                constant = self.source.constant(type_, "type")
                region.add(at, "I", f"{names.async_values}.{lower}({value}, {constant})")
