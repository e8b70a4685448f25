"""What TCP and UDP sockets of virtual networks have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from ingen_runtime.network.addresses import WILDCARD, check_local
from ingen_runtime.network.errors import NetworkError, NetworkErrorKind
from ingen_runtime.network.interface import Endpoint, Family, IPAddress, Option, Socket
from ingen_runtime.network.options import check_option, check_option_value
from ingen_runtime.network.virtual.ports import PortTable
from ingen_runtime.readiness import Signal

if TYPE_CHECKING:
    from ingen_runtime.network.virtual.network import VirtualNetwork

DEFAULTS: Final[Mapping[Option, int]] = {
    Option.TTL: 64,
    Option.RECEIVE_BUFFER: 256 * 1024,
    Option.SEND_BUFFER: 256 * 1024,
    Option.REUSE_ADDRESS: 0,
    Option.KEEP_ALIVE: 0,
    Option.KEEP_ALIVE_IDLE: 7200,
    Option.KEEP_ALIVE_INTERVAL: 75,
    Option.KEEP_ALIVE_COUNT: 9,
    Option.NO_DELAY: 0,
}
SMALLEST_BUFFER: Final = 4 * 1024
_LARGEST_BUFFER: Final = 4 * 1024 * 1024


class VirtualSocket(Socket):
    """A socket of a virtual network, with a local endpoint or still without."""

    __slots__ = (
        "_bound",
        "_claimed",
        "_closed",
        "_options",
        "family",
        "network",
        "readable",
        "receive_buffer",
        "send_buffer",
        "writable",
    )

    readable: Signal
    writable: Signal
    _is_tcp: bool

    def __init__(self, network: VirtualNetwork, family: Family) -> None:
        self.network = network
        self.family = family
        self.readable = Signal(self._is_readable)
        self.writable = Signal(self._is_writable)
        self._set_options(DEFAULTS)
        self._claimed: PortTable[VirtualSocket] | None = None  # where `_bound` is ours
        self._bound: Endpoint | None = None
        self._closed = False

    @abstractmethod
    def _is_readable(self) -> bool: ...

    @abstractmethod
    def _is_writable(self) -> bool: ...

    @property
    def exclusive(self) -> bool:
        """Whether nobody may share the port."""
        return not self._options[Option.REUSE_ADDRESS]

    def overlaps(self, address: IPAddress) -> bool:
        """Whether what arrives at this address may be for this socket."""
        wildcard = WILDCARD[self.family]
        return self._bound is not None and (
            self._bound.address == address or address == wildcard or self._bound.address == wildcard
        )

    def bind(self, local: Endpoint) -> None:
        self._check_open()
        check_local(local, self.family)
        if self._bound is not None:
            raise NetworkError(NetworkErrorKind.INVALID, "it is bound already")
        if local.address != WILDCARD[self.family] and not self.network.owns(local.address):
            raise NetworkError(NetworkErrorKind.INVALID, f"the VM does not have the address {local.address}")
        self._claim(local)

    def _claim(self, local: Endpoint) -> None:
        ports = self.network.ports(self._is_tcp, self.family)
        self._bound = ports.claim(self, local)
        self._claimed = ports

    def _claim_any(self) -> Endpoint:
        """The local endpoint: a free port of every address where it has none yet."""
        if self._bound is None:
            self._claim(Endpoint(WILDCARD[self.family], 0))
            assert self._bound is not None
        return self._bound

    def local(self) -> Endpoint:
        self._check_open()
        if self._bound is None:
            raise NetworkError(NetworkErrorKind.INVALID, "it is not bound yet")
        return self._bound

    def get_option(self, option: Option) -> int:
        self._check_open()
        check_option(option, tcp=self._is_tcp)
        return self._options[option]

    def set_option(self, option: Option, value: int) -> None:
        self._check_open()
        check_option_value(option, value, tcp=self._is_tcp)
        if option in {Option.RECEIVE_BUFFER, Option.SEND_BUFFER}:
            value = min(max(value, SMALLEST_BUFFER), _LARGEST_BUFFER)
        self._set_options({**self._options, option: value})

    def _set_options(self, options: Mapping[Option, int]) -> None:
        self._options = options
        # These two are needed with every packet, and looking an option up calls the hash of an enum.
        self.receive_buffer = options[Option.RECEIVE_BUFFER]
        self.send_buffer = options[Option.SEND_BUFFER]

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        self._give_up()
        if self._claimed is not None and self._bound is not None:
            self._claimed.release(self, self._bound.port)
        self.network.forget(self)
        self._wake()

    @abstractmethod
    def _give_up(self) -> None:
        """Tell the peers, if any, and drop what has arrived."""

    def _check_open(self) -> None:
        if self._closed:
            raise NetworkError(NetworkErrorKind.CLOSED)

    def _wake(self) -> None:
        self.readable.wake_all()
        self.writable.wake_all()
