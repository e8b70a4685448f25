"""The descriptors of a guest by their numbers."""

from __future__ import annotations

import heapq

from ingen_runtime.kernel.process import Process
from ingen_runtime.wasi.p1.abi import Errno, ErrnoError
from ingen_runtime.wasi.p1.descriptors import (
    Descriptor,
    DirectoryDescriptor,
    FileDescriptor,
    InputDescriptor,
    OutputDescriptor,
)
from ingen_runtime.wasi.p1.sockets import ListenerDescriptor


class DescriptorTable:
    """The descriptors of a guest by their numbers."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self.entries: dict[int, Descriptor] = {
            0: InputDescriptor(process.stdin),
            1: OutputDescriptor(process.stdout),
            2: OutputDescriptor(process.stderr),
        }
        self._free: list[int] = []
        for directory, name in process.preopened:
            self.add(DirectoryDescriptor(directory, name.encode()))
        for socket in process.listeners:
            self.add(ListenerDescriptor(socket, process))

    def check_room(self) -> None:
        """Raises: ErrnoError(MFILE)"""
        if len(self.entries) >= self._process.limits.open_files + self._process.limits.sockets + 3:
            raise ErrnoError(Errno.MFILE)

    def add(self, descriptor: Descriptor) -> int:
        """Its number: the smallest one that is free."""
        number = heapq.heappop(self._free) if self._free else len(self.entries)
        self.entries[number] = descriptor
        return number

    def __getitem__(self, number: int) -> Descriptor:
        """Raises: ErrnoError(BADF)"""
        try:
            return self.entries[number]
        except KeyError:
            raise ErrnoError(Errno.BADF) from None

    def file(self, number: int) -> FileDescriptor:
        """Raises: ErrnoError(BADF) for anything but a file."""
        found = self[number]
        if not isinstance(found, FileDescriptor):
            raise ErrnoError(Errno.BADF)
        return found

    def directory(self, number: int) -> DirectoryDescriptor:
        """Raises: ErrnoError(NOTDIR) for a file, ErrnoError(BADF) for anything else but a folder."""
        found = self[number]
        if not isinstance(found, DirectoryDescriptor):
            raise ErrnoError(Errno.NOTDIR if isinstance(found, FileDescriptor) else Errno.BADF)
        return found

    def close(self, number: int) -> None:
        """Raises: ErrnoError(BADF)"""
        self[number].close()
        del self.entries[number]
        heapq.heappush(self._free, number)

    def renumber(self, number: int, to: int) -> None:
        """Give a descriptor the number of another one, which is closed. Raises: ErrnoError(BADF)"""
        moved, replaced = self[number], self[to]
        if number != to:
            replaced.close()
            self.entries[to] = moved
            del self.entries[number]
            heapq.heappush(self._free, number)
