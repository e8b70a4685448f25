"""The benchmarks run; what they measure is for people to read, on a quiet machine."""

from __future__ import annotations

import pytest

from benchmarks import calls, startup, wasi
from ingen_sdkgen.toolchains import MissingTool
from tests.conftest import absent


@pytest.mark.parametrize("label", ["add(", "host", "string of", "f64}, there", "string, f64", "class"])
def test_calls(label: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert calls.main(["--quick", "--only", label]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 and label in lines[1]


@pytest.mark.parametrize("label", ["write, 64", "print"])
def test_wasi_of_components(label: str, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        assert wasi.main(["--preview", "2", "--quick", "--only", label]) == 0
    except MissingTool as missing:
        absent(str(missing))
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 and label in lines[1]
    assert float(lines[1].rpartition("x")[0].split()[-1].replace(",", "")) > 0


@pytest.mark.parametrize("part", ["instances", "waiting"])
def test_startup(part: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert startup.main(["--quick", "--only", part]) == 0
    assert "200 " in capsys.readouterr().out


@pytest.mark.parametrize("label", ["write, 64", "read, 64", "clock", "random", "fd_read", "filestat", "open"])
def test_wasi(label: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert wasi.main(["--quick", "--only", label]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 and label in lines[1]
