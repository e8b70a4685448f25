"""`poll_oneoff`: waiting for the first of many things."""

from __future__ import annotations

from collections.abc import Sequence

from ingen_runtime.kernel.clock import Clock
from ingen_runtime.kernel.errors import FileError
from ingen_runtime.kernel.process import Process
from ingen_runtime.readiness import ALWAYS, Readiness, wait_any
from ingen_runtime.wasi.p1.abi import (
    CLOCK_ABSTIME,
    EVENT,
    EVENT_CLOCK,
    EVENT_FD_READ,
    EVENT_FD_WRITE,
    FD_HANGUP,
    FILE_ERRNO,
    MONOTONIC,
    REALTIME,
    SUBSCRIPTION,
    Errno,
    ErrnoError,
)
from ingen_runtime.wasi.p1.descriptors import Descriptor
from ingen_runtime.wasi.p1.memory import GuestMemory
from ingen_runtime.wasi.p1.table import DescriptorTable

_MOST_SUBSCRIPTIONS = 1 << 12


class _Subscription:
    """What a guest waits for, and what it is told then."""

    __slots__ = ("_descriptor", "errno", "readiness", "tag", "user_data")

    def __init__(self, user_data: int, tag: int) -> None:
        self.user_data = user_data
        self.tag = tag
        self.errno = Errno.SUCCESS
        self.readiness: Readiness = ALWAYS
        self._descriptor: Descriptor | None = None

    def use(self, descriptor: Descriptor) -> None:
        """Wait until the descriptor can be read from, or written to. Raises: ErrnoError"""
        self.readiness = descriptor.readiness(write=self.tag == EVENT_FD_WRITE)
        self._descriptor = descriptor

    def event(self) -> bytes:
        """What has happened."""
        size = flags = 0
        errno = self.errno
        if self._descriptor is not None:
            size = 1
            if self.tag == EVENT_FD_READ:
                try:
                    size, ended = self._descriptor.available()
                    flags = FD_HANGUP if ended else 0
                except FileError as error:  # closed while it was waited for
                    errno = FILE_ERRNO[error.kind]
        return EVENT.pack(self.user_data, errno, self.tag, size, flags)


class PollFunctions:
    """`poll_…`"""

    def __init__(self, process: Process, memory: GuestMemory, table: DescriptorTable) -> None:
        self._clock = process.clock
        self._memory = memory
        self._table = table

    def poll_oneoff(self, subscriptions: int, events: int, count: int, result: int) -> object:
        if not count:
            raise ErrnoError(Errno.INVAL)
        if count > _MOST_SUBSCRIPTIONS:
            raise ErrnoError(Errno.NOMEM)
        memory = self._memory
        memory.slice(events, count * EVENT.size)
        memory.slice(result, 4)
        given = SUBSCRIPTION.iter_unpack(memory.slice(subscriptions, count * SUBSCRIPTION.size))
        wanted = [self._subscription(*fields) for fields in given]
        ready = [one for one in wanted if one.readiness.ready()]
        if ready:
            return self._report(ready, events, result)
        return self._wait(wanted, events, result)

    def _subscription(
        self, user_data: int, tag: int, number: int, time_ns: int, precision_ns: int, flags: int
    ) -> _Subscription:
        """What is wrong with it is what the guest is told, at once."""
        wanted = _Subscription(user_data, tag)
        try:
            if tag == EVENT_CLOCK:
                wanted.readiness = _timer(self._clock, number, time_ns, flags)
            elif tag in (EVENT_FD_READ, EVENT_FD_WRITE):
                wanted.use(self._table[number])
            else:
                raise ErrnoError(Errno.INVAL)
        except ErrnoError as error:
            wanted.errno = error.errno
        return wanted

    async def _wait(self, wanted: Sequence[_Subscription], events: int, result: int) -> int:
        ready = await wait_any([one.readiness for one in wanted])
        return self._report([wanted[index] for index in ready], events, result)

    def _report(self, ready: Sequence[_Subscription], events: int, result: int) -> int:
        self._memory.write(events, b"".join([one.event() for one in ready]))
        self._memory.write_u32(result, len(ready))
        return 0


def _timer(clock: Clock, number: int, time_ns: int, flags: int) -> Readiness:
    if number not in (REALTIME, MONOTONIC):
        raise ErrnoError(Errno.INVAL)
    if not flags & CLOCK_ABSTIME:
        time_ns += clock.monotonic_ns()
    elif number == REALTIME:
        time_ns += clock.monotonic_ns() - clock.wall_ns()
    return clock.timer(time_ns)
