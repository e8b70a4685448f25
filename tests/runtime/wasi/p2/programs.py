"""Programs that are components, and what they do here and in wasmtime's own WASI."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
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
from tests.runtime.wasi.p1.programs import Outcome, Setting, files_in

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
    version = _run([compiler, "--version"]).encode()
    made = _kept(name, *sources, version)
    if not made.exists():
        try:
            cargo = str(toolchains.cargo())
        except toolchains.MissingTool as missing:
            absent(str(missing))
        folder = made.with_suffix("")
        environment = {**os.environ, "RUSTC": compiler, "RUSTFLAGS": "--cfg tokio_unstable"}
        common = ["--locked", "--manifest-path", str(package / "Cargo.toml"), "--target", TARGET]
        fetched = subprocess.run([cargo, "fetch", *common], capture_output=True, text=True, check=False)
        if fetched.returncode:
            absent(f"the crates of {name} cannot be fetched: {fetched.stderr[-500:]}")
        _run([cargo, "build", "--release", *common, "--target-dir", str(folder)], environment)
        (folder / TARGET / "release" / f"{name}.wasm").replace(made)
        shutil.rmtree(folder, ignore_errors=True)
    return made


def compile_python(name: str) -> Path:
    """The component of a Python program, built once and kept in the user's cache."""
    try:
        program = str(toolchains.componentize_py())
    except toolchains.MissingTool as missing:
        absent(str(missing))
    source = (GUESTS / f"{name}.py.txt").read_bytes()
    made = _kept(name, source, WORLD.encode(), _run([program, "--version"]).encode())
    if not made.exists():
        folder = made.with_suffix("")
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(ROOT / "wit" / "deps", folder / "wit" / "deps")
        (folder / "wit" / "world.wit").write_text(WORLD)
        (folder / f"{name}.py").write_bytes(source)
        command = [program, "-q", "-d", "wit", "-w", "program", "componentize", name, "-o", "new.wasm"]
        _run(command, folder=folder)
        (folder / "new.wasm").replace(made)
        shutil.rmtree(folder, ignore_errors=True)
    return made


def _rust_compiler() -> str:
    try:
        return str(toolchains.rust_compiler(TARGET))
    except toolchains.MissingTool as missing:
        absent(str(missing))


def _kept(name: str, *inputs: bytes) -> Path:
    """Where a program is kept that is made of these inputs."""
    digest = hashlib.sha256(b"\0".join([hashlib.sha256(each).digest() for each in inputs])).hexdigest()
    folder = user_cache_path("ingen", appauthor=False) / "guests"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{name}-{sys.platform}-{digest[:24]}.wasm"


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
    aside = folder.with_name(f"{folder.name}-aside")
    aside.mkdir()
    (aside / "stdin").write_bytes(setting.stdin)
    engine = wasmtime.Engine()
    component = their_component.Component.from_file(engine, str(program))
    config = wasmtime.WasiConfig()
    config.argv = ["program", *setting.arguments]
    config.env = (setting.variables or {}).items()
    config.stdin_file = aside / "stdin"
    config.stdout_file = str(aside / "stdout")
    config.stderr_file = str(aside / "stderr")
    config.preopen_dir(str(folder / "data"), "/data", True)
    config.preopen_dir(str(folder / "read"), "/read", False)
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
