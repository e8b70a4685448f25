"""How the commands of the runtime end, and what they say where something stopped them."""

from __future__ import annotations

import os
import sys
from typing import Final

from ingen_runtime.errors import IngenError, InternalError

EXIT_OK: Final = 0
EXIT_USER: Final = 1
EXIT_USAGE: Final = 2
EXIT_BUG: Final = 70
EXIT_INTERRUPTED: Final = 130
EXIT_BROKEN_PIPE: Final = 141


def report(error: Exception | KeyboardInterrupt) -> int:
    """Tell the user what has stopped a command; returns its exit status, which says whose fault it is."""
    match error:
        case IngenError() if not isinstance(error, InternalError):
            print(f"error: {error}", file=sys.stderr)
            return EXIT_USER
        case BrokenPipeError():
            # Else the interpreter would complain when it flushes what nobody reads.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return EXIT_BROKEN_PIPE
        case KeyboardInterrupt():
            return EXIT_INTERRUPTED
    print(f"error: a bug in ingen; please report it: {type(error).__name__}: {error}", file=sys.stderr)
    if os.environ.get("INGEN_TRACEBACK") == "1":
        import traceback

        traceback.print_exception(error)
    return EXIT_BUG
