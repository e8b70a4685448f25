"""Comments to documentation text, to the letter as wasm-tools does it."""

from __future__ import annotations


def docs_of(data: bytes, ranges: list[tuple[int, int]]) -> str:
    """The documentation that the comments at `ranges` make; every kind of comment counts.

    Slashes at the start of a line comment are dropped, then the indentation that all comments share.
    """
    comments = []
    for start, end in ranges:
        comment = data[start:end].decode()
        is_doc_block = comment.startswith("/**") and len(comment) >= 5
        comments.append((comment[3:-2] if is_doc_block else comment.lstrip("/")).rstrip())
    indent = min((_indent(comment) for comment in comments if comment), default=0)
    if indent:
        prefix = " " * indent
        comments = [comment.removeprefix(prefix) for comment in comments]
    lines: list[str] = []
    for comment in comments:
        lines += [line.removesuffix("\r") for line in comment.split("\n")]
    return "\n".join(lines).rstrip("\n")


def _indent(comment: str) -> int:
    # Only ASCII white space counts, and line ends do: a block comment may start with one.
    return len(comment) - len(comment.lstrip(" \t\n\r\x0c"))
