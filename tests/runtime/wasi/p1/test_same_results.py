"""Random calls in a row give what wasmtime's own WASI gives: results, errors, and the files in the end.

Left out is where the two differ on purpose, or where the specification leaves it open: which of two errors
comes first, what a descriptor may do that was opened with fewer rights, numbers that stand for nothing (there
wasmtime traps).
"""

from __future__ import annotations

import random
import struct
from pathlib import Path
from typing import Protocol

import pytest
import wasmtime

from ingen_runtime.kernel.process import Folder, Process
from ingen_runtime.wasi.p1.abi import DIRENT, FDSTAT, FILESTAT, TYPES, Errno, Filetype
from tests.runtime.wasi.p1.bare_guest import BareGuest, module_wasm

PATHS = """
a b d e d/a d/e d/e/f link link/a d/up loop dangling a/ d/ link/ e/ .. ../a /a . d/.. d/../a d/. ./a d//a
a/b link/.. d/up/a out out/given d/../../given/a dangling/ loop/ ./ new/ d/./new
""".split()
TARGETS = "a d .. ../a d/a loop nothing /etc d/ .".split()
OPERATIONS = """
path_open path_open path_open path_create_directory path_unlink_file path_remove_directory path_rename
path_rename path_link path_symlink path_readlink path_filestat_get path_filestat_get path_filestat_set_times
fd_read fd_write fd_pread fd_pwrite fd_seek fd_tell fd_close fd_filestat_set_size fd_filestat_get
fd_filestat_set_times fd_readdir fd_renumber fd_fdstat_get fd_fdstat_set_flags fd_advise
""".split()
CREAT, TRUNC = 1, 8
READ_WRITE, ALL_RIGHTS, READ_FOLDER = 66, 0x1FFFFFFF, 0x4002
PATH, OTHER, TARGET, IOVECS, DATA, FOUND, RESULT = 1000, 2000, 2500, 3000, 4096, 8192, 64


class Host(Protocol):
    def call(self, name: str, *arguments: int) -> Errno: ...
    def put(self, data: bytes, at: int) -> object: ...
    def read(self, at: int, length: int) -> bytes: ...


class Ours:
    def __init__(self, folder: Path) -> None:
        self.process = Process(folders=[Folder(folder, "/")])
        self._guest = BareGuest(self.process)

    def call(self, name: str, *arguments: int) -> Errno:
        masked = [
            argument & ((1 << (64 if type_ == "i64" else 32)) - 1)
            for argument, type_ in zip(arguments, TYPES[name].params, strict=True)
        ]
        return Errno(self._guest.function(name).bind()(*masked))

    def put(self, data: bytes, at: int) -> object:
        return self._guest.put(data, at)

    def read(self, at: int, length: int) -> bytes:
        return self._guest.memory.read(at, length)


class Theirs:
    def __init__(self, folder: Path) -> None:
        engine = wasmtime.Engine()
        linker = wasmtime.Linker(engine)
        linker.define_wasi()
        self._store = wasmtime.Store(engine)
        config = wasmtime.WasiConfig()
        config.preopen_dir(str(folder), "/", True)
        self._store.set_wasi(config)
        instance = linker.instantiate(self._store, wasmtime.Module(engine, module_wasm()))
        self._exports = instance.exports(self._store)
        memory = self._exports["memory"]
        assert isinstance(memory, wasmtime.Memory)
        self._memory = memory

    def call(self, name: str, *arguments: int) -> Errno:
        function = self._exports[name]
        assert isinstance(function, wasmtime.Func)
        return Errno(function(self._store, *arguments))

    def put(self, data: bytes, at: int) -> object:
        return self._memory.write(self._store, bytearray(data), at)

    def read(self, at: int, length: int) -> bytes:
        return bytes(self._memory.read(self._store, at, at + length))


def fill(folder: Path) -> Path:
    """A folder with files and links, some of which lead out or nowhere."""
    given = folder / "given"
    (given / "d").mkdir(parents=True)
    (given / "a").write_text("text")
    (given / "d" / "a").write_text("inner")
    for name, target in {
        "link": "d",
        "d/up": "..",
        "loop": "loop",
        "dangling": "nowhere",
        "out": "..",
    }.items():
        (given / name).symlink_to(target)
    return given


def everything(folder: Path) -> dict[str, object]:
    found: dict[str, object] = {}
    for path in folder.rglob("*"):
        name = str(path.relative_to(folder))
        if path.is_symlink():
            found[name] = path.readlink()
        else:
            found[name] = (path.read_bytes(), path.stat().st_nlink) if path.is_file() else None
    return found


class Walk:
    """A row of calls that are made in both hosts."""

    def __init__(self, seed: int, hosts: tuple[Host, Host]) -> None:
        self._random = random.Random(seed)
        self._hosts = hosts
        self._opened: list[int] = []

    def step(self) -> None:
        choose = self._random.choice
        name = choose(OPERATIONS)
        path, other, target = choose(PATHS), choose(PATHS), choose(TARGETS)
        arguments = self._arguments(name, path, other, target)
        if (name == "fd_close" and arguments[0] == 3) or (name == "fd_renumber" and 3 in arguments):
            return  # it is needed
        results: list[tuple[Errno, object]] = []
        for host in self._hosts:
            for text, at in ((path, PATH), (other, OTHER), (target, TARGET)):
                host.put(text.encode(), at)
            host.put(b"0123456789", DATA)
            host.put(struct.pack("<IIII", DATA, 4, DATA + 4, 6), IOVECS)
            host.put(bytes(8), RESULT)
            errno = host.call(name, *arguments)
            results.append((errno, _details(host, name) if errno is Errno.SUCCESS else None))
        mine, theirs = results
        if mine[0] is Errno.SUCCESS or theirs[0] is Errno.SUCCESS or _is_plain(path, other):
            assert mine == theirs or _may_differ(mine[0], theirs[0]), (name, arguments, path, other, target)
        if mine[0] is Errno.SUCCESS and name == "path_open":
            assert isinstance(mine[1], int)
            self._opened.append(mine[1])

    def _arguments(self, name: str, path: str, other: str, target: str) -> tuple[int, ...]:
        choose = self._random.choice
        fd, other_fd = choose([*self._opened, 3, 3, 4, 5]), choose([*self._opened, 3, 3])
        follow, oflags, append = self._random.randrange(2), self._random.randrange(16), choose([0, 0, 0, 1])
        # wasmtime lets files be written that were opened to be made or cut off.
        rights = choose([READ_WRITE, ALL_RIGHTS] + [READ_FOLDER] * (not oflags & (CREAT | TRUNC)))
        offset = choose([0, 1, 3, 10, -1, -3])
        at, to = (PATH, len(path)), (OTHER, len(other))
        match name:
            case "path_open":
                return (fd, follow, *at, oflags, rights, rights, append, RESULT)
            case "path_create_directory" | "path_unlink_file" | "path_remove_directory":
                return (fd, *at)
            case "path_rename":
                return (fd, *at, other_fd, *to)
            case "path_link":
                return (fd, 0, *at, other_fd, *to)
            case "path_symlink":
                return (TARGET, len(target), fd, *at)
            case "path_readlink":
                return (fd, *at, FOUND, 100, RESULT)
            case "path_filestat_get":
                return (fd, follow, *at, FOUND)
            case "path_filestat_set_times":
                return (fd, follow, *at, 1000, 2000, 5)
            case "fd_read" | "fd_write":
                return (fd, IOVECS, 1, RESULT)
            case "fd_pread" | "fd_pwrite":
                return (fd, IOVECS, 1, abs(offset), RESULT)
            case "fd_seek":
                return (fd, offset, self._random.randrange(3), RESULT)
            case "fd_tell":
                return (fd, RESULT)
            case "fd_close":
                return (fd,)
            case "fd_filestat_set_size":
                return (fd, choose([0, 3, 20]))
            case "fd_filestat_get" | "fd_fdstat_get":
                return (fd, FOUND)
            case "fd_filestat_set_times":
                return (fd, 1, 2, 5)
            case "fd_readdir":
                return (fd, FOUND, 8000, 0, RESULT)
            case "fd_renumber":
                return (fd, other_fd)
            case "fd_fdstat_set_flags":
                return (fd, append)
            case "fd_advise":
                return (fd, 0, 10, self._random.randrange(6))
        raise AssertionError(name)


def _details(host: Host, name: str) -> object:
    """What a function has left in memory, as far as it is to be the same."""
    match name:
        case "path_open":
            return int.from_bytes(host.read(RESULT, 4), "little")
        case "fd_read" | "fd_write" | "fd_pread" | "fd_pwrite":
            return host.read(RESULT, 4), host.read(DATA, 10)
        case "path_readlink":
            return host.read(FOUND, int.from_bytes(host.read(RESULT, 4), "little"))
        case "fd_seek" | "fd_tell":
            return host.read(RESULT, 8)
        case "path_filestat_get" | "fd_filestat_get":
            _, _, filetype, links, size, *_ = FILESTAT.unpack(host.read(FOUND, FILESTAT.size))
            return filetype, (links, size) if filetype != Filetype.DIRECTORY else None
        case "fd_fdstat_get":
            return FDSTAT.unpack(host.read(FOUND, FDSTAT.size))[:2]
        case "fd_readdir":
            return _entries(host)
    return None


def _entries(host: Host) -> list[tuple[bytes, int]]:
    used = int.from_bytes(host.read(RESULT, 4), "little")
    found: list[tuple[bytes, int]] = []
    at = FOUND
    while at < FOUND + used:
        _, _, length, kind = DIRENT.unpack(host.read(at, DIRENT.size))
        found.append((host.read(at + DIRENT.size, length), kind))
        at += DIRENT.size + length
    return sorted(found)


def _is_plain(*paths: str) -> bool:
    """Whether no path ends in a slash or in dots, where there is more than one thing wrong."""
    return not any(path.endswith("/") or path.rpartition("/")[2] in (".", "..") for path in paths)


def _may_differ(mine: Errno, theirs: Errno) -> bool:
    """We say what POSIX says of a file where a folder is wanted, and of a link where one is."""
    return mine is Errno.NOTDIR and theirs in (Errno.BADF, Errno.LOOP)


@pytest.mark.parametrize("seed", range(30))
def test_random_calls(tmp_path: Path, seed: int) -> None:
    folders = [tmp_path / name for name in ("ours", "theirs")]
    ours = Ours(fill(folders[0]))
    walk = Walk(seed, (ours, Theirs(fill(folders[1]))))
    with ours.process:
        for _ in range(80):
            walk.step()
            assert everything(folders[0]) == everything(folders[1])
