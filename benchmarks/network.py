"""Time the networks of VMs, between two of them on each backend, and many VMs in one VPC.

    python -m benchmarks.network [--quick] [--only virtual|host|netns|vms] [--check]

Both VMs are in this process and take turns on one event loop, as guests do. `netns` needs root and the
command `ip`: it makes two network namespaces joined by a veth pair. With `--check` the exit status is 1 where
a figure misses its target; the targets are for two guests, so these figures have to be well within.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import shutil
import subprocess
import sys
import time
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface

from ingen_runtime.network.errors import NetworkError, NetworkErrorKind
from ingen_runtime.network.host import HostNetwork
from ingen_runtime.network.interface import EchoRequest, Endpoint, Family, Network, TcpSocket
from ingen_runtime.network.netns import NetnsNetwork
from ingen_runtime.network.virtual import VirtualVpc
from ingen_runtime.readiness import wait

CHUNK = 64 * 1024


@dataclass(frozen=True, slots=True)
class Ends:
    """Two VMs that reach each other."""

    client: Network
    server: Network
    server_address: IPv4Address


async def connect(ends: Ends) -> tuple[TcpSocket, TcpSocket]:
    """A connection: the client's end and the server's."""
    listener = ends.server.tcp_socket(Family.IPV4)
    listener.bind(Endpoint(ends.server_address, 0))
    listener.listen(1)
    client = ends.client.tcp_socket(Family.IPV4)
    client.connect(listener.local())
    await wait(client.writable)
    client.finish_connect()
    await wait(listener.readable)
    server = listener.accept()
    listener.close()
    return client, server


async def connect_seconds(ends: Ends, times: int) -> float:
    """To connect, accept and close, each time."""
    began = time.perf_counter()
    for _ in range(times):
        for socket in await connect(ends):
            socket.close()
    return (time.perf_counter() - began) / times


async def bytes_per_second(ends: Ends, length: int) -> float:
    """Of a TCP connection that is written and read in pieces of 64 KiB, by two tasks."""
    client, server = await connect(ends)

    async def write() -> None:
        chunk, rest = memoryview(bytearray(CHUNK)), length
        while rest:
            await wait(client.writable)
            rest -= client.send(chunk[: min(CHUNK, rest)])
        client.close()

    async def read() -> int:
        got = 0
        while True:
            await wait(server.readable)
            data = server.receive(CHUNK)
            if not data:
                return got
            got += len(data)

    began = time.perf_counter()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(write())
        reading = tasks.create_task(read())
    took = time.perf_counter() - began
    assert reading.result() == length, "TCP loses nothing"
    server.close()
    return length / took


async def round_trip_seconds(ends: Ends, times: int) -> float:
    """For one byte there and one back, between two tasks that wait for readiness."""
    client, server = await connect(ends)

    async def bounce(socket: TcpSocket) -> None:
        for _ in range(times):
            await wait(socket.readable)
            socket.send(socket.receive(1))

    began = time.perf_counter()
    client.send(b"x")
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(bounce(client))
        tasks.create_task(bounce(server))
    took = time.perf_counter() - began
    client.close()
    server.close()
    return took / times


async def ping_seconds(ends: Ends, times: int) -> float | None:
    """For one ping after the other; None where the system lets nobody."""
    request = EchoRequest(ends.server_address)
    try:
        await ends.client.ping(request)
    except NetworkError as error:
        if error.kind is NetworkErrorKind.DENIED:
            return None
        raise
    began = time.perf_counter()
    for _ in range(times):
        await ends.client.ping(request)
    return (time.perf_counter() - began) / times


async def ping_in_crowd(count: int, pings: int) -> tuple[float, float, int]:
    """So many VMs in one VPC, each pinging others.

    Returns the seconds to attach all, the seconds for all pings, and the bytes per VM after that.
    """
    gc.collect()
    tracemalloc.start()
    vpc = VirtualVpc()
    vms = [vpc.attach(f"vm{index}", [_address(index)]) for index in range(count)]
    for index, vm in enumerate(vms):
        for step in range(1, pings + 1):
            await vm.ping(EchoRequest(vms[(index + step) % count].interfaces[0].ip))
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    began = time.perf_counter()
    vpc = VirtualVpc()
    vms = [vpc.attach(f"vm{index}", [_address(index)]) for index in range(count)]
    attached = time.perf_counter()
    for index, vm in enumerate(vms):
        for step in range(1, pings + 1):
            reply = await vm.ping(EchoRequest(vms[(index + step) % count].interfaces[0].ip))
            assert reply.type == 0, "no reply is lost"
    return attached - began, time.perf_counter() - attached, size // count


def _address(index: int) -> IPv4Interface:
    return IPv4Interface((int(IPv4Address("10.0.0.2")) + index, 16))


# The backends


@asynccontextmanager
async def virtual_ends() -> AsyncIterator[Ends]:
    """Two VMs of one VPC, in one subnet."""
    vpc = VirtualVpc()
    client, server = (vpc.attach(f"vm{index}", [_address(index)]) for index in range(2))
    yield Ends(client, server, _address(1).ip)


@asynccontextmanager
async def host_ends() -> AsyncIterator[Ends]:
    """Two VMs on this machine's loopback."""
    client, server = HostNetwork(), HostNetwork()
    yield Ends(client, server, IPv4Address("127.0.0.1"))
    await client.aclose()
    await server.aclose()


@asynccontextmanager
async def netns_ends() -> AsyncIterator[Ends]:
    """Two VMs in two network namespaces."""
    with _namespaces() as names:
        client, server = (NetnsNetwork(name) for name in names)
        yield Ends(client, server, IPv4Address("10.78.0.2"))
        await client.aclose()
        await server.aclose()


@contextmanager
def _namespaces() -> Iterator[tuple[str, str]]:
    first, second = (f"ingen-bench-{os.getpid()}-{index}" for index in range(2))
    try:
        for line in (
            f"netns add {first}",
            f"netns add {second}",
            f"-n {first} link add veth0 type veth peer name veth0 netns {second}",
            f"-n {first} address add 10.78.0.1/24 dev veth0",
            f"-n {second} address add 10.78.0.2/24 dev veth0",
            f"-n {first} link set veth0 up",
            f"-n {second} link set veth0 up",
        ):
            subprocess.run(["ip", *line.split()], check=True)
        yield first, second
    finally:
        for name in (first, second):
            subprocess.run(["ip", "netns", "del", name], check=False)


BACKENDS = {"virtual": virtual_ends, "host": host_ends, "netns": netns_ends}


async def print_backend(name: str, scale: float) -> int:
    """Measure one backend and print it; returns how many targets were missed."""
    async with BACKENDS[name]() as ends:
        pinged = await ping_seconds(ends, round(20_000 * scale))
        trip = await round_trip_seconds(ends, round(20_000 * scale))
        rate = await bytes_per_second(ends, round((2 << 30) * scale))
        connecting = await connect_seconds(ends, round(5_000 * scale))
    pings = "-" if pinged is None else f"{pinged * 1e6:,.1f}"
    figures = f"{rate / 1e6:12,.0f}{trip * 1e6:14,.1f}{pings:>12}{connecting * 1e6:14,.1f}"
    missed = 0
    if name == "virtual" and pinged is not None:
        missed = (rate < 300e6) + (trip > 150e-6) + (pinged > 60e-6)
    print(f"{name:10}{figures}{'  missed' if missed else ''}", flush=True)
    return missed


def main(arguments: list[str]) -> int:
    """Run the command; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="take a second, and be less exact")
    parser.add_argument("--only", choices=[*BACKENDS, "vms"], help="only this backend")
    parser.add_argument("--check", action="store_true", help="fail where a target is missed")
    options = parser.parse_args(arguments)
    scale = 0.01 if options.quick else 1.0
    missed = 0
    print(f"{'':10}{'TCP, MB/s':>12}{'one byte, µs':>14}{'ping, µs':>12}{'connect, µs':>14}")
    for name in BACKENDS:
        if options.only not in {None, name}:
            continue
        if name == "netns" and (os.geteuid() != 0 or shutil.which("ip") is None):
            print(f"{name:10}needs root and the command ip")
            continue
        missed += asyncio.run(print_backend(name, scale))
    if options.only in {None, "vms"}:
        count = round(1000 * max(scale, 0.1))
        attaching, pinging, size = asyncio.run(ping_in_crowd(count, 10))
        print(
            f"{count:,} VMs in one VPC: {attaching * 1e3:,.0f} ms to attach,"
            f" {pinging * 1e3:,.0f} ms for ten pings each, {size:,} bytes per VM"
        )
    return 1 if missed and options.check else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
