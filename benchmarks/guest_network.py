"""Two guests on a network, through the SDK: throughput, round trips and pings.

    python -m benchmarks.guest_network [--language rust] [--place virtual]

The guests are those of `tests/sdk`, and so are the networks.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
from collections.abc import Awaitable, Callable
from time import perf_counter

from tests.sdk.building import LANGUAGES, scenarios
from tests.sdk.places import PLACES
from tests.sdk.worlds import World

RUNS = 5
BULK_BYTES = 256 << 20
CHUNK_BYTES = 256 << 10
ROUND_TRIPS = 5_000
PINGS = 5_000


async def bulk(world: World) -> str:
    """Throughput of one connection."""
    client = ("bulk-send", str(BULK_BYTES), str(CHUNK_BYTES))
    server = "bulk-receive", world.there
    seconds = await _median(lambda: world.both(server, lambda where: (client[0], where, *client[1:])))
    return f"bulk           {BULK_BYTES / seconds / 1e6:8.0f} MB/s"


async def round_trips(world: World) -> str:
    """One byte there and back."""
    server = "echo-server", world.there, "1"
    seconds = await _median(
        lambda: world.both(server, lambda where: ("round-trips", where, str(ROUND_TRIPS)))
    )
    return f"round trip     {seconds / ROUND_TRIPS * 1e6:8.1f} µs"


async def pings(world: World) -> str:
    """One ping after the other."""
    guest = world.guest()
    seconds = await _median(lambda: guest.run("ping-many", world.place.second_address, str(PINGS)))
    return f"ping           {seconds / PINGS * 1e6:8.1f} µs"


async def _median(run: Callable[[], Awaitable[object]]) -> float:
    """The median time of a run, in seconds."""
    times = []
    for _ in range(RUNS):
        start = perf_counter()
        await run()
        times.append(perf_counter() - start)
    return statistics.median(times)


async def measure(language: str, place: str) -> None:
    """Measure and print all."""
    print(f"{language}, {place}")
    scenarios(language)
    async with PLACES[place]() as opened:
        world = World(language, opened)
        for what in (bulk, round_trips, pings):
            print("  " + await what(world), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--language", choices=LANGUAGES, action="append")
    parser.add_argument("--place", choices=list(PLACES), action="append")
    options = parser.parse_args()
    for place in options.place or ["virtual", "host"]:
        for language in options.language or LANGUAGES:
            asyncio.run(measure(language, place))


if __name__ == "__main__":
    main()
