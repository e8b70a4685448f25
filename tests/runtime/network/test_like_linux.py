"""Connections in a VPC do what those of the machine do, whatever their two ends try."""

from __future__ import annotations

import random
import sys
from typing import Final

import pytest

from ingen_runtime.network.errors import NetworkError
from ingen_runtime.network.interface import Family, Shutdown, TcpSocket
from tests.runtime.network.backends import Backend

# Even a local connection of the machine takes a moment now and then: what came of an attempt may be late.
_ATTEMPTS: Final = 20
_WEIGHTS: Final = {"send": 3, "receive": 3, "end": 1, "deafen": 1, "close": 1, "look": 1}

Step = tuple[int, str]


def attempt(end: TcpSocket, action: str) -> object:
    """What comes of it, as something to compare."""
    try:
        match action:
            case "send":
                return end.send(b"xy")
            case "receive":
                return end.receive(3)
            case "end":
                return end.shutdown(Shutdown.WRITE)
            case "deafen":
                return end.shutdown(Shutdown.READ)
            case "close":
                return end.close()
            case _:
                return end.readable.ready(), end.writable.ready()
    except NetworkError as error:
        return error.kind


async def outcomes(backend: str, steps: list[Step]) -> list[object]:
    """What comes of these steps of both ends of a new connection."""
    async with Backend(backend, None).pair() as pair:
        ends = await pair.connected(Family.IPV4)
        return [attempt(ends[which], action) for which, action in steps]


@pytest.mark.skipif(sys.platform != "linux", reason="it is Linux that VPCs are like")
@pytest.mark.parametrize("seed", range(4))
async def test_connections(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(75):
        actions = chance.choices(list(_WEIGHTS), list(_WEIGHTS.values()), k=chance.randint(2, 10))
        steps = [(chance.randrange(2), action) for action in actions]
        expected = await outcomes("virtual", steps)
        for _ in range(_ATTEMPTS):
            got = await outcomes("host", steps)
            if got == expected:
                break
        else:
            pytest.fail(f"{steps}\nvirtual: {expected}\nLinux: {got}")
