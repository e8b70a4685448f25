"""TCP in virtual networks.

What is sent goes straight into the receiver's queue, at most the two buffers' size of it. There are no
segments, no losses and so no retransmissions; the rest is as Linux has it: the order of data, end and reset,
backlogs, what is refused and when.
"""

from __future__ import annotations

import asyncio
import enum
from collections import deque
from typing import TYPE_CHECKING

from ingen_runtime.network.addresses import check_remote
from ingen_runtime.network.errors import NetworkError, NetworkErrorKind
from ingen_runtime.network.interface import BytesLike, Endpoint, Family, Option, Shutdown, TcpSocket
from ingen_runtime.network.virtual.byte_queue import ByteQueue
from ingen_runtime.network.virtual.paths import Path, Protocol
from ingen_runtime.network.virtual.socket import SMALLEST_BUFFER, VirtualSocket

if TYPE_CHECKING:
    from ingen_runtime.network.virtual.network import VirtualNetwork

_LONGEST_BACKLOG = 4096


class _State(enum.Enum):
    IDLE = enum.auto()
    LISTENING = enum.auto()
    CONNECTING = enum.auto()
    CONNECTED = enum.auto()
    FAILED = enum.auto()


class _Backlog:
    """Who waits at a listener."""

    __slots__ = ("connections", "length", "waiting")

    def __init__(self) -> None:
        self.length = 0
        self.connections: deque[VirtualTcpSocket] = deque()  # ours, for `accept`
        # Theirs, for room, in order. Who gives up leaves, or clients could wait in any number.
        self.waiting: dict[VirtualTcpSocket, Path] = {}

    def next_waiting(self) -> tuple[VirtualTcpSocket, Path] | None:
        """The next client that is let in; None where there is none, or no room."""
        if not self.waiting or len(self.connections) >= self.length:
            return None
        client = next(iter(self.waiting))
        return client, self.waiting.pop(client)


class VirtualTcpSocket(VirtualSocket, TcpSocket):
    """A TCP socket. Its peer is the socket object at the other end."""

    __slots__ = (
        "_backlog",
        "_discarded",
        "_ended",
        "_failure",
        "_inbox",
        "_path",
        "_peer",
        "_read_shut",
        "_remote",
        "_state",
        "_timer",
        "_unread",
        "_waits_at",
        "_write_shut",
    )

    _is_tcp = True

    def __init__(self, network: VirtualNetwork, family: Family) -> None:
        super().__init__(network, family)
        self._state = _State.IDLE
        self._backlog: _Backlog | None = None
        self._remote: Endpoint | None = None
        self._path: Path | None = None
        self._peer: VirtualTcpSocket | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._waits_at: _Backlog | None = None
        self._failure: tuple[NetworkErrorKind, str] | None = None  # of connecting, or of the connection
        self._inbox = ByteQueue()
        self._unread = 0  # bytes that were sent and that the peer has not read
        self._ended = False  # the peer sends no more
        self._read_shut = False
        self._write_shut = False
        self._discarded = False  # bytes have arrived that nobody will read

    # Readiness

    def _is_readable(self) -> bool:
        if self._backlog is not None:
            return bool(self._backlog.connections) or self._closed
        if self._state is _State.CONNECTING:
            return self._closed
        return (
            self._inbox.size > 0
            or self._state is not _State.CONNECTED
            or self._ended
            or self._read_shut
            or self._failure is not None
            or self._closed
        )

    def _is_writable(self) -> bool:
        if self._state is _State.CONNECTING:
            return self._closed
        return (
            self._state is not _State.CONNECTED
            or self._has_room()
            or self._write_shut
            or self._failure is not None
            or self._closed
        )

    def _has_room(self) -> bool:
        # As in Linux a third has to be free, or a slow reader would wake the writer for every few bytes.
        return self._unread * 3 <= self._capacity() * 2

    def _capacity(self) -> int:
        peer = self._peer
        if peer is None or peer.network.is_crowded():
            return SMALLEST_BUFFER
        return self.send_buffer + peer.receive_buffer

    # Connecting

    def connect(self, remote: Endpoint) -> None:
        self._check_open()
        check_remote(remote, self.family)
        if self._state is not _State.IDLE:
            if self._state is _State.FAILED:
                self._raise_failure()
            raise NetworkError(NetworkErrorKind.INVALID, "it listens or was connected already")
        try:
            path = self.network.path_to(remote.address, self._bound.address if self._bound else None)
        except NetworkError as error:
            if error.kind is NetworkErrorKind.INVALID:
                raise
            self._fail(error.kind, error.detail)
            return
        if self._bound is None:
            self._claim(Endpoint(path.source, 0))
        elif self._bound.address.is_unspecified:
            self._bound = Endpoint(path.source, self._bound.port)
        self._state = _State.CONNECTING
        self._remote = remote
        self._path = path
        if self._options[Option.TTL] <= path.hops:
            self._fail(NetworkErrorKind.UNREACHABLE, "the TTL is too low")
        elif path.target is None:
            self._fail(NetworkErrorKind.UNREACHABLE, f"nobody has the address {remote.address}")
        else:
            self.network.vpc.carry(path, Protocol.TCP, 0, path.target.connection_arrives, self, path, remote)
            if self.is_connecting():
                timeout_s = self.network.vpc.connect_timeout_s
                loop = asyncio.get_running_loop()
                self._timer = loop.call_later(timeout_s, self._fail, NetworkErrorKind.TIMED_OUT, "")

    def is_connecting(self) -> bool:
        """Whether it still waits for an answer."""
        return self._state is _State.CONNECTING and not self._closed

    def refused(self) -> None:
        """Take in that nobody listens."""
        if self.is_connecting():
            self._fail(NetworkErrorKind.REFUSED, "nobody listens there")

    def _established(self, peer: VirtualTcpSocket, path: Path) -> None:
        if self.is_connecting():
            self._stop_waiting()
            self._state = _State.CONNECTED
            self._peer = peer
            self._wake()
        else:
            self.network.vpc.carry(path, Protocol.TCP, 0, peer._reset)

    def _fail(self, kind: NetworkErrorKind, detail: str) -> None:
        self._stop_waiting()
        self._state = _State.FAILED
        self._failure = kind, detail
        self._wake()

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._waits_at is not None:
            self._waits_at.waiting.pop(self, None)
            self._waits_at = None

    def finish_connect(self) -> None:
        self._check_open()
        if self._state is _State.CONNECTED:
            return
        if self._state is _State.CONNECTING:
            raise NetworkError(NetworkErrorKind.WOULD_BLOCK)
        self._raise_failure()
        raise NetworkError(NetworkErrorKind.INVALID, "it is not connecting")

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise NetworkError(*self._failure)

    def peer(self) -> Endpoint:
        self._check_open()
        if self._state is not _State.CONNECTED or self._remote is None:
            raise NetworkError(NetworkErrorKind.INVALID, "it is not connected")
        return self._remote

    # Listening

    @property
    def exclusive(self) -> bool:
        return super().exclusive or self._backlog is not None

    def listen(self, backlog: int) -> None:
        self._check_open()
        if self._state not in {_State.IDLE, _State.LISTENING}:
            raise NetworkError(NetworkErrorKind.INVALID, "it is connected")
        if self._backlog is None:
            self.network.add_listener(self._claim_any(), self)
            self._state = _State.LISTENING
            self._backlog = _Backlog()
        self._backlog.length = min(max(backlog, 1), _LONGEST_BACKLOG)
        self._let_in()

    def connection_arrives(self, client: VirtualTcpSocket, path: Path) -> None:
        """Take a client in, or let it wait for room."""
        backlog = self._backlog
        assert backlog is not None, "only listeners are asked"
        if not self.network.has_room_for_pending():
            self.network.vpc.carry(path.back(client.network), Protocol.TCP, 0, client.refused)
        elif client.is_connecting():
            backlog.waiting[client] = path
            client._waits_at = backlog
            self._let_in()

    def _let_in(self) -> None:
        backlog = self._backlog
        while (
            backlog is not None and self.network.has_room_for_pending() and (entry := backlog.next_waiting())
        ):
            client, path = entry
            assert self._bound is not None and client._bound is not None, "both have taken a port"
            ours = VirtualTcpSocket(self.network, self.family)
            ours._set_options(self._options)
            ours._state = _State.CONNECTED
            ours._bound = Endpoint(path.destination, self._bound.port)
            ours._claimed = self._claimed
            self.network.ports(True, self.family).share(ours, self._bound.port)
            ours._remote = Endpoint(path.source, client._bound.port)
            ours._path = path.back(client.network)
            ours._peer = client
            backlog.connections.append(ours)
            self.network.pending += 1
            self.network.vpc.carry(ours._path, Protocol.TCP, 0, client._established, ours, path)
            self.readable.wake_all()

    def accept(self) -> TcpSocket:
        self._check_open()
        backlog = self._backlog
        if backlog is None:
            raise NetworkError(NetworkErrorKind.INVALID, "it does not listen")
        if not backlog.connections:
            raise NetworkError(NetworkErrorKind.WOULD_BLOCK)
        self.network.register(backlog.connections[0])
        accepted = backlog.connections.popleft()
        self.network.pending -= 1
        self._let_in()
        return accepted

    # Data

    def receive(self, limit: int) -> bytes:
        inbox = self._inbox
        if inbox.size:
            data = inbox.pop(limit)
            self._took(len(data))
            return data
        self._check_connected()
        if self._read_shut or self._ended:
            return b""
        self._raise_failure()
        raise NetworkError(NetworkErrorKind.WOULD_BLOCK)

    def send(self, data: BytesLike) -> int:
        self._check_connected()
        if self._write_shut:
            raise NetworkError(NetworkErrorKind.CLOSED, "it was shut down for writing")
        self._raise_failure()
        path, peer = self._path, self._peer
        assert path is not None and peer is not None, "it is connected"
        room = self._capacity() - self._unread
        size = memoryview(data).nbytes
        if size > room:
            if room <= 0:
                raise NetworkError(NetworkErrorKind.WOULD_BLOCK)
            data = memoryview(data).cast("B")[:room]
            size = room
        self._unread += size
        self.network.vpc.carry(path, Protocol.TCP, size, peer._data_arrives, bytes(data))
        return size

    def shutdown(self, how: Shutdown) -> None:
        self._check_connected()
        if how is not Shutdown.WRITE and not self._read_shut:
            self._read_shut = True
            self._drop_inbox()
        if how is not Shutdown.READ and not self._write_shut:
            self._write_shut = True
            if self._failure is None:
                self._tell_peer(ended=True)
        self._wake()

    def _check_connected(self) -> None:
        if self._state is not _State.CONNECTED or self._closed:
            self._check_open()
            self._raise_failure()
            if self._state is _State.CONNECTING:
                raise NetworkError(NetworkErrorKind.WOULD_BLOCK)
            raise NetworkError(NetworkErrorKind.INVALID, "it is not connected")

    def _data_arrives(self, data: bytes) -> None:
        if self._closed:
            self._tell_peer(ended=False)
        elif self._read_shut and self._write_shut:
            self._reset_peer()
        elif self._failure is None:
            self.network.buffered += len(data)
            was_empty = not self._inbox.size
            self._inbox.push(data)
            if self._read_shut:
                self._drop_inbox()
            elif was_empty:
                self.readable.wake_all()

    def _took(self, size: int) -> None:
        self.network.buffered -= size
        peer = self._peer
        if peer is not None:
            peer._unread -= size
            if peer._has_room():
                peer.writable.wake_all()

    def _drop_inbox(self) -> None:
        size = self._inbox.size
        self._discarded |= size > 0
        self._inbox.clear()
        self._took(size)

    def _end(self) -> None:
        self._ended = True
        self.readable.wake_all()

    def _reset(self) -> None:
        if not self._closed and self._failure is None:
            self._failure = NetworkErrorKind.RESET, "the peer reset the connection"
            self._wake()

    def _tell_peer(self, *, ended: bool) -> None:
        path, peer = self._path, self._peer
        if path is not None and peer is not None:
            self.network.vpc.carry(path, Protocol.TCP, 0, peer._end if ended else peer._reset)

    # Giving up

    def abort(self) -> None:
        """Close, and have the peer see a reset connection."""
        if not self._closed:
            self._reset_peer()
            self.close()

    def _reset_peer(self) -> None:
        if self._state is _State.CONNECTED and self._failure is None:
            self._tell_peer(ended=False)
            self._failure = NetworkErrorKind.RESET, ""  # nothing more to be told

    def _give_up(self) -> None:
        self._stop_waiting()
        if self._backlog is not None:
            self.network.remove_listener(self)
            self.network.pending -= len(self._backlog.connections)
            for connection in self._backlog.connections:
                connection.abort()
            for client, path in tuple(self._backlog.waiting.items()):
                self.network.vpc.carry(path.back(client.network), Protocol.TCP, 0, client.refused)
        elif self._inbox.size or self._discarded:
            self._reset_peer()
            self._drop_inbox()
        elif self._state is _State.CONNECTED and self._failure is None and not self._write_shut:
            self._tell_peer(ended=True)
        peer = self._peer
        if peer is not None and peer._closed:
            # Nobody will ever ask again; without this, only the garbage collector would free the two.
            self._peer = peer._peer = None
