"""Where two guests can meet: the networks that the SDK's scenarios run on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from ipaddress import ip_interface

from ingen_runtime.network.interface import Network
from ingen_runtime.network.virtual import VirtualVpc


@dataclass(frozen=True, slots=True)
class Place:
    """Two VMs, and what can be tried from the first of them.

    Addresses are text; `names` are names with the addresses that they have.
    """

    first: Network
    second: Network
    first_address: str
    second_address: str
    ipv6_address: str
    """Of the second VM."""
    missing: str
    """An address in a network that the first VM is in; nobody has it."""
    missing_answers: bool
    """Whether somebody says that the missing address is missing."""
    elsewhere: str | None
    """An address that a router is in front of, where there is one."""
    router: str | None
    """That router."""
    unroutable: str | None
    """An address to which there is no route, where there is one."""
    names: Mapping[str, str]
    limited: Network
    """Another network like the first's, of a VM that may have three sockets."""


@asynccontextmanager
async def virtual() -> AsyncIterator[Place]:
    """Two VMs in one VPC, and a third one in another of its subnets."""
    vpc = VirtualVpc("test")
    first = vpc.attach("first", [ip_interface("10.0.0.1/24"), ip_interface("fd00::1/64")])
    second = vpc.attach("second", [ip_interface("10.0.0.2/24"), ip_interface("fd00::2/64")])
    vpc.attach("third", [ip_interface("10.0.1.3/24")])
    limited = vpc.attach("limited", [ip_interface("10.0.0.4/24")], max_sockets=3)
    yield Place(
        first,
        second,
        "10.0.0.1",
        "10.0.0.2",
        "fd00::2",
        missing="10.0.0.77",
        missing_answers=True,
        elsewhere="10.0.1.3",
        router="10.0.0.254",
        unroutable="192.0.2.1",
        names={
            "second": "10.0.0.2,fd00::2",
            "second.test.internal": "10.0.0.2,fd00::2",
            "10.9.8.7": "10.9.8.7",
        },
        limited=limited,
    )
    for network in (first, second, limited):
        await network.aclose()


PLACES: Mapping[str, Callable[[], AbstractAsyncContextManager[Place]]] = {"virtual": virtual}
