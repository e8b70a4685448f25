"""The clocks of a guest process: the world's, or one that a test moves."""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod

from ingen_runtime.readiness import Readiness, Signal, Timer, Wake

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
        # A nanosecond more, because the event loop's time is rounded to a float.
        wait_ns = min(max(when_ns - time.monotonic_ns() + 1, 0), _FURTHEST_NS)
        return Timer(asyncio.get_running_loop().time() + wait_ns / _NS_PER_S)


_FURTHEST_NS = 100 * 365 * 24 * 3600 * _NS_PER_S
"""No guest waits longer than a hundred years; larger numbers would not fit the event loop's clock."""


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
