"""Who and where this process is."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

from .addresses import ipv4, ipv6
from .bindings import NoHost, environment
from .errors import InvalidError, raising


@dataclass(frozen=True)
class EgpEnv:
    """Who and where this guest process is.

    Texts are empty where the VM was given none; the name, the role and both lists of folders never are.
    """

    vm_data_folders: tuple[Path, ...]
    """Folders of the VM, which all its processes share."""
    process_data_folders: tuple[Path, ...]
    """Folders of this process."""
    region: str
    data_center: str
    cluster: str
    host: str
    vm_name: str
    owner: str
    role: str
    ipv4: IPv4Address | None
    """The VM's primary IPv4 address."""
    ipv6: IPv6Address | None
    """The VM's primary IPv6 address."""

    @classmethod
    def get(cls) -> EgpEnv:
        """What the host says; outside of a guest, what the variables of the process say.

        Raises: InvalidError where something is missing that must not be.
        """
        try:
            return cls._from_host()
        except NoHost:
            return cls.from_variables(os.environ)

    @classmethod
    @raising
    def _from_host(cls) -> EgpEnv:
        vm = environment.get()
        return cls(
            tuple(map(Path, vm.data_folders)),
            tuple(map(Path, vm.process_data_folders)),
            vm.region,
            vm.data_center,
            vm.cluster,
            vm.host,
            vm.name,
            vm.owner,
            vm.role,
            None if vm.primary_ipv4 is None else ipv4(vm.primary_ipv4),
            None if vm.primary_ipv6 is None else ipv6(vm.primary_ipv6),
        )

    @classmethod
    def from_variables(cls, variables: Mapping[str, str]) -> EgpEnv:
        """What variables say, as a host would: `EVM_NAME`, `EVM_ROLE`, `EVM_DATA_FOLDER` and so on.

        Raises: InvalidError.
        """

        def text(name: str) -> str:
            return variables.get(name, "")

        def needed(name: str) -> str:
            if not text(name):
                raise InvalidError(f"{name} is not set")
            return text(name)

        def folders(name: str) -> tuple[Path, ...]:
            found = tuple(Path(part) for part in text(name).split(",") if part)
            if not found:
                raise InvalidError(f"{name} is not set")
            return found

        return cls(
            folders("EVM_DATA_FOLDER"),
            folders("EGP_DATA_FOLDER"),
            text("EVM_LOC_REGION"),
            text("EVM_LOC_DC"),
            text("EVM_LOC_CLUSTER"),
            text("EVM_LOC_HOST"),
            needed("EVM_NAME"),
            text("EVM_OWNER"),
            needed("EVM_ROLE"),
            _ipv4(text("EVM_PRIVATE_IPV4")),
            _ipv6(text("EVM_PRIVATE_IPV6")),
        )


def _ipv4(text: str) -> IPv4Address | None:
    try:
        return IPv4Address(text) if text else None
    except ValueError:
        raise InvalidError(f"EVM_PRIVATE_IPV4 is {text!r}, which is no such address") from None


def _ipv6(text: str) -> IPv6Address | None:
    try:
        return IPv6Address(text) if text else None
    except ValueError:
        raise InvalidError(f"EVM_PRIVATE_IPV6 is {text!r}, which is no such address") from None
