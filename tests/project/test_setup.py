"""The way into the project: justw, the justfile, the README's commands and what CI runs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def shell(*command: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def test_ci_runs_the_test_command_of_the_readme() -> None:
    readme = (ROOT / "README.md").read_text()
    script = (ROOT / ".ci" / "run").read_text()
    assert "\n    ./justw test" in readme
    assert script.rstrip().splitlines()[-1] == "exec ./justw test"


def test_each_recipe_that_a_document_names_exists() -> None:
    listed = shell(
        "just", "--summary", folder=ROOT, PATH=f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    )
    assert listed.returncode == 0, listed.stderr
    recipes = set(listed.stdout.split())
    for name in ["README.md", "CONTRIBUTING.md"]:
        for recipe in re.findall(r"\./justw ([a-z]+)", (ROOT / name).read_text()):
            assert recipe in recipes, f"{name} names ./justw {recipe}"


def fake_python(folder: Path, log: Path) -> Path:
    """An interpreter that `justw` takes for real: `-m venv DIR` copies it there, `-m pip` makes a `just`."""
    path = folder / "python3"
    path.write_text(
        f"""#!/bin/sh
echo "$*" >>{log}
case "$1 $2" in
"-c "*) exit 0 ;;
"--version "*) echo "Python 3.99" ;;
"-m venv") mkdir -p "$4/bin"; cp "$0" "$4/bin/python"; rm -f "$4/.justw-stamp" ;;
"-m pip")
    [ -z "${{FAIL_PIP:-}}" ] || exit 7
    printf '#!/bin/sh\\necho "just: $*"; exit 3\\n' >"${{0%/*}}/just"; chmod +x "${{0%/*}}/just" ;;
esac
"""
    )
    path.chmod(0o755)
    return path


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "a checkout"
    folder.mkdir()
    for name in ["justw", "justfile", "pyproject.toml"]:
        shutil.copy(ROOT / name, folder)
    return folder


def test_justw_makes_the_environment_once(checkout: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    python = fake_python(tmp_path, log)
    first = shell(str(checkout / "justw"), "test", "-k", "two words", folder=tmp_path, PYTHON=str(python))
    assert first.returncode == 3, first.stderr
    assert first.stdout.strip().endswith("test -k two words")
    assert f"--working-directory {checkout}" in first.stdout
    assert "making .venv with Python 3.99" in first.stderr
    log.unlink()
    again = shell("./justw", "test", folder=checkout, PYTHON=str(python))
    assert (again.returncode, again.stderr) == (3, "")
    assert "pip" not in log.read_text()


def test_justw_installs_again_when_the_project_file_changed(checkout: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    python = fake_python(tmp_path, log)
    shell("./justw", folder=checkout, PYTHON=str(python))
    with (checkout / "pyproject.toml").open("a") as file:
        file.write("\n# changed\n")
    log.unlink()
    shell("./justw", folder=checkout, PYTHON=str(python))
    calls = log.read_text()
    assert "-m pip install" in calls and "-m venv" not in calls


def test_justw_rebuilds_a_half_made_environment(checkout: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    python = fake_python(tmp_path, log)
    stopped = shell("./justw", folder=checkout, PYTHON=str(python), FAIL_PIP="1")
    assert stopped.returncode == 7
    log.unlink()
    assert shell("./justw", folder=checkout, PYTHON=str(python)).returncode == 3
    assert "-m venv --clear" in log.read_text()


def test_justw_rebuilds_the_environment_of_a_moved_checkout(checkout: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    python = fake_python(tmp_path, log)
    shell("./justw", folder=checkout, PYTHON=str(python))
    log.unlink()
    moved = checkout.rename(tmp_path / "moved")
    assert shell("./justw", folder=moved, PYTHON=str(python)).returncode == 3
    assert "-m venv --clear" in log.read_text()


def test_justw_refuses_a_python_that_does_not_do(checkout: Path, tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    result = shell("./justw", folder=checkout, PYTHON=str(old))
    assert result.returncode == 1
    assert f"PYTHON={old} is not a Python 3.11 or newer" in result.stderr
    assert not (checkout / ".venv").exists()


def test_justw_passes_over_launchers_that_do_not_work(checkout: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    shims = tmp_path / "shims"
    shims.mkdir()
    (shims / "python3").write_text("#!/bin/sh\necho 'no such version' >&2; exit 127\n")
    (shims / "python3").chmod(0o755)
    fake_python(tmp_path, log).rename(shims / "python3.14")
    result = shell("./justw", folder=checkout, PYTHON="", PATH=f"{shims}:{os.environ['PATH']}")
    assert "(python3.14)" in result.stderr
