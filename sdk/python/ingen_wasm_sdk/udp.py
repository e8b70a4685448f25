"""UDP sockets."""

from __future__ import annotations

from typing import Final

from .addresses import Endpoint, Local, endpoint_from_bindings, endpoint_to_bindings, microseconds
from .bindings import udp
from .errors import raising
from .names import addresses_of

_LONGEST: Final = 65535


class UdpSocket:
    """A UDP socket. A context manager: leaving it closes it."""

    def __init__(self, socket: udp.Socket) -> None:
        self._socket = socket

    @raising
    def connect(self, remote: Local | None) -> None:
        """Send to and receive from this peer alone, from now on; None undoes it."""
        self._socket.connect(None if remote is None else endpoint_to_bindings(addresses_of(remote)[0]))

    @raising
    def receive(self, limit: int = _LONGEST) -> tuple[bytes, Endpoint]:
        """The next datagram, cut off after `limit` bytes, and who sent it. Waits for it."""
        datagram = self._socket.receive(limit)
        return datagram.data, endpoint_from_bindings(datagram.remote)

    @raising
    def send(self, data: bytes | bytearray | memoryview, remote: Local | None = None) -> None:
        """Send a datagram; where `remote` is None, to the peer that the socket is connected to."""
        there = None if remote is None else endpoint_to_bindings(addresses_of(remote)[0])
        self._socket.send(data, there)

    @property
    @raising
    def local(self) -> Endpoint:
        """The local address."""
        return endpoint_from_bindings(self._socket.local_address())

    @property
    @raising
    def peer(self) -> Endpoint:
        """The peer's address."""
        return endpoint_from_bindings(self._socket.peer_address())

    @property
    @raising
    def ttl(self) -> int:
        """The TTL of what is sent: 1 to 255."""
        return self._socket.ttl()

    @ttl.setter
    @raising
    def ttl(self, ttl: int) -> None:
        self._socket.set_ttl(ttl)

    @raising
    def set_blocking(self, enabled: bool) -> None:
        """Whether sending and receiving wait instead of raising WouldBlockError."""
        self._socket.set_non_blocking(not enabled)

    @raising
    def set_timeout(self, timeout_s: float | None) -> None:
        """How long sending and receiving wait before they raise TimedOutError; None for ever."""
        self._socket.set_timeout(microseconds(timeout_s))

    def close(self) -> None:
        """Close it; may be called again."""
        self._socket.drop()

    def __enter__(self) -> UdpSocket:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()


@raising
def open_udp(
    local: Local,
    *,
    reuse_address: bool = False,
    receive_buffer: int | None = None,
    send_buffer: int | None = None,
    blocking: bool = True,
) -> UdpSocket:
    """A socket at an address of the VM; port 0 takes a free one. What is None is left to the host.

    Raises: SdkError.
    """
    options = udp.BindOptions(reuse_address, receive_buffer, send_buffer, not blocking)
    return UdpSocket(udp.Socket.bind(endpoint_to_bindings(local), options))
