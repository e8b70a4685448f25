"""Virtual private clouds: subnets, the VMs in them, and the router between."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from ipaddress import IPv4Address
from typing import Final, TypeVarTuple

from ingen_runtime.frozen import frozen
from ingen_runtime.network.errors import NetworkError, NetworkErrorKind
from ingen_runtime.network.interface import DEFAULT_MAX_SOCKETS, IPAddress, IPInterface, IPNetwork
from ingen_runtime.network.names import canonical_name
from ingen_runtime.network.virtual.network import VirtualNetwork, loopback_path
from ingen_runtime.network.virtual.paths import Path, Protocol

Ts = TypeVarTuple("Ts")

DEFAULT_BUFFER_BYTES: Final = 64 * 1024 * 1024
# A network and a broadcast address, and two more: one for a VM beside the router.
_SMALLEST_ROUTED: Final = 4


@frozen
class Subnet:
    """A range of addresses whose owners reach each other without a router."""

    range: IPNetwork
    router: IPAddress | None  # None where the subnet has no way out


class VirtualVpc:
    """A network of VMs of its own: no other VPC sees it, and another may have the same addresses.

    One router joins all subnets. It takes part where VMs are in different ones: it counts the TTL down, and
    answers pings at its addresses. There is no way out of the VPC.
    """

    def __init__(self, name: str = "vpc", *, connect_timeout_s: float = 60.0) -> None:
        """`name` stands in the VMs' names: `<vm>.<name>.internal`.

        Raises: NetworkError INVALID where it is no name.
        """
        self.name = canonical_name(name)
        self.connect_timeout_s = connect_timeout_s
        self.version = 0  # counts the changes that make found paths stale
        self._subnets: dict[tuple[int, int], dict[int, Subnet]] = {}  # by version and prefix, by prefix bits
        self._vms: dict[str, VirtualNetwork] = {}
        self._owners: dict[IPAddress, VirtualNetwork] = {}
        self._router = VirtualNetwork(self, "", (), 0, 0)

    def add_subnet(self, range_: IPNetwork, router: IPAddress | None = None) -> Subnet:
        """Add a subnet whose router has this address; by default the last one that a host can have.

        Subnets of fewer than four addresses have no router unless one is named.

        Raises: NetworkError INVALID where it overlaps another, or the router is not in it.
        """
        return self._add_subnet(range_, router or _default_router(range_, frozenset()))

    def _add_subnet(self, range_: IPNetwork, router: IPAddress | None) -> Subnet:
        known = self._subnet_of(range_.network_address)
        if known is not None or self._has_subnet_in(range_):
            raise NetworkError(NetworkErrorKind.INVALID, f"another subnet of {self.name} overlaps {range_}")
        if router is not None:
            if router not in range_:
                raise NetworkError(NetworkErrorKind.INVALID, f"{router} cannot be the router of {range_}")
            self._owners[router] = self._router
        subnet = Subnet(range_, router)
        self._by_prefix(range_)[_prefix_bits(range_.network_address, range_.prefixlen)] = subnet
        self.version += 1
        return subnet

    def attach(
        self,
        name: str,
        interfaces: Iterable[IPInterface],
        *,
        max_sockets: int = DEFAULT_MAX_SOCKETS,
        buffer_bytes: int = DEFAULT_BUFFER_BYTES,
    ) -> VirtualNetwork:
        """Put a VM into the VPC; subnets of its addresses that are not there yet are added.

        Their routers have the last addresses that are not the VM's.

        Once `buffer_bytes` wait unread in its sockets, each gets only a little more.

        Raises: NetworkError IN_USE where the name or an address is taken; INVALID where an address is that of
        a network or for broadcasts, or a subnet overlaps another.
        """
        label = canonical_name(name)
        if label in self._vms:
            raise NetworkError(NetworkErrorKind.IN_USE, f"{self.name} has a VM {name} already")
        taken = tuple(interfaces)
        for interface in taken:
            self._check_free(interface)
        addresses = frozenset(interface.ip for interface in taken)
        if len(addresses) != len(taken):
            raise NetworkError(NetworkErrorKind.INVALID, f"{name} has an address twice")
        for interface in taken:
            subnet = self._subnet_of(interface.ip)
            if subnet is None or subnet.range != interface.network:
                self._add_subnet(interface.network, _default_router(interface.network, addresses))
        network = VirtualNetwork(self, label, taken, max_sockets, buffer_bytes)
        self._vms[label] = network
        self._owners |= {interface.ip: network for interface in taken}
        self.version += 1
        return network

    def detach(self, name: str) -> None:
        """Take a VM off the network: its sockets are closed, its peers see reset connections.

        Raises: NetworkError NOT_FOUND.
        """
        network = self._vms.get(canonical_name(name))
        if network is None:
            raise NetworkError(NetworkErrorKind.NOT_FOUND, f"{self.name} has no VM {name}")
        network.detach()

    def forget(self, network: VirtualNetwork) -> None:
        """Give a VM's name and addresses free. For VirtualNetwork alone."""
        del self._vms[network.name]
        for interface in network.interfaces:
            del self._owners[interface.ip]
        self.version += 1

    def resolve(self, name: str) -> tuple[IPAddress, ...]:
        """The addresses of the VM with this canonical name, alone or with the VPC's.

        Raises: NetworkError NOT_FOUND.
        """
        network = self._vms.get(name) or self._vms.get(name.removesuffix(f".{self.name}.internal"))
        if network is None or not network.interfaces:
            raise NetworkError(NetworkErrorKind.NOT_FOUND, f"{self.name} has no VM {name}")
        return tuple(interface.ip for interface in network.interfaces)

    def find_path(self, network: VirtualNetwork, destination: IPAddress) -> Path:
        """The way from a VM to an address.

        Raises: NetworkError UNREACHABLE where there is none, DENIED for broadcasts.
        """
        if network.owns(destination):
            return loopback_path(network, destination)
        subnet = self._subnet_of(destination)
        if _is_broadcast(destination, subnet):
            raise NetworkError(NetworkErrorKind.DENIED, f"{destination} is for broadcasts")
        target = self._owners.get(destination)
        if subnet is not None:
            for interface in network.interfaces:
                if interface.network == subnet.range:
                    return Path(interface.ip, destination, None, target)
            for interface in network.interfaces:
                gateway = self._subnet_of(interface.ip)
                if interface.version == destination.version and gateway is not None and gateway.router:
                    passed = None if target is self._router else gateway.router
                    return Path(interface.ip, destination, passed, target)
        raise NetworkError(NetworkErrorKind.UNREACHABLE, f"there is no route to {destination}")

    def carry(
        self, path: Path, protocol: Protocol, size: int, arrive: Callable[[*Ts], object], *args: *Ts
    ) -> None:
        """Have a packet arrive: the one place where all pass, except those that a router gives up.

        `size` counts bytes of payload. Packets of one connection have to arrive in order, and all of them.
        """
        arrive(*args)

    def _check_free(self, interface: IPInterface) -> None:
        owner = self._owners.get(interface.ip)
        if owner is not None:
            whose = "the router" if owner is self._router else f"the VM {owner.name}"
            raise NetworkError(NetworkErrorKind.IN_USE, f"{interface.ip} is the address of {whose} already")
        subnet = interface.network
        is_reserved = subnet.num_addresses >= _SMALLEST_ROUTED and (
            interface.ip == subnet.network_address or _is_broadcast(interface.ip, Subnet(subnet, None))
        )
        if (
            is_reserved
            or interface.ip.is_loopback
            or interface.ip.is_multicast
            or interface.ip.is_unspecified
        ):
            raise NetworkError(NetworkErrorKind.INVALID, f"no VM can have the address {interface}")

    def _by_prefix(self, range_: IPNetwork) -> dict[int, Subnet]:
        return self._subnets.setdefault((range_.version, range_.prefixlen), {})

    def _subnet_of(self, address: IPAddress) -> Subnet | None:
        for (version, prefix), subnets in self._subnets.items():
            if version == address.version:
                subnet = subnets.get(_prefix_bits(address, prefix))
                if subnet is not None:
                    return subnet
        return None

    def _has_subnet_in(self, range_: IPNetwork) -> bool:
        bits = _prefix_bits(range_.network_address, range_.prefixlen)
        return any(
            key >> (prefix - range_.prefixlen) == bits
            for (version, prefix), subnets in self._subnets.items()
            if version == range_.version and prefix >= range_.prefixlen
            for key in subnets
        )


def _prefix_bits(address: IPAddress, prefix: int) -> int:
    return int(address) >> (address.max_prefixlen - prefix)


def _default_router(range_: IPNetwork, taken: frozenset[IPAddress]) -> IPAddress | None:
    if range_.num_addresses < _SMALLEST_ROUTED:
        return None
    last = -2 if range_.version == 4 else -1  # in IPv4 the very last one is for broadcasts
    while range_[last] in taken:
        last -= 1
    return range_[last]


def _is_broadcast(address: IPAddress, subnet: Subnet | None) -> bool:
    if not isinstance(address, IPv4Address):
        return False
    return int(address) == 0xFFFFFFFF or (
        subnet is not None
        and subnet.range.num_addresses >= _SMALLEST_ROUTED
        and address == subnet.range.broadcast_address
    )
