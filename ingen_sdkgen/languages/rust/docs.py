"""Documentation of WIT items as documentation of Rust items."""

from __future__ import annotations

import re

from ingen_sdkgen.model import Stability

_FENCE = re.compile(r"(\s*)(`{3,}|~{3,})\s*(.*)")


def documentation(docs: str | None, stability: Stability = None) -> str:
    """The text for a doc comment; empty where there is none.

    A code block that does not say what it is in would be compiled and run as a test, so it is marked as text.
    """
    lines: list[str] = []
    fence = ""
    for line in (docs or "").splitlines():
        match = _FENCE.fullmatch(line)
        if match and not fence:
            indent, fence, language = match.groups()
            line = line if language else f"{indent}{fence}text"
        elif match and match[2].startswith(fence) and not match[3]:
            fence = ""
        lines.append(line)
    if stability is not None and stability.deprecated is not None:
        lines += [*([""] if lines else []), f"Deprecated since {stability.deprecated}."]
    return "\n".join(lines)
