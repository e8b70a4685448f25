"""Where real sockets come from: the network of the process, or another namespace's."""

from __future__ import annotations

import asyncio
import socket
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any


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
    """The network of this process."""

    def open(self, family: int, type_: int, protocol: int = 0) -> socket.socket:
        made = socket.socket(family, type_, protocol)
        made.setblocking(False)
        return made

    async def look_up(self, query: Callable[[], Any]) -> Any:
        return await asyncio.get_running_loop().run_in_executor(None, query)

    async def aclose(self) -> None:
        pass
