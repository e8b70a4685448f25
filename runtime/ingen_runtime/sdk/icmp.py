"""`ingen:sdk/icmp`: pings."""

from __future__ import annotations

from typing import Final

from ingen_runtime.kernel.process import Process
from ingen_runtime.network.interface import EchoRequest
from ingen_runtime.sdk.bindings import types
from ingen_runtime.sdk.bindings.icmp import PingOptions, PingReply
from ingen_runtime.sdk.sockets import network_of
from ingen_runtime.sdk.values import FAILURES, guest_address, host_address

_DEFAULTS: Final = PingOptions(None, None, None, None, None, None)


class Icmp:
    """The interface, for one guest process."""

    def __init__(self, process: Process) -> None:
        self._process = process

    async def ping(self, target: types.IpAddress, options: PingOptions | None) -> PingReply:
        asked = options or _DEFAULTS
        request = EchoRequest(
            host_address(target),
            None if asked.source is None else host_address(asked.source),
            asked.identifier,
            1 if asked.sequence is None else asked.sequence,
            64 if asked.ttl is None else asked.ttl,
            56 if asked.size is None else asked.size,
            1.0 if asked.timeout_us is None else asked.timeout_us / 1_000_000,
        )
        with FAILURES:
            reply = await network_of(self._process).ping(request)
        return PingReply(
            guest_address(reply.source),
            guest_address(reply.destination),
            reply.type,
            reply.code,
            reply.identifier,
            reply.sequence,
            reply.ttl,
            reply.size,
            reply.duration_us,
        )
