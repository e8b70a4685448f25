"""Which host functions wait: every `async def`, and those marked with `may_wait` when they want to."""

from __future__ import annotations

import enum
from collections.abc import Callable
from types import BuiltinFunctionType, FunctionType, GeneratorType, MethodType
from typing import Any, Final, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

_MARK: Final = "_ingen_may_wait"
_CO_COROUTINE: Final = 0x80
"""The flag of an `async def`: `inspect.CO_COROUTINE`."""
_CO_ITERABLE_COROUTINE: Final = 0x100
"""The flag of a generator that can be awaited: `inspect.CO_ITERABLE_COROUTINE`."""


def may_wait(function: F) -> F:
    """Mark a host function, a plain `def`, that sometimes returns an awaitable of its result.

        @may_wait
        def read(self, length: int) -> bytes | Awaitable[bytes]:
            return self.take(length) if self.ready else self.take_later(length)

    A result that is there at once goes back to the guest at once, as from any `def`. A guest that gets an
    awaitable waits for it, as for an `async def`: then it has to have been called with `call_async`.

    Raises: TypeError, for functions written in C.
    """
    marked = getattr(function, "__func__", function)
    try:
        setattr(marked, _MARK, True)
    except (AttributeError, TypeError):
        raise TypeError(f"may_wait marks functions written in Python, not {function!r}") from None
    return function


class Waits(enum.Enum):
    """Whether the guest waits in a host function."""

    NEVER = enum.auto()
    """It returns its result."""
    ALWAYS = enum.auto()
    """It is an `async def`: it returns an awaitable of its result."""
    MAYBE = enum.auto()
    """It does one or the other: see `may_wait`."""


def waits(call: Callable[..., Any]) -> Waits:
    """How a host function, or an object with a `__call__`, returns its result."""
    if isinstance(call, type | BuiltinFunctionType):
        return Waits.NEVER
    function = call.__func__ if isinstance(call, MethodType) else call
    if isinstance(function, FunctionType) and not function.__dict__:
        return Waits.ALWAYS if function.__code__.co_flags & _CO_COROUTINE else Waits.NEVER
    call_method = type(call).__call__
    if getattr(function, _MARK, None) is True or getattr(call_method, _MARK, None) is True:
        return Waits.MAYBE
    import inspect  # slow to import, and rarely needed

    is_async = inspect.iscoroutinefunction(call) or inspect.iscoroutinefunction(call_method)
    return Waits.ALWAYS if is_async else Waits.NEVER


def is_awaitable(value: object) -> bool:
    """What `inspect.isawaitable` says, without importing it, and faster for what is none."""
    return hasattr(value, "__await__") or (
        isinstance(value, GeneratorType) and bool(value.gi_code.co_flags & _CO_ITERABLE_COROUTINE)
    )
