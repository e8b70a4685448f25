"""Networks inside this process: VPCs with subnets, VMs with addresses. They need no privileges."""

from __future__ import annotations

from ingen_runtime.network.virtual.network import VirtualNetwork
from ingen_runtime.network.virtual.paths import Path, Protocol
from ingen_runtime.network.virtual.vpc import VirtualVpc

__all__ = ["Path", "Protocol", "VirtualNetwork", "VirtualVpc"]
