"""`wasi:filesystem` without a guest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ingen_runtime.canonical import ResultError
from ingen_runtime.kernel.clock import ManualClock
from ingen_runtime.kernel.errors import FileError, FileErrorKind
from ingen_runtime.kernel.limits import Limits
from ingen_runtime.kernel.process import Folder, Process
from ingen_runtime.network.errors import NetworkError, NetworkErrorKind
from ingen_runtime.wasi.p2.bindings.streams import StreamErrorLastOperationFailed
from ingen_runtime.wasi.p2.bindings.types import (
    Advice,
    DescriptorFlags,
    DescriptorType,
    ErrorCode,
    NewTimestampNoChange,
    NewTimestampNow,
    NewTimestampTimestamp,
    OpenFlags,
    PathFlags,
)
from ingen_runtime.wasi.p2.bindings.wall_clock import Datetime
from ingen_runtime.wasi.p2.filesystem import Descriptor, Filesystem, Preopens
from ingen_runtime.wasi.p2.streams import Error
from tests.runtime.wasi.p2.asynchronous import running, value_of

READ, WRITE = DescriptorFlags.READ, DescriptorFlags.WRITE
NOTHING, FOLLOW = PathFlags(0), PathFlags.SYMLINK_FOLLOW


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Process]:
    for name in ("data", "given"):
        (tmp_path / name).mkdir()
    (tmp_path / "given" / "file").write_text("given")
    folders = [Folder(tmp_path / "data", "/data"), Folder(tmp_path / "given", "/given", writable=False)]
    with Process(
        folders=folders, clock=ManualClock(wall_ns=5_000_000_007), limits=Limits(open_files=10)
    ) as made:
        yield made


@pytest.fixture
def preopened(process: Process) -> dict[str, Descriptor]:
    return {name: found for found, name in Preopens(Filesystem(process), process.preopened).get_directories()}


@pytest.fixture
def data(preopened: dict[str, Descriptor]) -> Descriptor:
    return preopened["/data"]


@pytest.fixture
def given(preopened: dict[str, Descriptor]) -> Descriptor:
    return preopened["/given"]


@pytest.fixture
def file(data: Descriptor) -> Descriptor:
    made = data.open_at(NOTHING, "file", OpenFlags.CREATE, READ | WRITE)
    assert made.write(b"0123456789", 0) == 10
    return made


def code(call: Callable[[], object]) -> ErrorCode:
    """The error of a call that has to fail."""
    with pytest.raises(ResultError) as caught:
        call()
    assert isinstance(caught.value.value, ErrorCode)
    return caught.value.value


def codes(*calls: Callable[[], object]) -> set[ErrorCode]:
    """The errors of calls that all have to fail."""
    return {code(call) for call in calls}


def test_reading_and_writing_at_a_position(file: Descriptor) -> None:
    assert file.read(4, 2) == (b"2345", False)
    assert file.read(100, 8) == (b"89", True)
    assert file.read(5, 10) == (b"", True)
    assert file.read(0, 0) == (b"", False)
    assert file.write(b"ab", 12) == 2
    assert file.read(100, 9) == (b"9\0\0ab", True)
    file.set_size(3)
    assert file.read(100, 0) == (b"012", True)
    assert code(lambda: file.read(1, 1 << 63)) is ErrorCode.INVALID
    assert file.get_flags() == READ | WRITE
    assert file.get_type() is DescriptorType.REGULAR_FILE
    file.advise(0, 10, Advice.SEQUENTIAL)


def test_a_short_read_is_not_the_end(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(10))
    with Process(folders=[Folder(tmp_path, "/data")], limits=Limits(transfer_bytes=4)) as process:
        ((data, _),) = Preopens(Filesystem(process), process.preopened).get_directories()
        file = data.open_at(NOTHING, "file", OpenFlags(0), READ)
        assert file.read(10, 0) == (bytes(4), False)
        assert file.read(10, 8) == (bytes(2), True)


def test_streams_have_positions_of_their_own_and_outlive_the_descriptor(
    process: Process, file: Descriptor
) -> None:
    one, two = file.read_via_stream(2), file.read_via_stream(5)
    writer, appender = file.write_via_stream(0), file.append_via_stream()
    opened = len(process.files.opened)
    file.drop()
    assert (one.read(3), two.read(2), one.read(1)) == (b"234", b"56", b"5")
    for stream, text in ((writer, b"ab"), (appender, b"yz"), (writer, b"cd")):
        assert stream.check_write() >= 2
        stream.write(text)
    assert two.read(100) == b"789yz"
    for reader in (one, two):
        reader.drop()
    assert len(process.files.opened) == opened
    for output in (writer, appender):
        output.drop()
    assert len(process.files.opened) == opened - 1


def test_what_files_and_folders_cannot_do(data: Descriptor, file: Descriptor) -> None:
    found = codes(
        lambda: data.read(1, 0),
        lambda: data.write(b"x", 0),
        lambda: data.read_via_stream(0),
        lambda: data.write_via_stream(0),
        data.append_via_stream,
        lambda: data.set_size(0),
    )
    assert found == {ErrorCode.IS_DIRECTORY}
    found = codes(
        lambda: file.open_at(NOTHING, "x", OpenFlags(0), READ),
        file.read_directory,
        lambda: file.stat_at(NOTHING, "x"),
        lambda: file.create_directory_at("x"),
        lambda: data.rename_at("file", file, "x"),
        lambda: data.link_at(NOTHING, "file", file, "x"),
    )
    assert found == {ErrorCode.NOT_DIRECTORY}
    reader = data.open_at(NOTHING, "file", OpenFlags(0), READ)
    writer = data.open_at(NOTHING, "file", OpenFlags(0), WRITE)
    assert (reader.get_flags(), writer.get_flags()) == (READ, WRITE)
    found = codes(
        lambda: reader.write(b"x", 0),
        lambda: reader.write_via_stream(0),
        reader.append_via_stream,
        lambda: reader.set_size(0),
        lambda: writer.read(1, 0),
        lambda: writer.read_via_stream(0),
    )
    assert found == {ErrorCode.BAD_DESCRIPTOR}


def test_folders(data: Descriptor, file: Descriptor) -> None:
    data.create_directory_at("folder")
    assert code(lambda: data.create_directory_at("folder")) is ErrorCode.EXIST
    folder = data.open_at(NOTHING, "folder", OpenFlags.DIRECTORY, READ | DescriptorFlags.MUTATE_DIRECTORY)
    assert folder.get_type() is DescriptorType.DIRECTORY
    assert folder.get_flags() == READ | DescriptorFlags.MUTATE_DIRECTORY
    data.symlink_at("../file", "folder/link")
    data.link_at(NOTHING, "file", folder, "second")
    data.rename_at("file", folder, "first")
    stream = folder.read_directory()
    found = {}
    while (entry := stream.read_directory_entry()) is not None:
        found[entry.name] = entry.type
    stream.drop()
    regular = DescriptorType.REGULAR_FILE
    assert found == {"first": regular, "second": regular, "link": DescriptorType.SYMBOLIC_LINK}
    assert folder.readlink_at("link") == "../file"
    assert folder.stat_at(NOTHING, "link").type is DescriptorType.SYMBOLIC_LINK
    assert code(lambda: folder.open_at(FOLLOW, "link", OpenFlags(0), READ)) is ErrorCode.NOT_PERMITTED
    assert data.stat_at(NOTHING, "folder/first").link_count == 2
    assert code(lambda: data.remove_directory_at("folder")) is ErrorCode.NOT_EMPTY
    assert code(lambda: data.unlink_file_at("folder")) is ErrorCode.IS_DIRECTORY
    for name in found:
        folder.unlink_file_at(name)
    data.remove_directory_at("folder")
    assert code(lambda: data.stat_at(NOTHING, "folder")) is ErrorCode.NO_ENTRY


def test_a_link_to_an_absolute_path_is_not_told(data: Descriptor, tmp_path: Path) -> None:
    (tmp_path / "data" / "link").symlink_to("/etc/passwd")
    assert code(lambda: data.readlink_at("link")) is ErrorCode.NOT_PERMITTED
    assert code(lambda: data.symlink_at("/etc/passwd", "other")) is ErrorCode.NOT_PERMITTED


@pytest.mark.parametrize("path", ["..", "../given/file", "/etc/passwd", "folder/../../given"])
def test_no_path_leads_out(data: Descriptor, path: str) -> None:
    data.create_directory_at("folder")
    assert code(lambda: data.open_at(FOLLOW, path, OpenFlags(0), READ)) is ErrorCode.NOT_PERMITTED
    assert code(lambda: data.stat_at(NOTHING, path)) is ErrorCode.NOT_PERMITTED
    assert code(lambda: data.metadata_hash_at(NOTHING, path)) is ErrorCode.NOT_PERMITTED


def test_open_flags(data: Descriptor, file: Descriptor) -> None:
    exclusive = OpenFlags.CREATE | OpenFlags.EXCLUSIVE
    assert code(lambda: data.open_at(NOTHING, "file", exclusive, READ)) is ErrorCode.EXIST
    assert code(lambda: data.open_at(NOTHING, "file", OpenFlags.DIRECTORY, READ)) is ErrorCode.NOT_DIRECTORY
    assert data.open_at(NOTHING, "file", OpenFlags.TRUNCATE, WRITE).stat().size == 0
    data.symlink_at("file", "link")
    assert code(lambda: data.open_at(NOTHING, "link", OpenFlags(0), READ)) is ErrorCode.LOOP
    assert data.open_at(FOLLOW, "link", OpenFlags(0), READ).is_same_object(file)


def test_a_read_only_folder(data: Descriptor, file: Descriptor, given: Descriptor) -> None:
    opened = given.open_at(NOTHING, "file", OpenFlags(0), READ)
    assert opened.read(10, 0) == (b"given", True)
    assert given.get_flags() == READ
    changing = READ | DescriptorFlags.MUTATE_DIRECTORY
    assert code(lambda: given.open_at(NOTHING, ".", OpenFlags(0), changing)) is ErrorCode.READ_ONLY
    now = NewTimestampNow()
    found = codes(
        lambda: given.open_at(NOTHING, "file", OpenFlags(0), WRITE),
        lambda: given.open_at(NOTHING, "file", OpenFlags.TRUNCATE, READ),
        lambda: given.open_at(NOTHING, "new", OpenFlags.CREATE, READ),
        lambda: given.create_directory_at("new"),
        lambda: given.unlink_file_at("file"),
        lambda: given.rename_at("file", data, "moved"),
        lambda: data.rename_at("file", given, "moved"),
        lambda: given.link_at(NOTHING, "file", data, "linked"),
        lambda: given.set_times_at(NOTHING, "file", now, now),
        lambda: opened.set_times(now, now),
    )
    assert found == {ErrorCode.NOT_PERMITTED}


def test_times(data: Descriptor, file: Descriptor) -> None:
    then = NewTimestampTimestamp(Datetime(1_000_000_000, 5))
    file.set_times(then, NewTimestampNow())
    found = file.stat()
    assert found.data_access_timestamp == Datetime(1_000_000_000, 5)
    assert found.data_modification_timestamp == Datetime(5, 7)
    data.set_times_at(NOTHING, "file", NewTimestampNoChange(), then)
    found = data.stat_at(NOTHING, "file")
    assert found.data_access_timestamp == found.data_modification_timestamp == Datetime(1_000_000_000, 5)
    data.set_times(then, NewTimestampNoChange())
    assert data.stat().data_access_timestamp == Datetime(1_000_000_000, 5)


def test_hashes_follow_the_file(data: Descriptor, file: Descriptor) -> None:
    before = file.metadata_hash()
    assert data.metadata_hash_at(NOTHING, "file") == before
    file.write(b"more", 100)
    assert file.metadata_hash() != before
    assert data.metadata_hash() != file.metadata_hash()
    other = data.open_at(NOTHING, "other", OpenFlags.CREATE, READ)
    assert not other.is_same_object(file)
    assert not data.is_same_object(file)


@running
async def test_syncing(process: Process) -> None:
    ((data, _), (given, _)) = Preopens(Filesystem(process), process.preopened).get_directories()
    file = data.open_at(NOTHING, "file", OpenFlags.CREATE, WRITE)
    for descriptor in (data, file, given.open_at(NOTHING, "file", OpenFlags(0), READ)):
        await value_of(descriptor.sync())
        await value_of(descriptor.sync_data())
    process.close()
    with pytest.raises(ResultError) as caught:
        await value_of(file.sync())
    assert caught.value.value is ErrorCode.BAD_DESCRIPTOR


def test_the_limit_on_open_files(process: Process, data: Descriptor, file: Descriptor) -> None:
    held = []
    while len(process.files.opened) < 10:
        held.append(data.open_at(NOTHING, "file", OpenFlags(0), READ))
    assert code(lambda: data.open_at(NOTHING, "file", OpenFlags(0), READ)) is ErrorCode.QUOTA
    assert code(data.read_directory) is ErrorCode.QUOTA
    held.pop().drop()
    data.read_directory().drop()
    data.open_at(NOTHING, "file", OpenFlags(0), READ)


def test_a_preopened_folder_stays_open(data: Descriptor, file: Descriptor) -> None:
    data.drop()
    assert data.stat_at(NOTHING, "file").size == 10


def test_the_code_behind_a_streams_error(process: Process, file: Descriptor) -> None:
    filesystem = Filesystem(process)
    reader = file.read_via_stream(0)
    process.close()
    with pytest.raises(ResultError) as caught:
        reader.read(1)
    assert isinstance(caught.value.value, StreamErrorLastOperationFailed)
    assert filesystem.filesystem_error_code(caught.value.value.value) is ErrorCode.BAD_DESCRIPTOR
    full = Error(FileError(FileErrorKind.INSUFFICIENT_SPACE))
    assert filesystem.filesystem_error_code(full) is ErrorCode.INSUFFICIENT_SPACE
    assert filesystem.filesystem_error_code(Error(NetworkError(NetworkErrorKind.RESET))) is None
