"""How many memory mappings the process may still make.

Linux limits them per process, and every linear memory and every fiber takes some. A process without any left
cannot even allocate Python objects, so guests are refused before.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from ingen_runtime.errors import Trap, TrapKind

MAPPINGS_PER_FIBER: Final = 2
"""The stack and the page that guards it."""
MAPPINGS_PER_MEMORY: Final = 2
"""What a module's data segments fill, and the rest."""
MAPPINGS_PER_RESERVATION: Final = 1
"""The address space that a memory may grow into."""
_LIMIT_FILE: Final = Path("/proc/sys/vm/max_map_count")
_SHARE_FOR_GUESTS: Final = 0.9


class MappingBudget:
    """The mappings that guests may use, and do."""

    __slots__ = ("limit", "used")

    def __init__(self, limit: int | None) -> None:
        self.limit = limit
        """None where the system has no such limit."""
        self.used = 0

    def take(self, count: int) -> None:
        """Use `count` more. Raises Trap(LIMIT_EXCEEDED) where they are not left."""
        if self.limit is not None and self.used + count > self.limit:
            raise Trap(
                TrapKind.LIMIT_EXCEEDED,
                f"the guests of this process use {self.used} memory mappings, and more than {self.limit} "
                "would leave too few for the process itself: run fewer guests at a time, use more "
                "processes, or raise the sysctl vm.max_map_count",
            )
        self.used += count

    def give_back(self, count: int) -> None:
        self.used -= count


def _limit() -> int | None:
    try:
        return int(int(_LIMIT_FILE.read_text(encoding="ascii")) * _SHARE_FOR_GUESTS)
    except (OSError, ValueError):
        return None


MAPPINGS: Final = MappingBudget(_limit())
"""The budget of this process."""
