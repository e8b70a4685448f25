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
    """What opens the network `virtual`, with these addresses.

    Raises: UsageError
    """
    if kind == "virtual":
        return lambda name: _open_virtual(name, addresses or DEFAULT_ADDRESSES)
    raise UsageError(f"--network {kind}: it is virtual")


def _open_virtual(name: str, addresses: Sequence[IPInterface]) -> Network:
    from ingen_runtime.network.virtual import VirtualVpc

    return VirtualVpc().attach(name, addresses)
