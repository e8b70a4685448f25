"""What VPCs add to the conformance of all networks."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import Callable
from ipaddress import IPv4Address, IPv4Network, ip_address, ip_interface, ip_network
from typing import TypeVarTuple

from hypothesis import given
from hypothesis import strategies as st

from ingen_runtime.network.errors import NetworkError, NetworkErrorKind
from ingen_runtime.network.icmp import checksum, pack_echo
from ingen_runtime.network.interface import EchoRequest, Endpoint, Family, Option, TcpSocket
from ingen_runtime.network.virtual import VirtualNetwork, VirtualVpc
from ingen_runtime.network.virtual.byte_queue import ByteQueue
from ingen_runtime.network.virtual.paths import Path, Protocol
from ingen_runtime.network.virtual.tcp import VirtualTcpSocket
from ingen_runtime.readiness import wait
from tests.runtime.network.backends import SHORT_S, connected, datagram, fails, sent

KINDS = NetworkErrorKind
Ts = TypeVarTuple("Ts")


def attach(vpc: VirtualVpc, name: str, *addresses: str, **options: int) -> VirtualNetwork:
    return vpc.attach(name, [ip_interface(address) for address in addresses], **options)


def listener(vm: VirtualNetwork, port: int = 80, backlog: int = 8) -> TcpSocket:
    made = vm.tcp_socket(Family.IPV4)
    made.bind(Endpoint(IPv4Address(0), port))
    made.listen(backlog)
    return made


def at(vm: VirtualNetwork, port: int = 80) -> Endpoint:
    return Endpoint(vm.interfaces[0].ip, port)


def test_attaching() -> None:
    vpc = VirtualVpc("Blue.Net")
    assert vpc.name == "blue.net"
    attach(vpc, "a", "10.0.0.1/24")
    for kind, name, addresses in (
        (KINDS.IN_USE, "A", ["10.0.0.2/24"]),
        (KINDS.IN_USE, "b", ["10.0.0.1/24"]),
        (KINDS.IN_USE, "b", ["10.0.0.254/24"]),  # the router's
        (KINDS.INVALID, "b", ["10.0.0.0/24"]),
        (KINDS.INVALID, "b", ["10.0.0.255/24"]),
        (KINDS.INVALID, "b", ["127.0.0.1/8"]),
        (KINDS.INVALID, "b", ["10.0.0.2/16"]),  # overlaps
        (KINDS.INVALID, "b", ["10.0.0.2/25"]),
        (KINDS.INVALID, "b", ["10.0.0.2/24", "10.0.0.2/24"]),
        (KINDS.INVALID, "no name", ["10.0.0.2/24"]),
    ):
        with fails(kind):
            attach(vpc, name, *addresses)
    with fails(KINDS.NOT_FOUND):
        vpc.detach("b")
    # What is given back can be taken again.
    vpc.detach("a")
    attach(vpc, "a", "10.0.0.1/24")
    # A VM that has the last address leaves the one before to the router.
    attach(vpc, "c", "10.3.0.254/24")
    with fails(KINDS.IN_USE):
        attach(vpc, "d", "10.3.0.253/24")


def test_subnets() -> None:
    vpc = VirtualVpc()
    assert vpc.add_subnet(ip_network("10.0.0.0/16")).router == ip_address("10.0.255.254")
    assert vpc.add_subnet(ip_network("fd00::/64")).router == ip_address("fd00::ffff:ffff:ffff:ffff")
    assert vpc.add_subnet(ip_network("10.1.0.0/31")).router is None
    for wrong in ("10.0.7.0/24", "10.0.0.0/8", "10.0.0.0/16"):
        with fails(KINDS.INVALID):
            vpc.add_subnet(ip_network(wrong))
    with fails(KINDS.INVALID):
        vpc.add_subnet(ip_network("10.9.0.0/24"), ip_address("10.8.0.1"))


async def test_vpcs_do_not_see_each_other() -> None:
    red, blue = VirtualVpc("red"), VirtualVpc("blue")
    names = {}
    for vpc in (red, blue):
        names[vpc] = attach(vpc, "a", "10.0.0.1/24"), attach(vpc, "b", "10.0.0.2/24")
    attach(blue, "c", "10.0.0.3/24")
    served = listener(names[red][1])
    (await connected(names[red][0], at(names[red][1]))).send(b"red")
    assert served.accept().receive(9) == b"red"
    with fails(KINDS.REFUSED):
        await connected(names[blue][0], at(names[blue][1]))
    assert (await names[red][0].ping(EchoRequest(ip_address("10.0.0.3")))).type == 3
    assert (await names[blue][0].ping(EchoRequest(ip_address("10.0.0.3")))).type == 0


async def test_names() -> None:
    vpc = VirtualVpc("blue")
    a = attach(vpc, "Web-1", "10.0.0.1/24", "fd00::1/64")
    attach(vpc, "bare")
    expected = ip_address("10.0.0.1"), ip_address("fd00::1")
    for name in ("web-1", "WEB-1", "web-1.", "web-1.blue.internal", "Web-1.Blue.Internal."):
        assert await a.lookup(name) == expected
    for name in ("web-2", "web-1.red.internal", "blue.internal", "web-1.internal", "bare"):
        with fails(KINDS.NOT_FOUND):
            await a.lookup(name)
    assert set(await a.lookup("x.localhost")) == {ip_address("127.0.0.1"), ip_address("::1")}
    vpc.detach("web-1")
    with fails(KINDS.NOT_FOUND):
        vpc.resolve("web-1")


async def test_the_router() -> None:
    vpc = VirtualVpc()
    vpc.add_subnet(ip_network("10.0.1.0/24"), ip_address("10.0.1.1"))
    a = attach(vpc, "a", "10.0.0.1/24")
    b = attach(vpc, "b", "10.0.1.2/24")
    lonely = attach(vpc, "lonely", "10.0.2.1/32")
    for router in ("10.0.0.254", "10.0.1.1"):
        reply = await a.ping(EchoRequest(ip_address(router), ttl=1))
        assert (reply.source, reply.type, reply.ttl) == (ip_address(router), 0, 64)
        with fails(KINDS.REFUSED):
            await connected(a, Endpoint(ip_address(router), 80))
    reply = await b.ping(EchoRequest(ip_address("10.0.0.77")))
    assert (reply.source, reply.type, reply.code) == (ip_address("10.0.1.1"), 3, 1)
    with fails(KINDS.UNREACHABLE):
        await lonely.ping(EchoRequest(at(a).address))
    served = lonely.udp_socket(Family.IPV4)
    served.bind(at(lonely, 7))
    sender = a.udp_socket(Family.IPV4)
    sender.set_option(Option.TTL, 1)
    sender.send_to(b"expires", at(lonely, 7))
    sender.set_option(Option.TTL, 2)
    sender.send_to(b"arrives", at(lonely, 7))
    assert (await datagram(served))[0] == b"arrives"
    with fails(KINDS.WOULD_BLOCK):
        served.receive_from(9)


async def test_sources() -> None:
    vpc = VirtualVpc()
    a = attach(vpc, "a", "10.0.0.1/24", "10.0.1.1/24")
    b = attach(vpc, "b", "10.0.1.2/24")
    # The interface in the target's subnet, unless another is asked for.
    assert (await a.ping(EchoRequest(at(b).address))).destination == ip_address("10.0.1.1")
    reply = await a.ping(EchoRequest(at(b).address, source=ip_address("10.0.0.1")))
    assert reply.destination == ip_address("10.0.0.1")
    for wrong in ("10.0.1.2", "127.0.0.1"):
        with fails(KINDS.INVALID):
            await a.ping(EchoRequest(at(b).address, source=ip_address(wrong)))
    bound = a.tcp_socket(Family.IPV4)
    bound.bind(Endpoint(ip_address("127.0.0.1"), 0))
    with fails(KINDS.INVALID):
        bound.connect(at(b))


async def test_detaching_resets() -> None:
    vpc = VirtualVpc()
    a, b = attach(vpc, "a", "10.0.0.1/24"), attach(vpc, "b", "10.0.0.2/24")
    served = listener(b)
    ours = await connected(a, at(b))
    theirs = served.accept()
    waiting = await connected(a, at(b))
    theirs.send(b"arrived before")
    vpc.detach("b")
    assert ours.receive(100) == b"arrived before"
    for each in (ours, waiting):
        with fails(KINDS.RESET):
            each.receive(1)
        each.close()
    with fails(KINDS.CLOSED):
        theirs.receive(1)
    with fails(KINDS.CLOSED):
        b.udp_socket(Family.IPV4)
    with fails(KINDS.UNREACHABLE):
        await connected(a, Endpoint(ip_address("10.0.0.2"), 80))
    # Who comes next at that address has nothing to do with it.
    attach(vpc, "c", "10.0.0.2/24")
    with fails(KINDS.REFUSED):
        await connected(a, Endpoint(ip_address("10.0.0.2"), 80))


async def test_a_backlog_lets_in_one_by_one() -> None:
    vpc = VirtualVpc()
    a, b = attach(vpc, "a", "10.0.0.1/24"), attach(vpc, "b", "10.0.0.2/24")
    served = listener(b, backlog=1)
    clients = [a.tcp_socket(Family.IPV4) for _ in range(4)]
    for client in clients:
        client.connect(at(b))
    assert [client.writable.ready() for client in clients] == [True, False, False, False]
    clients[1].close()
    assert served.accept().peer() == clients[0].local()
    assert clients[2].writable.ready(), "the next one that still wants to"
    served.close()
    with fails(KINDS.REFUSED):
        clients[3].finish_connect()
    with fails(KINDS.RESET):
        clients[2].receive(1)


async def test_buffered_bytes_are_limited() -> None:
    vpc = VirtualVpc()
    a = attach(vpc, "a", "10.0.0.1/24")
    b = attach(vpc, "b", "10.0.0.2/24", buffer_bytes=1_000_000)
    served = listener(b, backlog=100)
    connections = [await connected(a, at(b)) for _ in range(100)]
    for each in connections:
        with contextlib.suppress(NetworkError):
            while True:
                each.send(bytes(50_000))
    # One more buffer may have begun before, then there are 4 KiB for each.
    assert 1_000_000 < b.buffered < 2_500_000
    flood = a.udp_socket(Family.IPV4)
    target = b.udp_socket(Family.IPV4)
    target.bind(at(b, 7))
    for _ in range(1000):
        flood.send_to(bytes(1000), at(b, 7))
    assert b.buffered < 2_510_000
    # Each goes on as soon as its own reader does.
    last = [served.accept() for _ in range(100)][-1]
    assert not connections[-1].writable.ready()
    with contextlib.suppress(NetworkError):
        while True:
            last.receive(1 << 20)
    assert connections[-1].writable.ready() and connections[-1].send(b"x") == 1
    await a.aclose()
    await b.aclose()
    assert b.buffered == 0


async def test_first_datagrams_are_limited_too() -> None:
    vpc = VirtualVpc()
    a = attach(vpc, "a", "10.0.0.1/24")
    b = attach(vpc, "b", "10.0.0.2/24", buffer_bytes=100_000)
    flood = a.udp_socket(Family.IPV4)
    for port in range(1, 101):
        b.udp_socket(Family.IPV4).bind(at(b, port))
        flood.send_to(bytes(60_000), at(b, port))
    assert 100_000 < b.buffered < 200_000


def alive(kind: type[object]) -> int:
    """How many objects of this class there are."""
    gc.collect()
    return sum(isinstance(one, kind) for one in gc.get_objects())


async def test_who_gives_up_connecting_leaves_nothing_behind() -> None:
    vpc = VirtualVpc()
    a, b = attach(vpc, "a", "10.0.0.1/24"), attach(vpc, "b", "10.0.0.2/24")
    served = listener(b, backlog=1)
    first, second = [a.tcp_socket(Family.IPV4) for _ in range(2)]
    first.connect(at(b))
    second.connect(at(b))
    before = alive(VirtualTcpSocket)
    for _ in range(100):
        client = a.tcp_socket(Family.IPV4)
        client.connect(at(b))
        client.close()
    del client
    assert alive(VirtualTcpSocket) == before
    served.accept()
    second.finish_connect()


async def test_connections_that_nobody_accepts_are_limited() -> None:
    vpc = VirtualVpc()
    a = attach(vpc, "a", "10.0.0.1/24")
    b = attach(vpc, "b", "10.0.0.2/24", max_sockets=5)
    served = [listener(b, port) for port in (1, 2, 3)]
    for _ in range(2):
        for port in (1, 2):
            (await connected(a, at(b, port))).close()  # it waits all the same
    last = await connected(a, at(b, 3))
    with fails(KINDS.REFUSED):
        await connected(a, at(b, 3))
    served[2].accept()
    await connected(a, at(b, 3))
    served[0].close()
    for _ in range(2):
        await connected(a, at(b, 3))
    with fails(KINDS.REFUSED):
        await connected(a, at(b, 2))
    last.close()


async def test_a_vm_that_sends_everywhere_needs_no_more_memory() -> None:
    a = attach(VirtualVpc(), "a", "fd00::1/64")
    first = int(ip_address("fd00::2"))
    for index in range(5000):
        reply = await a.ping(EchoRequest(ip_address(first + index)))
        assert reply.type == 1
    assert alive(Path) <= 4096


async def test_pings_under_way_are_limited() -> None:
    class Silent(VirtualVpc):
        def carry(self, *_: object) -> None:
            pass

    a = attach(Silent(), "a", "10.0.0.1/24", max_sockets=2)
    request = EchoRequest(ip_address("10.0.0.1"), timeout_s=60)
    waiting = [asyncio.ensure_future(a.ping(request)) for _ in range(2)]
    await asyncio.sleep(0)
    with fails(KINDS.LIMIT):
        await a.ping(request)
    await a.aclose()
    for ping in waiting:
        with fails(KINDS.CLOSED):
            await ping


async def test_small_pieces_are_joined() -> None:
    vpc = VirtualVpc()
    a = attach(vpc, "a", "10.0.0.1/24")
    served = listener(a)
    ours = await connected(a, at(a))
    theirs = served.accept()
    for index in range(20_000):
        ours.send(bytes([index % 256]))
    assert theirs.receive(1 << 20) == bytes(index % 256 for index in range(20_000))


class LossyVpc(VirtualVpc):
    """A VPC that loses all packets."""

    def carry(
        self, path: Path, protocol: Protocol, size: int, arrive: Callable[[*Ts], object], *args: *Ts
    ) -> None:
        pass


async def test_lost_packets_time_out() -> None:
    vpc = LossyVpc(connect_timeout_s=SHORT_S)
    a, b = attach(vpc, "a", "10.0.0.1/24"), attach(vpc, "b", "10.0.0.2/24")
    with fails(KINDS.TIMED_OUT):
        await a.ping(EchoRequest(at(b).address, timeout_s=0))
    with fails(KINDS.TIMED_OUT):
        await connected(a, at(b))
    async with asyncio.TaskGroup() as tasks:
        pinging = tasks.create_task(_closed_while_pinging(a, at(b)))
        await asyncio.sleep(0)
        await a.aclose()
    assert pinging.done()


async def _closed_while_pinging(vm: VirtualNetwork, target: Endpoint) -> None:
    with fails(KINDS.CLOSED):
        await vm.ping(EchoRequest(target.address, timeout_s=10))


async def test_ports_are_given_in_turn() -> None:
    transcripts = []
    for _ in range(2):
        vpc = VirtualVpc()
        a, b = attach(vpc, "a", "10.0.0.1/24"), attach(vpc, "b", "10.0.0.2/24")
        served = listener(b)
        transcript: list[object] = []
        for index in range(5):
            ours = await connected(a, at(b))
            await sent(ours, bytes(index))
            theirs = served.accept()
            transcript += [ours.local(), theirs.peer(), theirs.receive(10) if index else b""]
            reply = await a.ping(EchoRequest(at(b).address, sequence=index))
            transcript += [reply.identifier, reply.ttl, reply.size]
            ours.close()
        transcripts.append(transcript)
    assert transcripts[0] == transcripts[1]
    assert len({str(entry) for entry in transcripts[0]}) > 10


async def test_no_port_is_free() -> None:
    vpc = VirtualVpc()
    a = attach(vpc, "a", "10.0.0.1/24", max_sockets=100_000)
    for _ in range(60999 - 32768 + 1):
        a.udp_socket(Family.IPV4).bind(Endpoint(IPv4Address(0), 0))
    one_more = a.udp_socket(Family.IPV4)
    with fails(KINDS.IN_USE):
        one_more.bind(Endpoint(IPv4Address(0), 0))
    with fails(KINDS.IN_USE):
        one_more.send_to(b"x", at(a))


async def test_the_best_match_gets_the_datagram() -> None:
    vpc = VirtualVpc()
    a, b = attach(vpc, "a", "10.0.0.1/24"), attach(vpc, "b", "10.0.0.2/24")
    sender = a.udp_socket(Family.IPV4)
    sender.bind(at(a, 1000))
    sockets = [b.udp_socket(Family.IPV4) for _ in range(2)]
    for each in sockets:
        each.set_option(Option.REUSE_ADDRESS, 1)
        each.bind(Endpoint(IPv4Address(0), 7))
    sockets[1].connect(at(a, 2000))  # which the sender is not
    sender.send_to(b"x", at(b, 7))
    assert (await datagram(sockets[0]))[0] == b"x"
    assert not sockets[1].readable.ready()


async def test_a_thousand_vms_ping_ten_each() -> None:
    count = 1000
    vpc = VirtualVpc()
    vms = [attach(vpc, f"vm{index}", f"10.{index // 250}.{index % 250}.5/24") for index in range(count)]
    for index, vm in enumerate(vms):
        for step in range(1, 11):
            target = at(vms[(index + step * 37) % count]).address
            reply = await vm.ping(EchoRequest(target))
            assert (reply.type, reply.source) == (0, target)


async def test_a_thousand_connections() -> None:
    vpc = VirtualVpc()
    a, b = attach(vpc, "a", "10.0.0.1/24"), attach(vpc, "b", "10.0.0.2/24")
    served = listener(b, backlog=4096)
    clients = [await connected(a, at(b)) for _ in range(1000)]
    peers = [served.accept() for _ in clients]
    for index, client in enumerate(clients):
        client.send(index.to_bytes(2, "big"))
    for index, peer in enumerate(peers):
        await wait(peer.readable)
        assert peer.receive(9) == index.to_bytes(2, "big")


@given(st.lists(st.one_of(st.binary(max_size=6000), st.integers(0, 9000))))
def test_byte_queues_keep_order(steps: list[bytes | int]) -> None:
    queue, model = ByteQueue(), b""
    for step in steps:
        if isinstance(step, bytes):
            queue.push(step)
            model += step
        else:
            assert queue.pop(step) == model[:step]
            model = model[step:]
        assert queue.size == len(model)
    assert queue.pop(1 << 30) == model


@given(st.integers(0, 0xFFFF), st.integers(0, 0xFFFF), st.integers(0, 99))
def test_echo_requests_have_a_right_checksum(identifier: int, sequence: int, size: int) -> None:
    packet = pack_echo(Family.IPV4, identifier, sequence, size)
    padded = packet + bytes(len(packet) % 2)
    words = [int.from_bytes(padded[at : at + 2], "big") for at in range(0, len(padded), 2)]
    total = sum(words)
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    assert total == 0xFFFF
    assert checksum(bytes(4)) == 0xFFFF


def test_ranges_are_not_confused() -> None:
    vpc = VirtualVpc()
    vpc.add_subnet(IPv4Network("10.0.0.0/24"))
    # The same bits, as an IPv6 prefix of the same length.
    vpc.add_subnet(ip_network("a00::/24"))
