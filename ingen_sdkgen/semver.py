"""Semantic versions and their order.

Source: semver.org 2.0.0, section 11.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import total_ordering


@total_ordering
@dataclass(frozen=True, slots=True)
class Version:
    """A semantic version, ordered by precedence; build parts break ties, so that the order is total."""

    core: tuple[int, ...]
    pre: tuple[tuple[int, int, str], ...]
    has_pre: bool
    build: str

    @staticmethod
    def parse(text: str) -> Version:
        """Read a valid version."""
        rest, _, build = text.partition("+")
        core, _, pre = rest.partition("-")
        parts = tuple(
            (0, int(part), "") if re.fullmatch(r"[0-9]+", part) else (1, 0, part)
            for part in (pre.split(".") if pre else ())
        )
        return Version(tuple(int(number) for number in core.split(".")), parts, bool(pre), build)

    def __lt__(self, other: Version) -> bool:
        # A pre-release comes before its release.
        return (self.core, not self.has_pre, self.pre, self.build) < (
            other.core,
            not other.has_pre,
            other.pre,
            other.build,
        )
