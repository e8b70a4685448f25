"""TCP connections and listeners as descriptors, and the functions of preview 1 for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ingen_runtime.kernel.process import Process
from ingen_runtime.network.errors import NetworkError, NetworkErrorKind
from ingen_runtime.network.interface import Shutdown, TcpSocket
from ingen_runtime.readiness import ALWAYS, Readiness
from ingen_runtime.wasi.p1.abi import (
    CONNECTION_RIGHTS,
    FDFLAG_NONBLOCK,
    LISTENER_RIGHTS,
    RECV_PEEK,
    RECV_WAITALL,
    SHUTDOWN_READ,
    SHUTDOWN_WRITE,
    Errno,
    ErrnoError,
    Filetype,
)
from ingen_runtime.wasi.p1.descriptors import Descriptor, gather, scatter
from ingen_runtime.wasi.p1.memory import GuestMemory

if TYPE_CHECKING:
    from ingen_runtime.wasi.p1.table import DescriptorTable


class ConnectionDescriptor(Descriptor):
    """A TCP connection."""

    def __init__(self, socket: TcpSocket, process: Process, flags: int) -> None:
        self._socket = socket
        self._process = process
        self._peeked = b""
        self.flags = flags
        self.filetype = Filetype.SOCKET_STREAM
        self.rights = CONNECTION_RIGHTS
        self.inheriting = CONNECTION_RIGHTS

    def read(self, buffers: Sequence[memoryview]) -> int:
        data = self._receive(sum([buffer.nbytes for buffer in buffers]))
        self._peeked = self._peeked[len(data) :]
        return scatter(data, buffers)

    def peek(self, buffers: Sequence[memoryview]) -> int:
        """What `read` would do, leaving the data there."""
        limit = sum([buffer.nbytes for buffer in buffers])
        if not self._peeked:
            self._peeked = self._receive(limit)
        return scatter(self._peeked[:limit], buffers)

    def read_all(self, buffers: Sequence[memoryview]) -> int:
        """Fill the buffers. Raises: Blocked while there is less, and it may still come."""
        limit = sum([buffer.nbytes for buffer in buffers])
        while len(self._peeked) < limit:
            try:
                data = self._socket.receive(limit - len(self._peeked))
            except NetworkError as error:
                if error.kind is NetworkErrorKind.WOULD_BLOCK:
                    raise self.blocked(self._socket.readable) from None
                raise
            if not data:
                break
            self._peeked += data
        return self.read(buffers) if self._peeked else 0

    def _receive(self, limit: int) -> bytes:
        if self._peeked or not limit:
            return self._peeked[:limit]
        try:
            return self._socket.receive(limit)
        except NetworkError as error:
            if error.kind is NetworkErrorKind.WOULD_BLOCK:
                raise self.blocked(self._socket.readable) from None
            raise

    def write(self, buffers: Sequence[memoryview]) -> int:
        if not buffers:
            return 0
        try:
            return self._socket.send(gather(buffers))
        except NetworkError as error:
            if error.kind is NetworkErrorKind.WOULD_BLOCK:
                raise self.blocked(self._socket.writable) from None
            raise

    def readiness(self, *, write: bool) -> Readiness:
        if write:
            return self._socket.writable
        return ALWAYS if self._peeked else self._socket.readable

    def shutdown(self, how: int) -> None:
        """Give up the directions."""
        self._socket.shutdown(_SHUTDOWNS[how])

    def close(self) -> None:
        self._process.sockets.discard(self._socket)
        self._socket.close()


_SHUTDOWNS = {
    SHUTDOWN_READ: Shutdown.READ,
    SHUTDOWN_WRITE: Shutdown.WRITE,
    SHUTDOWN_READ | SHUTDOWN_WRITE: Shutdown.BOTH,
}


class ListenerDescriptor(Descriptor):
    """A listening TCP socket that the process was given. It outlives the descriptor."""

    def __init__(self, socket: TcpSocket, process: Process) -> None:
        self._socket = socket
        self._process = process
        self.filetype = Filetype.SOCKET_STREAM
        self.rights = LISTENER_RIGHTS
        self.inheriting = CONNECTION_RIGHTS

    def accept(self, flags: int) -> ConnectionDescriptor:
        """The next connection. Raises: Blocked"""
        self._process.sockets.check_room()
        try:
            socket = self._socket.accept()
        except NetworkError as error:
            if error.kind is NetworkErrorKind.WOULD_BLOCK:
                raise self.blocked(self._socket.readable) from None
            raise
        self._process.sockets.add(socket)
        return ConnectionDescriptor(socket, self._process, flags)

    def readiness(self, *, write: bool) -> Readiness:
        if write:
            raise ErrnoError(Errno.BADF)
        return self._socket.readable


class SocketFunctions:
    """`sock_…`"""

    def __init__(self, memory: GuestMemory, table: DescriptorTable) -> None:
        self._memory = memory
        self._table = table

    def sock_accept(self, fd: int, flags: int, result: int) -> int:
        found = self._table[fd]
        if not isinstance(found, ListenerDescriptor):
            raise ErrnoError(Errno.INVAL if isinstance(found, ConnectionDescriptor) else Errno.NOTSOCK)
        if flags & ~FDFLAG_NONBLOCK:
            raise ErrnoError(Errno.INVAL)
        self._memory.slice(result, 4)
        self._table.check_room()
        self._memory.write_u32(result, self._table.add(found.accept(flags)))
        return 0

    def sock_recv(self, fd: int, iovs: int, count: int, flags: int, size: int, result: int) -> int:
        found = self._connection(fd)
        if flags & ~(RECV_PEEK | RECV_WAITALL):
            raise ErrnoError(Errno.INVAL)
        buffers = self._memory.buffers(iovs, count)
        result_flags = self._memory.slice(result, 2)
        if flags & RECV_PEEK:
            received = found.peek(buffers)
        elif flags & RECV_WAITALL:
            received = found.read_all(buffers)
        else:
            received = found.read(buffers)
        self._memory.write_u32(size, received)
        result_flags[:] = b"\0\0"  # a stream cuts nothing off
        return 0

    def sock_send(self, fd: int, iovs: int, count: int, flags: int, size: int) -> int:
        found = self._connection(fd)
        if flags:
            raise ErrnoError(Errno.INVAL)
        self._memory.write_u32(size, found.write(self._memory.buffers(iovs, count)))
        return 0

    def sock_shutdown(self, fd: int, how: int) -> int:
        found = self._connection(fd)
        if not how or how & ~(SHUTDOWN_READ | SHUTDOWN_WRITE):
            raise ErrnoError(Errno.INVAL)
        found.shutdown(how)
        return 0

    def _connection(self, fd: int) -> ConnectionDescriptor:
        found = self._table[fd]
        if not isinstance(found, ConnectionDescriptor):
            raise ErrnoError(Errno.NOTCONN if isinstance(found, ListenerDescriptor) else Errno.NOTSOCK)
        return found
