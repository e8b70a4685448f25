"""Every exception that the project raises on purpose.

One class per reaction: what a caller would handle in a different way has a class of its own. Classes carry
fields; `str()` gives the message without a location.
"""

from __future__ import annotations

import enum


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


class HostValueError(IngenError, TypeError, ValueError):
    """A value that the host passed in does not fit its type.

    `path` names the value (`points[3].x`), `expected` says what its type wants, `got` what was there.
    """

    def __init__(self, path: str, expected: str, got: str) -> None:
        super().__init__(f"{path}: expected {expected}, got {got}")
        self.path = path
        self.expected = expected
        self.got = got


class TrapKind(enum.Enum):
    """Why a guest was stopped; the value is a short description."""

    # The canonical ABI's own.
    OUT_OF_BOUNDS = "pointer out of bounds of memory"
    UNALIGNED_POINTER = "unaligned pointer"
    INVALID_DISCRIMINANT = "invalid variant discriminant"
    INVALID_CHAR = "invalid `char` bit pattern"
    INVALID_STRING = "invalid string encoding"
    STRING_TOO_LONG = "string too long"
    LIST_TOO_LONG = "list too long"
    UNKNOWN_HANDLE = "unknown handle index"
    WRONG_HANDLE_TYPE = "handle used with the wrong type"
    HANDLE_NOT_OWNED = "borrowed handle used where an owned one is needed"
    HANDLE_LENT = "cannot remove owned resource while borrowed"
    BORROW_NOT_DROPPED = "borrow handles still remain at the end of the call"
    HANDLE_TABLE_FULL = "too many handles"
    CANNOT_LEAVE = "cannot leave component instance"
    CANNOT_ENTER = "cannot enter component instance"


class Trap(IngenError):
    """A guest broke a rule of WebAssembly or of the canonical ABI, and its instance can not be used again.

    `path` names the value that was being moved (`result.items[3]`), empty where there is none.
    """

    def __init__(self, kind: TrapKind, detail: str = "", path: str = "") -> None:
        super().__init__(kind, detail, path)
        self.kind = kind
        self.detail = detail
        self.path = path

    def __str__(self) -> str:
        text = f"{self.kind.value}: {self.detail}" if self.detail else self.kind.value
        return f"{text} (in {self.path.lstrip('.')})" if self.path else text

    def within(self, path: str) -> Trap:
        """This trap, with its path moved into the value at `path`."""
        self.path = path + self.path
        return self


class ReentranceError(IngenError):
    """A component instance was called while a call into it was under way."""


class PoisonedError(IngenError):
    """A component instance was called after a trap or an exception had ended a call into it.

    The exception that ended that call is the `__cause__`.
    """


class ClassMismatchError(IngenError):
    """A Python class that a binding brings for a WIT type does not fit the type.

    `type_name` is the type's name in the component.
    """

    def __init__(self, type_name: str, message: str) -> None:
        super().__init__(f"{type_name}: {message}")
        self.type_name = type_name
