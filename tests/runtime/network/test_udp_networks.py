"""What UDP does on every kind of network."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address

import pytest

from ingen_runtime.network.addresses import WILDCARD
from ingen_runtime.network.errors import NetworkErrorKind
from ingen_runtime.network.interface import Endpoint, Family, Option
from ingen_runtime.readiness import wait
from tests.runtime.network.backends import Backend, datagram, eventually, fails, takes

KINDS = NetworkErrorKind
FAMILIES = pytest.mark.parametrize("family", list(Family), ids=lambda family: family.name.lower())


@FAMILIES
async def test_datagrams(backend: Backend, family: Family) -> None:
    async with backend.pair() as pair:
        ours, theirs = pair.datagrams(family)
        assert ours.writable.ready() and not theirs.readable.ready()
        for data in (b"hello", b"", bytes(60_000)):
            ours.send_to(data, theirs.local())
            assert await datagram(theirs) == (data, ours.local())
        theirs.send_to(memoryview(b"too long"), ours.local())
        assert await datagram(ours, 3) == (b"too", theirs.local())
        with fails(KINDS.WOULD_BLOCK):
            ours.receive_from(10)


@FAMILIES
async def test_unbound_sockets_take_a_port_to_send(backend: Backend, family: Family) -> None:
    async with backend.pair() as pair:
        _, theirs = pair.datagrams(family)
        ours = pair.client.udp_socket(family)
        with fails(KINDS.INVALID):
            ours.local()
        ours.send_to(b"x", theirs.local())
        assert ours.local().address == WILDCARD[family]
        _, source = await datagram(theirs)
        assert source == Endpoint(pair.client_address[family], ours.local().port)


async def test_connected_sockets(backend: Backend) -> None:
    async with backend.pair() as pair:
        ours, theirs = pair.datagrams(Family.IPV4)
        stranger, _ = pair.datagrams(Family.IPV4)
        with fails(KINDS.INVALID):
            ours.send_to(b"x", None)
        with fails(KINDS.INVALID):
            ours.peer()
        ours.connect(theirs.local())
        assert ours.peer() == theirs.local()
        ours.send_to(b"to you", None)
        assert await datagram(theirs) == (b"to you", ours.local())
        # What others send does not arrive.
        stranger.send_to(b"psst", ours.local())
        theirs.send_to(b"to you too", ours.local())
        assert await datagram(ours) == (b"to you too", theirs.local())
        ours.connect(None)
        with fails(KINDS.INVALID):
            ours.peer()
        port = ours.local().port
        stranger.send_to(b"now?", Endpoint(pair.client_address[Family.IPV4], port))
        assert await datagram(ours) == (b"now?", stranger.local())


async def test_connecting_says_the_local_address(backend: Backend) -> None:
    async with backend.pair() as pair:
        _, theirs = pair.datagrams(Family.IPV4)
        ours = pair.client.udp_socket(Family.IPV4)
        ours.connect(theirs.local())
        assert ours.local().address == pair.client_address[Family.IPV4]


async def test_refused(backend: Backend) -> None:
    async with backend.pair() as pair:
        ours, theirs = pair.datagrams(Family.IPV4)
        nobody = theirs.local()
        theirs.close()
        ours.send_to(b"lost", nobody)  # who is not connected is not told
        ours.connect(nobody)
        ours.send_to(b"lost", None)
        await wait(ours.readable)
        with fails(KINDS.REFUSED):
            ours.receive_from(1)
        with fails(KINDS.WOULD_BLOCK):
            ours.receive_from(1)


async def test_what_makes_no_sense(backend: Backend) -> None:
    async with backend.pair() as pair:
        ours, theirs = pair.datagrams(Family.IPV4)
        sixth = pair.client.udp_socket(Family.IPV6)
        calls: tuple[Callable[[], object], ...] = (
            lambda: ours.send_to(bytes(65_508), theirs.local()),
            lambda: ours.send_to(b"x", Endpoint(theirs.local().address, 0)),
            lambda: ours.send_to(b"x", Endpoint(WILDCARD[Family.IPV4], 7)),
            lambda: ours.connect(Endpoint(ip_address("::1"), 7)),
            lambda: sixth.connect(Endpoint(ip_address("::ffff:127.0.0.1"), 7)),
            lambda: ours.bind(ours.local()),
            lambda: ours.get_option(Option.NO_DELAY),
            lambda: ours.set_option(Option.KEEP_ALIVE, 1),
        )
        for call in calls:
            with fails(KINDS.INVALID):
                call()


async def test_ports_in_use(backend: Backend) -> None:
    async with backend.pair() as pair:
        _, theirs = pair.datagrams(Family.IPV4)
        other = pair.server.udp_socket(Family.IPV4)
        with fails(KINDS.IN_USE):
            other.bind(theirs.local())

        def tcp_takes_it() -> bool:
            _, bound = pair.datagrams(Family.IPV4)
            return takes(pair.server.tcp_socket(Family.IPV4), bound.local())

        assert eventually(tcp_takes_it), "TCP has ports of its own"


async def test_broadcasts_are_denied(backend: Backend) -> None:
    async with backend.pair() as pair:
        ours, _ = pair.datagrams(Family.IPV4)
        with fails(KINDS.DENIED):
            ours.send_to(b"all of you", Endpoint(pair.broadcast, 7))


async def test_no_route(backend: Backend) -> None:
    if backend.name == "host":
        pytest.skip("a machine may have a route to anywhere")
    async with backend.pair() as pair:
        ours = pair.client.udp_socket(Family.IPV4)
        with fails(KINDS.UNREACHABLE):
            ours.send_to(b"x", Endpoint(pair.unroutable, 7))


async def test_a_full_buffer_loses_datagrams(backend: Backend) -> None:
    async with backend.pair() as pair:
        ours, theirs = pair.datagrams(Family.IPV4)
        theirs.set_option(Option.RECEIVE_BUFFER, 20_000)
        for index in range(100):
            ours.send_to(index.to_bytes(1, "big") * 1000, theirs.local())
        first, _ = await datagram(theirs)
        assert first == bytes(1000)
        got = 1
        with fails(KINDS.WOULD_BLOCK):
            while True:
                theirs.receive_from(1000)
                got += 1
        assert 5 < got < 50
        ours.send_to(b"room again", theirs.local())
        assert await datagram(theirs) == (b"room again", ours.local())


async def test_options(backend: Backend) -> None:
    async with backend.pair() as pair:
        for family in Family:
            ours, _ = pair.datagrams(family)
            assert ours.get_option(Option.TTL) == 64
            ours.set_option(Option.TTL, 3)
            assert ours.get_option(Option.TTL) == 3
            ours.set_option(Option.SEND_BUFFER, 30_000)
            assert ours.get_option(Option.SEND_BUFFER) == 30_000


async def test_closed(backend: Backend) -> None:
    async with backend.pair() as pair:
        ours, theirs = pair.datagrams(Family.IPV4)
        remote = theirs.local()
        ours.close()
        ours.close()
        assert ours.readable.ready() and ours.writable.ready()
        for call in (
            ours.local,
            ours.peer,
            lambda: ours.send_to(b"x", remote),
            lambda: ours.receive_from(1),
            lambda: ours.connect(remote),
            lambda: ours.connect(None),
            lambda: ours.get_option(Option.TTL),
        ):
            with fails(KINDS.CLOSED):
                call()
