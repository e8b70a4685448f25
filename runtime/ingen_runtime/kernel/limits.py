"""What a guest process may use of its host, and the account of what it does use."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Generic, Protocol, TypeVar

from ingen_runtime.frozen import frozen
from ingen_runtime.kernel.errors import FileError, FileErrorKind

KIB: Final = 1 << 10
MIB: Final = 1 << 20


@frozen
class Limits:
    """Bounds of what one guest process may use; None is no bound."""

    open_files: int = 1024
    """Files, folders and listings that are open at once, the preopened folders among them."""
    sockets: int = 1024
    """Sockets that are open at once."""
    output_bytes: int | None = None
    """Bytes to standard output and standard error, together."""
    written_bytes: int | None = None
    """Bytes written to files, in all."""
    file_bytes: int | None = None
    """Size to which a file may be made to grow."""
    memory_bytes: int | None = None
    """Size of each linear memory."""
    memories: int = 100
    """Linear memories of all instances together."""
    tables: int = 100
    """Tables of all instances together."""
    table_elements: int = 200_000
    """Size of each table; an element takes 8 bytes."""
    handles: int = 100_000
    """Handles that each component instance has at once: to streams, sockets, what it polls for and so on."""
    transfer_bytes: int = MIB
    """Bytes that one read or write moves; a guest that asks for more gets less, and asks again."""


class Quota:
    """An amount that can be used up."""

    __slots__ = ("left",)

    def __init__(self, limit: int | None) -> None:
        self.left = limit

    def check(self, amount: int, what: str) -> None:
        """Raises: FileError INSUFFICIENT_SPACE where there is less left."""
        if self.left is not None and amount > self.left:
            raise FileError(FileErrorKind.INSUFFICIENT_SPACE, f"the limit on {what} is reached")

    def use(self, amount: int) -> None:
        if self.left is not None:
            self.left -= amount


class Closable(Protocol):
    """What can be given up."""

    def close(self) -> None: ...


T = TypeVar("T", bound=Closable)


class OpenSet(Generic[T]):
    """The things of one sort that a process has open, no more than it may have."""

    __slots__ = ("_limit", "_refusal", "_things")

    def __init__(self, limit: int, refusal: Callable[[], Exception]) -> None:
        self._limit = limit
        self._refusal = refusal
        # A dict keeps the order, so that runs are repeatable.
        self._things: dict[T, None] = {}

    def __len__(self) -> int:
        return len(self._things)

    def check_room(self) -> None:
        """Raises the refusal where nothing more may be open."""
        if len(self._things) >= self._limit:
            raise self._refusal()

    def add(self, thing: T) -> None:
        """Count something that was opened. Where there is no room, it is closed and the refusal raised."""
        if len(self._things) >= self._limit:
            thing.close()
            raise self._refusal()
        self._things[thing] = None

    def discard(self, thing: T) -> None:
        """It is closed; nothing happens where it was not counted."""
        self._things.pop(thing, None)

    def close_all(self) -> None:
        """Close what is still open."""
        while self._things:
            thing, _ = self._things.popitem()
            thing.close()
