"""A guest cannot use more of its host than it may: see `Limits`."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ingen_runtime.kernel.directories import Directory
from ingen_runtime.kernel.errors import FileErrorKind
from ingen_runtime.kernel.files import File
from ingen_runtime.kernel.limits import Limits
from ingen_runtime.kernel.memory_streams import BufferOutput
from ingen_runtime.kernel.process import Folder, Process
from ingen_runtime.network.errors import NetworkError, NetworkErrorKind
from tests.runtime.kernel.refusals import refused

Limited = Callable[[Limits], Directory]


@pytest.fixture
def limited(given: Path) -> Iterator[Limited]:
    """Gives the folder to a process with these limits."""
    processes: list[Process] = []

    def open_root(limits: Limits) -> Directory:
        process = Process(folders=[Folder(given, "/")], limits=limits)
        processes.append(process)
        return process.preopened[0][0]

    yield open_root
    for process in processes:
        process.close()


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def new_file(root: Directory, path: str = "a", *, append: bool = False) -> File:
    file = root.open(path, write=True, create=True, append=append)
    assert isinstance(file, File)
    return file


def test_open_files(limited: Limited) -> None:
    root = limited(Limits(open_files=4))
    before = open_descriptors()
    opened = [new_file(root, "a"), root.open("."), root.entries()]
    for one_more in (
        lambda: root.open("a"),
        lambda: root.open("b", write=True, create=True),
        lambda: root.open("."),
        root.entries,
    ):
        with refused(FileErrorKind.TOO_MANY_OPEN_FILES):
            one_more()
    with refused(FileErrorKind.NO_ENTRY):
        root.stat("b")
    for one in opened:
        one.close()
    assert open_descriptors() == before
    new_file(root, "b").close()


def test_too_many_preopened_folders(given: Path) -> None:
    before = open_descriptors()
    with refused(FileErrorKind.TOO_MANY_OPEN_FILES):
        Process(folders=[Folder(given, f"/{index}") for index in range(3)], limits=Limits(open_files=2))
    assert open_descriptors() == before


def test_closing_a_process_closes_what_its_guest_has_left_open(given: Path) -> None:
    before = open_descriptors()
    with Process(folders=[Folder(given, "/")]) as process:
        root = process.preopened[0][0]
        files = [new_file(root, str(index)) for index in range(10)]
        listing = root.entries()
        next(listing)
    assert open_descriptors() == before
    assert not any(file.is_open for file in files)
    process.close()


def test_sockets() -> None:
    class Socket:
        closed = False

        def close(self) -> None:
            self.closed = True

    process = Process(limits=Limits(sockets=2))
    sockets = [Socket() for _ in range(3)]
    for socket in sockets[:2]:
        process.sockets.add(socket)
    for one_more in (process.sockets.check_room, lambda: process.sockets.add(sockets[2])):
        with pytest.raises(NetworkError) as caught:
            one_more()
        assert caught.value.kind is NetworkErrorKind.LIMIT
    assert [socket.closed for socket in sockets] == [False, False, True]
    process.sockets.discard(sockets[0])
    process.sockets.check_room()
    process.close()
    assert [socket.closed for socket in sockets] == [False, True, True]


def test_output_is_counted_together() -> None:
    out, err = BufferOutput(), BufferOutput()
    process = Process(stdout=out, stderr=err, limits=Limits(output_bytes=10))
    assert process.stdout.write(b"123456") == 6
    assert process.stderr.write(memoryview(b"78")) == 2
    assert process.stdout.write(b"9012") == 2, "what still fits is taken"
    assert process.stdout.write(b"") == 0
    for stream in (process.stdout, process.stderr):
        with refused(FileErrorKind.INSUFFICIENT_SPACE):
            stream.write(b"x")
    assert (out.data, err.data) == (b"12345690", b"78")
    assert process.stderr.tail == b"78"


def test_the_end_of_standard_error_is_kept() -> None:
    process = Process()
    for index in range(2000):
        process.stderr.write(b"%04d\n" % index)
    assert len(process.stderr.tail) == 4096
    assert process.stderr.tail.endswith(b"1998\n1999\n")
    process.stderr.write(b"x" * 10_000)
    assert process.stderr.tail == b"x" * 4096
    assert process.stdout.tail == b""


def test_kept_output() -> None:
    stream = BufferOutput(limit=10)
    stream.write(b"12345678")
    with refused(FileErrorKind.INSUFFICIENT_SPACE):
        stream.write(b"901")
    assert stream.data == b"12345678"


def test_written_bytes(limited: Limited) -> None:
    root = limited(Limits(written_bytes=10))
    file, other = new_file(root, "a"), new_file(root, "b")
    file.write(b"1234")
    file.write(b"5678", 0)
    other.write_from([b"9", b"0"])
    for operation in (
        lambda: file.write(b"x"),
        lambda: other.write_from([b"x"], 0),
        lambda: asyncio.run(file.allocate(0, 1)),
    ):
        with refused(FileErrorKind.INSUFFICIENT_SPACE):
            operation()


def test_what_could_not_be_written_is_not_counted(limited: Limited) -> None:
    root = limited(Limits(written_bytes=10))
    new_file(root).close()
    reading = root.open("a")
    assert isinstance(reading, File)
    for _ in range(20):
        with refused(FileErrorKind.BAD_DESCRIPTOR):
            reading.write(b"x")
    assert new_file(root).write(b"1234567890") == 10


def test_file_bytes(limited: Limited, given: Path) -> None:
    root = limited(Limits(file_bytes=10))
    file = new_file(root)
    file.write(b"12345678")
    for operation in (
        lambda: file.write(b"901"),
        lambda: file.write(b"x", 10),
        lambda: file.set_size(11),
        lambda: asyncio.run(file.allocate(5, 6)),
        lambda: new_file(root, append=True).write(b"901"),
    ):
        with refused(FileErrorKind.FILE_TOO_LARGE):
            operation()
    new_file(root, append=True).write(b"90")
    file.seek(1 << 40)
    with refused(FileErrorKind.FILE_TOO_LARGE):
        file.write(b"x")
    assert (given / "a").read_bytes() == b"1234567890"


def test_transfer_bytes(limited: Limited) -> None:
    file = new_file(limited(Limits(transfer_bytes=4)))
    assert file.write(b"123456") == 4
    assert file.write(b"56", 4) == 2
    assert file.read(1 << 60, 0) == b"1234"
    file.seek(0)
    assert file.read(1 << 60) == b"1234"


def test_a_huge_folder_is_read_bit_by_bit(limited: Limited, given: Path) -> None:
    for index in range(2000):
        os.close(os.open(given / f"{index:0200}", os.O_CREAT | os.O_WRONLY))
    listing = limited(Limits()).entries()
    import tracemalloc

    tracemalloc.start()
    count = sum(1 for _ in listing)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 2000
    assert peak < 60_000, "the names of all would take ten times that"


def test_waiting_for_the_disk_lets_others_run(limited: Limited) -> None:
    file = new_file(limited(Limits()))

    async def run() -> int:
        ran = 0
        syncing = asyncio.ensure_future(file.sync())
        await asyncio.sleep(0)
        assert not syncing.done()
        file.close()  # a guest's other task may do so
        while not syncing.done():
            ran += 1
            await asyncio.sleep(0)
        await syncing
        return ran

    assert asyncio.run(run())


def test_who_is_cancelled_before_the_disk_is_asked_leaves_nothing_open(limited: Limited) -> None:
    file = new_file(limited(Limits()))
    before = open_descriptors()
    release = threading.Event()

    async def run() -> None:
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(1))
        busy = loop.run_in_executor(None, release.wait)
        syncing = asyncio.ensure_future(file.sync())
        await asyncio.sleep(0)
        syncing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await syncing
        release.set()
        await busy

    asyncio.run(run())
    assert open_descriptors() == before
