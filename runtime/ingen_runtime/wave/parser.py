"""WAVE text as values of a type."""

from __future__ import annotations

import difflib
import math
import struct
from collections.abc import Callable, Iterable
from typing import Any, Final, NoReturn, TypeVar

from ingen_runtime.canonical.classes import ValueClasses
from ingen_runtime.canonical.values import Err, Ok, Some
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
from ingen_runtime.wave.tokens import KEYWORDS, Token, TokenKind, WaveError, tokens, unescape

_T = TypeVar("_T")


def parse_value(text: str, type_: ValType, classes: ValueClasses) -> Any:
    """The value of `type_` that is all of `text`.

    Raises: WaveError.
    """
    parser = _Parser(text, classes)
    value = parser.value(type_)
    if parser.token.kind is not TokenKind.END:
        parser.fail("the end of the text")
    return value


class _Parser:
    """Reads tokens with one of them ahead."""

    def __init__(self, text: str, classes: ValueClasses) -> None:
        self._text = text
        self._classes = classes
        self._tokens = tokens(text)
        self.token = next(self._tokens)

    def fail(self, expected: str, token: Token | None = None) -> NoReturn:
        """Raise the error for a token that is not what was expected."""
        token = token or self.token
        raise WaveError(f"expected {expected}, found {token}", self._text, token.offset)

    def _wrong(self, message: str, token: Token) -> NoReturn:
        raise WaveError(message, self._text, token.offset)

    def _advance(self) -> Token:
        token = self.token
        if token.kind is not TokenKind.END:
            self.token = next(self._tokens)
        return token

    def _at(self, *texts: str) -> bool:
        return self.token.text in texts and self.token.kind in (TokenKind.PUNCTUATION, TokenKind.WORD)

    def _take(self, text: str) -> bool:
        if self._at(text):
            self._advance()
            return True
        return False

    def _want(self, text: str) -> None:
        if not self._take(text):
            self.fail(f"`{text}`")

    def value(self, type_: ValType) -> Any:
        """A value of a type."""
        match type_:
            case PrimitiveType():
                return self._primitive(type_)
            case RecordType():
                return self._record(type_)
            case VariantType():
                return self._variant(type_)
            case EnumType(labels):
                label = self._case(type_, labels)
                return list(self._classes.enum(type_))[labels.index(label)]
            case FlagsType():
                return self._flags(type_)
            case ListType(element):
                return self._list(element, type_)
            case FixedListType(element, length):
                start = self.token
                items = self._list(element, type_)
                if len(items) != length:
                    self._wrong(
                        f"expected {length} elements for {val_type_text(type_)}, found {len(items)}", start
                    )
                return items
            case MapType():
                return self._map(type_)
            case TupleType(types):
                return self._tuple(types, type_)
            case OptionType(some):
                return self._option(some, type_)
            case ResultType():
                return self._result(type_)
            case OwnType() | BorrowType() | StreamType() | FutureType():
                return self._wrong(f"values of the type {val_type_text(type_)} have no text form", self.token)

    # Primitive types.

    def _primitive(self, type_: PrimitiveType) -> Any:
        match type_:
            case PrimitiveType.BOOL:
                if not self._at("true", "false"):
                    self.fail("`true` or `false`")
                return self._advance().text == "true"
            case PrimitiveType.F32 | PrimitiveType.F64:
                return self._float(type_)
            case PrimitiveType.CHAR:
                if self.token.kind is not TokenKind.CHAR:
                    self.fail("a char, as in `'x'`")
                return unescape(self._advance(), self._text)
            case PrimitiveType.STRING:
                if self.token.kind not in (TokenKind.STRING, TokenKind.LINES):
                    self.fail('a string in quotes, as in `"text"`')
                return unescape(self._advance(), self._text)
            case PrimitiveType.ERROR_CONTEXT:
                return self._wrong("values of the type error-context have no text form", self.token)
            case _:
                return self._integer(type_)

    def _integer(self, type_: PrimitiveType) -> int:
        bits = int(type_.value[1:])
        low = -(1 << bits - 1) if type_.value.startswith("s") else 0
        high = low + (1 << bits) - 1
        token = self.token
        if token.kind is not TokenKind.NUMBER or not token.text.removeprefix("-").isdigit():
            self.fail(f"an integer for {type_.value}")
        if len(token.text) > _MOST_DIGITS or not low <= int(token.text) <= high:
            self._wrong(f"{type_.value} is from {low} to {high}, not {token.text:.40}", token)
        return int(self._advance().text)

    def _float(self, type_: PrimitiveType) -> float:
        token = self.token
        if self._at("inf", "nan") or token.text == "-inf":
            return float(self._advance().text)
        if token.kind is not TokenKind.NUMBER:
            self.fail(f"a number for {type_.value}")
        number = float(token.text)
        if type_ is PrimitiveType.F32 and math.isfinite(number):
            try:
                (number,) = struct.unpack("<f", struct.pack("<f", number))
            except OverflowError:
                number = math.inf
        if math.isinf(number):
            self._wrong(f"{token} is too large for {type_.value}", token)
        self._advance()
        return number

    # Types with labels.

    def _label(self, what: str) -> Token:
        if self.token.kind is not TokenKind.WORD:
            self.fail(what)
        return self._advance()

    def _known(self, token: Token, labels: Iterable[str], what: str, type_: ValType) -> str:
        label = token.text.removeprefix("%")
        labels = list(labels)
        if label not in labels:
            near = difflib.get_close_matches(label, labels, n=1) or labels[:8]
            known = " or ".join(f"`{each}`" for each in near)
            self._wrong(f"{val_type_text(type_)} has no {what} `{label}`: is it {known}?", token)
        return label

    def _case(self, type_: ValType, labels: Iterable[str]) -> str:
        token = self._label(f"a case of {val_type_text(type_)}")
        if token.text in KEYWORDS:
            if token.text in labels:
                self._wrong(
                    f"the case `{token.text}` is written `%{token.text}`, it is also a keyword", token
                )
            self.fail(f"a case of {val_type_text(type_)}", token)
        return self._known(token, labels, "case", type_)

    def _record(self, type_: RecordType) -> Any:
        start = self.token
        types = {field.label: field.type for field in type_.fields}
        found: dict[str, Any] = {}
        self._open("{", type_)
        if self._take(":"):
            self._want("}")
        else:

            def entry() -> None:
                token = self._label("a field's label")
                label = self._known(token, types, "field", type_)
                if label in found:
                    self._wrong(f"the field `{label}` is there twice", token)
                self._want(":")
                found[label] = self.value(types[label])

            self._separated(entry, "}")
        for label, field_type in types.items():
            if label not in found:
                if not isinstance(field_type, OptionType):
                    self._wrong(f"the field `{label}` of {val_type_text(type_)} is missing", start)
                found[label] = None
        return self._classes.record(type_).class_(*[found[label] for label in types])

    def _variant(self, type_: VariantType) -> Any:
        labels = [case.label for case in type_.cases]
        label = self._case(type_, labels)
        index = labels.index(label)
        class_, payload = self._classes.variant(type_).cases[index], type_.cases[index].type
        if payload is None:
            if self._at("("):
                self._wrong(f"the case `{label}` has no payload", self.token)
            return class_()
        return class_(self._payload(payload))

    def _payload(self, type_: ValType) -> Any:
        self._want("(")
        value = self.value(type_)
        self._want(")")
        return value

    def _flags(self, type_: FlagsType) -> Any:
        bits = 0
        self._open("{", type_)

        def entry() -> None:
            nonlocal bits
            token = self._label("a flag's label")
            bit = 1 << type_.labels.index(self._known(token, type_.labels, "flag", type_))
            if bits & bit:
                self._wrong(f"the flag `{token.text}` is there twice", token)
            bits |= bit

        self._separated(entry, "}")
        return self._classes.flags(type_)(bits)

    # Types with elements.

    def _open(self, bracket: str, type_: ValType) -> None:
        if not self._take(bracket):
            self.fail(f"`{bracket}` for {val_type_text(type_)}")

    def _separated(self, entry: Callable[[], _T], end: str) -> list[_T]:
        """Entries with commas between them, the last one's optional, and the closing bracket."""
        entries: list[_T] = []
        while not self._take(end):
            entries.append(entry())
            if not self._take(",") and not self._at(end):
                self.fail(f"`,` or `{end}`")
        return entries

    def _list(self, element: ValType, type_: ValType) -> list[Any] | bytes:
        self._open("[", type_)
        items = self._separated(lambda: self.value(element), "]")
        return bytes(items) if element is PrimitiveType.U8 else items

    def _map(self, type_: MapType) -> dict[Any, Any]:
        pair = TupleType((type_.key, type_.value))
        entries: dict[Any, Any] = {}
        self._open("[", type_)

        def entry() -> None:
            token = self.token
            key, value = self.value(pair)
            if key in entries:
                self._wrong("this key is there twice", token)
            entries[key] = value

        self._separated(entry, "]")
        return entries

    def _tuple(self, types: tuple[ValType, ...], type_: ValType) -> tuple[Any, ...]:
        start, values = self.token, list[Any]()
        self._open("(", type_)

        def entry() -> None:
            if len(values) == len(types):
                self.fail(f"`)`: {val_type_text(type_)} has {len(types)} elements")
            values.append(self.value(types[len(values)]))

        self._separated(entry, ")")
        if len(values) < len(types):
            self._wrong(f"{val_type_text(type_)} has {len(types)} elements, here are {len(values)}", start)
        return tuple(values)

    # Types whose first case may be written without its label.

    def _option(self, some: ValType, type_: ValType) -> Any:
        if self._take("none"):
            return None
        if self._take("some"):
            value = self._payload(some)
        elif isinstance(some, OptionType | ResultType):
            self.fail(f"`some(...)` or `none` for {val_type_text(type_)}")
        else:
            value = self.value(some)
        return Some(value) if isinstance(some, OptionType) else value

    def _result(self, type_: ResultType) -> Any:
        for word, payload, class_ in (("ok", type_.ok, Ok), ("err", type_.err, Err)):
            if self._take(word):
                if payload is not None:
                    return class_(self._payload(payload))
                if self._at("("):
                    self._wrong(f"`{word}` of {val_type_text(type_)} has no payload", self.token)
                return class_()
        if type_.ok is None or isinstance(type_.ok, OptionType | ResultType):
            self.fail(f"`ok` or `err` for {val_type_text(type_)}")
        return Ok(self.value(type_.ok))


_MOST_DIGITS: Final = 20
"""Of a 64-bit integer, sign included."""
