"""What the file descriptors of a guest stand for."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Sequence

from ingen_runtime.kernel.directories import Directory, Entry, Listing
from ingen_runtime.kernel.files import File, FileStat, FileType, Whence
from ingen_runtime.kernel.streams import InputStream, OutputStream, StreamClosedError, WouldBlockError
from ingen_runtime.readiness import ALWAYS, Readiness
from ingen_runtime.wasi.p1.abi import (
    DIRECTORY_RIGHTS,
    FDFLAG_APPEND,
    FDFLAG_DSYNC,
    FDFLAG_NONBLOCK,
    FDFLAG_RSYNC,
    FDFLAG_SYNC,
    FILE_RIGHTS,
    INPUT_RIGHTS,
    OUTPUT_RIGHTS,
    Errno,
    ErrnoError,
    Filetype,
    Rights,
)

_SYNC_FLAGS = FDFLAG_DSYNC | FDFLAG_RSYNC | FDFLAG_SYNC


class Blocked(Exception):
    """The call has to be made again when this is ready."""

    def __init__(self, readiness: Readiness) -> None:
        self.readiness = readiness


class Descriptor:
    """What a descriptor can do. What a kind of descriptor cannot do raises ErrnoError."""

    filetype = Filetype.UNKNOWN
    rights = Rights(0)
    inheriting = Rights(0)
    flags = 0
    """Its `fdflags`."""

    def read(self, buffers: Sequence[memoryview]) -> int:
        """Fill the buffers, as far as there is something. Raises: Blocked"""
        raise ErrnoError(Errno.BADF)

    def write(self, buffers: Sequence[memoryview]) -> int:
        """Write what is in the buffers, as far as there is room. Raises: Blocked"""
        raise ErrnoError(Errno.BADF)

    def readiness(self, *, write: bool) -> Readiness:
        """When it can be read from, or written to."""
        raise ErrnoError(Errno.BADF)

    def available(self) -> tuple[int, bool]:
        """How much can be read, where that is known, and whether the end has come."""
        return 1, False

    def stat(self) -> FileStat | None:
        """What is known of the file behind it."""
        return None

    def set_times(self, access_ns: int | None, modification_ns: int | None) -> None:
        raise ErrnoError(Errno.BADF)

    def set_flags(self, flags: int) -> None:
        if flags & ~FDFLAG_NONBLOCK:
            raise ErrnoError(Errno.INVAL)
        self.flags = flags

    def close(self) -> None:
        """Give it up."""

    def blocked(self, readiness: Readiness) -> Exception:
        """What to raise where there is nothing to do yet."""
        return ErrnoError(Errno.AGAIN) if self.flags & FDFLAG_NONBLOCK else Blocked(readiness)


class InputDescriptor(Descriptor):
    """Standard input. The stream outlives the descriptor."""

    def __init__(self, stream: InputStream) -> None:
        self._stream = stream
        self.filetype = Filetype.CHARACTER_DEVICE if stream.is_terminal else Filetype.UNKNOWN
        self.rights = INPUT_RIGHTS
        self.inheriting = INPUT_RIGHTS

    def read(self, buffers: Sequence[memoryview]) -> int:
        limit = sum([buffer.nbytes for buffer in buffers])
        if not limit:
            return 0
        try:
            data = self._stream.read(limit)
        except WouldBlockError:
            raise self.blocked(self._stream.readable) from None
        except StreamClosedError:
            return 0
        return scatter(data, buffers)

    def readiness(self, *, write: bool) -> Readiness:
        if write:
            raise ErrnoError(Errno.BADF)
        return self._stream.readable


class OutputDescriptor(Descriptor):
    """Standard output or error. The stream outlives the descriptor."""

    def __init__(self, stream: OutputStream) -> None:
        self._stream = stream
        self.filetype = Filetype.CHARACTER_DEVICE if stream.is_terminal else Filetype.UNKNOWN
        self.rights = OUTPUT_RIGHTS
        self.inheriting = OUTPUT_RIGHTS

    def write(self, buffers: Sequence[memoryview]) -> int:
        if not buffers:
            return 0
        try:
            return self._stream.write(gather(buffers))
        except WouldBlockError:
            raise self.blocked(self._stream.writable) from None
        except StreamClosedError:
            raise ErrnoError(Errno.PIPE) from None

    def readiness(self, *, write: bool) -> Readiness:
        if not write:
            raise ErrnoError(Errno.BADF)
        return self._stream.writable


class FileDescriptor(Descriptor):
    """An open file."""

    def __init__(self, file: File, flags: int) -> None:
        self.file = file
        self.flags = flags
        self.filetype = Filetype.REGULAR_FILE
        self.rights = FILE_RIGHTS
        if not file.readable:
            self.rights &= ~Rights.FD_READ
        if not file.writable:
            self.rights &= ~Rights.FD_WRITE
        self.inheriting = self.rights

    @property
    def syncs(self) -> bool:
        """Whether each write has to reach the disk."""
        return bool(self.flags & (FDFLAG_DSYNC | FDFLAG_SYNC))

    def read(self, buffers: Sequence[memoryview]) -> int:
        return self.file.read_into(buffers)

    def write(self, buffers: Sequence[memoryview]) -> int:
        return self.file.write_from(buffers)

    def readiness(self, *, write: bool) -> Readiness:
        return ALWAYS

    def available(self) -> tuple[int, bool]:
        left = self.file.stat().size - self.file.seek(0, Whence.HERE)
        return max(left, 0), left <= 0

    def stat(self) -> FileStat:
        return self.file.stat()

    def set_times(self, access_ns: int | None, modification_ns: int | None) -> None:
        self.file.set_times(access_ns, modification_ns)

    def set_flags(self, flags: int) -> None:
        if (flags ^ self.flags) & _SYNC_FLAGS:
            raise ErrnoError(Errno.INVAL)
        self.file.set_append(bool(flags & FDFLAG_APPEND))
        self.flags = flags

    def close(self) -> None:
        self.file.close()


class DirectoryDescriptor(Descriptor):
    """An open folder; `name` is the guest's name for it, where it was preopened."""

    def __init__(self, directory: Directory, name: bytes | None = None) -> None:
        self.directory = directory
        self.name = name
        self.filetype = Filetype.DIRECTORY
        self.rights = DIRECTORY_RIGHTS
        self.inheriting = DIRECTORY_RIGHTS | FILE_RIGHTS
        self.reading = _Reading(directory)

    def stat(self) -> FileStat:
        return self.directory.stat_self()

    def set_times(self, access_ns: int | None, modification_ns: int | None) -> None:
        self.directory.set_own_times(access_ns, modification_ns)

    def set_flags(self, flags: int) -> None:
        raise ErrnoError(Errno.BADF)

    def close(self) -> None:
        self.reading.close()
        self.directory.close()


_KEPT_ENTRIES = 256
_ENTRIES_AT_ONCE = 2000
"""Entries that are read until others may run."""


class _Reading:
    """The entries of a folder with their cookies: `.` is 0, `..` is 1, and so on.

    Programs ask again for the last few entries, those that did not fit in their buffer; these are kept. For
    those further back the folder is read anew.
    """

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._listing: Listing | None = None
        self._kept: deque[Entry] = deque(maxlen=_KEPT_ENTRIES)
        self._next = 0

    def find(self, cookie: int) -> Generator[None, None, Entry | None]:
        """The entry of that cookie; None at the end. Yields every now and then on the way there."""
        if cookie == 0 or cookie < self._next - len(self._kept):
            self.close()
        while self._next <= cookie:
            found = self._read()
            if found is None:
                return None
            self._kept.append(found)
            self._next += 1
            if self._next % _ENTRIES_AT_ONCE == 0:
                yield
        return self._kept[cookie - self._next]

    def _read(self) -> Entry | None:
        if self._next < 2:
            return Entry(".." if self._next else ".", FileType.DIRECTORY, self._directory.stat_self().inode)
        if self._listing is None:
            self._listing = self._directory.entries()
        return next(self._listing, None)

    def close(self) -> None:
        listing, self._listing = self._listing, None
        if listing is not None:
            listing.close()
        self._kept.clear()
        self._next = 0


def scatter(data: bytes, buffers: Sequence[memoryview]) -> int:
    """Copy bytes into buffers that have room for them; returns how many."""
    at = 0
    for buffer in buffers:
        part = data[at : at + buffer.nbytes]
        buffer[: len(part)] = part
        at += len(part)
        if at == len(data):
            break
    return at


def gather(buffers: Sequence[memoryview]) -> bytes | memoryview:
    """The bytes of all buffers."""
    return buffers[0] if len(buffers) == 1 else b"".join(buffers)
