"""Others on a network: a name server that knows nobody, and somebody who finds fault with every datagram."""

from __future__ import annotations

import asyncio
import socket
import struct
from abc import abstractmethod
from ipaddress import IPv4Address, ip_address

from ingen_runtime.network.errors import NetworkError, NetworkErrorKind
from ingen_runtime.network.icmp import checksum
from ingen_runtime.network.interface import Endpoint, Family, Network
from ingen_runtime.network.netns import NetnsMaker
from ingen_runtime.readiness import wait


class _Peer:
    """Answers datagrams at an address. A context manager."""

    def __init__(self, network: Network, local: Endpoint) -> None:
        self._socket = network.udp_socket(Family.IPV4)
        self._socket.bind(local)
        self._task: asyncio.Task[None] | None = None

    @property
    def local(self) -> Endpoint:
        """Where it answers."""
        return self._socket.local()

    async def __aenter__(self) -> None:
        self._task = asyncio.create_task(self._serve())

    async def __aexit__(self, *exc_info: object) -> None:
        assert self._task is not None
        self._task.cancel()
        self._socket.close()

    async def _serve(self) -> None:
        while True:
            await wait(self._socket.readable)
            try:
                self._answer(*self._socket.receive_from(512))
            except NetworkError as error:
                assert error.kind is NetworkErrorKind.WOULD_BLOCK

    @abstractmethod
    def _answer(self, datagram: bytes, client: Endpoint) -> None: ...


class NameServer(_Peer):
    """Says that no name is there. Source: RFC 1035."""

    def __init__(self, network: Network, address: str) -> None:
        super().__init__(network, Endpoint(ip_address(address), 53))

    def _answer(self, datagram: bytes, client: Endpoint) -> None:
        name = datagram[12:].partition(b"\0")[0]
        question = datagram[12 : 12 + len(name) + 5]
        no_such_name = b"\x81\x83"  # a response, with recursion
        self._socket.send_to(datagram[:2] + no_such_name + b"\0\1\0\0\0\0\0\0" + question, client)


class FaultFinder(_Peer):
    """Answers with ICMP's `parameter problem`, which Linux tells the sender. Source: RFC 792."""

    def __init__(self, network: Network, address: str, namespace: str) -> None:
        super().__init__(network, Endpoint(ip_address(address), 0))
        self._maker = NetnsMaker(namespace)
        self._raw = self._maker.open(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)

    async def __aexit__(self, *exc_info: object) -> None:
        await super().__aexit__(*exc_info)
        self._raw.close()
        await self._maker.aclose()

    def _answer(self, datagram: bytes, client: Endpoint) -> None:
        local = self.local
        assert isinstance(local.address, IPv4Address), "both are"
        addresses = client.address.packed + local.address.packed
        length = 8 + len(datagram)
        quoted = struct.pack("!BxHxxxxBBxx", 0x45, 20 + length, 64, socket.IPPROTO_UDP) + addresses
        quoted += struct.pack("!HHHxx", client.port, local.port, length)
        packet = struct.pack("!BBHBxxx", 12, 0, 0, 20) + quoted
        packet = packet[:2] + struct.pack("!H", checksum(packet)) + packet[4:]
        self._raw.sendto(packet, (str(client.address), 0))
