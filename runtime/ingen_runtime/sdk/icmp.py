"""`ingen:sdk/icmp`: pings."""

from __future__ import annotations

from typing import Final

from ingen_runtime.network.interface import EchoRequest, Network
from ingen_runtime.sdk.bindings import types
from ingen_runtime.sdk.bindings.icmp import PingOptions, PingReply
from ingen_runtime.sdk.values import FAILURES, guest_address, host_address

_DEFAULTS: Final = PingOptions(None, None, None, None, None, None)


class Icmp:
    """The interface, for the guests on a network."""

    def __init__(self, network: Network) -> None:
        self._network = network

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
            reply = await self._network.ping(request)
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
