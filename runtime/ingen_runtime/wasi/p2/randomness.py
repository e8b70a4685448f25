"""`wasi:random`, on the randomness of a process."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from ingen_runtime.errors import Trap, TrapKind
from ingen_runtime.kernel.limits import MIB
from ingen_runtime.kernel.randomness import Randomness
from ingen_runtime.waiting import may_wait
from ingen_runtime.wasi.p2.bindings.insecure import AsyncInsecureImports
from ingen_runtime.wasi.p2.bindings.insecure_seed import AsyncInsecureSeedImports
from ingen_runtime.wasi.p2.bindings.random import AsyncRandomImports

MOST_BYTES: Final = 64 * MIB
"""What one call gives; one that asks for more traps, because it may not be given less."""


_AT_ONCE: Final = MIB
"""What is made before others may run."""


def _bytes(source: Callable[[int], bytes], count: int) -> bytes | Awaitable[bytes]:
    if count > MOST_BYTES:
        raise Trap(TrapKind.LIMIT_EXCEEDED, f"{count} random bytes wanted at once: more than {MOST_BYTES}")
    return source(count) if count <= _AT_ONCE else _bytes_in_turns(source, count)


async def _bytes_in_turns(source: Callable[[int], bytes], count: int) -> bytes:
    made = bytearray()
    while len(made) < count:
        made += source(min(_AT_ONCE, count - len(made)))
        await asyncio.sleep(0)
    return bytes(made)


class Random(AsyncRandomImports):
    """Implements `wasi:random/random`."""

    def __init__(self, randomness: Randomness) -> None:
        self._randomness = randomness

    @may_wait
    def get_random_bytes(self, len: int) -> bytes | Awaitable[bytes]:
        return _bytes(self._randomness.secure, len)

    def get_random_u64(self) -> int:
        return int.from_bytes(self._randomness.secure(8), "little")


class Insecure(AsyncInsecureImports):
    """Implements `wasi:random/insecure`."""

    def __init__(self, randomness: Randomness) -> None:
        self._randomness = randomness

    @may_wait
    def get_insecure_random_bytes(self, len: int) -> bytes | Awaitable[bytes]:
        return _bytes(self._randomness.insecure, len)

    def get_insecure_random_u64(self) -> int:
        return int.from_bytes(self._randomness.insecure(8), "little")


class InsecureSeed(AsyncInsecureSeedImports):
    """Implements `wasi:random/insecure-seed`."""

    def __init__(self, randomness: Randomness) -> None:
        self._randomness = randomness

    def insecure_seed(self) -> tuple[int, int]:
        seed = self._randomness.insecure(16)
        return int.from_bytes(seed[:8], "little"), int.from_bytes(seed[8:], "little")
