"""Tokens to syntax tree: drives the LALR automaton of `wit.lark` and goes on after an error.

The automaton is fed token by token, which gives three things that lark's own loop does not: offsets in bytes,
recovery at the next item, and a depth limit that needs no recursion.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any, Protocol

from lark import Lark
from lark.exceptions import UnexpectedToken
from lark.lexer import Lexer
from lark.lexer import Token as LarkToken
from lark.parsers.lalr_analysis import Shift

from ingen_sdkgen.diagnostics import WitSyntaxError, did_you_mean
from ingen_sdkgen.model import Primitive, Span
from ingen_sdkgen.wit import syntax
from ingen_sdkgen.wit.builder import TreeBuilder
from ingen_sdkgen.wit.tokens import END, RESERVED, Token, scan

MAX_NESTING = 100
"""How deep types, and packages, may nest."""

_MAX_SYNTAX_ERRORS = 20
# An item may start in a state of the automaton that has a transition for one of these.
_ITEM_RULES = ("interface", "interface_function", "import_item", "method", "nested_package")
# After an error, further ones are believed only when so many tokens were fine in between.
_TOKENS_TO_TRUST = 3


class _State(Protocol):
    """What recovery needs of lark's parser state."""

    state_stack: list[Any]
    value_stack: list[Any]

    def feed_token(self, token: Token, is_end: bool = False) -> Any: ...


class _NoLexer(Lexer):
    """Stands in for lark's own lexers: tokens come from `ingen_sdkgen.wit.tokens`."""

    def __init__(self, lexer_conf: object) -> None: ...

    def lex(self, lexer_state: object, parser_state: object) -> Iterator[LarkToken]:
        raise AssertionError("tokens are fed, not asked for")


@dataclass(slots=True)
class _Automaton:
    lark: Lark
    builder: TreeBuilder
    keywords: Mapping[str, str]
    literals: Mapping[str, str]


@functools.cache
def _automaton() -> _Automaton:
    grammar = resources.files("ingen_sdkgen.wit").joinpath("wit.lark").read_text(encoding="utf-8")
    builder = TreeBuilder()
    lark = Lark(
        grammar,
        start="file",
        parser="lalr",
        lexer=_NoLexer,
        transformer=builder,
        maybe_placeholders=True,
    )
    literals = {terminal.name: terminal.pattern.value for terminal in lark.terminals if terminal.pattern}
    keywords = {value: name for name, value in literals.items()}
    keywords |= {word: f"RESERVED_{word.upper()}" for word in RESERVED}
    return _Automaton(lark, builder, keywords, literals)


def parse_file(data: bytes, file: int) -> tuple[syntax.FileSyntax | None, list[WitSyntaxError]]:
    """Read the text of a file (UTF-8, no byte order mark); `file` is its index in the source map.

    Returns the syntax tree, and every independent error; where there are errors, the tree may lack items, or
    be None.
    """
    automaton = _automaton()
    stream, errors = scan(data, file, automaton.keywords)
    automaton.builder.begin(file, data, stream.comments, errors)
    tree = _run(automaton, stream.tokens, file, errors)
    errors.sort(key=lambda error: error.span.start if error.span else 0)
    return tree, errors


def _run(
    automaton: _Automaton, tokens: list[Token], file: int, errors: list[WitSyntaxError]
) -> syntax.FileSyntax | None:
    state: _State = automaton.lark.parse_interactive().parser_state  # type: ignore[assignment]  # lark's is generic
    feed = state.feed_token
    braces = angles = trusted = 0
    at, last = 0, len(tokens) - 1
    trusted = _TOKENS_TO_TRUST
    found = 0
    while at < last:
        token = tokens[at]
        text = token.text
        if text == "<":
            angles += 1
            if angles > MAX_NESTING:
                errors.append(_too_deep("type", tokens[at - 1], file))
                return None
        elif text == ">":
            angles -= 1
        elif text == "{":
            braces += 1
        elif text == "}":
            braces -= 1
        elif text == "package" and braces >= MAX_NESTING:
            errors.append(_too_deep("package", token, file))
            return None
        try:
            feed(token)
        except UnexpectedToken:
            if trusted >= _TOKENS_TO_TRUST:
                previous = tokens[at - 1] if at else None
                errors.append(_unexpected(automaton, token, previous, _expected(automaton, state), file))
                found += 1
                if found == _MAX_SYNTAX_ERRORS:
                    return None
            angles, trusted = 0, 0
            at, braces = _recover(automaton, state, tokens, at, braces)
            continue
        trusted += 1
        at += 1
    try:
        tree = feed(tokens[last], True)
    except UnexpectedToken:
        if trusted >= _TOKENS_TO_TRUST:
            previous = tokens[last - 1] if last else None
            errors.append(_unexpected(automaton, tokens[last], previous, _expected(automaton, state), file))
        return None
    return tree if isinstance(tree, syntax.FileSyntax) else None


def _recover(
    automaton: _Automaton, state: _State, tokens: list[Token], at: int, braces: int
) -> tuple[int, int]:
    """Skip to the end of the broken item and forget what was read of it.

    Returns the index of the token to go on with, and the brace depth there.
    """
    depth, last = 0, len(tokens) - 1
    # The broken token may have opened a brace already counted.
    if tokens[at].text in ("{", "}"):
        braces += -1 if tokens[at].text == "{" else 1
    while at < last:
        text = tokens[at].text
        if text == "{":
            depth += 1
        elif text == "}":
            if depth == 0:
                break
            depth -= 1
            if depth == 0:
                at += 1
                break
        elif text == ";" and depth == 0:
            at += 1
            break
        at += 1
    table = state_table(automaton)
    stack = state.state_stack
    while len(stack) > 1:
        transitions = table[stack[-1]]
        if tokens[at].type in transitions and any(rule in transitions for rule in _ITEM_RULES):
            break
        stack.pop()
        state.value_stack.pop()
    if len(stack) == 1 and tokens[at].text == "}":
        at += 1  # a brace too many, at the top: nothing could take it
    # Braces of the items that were given up are open no longer.
    open_braces = sum(1 for value in state.value_stack if isinstance(value, Token) and value.text == "{")
    return at, open_braces


def state_table(automaton: _Automaton) -> Mapping[Any, Mapping[str, Any]]:
    """The transitions of the automaton, by state."""
    states: Mapping[Any, Mapping[str, Any]] = (
        automaton.lark.parse_interactive().parser_state.parse_conf.states
    )
    return states


def _too_deep(what: str, token: Token, file: int) -> WitSyntaxError:
    return WitSyntaxError(
        f"this {what} is nested more than {MAX_NESTING} deep", Span(file, token.start, token.end)
    )


_NAMES = {
    "ID": "a name",
    "INTEGER": "a number",
    "VERSION": "a version such as `1.0.0`",
    "STRING": "a string",
    "$END": "the end of the file",
}
_COMPOUND_TYPES = ("list", "map", "option", "tuple", "result", "own", "borrow", "future", "stream")


def _expected(automaton: _Automaton, state: _State) -> set[str]:
    """The terminals that could stand where the automaton stopped.

    Its own table promises too much: LALR(1) merges states, so a terminal may start a reduction after which
    nothing takes it.
    """
    table = state_table(automaton)
    accepted = set()
    for terminal in table[state.state_stack[-1]]:
        stack = list(state.state_stack)
        while terminal.isupper() or terminal == END:
            step = table[stack[-1]].get(terminal)
            if step is None:
                break
            action, argument = step
            if action is Shift:
                accepted.add(terminal)
                break
            del stack[len(stack) - len(argument.expansion) :]
            stack.append(table[stack[-1]][argument.origin.name][1])
    return accepted


def _unexpected(
    automaton: _Automaton, token: Token, previous: Token | None, expected: set[str], file: int
) -> WitSyntaxError:
    words = []
    # All types together are one thing to a reader; so are the words that start an item.
    types = {automaton.keywords[word] for word in _COMPOUND_TYPES}
    if expected >= types:
        words.append("a type")
        expected -= types | {"ID"} | {automaton.keywords[primitive.value] for primitive in Primitive}
    words += sorted(
        (_NAMES.get(name) or f"`{automaton.literals.get(name, name)}`" for name in expected),
        key=lambda word: (not word.startswith("a "), word),
    )
    if token.type == END:
        found = "the end of the file"
        # An empty span just behind the last token would point at nothing.
        span = Span(file, token.start, token.end)
    elif token.type in ("ID", "INTEGER", "VERSION"):
        found = f"`{token.text}`" if len(token.text) <= 60 else f"`{token.text[:60]}…`"
        span = Span(file, token.start, token.end)
    elif token.type == "STRING":
        found, span = "a string", Span(file, token.start, token.end)
    else:
        is_word = token.text[0].isalpha()
        found = f"the keyword `{token.text}`" if is_word else f"`{token.text}`"
        span = Span(file, token.start, token.end)
    return WitSyntaxError(
        f"expected {_one_of(words)}, found {found}", span, hint=_hint(token, previous, expected, automaton)
    )


def _one_of(words: list[str]) -> str:
    if len(words) == 1:
        return words[0]
    return ", ".join(words[:-1]) + " or " + words[-1]


def _hint(token: Token, previous: Token | None, expected: set[str], automaton: _Automaton) -> str | None:
    is_keyword = token.type not in ("ID", "INTEGER", "VERSION", "STRING", END) and token.text[0].isalpha()
    if is_keyword and "ID" in expected:
        return f"`{token.text}` is a keyword; write `%{token.text}` to use it as a name"
    if token.text == "(" and previous is not None and previous.text == "->":
        return "a function has one result type, without parentheses; for several values use `tuple<…>`"
    if token.text == "static" and previous is not None and previous.text == "async":
        return "write `static async func`"
    if token.type == "INTEGER" and "VERSION" in expected:
        return "a version has three numbers, as in `1.0.0`"
    if token.type == "ID":
        words = [automaton.literals[name] for name in expected if automaton.literals.get(name, "").isalpha()]
        return did_you_mean(token.text, words)
    if "SEMICOLON" in expected and previous is not None and token.start > previous.end:
        return "is a `;` missing before this?"
    return None
