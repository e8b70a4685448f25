"""`wasi:filesystem`, on the folders and files of a process."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Concatenate, Final, ParamSpec, TypeVar, cast, final

from ingen_runtime.kernel.directories import Directory, Listing
from ingen_runtime.kernel.errors import FileError, FileErrorKind
from ingen_runtime.kernel.file_streams import FileInput, FileOutput
from ingen_runtime.kernel.files import Advice, File, FileStat, FileType
from ingen_runtime.kernel.limits import MIB
from ingen_runtime.kernel.process import Process
from ingen_runtime.waiting import may_wait
from ingen_runtime.wasi.p2.bindings import error as error_bindings
from ingen_runtime.wasi.p2.bindings import types as bindings
from ingen_runtime.wasi.p2.bindings.preopens import AsyncPreopensImports
from ingen_runtime.wasi.p2.bindings.types import (
    AsyncTypesImports,
    DescriptorFlags,
    DescriptorStat,
    DescriptorType,
    DirectoryEntry,
    ErrorCode,
    ErrorCodeException,
    MetadataHashValue,
    NewTimestamp,
    NewTimestampNoChange,
    NewTimestampNow,
    NewTimestampTimestamp,
    OpenFlags,
    PathFlags,
)
from ingen_runtime.wasi.p2.clocks import datetime_from_ns, ns_from_datetime
from ingen_runtime.wasi.p2.resources import Resource
from ingen_runtime.wasi.p2.streams import READ_LIMIT, Error, InputStream, OutputStream, Sink

_WRITE_CAPACITY: Final = MIB
"""What `check-write` of a file allows."""

_CODES: Final = {
    kind: ErrorCode.QUOTA if kind is FileErrorKind.TOO_MANY_OPEN_FILES else ErrorCode(kind.value)
    for kind in FileErrorKind
}
_TYPES: Final = {type_: DescriptorType(type_.value) for type_ in FileType}
_ADVICE: Final = {bindings.Advice(advice.value): advice for advice in Advice}

_P = ParamSpec("_P")
_R = TypeVar("_R")
_S = TypeVar("_S")


def _refused(error: FileError) -> ErrorCodeException:
    return ErrorCodeException(_CODES[error.kind])


def _reporting(method: Callable[Concatenate[_S, _P], _R]) -> Callable[Concatenate[_S, _P], _R]:
    """The method, with the kernel's errors turned into those of WASI."""

    @functools.wraps(method)
    def wrapped(self: _S, *args: _P.args, **kwargs: _P.kwargs) -> _R:
        try:
            return method(self, *args, **kwargs)
        except FileError as error:
            raise _refused(error) from None

    return cast("Callable[Concatenate[_S, _P], _R]", wrapped)


@final
class Descriptor(Resource):
    """An open file or folder. Its streams may outlive it: the file is closed after the last of them."""

    __slots__ = ("_host", "_opened", "_users")

    def __init__(self, host: Filesystem, opened: File | Directory, *, stays_open: bool = False) -> None:
        super().__init__()
        self._host = host
        self._opened = opened
        self._users = 1 + stays_open

    def _file(self) -> File:
        if isinstance(self._opened, File):
            return self._opened
        raise ErrorCodeException(ErrorCode.IS_DIRECTORY)

    def _folder(self) -> Directory:
        if isinstance(self._opened, Directory):
            return self._opened
        raise ErrorCodeException(ErrorCode.NOT_DIRECTORY)

    def _stat(self) -> FileStat:
        opened = self._opened
        return opened.stat() if isinstance(opened, File) else opened.stat_self()

    def _release(self) -> None:
        self._users -= 1
        if not self._users:
            self._opened.close()

    # Files.

    def read_via_stream(self, offset: int) -> InputStream:
        file = self._file()
        if not file.readable:
            raise ErrorCodeException(ErrorCode.BAD_DESCRIPTOR)
        self._users += 1
        return InputStream(FileInput(file, offset), release=self._release)

    def write_via_stream(self, offset: int) -> OutputStream:
        return self._writer(offset)

    def append_via_stream(self) -> OutputStream:
        return self._writer(None)

    def _writer(self, offset: int | None) -> OutputStream:
        file = self._file()
        if not file.writable:
            raise ErrorCodeException(ErrorCode.BAD_DESCRIPTOR)
        self._users += 1
        return OutputStream(Sink(FileOutput(file, offset), _WRITE_CAPACITY), release=self._release)

    @_reporting
    def read(self, length: int, offset: int) -> tuple[bytes, bool]:
        limit = min(length, self._host.read_limit)
        data = self._file().read(limit, offset)
        return data, len(data) < limit

    @_reporting
    def write(self, buffer: bytes, offset: int) -> int:
        return self._file().write(buffer, offset)

    @_reporting
    def set_size(self, size: int) -> None:
        file = self._file()
        if not file.writable:
            raise ErrorCodeException(ErrorCode.BAD_DESCRIPTOR)
        file.set_size(size)

    @_reporting
    def advise(self, offset: int, length: int, advice: bindings.Advice) -> None:
        self._file().advise(offset, length, _ADVICE[advice])

    # Folders.

    @_reporting
    def open_at(
        self, path_flags: PathFlags, path: str, open_flags: OpenFlags, flags: DescriptorFlags
    ) -> Descriptor:
        folder = self._folder()
        if DescriptorFlags.MUTATE_DIRECTORY in flags and not folder.writable:
            raise ErrorCodeException(ErrorCode.READ_ONLY)
        opened = folder.open(
            path,
            read=DescriptorFlags.READ in flags,
            write=DescriptorFlags.WRITE in flags,
            create=OpenFlags.CREATE in open_flags,
            exclusive=OpenFlags.EXCLUSIVE in open_flags,
            truncate=OpenFlags.TRUNCATE in open_flags,
            directory=OpenFlags.DIRECTORY in open_flags,
            follow=PathFlags.SYMLINK_FOLLOW in path_flags,
        )
        return Descriptor(self._host, opened)

    @_reporting
    def read_directory(self) -> DirectoryEntryStream:
        return DirectoryEntryStream(self._folder().entries())

    @_reporting
    def stat_at(self, path_flags: PathFlags, path: str) -> DescriptorStat:
        return _descriptor_stat(self._folder().stat(path, follow=PathFlags.SYMLINK_FOLLOW in path_flags))

    @_reporting
    def set_times_at(
        self,
        path_flags: PathFlags,
        path: str,
        data_access_timestamp: NewTimestamp,
        data_modification_timestamp: NewTimestamp,
    ) -> None:
        ns = self._host.ns
        times = ns(data_access_timestamp), ns(data_modification_timestamp)
        self._folder().set_times(path, *times, follow=PathFlags.SYMLINK_FOLLOW in path_flags)

    @_reporting
    def link_at(
        self,
        old_path_flags: PathFlags,
        old_path: str,
        new_descriptor: bindings.AsyncDescriptor,
        new_path: str,
    ) -> None:
        other = cast(Descriptor, new_descriptor)._folder()
        follow = PathFlags.SYMLINK_FOLLOW in old_path_flags
        self._folder().link(old_path, other, new_path, follow=follow)

    @_reporting
    def rename_at(self, old_path: str, new_descriptor: bindings.AsyncDescriptor, new_path: str) -> None:
        self._folder().rename(old_path, cast(Descriptor, new_descriptor)._folder(), new_path)

    @_reporting
    def symlink_at(self, old_path: str, new_path: str) -> None:
        self._folder().symlink(old_path, new_path)

    @_reporting
    def readlink_at(self, path: str) -> str:
        target = self._folder().read_link(path)
        if target.startswith("/"):
            raise ErrorCodeException(ErrorCode.NOT_PERMITTED)
        return target

    @_reporting
    def create_directory_at(self, path: str) -> None:
        self._folder().create_directory(path)

    @_reporting
    def remove_directory_at(self, path: str) -> None:
        self._folder().remove_directory(path)

    @_reporting
    def unlink_file_at(self, path: str) -> None:
        self._folder().unlink(path)

    @_reporting
    def metadata_hash_at(self, path_flags: PathFlags, path: str) -> MetadataHashValue:
        found = self._folder().stat(path, follow=PathFlags.SYMLINK_FOLLOW in path_flags)
        return self._host.metadata_hash(found)

    # Both.

    @_reporting
    def stat(self) -> DescriptorStat:
        return _descriptor_stat(self._stat())

    @_reporting
    def metadata_hash(self) -> MetadataHashValue:
        return self._host.metadata_hash(self._stat())

    def is_same_object(self, other: bindings.AsyncDescriptor) -> bool:
        mine, its = self._stat(), cast(Descriptor, other)._stat()
        return (mine.device, mine.inode) == (its.device, its.inode)

    def get_flags(self) -> DescriptorFlags:
        opened = self._opened
        if isinstance(opened, Directory):
            mutates = DescriptorFlags.MUTATE_DIRECTORY if opened.writable else DescriptorFlags(0)
            return DescriptorFlags.READ | mutates
        flags = DescriptorFlags(0)
        if opened.readable:
            flags |= DescriptorFlags.READ
        if opened.writable:
            flags |= DescriptorFlags.WRITE
        return flags

    @_reporting
    def get_type(self) -> DescriptorType:
        return _TYPES[self._stat().type]

    @_reporting
    def set_times(
        self, data_access_timestamp: NewTimestamp, data_modification_timestamp: NewTimestamp
    ) -> None:
        ns, opened = self._host.ns, self._opened
        times = ns(data_access_timestamp), ns(data_modification_timestamp)
        if isinstance(opened, File):
            opened.set_times(*times)
        else:
            opened.set_own_times(*times)

    @may_wait
    def sync(self) -> Awaitable[None] | None:
        return self._sync(data_only=False)

    @may_wait
    def sync_data(self) -> Awaitable[None] | None:
        return self._sync(data_only=True)

    def _sync(self, *, data_only: bool) -> Awaitable[None] | None:
        opened = self._opened
        if isinstance(opened, File) and not opened.writable:
            return None
        return _synced(opened, data_only)


async def _synced(opened: File | Directory, data_only: bool) -> None:
    try:
        if isinstance(opened, File):
            await opened.sync(data_only=data_only)
        else:
            await opened.sync()
    except FileError as error:
        raise _refused(error) from None


@final
class DirectoryEntryStream(Resource):
    """The names in a folder."""

    __slots__ = ("_listing",)

    def __init__(self, listing: Listing) -> None:
        super().__init__()
        self._listing = listing

    @_reporting
    def read_directory_entry(self) -> DirectoryEntry | None:
        entry = next(self._listing, None)
        return None if entry is None else DirectoryEntry(_TYPES[entry.type], entry.name)

    def _release(self) -> None:
        self._listing.close()


def _descriptor_stat(found: FileStat) -> DescriptorStat:
    return DescriptorStat(
        _TYPES[found.type],
        found.links,
        found.size,
        datetime_from_ns(found.access_ns),
        datetime_from_ns(found.modification_ns),
        datetime_from_ns(found.change_ns),
    )


class Filesystem(AsyncTypesImports):
    """Implements `wasi:filesystem/types`."""

    descriptor = Descriptor
    directory_entry_stream = DirectoryEntryStream

    def __init__(self, process: Process) -> None:
        self._clock = process.clock
        self._key = process.randomness.insecure(16)
        self.read_limit = min(READ_LIMIT, process.limits.transfer_bytes)
        """What one read gives at most."""

    def filesystem_error_code(self, err: error_bindings.AsyncError) -> ErrorCode | None:
        cause = cast(Error, err).cause
        return _CODES[cause.kind] if isinstance(cause, FileError) else None

    def ns(self, new: NewTimestamp) -> int | None:
        """What a time is to be set to; None where it stays."""
        match new:
            case NewTimestampNoChange():
                return None
            case NewTimestampNow():
                return self._clock.wall_ns()
            case NewTimestampTimestamp(datetime):
                return ns_from_datetime(datetime)

    def metadata_hash(self, found: FileStat) -> MetadataHashValue:
        """Says whether a file was changed or replaced, and nothing of the host."""
        known = (found.device, found.inode, found.size, found.modification_ns)
        digest = hashlib.blake2b(repr(known).encode(), digest_size=16, key=self._key).digest()
        return MetadataHashValue(int.from_bytes(digest[:8], "little"), int.from_bytes(digest[8:], "little"))


class Preopens(AsyncPreopensImports):
    """Implements `wasi:filesystem/preopens`. The folders stay open: they may be asked for again."""

    def __init__(self, host: Filesystem, preopened: Sequence[tuple[Directory, str]]) -> None:
        self._host = host
        self._preopened = preopened

    def get_directories(self) -> list[tuple[Descriptor, str]]:
        return [(Descriptor(self._host, folder, stays_open=True), name) for folder, name in self._preopened]
