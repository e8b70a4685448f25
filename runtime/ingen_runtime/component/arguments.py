"""Arguments by position or by name, for functions that take them all together."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from types import CodeType, FunctionType
from typing import Any


@lru_cache(maxsize=1024)
def argument_binder(name: str, parameters: tuple[str, ...]) -> Callable[..., tuple[Any, ...]]:
    """A function `name` with these parameters, which returns what it is called with, in their order.

    Python's own messages, on arguments that are missing for instance, name the function and the parameters.
    """
    code = _code(len(parameters)).replace(
        co_name=name, co_qualname=name, co_varnames=parameters, co_filename="<arguments>"
    )
    return FunctionType(code, {}, name)


@lru_cache(maxsize=64)
def _code(count: int) -> CodeType:
    names = "".join([f"_{index}, " for index in range(count)])
    # Compiled from numbers alone: no name from outside gets into the source.
    function: Any = eval(f"lambda {names}: ({names})")
    code: CodeType = function.__code__
    return code
