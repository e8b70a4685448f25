"""The host of `ingen:sdk` without guests: the environment, addresses, errors, limits, what is closed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_interface
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingen_runtime.kernel.limits import Limits
from ingen_runtime.kernel.process import Process
from ingen_runtime.network.errors import NetworkError, NetworkErrorKind
from ingen_runtime.network.interface import Endpoint, Network
from ingen_runtime.network.virtual import VirtualVpc
from ingen_runtime.sdk import Vm, sdk_imports, variables_of, vm_of
from ingen_runtime.sdk.bindings import types
from ingen_runtime.sdk.bindings.tcp import AsyncConnection, AsyncListener, ConnectOptions, Direction
from ingen_runtime.sdk.icmp import Icmp
from ingen_runtime.sdk.tcp import Tcp
from ingen_runtime.sdk.udp import Udp
from ingen_runtime.sdk.values import failure, guest_address, guest_endpoint, host_address, host_endpoint

T = TypeVar("T")

folders = st.lists(st.text(st.characters(exclude_characters=",", codec="utf-8"), min_size=1), min_size=1)
texts = st.text(st.characters(codec="utf-8"))
names = st.text(st.characters(exclude_characters=",", codec="utf-8"), min_size=1)
vms = st.builds(
    Vm,
    folders,
    folders,
    texts,
    texts,
    texts,
    texts,
    names,
    texts,
    names,
    st.none() | st.tuples(*[st.integers(0, 255)] * 4),
    st.none() | st.tuples(*[st.integers(0, 65535)] * 8),
)


@given(vms)
def test_variables_say_what_a_vm_is(vm: Vm) -> None:
    assert vm_of(variables_of(vm)) == vm


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"EVM_NAME": ""}, "EVM_NAME is not set"),
        ({"EVM_DATA_FOLDER": ","}, "EVM_DATA_FOLDER is not set"),
        ({"EVM_PRIVATE_IPV4": "fd00::1"}, "EVM_PRIVATE_IPV4 is 'fd00::1', which is no IPv4 address"),
        ({"EVM_PRIVATE_IPV6": "10.0.0.1"}, "EVM_PRIVATE_IPV6 is '10.0.0.1', which is no IPv6 address"),
    ],
)
def test_variables_that_make_no_sense(changed: dict[str, str], message: str) -> None:
    variables = variables_of(Vm(["/a"], ["/b"], "", "", "", "", "vm", "", "role", None, None))
    with pytest.raises(types.ErrorException) as refused:
        vm_of({**variables, **changed})
    assert refused.value.value == types.ErrorInvalid(message)


@given(st.ip_addresses(), st.integers(0, 65535))
def test_addresses_survive_both_ways(address: IPv4Address | IPv6Address, port: int) -> None:
    assert host_address(guest_address(address)) == address
    assert host_endpoint(guest_endpoint(Endpoint(address, port))) == (address, port)


def test_each_kind_of_error_is_a_case() -> None:
    cases = {kind: failure(NetworkError(kind, "why")).value for kind in NetworkErrorKind}
    assert len({type(case) for case in cases.values()}) == len(NetworkErrorKind) - 1
    assert cases[NetworkErrorKind.LIMIT] == cases[NetworkErrorKind.DENIED] == types.ErrorDenied("why")
    assert failure(NetworkError(NetworkErrorKind.LIMIT)).value == types.ErrorDenied(
        "the VM has as many sockets as it may have"
    )


# --- With a process -------------------------------------------------------------------------------------


async def settled(value: T | Awaitable[T]) -> T:
    """What a host function returns, at once or later."""
    return await value if isinstance(value, Awaitable) else value


def local(port: int = 0, host: str = "10.0.0.1") -> types.Endpoint:
    return guest_endpoint(Endpoint(ip_address(host), port))


def a_network() -> Network:
    return VirtualVpc().attach("vm", [ip_interface("10.0.0.1/24")])


async def connected(tcp: Tcp) -> tuple[AsyncListener, AsyncConnection, AsyncConnection]:
    """A listener, and both ends of a connection."""
    listener = await settled(tcp.listener.bind(local(), None))
    there = await settled(listener.local_address())
    client = await settled(tcp.connection.connect(there, None))
    return listener, client, await settled(listener.accept())


def test_what_is_there_is_read_at_once() -> None:
    async def main() -> None:
        with Process(network=a_network()) as process:
            _, client, server = await connected(Tcp(process))
            assert client.write(b"hello") == 5
            assert server.read(2) == b"he"
            assert server.read(1 << 31) == b"llo"
            later = server.read(1)
            assert isinstance(later, Awaitable)
            task = asyncio.ensure_future(later)
            await asyncio.sleep(0)
            client.write(b"!")
            assert await task == b"!"

    asyncio.run(main())


def test_a_limit_of_nothing_is_refused() -> None:
    async def main() -> None:
        with Process(network=a_network()) as process:
            _, client, _ = await connected(Tcp(process))
            with pytest.raises(types.ErrorException, match="a limit of 0 bytes"):
                client.read(0)

    asyncio.run(main())


def test_a_write_that_ends_in_the_middle_says_how_far_it_came() -> None:
    async def main() -> None:
        with Process(network=a_network()) as process:
            _, client, _ = await connected(Tcp(process))
            client.set_timeout(1000)
            data = bytes(16 << 20)
            taken = await settled(client.write(data))
            assert 0 < taken < len(data)
            with pytest.raises(types.ErrorException) as late:
                while True:
                    await settled(client.write(data))
            assert late.value.value == types.ErrorTimedOut()

    asyncio.run(main())


def test_what_a_guest_drops_or_leaves_open_is_closed() -> None:
    async def main() -> None:
        network = a_network()
        process = Process(network=network)
        tcp = Tcp(process)
        listener, client, server = await connected(tcp)
        assert len(process.sockets) == 3
        client.drop()  # type: ignore[attr-defined]  # not of the protocol: bindings call it where it is there
        assert len(process.sockets) == 2
        assert await settled(server.read(10)) == b""
        process.close()
        assert len(process.sockets) == 0
        for use in (listener.accept, lambda: server.shutdown(Direction.BOTH)):
            with pytest.raises(types.ErrorException) as closed:
                await settled(use())
            assert closed.value.value == types.ErrorClosed()

    asyncio.run(main())


def test_a_process_has_no_more_sockets_than_it_may_have() -> None:
    async def main() -> None:
        with Process(network=a_network(), limits=Limits(sockets=2)) as process:
            tcp = Tcp(process)
            listener = await settled(tcp.listener.bind(local(), None))
            there = await settled(listener.local_address())
            client = await settled(tcp.connection.connect(there, None))
            assert client is not None
            refusal = types.ErrorDenied("the limit on open sockets is reached")
            for attempt in (
                lambda: tcp.connection.connect(there, None),
                lambda: Udp(process).socket.bind(local(), None),
                listener.accept,
            ):
                with pytest.raises(types.ErrorException) as denied:
                    await settled(attempt())
                assert denied.value.value == refusal
            assert len(process.sockets) == 2

    asyncio.run(main())


def test_a_connect_that_is_given_up_leaves_no_socket() -> None:
    async def main() -> None:
        network = a_network()
        with Process(network=network) as process:
            tcp = Tcp(process)
            full = await settled(tcp.listener.bind(local(), None))
            there = await settled(full.local_address())
            options = ConnectOptions(None, 1000, False, False, None, None, False)
            clients = []
            with pytest.raises(types.ErrorException) as late:
                while True:
                    clients.append(await settled(tcp.connection.connect(there, options)))
            assert late.value.value == types.ErrorTimedOut()
            assert len(process.sockets) == len(clients) + 1

    asyncio.run(main())


def test_a_process_without_a_network() -> None:
    async def main() -> None:
        with Process() as process:
            assert len(sdk_imports(process)) == 5
            for attempt in (
                lambda: Icmp(process).ping(guest_address(ip_address("10.0.0.1")), None),
                lambda: Tcp(process).listener.bind(local(), None),
                lambda: Udp(process).socket.bind(local(), None),
            ):
                with pytest.raises(types.ErrorException) as denied:
                    await settled(attempt())
                assert denied.value.value == types.ErrorDenied("the process has no network")

    asyncio.run(main())
