"""The wheel: what is in it, and that the command line runs from it where nothing else of ours is."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = {
    "ingen_sdkgen": ROOT / "ingen_sdkgen",
    "ingen_sdkgen/templates": ROOT / "templates",
    "ingen_emulator": ROOT / "runtime" / "ingen_emulator",
    "ingen_runtime": ROOT / "runtime" / "ingen_runtime",
}


def run(*command: str | Path, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env={**environment, "INGEN_CACHE_DIR": str(folder / "cache")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    built = run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, folder=ROOT)
    assert built.returncode == 0, built.stderr
    (path,) = folder.glob("*.whl")
    return path


def test_the_wheel_holds_the_packages_and_nothing_else(wheel: Path) -> None:
    expected = {
        f"{package}/{path.relative_to(source).as_posix()}"
        for package, source in PACKAGES.items()
        for path in source.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert {name for name in names if ".dist-info/" not in name} == expected
    assert "ingen_sdkgen/wit/wit.lark" in names
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)


def test_the_command_line_runs_from_an_installed_wheel(wheel: Path, tmp_path: Path) -> None:
    made = run(sys.executable, "-m", "venv", "environment", folder=tmp_path)
    assert made.returncode == 0, made.stderr
    programs = tmp_path / "environment" / "bin"
    installed = run(
        programs / "python",
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        wheel,
        folder=tmp_path,
    )
    assert installed.returncode == 0, installed.stderr
    command = programs / "ingen-sdkgen"

    version = run(command, "--version", folder=tmp_path)
    assert re.fullmatch(r"ingen-sdkgen \d+\.\d+\.\d+\n", version.stdout)

    (tmp_path / "a.wit").write_text("package a:b; interface i { f: func(x: u8) -> string; }")
    printed = run(command, "wit", "a.wit", folder=tmp_path)
    assert printed.returncode == 0, printed.stderr
    assert "f: func(x: u8) -> string;" in printed.stdout

    encoded = run(command, "wit", "a.wit", "--wasm", "-o", "a.wasm", folder=tmp_path)
    assert encoded.returncode == 0, encoded.stderr
    decoded = run(command, "wit", "a.wasm", folder=tmp_path)
    assert (decoded.returncode, decoded.stdout) == (0, printed.stdout), decoded.stderr

    (tmp_path / "a.wit").write_text("package a:b; interface i { f: func(x: strin); }")
    refused = run(command, "wit", "a.wit", folder=tmp_path)
    assert refused.returncode == 1
    assert "a.wit:1:39" in refused.stderr
