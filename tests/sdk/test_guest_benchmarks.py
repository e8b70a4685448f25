"""The benchmark of guests runs, and of a thousand VMs none loses a reply."""

from __future__ import annotations

import pytest

from benchmarks import fleet, guest_network


def test_two_guests(capsys: pytest.CaptureFixture[str]) -> None:
    assert guest_network.main(["--quick", "--language", "c", "--place", "virtual"]) == 0
    title, *lines = capsys.readouterr().out.splitlines()
    assert title == "c, virtual"
    assert [line.split()[0] for line in lines] == ["bulk", "round", "ping"]


@pytest.mark.slow
def test_a_thousand_vms(capsys: pytest.CaptureFixture[str]) -> None:
    assert fleet.main([]) == 0
    assert capsys.readouterr().out.startswith("1,000 VMs, 10,000 pings, 0 unanswered\n")
