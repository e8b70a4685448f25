"""Programs in Rust and Python that know nothing of us run as they do in wasmtime's own WASI."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from ingen_runtime.component.component import Component
from ingen_runtime.errors import LinkError, Trap, TrapKind
from ingen_runtime.kernel.limits import MIB, Limits
from ingen_runtime.kernel.memory_streams import BufferOutput, Pipe
from ingen_runtime.kernel.process import Folder, Process
from ingen_runtime.wasi.p2 import Wasi
from ingen_runtime.wasi.program import run_program
from tests.runtime.wasi.p1.programs import Setting
from tests.runtime.wasi.p2.asynchronous import running, settle
from tests.runtime.wasi.p2.programs import compile_python, compile_rust, ours, run, theirs


@pytest.fixture(scope="session")
def standard(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return compile_rust("standard", tmp_path_factory.mktemp("standard"))


@pytest.fixture(scope="session")
def program(standard: Path) -> Component:
    return Component.from_file(standard)


SETTINGS = {
    "environment": Setting(
        ["environment", "two words", "", "Ümlaut"], {"HOME": "/home", "EMPTY": "", "X": "a=b"}
    ),
    "files": Setting(["files", "/data"], links={"data/link": "five.txt", "data/escape": "../../secret"}),
    "read-only": Setting(["read-only", "/read"], files={"read/given.txt": "given"}),
    "time": Setting(["time"]),
    "stdin": Setting(["stdin"], stdin=b"a line\n" + bytes(range(256)) * 1000),
    "no stdin": Setting(["stdin"]),
    "output": Setting(["output", "5000"]),
    "success": Setting(["exit", "0"]),
    "failure": Setting(["exit", "3"]),
    "nothing": Setting(),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_a_program_in_rust_does_the_same(
    standard: Path, program: Component, tmp_path: Path, name: str
) -> None:
    (tmp_path / "secret").write_text("what no program may see")
    mine = ours(program, SETTINGS[name], tmp_path / "ours")
    assert mine == theirs(standard, SETTINGS[name], tmp_path / "theirs")
    assert mine.stdout or mine.stderr or "exit" in SETTINGS[name].arguments


@pytest.mark.slow
def test_a_program_in_python_does_the_same(tmp_path: Path) -> None:
    path = compile_python("program")
    setting = Setting(["an argument"], {"NAME": "value"}, stdin=b"typed")
    mine = ours(Component.from_file(path), setting, tmp_path / "ours")
    assert mine.status == 0
    assert mine.stdout.splitlines()[-1] == "TYPED"
    assert mine == theirs(path, setting, tmp_path / "theirs")


def test_a_panic_is_a_trap_with_a_backtrace_and_the_end_of_stderr(program: Component) -> None:
    with pytest.raises(Trap) as caught:
        asyncio.run(run(program, ["panic"]))
    assert caught.value.kind is TrapKind.UNREACHABLE
    assert caught.value.frames
    assert b"as it was told" in caught.value.guest_stderr


def test_limits(program: Component, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    folders = [Folder(tmp_path, "/data")]
    held = run(program, ["hold", "/data/file"], folders=folders, limits=Limits(open_files=20))
    assert asyncio.run(held) == (0, "19 QuotaExceeded\n", "")
    status, out, _ = asyncio.run(run(program, ["grow"], limits=Limits(memory_bytes=32 * MIB)))
    assert status == 0
    assert 20 < int(out.split()[0]) < 32
    status, out, _ = asyncio.run(run(program, ["output", "100"], limits=Limits(output_bytes=1000)))
    assert (status, len(out)) == (1, 1000)


@running
async def test_a_program_waits_for_what_is_typed(program: Component) -> None:
    typed, printed = Pipe(), BufferOutput()
    with Process(arguments=["program", "stdin"], stdin=typed.reader, stdout=printed) as process:
        running_ = asyncio.ensure_future(run_program(program, process))
        for text in (b"a li", b"ne\nre"):
            await settle()
            assert not printed.data
            typed.writer.write(text)
        while b"\n" not in printed.data:
            await settle()
        assert printed.data == b'line "a line\\n"\n'
        typed.writer.write(b"st")
        typed.writer.close()
        assert await running_ == 0
    assert printed.data.endswith(b"4 446\n")


@running
async def test_a_program_ends_with_its_output_read(program: Component) -> None:
    printed = Pipe(capacity=100)
    with Process(arguments=["program", "output", "50"], stdout=printed.writer) as process:
        running_ = asyncio.ensure_future(run_program(program, process))
        count = 0
        while not running_.done():
            await settle()
            if printed.readable.ready():
                count += len(printed.reader.read(1000))
        assert await running_ == 0
    while printed.readable.ready():
        count += len(printed.reader.read(1000))
    assert count == 50 * 80


@pytest.mark.parametrize("arguments", [["stdin"], ["output", "1000"]], ids=["reading", "writing"])
@running
async def test_cancelling_ends_a_program(program: Component, arguments: list[str]) -> None:
    stdin, stdout = Pipe().reader, Pipe(capacity=100).writer
    with Process(arguments=["program", *arguments], stdin=stdin, stdout=stdout) as process:
        running_ = asyncio.ensure_future(run_program(program, process))
        await settle()
        running_.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running_


def test_a_linker_takes_it_with_other_imports(standard: Path) -> None:
    with Process() as process:
        imports = Wasi(process).imports
    assert imports.keys() > {"wasi:cli/environment@0.2.12", "wasi:sockets/tcp@0.2.12"}
    component = Component.from_file(standard)
    with Process(arguments=["program"]) as process:
        replaced = {"wasi:cli/environment@0.2.6": {"get-arguments": list}}
        with pytest.raises(LinkError, match="get-environment"):
            asyncio.run(run_program(component, process, replaced))
