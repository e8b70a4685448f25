"""The command `ingen-sdkgen`: its arguments, its exit statuses and how it reports failure.

Verbs import what they need when they run: `--help` should not wait for a parser.
Source: docs/decisions/0001-argparse.md.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from ingen_sdkgen import __version__
from ingen_sdkgen.cache import Cache, switched_off
from ingen_sdkgen.earlier_runs import EarlierRuns

if TYPE_CHECKING:
    from ingen_runtime.errors import IngenError
    from ingen_sdkgen.diagnostics import WitErrors
    from ingen_sdkgen.model import Resolve

EXIT_OK = 0
EXIT_USER = 1
EXIT_USAGE = 2
EXIT_BUG = 70
EXIT_INTERRUPTED = 130
EXIT_BROKEN_PIPE = 141

_DESCRIPTION = "Read WIT, check it, and turn it into other forms."

_EPILOG = """\
exit status:
  0   done
  1   the input is wrong, or cannot be read; the message says where
  2   the command line is wrong
  70  a bug in ingen; the message says how to report it

environment:
  INGEN_CACHE_DIR   where results are kept between runs (else the system's place for caches)
  INGEN_TRACEBACK   set to 1: show where in ingen a bug struck
  NO_COLOR          set to anything: no colours
"""

_WIT_DESCRIPTION = """\
Read WIT, check it, and print it: as canonical WIT, as JSON, or as an encoded package.

PATH is one of
  a .wit file         one package, and the packages nested in it
  a folder            the .wit files of one package, and the packages it uses in deps/
  an encoded package  as --wasm writes it, or wasm-tools
  a component         its imports and exports, as a world
  a core module       the world in its component-type section
  -                   standard input, which holds any of these but a folder
"""

_WIT_EPILOG = """\
examples:
  ingen-sdkgen wit greeter.wit                      check a file; print it in canonical form
  ingen-sdkgen wit wit/ --json | jq '.worlds[].name'
  ingen-sdkgen wit wit/ --wasm -o greeter.wasm      encode a package and all that it uses
  ingen-sdkgen wit wit/ --world greeter             only that world, and what it needs
  ingen-sdkgen wit plugin.wasm                      show the interface of a component
  curl -s https://example.org/a.wit | ingen-sdkgen wit -
  ingen-sdkgen wit wit/ --error-format github       annotate the lines of a pull request
"""


class _Layout(argparse.RawDescriptionHelpFormatter):
    def __init__(self, prog: str) -> None:
        import shutil  # 5 ms, for help only

        super().__init__(prog, max_help_position=30, width=min(shutil.get_terminal_size().columns, 110))


class _Parser(argparse.ArgumentParser):
    """Argparse with our form of usage errors, and without its abbreviations of options."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(formatter_class=_Layout, allow_abbrev=False, **settings)

    def error(self, message: str) -> NoReturn:
        self.exit(EXIT_USAGE, f"{self.prog}: {message}\nTry `{self.prog} --help`.\n")

    def refuse(self, unknown: str) -> NoReturn:
        """End with the usage error that an argument is not known."""
        from ingen_sdkgen.diagnostics import did_you_mean

        if not unknown.startswith("-") or unknown == "-":
            self.error(f"one argument too many: {unknown}")
        hint = did_you_mean(unknown.partition("=")[0], self._option_string_actions)
        self.error(f"there is no option {unknown}{'; ' if hint else ''}{hint or ''}")


def _command_line() -> argparse.ArgumentParser:
    parser = _Parser(prog="ingen-sdkgen", description=_DESCRIPTION, epilog=_EPILOG)
    parser.add_argument(
        "--version", action="version", version=f"ingen-sdkgen {__version__}", help="show the version and exit"
    )
    parser.set_defaults(parser=parser)
    verbs = parser.add_subparsers(title="verbs", dest="verb", metavar="VERB", required=True)
    wit = verbs.add_parser(
        "wit",
        help="read WIT, check it, and print it as WIT, JSON or an encoded package",
        description=_WIT_DESCRIPTION,
        epilog=_WIT_EPILOG,
    )
    wit.set_defaults(run=_wit, parser=wit, form="wit")
    wit.add_argument("path", metavar="PATH", type=_path_or_standard, help="what to read; `-`: standard input")
    form = wit.add_argument_group("what to print").add_mutually_exclusive_group()
    form.add_argument(
        "--json",
        dest="form",
        action="store_const",
        const="json",
        help="JSON, as `wasm-tools component wit --json` prints it",
    )
    form.add_argument(
        "--wasm", dest="form", action="store_const", const="wasm", help="an encoded package (binary)"
    )
    output = wit.add_argument_group("where")
    output.add_argument(
        "-o", "--output", metavar="FILE", type=_path_or_standard, help="write to FILE, not to standard output"
    )
    selection = wit.add_argument_group("which part")
    selection.add_argument(
        "--world",
        metavar="W",
        help="only this world, with the interfaces, types and packages that it reaches; "
        "`name` in the main package, or `namespace:package/name@version`",
    )
    gates = selection.add_mutually_exclusive_group()
    gates.add_argument(
        "--features",
        metavar="A,B",
        action="append",
        default=[],
        help="include items that are gated `@unstable(feature = A)`; may be repeated",
    )
    gates.add_argument("--all-features", action="store_true", help="include all gated items")
    running = wit.add_argument_group("how")
    running.add_argument(
        "--error-format",
        choices=["text", "json", "github"],
        default="text",
        help="how errors are shown, on standard error (default: text)",
    )
    running.add_argument(
        "--no-cache", action="store_true", help="neither use nor keep results of earlier runs"
    )
    return parser


def _path_or_standard(text: str) -> Path | None:
    """The path that an argument names; None for `-`, which is standard input or output."""
    if not text:
        raise argparse.ArgumentTypeError("an empty path names nothing")
    return None if text == "-" else Path(text)


# --- Verbs ----------------------------------------------------------------------------------------------


def _wit(arguments: argparse.Namespace) -> None:
    if arguments.form == "wasm" and arguments.output is None and sys.stdout.isatty():
        arguments.parser.error("--wasm writes binary data: name a file with -o, or redirect standard output")
    features = [name for names in arguments.features for name in re.split(r"[\s,]+", names) if name]
    options = {"features": features, "all_features": arguments.all_features}
    if arguments.path is None:
        output = _render(_read_standard_input(**options), arguments.form, arguments.world)
    else:
        output = _of_path(arguments.path, arguments.form, arguments.world, **options)
    _write_output(output, arguments.output)


def _of_path(path: Path, form: str, world: str | None, **options: Any) -> bytes:
    """What is to be printed of the input at `path`, from an earlier run where one has made it."""
    earlier = EarlierRuns(Cache.of_user(), path, **options)
    wanted = [form] if world is None else [form, world]
    output = earlier.output(wanted)
    if output is None:
        resolve = earlier.ir()
        if resolve is None:
            from ingen_sdkgen.reading import read

            resolve = read(path, **options)
        output = _render(resolve, form, world)
        earlier.keep(resolve, wanted, output)
    return output


def _read_standard_input(**options: Any) -> Resolve:
    from ingen_sdkgen.failures import UnreadableInput
    from ingen_sdkgen.reading import read_data

    name = Path("<stdin>")
    if sys.stdin is None:
        raise UnreadableInput(name, "it is closed")
    try:
        data = sys.stdin.buffer.read()
    except OSError as error:
        raise UnreadableInput(name, error.strerror or str(error)) from error
    return read_data(data, name, **options)


def _render(resolve: Resolve, form: str, world: str | None) -> bytes:
    if world is not None:
        from ingen_sdkgen.restrict import find_world, restrict_to_world

        resolve = restrict_to_world(resolve, find_world(resolve, world))
    if form == "wasm":
        from ingen_sdkgen.encode import encode_package

        return encode_package(resolve)
    if form == "json":
        from ingen_sdkgen.model_json import render_json

        return render_json(resolve).encode()
    from ingen_sdkgen.wit.printer import print_wit

    return print_wit(resolve).encode()


def _write_output(data: bytes, path: Path | None) -> None:
    if path is None:
        # As bytes: WIT and JSON are UTF-8 whatever the locale says. With PYTHONUNBUFFERED the buffer is none,
        # and takes only a part where the reader goes away.
        rest = memoryview(data)
        while rest:
            rest = rest[sys.stdout.buffer.write(rest) :]
        sys.stdout.buffer.flush()
        return
    from ingen_sdkgen.writing import write_whole

    try:
        write_whole(path, data)
    except OSError as error:
        from ingen_sdkgen.failures import UnwritableOutput

        raise UnwritableOutput(path, error.strerror or str(error)) from error


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
    arguments, unknown = _command_line().parse_known_args(argv)
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
