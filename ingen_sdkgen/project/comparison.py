"""What is on disk, set against what should be there."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from ingen_sdkgen import __version__
from ingen_sdkgen.languages.registry import Side
from ingen_sdkgen.project import LOCK_FILE, Project, Target
from ingen_sdkgen.project.generation import Generator, Produced
from ingen_sdkgen.project.lock import Entry, Lock, content_digest, read_lock


class State(enum.Enum):
    """How a file differs from what should be there."""

    STALE = "stale"
    MISSING = "missing"
    EXTRA = "extra"
    EDITED = "edited by hand"
    FOREIGN = "not generated"
    """It is in the way: ingen-sdkgen did not make it."""


class Finding(NamedTuple):
    """A file that is not as it should be."""

    state: State
    path: str
    """From the project's root, with `/`."""
    reason: str
    before: bytes | None
    after: bytes | None
    """What is on disk, and what should be; None for no file."""


class Comparison(NamedTuple):
    """The files of a project, or of some of its targets."""

    findings: Sequence[Finding]
    current: int
    """How many files are as they should be."""
    lock: Lock
    """What the lock file should say once all is as it should be."""
    files: Sequence[tuple[str, ...]]
    """What each target consists of: paths from the root."""


def compare(project: Project, targets: Sequence[Target], sides: Iterable[Side]) -> Comparison:
    """Generate targets, which are those of some sides, and compare them with what is on disk.

    Nothing is written. What the lock file has of other sides is left alone.

    Raises: WitErrors, TomlError, TemplateError, UnreadableInput
    """
    generator = Generator(project)
    produced = [generator.produce(target) for target in targets]
    _check_names(project, produced)
    old = read_lock(project.lock)
    new = _new_lock(project, produced, old, {side.value for side in sides})
    known = {path: recorded for entry in old.values() for path, recorded in entry.files.items()}
    findings: list[Finding] = []
    current = 0
    for item in produced:
        cause = _cause(old.get(item.name), item.entry)
        for path, content in item.files.items():
            finding = _judge(project.root, path, content, known.get(path), cause)
            if finding is None:
                current += 1
            else:
                findings.append(finding)
    findings += _extra(project.root, old, {path for entry in new.values() for path in entry.files})
    if old != new:
        findings.append(_lock_finding(project, old, new))
    return Comparison(findings, current, new, [tuple(item.files) for item in produced])


def _check_names(project: Project, produced: Sequence[Produced]) -> None:
    """Check that no two targets make the same file."""
    makers: dict[str, str] = {}
    for item in produced:
        for path in item.files:
            if path in makers:
                from ingen_sdkgen.toml.errors import TomlError

                message = f"two targets make {path}: the {makers[path]}, and the {item.name}"
                raise TomlError(message, hint="give one of them another output folder")
            makers[path] = item.name


def _new_lock(project: Project, produced: Sequence[Produced], old: Lock, sides: set[str]) -> Lock:
    made = {item.name: item.entry for item in produced}
    if project.file is None:
        # One folder may have several sets of bindings, each from a command line of its own.
        kept = dict(old)
    else:
        kept = {name: entry for name, entry in old.items() if entry.side not in sides}
    return dict(sorted((kept | made).items()))


def _lock_finding(project: Project, old: Lock, new: Lock) -> Finding:
    """What is wrong with the lock file itself.

    Where inputs have changed without a consequence for the output, only the lock file tells of it.
    """
    if not project.lock.is_file():
        reason = "nothing was generated yet, or it was deleted"
        return Finding(State.MISSING, LOCK_FILE, reason, None, None)
    name = next(name for name in sorted({*old, *new}) if old.get(name) != new.get(name))
    if name not in new:
        reason = f"it still has the {name}"
    elif name not in old:
        reason = f"it does not have the {name} yet"
    else:
        reason = _cause(old.get(name), new[name]) or f"the {name} has other files"
    return Finding(State.STALE, LOCK_FILE, reason, None, None)


def _judge(root: Path, path: str, content: bytes, recorded: str | None, cause: str | None) -> Finding | None:
    before = _content(root / path)
    if before == content:
        return None
    if before is None:
        reason = "it was not generated yet" if recorded is None else "it was generated, and is gone"
        return Finding(State.MISSING, path, reason, None, content)
    from ingen_sdkgen.render import verify

    intact = verify(before)
    if intact or content_digest(before) == recorded:
        reason = cause or "the generator makes another file of the same input now"
        return Finding(State.STALE, path, reason, before, content)
    if recorded is not None or intact is False:
        return Finding(State.EDITED, path, "it is not as it was generated", before, content)
    return Finding(State.FOREIGN, path, "a generated file would take its place", before, content)


def _extra(root: Path, old: Lock, wanted: set[str]) -> list[Finding]:
    """Files that were generated once and are not any more; only the lock file knows of them."""
    findings = []
    for entry in old.values():
        for path, recorded in entry.files.items():
            if path in wanted or (content := _content(root / path)) is None:
                continue
            wanted.add(path)
            if content_digest(content) == recorded:
                reason = "it was generated once, and nothing generates it any more"
                findings.append(Finding(State.EXTRA, path, reason, content, None))
            else:
                reason = "nothing generates it any more, but somebody edited it"
                findings.append(Finding(State.EDITED, path, reason, content, None))
    return findings


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        from ingen_sdkgen.failures import UnreadableInput

        raise UnreadableInput(path, error.strerror or str(error)) from error


def _cause(old: Entry | None, new: Entry) -> str | None:
    """Why bindings are to be made again; None where nothing says so."""
    if old is None:
        return None
    for path in sorted({*old.inputs, *new.inputs}):
        if path not in old.inputs:
            return f"{path} is new"
        if path not in new.inputs:
            return f"{path} is gone"
        if old.inputs[path] != new.inputs[path]:
            return f"{path} has changed"
    if old.settings != new.settings:
        return "its world, features or options have changed"
    if old.generator != new.generator:
        return f"ingen-sdkgen {old.generator} made it, and this is {__version__}"
    if old.templates != new.templates:
        return "its templates have changed"
    return None
