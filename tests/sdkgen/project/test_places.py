"""Places of keys and values in TOML texts."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingen_sdkgen.toml.places import TomlPath, find_places

TEXT = '''\
# a comment with = and [brackets]
plain = 1 # more
"quoted key" = "with # and \\" in it"
'literal.key' = 'C:\\path'
dotted . inner = true
list = [ "a", # one
  [1, 2], { x = "y" } ]
inline = { a = 1, b.c = [ 2 ], "d e" = """x""" }
text = """
key = "not a key"
[neither]
"""
raw = \'\'\'
[[no]]\'\'\'
date = 2020-01-01T00:00:00Z

[table]
key = 'v'
[table.sub]
key = 2

[[array]]
key = "first"
[[array]]
key = "second"
[array.sub]
key = "of the second"
[[array.deep]]
key = "deep"
'''


def at(content: Any, path: TomlPath) -> object:
    for step in path:
        content = content[step]
    return content


def test_each_value_is_where_it_says() -> None:
    content = tomllib.loads(TEXT)
    found = find_places(TEXT)
    values = 0
    for path, place in found.items():
        value = at(content, path)
        text = TEXT[place.value[0] : place.value[1]]
        if not text.startswith("[[") and place.key != place.value:
            values += 1
            assert tomllib.loads(f"x = {text}")["x"] == value, path
    assert values >= 19


@pytest.mark.parametrize(
    ("path", "key"),
    [
        (("plain",), "plain"),
        (("quoted key",), '"quoted key"'),
        (("dotted", "inner"), "dotted . inner"),
        (("inline", "b", "c"), "b.c"),
        (("table",), "[table]"),
        (("table", "sub"), "[table.sub]"),
        (("array", 1), "[[array]]"),
        (("array", 1, "sub"), "[array.sub]"),
        (("array", 1, "deep", 0), "[[array.deep]]"),
        (("array", 1, "deep", 0, "key"), "key"),
        (("list", 1, 0), "1"),
    ],
)
def test_keys_and_headers(path: TomlPath, key: str) -> None:
    start, end = find_places(TEXT)[path].key
    assert TEXT[start:end] == key
    if path == ("array", 1):
        assert TEXT[:start].count("[[array]]") == 1


@given(st.text())
def test_a_valid_text_is_never_too_much(text: str) -> None:
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    assert {path[0] for path in find_places(text)} == set(content)
