"""The network that a command line names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from ipaddress import ip_interface
from typing import Final, TypeAlias

from ingen_emulator.failures import UsageError
from ingen_runtime.network.interface import IPInterface, Network

DEFAULT_ADDRESSES: Final = (ip_interface("10.0.0.2/24"), ip_interface("fd00::2/64"))
"""What a VM in a virtual network of its own has where nothing else is said."""

OpenNetwork: TypeAlias = Callable[[str], Network]
"""Opens the network of the VM of this name, on the event loop that runs. Raises: NetworkError"""


def read_network(kind: str, addresses: Sequence[IPInterface]) -> OpenNetwork:
    """What opens the network `virtual`, with these addresses, `host`, or `netns:NAME`.

    The addresses of the latter two are what they are; the VM is told those given here, if any.

    Raises: UsageError
    """
    told = tuple(addresses) or None
    if kind == "virtual":
        return lambda name: _open_virtual(name, addresses or DEFAULT_ADDRESSES)
    if kind == "host":
        return lambda name: _open_host(told)
    word, _, namespace = kind.partition(":")
    if word == "netns" and namespace:
        return lambda name: _open_netns(namespace, told)
    raise UsageError(f"--network {kind}: it is virtual, host or netns:NAME")


# Each is imported where it is used: the others would only make the start slower.


def _open_virtual(name: str, addresses: Sequence[IPInterface]) -> Network:
    from ingen_runtime.network.virtual import VirtualVpc

    return VirtualVpc().attach(name, addresses)


def _open_host(addresses: Sequence[IPInterface] | None) -> Network:
    from ingen_runtime.network.host import HostNetwork

    return HostNetwork(interfaces=addresses)


def _open_netns(namespace: str, addresses: Sequence[IPInterface] | None) -> Network:
    from ingen_runtime.network.netns import NetnsNetwork

    return NetnsNetwork(namespace, interfaces=addresses)
