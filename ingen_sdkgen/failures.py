"""What goes wrong with files rather than with what stands in them."""

from __future__ import annotations

from pathlib import Path

from ingen_runtime.errors import IngenError


class FileFailure(IngenError):
    """A file cannot be used, for a reason that its user can mend."""

    def __init__(self, doing: str, path: Path, reason: str) -> None:
        super().__init__(f"cannot {doing} {path}: {reason}")
        self.path = path
        self.reason = reason


class UnreadableInput(FileFailure):
    """There is nothing to read at the path, or what is there is broken."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__("read", path, reason)


class UnwritableOutput(FileFailure):
    """The output cannot be put there."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__("write", path, reason)
