"""The tokens of WAVE, where errors are, and which types have a text form."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterator
from typing import Final

from ingen_runtime.canonical.layout import components_of
from ingen_runtime.component.types import (
    BorrowType,
    FutureType,
    OwnType,
    PrimitiveType,
    StreamType,
    ValType,
)
from ingen_runtime.errors import IngenError
from ingen_runtime.frozen import frozen

KEYWORDS: Final = frozenset({"true", "false", "some", "none", "ok", "err", "inf", "nan"})
"""What a label has to be told apart from, by a `%` in front."""


class WaveError(IngenError):
    """A text is no value of its type, or a value has no text.

    `offset` is the place in the text, in characters.
    """

    def __init__(self, message: str, text: str = "", offset: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.text = text
        self.offset = offset

    def render(self) -> str:
        """The message with the line that it is about, and a caret below the place."""
        start = self.text.rfind("\n", 0, self.offset) + 1
        end = self.text.find("\n", self.offset)
        line = self.text[start : end if end >= 0 else None].replace("\t", " ")
        column = self.offset - start
        first = max(0, column - _SHOWN_BEFORE)
        shown = line[first : column + _SHOWN_AFTER]
        dots = "..." if first else ""
        return f"{self.message}\n  {dots}{shown}\n  {' ' * (len(dots) + column - first)}^"


_SHOWN_BEFORE: Final = 60
_SHOWN_AFTER: Final = 40


class TokenKind(enum.Enum):
    """What a token is; the value says it in words."""

    PUNCTUATION = "punctuation"
    NUMBER = "a number"
    WORD = "a label or keyword"
    CHAR = "a char"
    STRING = "a string"
    LINES = "a multi-line string"
    END = "the end of the text"


@frozen
class Token:
    """A token: its text as written, and where it begins."""

    kind: TokenKind
    text: str
    offset: int

    def __str__(self) -> str:
        return self.kind.value if self.kind is TokenKind.END else f"`{self.text:.40}`"


_ESCAPE = r"\\(?:['\"tnr\\]|u\{[0-9a-fA-F]{1,6}\})"
_TOKEN: Final = re.compile(
    rf"""
    (?P<SPACE>       (?: [ \t\r\n] | //[^\n]* )+ )
  | (?P<PUNCTUATION> [{{}}()\[\]:,] )
  | (?P<NUMBER>      -?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?(?![0-9A-Za-z_.])
                   | -inf(?![-0-9A-Za-z]) )
  | (?P<WORD>        %?(?:[a-z][a-z0-9]*|[A-Z][A-Z0-9]*)(?:-(?:[a-z0-9]+|[A-Z0-9]+))*(?![-0-9A-Za-z_]) )
  | (?P<CHAR>        '(?:[^\\'\n]|{_ESCAPE})' )
  | (?P<LINES>       \"\"\".*?\"\"\" )
  | (?P<STRING>      "(?:[^\\"\n]|{_ESCAPE})*" )
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPES: Final = re.compile(r"\\(?:([^u])|u\{([0-9a-fA-F]{1,6})\})?", re.DOTALL)
_SIMPLE_ESCAPES: Final = {"'": "'", '"': '"', "t": "\t", "n": "\n", "r": "\r", "\\": "\\"}


def tokens(text: str) -> Iterator[Token]:
    """The tokens of a text, an END last.

    Raises: WaveError.
    """
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise WaveError(_unreadable(text, at), text, at)
        if found.lastgroup != "SPACE":
            assert found.lastgroup is not None
            yield Token(TokenKind[found.lastgroup], found[0], at)
        at = found.end()
    yield Token(TokenKind.END, "", at)


def _unreadable(text: str, at: int) -> str:
    match text[at]:
        case '"':
            return "this string has no end, or a line break or an unknown escape in it"
        case "'":
            return "this is no char: one character between quotes, or an escape"
        case character:
            word = re.match(r"[-%\w.]+", text[at:])
            return f"`{word[0] if word else character}` is no value and no label"


def unescape(token: Token, text: str) -> str:
    """The characters that a char or string token stands for.

    Raises: WaveError.
    """
    if token.kind is TokenKind.LINES:
        return "\n".join(_unescape(line, text, offset) for line, offset in _lines(token, text))
    return _unescape(token.text[1:-1], text, token.offset + 1)


def _unescape(escaped: str, text: str, offset: int) -> str:
    def replace(found: re.Match[str]) -> str:
        simple, code = found[1], found[2]
        if simple in _SIMPLE_ESCAPES:
            return _SIMPLE_ESCAPES[simple]
        if code is None:
            raise WaveError("an unknown escape", text, offset + found.start())
        number = int(code, 16)
        if number > 0x10FFFF or 0xD800 <= number <= 0xDFFF:
            raise WaveError("no Unicode character has this number", text, offset + found.start())
        return chr(number)

    return _ESCAPES.sub(replace, escaped) if "\\" in escaped else escaped


def _lines(token: Token, text: str) -> Iterator[tuple[str, int]]:
    """The lines of a multi-line string, without their indentation, and where they begin."""
    first, *lines = token.text[3:-3].split("\n")
    if first.removesuffix("\r") or not lines:
        raise WaveError('a line break must follow the opening `"""`', text, token.offset + 3)
    indentation = lines.pop()
    if indentation.strip(" "):
        message = 'the closing `"""` must be on a line of its own, after nothing but spaces'
        raise WaveError(message, text, token.offset + len(token.text) - 3)
    at = token.offset + 3 + len(first) + 1
    for line in lines:
        if not line.startswith(indentation):
            raise WaveError('this line is indented less than the closing `"""`', text, at)
        yield line.removeprefix(indentation).removesuffix("\r"), at + len(indentation)
        at += len(line) + 1


def textless_part(type_: ValType) -> ValType | None:
    """The first part of a type whose values have no text form, or None."""
    if isinstance(type_, OwnType | BorrowType | StreamType | FutureType):
        return type_
    if type_ is PrimitiveType.ERROR_CONTEXT:
        return type_
    for part in components_of(type_):
        found = textless_part(part)
        if found is not None:
            return found
    return None
