"""What connections, listeners and UDP sockets of guests have in common: when they wait, and for how long."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, Generic, TypeVar

from ingen_runtime.kernel.process import Process
from ingen_runtime.network.errors import NetworkError, NetworkErrorKind
from ingen_runtime.network.interface import Network, Option, Socket
from ingen_runtime.readiness import Readiness, Timer, wait, wait_any
from ingen_runtime.sdk.bindings import types
from ingen_runtime.sdk.values import FAILURES, failure, guest_endpoint

S = TypeVar("S", bound=Socket)
T = TypeVar("T")

LARGEST_READ: Final = 1 << 20
"""How many bytes one call gives to a guest at most, whatever it asks for."""


def network_of(process: Process) -> Network:
    """The network of a process. Raises: NetworkError DENIED where it has none."""
    if process.network is None:
        raise NetworkError(NetworkErrorKind.DENIED, "the process has no network")
    return process.network


def timer_after(timeout_us: int | None) -> Timer | None:
    """A timer that is ready after so many microseconds; None for as long as it takes."""
    return None if timeout_us is None else Timer(asyncio.get_running_loop().time() + timeout_us / 1_000_000)


async def attempt_until(attempt: Callable[[], T], readiness: Readiness, timer: Timer | None) -> T:
    """What `attempt` returns once it does not raise WOULD_BLOCK any more.

    Raises: NetworkError of the attempt; TIMED_OUT.
    """
    while True:
        await (wait(readiness) if timer is None else wait_any((readiness, timer)))
        try:
            return attempt()
        except NetworkError as error:
            if error.kind is not NetworkErrorKind.WOULD_BLOCK:
                raise
            if timer is not None and timer.ready():
                raise NetworkError(NetworkErrorKind.TIMED_OUT) from None


def set_options(socket: Socket, *, reuse: bool, receive_buffer: int | None, send_buffer: int | None) -> None:
    """Set what is to be set before a socket is bound."""
    if reuse:
        socket.set_option(Option.REUSE_ADDRESS, 1)
    if receive_buffer is not None:
        socket.set_option(Option.RECEIVE_BUFFER, receive_buffer)
    if send_buffer is not None:
        socket.set_option(Option.SEND_BUFFER, send_buffer)


class GuestSocket(Generic[S]):
    """A socket in a guest's hands.

    Raises: NetworkError LIMIT where the process has as many as it may have; the socket is closed then.
    """

    __slots__ = ("_non_blocking", "_process", "_socket", "_timeout_us")

    def __init__(self, process: Process, socket: S, *, non_blocking: bool = False) -> None:
        process.sockets.add(socket)
        self._process = process
        self._socket = socket
        self._non_blocking = non_blocking
        self._timeout_us: int | None = None

    def drop(self) -> None:
        """What happens when the guest gives it up."""
        self._socket.close()
        self._process.sockets.discard(self._socket)

    def local_address(self) -> types.Endpoint:
        with FAILURES:
            return guest_endpoint(self._socket.local())

    def set_non_blocking(self, enabled: bool) -> None:
        self._non_blocking = enabled

    def set_timeout(self, timeout_us: int | None) -> None:
        self._timeout_us = timeout_us

    def _now_or_later(self, attempt: Callable[[], T], readiness: Readiness) -> T | Awaitable[T]:
        """What `attempt` returns, which may be tried again whenever `readiness` is ready.

        Raises: ErrorException.
        """
        try:
            return attempt()
        except NetworkError as error:
            if self._non_blocking or error.kind is not NetworkErrorKind.WOULD_BLOCK:
                raise failure(error) from error
        return self._later(attempt, readiness)

    async def _later(self, attempt: Callable[[], T], readiness: Readiness) -> T:
        with FAILURES:
            return await attempt_until(attempt, readiness, timer_after(self._timeout_us))

    def _get(self, option: Option) -> int:
        with FAILURES:
            return self._socket.get_option(option)

    def _set(self, option: Option, value: int) -> None:
        with FAILURES:
            self._socket.set_option(option, value)


class AddressedSocket(GuestSocket[S]):
    """A socket that sends: it may have a peer, and has a TTL."""

    __slots__ = ()

    def peer_address(self) -> types.Endpoint:
        with FAILURES:
            return guest_endpoint(self._socket.peer())

    def ttl(self) -> int:
        return self._get(Option.TTL)

    def set_ttl(self, ttl: int) -> None:
        self._set(Option.TTL, ttl)
