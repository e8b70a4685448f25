"""An emulated VM: a name, a place, addresses, variables and folders, and the processes that run in it."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from ingen_emulator.removal import remove_tree
from ingen_runtime import Component, sdk
from ingen_runtime.frozen import frozen
from ingen_runtime.kernel.limits import Limits
from ingen_runtime.kernel.process import Folder, Process
from ingen_runtime.kernel.streams import InputStream, OutputStream
from ingen_runtime.network.interface import Network
from ingen_runtime.sdk.environment import PRIVATE_IPV4, PRIVATE_IPV6
from ingen_runtime.wasi.program import run_program

VM_FOLDER: Final = "/vm"
"""Where processes see the folder that all processes of their VM share."""
PROCESS_FOLDER: Final = "/process"
"""Where a process sees the folder that it has to itself."""


@frozen
class Place:
    """Where a VM is and whose it is; any of it may be empty."""

    region: str = ""
    data_center: str = ""
    cluster: str = ""
    host: str = ""
    owner: str = ""


class Vm:
    """A VM on a network. `name` and `role` are not empty.

    Its folder and those of its processes are temporary ones of the host: a process's goes with it, the VM's
    with `aclose`, which also leaves the network.

    Raises: ValueError where name or role is empty.
    """

    def __init__(
        self,
        name: str,
        network: Network,
        *,
        role: str = "vm",
        place: Place | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        if not name or not role:
            raise ValueError("the name and the role of a VM must not be empty")
        self.name = name
        self.network = network
        self._folder = Path(tempfile.mkdtemp(prefix="ingen-vm-"))
        (self._folder / "vm").mkdir()
        self.environment = {**_identity(name, role, place or Place(), network), **(environment or {})}
        """The variables that each process of the VM begins with."""

    async def run(
        self,
        program: Component,
        arguments: Sequence[str] = (),
        *,
        imports: Mapping[str, Any] | None = None,
        environment: Mapping[str, str] | None = None,
        folders: Sequence[Folder] = (),
        stdin: InputStream | None = None,
        stdout: OutputStream | None = None,
        stderr: OutputStream | None = None,
        limits: Limits | None = None,
        timeout_s: float | None = None,
    ) -> int:
        """Run a program as a guest process, to its end; returns its exit status.

        `arguments` begin with the program's name; `imports` are for what it imports beside WASI and the SDK.
        Cancelling the task ends the process.

        Raises: Trap, LinkError; FileError for a folder that cannot be opened; TimeoutError.
        """
        own = Path(tempfile.mkdtemp(prefix="process-", dir=self._folder))
        try:
            process = Process(
                arguments=arguments,
                environment={**self.environment, **(environment or {})},
                folders=[
                    Folder(self._folder / "vm", VM_FOLDER),
                    Folder(own, PROCESS_FOLDER),
                    *folders,
                ],
                stdin=stdin,
                stdout=stdout,
                stderr=stderr,
                network=self.network,
                limits=limits,
            )
            with process:
                provided = {**sdk.sdk_imports(process), **(imports or {})}
                async with asyncio.timeout(timeout_s):
                    return await run_program(program, process, provided)
        finally:
            await asyncio.to_thread(remove_tree, own)

    async def aclose(self) -> None:
        """Leave the network and remove the folders; may be called again."""
        try:
            await self.network.aclose()
        finally:
            await asyncio.to_thread(remove_tree, self._folder)

    async def __aenter__(self) -> Vm:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()


def _identity(name: str, role: str, place: Place, network: Network) -> dict[str, str]:
    """What tells a process who it is: the variables that the SDK reads."""
    addresses = [interface.ip for interface in network.interfaces]
    primary = {version: next((str(a) for a in addresses if a.version == version), "") for version in (4, 6)}
    vm = sdk.Vm(
        data_folders=[VM_FOLDER],
        process_data_folders=[PROCESS_FOLDER],
        region=place.region,
        data_center=place.data_center,
        cluster=place.cluster,
        host=place.host,
        name=name,
        owner=place.owner,
        role=role,
        primary_ipv4=None,
        primary_ipv6=None,
    )
    return {**sdk.variables_of(vm), PRIVATE_IPV4: primary[4], PRIVATE_IPV6: primary[6]}
