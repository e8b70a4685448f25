"""What ping and lookup do on every kind of network."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any

import pytest

from ingen_runtime.network.errors import NetworkError, NetworkErrorKind
from ingen_runtime.network.icmp import ICMP
from ingen_runtime.network.interface import EchoReply, EchoRequest, Family, Network
from tests.runtime.network.backends import SHORT_S, Backend, fails

KINDS = NetworkErrorKind
FAMILIES = pytest.mark.parametrize("family", list(Family), ids=lambda family: family.name.lower())


@dataclass
class Pinging:
    """A network that can ping, or the test is skipped: a machine may deny it to its users."""

    network: Network

    async def __call__(self, target: Any, **options: Any) -> EchoReply:
        try:
            return await self.network.ping(EchoRequest(target, **{"timeout_s": 5.0, **options}))
        except NetworkError as error:
            if error.kind is KINDS.DENIED and "ping_group_range" in error.detail:
                pytest.skip("this machine lets its users send no pings")
            raise


@FAMILIES
async def test_replies(backend: Backend, family: Family) -> None:
    numbers = ICMP[family]
    async with backend.pair() as pair:
        ping = Pinging(pair.client)
        target = pair.server_address[family]
        for size in (0, 1, 56, 1400, 20_000, numbers.largest_payload):
            reply = await ping(target, size=size, sequence=size % 999, identifier=4711)
            assert (reply.source, reply.destination) == (target, pair.client_address[family])
            assert (reply.type, reply.code) == (numbers.echo_reply, 0)
            assert (reply.identifier, reply.sequence) == (4711, size % 999)
            assert reply.ttl == 64 and reply.size == size + 8
            assert 0 <= reply.duration_us < 5_000_000
        reply = await ping(target, source=pair.client_address[family])
        assert reply.destination == pair.client_address[family]
        loopback = ip_address("127.0.0.1" if family is Family.IPV4 else "::1")
        assert (await ping(loopback)).source == loopback


async def test_many_at_once(backend: Backend) -> None:
    async with backend.pair() as pair:
        ping = Pinging(pair.client)
        target = pair.server_address[Family.IPV4]
        await ping(target)
        asked = [(None, 1)] * 5 + [(9, sequence) for sequence in range(10)] + [(8, 1), (7, 1)]
        replies = await asyncio.gather(
            *(ping(target, identifier=identifier, sequence=sequence) for identifier, sequence in asked)
        )
        assert [(reply.identifier, reply.sequence) for reply in replies[5:]] == asked[5:]
        assert len({reply.identifier for reply in replies[:5]}) == 5


@FAMILIES
async def test_errors_from_routers(backend: Backend, family: Family) -> None:
    numbers = ICMP[family]
    async with backend.pair() as pair:
        if not pair.router:
            pytest.skip("there is no router")
        ping = Pinging(pair.client)
        beyond = pair.beyond[family]
        reply = await ping(beyond)
        assert (reply.source, reply.type, reply.ttl) == (beyond, numbers.echo_reply, 63)
        assert (await ping(beyond, ttl=2)).type == numbers.echo_reply
        reply = await ping(beyond, ttl=1, identifier=77, sequence=5)
        assert (reply.source, reply.destination) == (pair.router[family], pair.client_address[family])
        assert (reply.type, reply.code) == (numbers.time_exceeded, 0)
        assert (reply.identifier, reply.sequence, reply.ttl) == (77, 5, 64)
        assert reply.size == 8 + numbers.ip_header + 8 + 56
        # The router itself is no further than its subnet.
        assert (await ping(pair.router[family], ttl=1)).type == numbers.echo_reply


@FAMILIES
async def test_nobody_has_the_address(backend: Backend, family: Family) -> None:
    numbers = ICMP[family]
    async with backend.pair() as pair:
        if not pair.absent:
            pytest.skip("all addresses are taken")
        reply = await Pinging(pair.client)(pair.absent[family])
        assert (reply.type, reply.code) == (numbers.unreachable, numbers.host_unreachable)
        assert reply.source == pair.client_address[family], "its own system asked in vain for the neighbour"


async def test_no_route(backend: Backend) -> None:
    if backend.name == "host":
        pytest.skip("a machine may have a route to anywhere")
    async with backend.pair() as pair:
        with fails(KINDS.UNREACHABLE):
            await Pinging(pair.client)(pair.unroutable)


async def test_no_answer(backend: Backend) -> None:
    async with backend.pair() as pair:
        if pair.silent is None:
            pytest.skip("everybody answers")
        with fails(KINDS.TIMED_OUT):
            await Pinging(pair.client)(pair.silent, timeout_s=SHORT_S)


async def test_broadcasts_are_denied(backend: Backend) -> None:
    async with backend.pair() as pair:
        ping = Pinging(pair.client)
        await ping(pair.server_address[Family.IPV4])
        with fails(KINDS.DENIED):
            await ping(pair.broadcast)


async def test_what_makes_no_sense(backend: Backend) -> None:
    async with backend.pair() as pair:
        ping = Pinging(pair.client)
        target = pair.server_address[Family.IPV4]
        await ping(target)
        for options in (
            {"ttl": 0},
            {"ttl": 256},
            {"size": -1},
            {"size": 65_508},
            {"sequence": 65_536},
            {"identifier": -1},
            {"source": pair.server_address[Family.IPV6]},
            {"timeout_s": -1.0},
            {"timeout_s": float("nan")},
        ):
            with fails(KINDS.INVALID):
                await ping(target, **options)
        for nobody in ("0.0.0.0", "::", "::ffff:127.0.0.1"):
            with fails(KINDS.INVALID):
                await ping(ip_address(nobody))


async def test_names(backend: Backend) -> None:
    async with backend.pair() as pair:
        assert await pair.client.lookup("192.0.2.7") == (ip_address("192.0.2.7"),)
        assert await pair.client.lookup("2001:db8::7") == (ip_address("2001:db8::7"),)
        assert ip_address("127.0.0.1") in await pair.client.lookup("LocalHost")
        for name in ("", " ", "a b", "a..b", "-a", "a" * 64, ".".join(["abc"] * 70), "a\0b", "é..b", "a/b"):
            with fails(KINDS.INVALID):
                await pair.client.lookup(name)
        with pytest.raises(NetworkError, match="is too long for a host name") as caught:
            await pair.client.lookup("a." * 1_000_000)
        assert len(str(caught.value)) < 200


async def test_the_end_of_a_network(backend: Backend) -> None:
    async with backend.pair() as pair:
        target = pair.server_address[Family.IPV4]
        await pair.client.aclose()
        with fails(KINDS.CLOSED):
            await pair.client.ping(EchoRequest(target))
        with fails(KINDS.CLOSED):
            await pair.client.lookup("localhost")


async def test_interfaces(backend: Backend) -> None:
    async with backend.pair() as pair:
        versions = [interface.version for interface in pair.client.interfaces]
        assert versions == sorted(versions)
        if backend.name != "host":
            own = {interface.ip for interface in pair.client.interfaces}
            assert own == set(pair.client_address.values())
            assert {interface.network.prefixlen for interface in pair.client.interfaces} == {24, 64}
