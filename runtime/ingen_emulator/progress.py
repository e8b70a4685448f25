"""A spinner for what takes long, on terminals alone."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_PATIENCE_S: Final = 0.5


@contextmanager
def spinner(text: str) -> Iterator[None]:
    """Say what is being done, once it has taken half a second, if standard error is a terminal.

    Without rich nothing is said.
    """
    if not sys.stderr.isatty():
        yield
        return
    done = threading.Event()

    def spin() -> None:
        if done.wait(_PATIENCE_S):
            return
        try:
            from rich.console import Console
            from rich.markup import escape
        except ImportError:
            return
        with Console(stderr=True).status(f"{escape(text)} …"):
            done.wait()

    thread = threading.Thread(target=spin)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
