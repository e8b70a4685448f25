"""Standard input and output on file descriptors of the host: pipes, terminals, files, sockets.

The descriptors stay as they are: `O_NONBLOCK` would also change them for other processes that share them, the
user's shell for one. So each read and write asks first whether there is something to do.
"""

from __future__ import annotations

import asyncio
import os
import select
from collections.abc import Callable
from typing import Final

from ingen_runtime.kernel.errors import FileError, file_error
from ingen_runtime.kernel.limits import KIB
from ingen_runtime.kernel.streams import (
    BytesLike,
    InputStream,
    OutputStream,
    StreamClosedError,
    WouldBlockError,
)
from ingen_runtime.readiness import Readiness, Wake

_LARGEST_READ: Final = 64 * KIB
"""Python allocates what is asked for before it knows how much there is."""
_SAFE_WRITE: Final = min(select.PIPE_BUF, 4096)
"""What a pipe that is writable takes without blocking."""


class _Descriptor(Readiness):
    """Whether a file descriptor can be read from, or written to."""

    __slots__ = ("_direction", "_fd", "_loop", "_poll", "_watchers")

    def __init__(self, fd: int, direction: int) -> None:
        self._fd = fd
        self._direction = direction
        self._poll = select.poll()
        self._poll.register(fd, direction)
        self._watchers: dict[Wake, None] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    def ready(self) -> bool:
        # An error or a hang-up counts: the next read or write tells which.
        return bool(self._poll.poll(0))

    def watch(self, wake: Wake) -> None:
        if not self._watchers:
            loop = asyncio.get_running_loop()
            add: Callable[..., None] = (
                loop.add_reader if self._direction == select.POLLIN else loop.add_writer
            )
            try:
                add(self._fd, self._wake_all)
            except PermissionError:
                # The event loop cannot watch files and some devices, which are always ready.
                loop.call_soon(wake)
                return
            self._loop = loop
        self._watchers[wake] = None

    def unwatch(self, wake: Wake) -> None:
        self._watchers.pop(wake, None)
        if not self._watchers:
            self.stop()

    def stop(self) -> None:
        """Watch no longer; who still does is woken."""
        loop, self._loop = self._loop, None
        if loop is not None and not loop.is_closed():
            if self._direction == select.POLLIN:
                loop.remove_reader(self._fd)
            else:
                loop.remove_writer(self._fd)
        self._wake_all()

    def _wake_all(self) -> None:
        for wake in tuple(self._watchers):
            wake()


def _copy(fd: int) -> int:
    try:
        return os.dup(fd)
    except OSError as error:
        raise FileError(file_error(error).kind, f"the file descriptor {fd}: {error.strerror}") from None


class _HostStream:
    """A copy of a file descriptor, which can be read from or written to."""

    def __init__(self, fd: int, direction: int) -> None:
        self._fd = _copy(fd)
        self._descriptor = _Descriptor(self._fd, direction)
        self.is_terminal = os.isatty(fd)

    def _check_ready(self) -> None:
        """Raises: StreamClosedError, WouldBlockError"""
        if self._fd < 0:
            raise StreamClosedError("the stream is closed")
        if not self._descriptor.ready():
            raise WouldBlockError

    def close(self) -> None:
        fd, self._fd = self._fd, -1
        if fd >= 0:
            self._descriptor.stop()
            os.close(fd)


class HostInput(_HostStream, InputStream):
    """Reads from a copy of a file descriptor, which stays the caller's.

    Raises: FileError where it is not open.
    """

    def __init__(self, fd: int) -> None:
        super().__init__(fd, select.POLLIN)
        self.readable = self._descriptor

    def read(self, limit: int) -> bytes:
        self._check_ready()
        try:
            return os.read(self._fd, min(limit, _LARGEST_READ))
        except BlockingIOError:
            raise WouldBlockError from None
        except OSError as error:
            raise file_error(error) from None


class HostOutput(_HostStream, OutputStream):
    """Writes to a copy of a file descriptor, which stays the caller's.

    Raises: FileError where it is not open.
    """

    def __init__(self, fd: int) -> None:
        super().__init__(fd, select.POLLOUT)
        self.writable = self._descriptor

    def write(self, data: BytesLike) -> int:
        self._check_ready()
        try:
            return os.write(self._fd, memoryview(data).cast("B")[:_SAFE_WRITE])
        except BlockingIOError:
            raise WouldBlockError from None
        except BrokenPipeError:
            raise StreamClosedError("nobody reads what is written") from None
        except OSError as error:
            raise file_error(error) from None
