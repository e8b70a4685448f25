"""The functions of preview 1 that have to do with descriptors and paths.

They take what the guest passed and return 0, or raise what `preview1` turns into an `errno`. Those that let
the guest wait raise Blocked, return an awaitable, or are generators, which yield where others should run.
"""

from __future__ import annotations

from collections.abc import Generator

from ingen_runtime.kernel.clock import Clock
from ingen_runtime.kernel.files import Advice, File, FileStat, Whence
from ingen_runtime.kernel.process import Process
from ingen_runtime.wasi.p1.abi import (
    ATIM,
    ATIM_NOW,
    DIRENT,
    FDFLAG_APPEND,
    FDSTAT,
    FILESTAT,
    FILETYPES,
    MTIM,
    MTIM_NOW,
    OFLAG_CREAT,
    OFLAG_DIRECTORY,
    OFLAG_EXCL,
    OFLAG_TRUNC,
    PRESTAT,
    SYMLINK_FOLLOW,
    Errno,
    ErrnoError,
    Filetype,
    Rights,
)
from ingen_runtime.wasi.p1.descriptors import (
    Descriptor,
    DirectoryDescriptor,
    FileDescriptor,
)
from ingen_runtime.wasi.p1.memory import GuestMemory
from ingen_runtime.wasi.p1.table import DescriptorTable

_LONGEST_PATH = 1 << 16
_U64 = (1 << 64) - 1
_FD_READ = int(Rights.FD_READ)
_FD_WRITE = int(Rights.FD_WRITE)
_ADVICE = tuple(Advice)
"""In the order of the specification, as are those of `whence`."""
_WHENCE = (Whence.START, Whence.HERE, Whence.END)


class FdFunctions:
    """`fd_…`"""

    def __init__(self, process: Process, memory: GuestMemory, table: DescriptorTable) -> None:
        self._process = process
        self._memory = memory
        self._table = table

    def fd_advise(self, fd: int, offset: int, length: int, advice: int) -> int:
        if advice >= len(_ADVICE):
            raise ErrnoError(Errno.INVAL)
        self._table.file(fd).file.advise(offset, length, _ADVICE[advice])
        return 0

    async def fd_allocate(self, fd: int, offset: int, length: int) -> int:
        await self._table.file(fd).file.allocate(offset, length)
        return 0

    def fd_close(self, fd: int) -> int:
        self._table.close(fd)
        return 0

    async def fd_datasync(self, fd: int) -> int:
        await self._table.file(fd).file.sync(data_only=True)
        return 0

    async def fd_sync(self, fd: int) -> int:
        found = self._table[fd]
        if isinstance(found, DirectoryDescriptor):
            await found.directory.sync()
        else:
            await self._table.file(fd).file.sync()
        return 0

    def fd_fdstat_get(self, fd: int, ptr: int) -> int:
        found = self._table[fd]
        self._memory.pack(FDSTAT, ptr, found.filetype, found.flags, found.rights, found.inheriting)
        return 0

    def fd_fdstat_set_flags(self, fd: int, flags: int) -> int:
        self._table[fd].set_flags(flags & 0xFFFF)
        return 0

    def fd_fdstat_set_rights(self, fd: int, base: int, inheriting: int) -> int:
        found = self._table[fd]
        if base & ~found.rights or inheriting & ~found.inheriting:
            raise ErrnoError(Errno.NOTCAPABLE)
        # Descriptors have the rights that their kind and the folder give them, and no others.
        if base != found.rights or inheriting != found.inheriting:
            raise ErrnoError(Errno.NOTSUP)
        return 0

    def fd_filestat_get(self, fd: int, ptr: int) -> int:
        found = self._table[fd]
        write_filestat(self._memory, ptr, found.stat(), found.filetype)
        return 0

    def fd_filestat_set_size(self, fd: int, size: int) -> int:
        self._table.file(fd).file.set_size(size)
        return 0

    def fd_filestat_set_times(self, fd: int, access: int, modification: int, flags: int) -> int:
        times = new_times(self._process.clock, access, modification, flags)
        self._table[fd].set_times(*times)
        return 0

    def fd_prestat_get(self, fd: int, ptr: int) -> int:
        found = self._table[fd]
        if not isinstance(found, DirectoryDescriptor) or found.name is None:
            raise ErrnoError(Errno.BADF)
        self._memory.pack(PRESTAT, ptr, 0, len(found.name))
        return 0

    def fd_prestat_dir_name(self, fd: int, ptr: int, length: int) -> int:
        found = self._table[fd]
        if not isinstance(found, DirectoryDescriptor) or found.name is None:
            raise ErrnoError(Errno.NOTDIR)
        if len(found.name) > length:
            raise ErrnoError(Errno.NAMETOOLONG)
        self._memory.write(ptr, found.name)
        return 0

    def fd_read(self, fd: int, iovs: int, count: int, result: int) -> int:
        memory = self._memory
        memory.write_u32(result, self._table[fd].read(memory.buffers(iovs, count)))
        return 0

    def fd_write(self, fd: int, iovs: int, count: int, result: int) -> object:
        memory = self._memory
        found = self._table[fd]
        memory.write_u32(result, found.write(memory.buffers(iovs, count)))
        return self._synced(found) if found.flags else 0

    def fd_pread(self, fd: int, iovs: int, count: int, offset: int, result: int) -> int:
        memory = self._memory
        file = self._positioned(fd).file
        memory.write_u32(result, file.read_into(memory.buffers(iovs, count), offset))
        return 0

    def fd_pwrite(self, fd: int, iovs: int, count: int, offset: int, result: int) -> object:
        memory = self._memory
        found = self._positioned(fd)
        memory.write_u32(result, found.file.write_from(memory.buffers(iovs, count), offset))
        return self._synced(found) if found.flags else 0

    def _synced(self, found: Descriptor) -> object:
        """Wait for the disk, if the descriptor's flags want that after each write."""
        if not isinstance(found, FileDescriptor) or not found.syncs:
            return 0
        return self._sync(found)

    async def _sync(self, found: FileDescriptor) -> int:
        await found.file.sync()
        return 0

    def _positioned(self, fd: int) -> FileDescriptor:
        found = self._table[fd]
        if isinstance(found, FileDescriptor):
            return found
        raise ErrnoError(Errno.BADF if isinstance(found, DirectoryDescriptor) else Errno.SPIPE)

    def fd_seek(self, fd: int, offset: int, whence: int, result: int) -> int:
        if whence >= len(_WHENCE):
            raise ErrnoError(Errno.INVAL)
        if offset >> 63:
            offset -= 1 << 64
        self._memory.write_u64(result, self._positioned(fd).file.seek(offset, _WHENCE[whence]))
        return 0

    def fd_tell(self, fd: int, result: int) -> int:
        self._memory.write_u64(result, self._positioned(fd).file.seek(0, Whence.HERE))
        return 0

    def fd_renumber(self, fd: int, to: int) -> int:
        self._table.renumber(fd, to)
        return 0

    def fd_readdir(
        self, fd: int, ptr: int, length: int, cookie: int, result: int
    ) -> Generator[None, None, int]:
        reading = self._table.directory(fd).reading
        self._memory.slice(ptr, length)
        used = 0
        while used < length:
            entry = yield from reading.find(cookie)
            if entry is None:
                break
            cookie += 1
            name = entry.name.encode()
            head = DIRENT.pack(cookie, entry.inode, len(name), FILETYPES[entry.type])
            part = (head + name)[: length - used]
            self._memory.write(ptr + used, part)
            used += len(part)
        self._memory.write_u32(result, used)
        return 0


class PathFunctions:
    """`path_…`"""

    def __init__(self, process: Process, memory: GuestMemory, table: DescriptorTable) -> None:
        self._process = process
        self._memory = memory
        self._table = table

    def _path(self, ptr: int, length: int) -> str:
        data = self._memory.slice(ptr, length)
        if length > _LONGEST_PATH:
            raise ErrnoError(Errno.NAMETOOLONG)
        try:
            return str(data, "utf-8")
        except UnicodeDecodeError:
            raise ErrnoError(Errno.ILSEQ) from None

    def path_create_directory(self, fd: int, path: int, length: int) -> int:
        self._table.directory(fd).directory.create_directory(self._path(path, length))
        return 0

    def path_filestat_get(self, fd: int, flags: int, path: int, length: int, ptr: int) -> int:
        directory = self._table.directory(fd).directory
        found = directory.stat(self._path(path, length), follow=bool(flags & SYMLINK_FOLLOW))
        write_filestat(self._memory, ptr, found)
        return 0

    def path_filestat_set_times(
        self, fd: int, flags: int, path: int, length: int, access: int, modification: int, which: int
    ) -> int:
        access_ns, modification_ns = new_times(self._process.clock, access, modification, which)
        self._table.directory(fd).directory.set_times(
            self._path(path, length), access_ns, modification_ns, follow=bool(flags & SYMLINK_FOLLOW)
        )
        return 0

    def path_link(
        self, fd: int, flags: int, path: int, length: int, new_fd: int, new_path: int, new_length: int
    ) -> int:
        self._table.directory(fd).directory.link(
            self._path(path, length),
            self._table.directory(new_fd).directory,
            self._path(new_path, new_length),
            follow=bool(flags & SYMLINK_FOLLOW),
        )
        return 0

    def path_open(
        self,
        fd: int,
        lookup: int,
        path: int,
        length: int,
        oflags: int,
        rights: int,
        inheriting: int,
        fdflags: int,
        result: int,
    ) -> int:
        self._table.check_room()
        opened = self._table.directory(fd).directory.open(
            self._path(path, length),
            read=bool(rights & _FD_READ),
            write=bool(rights & _FD_WRITE),
            append=bool(fdflags & FDFLAG_APPEND),
            create=bool(oflags & OFLAG_CREAT),
            exclusive=bool(oflags & OFLAG_EXCL),
            truncate=bool(oflags & OFLAG_TRUNC),
            directory=bool(oflags & OFLAG_DIRECTORY),
            follow=bool(lookup & SYMLINK_FOLLOW),
        )
        if isinstance(opened, File):
            found: Descriptor = FileDescriptor(opened, fdflags & 0x1F)
        else:
            found = DirectoryDescriptor(opened)
        self._memory.write_u32(result, self._table.add(found))
        return 0

    def path_readlink(self, fd: int, path: int, length: int, ptr: int, room: int, result: int) -> int:
        target = self._table.directory(fd).directory.read_link(self._path(path, length)).encode()[:room]
        self._memory.write(ptr, target)
        self._memory.write_u32(result, len(target))
        return 0

    def path_remove_directory(self, fd: int, path: int, length: int) -> int:
        self._table.directory(fd).directory.remove_directory(self._path(path, length))
        return 0

    def path_rename(
        self, fd: int, path: int, length: int, new_fd: int, new_path: int, new_length: int
    ) -> int:
        self._table.directory(fd).directory.rename(
            self._path(path, length),
            self._table.directory(new_fd).directory,
            self._path(new_path, new_length),
        )
        return 0

    def path_symlink(self, target: int, target_length: int, fd: int, path: int, length: int) -> int:
        directory = self._table.directory(fd).directory
        directory.symlink(self._path(target, target_length), self._path(path, length))
        return 0

    def path_unlink_file(self, fd: int, path: int, length: int) -> int:
        self._table.directory(fd).directory.unlink(self._path(path, length))
        return 0


def write_filestat(
    memory: GuestMemory, ptr: int, found: FileStat | None, filetype: Filetype = Filetype.UNKNOWN
) -> None:
    if found is None:
        memory.pack(FILESTAT, ptr, 0, 0, filetype, 0, 0, 0, 0, 0)
        return
    memory.pack(
        FILESTAT,
        ptr,
        found.device & _U64,
        found.inode & _U64,
        FILETYPES[found.type],
        found.links,
        found.size,
        max(found.access_ns, 0),
        max(found.modification_ns, 0),
        max(found.change_ns, 0),
    )


def new_times(clock: Clock, access: int, modification: int, flags: int) -> tuple[int | None, int | None]:
    """The times to set; None for what stays as it is. Raises: ErrnoError(INVAL)"""
    times: list[int | None] = []
    for given, fixed, now in ((access, ATIM, ATIM_NOW), (modification, MTIM, MTIM_NOW)):
        if flags & fixed and flags & now:
            raise ErrnoError(Errno.INVAL)
        times.append(given if flags & fixed else clock.wall_ns() if flags & now else None)
    return times[0], times[1]
