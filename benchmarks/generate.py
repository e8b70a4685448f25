"""Time generating bindings: whole runs beside componentize-py and jco.

    python -m benchmarks.generate [--runs N] [--without-jco]

Every figure is the wall time of a whole process, on an input of the size of WASI 0.2 http. jco comes from the
npm registry, into the folder `jco` in the user's cache of Ingen; it is left out where there is no npm.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import platformdirs

from benchmarks.contest import PROGRAMS, Contender, compete, ours
from benchmarks.wit_input import write_wasi_sized

_JCO = "1.34.0"
"""1.35.0 finds no input file."""

_TARGETS = [("gen-wasm", "c"), ("gen-wasm", "rust"), ("gen-wasm", "python"), ("gen-host", "python")]


def install_jco() -> Path | None:
    """The program jco, installed where it is not; None where that cannot be."""
    npm = shutil.which("npm")
    folder = Path(platformdirs.user_cache_dir("ingen", appauthor=False)) / "jco" / _JCO
    program = folder / "node_modules" / ".bin" / "jco"
    if program.exists():
        return program
    if npm is None:
        return None
    folder.mkdir(parents=True, exist_ok=True)
    print(f"installing jco {_JCO} to {folder}", file=sys.stderr)
    package = f"@bytecodealliance/jco@{_JCO}"
    command = [
        npm,
        "install",
        "--no-audit",
        "--no-fund",
        "--ignore-scripts",
        "--prefix",
        str(folder),
        package,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        print(f"npm cannot install jco: {done.stderr.strip()}", file=sys.stderr)
        return None
    return program


def contenders(scratch: Path, jco: Path | None) -> list[Contender]:
    """The tools, each with the command of its next run."""
    folder = scratch / "wasi-sized"
    world = write_wasi_sized(folder)
    fresh = iter(range(10**9))

    def folder_of_its_own() -> str:
        return str(scratch / f"fresh-{next(fresh)}")

    def generate(verb: str, language: str) -> list[str]:
        return ours(verb, str(folder), "--world", world, "--language", language)

    def cold(verb: str, language: str) -> Contender:
        def prepare() -> tuple[list[str], dict[str, str]]:
            command = [*generate(verb, language), "--out", folder_of_its_own()]
            return command, {"INGEN_CACHE_DIR": folder_of_its_own()}

        return Contender(f"{verb} {language}, cold: empty cache", prepare)

    def unchanged(verb: str, language: str) -> Contender:
        out, cache = str(scratch / f"{verb}-{language}"), str(scratch / "cache")
        command = [*generate(verb, language), "--out", out]
        return Contender(f"{verb} {language}, unchanged", lambda: (command, {"INGEN_CACHE_DIR": cache}), 2.5)

    binding = [str(PROGRAMS / "componentize-py"), "-d", str(folder), "-w", world, "bindings"]
    found = [
        Contender("python -c pass", lambda: ([sys.executable, "-c", "pass"], {})),
        Contender("componentize-py bindings", lambda: ([*binding, folder_of_its_own()], {})),
    ]
    if jco is not None:
        types = [str(jco), "types", str(folder), "--world-name", world, "--out-dir"]
        found.append(Contender("jco types", lambda: ([*types, folder_of_its_own()], {})))
    found += [cold(*target) for target in _TARGETS]
    return [*found, *(unchanged(*target) for target in _TARGETS)]


def main() -> None:
    """Compare the tools."""
    parser = argparse.ArgumentParser(description="Time generating bindings.")
    parser.add_argument("--runs", type=int, default=15, help="timed runs of each command (default: 15)")
    parser.add_argument("--without-jco", action="store_true", help="do not install and run jco")
    arguments = parser.parse_args()
    jco = None if arguments.without_jco else install_jco()
    with tempfile.TemporaryDirectory(prefix="ingen-bench-") as name:
        compete(contenders(Path(name), jco), arguments.runs, "componentize-py bindings")


if __name__ == "__main__":
    main()
