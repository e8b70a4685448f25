"""Implements any import by its type: functions return a plain value of their result type."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ingen_runtime.canonical import Ok, ValueClasses
from ingen_runtime.component.component import Component
from ingen_runtime.component.interface import ItemInfo
from ingen_runtime.component.types import (
    BorrowType,
    EnumType,
    FixedListType,
    FlagsType,
    FuncType,
    ListType,
    MapType,
    OptionType,
    OwnType,
    PrimitiveType,
    RecordType,
    ResultType,
    TupleType,
    ValType,
    VariantType,
)

P = PrimitiveType


class StubResource:
    """Stands for every resource."""


class StubHost:
    """The imports of a component. `calls` has what was called, with its arguments.

    `replaced` brings functions by `interface#function`, without a version.
    """

    def __init__(
        self, component: Component, replaced: Mapping[str, Callable[..., Any]] | None = None
    ) -> None:
        self.calls: list[tuple[str, tuple[Any, ...]]] = []
        self._classes = component.classes
        self._replaced = dict(replaced or {})
        self.imports = {name: self._item(name, item) for name, item in component.imports.items()}

    def _item(self, path: str, item: ItemInfo) -> Any:
        if item.func is not None:
            return self._func(path, item.func)
        if item.kind == "resource":
            return StubResource
        interface = path.partition("@")[0]
        return {name: self._item(f"{interface}#{name}", inner) for name, inner in item.items.items()}

    def _func(self, path: str, type_: FuncType) -> Callable[..., Any]:
        replaced = self._replaced.get(path)

        def call(*arguments: Any) -> Any:
            self.calls.append((path, arguments))
            if replaced is not None:
                return replaced(*arguments)
            if isinstance(type_.result, ResultType):
                return None if type_.result.ok is None else plain_value(type_.result.ok, self._classes)
            return None if type_.result is None else plain_value(type_.result, self._classes)

        return call


def plain_value(type_: ValType, classes: ValueClasses) -> Any:
    """A value of a type: zero, empty, or the first case."""

    def plain(inner: ValType) -> Any:
        return plain_value(inner, classes)

    match type_:
        case P.BOOL:
            return False
        case P.F32 | P.F64:
            return 0.0
        case P.CHAR:
            return "\0"
        case P.STRING:
            return ""
        case PrimitiveType():
            return 0
        case ListType(P.U8):
            return b""
        case ListType():
            return []
        case FixedListType(element, length):
            return [plain(element)] * length
        case MapType():
            return {}
        case RecordType(fields):
            return classes.record(type_).class_(*[plain(field.type) for field in fields])
        case TupleType(types):
            return tuple(map(plain, types))
        case VariantType(cases):
            class_ = classes.variant(type_).cases[0]
            return class_() if cases[0].type is None else class_(plain(cases[0].type))
        case EnumType():
            return next(iter(classes.enum(type_)))
        case FlagsType():
            return classes.flags(type_)(0)
        case OptionType():
            return None
        case ResultType(ok, _):
            return Ok() if ok is None else Ok(plain(ok))
        case OwnType() | BorrowType():
            return StubResource()
        case _:
            raise TypeError(f"there is no plain value of {type_}")
