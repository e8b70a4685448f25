"""Real pings, through sockets for ICMP.

Linux has two kinds of them. One for datagrams needs the group to be in `net.ipv4.ping_group_range`; the
kernel sorts the replies by identifier, and errors wait in the socket's error queue. A raw one needs
CAP_NET_RAW, and gets all ICMP that arrives, errors too; sorting is up to us. Here a socket is open as long as
pings wait for it, and pings with one identifier share it.

Source: icmp(7), ip(7), ipv6(7), raw(7).
"""

from __future__ import annotations

import asyncio
import enum
import errno
import itertools
import os
import socket
import struct
import sys
from collections.abc import Mapping
from ipaddress import ip_address
from time import perf_counter_ns
from typing import Final, NamedTuple, TypeAlias

from ingen_runtime.network.addresses import WILDCARD
from ingen_runtime.network.errors import NetworkError, NetworkErrorKind
from ingen_runtime.network.host.errnos import error_of, network_error
from ingen_runtime.network.host.maker import SocketMaker
from ingen_runtime.network.host.sockaddr import from_sockaddr, to_sockaddr
from ingen_runtime.network.icmp import ECHO_HEADER, ICMP, EchoHeader, check_echo, pack_echo, unpack_echo
from ingen_runtime.network.interface import EchoReply, EchoRequest, Family, IPAddress


class IcmpMode(enum.Enum):
    """How pings are sent."""

    DATAGRAM = "datagram"  # for those whom net.ipv4.ping_group_range lets
    RAW = "raw"  # for those with CAP_NET_RAW


class _Api(NamedTuple):
    """What Linux calls things, by family. Python does not have names for all of them."""

    family: int
    protocol: int
    level: int
    ttl: int  # ancillary data, both ways
    receive_ttl: int  # the option that asks for it
    packet_info: int  # ancillary data: the own address of a packet, both ways
    receive_packet_info: int
    errors: int  # the option that asks for an error queue, and its ancillary data


_APIS: Final[Mapping[Family, _Api]] = {
    Family.IPV4: _Api(socket.AF_INET, socket.IPPROTO_ICMP, socket.IPPROTO_IP, 2, 12, 8, 8, 11),
    Family.IPV6: _Api(socket.AF_INET6, socket.IPPROTO_ICMPV6, socket.IPPROTO_IPV6, 52, 51, 50, 49, 25),
}
_NOBODY_MAY: Final = (
    "pings need CAP_NET_RAW, or a group in the range that the sysctl net.ipv4.ping_group_range has"
    " (`sysctl -w net.ipv4.ping_group_range='0 2147483647'` lets everybody; each namespace has its own)"
)
_ERROR: Final = struct.Struct("=IBBBxII")  # errno, origin, type, code, info, data; an address follows
_ORIGIN_LOCAL: Final = 1
_LONGEST_PACKET: Final = 1 << 16
_ANCILLARY_SIZE: Final = 512
_MOST_AT_ONCE: Final = 1000

# Raw sockets of one machine see each other's replies, so processes begin at different numbers.
_identifiers: Final = itertools.count(os.getpid())


# The identifier is None for a raw socket, which serves all.
_Key: TypeAlias = tuple[Family, int | None]


class _Ancillary(NamedTuple):
    ttl: int
    destination: IPAddress | None
    error: bytes | None


class _Waiting(NamedTuple):
    request: EchoRequest
    future: asyncio.Future[EchoReply]
    began_ns: int


class EchoSocket:
    """A socket for ICMP, and the pings that wait for what it receives."""

    def __init__(self, made: socket.socket, family: Family, mode: IcmpMode) -> None:
        self._socket = made
        self._family = family
        self._mode = mode
        self._api = _APIS[family]
        self._waiting: dict[tuple[int, int], _Waiting] = {}
        level = self._api.level
        made.setsockopt(level, self._api.receive_ttl, 1)
        made.setsockopt(level, self._api.receive_packet_info, 1)
        if mode is IcmpMode.DATAGRAM:
            made.setsockopt(level, self._api.errors, 1)
        asyncio.get_running_loop().add_reader(made.fileno(), self._receive)

    @property
    def is_idle(self) -> bool:
        """Whether no ping waits."""
        return not self._waiting

    def close(self) -> None:
        """Close the socket; pings that wait fail with CLOSED."""
        asyncio.get_running_loop().remove_reader(self._socket.fileno())
        self._socket.close()
        for waiting in self._waiting.values():
            if not waiting.future.done():
                waiting.future.set_exception(NetworkError(NetworkErrorKind.CLOSED))

    def identifier(self) -> int:
        """The one that the kernel sorts replies by."""
        number: int = self._socket.getsockname()[1]
        return number

    async def ping(self, request: EchoRequest, identifier: int) -> EchoReply:
        """Send a request, and wait for its answer. Raises: NetworkError."""
        key = identifier, request.sequence
        if key in self._waiting:
            raise NetworkError(NetworkErrorKind.IN_USE, f"a ping {key} is under way")
        future: asyncio.Future[EchoReply] = asyncio.get_running_loop().create_future()
        packet = pack_echo(self._family, identifier, request.sequence, request.size)
        self._waiting[key] = _Waiting(request, future, perf_counter_ns())
        try:
            self._send(packet, request)
            self._receive()  # it may be there already
            if future.done():
                return future.result()
            async with asyncio.timeout(request.timeout_s):
                return await future
        except TimeoutError:
            raise NetworkError(
                NetworkErrorKind.TIMED_OUT, f"{request.target} did not answer in {request.timeout_s} s"
            ) from None
        except OSError as error:
            raise network_error(error) from error
        finally:
            del self._waiting[key]

    def _send(self, packet: bytes, request: EchoRequest) -> None:
        level = self._api.level
        ancillary = [(level, self._api.ttl, struct.pack("=i", request.ttl))]
        source = request.source
        if source is not None:
            info = (
                struct.pack("=I4s4x", 0, source.packed)
                if self._family is Family.IPV4
                else struct.pack("=16sI", source.packed, 0)
            )
            ancillary.append((level, self._api.packet_info, info))
        # An error about a former ping would be raised here instead of being waited for.
        self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        self._socket.sendmsg([packet], ancillary, 0, to_sockaddr(request.target, 0))

    def _receive(self) -> None:
        if self._mode is IcmpMode.DATAGRAM:
            self._receive_all(socket.MSG_ERRQUEUE)
        self._receive_all(0)

    def _receive_all(self, flags: int) -> None:
        # What is left after so many comes with the next turn of the event loop.
        for _ in range(_MOST_AT_ONCE):
            try:
                packet, ancillary, _, sockaddr = self._socket.recvmsg(_LONGEST_PACKET, _ANCILLARY_SIZE, flags)
            except BlockingIOError:
                return
            except OSError:
                # It has been in the error queue too, or is about a packet that nobody waits for.
                continue
            known = self._ancillary(ancillary)
            if known.error is not None:
                self._error_arrives(packet, known, known.error)
            else:
                self._packet_arrives(packet, known, from_sockaddr(sockaddr).address)

    def _ancillary(self, ancillary: list[tuple[int, int, bytes]]) -> _Ancillary:
        ttl, destination, error = 0, None, None
        for level, type_, data in ancillary:
            if level != self._api.level:
                continue
            if type_ == self._api.ttl:
                (ttl,) = struct.unpack_from("=i", data)
            elif type_ == self._api.packet_info:
                packed = data[8:12] if self._family is Family.IPV4 else data[:16]
                destination = ip_address(packed)
            elif type_ == self._api.errors:
                error = data
        return _Ancillary(ttl, destination, error)

    def _packet_arrives(self, packet: bytes, known: _Ancillary, source: IPAddress) -> None:
        numbers = ICMP[self._family]
        if self._mode is IcmpMode.RAW and self._family is Family.IPV4:
            packet = packet[_ip_header_length(packet) :]
        header = unpack_echo(packet)
        if header is None:
            return
        if header.type == numbers.echo_reply:
            self._answer(header, source, header.type, header.code, known, len(packet))
        elif self._mode is IcmpMode.RAW and header.type in numbers.errors:
            self._quote_arrives(packet[ECHO_HEADER:], header, source, known)

    def _quote_arrives(self, quoted: bytes, header: EchoHeader, source: IPAddress, known: _Ancillary) -> None:
        is_4 = self._family is Family.IPV4
        skipped = _ip_header_length(quoted) if is_4 else ICMP[self._family].ip_header
        about = unpack_echo(quoted[skipped:])
        if about is None or about.type != ICMP[self._family].echo_request:
            return
        waiting = self._waiting.get((about.identifier, about.sequence))
        # Other processes ping as well, maybe with the same numbers.
        if (
            waiting is not None
            and (quoted[16:20] if is_4 else quoted[24:40]) == waiting.request.target.packed
        ):
            size = ECHO_HEADER + len(quoted)
            self._answer(about, source, header.type, header.code, known, size)

    def _error_arrives(self, quoted: bytes, known: _Ancillary, error: bytes) -> None:
        numbers = ICMP[self._family]
        about = unpack_echo(quoted)
        number, origin, type_, code, _, _ = _ERROR.unpack_from(error)
        if about is None:
            return
        if origin == _ORIGIN_LOCAL:
            waiting = self._waiting.get((about.identifier, about.sequence))
            if waiting is not None and not waiting.future.done():
                waiting.future.set_exception(error_of(number))
            return
        # The offender's address, in a sockaddr of the family: behind the port, in IPv6 the flow too.
        at = _ERROR.size + 4 if self._family is Family.IPV4 else _ERROR.size + 8
        by = ip_address(error[at : at + (4 if self._family is Family.IPV4 else 16)])
        size = ECHO_HEADER + numbers.ip_header + len(quoted)
        self._answer(about, by, type_, code, known, size)

    def _answer(
        self, about: EchoHeader, source: IPAddress, type_: int, code: int, known: _Ancillary, size: int
    ) -> None:
        waiting = self._waiting.get((about.identifier, about.sequence))
        if waiting is None or waiting.future.done():
            return
        request, future, began_ns = waiting
        if type_ == ICMP[self._family].echo_reply and source != request.target:
            return
        duration_us = (perf_counter_ns() - began_ns) // 1000
        destination = known.destination or source
        future.set_result(
            EchoReply(
                source,
                destination,
                type_,
                code,
                about.identifier,
                about.sequence,
                known.ttl,
                size,
                duration_us,
            )
        )


class Pinger:
    """The pings of one network."""

    def __init__(self, maker: SocketMaker, mode: IcmpMode | None) -> None:
        """`mode` None takes what the system lets, datagrams first."""
        self._maker = maker
        self._modes = (IcmpMode.DATAGRAM, IcmpMode.RAW) if mode is None else (mode,)
        self._sockets: dict[_Key, EchoSocket] = {}
        self.under_way = 0  # pings that wait

    async def ping(self, request: EchoRequest) -> EchoReply:
        """What came back. Raises: NetworkError."""
        family = check_echo(request)
        if sys.platform != "linux":
            raise NetworkError(NetworkErrorKind.OTHER, "pings of the host are for Linux alone")
        key, identifier = self._socket_for(family, request.identifier)
        echo_socket = self._sockets[key]
        self.under_way += 1
        try:
            return await echo_socket.ping(request, identifier)
        finally:
            self.under_way -= 1
            if echo_socket.is_idle and key in self._sockets:
                del self._sockets[key]
                echo_socket.close()

    def close(self) -> None:
        """End the pings that wait."""
        for echo_socket in self._sockets.values():
            echo_socket.close()
        self._sockets.clear()

    def _socket_for(self, family: Family, identifier: int | None) -> tuple[_Key, int]:
        for mode in self._modes:
            try:
                if mode is IcmpMode.DATAGRAM:
                    found = self._datagram(family, identifier)
                else:
                    found = self._raw(family, identifier)
            except OSError as error:
                if error.errno not in {errno.EACCES, errno.EPERM, errno.EPROTONOSUPPORT}:
                    raise network_error(error) from error
                continue
            if mode is not self._modes[0]:
                self._modes = self._modes[::-1]  # what is let now will be let next time
            return found
        raise NetworkError(NetworkErrorKind.DENIED, _NOBODY_MAY)

    def _datagram(self, family: Family, identifier: int | None) -> tuple[_Key, int]:
        if identifier is None or (family, identifier) not in self._sockets:
            # 0 asks the kernel for a free one.
            opened = self._open(family, IcmpMode.DATAGRAM, identifier or 0)
            identifier = opened.identifier()
            self._sockets[family, identifier] = opened
        return (family, identifier), identifier

    def _raw(self, family: Family, identifier: int | None) -> tuple[_Key, int]:
        key = family, None
        if key not in self._sockets:
            self._sockets[key] = self._open(family, IcmpMode.RAW, 0)
        return key, next(_identifiers) & 0xFFFF if identifier is None else identifier

    def _open(self, family: Family, mode: IcmpMode, identifier: int) -> EchoSocket:
        api = _APIS[family]
        type_ = socket.SOCK_RAW if mode is IcmpMode.RAW else socket.SOCK_DGRAM
        made = self._maker.open(api.family, type_, api.protocol)
        try:
            if mode is IcmpMode.DATAGRAM:
                made.bind(to_sockaddr(WILDCARD[family], identifier))  # what is a port elsewhere
            return EchoSocket(made, family, mode)
        except BaseException:
            made.close()
            raise


def _ip_header_length(packet: bytes) -> int:
    return (packet[0] & 0xF) * 4 if packet else 0
