"""Compiling guests: which tool makes WebAssembly of which language, and how.

Whether something must be compiled again is left to the tools that know what their input includes: zig and
cargo, which take a tenth of a second where nothing has changed. componentize-py does not look.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ingen_sdkgen import toolchains
from ingen_sdkgen.building.python import build_python, world_of
from ingen_sdkgen.building.running import BuildFailure, run
from ingen_sdkgen.project import Project, Target
from ingen_sdkgen.project.applying import write

__all__ = ["BuildFailure", "Guest", "build", "componentize"]

C_TARGET = "wasm32-wasi"
RUST_TARGET = "wasm32-unknown-unknown"


@dataclass(frozen=True, slots=True)
class Guest:
    """A guest of a project, with the files that were generated for it: paths from the project's root."""

    project: Project
    target: Target
    generated: tuple[str, ...]

    @property
    def name(self) -> str:
        """The plain name of its world."""
        world = self.target.world
        if world is None and self.target.language.name == "python":
            world = world_of(self.target.out)
        if world is not None:
            return world.rpartition("/")[2].partition("@")[0]
        return PurePosixPath(min(self.generated)).stem.replace("_", "-")

    @property
    def output(self) -> Path:
        """Where the WebAssembly goes."""
        return self.target.build.output or self.project.root / "build" / f"{self.name}.wasm"


def build(guest: Guest) -> bool:
    """Compile a guest; false where the result is what was there before.

    Raises: MissingTool, BuildFailure, UnwritableOutput
    """
    match guest.target.language.name:
        case "c":
            wasm = _build_c(guest)
        case "rust":
            wasm = _build_rust(guest)
        case "python":
            made = build_python(guest)
            if made is None:
                return False
            wasm = made
        case other:
            raise BuildFailure(f"ingen-sdkgen does not know how to compile {other}: its templates add it")
    # Some compilers make a component themselves, such as Rust's for wasm32-wasip2.
    if guest.target.build.component and not _is_component(wasm):
        wasm = componentize(wasm, guest.name)
    try:
        if guest.output.read_bytes() == wasm:
            return False
    except OSError:
        pass
    write(guest.output, wasm)
    return True


def componentize(module: bytes, name: str, adapters: Sequence[str] = ()) -> bytes:
    """The component that a core module with a `component-type` section makes; messages call it `name`.

    `adapters` are modules that provide other imports, as wasm-tools takes them: `FILE` or `NAME=FILE`.

    Raises: MissingTool, BuildFailure
    """
    if _is_component(module):
        raise BuildFailure(f"{name} is a component already")
    options = [part for adapter in adapters for part in ("--adapt", adapter)]
    with tempfile.TemporaryDirectory(prefix="ingen-") as folder:
        source, made = Path(folder, "module.wasm"), Path(folder, "component.wasm")
        source.write_bytes(module)
        command = [str(toolchains.wasm_tools()), "component", "new", str(source), "-o", str(made), *options]
        failure = f"wasm-tools cannot make a component of {name}"
        run(failure, command, Path(), lambda printed: printed.replace(str(source), name))
        return made.read_bytes()


def _is_component(wasm: bytes) -> bool:
    """Whether the bytes begin as a component does, and not as a core module."""
    return wasm[4:8] == b"\x0d\0\x01\0"


# --- C --------------------------------------------------------------------------------------------------


def _build_c(guest: Guest) -> bytes:
    root, settings = guest.project.root, guest.target.build
    sources = [path for pattern in settings.sources or ("src/*.c",) for path in sorted(root.glob(pattern))]
    own = [root / path for path in guest.generated if path.endswith(".c")]
    sources = [path for path in sources if path.resolve() not in {known.resolve() for known in own}]
    if not sources:
        patterns = ", ".join(settings.sources or ("src/*.c",))
        raise BuildFailure(f"no C source of yours to compile: nothing in {root} matches {patterns}")
    with tempfile.TemporaryDirectory(prefix="ingen-") as folder:
        made = Path(folder, "guest.wasm")
        command = [
            *toolchains.zig(),
            "cc",
            f"--target={settings.target or C_TARGET}",
            "-mexec-model=reactor",
            "-Os",
            "-s",
            f"-I{_from(root, guest.target.out)}",
            *settings.flags,
            *(_from(root, path) for path in [*sources, *own]),
            "-o",
            str(made),
        ]
        run(f"the C compiler rejects {guest.name}", command, root)
        return made.read_bytes()


def _from(root: Path, path: Path) -> str:
    """A path as a tool that runs in the root takes it: a relative one keeps this place out of the result."""
    return Path(os.path.relpath(path, root)).as_posix()


# --- Rust -----------------------------------------------------------------------------------------------


def _build_rust(guest: Guest) -> bytes:
    target = guest.target.build.target or RUST_TARGET
    manifest = _manifest(guest)
    cargo, compiler = toolchains.cargo(), toolchains.rust_compiler(target)
    command = [
        str(cargo),
        "build",
        "--release",
        f"--target={target}",
        "--message-format=json-render-diagnostics",
        *guest.target.build.flags,
    ]
    output = run(f"cargo cannot build {guest.name}", command, manifest.parent, RUSTC=str(compiler))
    made = _artifacts(output, manifest)
    if len(made) != 1:
        found = f"{len(made)} WebAssembly modules" if made else "no WebAssembly module"
        raise BuildFailure(f'{manifest} makes {found}; its [lib] needs crate-type = ["cdylib"]')
    return made[0].read_bytes()


def _manifest(guest: Guest) -> Path:
    """The Cargo.toml of the crate that the bindings are in."""
    root = guest.project.root.resolve()
    folder = guest.target.out.resolve()
    for candidate in [folder, *folder.parents]:
        if (candidate / "Cargo.toml").is_file():
            return candidate / "Cargo.toml"
        if candidate == root:
            break
    raise BuildFailure(f"no Cargo.toml in {guest.target.out} or above it, up to the project's folder")


def _artifacts(messages: str, manifest: Path) -> list[Path]:
    """The WebAssembly that cargo says it made of a package."""
    found = []
    for line in messages.splitlines():
        message = json.loads(line)
        if message.get("reason") == "compiler-artifact" and Path(message["manifest_path"]) == manifest:
            found += [Path(name) for name in message["filenames"] if name.endswith(".wasm")]
    return found
