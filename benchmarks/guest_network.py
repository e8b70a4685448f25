"""Two guests on a network, through the SDK: throughput, round trips, pings.

    python -m benchmarks.guest_network [--language rust] [--place virtual] [--quick]

The guests are those of `tests/sdk`, and so are the networks.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
from collections.abc import Awaitable, Callable, Sequence
from time import perf_counter

from tests.sdk.building import LANGUAGES, scenarios
from tests.sdk.places import PLACES
from tests.sdk.worlds import World

CHUNK_BYTES = 256 << 10


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


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what is asked for; returns the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--language", choices=LANGUAGES, action="append", help="default: all")
    parser.add_argument("--place", choices=list(PLACES), action="append", help="default: virtual and host")
    parser.add_argument("--quick", action="store_true", help="run everything, and measure little")
    options = parser.parse_args(arguments)
    languages = options.language or LANGUAGES
    for place in options.place or ["virtual", "host"]:
        for language in languages:
            asyncio.run(two_guests(language, place, options.quick))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
