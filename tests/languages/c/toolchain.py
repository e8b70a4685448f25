"""Compile generated C for wasm32, without a C library, and make components of it."""

from __future__ import annotations

import importlib.util
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests.conftest import absent
from tests.sdkgen.oracle import wasm_tools

STRICT = ("-Wall", "-Wextra", "-Wconversion", "-Wpedantic", "-Werror")
TARGET = ("-target", "wasm32-freestanding")


LIBRARY = Path(__file__).with_name("library.c")
"""What stands in for a C library."""


def zig(*arguments: str | Path, folder: Path) -> None:
    """Run `zig ARGUMENTS`; a failure ends the test with what it printed."""
    package = importlib.util.find_spec("ziglang")
    if package is None or package.origin is None:
        absent("the C compiler is absent: pip install ziglang")
    program = Path(package.origin).with_name("zig")
    command = [str(program), *map(str, arguments)]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if result.returncode != 0 or result.stderr:
        pytest.fail(f"{' '.join(command)}\n{result.stderr[:20_000]}", pytrace=False)


def compile_strictly(source: Path, optimization: str = "-O1") -> Path:
    """The object of generated C; a warning ends the test."""
    made = source.with_suffix(".o")
    # Without optimization zig adds checks that call a library of its own.
    flags = ["-std=c99", optimization, "-fno-sanitize=undefined", *STRICT]
    zig("cc", *TARGET, *flags, "-c", source, "-o", made, folder=source.parent)
    return made


def compile_plainly(source: Path, folder: Path) -> Path:
    """The object of C that a test has written, which may include headers of the folder."""
    made = (folder / source.name).with_suffix(".o")
    flags = ["-std=c99", "-O1", "-w", "-fno-builtin", f"-I{folder}"]
    zig("cc", *TARGET, *flags, "-c", source, "-o", made, folder=folder)
    return made


def compile_text(source: Path, text: str) -> Path:
    """The object of C that a test makes up."""
    source.write_text(text, "utf-8")
    return compile_plainly(source, source.parent)


def build(files: Mapping[str, bytes], folder: Path, guest: Path) -> Path:
    """The core module of generated files, a guest that uses them, and what stands in for a C library."""
    for name, content in files.items():
        (folder / name).write_bytes(content)
    generated = [compile_strictly(folder / name) for name in files if name.endswith(".c")]
    return link(
        [*generated, compile_plainly(guest, folder), compile_plainly(LIBRARY, folder)], folder / "made.wasm"
    )


def check_header_as_cpp(header: Path) -> None:
    """Compile a header as C++; a warning ends the test."""
    source = header.with_suffix(".cc")
    source.write_text(f'#include "{header.name}"\n', "utf-8")
    made = header.with_suffix(".cc.o")
    zig("c++", *TARGET, "-std=c++17", *STRICT, "-c", source, "-o", made, folder=header.parent)


def link(objects: Sequence[Path], made: Path) -> Path:
    """The core module of some objects."""
    zig("wasm-ld", "--no-entry", *objects, "-o", made, folder=made.parent)
    return made


def componentize(module: Path) -> Path:
    """The component that a core module says it is, which wasm-tools has found valid."""
    made = module.with_suffix(".component.wasm")
    made.write_bytes(wasm_tools("component", "new", "--skip-validation", module))
    wasm_tools("validate", "--features", "all", made)
    return made
