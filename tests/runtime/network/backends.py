"""Two VMs on each kind of network, for tests that hold for all of them."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_interface
from pathlib import Path
from typing import Any, TypeVarTuple

import pytest

from ingen_runtime.network.errors import NetworkError, NetworkErrorKind
from ingen_runtime.network.host import HostNetwork, IcmpMode
from ingen_runtime.network.interface import (
    EchoRequest,
    Endpoint,
    Family,
    IPAddress,
    Network,
    Socket,
    TcpSocket,
    UdpSocket,
)
from ingen_runtime.network.netns import NetnsNetwork
from ingen_runtime.network.virtual import VirtualVpc
from ingen_runtime.network.virtual.paths import Path as PacketPath
from ingen_runtime.network.virtual.paths import Protocol
from ingen_runtime.readiness import wait

Ts = TypeVarTuple("Ts")

# How long tests wait for what never comes.
SHORT_S = 0.05


@dataclass
class Pair:
    """Two VMs that can reach each other, and what is around them."""

    client: Network
    server: Network
    client_address: dict[Family, IPAddress]
    server_address: dict[Family, IPAddress]
    unroutable: IPAddress  # to connect there finds no route
    broadcast: IPAddress
    # What is not there in the network of the machine itself:
    absent: dict[Family, IPAddress] = field(default_factory=dict)  # nobody's, in the VMs' subnet
    router: dict[Family, IPAddress] = field(default_factory=dict)  # as the client sees it
    beyond: dict[Family, IPAddress] = field(default_factory=dict)  # a VM behind the router
    silent: IPAddress | None = None  # one that does not answer pings

    def at_server(self, family: Family, port: int = 0) -> Endpoint:
        """An endpoint of the server."""
        return Endpoint(self.server_address[family], port)

    def listener(self, family: Family, backlog: int = 8) -> TcpSocket:
        """A listening socket of the server, at a free port."""
        listener = self.server.tcp_socket(family)
        listener.bind(self.at_server(family))
        listener.listen(backlog)
        return listener

    async def connected(self, family: Family) -> tuple[TcpSocket, TcpSocket]:
        """A connection: the client's end, then the server's."""
        listener = self.listener(family)
        ours = await connected(self.client, listener.local())
        theirs = await accepted(listener)
        listener.close()
        return ours, theirs

    def datagrams(self, family: Family) -> tuple[UdpSocket, UdpSocket]:
        """Two bound UDP sockets: the client's, then the server's."""
        ours = self.client.udp_socket(family)
        ours.bind(Endpoint(self.client_address[family], 0))
        theirs = self.server.udp_socket(family)
        theirs.bind(self.at_server(family))
        return ours, theirs


async def connected(network: Network, remote: Endpoint) -> TcpSocket:
    """A socket that has been connected."""
    made = network.tcp_socket(Family.IPV4 if remote.address.version == 4 else Family.IPV6)
    made.connect(remote)
    await wait(made.writable)
    made.finish_connect()
    return made


async def accepted(listener: TcpSocket) -> TcpSocket:
    """The next connection."""
    await wait(listener.readable)
    return listener.accept()


async def received(source: TcpSocket, length: int) -> bytes:
    """So many bytes, or fewer before the end."""
    data = b""
    while len(data) < length:
        await wait(source.readable)
        try:
            piece = source.receive(length - len(data))
        except NetworkError as error:
            if error.kind is not NetworkErrorKind.WOULD_BLOCK:
                raise
            continue
        if not piece:
            break
        data += piece
    return data


async def sent(target: TcpSocket, data: bytes) -> None:
    """Send all of it."""
    view = memoryview(data)
    while view:
        await wait(target.writable)
        view = view[target.send(view) :]


async def datagram(source: UdpSocket, limit: int = 65535) -> tuple[bytes, Endpoint]:
    """The next datagram."""
    await wait(source.readable)
    return source.receive_from(limit)


@contextmanager
def fails(kind: NetworkErrorKind) -> Iterator[None]:
    """Expect a NetworkError of this kind."""
    with pytest.raises(NetworkError) as raised:
        yield
    assert raised.value.kind is kind, raised.value


def eventually(attempt: Callable[[], bool]) -> bool:
    """Whether one of a few attempts succeeds: on the machine's network others take ports, too."""
    return any(attempt() for _ in range(20))


def takes(socket: Socket, local: Endpoint) -> bool:
    """Whether the socket can be bound there; it is closed then."""
    try:
        socket.bind(local)
    except NetworkError as error:
        assert error.kind is NetworkErrorKind.IN_USE
        return False
    finally:
        socket.close()
    return True


# The networks


class LateVpc(VirtualVpc):
    """A VPC whose packets take one round of the event loop."""

    def carry(
        self, path: PacketPath, protocol: Protocol, size: int, arrive: Callable[[*Ts], object], *args: *Ts
    ) -> None:
        asyncio.get_running_loop().call_soon(arrive, *args)


@asynccontextmanager
async def _virtual(vpc: VirtualVpc, max_sockets: int) -> AsyncIterator[Pair]:
    vpc.add_subnet(IPv4Network("10.0.0.0/24"), IPv4Address("10.0.0.1"))
    vpc.add_subnet(IPv6Network("fd00::/64"), IPv6Address("fd00::1"))
    addresses = [
        [ip_interface("10.0.0.2/24"), ip_interface("fd00::2/64")],
        [ip_interface("10.0.0.3/24"), ip_interface("fd00::3/64")],
        [ip_interface("10.0.1.4/24"), ip_interface("fd00:1::4/64")],
    ]
    client, server, beyond = (
        vpc.attach(name, interfaces, max_sockets=max_sockets)
        for name, interfaces in zip(("client", "server", "beyond"), addresses, strict=True)
    )
    yield Pair(
        client,
        server,
        {Family(each.version): each.ip for each in addresses[0]},
        {Family(each.version): each.ip for each in addresses[1]},
        unroutable=ip_address("203.0.113.1"),
        broadcast=ip_address("10.0.0.255"),
        absent={Family.IPV4: ip_address("10.0.0.99"), Family.IPV6: ip_address("fd00::99")},
        router={Family.IPV4: ip_address("10.0.0.1"), Family.IPV6: ip_address("fd00::1")},
        beyond={Family.IPV4: ip_address("10.0.1.4"), Family.IPV6: ip_address("fd00:1::4")},
    )
    for network in (client, server, beyond):
        await network.aclose()


@asynccontextmanager
async def _host(max_sockets: int, connect_timeout_s: float) -> AsyncIterator[Pair]:
    # Pings take what the machine lets; tests/runtime/network/test_netns.py has what it does not let.
    client, server = (
        HostNetwork(max_sockets=max_sockets, connect_timeout_s=connect_timeout_s) for _ in range(2)
    )
    loopback = {Family.IPV4: ip_address("127.0.0.1"), Family.IPV6: ip_address("::1")}
    # Nobody can connect to a multicast group, so this has no route on any machine.
    yield Pair(client, server, loopback, loopback, ip_address("224.0.0.1"), ip_address("127.255.255.255"))
    await client.aclose()
    await server.aclose()


@dataclass
class Namespaces:
    """Three network namespaces in a row: the client's, the server's, and one behind the server."""

    client: str
    server: str
    beyond: str


@contextmanager
def namespaces() -> Iterator[Namespaces]:
    """Make them; the server's routes, the last one does not answer IPv4 pings to 10.77.1.3.

    Skips where the machine cannot.
    """
    if shutil.which("ip") is None or os.geteuid() != 0:
        pytest.skip("network namespaces need root and the command ip")
    mine = Namespaces(*(f"ingen-{os.getpid()}-{role}" for role in ("client", "server", "beyond")))
    if subprocess.run(["ip", "netns", "add", mine.client], capture_output=True).returncode:
        pytest.skip("this machine makes no network namespaces")
    try:
        _run("netns", "add", mine.server)
        _run("netns", "add", mine.beyond)
        for name in (mine.client, mine.server, mine.beyond):
            # As many ICMP errors as there are reasons, and addresses that hold at once.
            _sysctl(name, "net.ipv4.icmp_ratelimit", "0")
            _sysctl(name, "net.ipv6.icmp.ratelimit", "0")
            _sysctl(name, "net.ipv6.conf.default.accept_dad", "0")
        _run("-n", mine.client, *"link add veth0 type veth peer name veth0 netns".split(), mine.server)
        _run("-n", mine.server, *"link add veth1 type veth peer name veth1 netns".split(), mine.beyond)
        for name, device, *addresses in (
            (mine.client, "veth0", "10.77.0.2/24", "fd77::2/64"),
            (mine.server, "veth0", "10.77.0.3/24", "fd77::3/64"),
            (mine.server, "veth1", "10.77.1.3/24", "fd77:1::3/64"),
            (mine.beyond, "veth1", "10.77.1.4/24", "fd77:1::4/64"),
        ):
            # What is asked in vain for an address is given up after a tenth of a second.
            for family in ("ipv4", "ipv6"):
                _sysctl(name, f"net.{family}.neigh.{device}.mcast_solicit", "1")
                _sysctl(name, f"net.{family}.neigh.{device}.retrans_time_ms", "100")
            for address in addresses:
                _run("-n", name, "address", "add", address, "dev", device, "nodad")
            _run("-n", name, "link", "set", "lo", "up")
            _run("-n", name, "link", "set", device, "up")
        _sysctl(mine.server, "net.ipv4.ip_forward", "1")
        _sysctl(mine.server, "net.ipv6.conf.all.forwarding", "1")
        for inner, outer in (("10.77.0.0/24", "10.77.1.0/24"), ("fd77::/64", "fd77:1::/64")):
            by = ("10.77.0.3", "10.77.1.3") if "." in inner else ("fd77::3", "fd77:1::3")
            _run("-n", mine.client, "route", "add", outer, "via", by[0])
            _run("-n", mine.beyond, "route", "add", inner, "via", by[1])
        # A second address of the last one's, which drops what it gets.
        _run("-n", mine.server, *"route add 10.77.2.1 via 10.77.1.4".split())
        _run("-n", mine.client, *"route add 10.77.2.1 via 10.77.0.3".split())
        _run("-n", mine.beyond, *"route add blackhole 10.77.2.1".split())
        asyncio.run(_awake(mine))
        yield mine
    finally:
        for name in (mine.client, mine.server, mine.beyond):
            subprocess.run(["ip", "netns", "del", name], capture_output=True)


async def _awake(mine: Namespaces) -> None:
    # A new device takes a moment until its neighbours answer.
    for name, addresses in (
        (mine.client, ("10.77.0.3", "fd77::3", "10.77.1.4", "fd77:1::4")),
        (mine.server, ("10.77.0.2", "fd77::2")),
    ):
        network = NetnsNetwork(name, icmp=IcmpMode.RAW)
        async with asyncio.timeout(10):
            for address in map(ip_address, addresses):
                while (await network.ping(EchoRequest(address, timeout_s=10))).type not in {0, 129}:
                    pass
        await network.aclose()


def _run(*arguments: str) -> None:
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True)
    assert done.returncode == 0, (arguments, done.stderr)


def _sysctl(namespace: str, name: str, value: str) -> None:
    # Names of devices may hold dots, but ours do not.
    path = "/proc/sys/" + name.replace(".", "/")
    done = subprocess.run(
        ["ip", "netns", "exec", namespace, "sh", "-c", f"echo '{value}' > {path}"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, (name, done.stderr)


def let_ping(namespace: str, groups: str) -> None:
    """Set who may ping with datagrams."""
    _sysctl(namespace, "net.ipv4.ping_group_range", groups)


@asynccontextmanager
async def _netns(
    mine: Namespaces, icmp: IcmpMode, max_sockets: int, connect_timeout_s: float
) -> AsyncIterator[Pair]:
    for name in (mine.client, mine.server):
        let_ping(name, "1 0" if icmp is IcmpMode.RAW else "0 2147483647")
    client, server = (
        NetnsNetwork(name, max_sockets=max_sockets, connect_timeout_s=connect_timeout_s, icmp=icmp)
        for name in (mine.client, mine.server)
    )
    yield Pair(
        client,
        server,
        {Family.IPV4: ip_address("10.77.0.2"), Family.IPV6: ip_address("fd77::2")},
        {Family.IPV4: ip_address("10.77.0.3"), Family.IPV6: ip_address("fd77::3")},
        unroutable=ip_address("203.0.113.1"),
        broadcast=ip_address("10.77.0.255"),
        absent={Family.IPV4: ip_address("10.77.0.99"), Family.IPV6: ip_address("fd77::99")},
        router={Family.IPV4: ip_address("10.77.0.3"), Family.IPV6: ip_address("fd77::3")},
        beyond={Family.IPV4: ip_address("10.77.1.4"), Family.IPV6: ip_address("fd77:1::4")},
        silent=ip_address("10.77.2.1"),
    )
    await client.aclose()
    await server.aclose()


class Backend:
    """One kind of network."""

    def __init__(self, name: str, mine: Namespaces | None) -> None:
        self.name = name
        self._namespaces = mine

    def pair(self, *, max_sockets: int = 4096, connect_timeout_s: float = 10) -> Any:
        """Two VMs on it, for as long as the `async with` lasts."""
        match self.name:
            case "virtual":
                return _virtual(VirtualVpc("net", connect_timeout_s=connect_timeout_s), max_sockets)
            case "virtual-late":
                return _virtual(LateVpc("net", connect_timeout_s=connect_timeout_s), max_sockets)
            case "host":
                return _host(max_sockets, connect_timeout_s)
        assert self._namespaces is not None
        icmp = IcmpMode.RAW if self.name == "netns-raw" else IcmpMode.DATAGRAM
        return _netns(self._namespaces, icmp, max_sockets, connect_timeout_s)


BACKENDS = ("virtual", "virtual-late", "host", "netns-raw", "netns-datagram")


def files_for(namespace: str) -> Path:
    """The folder whose files stand in for those of /etc."""
    return Path("/etc/netns", namespace)
