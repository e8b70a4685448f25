"""What a VM sees of its network, whatever carries it: virtual, the host's, or a Linux network namespace.

Sockets never block: where there is nothing to do yet, they raise NetworkError(WOULD_BLOCK), and `readable`
and `writable` can be waited for (see `readiness`). Ping and lookup are awaited. All of it belongs to the
thread of the event loop on which the network was made.

Addresses are `ipaddress` objects, ports are integers in host order. Every operation raises NetworkError, and
on a closed socket NetworkError(CLOSED).

IPv6 sockets carry IPv6 alone: an IPv4-mapped address is INVALID. So are the unspecified address and port 0
as a remote endpoint.
"""

from __future__ import annotations

import enum
from abc import ABC, abstractmethod
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network
from typing import Final, NamedTuple, TypeAlias

from ingen_runtime.frozen import frozen
from ingen_runtime.readiness import Readiness

IPAddress: TypeAlias = IPv4Address | IPv6Address
IPInterface: TypeAlias = IPv4Interface | IPv6Interface
IPNetwork: TypeAlias = IPv4Network | IPv6Network
BytesLike: TypeAlias = bytes | bytearray | memoryview

DEFAULT_MAX_SOCKETS: Final = 4096  # that one VM may have open


class Endpoint(NamedTuple):
    """An address with a port."""

    address: IPAddress
    port: int


class Family(enum.Enum):
    """An address family; the value is the version of the protocol."""

    IPV4 = 4
    IPV6 = 6


class Shutdown(enum.Enum):
    """Which direction of a connection is given up."""

    READ = "read"
    WRITE = "write"
    BOTH = "both"


class Option(enum.Enum):
    """Options of sockets. All have integer values; switches are 0 or 1, times are in seconds."""

    TTL = "ttl"  # hop limit for IPv6; 1 to 255
    RECEIVE_BUFFER = "receive-buffer"  # bytes
    SEND_BUFFER = "send-buffer"  # bytes
    REUSE_ADDRESS = "reuse-address"
    KEEP_ALIVE = "keep-alive"  # this and those below: TCP only
    KEEP_ALIVE_IDLE = "keep-alive-idle"
    KEEP_ALIVE_INTERVAL = "keep-alive-interval"
    KEEP_ALIVE_COUNT = "keep-alive-count"
    NO_DELAY = "no-delay"


class Socket(ABC):
    """What TCP and UDP sockets have in common."""

    __slots__ = ()

    family: Family
    readable: Readiness  # data, a connection, the end, or an error that the next call raises
    writable: Readiness  # room to send, a connection made, or an error that the next call raises

    @abstractmethod
    def bind(self, local: Endpoint) -> None:
        """Take a local address; port 0 takes a free one.

        Raises: NetworkError IN_USE; INVALID for an address that is not the VM's, or when bound already.
        """

    @abstractmethod
    def local(self) -> Endpoint:
        """The local address. Raises: NetworkError INVALID while there is none."""

    @abstractmethod
    def peer(self) -> Endpoint:
        """The peer's address. Raises: NetworkError INVALID while there is none."""

    @abstractmethod
    def get_option(self, option: Option) -> int:
        """Raises: NetworkError INVALID where this kind of socket has no such option."""

    @abstractmethod
    def set_option(self, option: Option, value: int) -> None:
        """Raises: NetworkError INVALID where the option or the value makes no sense."""

    @abstractmethod
    def close(self) -> None:
        """Give the socket up; may be called again. What waits for its readiness is woken."""


class TcpSocket(Socket):
    """A TCP socket: first unbound, then listening or connected.

    One whose connecting failed is of no more use: it says so again and again until it is closed.
    """

    __slots__ = ()

    @abstractmethod
    def connect(self, remote: Endpoint) -> None:
        """Begin to connect; then `writable` and `finish_connect` tell the outcome, however soon it is known.

        Raises: NetworkError INVALID where it listens, connects or is connected already; IN_USE where no port
        is free.
        """

    @abstractmethod
    def finish_connect(self) -> None:
        """Return once connected; then again and again.

        Raises: NetworkError WOULD_BLOCK while it goes on; REFUSED, UNREACHABLE, TIMED_OUT, DENIED.
        """

    @abstractmethod
    def listen(self, backlog: int) -> None:
        """Accept connections from now on, at most `backlog` of them, or one, waiting for `accept`.

        Unbound, it takes a free port of every address.

        Raises: NetworkError IN_USE where another one listens there; INVALID where it is connected.
        """

    @abstractmethod
    def accept(self) -> TcpSocket:
        """The next connection, with the listener's options. Raises: NetworkError WOULD_BLOCK, LIMIT."""

    @abstractmethod
    def receive(self, limit: int) -> bytes:
        """1 to `limit` bytes; none at the end, which the peer's half-close or a shutdown make.

        Raises: NetworkError WOULD_BLOCK; RESET, after what had arrived, and unless the end had come before.
        """

    @abstractmethod
    def send(self, data: BytesLike) -> int:
        """How many of the bytes, from the first on, were taken to be sent: at least one.

        Raises: NetworkError WOULD_BLOCK where there is no room, RESET, CLOSED after a shutdown.
        """

    @abstractmethod
    def shutdown(self, how: Shutdown) -> None:
        """Give up one direction, or both. What was sent before still arrives, then the end."""


class UdpSocket(Socket):
    """A UDP socket. Datagrams may get lost, as everywhere."""

    __slots__ = ()

    @abstractmethod
    def connect(self, remote: Endpoint | None) -> None:
        """Send to and receive from this peer alone; None undoes it. The local port stays."""

    @abstractmethod
    def receive_from(self, limit: int) -> tuple[bytes, Endpoint]:
        """The next datagram, cut off after `limit` bytes, and who sent it.

        Raises: NetworkError WOULD_BLOCK, REFUSED (a former datagram of a connected socket was refused).
        """

    @abstractmethod
    def send_to(self, data: BytesLike, remote: Endpoint | None) -> None:
        """Send a datagram, to the connected peer where `remote` is None.

        Raises: NetworkError WOULD_BLOCK, INVALID (too long, or no peer), UNREACHABLE, DENIED.
        """


@frozen
class EchoRequest:
    """A ping: an ICMP echo request, of ICMPv6 where the target is an IPv6 address."""

    target: IPAddress
    source: IPAddress | None = None  # one of the VM's own; None for the first that fits
    identifier: int | None = None  # 16 bits; None for a free one
    sequence: int = 1  # 16 bits
    ttl: int = 64
    size: int = 56  # bytes of payload after the ICMP header
    timeout_s: float = 1.0


@frozen
class EchoReply:
    """What came back for a ping: an echo reply, or an ICMP error about it (see `type` and `code`)."""

    source: IPAddress  # who answered: the target, or the router that gave up
    destination: IPAddress
    type: int  # 0 echo reply, 3 unreachable, 11 time exceeded; 129, 1, 3 for ICMPv6
    code: int
    identifier: int
    sequence: int
    ttl: int  # of the answer, as it arrived
    size: int  # bytes of the ICMP packet that came back
    duration_us: int


class Network(ABC):
    """The network of one VM."""

    __slots__ = ()

    @property
    @abstractmethod
    def interfaces(self) -> tuple[IPInterface, ...]:
        """The VM's own addresses with their subnets, the primary ones first."""

    @abstractmethod
    def tcp_socket(self, family: Family) -> TcpSocket:
        """Raises: NetworkError LIMIT; INVALID for a family that the VM does not have."""

    @abstractmethod
    def udp_socket(self, family: Family) -> UdpSocket:
        """Raises: NetworkError LIMIT; INVALID for a family that the VM does not have."""

    @abstractmethod
    async def ping(self, request: EchoRequest) -> EchoReply:
        """What came back.

        Raises: NetworkError TIMED_OUT; UNREACHABLE where there is no route; INVALID, DENIED, LIMIT.
        """

    @abstractmethod
    async def lookup(self, name: str) -> tuple[IPAddress, ...]:
        """The addresses of a name, at least one; those of an address literal are the address.

        Raises: NetworkError NOT_FOUND, TIMED_OUT, INVALID (not a name).
        """

    @abstractmethod
    async def aclose(self) -> None:
        """Close all that is open; every socket is closed then."""
