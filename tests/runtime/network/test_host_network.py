"""What the network of the machine adds: whom a VM may reach, and what the system's errors mean."""

from __future__ import annotations

import asyncio
import errno
import socket
import threading
from ipaddress import ip_address, ip_interface, ip_network

import pytest

from ingen_runtime.network.addresses import WILDCARD
from ingen_runtime.network.errors import NetworkErrorKind
from ingen_runtime.network.host import HostNetwork
from ingen_runtime.network.host.errnos import kind_of, lookup_error
from ingen_runtime.network.host.maker import HostMaker
from ingen_runtime.network.host.sockaddr import from_sockaddr, to_sockaddr
from ingen_runtime.network.interface import EchoRequest, Endpoint, Family
from ingen_runtime.readiness import wait
from tests.runtime.network.backends import accepted, connected, datagram, fails

KINDS = NetworkErrorKind
# Loopback has a whole range of addresses; a VM may reach only half of it here.
INSIDE, OUTSIDE = ip_address("127.1.0.1"), ip_address("127.200.0.1")
ALLOWED = ip_network("127.0.0.0/9")


async def test_outside_is_denied() -> None:
    vm = HostNetwork(reachable=[ALLOWED])
    for address in (OUTSIDE, ip_address("::1"), ip_address("192.0.2.1")):
        family = Family(address.version)
        with fails(KINDS.DENIED):
            vm.tcp_socket(family).bind(Endpoint(address, 0))
        with fails(KINDS.DENIED):
            await connected(vm, Endpoint(address, 80))
        udp = vm.udp_socket(family)
        with fails(KINDS.DENIED):
            udp.send_to(b"x", Endpoint(address, 80))
        with fails(KINDS.DENIED):
            udp.connect(Endpoint(address, 80))
        with fails(KINDS.DENIED):
            await vm.ping(EchoRequest(address))
    # Ways round it: what systems take for themselves, and IPv4 in IPv6.
    with fails(KINDS.INVALID):
        await connected(vm, Endpoint(WILDCARD[Family.IPV4], 80))
    with fails(KINDS.INVALID):
        await connected(vm, Endpoint(ip_address("::ffff:127.200.0.1"), 80))
    await vm.aclose()


async def test_inside_is_let_in_and_outside_is_not() -> None:
    vm, others = HostNetwork(reachable=[ALLOWED]), HostNetwork()
    listener = vm.tcp_socket(Family.IPV4)
    listener.listen(8)
    remote = Endpoint(INSIDE, listener.local().port)
    stranger, friend = others.tcp_socket(Family.IPV4), others.tcp_socket(Family.IPV4)
    stranger.bind(Endpoint(OUTSIDE, 0))
    friend.bind(Endpoint(INSIDE, 0))
    for each in (stranger, friend):
        each.connect(remote)
        await wait(each.writable)
        each.finish_connect()
    assert (await accepted(listener)).peer() == friend.local()
    with fails(KINDS.WOULD_BLOCK):
        listener.accept()
    await wait(stranger.readable)
    assert stranger.receive(1) == b""

    served = vm.udp_socket(Family.IPV4)
    served.bind(Endpoint(WILDCARD[Family.IPV4], 0))
    for address in (OUTSIDE, INSIDE):
        sender = others.udp_socket(Family.IPV4)
        sender.bind(Endpoint(address, 0))
        sender.send_to(str(address).encode(), Endpoint(INSIDE, served.local().port))
    assert (await datagram(served))[0] == str(INSIDE).encode()
    with fails(KINDS.WOULD_BLOCK):
        served.receive_from(100)
    await vm.aclose()
    await others.aclose()


async def test_lookups_can_be_switched_off() -> None:
    vm = HostNetwork(resolve_names=False)
    assert await vm.lookup("127.0.0.1") == (ip_address("127.0.0.1"),)
    with fails(KINDS.DENIED):
        await vm.lookup("localhost")
    await vm.aclose()


async def test_lookups_at_once_are_few() -> None:
    maker = HostMaker()
    release = threading.Event()
    begun: list[None] = []

    def query() -> str:
        begun.append(None)
        release.wait()
        return "found"

    lookups = [asyncio.ensure_future(maker.look_up(query)) for _ in range(20)]
    lookups[0].cancel()
    while len(begun) < 4:
        await asyncio.sleep(0)
    lookups[1].cancel()
    for _ in range(20):
        await asyncio.sleep(0)
    assert len(begun) == 4, "a thread goes on where its look-up was cancelled"
    release.set()
    assert await asyncio.gather(*lookups[2:]) == ["found"] * 18
    assert len(begun) == 19


def test_nobody_waits_for_a_lookup_at_the_end() -> None:
    release, returned = threading.Event(), threading.Event()

    def query() -> None:
        release.wait(5)
        returned.set()

    async def give_up() -> None:
        lookup = asyncio.ensure_future(HostMaker().look_up(query))
        await asyncio.sleep(0)
        lookup.cancel()

    asyncio.run(give_up())
    assert not returned.is_set()
    release.set()
    assert returned.wait(5)


async def test_pings_count_as_sockets() -> None:
    vm = HostNetwork(max_sockets=0)
    with fails(KINDS.LIMIT):
        await vm.ping(EchoRequest(ip_address("127.0.0.1")))
    await vm.aclose()


async def test_given_interfaces() -> None:
    interfaces = (ip_interface("10.0.0.1/24"),)
    vm = HostNetwork(interfaces=interfaces)
    assert vm.interfaces == interfaces
    await vm.aclose()


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (errno.ECONNREFUSED, KINDS.REFUSED),
        (errno.ENETUNREACH, KINDS.UNREACHABLE),
        (errno.EHOSTUNREACH, KINDS.UNREACHABLE),
        (errno.ETIMEDOUT, KINDS.TIMED_OUT),
        (errno.ECONNRESET, KINDS.RESET),
        (errno.EPIPE, KINDS.RESET),
        (errno.EADDRINUSE, KINDS.IN_USE),
        (errno.EACCES, KINDS.DENIED),
        (errno.EMFILE, KINDS.LIMIT),
        (errno.EADDRNOTAVAIL, KINDS.INVALID),
        (errno.EAGAIN, KINDS.WOULD_BLOCK),
        (errno.EBADF, KINDS.CLOSED),
        (errno.EIO, KINDS.OTHER),
    ],
)
def test_errnos(number: int, kind: NetworkErrorKind) -> None:
    assert kind_of(number) is kind


def test_errors_of_lookups() -> None:
    with pytest.raises(socket.gaierror) as raised:
        socket.getaddrinfo("nobody", None, flags=socket.AI_NUMERICHOST)
    assert lookup_error(raised.value, "nobody").kind is KINDS.NOT_FOUND
    assert lookup_error(socket.gaierror(socket.EAI_AGAIN, "later"), "x").kind is KINDS.TIMED_OUT
    assert lookup_error(socket.gaierror(socket.EAI_FAIL, "broken"), "x").kind is KINDS.OTHER


def test_zones() -> None:
    address = ip_address("fe80::1%3")
    assert to_sockaddr(address, 7) == ("fe80::1", 7, 0, 3)
    assert from_sockaddr(("fe80::1%eth9", 7, 0, 3)) == Endpoint(address, 7)
    with fails(KINDS.INVALID):
        to_sockaddr(ip_address("fe80::1%nosuchdevice"), 7)
