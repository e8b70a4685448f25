"""Limits on what the guests of a store may use."""

from __future__ import annotations

from typing import Final

from ingen_runtime.engine import bindings as c
from ingen_runtime.frozen import frozen


@frozen
class StoreLimits:
    """What the guests of one store may use; None leaves it to wasmtime.

    A guest that asks for more memory or table elements than this sees its `grow` fail; instantiation beyond a
    limit raises Trap(LIMIT_EXCEEDED).
    """

    memory_bytes: int | None = None
    """Size of each linear memory."""
    table_elements: int | None = None
    """Size of each table."""
    instances: int | None = None
    tables: int | None = None
    memories: int | None = None
    string_bytes: int | None = None
    """Size of each string that leaves a guest; None for the specification's 256 MiB. What is longer raises
    Trap(STRING_TOO_LONG)."""
    list_bytes: int | None = None
    """The same for the elements of each list: Trap(LIST_TOO_LONG)."""
    handles: int | None = None
    """How many handles each component instance has at once, to resources, streams and so on; None for the
    specification's 2**28 - 1. Beyond it: Trap(HANDLE_TABLE_FULL)."""


NO_LIMITS: Final = StoreLimits()


def limit_store(store_ptr: int, limits: StoreLimits) -> None:
    """Hold a store to the limits that wasmtime looks after; strings, lists and handles are not among them.

    Raises: ValueError, where one is out of range: wasmtime would take it for none.
    """
    for name in StoreLimits.__match_args__:
        limit = getattr(limits, name)
        if limit is not None and not 0 <= limit < 1 << 63:
            raise ValueError(f"{name} is {limit}: a limit is from 0 to 2**63 - 1, or None")
    enforced = (
        limits.memory_bytes,
        limits.table_elements,
        limits.instances,
        limits.tables,
        limits.memories,
    )
    c.store_limiter(store_ptr, *[-1 if limit is None else limit for limit in enforced])
