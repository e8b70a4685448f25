"""Bytes on their way to a reader."""

from __future__ import annotations

from collections import deque
from typing import Final

_SMALL: Final = 4096


class ByteQueue:
    """Bytes in order. What comes in large pieces and leaves in such is never copied.

    Small pieces are joined while they wait: a writer of single bytes would cost 40 bytes for each otherwise.
    """

    __slots__ = ("_offset", "_pieces", "size")

    def __init__(self) -> None:
        self.size = 0
        self._pieces: deque[bytes | bytearray] = deque()
        self._offset = 0  # how much of the first piece has left

    def push(self, data: bytes) -> None:
        """Put bytes at the end."""
        pieces = self._pieces
        self.size += len(data)
        if len(data) < _SMALL and pieces:
            last = pieces[-1]
            if type(last) is bytearray and len(last) < _SMALL:
                last += data
                return
            pieces.append(bytearray(data))
        elif data:
            pieces.append(data)

    def pop(self, limit: int) -> bytes:
        """Take up to `limit` bytes from the front: all there are, or `limit`."""
        pieces = self._pieces
        if not self._offset and pieces and len(pieces[0]) == min(limit, self.size):
            data = bytes(pieces.popleft())
            self.size -= len(data)
            return data
        taken: list[memoryview] = []
        wanted = min(limit, self.size)
        self.size -= wanted
        while wanted:
            rest = len(pieces[0]) - self._offset
            view = memoryview(pieces[0])[self._offset : self._offset + wanted]
            taken.append(view)
            if rest > wanted:
                self._offset += wanted
                break
            wanted -= rest
            self._offset = 0
            pieces.popleft()
        data = b"".join(taken)
        for view in taken:
            view.release()  # a bytearray cannot grow while it is viewed
        return data

    def clear(self) -> None:
        """Drop everything."""
        self.size = 0
        self._pieces.clear()
        self._offset = 0
