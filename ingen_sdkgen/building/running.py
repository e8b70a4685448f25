"""Running the tools that compile guests."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from ingen_runtime.errors import IngenError


class BuildFailure(IngenError):
    """A guest could not be built. `output` is what the tool printed, empty where none has run."""

    def __init__(self, message: str, output: str = "") -> None:
        super().__init__(f"{message}\n{output.rstrip()}" if output.strip() else message)
        self.output = output


def run(
    failure: str,
    command: Sequence[str],
    folder: Path,
    message: Callable[[str], str] = str,
    **environment: str,
) -> str:
    """What a tool prints on standard output.

    Raises: BuildFailure, with the `message` that is in what it prints on standard error
    """
    try:
        result = subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
    except OSError as error:
        raise BuildFailure(f"{command[0]} does not start: {error.strerror or error}") from error
    if result.returncode != 0:
        raise BuildFailure(f"{failure} (exit status {result.returncode})", message(result.stderr))
    return result.stdout
