"""Compiling guests in Python: componentize-py makes a component of Python itself and of the user's code.

That takes seconds however small the change is, so here it is us who see whether anything has changed: the
component ends in a section with a digest of what it was made of.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingen_sdkgen import toolchains
from ingen_sdkgen.building.destructors import with_destructors
from ingen_sdkgen.building.running import BuildFailure, run
from ingen_sdkgen.building.stubs import with_named_stubs
from ingen_sdkgen.cache import digest
from ingen_sdkgen.encode.scope import custom_section

if TYPE_CHECKING:
    from ingen_sdkgen.building import Guest

DEFAULT_SOURCE = "src/guest.py"
WITHOUT_WASI = "wasm32-unknown-unknown"
WITH_WASI = "wasm32-wasip2"

_APP = "ingen_app"
_APP_SOURCE = """\
import {module}
from {package}._ingen_guest import attach

globals().update(attach(alone={alone}))
"""
_LIBRARY_SOURCE = """\
import {package}._ingen_guest

{package}._ingen_guest.attach_library()
"""
_BUILD_FILE = "_ingen_build.json"
_WORLD_FILE = "_ingen_world.wit"


def build_python(guest: Guest) -> bytes | None:
    """The component of a guest; None where the one that is there was made of the same.

    Raises: MissingTool, BuildFailure
    """
    return _Build(guest).component()


def world_of(package: Path) -> str:
    """The full name of the world that a package was generated for."""
    world: str = _settings(package)["world"]
    return world


def _settings(package: Path) -> dict[str, Any]:
    settings: dict[str, Any] = json.loads((package / _BUILD_FILE).read_bytes())
    return settings


def _packages(folder: Path) -> dict[str, Path]:
    """The packages of bindings that a folder of libraries has, by their names."""
    found = sorted(path.parent for path in folder.rglob(_BUILD_FILE))
    return {".".join(package.relative_to(folder).parts): package for package in found}


class _Build:
    def __init__(self, guest: Guest) -> None:
        settings = guest.target.build
        sources = settings.sources or (DEFAULT_SOURCE,)
        if len(sources) != 1:
            raise BuildFailure(f"a Python guest has one module that all begins with, not {len(sources)}")
        self.guest = guest
        self.source = guest.project.root / sources[0]
        self.package = guest.target.out
        if not self.source.is_file():
            raise BuildFailure(f"no Python code of yours to build: there is no {self.source}")
        for what, name in (("a module", self.source.stem), ("a package", self.package.resolve().name)):
            if not name.isidentifier():
                raise BuildFailure(f"`{name}` cannot be the name of {what} in Python")
        self.worlds = [(self.package, _settings(self.package))]
        self.libraries: dict[str, Path] = {}
        for folder in settings.libraries:
            self.libraries |= _packages(folder)
        self.worlds += [(package, _settings(package)) for package in self.libraries.values()]
        self._check_worlds()
        imports_wasi = any(key.startswith("wasi:") for _, world in self.worlds for key in world["imported"])
        self.system = settings.target or (WITH_WASI if imports_wasi else WITHOUT_WASI)
        if self.system not in (WITHOUT_WASI, WITH_WASI):
            raise BuildFailure(f"Python guests are for {WITHOUT_WASI} or {WITH_WASI}, not for {self.system}")

    def _check_worlds(self) -> None:
        """Each interface has the classes of one package."""
        owners: dict[str, str] = {}
        for _, world in self.worlds:
            for key in world["imported"]:
                if key in owners:
                    raise BuildFailure(
                        f"both `{owners[key]}` and `{world['world']}` import `{key}`: a Python guest can "
                        "have it from one package of bindings only"
                    )
                owners[key] = world["world"]

    def component(self) -> bytes | None:
        program = str(toolchains.componentize_py())
        version = run("componentize-py does not start", [program, "--version"], Path())
        mark = custom_section("ingen-inputs", self._digest(version).encode())
        if _ends_with(self.guest.output, mark):
            return None
        with tempfile.TemporaryDirectory(prefix="ingen-") as folder:
            app = _APP_SOURCE.format(
                module=self.source.stem, package=self.package.resolve().name, alone=not self.libraries
            )
            app += "".join(_LIBRARY_SOURCE.format(package=package) for package in self.libraries)
            Path(folder, f"{_APP}.py").write_text(app, "utf-8")
            paths = [Path(folder), *self._folders()]
            made = Path(folder, "guest.wasm")
            run(
                f"componentize-py rejects {self.guest.name}",
                [program, *self._arguments(self._wit(Path(folder, "wit")), paths, made)],
                Path(),
                lambda printed: self._message(printed, paths),
                RUST_BACKTRACE="0",
            )
            component = made.read_bytes()
            told = self.worlds[0][1]["drop"]
            if told is not None:
                component = with_destructors(component, told)
            if self.system == WITHOUT_WASI:
                component = with_named_stubs(component)
            return component + mark

    def _folders(self) -> list[Path]:
        """The folders of the user's module, of the package and of libraries, each once."""
        folders = [self.source.parent, self.package.parent, *self.guest.target.build.libraries]
        return list({folder.resolve(): folder for folder in folders}.values())

    def _wit(self, folder: Path) -> Path:
        """The WIT of the component: a package with one world."""
        (package, _), *others = self.worlds
        if not others:
            return package / _WORLD_FILE
        # componentize-py takes several worlds, but ends with a panic where it makes a component of them.
        includes = "".join(f"include {world['world']}; " for _, world in self.worlds)
        for number, (package, _) in enumerate(self.worlds):
            within = folder / "deps" / str(number)
            within.mkdir(parents=True)
            shutil.copy(package / _WORLD_FILE, within / "world.wit")
        (folder / "all.wit").write_text(f"package ingen:all;\nworld all {{ {includes}}}\n", "utf-8")
        return folder

    def _arguments(self, wit: Path, paths: list[Path], made: Path) -> list[str]:
        arguments = ["-q", "-d", str(wit), "--all-features", "--world-module", "ingen_world"]
        for _, world in self.worlds:
            for side in ("import", "export"):
                for key, name in world[f"{side}ed"].items():
                    arguments += [f"--{side}-interface-name", f"{key}={name}"]
        arguments += ["componentize", _APP, "-o", str(made)]
        for path in paths:
            arguments += ["-p", str(path)]
        arguments += ["--stub-wasi"] * (self.system == WITHOUT_WASI)
        return [*arguments, *self.guest.target.build.flags]

    def _digest(self, version: str) -> str:
        """A digest of everything that the component is made of."""
        settings = [version, self.source.stem, self.system, *self.guest.target.build.flags]
        parts = [json.dumps(settings).encode()]
        # What is done to the component here is part of it, too.
        parts += [path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py"))]
        for folder in self._folders():
            for path in _files(folder, self.guest.output):
                parts += [path.relative_to(folder).as_posix().encode(), path.read_bytes()]
        return digest(parts)

    def _message(self, printed: str, paths: list[Path]) -> str:
        """What componentize-py says of the user's code, with the paths that it has here."""
        found = re.search(r"^AssertionError: (.*?)(\n\nCaused by:|\Z)", printed, re.DOTALL | re.MULTILINE)
        text = printed if found is None else found[1]
        for number, path in enumerate(paths):
            text = text.replace(f'File "/{number}/', f'File "{path.as_posix()}/')
        return text.rstrip()


def _files(folder: Path, output: Path) -> list[Path]:
    """The files that a module in a folder may be made of: neither hidden nor made from others."""
    found: list[Path] = []
    for at, folders, names in os.walk(folder):
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith((".", "__pycache__")) and not Path(at, name, "pyvenv.cfg").is_file()
        )
        found += [Path(at, name) for name in sorted(names) if not name.startswith(".")]
    return [path for path in found if path.resolve() != output.resolve()]


def _ends_with(path: Path, end: bytes) -> bool:
    try:
        with path.open("rb") as file:
            file.seek(-len(end), os.SEEK_END)
            return file.read() == end
    except OSError:
        return False
