"""Removing folders that guests have filled."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from pathlib import Path


def remove_tree(folder: Path) -> None:
    """Remove a folder and all that is in it, however deep; what cannot be removed stays.

    Nobody may use it meanwhile.
    """
    # A guest can nest folders deeper than Python recurses, and than paths can be long. So each folder that is
    # found is moved to the top before it is looked into.
    try:
        top = Path(tempfile.mkdtemp(dir=folder))
    except OSError:
        return
    waiting = [folder]
    moved = 0
    while waiting:
        here = waiting.pop()
        with suppress(OSError):
            for path in list(here.iterdir()):
                with suppress(OSError):
                    if path.is_symlink() or not path.is_dir():
                        path.unlink()
                    elif path != top:
                        moved += 1
                        waiting.append(path.rename(top / str(moved)))
            if here != folder:
                here.rmdir()
    for emptied in (top, folder):
        with suppress(OSError):
            emptied.rmdir()
