"""Three VMs in one virtual VPC, a guest process in each: in Rust, in C and in Python.

    ingen-sdkgen build
    python host.py

The guests say who they are, look for each other and for an address that nobody has, exchange data over TCP,
and report to this host what they have seen.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from ipaddress import ip_interface
from pathlib import Path

from fleet_host import Imports, Member
from fleet_host.report import ReportImports
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ingen_emulator.vm import Place, Vm
from ingen_runtime import Component, Ok
from ingen_runtime.bindings import Err
from ingen_runtime.errors import IngenError
from ingen_runtime.kernel.memory_streams import CallbackOutput
from ingen_runtime.network.virtual import VirtualVpc

BUILD = Path(__file__).parent / "build"
PORT = "7000"
MISSING = "10.1.0.99"
PLACES = {
    "rust": Place(region="north", data_center="north-1", owner="demo"),
    "c": Place(region="south", data_center="south-1", owner="demo"),
    "python": Place(region="east", data_center="east-1", owner="demo"),
}
LANGUAGES = tuple(PLACES)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a member has reported: what it has seen, or why a check has failed."""

    member: str
    check: str
    target: str
    fine: bool
    seen: str


class Report(ReportImports):
    """Where one member reports to."""

    def __init__(self, member: str, outcomes: list[Outcome]) -> None:
        self._member = member
        self._outcomes = outcomes

    def outcome(self, check: str, target: str, seen: Ok[str] | Err[str]) -> None:
        """Keep an outcome."""
        self._outcomes.append(Outcome(self._member, check, target, isinstance(seen, Ok), seen.value))


class Host(Imports):
    """What a member imports beside the SDK."""

    def __init__(self, report: Report) -> None:
        self.report = report


async def run_fleet(say: Callable[[str], object]) -> list[Outcome]:
    """Run the fleet to its end; returns what its members have reported.

    `say` gets what they print. A member that fails is an outcome, too.

    Raises: OSError where the guests are not built.
    """
    programs = {language: Component.from_file(BUILD / f"{language}.wasm") for language in LANGUAGES}
    vpc = VirtualVpc("fleet")
    outcomes: list[Outcome] = []
    async with asyncio.TaskGroup() as members:
        for number, language in enumerate(LANGUAGES):
            addresses = [ip_interface(f"10.1.0.1{number}/24"), ip_interface(f"fd00:1::1{number}/64")]
            network = vpc.attach(language, addresses)
            vm = Vm(language, network, role="member", place=PLACES[language])
            peers = [*LANGUAGES[number + 1 :], *LANGUAGES[:number]]
            members.create_task(_run_member(vm, programs[language], peers, outcomes, say))
    return outcomes


async def _run_member(
    vm: Vm, program: Component, peers: list[str], outcomes: list[Outcome], say: Callable[[str], object]
) -> None:
    def print_output(data: bytes) -> None:
        say(data.decode(errors="replace"))

    try:
        async with vm:
            status = await vm.run(
                program,
                ["member", PORT, MISSING, *peers],
                imports=Member.imports(Host(Report(vm.name, outcomes))),
                stdout=CallbackOutput(print_output),
                stderr=CallbackOutput(print_output),
                timeout_s=60,
            )
    except TimeoutError:
        outcomes.append(Outcome(vm.name, "end", "", False, "it did not come"))
    except IngenError as error:
        outcomes.append(Outcome(vm.name, "end", "", False, str(error)))
    else:
        outcomes.append(Outcome(vm.name, "exit status", "", status == 0, str(status)))


def table_of(outcomes: list[Outcome]) -> Table:
    """The outcomes, member by member."""
    table = Table("VM", "check", "target", "outcome", title="What the guests have seen")
    for outcome in sorted(outcomes, key=lambda each: each.member):
        style = "" if outcome.fine else "red"
        seen = outcome.seen if outcome.fine else f"failed: {outcome.seen}"
        # As text: a guest may report what looks like markup.
        table.add_row(outcome.member, outcome.check, outcome.target, Text(seen, style))
    return table


def main() -> int:
    """Run the fleet and show what it has seen; returns the exit status."""
    try:
        outcomes = asyncio.run(run_fleet(partial(print, end="")))
    except FileNotFoundError as error:
        print(f"{error.filename} is missing: run `ingen-sdkgen build` first", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    Console().print(table_of(outcomes))
    return 0 if all(outcome.fine for outcome in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
