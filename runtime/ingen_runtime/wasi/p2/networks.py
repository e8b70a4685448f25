"""`wasi:sockets`: the network of a process, and the names on it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Final, cast, final

from ingen_runtime.kernel.process import Process
from ingen_runtime.network.errors import NetworkError, NetworkErrorKind
from ingen_runtime.network.interface import IPAddress
from ingen_runtime.network.interface import Network as KernelNetwork
from ingen_runtime.readiness import Signal
from ingen_runtime.wasi.p2.addresses import CODES, address, refused
from ingen_runtime.wasi.p2.bindings import error as error_bindings
from ingen_runtime.wasi.p2.bindings import network as bindings
from ingen_runtime.wasi.p2.bindings.instance_network import AsyncInstanceNetworkImports
from ingen_runtime.wasi.p2.bindings.ip_name_lookup import AsyncIpNameLookupImports
from ingen_runtime.wasi.p2.bindings.network import (
    AsyncNetworkImports,
    ErrorCode,
    ErrorCodeException,
    IpAddress,
)
from ingen_runtime.wasi.p2.poll import Pollable
from ingen_runtime.wasi.p2.resources import Resource
from ingen_runtime.wasi.p2.streams import Error
from ingen_runtime.wasi.p2.tcp import network_of


@final
class Network(Resource):
    """The right to use the network of the process."""

    __slots__ = ()


class Networks(AsyncNetworkImports):
    """Implements `wasi:sockets/network`."""

    network = Network

    def network_error_code(self, err: error_bindings.AsyncError) -> ErrorCode | None:
        cause = cast(Error, err).cause
        return CODES[cause.kind] if isinstance(cause, NetworkError) else None


class InstanceNetwork(AsyncInstanceNetworkImports):
    """Implements `wasi:sockets/instance-network`."""

    def instance_network(self) -> Network:
        return Network()


@final
class ResolveAddressStream(Resource):
    """The addresses of a name, looked up in the background. While that goes on, it counts as a socket."""

    __slots__ = ("_addresses", "_process", "_signal", "_task")

    def __init__(self, process: Process, network: KernelNetwork, name: str) -> None:
        super().__init__()
        self._process = process
        self._addresses: Iterator[IPAddress] | None = None
        process.sockets.check_room()
        self._task = asyncio.ensure_future(network.lookup(name))
        self._signal = Signal(self._task.done)
        self._task.add_done_callback(self._done)
        process.sockets.add(self)

    def _done(self, task: asyncio.Task[tuple[IPAddress, ...]]) -> None:
        self._process.sockets.discard(self)
        if not task.cancelled():
            task.exception()  # so that asyncio does not tell what the guest may not want to know
        self._signal.wake_all()

    def resolve_next_address(self) -> IpAddress | None:
        # The callback may not have run yet, so the task itself is asked.
        if not self._task.done():
            raise ErrorCodeException(ErrorCode.WOULD_BLOCK)
        if self._addresses is None:
            try:
                self._addresses = iter(self._task.result())
            except NetworkError as error:
                code = _LOOKUP_CODES.get(error.kind, ErrorCode.PERMANENT_RESOLVER_FAILURE)
                raise ErrorCodeException(code) from None
        found = next(self._addresses, None)
        return None if found is None else address(found)

    def subscribe(self) -> Pollable:
        return Pollable(self._signal, self)

    def close(self) -> None:
        """Stop looking up; may be called again."""
        self._task.cancel()

    def _release(self) -> None:
        self.close()


_LOOKUP_CODES: Final = {
    NetworkErrorKind.NOT_FOUND: ErrorCode.NAME_UNRESOLVABLE,
    NetworkErrorKind.INVALID: ErrorCode.INVALID_ARGUMENT,
    NetworkErrorKind.DENIED: ErrorCode.ACCESS_DENIED,
    NetworkErrorKind.TIMED_OUT: ErrorCode.TEMPORARY_RESOLVER_FAILURE,
    NetworkErrorKind.UNREACHABLE: ErrorCode.TEMPORARY_RESOLVER_FAILURE,
}


class IpNameLookup(AsyncIpNameLookupImports):
    """Implements `wasi:sockets/ip-name-lookup`."""

    resolve_address_stream = ResolveAddressStream

    def __init__(self, process: Process) -> None:
        self._process = process

    def resolve_addresses(self, network: bindings.AsyncNetwork, name: str) -> ResolveAddressStream:
        try:
            ascii_name = name if name.isascii() else name.encode("idna").decode("ascii")
        except UnicodeError:
            raise ErrorCodeException(ErrorCode.INVALID_ARGUMENT) from None
        if not ascii_name or len(ascii_name) > _NAME_LIMIT or any(letter <= " " for letter in ascii_name):
            raise ErrorCodeException(ErrorCode.INVALID_ARGUMENT)
        try:
            return ResolveAddressStream(self._process, network_of(self._process), ascii_name)
        except NetworkError as error:
            raise refused(error) from None


_NAME_LIMIT: Final = 253
"""Characters of a name."""
