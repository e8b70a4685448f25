"""Guests on a network, through the SDK: throughput, round trips, pings, and a thousand VMs at once.

    python -m benchmarks.guest_network [--language rust] [--place virtual] [--vms 1000]

The guests are those of `tests/sdk`, and so are the networks.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import resource
import statistics
from collections.abc import Awaitable, Callable, Sequence
from ipaddress import IPv4Interface, ip_address
from pathlib import Path
from time import perf_counter

from ingen_runtime.component.linker import Linker
from ingen_runtime.kernel.process import Process
from ingen_runtime.network.virtual import VirtualVpc
from ingen_runtime.sdk import sdk_imports
from tests.sdk.building import LANGUAGES, scenarios
from tests.sdk.places import PLACES
from tests.sdk.worlds import World

CHUNK_BYTES = 256 << 10
PINGS_PER_VM = 10


class Measurement:
    """How much to do, and how often."""

    def __init__(self, quick: bool) -> None:
        self.runs = 1 if quick else 5
        self.bulk_bytes = (4 if quick else 256) << 20
        self.count = 50 if quick else 5_000

    async def bulk(self, world: World) -> str:
        """Throughput of one connection."""
        server = "bulk-receive", world.there
        sizes = str(self.bulk_bytes), str(CHUNK_BYTES)
        seconds = await self._median(lambda: world.both(server, lambda where: ("bulk-send", where, *sizes)))
        return f"bulk           {self.bulk_bytes / seconds / 1e6:8.0f} MB/s"

    async def round_trips(self, world: World) -> str:
        """One byte there and back."""
        server, count = ("echo-server", world.there, "1"), str(self.count)
        seconds = await self._median(lambda: world.both(server, lambda where: ("round-trips", where, count)))
        return f"round trip     {seconds / self.count * 1e6:8.1f} µs"

    async def pings(self, world: World) -> str:
        """One ping after the other."""
        guest, target = world.guest(), world.place.second_address
        seconds = await self._median(lambda: guest.run("ping-many", target, str(self.count)))
        return f"ping           {seconds / self.count * 1e6:8.1f} µs"

    async def _median(self, run: Callable[[], Awaitable[object]]) -> float:
        """The median time of a run, in seconds."""
        times = []
        for _ in range(self.runs):
            start = perf_counter()
            await run()
            times.append(perf_counter() - start)
        return statistics.median(times)


async def two_guests(language: str, place: str, quick: bool) -> None:
    """Measure two guests, and print it."""
    print(f"{language}, {place}")
    scenarios(language)
    measurement = Measurement(quick)
    async with PLACES[place]() as opened:
        world = World(language, opened)
        for what in (measurement.bulk, measurement.round_trips, measurement.pings):
            print("  " + await what(world), flush=True)


async def many_guests(language: str, count: int) -> None:
    """Let every VM of a VPC ping others, all at once, and print how it went."""
    component = scenarios(language)
    vpc = VirtualVpc()
    networks = [
        vpc.attach(f"vm{number}", [IPv4Interface((ip_address("10.0.0.0") + 256 + number, 16))])
        for number in range(count)
    ]
    addresses = [str(network.interfaces[0].ip) for network in networks]
    gc.collect()
    before, start = _resident_bytes(), perf_counter()
    processes = [Process(network=network) for network in networks]

    async def guest(number: int, process: Process) -> int:
        linker = Linker({**sdk_imports(process), "report": print})
        instance = await linker.instantiate_async(component)
        instances.append(instance)
        replies = 0
        for step in range(1, PINGS_PER_VM + 1):
            target = addresses[(number + step * 7) % count]
            replies += (await instance.exports.run.call_async("ping", [target])).startswith("echo reply")
        return replies

    instances: list[object] = []
    replies = sum(await asyncio.gather(*map(guest, range(count), processes)))
    seconds, bytes_each = perf_counter() - start, (_resident_bytes() - before) / count
    print(
        f"{language}, {count} VMs: {replies} of {count * PINGS_PER_VM} replies in {seconds:.2f} s, "
        f"{bytes_each / 1024:.0f} KiB each"
    )
    for process in processes:
        process.close()


def _resident_bytes() -> int:
    """The memory that this process has now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what is asked for; returns the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--language", choices=LANGUAGES, action="append")
    parser.add_argument("--place", choices=list(PLACES), action="append", help="default: virtual and host")
    parser.add_argument("--vms", type=int, default=1_000, help="how many at once; 0 for none (default: 1000)")
    parser.add_argument("--quick", action="store_true", help="run everything, and measure little")
    options = parser.parse_args(arguments)
    languages = options.language or LANGUAGES
    for place in options.place or ["virtual", "host"]:
        for language in languages:
            asyncio.run(two_guests(language, place, options.quick))
    if options.vms:
        asyncio.run(many_guests(languages[0], options.vms))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
