"""The host of `ingen:sdk`: gives a guest the network of its VM, and tells it who it is.

    component = Component.from_file("guest.wasm")
    linker = Linker(sdk_imports(network, {"EVM_NAME": "vm1", …}))
    instance = await linker.instantiate_async(component)

What has to be waited for suspends the guest, which has to have been called with `call_async`; what is there
at once, data above all, costs no turn of the event loop.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ingen_runtime.network.interface import Network
from ingen_runtime.sdk import bindings
from ingen_runtime.sdk.bindings.dns import AsyncDnsImports
from ingen_runtime.sdk.bindings.environment import AsyncEnvironmentImports, Vm
from ingen_runtime.sdk.bindings.icmp import AsyncIcmpImports
from ingen_runtime.sdk.bindings.tcp import AsyncTcpImports
from ingen_runtime.sdk.bindings.udp import AsyncUdpImports
from ingen_runtime.sdk.dns import Dns
from ingen_runtime.sdk.environment import Environment, variables_of, vm_of
from ingen_runtime.sdk.icmp import Icmp
from ingen_runtime.sdk.tcp import Tcp
from ingen_runtime.sdk.udp import Udp

__all__ = ["Vm", "sdk_imports", "variables_of", "vm_of"]


class _Host:
    def __init__(self, network: Network, environment: Mapping[str, str]) -> None:
        self.icmp: AsyncIcmpImports = Icmp(network)
        self.tcp: AsyncTcpImports = Tcp(network)
        self.udp: AsyncUdpImports = Udp(network)
        self.dns: AsyncDnsImports = Dns(network)
        self.environment: AsyncEnvironmentImports = Environment(environment)


def sdk_imports(network: Network, environment: Mapping[str, str]) -> dict[str, Any]:
    """All of `ingen:sdk`, for a guest in a VM on `network`: imports for a `Linker`.

    `environment` has the variables of the guest process; see `variables_of`.
    """
    return dict(bindings._ingen_imports(_Host(network, environment)))
