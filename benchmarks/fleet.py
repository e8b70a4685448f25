"""Many VMs in one virtual VPC, each with a guest process in C that pings ten others.

    python -m benchmarks.fleet [--vms 1000] [--pings 10]

Prints the time that setting the VMs up and running their guests took, how often a ping went unanswered, and
the memory for each VM while all guests are there.
"""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Interface
from pathlib import Path

from benchmarks.startup import resident_bytes
from ingen_emulator.vm import Vm
from ingen_runtime import Component
from ingen_runtime.kernel.memory_streams import Pipe
from ingen_runtime.network.virtual import VirtualVpc

ROOT = Path(__file__).resolve().parent.parent
FIRST = IPv4Address("10.0.0.10")
PREFIX = 16


def compile_guest(folder: Path) -> Component:
    """The guest that pings, a core module for preview 1 of WASI."""
    made = folder / "pinger.wasm"
    sdk = ROOT / "sdk" / "c"
    compiler = [sys.executable, "-m", "ziglang", "cc", "--target=wasm32-wasi", "-Os", "-s", f"-I{sdk}"]
    sources = [ROOT / "benchmarks" / "guests" / "pinger.c", *sorted(sdk.glob("*.c"))]
    subprocess.run([*compiler, *sources, "-o", made], check=True)
    return Component.from_file(made)


async def measure(program: Component, vms: int, pings: int) -> int:
    """Set up, run and print; returns how many pings went unanswered."""
    vpc = VirtualVpc("fleet")
    before = resident_bytes()
    started = time.perf_counter()
    fleet = [
        Vm(f"vm-{number}", vpc.attach(f"vm-{number}", [IPv4Interface((FIRST + number, PREFIX))]))
        for number in range(vms)
    ]
    made = time.perf_counter()
    targets = [
        [str(FIRST + (number + step * vms // pings + 1) % vms) for step in range(pings)]
        for number in range(vms)
    ]
    gates = [Pipe() for _ in fleet]
    guests = [
        asyncio.ensure_future(vm.run(program, ["pinger", *peers], stdin=gate.reader))
        for vm, peers, gate in zip(fleet, targets, gates, strict=True)
    ]
    # Each guest starts in a task of its own, and waits at its gate when the task has had its turns.
    while not all(gate.readable.watched for gate in gates):
        await asyncio.sleep(0)
    waiting = time.perf_counter()
    memory = resident_bytes() - before
    for gate in gates:
        gate.writer.close()
    statuses = await asyncio.gather(*guests)
    done = time.perf_counter()
    await asyncio.gather(*(vm.aclose() for vm in fleet))
    closed = time.perf_counter()
    print(f"{vms:,} VMs, {vms * pings:,} pings, {sum(statuses)} unanswered")
    print(f"set up       {made - started:7.2f} s  {1e3 * (made - started) / vms:7.2f} ms a VM")
    print(f"start        {waiting - made:7.2f} s  {1e3 * (waiting - made) / vms:7.2f} ms a VM")
    print(f"ping         {done - waiting:7.2f} s  {1e6 * (done - waiting) / vms / pings:7.2f} us a ping")
    print(f"take down    {closed - done:7.2f} s  {1e3 * (closed - done) / vms:7.2f} ms a VM")
    print(f"memory       {memory / vms / 1024:7.0f} KiB a VM, while all guests wait")
    return sum(statuses)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark; the exit status is 1 where a ping was not answered."""
    parser = argparse.ArgumentParser(description="Measure a fleet of VMs.")
    parser.add_argument("--vms", type=int, default=1000, help="how many VMs")
    parser.add_argument("--pings", type=int, default=10, help="how many others each pings")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        lost = asyncio.run(measure(compile_guest(Path(folder)), options.vms, options.pings))
    return 1 if lost else 0


if __name__ == "__main__":
    raise SystemExit(main())
