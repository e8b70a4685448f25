"""Errors as data: where they are, what they say, and how they are shown.

An error knows its span, its notes and a hint; only rendering turns a span into file, line and column. A run
that fails raises one `WitErrors` with every independent error that was found.
"""

from __future__ import annotations

import bisect
import difflib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ingen_runtime.errors import IngenError
from ingen_sdkgen.model import Span


@dataclass(frozen=True, slots=True)
class Note:
    """A further remark on an error, with the place it speaks of where there is one."""

    message: str
    span: Span | None = None


class WitError(IngenError):
    """One mistake in a WIT source.

    `str()` gives the message alone; `span` says where, `notes` add to it, `hint` says what to do.
    """

    def __init__(
        self, message: str, span: Span | None = None, *, notes: Sequence[Note] = (), hint: str | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.span = span
        self.notes = tuple(notes)
        self.hint = hint


class WitSyntaxError(WitError):
    """The text does not follow the grammar."""


class ResolveError(WitError):
    """The text is well-formed, but does not mean anything: the base of what the resolver reports."""


class ItemNotFound(ResolveError):
    """A name refers to nothing."""


class ItemConflict(ResolveError):
    """Two items cannot be there at the same time: duplicates, shadowing, clashes of packages."""


class GateError(ResolveError):
    """A feature gate is wrong, or something refers to an item that a gate excludes."""


@dataclass(frozen=True, slots=True)
class Location:
    """A place for people: `line` and `column` count from 1, `column` in code points."""

    path: str
    line: int
    column: int


@dataclass(slots=True)
class Source:
    """One file: the path as shown to the user, and the text as UTF-8 without a byte order mark."""

    path: str
    data: bytes
    _line_starts: list[int] | None = field(default=None, repr=False)

    def line_starts(self) -> list[int]:
        """Byte offset of each line's first byte."""
        if self._line_starts is None:
            starts = [0]
            at = self.data.find(b"\n")
            while at >= 0:
                starts.append(at + 1)
                at = self.data.find(b"\n", at + 1)
            self._line_starts = starts
        return self._line_starts

    def line(self, number: int) -> str:
        """The text of a line, counted from 1, without its end."""
        starts = self.line_starts()
        end = starts[number] if number < len(starts) else len(self.data)
        return self.data[starts[number - 1] : end].decode("utf-8", "replace").rstrip("\r\n")


class SourceMap:
    """The files of a run; a span's `file` is an index into `files`."""

    def __init__(self) -> None:
        self.files: list[Source] = []

    def add(self, path: str, data: bytes) -> int:
        """Take in a file and return its index."""
        self.files.append(Source(path, data))
        return len(self.files) - 1

    def locate(self, file: int, offset: int) -> Location:
        """Where byte `offset` of a file is."""
        source = self.files[file]
        starts = source.line_starts()
        line = bisect.bisect_right(starts, offset)
        column = len(source.data[starts[line - 1] : offset].decode("utf-8", "replace")) + 1
        return Location(source.path, line, column)


class WitErrors(IngenError):
    """The independent errors of a run, in the order in which they were found. Never empty.

    There may be more than these where there are `MAX_ERRORS` of them.
    """

    def __init__(self, errors: Iterable[WitError], sources: SourceMap) -> None:
        self.errors = tuple(errors)
        self.sources = sources
        super().__init__(self.errors[0].message if self.errors else "no error")

    def __str__(self) -> str:
        more = len(self.errors) - 1
        return self.errors[0].message + (f" (and {more} more)" if more else "")


MAX_ERRORS = 100
"""How many errors a run reports; those after it may well follow from these."""


class TooManyErrors(Exception):
    """The last error fits that is reported of a run."""


class ErrorList(list[WitError]):
    """The errors of a run while they are found, at most `MAX_ERRORS`: finding more takes time."""

    def append(self, error: WitError) -> None:
        """Take in an error.

        Raises: TooManyErrors, with the last one that fits.
        """
        super().append(error)
        if len(self) == MAX_ERRORS:
            raise TooManyErrors


_MAX_COMPARED = 200


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """A hint that names the nearest known name, or None where nothing is near.

    Among very many names, only those that are near in the alphabet are looked at: comparing takes long.
    """
    names = list(known)
    if len(names) > _MAX_COMPARED:
        names.sort()
        at = bisect.bisect_left(names, name)
        names = names[max(0, at - _MAX_COMPARED // 2) : at + _MAX_COMPARED // 2]
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    return f"did you mean `{near[0]}`?" if near else None


# --- Rendering ------------------------------------------------------------------------------------------

_BOLD_RED = "\x1b[1;31m"
_BOLD_BLUE = "\x1b[1;34m"
_BOLD = "\x1b[1m"
_RESET = "\x1b[0m"
_MAX_SHOWN_COLUMNS = 160


class _Painter:
    def __init__(self, colour: bool) -> None:
        self._colour = colour

    def __call__(self, style: str, text: str) -> str:
        return f"{style}{text}{_RESET}" if self._colour else text


def _printable(text: str) -> str:
    """Tabs as one space, so that carets line up, and nothing that could steer a terminal."""
    return "".join(" " if c == "\t" else c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def _excerpt(sources: SourceMap, span: Span, paint: _Painter, style: str, label: str = "") -> list[str]:
    """The place, the source line and carets under it."""
    location = sources.locate(span.file, span.start)
    source = sources.files[span.file]
    line = source.line(location.line)
    end = sources.locate(span.file, max(span.end, span.start))
    last_column = end.column if end.line == location.line else len(line) + 1
    width = max(last_column - location.column, 1)
    first = location.column - 1
    # A very long line is shown around the place.
    cut = max(0, first - _MAX_SHOWN_COLUMNS // 2) if len(line) > _MAX_SHOWN_COLUMNS else 0
    shown = _printable(line[cut : cut + _MAX_SHOWN_COLUMNS])
    carets = "^" * max(1, min(width, len(shown) - (first - cut)))
    gutter = " " * len(str(location.line))
    bar = paint(_BOLD_BLUE, "|")
    return [
        f"{gutter}{paint(_BOLD_BLUE, '-->')} {location.path}:{location.line}:{location.column}",
        f"{gutter} {bar}",
        f"{paint(_BOLD_BLUE, str(location.line))} {bar} {shown}".rstrip(),
        f"{gutter} {bar} {' ' * (first - cut)}{paint(style, carets + (' ' + label if label else ''))}",
    ]


def render_text(error: WitError, sources: SourceMap, *, colour: bool = False) -> str:
    """An error with its source line and carets, its notes and its hint, as several lines without an end."""
    paint = _Painter(colour)
    lines = [f"{paint(_BOLD_RED, 'error')}{paint(_BOLD, ': ' + error.message)}"]
    if error.span is not None:
        lines += _excerpt(sources, error.span, paint, _BOLD_RED)
    for note in error.notes:
        lines.append(f"{paint(_BOLD, 'note')}: {note.message}")
        if note.span is not None:
            lines += _excerpt(sources, note.span, paint, _BOLD_BLUE)
    if error.hint is not None:
        lines.append(f"{paint(_BOLD, 'hint')}: {error.hint}")
    return "\n".join(lines)


def _place(sources: SourceMap, span: Span | None) -> dict[str, Any]:
    if span is None:
        return {"file": None}
    start = sources.locate(span.file, span.start)
    end = sources.locate(span.file, span.end)
    return {
        "file": start.path,
        "line": start.line,
        "column": start.column,
        "end_line": end.line,
        "end_column": end.column,
        "start": span.start,
        "end": span.end,
    }


def render_json(errors: Sequence[WitError], sources: SourceMap) -> str:
    """All errors as one JSON document: `{"errors": [...]}`; `start` and `end` are byte offsets."""
    return json.dumps(
        {
            "errors": [
                {
                    "severity": "error",
                    "code": type(error).__name__,
                    "message": error.message,
                    **_place(sources, error.span),
                    "notes": [
                        {"message": note.message, **_place(sources, note.span)} for note in error.notes
                    ],
                    "hint": error.hint,
                }
                for error in errors
            ]
        },
        indent=2,
    )


def _escape_github(text: str, *, parameter: bool) -> str:
    text = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return text.replace(":", "%3A").replace(",", "%2C") if parameter else text


def render_github(error: WitError, sources: SourceMap) -> str:
    """An error as a workflow command, which puts it beside the line in a pull request."""
    message = "\n".join(
        [error.message, *(f"note: {note.message}" for note in error.notes)]
        + ([f"hint: {error.hint}"] if error.hint else [])
    )
    where = ""
    if error.span is not None:
        start = sources.locate(error.span.file, error.span.start)
        end = sources.locate(error.span.file, error.span.end)
        path = _escape_github(start.path, parameter=True)
        where = f" file={path},line={start.line},endLine={end.line},col={start.column},endColumn={end.column}"
    return f"::error{where}::{_escape_github(message, parameter=False)}"
