"""Names."""

from __future__ import annotations

from ipaddress import ip_address

from .addresses import Endpoint, IPAddress, Local, from_bindings
from .bindings import dns
from .errors import raising


@raising
def lookup(name: str) -> list[IPAddress]:
    """The addresses of a name, at least one; an address as text has itself.

    Raises: SdkError; NotFoundError where there is no such name.
    """
    return [from_bindings(address) for address in dns.lookup(name)]


def addresses_of(remote: Local) -> list[Endpoint]:
    """Where somebody may be reached: at an address, or at those of a name."""
    host, port = remote
    try:
        return [Endpoint(ip_address(host), port)]
    except ValueError:
        return [Endpoint(address, port) for address in lookup(str(host))]
