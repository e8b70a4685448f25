"""Files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

TEMPORARY_SUFFIX = ".tmp"
"""How the name of a file that is not whole yet ends."""


def write_whole(path: Path, data: bytes) -> None:
    """Make or replace a file so that whoever opens it finds the old contents or all of the new ones.

    A new file gets the permissions that any new file of the user gets, a replaced one keeps its own; a
    symbolic link stays and what it points to is replaced. What is no regular file (a device, a pipe) is
    written to in place.

    Raises: OSError; the file is then as it was, and nothing is left beside it.
    """
    target = path.resolve()
    try:
        mode = target.stat().st_mode
    except FileNotFoundError:
        permissions = 0o666 & ~_umask()
    else:
        if not stat.S_ISREG(mode):
            target.write_bytes(data)
            return
        permissions = stat.S_IMODE(mode)
    replace_privately(target, data, permissions)


def replace_privately(target: Path, data: bytes, permissions: int = 0o600) -> None:
    """Make or replace a regular file as `write_whole` does, with just these permissions.

    Raises: OSError; the file is then as it was, and nothing is left beside it.
    """
    import tempfile  # slow to import, and a run that only reads has no use for it

    handle, temporary = tempfile.mkstemp(
        prefix=f".{target.name}.", suffix=TEMPORARY_SUFFIX, dir=target.parent
    )
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(temporary).chmod(permissions)
        Path(temporary).replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        raise


def _umask() -> int:
    # The system has no call that only reads it.
    current = os.umask(0o077)
    os.umask(current)
    return current
