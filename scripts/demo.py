"""The main job on real input: a guest in each language, and VMs that run them and find each other.

Everything is generated, compiled and run anew where something has changed; nothing needs privileges.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

FLEET = Path(__file__).resolve().parent.parent / "examples" / "fleet"
PROGRAMS = Path(sys.executable).parent

STEPS = [
    ("Generate the bindings and compile the guests.", [str(PROGRAMS / "ingen-sdkgen"), "build"]),
    ("Run each in a VM of its own, all in one virtual VPC.", [sys.executable, "host.py"]),
]


def main() -> int:
    """Run the steps, each with its command line; returns the exit status of the first that fails."""
    for title, command in STEPS:
        program, *arguments = command
        print(f"\n# {title}\n$ {' '.join([Path(program).name, *arguments])}", flush=True)
        try:
            status = subprocess.run([program, *arguments], cwd=FLEET, check=False).returncode
        except KeyboardInterrupt:
            return 130
        if status != 0:
            return status
    return 0


if __name__ == "__main__":
    sys.exit(main())
