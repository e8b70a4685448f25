"""Where a guest's random bytes come from: the host, or a seed."""

from __future__ import annotations

import os
import random
from abc import ABC, abstractmethod


class Randomness(ABC):
    """A source of random bytes."""

    @abstractmethod
    def secure(self, count: int) -> bytes:
        """Bytes that nobody can foresee (who does not know the seed, if there is one)."""

    @abstractmethod
    def insecure(self, count: int) -> bytes:
        """Bytes that look random, for hash tables and the like."""


class SystemRandomness(Randomness):
    """The operating system's random bytes."""

    def secure(self, count: int) -> bytes:
        return os.urandom(count)

    def insecure(self, count: int) -> bytes:
        return random.randbytes(count)


class SeededRandomness(Randomness):
    """The same bytes in each run with the same seed. Not for secrets."""

    def __init__(self, seed: int | str | bytes) -> None:
        text = seed.hex() if isinstance(seed, bytes) else str(seed)
        # Two generators, so that the use of one does not change what the other gives.
        self._secure = random.Random(f"secure {text}")
        self._insecure = random.Random(f"insecure {text}")

    def secure(self, count: int) -> bytes:
        return self._secure.randbytes(count)

    def insecure(self, count: int) -> bytes:
        return self._insecure.randbytes(count)
