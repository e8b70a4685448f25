"""The LALR(1) automaton of `wit.lark`, as tables.

lark reads the grammar and computes the automaton; what drives it is `ingen_sdkgen.wit.parser`. The tables
are plain data and stand in `tables.json`, so lark is imported only where the grammar is being worked on; then
they are kept in the cache.
"""

from __future__ import annotations

import contextlib
import functools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from ingen_sdkgen.cache import Cache, digest
from ingen_sdkgen.wit.builder import TreeBuilder
from ingen_sdkgen.wit.tokens import RESERVED

if TYPE_CHECKING:
    from lark.grammar import Rule

_GRAMMAR = Path(__file__).with_name("wit.lark")
TABLES = Path(__file__).with_name("tables.json")
_START_RULE = "file"

Make: TypeAlias = Callable[[list[Any]], Any]


@dataclass(frozen=True, slots=True)
class Reduction:
    """A rule that ends: how many parts it has, what makes its node of them, and the rule's name."""

    size: int
    make: Make
    rule: str


@dataclass(frozen=True, slots=True)
class Automaton:
    """The tables, with the builder whose methods the reductions call.

    `table` has, for each state, where a terminal or a rule leads (a state), or the rule that ends before a
    terminal. `keywords` maps each literal of the grammar to its terminal, `literals` is the way back.
    """

    table: Sequence[Mapping[str, int | Reduction]]
    start: int
    end: int
    builder: TreeBuilder
    keywords: Mapping[str, str]
    literals: Mapping[str, str]


@functools.cache
def automaton() -> Automaton:
    """The automaton of the grammar, the same one each time."""
    name = _name()
    with contextlib.suppress(OSError, ValueError):
        shipped = json.loads(TABLES.read_bytes())
        if shipped.get("of") == name:
            return _assemble(shipped)
    cache = Cache.of_user()
    kept = cache.load(f"tables-{name}")
    if kept is not None:
        return _assemble(json.loads(kept))
    tables = make_tables()
    cache.store(f"tables-{name}", json.dumps(tables).encode())
    return _assemble(tables)


# --- As plain data --------------------------------------------------------------------------------------
#
# {"start": state, "end": state, "literals": {terminal: text}, "rules": [rule], "states": [{symbol: step}]}
#
# A step is the number of a state, or ~n where rule n ends. For a rule, see `_plain_rule`.


def make_tables() -> dict[str, Any]:
    """The tables of the grammar, from lark; the same each time, whatever order lark has its states in."""
    from lark import Lark
    from lark.lexer import Lexer
    from lark.parsers.lalr_analysis import Shift

    class NoLexer(Lexer):
        """Stands in for lark's own lexers: tokens come from `ingen_sdkgen.wit.tokens`."""

        def __init__(self, lexer_conf: object) -> None: ...

        def lex(self, lexer_state: object, parser_state: object) -> Any:
            raise AssertionError("lark makes the tables; it reads nothing with them")

    lark = Lark(
        _GRAMMAR.read_text(encoding="utf-8"),
        start=_START_RULE,
        parser="lalr",
        lexer=NoLexer,
        maybe_placeholders=True,
    )
    conf = lark.parse_interactive().parser_state.parse_conf
    numbers = {state: number for number, state in enumerate(_in_order(conf.states, conf.start_state, Shift))}
    rules: dict[Rule, int] = {}

    def step(action: object, target: Any) -> int:
        return numbers[target] if action is Shift else ~rules.setdefault(target, len(rules))

    states = [
        {name: step(action, target) for name, (action, target) in sorted(conf.states[state].items())}
        for state in numbers
    ]
    return {
        "start": numbers[conf.start_state],
        "end": numbers[conf.end_state],
        "literals": {item.name: item.pattern.value for item in lark.terminals if item.pattern},
        "rules": [_plain_rule(rule) for rule in rules],
        "states": states,
    }


def shipped_tables() -> bytes:
    """What `tables.json` should hold: the tables, and of what they are; a line for each rule and state."""
    tables = make_tables()
    lines = [f'"of": {json.dumps(_name())}']
    for key, value in tables.items():
        if isinstance(value, list):
            rows = ",\n".join(json.dumps(row, separators=(",", ":")) for row in value)
            lines.append(f'"{key}": [\n{rows}\n]')
        else:
            lines.append(f'"{key}": {json.dumps(value)}')
    return ("{" + ",\n".join(lines) + "}\n").encode()


def _name() -> str:
    """What tables are known by. The lark that made them is no part of it: one grammar has one automaton."""
    return digest([_GRAMMAR.read_bytes(), Path(__file__).read_bytes()])


def _in_order(states: Mapping[Any, Mapping[str, tuple[object, Any]]], start: Any, shift: object) -> list[Any]:
    """The states in the order in which they are reached from the first one, terminals and rules by name."""
    found = [start]
    known = {start}
    for state in found:
        for _, (action, target) in sorted(states[state].items()):
            if action is shift and target not in known:
                known.add(target)
                found.append(target)
    return found


def _plain_rule(rule: Rule) -> list[Any]:
    """The rule's name, its number of parts, the method that makes its node, and what that method gets.

    The last are: for each part that it gets, the part's number, whether its own parts stand in its place,
    and how many absent optional parts (None) come before it; how many of those come last; and whether the
    one part that it gets stands for the whole node.
    """
    from lark.grammar import Terminal

    absent = "".join("1" if each else "0" for each in rule.options.empty_indices)
    before = [len(ones) for ones in absent.split("0")] if absent else [0] * (len(rule.expansion) + 1)
    parts: list[tuple[int, bool, int]] = []
    pending = 0
    for number, symbol in enumerate(rule.expansion):
        pending += before[number]
        if not isinstance(symbol, Terminal):
            parts.append((number, symbol.name.startswith("_"), pending))
            pending = 0
        elif not symbol.filter_out:
            parts.append((number, False, pending))
            pending = 0
    name = str(rule.origin.name)
    single = bool(rule.options.expand1 and not rule.alias)
    return [name, len(rule.expansion), str(rule.alias or name), parts, pending + before[-1], single]


def _assemble(tables: dict[str, Any]) -> Automaton:
    builder = TreeBuilder()
    reductions = [_reduction(builder, *rule) for rule in tables["rules"]]
    table = [
        {name: step if step >= 0 else reductions[~step] for name, step in steps.items()}
        for steps in tables["states"]
    ]
    literals = tables["literals"]
    keywords = {text: terminal for terminal, text in literals.items()}
    keywords |= {word: f"RESERVED_{word.upper()}" for word in RESERVED}
    return Automaton(table, tables["start"], tables["end"], builder, keywords, literals)


def _reduction(
    builder: TreeBuilder,
    rule: str,
    size: int,
    method: str,
    parts: Sequence[tuple[int, bool, int]],
    last_absent: int,
    single: bool,
) -> Reduction:
    if method.startswith("_"):
        make: Make = _just_parts  # for the rule that it stands in
    elif single:
        make = _the_single_part
    else:
        make = getattr(builder, method)
    if not last_absent and [list(part) for part in parts] == [[at, False, 0] for at in range(size)]:
        return Reduction(size, make, rule)

    def make_of_some(given: list[Any]) -> Any:
        taken: list[Any] = []
        for number, spliced, absent in parts:
            if absent:
                taken += [None] * absent
            if not spliced:
                taken.append(given[number])
            elif taken:
                taken += given[number]
            else:
                # The list itself, which nobody else has: a repetition grows by one at a time, and copying it
                # each time would take quadratic time.
                taken = given[number]
        if last_absent:
            taken += [None] * last_absent
        return make(taken)

    return Reduction(size, make_of_some, rule)


def _just_parts(taken: list[Any]) -> list[Any]:
    return taken


def _the_single_part(taken: list[Any]) -> Any:
    (part,) = taken  # else the alternative needs an alias in the grammar, which says what makes its node
    return part
