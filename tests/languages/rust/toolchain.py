"""Generate Rust, and compile it without Cargo, so that a test costs one run of the compiler."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import pytest

from ingen_sdkgen import toolchains
from ingen_sdkgen.languages.rust import Options, generate
from ingen_sdkgen.model import Resolve, WorldId
from ingen_sdkgen.render import Templates
from tests.conftest import absent

TARGETS = ("wasm32-wasip1", "wasm32-wasip2", "wasm32-unknown-unknown")

_templates = cache(Templates)


def bindings(resolve: Resolve, world: WorldId, options: Options | None = None) -> dict[str, str]:
    """The generated files of a world, as text."""
    files = generate(resolve, world, options or Options(), _templates())
    return {name: content.decode() for name, content in files.items()}


def check(source: Path, target: str | None, *, edition: str = "2021") -> None:
    """Check a library for a target, or for this machine; a warning ends the test."""
    made = source.with_name("checked.rmeta")
    kind = ["--crate-type", "lib", "--emit=metadata", "-o", str(made)]
    _run([str(compiler(target)), *_target(target), "--edition", edition, *kind, "-Dwarnings", str(source)])


def lint(source: Path) -> None:
    """Check a library with clippy as it is set by default; a warning ends the test.

    For WebAssembly where clippy's own toolchain has a library for it, else for this machine.
    """
    program = shutil.which("clippy-driver")
    if program is None:
        absent("clippy is absent: rustup component add clippy")
    kind = ["--crate-type", "lib", "--edition", "2021", "--emit=metadata"]
    target = TARGETS[0] if compiler(TARGETS[0]) == compiler(None) else None
    made = ["-o", str(source.with_name("linted.rmeta"))]
    _run([program, *_target(target), *kind, *made, "-Dwarnings", "-Wclippy::all", str(source)])


def build(sources: Sequence[Path], files: Mapping[str, str], target: str, folder: Path) -> Path:
    """The module (for wasm32-wasip2 the component) of a guest with generated files; its crate is the first
    of the sources.
    """
    for written in sources:
        shutil.copy(written, folder)
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    made = folder / f"{target}.wasm"
    kind = ["--crate-type", "cdylib", "--edition", "2021", "-Copt-level=1", "-Cstrip=symbols"]
    source = str(folder / sources[0].name)
    _run([str(compiler(target)), *_target(target), *kind, "-Dwarnings", source, "-o", str(made)])
    return made


@cache
def compiler(target: str | None) -> Path:
    """The compiler for a target, or the one for this machine."""
    if target is None:
        found = shutil.which("rustc")
        if found is None:
            absent("rustc is absent: rustup installs it")
        return Path(found)
    try:
        return toolchains.rust_compiler(target)
    except toolchains.MissingTool as missing:
        absent(str(missing))


def _target(target: str | None) -> Sequence[str]:
    return [] if target is None else ["--target", target]


def _run(command: Sequence[str]) -> None:
    result = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
    if result.returncode != 0 or result.stderr:
        pytest.fail(f"{' '.join(command)}\n{result.stderr[:20_000]}", pytrace=False)
