"""What a guest can wait for: a socket that becomes readable, a timer, a pipe with room.

Readiness is a level, not an edge: `ready()` says how it is now, and a wake-up only says that it is worth to
look again. All of it happens on one thread, that of the asyncio event loop.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, Final

Wake = Callable[[], object]


class Readiness(ABC):
    """A condition that a guest can wait for."""

    __slots__ = ()

    @abstractmethod
    def ready(self) -> bool:
        """Whether it holds now. Cheap: it is asked for each entry of each poll."""

    @abstractmethod
    def watch(self, wake: Wake) -> None:
        """Have `wake` called, soon, whenever the condition may have come to hold.

        Where it holds already, nothing has to call: ask `ready()` after having begun to watch. `wake` must be
        cheap, must not raise, and may be called more often than needed. Watching twice with one `wake` is
        watching once.
        """

    @abstractmethod
    def unwatch(self, wake: Wake) -> None:
        """Undo `watch`; nothing happens where `wake` does not watch."""


class Always(Readiness):
    """What never has to be waited for."""

    __slots__ = ()

    def ready(self) -> bool:
        return True

    def watch(self, wake: Wake) -> None:
        wake()

    def unwatch(self, wake: Wake) -> None:
        pass


ALWAYS: Final = Always()


class Signal(Readiness):
    """A condition of some object, which calls `wake_all` where it may have come to hold."""

    __slots__ = ("_condition", "_watchers")

    def __init__(self, condition: Callable[[], bool]) -> None:
        self._condition = condition
        # A dict keeps the order, so that runs are repeatable.
        self._watchers: dict[Wake, None] = {}

    def ready(self) -> bool:
        return self._condition()

    def watch(self, wake: Wake) -> None:
        self._watchers[wake] = None

    def unwatch(self, wake: Wake) -> None:
        self._watchers.pop(wake, None)

    @property
    def watched(self) -> bool:
        """Whether anybody watches."""
        return bool(self._watchers)

    def wake_all(self) -> None:
        """Tell all who watch to look again."""
        if self._watchers:
            for wake in tuple(self._watchers):
                wake()


class Timer(Readiness):
    """Ready from a moment of the event loop's clock on (`loop.time()`, in seconds)."""

    __slots__ = ("_handles", "_loop", "when_s")

    def __init__(self, when_s: float) -> None:
        self._loop = asyncio.get_running_loop()
        self.when_s = when_s
        self._handles: dict[Wake, asyncio.TimerHandle] = {}

    def ready(self) -> bool:
        return self._loop.time() >= self.when_s

    def watch(self, wake: Wake) -> None:
        if wake not in self._handles:
            self._handles[wake] = self._loop.call_at(self.when_s, wake)

    def unwatch(self, wake: Wake) -> None:
        handle = self._handles.pop(wake, None)
        if handle is not None:
            handle.cancel()


async def wait(readiness: Readiness) -> None:
    """Return once it is ready; at once where it is now."""
    while not readiness.ready():
        await _next_wake((readiness,))


async def wait_any(conditions: Sequence[Readiness]) -> list[int]:
    """The indices of all that are ready, in ascending order, once there is one.

    Raises: ValueError where there is nothing to wait for.
    """
    if not conditions:
        raise ValueError("there is nothing to wait for")
    while True:
        ready = [index for index, condition in enumerate(conditions) if condition.ready()]
        if ready:
            return ready
        await _next_wake(conditions)


async def _next_wake(conditions: Sequence[Readiness]) -> None:
    future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    def wake() -> None:
        if not future.done():
            future.set_result(None)

    try:
        for condition in conditions:
            condition.watch(wake)
        await future
    finally:
        for condition in conditions:
            condition.unwatch(wake)
