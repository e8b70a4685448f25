"""Lines of C in the making, and the C expressions that they are made of."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

_MAX_LINE_LENGTH = 100


def member(value: str, name: str) -> str:
    """The member of a struct that the expression `value` stands for."""
    if value.startswith("(*") and value.endswith(")"):
        return f"{value[2:-1]}->{name}"
    return f"{value}.{name}"


@dataclass(slots=True)
class Statements:
    """Lines of a function body, indented, and fresh names for its locals."""

    lines: list[str] = field(default_factory=list)
    _depth: int = 1
    _locals: int = 0

    def fresh(self) -> str:
        """The name of a local, that no parameter has."""
        self._locals += 1
        return f"ingen_{self._locals - 1}"

    def add(self, line: str) -> None:
        """Append a line."""
        self.lines.append("    " * self._depth + line)

    def call(self, before: str, arguments: list[str], after: str = ";") -> None:
        """Append a call, over several lines where it is long; `before` ends with the function's name."""
        whole = f"{before}({', '.join(arguments)}){after}"
        if len(whole) + 4 * self._depth <= _MAX_LINE_LENGTH or not arguments:
            self.add(whole)
            return
        self.add(f"{before}(")
        last = len(arguments) - 1
        for number, argument in enumerate(arguments):
            self.add(f"    {argument}{f'){after}' if number == last else ','}")

    @contextmanager
    def block(self, head: str) -> Iterator[None]:
        """Lines in braces after `head`."""
        self.add(f"{head} {{")
        self._depth += 1
        yield
        self._depth -= 1
        self.add("}")
