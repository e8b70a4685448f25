"""The functions that come with types: to make values, and to free what they own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import assert_never

from ingen_sdkgen.languages.c.statements import Statements, member
from ingen_sdkgen.languages.c.types import CTypes
from ingen_sdkgen.languages.casing import snake_case
from ingen_sdkgen.model import (
    Alias,
    Borrow,
    Enum,
    FixedLengthList,
    Flags,
    Future,
    List,
    Map,
    Option,
    Own,
    Primitive,
    Record,
    Resource,
    Result,
    Stream,
    Tuple,
    Type,
    TypeId,
    TypeKind,
    Variant,
)


@dataclass(frozen=True, slots=True)
class HelperView:
    """A function that comes with a type: what a declaration says, and the lines of its body.

    Those that are `inline_` are defined in the header, the others in the source.
    """

    docs: str | None
    declaration: str
    body: tuple[str, ...]
    inline_: bool = False


class Helpers:
    """Writes the functions that come with the types of a plan.

    What a released value refers to is freed twice over in two ways. For users (`TYPE_free`) handles are
    dropped too. After an export has returned, its result's handles belong to the caller, and only its memory
    is freed: where a type has both, `memory_free` names a second, internal function, and `internal` has those
    that were asked for.
    """

    def __init__(self, types: CTypes) -> None:
        self._types = types
        self._plan = types.plan
        self._memory_frees: dict[TypeId, str] = {}
        self.internal: list[HelperView] = []

    def all(self) -> list[HelperView]:
        """All functions for users, by type."""
        found: list[HelperView] = []
        for number, name in self._types.defined.items():
            planned = self._plan.types[number]
            if planned.canonical == number:
                found += self._makers(number, name, planned.kind)
            if number in self._types.frees:
                found.append(self._free(number, name))
        return found

    # --- To make ------------------------------------------------------------------------------------------

    def _makers(self, number: TypeId, name: str, kind: TypeKind) -> list[HelperView]:
        match kind:
            case List() | Map():
                return self._list_makers(number, name)
            case Option(some):
                return [
                    self._constructor(name, "some", ["made.is_some = true;"], some, "made.val"),
                    self._constructor(name, "none", ["made.is_some = false;"], None, ""),
                ]
            case Result(ok, err):
                return [
                    self._constructor(name, "ok", ["made.is_err = false;"], ok, "made.val.ok"),
                    self._constructor(name, "err", ["made.is_err = true;"], err, "made.val.err"),
                ]
            case Variant(cases):
                parts = zip(cases, self._types.constants[number], self._types.members[number], strict=True)
                return [
                    self._constructor(
                        name,
                        snake_case(case.name),
                        [f"made.tag = {constant};"],
                        case.type,
                        f"made.val.{field}",
                    )
                    for case, constant, field in parts
                ]
            case _:
                return []

    def _constructor(
        self, name: str, label: str, lines: list[str], payload: Type | None, place: str
    ) -> HelperView:
        function = self._types.names.claim(name.removesuffix("_t"), label)
        out = Statements()
        out.add(f"{name} made;")
        for line in lines:
            out.add(line)
        parameter = "void"
        if payload is not None:
            out.add(f"{place} = val;")
            parameter = f"{self._types.name(payload)} val"
        out.add("return made;")
        return HelperView(None, f"{name} {function}({parameter})", tuple(out.lines), inline_=True)

    def _list_makers(self, number: TypeId, name: str) -> list[HelperView]:
        stem, pointer = name.removesuffix("_t"), self._types.element_pointer(number)
        maker = self._types.names.claim(stem, "make")
        copier = self._types.names.claim(stem, "copy")
        make, copy = Statements(), Statements()
        make.add(f"{name} made;")
        make.add(f"made.ptr = ({pointer})ingen_allocate(len, sizeof *made.ptr);")
        make.add("made.len = len;")
        make.add("return made;")
        copy.add(f"{name} made = {maker}(len);")
        with copy.block("for (size_t i = 0; i < len; i++)"):
            copy.add("made.ptr[i] = items[i];")
        copy.add("return made;")
        return [
            HelperView(
                "New memory for `len` elements, all of it zero.",
                f"{name} {maker}(size_t len)",
                tuple(make.lines),
            ),
            HelperView(
                "New memory with `len` elements from `items`; what these own becomes the list's.",
                f"{name} {copier}(const {pointer}items, size_t len)",
                tuple(copy.lines),
            ),
        ]

    # --- To free ------------------------------------------------------------------------------------------

    def _free(self, number: TypeId, name: str) -> HelperView:
        out = Statements()
        canonical = self._plan.canonical(number)
        if canonical == number:
            self._release_parts(number, "(*value)", out, memory_only=False)
        else:
            statement = self._release(number, "(*value)", memory_only=False)
            assert statement is not None, "there is something to free"
            out.add(statement)
        declaration = f"void {self._types.frees[number]}({name} *value)"
        return HelperView(
            "Free all that the value owns; the value itself is not freed.", declaration, tuple(out.lines)
        )

    def memory_free(self, type_: Type, value: str) -> str:
        """The statement that frees the memory that `value` refers to, but drops no handle."""
        statement = self._release(type_, value, memory_only=True)
        assert statement is not None, "asked for types that refer to memory"
        return statement

    def _release(self, type_: Type, value: str, *, memory_only: bool) -> str | None:
        """A statement that frees a value, an lvalue; None where there is nothing to do."""
        if memory_only and not self._plan.owns_memory(type_):
            return None
        canonical = self._plan.canonical(type_)
        address = value[2:-1] if value.startswith("(*") else f"&{value}"
        if isinstance(canonical, Primitive):
            return f"{self._types.string_free}({address});" if canonical is Primitive.STRING else None
        if not self._types.needs_free(canonical):
            return None
        match self._plan.types[canonical].kind:
            case Own(resource):
                return f"{self._types.resource(resource).own_drop}({value});"
            case Borrow(resource):
                return f"{self._types.resource(resource).borrow_drop}({value});"
            case _:
                pass
        if memory_only and self._has_handles(canonical):
            return f"{self._memory_free_function(canonical)}({address});"
        return f"{self._types.frees[canonical]}({address});"

    def _has_handles(self, canonical: TypeId) -> bool:
        planned = self._plan.types[canonical]
        return planned.has_own or planned.has_borrow

    def _memory_free_function(self, canonical: TypeId) -> str:
        if canonical not in self._memory_frees:
            name = self._types.defined[canonical]
            function = self._types.names.claim("ingen", name.removesuffix("_t"), "free_memory")
            self._memory_frees[canonical] = function
            out = Statements()
            self._release_parts(canonical, "(*value)", out, memory_only=True)
            declaration = f"static void {function}({name} *value)"
            self.internal.append(HelperView(None, declaration, tuple(out.lines)))
        return self._memory_frees[canonical]

    def _release_parts(self, number: TypeId, value: str, out: Statements, *, memory_only: bool) -> None:
        """Write what frees the parts of a value."""

        def release(type_: Type | None, part: str) -> str | None:
            return None if type_ is None else self._release(type_, part, memory_only=memory_only)

        val = member(value, "val")
        match self._plan.types[number].kind:
            case Record(fields):
                for field, name in zip(fields, self._types.members[number], strict=True):
                    _add(out, release(field.type, member(value, name)))
            case Tuple(types):
                for type_, name in zip(types, self._types.members[number], strict=True):
                    _add(out, release(type_, member(value, name)))
            case Variant(cases):
                names = zip(self._types.constants[number], self._types.members[number], strict=True)
                labels = [
                    (constant, release(case.type, f"{val}.{name}"))
                    for case, (constant, name) in zip(cases, names, strict=True)
                ]
                with out.block(f"switch ({member(value, 'tag')})"):
                    for label, statement in labels:
                        if statement is not None:
                            out.add(f"case {label}:")
                            out.add(f"    {statement}")
                            out.add("    break;")
                    out.add("default:")
                    out.add("    break;")
            case Option(some):
                with out.block(f"if ({member(value, 'is_some')})"):
                    _add(out, release(some, val))
            case Result(ok, err):
                for test, payload, place in (("!", ok, "ok"), ("", err, "err")):
                    statement = release(payload, f"{val}.{place}")
                    if statement is not None:
                        with out.block(f"if ({test}{member(value, 'is_err')})"):
                            out.add(statement)
            case List(element):
                item = f"{member(value, 'ptr')}[i]"
                _loop(out, member(value, "len"), [release(element, item)])
                _free_items(out, value)
            case Map(key, item_value):
                item = f"{member(value, 'ptr')}[i]"
                parts = [release(key, f"{item}.key"), release(item_value, f"{item}.value")]
                _loop(out, member(value, "len"), parts)
                _free_items(out, value)
            case FixedLengthList(element, length):
                _loop(out, str(length), [release(element, f"{member(value, 'items')}[i]")])
            case Enum() | Flags() | Alias() | Own() | Borrow() | Resource() | Future() | Stream():
                raise AssertionError("owns nothing by itself")
            case kind:
                assert_never(kind)


def _add(out: Statements, statement: str | None) -> None:
    if statement is not None:
        out.add(statement)


def _loop(out: Statements, count: str, statements: list[str | None]) -> None:
    if any(statement is not None for statement in statements):
        with out.block(f"for (size_t i = 0; i < {count}; i++)"):
            for statement in statements:
                _add(out, statement)


def _free_items(out: Statements, value: str) -> None:
    with out.block(f"if ({member(value, 'len')} > 0)"):
        out.add(f"free({member(value, 'ptr')});")
    out.add(f"{member(value, 'ptr')} = NULL;")
    out.add(f"{member(value, 'len')} = 0;")
