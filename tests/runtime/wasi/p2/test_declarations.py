"""What programs import is what is declared here: the same functions of the same types."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ingen_runtime.component.names import compatible_track
from ingen_sdkgen.model_json import to_json
from ingen_sdkgen.reading import read
from tests.conftest import ROOT
from tests.runtime.wasi.p2.programs import compile_cargo, compile_python, compile_rust

Interfaces = dict[str, dict[str, Any]]
"""By name without the patch version: functions and types by name, with what they are made of."""


def interfaces(path: Path) -> Interfaces:
    """The interfaces of WASI in a folder or a component."""
    json: Any = to_json(read(path, all_features=True))
    types = json["types"]

    def spelled(type_: Any) -> Any:
        """A type with numbers replaced by names, or by what the numbers stand for."""
        match type_:
            case int():
                found = types[type_]
                return found["name"] or spelled(found["kind"])
            case dict():
                return {
                    key: spelled(value) for key, value in type_.items() if key not in ("docs", "stability")
                }
            case list():
                return [spelled(item) for item in type_]
            case _:
                return type_

    found: Interfaces = {}
    for interface in json["interfaces"]:
        package, _, version = json["packages"][interface["package"]]["name"].partition("@")
        name = compatible_track(f"{package}/{interface['name']}@{version}")
        if name is None or not name.startswith("wasi:"):
            continue
        described = found[name] = {}
        for function in interface["functions"].values():
            described[function["name"]] = (spelled(function["params"]), spelled(function.get("result")))
        for type_name, number in interface["types"].items():
            kind = types[number]["kind"]
            is_use = isinstance(kind, dict) and isinstance(kind.get("type"), int)
            described[type_name] = "an alias" if is_use else spelled(kind)
    return found


@pytest.fixture(scope="module")
def declared() -> Interfaces:
    return interfaces(ROOT / "wit")


@pytest.mark.parametrize(
    "build",
    [
        pytest.param(lambda folder: compile_rust("standard", folder), id="std"),
        pytest.param(lambda folder: compile_rust("sockets", folder), id="std::net"),
        pytest.param(lambda folder: compile_cargo("echo"), id="tokio", marks=pytest.mark.slow),
        pytest.param(lambda folder: compile_python("program"), id="Python", marks=pytest.mark.slow),
    ],
)
def test_what_programs_import_is_declared(
    declared: Interfaces, tmp_path: Path, build: Callable[[Path], Path]
) -> None:
    imported = interfaces(build(tmp_path))
    assert len(imported) > 15
    assert sum(map(len, imported.values())) > 60
    for name, items in imported.items():
        assert {item: declared[name].get(item) for item in items} == items
