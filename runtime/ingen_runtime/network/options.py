"""Which options a socket has, and which values they may take. Linux sets the limits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ingen_runtime.network.errors import NetworkError, NetworkErrorKind
from ingen_runtime.network.interface import Option

_RANGES: Final[Mapping[Option, tuple[int, int]]] = {
    Option.TTL: (1, 255),
    Option.RECEIVE_BUFFER: (1, 2**31 - 1),
    Option.SEND_BUFFER: (1, 2**31 - 1),
    Option.REUSE_ADDRESS: (0, 1),
    Option.KEEP_ALIVE: (0, 1),
    Option.KEEP_ALIVE_IDLE: (1, 32767),
    Option.KEEP_ALIVE_INTERVAL: (1, 32767),
    Option.KEEP_ALIVE_COUNT: (1, 127),
    Option.NO_DELAY: (0, 1),
}
_TCP_ONLY: Final = frozenset(
    {
        Option.KEEP_ALIVE,
        Option.KEEP_ALIVE_IDLE,
        Option.KEEP_ALIVE_INTERVAL,
        Option.KEEP_ALIVE_COUNT,
        Option.NO_DELAY,
    }
)


def check_option(option: Option, *, tcp: bool) -> None:
    """Let pass what this kind of socket has.

    Raises: NetworkError INVALID.
    """
    if option in _TCP_ONLY and not tcp:
        raise NetworkError(NetworkErrorKind.INVALID, f"UDP sockets have no option {option.value}")


def check_option_value(option: Option, value: int, *, tcp: bool) -> None:
    """Let pass what an option of this kind of socket can be set to.

    Raises: NetworkError INVALID.
    """
    check_option(option, tcp=tcp)
    low, high = _RANGES[option]
    if not low <= value <= high:
        raise NetworkError(NetworkErrorKind.INVALID, f"{option.value} is {low} to {high}, not {value}")
