"""Addresses of `ipaddress` and of the bindings, in both directions."""

from __future__ import annotations

import struct
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final, NamedTuple, TypeAlias

from .bindings import types

IPAddress: TypeAlias = IPv4Address | IPv6Address

_GROUPS: Final = struct.Struct(">8H")


class Endpoint(NamedTuple):
    """An address with a port."""

    address: IPAddress
    port: int

    @classmethod
    def parse(cls, text: str) -> Endpoint:
        """From `10.0.0.1:80` or `[fd00::1]:80`. Raises: ValueError."""
        host, colon, port = text.rpartition(":")
        if not colon or not (port.isascii() and port.isdecimal()) or int(port) > 0xFFFF:
            raise ValueError(f"{text!r} is not ADDRESS:PORT")
        bracketed = host.startswith("[") and host.endswith("]")
        address = ip_address(host[1:-1] if bracketed else host)
        if bracketed != (address.version == 6):
            raise ValueError(f"{text!r} is not ADDRESS:PORT")
        return cls(address, int(port))

    def __str__(self) -> str:
        if self.address.version == 6:
            return f"[{self.address}]:{self.port}"
        return f"{self.address}:{self.port}"


Local: TypeAlias = Endpoint | tuple[str | IPAddress, int]
"""Where a socket is to be: an address with a port, 0 for a free one."""


def to_bindings(address: str | IPAddress) -> types.IpAddress:
    """An address for the host. Raises: ValueError, for text that is none."""
    address = ip_address(address)
    if isinstance(address, IPv4Address):
        first, second, third, fourth = address.packed
        return types.IpAddressIpv4((first, second, third, fourth))
    return types.IpAddressIpv6(_GROUPS.unpack(address.packed))


def from_bindings(address: types.IpAddress) -> IPAddress:
    """An address of the host's."""
    match address:
        case types.IpAddressIpv4(value):
            return ipv4(value)
        case types.IpAddressIpv6(value):
            return ipv6(value)


def ipv4(value: types.Ipv4Address) -> IPv4Address:
    """An IPv4 address of the host's."""
    return IPv4Address(bytes(value))


def ipv6(value: types.Ipv6Address) -> IPv6Address:
    """An IPv6 address of the host's."""
    return IPv6Address(_GROUPS.pack(*value))


def endpoint_to_bindings(endpoint: Local) -> types.Endpoint:
    """An address with a port, for the host. Raises: ValueError."""
    return types.Endpoint(to_bindings(endpoint[0]), endpoint[1])


def endpoint_from_bindings(endpoint: types.Endpoint) -> Endpoint:
    """An address with a port of the host's."""
    return Endpoint(from_bindings(endpoint.address), endpoint.port)


def microseconds(seconds: float | None) -> int | None:
    """A time, as the host takes it."""
    return None if seconds is None else round(seconds * 1_000_000)
