"""Rules of the language that the conformance data does not reach, with wasm-tools as the judge."""

from __future__ import annotations

import re

import pytest

from ingen_sdkgen.diagnostics import WitErrors
from ingen_sdkgen.model_json import to_json
from ingen_sdkgen.resolve import load_text
from tests.sdkgen.oracle import OracleError, wit_json


def ours(text: str) -> object:
    """The JSON form, or line and column of the first error."""
    try:
        return to_json(load_text(text).resolve)
    except WitErrors as caught:
        span = caught.errors[0].span
        assert span, "each of these has a place"
        place = caught.sources.locate(span.file, span.start)
        return place.line, place.column


def theirs(text: str) -> object:
    """What wasm-tools says, in the same form."""
    try:
        return wit_json(text)
    except OracleError as refusal:
        found = re.search(r":(\d+):(\d+)", str(refusal))
        assert found, refusal
        return int(found[1]), int(found[2])


def interface(item: str) -> str:
    return f"package a:b;\ninterface i {{\n  resource r;\n  {item}\n}}\n"


def verdict(result: object) -> object:
    """A result without the column: within a string, ours is where the wrong part starts."""
    return result[0] if isinstance(result, tuple) else result


@pytest.mark.parametrize(
    "literal",
    [
        *(
            rf"\u{{{digits}}}"
            for digits in ("41", "0000041", "4__1", "_41", "41_", "", "d800", "110000", "f" * 20)
        ),
        *(r"\41", r"\c3\a9", r"\ff", r"\4", r"\q", r"\'", r"\"x\"", r"\t\r\n", "\t", "\\\t", "\r", "\r\n"),
        *("é", "a//b", "/*"),
    ],
)
def test_strings(literal: str) -> None:
    text = interface(f'@external-id("{literal}") f: func();')
    assert verdict(ours(text)) == verdict(theirs(text))


@pytest.mark.parametrize("inner", ["u8", "result", "tuple<>", "own<r>", "result<_, u8>", "list<u8, 4>"])
@pytest.mark.parametrize("depth", [98, 99, 100, 101])
def test_depth_of_types(inner: str, depth: int) -> None:
    text = interface(f"f: func(x: {'list<' * depth}{inner}{'>' * depth});")
    assert ours(text) == theirs(text)


def test_depth_of_the_second_type() -> None:
    text = interface(f"f: func(x: {'tuple<u8, ' * 99}list<u8, 4>, result{'>' * 99});")
    assert ours(text) == theirs(text)
    text = text.replace(", result>", ", option<u8>>")
    assert ours(text) == theirs(text)


@pytest.mark.parametrize("of_world", ["", "@unstable(feature = off)"])
@pytest.mark.parametrize(
    "item",
    [
        "use i.{t};",
        "use i.{t}; import g: func();",
        "type own-type = u8;",
        "record q { a: u32 }",
        "resource q { @unstable(feature = off) f: func(); }",
        "import f: func();",
        "import i;",
        "export x: interface { use i.{t}; f: func(a: t); }",
    ],
)
def test_what_a_world_may_gate(item: str, of_world: str) -> None:
    text = f"""package a:b;
interface i {{ type t = u8; }}
{of_world}
world w {{ @unstable(feature = off) {item} }}
"""
    assert ours(text) == theirs(text)


def test_a_missing_package_is_one_mistake() -> None:
    uses = "interface i { use x:y/z.{t}; f: func(a: t); }\nworld w { import x:y/z; use x:y/q.{r}; }\n"
    with pytest.raises(WitErrors) as caught:
        load_text(f"package a:b;\n{uses}")
    assert [str(error) for error in caught.value.errors] == ["there is no package `x:y`"]
