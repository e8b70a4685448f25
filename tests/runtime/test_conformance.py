"""The component model's own test scripts.

All commands of the scripts in `values`, `resources`, `linking`, `validation` and `binary` pass. Those in
`async` are counted; their number may not fall below the floor here.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from ingen_runtime.engine import Engine, EngineConfig
from tests.runtime.wast import Outcome, Script, ScriptUnreadable, convert

ASYNC_FLOOR = 310
"""How many commands of the async scripts pass at least."""

SCRIPTS = Path("component-model")
COMPLETE = ("values", "resources", "linking", "validation", "binary")
FOLDER = Path(__file__).resolve().parents[2].parent / "shared" / "conformance" / "component-model"


def scripts(folder: str) -> list[str]:
    """The scripts of a folder, none where the data is absent: then the fixture says so."""
    return sorted(f"{folder}/{path.name}" for path in (FOLDER / folder).glob("*.wast"))


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine(EngineConfig(parallel_compilation=False))


def run(engine: Engine, wasm_tools: Path, script: Path, folder: Path) -> Outcome:
    return Script(engine, folder).run(convert(wasm_tools, script, folder))


@pytest.mark.parametrize("name", [name for folder in COMPLETE for name in scripts(folder)] or [None])
def test_script(
    engine: Engine, conformance: Path, wasm_tools: Path, tmp_path: Path, name: str | None
) -> None:
    assert name is not None, f"no scripts in {conformance / SCRIPTS}"
    outcome = run(engine, wasm_tools, conformance / SCRIPTS / name, tmp_path)
    assert not outcome.failures, "\n".join(outcome.failures)
    assert outcome.passed


def test_async(engine: Engine, conformance: Path, wasm_tools: Path, tmp_path: Path) -> None:
    passed = failed = 0
    lines = []
    for script in sorted((conformance / SCRIPTS / "async").glob("*.wast")):
        folder = tmp_path / script.stem
        folder.mkdir()
        try:
            outcome = run(engine, wasm_tools, script, folder)
        except ScriptUnreadable as error:
            lines.append(f"{script.stem}: {error}")
            continue
        passed += outcome.passed
        failed += len(outcome.failures)
        lines.append(f"{script.stem}: {outcome.passed} passed, {len(outcome.failures)} failed")
    print(*lines, f"async: {passed} passed, {failed} failed", sep="\n")
    assert passed >= ASYNC_FLOOR, f"{passed} commands of the async scripts pass, the floor is {ASYNC_FLOOR}"
