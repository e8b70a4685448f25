"""Pings."""

from __future__ import annotations

from dataclasses import dataclass

from .addresses import IPAddress, from_bindings, microseconds, to_bindings
from .bindings import icmp
from .errors import raising


@dataclass(frozen=True)
class PingReply:
    """What came back: an echo reply, or an ICMP error about the request."""

    source: IPAddress
    """Who answered: the target, or the router that gave up."""
    destination: IPAddress
    icmp_type: int
    icmp_code: int
    identifier: int
    sequence: int
    ttl: int
    """What was left of the answer's TTL when it arrived."""
    packet_size: int
    """Bytes of the ICMP packet that came back, its header included."""
    duration_s: float
    """From request to answer."""

    @property
    def is_echo_reply(self) -> bool:
        """Whether the target has answered."""
        return self.icmp_type == (0 if self.source.version == 4 else 129)

    @property
    def is_unreachable(self) -> bool:
        """Whether somebody said that the target cannot be reached."""
        return self.icmp_type == (3 if self.source.version == 4 else 1)

    @property
    def is_time_exceeded(self) -> bool:
        """Whether a router said that the request's TTL has run out."""
        return self.icmp_type == (11 if self.source.version == 4 else 3)


@raising
def ping(
    target: str | IPAddress,
    *,
    source: str | IPAddress | None = None,
    identifier: int | None = None,
    sequence: int | None = None,
    ttl: int | None = None,
    size: int | None = None,
    timeout_s: float | None = None,
) -> PingReply:
    """Send one echo request and wait for the answer, which may be an ICMP error.

    What is None is left to the host: a sequence of 1, a TTL of 64, 56 bytes, a second to wait.

    Raises: SdkError; TimedOutError without an answer, UnreachableError where there is no route.
    """
    options = icmp.PingOptions(
        None if source is None else to_bindings(source),
        identifier,
        sequence,
        ttl,
        size,
        microseconds(timeout_s),
    )
    reply = icmp.ping(to_bindings(target), options)
    return PingReply(
        from_bindings(reply.source),
        from_bindings(reply.destination),
        reply.icmp_type,
        reply.icmp_code,
        reply.identifier,
        reply.sequence,
        reply.ttl,
        reply.packet_size,
        reply.duration_us / 1_000_000,
    )
