"""What a run that takes long says of itself: a spinner on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.status import Status


class Progress:
    """Says what is being done, on standard error, and what was done, on standard output.

    The spinner needs rich, and is left out where that is not installed.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._status: Status | None = None
        if not quiet and sys.stderr.isatty():
            try:
                from rich.console import Console
            except ImportError:
                return
            self._status = Console(stderr=True).status("")

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._status is not None:
            self._status.stop()

    def begin(self, what: str) -> None:
        """Something begins that may take long."""
        if self._status is not None:
            from rich.markup import escape

            self._status.update(f"{escape(what)} …")
            self._status.start()
        elif not self._quiet:
            print(f"{what} …", file=sys.stderr)

    def end(self, what: str) -> None:
        """It has ended, with this result."""
        if self._status is not None:
            self._status.stop()
        if not self._quiet:
            print(what, flush=True)
