"""Names of hosts, as the DNS has them."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import Final

from ingen_runtime.network.errors import NetworkError, NetworkErrorKind
from ingen_runtime.network.interface import IPAddress

_LABEL: Final = r"(?!-)[a-z0-9_-]{1,63}(?<!-)"
_NAME: Final = re.compile(rf"{_LABEL}(\.{_LABEL})*")
_LONGEST_NAME: Final = 253  # without the root's dot
_LONGEST_TEXT: Final = 1024  # before IDNA, which takes its time


def address_literal(name: str) -> IPAddress | None:
    """The address that is written there; None where it is none."""
    try:
        return ip_address(name)
    except ValueError:
        return None


def canonical_name(name: str) -> str:
    """The name in lower case, in ASCII (IDNA) and without the root's dot.

    Raises: NetworkError INVALID where it is no name.
    Source: RFC 1123, section 2.1; underscores are let pass, since they are in use.
    """
    if len(name) > _LONGEST_TEXT:
        raise NetworkError(NetworkErrorKind.INVALID, f"{name[:64]!r}… is too long for a host name")
    try:
        text = name.encode("idna").decode("ascii").lower().removesuffix(".")
    except UnicodeError:
        text = ""
    if len(text) > _LONGEST_NAME or not _NAME.fullmatch(text):
        raise NetworkError(NetworkErrorKind.INVALID, f"{name!r} is no host name")
    return text
