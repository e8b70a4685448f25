"""Sockets in preview 1: what comes in on a listening socket that the process was given."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from ipaddress import ip_address, ip_interface

from ingen_runtime.kernel.limits import Limits
from ingen_runtime.kernel.process import Process
from ingen_runtime.network.interface import Endpoint, Family, Shutdown, TcpSocket
from ingen_runtime.network.virtual import VirtualVpc
from ingen_runtime.readiness import wait
from ingen_runtime.wasi.p1.abi import Errno, Filetype, Rights
from tests.runtime.wasi.p1.bare_guest import BareGuest, run, wait_for

NONBLOCK = 4
PEEK, WAITALL = 1, 2
LISTENER = 3


def with_network(attempt: Callable[[BareGuest, Callable[[], Awaitable[TcpSocket]]], Awaitable[None]]) -> None:
    """Run a test with a guest that was given a listener, and a way to connect to it."""

    async def body() -> None:
        vpc = VirtualVpc()
        server = vpc.attach("server", [ip_interface("10.0.0.1/24")])
        client = vpc.attach("client", [ip_interface("10.0.0.2/24")])
        address = Endpoint(ip_address("10.0.0.1"), 80)
        listener = server.tcp_socket(Family.IPV4)
        listener.bind(address)
        listener.listen(4)

        async def connect() -> TcpSocket:
            socket = client.tcp_socket(Family.IPV4)
            socket.connect(address)
            await wait(socket.writable)
            socket.finish_connect()
            return socket

        with Process(network=server, listeners=[listener], limits=Limits(sockets=2)) as process:
            await attempt(BareGuest(process), connect)
        await client.aclose()
        await server.aclose()

    run(body())


async def accepted(guest: BareGuest, flags: int = 0) -> int:
    assert await guest.acall("sock_accept", LISTENER, flags, 64) is Errno.SUCCESS
    return guest.u32()


async def received(guest: BareGuest, fd: int, length: int, flags: int = 0) -> bytes:
    assert await guest.acall("sock_recv", fd, *guest.iovecs(length), flags, 64, 68) is Errno.SUCCESS
    assert guest.memory.read(68, 2) == b"\0\0"
    return guest.memory.read(4096, guest.u32())


async def receive_all(socket: TcpSocket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        await wait(socket.readable)
        data += socket.receive(count - len(data))
    return data


async def send(socket: TcpSocket, data: bytes) -> None:
    await wait(socket.writable)
    assert socket.send(data) == len(data)


def test_a_connection() -> None:
    async def attempt(guest: BareGuest, connect: Callable[[], Awaitable[TcpSocket]]) -> None:
        accepting = asyncio.ensure_future(accepted(guest))
        await asyncio.sleep(0)
        assert not accepting.done()
        client = await connect()
        fd = await accepting
        assert fd == 4
        for number, right in ((fd, Rights.SOCK_SHUTDOWN), (LISTENER, Rights.SOCK_ACCEPT)):
            await guest.acall("fd_fdstat_get", number, 64)
            assert guest.memory.read(64, 1)[0] == Filetype.SOCKET_STREAM
            assert guest.u64(72) & right
        receiving = asyncio.ensure_future(received(guest, fd, 100))
        await asyncio.sleep(0)
        await send(client, b"hello")
        assert await receiving == b"hello"
        guest.put(b"answer")
        assert await guest.acall("sock_send", fd, *guest.iovecs(2, 4), 0, 64) is Errno.SUCCESS
        assert await receive_all(client, 6) == b"answer"
        await send(client, b"read me")
        assert await guest.acall("fd_read", fd, *guest.iovecs(4, 10), 64) is Errno.SUCCESS
        assert guest.memory.read(4096, guest.u32()) == b"read me"
        assert await guest.acall("fd_write", fd, *guest.iovecs(3), 64) is Errno.SUCCESS
        assert await receive_all(client, 3) == b"rea"
        assert await guest.acall("sock_shutdown", fd, 2) is Errno.SUCCESS
        await wait(client.readable)
        assert client.receive(1) == b""
        client.shutdown(Shutdown.WRITE)
        assert await received(guest, fd, 10) == b""
        assert await guest.acall("sock_shutdown", fd, 0) is Errno.INVAL
        assert await guest.acall("sock_shutdown", fd, 4) is Errno.INVAL
        assert await guest.acall("sock_send", fd, *guest.iovecs(1), 1, 64) is Errno.INVAL
        assert await guest.acall("sock_recv", fd, *guest.iovecs(1), 4, 64, 68) is Errno.INVAL
        assert await guest.acall("sock_accept", fd, 0, 64) is Errno.INVAL
        assert await guest.acall("sock_recv", LISTENER, *guest.iovecs(1), 0, 64, 68) is Errno.NOTCONN
        assert await guest.acall("fd_close", fd) is Errno.SUCCESS
        assert len(guest.process.sockets) == 0

    with_network(attempt)


def test_looking_at_what_comes_and_waiting_for_all() -> None:
    async def attempt(guest: BareGuest, connect: Callable[[], Awaitable[TcpSocket]]) -> None:
        client = await connect()
        fd = await accepted(guest)
        await send(client, b"abcdef")
        assert await received(guest, fd, 3, PEEK) == b"abc"
        assert await received(guest, fd, 3, PEEK) == b"abc"
        assert await guest.apoll(wait_for(1, 1, fd)) == [(1, 0, 1, 1, 0)]
        assert await received(guest, fd, 2) == b"ab"
        waiting = asyncio.ensure_future(received(guest, fd, 8, WAITALL))
        await asyncio.sleep(0)
        assert not waiting.done()
        await send(client, b"ghij")
        assert await waiting == b"cdefghij"
        client.shutdown(Shutdown.WRITE)
        assert await received(guest, fd, 8, WAITALL) == b"", "the end ends the waiting"

    with_network(attempt)


def test_without_waiting() -> None:
    async def attempt(guest: BareGuest, connect: Callable[[], Awaitable[TcpSocket]]) -> None:
        assert await guest.acall("fd_fdstat_set_flags", LISTENER, NONBLOCK) is Errno.SUCCESS
        assert await guest.acall("sock_accept", LISTENER, 0, 64) is Errno.AGAIN
        await connect()
        assert await guest.apoll(wait_for(7, 1, LISTENER)) == [(7, 0, 1, 1, 0)]
        fd = await accepted(guest, NONBLOCK)
        for flags in (0, PEEK, WAITALL):
            assert await guest.acall("sock_recv", fd, *guest.iovecs(1), flags, 64, 68) is Errno.AGAIN
        assert await guest.acall("fd_read", fd, *guest.iovecs(1), 64) is Errno.AGAIN
        sent = 0
        while (result := await guest.acall("sock_send", fd, *guest.iovecs(60_000), 0, 64)) is Errno.SUCCESS:
            sent += guest.u32()
        assert result is Errno.AGAIN and sent
        assert await guest.acall("sock_accept", LISTENER, 1, 64) is Errno.INVAL

    with_network(attempt)


def test_the_limit_on_sockets() -> None:
    async def attempt(guest: BareGuest, connect: Callable[[], Awaitable[TcpSocket]]) -> None:
        for _ in range(3):
            await connect()
        first, _ = await accepted(guest), await accepted(guest)
        assert await guest.acall("sock_accept", LISTENER, 0, 64) is Errno.MFILE
        assert await guest.acall("fd_close", first) is Errno.SUCCESS
        assert await accepted(guest) == first

    with_network(attempt)


def test_a_guest_that_polls_sockets_wakes_for_the_one_that_is_ready() -> None:
    async def attempt(guest: BareGuest, connect: Callable[[], Awaitable[TcpSocket]]) -> None:
        clients = [await connect() for _ in range(2)]
        numbers = [await accepted(guest) for _ in clients]
        polling = asyncio.ensure_future(
            guest.apoll(*[wait_for(number, 1, number) for number in (*numbers, LISTENER)])
        )
        await asyncio.sleep(0)
        assert not polling.done()
        await send(clients[1], b"x")
        assert await polling == [(numbers[1], 0, 1, 1, 0)]

    with_network(attempt)
