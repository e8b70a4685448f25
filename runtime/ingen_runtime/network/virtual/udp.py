"""UDP in virtual networks."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from ingen_runtime.network.addresses import check_remote
from ingen_runtime.network.errors import NetworkError, NetworkErrorKind
from ingen_runtime.network.interface import BytesLike, Endpoint, Family, Option, UdpSocket
from ingen_runtime.network.virtual.paths import Path, Protocol
from ingen_runtime.network.virtual.socket import SMALLEST_BUFFER, VirtualSocket

if TYPE_CHECKING:
    from ingen_runtime.network.virtual.network import VirtualNetwork

_LONGEST: Final = {Family.IPV4: 65535 - 20 - 8, Family.IPV6: 65535 - 8}
# What an object for a datagram costs; counted, or empty datagrams would wait in any number.
_OVERHEAD: Final = 256


class VirtualUdpSocket(VirtualSocket, UdpSocket):
    """A UDP socket. What arrives where the receive buffer is full is lost."""

    __slots__ = ("_error", "_inbox", "_inbox_size", "_peer")

    _is_tcp = False

    def __init__(self, network: VirtualNetwork, family: Family) -> None:
        super().__init__(network, family)
        self._peer: Endpoint | None = None
        self._inbox: deque[tuple[bytes, Endpoint]] = deque()
        self._inbox_size = 0
        self._error: NetworkErrorKind | None = None

    def _is_readable(self) -> bool:
        return bool(self._inbox) or self._closed or self._error is not None or self._bound is None

    def _is_writable(self) -> bool:
        return True

    def local(self) -> Endpoint:
        local = super().local()
        if self._peer is not None and local.address.is_unspecified:
            return Endpoint(self._path_to(self._peer).source, local.port)
        return local

    def peer(self) -> Endpoint:
        self._check_open()
        if self._peer is None:
            raise NetworkError(NetworkErrorKind.INVALID, "it is not connected")
        return self._peer

    def connect(self, remote: Endpoint | None) -> None:
        self._check_open()
        if remote is not None:
            self._path_to(remote)
            self._claim_any()
        self._peer = remote
        self._error = None

    def receive_from(self, limit: int) -> tuple[bytes, Endpoint]:
        self._check_open()
        self._raise_error()
        if self._bound is None:
            raise NetworkError(NetworkErrorKind.INVALID, "it is not bound yet")
        if not self._inbox:
            raise NetworkError(NetworkErrorKind.WOULD_BLOCK)
        data, source = self._inbox.popleft()
        self._account(-len(data) - _OVERHEAD)
        return (data if len(data) <= limit else data[:limit]), source

    def send_to(self, data: BytesLike, remote: Endpoint | None) -> None:
        self._check_open()
        self._raise_error()
        remote = remote or self._peer
        if remote is None:
            raise NetworkError(NetworkErrorKind.INVALID, "it has no peer: say where to send")
        datagram = bytes(data)
        if len(datagram) > _LONGEST[self.family]:
            raise NetworkError(NetworkErrorKind.INVALID, f"a datagram of {len(datagram)} bytes is too long")
        path = self._path_to(remote)
        source = Endpoint(path.source, self._claim_any().port)
        if path.target is None or self._options[Option.TTL] <= path.hops:
            return  # as Linux, which tells only those who ask for ICMP errors
        arrive = path.target.datagram_arrives
        self.network.vpc.carry(
            path, Protocol.UDP, len(datagram), arrive, self, path, source, remote, datagram
        )

    def _path_to(self, remote: Endpoint) -> Path:
        check_remote(remote, self.family)
        return self.network.path_to(remote.address, self._bound.address if self._bound else None)

    def _raise_error(self) -> None:
        if self._error is not None:
            kind, self._error = self._error, None
            raise NetworkError(kind, "nobody listens there")

    def accepts(self, local: Endpoint, source: Endpoint) -> bool:
        """Whether a datagram from there to here is for this socket."""
        return self.overlaps(local.address) and self._peer in (None, source)

    def arrives(self, datagram: bytes, source: Endpoint) -> None:
        """Take a datagram in, or lose it."""
        is_crowded = self.network.is_crowded()
        room = SMALLEST_BUFFER if is_crowded else self.receive_buffer
        # As in Linux, the first one may be larger than the buffer.
        if (self._inbox or is_crowded) and self._inbox_size + len(datagram) + _OVERHEAD > room:
            return
        self._inbox.append((datagram, source))
        self._account(len(datagram) + _OVERHEAD)
        if len(self._inbox) == 1:
            self.readable.wake_all()

    def refused(self, remote: Endpoint) -> None:
        """Take in that nobody listens there."""
        if self._peer == remote and not self._closed:
            self._error = NetworkErrorKind.REFUSED
            self._wake()

    def _account(self, size: int) -> None:
        self._inbox_size += size
        self.network.buffered += size

    def _give_up(self) -> None:
        self._inbox.clear()
        self._account(-self._inbox_size)
