"""Making the files on disk what they should be."""

from __future__ import annotations

import contextlib
from pathlib import Path

from ingen_sdkgen.project import Project
from ingen_sdkgen.project.comparison import Comparison, State
from ingen_sdkgen.project.lock import lock_bytes
from ingen_sdkgen.writing import write_whole


def apply(project: Project, comparison: Comparison, *, force: bool = False) -> None:
    """Write what is missing or different, remove what is extra, then write the lock file.

    Each file is replaced as a whole. A run that is stopped leaves the old lock file, and the next one goes on
    from there. What somebody edited and nothing generates any more stays.

    Raises: UnwritableOutput; unless `force`, WitErrors where a file is in the way that is not ours: then
            nothing is written.
    """
    foreign = [finding for finding in comparison.findings if finding.state is State.FOREIGN]
    if foreign and not force:
        from ingen_sdkgen.project.out_of_date import in_the_way

        raise in_the_way(project, foreign)
    for finding in comparison.findings:
        path = project.root / finding.path
        if finding.after is not None:
            write(path, finding.after)
        elif finding.state is State.EXTRA:
            _remove(path, project.root)
    content = lock_bytes(comparison.lock)
    try:
        unchanged = project.lock.read_bytes() == content
    except OSError:
        unchanged = False
    if not unchanged:
        write(project.lock, content)


def write(path: Path, content: bytes) -> None:
    """Write a file as a whole, and make the folders that it needs.

    Raises: UnwritableOutput
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, content)
    except OSError as error:
        from ingen_sdkgen.failures import UnwritableOutput

        raise UnwritableOutput(path, error.strerror or str(error)) from error


def _remove(path: Path, root: Path) -> None:
    """Remove a file, and the folders that are empty without it."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        from ingen_sdkgen.failures import UnwritableOutput

        raise UnwritableOutput(path, error.strerror or str(error)) from error
    with contextlib.suppress(OSError):
        for folder in path.parents:
            if folder == root:
                break
            folder.rmdir()
