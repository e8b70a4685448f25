"""Each function of preview 1 does what its specification says."""

from __future__ import annotations

import asyncio
import os
import random
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingen_runtime.engine import CoreMemory, CoreStore, default_engine
from ingen_runtime.errors import LinkError, Trap, TrapKind
from ingen_runtime.kernel.clock import ManualClock
from ingen_runtime.kernel.limits import Limits
from ingen_runtime.kernel.memory_streams import BufferOutput, BytesInput, Pipe
from ingen_runtime.kernel.process import Folder, Process, ProcessExit
from ingen_runtime.kernel.randomness import SeededRandomness
from ingen_runtime.wasi.p1 import Preview1
from ingen_runtime.wasi.p1.abi import (
    DIRENT,
    FILESTAT,
    PRESTAT,
    SUBSCRIPTION,
    TYPES,
    Errno,
    Filetype,
    Rights,
)
from tests.runtime.wasi.p1.bare_guest import FAR, MEMORY_SIZE, BareGuest, run, timer, wait_for

CREAT, DIRECTORY, EXCL, TRUNC = 1, 2, 4, 8
APPEND, DSYNC, NONBLOCK, SYNC = 1, 2, 4, 16


@pytest.fixture
def given(tmp_path: Path) -> Path:
    (tmp_path / "given").mkdir()
    return tmp_path / "given"


@pytest.fixture
def process(given: Path) -> Iterator[Process]:
    with Process(
        arguments=["program", "Ä"],
        environment={"HOME": "/home", "EMPTY": ""},
        folders=[Folder(given, "/data"), Folder(given, "/read", writable=False)],
        stdin=BytesInput(b"typed"),
        stdout=BufferOutput(),
        stderr=BufferOutput(),
        clock=ManualClock(wall_ns=1_000_000, monotonic_ns=500),
        randomness=SeededRandomness(7),
        limits=Limits(open_files=20, transfer_bytes=1 << 14),
    ) as process:
        yield process


@pytest.fixture
def guest(process: Process) -> BareGuest:
    return BareGuest(process)


def test_there_are_46() -> None:
    assert len(TYPES) == 46


def test_arguments_and_variables(guest: BareGuest) -> None:
    guest.succeed("args_sizes_get", 64, 68)
    assert (guest.u32(64), guest.u32(68)) == (2, 11)
    guest.succeed("args_get", 64, 4096)
    assert (guest.u32(64), guest.u32(68)) == (4096, 4104)
    assert guest.memory.read(4096, 11) == b"program\0\xc3\x84\0"
    guest.succeed("environ_sizes_get", 64, 68)
    assert (guest.u32(64), guest.u32(68)) == (2, 18)
    guest.succeed("environ_get", 64, 4096)
    assert guest.memory.read(4096, 18) == b"HOME=/home\0EMPTY=\0"


def test_clocks(guest: BareGuest) -> None:
    for clock, now in ((0, 1_000_000), (1, 500)):
        guest.succeed("clock_time_get", clock, 0, 64)
        assert guest.u64() == now
        guest.succeed("clock_res_get", clock, 64)
        assert guest.u64() == 1
    for clock in (2, 3, 4, 1 << 31):
        assert guest.call("clock_time_get", clock, 0, 64) is Errno.INVAL
        assert guest.call("clock_res_get", clock, 64) is Errno.INVAL


def test_randomness(guest: BareGuest) -> None:
    source = SeededRandomness(7)
    guest.succeed("random_get", 4096, 16)
    assert guest.memory.read(4096, 17) == source.secure(16) + b"\0"
    guest.succeed("random_get", 4096, 0)
    guest.succeed("random_get", 4096, 40_000)
    expected = b"".join([source.secure(count) for count in (1 << 14, 1 << 14, 40_000 - (1 << 15))])
    assert guest.memory.read(4096, 40_000) == expected, "in parts, so that others can run"


def test_files(guest: BareGuest, given: Path) -> None:
    fd = guest.open("a", oflags=CREAT | EXCL)
    assert fd == 5
    guest.put(b"hello world")
    guest.succeed("fd_write", fd, *guest.iovecs(6, 0, 5), 64)
    assert guest.u32() == 11
    assert (given / "a").read_bytes() == b"hello world"
    guest.succeed("fd_tell", fd, 64)
    assert guest.u64() == 11
    for offset, whence, expected in ((0, 0, 0), (3, 1, 3), (-1, 1, 2), (-5, 2, 6), (5, 2, 16)):
        guest.succeed("fd_seek", fd, offset, whence, 64)
        assert guest.u64() == expected
    assert guest.read(fd, 10) == b""
    for offset, whence in ((-1, 0), (-100, 1), (0, 3)):
        assert guest.call("fd_seek", fd, offset, whence, 64) is Errno.INVAL
    guest.succeed("fd_pread", fd, *guest.iovecs(2, 3), 6, 64)
    assert (guest.u32(), guest.memory.read(4096, 5)) == (5, b"world")
    guest.put(b"WORLD")
    guest.succeed("fd_pwrite", fd, *guest.iovecs(5), 6, 64)
    guest.succeed("fd_seek", fd, 0, 0, 64)
    assert guest.read(fd, 100) == b"hello WORLD"
    assert guest.call("fd_pread", fd, *guest.iovecs(1), 1 << 63, 64) is Errno.INVAL
    guest.succeed("fd_filestat_set_size", fd, 3)
    guest.succeed("fd_allocate", fd, 0, 6)
    guest.succeed("fd_advise", fd, 0, 6, 1)
    assert guest.call("fd_advise", fd, 0, 6, 6) is Errno.INVAL
    assert (given / "a").read_bytes() == b"hel\0\0\0"
    guest.succeed("fd_sync", fd)
    guest.succeed("fd_datasync", fd)
    guest.succeed("fd_sync", 3)
    guest.succeed("fd_close", fd)
    assert guest.call("fd_close", fd) is Errno.BADF


def test_a_transfer_is_limited(guest: BareGuest) -> None:
    fd = guest.open("a", oflags=CREAT)
    assert guest.write(fd, b"x" * 20_000) == 1 << 14
    guest.succeed("fd_write", fd, *guest.iovecs(10_000, 10_000), 64)
    assert guest.u32() == 1 << 14
    guest.succeed("fd_seek", fd, 0, 0, 64)
    assert len(guest.read(fd, 20_000)) == 1 << 14


def test_more_buffers_than_the_host_takes(guest: BareGuest) -> None:
    fd = guest.open("a", oflags=CREAT)
    guest.memory.write(20_000, struct.pack("<II", 4096, 1) * 3000)
    guest.succeed("fd_write", fd, 20_000, 3000, 64)
    assert guest.u32() == 1024


def test_flags_of_files(guest: BareGuest, given: Path) -> None:
    (given / "log").write_bytes(b"one")
    fd = guest.open("log", fdflags=APPEND | NONBLOCK)
    assert guest.fdstat(fd)[:2] == (Filetype.REGULAR_FILE, APPEND | NONBLOCK)
    guest.write(fd, b" two")
    guest.succeed("fd_fdstat_set_flags", fd, 0)
    assert guest.fdstat(fd)[1] == 0
    guest.succeed("fd_seek", fd, 0, 0, 64)
    guest.write(fd, b"ONE")
    assert (given / "log").read_bytes() == b"ONE two"
    assert guest.call("fd_fdstat_set_flags", fd, SYNC) is Errno.INVAL
    synced = guest.open("log", fdflags=SYNC | DSYNC)
    assert guest.fdstat(synced)[1] == SYNC | DSYNC
    guest.write(synced, b"1")
    guest.succeed("fd_pwrite", synced, *guest.iovecs(1), 1, 64)
    assert (given / "log").read_bytes() == b"11E two"


def test_rights(guest: BareGuest, given: Path) -> None:
    (given / "a").write_bytes(b"text")
    reading = guest.open("a", rights=Rights.FD_READ | Rights.FD_SEEK)
    writing = guest.open("a", rights=Rights.FD_WRITE)
    neither = guest.open("a", rights=0)
    for fd, can_read, can_write in ((reading, True, False), (writing, False, True), (neither, False, False)):
        rights = guest.fdstat(fd)[2]
        assert (bool(rights & Rights.FD_READ), bool(rights & Rights.FD_WRITE)) == (can_read, can_write)
        assert guest.call("fd_read", fd, *guest.iovecs(1), 64) is (Errno.SUCCESS if can_read else Errno.BADF)
        assert guest.call("fd_write", fd, *guest.iovecs(1), 64) is (
            Errno.SUCCESS if can_write else Errno.BADF
        )
    kind, _, base, inheriting = guest.fdstat(3)
    assert kind == Filetype.DIRECTORY
    assert base & Rights.PATH_OPEN and inheriting & Rights.FD_WRITE
    base, inheriting = guest.fdstat(reading)[2:]
    guest.succeed("fd_fdstat_set_rights", reading, base, inheriting)
    assert guest.call("fd_fdstat_set_rights", reading, base | Rights.FD_WRITE, inheriting) is Errno.NOTCAPABLE
    assert guest.call("fd_fdstat_set_rights", reading, 0, 0) is Errno.NOTSUP
    assert guest.call("fd_fdstat_set_rights", 99, 0, 0) is Errno.BADF


def test_opening(guest: BareGuest, given: Path) -> None:
    (given / "a").write_bytes(b"text")
    (given / "d").mkdir()
    (given / "link").symlink_to("a")

    def attempt(
        path: str | bytes, oflags: int = 0, *, fd: int = 3, follow: int = 1, rights: int = 2
    ) -> Errno:
        return guest.call("path_open", fd, follow, *guest.path(path), oflags, rights, rights, 0, 64)

    for expected, path, oflags in (
        (Errno.EXIST, "a", CREAT | EXCL),
        (Errno.NOENT, "b", 0),
        (Errno.NOTDIR, "a", DIRECTORY),
        (Errno.PERM, "../a", 0),
        (Errno.PERM, "/a", 0),
        (Errno.NOENT, "", 0),
        (Errno.INVAL, "a\0", 0),
        (Errno.ILSEQ, b"\xff", 0),
        (Errno.NAMETOOLONG, "x" * 300, 0),
    ):
        assert attempt(path, oflags) is expected, path
    assert attempt("link", follow=0) is Errno.LOOP
    assert attempt("d", rights=Rights.FD_WRITE) is Errno.ISDIR
    assert attempt("a", fd=0) is Errno.BADF
    assert attempt("a", fd=99) is Errno.BADF
    file = guest.open("link")
    assert attempt("a", fd=file) is Errno.NOTDIR
    folder = guest.open("d", oflags=DIRECTORY, rights=Rights.FD_READ)
    assert guest.fdstat(folder)[0] == Filetype.DIRECTORY
    assert attempt("../a", fd=folder) is Errno.PERM
    for name in ("fd_read", "fd_write"):
        assert guest.call(name, folder, *guest.iovecs(1), 64) is Errno.BADF
    guest.open("a", oflags=TRUNC)
    assert (given / "a").read_bytes() == b""


def test_a_read_only_folder(guest: BareGuest, given: Path) -> None:
    (given / "a").write_bytes(b"text")
    path = guest.path("a")
    new = guest.path("new", 2000)
    for name, *arguments in (
        ("path_open", 4, 0, *path, 0, Rights.FD_WRITE, 0, 0, 64),
        ("path_open", 4, 0, *new, CREAT, Rights.FD_READ, 0, 0, 64),
        ("path_open", 4, 0, *path, TRUNC, Rights.FD_READ, 0, 0, 64),
        ("path_create_directory", 4, *new),
        ("path_unlink_file", 4, *path),
        ("path_remove_directory", 4, *path),
        ("path_rename", 4, *path, 3, *new),
        ("path_rename", 3, *path, 4, *new),
        ("path_link", 4, 0, *path, 3, *new),
        ("path_symlink", *path, 4, *new),
        ("path_filestat_set_times", 4, 0, *path, 0, 0, 1),
        ("fd_filestat_set_times", 4, 0, 0, 1),
    ):
        assert guest.call(name, *arguments) is Errno.PERM, name
    assert guest.read(guest.open("a", fd=4, rights=Rights.FD_READ), 10) == b"text"
    assert [path.name for path in given.iterdir()] == ["a"]


def test_preopened_folders(guest: BareGuest) -> None:
    for fd, name in ((3, b"/data"), (4, b"/read")):
        guest.succeed("fd_prestat_get", fd, 64)
        assert guest.unpack(PRESTAT) == (0, len(name))
        guest.succeed("fd_prestat_dir_name", fd, 4096, len(name))
        assert guest.memory.read(4096, len(name)) == name
    assert guest.call("fd_prestat_dir_name", 3, 4096, 4) is Errno.NAMETOOLONG
    opened = guest.open(".", rights=0)
    for fd in (0, 5, opened, 99):
        assert guest.call("fd_prestat_get", fd, 64) is Errno.BADF
    assert guest.call("fd_prestat_dir_name", opened, 4096, 10) is Errno.NOTDIR


def test_numbers_of_descriptors(guest: BareGuest, given: Path) -> None:
    for name in "abcd":
        (given / name).write_text(name)
    first, second, third = (guest.open(name) for name in "abc")
    assert (first, second, third) == (5, 6, 7)
    guest.succeed("fd_close", first)
    guest.succeed("fd_close", second)
    assert guest.open("d") == 5, "the smallest one that is free"
    guest.succeed("fd_renumber", third, 5)
    assert guest.read(5, 1) == b"c"
    assert guest.call("fd_tell", third, 64) is Errno.BADF
    assert guest.call("fd_renumber", 5, 99) is Errno.BADF
    assert guest.call("fd_renumber", 99, 5) is Errno.BADF
    guest.succeed("fd_renumber", 5, 5)
    assert guest.open("a") == 6
    guest.succeed("fd_renumber", 6, 1)
    guest.succeed("fd_seek", 1, 0, 2, 64)
    guest.write(1, b"!")
    assert (given / "a").read_text() == "a!", "standard output is a file now"


def test_the_limit_on_open_files(guest: BareGuest) -> None:
    guest.open("a", oflags=CREAT)
    for _ in range(17):
        guest.open("a")
    for name in ("a", "new"):
        assert guest.call("path_open", 3, 0, *guest.path(name), CREAT, 2, 2, 0, 64) is Errno.MFILE
    guest.succeed("fd_close", 10)
    assert guest.open("a") == 10


def test_paths(guest: BareGuest, given: Path) -> None:
    guest.succeed("path_create_directory", 3, *guest.path("d"))
    (given / "d" / "a").write_text("text")
    guest.succeed("path_rename", 3, *guest.path("d/a"), 3, *guest.path("b", 2000))
    guest.succeed("path_link", 3, 0, *guest.path("b"), 3, *guest.path("c", 2000))
    guest.succeed("path_symlink", *guest.path("b"), 3, *guest.path("link", 2000))
    guest.succeed("path_readlink", 3, *guest.path("link"), 4096, 100, 64)
    assert guest.memory.read(4096, guest.u32()) == b"b"
    guest.succeed("path_readlink", 3, *guest.path("link"), 4096, 0, 64)
    assert guest.u32() == 0, "what does not fit is cut off"
    assert guest.call("path_readlink", 3, *guest.path("b"), 4096, 100, 64) is Errno.INVAL
    found = (given / "b").stat()
    assert guest.filestat("link") == (
        found.st_dev,
        found.st_ino,
        Filetype.REGULAR_FILE,
        2,
        4,
        found.st_atime_ns,
        found.st_mtime_ns,
        found.st_ctime_ns,
    )
    assert guest.filestat("link", follow=0)[2] == Filetype.SYMBOLIC_LINK
    fd = guest.open("c")
    guest.succeed("fd_filestat_get", fd, 64)
    assert guest.unpack(FILESTAT)[1] == found.st_ino
    guest.succeed("fd_filestat_get", 3, 64)
    assert guest.unpack(FILESTAT)[2] == Filetype.DIRECTORY
    guest.succeed("fd_filestat_get", 0, 64)
    assert guest.unpack(FILESTAT) == (0,) * 8
    assert guest.call("path_unlink_file", 3, *guest.path("d")) is Errno.ISDIR
    assert guest.call("path_remove_directory", 3, *guest.path("b")) is Errno.NOTDIR
    guest.succeed("path_unlink_file", 3, *guest.path("b"))
    assert guest.call("path_filestat_get", 3, 1, *guest.path("link"), 64) is Errno.NOENT
    guest.succeed("path_remove_directory", 3, *guest.path("d"))
    for name, *rest in (
        ("path_create_directory",),
        ("path_unlink_file",),
        ("path_remove_directory",),
        ("path_readlink", 4096, 100, 64),
    ):
        assert guest.call(name, fd, *guest.path("x"), *rest) is Errno.NOTDIR
        assert guest.call(name, 3, *guest.path("../x"), *rest) is Errno.PERM
        assert guest.call(name, 3, *guest.path(b"\xc3"), *rest) is Errno.ILSEQ
    assert guest.call("path_symlink", *guest.path("/etc"), 3, *guest.path("new", 2000)) is Errno.PERM


def test_times(guest: BareGuest, given: Path) -> None:
    (given / "a").write_text("text")
    fd = guest.open("a")
    guest.succeed("fd_filestat_set_times", fd, 1_111, 2_222, 1 | 4)
    assert guest.filestat("a")[5:7] == (1_111, 2_222)
    guest.succeed("fd_filestat_set_times", fd, 9, 9, 2)
    assert guest.filestat("a")[5:7] == (1_000_000, 2_222), "now, by the process's clock"
    guest.succeed("path_filestat_set_times", 3, 1, *guest.path("a"), 3_333, 9, 1 | 8)
    assert guest.filestat("a")[5:7] == (3_333, 1_000_000)
    guest.succeed("path_filestat_set_times", 3, 1, *guest.path("a"), 1, 1, 0)
    assert guest.filestat("a")[5:7] == (3_333, 1_000_000)
    guest.succeed("fd_filestat_set_times", 3, 5_555, 0, 1)
    assert given.stat().st_atime_ns == 5_555
    assert guest.call("fd_filestat_set_times", fd, 0, 0, 1 | 2) is Errno.INVAL
    assert guest.call("path_filestat_set_times", 3, 1, *guest.path("a"), 0, 0, 4 | 8) is Errno.INVAL
    assert guest.call("fd_filestat_set_times", 0, 0, 0, 1) is Errno.BADF


def entries(guest: BareGuest, fd: int, room: int, cookie: int = 0) -> tuple[list[tuple[int, str, int]], bool]:
    """Cookie of the next one, name and type of those that fit; whether the end was reached."""
    guest.succeed("fd_readdir", fd, 4096, room, cookie, 64)
    used = guest.u32()
    data = guest.memory.read(4096, used)
    found: list[tuple[int, str, int]] = []
    at = 0
    while at + DIRENT.size <= used:
        following, _, length, kind = DIRENT.unpack_from(data, at)
        name = data[at + DIRENT.size : at + DIRENT.size + length]
        if len(name) < length:
            break
        found.append((following, name.decode(), kind))
        at += DIRENT.size + length
    return found, used < room


def test_entries_of_a_folder(guest: BareGuest, given: Path) -> None:
    (given / "file").write_text("x")
    (given / "folder").mkdir()
    (given / "link").symlink_to("nowhere")
    os.mkfifo(given / "fifo")
    found, ended = entries(guest, 3, 4000)
    assert ended
    assert [cookie for cookie, _, _ in found] == [1, 2, 3, 4, 5, 6]
    assert found[:2] == [(1, ".", Filetype.DIRECTORY), (2, "..", Filetype.DIRECTORY)]
    assert {name: kind for _, name, kind in found[2:]} == {
        "file": Filetype.REGULAR_FILE,
        "folder": Filetype.DIRECTORY,
        "link": Filetype.SYMBOLIC_LINK,
        "fifo": Filetype.UNKNOWN,
    }
    assert entries(guest, 3, 4000, cookie=6) == ([], True)
    assert entries(guest, 3, 4000, cookie=3)[0] == found[3:]
    assert guest.call("fd_readdir", 0, 4096, 100, 0, 64) is Errno.BADF
    assert guest.call("fd_readdir", guest.open("file"), 4096, 100, 0, 64) is Errno.NOTDIR
    inode = guest.filestat("file")[1]
    guest.succeed("fd_readdir", 3, 4096, 4000, 0, 64)
    assert inode.to_bytes(8, "little") in guest.memory.read(4096, guest.u32())


@pytest.mark.parametrize("room", [24, 25, 60, 1000])
def test_a_small_buffer_gets_entries_bit_by_bit(guest: BareGuest, given: Path, room: int) -> None:
    names = {f"file-{index}" for index in range(600)}
    for name in names:
        (given / name).touch()
    seen: list[str] = []
    cookie, ended = 0, False
    while not ended:
        found, ended = entries(guest, 3, room, cookie)
        if not found and not ended:
            room += 40  # as programs do when not one entry fits
            continue
        seen += [name for _, name, _ in found]
        if found:
            cookie = found[-1][0]
    assert len(seen) == 602
    assert set(seen) == names | {".", ".."}
    again, _ = entries(guest, 3, 30_000, 300)
    assert [name for _, name, _ in again] == seen[300:]
    (given / "one-more").touch()
    assert {name for _, name, _ in entries(guest, 3, 40_000)[0]} == set(seen) | {"one-more"}, "read anew"


def test_a_huge_folder_does_not_keep_others_from_running(guest: BareGuest, given: Path) -> None:
    for index in range(4500):
        os.close(os.open(given / str(index), os.O_CREAT | os.O_WRONLY))

    async def attempt() -> int:
        turns = 0
        reading = asyncio.ensure_future(guest.acall("fd_readdir", 3, 4096, 100, 4500, 64))
        while not reading.done():
            turns += 1
            await asyncio.sleep(0)
        assert await reading is Errno.SUCCESS
        return turns

    assert run(attempt()) >= 2
    assert guest.u32() > 0
    function = guest.function("fd_readdir").bind()
    assert function(3, 4096, 100, 4400, 64) == 0, "and goes where the guest cannot be suspended"


def test_standard_streams(guest: BareGuest, process: Process) -> None:
    assert [guest.fdstat(fd)[0] for fd in range(3)] == [Filetype.UNKNOWN] * 3
    assert guest.fdstat(0)[2] & Rights.FD_READ and guest.fdstat(1)[2] & Rights.FD_WRITE
    guest.put(b"hello")
    guest.succeed("fd_write", 1, *guest.iovecs(2, 3), 64)
    assert guest.u32() == 5
    guest.write(2, b"oops")
    guest.succeed("fd_write", 1, *guest.iovecs(), 64)
    guest.succeed("fd_read", 0, *guest.iovecs(0), 64)
    assert guest.read(0, 2) + guest.read(0, 100) + guest.read(0, 100) == b"typed"
    assert process.stderr.tail == b"oops"
    for fd, name in ((0, "fd_write"), (1, "fd_read")):
        assert guest.call(name, fd, *guest.iovecs(1), 64) is Errno.BADF
    for fd in range(3):
        assert guest.call("fd_seek", fd, 0, 0, 64) is Errno.SPIPE
        assert guest.call("fd_tell", fd, 64) is Errno.SPIPE
        assert guest.call("fd_pread", fd, *guest.iovecs(1), 0, 64) is Errno.SPIPE
        assert guest.call("fd_pwrite", fd, *guest.iovecs(1), 0, 64) is Errno.SPIPE
        for name in ("fd_sync", "fd_datasync"):
            assert guest.call(name, fd) is Errno.BADF
        assert guest.call("fd_filestat_set_size", fd, 0) is Errno.BADF
        assert guest.call("fd_advise", fd, 0, 0, 0) is Errno.BADF
        assert guest.call("fd_allocate", fd, 0, 0) is Errno.BADF
    assert guest.call("fd_seek", 3, 0, 0, 64) is Errno.BADF
    assert guest.call("fd_fdstat_set_flags", 3, 0) is Errno.BADF
    assert guest.call("fd_fdstat_set_flags", 0, APPEND) is Errno.INVAL
    guest.succeed("fd_close", 1)
    assert guest.call("fd_write", 1, *guest.iovecs(1), 64) is Errno.BADF


def test_waiting_for_input_and_for_room() -> None:
    async def attempt() -> None:
        stdin, stdout = Pipe(), Pipe(capacity=4)
        guest = BareGuest(Process(stdin=stdin.reader, stdout=stdout.writer))
        reading = asyncio.ensure_future(guest.acall("fd_read", 0, *guest.iovecs(3, 10), 64))
        await asyncio.sleep(0)
        assert not reading.done()
        guest.function("grow")()
        stdin.writer.write(b"hello")
        assert await reading is Errno.SUCCESS
        assert (guest.u32(), guest.memory.read(4096, 5)) == (5, b"hello")
        assert await guest.acall("fd_write", 1, *guest.iovecs(13), 64) is Errno.SUCCESS
        assert guest.u32() == 4
        writing = asyncio.ensure_future(guest.acall("fd_write", 1, *guest.iovecs(1), 64))
        await asyncio.sleep(0)
        assert not writing.done()
        stdout.reader.read(100)
        assert await writing is Errno.SUCCESS
        for fd, name in ((0, "fd_read"), (1, "fd_write")):
            assert await guest.acall("fd_fdstat_set_flags", fd, NONBLOCK) is Errno.SUCCESS
            await guest.acall(name, fd, *guest.iovecs(10), 64)
            assert await guest.acall(name, fd, *guest.iovecs(10), 64) is Errno.AGAIN
        stdout.reader.close()
        assert await guest.acall("fd_write", 1, *guest.iovecs(1), 64) is Errno.PIPE
        stdin.writer.close()
        assert await guest.acall("fd_read", 0, *guest.iovecs(1), 64) is Errno.SUCCESS
        assert guest.u32() == 0

    run(attempt())


def test_what_waits_traps_where_the_guest_cannot_be_suspended() -> None:
    guest = BareGuest(Process(stdin=Pipe().reader))
    with pytest.raises(Trap) as caught:
        guest.function("fd_read").bind()(0, *guest.iovecs(1), 64)
    assert caught.value.kind is TrapKind.CANNOT_BLOCK
    with pytest.raises(Trap) as caught:
        guest.put(SUBSCRIPTION.pack(*timer(1, 1 << 60)))
        guest.function("poll_oneoff").bind()(4096, 8192, 1, 64)
    assert caught.value.kind is TrapKind.CANNOT_BLOCK
    assert guest.function("sched_yield").bind()() == 0


def test_yielding_lets_others_run(guest: BareGuest) -> None:
    async def attempt() -> None:
        ran: list[int] = []
        asyncio.get_running_loop().call_soon(ran.append, 1)
        assert await guest.acall("sched_yield") is Errno.SUCCESS
        assert ran

    run(attempt())


def test_polling_what_is_ready(guest: BareGuest, given: Path) -> None:
    (given / "a").write_text("text")
    fd = guest.open("a")
    assert guest.poll(
        wait_for(10, 1, fd),
        timer(11, 1 << 60),
        wait_for(12, 2, 1),
        wait_for(13, 1, 0),
        timer(14, 0),
        timer(15, 500, absolute=True),
        timer(16, 1_000_000, clock=0, absolute=True),
    ) == [
        (10, 0, 1, 4, 0),
        (12, 0, 2, 1, 0),
        (13, 0, 1, 1, 0),
        (14, 0, 0, 0, 0),
        (15, 0, 0, 0, 0),
        (16, 0, 0, 0, 0),
    ]
    guest.read(fd, 4)
    assert guest.poll(wait_for(1, 1, fd)) == [(1, 0, 1, 0, 1)], "the end has come"


def test_what_is_wrong_with_a_subscription_is_told_at_once(guest: BareGuest) -> None:
    assert guest.poll(
        wait_for(1, 1, 99), timer(2, 1 << 60), wait_for(3, 2, 0), timer(4, 0, clock=2), (5, 3, 0, 0, 0, 0)
    ) == [
        (1, Errno.BADF, 1, 0, 0),
        (3, Errno.BADF, 2, 0, 0),
        (4, Errno.INVAL, 0, 0, 0),
        (5, Errno.INVAL, 3, 0, 0),
    ]
    assert guest.call("poll_oneoff", 8192, 16384, 0, 64) is Errno.INVAL
    assert guest.call("poll_oneoff", 0, 0, 1 << 13, 64) is Errno.NOMEM


def test_polling_wakes_for_the_first_that_is_ready() -> None:
    async def attempt() -> None:
        clock, stdin = ManualClock(), Pipe()
        guest = BareGuest(Process(stdin=stdin.reader, clock=clock))
        subscriptions = wait_for(1, 1, 0), timer(2, 1_000), timer(3, 2_000)
        for cause, expected in (
            (lambda: clock.advance(1_000), (2, 0, 0, 0, 0)),
            (lambda: stdin.writer.write(b"x"), (1, 0, 1, 1, 0)),
        ):
            polling = asyncio.ensure_future(guest.apoll(*subscriptions))
            await asyncio.sleep(0)
            assert not polling.done()
            clock.advance(999)
            await asyncio.sleep(0)
            assert not polling.done()
            clock.advance(-999)
            cause()
            assert await polling == [expected]
        assert clock.waiting == 0

    run(attempt())


def test_real_time(guest: BareGuest) -> None:
    async def attempt() -> int:
        real = BareGuest(Process())
        await real.acall("clock_time_get", 1, 0, 64)
        begin = real.u64()
        assert await real.apoll(timer(1, 2_000_000)) == [(1, 0, 0, 0, 0)]
        await real.acall("clock_time_get", 1, 0, 64)
        return real.u64() - begin

    assert run(attempt()) >= 2_000_000


def test_the_end(guest: BareGuest) -> None:
    for name, argument, status in (
        ("proc_exit", 0, 0),
        ("proc_exit", 42, 42),
        ("proc_exit", -1, (1 << 32) - 1),
        ("proc_raise", 6, 134),
        ("proc_raise", 9, 137),
    ):
        with pytest.raises(ProcessExit) as caught:
            guest.function(name).bind()(argument & 0xFFFFFFFF)
        assert caught.value.status == status
    for signal, expected in ((0, Errno.SUCCESS), (13, Errno.SUCCESS), (18, Errno.NOTSUP), (31, Errno.INVAL)):
        assert guest.call("proc_raise", signal) is expected


def test_what_is_no_socket(guest: BareGuest) -> None:
    for fd, expected in ((0, Errno.NOTSOCK), (3, Errno.NOTSOCK), (99, Errno.BADF)):
        assert guest.call("sock_accept", fd, 0, 64) is expected
        assert guest.call("sock_recv", fd, *guest.iovecs(1), 0, 64, 68) is expected
        assert guest.call("sock_send", fd, *guest.iovecs(1), 0, 64) is expected
        assert guest.call("sock_shutdown", fd, 1) is expected


OUT_OF_MEMORY: dict[str, tuple[int, ...]] = {
    "args_sizes_get": (FAR, 0),
    "args_get": (FAR, 0),
    "environ_get": (0, FAR),
    "environ_sizes_get": (0, FAR),
    "clock_res_get": (0, FAR),
    "clock_time_get": (0, 0, FAR),
    "fd_fdstat_get": (0, FAR),
    "fd_filestat_get": (0, FAR),
    "fd_prestat_get": (3, FAR),
    "fd_prestat_dir_name": (3, FAR, 5),
    "fd_read": (5, FAR, 1, 64),
    "fd_write": (1, FAR, 1, 64),
    "fd_pread": (5, 0x80000000, 1, 0, 64),
    "fd_pwrite": (5, 0, 0xFFFFFFFF, 0, 64),
    "fd_readdir": (3, 4096, MEMORY_SIZE, 0, 64),
    "fd_seek": (5, 0, 0, FAR),
    "fd_tell": (5, FAR),
    "path_create_directory": (3, FAR, 3),
    "path_filestat_get": (3, 0, 1000, 1, FAR),
    "path_filestat_set_times": (3, 0, FAR, 3, 0, 0, 0),
    "path_link": (3, 0, FAR, 3, 3, 1000, 1),
    "path_open": (3, 0, 0, 0xFFFFFFFF, 0, 0, 0, 0, 64),
    "path_readlink": (3, 1010, 4, FAR, 100, 64),
    "path_remove_directory": (3, 0xFFFFFFFF, 1),
    "path_rename": (3, 1000, 1, 3, FAR, 3),
    "path_symlink": (FAR, 3, 3, 1000, 1),
    "path_unlink_file": (3, FAR, 0xFFFFFFFF),
    "poll_oneoff": (FAR, 0, 1, 64),
    "random_get": (FAR, 3),
}


@pytest.mark.parametrize("name", OUT_OF_MEMORY)
def test_pointers_out_of_memory_trap(guest: BareGuest, given: Path, name: str) -> None:
    (given / "a").write_text("text")
    (given / "link").symlink_to("target")
    guest.open("a")
    guest.path("a")
    guest.path("link", 1010)
    with pytest.raises(Trap) as caught:
        guest.call(name, *OUT_OF_MEMORY[name])
    assert caught.value.kind is TrapKind.OUT_OF_BOUNDS_MEMORY
    assert caught.value.frames, "with the guest's backtrace"
    assert {path.name for path in given.iterdir()} == {"a", "link"}
    guest.store.close()


def test_buffers_out_of_memory_trap(guest: BareGuest) -> None:
    for start, length in ((FAR, 3), (0, 0xFFFFFFFF), (0xFFFFFFFF, 1)):
        guest.memory.write(3000, struct.pack("<II", start, length))
        for name, fd in (("fd_write", 1), ("fd_read", 0)):
            with pytest.raises(Trap) as caught:
                guest.call(name, fd, 3000, 1, 64)
            assert caught.value.kind is TrapKind.OUT_OF_BOUNDS_MEMORY


INTERESTING = (0, 1, 2, 3, 4, 5, 6, 8, 64, 1000, 3000, 4096, FAR, MEMORY_SIZE, 1 << 31, (1 << 32) - 1)


@pytest.mark.parametrize("seed", range(20))
def test_nonsense_gives_an_errno_or_traps(guest: BareGuest, given: Path, seed: int) -> None:
    choose = random.Random(seed)
    (given / "a").write_text("text")
    guest.open("a")
    guest.put(choose.randbytes(4000), 0)
    for _ in range(300):
        name = choose.choice(list(TYPES))
        arguments = [
            choose.choice(INTERESTING)
            if type_ == "i32"
            else choose.choice((*INTERESTING, 1 << 63, (1 << 64) - 1))
            for type_ in TYPES[name].params
        ]
        guest.path("a")
        guest.iovecs(10, 20)
        try:
            Errno(guest.function(name).bind()(*arguments))
        except Trap as trap:
            assert trap.kind in (TrapKind.OUT_OF_BOUNDS_MEMORY, TrapKind.CANNOT_BLOCK), name
        except ProcessExit:
            assert name.startswith("proc_")


def test_what_preview_1_does_not_have() -> None:
    store = CoreStore(default_engine())
    preview1 = Preview1(Process())

    def memory() -> CoreMemory:
        raise AssertionError("nothing is called")

    def link(name: str, like: str) -> None:
        preview1.core_function(store, name, TYPES[like], memory)

    with pytest.raises(LinkError, match=r"has no function `fd_reed` \(is it `fd_read`"):
        link("fd_reed", "fd_read")
    with pytest.raises(LinkError, match=r"`wasi_snapshot_preview1\.fd_read` is a function"):
        link("fd_read", "fd_tell")
