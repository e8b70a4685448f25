"""Addresses and errors: as the network has them, and as guests see them."""

from __future__ import annotations

import struct
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address
from types import TracebackType
from typing import Final, assert_never

from ingen_runtime.network.errors import NetworkError, NetworkErrorKind
from ingen_runtime.network.interface import Endpoint, IPAddress
from ingen_runtime.sdk.bindings import types

_GROUPS: Final = struct.Struct(">8H")


# The objects are shared: nothing here or in the runtime changes them.
@lru_cache(maxsize=4096)
def guest_address(address: IPAddress) -> types.IpAddress:
    """An address, as guests have it."""
    if address.version == 4:
        first, second, third, fourth = address.packed
        return types.IpAddressIpv4((first, second, third, fourth))
    return types.IpAddressIpv6(_GROUPS.unpack(address.packed))


def host_address(address: types.IpAddress) -> IPAddress:
    """An address, as the network has it."""
    match address:
        case types.IpAddressIpv4(value):
            return _ipv4(value)
        case types.IpAddressIpv6(value):
            return _ipv6(value)
        case _:
            assert_never(address)


@lru_cache(maxsize=4096)
def _ipv4(value: types.Ipv4Address) -> IPv4Address:
    return IPv4Address(bytes(value))


@lru_cache(maxsize=4096)
def _ipv6(value: types.Ipv6Address) -> IPv6Address:
    return IPv6Address(_GROUPS.pack(*value))


def guest_endpoint(endpoint: Endpoint) -> types.Endpoint:
    """An address with a port, as guests have it."""
    return types.Endpoint(guest_address(endpoint.address), endpoint.port)


def host_endpoint(endpoint: types.Endpoint) -> Endpoint:
    """An address with a port, as the network has it."""
    return Endpoint(host_address(endpoint.address), endpoint.port)


def failure(error: NetworkError) -> types.ErrorException:
    """What a guest gets for an error of the network."""
    kind, detail = error.kind, error.detail
    match kind:
        case NetworkErrorKind.REFUSED:
            case: types.Error = types.ErrorRefused()
        case NetworkErrorKind.UNREACHABLE:
            case = types.ErrorUnreachable()
        case NetworkErrorKind.TIMED_OUT:
            case = types.ErrorTimedOut()
        case NetworkErrorKind.RESET:
            case = types.ErrorReset()
        case NetworkErrorKind.IN_USE:
            case = types.ErrorInUse()
        case NetworkErrorKind.DENIED:
            case = types.ErrorDenied(detail)
        case NetworkErrorKind.LIMIT:
            case = types.ErrorDenied(detail or "the VM has as many sockets as it may have")
        case NetworkErrorKind.NOT_FOUND:
            case = types.ErrorNotFound()
        case NetworkErrorKind.INVALID:
            case = types.ErrorInvalid(detail)
        case NetworkErrorKind.WOULD_BLOCK:
            case = types.ErrorWouldBlock()
        case NetworkErrorKind.CLOSED:
            case = types.ErrorClosed()
        case NetworkErrorKind.OTHER:
            case = types.ErrorOther(detail)
        case _:
            assert_never(kind)
    return types.ErrorException(case)


def invalid(text: str) -> types.ErrorException:
    """What a guest gets for an argument that makes no sense."""
    return types.ErrorException(types.ErrorInvalid(text))


class _Failures:
    """Within it, errors of the network become those of guests."""

    __slots__ = ()

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, class_: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        if isinstance(error, NetworkError):
            raise failure(error) from error


FAILURES: Final = _Failures()
