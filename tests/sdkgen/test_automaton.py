"""The automaton: the same from the cache as from lark, which stays the judge of what the tables are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedInput

from ingen_sdkgen.wit import automaton as automaton_module
from ingen_sdkgen.wit.automaton import TABLES, Automaton, Reduction, automaton, shipped_tables


def test_the_tables_beside_the_grammar_are_its_own(golden: Callable[[Path, str], None]) -> None:
    golden(TABLES, shipped_tables().decode())


def test_with_them_lark_is_not_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INGEN_CACHE_DIR", str(tmp_path / "cache"))
    shipped = make()
    monkeypatch.setattr(automaton_module, "TABLES", tmp_path / "absent.json")
    assert shape(make()) == shape(shipped)
    monkeypatch.undo()
    monkeypatch.setattr(automaton_module, "make_tables", None)
    assert shape(make()) == shape(shipped)


@pytest.fixture
def fresh_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, for a grammar that is being worked on."""
    (tmp_path / "tables.json").write_text('{"of": "another grammar"}')
    monkeypatch.setattr(automaton_module, "TABLES", tmp_path / "tables.json")
    monkeypatch.setenv("INGEN_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


def make() -> Automaton:
    return automaton.__wrapped__()


def shape(machine: Automaton) -> list[dict[str, object]]:
    return [
        {
            name: (step.size, step.rule) if isinstance(step, Reduction) else step
            for name, step in steps.items()
        }
        for steps in machine.table
    ]


def test_kept_tables_are_those_that_were_made(fresh_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = make()
    assert [path.name.partition("-")[0] for path in fresh_cache.iterdir()] == ["tables"]
    monkeypatch.setattr(automaton_module, "make_tables", None)
    kept = make()
    assert shape(kept) == shape(made)
    assert (kept.start, kept.end, kept.keywords) == (made.start, made.end, made.keywords)


def test_damaged_tables_are_made_anew(fresh_cache: Path) -> None:
    made = make()
    (entry,) = fresh_cache.iterdir()
    data = bytearray(entry.read_bytes())
    data[len(data) // 2] ^= 1
    entry.write_bytes(data)
    assert shape(make()) == shape(made)
    assert entry.read_bytes() != data


GRAMMAR = """\
file: _item*
_item: pair | "," [NAME] word
pair: [NAME] "=" word ["!" word] -> labelled
    | "(" [_words] ")"
_words: word ("+" word)* ["+"]
?word: NAME | group
group: "<" word ">"
NAME: /[a-z]+/
%ignore " "
"""


class Builder:
    """Makes nested tuples, one method for each rule of `GRAMMAR`."""

    def __getattr__(self, rule: str) -> object:
        if rule not in ("file", "pair", "labelled", "group"):
            raise AttributeError(rule)
        return lambda parts: (rule, *parts)


def as_tuples(node: object) -> object:
    if isinstance(node, Tree):
        return (str(node.data), *map(as_tuples, node.children))
    return str(node) if isinstance(node, Token) else node


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a=b",
        "=b!c",
        "a=<<b>>!<c>",
        "()",
        "(a)",
        "(a+b)",
        "(a+<b>+)",
        ",b",
        ",a b",
        "a=b()=b,,c(a)",
        ",a,b,c,d,e",
    ],
)
def test_a_rule_gets_what_lark_would_give_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fresh_cache: Path, text: str
) -> None:
    """Absent options, spliced lists, single parts, dropped punctuation: driven by our tables, and by lark."""
    grammar = tmp_path / "small.lark"
    grammar.write_text(GRAMMAR)
    lark = Lark(GRAMMAR, start="file", parser="lalr", maybe_placeholders=True)
    try:
        expected = as_tuples(lark.parse(text))
    except UnexpectedInput:
        expected = "refused"
    monkeypatch.setattr(automaton_module, "_GRAMMAR", grammar)
    monkeypatch.setattr(automaton_module, "TreeBuilder", Builder)
    machine = make()
    names = {literal: terminal for literal, terminal in machine.keywords.items() if literal != "[a-z]+"}
    states, values = [machine.start], list[object]()
    tokens = [*lark.lex(text), Token("$END", "")]
    result: object = "refused"
    at = 0
    while at < len(tokens):
        token = tokens[at]
        step = machine.table[states[-1]].get(names.get(str(token), token.type))
        if step is None:
            break
        if isinstance(step, Reduction):
            size = len(states) - step.size
            part = step.make(values[size - 1 :])
            del states[size:], values[size - 1 :]
            target = machine.table[states[-1]][step.rule]
            assert isinstance(target, int)
            states.append(target)
            values.append(part)
            if target == machine.end:
                result = values[-1]
                break
        else:
            states.append(step)
            values.append(str(token))
            at += 1
    assert result == expected
