"""Text to tokens.

The scanner works on bytes, so that offsets are byte offsets, and knows no context: a keyword is a keyword
wherever it stands, and `%` makes it an identifier.

Source: WIT.md, "Lexical structure".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ingen_sdkgen.diagnostics import WitSyntaxError
from ingen_sdkgen.model import Span

ID = "ID"
INTEGER = "INTEGER"
VERSION = "VERSION"
STRING = "STRING"
END = "$END"


@dataclass(slots=True)
class Token:
    """A token; `type` is the grammar's terminal, `text` the source text, an identifier's without its `%`.

    In `text`, a character stands for a byte: see `unescape` for what a string literal says.
    """

    type: str
    text: str
    start: int
    end: int


@dataclass(slots=True)
class TokenStream:
    """The tokens of a file, the last one an `END`.

    `comments` holds, by the offset of the token that they precede, the comments before a token.
    """

    tokens: list[Token]
    comments: dict[int, list[tuple[int, int]]]


# White space first, then one token or comment, or nothing where neither follows.
_SCAN = re.compile(
    r"""
    (?: [ \t\n] | \r\n )*
    (?:
        ( %? [A-Za-z\x80-\xff] [A-Za-z0-9_\x80-\xff-]* | % (?=[^A-Za-z]) | _ [A-Za-z0-9_\x80-\xff-]+ )
    |   ( // [^\n]* )
    |   ( /\* )
    |   ( -> | [{}()<>=,:;@./*_] )
    |   ( [0-9]+ \. [0-9]+ \. [0-9]+
            (?: - (?: [0-9A-Za-z-]+ (?: \. [0-9A-Za-z-]+ )* )? )?
            (?: \+ (?: [0-9A-Za-z-]+ (?: \. [0-9A-Za-z-]+ )* )? )? )
    |   ( [0-9]+ )
    |   ( " (?: [^"\\\n] | \\ [^\n] )* " )
    )?
    """,
    re.VERBOSE,
)
# The groups of `_SCAN`; `None` is what `lastindex` gives where none matched.
_WORD, _LINE_COMMENT, _BLOCK_COMMENT, _PUNCTUATION, _VERSION, _INTEGER, _STRING = range(1, 8)
_VALUE_TERMINALS = {_VERSION: VERSION, _INTEGER: INTEGER, _STRING: STRING}
_COMMENT_EDGE = re.compile(rb"/\*|\*/")

# An identifier is words joined by hyphens, each all lower or all upper case; the first starts with a letter.
_IDENTIFIER = re.compile(
    r"(?:[a-z][a-z0-9]*|[A-Z][A-Z0-9]*)(?:-(?:[a-z0-9]+|[A-Z0-9]+))*\Z",
)

# Characters that can make a text look other than it reads, or that Unicode advises against. WIT.md, "Lexical
# structure", and the code points that Unicode marks as deprecated.
_BANNED = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"
    "\u202a-\u202e\u2066-\u2069"
    "\u0149\u0673\u0f77\u0f79\u17a3\u17a4\u17b4\u17b5]"
)

_ESCAPES = {b'"': b'"', b"'": b"'", b"\\": b"\\", b"n": b"\n", b"t": b"\t", b"r": b"\r"}
# An escape: a code point, a byte or a character; or what a literal cannot have as it is.
_ESCAPE = re.compile(
    rb"\\(?: u\{ ([0-9a-fA-F]+ (?:_+ [0-9a-fA-F]+)*) \} | ([0-9a-fA-F]{2}) | (.) ) | [\t\r]",
    re.DOTALL | re.VERBOSE,
)

RESERVED = ("from",)
"""Words that are keywords, though no rule of the grammar uses them."""


def scan(data: bytes, file: int, keywords: Mapping[str, str]) -> tuple[TokenStream, list[WitSyntaxError]]:
    """Split a UTF-8 text without byte order mark into tokens.

    `keywords` maps each literal of the grammar (words and punctuation) to its terminal. What is no token is
    reported and skipped, so that one stray character hides no other error.
    """
    errors = _check_characters(data, file)
    if errors:
        return TokenStream([Token(END, "", len(data), len(data))], {}), errors
    tokens: list[Token] = []
    comments: dict[int, list[tuple[int, int]]] = {}
    pending: list[tuple[int, int]] = []
    # One character a byte, so that offsets are byte offsets. What is not ASCII is decoded where it counts.
    text = data.decode("latin-1")
    match = _SCAN.match
    at, end = 0, len(data)
    while at < end:
        found = match(text, at)
        assert found is not None, "every part of the pattern is optional"
        kind = found.lastindex
        if kind is None:
            at = found.end()
            if at < end:
                at = _report_stray(data, at, file, errors)
            continue
        start, at = found.span(kind)
        if kind == _LINE_COMMENT:
            pending.append((start, at))
            continue
        if kind == _BLOCK_COMMENT:
            at = _end_of_block(data, start, file, errors)
            pending.append((start, at))
            continue
        word = found[kind]
        if kind == _WORD:
            terminal = keywords.get(word)
            if terminal is None:
                terminal = ID
                if word[0] == "%":
                    word = word[1:]
                if not _IDENTIFIER.match(word):
                    errors.append(_bad_identifier(data[start:at].decode(), Span(file, start, at)))
        elif kind == _PUNCTUATION:
            terminal = keywords.get(word, word)
        else:
            terminal = _VALUE_TERMINALS[kind]
        tokens.append(Token(terminal, word, start, at))
        if pending:
            comments[start] = pending
            pending = []
    tokens.append(Token(END, "", end, end))
    if pending:
        comments[end] = pending
    return TokenStream(tokens, comments), errors


def unescape(token: Token, file: int) -> str:
    """The value of a string literal.

    Raises: WitSyntaxError where an escape is unknown, a tab or carriage return is not written as an escape,
        or the bytes that escapes make are not UTF-8.
    """
    value = bytearray()
    body, at = token.text[1:-1].encode("latin-1"), 0
    for found in _ESCAPE.finditer(body):
        value += body[at : found.start()]
        at = found.end()
        digits, byte, character = found.groups()
        code_point = -1 if digits is None else int(digits.replace(b"_", b""), 16)
        if 0 <= code_point < 0xD800 or 0xDFFF < code_point < 0x110000:
            value += chr(code_point).encode()
        elif byte is not None:
            value.append(int(byte, 16))
        elif character in _ESCAPES:
            value += _ESCAPES[character]
        else:
            start = token.start + 1 + found.start()
            raise _bad_in_string(found[0], Span(file, start, start + len(found[0])))
    value += body[at:]
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise WitSyntaxError(
            "the bytes of this string are not UTF-8", Span(file, token.start, token.end)
        ) from None


def _bad_in_string(text: bytes, span: Span) -> WitSyntaxError:
    if text in (b"\t", b"\r"):
        name, escape = ("tab", "\\t") if text == b"\t" else ("carriage return", "\\r")
        return WitSyntaxError(f"a {name} in a string", span, hint=f"write `{escape}`")
    shown = text.decode("utf-8", "replace")
    return WitSyntaxError(
        f"`{shown if len(shown) <= 60 else shown[:60] + '…'}` is no escape in a string",
        span,
        hint="known escapes are \\\" \\' \\\\ \\n \\r \\t, \\ with two hex digits, and \\u{…}",
    )


def _check_characters(data: bytes, file: int) -> list[WitSyntaxError]:
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        return [
            WitSyntaxError(
                "the file is not valid UTF-8",
                Span(file, error.start, error.end),
                hint="save it as UTF-8",
            )
        ]
    errors = []
    for found in _BANNED.finditer(text):
        at = found.start() if text.isascii() else len(text[: found.start()].encode())
        errors.append(
            WitSyntaxError(
                f"the character U+{ord(found[0]):04X} is not allowed in WIT",
                Span(file, at, at + len(found[0].encode())),
                hint="remove it: it is invisible or deprecated, and can hide what the text says",
            )
        )
        if len(errors) == 10:
            break
    return errors


def _report_stray(data: bytes, at: int, file: int, errors: list[WitSyntaxError]) -> int:
    """Report what starts no token at `at`; return where to go on."""
    character = data[at : at + 4].decode("utf-8", "ignore")[0]
    length = len(character.encode())
    if character == '"':
        line_end = data.find(b"\n", at)
        stop = len(data) if line_end < 0 else line_end
        errors.append(WitSyntaxError("this string has no end on its line", Span(file, at, stop)))
        return stop
    if character == "\r":
        message, hint = (
            "a carriage return without a line feed",
            "use LF or CRLF line ends",
        )
    else:
        message, hint = f"`{character}` starts nothing in WIT", None
    if len(errors) < 20:
        errors.append(WitSyntaxError(message, Span(file, at, at + length), hint=hint))
    return at + length


def _end_of_block(data: bytes, start: int, file: int, errors: list[WitSyntaxError]) -> int:
    """The end of the block comment at `start`; block comments nest."""
    depth, at = 1, start + 2
    while depth:
        edge = _COMMENT_EDGE.search(data, at)
        if edge is None:
            errors.append(
                WitSyntaxError(
                    "this block comment has no end",
                    Span(file, start, start + 2),
                    hint="block comments nest: each `/*` needs its own `*/`",
                )
            )
            return len(data)
        depth += 1 if edge[0] == b"/*" else -1
        at = edge.end()
    return at


def _bad_identifier(text: str, span: Span) -> WitSyntaxError:
    shown = text if len(text) <= 60 else text[:60] + "…"
    bare = text.removeprefix("%")
    hint = "identifiers are kebab-case: words of lower (or upper) case letters and digits, joined by `-`"
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+", bare)
    kebab = re.sub(r"-([0-9])", r"\1", "-".join(word.lower() for word in words))
    if kebab and kebab != bare and len(kebab) <= 60 and _IDENTIFIER.match(kebab):
        hint += f"; `{kebab}` would be one"
    return WitSyntaxError(f"`{shown}` is not an identifier", span, hint=hint)
