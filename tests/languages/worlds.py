"""The worlds of the conformance data, and what wasm-tools says of their core modules."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from ingen_sdkgen.languages.errors import CodegenError
from ingen_sdkgen.languages.features import ASYNCHRONY, check_features
from ingen_sdkgen.model import Resolve, WorldId
from ingen_sdkgen.resolve import load
from tests.sdkgen.oracle import ACCEPT, wasm_tools

WIT = Path(__file__).parent / "wit"


@dataclass(frozen=True, slots=True)
class WorldCase:
    """A world of an accepted input."""

    input: Path
    resolve: Resolve
    world: WorldId
    asynchronous: bool
    """Whether it needs what synchronous guests lack."""

    @property
    def id(self) -> str:
        """What test reports call it."""
        folder = self.input.parent.name
        return f"{folder}-{self.full_name}"

    @property
    def full_name(self) -> str:
        """`namespace:package/world@version`."""
        content = self.resolve.worlds[self.world]
        return self.resolve.packages[content.package].name.interface_id(content.name)


def conformance_worlds() -> list[WorldCase]:
    """Every world of the accepted inputs, those of dependencies included; none where the data is absent."""
    folders = sorted(ACCEPT.iterdir()) if ACCEPT.is_dir() else []
    inputs = [folder / "wit" if (folder / "wit").is_dir() else folder / "input.wit" for folder in folders]
    return [case for wit in inputs for case in worlds_of(wit)]


def own_worlds() -> list[WorldCase]:
    """Every world of the WIT files beside the tests."""
    return [case for wit in sorted(WIT.glob("*.wit")) for case in worlds_of(wit)]


def worlds_of(wit: Path) -> list[WorldCase]:
    """Every world of an input."""
    resolve = load(wit, features=["active"]).resolve
    worlds = map(WorldId, range(len(resolve.worlds)))
    return [WorldCase(wit, resolve, world, _is_asynchronous(resolve, world)) for world in worlds]


def _is_asynchronous(resolve: Resolve, world: WorldId) -> bool:
    try:
        check_features(resolve, world, "test", ASYNCHRONY)
    except CodegenError:
        return True
    return False


@dataclass(frozen=True, slots=True)
class CoreNames:
    """The functions that a core module imports and exports, with their types in text form."""

    imports: dict[tuple[str, str], str]
    exports: dict[str, str]


_IMPORT = re.compile(r'^  \(import "([^"]*)" "([^"]*)" \(func \(;\d+;\) \(type \d+\)(.*)\)\)$', re.MULTILINE)
_EXPORT = re.compile(r'^  \(export "([^"]*)" \(func (\d+)\)\)$', re.MULTILINE)
_FUNCTION = re.compile(r"^  \(func \(;(\d+);\) \(type \d+\)((?: \([^()]*\))*)", re.MULTILINE)


def dummy_module(case: WorldCase) -> CoreNames:
    """What the placeholder module that wasm-tools makes for a world imports and exports."""
    text = wasm_tools(
        "component",
        "embed",
        "--features",
        "active",
        "-t",
        case.input,
        "-w",
        case.full_name,
        "--dummy-names",
        "legacy",
    ).decode()
    types = {number: type_.strip() for number, type_ in _FUNCTION.findall(text)}
    return CoreNames(
        {(module, name): type_.strip() for module, name, type_ in _IMPORT.findall(text)},
        {name: types[number] for name, number in _EXPORT.findall(text)},
    )
