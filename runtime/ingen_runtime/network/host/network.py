"""The network of a machine, as a VM sees it."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Mapping, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Any, Final

from ingen_runtime.network.errors import NetworkError, NetworkErrorKind
from ingen_runtime.network.host.errnos import lookup_error, network_error
from ingen_runtime.network.host.interfaces import read_interfaces
from ingen_runtime.network.host.maker import HostMaker, SocketMaker
from ingen_runtime.network.host.ping import IcmpMode, Pinger
from ingen_runtime.network.host.sockets import HostSocket, HostTcpSocket, HostUdpSocket
from ingen_runtime.network.interface import (
    DEFAULT_MAX_SOCKETS,
    EchoReply,
    EchoRequest,
    Family,
    IPAddress,
    IPInterface,
    IPNetwork,
    Network,
)
from ingen_runtime.network.names import address_literal, canonical_name

EVERYTHING: Final[tuple[IPNetwork, ...]] = (IPv4Network("0.0.0.0/0"), IPv6Network("::/0"))
_FAMILIES: Final[Mapping[Family, int]] = {Family.IPV4: socket.AF_INET, Family.IPV6: socket.AF_INET6}


class HostNetwork(Network):
    """Sockets of the machine, with its addresses. VMs that share it share its ports."""

    __slots__ = (
        "_closed",
        "_interfaces",
        "_last_reached",
        "_maker",
        "_pinger",
        "_reachable",
        "_resolve_names",
        "_sockets",
        "connect_timeout_s",
        "max_sockets",
    )

    def __init__(
        self,
        *,
        reachable: Iterable[IPNetwork] = EVERYTHING,
        resolve_names: bool = True,
        interfaces: Sequence[IPInterface] | None = None,
        max_sockets: int = DEFAULT_MAX_SOCKETS,
        connect_timeout_s: float = 60.0,
        icmp: IcmpMode | None = None,
        maker: SocketMaker | None = None,
    ) -> None:
        """A network on the running event loop.

        Nothing outside `reachable` is sent to or bound to, nor is anything from there let in. Looking a name
        up asks the machine's name servers, wherever they are, unless `resolve_names` is false. `interfaces`
        are what the VM is told; None for those that the machine has. `icmp` None takes what the system lets.

        Raises: NetworkError.
        """
        self._maker = HostMaker() if maker is None else maker
        self._reachable = tuple(reachable)
        self._last_reached: IPAddress | None = None
        self._resolve_names = resolve_names
        self._sockets: dict[HostSocket, None] = {}  # an ordered set
        self._pinger = Pinger(self._maker, icmp)
        self._closed = False
        self.max_sockets = max_sockets
        self.connect_timeout_s = connect_timeout_s
        try:
            self._interfaces = read_interfaces(self._maker) if interfaces is None else tuple(interfaces)
        except OSError as error:
            raise network_error(error) from error

    @property
    def interfaces(self) -> tuple[IPInterface, ...]:
        return self._interfaces

    # Sockets

    def tcp_socket(self, family: Family) -> HostTcpSocket:
        tcp = HostTcpSocket(self, self._open(family, socket.SOCK_STREAM), family)
        self.register(tcp)
        return tcp

    def udp_socket(self, family: Family) -> HostUdpSocket:
        udp = HostUdpSocket(self, self._open(family, socket.SOCK_DGRAM), family)
        self.register(udp)
        return udp

    def _open(self, family: Family, type_: int) -> socket.socket:
        self.check_room()
        try:
            made = self._maker.open(_FAMILIES[family], type_)
            if family is Family.IPV6:
                made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        except OSError as error:
            raise network_error(error) from error
        return made

    def check_room(self) -> None:
        """Let pass where the VM may have one more socket. Raises: NetworkError LIMIT, CLOSED."""
        self._check_open()
        if len(self._sockets) + self._pinger.under_way >= self.max_sockets:
            raise NetworkError(NetworkErrorKind.LIMIT, f"the VM may have {self.max_sockets} sockets")

    def register(self, made: HostSocket) -> None:
        """Count a socket among those that the VM has open."""
        self._sockets[made] = None

    def forget(self, closed: HostSocket) -> None:
        """Count it no longer."""
        self._sockets.pop(closed, None)

    # What the VM may reach

    def is_reachable(self, address: IPAddress) -> bool:
        """Whether the VM may have to do with this address."""
        if address != self._last_reached:
            if not any(address in network for network in self._reachable):
                return False
            self._last_reached = address
        return True

    def check_reachable(self, address: IPAddress) -> None:
        """Let pass what the VM may reach. Raises: NetworkError DENIED."""
        if not self.is_reachable(address):
            raise NetworkError(NetworkErrorKind.DENIED, f"the VM may not reach {address}")

    # Ping and lookup

    async def ping(self, request: EchoRequest) -> EchoReply:
        self.check_room()  # a ping counts as a socket while it waits
        self.check_reachable(request.target)
        return await self._pinger.ping(request)

    async def lookup(self, name: str) -> tuple[IPAddress, ...]:
        self._check_open()
        literal = address_literal(name)
        if literal is not None:
            return (literal,)
        host = canonical_name(name)
        if not self._resolve_names:
            raise NetworkError(NetworkErrorKind.DENIED, "the VM may not look names up")

        def query() -> list[Any]:
            return socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)

        try:
            found = await self._maker.look_up(query)
        except OSError as error:
            raise lookup_error(error, name) from error
        return tuple(dict.fromkeys(ip_address(sockaddr[0]) for *_, sockaddr in found))

    # The end

    async def aclose(self) -> None:
        for open_socket in list(self._sockets):
            open_socket.close()
        self._pinger.close()
        if not self._closed:
            self._closed = True
            await self._maker.aclose()

    def _check_open(self) -> None:
        if self._closed:
            raise NetworkError(NetworkErrorKind.CLOSED)
