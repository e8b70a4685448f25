"""What can go wrong on a network, as a guest can tell it apart."""

from __future__ import annotations

import enum

from ingen_runtime.errors import IngenError


class NetworkErrorKind(enum.Enum):
    """The reasons that guests act on; the cases of `error` in the SDK's WIT."""

    REFUSED = "refused"  # nobody listens there
    UNREACHABLE = "unreachable"  # no route, or a router or the target said so
    TIMED_OUT = "timed-out"
    RESET = "reset"  # the peer closed the connection while data was under way
    IN_USE = "in-use"  # the local address is taken
    DENIED = "denied"  # the VM may not do that, or not reach that
    NOT_FOUND = "not-found"  # no such name
    INVALID = "invalid"  # an argument, or a state in which this cannot be done
    WOULD_BLOCK = "would-block"  # nothing there yet; wait for readiness and try again
    CLOSED = "closed"  # the socket was closed, or this direction shut down
    LIMIT = "limit"  # the VM has as many sockets as it may have
    OTHER = "other"


class NetworkError(IngenError):
    """An operation on the network failed. `kind` says how, `detail` what in particular."""

    def __init__(self, kind: NetworkErrorKind, detail: str = "") -> None:
        super().__init__(f"{kind.value}: {detail}" if detail else kind.value)
        self.kind = kind
        self.detail = detail
