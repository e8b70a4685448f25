"""Linux network namespaces, as VMs see them.

A socket stays in the namespace where it was made. So one thread for each namespace enters it once, and makes
all sockets there; everything else happens to them on the event loop. Looking names up may take long and has
threads of its own, which see `/etc` as `ip netns exec` shows it: files in `/etc/netns/NAME` stand in for
those of the same names.

Source: network_namespaces(7), setns(2), ip-netns(8).
"""

from __future__ import annotations

import asyncio
import ctypes
import errno
import os
import socket
import sys
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import BrokenExecutor, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

from ingen_runtime.network.errors import NetworkError, NetworkErrorKind
from ingen_runtime.network.host.errnos import network_error
from ingen_runtime.network.host.maker import SocketMaker
from ingen_runtime.network.host.network import EVERYTHING, HostNetwork
from ingen_runtime.network.host.ping import IcmpMode
from ingen_runtime.network.interface import DEFAULT_MAX_SOCKETS, IPInterface, IPNetwork

_NAMESPACES: Final = Path("/var/run/netns")
_FILES: Final = Path("/etc/netns")
_LOOKUP_THREADS: Final = 4

_CLONE_NEWNET: Final = 0x40000000
_CLONE_NEWNS: Final = 0x00020000
_MS_BIND: Final = 0x1000
_MS_REC: Final = 0x4000
_MS_SLAVE: Final = 0x80000


class NetnsNetwork(HostNetwork):
    """Sockets in a named network namespace, one of those that `ip netns add` makes."""

    __slots__ = ()

    def __init__(
        self,
        name: str,
        *,
        reachable: Iterable[IPNetwork] = EVERYTHING,
        resolve_names: bool = True,
        interfaces: Sequence[IPInterface] | None = None,
        max_sockets: int = DEFAULT_MAX_SOCKETS,
        connect_timeout_s: float = 60.0,
        icmp: IcmpMode | None = None,
    ) -> None:
        """As HostNetwork, for the namespace `name`.

        Raises: NetworkError NOT_FOUND where there is none; DENIED without the privileges to enter it.
        """
        super().__init__(
            reachable=reachable,
            resolve_names=resolve_names,
            interfaces=interfaces,
            max_sockets=max_sockets,
            connect_timeout_s=connect_timeout_s,
            icmp=icmp,
            maker=NetnsMaker(name),
        )


class NetnsMaker(SocketMaker):
    """Makes sockets and looks names up inside a network namespace."""

    def __init__(self, name: str) -> None:
        """Raises: NetworkError NOT_FOUND, DENIED, INVALID."""
        if sys.platform != "linux":
            raise NetworkError(NetworkErrorKind.INVALID, "network namespaces are a thing of Linux")
        if not name or "/" in name or name in {".", ".."}:
            raise NetworkError(NetworkErrorKind.INVALID, f"{name!r} is no name of a network namespace")
        try:
            self._fd = os.open(_NAMESPACES / name, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            raise NetworkError(
                NetworkErrorKind.NOT_FOUND,
                f"there is no network namespace {name}: `ip netns add {name}` makes it,"
                " `ip netns list` shows what is there",
            ) from None
        except OSError as error:
            raise network_error(error) from error
        # Waiting for this one thread is what making a socket costs: about 20 µs.
        self._sockets = ThreadPoolExecutor(1, f"netns-{name}")
        try:
            self._sockets.submit(_enter, self._fd).result()
        except OSError as error:
            self._sockets.shutdown()
            os.close(self._fd)
            if error.errno == errno.EPERM:
                raise NetworkError(
                    NetworkErrorKind.DENIED,
                    f"to enter the network namespace {name} takes CAP_SYS_ADMIN: run as root",
                ) from None
            if error.errno == errno.EINVAL:
                raise NetworkError(
                    NetworkErrorKind.NOT_FOUND, f"{_NAMESPACES / name} is no network namespace"
                ) from None
            raise network_error(error) from error
        self._files = _FILES / name
        # These start with the first lookup.
        self._lookups = ThreadPoolExecutor(
            _LOOKUP_THREADS, f"netns-{name}-lookup", _enter_with_files, (self._fd, self._files)
        )

    def open(self, family: int, type_: int, protocol: int = 0) -> socket.socket:
        made = self._sockets.submit(socket.socket, family, type_, protocol).result()
        made.setblocking(False)
        return made

    async def look_up(self, query: Callable[[], Any]) -> Any:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._lookups, query)
        except BrokenExecutor:
            raise NetworkError(
                NetworkErrorKind.DENIED, f"the files in {self._files} cannot stand in for those in /etc"
            ) from None

    async def aclose(self) -> None:
        self._sockets.shutdown()
        # A lookup under way may take long, and nobody waits for it any more.
        self._lookups.shutdown(wait=False, cancel_futures=True)
        os.close(self._fd)


def _enter(fd: int) -> None:
    """Move the calling thread into the namespace. Raises: OSError."""
    _checked(_libc().setns(fd, _CLONE_NEWNET))


def _enter_with_files(fd: int, files: Path) -> None:
    """Move the calling thread into the namespace, where `files` stand in for those of `/etc`.

    Raises: OSError.
    """
    _enter(fd)
    if not files.is_dir():
        return
    libc = _libc()
    _checked(libc.unshare(_CLONE_NEWNS))
    # Without this the mounts below would show everywhere.
    _checked(libc.mount(None, b"/", None, ctypes.c_ulong(_MS_SLAVE | _MS_REC), None))
    for file in sorted(files.iterdir()):
        covered = Path("/etc", file.name)
        if covered.exists():
            flags = ctypes.c_ulong(_MS_BIND)
            _checked(libc.mount(os.fsencode(file), os.fsencode(covered), None, flags, None))


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _checked(result: int) -> None:
    if result:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
