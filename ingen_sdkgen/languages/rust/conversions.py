"""The functions of the module `_ingen` that convert values of one type; see `abi` for what they do."""

from __future__ import annotations

from dataclasses import dataclass

from ingen_runtime.core_types import NumberType
from ingen_sdkgen.languages.rust.expressions import CORE, Code, offset, tuple_of
from ingen_sdkgen.languages.rust.modules import ABI_PATH
from ingen_sdkgen.languages.rust.names import identifier
from ingen_sdkgen.languages.rust.types import RustTypes
from ingen_sdkgen.languages.rust.values import Value, place, reference, view
from ingen_sdkgen.model import (
    Enum,
    FixedLengthList,
    Option,
    Primitive,
    Record,
    Result,
    Tuple,
    Type,
    TypeId,
    Variant,
)

_ZERO = {NumberType.I32: "0", NumberType.I64: "0", NumberType.F32: "0.0", NumberType.F64: "0.0"}

# Into a slot that several payloads share, and out of it.
_TO_SLOT = {
    (NumberType.I32, NumberType.I64): "{} as u32 as i64",
    (NumberType.F32, NumberType.I32): "{}.to_bits() as i32",
    (NumberType.F32, NumberType.I64): "{}.to_bits() as i64",
    (NumberType.F64, NumberType.I64): "{}.to_bits() as i64",
}
_FROM_SLOT = {
    (NumberType.I32, NumberType.I64): "{} as i32",
    (NumberType.F32, NumberType.I32): "f32::from_bits({} as u32)",
    (NumberType.F32, NumberType.I64): "f32::from_bits({} as u32)",
    (NumberType.F64, NumberType.I64): "f64::from_bits({} as u64)",
}

_DISCRIMINANTS = {1: "u8", 2: "u16", 4: "u32"}


@dataclass(frozen=True, slots=True)
class ArmView:
    """An arm of a `match`."""

    pattern: str
    statements: tuple[str, ...]
    value: str


@dataclass(frozen=True, slots=True)
class AbiFunctionView:
    """A function of the module `_ingen`: statements, then a value or a `match` on `subject`."""

    signature: str
    statements: tuple[str, ...]
    value: str
    matches: bool
    subject: str
    arms: tuple[ArmView, ...]


@dataclass(frozen=True, slots=True)
class _Case:
    """A case of what is a variant at the ABI: the pattern `Path(value)` and what it carries."""

    path: str
    type: Type | None

    def pattern(self, unit: bool) -> str:
        """The pattern, which binds `value` if the case carries one; if not, `unit` makes it a `()`."""
        if self.type is not None:
            return f"{self.path}(value)"
        return f"{self.path}(())" if unit else self.path

    def make(self, value: str | None, unit: bool) -> str:
        """The expression that makes the case."""
        if value is not None:
            return f"{self.path}({value})"
        return f"{self.path}(())" if unit else self.path


class Writer:
    """Writes the functions, with the expressions of `code`."""

    def __init__(self, types: RustTypes, code: Code) -> None:
        self._types = types
        self._plan = types.plan
        self._code = code

    def write(self, operation: str, name: str, type_: Type) -> AbiFunctionView:
        """The function for an operation on a type."""
        assert not isinstance(type_, Primitive), "primitives need no functions"
        kind = self._plan.types[type_].kind
        match operation:
            case "load":
                signature = f"{name}<'a>(at: *mut u8) -> {self._owned(type_)}"
            case "store":
                scratch = ", scratch: &mut Scratch" if self._types.needs_scratch(type_) else ""
                signature = f"{name}(value: {self._types.viewed(type_, ABI_PATH)}, at: *mut u8{scratch})"
            case "put":
                signature = f"{name}(value: {self._owned(type_)}, at: *mut u8)"
            case "free":
                signature = f"{name}(at: *mut u8)"
            case "lift":
                params = ", ".join(f"a{i}: {CORE[core]}" for i, core in enumerate(self._flat(type_)))
                signature = f"{name}<'a>({params}) -> {self._owned(type_)}"
            case _:
                scratch = ", scratch: &mut Scratch" if self._types.needs_scratch(type_) else ""
                cores = tuple_of([CORE[core] for core in self._flat(type_)])
                signature = f"{name}(value: {self._types.viewed(type_, ABI_PATH)}{scratch}) -> {cores}"
        if "'a" not in signature.replace("<'a>(", "("):
            signature = signature.replace("<'a>(", "(")
        match kind:
            case Record() | Tuple() | FixedLengthList():
                return self._product(operation, signature, type_, kind)
            case Variant() | Option() | Result() | Enum():
                return self._sum(operation, signature, type_, kind)
            case _:
                raise AssertionError("written as expressions")

    def _owned(self, type_: Type) -> str:
        return self._types.owned(type_, ABI_PATH, "'a")

    def _flat(self, type_: Type) -> tuple[NumberType, ...]:
        flat = self._plan.layout(type_).flat
        assert flat is not None, "what has many core values is passed in memory"
        return flat

    # --- Records, tuples, arrays --------------------------------------------------------------------------

    def _product(
        self, operation: str, signature: str, type_: TypeId, kind: Record | Tuple | FixedLengthList
    ) -> AbiFunctionView:
        if isinstance(kind, FixedLengthList) and operation not in ("lift", "lower"):
            return self._array_in_memory(operation, signature, kind)
        parts = self._parts(type_, kind)
        layout = self._plan.layout(type_)
        offsets = layout.offsets
        statements: list[str] = []
        value = ""
        match operation:
            case "load":
                loads = [
                    self._code.load(part, offset("at", at))
                    for (_, part), at in zip(parts, offsets, strict=True)
                ]
                value = self._construct(type_, kind, loads)
            case "store":
                for (field, part), at in zip(parts, offsets, strict=True):
                    # In the view of a tuple the parts are views already.
                    shown = self._part_of_view(type_, kind, field)
                    statements.append(self._code.store(part, shown, offset("at", at), "scratch") + ";")
            case "put":
                for (field, part), at in zip(parts, offsets, strict=True):
                    statements.append(self._code.put(part, f"value.{field}", offset("at", at)) + ";")
            case "free":
                for (_, part), at in zip(parts, offsets, strict=True):
                    if self._plan.owns_memory(part):
                        statements.append(self._code.free(part, offset("at", at)) + ";")
            case "lift":
                position, lifts = 0, []
                for _, part in parts:
                    count = len(self._flat(part))
                    lifts.append(self._code.lift(part, [f"a{position + i}" for i in range(count)]))
                    position += count
                value = self._construct(type_, kind, lifts)
            case _:
                names: list[str] = []
                if isinstance(kind, FixedLengthList):
                    statements.append(f"let [{', '.join(f'v{i}' for i in range(kind.length))}] = value;")
                for field, part in parts:
                    shown = self._part_of_view(type_, kind, field)
                    if len(parts) == 1:
                        return _straight(signature, statements, self._code.lower(part, shown, "scratch"))
                    bound = [f"a{len(names) + i}" for i in range(len(self._flat(part)))]
                    statements.append(f"let {tuple_of(bound)} = {self._code.lower(part, shown, 'scratch')};")
                    names += bound
                value = tuple_of(names)
        return _straight(signature, statements, value)

    def _parts(self, type_: TypeId, kind: Record | Tuple | FixedLengthList) -> list[tuple[str, Type]]:
        match kind:
            case Record(fields):
                names = map(identifier, self._types.members(type_))
                return [(name, field.type) for name, field in zip(names, fields, strict=True)]
            case Tuple(types):
                return [(str(i), part) for i, part in enumerate(types)]
            case FixedLengthList(element, length):
                return [(f"v{i}", element) for i in range(length)]

    def _part_of_view(self, type_: TypeId, kind: Record | Tuple | FixedLengthList, field: str) -> Value:
        match kind:
            case FixedLengthList():
                return reference(field)
            case Tuple() if not self._types.is_copy(type_):
                return view(f"value.{field}")
            case _:
                return place(f"value.{field}")

    def _construct(self, type_: TypeId, kind: Record | Tuple | FixedLengthList, values: list[str]) -> str:
        match kind:
            case Record():
                fields = "".join(
                    f"    {name}: {value},\n"
                    for (name, _), value in zip(self._parts(type_, kind), values, strict=True)
                )
                return f"{self._types.path(type_, ABI_PATH)} {{\n{fields}}}"
            case Tuple():
                return f"({', '.join(values)}{',' if len(values) == 1 else ''})"
            case FixedLengthList():
                return f"[{', '.join(values)}]"

    def _array_in_memory(self, operation: str, signature: str, kind: FixedLengthList) -> AbiFunctionView:
        size = self._plan.layout(kind.type).size
        element = f"at.add(index * {size})"
        match operation:
            case "load":
                value = f"core::array::from_fn(|index| {self._code.load(kind.type, element)})"
                return _straight(signature, [], value)
            case "store":
                step = self._code.store(kind.type, reference("value"), element, "scratch")
                loop = "for (index, value) in value.iter().enumerate()"
            case "put":
                step = self._code.put(kind.type, "value", element)
                loop = "for (index, value) in value.into_iter().enumerate()"
            case _:
                step = self._code.free(kind.type, element)
                loop = f"for index in 0..{kind.length}"
        return _straight(signature, [f"{loop} {{\n    {step};\n}}"], "")

    # --- Variants, options, results, enums ----------------------------------------------------------------

    def _sum(
        self, operation: str, signature: str, type_: TypeId, kind: Variant | Option | Result | Enum
    ) -> AbiFunctionView:
        layout = self._plan.layout(type_)
        assert layout.discriminant_size is not None and layout.payload_offset is not None, "a variant"
        discriminant = _DISCRIMINANTS[layout.discriminant_size]
        payload = offset("at", layout.payload_offset)
        unit = isinstance(kind, Result)
        cases = self._cases(type_, kind)
        arms: list[ArmView] = []
        # The view of an option or result has views in it, unless it is the owned form because it is Copy.
        if self._types.is_copy(type_):
            bound = place("value")
        elif isinstance(kind, Variant):
            bound = reference("value")
        else:
            bound = view("value")
        for number, case in enumerate(cases):
            mark = f"write::<{discriminant}>(at, {number});"
            match operation:
                case "load":
                    inner = None if case.type is None else self._code.load(case.type, payload)
                    arms.append(ArmView(str(number), (), case.make(inner, unit)))
                case "store":
                    stores = [mark]
                    if case.type is not None:
                        stores.append(self._code.store(case.type, bound, payload, "scratch") + ";")
                    arms.append(ArmView(case.pattern(unit), tuple(stores), ""))
                case "put":
                    stores = [mark]
                    if case.type is not None:
                        stores.append(self._code.put(case.type, "value", payload) + ";")
                    arms.append(ArmView(case.pattern(unit), tuple(stores), ""))
                case "free":
                    if case.type is not None and self._plan.owns_memory(case.type):
                        arms.append(ArmView(str(number), (), self._code.free(case.type, payload)))
                case "lift":
                    arms.append(ArmView(str(number), (), self._lift_case(type_, case, unit)))
                case _:
                    arms.append(self._lower_case(type_, number, case, unit, bound))
        match operation:
            case "load":
                subject = f"read::<{discriminant}>(at)"
                arms.append(ArmView("_", (), "invalid()"))
            case "free":
                subject = f"read::<{discriminant}>(at)"
                arms.append(ArmView("_", (), ""))
            case "lift":
                subject = "a0"
                arms.append(ArmView("_", (), "invalid()"))
            case _:
                subject = "value"
        return AbiFunctionView(signature, (), "", True, subject, tuple(arms))

    def _cases(self, type_: TypeId, kind: Variant | Option | Result | Enum) -> list[_Case]:
        match kind:
            case Option(element):
                return [_Case("None", None), _Case("Some", element)]
            case Result(ok, err):
                return [_Case("Ok", ok), _Case("Err", err)]
            case Variant(cases):
                path = self._types.path(type_, ABI_PATH)
                names = self._types.members(type_)
                return [_Case(f"{path}::{name}", case.type) for name, case in zip(names, cases, strict=True)]
            case Enum():
                path = self._types.path(type_, ABI_PATH)
                return [_Case(f"{path}::{name}", None) for name in self._types.members(type_)]

    def _lift_case(self, type_: TypeId, case: _Case, unit: bool) -> str:
        if case.type is None:
            return case.make(None, unit)
        slots = self._flat(type_)[1:]
        flat = [
            _convert(_FROM_SLOT, have, want, f"a{i}")
            for i, (have, want) in enumerate(zip(self._flat(case.type), slots, strict=False), 1)
        ]
        return case.make(self._code.lift(case.type, flat), unit)

    def _lower_case(self, type_: TypeId, number: int, case: _Case, unit: bool, bound: Value) -> ArmView:
        slots = self._flat(type_)[1:]
        statements: tuple[str, ...] = ()
        values = [str(number)]
        if case.type is not None:
            have = self._flat(case.type)
            names = [f"a{i}" for i in range(len(have))]
            statements = (f"let {tuple_of(names)} = {self._code.lower(case.type, bound, 'scratch')};",)
            values += [
                _convert(_TO_SLOT, core, want, name)
                for core, want, name in zip(have, slots, names, strict=False)
            ]
        values += [_ZERO[want] for want in slots[len(values) - 1 :]]
        return ArmView(case.pattern(unit), statements, tuple_of(values))


def _convert(
    table: dict[tuple[NumberType, NumberType], str], have: NumberType, want: NumberType, text: str
) -> str:
    return text if have is want else table[have, want].format(text)


def _straight(signature: str, statements: list[str], value: str) -> AbiFunctionView:
    return AbiFunctionView(signature, tuple(statements), value, False, "", ())
