"""Every exception that the project raises on purpose.

One class per reaction: what a caller would handle in a different way has a class of its own. Classes carry
fields; `str()` gives the message without a location.
"""

from __future__ import annotations


class IngenError(Exception):
    """Base of all errors that Ingen raises on purpose."""


class InternalError(IngenError):
    """A broken invariant of ours: a bug in Ingen, to be reported."""


class ComponentFormatError(IngenError):
    """The bytes are no valid component, module or encoded WIT package.

    `offset` is the byte offset in the outermost file, or None where there is none.
    """

    def __init__(self, message: str, offset: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset

    def __str__(self) -> str:
        return self.message if self.offset is None else f"{self.message} (at offset 0x{self.offset:x})"
