"""Where two guests can meet: the networks that the SDK's scenarios run on."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from ipaddress import IPv4Address, ip_interface, ip_network
from pathlib import Path

import pytest

from ingen_runtime.network.errors import NetworkError, NetworkErrorKind
from ingen_runtime.network.host import HostNetwork, IcmpMode
from ingen_runtime.network.interface import EchoRequest, Network
from ingen_runtime.network.netns import NetnsNetwork
from ingen_runtime.network.virtual import VirtualVpc
from tests.sdk.peers import FaultFinder, NameServer


@dataclass(frozen=True, slots=True)
class Place:
    """Two VMs, and what can be tried from the first of them. Addresses are text."""

    first: Network
    second: Network
    limited: Network
    """Another one at the first's address or beside it, of a VM that may have three sockets."""
    first_address: str
    second_address: str
    second_ipv6: str | None
    missing: str
    """An address that nobody has."""
    missing_ping: str
    """What a ping there that waits 100 ms begins with."""
    missing_connect: str
    """What connecting there within 100 ms begins with."""
    missing_listen: str
    """What listening there begins with."""
    names: Mapping[str, str]
    """Names, with the addresses that they have."""
    no_names: Mapping[str, str] = field(default_factory=dict)
    """Names, with what looking them up fails with."""
    elsewhere: str | None = None
    """An address that a router is in front of."""
    router: str | None = None
    fault_finder: str | None = None
    """Where datagrams are answered with an error of a rare kind."""
    unroutable: str | None = None
    """An address to which there is no route."""


# --- Virtual --------------------------------------------------------------------------------------------


@asynccontextmanager
async def virtual() -> AsyncIterator[Place]:
    """Two VMs in one VPC, and a third one in another of its subnets."""
    vpc = VirtualVpc("test")
    first = vpc.attach("first", [ip_interface("10.0.0.1/24"), ip_interface("fd00::1/64")])
    second = vpc.attach("second", [ip_interface("10.0.0.2/24"), ip_interface("fd00::2/64")])
    third = vpc.attach("third", [ip_interface("10.0.1.3/24")])
    limited = vpc.attach("limited", [ip_interface("10.0.0.4/24")], max_sockets=3)
    async with _closing(first, second, third, limited):
        yield Place(
            first,
            second,
            limited,
            "10.0.0.1",
            "10.0.0.2",
            "fd00::2",
            missing="10.0.0.77",
            missing_ping="unreachable from 10.0.0.1 to 10.0.0.1 type=3 code=1 ",
            missing_connect="error unreachable",
            missing_listen="error invalid: ",
            names={
                "second": "10.0.0.2,fd00::2",
                "second.test.internal": "10.0.0.2,fd00::2",
                "10.9.8.7": "10.9.8.7",
            },
            no_names={"nobody.invalid": "error not-found"},
            elsewhere="10.0.1.3",
            router="10.0.0.254",
            unroutable="192.0.2.1",
        )


@asynccontextmanager
async def _closing(*networks: Network) -> AsyncIterator[None]:
    try:
        yield
    finally:
        for network in networks:
            await network.aclose()


# --- Host -----------------------------------------------------------------------------------------------


@asynccontextmanager
async def host() -> AsyncIterator[Place]:
    """The machine itself, and nothing beyond it."""
    own = [ip_network("127.0.0.0/8"), ip_network("::1/128")]
    first, second = HostNetwork(reachable=own), HostNetwork(reachable=own)
    limited = HostNetwork(reachable=own, max_sockets=3)
    async with _closing(first, second, limited):
        try:
            await first.ping(EchoRequest(IPv4Address("127.0.0.1")))
        except NetworkError as error:
            if error.kind is not NetworkErrorKind.DENIED:
                raise
            pytest.skip(f"no pings without privileges, or a group in net.ipv4.ping_group_range: {error}")
        found = socket.getaddrinfo("localhost", None, type=socket.SOCK_STREAM)
        yield Place(
            first,
            second,
            limited,
            "127.0.0.1",
            "127.0.0.2",
            "::1" if _has_ipv6() else None,
            missing="192.0.2.1",
            missing_ping="error denied: ",
            missing_connect="error denied: ",
            missing_listen="error denied: ",
            names={
                "localhost": ",".join(dict.fromkeys(str(address[0]) for *_, address in found)),
                "10.9.8.7": "10.9.8.7",
            },
        )


def _has_ipv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


# --- Network namespaces ---------------------------------------------------------------------------------

_ADDRESSES = """
ip link add {a} type veth peer name {b}
ip link set {a} netns {a}
ip link set {b} netns {b}
ip -n {a} addr add 10.77.0.1/24 dev {a}
ip -n {b} addr add 10.77.0.2/24 dev {b}
ip -n {a} addr add fd77::1/64 dev {a} nodad
ip -n {b} addr add fd77::2/64 dev {b} nodad
ip -n {a} link set lo up
ip -n {b} link set lo up
ip -n {a} link set {a} up
ip -n {b} link set {b} up
ip -n {a} route add 10.77.1.0/24 via 10.77.0.2
ip -n {b} route add 10.77.1.0/24 via 10.77.0.1
ip netns exec {b} sysctl -q -w net.ipv4.ip_forward=1
ip netns exec {a} sysctl -q -w net.ipv4.ping_group_range={groups}
ip netns exec {b} sysctl -q -w net.ipv4.ping_group_range={groups}
"""


@contextmanager
def _namespaces() -> Iterator[tuple[str, str]]:
    """Two namespaces, joined by a veth pair."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        pytest.skip("network namespaces need root, and `ip` of iproute2")
    a, b = (f"sdk{os.getpid()}{side}" for side in "ab")
    files = Path("/etc/netns", a)
    try:
        for name in (a, b):
            _run(f"ip netns add {name}")
        for line in _ADDRESSES.strip().splitlines():
            _run(line, a=a, b=b, groups="0 2147483647")
        files.mkdir(parents=True)
        (files / "resolv.conf").write_text("nameserver 10.77.0.2\noptions attempts:1 timeout:5\n", "utf-8")
        (files / "hosts").write_text("10.77.0.2 second\n", "utf-8")
        (files / "nsswitch.conf").write_text("hosts: files dns\n", "utf-8")
        yield a, b
    finally:
        shutil.rmtree(files, ignore_errors=True)
        for name in (a, b):
            subprocess.run(["ip", "netns", "delete", name], check=False)


def _run(line: str, **names: str) -> None:
    command = [part.format(**names) for part in line.split()]
    try:
        subprocess.run(command, check=True, capture_output=True, encoding="utf-8")
    except subprocess.CalledProcessError as error:
        pytest.skip(f"no network namespaces here: {' '.join(command)}: {error.stderr.strip()}")


@asynccontextmanager
async def _netns(icmp: IcmpMode) -> AsyncIterator[Place]:
    with _namespaces() as (a, b):
        first, second = NetnsNetwork(a, icmp=icmp), NetnsNetwork(b, icmp=icmp)
        limited = NetnsNetwork(a, max_sockets=3)
        fault_finder = FaultFinder(second, "10.77.0.2", b)
        names = NameServer(second, "10.77.0.2")
        async with _closing(first, second, limited), fault_finder, names:
            yield Place(
                first,
                second,
                limited,
                "10.77.0.1",
                "10.77.0.2",
                "fd77::2",
                missing="10.77.0.77",
                missing_ping="error timed-out",
                missing_connect="error timed-out",
                missing_listen="error invalid: ",
                names={"second": "10.77.0.2", "10.9.8.7": "10.9.8.7"},
                no_names={"nobody.invalid": "error not-found"},
                elsewhere="10.77.1.3",
                router="10.77.0.2",
                fault_finder=f"10.77.0.2:{fault_finder.local.port}",
                unroutable="192.0.2.1",
            )


PLACES: Mapping[str, Callable[[], AbstractAsyncContextManager[Place]]] = {
    "virtual": virtual,
    "host": host,
    "netns-raw": lambda: _netns(IcmpMode.RAW),
    "netns-dgram": lambda: _netns(IcmpMode.DATAGRAM),
}
