"""ICMP and ICMPv6: the numbers, and the packets of a ping.

Source: RFC 792, RFC 4443.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Final, NamedTuple

from ingen_runtime.network.addresses import check_target, family_of
from ingen_runtime.network.errors import NetworkError, NetworkErrorKind
from ingen_runtime.network.interface import EchoRequest, Family

ECHO_HEADER: Final = 8  # bytes: type, code, checksum, identifier, sequence
_HEADER: Final = struct.Struct("!BBHHH")


class IcmpNumbers(NamedTuple):
    """What differs between ICMP and ICMPv6: types, codes of `unreachable`, limits in bytes."""

    echo_request: int
    echo_reply: int
    unreachable: int
    time_exceeded: int
    host_unreachable: int  # a code
    errors: frozenset[int]  # types of the errors that end a ping
    ip_header: int
    largest_payload: int
    largest_error: int  # an error quotes what it is about as far as this packet size, IP header included


ICMP: Final[Mapping[Family, IcmpNumbers]] = {
    Family.IPV4: IcmpNumbers(
        echo_request=8,
        echo_reply=0,
        unreachable=3,
        time_exceeded=11,
        host_unreachable=1,
        errors=frozenset({3, 11, 12}),
        ip_header=20,
        largest_payload=65535 - 20 - ECHO_HEADER,
        largest_error=576,
    ),
    Family.IPV6: IcmpNumbers(
        echo_request=128,
        echo_reply=129,
        unreachable=1,
        time_exceeded=3,
        host_unreachable=3,
        errors=frozenset({1, 2, 3, 4}),
        ip_header=40,
        largest_payload=65535 - ECHO_HEADER,
        largest_error=1280,
    ),
}


class EchoHeader(NamedTuple):
    """The header of an echo request or reply; of another message, where the fields mean something else."""

    type: int
    code: int
    identifier: int
    sequence: int


def check_echo(request: EchoRequest) -> Family:
    """The family of a ping that makes sense.

    Raises: NetworkError INVALID.
    """
    family = family_of(request.target)
    check_target(request.target, family)
    if request.source is not None and request.source.version != family.value:
        raise NetworkError(
            NetworkErrorKind.INVALID, f"{request.source} cannot be the source of a ping to {request.target}"
        )
    if not 1 <= request.ttl <= 255:
        raise NetworkError(NetworkErrorKind.INVALID, f"a TTL is 1 to 255, not {request.ttl}")
    largest = ICMP[family].largest_payload
    if not 0 <= request.size <= largest:
        raise NetworkError(NetworkErrorKind.INVALID, f"a ping has 0 to {largest} bytes, not {request.size}")
    if not (0 <= request.sequence <= 0xFFFF and 0 <= (request.identifier or 0) <= 0xFFFF):
        raise NetworkError(NetworkErrorKind.INVALID, "identifier and sequence of a ping are 0 to 65535")
    if not request.timeout_s >= 0:
        raise NetworkError(NetworkErrorKind.INVALID, f"{request.timeout_s} s is no time to wait")
    return family


def error_size(numbers: IcmpNumbers, quoted: int) -> int:
    """Bytes of the ICMP error about an IP packet of `quoted` bytes."""
    return min(ECHO_HEADER + quoted, numbers.largest_error - numbers.ip_header)


def pack_echo(family: Family, identifier: int, sequence: int, size: int) -> bytes:
    """An echo request with `size` bytes of payload, and with a checksum where it is no ICMPv6.

    The checksum of ICMPv6 includes addresses, which the operating system knows.
    """
    numbers = ICMP[family]
    payload = (b"ingen " * (size // 6 + 1))[:size]
    packet = _HEADER.pack(numbers.echo_request, 0, 0, identifier, sequence) + payload
    if family is Family.IPV6:
        return packet
    return packet[:2] + struct.pack("!H", checksum(packet)) + packet[4:]


def unpack_echo(packet: bytes) -> EchoHeader | None:
    """The header of an ICMP packet; None where it is too short for one."""
    if len(packet) < ECHO_HEADER:
        return None
    type_, code, _, identifier, sequence = _HEADER.unpack_from(packet)
    return EchoHeader(type_, code, identifier, sequence)


def checksum(packet: bytes) -> int:
    """The Internet checksum of a packet whose own checksum field is 0.

    Source: RFC 1071.
    """
    if len(packet) % 2:
        packet += b"\0"
    # One's complement addition of 16-bit words is addition modulo 0xFFFF.
    total = int.from_bytes(packet, "big") % 0xFFFF
    return 0xFFFF - total if total or not any(packet) else 0
