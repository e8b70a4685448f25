"""Waiting for file descriptors."""

from __future__ import annotations

import asyncio
import enum
import select

from ingen_runtime.readiness import Readiness, Wake


class Direction(enum.Enum):
    """What is waited for; the value is its flag of poll(2)."""

    READ = select.POLLIN
    WRITE = select.POLLOUT


class FdReadiness(Readiness):
    """Whether a file descriptor can be read, or written, without waiting; errors count as both.

    The event loop watches the descriptor from a look that found it not ready until it is: a watcher that does
    not care for a while costs nothing.
    """

    __slots__ = ("_armed", "_direction", "_fd", "_loop", "_poll", "_watchers")

    def __init__(self, fd: int, direction: Direction) -> None:
        self._loop = asyncio.get_running_loop()
        self._fd = fd
        self._direction = direction
        self._poll = select.poll()
        self._poll.register(fd, direction.value)
        self._watchers: dict[Wake, None] = {}
        self._armed = False

    def ready(self) -> bool:
        if self._fd < 0 or self._poll.poll(0):
            return True
        self.look_again()
        return False

    def watch(self, wake: Wake) -> None:
        self._watchers[wake] = None
        self.look_again()

    def unwatch(self, wake: Wake) -> None:
        self._watchers.pop(wake, None)
        if not self._watchers:
            self._disarm()

    def look_again(self) -> None:
        """Wake who watches when it is ready, even if they were woken before."""
        if self._watchers and not self._armed and self._fd >= 0:
            self._armed = True
            if self._direction is Direction.READ:
                self._loop.add_reader(self._fd, self._wake_all)
            else:
                self._loop.add_writer(self._fd, self._wake_all)

    def end(self) -> None:
        """Be ready from now on, before the descriptor is closed."""
        self._disarm()
        self._fd = -1
        self._wake_all()

    def _wake_all(self) -> None:
        self._disarm()
        for wake in tuple(self._watchers):
            wake()

    def _disarm(self) -> None:
        if self._armed:
            self._armed = False
            if self._direction is Direction.READ:
                self._loop.remove_reader(self._fd)
            else:
                self._loop.remove_writer(self._fd)
