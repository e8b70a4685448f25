"""Opening paths so that nothing outside of a folder is reached.

A path is looked up beneath an open folder, whatever `..` and symbolic links are in it, and whatever else
changes the folder meanwhile. What would leave the folder raises FileError(NOT_PERMITTED); so do absolute
paths, also those in symbolic links.

There are two ways: Linux does it in one system call (`openat2`), and everywhere a path can be walked name by
name. What has to be done to a name in a folder (make, remove, rename, look at it) takes two steps: open the
folder that the name is in, then use the name, which is no path and not followed if it is a symbolic link.
"""

from __future__ import annotations

import ctypes
import errno
import functools
import os
import stat
import sys
from abc import ABC, abstractmethod
from typing import Final, NoReturn

from ingen_runtime.kernel.errors import FileError, FileErrorKind, file_error

_MOST_LINKS: Final = 40
"""Symbolic links in one look-up, as in Linux."""
_LONGEST_PATH: Final = 4096
"""In bytes, as in Linux."""
_MOST_OPEN: Final = 128
"""Folders that a walk keeps open: how deep it may go."""
_MOST_RETRIES: Final = 64
_FOLDER: Final = os.O_DIRECTORY | os.O_CLOEXEC | getattr(os, "O_PATH", 0)
"""How folders are opened on the way."""


class Place:
    """A name in an open folder. `fd` is the folder's descriptor, to be given back with `close`.

    `name` has no slash; it is `.` where the path names the folder itself. `slash` tells whether a slash
    followed it, which is right for folders alone.
    """

    __slots__ = ("_opened", "fd", "name", "slash")

    def __init__(self, fd: int, name: bytes, slash: bool, opened: bool) -> None:
        self.fd = fd
        self.name = name
        self.slash = slash
        self._opened = opened

    def check_folder(self) -> None:
        """Raises FileError(NOT_DIRECTORY) where the name stands for anything but a folder."""
        found = os.stat(self.name, dir_fd=self.fd, follow_symlinks=False)
        if not stat.S_ISDIR(found.st_mode):
            raise FileError(FileErrorKind.NOT_DIRECTORY)

    def refuse_new(self) -> NoReturn:
        """Say why nothing but a folder can be made under a name with a slash."""
        self.check_folder()
        raise FileError(FileErrorKind.EXIST)

    def close(self) -> None:
        if self._opened:
            self._opened = False
            os.close(self.fd)

    def __enter__(self) -> Place:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Resolver(ABC):
    """Looks paths up beneath folders."""

    __slots__ = ()

    @abstractmethod
    def open(self, root: int, path: bytes, flags: int, mode: int = 0) -> int:
        """`os.open` beneath the folder `root`; the flags say whether to follow a symbolic link at the end.

        Raises: FileError
        """

    def locate(self, root: int, path: bytes, *, follow: bool) -> Place:
        """The folder and the name that a path stands for.

        With `follow` the name is no symbolic link, unless it became one meanwhile.

        Raises: FileError where the folder cannot be opened; that the name exists is not looked at.
        """
        links = 0
        while True:
            check_path(path)
            stripped = path.rstrip(b"/")
            slash = len(stripped) != len(path)
            parent, _, name = stripped.rpartition(b"/")
            if name in _DOTS:
                return Place(self.open(root, stripped, _FOLDER), b".", slash, True)
            fd = self.open(root, parent, _FOLDER) if parent else root
            place = Place(fd, name, slash, bool(parent))
            if not follow:
                return place
            target = _link_target(fd, name)
            if target is None:
                return place
            place.close()
            links += 1
            if links > _MOST_LINKS:
                raise FileError(FileErrorKind.LOOP, "too many symbolic links")
            if target.startswith(b"/"):
                raise _leaves()
            path = (parent + b"/" if parent else b"") + target + (b"/" if slash else b"")


_DOTS: Final = frozenset({b".", b".."})
_FOLDER_NAMES: Final = frozenset({b"", *_DOTS})
"""What can only stand for a folder; nothing is what a slash at the end leaves."""


def check_path(path: bytes) -> None:
    """Raises FileError where it is no path below a folder."""
    if not path:
        raise FileError(FileErrorKind.NO_ENTRY, "an empty path")
    if path[0] == 0x2F:
        raise _leaves()
    if b"\0" in path:
        raise FileError(FileErrorKind.INVALID, "a path with a NUL byte")
    if len(path) >= _LONGEST_PATH:
        raise FileError(FileErrorKind.NAME_TOO_LONG)


def _leaves() -> FileError:
    return FileError(FileErrorKind.NOT_PERMITTED, "the path leaves the folder")


def _link_target(fd: int, name: bytes) -> bytes | None:
    """Where a symbolic link points to; None for anything else, or nothing."""
    try:
        return os.readlink(name, dir_fd=fd)
    except OSError as error:
        if error.errno in (errno.EINVAL, errno.ENOENT):
            return None
        raise file_error(error) from None


class _OpenHow(ctypes.Structure):
    _fields_ = [
        ("flags", ctypes.c_uint64),
        ("mode", ctypes.c_uint64),
        ("resolve", ctypes.c_uint64),
    ]


_SYS_OPENAT2: Final = 437
_RESOLVE: Final = 0x08 | 0x02  # RESOLVE_BENEATH, RESOLVE_NO_MAGICLINKS


class KernelResolver(Resolver):
    """Linux looks up: one system call, from Linux 5.6 on."""

    __slots__ = ("_syscall", "_walk")

    def __init__(self) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        self._syscall = libc.syscall
        self._syscall.restype = ctypes.c_long
        self._syscall.argtypes = [
            ctypes.c_long,
            ctypes.c_int,
            ctypes.c_char_p,
            ctypes.POINTER(_OpenHow),
            ctypes.c_size_t,
        ]
        self._walk = WalkingResolver()

    def open(self, root: int, path: bytes, flags: int, mode: int = 0) -> int:
        check_path(path)
        how = _OpenHow(flags | os.O_CLOEXEC, mode if flags & os.O_CREAT else 0, _RESOLVE)
        for _ in range(_MOST_RETRIES):
            fd: int = self._syscall(_SYS_OPENAT2, root, path, how, ctypes.sizeof(how))
            if fd >= 0:
                return fd
            number = ctypes.get_errno()
            if number == errno.EXDEV:
                raise _leaves()
            # Linux could not tell whether `..` stayed inside, because something was renamed meanwhile.
            if number not in (errno.EAGAIN, errno.EINTR):
                raise file_error(OSError(number, os.strerror(number)))
        return self._walk.open(root, path, flags, mode)

    @staticmethod
    def works() -> bool:
        """Whether this system has the call, and lets us use it."""
        if sys.platform != "linux":
            return False
        try:
            fd = os.open("/", _FOLDER)
            try:
                os.close(KernelResolver().open(fd, b".", _FOLDER))
            finally:
                os.close(fd)
        except (FileError, OSError, AttributeError):
            return False
        return True


class WalkingResolver(Resolver):
    """We look up, name by name, without ever following a symbolic link by the system's means."""

    __slots__ = ()

    def open(self, root: int, path: bytes, flags: int, mode: int = 0) -> int:
        check_path(path)
        try:
            return _Walk(root, path).open(flags | os.O_CLOEXEC, mode)
        except OSError as error:
            raise file_error(error) from None


class _Walk:
    """One look-up. The folders on the way stay open, so that `..` leads back to where we came from."""

    __slots__ = ("_folders", "_links", "_names", "_root")

    def __init__(self, root: int, path: bytes) -> None:
        self._root = root
        self._folders: list[int] = []
        self._names = _names(path)
        self._links = 0

    def open(self, flags: int, mode: int) -> int:
        try:
            return self._open(flags, mode)
        finally:
            for folder in self._folders:
                os.close(folder)

    def _open(self, flags: int, mode: int) -> int:
        follows = not flags & os.O_NOFOLLOW and not (flags & os.O_CREAT and flags & os.O_EXCL)
        while True:
            name = self._names.pop()
            if self._names:
                self._step(name)
            elif name in _FOLDER_NAMES:
                self._step(name)
                if flags & os.O_CREAT:
                    raise FileError(FileErrorKind.IS_DIRECTORY)
                return os.open(b".", flags & ~os.O_NOFOLLOW | os.O_DIRECTORY, dir_fd=self._here)
            elif not (follows and self._follow(name)):
                return os.open(name, flags | os.O_NOFOLLOW, mode, dir_fd=self._here)

    @property
    def _here(self) -> int:
        return self._folders[-1] if self._folders else self._root

    def _step(self, name: bytes) -> None:
        """Go into a folder."""
        if name in (b"", b"."):
            return
        if name == b"..":
            if not self._folders:
                raise _leaves()
            os.close(self._folders.pop())
            return
        if len(self._folders) == _MOST_OPEN:
            raise FileError(FileErrorKind.NAME_TOO_LONG, "the path is too deep")
        try:
            self._folders.append(os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=self._here))
        except OSError as error:
            if error.errno not in (errno.ELOOP, errno.ENOTDIR) or not self._follow(name):
                raise

    def _follow(self, name: bytes) -> bool:
        """Go on with the names in a symbolic link; False where it is none."""
        target = _link_target(self._here, name)
        if target is None:
            return False
        self._links += 1
        if self._links > _MOST_LINKS:
            raise FileError(FileErrorKind.LOOP, "too many symbolic links")
        if target.startswith(b"/"):
            raise _leaves()
        self._names += _names(target)
        return True


def _names(path: bytes) -> list[bytes]:
    """The names in a path, the last one first."""
    names = path.split(b"/")
    names.reverse()
    return names


@functools.cache
def best_resolver() -> Resolver:
    """What is fastest here."""
    return KernelResolver() if KernelResolver.works() else WalkingResolver()
