"""`wasi:clocks`, on the clock of a process."""

from __future__ import annotations

from ingen_runtime.kernel.clock import Clock
from ingen_runtime.wasi.p2.bindings.monotonic_clock import AsyncMonotonicClockImports
from ingen_runtime.wasi.p2.bindings.timezone import AsyncTimezoneImports, TimezoneDisplay
from ingen_runtime.wasi.p2.bindings.wall_clock import AsyncWallClockImports, Datetime
from ingen_runtime.wasi.p2.poll import Pollable

NS_PER_S = 1_000_000_000


def datetime_from_ns(ns: int) -> Datetime:
    """A time since 1970; that is also the earliest."""
    return Datetime(*divmod(max(ns, 0), NS_PER_S))


def ns_from_datetime(datetime: Datetime) -> int:
    return datetime.seconds * NS_PER_S + datetime.nanoseconds


class MonotonicClock(AsyncMonotonicClockImports):
    """Implements `wasi:clocks/monotonic-clock`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def now(self) -> int:
        return self._clock.monotonic_ns()

    def resolution(self) -> int:
        return self._clock.monotonic_resolution_ns

    def subscribe_instant(self, when: int) -> Pollable:
        return Pollable(self._clock.timer(when))

    def subscribe_duration(self, when: int) -> Pollable:
        return Pollable(self._clock.timer(self._clock.monotonic_ns() + when))


class WallClock(AsyncWallClockImports):
    """Implements `wasi:clocks/wall-clock`."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def now(self) -> Datetime:
        return datetime_from_ns(self._clock.wall_ns())

    def resolution(self) -> Datetime:
        return datetime_from_ns(self._clock.wall_resolution_ns)


class Timezone(AsyncTimezoneImports):
    """Implements `wasi:clocks/timezone`: guests live in UTC."""

    def display(self, when: Datetime) -> TimezoneDisplay:
        return TimezoneDisplay(0, "UTC", False)

    def utc_offset(self, when: Datetime) -> int:
        return 0
