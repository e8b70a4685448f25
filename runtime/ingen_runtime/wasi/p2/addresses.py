"""Addresses and errors of `wasi:sockets`, and what they are in the network's terms."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address
from typing import Final, cast

from ingen_runtime.network.errors import NetworkError, NetworkErrorKind
from ingen_runtime.network.interface import Endpoint, Family, IPAddress
from ingen_runtime.wasi.p2.bindings.network import (
    ErrorCode,
    ErrorCodeException,
    IpAddress,
    IpAddressFamily,
    IpAddressIpv4,
    IpAddressIpv6,
    IpSocketAddress,
    IpSocketAddressIpv4,
    IpSocketAddressIpv6,
    Ipv4SocketAddress,
    Ipv6SocketAddress,
)

FAMILIES: Final = {IpAddressFamily.IPV4: Family.IPV4, IpAddressFamily.IPV6: Family.IPV6}
ADDRESS_FAMILIES: Final = {Family.IPV4: IpAddressFamily.IPV4, Family.IPV6: IpAddressFamily.IPV6}

CODES: Final = {
    NetworkErrorKind.REFUSED: ErrorCode.CONNECTION_REFUSED,
    NetworkErrorKind.UNREACHABLE: ErrorCode.REMOTE_UNREACHABLE,
    NetworkErrorKind.TIMED_OUT: ErrorCode.TIMEOUT,
    NetworkErrorKind.RESET: ErrorCode.CONNECTION_RESET,
    NetworkErrorKind.IN_USE: ErrorCode.ADDRESS_IN_USE,
    NetworkErrorKind.DENIED: ErrorCode.ACCESS_DENIED,
    NetworkErrorKind.NOT_FOUND: ErrorCode.NAME_UNRESOLVABLE,
    NetworkErrorKind.INVALID: ErrorCode.INVALID_ARGUMENT,
    NetworkErrorKind.WOULD_BLOCK: ErrorCode.WOULD_BLOCK,
    NetworkErrorKind.CLOSED: ErrorCode.INVALID_STATE,
    NetworkErrorKind.LIMIT: ErrorCode.NEW_SOCKET_LIMIT,
    NetworkErrorKind.OTHER: ErrorCode.UNKNOWN,
}


def refused(error: NetworkError, invalid: ErrorCode = ErrorCode.INVALID_ARGUMENT) -> ErrorCodeException:
    """The error of WASI; `invalid` is what an INVALID is where it came up."""
    return ErrorCodeException(invalid if error.kind is NetworkErrorKind.INVALID else CODES[error.kind])


def address(found: IPAddress) -> IpAddress:
    """An address as WASI writes it."""
    if isinstance(found, IPv4Address):
        return IpAddressIpv4(cast("tuple[int, int, int, int]", tuple(found.packed)))
    return IpAddressIpv6(_groups(found))


def socket_address(found: Endpoint) -> IpSocketAddress:
    """An address with a port as WASI writes it."""
    if isinstance(found.address, IPv4Address):
        octets = cast("tuple[int, int, int, int]", tuple(found.address.packed))
        return IpSocketAddressIpv4(Ipv4SocketAddress(found.port, octets))
    scope = found.address.scope_id or ""
    number = int(scope) if scope.isdecimal() else 0
    return IpSocketAddressIpv6(Ipv6SocketAddress(found.port, 0, _groups(found.address), number))


def endpoint(given: IpSocketAddress) -> Endpoint:
    """The same the other way."""
    match given:
        case IpSocketAddressIpv4(value):
            return Endpoint(IPv4Address(bytes(value.address)), value.port)
        case IpSocketAddressIpv6(value):
            packed = b"".join([group.to_bytes(2, "big") for group in value.address])
            plain = IPv6Address(packed)
            scoped = IPv6Address(f"{plain}%{value.scope_id}") if value.scope_id else plain
            return Endpoint(scoped, value.port)


def _groups(found: IPv6Address) -> tuple[int, int, int, int, int, int, int, int]:
    packed = found.packed
    groups = tuple([int.from_bytes(packed[at : at + 2], "big") for at in range(0, 16, 2)])
    return cast("tuple[int, int, int, int, int, int, int, int]", groups)


def checked_local(given: IpSocketAddress, family: Family) -> Endpoint:
    """An address to bind to. Raises: ErrorCodeException INVALID_ARGUMENT where it makes no sense."""
    found = endpoint(given)
    if _version(found) is not family or not _is_unicast(found.address):
        raise ErrorCodeException(ErrorCode.INVALID_ARGUMENT)
    return found


def checked_remote(given: IpSocketAddress, family: Family) -> Endpoint:
    """An address to send to. Raises: ErrorCodeException INVALID_ARGUMENT where it makes no sense."""
    found = checked_local(given, family)
    if found.address.is_unspecified or not found.port:
        raise ErrorCodeException(ErrorCode.INVALID_ARGUMENT)
    return found


def _version(found: Endpoint) -> Family:
    return Family(found.address.version)


def _is_unicast(found: IPAddress) -> bool:
    if found.is_multicast:
        return False
    if isinstance(found, IPv6Address):
        return found.ipv4_mapped is None
    return found != _BROADCAST


_BROADCAST: Final = IPv4Address("255.255.255.255")
