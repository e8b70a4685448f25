"""What the sockets of `wasi:sockets` have in common: their options."""

from __future__ import annotations

from typing import Final, Generic, TypeVar

from ingen_runtime.network.errors import NetworkError
from ingen_runtime.network.interface import Option, Socket
from ingen_runtime.wasi.p2.addresses import ADDRESS_FAMILIES, refused
from ingen_runtime.wasi.p2.bindings.network import ErrorCode, ErrorCodeException, IpAddressFamily
from ingen_runtime.wasi.p2.resources import Resource

NS_PER_S: Final = 1_000_000_000
_MOST_BYTES: Final = (1 << 31) - 1
_MOST_SECONDS: Final = (1 << 15) - 1
_MOST_PROBES: Final = 127


def get(socket: Socket, option: Option) -> int:
    """The value of an option. Raises: ErrorCodeException"""
    try:
        return socket.get_option(option)
    except NetworkError as error:
        raise refused(error, ErrorCode.NOT_SUPPORTED) from None


def set_(socket: Socket, option: Option, value: int) -> None:
    """Set an option. Raises: ErrorCodeException"""
    try:
        socket.set_option(option, value)
    except NetworkError as error:
        raise refused(error) from None


def set_positive(socket: Socket, option: Option, value: int, most: int = _MOST_BYTES) -> None:
    """Set an option that must not be 0, and for which larger values than the system's serve as its largest.

    Raises: ErrorCodeException
    """
    if not value:
        raise ErrorCodeException(ErrorCode.INVALID_ARGUMENT)
    set_(socket, option, min(value, most))


def get_duration(socket: Socket, option: Option) -> int:
    """An option in seconds, in nanoseconds. Raises: ErrorCodeException"""
    return get(socket, option) * NS_PER_S


def set_duration(socket: Socket, option: Option, value: int) -> None:
    """Set an option in seconds from nanoseconds, rounded up. Raises: ErrorCodeException"""
    set_positive(socket, option, -(-value // NS_PER_S), _MOST_SECONDS)


def set_count(socket: Socket, option: Option, value: int) -> None:
    """Set a small number. Raises: ErrorCodeException"""
    set_positive(socket, option, value, _MOST_PROBES)


S = TypeVar("S", bound=Socket)


class NetworkResource(Resource, Generic[S]):
    """A resource that is a socket of a network."""

    __slots__ = ("_socket",)

    def __init__(self, socket: S) -> None:
        super().__init__()
        self._socket = socket

    def address_family(self) -> IpAddressFamily:
        return ADDRESS_FAMILIES[self._socket.family]

    def receive_buffer_size(self) -> int:
        return get(self._socket, Option.RECEIVE_BUFFER)

    def set_receive_buffer_size(self, value: int) -> None:
        set_positive(self._socket, Option.RECEIVE_BUFFER, value)

    def send_buffer_size(self) -> int:
        return get(self._socket, Option.SEND_BUFFER)

    def set_send_buffer_size(self, value: int) -> None:
        set_positive(self._socket, Option.SEND_BUFFER, value)
