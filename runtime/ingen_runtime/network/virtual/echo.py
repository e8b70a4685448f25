"""One ping on its way through a virtual network."""

from __future__ import annotations

import asyncio
from time import perf_counter_ns
from typing import TYPE_CHECKING, Final

from ingen_runtime.network.addresses import family_of
from ingen_runtime.network.icmp import ECHO_HEADER, ICMP, error_size
from ingen_runtime.network.interface import EchoReply, EchoRequest, IPAddress
from ingen_runtime.network.virtual.paths import Path, Protocol

if TYPE_CHECKING:
    from ingen_runtime.network.virtual.network import VirtualNetwork

_FIRST_TTL: Final = 64  # what answers begin with


class Echo:
    """An echo request, and what comes back for it."""

    __slots__ = ("_began_ns", "_future", "_identifier", "_path", "_request", "_sender", "reply")

    def __init__(self, request: EchoRequest, identifier: int, path: Path, sender: VirtualNetwork) -> None:
        self.reply: EchoReply | None = None
        self._request = request
        self._identifier = identifier
        self._path = path
        self._sender = sender
        self._future: asyncio.Future[None] | None = None
        self._began_ns = perf_counter_ns()

    def send(self) -> None:
        """Send it. Where nothing delays it, the answer is there when this returns."""
        path = self._path
        carry = self._sender.vpc.carry
        size = ECHO_HEADER + self._request.size
        numbers = ICMP[family_of(path.destination)]
        if self._request.ttl <= path.hops:
            assert path.router is not None, "there is a hop"
            carry(path, Protocol.ICMP, size, self._fail, path.router, numbers.time_exceeded, 0)
        elif path.target is None:
            # Who asks in vain who has the address says so: the last router, or the sender itself.
            by = path.router or path.source
            carry(path, Protocol.ICMP, size, self._fail, by, numbers.unreachable, numbers.host_unreachable)
        else:
            carry(path, Protocol.ICMP, size, self._arrive, path.target)

    def _arrive(self, target: VirtualNetwork) -> None:
        numbers = ICMP[family_of(self._path.destination)]
        size = ECHO_HEADER + self._request.size
        ttl = _FIRST_TTL - self._path.hops
        back = self._path.back(self._sender)
        target.vpc.carry(
            back, Protocol.ICMP, size, self._answer, self._path.destination, numbers.echo_reply, 0, ttl, size
        )

    def _fail(self, by: IPAddress, type_: int, code: int) -> None:
        numbers = ICMP[family_of(self._path.destination)]
        size = error_size(numbers, numbers.ip_header + ECHO_HEADER + self._request.size)
        self._answer(by, type_, code, _FIRST_TTL, size)

    def _answer(self, source: IPAddress, type_: int, code: int, ttl: int, size: int) -> None:
        duration_us = (perf_counter_ns() - self._began_ns) // 1000
        self.reply = EchoReply(
            source,
            self._path.source,
            type_,
            code,
            self._identifier,
            self._request.sequence,
            ttl,
            size,
            duration_us,
        )
        self.give_up()

    async def answered(self) -> None:
        """Return once there is a reply, or it was given up."""
        self._future = asyncio.get_running_loop().create_future()
        await self._future

    def give_up(self) -> None:
        """Wait no longer."""
        if self._future is not None and not self._future.done():
            self._future.set_result(None)
