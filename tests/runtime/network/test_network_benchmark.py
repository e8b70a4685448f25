"""The benchmark runs; what it measures is for people to read, on a quiet machine."""

from __future__ import annotations

import pytest

from benchmarks import network


@pytest.mark.parametrize("part", ["virtual", "host", "netns"])
def test_backends(part: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert network.main(["--quick", "--only", part]) == 0
    title, line = capsys.readouterr().out.splitlines()
    assert "MB/s" in title and line.startswith(part)
    if "needs root" not in line:
        assert float(line.split()[1].replace(",", "")) > 0


def test_many_vms(capsys: pytest.CaptureFixture[str]) -> None:
    assert network.main(["--quick", "--only", "vms"]) == 0
    assert "100 VMs" in capsys.readouterr().out
