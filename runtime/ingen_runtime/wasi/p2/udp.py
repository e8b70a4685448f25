"""`wasi:sockets/udp`, on the UDP sockets of a network."""

from __future__ import annotations

from typing import Final, final

from ingen_runtime.errors import Trap, TrapKind
from ingen_runtime.kernel.limits import KIB
from ingen_runtime.kernel.process import Process
from ingen_runtime.network.errors import NetworkError, NetworkErrorKind
from ingen_runtime.network.interface import Endpoint, Option
from ingen_runtime.network.interface import UdpSocket as NetworkSocket
from ingen_runtime.readiness import ALWAYS
from ingen_runtime.wasi.p2 import socket_options as options
from ingen_runtime.wasi.p2.addresses import (
    FAMILIES,
    checked_local,
    checked_remote,
    refused,
    socket_address,
)
from ingen_runtime.wasi.p2.bindings import network as network_bindings
from ingen_runtime.wasi.p2.bindings.network import (
    ErrorCode,
    ErrorCodeException,
    IpAddressFamily,
    IpSocketAddress,
)
from ingen_runtime.wasi.p2.bindings.udp import AsyncUdpImports, IncomingDatagram, OutgoingDatagram
from ingen_runtime.wasi.p2.bindings.udp_create_socket import AsyncUdpCreateSocketImports
from ingen_runtime.wasi.p2.poll import Pollable
from ingen_runtime.wasi.p2.resources import Resource
from ingen_runtime.wasi.p2.tcp import State, network_of

_MOST_DATAGRAMS: Final = 16
"""How many one call sends or receives."""
_DATAGRAM_LIMIT: Final = 64 * KIB


@final
class UdpSocket(options.NetworkResource[NetworkSocket]):
    """A UDP socket."""

    __slots__ = ("_peer", "_process", "_state", "streams")

    def __init__(self, process: Process, socket: NetworkSocket) -> None:
        super().__init__(socket)
        self._process = process
        self._state = State.UNBOUND
        self._peer: Endpoint | None = None
        self.streams = 0
        """How many of its streams are there."""
        process.sockets.add(socket)

    def start_bind(self, network: network_bindings.AsyncNetwork, local_address: IpSocketAddress) -> None:
        if self._state is not State.UNBOUND:
            busy = self._state is State.BINDING
            raise ErrorCodeException(ErrorCode.CONCURRENCY_CONFLICT if busy else ErrorCode.INVALID_STATE)
        local = checked_local(local_address, self._socket.family)
        try:
            self._socket.bind(local)
        except NetworkError as error:
            raise refused(error, ErrorCode.ADDRESS_NOT_BINDABLE) from None
        self._state = State.BINDING

    def finish_bind(self) -> None:
        if self._state is not State.BINDING:
            raise ErrorCodeException(ErrorCode.NOT_IN_PROGRESS)
        self._state = State.BOUND

    def stream(
        self, remote_address: IpSocketAddress | None
    ) -> tuple[IncomingDatagramStream, OutgoingDatagramStream]:
        if self.streams:
            raise Trap(TrapKind.OTHER, "the streams of a UDP socket were made anew before the old ones went")
        if self._state is not State.BOUND:
            raise ErrorCodeException(ErrorCode.INVALID_STATE)
        peer = None if remote_address is None else checked_remote(remote_address, self._socket.family)
        if peer is not None or self._peer is not None:
            try:
                self._socket.connect(peer)
            except NetworkError as error:
                raise refused(error) from None
        self._peer = peer
        return IncomingDatagramStream(self, self._socket), OutgoingDatagramStream(self, self._socket, peer)

    def local_address(self) -> IpSocketAddress:
        if self._state is not State.BOUND:
            raise ErrorCodeException(ErrorCode.INVALID_STATE)
        try:
            return socket_address(self._socket.local())
        except NetworkError as error:
            raise refused(error, ErrorCode.INVALID_STATE) from None

    def remote_address(self) -> IpSocketAddress:
        if self._peer is None:
            raise ErrorCodeException(ErrorCode.INVALID_STATE)
        return socket_address(self._peer)

    def unicast_hop_limit(self) -> int:
        return options.get(self._socket, Option.TTL)

    def set_unicast_hop_limit(self, value: int) -> None:
        options.set_positive(self._socket, Option.TTL, value)

    def subscribe(self) -> Pollable:
        return Pollable(ALWAYS, self)

    def _release(self) -> None:
        self._process.sockets.discard(self._socket)
        self._socket.close()


class _DatagramStream(Resource):
    """One direction of a socket."""

    __slots__ = ("_owner", "_socket")

    def __init__(self, owner: UdpSocket, socket: NetworkSocket) -> None:
        super().__init__(owner)
        self._owner = owner
        self._socket = socket
        owner.streams += 1

    def _release(self) -> None:
        self._owner.streams -= 1


@final
class IncomingDatagramStream(_DatagramStream):
    """Datagrams that arrive."""

    __slots__ = ()

    def receive(self, max_results: int) -> list[IncomingDatagram]:
        received: list[IncomingDatagram] = []
        try:
            while len(received) < min(max_results, _MOST_DATAGRAMS):
                data, sender = self._socket.receive_from(_DATAGRAM_LIMIT)
                received.append(IncomingDatagram(data, socket_address(sender)))
        except NetworkError as error:
            if not received and error.kind is not NetworkErrorKind.WOULD_BLOCK:
                raise refused(error) from None
        return received

    def subscribe(self) -> Pollable:
        return Pollable(self._socket.readable, self)


@final
class OutgoingDatagramStream(_DatagramStream):
    """Datagrams that leave."""

    __slots__ = ("_peer", "_permit")

    def __init__(self, owner: UdpSocket, socket: NetworkSocket, peer: Endpoint | None) -> None:
        super().__init__(owner, socket)
        self._peer = peer
        self._permit = 0

    def check_send(self) -> int:
        self._permit = _MOST_DATAGRAMS if self._socket.writable.ready() else 0
        return self._permit

    def send(self, datagrams: list[OutgoingDatagram]) -> int:
        if len(datagrams) > self._permit:
            raise Trap(
                TrapKind.OTHER, f"{len(datagrams)} datagrams sent, where check-send allowed {self._permit}"
            )
        self._permit = 0
        sent = 0
        try:
            for datagram in datagrams:
                self._send(datagram)
                sent += 1
        except ErrorCodeException as error:
            if not sent and error.value is not ErrorCode.WOULD_BLOCK:
                raise
        return sent

    def _send(self, datagram: OutgoingDatagram) -> None:
        remote = self._peer
        if datagram.remote_address is not None:
            remote = checked_remote(datagram.remote_address, self._socket.family)
        if remote is None or (self._peer is not None and remote != self._peer):
            raise ErrorCodeException(ErrorCode.INVALID_ARGUMENT)
        try:
            self._socket.send_to(datagram.data, None if self._peer is not None else remote)
        except NetworkError as error:
            # All but the length was looked at already.
            raise refused(error, ErrorCode.DATAGRAM_TOO_LARGE) from None

    def subscribe(self) -> Pollable:
        return Pollable(self._socket.writable, self)


class Udp(AsyncUdpImports):
    """Implements `wasi:sockets/udp`."""

    udp_socket = UdpSocket
    incoming_datagram_stream = IncomingDatagramStream
    outgoing_datagram_stream = OutgoingDatagramStream


class UdpCreateSocket(AsyncUdpCreateSocketImports):
    """Implements `wasi:sockets/udp-create-socket`."""

    def __init__(self, process: Process) -> None:
        self._process = process

    def create_udp_socket(self, address_family: IpAddressFamily) -> UdpSocket:
        network = network_of(self._process)
        try:
            self._process.sockets.check_room()
            return UdpSocket(self._process, network.udp_socket(FAMILIES[address_family]))
        except NetworkError as error:
            raise refused(error, ErrorCode.NOT_SUPPORTED) from None
