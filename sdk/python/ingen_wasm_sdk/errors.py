"""Errors of the SDK as exceptions of Python."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Final, ParamSpec, TypeVar

from .bindings import types

P = ParamSpec("P")
T = TypeVar("T")


class SdkError(OSError):
    """An operation has failed. `case` says how, as the SDK's WIT has it; `detail` is what more is known."""

    case: str = "other"

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail)
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.case}: {self.detail}" if self.detail else self.case


class RefusedError(SdkError, ConnectionRefusedError):
    """Nobody listens at the remote address."""

    case = "refused"


class UnreachableError(SdkError):
    """There is no route to the target, or the target's network said that it cannot be reached."""

    case = "unreachable"


class TimedOutError(SdkError, TimeoutError):
    """No answer came in time."""

    case = "timed-out"


class ResetError(SdkError, ConnectionResetError):
    """The peer broke the connection."""

    case = "reset"


class InUseError(SdkError):
    """The local address is taken."""

    case = "in-use"


class DeniedError(SdkError, PermissionError):
    """The VM may not do this; `detail` says what."""

    case = "denied"


class NotFoundError(SdkError, LookupError):
    """There is no such name."""

    case = "not-found"


class InvalidError(SdkError, ValueError):
    """An argument makes no sense, or not now; `detail` says which."""

    case = "invalid"


class WouldBlockError(SdkError, BlockingIOError):
    """There is nothing to do yet, and the socket is non-blocking."""

    case = "would-block"


class ClosedError(SdkError, BrokenPipeError):
    """The socket was closed, or this direction of it shut down."""

    case = "closed"


class OtherError(SdkError):
    """Anything else; `detail` says what."""


_CLASSES: Final[dict[type, type[SdkError]]] = {
    types.ErrorRefused: RefusedError,
    types.ErrorUnreachable: UnreachableError,
    types.ErrorTimedOut: TimedOutError,
    types.ErrorReset: ResetError,
    types.ErrorInUse: InUseError,
    types.ErrorDenied: DeniedError,
    types.ErrorNotFound: NotFoundError,
    types.ErrorInvalid: InvalidError,
    types.ErrorWouldBlock: WouldBlockError,
    types.ErrorClosed: ClosedError,
    types.ErrorOther: OtherError,
}


def raising(function: Callable[P, T]) -> Callable[P, T]:
    """A function that raises an SdkError where the host has failed with an error. A decorator."""

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return function(*args, **kwargs)
        except types.ErrorException as error:
            raise _CLASSES[type(error.value)](getattr(error.value, "value", "")) from None

    return call
