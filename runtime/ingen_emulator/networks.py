"""The network that a command line names."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_interface
from typing import Final

from ingen_emulator.failures import UsageError
from ingen_runtime.network.interface import IPInterface, Network

DEFAULT_ADDRESSES: Final = (ip_interface("10.0.0.2/24"), ip_interface("fd00::2/64"))
"""What a VM in a virtual network of its own has where nothing else is said."""


def open_network(kind: str, name: str, addresses: Sequence[IPInterface]) -> Network:
    """The network of the VM `name`: `virtual` with these addresses.

    Raises: UsageError; NetworkError where it cannot be had.
    """
    if kind == "virtual":
        from ingen_runtime.network.virtual import VirtualVpc

        return VirtualVpc().attach(name, addresses or DEFAULT_ADDRESSES)
    raise UsageError(f"--network {kind}: it is virtual")
