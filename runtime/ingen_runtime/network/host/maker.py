"""Where real sockets come from: the network of the process, or another namespace's."""

from __future__ import annotations

import asyncio
import socket
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, Final

_LOOKUP_THREADS: Final = 4


class SocketMaker(ABC):
    """Makes sockets and looks names up, in one network namespace."""

    @abstractmethod
    def open(self, family: int, type_: int, protocol: int = 0) -> socket.socket:
        """A socket that never blocks. Raises: OSError."""

    @abstractmethod
    async def look_up(self, query: Callable[[], Any]) -> Any:
        """What `query` returns or raises, called where it may take its time."""

    @abstractmethod
    async def aclose(self) -> None:
        """Let go of what it holds. The sockets stay."""


class HostMaker(SocketMaker):
    """The network of this process.

    Look-ups have threads of their own: those of the event loop's executor would be missed by all others, and
    waited for at the end of the process.
    """

    def __init__(self) -> None:
        self._threads = asyncio.Semaphore(_LOOKUP_THREADS)

    def open(self, family: int, type_: int, protocol: int = 0) -> socket.socket:
        made = socket.socket(family, type_, protocol)
        made.setblocking(False)
        return made

    async def look_up(self, query: Callable[[], Any]) -> Any:
        await self._threads.acquire()
        loop = asyncio.get_running_loop()
        answer: Future[Any] = Future()
        answer.set_running_or_notify_cancel()  # a look-up goes on where nobody waits any more

        def work() -> None:
            try:
                answer.set_result(query())
            except BaseException as error:
                answer.set_exception(error)
            with suppress(RuntimeError):  # the event loop is closed
                loop.call_soon_threadsafe(self._threads.release)

        threading.Thread(target=work, name="lookup", daemon=True).start()
        return await asyncio.wrap_future(answer)

    async def aclose(self) -> None:
        pass
