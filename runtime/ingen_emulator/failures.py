"""What users of the emulator can get wrong."""

from __future__ import annotations

from ingen_runtime.errors import IngenError


class UsageError(IngenError):
    """The command line, or what a VM is to be, makes no sense."""


class EndedError(IngenError):
    """A program was ended by force. `status` is the exit status of the command, which says how."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status
