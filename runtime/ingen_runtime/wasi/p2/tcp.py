"""`wasi:sockets/tcp`, on the TCP sockets of a network."""

from __future__ import annotations

import asyncio
import contextlib
import enum
from typing import Final, NoReturn, final

from ingen_runtime.kernel import streams as kernel
from ingen_runtime.kernel.process import Process
from ingen_runtime.kernel.streams import BytesLike, StreamClosedError, WouldBlockError
from ingen_runtime.network.errors import NetworkError, NetworkErrorKind
from ingen_runtime.network.interface import Network, Option, Shutdown
from ingen_runtime.network.interface import TcpSocket as NetworkSocket
from ingen_runtime.readiness import ALWAYS, Readiness, Wake
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
from ingen_runtime.wasi.p2.bindings.tcp import AsyncTcpImports, ShutdownType
from ingen_runtime.wasi.p2.bindings.tcp_create_socket import AsyncTcpCreateSocketImports
from ingen_runtime.wasi.p2.poll import Pollable
from ingen_runtime.wasi.p2.streams import InputStream, OutputStream, Sink

_BACKLOG: Final = 128
_MOST_BACKLOG: Final = 4096
_LINGER_S: Final = 5.0
"""How long a process that has ended stays for what its connections have yet to send."""


class State(enum.Enum):
    """Where a socket is on its way."""

    UNBOUND = enum.auto()
    BINDING = enum.auto()
    BOUND = enum.auto()
    LISTENING_STARTED = enum.auto()
    LISTENING = enum.auto()
    CONNECTING = enum.auto()
    CONNECTED = enum.auto()
    CLOSED = enum.auto()


_UNDER_WAY: Final = {State.BINDING, State.LISTENING_STARTED, State.CONNECTING}


class Connections:
    """The connections of a process, which may have something to send when the guest has ended."""

    def __init__(self, process: Process) -> None:
        self.process = process
        # A dict keeps the order, so that runs are repeatable.
        self.sinks: dict[Sink, None] = {}

    async def settled(self) -> None:
        """Return as soon as everything was handed on, or could not be, or too much time has passed."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LINGER_S):
                for sink in tuple(self.sinks):
                    await sink.settled()


@final
class TcpSocket(options.NetworkResource[NetworkSocket]):
    """A TCP socket."""

    __slots__ = ("_backlog", "_connections", "_sink", "_state")

    def __init__(self, connections: Connections, socket: NetworkSocket, state: State = State.UNBOUND) -> None:
        super().__init__(socket)
        self._connections = connections
        self._state = state
        self._backlog = _BACKLOG
        self._sink: Sink | None = None
        connections.process.sockets.add(socket)

    # Binding, connecting, listening.

    def start_bind(self, network: network_bindings.AsyncNetwork, local_address: IpSocketAddress) -> None:
        self._need(State.UNBOUND)
        local = checked_local(local_address, self._socket.family)
        try:
            self._socket.set_option(Option.REUSE_ADDRESS, 1)
            self._socket.bind(local)
        except NetworkError as error:
            raise refused(error, ErrorCode.ADDRESS_NOT_BINDABLE) from None
        self._state = State.BINDING

    def finish_bind(self) -> None:
        self._finish(State.BINDING, State.BOUND)

    def start_connect(self, network: network_bindings.AsyncNetwork, remote_address: IpSocketAddress) -> None:
        self._need(State.UNBOUND, State.BOUND)
        remote = checked_remote(remote_address, self._socket.family)
        try:
            self._socket.connect(remote)
        except NetworkError as error:
            self._state = State.CLOSED
            raise refused(error) from None
        self._state = State.CONNECTING

    def finish_connect(self) -> tuple[InputStream, OutputStream]:
        if self._state is not State.CONNECTING:
            raise ErrorCodeException(ErrorCode.NOT_IN_PROGRESS)
        try:
            self._socket.finish_connect()
        except NetworkError as error:
            if error.kind is not NetworkErrorKind.WOULD_BLOCK:
                self._state = State.CLOSED
            raise refused(error) from None
        self._state = State.CONNECTED
        return self._streams()

    def start_listen(self) -> None:
        self._need(State.BOUND)
        try:
            self._socket.listen(self._backlog)
        except NetworkError as error:
            raise refused(error, ErrorCode.INVALID_STATE) from None
        self._state = State.LISTENING_STARTED

    def finish_listen(self) -> None:
        self._finish(State.LISTENING_STARTED, State.LISTENING)

    def accept(self) -> tuple[TcpSocket, InputStream, OutputStream]:
        self._need(State.LISTENING)
        try:
            self._connections.process.sockets.check_room()
            made = TcpSocket(self._connections, self._socket.accept(), State.CONNECTED)
        except NetworkError as error:
            raise refused(error, ErrorCode.INVALID_STATE) from None
        return made, *made._streams()

    def _need(self, *states: State) -> None:
        if self._state not in states:
            busy = self._state in _UNDER_WAY
            raise ErrorCodeException(ErrorCode.CONCURRENCY_CONFLICT if busy else ErrorCode.INVALID_STATE)

    def _finish(self, under_way: State, then: State) -> None:
        if self._state is not under_way:
            raise ErrorCodeException(ErrorCode.NOT_IN_PROGRESS)
        self._state = then

    def _streams(self) -> tuple[InputStream, OutputStream]:
        self._sink = Sink(_Output(self._socket))
        self._connections.sinks[self._sink] = None
        return InputStream(_Input(self._socket), self), OutputStream(self._sink, self)

    # What it is.

    def local_address(self) -> IpSocketAddress:
        self._refuse_in(State.UNBOUND, State.BINDING)
        try:
            return socket_address(self._socket.local())
        except NetworkError as error:
            raise refused(error, ErrorCode.INVALID_STATE) from None

    def remote_address(self) -> IpSocketAddress:
        self._need(State.CONNECTED)
        try:
            return socket_address(self._socket.peer())
        except NetworkError as error:
            raise refused(error, ErrorCode.INVALID_STATE) from None

    def is_listening(self) -> bool:
        return self._state is State.LISTENING

    def _refuse_in(self, *states: State) -> None:
        if self._state in states:
            raise ErrorCodeException(ErrorCode.INVALID_STATE)

    # Options.

    def set_listen_backlog_size(self, value: int) -> None:
        if not value:
            raise ErrorCodeException(ErrorCode.INVALID_ARGUMENT)
        self._refuse_in(State.CONNECTING, State.CONNECTED, State.CLOSED)
        self._backlog = min(value, _MOST_BACKLOG)
        if self._state in (State.LISTENING_STARTED, State.LISTENING):
            try:
                self._socket.listen(self._backlog)
            except NetworkError as error:
                raise refused(error, ErrorCode.NOT_SUPPORTED) from None

    def keep_alive_enabled(self) -> bool:
        return bool(options.get(self._socket, Option.KEEP_ALIVE))

    def set_keep_alive_enabled(self, value: bool) -> None:
        options.set_(self._socket, Option.KEEP_ALIVE, int(value))

    def keep_alive_idle_time(self) -> int:
        return options.get_duration(self._socket, Option.KEEP_ALIVE_IDLE)

    def set_keep_alive_idle_time(self, value: int) -> None:
        options.set_duration(self._socket, Option.KEEP_ALIVE_IDLE, value)

    def keep_alive_interval(self) -> int:
        return options.get_duration(self._socket, Option.KEEP_ALIVE_INTERVAL)

    def set_keep_alive_interval(self, value: int) -> None:
        options.set_duration(self._socket, Option.KEEP_ALIVE_INTERVAL, value)

    def keep_alive_count(self) -> int:
        return options.get(self._socket, Option.KEEP_ALIVE_COUNT)

    def set_keep_alive_count(self, value: int) -> None:
        options.set_count(self._socket, Option.KEEP_ALIVE_COUNT, value)

    def hop_limit(self) -> int:
        return options.get(self._socket, Option.TTL)

    def set_hop_limit(self, value: int) -> None:
        options.set_positive(self._socket, Option.TTL, value)

    # Its life.

    def subscribe(self) -> Pollable:
        return Pollable(_Progress(self), self)

    @property
    def progress(self) -> Readiness:
        """What is under way can be finished, or a connection accepted."""
        match self._state:
            case State.CONNECTING:
                return self._socket.writable
            case State.LISTENING:
                return self._socket.readable
            case _:
                return ALWAYS

    def shutdown(self, shutdown_type: ShutdownType) -> None:
        self._need(State.CONNECTED)
        assert self._sink is not None
        try:
            if shutdown_type is not ShutdownType.SEND:
                self._socket.shutdown(Shutdown.READ)
        except NetworkError as error:
            raise refused(error, ErrorCode.INVALID_STATE) from None
        if shutdown_type is not ShutdownType.RECEIVE:
            self._sink.when_empty(self._shutdown_send)

    def _shutdown_send(self) -> None:
        # Where the connection is gone, this direction is, too.
        with contextlib.suppress(NetworkError):
            self._socket.shutdown(Shutdown.WRITE)
        assert self._sink is not None
        self._sink.end()

    def _release(self) -> None:
        if self._sink is None:
            self._close()
        else:
            # What was written still arrives.
            self._sink.when_empty(self._close)

    def _close(self) -> None:
        if self._sink is not None:
            del self._connections.sinks[self._sink]
        self._connections.process.sockets.discard(self._socket)
        self._socket.close()


class _Progress(Readiness):
    """Follows a socket from state to state."""

    __slots__ = ("_socket",)

    def __init__(self, socket: TcpSocket) -> None:
        self._socket = socket

    def ready(self) -> bool:
        return self._socket.progress.ready()

    def watch(self, wake: Wake) -> None:
        self._socket.progress.watch(wake)

    def unwatch(self, wake: Wake) -> None:
        self._socket.progress.unwatch(wake)


class _Input(kernel.InputStream):
    """What a connection receives."""

    def __init__(self, socket: NetworkSocket) -> None:
        self.readable = socket.readable
        self._socket = socket

    def read(self, limit: int) -> bytes:
        if not self.readable.ready():
            raise WouldBlockError  # as `receive` would, and faster
        try:
            return self._socket.receive(limit)
        except NetworkError as error:
            _stream_error(error)

    def close(self) -> None:
        """The socket is closed, not its streams."""


class _Output(kernel.OutputStream):
    """What a connection sends."""

    def __init__(self, socket: NetworkSocket) -> None:
        self.writable = socket.writable
        self._socket = socket

    def write(self, data: BytesLike) -> int:
        try:
            return self._socket.send(data)
        except NetworkError as error:
            _stream_error(error)

    def close(self) -> None:
        """The socket is closed, not its streams."""


def _stream_error(error: NetworkError) -> NoReturn:
    match error.kind:
        case NetworkErrorKind.WOULD_BLOCK:
            raise WouldBlockError from None
        case NetworkErrorKind.CLOSED:
            raise StreamClosedError(str(error)) from None
        case _:
            raise error


class Tcp(AsyncTcpImports):
    """Implements `wasi:sockets/tcp`."""

    tcp_socket = TcpSocket


class TcpCreateSocket(AsyncTcpCreateSocketImports):
    """Implements `wasi:sockets/tcp-create-socket`."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def create_tcp_socket(self, address_family: IpAddressFamily) -> TcpSocket:
        process = self._connections.process
        network = network_of(process)
        try:
            process.sockets.check_room()
            return TcpSocket(self._connections, network.tcp_socket(FAMILIES[address_family]))
        except NetworkError as error:
            raise refused(error, ErrorCode.NOT_SUPPORTED) from None


def network_of(process: Process) -> Network:
    """The network of a process. Raises: ErrorCodeException ACCESS_DENIED where it has none."""
    if process.network is None:
        raise ErrorCodeException(ErrorCode.ACCESS_DENIED)
    return process.network
