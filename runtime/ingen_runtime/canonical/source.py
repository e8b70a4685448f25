"""Writing Python functions: lines, fresh names, constants, and blocks of memory moved by one struct.

Generated names start with an underscore, which no name made from a WIT label does.
"""

from __future__ import annotations

import itertools
import linecache
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_serial = itertools.count(1)


class Source:
    """A module that is being written: `lines` so far, and the `constants` that its code refers to."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.constants: dict[str, Any] = {}
        self._depth = 0
        self._numbers = itertools.count()
        self._known: dict[object, str] = {}

    def line(self, text: str) -> None:
        """Append a statement."""
        self.lines.append("    " * self._depth + text)

    @contextmanager
    def block(self, header: str) -> Iterator[None]:
        """A compound statement; `pass` where nothing is written in it."""
        self.line(header)
        self._depth += 1
        length = len(self.lines)
        yield
        if len(self.lines) == length:
            self.line("pass")
        self._depth -= 1

    @contextmanager
    def aside(self) -> Iterator[list[str]]:
        """Collect the lines that are written inside in a list of their own, for `extend` one block deeper."""
        kept, self.lines = self.lines, []
        self._depth += 1
        yield self.lines
        self._depth -= 1
        self.lines = kept

    def extend(self, lines: list[str]) -> None:
        """Append lines that `aside` has collected in the enclosing block."""
        self.lines.extend(lines)

    def name(self, hint: str = "v") -> str:
        """A name not used before."""
        return f"_{hint}{next(self._numbers)}"

    def native_call(self, function: str) -> None:
        """A native call of a core function, whose arguments have a name that begins with `function`."""
        self.line(f"_failed = _native(*_{function}_arguments)")
        with self.block("if _failed or _trap:"):
            self.line("_fail(_failed)")

    def constant(self, value: Any, hint: str = "k") -> str:
        """The name under which generated code finds `value`."""
        key = (type(value), value) if isinstance(value, str | bytes | int) else id(value)
        if key not in self._known:
            name = self._known[key] = self.name(hint)
            self.constants[name] = value
        return self._known[key]

    def struct(self, format_: str, method: str) -> str:
        """The name of a method of the struct with this format."""
        key = (format_, method)
        if key not in self._known:
            name = self._known[key] = self.name(method)
            self.constants[name] = getattr(struct.Struct(format_), method)
        return self._known[key]

    def build(self, title: str) -> dict[str, Any]:
        """Run the module, and return its names. Tracebacks and debuggers show its source under `title`."""
        text = "\n".join(self.lines) + "\n"
        filename = f"<ingen canonical #{next(_serial)}: {title}>"
        # No modification time: linecache then never looks for a file.
        linecache.cache[filename] = (len(text), None, text.splitlines(True), filename)
        namespace: dict[str, Any] = dict(self.constants)
        exec(compile(text, filename, "exec"), namespace)
        return namespace


class Region:
    """A contiguous block that one struct operation moves: its leaves, each at an offset.

    A leaf is a struct format and, when lifting, the name that it is bound to, when lowering, the expression
    that gives it.
    """

    def __init__(self) -> None:
        self._leaves: list[tuple[int, str, str]] = []

    def add(self, offset: int, format_: str, text: str) -> str:
        """Add a leaf, and return its text."""
        self._leaves.append((offset, format_, text))
        return text

    def __len__(self) -> int:
        return len(self._leaves)

    def format(self, size: int) -> str:
        """The struct format of the whole block of `size` bytes, gaps as padding."""
        parts, at = ["<"], 0
        for offset, format_, _ in sorted(self._leaves):
            parts.append(f"{offset - at}x" if offset > at else "")
            parts.append(format_)
            at = offset + struct.calcsize(f"<{format_}")
        parts.append(f"{size - at}x" if size > at else "")
        return "".join(parts)

    def texts(self) -> list[str]:
        """The leaves' texts, by offset."""
        return [text for _, _, text in sorted(self._leaves, key=lambda leaf: leaf[0])]

    def targets(self) -> str:
        """The left side of an assignment from the unpacked tuple."""
        return f"({', '.join(self.texts())},)"


class RowPacker:
    """Packs many elements of one fixed layout, given as one flat list of leaves."""

    _ROWS_AT_ONCE = 64

    def __init__(self, format_: str, leaf_count: int) -> None:
        row = format_.removeprefix("<")
        self._row = row
        self._leaf_count = leaf_count
        self._size = struct.calcsize(format_)
        # One code over and over needs no struct per length: `<2000d`.
        self._code = row[0] if row and row == row[0] * leaf_count and row[0] != "s" else ""
        self._some = struct.Struct("<" + row * self._ROWS_AT_ONCE)
        self._rest: dict[int, struct.Struct] = {}

    def pack_into(self, buffer: Any, offset: int, leaves: list[Any]) -> None:
        """Write the elements to `buffer` at `offset`.

        Raises: struct.error, OverflowError for a leaf that does not fit.
        """
        if self._code:
            struct.pack_into(f"<{len(leaves)}{self._code}", buffer, offset, *leaves)
            return
        at, step = 0, self._ROWS_AT_ONCE * self._leaf_count
        while len(leaves) - at >= step:
            self._some.pack_into(buffer, offset, *leaves[at : at + step])
            at += step
            offset += self._some.size
        rows = (len(leaves) - at) // self._leaf_count
        if rows:
            if rows not in self._rest:
                self._rest[rows] = struct.Struct("<" + self._row * rows)
            self._rest[rows].pack_into(buffer, offset, *leaves[at:])

    def pack(self, leaves: list[Any]) -> bytearray:
        """The elements as bytes.

        Raises: struct.error, OverflowError for a leaf that does not fit.
        """
        data = bytearray(len(leaves) // self._leaf_count * self._size)
        self.pack_into(data, 0, leaves)
        return data
