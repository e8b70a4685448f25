"""The fleet of the demo: VMs in one virtual VPC that find each other."""

from __future__ import annotations

import asyncio
import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from ingen_runtime.engine import wat_to_wasm
from ingen_sdkgen import toolchains
from ingen_sdkgen.cli import main
from ingen_sdkgen.toolchains import MissingTool
from tests.conftest import ROOT, absent

FLEET = ROOT / "examples" / "fleet"


@pytest.fixture(scope="module")
def built() -> None:
    """The guests, compiled."""
    try:
        toolchains.zig()
        toolchains.rust_compiler("wasm32-wasip2")
        toolchains.cargo()
        toolchains.componentize_py()
    except MissingTool as missing:
        absent(str(missing))
    assert main(["build", "--quiet", "--project", str(FLEET)]) == 0


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    monkeypatch.syspath_prepend(FLEET)
    yield importlib.import_module("host")
    sys.modules.pop("host")


def build_all(folder: Path, text: str) -> None:
    """The same guest for each language."""
    for language in ("rust", "c", "python"):
        (folder / f"{language}.wasm").write_bytes(wat_to_wasm(text))


def test_members_that_fail_are_outcomes(
    host: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(host, "BUILD", tmp_path)
    assert host.main() == 1
    assert "rust.wasm is missing: run `ingen-sdkgen build` first" in capsys.readouterr().err
    build_all(tmp_path, '(module (memory (export "memory") 1) (func (export "_start") unreachable))')
    assert host.main() == 1
    assert capsys.readouterr().out.count("failed: unreachable") == 3
    outcome = host.Outcome("c", "echo", "", False, "[/bold] is no markup")
    host.Console(width=100).print(host.table_of([outcome]))
    assert "failed: [/bold] is no markup" in capsys.readouterr().out


@pytest.mark.usefixtures("built")
def test_members_find_each_other(host: ModuleType) -> None:
    said: list[str] = []
    outcomes = asyncio.run(host.run_fleet(said.append))
    assert [each for each in outcomes if not each.fine] == []
    assert len("".join(said).splitlines()) == len(host.LANGUAGES)
    seen = {(each.member, each.check, each.target): each.seen for each in outcomes}
    members = set(host.LANGUAGES)
    for member in members:
        number = host.LANGUAGES.index(member)
        assert seen[member, "who am I", member].startswith(f"10.1.0.1{number}, member in ")
        for peer in members - {member}:
            assert seen[member, "name", peer] == f"10.1.0.1{host.LANGUAGES.index(peer)}"
            assert seen[member, "ping", peer].endswith(" us, TTL 64")
        assert seen[member, "nobody", host.MISSING] == "unreachable"
        peer = host.LANGUAGES[(number + 1) % len(members)]
        length = len(f"{member} greets {peer}. ") * 100
        options = "no-delay true, keep-alive true, TTL 32"
        assert seen[member, "echo", peer] == f"{length} bytes, {options}"
        assert seen[member, "exit status", ""] == "0"
