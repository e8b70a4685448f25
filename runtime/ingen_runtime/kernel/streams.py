"""Bytes in and bytes out that may have to be waited for: stdio, pipes, connections.

Nothing blocks: `read` and `write` raise WouldBlockError where they would have to wait, and `readable` and
`writable` tell when to try again.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TypeAlias

from ingen_runtime.errors import IngenError
from ingen_runtime.readiness import Readiness

BytesLike: TypeAlias = bytes | bytearray | memoryview


class WouldBlockError(IngenError):
    """There is nothing to read, or no room to write, at the moment."""


class StreamClosedError(IngenError):
    """The other end will never take what is written: a closed pipe, a broken connection."""


class InputStream(ABC):
    """Where bytes come from."""

    readable: Readiness  # bytes, the end, or an error that the next `read` raises
    is_terminal: bool = False  # whether somebody sits there and types

    @abstractmethod
    def read(self, limit: int) -> bytes:
        """1 to `limit` bytes, none at the end.

        Raises: WouldBlockError, StreamClosedError; FileError or NetworkError by what is behind it.
        """

    @abstractmethod
    def close(self) -> None:
        """Give it up; may be called again."""


class OutputStream(ABC):
    """Where bytes go to."""

    writable: Readiness  # room, or an error that the next `write` raises
    is_terminal: bool = False  # whether somebody sits there and reads

    @abstractmethod
    def write(self, data: BytesLike) -> int:
        """How many of the bytes, from the first on, were taken: at least one of those given.

        Raises: WouldBlockError, StreamClosedError; FileError or NetworkError by what is behind it.
        """

    @abstractmethod
    def close(self) -> None:
        """Give it up; may be called again. What was written still arrives."""
