"""`ingen:sdk/dns`: names."""

from __future__ import annotations

from ingen_runtime.network.interface import Network
from ingen_runtime.sdk.bindings import types
from ingen_runtime.sdk.values import FAILURES, guest_address


class Dns:
    """The interface, for the guests on a network."""

    def __init__(self, network: Network) -> None:
        self._network = network

    async def lookup(self, name: str) -> list[types.IpAddress]:
        with FAILURES:
            return [guest_address(address) for address in await self._network.lookup(name)]
