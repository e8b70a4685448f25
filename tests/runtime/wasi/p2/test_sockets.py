"""`wasi:sockets` without a guest, on the virtual network."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from ipaddress import ip_interface
from typing import Any

import pytest

from ingen_runtime.canonical import ResultError
from ingen_runtime.errors import Trap
from ingen_runtime.kernel.errors import FileError, FileErrorKind
from ingen_runtime.kernel.limits import Limits
from ingen_runtime.kernel.process import Process
from ingen_runtime.network.errors import NetworkError, NetworkErrorKind
from ingen_runtime.network.interface import IPAddress, Network
from ingen_runtime.network.virtual import VirtualVpc
from ingen_runtime.wasi.p2.bindings.network import (
    ErrorCode,
    IpAddressFamily,
    IpAddressIpv4,
    IpAddressIpv6,
    IpSocketAddress,
    IpSocketAddressIpv4,
    IpSocketAddressIpv6,
    Ipv4SocketAddress,
    Ipv6SocketAddress,
)
from ingen_runtime.wasi.p2.bindings.tcp import ShutdownType
from ingen_runtime.wasi.p2.bindings.udp import IncomingDatagram, OutgoingDatagram
from ingen_runtime.wasi.p2.imports import Wasi
from ingen_runtime.wasi.p2.networks import IpNameLookup, Networks, ResolveAddressStream
from ingen_runtime.wasi.p2.networks import Network as NetworkHandle
from ingen_runtime.wasi.p2.poll import Pollable
from ingen_runtime.wasi.p2.streams import Error, InputStream, OutputStream
from ingen_runtime.wasi.p2.tcp import Connections, TcpCreateSocket, TcpSocket
from ingen_runtime.wasi.p2.udp import UdpCreateSocket, UdpSocket
from tests.runtime.wasi.p2.asynchronous import running, settle, value_of

V4, V6 = IpAddressFamily.IPV4, IpAddressFamily.IPV6
NETWORK = NetworkHandle()
ANY: tuple[int, int, int, int] = (0, 0, 0, 0)
ANN, BOB = (10, 0, 0, 2), (10, 0, 0, 3)


class Machine:
    """A VM with a process on it."""

    def __init__(self, network: Network | None, limits: Limits | None = None) -> None:
        self.process = Process(network=network, limits=limits)
        self.connections = Connections(self.process)

    def tcp(self, family: IpAddressFamily = V4) -> TcpSocket:
        return TcpCreateSocket(self.connections).create_tcp_socket(family)

    def udp(self, family: IpAddressFamily = V4) -> UdpSocket:
        return UdpCreateSocket(self.process).create_udp_socket(family)

    def lookup(self, name: str) -> ResolveAddressStream:
        return IpNameLookup(self.process).resolve_addresses(NETWORK, name)

    def listener(self, port: int) -> TcpSocket:
        socket = self.tcp()
        socket.start_bind(NETWORK, v4(ANY, port))
        socket.finish_bind()
        socket.start_listen()
        socket.finish_listen()
        return socket

    def bound_udp(self, port: int) -> UdpSocket:
        socket = self.udp()
        socket.start_bind(NETWORK, v4(ANY, port))
        socket.finish_bind()
        return socket


def machines(limits: Limits | None = None) -> tuple[Machine, Machine]:
    """Ann and Bob."""
    vpc = VirtualVpc()
    ann = vpc.attach("ann", [ip_interface("10.0.0.2/24"), ip_interface("fd00::2/64")])
    bob = vpc.attach("bob", [ip_interface("10.0.0.3/24"), ip_interface("fd00::3/64")])
    return Machine(ann, limits), Machine(bob, limits)


def v4(address: tuple[int, int, int, int], port: int) -> IpSocketAddress:
    return IpSocketAddressIpv4(Ipv4SocketAddress(port, address))


def v6(address: tuple[int, int, int, int, int, int, int, int], port: int) -> IpSocketAddress:
    return IpSocketAddressIpv6(Ipv6SocketAddress(port, 0, address, 0))


def code(call: Callable[[], object]) -> ErrorCode:
    """The error of a call that has to fail."""
    with pytest.raises(ResultError) as caught:
        call()
    assert isinstance(caught.value.value, ErrorCode)
    return caught.value.value


async def there(pollable: Pollable) -> None:
    """Wait for it, and drop it."""
    await value_of(pollable.block())
    pollable.drop()


Accepted = tuple[TcpSocket, InputStream, OutputStream]


async def connected(ann: Machine, bob: Machine) -> tuple[Accepted, Accepted]:
    """Both ends of a connection from Bob to Ann, each with its streams."""
    listener, client = ann.listener(80), bob.tcp()
    assert code(listener.accept) is ErrorCode.WOULD_BLOCK
    client.start_connect(NETWORK, v4(ANN, 80))
    await there(client.subscribe())
    reader, writer = client.finish_connect()
    await there(listener.subscribe())
    accepted = listener.accept()
    listener.drop()
    return accepted, (client, reader, writer)


@running
async def test_a_connection() -> None:
    ann, bob = machines()
    (server, _, server_writer), (client, reader, writer) = await connected(ann, bob)
    assert client.remote_address() == server.local_address() == v4(ANN, 80)
    assert server.remote_address() == client.local_address()
    assert not server.is_listening()
    assert server.address_family() is V4
    server_writer.check_write()
    server_writer.write(b"hello")
    assert await value_of(reader.blocking_read(100)) == b"hello"
    server.shutdown(ShutdownType.SEND)
    server.shutdown(ShutdownType.SEND)
    with pytest.raises(ResultError):
        server_writer.check_write()
    with pytest.raises(ResultError):
        await value_of(reader.blocking_read(100))
    assert await value_of(writer.blocking_write_and_flush(b"still")) is None
    client.shutdown(ShutdownType.BOTH)
    for machine in (ann, bob):
        assert len(machine.process.sockets) == 1
        machine.process.close()


@running
async def test_what_was_written_arrives_although_the_socket_was_dropped() -> None:
    ann, bob = machines()
    (server, server_reader, server_writer), (_, reader, writer) = await connected(ann, bob)
    sent = 0
    while room := server_writer.check_write():
        server_writer.write(bytes(room))
        sent += room
    for resource in (server_reader, server_writer, server):
        resource.drop()
    assert len(ann.process.sockets) == 1
    settling = asyncio.ensure_future(ann.connections.settled())
    await settle()
    assert not settling.done()
    received = 0
    with pytest.raises(ResultError):
        while True:
            received += len(await value_of(reader.blocking_read(1 << 20)))
    assert received == sent
    await settling
    assert len(ann.process.sockets) == 0
    writer.check_write()


@running
async def test_a_reset_breaks_the_streams() -> None:
    ann, bob = machines()
    (server, server_reader, server_writer), (_, reader, writer) = await connected(ann, bob)
    await value_of(writer.blocking_write_and_flush(b"never read"))
    await settle()
    for resource in (server_reader, server_writer, server):
        resource.drop()
    with pytest.raises(ResultError) as caught:
        await value_of(reader.blocking_read(1))
    error: Any = caught.value.value
    assert Networks().network_error_code(error.value) is ErrorCode.CONNECTION_RESET
    with pytest.raises(ResultError):
        writer.check_write()
        writer.write(b"x")


@running
async def test_refused_and_unreachable() -> None:
    _, bob = machines()
    client = bob.tcp()
    client.start_connect(NETWORK, v4(ANN, 81))
    assert code(lambda: client.start_connect(NETWORK, v4(ANN, 81))) is ErrorCode.CONCURRENCY_CONFLICT
    await there(client.subscribe())
    assert code(client.finish_connect) is ErrorCode.CONNECTION_REFUSED
    assert code(client.finish_connect) is ErrorCode.NOT_IN_PROGRESS
    assert code(lambda: client.start_connect(NETWORK, v4(ANN, 81))) is ErrorCode.INVALID_STATE
    lost = bob.tcp()

    def whole() -> None:
        lost.start_connect(NETWORK, v4((192, 0, 2, 1), 80))
        lost.finish_connect()

    assert code(whole) is ErrorCode.REMOTE_UNREACHABLE


@running
async def test_connecting_takes_until_there_is_room_in_the_queue() -> None:
    ann, bob = machines()
    listener = ann.tcp()
    listener.set_listen_backlog_size(1)
    listener.start_bind(NETWORK, v4(ANY, 80))
    listener.finish_bind()
    listener.start_listen()
    listener.finish_listen()
    clients = [bob.tcp() for _ in range(5)]
    for client in clients:
        client.start_connect(NETWORK, v4(ANN, 80))
    await settle()
    late = clients[-1]
    ready = late.subscribe()
    assert not ready.ready()
    assert code(late.finish_connect) is ErrorCode.WOULD_BLOCK
    for _ in clients:
        await there(listener.subscribe())
        listener.accept()
    await there(ready)
    late.finish_connect()


@running
async def test_states() -> None:
    ann, _ = machines()
    socket = ann.tcp()
    for call in (
        socket.start_listen,
        socket.accept,
        socket.local_address,
        socket.remote_address,
        lambda: socket.shutdown(ShutdownType.BOTH),
    ):
        assert code(call) is ErrorCode.INVALID_STATE
    for finish in (socket.finish_bind, socket.finish_listen, socket.finish_connect):
        assert code(finish) is ErrorCode.NOT_IN_PROGRESS
    assert socket.subscribe().ready()
    socket.start_bind(NETWORK, v4(ANY, 80))
    assert code(socket.start_listen) is ErrorCode.CONCURRENCY_CONFLICT
    socket.finish_bind()
    assert code(lambda: socket.start_bind(NETWORK, v4(ANY, 80))) is ErrorCode.INVALID_STATE
    socket.start_listen()
    assert not socket.is_listening()
    socket.finish_listen()
    assert socket.is_listening()
    assert code(lambda: socket.start_connect(NETWORK, v4(BOB, 80))) is ErrorCode.INVALID_STATE
    assert code(ann.tcp().finish_listen) is ErrorCode.NOT_IN_PROGRESS


MAPPED = v6((0, 0, 0, 0, 0, 0xFFFF, 0x0A00, 0x0002), 80)


@pytest.mark.parametrize(
    ("family", "address", "bound", "remote"),
    [
        (V4, v6((0xFD00, 0, 0, 0, 0, 0, 0, 2), 80), ErrorCode.INVALID_ARGUMENT, ErrorCode.INVALID_ARGUMENT),
        (V6, v4(ANN, 80), ErrorCode.INVALID_ARGUMENT, ErrorCode.INVALID_ARGUMENT),
        (V6, MAPPED, ErrorCode.INVALID_ARGUMENT, ErrorCode.INVALID_ARGUMENT),
        (V4, v4((224, 0, 0, 1), 80), ErrorCode.INVALID_ARGUMENT, ErrorCode.INVALID_ARGUMENT),
        (V4, v4((255, 255, 255, 255), 80), ErrorCode.INVALID_ARGUMENT, ErrorCode.INVALID_ARGUMENT),
        (V4, v4((10, 9, 9, 9), 80), ErrorCode.ADDRESS_NOT_BINDABLE, None),
        (V4, v4(ANY, 80), None, ErrorCode.INVALID_ARGUMENT),
        (V4, v4(ANN, 0), None, ErrorCode.INVALID_ARGUMENT),
    ],
)
def test_addresses_that_make_no_sense(
    family: IpAddressFamily, address: IpSocketAddress, bound: ErrorCode | None, remote: ErrorCode | None
) -> None:
    @running
    async def both() -> None:
        ann, _ = machines()
        if bound is not None:
            assert code(lambda: ann.tcp(family).start_bind(NETWORK, address)) is bound
            assert code(lambda: ann.udp(family).start_bind(NETWORK, address)) is bound
        if remote is not None:
            assert code(lambda: ann.tcp(family).start_connect(NETWORK, address)) is remote

    both()


@running
async def test_an_address_in_use() -> None:
    ann, _ = machines()
    ann.listener(80)
    second = ann.tcp()
    assert code(lambda: second.start_bind(NETWORK, v4(ANY, 80))) is ErrorCode.ADDRESS_IN_USE
    second.start_bind(NETWORK, v4(ANN, 0))
    second.finish_bind()
    match second.local_address():
        case IpSocketAddressIpv4(found):
            assert found.address == ANN
            assert found.port > 0
        case other:
            pytest.fail(f"another family: {other}")


@running
async def test_options() -> None:
    ann, _ = machines()
    socket, datagrams = ann.tcp(), ann.udp()
    for each in (socket.set_hop_limit, datagrams.set_unicast_hop_limit):
        assert code(partial(each, 0)) is ErrorCode.INVALID_ARGUMENT
        each(7)
    assert socket.hop_limit() == datagrams.unicast_hop_limit() == 7
    socket.set_keep_alive_enabled(True)
    assert socket.keep_alive_enabled()
    socket.set_keep_alive_idle_time(1_500_000_000)
    assert socket.keep_alive_idle_time() == 2_000_000_000
    socket.set_keep_alive_interval((1 << 64) - 1)
    assert socket.keep_alive_interval() > 1_000_000_000
    socket.set_keep_alive_count(3)
    assert socket.keep_alive_count() == 3
    for value in (socket, datagrams):
        value.set_receive_buffer_size(1 << 63)
        value.set_send_buffer_size(10_000)
        assert value.receive_buffer_size() > 0
        assert value.send_buffer_size() > 0
        assert code(partial(value.set_send_buffer_size, 0)) is ErrorCode.INVALID_ARGUMENT
    assert code(lambda: socket.set_listen_backlog_size(0)) is ErrorCode.INVALID_ARGUMENT
    socket.set_listen_backlog_size(1 << 40)


@running
async def test_children_go_first() -> None:
    ann, bob = machines()
    (server, reader, writer), _ = await connected(ann, bob)
    ready = reader.subscribe()
    for parent, child in ((reader, ready), (server, reader), (server, writer)):
        with pytest.raises(Trap, match="was dropped before"):
            parent.drop()
        child.drop()
    server.drop()
    assert len(ann.process.sockets) == 0


@running
async def test_datagrams() -> None:
    ann, bob = machines()
    server, client = ann.bound_udp(53), bob.bound_udp(0)
    incoming, outgoing = server.stream(None)
    received, sending = client.stream(v4(ANN, 53))
    assert client.remote_address() == v4(ANN, 53)
    assert code(server.remote_address) is ErrorCode.INVALID_STATE
    assert incoming.receive(10) == []
    assert not incoming.subscribe().ready()
    assert sending.check_send() >= 2
    assert sending.send([OutgoingDatagram(b"one", None), OutgoingDatagram(b"two", v4(ANN, 53))]) == 2
    await there(incoming.subscribe())
    await settle()
    assert incoming.receive(0) == []
    (first,) = incoming.receive(1)
    assert first == IncomingDatagram(b"one", client.local_address())
    assert [each.data for each in incoming.receive(100)] == [b"two"]
    outgoing.check_send()
    assert outgoing.send([OutgoingDatagram(b"reply", first.remote_address)]) == 1
    await there(received.subscribe())
    assert received.receive(1) == [IncomingDatagram(b"reply", v4(ANN, 53))]
    with pytest.raises(Trap, match="1 datagrams sent, where check-send allowed 0"):
        outgoing.send([OutgoingDatagram(b"x", first.remote_address)])
    with pytest.raises(Trap, match="before the old ones went"):
        client.stream(None)
    for wrong in (
        OutgoingDatagram(b"x", None),
        OutgoingDatagram(b"x", v4(ANY, 9)),
        OutgoingDatagram(b"x", v6((0xFD00, 0, 0, 0, 0, 0, 0, 2), 9)),
    ):
        outgoing.check_send()
        assert code(partial(outgoing.send, [wrong])) is ErrorCode.INVALID_ARGUMENT
    sending.check_send()
    elsewhere = OutgoingDatagram(b"x", v4(ANN, 54))
    assert code(lambda: sending.send([elsewhere])) is ErrorCode.INVALID_ARGUMENT
    sending.check_send()
    assert sending.send([OutgoingDatagram(b"x", None), elsewhere]) == 1
    outgoing.check_send()
    large = OutgoingDatagram(bytes(70_000), first.remote_address)
    assert code(lambda: outgoing.send([large])) is ErrorCode.DATAGRAM_TOO_LARGE


@running
async def test_a_udp_socket_may_change_its_peer() -> None:
    _, bob = machines()
    socket = bob.udp()
    assert code(lambda: socket.stream(None)) is ErrorCode.INVALID_STATE
    assert code(socket.local_address) is ErrorCode.INVALID_STATE
    assert code(socket.finish_bind) is ErrorCode.NOT_IN_PROGRESS
    socket.start_bind(NETWORK, v4(ANY, 0))
    assert code(lambda: socket.start_bind(NETWORK, v4(ANY, 0))) is ErrorCode.CONCURRENCY_CONFLICT
    socket.finish_bind()
    assert code(lambda: socket.start_bind(NETWORK, v4(ANY, 0))) is ErrorCode.INVALID_STATE
    ready = socket.subscribe()
    for peer in (v4(ANN, 1), v4(ANN, 2), None):
        for stream in socket.stream(peer):
            stream.drop()
    assert code(socket.remote_address) is ErrorCode.INVALID_STATE
    ready.drop()
    socket.drop()
    assert len(bob.process.sockets) == 0


@running
async def test_lookup() -> None:
    ann, _ = machines()
    found = ann.lookup("bob")
    assert code(found.resolve_next_address) is ErrorCode.WOULD_BLOCK
    assert len(ann.process.sockets) == 1
    await there(found.subscribe())
    addresses = [found.resolve_next_address() for _ in range(3)]
    assert addresses == [IpAddressIpv4(BOB), IpAddressIpv6((0xFD00, 0, 0, 0, 0, 0, 0, 3)), None]
    missing = ann.lookup("nobody")
    await there(missing.subscribe())
    assert code(missing.resolve_next_address) is ErrorCode.NAME_UNRESOLVABLE
    assert code(missing.resolve_next_address) is ErrorCode.NAME_UNRESOLVABLE
    for name in ("", "two words", "a" * 254, "\u3002"):
        assert code(partial(ann.lookup, name)) is ErrorCode.INVALID_ARGUMENT
    forgotten = ann.lookup("bob")
    forgotten.drop()
    await settle()
    assert len(ann.process.sockets) == 0
    ann.lookup("bob")
    ann.process.close()


class Failing(Network):
    """A network on which everything fails."""

    def __init__(self, kind: NetworkErrorKind) -> None:
        self._kind = kind

    interfaces = ()

    async def lookup(self, name: str) -> tuple[IPAddress, ...]:
        raise NetworkError(self._kind)

    def tcp_socket(self, family: object) -> Any:
        raise NetworkError(self._kind)

    def udp_socket(self, family: object) -> Any:
        raise NetworkError(self._kind)

    async def ping(self, request: object) -> Any:
        raise NetworkError(self._kind)

    async def aclose(self) -> None:
        pass


@pytest.mark.parametrize(
    ("kind", "looking_up", "making"),
    [
        (NetworkErrorKind.TIMED_OUT, ErrorCode.TEMPORARY_RESOLVER_FAILURE, ErrorCode.TIMEOUT),
        (NetworkErrorKind.OTHER, ErrorCode.PERMANENT_RESOLVER_FAILURE, ErrorCode.UNKNOWN),
        (NetworkErrorKind.DENIED, ErrorCode.ACCESS_DENIED, ErrorCode.ACCESS_DENIED),
        (NetworkErrorKind.LIMIT, ErrorCode.PERMANENT_RESOLVER_FAILURE, ErrorCode.NEW_SOCKET_LIMIT),
        (NetworkErrorKind.INVALID, ErrorCode.INVALID_ARGUMENT, ErrorCode.NOT_SUPPORTED),
    ],
)
def test_failures_of_the_network(kind: NetworkErrorKind, looking_up: ErrorCode, making: ErrorCode) -> None:
    @running
    async def all_of_them() -> None:
        machine = Machine(Failing(kind))
        found = machine.lookup("name")
        await there(found.subscribe())
        assert code(found.resolve_next_address) is looking_up
        assert code(machine.tcp) is making
        assert code(machine.udp) is making

    all_of_them()


@running
async def test_limits() -> None:
    ann, _ = machines(Limits(sockets=2))
    ann.tcp()
    ann.udp()
    assert code(ann.tcp) is ErrorCode.NEW_SOCKET_LIMIT
    assert code(ann.udp) is ErrorCode.NEW_SOCKET_LIMIT
    assert code(lambda: ann.lookup("bob")) is ErrorCode.NEW_SOCKET_LIMIT


@running
async def test_a_connection_over_the_limit_stays_in_the_queue() -> None:
    ann, bob = machines()
    listener = ann.listener(80)
    small = Machine(ann.process.network, Limits(sockets=2))
    own = small.listener(81)
    client = bob.tcp()
    client.start_connect(NETWORK, v4(ANN, 81))
    await there(own.subscribe())
    held = small.tcp()
    assert code(own.accept) is ErrorCode.NEW_SOCKET_LIMIT
    held.drop()
    own.accept()
    assert code(listener.accept) is ErrorCode.WOULD_BLOCK


def test_without_a_network() -> None:
    machine = Machine(None)
    assert code(machine.tcp) is ErrorCode.ACCESS_DENIED
    assert code(machine.udp) is ErrorCode.ACCESS_DENIED
    assert code(lambda: machine.lookup("bob")) is ErrorCode.ACCESS_DENIED


def test_the_code_behind_a_streams_error() -> None:
    assert Networks().network_error_code(Error(FileError(FileErrorKind.IO))) is None


def test_everything_is_implemented() -> None:
    with Process() as process:
        wasi = Wasi(process)
    assert len(wasi.imports) == 28
