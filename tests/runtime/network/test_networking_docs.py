"""The examples of docs/networking.md do what it says."""

from __future__ import annotations

import doctest
import textwrap
from pathlib import Path

PAGE = Path(__file__).resolve().parents[3] / "docs" / "networking.md"


def test_examples() -> None:
    # Fences are no output, and an example in a list is indented.
    lines = [line for line in PAGE.read_text().splitlines() if not line.strip().startswith("```")]
    text = "\n".join(textwrap.dedent(line) if line.startswith("  ") else line for line in lines)
    examples = doctest.DocTestParser().get_doctest(text, {}, PAGE.name, str(PAGE), 0)
    assert len(examples.examples) > 15
    report: list[str] = []
    doctest.DocTestRunner().run(examples, out=report.append)
    assert not report, "".join(report)
