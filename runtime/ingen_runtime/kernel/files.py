"""Open files, and the account of what a process has open.

Every operation raises FileError, and on something closed FileError(BAD_DESCRIPTOR).

What takes as long as moving a mebibyte in memory happens at once, on the thread of the event loop; what has
to wait for the disk (`sync`) is awaited.
"""

from __future__ import annotations

import asyncio
import enum
import functools
import os
import stat
from collections.abc import Callable, Sequence
from typing import Any, Concatenate, Final, NamedTuple, ParamSpec, TypeAlias, TypeVar, cast

from ingen_runtime.kernel.errors import FileError, FileErrorKind, file_error
from ingen_runtime.kernel.limits import Limits, OpenSet, Quota
from ingen_runtime.kernel.resolve import Resolver, best_resolver

BytesLike: TypeAlias = bytes | bytearray | memoryview


class FileType(enum.Enum):
    """What a name in a folder stands for; the values are preview 2's names."""

    UNKNOWN = "unknown"
    BLOCK_DEVICE = "block-device"
    CHARACTER_DEVICE = "character-device"
    DIRECTORY = "directory"
    FIFO = "fifo"
    SYMBOLIC_LINK = "symbolic-link"
    REGULAR_FILE = "regular-file"
    SOCKET = "socket"


FILE_TYPES: Final = {
    stat.S_IFBLK: FileType.BLOCK_DEVICE,
    stat.S_IFCHR: FileType.CHARACTER_DEVICE,
    stat.S_IFDIR: FileType.DIRECTORY,
    stat.S_IFIFO: FileType.FIFO,
    stat.S_IFLNK: FileType.SYMBOLIC_LINK,
    stat.S_IFREG: FileType.REGULAR_FILE,
    stat.S_IFSOCK: FileType.SOCKET,
}


class FileStat(NamedTuple):
    """What there is to know of a file; times are in nanoseconds since the beginning of 1970."""

    device: int
    inode: int
    type: FileType
    links: int
    size: int
    access_ns: int
    modification_ns: int
    change_ns: int


def file_stat(found: os.stat_result) -> FileStat:
    return FileStat(
        found.st_dev,
        found.st_ino,
        FILE_TYPES.get(stat.S_IFMT(found.st_mode), FileType.UNKNOWN),
        found.st_nlink,
        found.st_size,
        found.st_atime_ns,
        found.st_mtime_ns,
        found.st_ctime_ns,
    )


class Advice(enum.Enum):
    """How a file is going to be used; the values are preview 2's names."""

    NORMAL = "normal"
    SEQUENTIAL = "sequential"
    RANDOM = "random"
    WILL_NEED = "will-need"
    DONT_NEED = "dont-need"
    NO_REUSE = "no-reuse"


class Whence(enum.Enum):
    """Where an offset counts from; the values are those of `os.lseek`."""

    START = os.SEEK_SET
    HERE = os.SEEK_CUR
    END = os.SEEK_END


class FileAccount:
    """What one process has open, and has written."""

    def __init__(self, limits: Limits, resolver: Resolver | None = None) -> None:
        self.limits = limits
        self.resolver = resolver or best_resolver()
        self.opened: OpenSet[Descriptor] = OpenSet(limits.open_files, _too_many)
        self.written = Quota(limits.written_bytes)
        self.counts_writes = limits.written_bytes is not None or limits.file_bytes is not None


def _too_many() -> FileError:
    return FileError(FileErrorKind.TOO_MANY_OPEN_FILES, "the limit on open files is reached")


_P = ParamSpec("_P")
_R = TypeVar("_R")
_S = TypeVar("_S")


def reporting(method: Callable[Concatenate[_S, _P], _R]) -> Callable[Concatenate[_S, _P], _R]:
    """The method, with the host's errors turned into ours."""

    @functools.wraps(method)
    def wrapped(self: _S, *args: _P.args, **kwargs: _P.kwargs) -> _R:
        try:
            return method(self, *args, **kwargs)
        except OSError as error:
            raise file_error(error) from None
        except OverflowError:
            raise FileError(FileErrorKind.INVALID, "a number out of range") from None

    return cast("Callable[Concatenate[_S, _P], _R]", wrapped)


class Descriptor:
    """A descriptor of the host that belongs to a process."""

    __slots__ = ("_account", "fd")

    def __init__(self, account: FileAccount, fd: int) -> None:
        self._account = account
        self.fd = fd
        """The host's descriptor, -1 once closed: for reading and writing without a detour. Not to be kept."""
        account.opened.add(self)

    @property
    def is_open(self) -> bool:
        return self.fd >= 0

    def close(self) -> None:
        """Give it up; may be called again."""
        fd, self.fd = self.fd, -1
        if fd >= 0:
            self._account.opened.discard(self)
            os.close(fd)

    async def _in_thread(self, operation: Callable[[int], object]) -> None:
        """Do something that waits for the disk."""
        try:
            copy = _Copy(self.fd)  # ours may be closed meanwhile
            try:
                await asyncio.to_thread(copy.use, operation)
            finally:
                copy.close()
        except OSError as error:
            raise file_error(error) from None


class _Copy:
    """A copy of a descriptor, which belongs to the first who takes it.

    Who is cancelled does not know whether a thread has begun to use it.
    """

    def __init__(self, fd: int) -> None:
        self._fds = [os.dup(fd)]

    def use(self, operation: Callable[[int], object]) -> None:
        """Do something with it and close it; nothing happens where it is closed."""
        for fd in self._take():
            try:
                operation(fd)
            finally:
                os.close(fd)

    def close(self) -> None:
        """Close it, unless it is used or was."""
        for fd in self._take():
            os.close(fd)

    def _take(self) -> list[int]:
        try:
            return [self._fds.pop()]  # this is atomic
        except IndexError:
            return []


_LARGEST: Final = (1 << 63) - 1
"""What the system takes as the size of a file."""


class File(Descriptor):
    """An open file, with a position."""

    __slots__ = ("_append", "changeable", "readable", "writable")

    def __init__(
        self,
        account: FileAccount,
        fd: int,
        *,
        readable: bool,
        writable: bool,
        append: bool = False,
        changeable: bool = True,
    ) -> None:
        super().__init__(account, fd)
        self.readable = readable
        self.writable = writable
        self.changeable = changeable
        """Whether its folder is writable, and so its times may be set."""
        self._append = append

    # Reading and writing. At most `Limits.transfer_bytes` at once.

    @reporting
    def read(self, limit: int, offset: int | None = None) -> bytes:
        """1 to `limit` bytes from `offset`, or from the position on and moving it; none at the end."""
        if not self.readable:
            raise FileError(FileErrorKind.BAD_DESCRIPTOR, "not open for reading")
        limit = min(limit, self._account.limits.transfer_bytes)
        return os.read(self.fd, limit) if offset is None else os.pread(self.fd, limit, offset)

    @reporting
    def read_into(self, buffers: Sequence[Any], offset: int | None = None) -> int:
        """The same, straight into writable buffers; returns how many bytes.

        The buffers together should be no longer than the limit: they are filled as far as the file goes.
        """
        if not self.readable:
            raise FileError(FileErrorKind.BAD_DESCRIPTOR, "not open for reading")
        return os.readv(self.fd, buffers) if offset is None else os.preadv(self.fd, buffers, offset)

    @reporting
    def write(self, data: BytesLike, offset: int | None = None) -> int:
        """Write at `offset`, or at the position and moving it; returns how many bytes.

        While `append` is on, everything goes to the end.
        """
        limit = self._account.limits.transfer_bytes
        view = memoryview(data).cast("B")
        return self._write((view[:limit],), offset)

    @reporting
    def write_from(self, buffers: Sequence[BytesLike], offset: int | None = None) -> int:
        """The same from several buffers, which together should be no longer than the limit."""
        return self._write(buffers, offset)

    def _write(self, buffers: Sequence[BytesLike], offset: int | None) -> int:
        if not self.writable:
            raise FileError(FileErrorKind.BAD_DESCRIPTOR, "not open for writing")
        account = self._account
        if account.counts_writes:
            length = sum([memoryview(buffer).nbytes for buffer in buffers])
            self._check_growth(offset, length)
            account.written.check(length, "bytes written")
        count = os.writev(self.fd, buffers) if offset is None else os.pwritev(self.fd, buffers, offset)
        account.written.use(count)
        return count

    def _check_growth(self, offset: int | None, length: int) -> None:
        if self._append:
            offset = os.fstat(self.fd).st_size
        elif offset is None:
            offset = os.lseek(self.fd, 0, os.SEEK_CUR)
        self._check_size(offset + length)

    def _check_size(self, size: int) -> None:
        limit = self._account.limits.file_bytes
        if size > (_LARGEST if limit is None else limit):
            raise FileError(FileErrorKind.FILE_TOO_LARGE, "no file can be that large")

    @reporting
    def seek(self, offset: int, whence: Whence = Whence.START) -> int:
        """Move the position; returns where it is then, from the start."""
        return os.lseek(self.fd, offset, whence.value)

    @property
    def append(self) -> bool:
        """Whether all that is written goes to the end."""
        return self._append

    @reporting
    def set_append(self, append: bool) -> None:
        import fcntl

        flags = fcntl.fcntl(self.fd, fcntl.F_GETFL)
        flags = flags | os.O_APPEND if append else flags & ~os.O_APPEND
        fcntl.fcntl(self.fd, fcntl.F_SETFL, flags)
        self._append = append

    # The file as a whole.

    @reporting
    def stat(self) -> FileStat:
        return file_stat(os.fstat(self.fd))

    @reporting
    def set_size(self, size: int) -> None:
        """Cut the file off, or fill it up with zeros."""
        self._check_size(size)
        os.ftruncate(self.fd, size)

    async def allocate(self, offset: int, length: int) -> None:
        """Make the file at least `offset + length` bytes long, with room on the disk for them."""
        account = self._account
        if not hasattr(os, "posix_fallocate"):
            raise FileError(FileErrorKind.UNSUPPORTED, "this system cannot allocate")
        if not self.writable:
            raise FileError(FileErrorKind.BAD_DESCRIPTOR, "not open for writing")
        self._check_size(offset + length)
        account.written.check(length, "bytes written")
        await self._in_thread(lambda fd: os.posix_fallocate(fd, offset, length))
        account.written.use(length)

    @reporting
    def advise(self, offset: int, length: int, advice: Advice) -> None:
        """Say how a range of the file is going to be used; the system may do something about it."""
        os.fstat(self.fd)
        number = getattr(os, "POSIX_FADV_" + advice.name.replace("_", ""), None)
        if number is not None:
            os.posix_fadvise(self.fd, offset, length, number)

    @reporting
    def set_times(self, access_ns: int | None, modification_ns: int | None) -> None:
        """Set what is not None."""
        if not self.changeable:
            raise read_only()
        os.utime(self.fd, ns=new_times(os.fstat(self.fd), access_ns, modification_ns))

    async def sync(self, *, data_only: bool = False) -> None:
        """Return once the disk has what was written."""
        await self._in_thread(getattr(os, "fdatasync", os.fsync) if data_only else os.fsync)


def new_times(found: os.stat_result, access_ns: int | None, modification_ns: int | None) -> tuple[int, int]:
    return (
        found.st_atime_ns if access_ns is None else access_ns,
        found.st_mtime_ns if modification_ns is None else modification_ns,
    )


def read_only() -> FileError:
    return FileError(FileErrorKind.NOT_PERMITTED, "the folder is read-only")
