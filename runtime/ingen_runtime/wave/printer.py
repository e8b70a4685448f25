"""Values as WAVE text."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from ingen_runtime.canonical.classes import ValueClasses
from ingen_runtime.canonical.values import Ok, Some
from ingen_runtime.component.type_text import val_type_text
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
    TupleType,
    ValType,
    VariantType,
)
from ingen_runtime.wave.tokens import KEYWORDS, WaveError


def print_value(value: Any, type_: ValType, classes: ValueClasses) -> str:
    """The text of a value that fits `type_`. A record's options without a value are left out.

    Raises: WaveError for types without a text form.
    """

    def payload(inner: ValType | None) -> str:
        return "" if inner is None else f"({print_value(value.value, inner, classes)})"

    match type_:
        case PrimitiveType():
            return _primitive(value, type_)
        case RecordType(fields):
            inners = [getattr(value, attribute) for attribute in classes.record(type_).attributes]
            texts = [
                f"{field.label}: {print_value(inner, field.type, classes)}"
                for field, inner in zip(fields, inners, strict=True)
                if inner is not None or not isinstance(field.type, OptionType)
            ]
            return f"{{{', '.join(texts) or ':'}}}"
        case VariantType(cases):
            case_ = cases[classes.variant(type_).cases.index(type(value))]
            return _label(case_.label) + payload(case_.type)
        case EnumType(labels):
            return _label(labels[list(classes.enum(type_)).index(value)])
        case FlagsType(labels):
            return f"{{{', '.join(label for bit, label in enumerate(labels) if value.value >> bit & 1)}}}"
        case ListType(element) | FixedListType(element):
            return f"[{', '.join(print_value(inner, element, classes) for inner in value)}]"
        case MapType(key, item):
            pair = TupleType((key, item))
            return f"[{', '.join(print_value(inner, pair, classes) for inner in value.items())}]"
        case TupleType(types):
            texts = [print_value(inner, each, classes) for inner, each in zip(value, types, strict=True)]
            return f"({', '.join(texts)})"
        case OptionType(some):
            if value is None:
                return "none"
            return f"some({print_value(value.value if isinstance(value, Some) else value, some, classes)})"
        case ResultType(ok, err):
            return f"ok{payload(ok)}" if isinstance(value, Ok) else f"err{payload(err)}"
        case OwnType() | BorrowType() | StreamType() | FutureType():
            raise WaveError(f"values of the type {val_type_text(type_)} have no text form")


def _label(label: str) -> str:
    return f"%{label}" if label in KEYWORDS else label


def _primitive(value: Any, type_: PrimitiveType) -> str:
    match type_:
        case PrimitiveType.BOOL:
            return "true" if value else "false"
        case PrimitiveType.F32:
            return _float(value, _shortest_f32)
        case PrimitiveType.F64:
            return _float(value, repr)
        case PrimitiveType.CHAR:
            return f"'{_escaped(value, _CHAR_QUOTE)}'"
        case PrimitiveType.STRING:
            return f'"{_escaped(value, _STRING_QUOTE)}"'
        case PrimitiveType.ERROR_CONTEXT:
            raise WaveError("values of the type error-context have no text form")
        case _:
            return str(value)


def _float(value: float, digits: Callable[[float], str]) -> str:
    if math.isnan(value):
        return "nan"
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    return digits(float(value)).removesuffix(".0")


def _shortest_f32(value: float) -> str:
    """The fewest digits that give this 32-bit float again."""
    for precision in range(1, 9):
        short = float(f"{value:.{precision}g}")
        with suppress(OverflowError):
            if struct.pack("<f", short) == struct.pack("<f", value):
                return repr(short)
    return f"{value:.9g}"


_CHAR_QUOTE, _STRING_QUOTE = "'", '"'
_ESCAPED = {"\t": "\\t", "\n": "\\n", "\r": "\\r", "\\": "\\\\"}


def _escaped(text: str, quote: str) -> str:
    return "".join([_escaped_character(character, quote) for character in text])


def _escaped_character(character: str, quote: str) -> str:
    if character in _ESCAPED:
        return _ESCAPED[character]
    if character == quote:
        return f"\\{quote}"
    return character if character.isprintable() else f"\\u{{{ord(character):x}}}"
