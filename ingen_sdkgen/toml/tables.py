"""Taking values out of a TOML file, and noting what is wrong with them.

Mistakes are noted, and all of them reported at once: `TomlFile.check`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

if TYPE_CHECKING:
    from ingen_sdkgen.diagnostics import WitErrors
    from ingen_sdkgen.toml.places import TomlPath

T = TypeVar("T")


class _Problem(NamedTuple):
    path: TomlPath
    message: str
    at_value: bool
    hint: str | None


class TomlFile:
    """A TOML file, read; `top` is the table of its topmost keys."""

    def __init__(self, path: Path, what: str) -> None:
        """Read a file; `what` is what messages call it.

        Raises: WitErrors where it is not TOML, UnreadableInput
        """
        try:
            data = path.read_bytes()
            self._text = data.decode()
            content = tomllib.loads(self._text)
        except OSError as error:
            from ingen_sdkgen.failures import UnreadableInput

            raise UnreadableInput(path, error.strerror or str(error)) from error
        except UnicodeDecodeError as error:
            from ingen_sdkgen.failures import UnreadableInput

            raise UnreadableInput(path, f"not UTF-8: {error.reason}") from error
        except tomllib.TOMLDecodeError as error:
            raise _syntax_error(path, data, error) from None
        self._path = path
        self._problems: list[_Problem] = []
        self.top = TomlTable(content, (), what, self._problems)

    def check(self) -> None:
        """Fail if mistakes were noted.

        Raises: WitErrors with all of them
        """
        if self._problems:
            raise _errors(self._path, self._text, self._problems)


class TomlTable:
    """A table. Each key is taken by its name; those that nothing takes are unknown: `finish`."""

    def __init__(
        self, content: Mapping[str, object], path: TomlPath, title: str, problems: list[_Problem]
    ) -> None:
        self._content = content
        self._path = path
        self._title = title
        self._problems = problems
        self._known: dict[str, None] = {}

    def __contains__(self, key: str) -> bool:
        """Whether the key is there, with a value that may be wrong."""
        return key in self._content

    def __iter__(self) -> Iterator[str]:
        """The keys, in the order of the file."""
        return iter(self._content)

    def problem(
        self, key: str | None, message: str, *, hint: str | None = None, at_key: bool = False
    ) -> None:
        """Note a mistake in the value of a key, in the key, or in the table as a whole."""
        path = self._path if key is None else (*self._path, key)
        self._problems.append(_Problem(path, message, not at_key, hint))

    def value(self, key: str) -> object:
        """The value of a key, whatever it is; None where the key is absent."""
        self._known[key] = None
        return self._content.get(key)

    def take(self, key: str, kind: type[T], wanted: str) -> T | None:
        """The value of a key; None where the key is absent, or its value is of another type (a mistake)."""
        value = self.value(key)
        if value is None or isinstance(value, kind):
            return value
        self.problem(key, f"`{key}` is {described(value)}, but should be {wanted}")
        return None

    def text(self, key: str) -> str | None:
        """A string that is not empty."""
        value = self.take(key, str, "a string")
        if value == "":
            self.problem(key, f"`{key}` is empty")
            return None
        return value

    def switch(self, key: str) -> bool | None:
        """True or false."""
        return self.take(key, bool, "true or false")

    def texts(self, key: str) -> tuple[str, ...] | None:
        """A list of strings."""
        value = self.take(key, list, "a list of strings")
        if value is None:
            return None
        for number, item in enumerate(value):
            if not isinstance(item, str):
                path = (*self._path, key, number)
                message = f"`{key}` has {described(item)} in it, but should be a list of strings"
                self._problems.append(_Problem(path, message, True, None))
                return None
        return tuple(value)

    def table(self, key: str) -> TomlTable | None:
        """A table within this one."""
        value = self.take(key, dict, "a table")
        if value is None:
            return None
        return TomlTable(value, (*self._path, key), f"[{key}]", self._problems)

    def tables(self, key: str) -> list[TomlTable]:
        """An array of tables."""
        wanted = f"an array of tables; each begins with [[{key}]]"
        found = []
        for number, item in enumerate(self.take(key, list, wanted) or []):
            path = (*self._path, key, number)
            if isinstance(item, dict):
                found.append(TomlTable(item, path, f"[[{key}]]", self._problems))
            else:
                message = f"`{key}` has {described(item)} in it, but should be {wanted}"
                self._problems.append(_Problem(path, message, True, None))
        return found

    def finish(self) -> None:
        """Note the keys that nothing has asked for."""
        for key in self._content:
            if key not in self._known:
                message = f"there is no key `{key}` in {self._title}"
                self.problem(key, message, hint=nearest(key, self._known), at_key=True)


_TYPE_NAMES: dict[type, str] = {
    str: "a string",
    int: "a number",
    float: "a number",
    list: "a list",
    dict: "a table",
}


def described(value: object) -> str:
    """What kind of TOML value it is, in words."""
    if isinstance(value, bool):
        return "`true`" if value else "`false`"
    return next((name for kind, name in _TYPE_NAMES.items() if isinstance(value, kind)), "a date or time")


def nearest(name: str, known: Iterable[str], *, listed: bool = False) -> str | None:
    """A hint with the nearest known name; where nothing is near, with all of them if `listed`."""
    from ingen_sdkgen.diagnostics import did_you_mean

    names = list(known)
    hint = did_you_mean(name, names)
    if hint is None and listed and names:
        return f"there is {', '.join(f'`{item}`' for item in names)}"
    return hint


def _errors(path: Path, text: str, problems: list[_Problem]) -> WitErrors:
    from ingen_sdkgen.diagnostics import SourceMap, WitErrors
    from ingen_sdkgen.model import Span
    from ingen_sdkgen.toml.errors import TomlError
    from ingen_sdkgen.toml.places import find_places

    places = find_places(text)
    sources = SourceMap()
    file = sources.add(str(path), text.encode())

    def span(problem: _Problem) -> Span:
        place = places.get(problem.path)
        start, end = (0, 0) if place is None else place.value if problem.at_value else place.key
        return Span(file, len(text[:start].encode()), len(text[:end].encode()))

    placed = sorted(((span(problem), problem) for problem in problems), key=lambda pair: pair[0].start)
    errors = [TomlError(problem.message, place, hint=problem.hint) for place, problem in placed]
    return WitErrors(errors, sources)


def _syntax_error(path: Path, data: bytes, error: tomllib.TOMLDecodeError) -> WitErrors:
    import re

    from ingen_sdkgen.diagnostics import SourceMap, WitErrors
    from ingen_sdkgen.model import Span
    from ingen_sdkgen.toml.errors import TomlError

    sources = SourceMap()
    file = sources.add(str(path), data)
    # Before Python 3.14 the place is in the message alone.
    message, _, place = str(error).rpartition(" (at ")
    found = re.fullmatch(r"line (\d+), column (\d+)\)", place)
    at = len(data)
    if found is not None:
        line, column = int(found[1]), int(found[2])
        at = sources.files[file].line_starts()[line - 1]
        at += len(sources.files[file].line(line)[: column - 1].encode())
    return WitErrors(
        [TomlError(f"not TOML: {message[:1].lower()}{message[1:]}", Span(file, at, at))], sources
    )
