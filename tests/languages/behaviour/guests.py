"""The guests that do the same in every language, and the typed Python host that drives them."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from ingen_runtime.canonical.names import class_name
from ingen_runtime.component.component import Component
from ingen_sdkgen import building
from ingen_sdkgen.languages import c, python_host, rust
from ingen_sdkgen.languages.planning import find_world
from ingen_sdkgen.model import Resolve, WorldId
from ingen_sdkgen.render import Templates
from ingen_sdkgen.resolve import load
from tests.languages.c.toolchain import build as compile_c
from tests.languages.python_guest.toolchain import compile_python
from tests.languages.rust.toolchain import bindings
from tests.languages.rust.toolchain import build as compile_rust
from tests.languages.worlds import WIT
from tests.sdkgen.oracle import wasm_tools

HERE = Path(__file__).parent
LANGUAGES = ("c", "rust", "python")
RUNNERS = ("module", "component", "wasmtime")
"""Our runtime with what a compiler makes, with the component that it becomes, and wasmtime with that."""

_templates = Templates()


@dataclass(frozen=True, slots=True)
class Sample:
    """A world that every language has a guest for: `LANGUAGE/NAME`."""

    name: str
    file: str
    world: str
    wasmtime: bool = True
    """Whether wasmtime's Python knows all that the world has."""
    languages: tuple[str, ...] = LANGUAGES
    """Those that can have all that the world has."""


SAMPLES = {
    sample.name: sample
    for sample in (
        Sample("values", "values.wit", "through"),
        Sample("newer", "values.wit", "newly-through", wasmtime=False, languages=("c", "rust")),
        Sample("things", "things.wit", "both"),
        Sample("lent", "things.wit", "handed"),
        Sample("sink", "sink.wit", "sink"),
        Sample("accessors", "accessors.wit", "w", wasmtime=False, languages=("c", "rust")),
    )
}


class Guests:
    """Guests, compiled when they are first asked for, and the bindings for them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._modules: dict[tuple[str, str], Path] = {}
        self._components: dict[tuple[str, str], bytes] = {}
        self._compiled: dict[tuple[str, bytes], Component] = {}

    def load(self, language: str, name: str, runner: str, imports: object) -> Any:
        """A guest in its typed host."""
        package = self.package(name)
        world_class = getattr(package, class_name(SAMPLES[name].world))
        if runner == "wasmtime":
            # It makes an engine, which has to come after pytest's handlers of signals, and so after conftest.
            from tests.runtime.their_instance import TheirInstance

            given = package._ingen_imports(imports)
            return world_class(TheirInstance(self.component(language, name), package._INGEN_CLASSES, given))
        made = self.module(language, name).read_bytes()
        wasm = made if runner == "module" else self.component(language, name)
        if (name, wasm) not in self._compiled:
            self._compiled[name, wasm] = world_class.component(wasm)
        return world_class.load(self._compiled[name, wasm], imports)

    def module(self, language: str, name: str) -> Path:
        """What a compiler makes of a guest; ends a test whose world the language cannot have."""
        if language not in SAMPLES[name].languages:
            pytest.skip(f"guests in {language} cannot have all of the world `{SAMPLES[name].world}`")
        if (language, name) not in self._modules:
            folder = self._folder / f"{language}-{name}"
            folder.mkdir()
            self._modules[language, name] = _BUILDERS[language](name, folder)
        return self._modules[language, name]

    def component(self, language: str, name: str) -> bytes:
        """The component of a guest, which wasm-tools has found valid."""
        if (language, name) not in self._components:
            made = self.module(language, name).read_bytes()
            if language != "python":  # its compiler makes components
                made = building.componentize(made, f"{language}-{name}")
            wasm_tools("validate", "--features", "all", "-", stdin=made)
            self._components[language, name] = made
        return self._components[language, name]

    def package(self, name: str) -> ModuleType:
        """The generated package of a world's host."""
        package = f"behaviour_{name}"
        folder = self._packages / package
        if not folder.is_dir():
            folder.mkdir()
            resolve, world = _world(SAMPLES[name])
            files = python_host.generate(resolve, world, python_host.Options(), _templates)
            for file, content in files.items():
                (folder / file).write_bytes(content)
            importlib.invalidate_caches()
        return importlib.import_module(package)

    @cached_property
    def _packages(self) -> Path:
        folder = self._folder / "packages"
        folder.mkdir()
        sys.path.insert(0, str(folder))
        return folder


def _world(sample: Sample) -> tuple[Resolve, WorldId]:
    resolve = load(WIT / sample.file).resolve
    world = find_world(resolve, sample.world)
    assert world is not None
    return resolve, world


def build_c(name: str, folder: Path) -> Path:
    """A guest in C."""
    sample = SAMPLES[name]
    files = c.generate(*_world(sample), c.Options("world"), _templates)
    return compile_c(files, folder, HERE / "c" / f"{sample.name}.c")


def build_rust(name: str, folder: Path, target: str = "wasm32-unknown-unknown") -> Path:
    """A guest in Rust, for one of its targets."""
    sample = SAMPLES[name]
    files = bindings(*_world(sample), rust.Options(file="world"))
    within = "generated/" if sample.name == "lent" else ""  # where that guest has its bindings
    sources = [HERE / "rust" / f"{sample.name}.rs", HERE / "rust" / "allocator.rs"]
    made = {f"{within}{name}": text for name, text in files.items()}
    return compile_rust(sources, made, target, folder)


def build_python(name: str, folder: Path) -> Path:
    """A guest in Python."""
    sample = SAMPLES[name]
    return compile_python(*_world(sample), [HERE / "python" / f"{sample.name}.py"], folder)


_BUILDERS: dict[str, Callable[[str, Path], Path]] = {
    "c": build_c,
    "rust": build_rust,
    "python": build_python,
}
