"""What network namespaces add: entering them, who may ping, and the names that hold there."""

from __future__ import annotations

import asyncio
import os
import shutil
import struct
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address, ip_address
from pathlib import Path

import pytest

from ingen_runtime.network.errors import NetworkErrorKind
from ingen_runtime.network.host import IcmpMode
from ingen_runtime.network.interface import EchoRequest, Endpoint, Family, UdpSocket
from ingen_runtime.network.netns import NetnsNetwork
from tests.runtime.network.backends import Namespaces, datagram, fails, let_ping

KINDS = NetworkErrorKind
ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="network namespaces are a thing of Linux")


@contextmanager
def as_nobody() -> Iterator[None]:
    """Without privileges."""
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@ON_LINUX
async def test_no_such_namespace() -> None:
    with fails(KINDS.NOT_FOUND):
        NetnsNetwork("ingen-nobody-made-this")
    for name in ("", ".", "..", "../../proc/1/ns/net"):
        with fails(KINDS.INVALID):
            NetnsNetwork(name)


async def test_what_is_no_namespace(three_namespaces: Namespaces) -> None:
    impostor = Path(f"/var/run/netns/{three_namespaces.client}-not")
    impostor.touch()
    try:
        with fails(KINDS.NOT_FOUND):
            NetnsNetwork(impostor.name)
    finally:
        impostor.unlink()


async def test_entering_takes_privileges(three_namespaces: Namespaces) -> None:
    threads = threading.active_count()
    with as_nobody(), fails(KINDS.DENIED):
        NetnsNetwork(three_namespaces.client)
    assert threading.active_count() == threads


@pytest.mark.parametrize("icmp", [None, *IcmpMode])
async def test_pinging_takes_privileges(three_namespaces: Namespaces, icmp: IcmpMode | None) -> None:
    let_ping(three_namespaces.client, "1 0")  # nobody
    vm = NetnsNetwork(three_namespaces.client, icmp=icmp)
    request = EchoRequest(ip_address("10.77.0.3"))
    with as_nobody(), fails(KINDS.DENIED):
        await vm.ping(request)
    let_ping(three_namespaces.client, "0 2147483647")
    with as_nobody():
        if icmp is IcmpMode.RAW:
            with fails(KINDS.DENIED):
                await vm.ping(request)
        else:
            assert (await vm.ping(request)).type == 0
    await vm.aclose()


async def test_raw_sockets_do_not_mix_up_replies(three_namespaces: Namespaces) -> None:
    vms = [NetnsNetwork(three_namespaces.client, icmp=IcmpMode.RAW) for _ in range(3)]
    replies = await asyncio.gather(
        *(vm.ping(EchoRequest(ip_address("10.77.0.3"), size=size)) for size, vm in enumerate(vms * 5))
    )
    assert [reply.size - 8 for reply in replies] == list(range(15))
    assert len({reply.identifier for reply in replies}) == 15
    for vm in vms:
        await vm.aclose()


async def test_the_main_thread_stays_where_it_is(three_namespaces: Namespaces) -> None:
    before = Path("/proc/self/ns/net").readlink()
    vm = NetnsNetwork(three_namespaces.client)
    vm.udp_socket(Family.IPV4)
    await vm.lookup("localhost")
    assert Path("/proc/self/ns/net").readlink() == before
    threads = threading.active_count()
    await vm.aclose()
    assert threading.active_count() < threads


@pytest.mark.parametrize("icmp", list(IcmpMode))
async def test_closing_lets_go_of_everything(three_namespaces: Namespaces, icmp: IcmpMode) -> None:
    let_ping(three_namespaces.client, "0 2147483647")
    before = len(list(Path("/proc/self/fd").iterdir()))
    vm = NetnsNetwork(three_namespaces.client, icmp=icmp)
    for family in Family:
        vm.tcp_socket(family).listen(1)
        vm.udp_socket(family)
    silent = EchoRequest(ip_address("10.77.2.1"), timeout_s=60)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_is_closed(vm, silent))
        await asyncio.sleep(0)
        await vm.aclose()
    with pytest.raises(asyncio.CancelledError):
        async with asyncio.TaskGroup() as tasks:
            vm = NetnsNetwork(three_namespaces.client, icmp=icmp)
            cancelled = tasks.create_task(vm.ping(silent))
            await asyncio.sleep(0)
            cancelled.cancel()
            await cancelled
    await vm.aclose()
    assert len(list(Path("/proc/self/fd").iterdir())) == before


async def _is_closed(vm: NetnsNetwork, request: EchoRequest) -> None:
    with fails(KINDS.CLOSED):
        await vm.ping(request)


@pytest.fixture
def files(three_namespaces: Namespaces) -> Iterator[Path]:
    """What stands in for /etc in the client's namespace."""
    folder = Path("/etc/netns", three_namespaces.client)
    folder.mkdir(parents=True)
    yield folder
    shutil.rmtree(folder)


async def test_names_from_the_namespaces_files(three_namespaces: Namespaces, files: Path) -> None:
    (files / "hosts").write_text("10.77.0.3 the-server\nfd77::3 the-server\n")
    (files / "resolv.conf").write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
    (files / "not-in-etc-ingen").write_text("is skipped")
    vm, other = (NetnsNetwork(name) for name in (three_namespaces.client, three_namespaces.server))
    expected = {ip_address("10.77.0.3"), ip_address("fd77::3")}
    assert set(await vm.lookup("the-server")) == expected
    with fails(KINDS.TIMED_OUT):
        await vm.lookup("nobody.test")  # there is no name server
    assert "the-server" not in Path("/etc/hosts").read_text()
    await vm.aclose()
    await other.aclose()


async def test_names_from_a_name_server(three_namespaces: Namespaces, files: Path) -> None:
    (files / "resolv.conf").write_text("nameserver 10.77.0.3\noptions timeout:2 attempts:2\n")
    vm, server = (NetnsNetwork(name) for name in (three_namespaces.client, three_namespaces.server))
    dns = server.udp_socket(Family.IPV4)
    dns.bind(Endpoint(ip_address("10.77.0.3"), 53))
    async with asyncio.TaskGroup() as tasks:
        serving = tasks.create_task(_serve_names(dns))
        assert await vm.lookup("web.test") == (ip_address("10.77.9.9"),)
        with fails(KINDS.NOT_FOUND):
            await vm.lookup("nobody.test")
        serving.cancel()
    await vm.aclose()
    await server.aclose()


async def _serve_names(dns: UdpSocket) -> None:
    """Answer with an IPv4 address for web.test, and that there is no other name."""
    while True:
        query, client = await datagram(dns)
        (identifier,) = struct.unpack_from("!H", query)
        end = query.index(b"\0", 12) + 5
        question = query[12:end]
        is_known = question.startswith(b"\3web\4test\0")
        answer = b""
        if is_known and question[-4:] == b"\0\1\0\1":  # A, IN
            answer = struct.pack("!HHHIH4s", 0xC00C, 1, 1, 60, 4, IPv4Address("10.77.9.9").packed)
        header = struct.pack(
            "!HHHHHH", identifier, 0x8580 if is_known else 0x8583, 1, 1 if answer else 0, 0, 0
        )
        dns.send_to(header + question + answer, client)
