"""`ingen:sdk/environment`: who and where a guest is, as its environment variables say."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Final

from ingen_runtime.kernel.process import Process
from ingen_runtime.sdk.bindings import types
from ingen_runtime.sdk.bindings.environment import Vm
from ingen_runtime.sdk.values import guest_address, host_address, invalid

DATA_FOLDERS: Final = "EVM_DATA_FOLDER"
PROCESS_DATA_FOLDERS: Final = "EGP_DATA_FOLDER"
REGION: Final = "EVM_LOC_REGION"
DATA_CENTER: Final = "EVM_LOC_DC"
CLUSTER: Final = "EVM_LOC_CLUSTER"
HOST: Final = "EVM_LOC_HOST"
NAME: Final = "EVM_NAME"
OWNER: Final = "EVM_OWNER"
ROLE: Final = "EVM_ROLE"
PRIVATE_IPV4: Final = "EVM_PRIVATE_IPV4"
PRIVATE_IPV6: Final = "EVM_PRIVATE_IPV6"


class Environment:
    """The interface, for one guest process."""

    def __init__(self, process: Process) -> None:
        self._process = process

    def get(self) -> Vm:
        return vm_of(self._process.environment)


def vm_of(variables: Mapping[str, str]) -> Vm:
    """What a guest's variables say.

    Raises: ErrorException with `invalid`, where one is missing that must not be, or is no address.
    """
    for name in (DATA_FOLDERS, PROCESS_DATA_FOLDERS, NAME, ROLE):
        if not variables.get(name, "").strip(","):
            raise invalid(f"{name} is not set")
    return Vm(
        _list(variables[DATA_FOLDERS]),
        _list(variables[PROCESS_DATA_FOLDERS]),
        variables.get(REGION, ""),
        variables.get(DATA_CENTER, ""),
        variables.get(CLUSTER, ""),
        variables.get(HOST, ""),
        variables[NAME],
        variables.get(OWNER, ""),
        variables[ROLE],
        _ipv4(variables.get(PRIVATE_IPV4, "")),
        _ipv6(variables.get(PRIVATE_IPV6, "")),
    )


def variables_of(vm: Vm) -> dict[str, str]:
    """The variables that say so: for the environment of a guest process in the VM."""
    ipv4, ipv6 = vm.primary_ipv4, vm.primary_ipv6
    return {
        DATA_FOLDERS: ",".join(vm.data_folders),
        PROCESS_DATA_FOLDERS: ",".join(vm.process_data_folders),
        REGION: vm.region,
        DATA_CENTER: vm.data_center,
        CLUSTER: vm.cluster,
        HOST: vm.host,
        NAME: vm.name,
        OWNER: vm.owner,
        ROLE: vm.role,
        PRIVATE_IPV4: "" if ipv4 is None else str(host_address(types.IpAddressIpv4(ipv4))),
        PRIVATE_IPV6: "" if ipv6 is None else str(host_address(types.IpAddressIpv6(ipv6))),
    }


def _list(text: str) -> list[str]:
    return [part for part in text.split(",") if part]


def _ipv4(text: str) -> types.Ipv4Address | None:
    if not text:
        return None
    try:
        found = guest_address(IPv4Address(text))
    except AddressValueError:
        raise invalid(f"{PRIVATE_IPV4} is {text!r}, which is no IPv4 address") from None
    assert isinstance(found, types.IpAddressIpv4)
    return found.value


def _ipv6(text: str) -> types.Ipv6Address | None:
    if not text:
        return None
    try:
        found = guest_address(IPv6Address(text))
    except AddressValueError:
        raise invalid(f"{PRIVATE_IPV6} is {text!r}, which is no IPv6 address") from None
    assert isinstance(found, types.IpAddressIpv6)
    return found.value
