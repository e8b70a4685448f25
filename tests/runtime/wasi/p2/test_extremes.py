"""Whatever a guest passes, it gets an answer of WASI or traps: no error of Python comes out."""

from __future__ import annotations

import contextlib
import inspect
import random
from collections.abc import Callable
from importlib import import_module
from ipaddress import ip_interface
from pathlib import Path
from typing import Any

import pytest

from ingen_runtime.canonical import Err, Ok, ResultError
from ingen_runtime.errors import Trap
from ingen_runtime.kernel.limits import Limits
from ingen_runtime.kernel.memory_streams import BytesInput, Pipe
from ingen_runtime.kernel.process import Folder, Process, ProcessExit
from ingen_runtime.network.virtual import VirtualVpc
from ingen_runtime.wasi.p2.bindings import network, tcp, types, udp
from ingen_runtime.wasi.p2.bindings.wall_clock import Datetime
from ingen_runtime.wasi.p2.imports import Wasi
from ingen_runtime.wasi.p2.resources import Resource
from tests.runtime.wasi.p2.asynchronous import running

CALLS = 4000
U64 = (0, 1, 2, 5, 100, 4096, 4097, 65_536, 1 << 20, (1 << 31) - 1, 1 << 31, 1 << 32, (1 << 63) - 1, 1 << 63)
NAMES = (
    "",
    ".",
    "..",
    "/",
    "file",
    "folder",
    "folder/file",
    "link",
    "new",
    "a\0b",
    "x" * 300,
    "ü",
    "file/",
    "//",
)
"""Paths and names of hosts."""


class Guest:
    """Calls functions at random, with what it has got and with numbers at the edges."""

    def __init__(self, wasi: Wasi, seed: int) -> None:
        self.random = random.Random(seed)
        self.resources: list[Resource] = []
        self.functions: list[Callable[..., Any]] = []
        for name, interface in vars(wasi).items():
            if not name.startswith("_"):
                module = import_module(f"ingen_runtime.wasi.p2.bindings.{name}")
                declared = [getattr(interface, each) for each in module._INGEN_IMPORTS.values()]
                self.functions += [each for each in declared if inspect.ismethod(each)]

    def call(self) -> Any:
        """Call something; what it returns, unless it is an error of WASI."""
        if self.resources and self.random.random() < 0.7:
            kind = self.random.choice(sorted({type(each).__name__ for each in self.resources}))
            resource = self.random.choice(self.of(kind))
            functions = _methods(resource)
            if self.random.random() < 0.1 or len(self.resources) > 60 or not functions:
                self.resources.remove(resource)
                return resource.drop()
            function = self.random.choice(functions)
        else:
            function = self.random.choice(self.functions)
        arguments = [
            self.value(str(each.annotation)) for each in inspect.signature(function).parameters.values()
        ]
        return function(*arguments)

    def value(self, annotation: str) -> Any:
        """A value for a parameter."""
        pick = self.random.choice
        match annotation.rpartition(".")[2]:
            case "int":
                return pick((*U64, (1 << 64) - 1))
            case "bool":
                return pick((True, False))
            case "str":
                return pick(NAMES)
            case "bytes":
                return bytes(pick((0, 1, 100, 4096, 5000)))
            case "DescriptorFlags" | "OpenFlags" | "PathFlags" as name:
                class_ = getattr(types, name)
                return class_(self.random.getrandbits(len(class_)))
            case "Advice":
                return pick(list(types.Advice))
            case "IpAddressFamily":
                return pick(list(network.IpAddressFamily))
            case "ShutdownType":
                return pick(list(tcp.ShutdownType))
            case "NewTimestamp":
                time = types.NewTimestampTimestamp(Datetime(pick(U64), pick((0, 999_999_999, (1 << 32) - 1))))
                return pick((types.NewTimestampNoChange(), types.NewTimestampNow(), time))
            case "Datetime":
                return Datetime(pick(U64), 0)
            case "IpSocketAddress":
                return self.address()
            case "IpSocketAddress | None":
                return pick((None, self.address()))
            case "list[OutgoingDatagram]":
                return [udp.OutgoingDatagram(b"x", pick((None, self.address())))] * pick((0, 1, 20))
            case "Sequence[bindings.AsyncPollable]" | "AsyncPollable]":
                return self.of("Pollable")[: pick((0, 1, 3))]
            case name if name.startswith("Async"):
                found = self.of(name.removeprefix("Async"))
                if not found:
                    raise NothingOfTheKind
                return pick(found)
            case _:
                return pick((Ok(), Err()))

    def of(self, name: str) -> list[Resource]:
        """The resources of a class."""
        return [each for each in self.resources if type(each).__name__ == name]

    def address(self) -> network.IpSocketAddress:
        """An address with a port."""
        pick = self.random.choice
        port = pick((0, 1, 80, 65_535))
        if pick((True, False)):
            four = pick(((0, 0, 0, 0), (10, 0, 0, 2), (10, 0, 0, 3), (127, 0, 0, 1), (255, 255, 255, 255)))
            return network.IpSocketAddressIpv4(network.Ipv4SocketAddress(port, four))
        last = pick((0, 1, 2, 65_535))
        eight = (pick((0, 0xFD00, 0xFE80, 0xFF02)), 0, 0, 0, 0, pick((0, 0xFFFF)), 0, last)
        scope = pick((0, 1, (1 << 32) - 1))
        return network.IpSocketAddressIpv6(network.Ipv6SocketAddress(port, 0, eight, scope))

    def keep(self, found: Any) -> None:
        """Keep the resources in a result."""
        match found:
            case Resource():
                self.resources.append(found)
            case tuple() | list():
                for each in found[:100]:
                    self.keep(each)


def _methods(resource: Resource) -> list[Callable[..., Any]]:
    members = inspect.getmembers(resource, inspect.ismethod)
    return [method for name, method in members if not name.startswith("_") and name not in ("drop", "close")]


class NothingOfTheKind(Exception):
    """There is no resource yet that could be passed."""


def begin(wasi: Wasi) -> list[object]:
    """What it would take a guest at random long to get."""
    ((folder, _),) = wasi.preopens.get_directories()
    files = [
        folder.open_at(types.PathFlags(0), "file", types.OpenFlags(0), flags)
        for flags in (types.DescriptorFlags(1), types.DescriptorFlags(2), types.DescriptorFlags(3)) * 2
    ]
    handle = wasi.instance_network.instance_network()
    udp_socket = wasi.udp_create_socket.create_udp_socket(network.IpAddressFamily.IPV4)
    tcp_socket = wasi.tcp_create_socket.create_tcp_socket(network.IpAddressFamily.IPV4)
    for socket in (udp_socket, tcp_socket):
        socket.start_bind(handle, network.IpSocketAddressIpv4(network.Ipv4SocketAddress(80, (0, 0, 0, 0))))
        socket.finish_bind()
    tcp_socket.start_listen()
    tcp_socket.finish_listen()
    return [folder, *files, udp_socket, tcp_socket]


@pytest.mark.parametrize("seed", range(5))
def test_no_error_of_python_comes_out(tmp_path: Path, seed: int) -> None:
    @running
    async def calls() -> None:
        (tmp_path / "folder").mkdir()
        (tmp_path / "file").write_bytes(bytes(5000))
        (tmp_path / "link").symlink_to("file")
        vpc = VirtualVpc()
        vm = vpc.attach("vm", [ip_interface("10.0.0.2/24"), ip_interface("fd00::2/64")])
        limits = Limits(open_files=30, sockets=20, file_bytes=1 << 20, transfer_bytes=10_000)
        with Process(
            folders=[Folder(tmp_path, "/")],
            network=vm,
            limits=limits,
            stdin=BytesInput(bytes(100_000)),
            stdout=Pipe(capacity=1000).writer,
        ) as process:
            wasi = Wasi(process)
            guest = Guest(wasi, seed)
            guest.keep(begin(wasi))
            answers = 0
            for _ in range(CALLS):
                with contextlib.suppress(ResultError, Trap, ProcessExit, NothingOfTheKind):
                    found = guest.call()
                    if inspect.iscoroutine(found):
                        found.close()  # it would wait
                        continue
                    guest.keep(found)
                    answers += 1
            assert answers > CALLS / 10

    calls()
