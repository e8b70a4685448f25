"""The host of `ingen:sdk`: gives a guest process the network of its VM, and tells it who it is.

    process = Process(network=network, environment=variables_of(vm))
    linker = Linker({**wasi_imports(process), **sdk_imports(process)})
    instance = await linker.instantiate_async(Component.from_file("guest.wasm"))

What has to be waited for suspends the guest, which has to have been called with `call_async`; what is there
at once, data above all, costs no turn of the event loop.
"""

from __future__ import annotations

from typing import Any

from ingen_runtime.kernel.process import Process
from ingen_runtime.sdk.bindings import Guest
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
    def __init__(self, process: Process) -> None:
        self.icmp: AsyncIcmpImports = Icmp(process)
        self.tcp: AsyncTcpImports = Tcp(process)
        self.udp: AsyncUdpImports = Udp(process)
        self.dns: AsyncDnsImports = Dns(process)
        self.environment: AsyncEnvironmentImports = Environment(process)


def sdk_imports(process: Process) -> dict[str, Any]:
    """All of `ingen:sdk` for a process, to be given to a `Linker`, with other imports if need be.

    What the guest leaves open is closed with the process.
    """
    return dict(Guest.imports(_Host(process)))
