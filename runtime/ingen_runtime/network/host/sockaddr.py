"""Endpoints as Python's sockets have them."""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv6Address
from typing import Any, TypeAlias

from ingen_runtime.network.errors import NetworkError, NetworkErrorKind
from ingen_runtime.network.interface import Endpoint, IPAddress

SockAddr: TypeAlias = tuple[str, int] | tuple[str, int, int, int]


def to_sockaddr(address: IPAddress, port: int) -> SockAddr:
    """The tuple for a socket of the address's family.

    Raises: NetworkError INVALID for a zone that does not exist.
    """
    if isinstance(address, IPv4Address):
        return str(address), port
    zone = address.scope_id
    if zone is None:
        return str(address), port, 0, 0
    # Python would look up a text that has a zone, and wait for that.
    try:
        index = int(zone) if zone.isdecimal() else socket.if_nametoindex(zone)
    except OSError:
        raise NetworkError(NetworkErrorKind.INVALID, f"there is no interface {zone}") from None
    return str(address).partition("%")[0], port, 0, index


def from_sockaddr(sockaddr: tuple[Any, ...]) -> Endpoint:
    """The endpoint of what a socket of either family gave; a zone is the number of its interface."""
    if len(sockaddr) == 2:
        return Endpoint(IPv4Address(sockaddr[0]), sockaddr[1])
    host, port, _, zone = sockaddr
    host = host.partition("%")[0]
    return Endpoint(IPv6Address(f"{host}%{zone}" if zone else host), port)
