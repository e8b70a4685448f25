"""Real TCP and UDP sockets, as a VM sees them."""

from __future__ import annotations

import asyncio
import ctypes
import errno
import socket
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from ingen_runtime.network.addresses import WILDCARD, check_local, check_remote
from ingen_runtime.network.errors import NetworkError, NetworkErrorKind
from ingen_runtime.network.host.errnos import error_of, network_error
from ingen_runtime.network.host.readiness import Direction, FdReadiness
from ingen_runtime.network.host.sockaddr import from_sockaddr, to_sockaddr
from ingen_runtime.network.interface import (
    BytesLike,
    Endpoint,
    Family,
    Option,
    Shutdown,
    Socket,
    TcpSocket,
    UdpSocket,
)
from ingen_runtime.network.options import check_option, check_option_value

if TYPE_CHECKING:
    from ingen_runtime.network.host.network import HostNetwork

_OPTIONS: Final[Mapping[Option, tuple[int, int]]] = {
    Option.RECEIVE_BUFFER: (socket.SOL_SOCKET, socket.SO_RCVBUF),
    Option.SEND_BUFFER: (socket.SOL_SOCKET, socket.SO_SNDBUF),
    Option.REUSE_ADDRESS: (socket.SOL_SOCKET, socket.SO_REUSEADDR),
    Option.KEEP_ALIVE: (socket.SOL_SOCKET, socket.SO_KEEPALIVE),
    # macOS has another name for it.
    Option.KEEP_ALIVE_IDLE: (socket.IPPROTO_TCP, getattr(socket, "TCP_KEEPIDLE", 0x10)),
    Option.KEEP_ALIVE_INTERVAL: (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL),
    Option.KEEP_ALIVE_COUNT: (socket.IPPROTO_TCP, socket.TCP_KEEPCNT),
    Option.NO_DELAY: (socket.IPPROTO_TCP, socket.TCP_NODELAY),
}
_TTL: Final[Mapping[Family, tuple[int, int]]] = {
    Family.IPV4: (socket.IPPROTO_IP, socket.IP_TTL),
    Family.IPV6: (socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS),
}
# Linux doubles what it is told, for its own records, and tells the double.
_BUFFER_FACTOR: Final = 2 if sys.platform == "linux" else 1
_LONGEST_BACKLOG: Final = 4096
# Python allocates what is asked for before it knows how much there is.
_MOST_AT_ONCE: Final = 1 << 20
_LONGEST_DATAGRAM: Final = 1 << 16


class HostSocket(Socket):
    """A real socket."""

    __slots__ = ("_closed", "_network", "_socket", "family", "readable", "writable")

    readable: FdReadiness
    writable: FdReadiness
    _is_tcp: bool

    def __init__(self, network: HostNetwork, made: socket.socket, family: Family) -> None:
        self._network = network
        self._socket = made
        self._closed = False
        self.family = family
        self.readable = FdReadiness(made.fileno(), Direction.READ)
        self.writable = FdReadiness(made.fileno(), Direction.WRITE)

    def bind(self, local: Endpoint) -> None:
        self._check_open()
        check_local(local, self.family)
        if not local.address.is_unspecified:
            self._network.check_reachable(local.address)
        try:
            self._socket.bind(to_sockaddr(*local))
        except OSError as error:
            raise network_error(error) from error

    def local(self) -> Endpoint:
        self._check_open()
        local = from_sockaddr(self._socket.getsockname())
        if not local.port:
            raise NetworkError(NetworkErrorKind.INVALID, "it is not bound yet")
        return local

    def peer(self) -> Endpoint:
        self._check_open()
        try:
            return from_sockaddr(self._socket.getpeername())
        except OSError as error:
            raise network_error(error) from error

    def get_option(self, option: Option) -> int:
        self._check_open()
        check_option(option, tcp=self._is_tcp)
        try:
            value = self._socket.getsockopt(*self._option(option))
        except OSError as error:
            raise network_error(error) from error
        if option in {Option.RECEIVE_BUFFER, Option.SEND_BUFFER}:
            return value // _BUFFER_FACTOR
        return value

    def set_option(self, option: Option, value: int) -> None:
        self._check_open()
        check_option_value(option, value, tcp=self._is_tcp)
        try:
            self._socket.setsockopt(*self._option(option), value)
        except OSError as error:
            raise network_error(error) from error

    def _option(self, option: Option) -> tuple[int, int]:
        return _TTL[self.family] if option is Option.TTL else _OPTIONS[option]

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._network.forget(self)
            self._release()

    def _release(self) -> None:
        self.readable.end()
        self.writable.end()
        self._socket.close()

    def _check_open(self) -> None:
        if self._closed:
            raise NetworkError(NetworkErrorKind.CLOSED)


class HostTcpSocket(HostSocket, TcpSocket):
    """A real TCP socket."""

    __slots__ = ("_broken", "_connected", "_connecting", "_failure", "_read_shut", "_timer", "_write_shut")

    _is_tcp = True

    def __init__(self, network: HostNetwork, made: socket.socket, family: Family) -> None:
        super().__init__(network, made, family)
        self._connecting = False
        self._connected = False
        self._failure: NetworkError | None = None  # of connecting; the descriptor is closed then
        self._broken: NetworkError | None = None  # how the connection ended, which Linux tells only once
        self._read_shut = False
        self._write_shut = False
        self._timer: asyncio.TimerHandle | None = None

    def connect(self, remote: Endpoint) -> None:
        self._check_open()
        check_remote(remote, self.family)
        if self._connecting or self._connected:
            raise NetworkError(NetworkErrorKind.INVALID, "it was connected already")
        try:
            self._network.check_reachable(remote.address)
            number = self._socket.connect_ex(to_sockaddr(*remote))
            if number not in {0, errno.EINPROGRESS}:
                raise error_of(number)
        except NetworkError as error:
            if error.kind is NetworkErrorKind.INVALID:
                raise
            self._fail(error)
            return
        self._connecting = True
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self._network.connect_timeout_s, self._expire)

    def _expire(self) -> None:
        if not self._is_connected():
            self._fail(NetworkError(NetworkErrorKind.TIMED_OUT))

    def _is_connected(self) -> bool:
        try:
            self._socket.getpeername()
        except OSError:
            return False
        return True

    def _fail(self, error: NetworkError) -> None:
        self._failure = error
        self._release()

    def finish_connect(self) -> None:
        self._check_open()
        if self._connected:
            return
        if not self._connecting:
            raise NetworkError(NetworkErrorKind.INVALID, "it is not connecting")
        number = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if number:
            self._fail(error_of(number))
            self._check_open()
        if not self._is_connected():
            self.writable.look_again()
            raise NetworkError(NetworkErrorKind.WOULD_BLOCK)
        self._connected = True
        self._stop_timer()

    def listen(self, backlog: int) -> None:
        self._check_open()
        try:
            self._socket.listen(min(max(backlog, 1), _LONGEST_BACKLOG))
        except OSError as error:
            raise network_error(error) from error

    def accept(self) -> HostTcpSocket:
        self._check_open()
        self._network.check_room()
        while True:
            try:
                made, remote = self._socket.accept()
            except OSError as error:
                self.readable.look_again()
                raise network_error(error) from error
            if self._network.is_reachable(from_sockaddr(remote).address):
                break
            made.close()
        made.setblocking(False)
        accepted = HostTcpSocket(self._network, made, self.family)
        accepted._connected = True
        self._network.register(accepted)
        return accepted

    def receive(self, limit: int) -> bytes:
        self._check_open()
        if self._read_shut:
            return b""
        try:
            data = self._socket.recv(min(limit, _MOST_AT_ONCE))
        except BlockingIOError:
            self.readable.look_again()
            raise NetworkError(NetworkErrorKind.WOULD_BLOCK) from None
        except OSError as error:
            raise self._breaks(error) from error
        if not data and limit:
            self._raise_broken()
        return data

    def send(self, data: BytesLike) -> int:
        self._check_open()
        if self._write_shut:
            raise NetworkError(NetworkErrorKind.CLOSED, "it was shut down for writing")
        self._raise_broken()
        try:
            return self._socket.send(data)
        except BlockingIOError:
            self.writable.look_again()
            raise NetworkError(NetworkErrorKind.WOULD_BLOCK) from None
        except OSError as error:
            raise self._breaks(error) from error

    def _breaks(self, error: OSError) -> NetworkError:
        if not self._connecting and not self._connected:
            return NetworkError(NetworkErrorKind.INVALID, "it is not connected")
        broken = network_error(error)
        # Where the end has come before, the error is a broken pipe, and the end stays what there is to read.
        if not isinstance(error, BrokenPipeError) and broken.kind is not NetworkErrorKind.INVALID:
            self._broken = broken
        return broken

    def _raise_broken(self) -> None:
        if self._broken is not None:
            raise NetworkError(self._broken.kind, self._broken.detail)

    def shutdown(self, how: Shutdown) -> None:
        self._check_open()
        try:
            self._socket.shutdown(_SHUTDOWNS[how])
        except OSError as error:
            # The peer's reset has done it already.
            if error.errno != errno.ENOTCONN or not self._connected:
                raise network_error(error) from error
        self._read_shut |= how is not Shutdown.WRITE
        self._write_shut |= how is not Shutdown.READ

    def _release(self) -> None:
        self._stop_timer()
        super()._release()

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _check_open(self) -> None:
        super()._check_open()
        if self._failure is not None:
            raise NetworkError(self._failure.kind, self._failure.detail)


_SHUTDOWNS: Final[Mapping[Shutdown, int]] = {
    Shutdown.READ: socket.SHUT_RD,
    Shutdown.WRITE: socket.SHUT_WR,
    Shutdown.BOTH: socket.SHUT_RDWR,
}


class HostUdpSocket(HostSocket, UdpSocket):
    """A real UDP socket."""

    __slots__ = ("_address",)

    _is_tcp = False

    def __init__(self, network: HostNetwork, made: socket.socket, family: Family) -> None:
        super().__init__(network, made, family)
        self._address = WILDCARD[family]  # that it was bound to

    def bind(self, local: Endpoint) -> None:
        super().bind(local)
        self._address = local.address

    def connect(self, remote: Endpoint | None) -> None:
        self._check_open()
        if remote is None:
            self._disconnect()
            return
        check_remote(remote, self.family)
        self._network.check_reachable(remote.address)
        try:
            self._socket.connect(to_sockaddr(*remote))
        except OSError as error:
            raise network_error(error) from error

    def receive_from(self, limit: int) -> tuple[bytes, Endpoint]:
        self._check_open()
        while True:
            try:
                data, sockaddr = self._socket.recvfrom(min(limit, _LONGEST_DATAGRAM))
            except BlockingIOError:
                self.readable.look_again()
                raise NetworkError(NetworkErrorKind.WOULD_BLOCK) from None
            except OSError as error:
                raise network_error(error) from error
            source = from_sockaddr(sockaddr)
            if self._network.is_reachable(source.address):
                return data, source

    def send_to(self, data: BytesLike, remote: Endpoint | None) -> None:
        self._check_open()
        try:
            if remote is None:
                self._socket.send(data)
            else:
                check_remote(remote, self.family)
                self._network.check_reachable(remote.address)
                self._socket.sendto(data, to_sockaddr(*remote))
        except BlockingIOError:
            self.writable.look_again()
            raise NetworkError(NetworkErrorKind.WOULD_BLOCK) from None
        except OSError as error:
            raise network_error(error) from error

    def _disconnect(self) -> None:
        _, port, *_ = self._socket.getsockname()
        _dissolve(self._socket)
        if port and not self._socket.getsockname()[1]:
            # Linux takes back a port that nobody has asked for by its number.
            self.bind(Endpoint(self._address, port))


def _dissolve(connected: socket.socket) -> None:
    # To connect to AF_UNSPEC dissolves an association; Python's sockets cannot say that.
    libc = ctypes.CDLL(None, use_errno=True)
    nowhere = bytes(16)  # a sockaddr whose family is AF_UNSPEC
    if libc.connect(connected.fileno(), nowhere, len(nowhere)) and ctypes.get_errno() != errno.EAFNOSUPPORT:
        raise error_of(ctypes.get_errno())
