"""Findings as errors, and as differences."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence

from ingen_sdkgen.diagnostics import Note, SourceMap, WitError, WitErrors
from ingen_sdkgen.model import Span
from ingen_sdkgen.project import Project
from ingen_sdkgen.project.comparison import Finding, State


class OutOfDate(WitError):
    """A file is stale, missing, extra or edited: what `--check` finds."""


class InTheWay(WitError):
    """A file that ingen-sdkgen did not make is where one of its own goes."""


def out_of_date(project: Project, findings: Sequence[Finding], command: str, *, places: bool) -> WitErrors:
    """The errors that a check ends with; `places` puts each at the first line of its file.

    `command` is what would mend it.
    """
    errors: list[WitError] = []
    sources = SourceMap()
    for number, finding in enumerate(findings):
        span, path = None, project.place(finding.path)
        if places:
            span = Span(sources.add(path.as_posix(), finding.before or b""), 0, 0)
        hint = f"`{command}` brings everything up to date" if number == len(findings) - 1 else None
        message = f"{path} is {finding.state.value}: {finding.reason}"
        errors.append(OutOfDate(message, span, hint=hint))
    return WitErrors(errors, sources)


def in_the_way(project: Project, findings: Sequence[Finding]) -> WitErrors:
    """The errors where nothing is written, to keep what somebody wrote."""
    hint = "move it, choose another output folder, or replace it with --force"
    errors = [
        InTheWay(
            f"cannot write {project.place(finding.path)}: a file is there that ingen-sdkgen did not make",
            notes=[Note("nothing was written")] if number == 0 else [],
            hint=hint if number == len(findings) - 1 else None,
        )
        for number, finding in enumerate(findings)
    ]
    return WitErrors(errors, SourceMap())


def differences(findings: Sequence[Finding]) -> Iterator[str]:
    """What would change, as lines of unified diffs without their ends."""
    for finding in findings:
        if finding.before is None and finding.after is None:
            continue  # the lock file, which is not worth reading
        before, after = _lines(finding.before), _lines(finding.after)
        old = "/dev/null" if finding.before is None else f"a/{finding.path}"
        new = "/dev/null" if finding.after is None else f"b/{finding.path}"
        if finding.state is State.EDITED and finding.after is None:
            continue  # it stays
        if before is None or after is None:
            yield f"Binary files {old} and {new} differ"
        else:
            yield from difflib.unified_diff(before, after, old, new, lineterm="")


def _lines(content: bytes | None) -> list[str] | None:
    """The lines of a text; None for what is none."""
    try:
        return (content or b"").decode().splitlines()
    except UnicodeDecodeError:
        return None
