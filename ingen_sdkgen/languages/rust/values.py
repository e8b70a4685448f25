"""Expressions of generated code, and how one form of a value is reached from another."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from ingen_sdkgen.languages.rust.types import RustTypes
from ingen_sdkgen.model import (
    Borrow,
    FixedLengthList,
    List,
    Map,
    Option,
    Own,
    Primitive,
    Result,
    Tuple,
    Type,
)


class Form(enum.Enum):
    """What the text of an expression stands for, with T the owned form of its type."""

    PLACE = "a place of type T, which may be moved out of only if T is Copy"
    REFERENCE = "a reference to a T"
    VIEW = "the viewed form of T"


@dataclass(frozen=True, slots=True)
class Value:
    """An expression."""

    text: str
    form: Form

    @property
    def reference(self) -> str:
        """A reference to the value; not for views."""
        return self.text if self.form is Form.REFERENCE else f"&{self.text}"

    @property
    def place(self) -> str:
        """The place of the value; not for views."""
        return f"*{self.text}" if self.form is Form.REFERENCE else self.text


def place(text: str) -> Value:
    """An expression that is a place."""
    return Value(text, Form.PLACE)


def reference(text: str) -> Value:
    """An expression that is a reference to the owned form."""
    return Value(text, Form.REFERENCE)


def view(text: str) -> Value:
    """An expression that is a view."""
    return Value(text, Form.VIEW)


def as_view(types: RustTypes, type_: Type, value: Value) -> str:
    """The viewed form of a value. Nothing is moved or copied but what is `Copy`."""
    if value.form is Form.VIEW:
        return value.text
    target = types.plan.dealias(type_)
    kind = None if isinstance(target, Primitive) else types.plan.types[target].kind
    match kind:
        case FixedLengthList():
            return value.reference
        case _ if types.is_copy(type_):
            return value.place
        case None:
            return f"{value.text}.as_str()"
        case List():
            return f"{value.text}.as_slice()"
        case Map() | Own():
            return value.reference
        case Borrow():
            return f"{value.text}._ingen_target()"
        case Option(element):
            inner = as_view(types, element, reference("value"))
            mapped = "" if inner == "value" else f".map(|value| {inner})"
            return f"{value.text}.as_ref(){mapped}"
        case Result(ok, err):
            ok_view = "()" if ok is None else as_view(types, ok, reference("value"))
            err_view = "()" if err is None else as_view(types, err, reference("value"))
            ok_pattern, err_pattern = ("()" if part is None else "value" for part in (ok, err))
            return (
                f"match {value.reference} {{ Ok({ok_pattern}) => Ok({ok_view}), "
                f"Err({err_pattern}) => Err({err_view}) }}"
            )
        case Tuple(parts):
            views = [as_view(types, part, place(f"{value.text}.{i}")) for i, part in enumerate(parts)]
            return f"({', '.join(views)}{',' if len(views) == 1 else ''})"
        case _:
            return value.reference
