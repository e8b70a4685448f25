"""How packets get from one VM to another."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from ingen_runtime.frozen import frozen
from ingen_runtime.network.interface import IPAddress

if TYPE_CHECKING:
    from ingen_runtime.network.virtual.network import VirtualNetwork


class Protocol(enum.Enum):
    """What a packet belongs to."""

    ICMP = "icmp"
    TCP = "tcp"
    UDP = "udp"


@frozen(eq=False)
class Path:
    """The way from an address of a VM to another address, direct or through the router."""

    source: IPAddress
    destination: IPAddress
    router: IPAddress | None  # the address that the sender knows it by; None where it is not passed
    target: VirtualNetwork | None  # who has the destination; None where nobody has it

    @property
    def hops(self) -> int:
        """How many routers are passed."""
        return 0 if self.router is None else 1

    def back(self, target: VirtualNetwork) -> Path:
        """The way back to the VM at the source."""
        return Path(self.destination, self.source, self.router, target)
