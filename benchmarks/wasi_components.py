"""A program for WASI 0.2, run here and in wasmtime's own WASI, for `benchmarks.wasi --preview 2`."""

from __future__ import annotations

import asyncio
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import wasmtime
from wasmtime import component as their_component

from ingen_runtime.component.component import Component
from ingen_runtime.kernel.process import Folder, Process
from ingen_runtime.wasi.program import run_program
from ingen_sdkgen import toolchains

Run = Callable[[str, int], float]
"""Does what the name says a number of times; returns the seconds that it took."""

_SOURCE = Path(__file__).parent / "guests" / "wasi.rs"
_TARGET = "wasm32-wasip2"


def build(folder: Path) -> Path:
    """The component of the program.

    Raises: MissingTool, CalledProcessError.
    """
    made = folder / "wasi.wasm"
    compiler = str(toolchains.rust_compiler(_TARGET))
    options = ["--target", _TARGET, "--edition", "2021", "-Copt-level=2", "-o", str(made)]
    subprocess.run([compiler, *options, str(_SOURCE)], check=True)
    return made


@contextmanager
def theirs(program: Path, folder: str) -> Iterator[Run]:
    """The program in wasmtime's own WASI."""
    engine = wasmtime.Engine()
    component = their_component.Component.from_file(engine, str(program))
    linker = their_component.Linker(engine)
    linker.add_wasip2()
    (export,) = [name for name in Component.from_file(program).exports if name.startswith("wasi:cli/run@")]

    def run(name: str, times: int) -> float:
        config = wasmtime.WasiConfig()
        config.argv = ["program", name, str(times)]
        config.preopen_dir(folder, "/", True)
        config.stdout_file = "/dev/null"
        store = wasmtime.Store(engine)
        store.set_wasi(config)
        begin = time.process_time()
        instance = linker.instantiate(store, component)
        found = instance.get_export_index(store, "run", instance.get_export_index(store, export))
        assert found is not None
        function = instance.get_func(store, found)
        assert function is not None
        assert function(store).tag == "ok"
        return time.process_time() - begin

    yield _without_start(run)


@contextmanager
def ours(program: Path, folder: str) -> Iterator[Run]:
    """The program here."""
    component = Component.from_file(program)

    async def in_a_process(name: str, times: int) -> float:
        with Process(arguments=["program", name, str(times)], folders=[Folder(folder, "/")]) as process:
            begin = time.process_time()
            assert await run_program(component, process) == 0
            return time.process_time() - begin

    with asyncio.Runner() as runner:
        yield _without_start(lambda name, times: runner.run(in_a_process(name, times)))


def _without_start(run: Run) -> Run:
    """The same, without what it takes to begin and to end."""
    idle_s = min(run("clock", 0) for _ in range(5))
    return lambda name, times: run(name, times) - idle_s
