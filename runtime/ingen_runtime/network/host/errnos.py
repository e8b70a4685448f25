"""What the operating system's errors mean to a guest."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Mapping
from typing import Final

from ingen_runtime.network.errors import NetworkError, NetworkErrorKind

_KINDS: Final[Mapping[int, NetworkErrorKind]] = {
    number: kind
    for kind, numbers in {
        NetworkErrorKind.REFUSED: (errno.ECONNREFUSED,),
        NetworkErrorKind.UNREACHABLE: (
            errno.ENETUNREACH,
            errno.EHOSTUNREACH,
            errno.ENETDOWN,
            errno.EHOSTDOWN,
        ),
        NetworkErrorKind.TIMED_OUT: (errno.ETIMEDOUT,),
        NetworkErrorKind.RESET: (errno.ECONNRESET, errno.ECONNABORTED, errno.ENETRESET, errno.EPIPE),
        NetworkErrorKind.IN_USE: (errno.EADDRINUSE,),
        NetworkErrorKind.DENIED: (errno.EACCES, errno.EPERM),
        NetworkErrorKind.INVALID: (
            errno.EINVAL,
            errno.EADDRNOTAVAIL,
            errno.EAFNOSUPPORT,
            errno.EALREADY,
            errno.EDESTADDRREQ,
            errno.EISCONN,
            errno.EMSGSIZE,
            errno.ENODEV,
            errno.ENOPROTOOPT,
            errno.ENOTCONN,
            errno.EOPNOTSUPP,
        ),
        NetworkErrorKind.WOULD_BLOCK: (errno.EAGAIN, errno.EINPROGRESS),
        NetworkErrorKind.CLOSED: (errno.EBADF,),
        NetworkErrorKind.LIMIT: (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM),
    }.items()
    for number in numbers
}
_LOOKUP_KINDS: Final[Mapping[int, NetworkErrorKind]] = {
    getattr(socket, name): kind
    for name, kind in {
        "EAI_NONAME": NetworkErrorKind.NOT_FOUND,
        "EAI_NODATA": NetworkErrorKind.NOT_FOUND,
        "EAI_ADDRFAMILY": NetworkErrorKind.NOT_FOUND,
        "EAI_AGAIN": NetworkErrorKind.TIMED_OUT,  # no name server answered
    }.items()
    if hasattr(socket, name)  # not every system tells all of them apart
}


def kind_of(number: int) -> NetworkErrorKind:
    """The kind of an errno."""
    return _KINDS.get(number, NetworkErrorKind.OTHER)


def network_error(error: OSError) -> NetworkError:
    """What a guest sees of an error of a socket."""
    return error_of(error.errno or 0)


def error_of(number: int) -> NetworkError:
    """What a guest sees of an errno."""
    kind = kind_of(number)
    return NetworkError(kind, "" if kind is NetworkErrorKind.WOULD_BLOCK else os.strerror(number))


def lookup_error(error: OSError, name: str) -> NetworkError:
    """What a guest sees of an error of looking a name up."""
    kind = _LOOKUP_KINDS.get(error.errno or 0, NetworkErrorKind.OTHER)
    return NetworkError(kind, f"{name}: {error.strerror}")
