"""Every exception that the project raises on purpose.

One class per reaction: what a caller would handle in a different way has a class of its own. Classes carry
fields; `str()` gives the message without a location.
"""

from __future__ import annotations

import enum

from ingen_runtime.frozen import frozen


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


class LinkError(IngenError):
    """An import is missing, or what is offered for it does not fit. `import_name` names it where known."""

    def __init__(self, message: str, import_name: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.import_name = import_name


class StoreUnusableError(IngenError):
    """A guest was called whose store is closed, was cancelled in the middle of a call, or is in use."""


class TrapKind(enum.Enum):
    """Why a guest was stopped. The value says it in words."""

    # What core WebAssembly traps on.
    UNREACHABLE = "unreachable instruction executed"
    OUT_OF_BOUNDS_MEMORY = "out-of-bounds memory access"
    OUT_OF_BOUNDS_TABLE = "out-of-bounds table access"
    OUT_OF_BOUNDS_ARRAY = "out-of-bounds array access"
    INDIRECT_CALL_TO_NULL = "indirect call to a null table element"
    BAD_SIGNATURE = "indirect call with the wrong signature"
    INTEGER_OVERFLOW = "integer overflow"
    INTEGER_DIVISION_BY_ZERO = "integer division by zero"
    BAD_CONVERSION_TO_INTEGER = "float with no equal integer"
    NULL_REFERENCE = "use of a null reference"
    CAST_FAILURE = "failed reference cast"
    ALLOCATION_TOO_LARGE = "allocation too large"
    UNALIGNED_ATOMIC = "unaligned atomic access"
    ATOMIC_WAIT_NON_SHARED_MEMORY = "atomic wait on unshared memory"
    UNCAUGHT_EXCEPTION = "a WebAssembly exception that nothing caught"
    # What the canonical ABI traps on.
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
    # Limits that the host sets.
    STACK_OVERFLOW = "call stack exhausted"
    OUT_OF_FUEL = "out of fuel"
    INTERRUPTED = "interrupted by the host"
    TIMEOUT = "deadline passed"
    LIMIT_EXCEEDED = "a limit of the host exceeded"
    DEADLOCK = "deadlock detected: event loop cannot make further progress"
    # The host's rules.
    CANNOT_BLOCK = "an async host function called where the guest cannot be suspended"
    OTHER = "stopped"


@frozen
class WasmFrame:
    """One frame of a guest's backtrace. Offsets count bytes in the function and in the core module's
    binary."""

    func_index: int
    func_name: str | None
    module_name: str | None
    func_offset: int
    module_offset: int

    def __str__(self) -> str:
        name = self.func_name if self.func_name is not None else f"func[{self.func_index}]"
        where = f"{self.module_name}!{name}" if self.module_name else name
        return f"{where} (at 0x{self.module_offset:x})"


class Trap(IngenError):
    """The guest was stopped. Its instance is in an unknown state, so nothing else may be called in it.

    `path` names the value that was being moved (`result.items[3]`), empty where there is none. `frames` is
    the guest's backtrace, innermost first; `guest_stderr` what it last wrote there, if captured.
    """

    def __init__(
        self,
        kind: TrapKind,
        detail: str = "",
        path: str = "",
        *,
        guest_stderr: bytes = b"",
        frames: tuple[WasmFrame, ...] = (),
    ) -> None:
        super().__init__(kind, detail, path)
        self.kind = kind
        self.detail = detail
        self.path = path
        self.guest_stderr = guest_stderr
        self.frames = frames

    def __str__(self) -> str:
        text = self.kind.value
        if self.detail and self.detail != text:
            text += f": {self.detail}"
        if self.path:
            text += f" (in {self.path.lstrip('.')})"
        if self.frames:
            shown = self.frames[:_SHOWN_FRAMES]
            text += "".join(f"\n  in {frame}" for frame in shown)
            if len(self.frames) > len(shown):
                text += f"\n  and {len(self.frames) - len(shown)} more frames"
        if self.guest_stderr:
            text += f"\nthe guest's stderr ends in:\n{self.guest_stderr.decode(errors='replace').rstrip()}"
        return text

    def within(self, path: str) -> Trap:
        """This trap, with its path moved into the value at `path`."""
        self.path = path + self.path
        return self


_SHOWN_FRAMES = 16


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
