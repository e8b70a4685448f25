"""The expressions that load, store, lift and lower values; `abi` says what these words mean."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from ingen_runtime.core_types import CoreValType, NumberType
from ingen_sdkgen.languages.rust.modules import ABI_PATH, Path
from ingen_sdkgen.languages.rust.types import RustTypes
from ingen_sdkgen.languages.rust.values import Value, as_view, place, reference
from ingen_sdkgen.model import (
    Borrow,
    Enum,
    FixedLengthList,
    Flags,
    List,
    Map,
    Own,
    Primitive,
    Type,
)

CORE: Final[dict[CoreValType, str]] = {
    NumberType.I32: "i32",
    NumberType.I64: "i64",
    NumberType.F32: "f32",
    NumberType.F64: "f64",
}


class Code:
    """The expressions for code in one module.

    `function` gives the name of a function of `_ingen` that does an operation (`load`, `lift`, `store`,
    `lower`, `put`, `free`) for a type: what does not fit in an expression is left to it.

    `pointer` is always an expression of type `*mut u8`, and `scratch` one of type `&mut _ingen::Scratch`.
    """

    def __init__(self, types: RustTypes, function: Callable[[str, Type], str], at: Path) -> None:
        self._types = types
        self._plan = types.plan
        self._function = function
        self.at = at
        self.prefix = "" if at == ABI_PATH else "_ingen::"

    def owned(self, type_: Type, lifetime: str = "'_") -> str:
        """The owned form of a type."""
        return self._types.owned(type_, self.at, lifetime)

    def _call(self, operation: str, type_: Type, *arguments: str) -> str:
        return f"{self.prefix}{self._function(operation, type_)}({', '.join(arguments)})"

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


def tuple_of(parts: Sequence[str]) -> str:
    """A tuple, or the one part there is."""
    return parts[0] if len(parts) == 1 else f"({', '.join(parts)})"
