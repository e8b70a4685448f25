"""The two kinds of values that generated code makes and reads: the host's, and those between two components.

A style writes expressions; where a value has to be looked at twice, it is given as a name.
"""

from __future__ import annotations

import enum
from typing import Any, Final

from ingen_runtime.canonical import check
from ingen_runtime.canonical.classes import ValueClasses
from ingen_runtime.canonical.source import Source
from ingen_runtime.canonical.values import Err, Ok, Some
from ingen_runtime.component.types import (
    EnumType,
    FlagsType,
    OptionType,
    PrimitiveType,
    RecordType,
    ResultType,
    TupleType,
    VariantType,
)

CaseTypes = VariantType | OptionType | ResultType


class _FlagsByBits(dict[int, Any]):
    """The flags objects by their bits; makes those that are missing, and keeps a limited number."""

    _LIMIT: Final = 4096

    def __init__(self, class_: type[enum.Flag]) -> None:
        super().__init__()
        self._class = class_

    def __missing__(self, bits: int) -> Any:
        flags = self._class(bits)
        if len(self) < self._LIMIT:
            self[bits] = flags
        return flags


def _tuple(parts: list[str]) -> str:
    return f"({', '.join(parts)}{',' if len(parts) == 1 else ''})"


class RawStyle:
    """Values on their way from one component to another: no classes, nothing to check.

    Records are tuples, variants `(index, payload)`, enums and flags integers, chars code points, maps lists
    of tuples, handles reps.
    """

    is_host = False

    def __init__(self, source: Source) -> None:
        self.source = source

    def constructor(self, type_: RecordType | TupleType) -> str | None:
        """The name of what makes a record from its fields; None where it is a tuple."""
        return None

    def record(self, type_: RecordType | TupleType, parts: list[str]) -> str:
        """A record or tuple from its fields."""
        return _tuple(parts)

    def case(self, type_: CaseTypes, index: int, payload: str | None) -> str:
        """A variant's, option's or result's case."""
        return f"({index}, {payload})"

    def enum(self, type_: EnumType, index: str) -> str:
        """An enum's member, of a valid index."""
        return index

    def flags(self, type_: FlagsType, bits: str) -> str:
        """Flags of known bits."""
        return bits

    def char(self, code_point: str) -> str:
        """A char of a valid code point."""
        return code_point

    def fields(self, type_: RecordType | TupleType, value: str) -> list[str]:
        """Expressions for the fields of a record or tuple; may write statements."""
        count = len(type_.types if isinstance(type_, TupleType) else type_.fields)
        names = [self.source.name("f") for _ in range(count)]
        self.source.line(f"{_tuple(names)} = {value}")
        return names

    def cases(self, type_: CaseTypes, value: str) -> tuple[list[tuple[str, str]], bool]:
        """For each case a condition and an expression for the payload, and whether the conditions leave room
        for other values.
        """
        count = len(type_.cases) if isinstance(type_, VariantType) else 2
        return [(f"{value}[0] == {index}", f"{value}[1]") for index in range(count)], False

    def index(self, type_: EnumType, value: str) -> str:
        """The index of an enum's member."""
        return value

    def bits(self, type_: FlagsType, value: str) -> str:
        """The bits of flags."""
        return value

    def code_point(self, value: str) -> str:
        """The code point of a char."""
        return value

    def truth(self, value: str) -> str:
        """0 or 1 for a bool."""
        return value

    def integer(self, type_: PrimitiveType, value: str, is_flat: bool) -> str:
        """An integer that struct checks the range of; `is_flat` where it packs to 32 or 64 bits."""
        return value


class HostStyle(RawStyle):
    """The host's values: Python classes, everything checked."""

    is_host = True

    def __init__(self, source: Source, classes: ValueClasses) -> None:
        super().__init__(source)
        self.classes = classes

    def constructor(self, type_: RecordType | TupleType) -> str | None:
        if isinstance(type_, TupleType):
            return None
        return self.source.constant(self.classes.record(type_).class_, "Record")

    def record(self, type_: RecordType | TupleType, parts: list[str]) -> str:
        constructor = self.constructor(type_)
        return _tuple(parts) if constructor is None else f"{constructor}({', '.join(parts)})"

    def case(self, type_: CaseTypes, index: int, payload: str | None) -> str:
        match type_:
            case OptionType(some):
                if payload is None:
                    return "None"
                return f"{self.source.constant(Some, 'Some')}({payload})" if _nests(some) else payload
            case ResultType():
                side = self.source.constant(Err, "Err") if index else self.source.constant(Ok, "Ok")
                return f"{side}({payload or ''})"
            case VariantType():
                class_ = self.classes.variant(type_).cases[index]
                if payload is None:
                    # The cases without a payload have no state: one object serves all.
                    return self.source.constant(class_(), "case")
                return f"{self.source.constant(class_, 'Case')}({payload})"

    def enum(self, type_: EnumType, index: str) -> str:
        class_ = self.classes.enum(type_)
        return f"{self._once(('members', class_), lambda: tuple(class_))}[{index}]"

    def flags(self, type_: FlagsType, bits: str) -> str:
        class_ = self.classes.flags(type_)
        return f"{self._once(('flags', class_), lambda: _FlagsByBits(class_))}[{bits}]"

    def char(self, code_point: str) -> str:
        return f"chr({code_point})"

    def fields(self, type_: RecordType | TupleType, value: str) -> list[str]:
        if isinstance(type_, RecordType):
            return [f"{value}.{attribute}" for attribute in self.classes.record(type_).attributes]
        with self.source.block(f"if not isinstance({value}, tuple):"):
            self.source.line(f"raise TypeError({value})")
        return super().fields(type_, value)

    def cases(self, type_: CaseTypes, value: str) -> tuple[list[tuple[str, str]], bool]:
        match type_:
            case OptionType(some) if _nests(some):
                some_class = self.source.constant(Some, "Some")
                found = [(f"{value} is None", "None"), (f"type({value}) is {some_class}", f"{value}.value")]
                return found, True
            case OptionType():
                return [(f"{value} is None", "None"), ("True", value)], False
            case ResultType():
                classes: tuple[type[Any], ...] = (Ok, Err)
            case VariantType():
                classes = self.classes.variant(type_).cases
        class_ = self.source.name("class")
        self.source.line(f"{class_} = type({value})")
        return [
            (f"{class_} is {self.source.constant(each, 'Case')}", f"{value}.value") for each in classes
        ], True

    def index(self, type_: EnumType, value: str) -> str:
        # By id: hashing an enum member runs Python code. The class keeps its members alive.
        class_ = self.classes.enum(type_)
        self.source.constant(class_, "Enum")
        indices = self._once(
            ("indices", class_), lambda: {id(member): index for index, member in enumerate(class_)}
        )
        return f"{indices}[id({value})]"

    def bits(self, type_: FlagsType, value: str) -> str:
        class_ = self.source.constant(self.classes.flags(type_), "Flags")
        fallback = self.source.constant(check.to_bits, "to_bits")
        return f"({value}._value_ if type({value}) is {class_} else {fallback}({value}))"

    def code_point(self, value: str) -> str:
        return f"{self.source.constant(check.lower_char, 'lower_char')}({value})"

    def truth(self, value: str) -> str:
        fallback = self.source.constant(check.lower_bool, "lower_bool")
        return f"(1 if {value} is True else 0 if {value} is False else {fallback}({value}))"

    def integer(self, type_: PrimitiveType, value: str, is_flat: bool) -> str:
        if is_flat and type_ in (PrimitiveType.S8, PrimitiveType.S16):
            # Sign-extended to 32 bits, so struct does not see the narrow range.
            low, high = check.INTEGER_RANGES[type_]
            narrow = check.to_s8 if type_ is PrimitiveType.S8 else check.to_s16
            fallback = self.source.constant(narrow, "to_int")
            return (
                f"({value} if type({value}) is int and {low} <= {value} <= {high} else {fallback}({value}))"
            )
        fallback = self.source.constant(check.to_int, "to_int")
        return f"({value} if type({value}) is int else {fallback}({value}))"

    def _once(self, key: tuple[str, object], make: Any) -> str:
        """A constant that is made once for each key."""
        made = self.classes.plans.setdefault(key, None)
        if made is None:
            made = self.classes.plans[key] = make()
        return self.source.constant(made)


def _nests(some: object) -> bool:
    """Whether the values of an option's inner type can be None."""
    return isinstance(some, OptionType)
