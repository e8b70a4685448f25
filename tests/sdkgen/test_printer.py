"""Canonical WIT text: what wasm-tools prints, and the same IR when it is read again."""

from __future__ import annotations

import re

import pytest

from ingen_sdkgen.decode import decode
from ingen_sdkgen.resolve import load_text
from ingen_sdkgen.wit.automaton import automaton
from ingen_sdkgen.wit.printer import (
    ESCAPED_NAMES,
    UnprintableError,
    escape_name,
    print_wit,
    quote_string,
)
from tests.sdkgen.canonical import canonical
from tests.sdkgen.json_ir import from_json
from tests.sdkgen.oracle import FEATURES, AcceptedCase, accepted_cases, wasm_tools, wit_json, wit_text
from tests.sdkgen.samples import EVERYTHING


def layout_free(text: str) -> list[str]:
    """Lines without blank ones, an empty body as `{}`, and printable ASCII not escaped in literals."""

    def unescaped(match: re.Match[str]) -> str:
        character = chr(int(match[1], 16))
        return character if " " <= character <= "~" and character not in '"\\' else match[0]

    text = re.sub(r"\\u\{([0-9a-f]+)\}", unescaped, text)
    return [line for line in re.sub(r"\{\s*\}", "{}", text).splitlines() if line.strip()]


def main_package(text: str) -> str:
    """The name that the header of a printed text has."""
    (name,) = re.findall(r"^package (.*);$", text, re.MULTILINE)
    return str(name).replace("%", "")


@pytest.mark.parametrize("case", accepted_cases())
def test_accepted_cases_print_as_wasm_tools_prints_them(case: AcceptedCase) -> None:
    theirs = wit_text(case.input, *FEATURES)
    ours = print_wit(from_json(case.expected, main_package(theirs)))
    assert layout_free(ours) == layout_free(theirs)


@pytest.mark.parametrize("case", accepted_cases())
def test_accepted_cases_can_be_read_again(case: AcceptedCase) -> None:
    name = main_package(wit_text(case.input, *FEATURES))
    text = print_wit(from_json(case.expected, name))
    reread = wit_json(text, *FEATURES)
    assert canonical(reread) == canonical(case.expected)
    assert print_wit(from_json(reread, name)) == text or case.name in REORDERED


# Dependencies that do not use each other are ordered by folder and file, which one text does not keep.
REORDERED = {"foreign-interface-dep-gated", "foreign-world-dep-gated", "kinds-of-deps"}


def test_every_construct_is_printed_and_read_again() -> None:
    source = wit_json(EVERYTHING, "--all-features")
    text = print_wit(from_json(source))
    assert layout_free(text) == layout_free(wit_text(EVERYTHING, "--all-features"))
    assert canonical(wit_json(text, "--all-features")) == canonical(source)


def test_the_layout_of_a_package() -> None:
    source = """
        package a:b;
        interface empty {}
        interface i { use j.{r}; use j.{s as t}; f: func(); enum e { a, b } resource x { m: func(); } }
        interface j { type r = u8; type s = u8; }
        world w { export f: func(); import g: func(); import n: interface {} import j; type z = u8; }
        /// Package
        package c:d@1.0.0 { /// Doc
          interface k {} }
    """
    assert print_wit(from_json(wit_json(source), "a:b")) == LAYOUT


LAYOUT = """\
package a:b;

interface empty {}

interface j {
  type r = u8;

  type s = u8;
}

interface i {
  use j.{r, s as t};

  enum e {
    a,
    b,
  }

  resource x {
    m: func();
  }

  f: func();
}

world w {
  import n: interface {}
  import j;

  type z = u8;

  import g: func();

  export f: func();
}

/// Package
package c:d@1.0.0 {
  /// Doc
  interface k {}
}
"""


def test_a_package_without_items() -> None:
    assert print_wit(from_json(wit_json("package a:b;"))) == "package a:b;\n"


@pytest.mark.parametrize(
    ("text", "literal"),
    [
        ("", '""'),
        ("https://example.org/a?b=c", '"https://example.org/a?b=c"'),
        ('tab\t line\n return\r quote" back\\', r'"tab\t line\n return\r quote\" back\\"'),
        ("nul\0 é 😀", r'"nul\u{0} \u{e9} \u{1f600}"'),
    ],
)
def test_string_literals(text: str, literal: str) -> None:
    assert quote_string(text) == literal
    wit = f"package a:b; interface i {{ @external-id({literal}) f: func(); }}"
    form = wit_json(wit)
    assert form["interfaces"][0]["functions"]["f"]["external_id"] == text


def test_keywords_are_escaped_and_other_names_are_not() -> None:
    assert escape_name("type") == "%type"
    assert escape_name("float32") == "%float32"
    assert escape_name("get") == "get"
    assert escape_name("own-types") == "own-types"


def test_documentation_is_left_out_on_request() -> None:
    source = wit_json(EVERYTHING, "--all-features")
    text = print_wit(from_json(source), docs=False)
    assert "///" not in text
    assert layout_free(text) == layout_free(wit_text(EVERYTHING, "--all-features", "--no-docs"))


def test_the_main_package_alone_on_request() -> None:
    source = b"package a:b; interface i { use c:d/j.{t}; } package c:d { interface j { type t = u8; } }"
    ir = from_json(wit_json(source), "a:b")
    assert print_wit(ir, dependencies=False) == "package a:b;\n\ninterface i {\n  use c:d/j.{t};\n}\n"


def test_every_keyword_of_the_grammar_is_escaped() -> None:
    keywords = {word for word in automaton().keywords if word[0].isalpha()}
    assert keywords == ESCAPED_NAMES - {"float32", "float64"}


def test_a_gate_that_the_package_cannot_have_is_left_out() -> None:
    source = """
        package a:b;
        world w { include c:d/v@1.0.0; }
        package c:d@1.0.0 { world v { @since(version = 1.0.0) import f: func(); } }
    """
    text = print_wit(load_text(source).resolve, dependencies=False)
    assert text == "package a:b;\n\nworld w {\n  import f: func();\n}\n"
    assert wit_json(text)["worlds"][0]["name"] == "w"


def test_what_no_wit_describes() -> None:
    # A function of an interface that is written in place uses a type of the world.
    component = wasm_tools(
        "parse",
        stdin=b"""
            (component
              (import "r" (type $r (sub resource)))
              (import "i" (instance (alias outer 1 $r (type $o)) (export "s" (type (eq $o))))))
        """,
    )
    with pytest.raises(UnprintableError, match="another name for a type of a world"):
        print_wit(decode(component))


@pytest.mark.parametrize("docs", ["\ta", "\ta\n\n\t\tb", "\ta\n  b", "a\n\tb\n  c", "/a\n//", "é\n é"])
def test_indented_documentation_comes_back(docs: str) -> None:
    comments = "".join(f"///{'' if line[:1] == chr(9) else ' '}{line}\n" for line in docs.split("\n"))
    resolve = load_text(f"package a:b;\n{comments}interface i {{}}").resolve
    assert resolve.interfaces[0].docs == docs
    assert load_text(print_wit(resolve)).resolve.interfaces[0].docs == docs
