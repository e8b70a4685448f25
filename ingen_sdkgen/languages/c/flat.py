"""Between C values and the flat core values that functions pass."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from ingen_runtime.core_types import CoreValType, NumberType
from ingen_sdkgen.languages.c.statements import Statements, member
from ingen_sdkgen.languages.c.types import PRIMITIVES, CTypes
from ingen_sdkgen.model import (
    Borrow,
    Enum,
    FixedLengthList,
    Flags,
    List,
    Map,
    Option,
    Own,
    Primitive,
    Record,
    Result,
    Tuple,
    Type,
    Variant,
)

CORE_TYPES: Final[dict[CoreValType, str]] = {
    NumberType.I32: "int32_t",
    NumberType.I64: "int64_t",
    NumberType.F32: "float",
    NumberType.F64: "double",
}

_BITS_OF: Final = {NumberType.F32: "ingen_bits_of_f32", NumberType.F64: "ingen_bits_of_f64"}
_FROM_BITS: Final = {NumberType.F32: "ingen_f32_of_bits", NumberType.F64: "ingen_f64_of_bits"}


class Flat:
    """Writes the statements of one function that take values apart or put them together.

    `casts` collects the names of the bit casts that are called, by all instances that share it.
    """

    def __init__(self, types: CTypes, statements: Statements, casts: set[str]) -> None:
        self._types = types
        self._plan = types.plan
        self._out = statements
        self._casts = casts

    # --- Apart --------------------------------------------------------------------------------------------

    def lower(self, type_: Type, value: str) -> list[str]:
        """Expressions for the flat values of `value`, an expression without side effects."""
        kind = self._types.kind(type_)
        match kind:
            case Primitive.STRING | List() | Map():
                return [f"(int32_t)(intptr_t){member(value, 'ptr')}", f"(int32_t){member(value, 'len')}"]
            case Primitive.F32 | Primitive.F64:
                return [value]
            case Primitive.U64 | Primitive.S64:
                return [f"(int64_t){value}"]
            case Primitive() | Enum() | Flags():
                return [f"(int32_t){value}"]
            case Own() | Borrow():
                return [member(value, "handle")]
            case Record() | Tuple():
                parts = [field.type for field in kind.fields] if isinstance(kind, Record) else kind.types
                names = self._types.members[self._types.structure(type_)]
                return [
                    flat
                    for part, name in zip(parts, names, strict=True)
                    for flat in self.lower(part, member(value, name))
                ]
            case FixedLengthList(element, length):
                items = member(value, "items")
                return [flat for index in range(length) for flat in self.lower(element, f"{items}[{index}]")]
            case _:
                return self._lower_cases(type_, value)

    def _lower_cases(self, type_: Type, value: str) -> list[str]:
        layout = self._plan.layout(type_)
        assert layout.flat is not None, "what does not fit into flat values is passed in memory"
        tag, cases = self._cases(type_, value)
        discriminant = f"(int32_t){tag}"
        slots = [(core, self._out.fresh()) for core in layout.flat[1:]]
        for core, name in slots:
            self._out.add(f"{CORE_TYPES[core]} {name} = 0;")
        with_payload = [(label, payload, inner) for label, payload, inner in cases if payload is not None]
        if with_payload:
            with self._out.block(f"switch ({discriminant})"):
                for label, payload, inner in with_payload:
                    with self._out.block(f"case {label}:"):
                        self._fill(payload, inner, slots)
                        self._out.add("break;")
                self._out.add("default:")
                self._out.add("    break;")
        return [discriminant, *(name for _, name in slots)]

    def _fill(self, payload: Type, value: str, slots: Sequence[tuple[NumberType, str]]) -> None:
        have = self._plan.layout(payload).flat
        assert have is not None, "no larger than the whole"
        for flat, core, (want, slot) in zip(self.lower(payload, value), have, slots, strict=False):
            self._out.add(f"{slot} = {self._to_slot(flat, core, want)};")

    def _to_slot(self, flat: str, have: NumberType, want: NumberType) -> str:
        if have is want:
            return flat
        if have in _BITS_OF:
            flat = self._cast(_BITS_OF[have], flat)
            have = NumberType.I32 if have is NumberType.F32 else NumberType.I64
        return flat if have is want else f"(int64_t){flat}"

    # --- Together -----------------------------------------------------------------------------------------

    def lift(self, type_: Type, target: str, flats: Iterator[str]) -> None:
        """Write statements that give `target`, a place of the type, the value of the next flat values."""
        kind = self._types.kind(type_)
        match kind:
            case Primitive.STRING | List() | Map():
                pointer = self._pointer_type(type_)
                self._out.add(f"{member(target, 'ptr')} = ({pointer})(intptr_t){next(flats)};")
                self._out.add(f"{member(target, 'len')} = (size_t){next(flats)};")
            case Primitive.BOOL:
                self._out.add(f"{target} = {next(flats)} != 0;")
            case Primitive.F32 | Primitive.F64 | Primitive.S32 | Primitive.S64:
                self._out.add(f"{target} = {next(flats)};")
            case Primitive():
                self._out.add(f"{target} = ({PRIMITIVES[kind]}){next(flats)};")
            case Enum() | Flags():
                self._out.add(f"{target} = ({self._types.name(type_)}){next(flats)};")
            case Borrow() if not self._has_handle(type_):
                self._out.add(f"{target} = ({self._types.name(type_)})(intptr_t){next(flats)};")
            case Own() | Borrow():
                self._out.add(f"{member(target, 'handle')} = {next(flats)};")
            case Record() | Tuple():
                parts = [field.type for field in kind.fields] if isinstance(kind, Record) else kind.types
                names = self._types.members[self._types.structure(type_)]
                for part, name in zip(parts, names, strict=True):
                    self.lift(part, member(target, name), flats)
            case FixedLengthList(element, length):
                for index in range(length):
                    self.lift(element, f"{member(target, 'items')}[{index}]", flats)
            case _:
                self._lift_cases(type_, target, flats)

    def _lift_cases(self, type_: Type, target: str, flats: Iterator[str]) -> None:
        layout = self._plan.layout(type_)
        assert layout.flat is not None, "what does not fit into flat values is passed in memory"
        tag, cases = self._cases(type_, target)
        discriminant = next(flats)
        slots = [(core, next(flats)) for core in layout.flat[1:]]
        if isinstance(self._types.kind(type_), Variant):
            width = PRIMITIVES[Primitive(f"u{8 * (layout.discriminant_size or 1)}")]
            self._out.add(f"{tag} = ({width}){discriminant};")
        else:
            self._out.add(f"{tag} = {discriminant} != 0;")
        with_payload = [(label, payload, inner) for label, payload, inner in cases if payload is not None]
        if not with_payload:
            return
        with self._out.block(f"switch ({discriminant})"):
            for label, payload, inner in with_payload:
                with self._out.block(f"case {label}:"):
                    want = self._plan.layout(payload).flat
                    assert want is not None, "no larger than the whole"
                    own = [
                        self._from_slot(slot, have, core)
                        for (have, slot), core in zip(slots, want, strict=False)
                    ]
                    self.lift(payload, inner, iter(own))
                    self._out.add("break;")
            self._out.add("default:")
            self._out.add("    break;")

    def _from_slot(self, slot: str, have: NumberType, want: NumberType) -> str:
        if have is want:
            return slot
        if want is NumberType.F64:
            return self._cast(_FROM_BITS[want], slot)
        narrow = f"(int32_t){slot}" if have is NumberType.I64 else slot
        return self._cast(_FROM_BITS[want], narrow) if want is NumberType.F32 else narrow

    # --- Both ---------------------------------------------------------------------------------------------

    def _cast(self, name: str, value: str) -> str:
        self._casts.add(name)
        return f"{name}({value})"

    def _cases(self, type_: Type, value: str) -> tuple[str, list[tuple[str, Type | None, str]]]:
        """The expression of the discriminant; for each case its label, payload and where that is."""
        val = member(value, "val")
        match self._types.kind(type_):
            case Variant(cases):
                structure = self._types.structure(type_)
                names = zip(
                    self._types.constants[structure], cases, self._types.members[structure], strict=True
                )
                return member(value, "tag"), [
                    (constant, case.type, f"{val}.{name}") for constant, case, name in names
                ]
            case Option(some):
                return member(value, "is_some"), [("1", some, val)]
            case Result(ok, err):
                return member(value, "is_err"), [("0", ok, f"{val}.ok"), ("1", err, f"{val}.err")]
            case _:
                raise AssertionError("no type with cases")

    def _has_handle(self, type_: Type) -> bool:
        match self._types.kind(type_):
            case Borrow(resource):
                return self._types.resource(resource).rep is None
            case _:
                return True

    def _pointer_type(self, type_: Type) -> str:
        return "char *" if self._types.kind(type_) is Primitive.STRING else self._types.element_pointer(type_)
