"""Nothing leaves a folder, whatever is tried, and whichever way paths are looked up."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import pytest

from ingen_runtime.kernel.directories import Directory
from ingen_runtime.kernel.errors import FileError, FileErrorKind
from ingen_runtime.kernel.files import File, FileAccount
from tests.runtime.kernel.refusals import refused

ESCAPES = {
    "dots": "../secret",
    "dots in the middle": "sub/../../secret",
    "more dots than folders": "sub/../../../../../../../../etc/passwd",
    "absolute": "/etc/passwd",
    "absolute, below the folder": "{given}/inner",
    "absolute, with slashes": "///etc/passwd",
    "link to an absolute path": "to-secret",
    "link to dots": "to-dots",
    "link to a folder": "to-private/key",
    "link to a link": "to-to-private/key",
    "link, and back by dots": "sub/up/../secret",
    "link to the folder above": "up/secret",
    "link to the folder itself, absolutely": "to-given/inner",
    "link to dots, with a slash": "up/",
    "dots after a link": "sub/here/../../../secret",
}


@pytest.fixture
def escaping(root: Directory, given: Path, outside: Path) -> Directory:
    """The folder, with all kinds of links in it that lead out."""
    (given / "sub").mkdir()
    (given / "inner").write_text("inner")
    links: dict[str, str | Path] = {
        "to-secret": outside / "secret",
        "to-dots": "../secret",
        "to-private": outside / "private",
        "to-to-private": "to-private",
        "sub/up": "..",
        "up": "..",
        "sub/here": "../sub",
        "to-given": given,
    }
    for name, target in links.items():
        (given / name).symlink_to(target)
    return root


def operations(root: Directory, path: str) -> dict[str, Callable[[], object]]:
    """All that takes a path and follows it."""
    return {
        "open": lambda: root.open(path),
        "open to write": lambda: root.open(path, write=True),
        "open to make": lambda: root.open(path, write=True, create=True),
        "open to cut off": lambda: root.open(path, write=True, truncate=True),
        "open a folder": lambda: root.open(path, directory=True),
        "stat": lambda: root.stat(path),
        "set times": lambda: root.set_times(path, 0, 0),
        "link from": lambda: root.link(path, root, "new", follow=True),
    }


@pytest.mark.parametrize("escape", ESCAPES)
def test_paths_that_lead_out_are_refused(
    escaping: Directory, outside: Path, given: Path, escape: str
) -> None:
    before = (outside / "secret").stat()
    for name, operation in operations(escaping, ESCAPES[escape].format(given=given)).items():
        with pytest.raises(FileError) as caught:
            operation()
        # Linux looks first whether it could make what has a slash at the end.
        slash = name == "open to make" and caught.value.kind is FileErrorKind.IS_DIRECTORY
        assert slash or caught.value.kind is FileErrorKind.NOT_PERMITTED, (name, str(caught.value))
    after = (outside / "secret").stat()
    assert (after.st_size, after.st_atime_ns, after.st_mtime_ns) == (
        6,
        before.st_atime_ns,
        before.st_mtime_ns,
    )


@pytest.mark.parametrize(
    "path", ["../new", "up/new", "to-private/new", "sub/../../new", "/tmp/new-file-of-a-guest"]
)
def test_nothing_is_made_removed_or_moved_outside(escaping: Directory, outside: Path, path: str) -> None:
    def everything() -> set[str]:
        return {str(found) for found in outside.rglob("*")}

    before = everything()
    for operation in (
        lambda: escaping.create_directory(path),
        lambda: escaping.open(path, write=True, create=True),
        lambda: escaping.open(path, write=True, create=True, exclusive=True),
        lambda: escaping.symlink("inner", path),
        lambda: escaping.link("inner", escaping, path),
        lambda: escaping.rename("inner", escaping, path),
        lambda: escaping.rename(path.replace("new", "key"), escaping, "stolen"),
        lambda: escaping.unlink(path.replace("new", "key")),
        lambda: escaping.remove_directory(path.replace("new", "private")),
        lambda: escaping.read_link(path.replace("new", "link")),
    ):
        with refused(FileErrorKind.NOT_PERMITTED):
            operation()
    assert everything() == before


def test_the_folder_itself_cannot_be_removed_or_moved(escaping: Directory, given: Path) -> None:
    for path in (".", "sub/..", "./", "sub/../."):
        for operation in (
            partial(escaping.remove_directory, path),
            partial(escaping.unlink, path),
            partial(escaping.rename, path, escaping, "new"),
            partial(escaping.rename, "sub", escaping, path),
        ):
            with pytest.raises(FileError):
                operation()
    assert given.is_dir()


def test_links_that_a_guest_makes_do_not_lead_out(root: Directory) -> None:
    for target in ("/etc/passwd", "/"):
        with refused(FileErrorKind.NOT_PERMITTED):
            root.symlink(target, "link")
    root.symlink("../secret", "link")
    with refused(FileErrorKind.NOT_PERMITTED):
        root.open("link")
    root.rename("link", root, "moved")
    with refused(FileErrorKind.NOT_PERMITTED):
        root.stat("moved")
    root.link("moved", root, "again")
    assert root.read_link("again") == "../secret", "a hard link is one to the link, not to what it points to"


def test_an_open_folder_that_is_moved_gets_no_larger(root: Directory, given: Path, outside: Path) -> None:
    (given / "a" / "b").mkdir(parents=True)
    opened = root.open("a/b")
    assert isinstance(opened, Directory)
    (given / "a" / "b").rename(outside / "private" / "b")
    for path in ("..", "../key", "../../secret"):
        with refused(FileErrorKind.NOT_PERMITTED):
            opened.open(path)
    opened.create_directory("still-mine")
    assert (outside / "private" / "b" / "still-mine").is_dir()


def test_a_folder_below_is_a_folder_of_its_own(escaping: Directory) -> None:
    sub = escaping.open("sub")
    assert isinstance(sub, Directory)
    for path in ("..", "../inner", "up", "up/inner"):
        with refused(FileErrorKind.NOT_PERMITTED):
            sub.open(path)


def test_links_of_proc_lead_nowhere(account: FileAccount, outside: Path) -> None:
    process = Path("/proc/self")
    if not process.exists():
        pytest.skip("this system has no /proc")
    root = Directory.preopen(account, process)
    secret = os.open(outside / "secret", os.O_RDONLY)
    try:
        for path in ("root/etc/passwd", "cwd/.", "exe", f"fd/{secret}", "root", "cwd"):
            for operation in (root.open, root.stat):
                with pytest.raises(FileError) as caught:
                    operation(path)
                assert caught.value.kind in (FileErrorKind.NOT_PERMITTED, FileErrorKind.LOOP), path
    finally:
        os.close(secret)


def test_opening_never_waits_and_gives_only_files_and_folders(
    root: Directory, given: Path, account: FileAccount
) -> None:
    os.mkfifo(given / "fifo")
    with socket.socket(socket.AF_UNIX) as listener:
        # The path of the folder may be too long for a socket's address.
        here = os.open(given, os.O_RDONLY)
        try:
            listener.bind(f"/proc/self/fd/{here}/socket")
        finally:
            os.close(here)
        devices = Directory.preopen(account, "/dev")
        for folder, path in ((root, "fifo"), (root, "socket"), (devices, "null"), (devices, "zero")):
            for read, write in ((True, False), (True, True), (False, True)):
                with pytest.raises(FileError) as caught:
                    folder.open(path, read=read, write=write)
                assert caught.value.kind in (FileErrorKind.UNSUPPORTED, FileErrorKind.NO_SUCH_DEVICE)


READ_ONLY: dict[str, Callable[[Directory], object]] = {
    "write": lambda root: root.open("a", write=True),
    "append": lambda root: root.open("a", append=True),
    "make": lambda root: root.open("new", create=True),
    "make only": lambda root: root.open("new", create=True, exclusive=True),
    "cut off": lambda root: root.open("a", truncate=True),
    "folder": lambda root: root.create_directory("new"),
    "remove folder": lambda root: root.remove_directory("d"),
    "unlink": lambda root: root.unlink("a"),
    "rename": lambda root: root.rename("a", root, "b"),
    "link": lambda root: root.link("a", root, "b"),
    "symlink": lambda root: root.symlink("a", "b"),
    "times": lambda root: root.set_times("a", 0, 0),
    "own times": lambda root: root.set_own_times(0, 0),
}


@pytest.mark.parametrize("name", READ_ONLY)
@pytest.mark.parametrize("below", [False, True], ids=["itself", "below"])
def test_a_read_only_folder_cannot_be_changed(
    read_only_root: Directory, given: Path, name: str, below: bool
) -> None:
    folder = given / "sub" if below else given
    (folder / "d").mkdir(parents=True)
    (folder / "a").write_text("text")
    before = {str(path): path.stat().st_mtime_ns for path in given.rglob("*")}
    root = read_only_root
    if below:
        opened = root.open("sub")
        assert isinstance(opened, Directory)
        root = opened
    with refused(FileErrorKind.NOT_PERMITTED):
        READ_ONLY[name](root)
    assert {str(path): path.stat().st_mtime_ns for path in given.rglob("*")} == before


def test_a_read_only_file_cannot_be_changed_by_way_of_another_folder(
    root: Directory, read_only_root: Directory, given: Path
) -> None:
    (given / "a").write_text("text")
    file = read_only_root.open("a")
    assert isinstance(file, File) and file.read(10) == b"text"
    for operation in (
        partial(file.set_times, 0, 0),
        partial(read_only_root.link, "a", root, "b"),
        partial(read_only_root.rename, "a", root, "b"),
        partial(root.rename, "a", read_only_root, "b"),
        partial(root.link, "a", read_only_root, "b"),
    ):
        with refused(FileErrorKind.NOT_PERMITTED):
            operation()
    changes: list[Callable[[], object]] = [
        partial(file.write, b"x"),
        partial(file.set_size, 0),
        lambda: asyncio.run(file.allocate(0, 100)),
    ]
    for change in changes:
        with pytest.raises(FileError):
            change()
    assert (given / "a").read_text() == "text"


@contextmanager
def over_and_over(change: Callable[[], object]) -> Iterator[None]:
    """Somebody else changes the folder all the time."""
    stop = threading.Event()

    def run() -> None:
        while not stop.is_set():
            change()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def test_folders_that_turn_into_links_meanwhile_do_not_lead_out(
    root: Directory, given: Path, outside: Path
) -> None:
    (given / "folder").mkdir()
    (given / "folder" / "key").write_text("mine")
    (given / "link").symlink_to("../private")

    def swap() -> None:
        (given / "folder").rename(given / "away")
        (given / "link").rename(given / "folder")
        (given / "folder").rename(given / "link")
        (given / "away").rename(given / "folder")

    with over_and_over(swap):
        for _ in range(2000):
            try:
                file = root.open("folder/key", write=True)
            except FileError:
                continue
            assert isinstance(file, File)
            assert file.read(10) == b"mine"
            file.close()
            for attempt in (
                partial(root.unlink, "folder/key2"),
                partial(root.create_directory, "folder/made"),
                partial(root.remove_directory, "folder/made"),
                partial(root.set_times, "folder/key", 1, 1),
            ):
                with suppress(FileError):
                    attempt()
    root.open("folder/key")
    assert {path.name for path in (outside / "private").iterdir()} == {"key"}
    assert (outside / "private" / "key").stat().st_mtime_ns != 1


def test_folders_that_move_meanwhile_do_not_make_dots_lead_out(
    root: Directory, given: Path, outside: Path
) -> None:
    (given / "a" / "b" / "c").mkdir(parents=True)
    (given / "a" / "secret").write_text("mine")

    def move() -> None:
        (given / "a" / "b" / "c").rename(given / "c")
        (given / "c").rename(given / "a" / "b" / "c")

    with over_and_over(move):
        for _ in range(2000):
            try:
                file = root.open("a/b/c/../../secret")
            except FileError:
                continue
            assert isinstance(file, File)
            assert file.read(10) == b"mine"
            file.close()
    root.open("a/b/c/../../secret")
