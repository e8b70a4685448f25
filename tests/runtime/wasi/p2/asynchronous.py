"""Tests that are `async def`."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, ParamSpec

P = ParamSpec("P")


def running(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """The test, run by asyncio, and ended where it hangs."""

    @functools.wraps(test)
    def run(*arguments: P.args, **named: P.kwargs) -> None:
        asyncio.run(asyncio.wait_for(test(*arguments, **named), 60))

    return run


async def settle() -> None:
    """Let everything run that can."""
    for _ in range(10):
        await asyncio.sleep(0)


async def value_of(result: Any) -> Any:
    """What a function that may wait returns."""
    return await result if isinstance(result, Awaitable) else result
