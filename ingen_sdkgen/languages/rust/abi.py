"""How values cross: the expressions that load, store, lift and lower them, and the functions these call.

Four ways lead out of or into the guest, and one tidies up:

- *load* and *lift* make an owned value of what lies in memory or in core values;
- *store* and *lower* pass a view of a value, which keeps what it refers to, and gives its `own` handles away;
- *put* moves an owned value into memory for the caller to read, and *free* frees that after it was read.

For a type whose code does not fit in an expression, a function is written into the module `_ingen`, once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ingen_runtime.canonical.layout import CoreType
from ingen_sdkgen.languages.casing import snake_case
from ingen_sdkgen.languages.kinds import types_in
from ingen_sdkgen.languages.rust.modules import ABI_PATH, Path
from ingen_sdkgen.languages.rust.names import Names, identifier, snake
from ingen_sdkgen.languages.rust.types import RustTypes
from ingen_sdkgen.languages.rust.values import Value, as_view, place, reference, view
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
    TypeId,
    Variant,
)

_MAX_NAME_LENGTH = 72

CORE = {CoreType.I32: "i32", CoreType.I64: "i64", CoreType.F32: "f32", CoreType.F64: "f64"}

_ZERO = {CoreType.I32: "0", CoreType.I64: "0", CoreType.F32: "0.0", CoreType.F64: "0.0"}

# Into a slot that several payloads share, and out of it.
_TO_SLOT = {
    (CoreType.I32, CoreType.I64): "{} as u32 as i64",
    (CoreType.F32, CoreType.I32): "{}.to_bits() as i32",
    (CoreType.F32, CoreType.I64): "{}.to_bits() as i64",
    (CoreType.F64, CoreType.I64): "{}.to_bits() as i64",
}
_FROM_SLOT = {
    (CoreType.I32, CoreType.I64): "{} as i32",
    (CoreType.F32, CoreType.I32): "f32::from_bits({} as u32)",
    (CoreType.F32, CoreType.I64): "f32::from_bits({} as u32)",
    (CoreType.F64, CoreType.I64): "f64::from_bits({} as u64)",
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
        """The pattern, which binds `value` if the case carries something; `unit` writes `()` if it does not."""
        if self.type is not None:
            return f"{self.path}(value)"
        return f"{self.path}(())" if unit else self.path

    def make(self, value: str | None, unit: bool) -> str:
        """The expression that makes the case."""
        if value is not None:
            return f"{self.path}({value})"
        return f"{self.path}(())" if unit else self.path


class Abi:
    """Writes the expressions, and collects the functions that they need."""

    def __init__(self, types: RustTypes) -> None:
        self.types = types
        self.plan = types.plan
        self._names = Names()
        self._known: dict[tuple[str, str], str] = {}
        self._functions: dict[str, AbiFunctionView] = {}

    @property
    def functions(self) -> tuple[AbiFunctionView, ...]:
        """The functions of `_ingen` that the expressions so far need, by name."""
        return tuple(self._functions[name] for name in sorted(self._functions))

    def code(self, at: Path) -> Code:
        """Expressions for code in the module `at`."""
        return Code(self, at)

    def function(self, operation: str, type_: Type) -> str:
        """The name of the function for a type, which is written if it is not there yet."""
        type_ = self.plan.canonical(type_)
        key = (operation, self.types.owned(type_, ABI_PATH))
        name = self._known.get(key)
        if name is None:
            name = self._names.allot(f"{operation}_{self._label(type_)}"[:_MAX_NAME_LENGTH])
            self._known[key] = name
            self._functions[name] = _Writer(self).write(operation, name, type_)
        return name

    def _label(self, type_: Type) -> str:
        """A type as a part of a name, which it may share with other types."""
        if isinstance(type_, Primitive):
            return snake_case(type_.value)
        planned = self.plan.types[type_]
        if planned.name is not None:
            assert planned.scope is not None, "a named type has a scope"
            module = self.types.modules.path_of(planned.scope)[-1:]
            return "_".join([*module, snake_case(planned.name)])
        word = snake(type(planned.kind).__name__.replace("FixedLengthList", "array"))
        return "_".join([word, *map(self._label, types_in(planned.kind))])


class Code:
    """The expressions for code in one module.

    `pointer` is always an expression of type `*mut u8`, and `scratch` one of type `&mut _ingen::Scratch`.
    """

    def __init__(self, abi: Abi, at: Path) -> None:
        self._abi = abi
        self._types = abi.types
        self._plan = abi.plan
        self.at = at
        self.prefix = "" if at == ABI_PATH else "_ingen::"

    def owned(self, type_: Type, lifetime: str = "'_") -> str:
        """The owned form of a type."""
        return self._types.owned(type_, self.at, lifetime)

    def _call(self, operation: str, type_: Type, *arguments: str) -> str:
        return f"{self.prefix}{self._abi.function(operation, type_)}({', '.join(arguments)})"

    def _kind(self, type_: Type) -> object:
        return type_ if isinstance(type_, Primitive) else self._plan.types[type_].kind

    def _handle_path(self, kind: Own | Borrow) -> str:
        return self._types.path(kind.resource, self.at, borrow=isinstance(kind, Borrow))

    # --- Into the guest ---------------------------------------------------------------------------------

    def load(self, type_: Type, pointer: str) -> str:
        """The owned value at a pointer."""
        type_ = self._plan.canonical(type_)
        if self._types.is_plain(type_):
            return f"{self.prefix}read::<{self.owned(type_)}>({pointer})"
        match self._kind(type_):
            case Primitive():
                return f"{self.prefix}load_string({pointer})"
            case List(element) if self._types.is_plain(element):
                return f"{self.prefix}load_block::<{self.owned(element)}>({pointer})"
            case List() | Map() as kind:
                word, arguments = self._load_elements(type_, kind)
                return f"{self.prefix}load_{word}({pointer}, {arguments})"
            case Own() | Borrow() as kind:
                return f"{self._handle_path(kind)}::_ingen_lift({self.prefix}read::<u32>({pointer}))"
            case _:
                return self._call("load", type_, pointer)

    def lift(self, type_: Type, flat: Sequence[str]) -> str:
        """The owned value of core values."""
        type_ = self._plan.canonical(type_)
        match self._kind(type_):
            case Primitive() as primitive:
                return self._lift_primitive(primitive, flat)
            case List(element) if self._types.is_plain(element):
                return f"{self.prefix}lift_block::<{self.owned(element)}>({flat[0]}, {flat[1]})"
            case List() | Map() as kind:
                word, arguments = self._load_elements(type_, kind)
                return f"{self.prefix}lift_{word}({flat[0]}, {flat[1]}, {arguments})"
            case Own() | Borrow() as kind:
                return f"{self._handle_path(kind)}::_ingen_lift({flat[0]} as u32)"
            case Flags():
                size = self._plan.layout(type_).size
                return f"{self.owned(type_)}::_ingen_lift({flat[0]} as u{8 * size})"
            case _:
                return self._call("lift", type_, *flat)

    def _lift_primitive(self, primitive: Primitive, flat: Sequence[str]) -> str:
        match primitive:
            case Primitive.BOOL:
                return f"{flat[0]} != 0"
            case Primitive.CHAR:
                return f"char::from_u32_unchecked({flat[0]} as u32)"
            case Primitive.STRING:
                return f"{self.prefix}lift_string({flat[0]}, {flat[1]})"
            case Primitive.S32 | Primitive.S64 | Primitive.F32 | Primitive.F64:
                return flat[0]
            case _:
                return f"{flat[0]} as {self.owned(primitive)}"

    def _load_elements(self, type_: Type, kind: List | Map) -> tuple[str, str]:
        match kind:
            case List(element):
                layout = self._plan.layout(element)
                return "list", f"{layout.size}, {layout.alignment}, |at| {self.load(element, 'at')}"
            case Map(key, value):
                entry = self._plan.layout(type_).entry
                assert entry is not None, "a map has entries"
                loads = f"({self.load(key, 'at')}, {self.load(value, offset('at', entry.offsets[1]))})"
                return "map", f"{entry.size}, {entry.alignment}, |at| {loads}"

    # --- Out of the guest, with what is referred to staying -------------------------------------------------

    def store(self, type_: Type, value: Value, pointer: str, scratch: str) -> str:
        """The expression without a value that stores a view at a pointer."""
        shown = as_view(self._types, type_, value)
        type_ = self._plan.canonical(type_)
        if self._types.is_plain(type_):
            if isinstance(self._kind(type_), FixedLengthList):
                shown = shown[1:] if shown.startswith("&") else f"*{shown}"
            return f"{self.prefix}write::<{self.owned(type_)}>({pointer}, {shown})"
        match self._kind(type_):
            case Primitive():
                return f"{self.prefix}store_string({shown}, {pointer})"
            case List(element) if self._types.is_plain(element):
                return f"{self.prefix}store_block({shown}, {pointer})"
            case List() | Map() as kind:
                word, arguments = self._store_elements(type_, kind, scratch)
                return f"{self.prefix}store_{word}({shown}, {pointer}, {arguments})"
            case Own() | Borrow() as kind:
                return f"{self.prefix}write::<u32>({pointer}, {_method(shown, _lowering(kind))})"
            case _:
                return self._call("store", type_, shown, pointer, *self._scratch(type_, scratch))

    def lower(self, type_: Type, value: Value, scratch: str) -> str:
        """The core values of a view: a tuple of them, or the one there is."""
        shown = as_view(self._types, type_, value)
        type_ = self._plan.canonical(type_)
        match self._kind(type_):
            case Primitive() as primitive:
                return self._lower_primitive(primitive, shown)
            case List(element) if self._types.is_plain(element):
                return f"{self.prefix}lower_block({shown})"
            case List() | Map() as kind:
                word, arguments = self._store_elements(type_, kind, scratch)
                return f"{self.prefix}lower_{word}({shown}, {arguments})"
            case Own() | Borrow() as kind:
                return f"{_method(shown, _lowering(kind))} as i32"
            case Flags():
                return f"{_method(shown, 'bits')} as i32"
            case Enum():
                return f"{shown} as i32"
            case _:
                return self._call("lower", type_, shown, *self._scratch(type_, scratch))

    def _scratch(self, type_: Type, scratch: str) -> list[str]:
        return [scratch] if self._types.needs_scratch(type_) else []

    def _lower_primitive(self, primitive: Primitive, shown: str) -> str:
        match primitive:
            case Primitive.STRING:
                return f"{self.prefix}lower_string({shown})"
            case Primitive.S32 | Primitive.S64 | Primitive.F32 | Primitive.F64:
                return shown
            case Primitive.U64:
                return f"{shown} as i64"
            case _:
                return f"{shown} as i32"

    def _store_elements(self, type_: Type, kind: List | Map, scratch: str) -> tuple[str, str]:
        match kind:
            case List(element):
                layout = self._plan.layout(element)
                inner = "scratch" if self._types.needs_scratch(element) else "_"
                stores = self.store(element, reference("value"), "at", "scratch")
                return "list", f"{layout.size}, {layout.alignment}, {scratch}, |value, at, {inner}| {stores}"
            case Map(key, value):
                entry = self._plan.layout(type_).entry
                assert entry is not None, "a map has entries"
                inner = "scratch" if self._types.needs_scratch(value) else "_"
                stores = "; ".join(
                    [
                        self.store(key, reference("key"), "at", "scratch"),
                        self.store(value, reference("value"), offset("at", entry.offsets[1]), "scratch"),
                    ]
                )
                closure = f"|key, value, at, {inner}| {{ {stores} }}"
                return "map", f"{entry.size}, {entry.alignment}, {scratch}, {closure}"

    # --- Out of the guest, for good -----------------------------------------------------------------------

    def put(self, type_: Type, value: str, pointer: str) -> str:
        """The expression without a value that moves an owned value to a pointer."""
        canonical = self._plan.canonical(type_)
        if self._types.is_copy(type_):
            return self.store(type_, place(value), pointer, "")
        match self._kind(canonical):
            case Primitive():
                return f"{self.prefix}put_string({value}, {pointer})"
            case List(element) if self._types.is_plain(element):
                return f"{self.prefix}put_block({value}, {pointer})"
            case List(element):
                layout = self._plan.layout(element)
                arguments = (
                    f"{layout.size}, {layout.alignment}, |value, at| {self.put(element, 'value', 'at')}"
                )
                return f"{self.prefix}put_list({value}, {pointer}, {arguments})"
            case Map(key, element):
                entry = self._plan.layout(canonical).entry
                assert entry is not None, "a map has entries"
                puts = (
                    f"{self.put(key, 'key', 'at')}; "
                    f"{self.put(element, 'value', offset('at', entry.offsets[1]))}"
                )
                arguments = f"{entry.size}, {entry.alignment}, |key, value, at| {{ {puts} }}"
                return f"{self.prefix}put_map({value}, {pointer}, {arguments})"
            case Own():
                return f"{self.prefix}write::<u32>({pointer}, {value}._ingen_lower())"
            case _:
                return self._call("put", canonical, value, pointer)

    def free(self, type_: Type, pointer: str) -> str:
        """The expression without a value that frees what the value at a pointer refers to."""
        type_ = self._plan.canonical(type_)
        match self._kind(type_):
            case Primitive():
                return f"{self.prefix}free_block({pointer}, 1, 1)"
            case List(element):
                layout = self._plan.layout(element)
                sizes = f"{layout.size}, {layout.alignment}"
                if not self._plan.owns_memory(element):
                    return f"{self.prefix}free_block({pointer}, {sizes})"
                return f"{self.prefix}free_list({pointer}, {sizes}, |at| {self.free(element, 'at')})"
            case Map(key, element):
                entry = self._plan.layout(type_).entry
                assert entry is not None, "a map has entries"
                sizes = f"{entry.size}, {entry.alignment}"
                frees = [
                    self.free(inner, offset("at", at))
                    for inner, at in zip((key, element), entry.offsets, strict=True)
                    if self._plan.owns_memory(inner)
                ]
                if not frees:
                    return f"{self.prefix}free_block({pointer}, {sizes})"
                body = frees[0] if len(frees) == 1 else f"{{ {'; '.join(frees)} }}"
                return f"{self.prefix}free_list({pointer}, {sizes}, |at| {body})"
            case _:
                return self._call("free", type_, pointer)


def _lowering(kind: Own | Borrow) -> str:
    """The method that gives a handle: an `own` handle is gone afterwards."""
    return "_ingen_lower" if isinstance(kind, Own) else "_ingen_handle"


def _method(receiver: str, name: str) -> str:
    """The call of a method, which references and dereferences the receiver as it needs."""
    return f"{receiver.lstrip('&*')}.{name}()"


def offset(pointer: str, bytes_: int) -> str:
    """A pointer moved on."""
    return f"{pointer}.add({bytes_})" if bytes_ else pointer


class _Writer:
    """Writes the functions of `_ingen`."""

    def __init__(self, abi: Abi) -> None:
        self._abi = abi
        self._types = abi.types
        self._plan = abi.plan
        self._code = abi.code(ABI_PATH)

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

    def _flat(self, type_: Type) -> tuple[CoreType, ...]:
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


def tuple_of(parts: Sequence[str]) -> str:
    """A tuple, or the one part there is."""
    return parts[0] if len(parts) == 1 else f"({', '.join(parts)})"


def _convert(table: dict[tuple[CoreType, CoreType], str], have: CoreType, want: CoreType, text: str) -> str:
    return text if have is want else table[have, want].format(text)


def _straight(signature: str, statements: list[str], value: str) -> AbiFunctionView:
    return AbiFunctionView(signature, tuple(statements), value, False, "", ())
