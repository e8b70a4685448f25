"""Where the keys and values of a TOML text stand.

tomllib reads values without their places. This finds the places again in a text that tomllib has accepted,
so it need not tell right from wrong; it is used only once there is an error to report.
"""

from __future__ import annotations

import re
from typing import NamedTuple

TomlPath = tuple[str | int, ...]
"""The way to a value from the top: keys, and numbers in arrays of tables."""


class Place(NamedTuple):
    """Half-open ranges of characters: of the key (or of the whole header of a table) and of the value."""

    key: tuple[int, int]
    value: tuple[int, int]


_SKIPPED = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_KEY_PART = re.compile(r"""[ \t]*("(?:[^"\\]|\\.)*"|'[^']*'|[A-Za-z0-9_-]+)[ \t]*""")
_STRING = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}' r"|'''.*?'{3,5}" r'|"(?:[^"\\\n]|\\.)*"' r"|'[^'\n]*'", re.DOTALL
)
_PLAIN = re.compile(r"[^,\]}#\n]*")
_WITHIN = re.compile(r"(?:[ \t\r\n,]|#[^\n]*)*")


def find_places(text: str) -> dict[TomlPath, Place]:
    """The place of each key and table in a valid TOML text."""
    return _Scanner(text).places


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.places: dict[TomlPath, Place] = {}
        self._lengths: dict[TomlPath, int] = {}
        table: TomlPath = ()
        while self._skip() < len(text):
            if text[self.at] == "[":
                table = self._header()
            else:
                self._pair(table)

    def _skip(self) -> int:
        found = _SKIPPED.match(self.text, self.at)
        assert found is not None
        self.at = found.end()
        return self.at

    def _header(self) -> TomlPath:
        start = self.at
        brackets = 2 if self.text.startswith("[[", start) else 1
        self.at += brackets
        keys = self._keys()
        self.at += brackets
        path = (*self._within_arrays(keys[:-1]), keys[-1])
        if brackets == 2:
            number = self._lengths.get(path, 0)
            self._lengths[path] = number + 1
            path = (*path, number)
        else:
            path = self._within_arrays(keys)
        self.places.setdefault(path, Place((start, self.at), (start, self.at)))
        return path

    def _within_arrays(self, keys: list[str]) -> TomlPath:
        """The path that keys of a header mean: in an array of tables, its last table."""
        path: TomlPath = ()
        for key in keys:
            path = (*path, key)
            if path in self._lengths:
                path = (*path, self._lengths[path] - 1)
        return path

    def _keys(self) -> list[str]:
        keys = []
        while True:
            found = _KEY_PART.match(self.text, self.at)
            assert found is not None, "a key is expected"
            keys.append(_unquoted(found[1]))
            self.at = found.end()
            if self.text[self.at] != ".":
                return keys
            self.at += 1

    def _pair(self, table: TomlPath) -> None:
        start = self.at
        path = (*table, *self._keys())
        end = start + len(self.text[start : self.at].rstrip())
        self.at += 1  # the equals sign
        value = self._value(path)
        self.places[path] = Place((start, end), value)

    def _value(self, path: TomlPath) -> tuple[int, int]:
        while self.text[self.at] in " \t":
            self.at += 1
        start = self.at
        match self.text[start]:
            case "[":
                self._members(path, "]")
            case "{":
                self._members(path, "}")
            case '"' | "'":
                found = _STRING.match(self.text, start)
                assert found is not None, "a string is expected"
                self.at = found.end()
            case _:
                found = _PLAIN.match(self.text, start)
                assert found is not None
                self.at = start + len(found[0].rstrip())
        return start, self.at

    def _members(self, path: TomlPath, end: str) -> None:
        self.at += 1
        number = 0
        while True:
            found = _WITHIN.match(self.text, self.at)
            assert found is not None
            self.at = found.end()
            if self.text[self.at] == end:
                self.at += 1
                return
            if end == "}":
                self._pair(path)
            else:
                member = (*path, number)
                number += 1
                value = self._value(member)
                self.places[member] = Place(value, value)


def _unquoted(key: str) -> str:
    if key[0] == "'":
        return key[1:-1]
    if key[0] == '"':
        import tomllib

        return next(iter(tomllib.loads(f"{key} = 0")))
    return key
