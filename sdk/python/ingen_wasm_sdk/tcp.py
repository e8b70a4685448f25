"""TCP connections and listeners."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal

from .addresses import Endpoint, Local, endpoint_from_bindings, endpoint_to_bindings, microseconds
from .bindings import tcp
from .errors import SdkError, raising
from .names import addresses_of

_CHUNK: Final = 1 << 16


class Connection:
    """A TCP connection. A context manager: leaving it closes it. What was sent before still arrives."""

    def __init__(self, connection: tcp.Connection) -> None:
        self._connection = connection

    @raising
    def receive(self, limit: int = _CHUNK) -> bytes:
        """1 to `limit` bytes; none at the end."""
        return self._connection.read(limit)

    def receive_exactly(self, size: int) -> bytes:
        """`size` bytes. Raises: EOFError where the end comes before."""
        parts = []
        while size:
            part = self.receive(size)
            if not part:
                raise EOFError(f"the connection has ended {size} bytes too early")
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def receive_all(self) -> bytes:
        """Everything up to the end."""
        parts = []
        while part := self.receive():
            parts.append(part)
        return b"".join(parts)

    @raising
    def send(self, data: bytes | bytearray | memoryview) -> int:
        """Send some of the bytes, from the first on; how many."""
        return self._connection.write(data)

    def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send all of the bytes."""
        rest = memoryview(data).cast("B")
        while rest:
            rest = rest[self.send(rest) :]

    @raising
    def shutdown(self, how: Literal["read", "write", "both"]) -> None:
        """Give up one direction, or both. What was sent before still arrives, then the end."""
        self._connection.shutdown(tcp.Direction(how))

    @property
    @raising
    def local(self) -> Endpoint:
        """The local address."""
        return endpoint_from_bindings(self._connection.local_address())

    @property
    @raising
    def peer(self) -> Endpoint:
        """The peer's address."""
        return endpoint_from_bindings(self._connection.peer_address())

    @property
    @raising
    def ttl(self) -> int:
        """The TTL of what is sent: 1 to 255."""
        return self._connection.ttl()

    @ttl.setter
    @raising
    def ttl(self, ttl: int) -> None:
        self._connection.set_ttl(ttl)

    @property
    @raising
    def no_delay(self) -> bool:
        """Whether small pieces are sent at once."""
        return self._connection.no_delay()

    @no_delay.setter
    @raising
    def no_delay(self, enabled: bool) -> None:
        self._connection.set_no_delay(enabled)

    @property
    @raising
    def keep_alive(self) -> bool:
        """Whether the peer is asked now and then whether it is still there."""
        return self._connection.keep_alive()

    @keep_alive.setter
    @raising
    def keep_alive(self, enabled: bool) -> None:
        self._connection.set_keep_alive(enabled)

    @raising
    def set_blocking(self, enabled: bool) -> None:
        """Whether sending and receiving wait instead of raising WouldBlockError."""
        self._connection.set_non_blocking(not enabled)

    @raising
    def set_timeout(self, timeout_s: float | None) -> None:
        """How long sending and receiving wait before they raise TimedOutError; None for ever."""
        self._connection.set_timeout(microseconds(timeout_s))

    def close(self) -> None:
        """Close it; may be called again."""
        self._connection.drop()

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()


def connect(
    remote: Local,
    *,
    local: Local | None = None,
    timeout_s: float | None = None,
    keep_alive: bool = False,
    reuse_address: bool = False,
    receive_buffer: int | None = None,
    send_buffer: int | None = None,
    blocking: bool = True,
) -> Connection:
    """Connect to an address or a name with a port; where a name has several addresses, to the first that
    answers.

    What is None is left to the host. Without `blocking`, this returns before the connection is made; sending
    and receiving raise WouldBlockError until it is.

    Raises: SdkError.
    """
    options = tcp.ConnectOptions(
        None if local is None else endpoint_to_bindings(local),
        microseconds(timeout_s),
        keep_alive,
        reuse_address,
        receive_buffer,
        send_buffer,
        not blocking,
    )
    endpoints = addresses_of(remote)
    for endpoint in endpoints[:-1]:
        try:
            return _connect(endpoint, options)
        except SdkError:
            continue
    return _connect(endpoints[-1], options)


@raising
def _connect(remote: Endpoint, options: tcp.ConnectOptions) -> Connection:
    return Connection(tcp.Connection.connect(endpoint_to_bindings(remote), options))


class Listener:
    """A listener for TCP connections, which it iterates over. A context manager: leaving it closes it."""

    def __init__(self, listener: tcp.Listener) -> None:
        self._listener = listener

    @raising
    def accept(self) -> Connection:
        """The next connection. Waits for it."""
        return Connection(self._listener.accept())

    def __iter__(self) -> Iterator[Connection]:
        while True:
            yield self.accept()

    @property
    @raising
    def local(self) -> Endpoint:
        """Where it listens."""
        return endpoint_from_bindings(self._listener.local_address())

    @raising
    def set_blocking(self, enabled: bool) -> None:
        """Whether `accept` waits instead of raising WouldBlockError."""
        self._listener.set_non_blocking(not enabled)

    @raising
    def set_timeout(self, timeout_s: float | None) -> None:
        """How long `accept` waits before it raises TimedOutError; None for ever."""
        self._listener.set_timeout(microseconds(timeout_s))

    def close(self) -> None:
        """Listen no more; may be called again."""
        self._listener.drop()

    def __enter__(self) -> Listener:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()


@raising
def listen(
    local: Local, *, backlog: int | None = None, reuse_address: bool = False, blocking: bool = True
) -> Listener:
    """Listen at an address of the VM; port 0 takes a free one. `backlog` None is left to the host.

    Raises: SdkError.
    """
    options = tcp.BindOptions(backlog, reuse_address, not blocking)
    return Listener(tcp.Listener.bind(endpoint_to_bindings(local), options))
