"""The command `ingen`: its arguments, its exit statuses and how it reports failure."""

from __future__ import annotations

import argparse
import difflib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from ingen_emulator import run
from ingen_emulator.failures import EndedError, UsageError
from ingen_runtime.exit_status import EXIT_USAGE, report


class _Parser(argparse.ArgumentParser):
    """Argparse with our form of usage errors."""

    def error(self, message: str) -> NoReturn:
        self.exit(EXIT_USAGE, f"{self.prog}: {message}\nTry `{self.prog} --help`.\n")

    def refuse(self, unknown: str) -> NoReturn:
        """End with the usage error that an option is not known."""
        near = difflib.get_close_matches(unknown.partition("=")[0], self._option_string_actions, n=1)
        hint = f"did you mean {near[0]}?" if near else "what is meant for the program goes after `--`"
        self.error(f"there is no option {unknown}; {hint}")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command with `argv` (default: that of the process) and return its exit status.

    Raises: SystemExit from argparse, for wrong usage (2) and `--help` (0).
    """
    _open_missing_streams()
    argv = sys.argv[1:] if argv is None else argv
    parser = _Parser(prog="ingen", description="Emulate cloud VMs whose processes are WebAssembly programs.")
    verbs = parser.add_subparsers(title="verbs", dest="verb", metavar="VERB", required=True)
    verb = verbs.add_parser(
        "run",
        help="run one program as the guest process of a VM",
        description=run.DESCRIPTION,
        epilog=run.EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
        usage="ingen run [OPTION...] PROGRAM [ARG...] [-- ARG...]",
    )
    run.define(verb)
    # What follows `--` is the program's, whatever it looks like.
    split = list(argv).index("--") if "--" in argv else len(argv)
    options, unknown = parser.parse_known_args(argv[:split])
    for each in unknown:
        if each.startswith("-") and each != "-":
            verb.refuse(each)
    arguments = [*options.arguments, *unknown, *argv[split + 1 :]]
    try:
        return run.run(options, arguments)
    except UsageError as error:
        verb.error(str(error))
    except EndedError as error:
        print(f"ingen: {error}", file=sys.stderr)
        return error.status
    except (Exception, KeyboardInterrupt) as error:
        return report(error)


def _open_missing_streams() -> None:
    """Have something stand at the descriptors 0, 1 and 2 where the caller has closed them.

    Else what is opened next would, and the program could read or write it. To use these fails, as it does
    with closed ones.
    """
    for fd, flags in enumerate((os.O_WRONLY, os.O_RDONLY, os.O_RDONLY)):
        try:
            os.fstat(fd)
        except OSError:
            os.open(os.devnull, flags)  # takes the lowest free number, which is this one
    if sys.stderr is None:
        sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115  # open until the process ends
