"""What one VM sees of a virtual network."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING, Final

from ingen_runtime.network.addresses import WILDCARD, family_of
from ingen_runtime.network.errors import NetworkError, NetworkErrorKind
from ingen_runtime.network.icmp import check_echo
from ingen_runtime.network.interface import (
    EchoReply,
    EchoRequest,
    Endpoint,
    Family,
    IPAddress,
    IPInterface,
    Network,
)
from ingen_runtime.network.names import address_literal, canonical_name
from ingen_runtime.network.virtual.echo import Echo
from ingen_runtime.network.virtual.paths import Path, Protocol
from ingen_runtime.network.virtual.ports import PortTable
from ingen_runtime.network.virtual.socket import VirtualSocket
from ingen_runtime.network.virtual.tcp import VirtualTcpSocket
from ingen_runtime.network.virtual.udp import VirtualUdpSocket

if TYPE_CHECKING:
    from ingen_runtime.network.virtual.vpc import VirtualVpc

_MOST_PATHS: Final = 4096  # that are remembered

LOOPBACK: Final[Mapping[Family, IPAddress]] = {
    Family.IPV4: IPv4Address("127.0.0.1"),
    Family.IPV6: IPv6Address("::1"),
}


class VirtualNetwork(Network):
    """One VM's place in a VPC. Both loopback addresses are its own as well."""

    __slots__ = (
        "_closed",
        "_echoes",
        "_identifier",
        "_interfaces",
        "_listeners",
        "_own",
        "_paths",
        "_paths_version",
        "_ports",
        "_sockets",
        "buffer_bytes",
        "buffered",
        "max_sockets",
        "name",
        "pending",
        "vpc",
    )

    def __init__(
        self,
        vpc: VirtualVpc,
        name: str,
        interfaces: Sequence[IPInterface],
        max_sockets: int,
        buffer_bytes: int,
    ) -> None:
        self.vpc = vpc
        self.name = name
        self.max_sockets = max_sockets
        self.buffer_bytes = buffer_bytes
        self.buffered = 0  # bytes that have arrived and that nobody has read
        self.pending = 0  # connections that wait to be accepted
        self._interfaces = tuple(interfaces)
        self._own = frozenset(interface.ip for interface in interfaces)
        self._closed = False
        # A dict as an ordered set: closing them in order keeps runs repeatable.
        self._sockets: dict[VirtualSocket, None] = {}
        self._listeners: dict[Endpoint, VirtualTcpSocket] = {}
        self._ports: dict[tuple[bool, Family], PortTable[VirtualSocket]] = {}
        self._echoes: dict[Echo, None] = {}
        self._identifier = 0
        self._paths: dict[IPAddress, Path] = {}
        self._paths_version = -1

    @property
    def interfaces(self) -> tuple[IPInterface, ...]:
        return self._interfaces

    # Sockets

    def tcp_socket(self, family: Family) -> VirtualTcpSocket:
        socket = VirtualTcpSocket(self, family)
        self.register(socket)
        return socket

    def udp_socket(self, family: Family) -> VirtualUdpSocket:
        socket = VirtualUdpSocket(self, family)
        self.register(socket)
        return socket

    def register(self, socket: VirtualSocket) -> None:
        """Count a socket among those that the VM has open.

        Raises: NetworkError LIMIT.
        """
        self._check_open()
        if len(self._sockets) >= self.max_sockets:
            raise NetworkError(NetworkErrorKind.LIMIT, f"the VM may have {self.max_sockets} sockets")
        self._sockets[socket] = None

    def forget(self, socket: VirtualSocket) -> None:
        """Count it no longer."""
        self._sockets.pop(socket, None)

    def ports(self, is_tcp: bool, family: Family) -> PortTable[VirtualSocket]:
        """Who has which port."""
        key = is_tcp, family
        if key not in self._ports:
            self._ports[key] = PortTable()
        return self._ports[key]

    def add_listener(self, local: Endpoint, socket: VirtualTcpSocket) -> None:
        """Hand clients of this endpoint to the socket.

        Raises: NetworkError IN_USE.
        """
        for other in self.ports(True, socket.family).at(local.port):
            if other in self._listeners.values() and other.overlaps(local.address):
                raise NetworkError(NetworkErrorKind.IN_USE, f"another socket listens at port {local.port}")
        self._listeners[local] = socket

    def remove_listener(self, socket: VirtualTcpSocket) -> None:
        """Hand it no more clients."""
        for local in [local for local, listener in self._listeners.items() if listener is socket]:
            del self._listeners[local]

    def is_crowded(self) -> bool:
        """Whether so much waits to be read that each socket may get only a little more."""
        return self.buffered > self.buffer_bytes

    def has_room_for_pending(self) -> bool:
        """Whether one more connection may wait to be accepted. Those do not count among the open sockets."""
        return self.pending < self.max_sockets

    # Packets that arrive

    def connection_arrives(self, client: VirtualTcpSocket, path: Path, to: Endpoint) -> None:
        """Take in that a client wants to connect."""
        listener = self._listeners.get(to) or self._listeners.get(Endpoint(WILDCARD[client.family], to.port))
        if listener is None:
            self.vpc.carry(path.back(client.network), Protocol.TCP, 0, client.refused)
        else:
            listener.connection_arrives(client, path)

    def datagram_arrives(
        self, sender: VirtualUdpSocket, path: Path, source: Endpoint, to: Endpoint, datagram: bytes
    ) -> None:
        """Hand a datagram to the socket that it is for, or have it refused."""
        for socket in self.ports(False, sender.family).at(to.port):
            if isinstance(socket, VirtualUdpSocket) and socket.accepts(to, source):
                socket.arrives(datagram, source)
                return
        self.vpc.carry(path.back(sender.network), Protocol.ICMP, 0, sender.refused, to)

    # Addresses

    def owns(self, address: IPAddress) -> bool:
        """Whether packets to this address stay in the VM."""
        return address in self._own or address.is_loopback

    def path_to(self, destination: IPAddress, source: IPAddress | None) -> Path:
        """The way to an address, from `source` unless that is None or unspecified.

        Raises: NetworkError UNREACHABLE where there is none; INVALID where nothing can go from `source`;
        DENIED for broadcasts.
        """
        # A VM can send to any number of addresses.
        if self._paths_version != self.vpc.version or len(self._paths) >= _MOST_PATHS:
            self._paths.clear()
            self._paths_version = self.vpc.version
        path = self._paths.get(destination)
        if path is None:
            path = self._paths[destination] = self.vpc.find_path(self, destination)
        if source is None or source.is_unspecified or source == path.source:
            return path
        if not self.owns(source) or (source.is_loopback and path.target is not self):
            raise NetworkError(NetworkErrorKind.INVALID, f"nothing can go from {source} to {destination}")
        return Path(source, destination, path.router, path.target)

    # Ping and lookup

    async def ping(self, request: EchoRequest) -> EchoReply:
        self._check_open()
        check_echo(request)
        path = self.path_to(request.target, request.source)
        identifier = request.identifier
        if identifier is None:
            self._identifier = identifier = self._identifier % 0xFFFF + 1
        echo = Echo(request, identifier, path, self)
        echo.send()
        if echo.reply is None:
            if len(self._echoes) >= self.max_sockets:
                raise NetworkError(NetworkErrorKind.LIMIT, f"{self.max_sockets} pings are under way")
            self._echoes[echo] = None
            try:
                async with asyncio.timeout(request.timeout_s):
                    await echo.answered()
            except TimeoutError:
                raise NetworkError(
                    NetworkErrorKind.TIMED_OUT, f"{request.target} did not answer in {request.timeout_s} s"
                ) from None
            finally:
                self._echoes.pop(echo, None)
        if echo.reply is None:
            raise NetworkError(NetworkErrorKind.CLOSED)
        return echo.reply

    async def lookup(self, name: str) -> tuple[IPAddress, ...]:
        self._check_open()
        literal = address_literal(name)
        if literal is not None:
            return (literal,)
        label = canonical_name(name)
        if label == "localhost" or label.endswith(".localhost"):
            return tuple(LOOPBACK.values())
        return self.vpc.resolve(label)

    # The end

    def detach(self) -> None:
        """Take the VM off the network: its sockets are closed, its peers see reset connections."""
        for socket in list(self._sockets):
            if isinstance(socket, VirtualTcpSocket):
                socket.abort()
        self._leave()

    async def aclose(self) -> None:
        self._leave()

    def _leave(self) -> None:
        for socket in list(self._sockets):
            socket.close()
        for echo in list(self._echoes):
            echo.give_up()
        if not self._closed:
            self._closed = True
            self.vpc.forget(self)

    def _check_open(self) -> None:
        if self._closed:
            raise NetworkError(NetworkErrorKind.CLOSED, f"{self.name or 'the router'} is off the network")


def loopback_path(network: VirtualNetwork, destination: IPAddress) -> Path:
    """The way to one of the VM's own addresses."""
    source = LOOPBACK[family_of(destination)] if destination.is_loopback else destination
    return Path(source, destination, None, network)
