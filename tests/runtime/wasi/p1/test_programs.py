"""Programs in C and Rust that know nothing of us run as they do in wasmtime's own WASI."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from ingen_runtime import Component
from ingen_runtime.engine import wat_to_wasm
from ingen_runtime.errors import ComponentFormatError, LinkError, Trap, TrapKind
from ingen_runtime.kernel.limits import Limits
from ingen_runtime.kernel.memory_streams import BufferOutput, Pipe
from ingen_runtime.kernel.process import Folder, Process, ProcessExit
from ingen_runtime.wasi.p1 import Preview1
from ingen_runtime.wasi.program import run_program
from tests.runtime.wasi.p1.programs import Setting, compile_c, compile_rust, ours, theirs


@pytest.fixture(scope="session")
def c_tool(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return compile_c("tool.c", tmp_path_factory.mktemp("c") / "tool.wasm")


@pytest.fixture(scope="session")
def rust_tool(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return compile_rust("tool.rs", tmp_path_factory.mktemp("rust") / "tool.wasm")


SETTINGS = {
    "arguments": Setting(
        ["arguments", "two words", "", "Ümlaut"], {"HOME": "/home", "EMPTY": "", "X": "a=b"}
    ),
    "lines": Setting(["lines"], stdin=b"one\ntwo\n\nlast, without an end"),
    "no lines": Setting(["lines"]),
    "stdio": Setting(["stdio"]),
    "folders": Setting(["folders"]),
    "links": Setting(["links"]),
    "descriptors": Setting(["descriptors"]),
    "read-only": Setting(["read-only"], files={"read/a": "text"}),
    "waiting": Setting(["waiting"], stdin=b"typed"),
    "exit": Setting(["exit", "42"]),
    "nothing": Setting(),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_a_program_in_c_does_the_same(c_tool: bytes, tmp_path: Path, name: str) -> None:
    mine = ours(c_tool, SETTINGS[name], tmp_path / "ours")
    assert mine == theirs(c_tool, SETTINGS[name], tmp_path / "theirs")
    assert mine.stdout or mine.stderr or name == "exit"


def test_a_program_in_rust_does_the_same(rust_tool: bytes, tmp_path: Path) -> None:
    setting = Setting(["one", "two"], {"NAME": "value"}, b"first\nsecond\n")
    mine = ours(rust_tool, setting, tmp_path / "ours")
    assert (mine.status, mine.stderr) == (3, "done\n")
    assert mine == theirs(rust_tool, setting, tmp_path / "theirs")


def spend(wasm: bytes, what: str, folder: Path, limits: Limits) -> tuple[str, bytes]:
    """What the program printed when it used up something, and the end of its standard error."""
    stdout = BufferOutput()
    with Process(
        arguments=["program", "spend", what], folders=[Folder(folder, "/data")], stdout=stdout, limits=limits
    ) as process:
        assert asyncio.run(run_program(Component.from_bytes(wasm), process)) == 0
        return stdout.data.decode(), process.stderr.tail


def test_limits(c_tool: bytes, tmp_path: Path) -> None:
    printed, _ = spend(c_tool, "memory", tmp_path, Limits(memory_bytes=32 << 20))
    assert 0 < int(printed.split()[0]) < 32
    printed, _ = spend(c_tool, "files", tmp_path, Limits(open_files=50))
    assert printed == "49 files: No file descriptors available\n"
    printed, _ = spend(c_tool, "disk", tmp_path, Limits(written_bytes=12_345))
    assert printed == "12000 bytes: No space left on device\n"
    printed, _ = spend(c_tool, "disk", tmp_path, Limits(file_bytes=5_000))
    assert printed == "5000 bytes: File too large\n"
    printed, error = spend(c_tool, "output", tmp_path, Limits(output_bytes=12_345))
    assert len(printed) == 12_345
    assert error == b"", "it is past the limit as well"


def test_a_trap_has_a_backtrace_and_what_the_guest_said(c_tool: bytes) -> None:
    with Process(arguments=["program", "crash"]) as process, pytest.raises(Trap) as caught:
        asyncio.run(run_program(Component.from_bytes(c_tool), process))
    assert caught.value.kind is TrapKind.UNREACHABLE
    assert caught.value.guest_stderr == b"about to crash\n"
    names = [frame.func_name for frame in caught.value.frames]
    assert names[0] == "crash" and "_start" in names
    assert "the guest's stderr ends in:\nabout to crash" in str(caught.value)


@pytest.mark.parametrize("what", ["time", "forever"])
def test_a_guest_can_be_ended(c_tool: bytes, what: str) -> None:
    async def attempt() -> None:
        with Process(arguments=["program", "spend", what]) as process:
            running = asyncio.ensure_future(run_program(Component.from_bytes(c_tool), process))
            for _ in range(3):
                await asyncio.sleep(0)
            assert not running.done()
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running

    asyncio.run(attempt())


def test_two_guests_talk_to_each_other(c_tool: bytes) -> None:
    async def attempt() -> str:
        pipe, out = Pipe(capacity=3), BufferOutput()

        async def write() -> None:
            with Process(arguments=["program", "arguments", "x"], stdout=pipe.writer) as process:
                assert await run_program(Component.from_bytes(c_tool), process) == 3
            pipe.writer.close()

        async def read() -> None:
            with Process(arguments=["program", "lines"], stdin=pipe.reader, stdout=out) as process:
                assert await run_program(Component.from_bytes(c_tool), process) == 0

        await asyncio.gather(write(), read())
        return out.data.decode()

    assert asyncio.run(attempt()) == ("1: argument 0: program\n2: argument 1: arguments\n3: argument 2: x\n")


def run_text(text: str, limits: Limits | None = None) -> int:
    with Process(limits=limits) as process:
        return asyncio.run(run_program(Component.from_bytes(wat_to_wasm(text)), process))


def test_tables_and_further_memories_are_limited_too() -> None:
    growing = """
      (module (memory (export "memory") 1) (table $t 1 funcref)
        (func (export "_start")
          (drop (table.grow $t (ref.null func) (i32.const 98)))
          (if (i32.ne (table.grow $t (ref.null func) (i32.const 2)) (i32.const -1)) (then unreachable))))
    """
    assert run_text(growing, Limits(table_elements=100)) == 0
    many = '(module (memory (export "memory") 1) {} (func (export "_start")))'
    for further, limits in (
        ("(memory 1) (memory 1)", Limits(memories=2)),
        ("(table 1 funcref) (table 1 funcref)", Limits(tables=1)),
        ("(table 300000 funcref)", Limits()),
    ):
        with pytest.raises(Trap) as caught:
            run_text(many.format(further), limits)
        assert caught.value.kind is TrapKind.LIMIT_EXCEEDED


def test_what_is_no_program() -> None:
    memory = '(memory (export "memory") 1)'
    start = '(func (export "_start"))'
    call = '(import "wasi_snapshot_preview1" "sched_yield" (func (result i32)))'
    assert run_text(f"(module {memory} {start})") == 0
    for text, message in (
        (f"(module {call} {memory})", "exports neither `wasi:cli/run` nor `_start`"),
        (f'(module {call} {memory} (func (export "_start") (param i32)))', "`_start` with the type"),
        (f'(module {call} {memory} (func (export "_initialize")))', "exports neither"),
        (f"(module {call} {start})", "no 32-bit `memory`"),
        (f'(module {call} (memory (export "memory") i64 1) {start})', "no 32-bit `memory`"),
        (f'(module (import "env" "f" (func)) {memory} {start})', "imports `env` `f`"),
        (
            f'(module (import "wasi_snapshot_preview1" "fd_fly" (func)) {memory} {start})',
            "has no function `fd_fly`",
        ),
    ):
        with pytest.raises(LinkError, match=message):
            run_text(text)
    with pytest.raises(ComponentFormatError), Process() as process:
        asyncio.run(run_program(Component.from_bytes(b"nonsense"), process))


def test_a_call_before_the_memory_is_there_traps() -> None:
    with pytest.raises(Trap, match="before the memory was there"):
        run_text(
            """
            (module
              (import "wasi_snapshot_preview1" "fd_tell" (func $tell (param i32 i32) (result i32)))
              (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
              (memory (export "memory") 1)
              (func $early (drop (call $random (i32.const 0) (i32.const 1))))
              (start $early)
              (func (export "_start")))
            """
        )


def test_a_module_that_is_linked_like_a_component(c_tool: bytes) -> None:
    out = BufferOutput()
    with Process(arguments=["program", "arguments"], stdout=out) as process:
        component = Component(c_tool)
        instance = component.instantiate({"wasi_snapshot_preview1": Preview1(process)})
        with pytest.raises(ProcessExit) as caught:
            instance.exports["_start"]()
    assert caught.value.status == 2
    assert out.data == b"argument 0: program\nargument 1: arguments\n"
