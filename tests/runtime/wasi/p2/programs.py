"""Programs that are components, and what they do here and in wasmtime's own WASI."""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest
import wasmtime
from platformdirs import user_cache_path
from wasmtime import component as their_component

from ingen_runtime.component.component import Component
from ingen_runtime.kernel.limits import Limits
from ingen_runtime.kernel.memory_streams import BufferOutput, BytesInput
from ingen_runtime.kernel.process import Folder, Process
from ingen_runtime.network.interface import Network
from ingen_runtime.wasi.program import run_program
from ingen_sdkgen import toolchains
from tests.conftest import ROOT, absent
from tests.runtime.wasi.p1.programs import Outcome, Setting, files_in, their_config

GUESTS = Path(__file__).parent / "guests"
TARGET = "wasm32-wasip2"
WORLD = "package test:program;\nworld program { export wasi:cli/run@0.2.12; }\n"


def compile_rust(name: str, folder: Path) -> Path:
    """The component of a program that needs nothing but Rust's standard library."""
    made = folder / f"{name}.wasm"
    options = ["--target", TARGET, "--edition", "2021", "-Copt-level=1", "-Cstrip=symbols"]
    _run([_rust_compiler(), *options, str(GUESTS / f"{name}.rs"), "-o", str(made)])
    return made


def compile_cargo(name: str) -> Path:
    """The component of a package, built once and kept in the user's cache."""
    compiler = _rust_compiler()
    package = GUESTS / name
    sources = [path.read_bytes() for path in sorted(package.rglob("*")) if path.is_file()]
    return _kept(
        name,
        [*sources, _run([compiler, "--version"]).encode()],
        lambda folder: _cargo(name, compiler, folder),
    )


def _cargo(name: str, compiler: str, folder: Path) -> Path:
    try:
        cargo = str(toolchains.cargo())
    except toolchains.MissingTool as missing:
        absent(str(missing))
    environment = {**os.environ, "RUSTC": compiler, "RUSTFLAGS": "--cfg tokio_unstable"}
    manifest = str(GUESTS / name / "Cargo.toml")
    common = ["--locked", "--manifest-path", manifest, "--target", TARGET]
    fetched = subprocess.run([cargo, "fetch", *common], capture_output=True, text=True, check=False)
    if fetched.returncode:
        absent(f"the crates of {name} cannot be fetched: {fetched.stderr[-500:]}")
    _run([cargo, "build", "--release", *common, "--target-dir", str(folder)], environment)
    return folder / TARGET / "release" / f"{name}.wasm"


def compile_python(name: str) -> Path:
    """The component of a Python program, built once and kept in the user's cache."""
    try:
        program = str(toolchains.componentize_py())
    except toolchains.MissingTool as missing:
        absent(str(missing))
    source = (GUESTS / f"{name}.py.txt").read_bytes()

    def build(folder: Path) -> Path:
        shutil.copytree(ROOT / "wit" / "deps", folder / "wit" / "deps")
        (folder / "wit" / "world.wit").write_text(WORLD)
        (folder / f"{name}.py").write_bytes(source)
        command = [program, "-q", "-d", "wit", "-w", "program", "componentize", name, "-o", "made.wasm"]
        _run(command, folder=folder)
        return folder / "made.wasm"

    return _kept(name, [source, WORLD.encode(), _run([program, "--version"]).encode()], build)


def _rust_compiler() -> str:
    try:
        return str(toolchains.rust_compiler(TARGET))
    except toolchains.MissingTool as missing:
        absent(str(missing))


def _kept(name: str, inputs: Sequence[bytes], build: Callable[[Path], Path]) -> Path:
    """What `build` makes of these inputs in an empty folder; in the user's cache, if it is there already."""
    digest = hashlib.sha256(b"".join([hashlib.sha256(each).digest() for each in inputs])).hexdigest()
    made = user_cache_path("ingen", appauthor=False) / "guests" / f"{name}-{digest[:24]}.wasm"
    made.parent.mkdir(parents=True, exist_ok=True)
    with made.with_suffix(".lock").open("w") as lock:
        # Tests run in several processes.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            with tempfile.TemporaryDirectory(dir=made.parent) as folder:
                build(Path(folder)).replace(made)
    return made


def _run(
    command: Sequence[str], environment: Mapping[str, str] | None = None, folder: Path | None = None
) -> str:
    result = subprocess.run(
        command, capture_output=True, encoding="utf-8", env=environment, cwd=folder, check=False
    )
    if result.returncode != 0:
        pytest.fail(f"{' '.join(command)}\n{result.stderr[-20_000:]}", pytrace=False)
    return result.stdout


async def run(
    program: Component,
    arguments: Sequence[str],
    *,
    network: Network | None = None,
    folders: Sequence[Folder] = (),
    variables: Mapping[str, str] | None = None,
    stdin: bytes = b"",
    limits: Limits | None = None,
) -> tuple[int, str, str]:
    """The exit status of a program, and what it wrote to standard output and error."""
    stdout, stderr = BufferOutput(), BufferOutput()
    with Process(
        arguments=["program", *arguments],
        environment=variables,
        folders=folders,
        stdin=BytesInput(stdin),
        stdout=stdout,
        stderr=stderr,
        network=network,
        limits=limits,
    ) as process:
        status = await run_program(program, process)
    return status, stdout.data.decode(), stderr.data.decode()


def ours(program: Component, setting: Setting, folder: Path) -> Outcome:
    """The program here."""
    setting.prepare(folder)
    folders = [Folder(folder / "data", "/data"), Folder(folder / "read", "/read", writable=False)]
    outcome = run(
        program, setting.arguments, folders=folders, variables=setting.variables, stdin=setting.stdin
    )
    return Outcome(*asyncio.run(outcome), files_in(folder))


def theirs(program: Path, setting: Setting, folder: Path) -> Outcome:
    """The program in wasmtime's own WASI."""
    setting.prepare(folder)
    aside, config = their_config(setting, folder)
    engine = wasmtime.Engine()
    component = their_component.Component.from_file(engine, str(program))
    store = wasmtime.Store(engine)
    store.set_wasi(config)
    linker = their_component.Linker(engine)
    linker.add_wasip2()
    instance = linker.instantiate(store, component)
    (name,) = [name for name in Component.from_file(program).exports if name.startswith("wasi:cli/run@")]
    found = instance.get_export_index(store, "run", instance.get_export_index(store, name))
    assert found is not None
    function = instance.get_func(store, found)
    assert function is not None
    try:
        status = int(function(store).tag == "err")
    except wasmtime.ExitTrap as exit_:
        status = exit_.code
    stdout, stderr = ((aside / name).read_text() for name in ("stdout", "stderr"))
    return Outcome(status, stdout, stderr, files_in(folder))
