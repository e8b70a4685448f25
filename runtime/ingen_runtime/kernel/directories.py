"""Folders of the host that a guest may use.

A `Directory` is a folder that was preopened, or one that was opened beneath it: nothing outside of it can be
reached through it. Every operation raises FileError, and on something closed FileError(BAD_DESCRIPTOR).
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from typing import NamedTuple

from ingen_runtime.kernel.errors import FileError, FileErrorKind, file_error
from ingen_runtime.kernel.files import (
    FILE_TYPES,
    Descriptor,
    File,
    FileAccount,
    FileStat,
    FileType,
    file_stat,
    new_times,
    read_only,
    reporting,
)
from ingen_runtime.kernel.resolve import Place, check_path


class Entry(NamedTuple):
    """A name in a folder."""

    name: str
    type: FileType
    inode: int


class Directory(Descriptor):
    """An open folder. Paths are relative to it and do not leave it.

    Names that are not UTF-8 are not there for a guest.
    """

    __slots__ = ("writable",)

    def __init__(self, account: FileAccount, fd: int, writable: bool) -> None:
        super().__init__(account, fd)
        self.writable = writable

    @classmethod
    def preopen(
        cls, account: FileAccount, path: str | os.PathLike[str], *, writable: bool = True
    ) -> Directory:
        """Open a folder of the host, to be the root of what a guest can reach."""
        account.opened.check_room()
        try:
            fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise FileError(file_error(error).kind, f"{os.fspath(path)}: {error.strerror}") from None
        return cls(account, fd, writable)

    @reporting
    def open(
        self,
        path: str,
        *,
        read: bool = True,
        write: bool = False,
        append: bool = False,
        create: bool = False,
        exclusive: bool = False,
        truncate: bool = False,
        directory: bool = False,
        follow: bool = True,
    ) -> File | Directory:
        """Open a file or a folder.

        create: make a file where there is none; with `exclusive`, only then.
        directory: only if it is a folder. follow: also what a symbolic link at the end points to.

        Raises: FileError; NOT_PERMITTED also where the folder is read-only and this would change something,
        UNSUPPORTED for what is neither file nor folder.
        """
        if (write or append or create or truncate) and not self.writable:
            raise read_only()
        if directory and (create or exclusive or truncate):
            raise FileError(FileErrorKind.INVALID, "a folder is neither made nor cut off by opening it")
        self._account.opened.check_room()
        flags = (os.O_RDWR if read else os.O_WRONLY) if write else os.O_RDONLY
        if append:
            flags |= os.O_APPEND
        if create:
            flags |= os.O_CREAT
        if exclusive:
            flags |= os.O_EXCL
        if truncate:
            flags |= os.O_TRUNC
        if directory:
            flags |= os.O_DIRECTORY
        if not follow:
            flags |= os.O_NOFOLLOW
        # Without O_NONBLOCK, opening a FIFO would wait for its other end.
        fd = self._account.resolver.open(
            self._fd(), _encoded(path), flags | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC, 0o666
        )
        kind = stat.S_IFMT(os.fstat(fd).st_mode)
        if kind == stat.S_IFDIR:
            return Directory(self._account, fd, self.writable)
        if kind != stat.S_IFREG:
            os.close(fd)
            raise FileError(FileErrorKind.UNSUPPORTED, "neither a file nor a folder")
        return File(
            self._account,
            fd,
            readable=read,
            writable=write,
            append=append,
            changeable=self.writable,
        )

    # What names in it stand for.

    @reporting
    def stat_self(self) -> FileStat:
        return file_stat(os.fstat(self.fd))

    @reporting
    def stat(self, path: str, *, follow: bool = True) -> FileStat:
        with self._locate(path, follow=follow) as place:
            found = os.stat(place.name, dir_fd=place.fd, follow_symlinks=False)
            if place.slash and not stat.S_ISDIR(found.st_mode):
                raise FileError(FileErrorKind.NOT_DIRECTORY)
            return file_stat(found)

    @reporting
    def read_link(self, path: str) -> str:
        """Where a symbolic link points to."""
        with self._locate(path) as place:
            if place.slash:
                place.check_folder()
                raise FileError(FileErrorKind.INVALID, "no symbolic link")
            target = os.readlink(place.name, dir_fd=place.fd)
        try:
            return target.decode()
        except UnicodeDecodeError:
            raise FileError(FileErrorKind.ILLEGAL_BYTE_SEQUENCE) from None

    @reporting
    def entries(self) -> Listing:
        """The names in the folder, without `.` and `..`, one after the other. Close it."""
        self._account.opened.check_room()
        fd = os.open(b".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=self._fd())
        return Listing(self._account, fd)

    # Changing it: FileError(NOT_PERMITTED) where it is read-only.

    @reporting
    def create_directory(self, path: str) -> None:
        with self._changing(path) as place:
            os.mkdir(place.name, 0o777, dir_fd=place.fd)

    @reporting
    def remove_directory(self, path: str) -> None:
        with self._changing(path) as place:
            os.rmdir(place.name, dir_fd=place.fd)

    @reporting
    def unlink(self, path: str) -> None:
        """Remove a name that stands for no folder."""
        with self._changing(path) as place:
            if place.slash:
                place.check_folder()
                raise FileError(FileErrorKind.IS_DIRECTORY)
            try:
                os.unlink(place.name, dir_fd=place.fd)
            except PermissionError:
                # What POSIX wants where the name stands for a folder.
                if stat.S_ISDIR(os.stat(place.name, dir_fd=place.fd, follow_symlinks=False).st_mode):
                    raise FileError(FileErrorKind.IS_DIRECTORY) from None
                raise

    @reporting
    def rename(self, path: str, new_folder: Directory, new_path: str) -> None:
        """Move what a name stands for; what the new name stood for before is replaced."""
        with self._changing(path) as old, new_folder._changing(new_path) as new:
            if old.slash or new.slash:
                old.check_folder()
            os.rename(old.name, new.name, src_dir_fd=old.fd, dst_dir_fd=new.fd)

    @reporting
    def link(self, path: str, new_folder: Directory, new_path: str, *, follow: bool = False) -> None:
        """Give a file a second name. Both folders must be writable: the new name may be written through."""
        if not self.writable:
            raise read_only()
        with self._locate(path, follow=follow) as old, new_folder._changing(new_path) as new:
            if old.slash:
                old.check_folder()
            if new.slash:
                new.refuse_new()
            os.link(old.name, new.name, src_dir_fd=old.fd, dst_dir_fd=new.fd, follow_symlinks=False)

    @reporting
    def symlink(self, target: str, path: str) -> None:
        """Make a symbolic link. Raises: FileError NOT_PERMITTED where the target is absolute."""
        encoded = _encoded(target)
        check_path(encoded)
        with self._changing(path) as place:
            if place.slash:
                place.refuse_new()
            os.symlink(encoded, place.name, dir_fd=place.fd)

    @reporting
    def set_times(
        self, path: str, access_ns: int | None, modification_ns: int | None, *, follow: bool = True
    ) -> None:
        """Set what is not None."""
        # As in `stat`, a slash at the end follows a symbolic link.
        with self._changing(path, follow=follow or path.endswith("/")) as place:
            if place.slash:
                place.check_folder()
            found = os.stat(place.name, dir_fd=place.fd, follow_symlinks=False)
            times = new_times(found, access_ns, modification_ns)
            os.utime(place.name, ns=times, dir_fd=place.fd, follow_symlinks=False)

    def set_own_times(self, access_ns: int | None, modification_ns: int | None) -> None:
        """Set those of the folder itself that are not None."""
        self.set_times(".", access_ns, modification_ns)

    async def sync(self) -> None:
        """Return once the disk has what was changed in the folder."""
        await self._in_thread(os.fsync)

    def _fd(self) -> int:
        if self.fd < 0:
            raise FileError(FileErrorKind.BAD_DESCRIPTOR)
        return self.fd

    def _locate(self, path: str, *, follow: bool = False) -> Place:
        encoded = _encoded(path)
        # A slash at the end follows a symbolic link in any case.
        return self._account.resolver.locate(self._fd(), encoded, follow=follow or encoded.endswith(b"/"))

    def _changing(self, path: str, *, follow: bool = False) -> Place:
        if not self.writable:
            raise read_only()
        return self._account.resolver.locate(self._fd(), _encoded(path), follow=follow)


def _encoded(path: str) -> bytes:
    try:
        return path.encode()
    except UnicodeEncodeError:
        raise FileError(FileErrorKind.ILLEGAL_BYTE_SEQUENCE) from None


class Listing(Descriptor):
    """The names in a folder, read from the host as they are asked for."""

    __slots__ = ("_found",)

    def __init__(self, account: FileAccount, fd: int) -> None:
        super().__init__(account, fd)
        try:
            self._found = os.scandir(fd)
        except OSError:
            super().close()
            raise

    def __iter__(self) -> Iterator[Entry]:
        return self

    def __next__(self) -> Entry:
        try:
            while True:
                found = next(self._found)
                name = found.name
                try:
                    name.encode()
                except UnicodeEncodeError:
                    continue
                return Entry(name, _entry_type(found), found.inode())
        except OSError as error:
            raise file_error(error) from None

    def close(self) -> None:
        self._found.close()
        super().close()


def _entry_type(found: os.DirEntry[str]) -> FileType:
    if found.is_symlink():
        return FileType.SYMBOLIC_LINK
    if found.is_file(follow_symlinks=False):
        return FileType.REGULAR_FILE
    if found.is_dir(follow_symlinks=False):
        return FileType.DIRECTORY
    try:
        return FILE_TYPES.get(stat.S_IFMT(found.stat(follow_symlinks=False).st_mode), FileType.UNKNOWN)
    except OSError:
        return FileType.UNKNOWN
