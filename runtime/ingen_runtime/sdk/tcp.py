"""`ingen:sdk/tcp`: connections and listeners."""

from __future__ import annotations

from collections.abc import Awaitable
from functools import partial
from typing import Any, Final, Generic, TypeVar

from ingen_runtime.kernel.process import Process
from ingen_runtime.network.addresses import family_of
from ingen_runtime.network.errors import NetworkError, NetworkErrorKind
from ingen_runtime.network.interface import Option, Shutdown, TcpSocket
from ingen_runtime.sdk.bindings import types
from ingen_runtime.sdk.bindings.tcp import (
    AsyncConnection,
    AsyncListener,
    BindOptions,
    ConnectOptions,
    Direction,
)
from ingen_runtime.sdk.sockets import (
    LARGEST_READ,
    AddressedSocket,
    GuestSocket,
    attempt_until,
    network_of,
    set_options,
    timer_after,
)
from ingen_runtime.sdk.values import FAILURES, failure, host_endpoint, invalid
from ingen_runtime.waiting import may_wait

_BACKLOG: Final = 128
_CONNECT_DEFAULTS: Final = ConnectOptions(None, None, False, False, None, None, False)
_BIND_DEFAULTS: Final = BindOptions(None, False, False)
_DIRECTIONS: Final = {
    Direction.READ: Shutdown.READ,
    Direction.WRITE: Shutdown.WRITE,
    Direction.BOTH: Shutdown.BOTH,
}


_C = TypeVar("_C", bound="TcpConnection")
_L = TypeVar("_L", bound="TcpListener[Any]")


class Tcp:
    """The interface, for one guest process."""

    def __init__(self, process: Process) -> None:
        class Connection(TcpConnection):
            __slots__ = ()

            @staticmethod
            @may_wait
            def connect(
                remote: types.Endpoint, options: ConnectOptions | None
            ) -> Connection | Awaitable[Connection]:
                with FAILURES:
                    return _connect(process, Connection, remote, options or _CONNECT_DEFAULTS)

        class Listener(TcpListener[Connection]):
            __slots__ = ()
            connection = Connection

            @staticmethod
            def bind(local: types.Endpoint, options: BindOptions | None) -> Listener:
                with FAILURES:
                    return _bind(process, Listener, local, options or _BIND_DEFAULTS)

        self.connection: type[AsyncConnection] = Connection
        self.listener: type[AsyncListener] = Listener


class TcpConnection(AddressedSocket[TcpSocket]):
    """A connection, made or (after a non-blocking `connect`) being made."""

    __slots__ = ("_connecting",)

    def __init__(
        self, process: Process, socket: TcpSocket, *, non_blocking: bool = False, connecting: bool = False
    ) -> None:
        super().__init__(process, socket, non_blocking=non_blocking)
        self._connecting = connecting

    @may_wait
    def read(self, limit: int) -> bytes | Awaitable[bytes]:
        if limit == 0:
            raise invalid("a limit of 0 bytes")
        return self._now_or_later(partial(self._receive, min(limit, LARGEST_READ)), self._socket.readable)

    @may_wait
    def write(self, data: bytes) -> int | Awaitable[int]:
        sent = 0
        try:
            if self._connecting:
                self._finish_connect()
            sent = self._socket.send(data) if data else 0
        except NetworkError as error:
            if self._non_blocking or error.kind is not NetworkErrorKind.WOULD_BLOCK:
                raise failure(error) from error
        if sent == len(data) or self._non_blocking:
            return sent
        return self._write_rest(data, sent)

    def shutdown(self, direction: Direction) -> None:
        with FAILURES:
            self._socket.shutdown(_DIRECTIONS[direction])

    def no_delay(self) -> bool:
        return bool(self._get(Option.NO_DELAY))

    def set_no_delay(self, enabled: bool) -> None:
        self._set(Option.NO_DELAY, enabled)

    def keep_alive(self) -> bool:
        return bool(self._get(Option.KEEP_ALIVE))

    def set_keep_alive(self, enabled: bool) -> None:
        self._set(Option.KEEP_ALIVE, enabled)

    def _receive(self, limit: int) -> bytes:
        if self._connecting:
            self._finish_connect()
        return self._socket.receive(limit)

    async def _write_rest(self, data: bytes, sent: int) -> int:
        timer = timer_after(self._timeout_us)
        rest = memoryview(data)[sent:]
        with FAILURES:
            while rest:
                try:
                    taken = await attempt_until(partial(self._send, rest), self._socket.writable, timer)
                except NetworkError:
                    # The guest has to learn how much was taken; the next call tells what is wrong.
                    if len(rest) < len(data):
                        break
                    raise
                rest = rest[taken:]
        return len(data) - len(rest)

    def _send(self, data: memoryview) -> int:
        if self._connecting:
            self._finish_connect()
        return self._socket.send(data)

    def _finish_connect(self) -> None:
        """Return once connected.

        Raises: NetworkError, WOULD_BLOCK or why there is no connection.
        """
        self._socket.finish_connect()
        self._connecting = False


class TcpListener(GuestSocket[TcpSocket], Generic[_C]):
    """A listener, which makes objects of `connection`."""

    __slots__ = ()
    connection: type[_C]

    @may_wait
    def accept(self) -> _C | Awaitable[_C]:
        return self._now_or_later(self._accept, self._socket.readable)

    def _accept(self) -> _C:
        self._process.sockets.check_room()
        return self.connection(self._process, self._socket.accept())


def _connect(
    process: Process, class_: type[_C], remote: types.Endpoint, options: ConnectOptions
) -> _C | Awaitable[_C]:
    there = host_endpoint(remote)
    socket = network_of(process).tcp_socket(family_of(there.address))
    try:
        set_options(
            socket,
            reuse=options.reuse_address,
            receive_buffer=options.receive_buffer,
            send_buffer=options.send_buffer,
        )
        if options.keep_alive:
            socket.set_option(Option.KEEP_ALIVE, 1)
        if options.local is not None:
            socket.bind(host_endpoint(options.local))
        socket.connect(there)
        if options.non_blocking:
            return class_(process, socket, non_blocking=True, connecting=True)
        try:
            socket.finish_connect()
        except NetworkError as error:
            if error.kind is not NetworkErrorKind.WOULD_BLOCK:
                raise
            return _connect_later(process, class_, socket, options.timeout_us)
        return class_(process, socket)
    except BaseException:
        socket.close()
        raise


async def _connect_later(process: Process, class_: type[_C], socket: TcpSocket, timeout_us: int | None) -> _C:
    try:
        with FAILURES:
            await attempt_until(socket.finish_connect, socket.writable, timer_after(timeout_us))
            return class_(process, socket)
    except BaseException:
        socket.close()
        raise


def _bind(process: Process, class_: type[_L], local: types.Endpoint, options: BindOptions) -> _L:
    here = host_endpoint(local)
    socket = network_of(process).tcp_socket(family_of(here.address))
    try:
        set_options(socket, reuse=options.reuse_address, receive_buffer=None, send_buffer=None)
        socket.bind(here)
        socket.listen(_BACKLOG if options.backlog is None else options.backlog)
    except BaseException:
        socket.close()
        raise
    return class_(process, socket, non_blocking=options.non_blocking)
