"""`ingen:sdk/dns`: names."""

from __future__ import annotations

from ingen_runtime.kernel.process import Process
from ingen_runtime.sdk.bindings import types
from ingen_runtime.sdk.sockets import network_of
from ingen_runtime.sdk.values import FAILURES, guest_address


class Dns:
    """The interface, for one guest process."""

    def __init__(self, process: Process) -> None:
        self._process = process

    async def lookup(self, name: str) -> list[types.IpAddress]:
        with FAILURES:
            return [guest_address(address) for address in await network_of(self._process).lookup(name)]
