"""Tokens to syntax tree: drives the LALR automaton of `wit.lark` and goes on after an error.

The automaton is fed token by token, which gives three things that lark's own loop does not: offsets in bytes,
recovery at the next item, and a depth limit that needs no recursion.
"""

from __future__ import annotations

from typing import Any

from ingen_sdkgen.diagnostics import WitSyntaxError, did_you_mean
from ingen_sdkgen.model import Primitive, Span
from ingen_sdkgen.wit import syntax
from ingen_sdkgen.wit.automaton import Automaton, Reduction, automaton
from ingen_sdkgen.wit.tokens import END, Token, scan

MAX_NESTING = 100
"""How deep types, and packages, may nest."""

_MAX_SYNTAX_ERRORS = 20
# An item may start in a state of the automaton that has a transition for one of these.
_ITEM_RULES = ("interface", "interface_function", "import_item", "method", "nested_package")
# After an error, further ones are believed only when so many tokens were fine in between.
_TOKENS_TO_TRUST = 3


def parse_file(data: bytes, file: int) -> tuple[syntax.FileSyntax | None, list[WitSyntaxError]]:
    """Read the text of a file (UTF-8, no byte order mark); `file` is its index in the source map.

    Returns the syntax tree, and every independent error; where there are errors, the tree may lack items, or
    be None.
    """
    machine = automaton()
    stream, errors = scan(data, file, machine.keywords)
    machine.builder.begin(file, data, stream.comments, errors)
    tree = _Run(machine, stream.tokens, file, errors).run()
    errors.sort(key=lambda error: error.span.start if error.span else 0)
    return tree, errors


class _Run:
    """One file on its way through the automaton."""

    def __init__(
        self, machine: Automaton, tokens: list[Token], file: int, errors: list[WitSyntaxError]
    ) -> None:
        self._machine = machine
        self._tokens = tokens
        self._file = file
        self._errors = errors
        self._states = [machine.start]
        self._values: list[Any] = []

    def run(self) -> syntax.FileSyntax | None:
        """The tree, or None where too little is left of it."""
        tokens = self._tokens
        if not self._check_depth():
            return None
        at, last_error, found = 0, -_TOKENS_TO_TRUST - 1, 0
        while True:
            at = self._feed(at)
            if at == len(tokens):
                tree = self._values[-1]
                assert isinstance(tree, syntax.FileSyntax)
                return tree
            if at - last_error > _TOKENS_TO_TRUST:
                self._errors.append(self._unexpected(at))
                found += 1
                if found == _MAX_SYNTAX_ERRORS:
                    return None
            if at == len(tokens) - 1:
                return None
            at = last_error = self._recover(at)

    def _check_depth(self) -> bool:
        """The automaton itself could go as deep as memory reaches; what walks the tree could not."""
        angles = braces = 0
        for at, token in enumerate(self._tokens):
            if angles >= MAX_NESTING and self._starts_type(at):
                self._errors.append(_too_deep("type", token, self._file))
                return False
            match token.text:
                case "<":
                    angles += 1
                case ">":
                    angles -= 1
                case ";" | "}" | "{":
                    angles = 0
                    braces += {";": 0, "}": -1, "{": 1}[token.text]
                case "package":
                    if braces >= MAX_NESTING:
                        self._errors.append(_too_deep("package", token, self._file))
                        return False
        return True

    def _starts_type(self, at: int) -> bool:
        """Whether the token there, with an angle bracket open before it, is the first of a type."""
        if self._tokens[at - 1].text == "<":
            # The resource of a handle is a name, and no type within a type.
            return self._tokens[at].text not in ("_", ">") and self._tokens[at - 2].text not in (
                "own",
                "borrow",
            )
        return self._tokens[at - 1].text == "," and self._tokens[at].type != "INTEGER"

    def _feed(self, at: int) -> int:
        """Take tokens from `at` on; return the index of the first that does not fit, else their number."""
        table, end = self._machine.table, self._machine.end
        states, values, tokens = self._states, self._values, self._tokens
        for index in range(at, len(tokens)):
            token = tokens[index]
            type_ = token.type
            while True:
                step = table[states[-1]].get(type_)
                if step.__class__ is int:
                    states.append(step)
                    values.append(token)
                    break
                if step is None:
                    return index
                reduction: Reduction = step  # type: ignore[assignment]  # the third kind that there is
                size = reduction.size
                if size:
                    parts = values[-size:]
                    del values[-size:]
                    del states[-size:]
                else:
                    parts = []
                values.append(reduction.make(parts))
                states.append(table[states[-1]][reduction.rule])  # type: ignore[arg-type]  # rules lead to states
                if states[-1] == end:
                    return len(tokens)
        raise AssertionError("the end of the file ends the last rule")

    def _recover(self, at: int) -> int:
        """Skip to the end of the broken item and forget what was read of it; return where to go on."""
        tokens = self._tokens
        depth, last = 0, len(tokens) - 1
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
        while len(self._states) > 1:
            steps = self._machine.table[self._states[-1]]
            if tokens[at].type in steps and any(rule in steps for rule in _ITEM_RULES):
                return at
            self._states.pop()
            self._values.pop()
        # At the top: nothing could take a brace too many.
        return at + 1 if tokens[at].text == "}" else at

    def _expected(self) -> set[str]:
        """The terminals that could stand where the automaton stopped.

        Its table promises too much: LALR(1) merges states, so a terminal may end a rule after which nothing
        takes it.
        """
        table = self._machine.table
        accepted = set()
        for terminal in table[self._states[-1]]:
            if not terminal.isupper():
                continue
            stack = list(self._states)
            while (step := table[stack[-1]].get(terminal)) is not None:
                if isinstance(step, int):
                    accepted.add(terminal)
                    break
                del stack[len(stack) - step.size :]
                target = table[stack[-1]][step.rule]
                assert isinstance(target, int)
                if target == self._machine.end:
                    accepted.add(terminal)
                    break
                stack.append(target)
        return accepted

    def _unexpected(self, at: int) -> WitSyntaxError:
        previous = self._tokens[at - 1] if at else None
        return _unexpected(self._machine, self._tokens[at], previous, self._expected(), self._file)


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


def _unexpected(
    machine: Automaton, token: Token, previous: Token | None, expected: set[str], file: int
) -> WitSyntaxError:
    words = []
    # All types together are one thing to a reader; so are the words that start an item.
    types = {machine.keywords[word] for word in _COMPOUND_TYPES}
    if expected >= types:
        words.append("a type")
        expected -= types | {"ID"} | {machine.keywords[primitive.value] for primitive in Primitive}
    words += sorted(
        (_NAMES.get(name) or f"`{machine.literals.get(name, name)}`" for name in expected),
        key=lambda word: (not word.startswith("a "), word),
    )
    if token.type == END:
        found = "the end of the file"
        # An empty span just behind the last token would point at nothing.
        span = Span(file, token.start, token.end)
    elif token.type in ("ID", "INTEGER", "VERSION"):
        text = token.text.encode("latin-1").decode()
        found = f"`{text}`" if len(text) <= 60 else f"`{text[:60]}…`"
        span = Span(file, token.start, token.end)
    elif token.type == "STRING":
        found, span = "a string", Span(file, token.start, token.end)
    else:
        is_word = token.text[0].isalpha()
        found = f"the keyword `{token.text}`" if is_word else f"`{token.text}`"
        span = Span(file, token.start, token.end)
    return WitSyntaxError(
        f"expected {_one_of(words)}, found {found}", span, hint=_hint(token, previous, expected, machine)
    )


def _one_of(words: list[str]) -> str:
    if len(words) == 1:
        return words[0]
    return ", ".join(words[:-1]) + " or " + words[-1]


def _hint(token: Token, previous: Token | None, expected: set[str], machine: Automaton) -> str | None:
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
        words = [machine.literals[name] for name in expected if machine.literals.get(name, "").isalpha()]
        return did_you_mean(token.text, words)
    if "SEMICOLON" in expected and previous is not None and token.start > previous.end:
        return "is a `;` missing before this?"
    return None
