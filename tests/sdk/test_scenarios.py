"""What guests do with the SDK, the same in every language and on every network."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable

import pytest

from tests.sdk.building import LANGUAGES, scenarios
from tests.sdk.places import PLACES
from tests.sdk.worlds import ENVIRONMENT, World


class Setting:
    """A language and a kind of network."""

    def __init__(self, language: str, place: str) -> None:
        self.language = language
        self.place = place


@pytest.fixture(params=[(language, place) for place in PLACES for language in LANGUAGES], ids="-".join)
def setting(request: pytest.FixtureRequest) -> Setting:
    made = Setting(*request.param)
    scenarios(made.language)
    return made


def in_world(test: Callable[[World], Awaitable[None]]) -> Callable[[Setting], None]:
    """A test that runs in a world of each setting."""

    async def run(setting: Setting) -> None:
        async with asyncio.timeout(60), PLACES[setting.place]() as place:
            await test(World(setting.language, place))

    def run_test(setting: Setting) -> None:
        asyncio.run(run(setting))

    functools.update_wrapper(run_test, test)
    del run_test.__wrapped__  # type: ignore[attr-defined]  # pytest would take its parameters for fixtures
    return run_test


# --- Addresses ------------------------------------------------------------------------------------------


ADDRESSES = {
    "0.0.0.0": "0.0.0.0",
    "255.1.20.99": "255.1.20.99",
    "::": "::",
    "::1": "::1",
    "1::": "1::",
    "1:0:0:2:0:0:0:3": "1:0:0:2::3",
    "1:0:2:3:4:5:6:7": "1:0:2:3:4:5:6:7",
    "1:0:0:2:3:4:5:6": "1::2:3:4:5:6",
    "1:2:3:4:5:6:7::": "1:2:3:4:5:6:7:0",
    "FD00:0:0000::ABCD": "fd00::abcd",
    "64:ff9b::10.0.0.1": "64:ff9b::a00:1",
}
NO_ADDRESSES = [
    *("", "1", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1.2.3.", ".1.2.3", "1..2.3", "a.b.c.d"),
    *(":", ":::", "1:", ":1", "1:2", "1::2::3", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::", "12345::"),
    *("g::", "::1.2.3", "1.2.3.4::", "::1.2.3.4:5", "10.0.0.1 ", "fe80::1%eth0"),
]
ENDPOINTS = ["10.0.0.1:80", "[fd00::1]:65535", "[::]:0"]
NO_ENDPOINTS = [
    *("10.0.0.1", "10.0.0.1:", "10.0.0.1:65536", "fd00::1:80", "[10.0.0.1]:80", "[fd00::1]", ":80")
]


@pytest.mark.parametrize("language", LANGUAGES)
def test_addresses(language: str) -> None:
    async def main() -> None:
        async with PLACES["virtual"]() as place:
            guest = World(language, place).guest()
            for text, printed in ADDRESSES.items():
                assert await guest.run("address", text) == printed
            for text in NO_ADDRESSES:
                assert await guest.run("address", text) == "no address", text
            for text in ENDPOINTS:
                assert await guest.run("endpoint", text) == text
            for text in NO_ENDPOINTS:
                assert await guest.run("endpoint", text) == "no endpoint", text

    asyncio.run(main())


# --- Environment ----------------------------------------------------------------------------------------


@in_world
async def test_who_am_i(world: World) -> None:
    assert await world.guest().run("env") == (
        "folders=/data,/shared process=/process region=north dc=n1 cluster=c7 host=h42 name=vm1 "
        "owner=somebody role=database ipv4=10.0.0.1 ipv6=fd00::1"
    )


@in_world
async def test_little_is_needed(world: World) -> None:
    needed = {
        name: ENVIRONMENT[name] for name in ("EVM_NAME", "EVM_ROLE", "EVM_DATA_FOLDER", "EGP_DATA_FOLDER")
    }
    guest = world.guest(environment=needed)
    assert await guest.run("env") == (
        "folders=/data,/shared process=/process region= dc= cluster= host= name=vm1 owner= role=database "
        "ipv4=- ipv6=-"
    )
    for name in needed:
        guest = world.guest(environment={**needed, name: ""})
        assert await guest.run("env") == f"error invalid: {name} is not set"


def ipv6_of(world: World) -> str:
    """The second VM's address. Without one, the test is skipped."""
    if world.place.second_ipv6 is None:
        pytest.skip("the machine has no IPv6")
    return world.place.second_ipv6


# --- ICMP -----------------------------------------------------------------------------------------------


@in_world
async def test_ping(world: World) -> None:
    place = world.place
    options = ["identifier=4711", "sequence=7", "size=100", f"source={place.first_address}"]
    assert await world.guest().run("ping", place.second_address, *options) == (
        f"echo reply from {place.second_address} to {place.first_address} type=0 code=0 identifier=4711 "
        "sequence=7 ttl=64 size=108 in-time=true"
    )


@in_world
async def test_ping_ipv6(world: World) -> None:
    address = ipv6_of(world)
    result = await world.guest().run("ping", address)
    assert result.startswith(f"echo reply from {address} to ")
    assert " type=129 code=0 " in result
    assert result.endswith(" sequence=1 ttl=64 size=64 in-time=true")


@in_world
async def test_ping_at_a_missing_address(world: World) -> None:
    place = world.place
    result = await world.guest().run("ping", place.missing, "timeout-ms=100")
    assert result.startswith(place.missing_ping)


@in_world
async def test_ping_whose_ttl_runs_out(world: World) -> None:
    place = world.place
    if place.elsewhere is None:
        pytest.skip("there is no router")
    result = await world.guest().run("ping", place.elsewhere, "ttl=1")
    assert result.startswith(f"time exceeded from {place.router} to {place.first_address} type=11 code=0 ")


@in_world
async def test_ping_without_a_route(world: World) -> None:
    if world.place.unroutable is None:
        pytest.skip("there is a route to everywhere")
    assert await world.guest().run("ping", world.place.unroutable) == "error unreachable"


@in_world
async def test_ping_that_makes_no_sense(world: World) -> None:
    place = world.place
    for option in ("ttl=0", "source=fd00::7"):
        result = await world.guest().run("ping", place.second_address, option)
        assert result.startswith("error invalid: "), option
    result = await world.guest().run("ping", place.second_address, f"source={place.missing}")
    # Linux looks for a route from there first.
    assert result.startswith(("error invalid: ", "error unreachable"))


# --- DNS ------------------------------------------------------------------------------------------------


@in_world
async def test_lookup(world: World) -> None:
    for name, addresses in world.place.names.items():
        assert await world.guest().run("lookup", name) == addresses


@in_world
async def test_lookup_of_nobody(world: World) -> None:
    if not world.place.no_names:
        pytest.skip("it depends on the machine's name servers")
    for name, error in world.place.no_names.items():
        assert (await world.guest().run("lookup", name)).startswith(error)


@in_world
async def test_lookup_of_no_name(world: World) -> None:
    assert (await world.guest().run("lookup", "no name")).startswith("error invalid: ")


# --- TCP ------------------------------------------------------------------------------------------------


@in_world
async def test_tcp_with_options(world: World) -> None:
    where = ""

    def client(address: str) -> tuple[str, ...]:
        nonlocal where
        where = address
        return "echo-client", address, "300000"

    server, result = await world.both(("echo-server", world.there, "1"), client)
    assert server == "300000 bytes"
    assert result == (f"300000 bytes, same=true keep-alive=true,false no-delay=true ttl=42 peer={where}")


@in_world
async def test_tcp_ipv6(world: World) -> None:
    address = ipv6_of(world)
    server, result = await world.both(
        ("echo-server", f"[{address}]:0", "1"), lambda where: ("echo-client", where, "1000")
    )
    assert server == "1000 bytes"
    assert f"peer=[{address}]:" in result


@in_world
async def test_half_close(world: World) -> None:
    assert await world.both(("answer-server", world.there), lambda where: ("answer-client", where)) == (
        "question",
        "answer to question, closed",
    )


@in_world
async def test_non_blocking_connect_and_read(world: World) -> None:
    assert await world.both(("late-server", world.there), lambda where: ("late-client", where)) == (
        "done",
        "would-block, then late",
    )


@in_world
async def test_non_blocking_accept(world: World) -> None:
    assert await world.guest().run("accept-would-block", world.here) == "would-block, then timed-out"


@in_world
async def test_accept_timeout(world: World) -> None:
    assert await world.guest().run("accept-timeout", world.here) == "error timed-out"


@in_world
async def test_read_timeout(world: World) -> None:
    assert await world.both(("silent-server", world.there), lambda where: ("read-timeout", where)) == (
        "done",
        "timed-out",
    )


@in_world
async def test_non_blocking_write(world: World) -> None:
    assert await world.both(("silent-server", world.there), lambda where: ("write-would-block", where)) == (
        "done",
        "would-block, then timed-out, some=true",
    )


@in_world
async def test_reset(world: World) -> None:
    assert await world.both(("reset-server", world.there), lambda where: ("reset-client", where)) == (
        "gone",
        "error reset",
    )


@in_world
async def test_refused(world: World) -> None:
    nowhere = f"{world.place.second_address}:9"
    assert await world.guest().run("connect", nowhere) == "error refused"
    assert await world.guest().run("refused-later", nowhere) == "refused, refused"


@in_world
async def test_connect_to_a_missing_address(world: World) -> None:
    result = await world.guest().run("connect", f"{world.place.missing}:80", "100")
    assert result.startswith(world.place.missing_connect)
    if world.place.unroutable is not None:
        result = await world.guest().run("connect", f"{world.place.unroutable}:80", "5000")
        assert result == "error unreachable"


@in_world
async def test_connect_to_a_name(world: World) -> None:
    name, addresses = next(iter(world.place.names.items()))
    server, result = await world.both(
        ("echo-server", f"{_bracketed(addresses.split(',')[0])}:0", "1"),
        lambda where: ("connect-name", name, where.rpartition(":")[2]),
    )
    assert (server, result) == ("0 bytes", "connected")
    for name, error in world.place.no_names.items():
        assert (await world.guest().run("connect-name", name, "80")).startswith(error)


@in_world
async def test_connect_from_an_address(world: World) -> None:
    place = world.place
    server, result = await world.both(
        ("echo-server", world.there, "1"), lambda where: ("connect-from", world.here, where)
    )
    assert (server, result) == ("0 bytes", f"connected from {place.first_address}")


@in_world
async def test_an_address_that_is_taken(world: World) -> None:
    assert await world.guest().run("listen-twice", world.here) == "in-use, then success"


@in_world
async def test_an_address_of_somebody_else(world: World) -> None:
    result = await world.guest().run("listen", f"{world.place.missing}:0")
    assert result.startswith(world.place.missing_listen)


def _bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address else address


# --- UDP ------------------------------------------------------------------------------------------------


@in_world
async def test_udp(world: World) -> None:
    server, result = await world.both(
        ("udp-server", world.there), lambda where: ("udp-client", world.here, where)
    )
    assert server == "2 datagrams"
    assert result == "first sec ttl=33 same=true without-peer=invalid"


@in_world
async def test_udp_refused(world: World) -> None:
    nowhere = f"{world.place.second_address}:9"
    assert await world.guest().run("udp-refused", world.here, nowhere) == "error refused"


@in_world
async def test_udp_with_an_error_of_a_rare_kind(world: World) -> None:
    if world.place.fault_finder is None:
        pytest.skip("nobody finds fault with datagrams")
    result = await world.guest().run("udp-refused", world.here, world.place.fault_finder)
    assert result == "error other: Protocol error"


@in_world
async def test_udp_waits(world: World) -> None:
    assert await world.guest().run("udp-waits", world.here) == "would-block, then timed-out"


@in_world
async def test_udp_too_long(world: World) -> None:
    there = f"{world.place.second_address}:9"
    assert (await world.guest().run("udp-too-long", world.here, there)).startswith("error invalid: ")


# --- Limits ---------------------------------------------------------------------------------------------


@in_world
async def test_no_more_sockets_than_allowed(world: World) -> None:
    limited = world.place.limited
    assert await world.guest(limited).run("sockets", "0.0.0.0:0", "3") == "3 sockets"
    result = await world.guest(limited).run("sockets", "0.0.0.0:0", "4")
    assert result == "error denied: the VM may have 3 sockets"
