"""The Python values that WIT has no built-in Python counterpart for."""

from __future__ import annotations

from typing import Generic, TypeVar

from ingen_runtime.errors import IngenError
from ingen_runtime.frozen import frozen

T_co = TypeVar("T_co", covariant=True)
E_co = TypeVar("E_co", covariant=True)


@frozen
class Some(Generic[T_co]):
    """A present value of an option whose own values can be None: `option<option<u8>>` has `Some(None)`."""

    value: T_co


@frozen
class Ok(Generic[T_co]):
    """The `ok` side of a result that is not the whole result of a function."""

    value: T_co = None  # type: ignore[assignment]  # `result` without an ok type carries None


@frozen
class Err(Generic[E_co]):
    """The `err` side of a result that is not the whole result of a function."""

    value: E_co = None  # type: ignore[assignment]  # `result` without an err type carries None


class ResultError(IngenError):
    """The `err` side of a function's result: raised out of guests, and raised by host functions.

    `value` is what the error carries, None where it carries nothing. Bindings may use subclasses.
    """

    def __init__(self, value: object = None) -> None:
        super().__init__(value)
        self.value = value

    def __str__(self) -> str:
        return f"the function returned an error: {self.value!r}"
