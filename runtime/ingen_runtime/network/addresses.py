"""What may stand as a local or a remote address, in every network."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from ingen_runtime.network.errors import NetworkError, NetworkErrorKind
from ingen_runtime.network.interface import Endpoint, Family, IPAddress

WILDCARD: Final[Mapping[Family, IPAddress]] = {Family.IPV4: IPv4Address(0), Family.IPV6: IPv6Address(0)}
_HIGHEST_PORT: Final = 65535


def family_of(address: IPAddress) -> Family:
    """The family of an address."""
    return Family.IPV4 if address.version == 4 else Family.IPV6


def check_local(local: Endpoint, family: Family) -> None:
    """Let pass what a socket of this family could be bound to.

    Raises: NetworkError INVALID.
    """
    _check_family(local.address, family)
    if not 0 <= local.port <= _HIGHEST_PORT:
        raise NetworkError(NetworkErrorKind.INVALID, f"{local.port} is no port")


def check_remote(remote: Endpoint, family: Family) -> None:
    """Let pass what a socket of this family could be connected to.

    Raises: NetworkError INVALID.
    """
    check_target(remote.address, family)
    if not 1 <= remote.port <= _HIGHEST_PORT:
        raise NetworkError(NetworkErrorKind.INVALID, f"nobody can be at port {remote.port}")


def check_target(address: IPAddress, family: Family) -> None:
    """Let pass an address of this family that somebody can have.

    Hosts take the unspecified address for themselves, and mapped addresses for IPv4: both would pass by what
    the VM may reach.

    Raises: NetworkError INVALID.
    """
    _check_family(address, family)
    if address.is_unspecified:
        raise NetworkError(NetworkErrorKind.INVALID, f"nobody has the address {address}")


def _check_family(address: IPAddress, family: Family) -> None:
    if address.version != family.value:
        raise NetworkError(
            NetworkErrorKind.INVALID, f"{address} is no address for an IPv{family.value} socket"
        )
    if family is Family.IPV6 and isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        raise NetworkError(NetworkErrorKind.INVALID, f"{address} is an IPv4 address: use an IPv4 socket")
