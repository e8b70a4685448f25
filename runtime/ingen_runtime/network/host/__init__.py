"""The network of the machine itself: real sockets."""

from __future__ import annotations

from ingen_runtime.network.host.network import HostNetwork
from ingen_runtime.network.host.ping import IcmpMode

__all__ = ["HostNetwork", "IcmpMode"]
