"""Show what works: run the command line tool on the examples, as the README does."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = Path(sys.executable).with_name("ingen-sdkgen")

STEPS = [
    ("A WIT file with mistakes: all of them in one run.", "wit examples/mistakes/names.wit"),
    ("The same for an editor or a build.", "wit examples/mistakes/syntax.wit --error-format github"),
    ("A package without mistakes, in canonical form, with what it uses.", "wit examples/greeter"),
    ("Its IR as JSON, the form of `wasm-tools component wit --json`.", "wit examples/greeter --json"),
]
_MAX_LINES = 40


def main() -> None:
    """Run the steps, each with its command line and at most 40 lines of its output."""
    for title, arguments in STEPS:
        print(f"\n# {title}\n$ ingen-sdkgen {arguments}", flush=True)
        result = subprocess.run(
            [str(PROGRAM), *shlex.split(arguments)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            check=False,
        )
        lines = result.stdout.splitlines()
        print("\n".join(lines[:_MAX_LINES]))
        if len(lines) > _MAX_LINES:
            print(f"... and {len(lines) - _MAX_LINES} more lines")
        if result.returncode not in (0, 1):
            sys.exit(f"exit status {result.returncode}")


if __name__ == "__main__":
    main()
