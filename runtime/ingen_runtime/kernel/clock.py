"""The clocks of a guest process: the world's, or one that a test moves."""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod

from ingen_runtime.readiness import Readiness, Signal, Wake

_NS_PER_S = 1_000_000_000


class Clock(ABC):
    """A clock on the wall and one that only goes forward, in nanoseconds."""

    __slots__ = ()

    wall_resolution_ns: int = 1
    monotonic_resolution_ns: int = 1

    @abstractmethod
    def wall_ns(self) -> int:
        """Since the beginning of 1970, UTC."""

    @abstractmethod
    def monotonic_ns(self) -> int:
        """Since a moment that means nothing."""

    @abstractmethod
    def timer(self, when_ns: int) -> Readiness:
        """Ready from this moment of the monotonic clock on, never earlier."""


class SystemClock(Clock):
    """The host's clocks."""

    __slots__ = ()

    def wall_ns(self) -> int:
        return time.time_ns()

    def monotonic_ns(self) -> int:
        return time.monotonic_ns()

    def timer(self, when_ns: int) -> Readiness:
        return _SystemTimer(when_ns)


class _SystemTimer(Readiness):
    """A moment of the host's monotonic clock. An event loop is needed to wait for it, not to ask."""

    __slots__ = ("_handles", "_when_ns")

    def __init__(self, when_ns: int) -> None:
        self._when_ns = when_ns
        self._handles: dict[Wake, asyncio.TimerHandle] = {}

    def ready(self) -> bool:
        return time.monotonic_ns() >= self._when_ns

    def watch(self, wake: Wake) -> None:
        if wake not in self._handles:
            # A nanosecond more, because the event loop rounds to a float.
            wait_ns = min(max(self._when_ns - time.monotonic_ns() + 1, 0), _LONGEST_NS)
            loop = asyncio.get_running_loop()
            self._handles[wake] = loop.call_later(wait_ns / _NS_PER_S, wake)

    def unwatch(self, wake: Wake) -> None:
        handle = self._handles.pop(wake, None)
        if handle is not None:
            handle.cancel()


_LONGEST_NS = 24 * 3600 * _NS_PER_S
"""Who waits for longer looks again after a day: event loops do not take all numbers."""


class ManualClock(Clock):
    """A clock that stands still until `advance` is called, for tests and repeatable runs."""

    __slots__ = ("_monotonic_ns", "_timers", "_wall_ns")

    def __init__(self, wall_ns: int = 0, monotonic_ns: int = 0) -> None:
        self._wall_ns = wall_ns
        self._monotonic_ns = monotonic_ns
        self._timers: dict[_ManualTimer, None] = {}

    def wall_ns(self) -> int:
        return self._wall_ns

    def monotonic_ns(self) -> int:
        return self._monotonic_ns

    def timer(self, when_ns: int) -> Readiness:
        return _ManualTimer(lambda: self._monotonic_ns >= when_ns, self._timers)

    def advance(self, by_ns: int) -> None:
        """Let time pass, and wake who waited for it."""
        self._wall_ns += by_ns
        self._monotonic_ns += by_ns
        for timer in tuple(self._timers):
            timer.wake_all()

    @property
    def waiting(self) -> int:
        """How many timers are watched."""
        return len(self._timers)


class _ManualTimer(Signal):
    """A timer of a manual clock, which the clock knows as long as somebody watches."""

    __slots__ = ("_timers",)

    def __init__(self, condition: Wake, timers: dict[_ManualTimer, None]) -> None:
        super().__init__(lambda: bool(condition()))
        self._timers = timers

    def watch(self, wake: Wake) -> None:
        super().watch(wake)
        self._timers[self] = None

    def unwatch(self, wake: Wake) -> None:
        super().unwatch(wake)
        if not self.watched:
            self._timers.pop(self, None)
