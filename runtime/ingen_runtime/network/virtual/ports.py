"""The ports of one VM, for one protocol and one family."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from ingen_runtime.network.errors import NetworkError, NetworkErrorKind
from ingen_runtime.network.interface import Endpoint

if TYPE_CHECKING:
    from ingen_runtime.network.virtual.socket import VirtualSocket

S = TypeVar("S", bound="VirtualSocket")

# The range that Linux takes ports from for those who do not care.
_FIRST_FREE: Final = 32768
_LAST_FREE: Final = 60999


class PortTable(Generic[S]):
    """Which sockets have which local endpoints. Free ports are given out in turn, so that runs repeat."""

    __slots__ = ("_next", "_sockets")

    def __init__(self) -> None:
        # Dicts as ordered sets: a listener's port is that of all its connections.
        self._sockets: dict[int, dict[S, None]] = {}
        self._next = _FIRST_FREE

    def claim(self, socket: S, local: Endpoint) -> Endpoint:
        """Give the socket this endpoint, with a free port where that is 0.

        Raises: NetworkError IN_USE.
        """
        if local.port:
            for other in self._sockets.get(local.port, ()):
                if (socket.exclusive or other.exclusive) and other.overlaps(local.address):
                    raise NetworkError(NetworkErrorKind.IN_USE, f"port {local.port} is taken")
        else:
            local = Endpoint(local.address, self._free_port())
        self.share(socket, local.port)
        return local

    def share(self, socket: S, port: int) -> None:
        """Give the socket a port that others may have: a connection gets its listener's."""
        self._sockets.setdefault(port, {})[socket] = None

    def release(self, socket: S, port: int) -> None:
        """Take the port back."""
        sockets = self._sockets[port]
        del sockets[socket]
        if not sockets:
            del self._sockets[port]

    def at(self, port: int) -> Iterable[S]:
        """All sockets of a port, the last one to come first."""
        return reversed(self._sockets.get(port, {}))

    def _free_port(self) -> int:
        for _ in range(_FIRST_FREE, _LAST_FREE + 1):
            port = self._next
            self._next = port + 1 if port < _LAST_FREE else _FIRST_FREE
            if port not in self._sockets:
                return port
        raise NetworkError(NetworkErrorKind.IN_USE, "no port is free")
