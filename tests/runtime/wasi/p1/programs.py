"""Programs for preview 1, and what they do here and in wasmtime's own WASI."""

from __future__ import annotations

import asyncio
import importlib.util
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
import wasmtime

from ingen_runtime import Component
from ingen_runtime.kernel.memory_streams import BufferOutput, BytesInput
from ingen_runtime.kernel.process import Folder, Process
from ingen_runtime.wasi.program import run_program
from ingen_sdkgen import toolchains
from tests.conftest import absent

GUESTS = Path(__file__).parent / "guests"


def compile_c(name: str, made: Path) -> bytes:
    package = importlib.util.find_spec("ziglang")
    if package is None or package.origin is None:
        absent("the C compiler is absent: pip install ziglang")
    program = str(Path(package.origin).with_name("zig"))
    _compile([program, "cc", "-target", "wasm32-wasi", "-O1", str(GUESTS / name), "-o", str(made)])
    return made.read_bytes()


def compile_rust(name: str, made: Path) -> bytes:
    target = "wasm32-wasip1"
    try:
        compiler = str(toolchains.rust_compiler(target))
    except toolchains.MissingTool as missing:
        absent(str(missing))
    options = ["--edition", "2021", "-Copt-level=1", "-Cstrip=symbols"]
    _compile([compiler, "--target", target, *options, str(GUESTS / name), "-o", str(made)])
    return made.read_bytes()


def _compile(command: Sequence[str]) -> None:
    result = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    if result.returncode != 0:
        pytest.fail(f"{' '.join(command)}\n{result.stderr[:20_000]}", pytrace=False)


@dataclass(frozen=True, slots=True)
class Setting:
    """What a program is given. The folder `data` is seen as /data, `read` as /read, which is read-only."""

    arguments: Sequence[str] = ()
    variables: Mapping[str, str] | None = None
    stdin: bytes = b""
    files: Mapping[str, str] | None = None
    links: Mapping[str, str] | None = None

    def prepare(self, folder: Path) -> None:
        for name in ("data", "read"):
            (folder / name).mkdir(parents=True)
        for name, text in (self.files or {}).items():
            (folder / name).write_text(text)
        for name, target in (self.links or {}).items():
            (folder / name).symlink_to(target)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it."""

    status: int
    stdout: str
    stderr: str
    files: Mapping[str, object]


def files_in(folder: Path) -> dict[str, object]:
    """All that is there: the bytes of files, the targets of links, None for folders."""
    found: dict[str, object] = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_symlink():
            found[name] = path.readlink()
        else:
            found[name] = path.read_bytes() if path.is_file() else None
    return found


def ours(wasm: bytes, setting: Setting, folder: Path) -> Outcome:
    """The program here."""
    setting.prepare(folder)
    stdout, stderr = BufferOutput(), BufferOutput()
    with Process(
        arguments=["program", *setting.arguments],
        environment=setting.variables,
        folders=[Folder(folder / "data", "/data"), Folder(folder / "read", "/read", writable=False)],
        stdin=BytesInput(setting.stdin),
        stdout=stdout,
        stderr=stderr,
    ) as process:
        status = asyncio.run(run_program(Component.from_bytes(wasm), process))
    return Outcome(status, stdout.data.decode(), stderr.data.decode(), files_in(folder))


def their_config(setting: Setting, folder: Path) -> tuple[Path, wasmtime.WasiConfig]:
    """The setting for wasmtime's own WASI, and the folder in which it leaves `stdout` and `stderr`."""
    aside = folder.with_name(f"{folder.name}-aside")
    aside.mkdir()
    (aside / "stdin").write_bytes(setting.stdin)
    config = wasmtime.WasiConfig()
    config.argv = ["program", *setting.arguments]
    config.env = (setting.variables or {}).items()
    config.stdin_file = aside / "stdin"
    config.stdout_file = str(aside / "stdout")
    config.stderr_file = str(aside / "stderr")
    config.preopen_dir(str(folder / "data"), "/data", True)
    config.preopen_dir(str(folder / "read"), "/read", False)
    return aside, config


def theirs(wasm: bytes, setting: Setting, folder: Path) -> Outcome:
    """The program in wasmtime's own WASI."""
    setting.prepare(folder)
    aside, config = their_config(setting, folder)
    engine = wasmtime.Engine()
    linker = wasmtime.Linker(engine)
    linker.define_wasi()
    store = wasmtime.Store(engine)
    store.set_wasi(config)
    start = linker.instantiate(store, wasmtime.Module(engine, wasm)).exports(store)["_start"]
    assert isinstance(start, wasmtime.Func)
    status = 0
    try:
        start(store)
    except wasmtime.ExitTrap as exit:
        status = exit.code
    stdout, stderr = ((aside / name).read_text() for name in ("stdout", "stderr"))
    return Outcome(status, stdout, stderr, files_in(folder))
