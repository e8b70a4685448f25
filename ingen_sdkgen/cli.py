"""The command `ingen-sdkgen`: its arguments, its exit statuses and how it reports failure.

Verbs import what they need when they run: `--help` should not wait for a parser.
Source: docs/decisions/0001-argparse.md.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, NoReturn

from ingen_sdkgen import __version__
from ingen_sdkgen.cache import switched_off

if TYPE_CHECKING:
    from ingen_runtime.errors import IngenError
    from ingen_sdkgen.diagnostics import WitErrors

EXIT_OK = 0
EXIT_USER = 1
EXIT_USAGE = 2
EXIT_BUG = 70
EXIT_INTERRUPTED = 130
EXIT_BROKEN_PIPE = 141

_DESCRIPTION = "Read WIT, check it, and generate typed bindings for both sides of the WebAssembly boundary."

_EPILOG = """\
exit status:
  0   done
  1   the input is wrong, or cannot be read; the message says where
  2   the command line is wrong
  70  a bug in ingen; the message says how to report it

environment:
  INGEN_CACHE_DIR   where results are kept between runs (else the system's place for caches)
  INGEN_TRACEBACK   set to 1: show where in ingen a bug struck
  INGEN_TOOLCHAIN   where compilers are looked for that the project's scripts have installed
  NO_COLOR          set to anything: no colours
"""

_VERBS = {
    "wit": ("ingen_sdkgen.verbs.wit", "read WIT, check it, and print it as WIT, JSON or an encoded package"),
    "gen": ("ingen_sdkgen.verbs.generate", "generate all that the project file lists"),
    "gen-wasm": (
        "ingen_sdkgen.verbs.generate",
        "generate bindings for guests: code that becomes WebAssembly",
    ),
    "gen-host": ("ingen_sdkgen.verbs.generate", "generate bindings for hosts: code that runs WebAssembly"),
    "build": ("ingen_sdkgen.verbs.build", "compile the guests of a project"),
    "componentize": ("ingen_sdkgen.verbs.build", "make a component of a core module"),
    "new": ("ingen_sdkgen.verbs.new", "begin a project that builds and runs at once"),
    "templates": ("ingen_sdkgen.verbs.templates", "list the templates of all languages, or copy some"),
}


# All messages are in English. Looking for translations of argparse's own takes as long as importing it.
argparse._ = str  # type: ignore[attr-defined]  # it is no part of argparse's interface


class _Layout(argparse.RawDescriptionHelpFormatter):
    columns = 110

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=30, width=self.columns)


class _Parser(argparse.ArgumentParser):
    """Argparse with our form of usage errors, and without its abbreviations of options."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(formatter_class=_Layout, allow_abbrev=False, **settings)

    def format_help(self) -> str:
        # Argparse makes a layout for every argument that is added; only this one is for a terminal.
        import shutil

        _Layout.columns = min(shutil.get_terminal_size().columns, 110)
        return super().format_help()

    def error(self, message: str) -> NoReturn:
        self.exit(EXIT_USAGE, f"{self.prog}: {message}\nTry `{self.prog} --help`.\n")

    def refuse(self, unknown: str) -> NoReturn:
        """End with the usage error that an argument is not known."""
        from ingen_sdkgen.diagnostics import did_you_mean

        if not unknown.startswith("-") or unknown == "-":
            self.error(f"one argument too many: {unknown}")
        hint = did_you_mean(unknown.partition("=")[0], self._option_string_actions)
        self.error(f"there is no option {unknown}{'; ' if hint else ''}{hint or ''}")


def _command_line(argv: Sequence[str]) -> argparse.ArgumentParser:
    parser = _Parser(prog="ingen-sdkgen", description=_DESCRIPTION, epilog=_EPILOG)
    parser.add_argument(
        "--version", action="version", version=f"ingen-sdkgen {__version__}", help="show the version and exit"
    )
    parser.set_defaults(parser=parser)
    # With `prog`, argparse does not format a usage line to find it out, which loads what help needs.
    verbs = parser.add_subparsers(
        title="verbs", dest="verb", metavar="VERB", required=True, prog="ingen-sdkgen"
    )
    # A verb that comes first is the only one that this run needs; the list of all is for help and mistakes.
    named = argv[0] if argv and argv[0] in _VERBS else None
    for name in _VERBS if named is None else [named]:
        module, help_ = _VERBS[name]
        verb = verbs.add_parser(name, help=help_)
        verb.set_defaults(parser=verb)
        if name in argv:
            import_module(module).define(verb, name)
    return parser


# --- Failure --------------------------------------------------------------------------------------------


def _report_failure(failure: Exception, error_format: str) -> int:
    """Tell the user what went wrong; return the exit status that says whose fault it is."""
    from ingen_runtime.errors import IngenError, InternalError

    if isinstance(failure, IngenError) and not isinstance(failure, InternalError):
        _report(failure, error_format)
        return EXIT_USER
    _report_bug(failure)
    return EXIT_BUG


def _report(failure: IngenError, error_format: str) -> None:
    from ingen_sdkgen import diagnostics

    errors = failure if isinstance(failure, diagnostics.WitErrors) else _without_source(failure)
    if error_format == "json":
        text = diagnostics.render_json(errors.errors, errors.sources)
    elif error_format == "github":
        text = "\n".join(diagnostics.render_github(error, errors.sources) for error in errors.errors)
    else:
        colour = sys.stderr.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        text = "\n\n".join(
            diagnostics.render_text(error, errors.sources, colour=colour) for error in errors.errors
        )
    print(text, file=sys.stderr)


def _without_source(failure: IngenError) -> WitErrors:
    from ingen_sdkgen.diagnostics import SourceMap, WitError, WitErrors

    error = failure if isinstance(failure, WitError) else WitError(str(failure))
    return WitErrors([error], SourceMap())


def _report_bug(bug: BaseException) -> None:
    import tempfile
    import traceback

    trace = "".join(traceback.format_exception(bug))
    if os.environ.get("INGEN_TRACEBACK") == "1":
        where = trace.rstrip()
    else:
        details = f"ingen-sdkgen {__version__}, Python {sys.version}, {sys.platform}\n{sys.argv}\n\n{trace}"
        try:
            handle, path = tempfile.mkstemp(prefix="ingen-bug-", suffix=".txt")
            with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
                file.write(details)
            where = f"The details are in {path}: please attach that file, and the input if you can."
        except OSError:
            where = details
    summary = str(bug).partition("\n")[0]
    print(
        f"ingen-sdkgen: {type(bug).__name__}{': ' if summary else ''}{summary}\n"
        f"This is a bug in ingen, not in your input; please report it to the project.\n{where}",
        file=sys.stderr,
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command with `argv` (default: that of the process) and return its exit status.

    Raises: SystemExit from argparse, for wrong usage (2), `--help` and `--version` (0).
    """
    argv = sys.argv[1:] if argv is None else argv
    arguments, unknown = _command_line(argv).parse_known_args(argv)
    if unknown:
        arguments.parser.refuse(unknown[0])
    # One short run: what it allocates is in use until its end, and looking for cycles in a large IR takes
    # longer than reading it.
    collected = gc.isenabled()
    gc.disable()
    try:
        with switched_off() if arguments.no_cache else contextlib.nullcontext():
            arguments.run(arguments)
    except BrokenPipeError:
        # Whoever read the output has seen enough. Python flushes once more at its end: give it a place to.
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_BROKEN_PIPE
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except Exception as failure:
        return _report_failure(failure, arguments.error_format)
    finally:
        if collected:
            gc.enable()
    return EXIT_OK
