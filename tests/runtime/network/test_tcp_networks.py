"""What TCP does on every kind of network."""

from __future__ import annotations

import asyncio
import random
from ipaddress import IPv6Address, ip_address

import pytest

from ingen_runtime.network.addresses import WILDCARD
from ingen_runtime.network.errors import NetworkError, NetworkErrorKind
from ingen_runtime.network.interface import Endpoint, Family, Option, Shutdown, TcpSocket
from ingen_runtime.readiness import wait, wait_any
from tests.runtime.network.backends import (
    SHORT_S,
    Backend,
    accepted,
    connected,
    eventually,
    fails,
    received,
    sent,
    takes,
)

KINDS = NetworkErrorKind
FAMILIES = pytest.mark.parametrize("family", list(Family), ids=lambda family: family.name.lower())


@FAMILIES
async def test_connections_carry_bytes_both_ways(backend: Backend, family: Family) -> None:
    async with backend.pair() as pair:
        listener = pair.listener(family)
        assert not listener.readable.ready()
        ours = await connected(pair.client, listener.local())
        theirs = await accepted(listener)
        assert ours.family is theirs.family is family
        assert ours.local() == theirs.peer()
        assert ours.peer() == theirs.local() == listener.local()
        assert ours.local().address == pair.client_address[family]
        ours.finish_connect()  # again and again
        assert ours.writable.ready() and not ours.readable.ready()
        with fails(KINDS.WOULD_BLOCK):
            theirs.receive(10)
        assert ours.send(b"ping") == 4
        assert await received(theirs, 4) == b"ping"
        assert theirs.send(memoryview(b"pong")) == 4
        assert await received(ours, 3) == b"pon"
        assert await received(ours, 1) == b"g"
        assert ours.send(b"") == 0


@FAMILIES
async def test_loopback_stays_in_the_vm(backend: Backend, family: Family) -> None:
    async with backend.pair() as pair:
        loopback = ip_address("127.0.0.1" if family is Family.IPV4 else "::1")
        listener = pair.server.tcp_socket(family)
        listener.bind(Endpoint(loopback, 0))
        listener.listen(1)
        ours = await connected(pair.server, listener.local())
        theirs = await accepted(listener)
        assert theirs.peer() == ours.local() and ours.local().address == loopback
        if "host" not in backend.name:  # where both VMs are one machine
            with fails(KINDS.REFUSED):
                await connected(pair.client, listener.local())


async def test_wildcards(backend: Backend) -> None:
    async with backend.pair() as pair:
        for family in Family:
            listener = pair.server.tcp_socket(family)
            listener.listen(1)  # unbound: a free port of every address
            local = listener.local()
            assert local.address == WILDCARD[family] and local.port
            ours = await connected(pair.client, pair.at_server(family, local.port))
            theirs = await accepted(listener)
            assert theirs.local() == ours.peer() == pair.at_server(family, local.port)


async def test_half_close(backend: Backend) -> None:
    async with backend.pair() as pair:
        ours, theirs = await pair.connected(Family.IPV4)
        await sent(ours, b"the last words")
        ours.shutdown(Shutdown.WRITE)
        with fails(KINDS.CLOSED):
            ours.send(b"more")
        assert await received(theirs, 100) == b"the last words"
        assert theirs.receive(1) == b"" and theirs.readable.ready()
        await sent(theirs, b"heard")
        assert await received(ours, 5) == b"heard"
        theirs.close()
        assert await received(ours, 1) == b""


async def test_giving_up_reading(backend: Backend) -> None:
    async with backend.pair() as pair:
        ours, theirs = await pair.connected(Family.IPV4)
        await sent(theirs, b"unheard")
        ours.shutdown(Shutdown.READ)
        assert ours.readable.ready() and ours.receive(10) == b""
        await sent(ours, b"still here")
        assert await received(theirs, 10) == b"still here"
        ours.shutdown(Shutdown.BOTH)
        assert await received(theirs, 1) == b""


async def test_back_pressure(backend: Backend) -> None:
    data = random.Random(1).randbytes(8 << 20)
    async with backend.pair() as pair:
        ours, theirs = await pair.connected(Family.IPV4)
        view = memoryview(data)
        with fails(KINDS.WOULD_BLOCK):
            while True:
                view = view[ours.send(view[: 1 << 16]) :]
        assert 0 < len(view) < len(data), "buffers are bounded"
        assert not ours.writable.ready()
        got = bytearray()

        async def read() -> None:
            while len(got) < len(data):
                got.extend(await received(theirs, min(100_000, len(data) - len(got))))

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(sent(ours, bytes(view)))
            tasks.create_task(read())
        assert got == data


async def test_a_reset_by_closing_with_data_unread(backend: Backend) -> None:
    async with backend.pair() as pair:
        ours, theirs = await pair.connected(Family.IPV4)
        await sent(ours, b"unread")
        await wait(theirs.readable)
        theirs.close()
        await wait(ours.readable)
        with fails(KINDS.RESET):
            ours.receive(1)
        with fails(KINDS.RESET):
            ours.send(b"more")


async def test_a_reset_by_sending_to_who_is_gone(backend: Backend) -> None:
    async with backend.pair() as pair:
        ours, theirs = await pair.connected(Family.IPV4)
        theirs.close()
        assert await received(ours, 1) == b""
        with fails(KINDS.RESET):
            while True:
                await sent(ours, b"anybody?")
                await asyncio.sleep(0)


@FAMILIES
async def test_refused(backend: Backend, family: Family) -> None:
    async with backend.pair() as pair:
        free = pair.listener(family)
        remote = free.local()
        free.close()
        ours = pair.client.tcp_socket(family)
        ours.connect(remote)
        await wait(ours.writable)
        for _ in range(2):
            with fails(KINDS.REFUSED):
                ours.finish_connect()
        with fails(KINDS.REFUSED):
            ours.connect(remote)
        with fails(KINDS.REFUSED):
            ours.receive(1)


async def test_unreachable(backend: Backend) -> None:
    async with backend.pair() as pair:
        with fails(KINDS.UNREACHABLE):
            await connected(pair.client, Endpoint(pair.unroutable, 80))
        for address in pair.absent.values():
            with fails(KINDS.UNREACHABLE):
                await connected(pair.client, Endpoint(address, 80))


async def test_too_few_hops(backend: Backend) -> None:
    async with backend.pair() as pair:
        for family, address in pair.beyond.items():
            ours = pair.client.tcp_socket(family)
            ours.set_option(Option.TTL, 1)
            ours.connect(Endpoint(address, 80))
            await wait(ours.writable)
            with fails(KINDS.UNREACHABLE):
                ours.finish_connect()
            with fails(KINDS.REFUSED):
                await connected(pair.client, Endpoint(address, 80))


async def test_a_full_backlog_times_out(backend: Backend) -> None:
    async with backend.pair(connect_timeout_s=SHORT_S) as pair:
        listener = pair.listener(Family.IPV4, backlog=1)
        connections: list[TcpSocket] = []
        with fails(KINDS.TIMED_OUT):
            # Linux lets in one more than it was told.
            while len(connections) < 3:
                connections.append(await connected(pair.client, listener.local()))
        assert connections
        await accepted(listener)


async def test_a_closed_listener_resets_who_was_not_accepted(backend: Backend) -> None:
    async with backend.pair() as pair:
        listener = pair.listener(Family.IPV4)
        ours = await connected(pair.client, listener.local())
        await wait(listener.readable)
        listener.close()
        await wait(ours.readable)
        with fails(KINDS.RESET):
            ours.receive(1)


async def test_ports_in_use(backend: Backend) -> None:
    async with backend.pair() as pair:
        listener = pair.listener(Family.IPV4)
        other = pair.server.tcp_socket(Family.IPV4)
        with fails(KINDS.IN_USE):
            other.bind(listener.local())
        with fails(KINDS.IN_USE):
            other.bind(Endpoint(WILDCARD[Family.IPV4], listener.local().port))
        other.bind(pair.at_server(Family.IPV4))
        assert other.local().port != listener.local().port

        def other_family_takes_it() -> bool:
            port = pair.listener(Family.IPV4).local().port
            return takes(pair.server.tcp_socket(Family.IPV6), Endpoint(WILDCARD[Family.IPV6], port))

        assert eventually(other_family_takes_it), "IPv6 has ports of its own"


async def test_reusing_a_port(backend: Backend) -> None:
    async with backend.pair() as pair:
        listener = pair.server.tcp_socket(Family.IPV4)
        listener.set_option(Option.REUSE_ADDRESS, 1)
        listener.bind(pair.at_server(Family.IPV4))
        listener.listen(1)
        await connected(pair.client, listener.local())
        theirs = await accepted(listener)
        local = listener.local()
        listener.close()
        with fails(KINDS.IN_USE):
            pair.server.tcp_socket(Family.IPV4).bind(local)  # a connection has it still
        first, second = (pair.server.tcp_socket(Family.IPV4) for _ in range(2))
        for other in (first, second):
            other.set_option(Option.REUSE_ADDRESS, 1)
            other.bind(local)
        first.listen(1)
        with fails(KINDS.IN_USE):
            second.listen(1)
        await connected(pair.client, local)
        assert theirs.local() == local


async def test_what_makes_no_sense(backend: Backend) -> None:
    async with backend.pair() as pair:
        ours = pair.client.tcp_socket(Family.IPV4)
        sixth = pair.client.tcp_socket(Family.IPV6)
        somebody = pair.at_server(Family.IPV4, 80)
        mapped = IPv6Address(f"::ffff:{somebody.address}")
        for call in (
            ours.local,
            ours.peer,
            ours.accept,
            ours.finish_connect,
            lambda: ours.receive(1),
            lambda: ours.send(b"x"),
            lambda: ours.shutdown(Shutdown.BOTH),
            lambda: ours.bind(Endpoint(ip_address("203.0.113.1"), 80)),
            lambda: ours.bind(Endpoint(ip_address("::1"), 80)),
            lambda: ours.bind(Endpoint(somebody.address, 1 << 16)),
            lambda: ours.connect(Endpoint(somebody.address, 0)),
            lambda: ours.connect(Endpoint(WILDCARD[Family.IPV4], 80)),
            lambda: ours.connect(Endpoint(ip_address("::1"), 80)),
            lambda: sixth.connect(Endpoint(mapped, 80)),
            lambda: sixth.bind(Endpoint(mapped, 0)),
            lambda: ours.get_option(Option.TTL) and ours.set_option(Option.TTL, 0),
            lambda: ours.set_option(Option.TTL, 256),
            lambda: ours.set_option(Option.RECEIVE_BUFFER, 0),
            lambda: ours.set_option(Option.NO_DELAY, 2),
        ):
            with fails(KINDS.INVALID):
                call()
        ours.bind(Endpoint(pair.client_address[Family.IPV4], 0))
        with fails(KINDS.INVALID):
            ours.bind(Endpoint(pair.client_address[Family.IPV4], 0))
        listener = pair.listener(Family.IPV4)
        ours.connect(listener.local())
        await wait(ours.writable)
        ours.finish_connect()
        for call in (lambda: ours.connect(listener.local()), lambda: ours.listen(1), ours.accept):
            with fails(KINDS.INVALID):
                call()
        with fails(KINDS.INVALID):
            listener.connect(ours.local())


async def test_options(backend: Backend) -> None:
    wanted = {
        Option.TTL: 17,
        Option.KEEP_ALIVE: 1,
        Option.KEEP_ALIVE_IDLE: 30,
        Option.KEEP_ALIVE_INTERVAL: 5,
        Option.KEEP_ALIVE_COUNT: 3,
        Option.NO_DELAY: 1,
    }
    async with backend.pair() as pair:
        for family in Family:
            listener = pair.listener(family)
            assert listener.get_option(Option.TTL) == 64
            for option, value in wanted.items():
                listener.set_option(option, value)
            listener.set_option(Option.RECEIVE_BUFFER, 50_000)
            ours = await connected(pair.client, listener.local())
            theirs = await accepted(listener)
            for option, value in wanted.items():
                assert theirs.get_option(option) == value, option
            assert theirs.get_option(Option.RECEIVE_BUFFER) == 50_000
            ours.set_option(Option.SEND_BUFFER, 20_000)
            assert ours.get_option(Option.SEND_BUFFER) == 20_000
            ours.set_option(Option.SEND_BUFFER, 2**31 - 1)
            assert 20_000 < ours.get_option(Option.SEND_BUFFER) < 2**31 - 1, "not as much as anybody likes"


async def test_closed(backend: Backend) -> None:
    async with backend.pair() as pair:
        ours, theirs = await pair.connected(Family.IPV4)
        listener = pair.listener(Family.IPV4)
        waiting = [asyncio.create_task(wait(each.readable)) for each in (ours, listener)]
        await asyncio.sleep(0)
        for each in (ours, listener):
            each.close()
            each.close()
            assert each.readable.ready() and each.writable.ready()
        await asyncio.gather(*waiting)
        for call in (
            ours.local,
            ours.peer,
            ours.finish_connect,
            listener.accept,
            lambda: listener.listen(1),
            lambda: ours.receive(1),
            lambda: ours.send(b"x"),
            lambda: ours.shutdown(Shutdown.READ),
            lambda: ours.get_option(Option.TTL),
            lambda: ours.set_option(Option.TTL, 1),
            lambda: ours.bind(pair.at_server(Family.IPV4)),
            lambda: ours.connect(pair.at_server(Family.IPV4, 80)),
        ):
            with fails(KINDS.CLOSED):
                call()
        assert await received(theirs, 1) == b""


async def test_the_limit_on_sockets(backend: Backend) -> None:
    async with backend.pair(max_sockets=2) as pair:
        listener = pair.listener(Family.IPV4)
        first = await connected(pair.client, listener.local())
        theirs = await accepted(listener)
        second = await connected(pair.client, listener.local())
        with fails(KINDS.LIMIT):
            pair.client.udp_socket(Family.IPV4)
        await wait(listener.readable)
        with fails(KINDS.LIMIT):
            listener.accept()
        theirs.close()
        fourth = listener.accept()
        assert fourth.peer() == second.local()
        first.close()
        pair.client.udp_socket(Family.IPV4).close()


async def test_the_one_of_many_that_is_ready(backend: Backend) -> None:
    async with backend.pair() as pair:
        connections = [await pair.connected(Family.IPV4) for _ in range(10)]
        for index in (7, 3):
            async with asyncio.TaskGroup() as tasks:
                waiting = tasks.create_task(wait_any([theirs.readable for _, theirs in connections]))
                await asyncio.sleep(0)
                assert not waiting.done()
                await sent(connections[index][0], b"!")
            assert waiting.result() == [index]
            assert connections[index][1].receive(9) == b"!"


async def test_waking_does_not_spin(backend: Backend) -> None:
    async with backend.pair() as pair:
        ours, theirs = await pair.connected(Family.IPV4)
        wakes = 0

        def wake() -> None:
            nonlocal wakes
            wakes += 1

        theirs.readable.watch(wake)
        theirs.readable.watch(wake)
        await sent(ours, b"a")
        await wait(theirs.readable)
        for _ in range(20):
            await asyncio.sleep(0)
        assert wakes == 1, "nobody has looked since"
        assert theirs.receive(9) == b"a"
        with fails(KINDS.WOULD_BLOCK):
            theirs.receive(9)
        await sent(ours, b"b")
        await wait(theirs.readable)
        while wakes < 2:  # the kernel knows before the event loop does
            await asyncio.sleep(0)
        theirs.readable.unwatch(wake)
        theirs.close()
        assert wakes == 2


async def test_the_end_of_a_network(backend: Backend) -> None:
    async with backend.pair() as pair:
        ours, theirs = await pair.connected(Family.IPV4)
        listener = pair.listener(Family.IPV4)
        remote = listener.local()
        await pair.server.aclose()
        await pair.server.aclose()
        assert await received(ours, 1) == b""
        with fails(KINDS.CLOSED):
            theirs.receive(1)
        with fails(KINDS.CLOSED):
            pair.server.tcp_socket(Family.IPV4)
        with pytest.raises(NetworkError):
            await connected(pair.client, remote)
