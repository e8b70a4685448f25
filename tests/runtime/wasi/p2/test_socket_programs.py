"""Programs that use sockets, in VMs of one virtual network."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from ipaddress import ip_address, ip_interface, ip_network

import pytest

from ingen_runtime.component.component import Component
from ingen_runtime.kernel.limits import Limits
from ingen_runtime.kernel.memory_streams import BufferOutput, Pipe
from ingen_runtime.kernel.process import Process
from ingen_runtime.network.errors import NetworkError, NetworkErrorKind
from ingen_runtime.network.host import HostNetwork
from ingen_runtime.network.interface import Endpoint, Family, Network, Shutdown
from ingen_runtime.network.virtual import VirtualVpc
from ingen_runtime.readiness import wait
from ingen_runtime.wasi.program import run_program
from tests.runtime.wasi.p2.asynchronous import running
from tests.runtime.wasi.p2.programs import compile_cargo, compile_rust, run

ANN, BOB = "10.0.0.2", "10.0.0.3"
CONNECTIONS = 1000


@pytest.fixture(scope="session")
def sockets(tmp_path_factory: pytest.TempPathFactory) -> Component:
    return Component.from_file(compile_rust("sockets", tmp_path_factory.mktemp("sockets")))


@pytest.fixture
def vpc() -> VirtualVpc:
    return VirtualVpc()


@pytest.fixture
def ann(vpc: VirtualVpc) -> Iterator[Network]:
    yield vpc.attach("ann", [ip_interface(f"{ANN}/24"), ip_interface("fd00::2/64")])


@pytest.fixture
def bob(vpc: VirtualVpc) -> Iterator[Network]:
    yield vpc.attach("bob", [ip_interface(f"{BOB}/24"), ip_interface("fd00::3/64")], max_sockets=2000)


@pytest.mark.parametrize(
    ("local", "remote", "client"),
    [("0.0.0.0:80", f"{ANN}:80", BOB), ("[::]:80", "[fd00::2]:80", "fd00::3"), ("0.0.0.0:80", "ann:80", BOB)],
    ids=["IPv4", "IPv6", "by name"],
)
def test_a_connection(
    sockets: Component, ann: Network, bob: Network, local: str, remote: str, client: str
) -> None:
    @running
    async def both() -> None:
        served, fetched = await asyncio.gather(
            run(sockets, ["serve", local], network=ann), run(sockets, ["fetch", remote], network=bob)
        )
        assert served == (0, f"serving at {local}\n1000000 bytes from {client}\n", "")
        assert fetched == (0, '"1000000\\n" true\n', "")

    both()


@running
async def _exchange(sockets: Component, ann: Network, bob: Network) -> None:
    answered, asked = await asyncio.gather(
        run(sockets, ["answer", "0.0.0.0:80"], network=ann),
        run(sockets, ["ask", f"{ANN}:80"], network=bob),
    )
    assert answered == (0, "answering at 0.0.0.0:80\nanswered\n", "")
    assert asked == (0, f"{ANN}:80\nasked\n", "")


def test_datagrams(sockets: Component, ann: Network, bob: Network) -> None:
    _exchange(sockets, ann, bob)


@pytest.mark.parametrize(
    ("server", "client", "served", "got"),
    [
        ("serve", "fetch", "1000000 bytes from 127.0.0.1", '"1000000\\n" true'),
        ("answer", "ask", "answered", "asked"),
    ],
    ids=["TCP", "UDP"],
)
def test_on_the_machines_own_network(
    sockets: Component, server: str, client: str, served: str, got: str
) -> None:
    @running
    async def both() -> None:
        network = HostNetwork(reachable=[ip_network("127.0.0.0/8")])
        printed = Pipe()
        with Process(
            arguments=["program", server, "127.0.0.1:0"], network=network, stdout=printed.writer
        ) as process:
            serving = asyncio.ensure_future(run_program(sockets, process))
            await wait(printed.readable)
            address = printed.reader.read(100).split()[-1].decode()
            assert address.startswith("127.0.0.1:")
            status, out, _ = await run(sockets, [client, address], network=network)
            assert (status, out.splitlines()[-1]) == (0, got)
            assert await serving == 0
            assert printed.reader.read(100).decode().strip() == served
        await network.aclose()

    both()


def test_errors(sockets: Component, ann: Network, bob: Network) -> None:
    status, out, _ = asyncio.run(run(sockets, ["errors", ANN], network=bob))
    assert status == 0
    assert out.splitlines() == [
        "refused Err(ConnectionRefused)",
        "unreachable Err(HostUnreachable)",
        "nowhere Err(InvalidInput)",
        "in use Err(AddrInUse)",
        "not mine Err(AddrNotAvailable)",
        "multicast Err(InvalidInput)",
        "first Ok(0.0.0.0:80)",
        "large true",
        "no peer true",
    ]


def test_options(sockets: Component, ann: Network, bob: Network) -> None:
    @running
    async def both() -> None:
        served, seen = await asyncio.gather(
            run(sockets, ["serve", "0.0.0.0:80"], network=ann),
            run(sockets, ["options", f"{ANN}:80"], network=bob),
        )
        assert served[0] == 0
        assert seen == (0, "true 17\nOk(None)\n5 true\n", "")

    both()


def test_lookup(sockets: Component, ann: Network, bob: Network) -> None:
    names = ["ann", "nobody", "10.1.2.3", "two words"]
    status, out, _ = asyncio.run(run(sockets, ["lookup", *names], network=bob))
    assert status == 0
    assert out.splitlines() == [
        f"ann: Ok([{ANN}:80, [fd00::2]:80])",
        "nobody: Err(Uncategorized)",
        "10.1.2.3: Ok([10.1.2.3:80])",
        "two words: Err(InvalidInput)",
    ]


def test_without_a_network(sockets: Component) -> None:
    assert asyncio.run(run(sockets, ["lookup", "ann"])) == (0, "ann: Err(PermissionDenied)\n", "")


def test_a_guest_has_no_more_sockets_than_its_limit(sockets: Component, bob: Network) -> None:
    hoarding = run(sockets, ["hoard"], network=bob, limits=Limits(sockets=10))
    assert asyncio.run(hoarding) == (0, "10 Uncategorized\n", "")


@pytest.mark.slow
def test_tokio_serves_a_thousand_connections(vpc: VirtualVpc, bob: Network) -> None:
    program = Component.from_file(compile_cargo("echo"))
    server = vpc.attach("server", [ip_interface("10.0.0.9/24")], max_sockets=2000)

    @running
    async def all_of_them() -> None:
        printed = BufferOutput()
        with Process(
            arguments=["echo", str(CONNECTIONS)],
            network=server,
            stdout=printed,
            limits=Limits(sockets=CONNECTIONS + 10),
        ) as process:
            serving = asyncio.ensure_future(run_program(program, process))
            all_there = asyncio.Barrier(CONNECTIONS)
            async with asyncio.TaskGroup() as clients:
                for number in range(CONNECTIONS):
                    clients.create_task(client(bob, Endpoint(ip_address("10.0.0.9"), 7), number, all_there))
            assert await serving == 0
            assert len(process.sockets) == 0
        assert printed.data.decode() == f"{CONNECTIONS} connections are open\n{CONNECTIONS * 3_000} bytes\n"

    all_of_them()


async def client(network: Network, server: Endpoint, number: int, all_there: asyncio.Barrier) -> None:
    """Connect, wait for all others, and have three messages echoed."""
    while True:
        socket = network.tcp_socket(Family.IPV4)
        socket.connect(server)
        await wait(socket.writable)
        try:
            socket.finish_connect()
            break
        except NetworkError as error:
            socket.close()
            if error.kind is not NetworkErrorKind.REFUSED:
                raise
            await asyncio.sleep(0.01)  # the server is not there yet
    await all_there.wait()
    message = b"%04d " % number * 200
    for _ in range(3):
        assert socket.send(message) == len(message)
        echoed = b""
        while len(echoed) < len(message):
            await wait(socket.readable)
            received = socket.receive(10_000)
            assert received
            echoed += received
        assert echoed == message
        await all_there.wait()
    socket.shutdown(Shutdown.WRITE)
    await wait(socket.readable)
    assert socket.receive(1) == b""
    socket.close()
