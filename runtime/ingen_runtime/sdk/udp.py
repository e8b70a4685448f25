"""`ingen:sdk/udp`: datagrams."""

from __future__ import annotations

from collections.abc import Awaitable
from functools import partial
from typing import Final

from ingen_runtime.kernel.process import Process
from ingen_runtime.network.addresses import family_of
from ingen_runtime.network.interface import UdpSocket
from ingen_runtime.sdk.bindings import types
from ingen_runtime.sdk.bindings.udp import AsyncSocket, BindOptions, Datagram
from ingen_runtime.sdk.sockets import LARGEST_READ, AddressedSocket, network_of, set_options
from ingen_runtime.sdk.values import FAILURES, guest_endpoint, host_endpoint
from ingen_runtime.waiting import may_wait

_BIND_DEFAULTS: Final = BindOptions(False, None, None, False)


class Udp:
    """The interface, for one guest process."""

    def __init__(self, process: Process) -> None:
        class Socket(GuestUdpSocket):
            __slots__ = ()

            @staticmethod
            def bind(local: types.Endpoint, options: BindOptions | None) -> Socket:
                options = options or _BIND_DEFAULTS
                with FAILURES:
                    return Socket(process, _bind(process, local, options), non_blocking=options.non_blocking)

        self.socket: type[AsyncSocket] = Socket


class GuestUdpSocket(AddressedSocket[UdpSocket]):
    """A bound socket."""

    __slots__ = ()

    def connect(self, remote: types.Endpoint | None) -> None:
        with FAILURES:
            self._socket.connect(None if remote is None else host_endpoint(remote))

    @may_wait
    def receive(self, limit: int) -> Datagram | Awaitable[Datagram]:
        return self._now_or_later(partial(self._receive, min(limit, LARGEST_READ)), self._socket.readable)

    @may_wait
    def send(self, data: bytes, remote: types.Endpoint | None) -> Awaitable[None] | None:
        there = None if remote is None else host_endpoint(remote)
        return self._now_or_later(partial(self._socket.send_to, data, there), self._socket.writable)

    def _receive(self, limit: int) -> Datagram:
        data, remote = self._socket.receive_from(limit)
        return Datagram(data, guest_endpoint(remote))


def _bind(process: Process, local: types.Endpoint, options: BindOptions) -> UdpSocket:
    here = host_endpoint(local)
    socket = network_of(process).udp_socket(family_of(here.address))
    try:
        set_options(
            socket,
            reuse=options.reuse_address,
            receive_buffer=options.receive_buffer,
            send_buffer=options.send_buffer,
        )
        socket.bind(here)
    except BaseException:
        socket.close()
        raise
    return socket
