"""Files and folders do what POSIX says, whichever way paths are looked up."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from ingen_runtime.kernel.directories import Directory
from ingen_runtime.kernel.errors import FileError, FileErrorKind
from ingen_runtime.kernel.files import Advice, File, FileAccount, FileType, Whence
from ingen_runtime.kernel.resolve import Resolver, WalkingResolver
from tests.runtime.kernel.refusals import refused


def new_file(root: Directory, path: str, data: bytes = b"") -> File:
    opened = root.open(path, write=True, create=True)
    assert isinstance(opened, File)
    if data:
        assert opened.write(data, 0) == len(data)
    return opened


def test_what_is_written_can_be_read(root: Directory, given: Path) -> None:
    file = new_file(root, "a.txt")
    assert file.write(b"hello ") == 6
    assert file.write_from([b"wor", b"ld"]) == 5
    assert (given / "a.txt").read_bytes() == b"hello world"
    assert file.seek(-5, Whence.END) == 6
    assert file.read(100) == b"world"
    assert file.read(100) == b""
    assert file.read(3, 2) == b"llo"
    first, second = bytearray(4), bytearray(3)
    assert file.read_into([first, second], 1) == 7
    assert bytes(first + second) == b"ello wo"
    assert file.write(b"J", 0) == 1
    assert file.seek(0, Whence.HERE) == 11, "reading and writing at an offset leave the position"


def test_appending_goes_to_the_end(root: Directory, given: Path) -> None:
    new_file(root, "log", b"one").close()
    log = root.open("log", write=True, append=True)
    assert isinstance(log, File) and log.append
    log.write(b" two")
    log.set_append(False)
    log.write(b"ONE", 0)
    assert (given / "log").read_bytes() == b"ONE two"


def test_opening(root: Directory) -> None:
    new_file(root, "a", b"text").close()
    root.create_directory("d")
    assert isinstance(root.open("d"), Directory)
    assert isinstance(root.open("d/", directory=True), Directory)
    assert isinstance(root.open("."), Directory)
    assert isinstance(root.open("d/../d/."), Directory)
    truncated = root.open("a", write=True, truncate=True)
    assert isinstance(truncated, File) and truncated.stat().size == 0
    for kind, path, options in [
        (FileErrorKind.EXIST, "a", {"create": True, "exclusive": True, "write": True}),
        (FileErrorKind.NO_ENTRY, "b", {}),
        (FileErrorKind.NO_ENTRY, "", {}),
        (FileErrorKind.NO_ENTRY, "x/b", {"create": True, "write": True}),
        (FileErrorKind.NOT_DIRECTORY, "a", {"directory": True}),
        (FileErrorKind.NOT_DIRECTORY, "a/", {}),
        (FileErrorKind.NOT_DIRECTORY, "a/b", {}),
        (FileErrorKind.IS_DIRECTORY, "d", {"write": True}),
        (FileErrorKind.INVALID, "a\0b", {}),
        (FileErrorKind.ILLEGAL_BYTE_SEQUENCE, "a\ud800", {}),
        (FileErrorKind.NAME_TOO_LONG, "x" * 300, {}),
        (FileErrorKind.NAME_TOO_LONG, "./" * 2100 + "a", {}),
    ]:
        with refused(kind):
            root.open(path, **options)


def test_what_was_not_opened_for_it_cannot_be_read_or_written(root: Directory) -> None:
    new_file(root, "a", b"text").close()
    reading = root.open("a")
    writing = root.open("a", read=False, write=True)
    neither = root.open("a", read=False)
    assert isinstance(reading, File) and isinstance(writing, File) and isinstance(neither, File)
    with refused(FileErrorKind.BAD_DESCRIPTOR):
        reading.write(b"x")
    with refused(FileErrorKind.BAD_DESCRIPTOR):
        writing.read(1)
    with refused(FileErrorKind.BAD_DESCRIPTOR):
        neither.read_into([bytearray(1)])
    with refused(FileErrorKind.BAD_DESCRIPTOR):
        asyncio.run(reading.allocate(0, 10))
    with pytest.raises(FileError):
        reading.set_size(0)


def test_size_times_and_stat(root: Directory, given: Path) -> None:
    file = new_file(root, "a", b"0123456789")
    file.set_size(4)
    assert (given / "a").read_bytes() == b"0123"
    asyncio.run(file.allocate(0, 8))
    file.advise(0, 8, Advice.SEQUENTIAL)
    file.set_times(1_000_000_001, 2_000_000_002)
    file.set_times(None, 3_000_000_003)
    found = root.stat("a")
    assert found == file.stat()
    assert (found.type, found.size, found.links) == (FileType.REGULAR_FILE, 8, 1)
    assert (found.access_ns, found.modification_ns) == (1_000_000_001, 3_000_000_003)
    (given / "link").symlink_to("a")
    assert root.stat("link") == found
    assert root.stat("link", follow=False).type is FileType.SYMBOLIC_LINK
    root.set_times("link", 5, None, follow=False)
    assert root.stat("a").access_ns == 1_000_000_001
    root.set_times("link", 7_000, 8_000)
    assert (root.stat("a").access_ns, root.stat("a").modification_ns) == (7_000, 8_000)
    root.set_own_times(9_000, None)
    assert root.stat_self().access_ns == root.stat(".").access_ns == 9_000
    with refused(FileErrorKind.FILE_TOO_LARGE):
        file.set_size(1 << 64)
    with refused(FileErrorKind.INVALID):
        file.seek(-1)
    asyncio.run(file.sync())
    asyncio.run(file.sync(data_only=True))
    asyncio.run(root.sync())


def test_folders(root: Directory, given: Path) -> None:
    root.create_directory("d/")
    root.create_directory("d/e")
    new_file(root, "d/f").close()
    (given / "d" / "g").symlink_to("f")
    os.mkfifo(given / "d" / "h")
    opened = root.open("d")
    assert isinstance(opened, Directory)
    listing = opened.entries()
    entries = {entry.name: entry for entry in listing}
    listing.close()
    assert {name: entry.type for name, entry in entries.items()} == {
        "e": FileType.DIRECTORY,
        "f": FileType.REGULAR_FILE,
        "g": FileType.SYMBOLIC_LINK,
        "h": FileType.FIFO,
    }
    assert entries["f"].inode == root.stat("d/f").inode
    for kind, remove, path in [
        (FileErrorKind.NOT_EMPTY, root.remove_directory, "d"),
        (FileErrorKind.NOT_DIRECTORY, root.remove_directory, "d/f"),
        (FileErrorKind.IS_DIRECTORY, root.unlink, "d"),
        (FileErrorKind.IS_DIRECTORY, root.unlink, "d/"),
        (FileErrorKind.NOT_DIRECTORY, root.unlink, "d/f/"),
        (FileErrorKind.NO_ENTRY, root.unlink, "x"),
        (FileErrorKind.NO_ENTRY, root.remove_directory, "x"),
        (FileErrorKind.EXIST, root.create_directory, "d"),
        (FileErrorKind.EXIST, root.create_directory, "."),
    ]:
        with refused(kind):
            remove(path)
    for name in "fgh":
        root.unlink(f"d/{name}")
    root.remove_directory("d/e/")
    root.remove_directory("d")
    assert list(given.iterdir()) == []


def test_two_listings_at_once_do_not_disturb_each_other(root: Directory) -> None:
    for index in range(5):
        new_file(root, f"{index}").close()
    first, second = root.entries(), root.entries()
    names = [next(first).name, next(first).name]
    assert len({entry.name for entry in second}) == 5
    assert len({*names, *(entry.name for entry in first)}) == 5


def test_names_that_are_no_utf8_are_not_there(root: Directory, given: Path) -> None:
    os.close(os.open(os.fsencode(given) + b"/\xff", os.O_CREAT | os.O_WRONLY))
    new_file(root, "ok").close()
    assert [entry.name for entry in root.entries()] == ["ok"]
    (given / "link").symlink_to(os.fsdecode(b"\xff"))
    with refused(FileErrorKind.ILLEGAL_BYTE_SEQUENCE):
        root.read_link("link")


def test_links(root: Directory, given: Path) -> None:
    new_file(root, "a", b"text").close()
    root.create_directory("d")
    root.symlink("../a", "d/up")
    assert root.read_link("d/up") == "../a"
    assert root.stat("d/up").type is FileType.REGULAR_FILE
    opened = root.open("d/up")
    assert isinstance(opened, File) and opened.read(10) == b"text"
    with refused(FileErrorKind.LOOP):
        root.open("d/up", follow=False)
    root.link("a", root, "b")
    assert root.stat("a").links == 2
    sub = root.open("d")
    assert isinstance(sub, Directory)
    root.link("d/up", sub, "up2")
    assert root.read_link("d/up2") == "../a"
    root.link("d/up", sub, "c", follow=True)
    assert root.stat("d/c", follow=False).type is FileType.REGULAR_FILE
    with refused(FileErrorKind.NOT_PERMITTED):
        root.link("d", root, "e")
    with refused(FileErrorKind.NO_ENTRY):
        root.link("a", root, "new/")
    with refused(FileErrorKind.NO_ENTRY):
        root.symlink("a", "new/")
    with refused(FileErrorKind.INVALID):
        root.read_link("a")
    with refused(FileErrorKind.INVALID):
        root.read_link("d/")
    root.symlink("loop", "loop")
    for operation in (root.open, root.stat):
        with refused(FileErrorKind.LOOP):
            operation("loop")
    root.symlink("missing", "dangling")
    with refused(FileErrorKind.NO_ENTRY):
        root.stat("dangling")
    root.open("dangling", write=True, create=True)
    assert (given / "missing").exists(), "a file is made where the link points to"


def test_slashes_at_the_end_follow_links(root: Directory) -> None:
    root.create_directory("d")
    root.symlink("d", "link")
    assert root.stat("link", follow=False).type is FileType.SYMBOLIC_LINK
    assert root.stat("link/", follow=False).type is FileType.DIRECTORY
    assert isinstance(root.open("link/", follow=False), Directory)
    with refused(FileErrorKind.NOT_DIRECTORY):
        root.remove_directory("link")


def test_renaming(root: Directory, given: Path) -> None:
    new_file(root, "a", b"A").close()
    new_file(root, "b", b"B").close()
    root.create_directory("d")
    sub = root.open("d")
    assert isinstance(sub, Directory)
    root.rename("a", root, "b")
    assert (given / "b").read_bytes() == b"A"
    root.rename("b", sub, "c")
    assert (given / "d" / "c").read_bytes() == b"A"
    with refused(FileErrorKind.NOT_DIRECTORY):
        root.rename("d/c/", root, "x")
    with refused(FileErrorKind.NOT_DIRECTORY):
        root.rename("d/c", root, "x/")
    with refused(FileErrorKind.INVALID):
        root.rename("d", sub, "inside")
    root.rename("d/", root, "e/")
    assert (given / "e" / "c").exists()
    assert sub.stat("c").size == 1, "an open folder stays the same when it is renamed"


def test_what_is_closed_cannot_be_used(root: Directory, account: FileAccount) -> None:
    file = new_file(root, "a", b"text")
    before = len(account.opened)
    file.close()
    file.close()
    assert len(account.opened) == before - 1
    for operation in (file.stat, lambda: file.read(1), lambda: file.write(b"x"), lambda: file.set_size(1)):
        with refused(FileErrorKind.BAD_DESCRIPTOR):
            operation()
    with refused(FileErrorKind.BAD_DESCRIPTOR):
        asyncio.run(file.sync())
    root.close()
    for path_operation in (root.open, root.stat, root.create_directory, root.unlink, root.read_link):
        with refused(FileErrorKind.BAD_DESCRIPTOR):
            path_operation("a")


def test_errors_do_not_show_the_hosts_paths(root: Directory, given: Path) -> None:
    with pytest.raises(FileError) as caught:
        root.open("missing/file")
    assert str(given) not in str(caught.value)
    assert str(caught.value) == "no-entry: No such file or directory"


def test_deep_paths(root: Directory, resolver: Resolver) -> None:
    folder = root
    for _ in range(140):
        folder.create_directory("d")
        opened = folder.open("d")
        assert isinstance(opened, Directory)
        folder = opened
    assert root.stat("d/" * 120 + ".").type is FileType.DIRECTORY
    if isinstance(resolver, WalkingResolver):
        with refused(FileErrorKind.NAME_TOO_LONG):  # so many folders would be open at once
            root.open("d/" * 140 + ".")
    else:
        assert isinstance(root.open("d/" * 140 + "."), Directory)
