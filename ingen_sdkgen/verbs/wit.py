"""The verb `wit`: read WIT, check it, print it in one of its forms."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingen_sdkgen.cache import Cache
from ingen_sdkgen.earlier_runs import EarlierRuns
from ingen_sdkgen.verbs.shared import add_gates, add_running, split_names

if TYPE_CHECKING:
    from ingen_sdkgen.model import Resolve

_DESCRIPTION = """\
Read WIT, check it, and print it: as canonical WIT, as JSON, or as an encoded package.

PATH is one of
  a .wit file         one package, and the packages nested in it
  a folder            the .wit files of one package, and the packages it uses in deps/
  an encoded package  as --wasm writes it, or wasm-tools
  a component         its imports and exports, as a world
  a core module       the world in its component-type section
  -                   standard input, which holds any of these but a folder
"""

_EPILOG = """\
examples:
  ingen-sdkgen wit greeter.wit                      check a file; print it in canonical form
  ingen-sdkgen wit wit/ --json | jq '.worlds[].name'
  ingen-sdkgen wit wit/ --wasm -o greeter.wasm      encode a package and all that it uses
  ingen-sdkgen wit wit/ --world greeter             only that world, and what it needs
  ingen-sdkgen wit plugin.wasm                      show the interface of a component
  curl -s https://example.org/a.wit | ingen-sdkgen wit -
  ingen-sdkgen wit wit/ --error-format github       annotate the lines of a pull request
"""


def define(parser: argparse.ArgumentParser, verb: str) -> None:
    """Give the verb its arguments."""
    parser.description, parser.epilog = _DESCRIPTION, _EPILOG
    parser.set_defaults(run=_run, form=verb)
    parser.add_argument(
        "path", metavar="PATH", type=_path_or_standard, help="what to read; `-`: standard input"
    )
    form = parser.add_argument_group("what to print").add_mutually_exclusive_group()
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
    output = parser.add_argument_group("where")
    output.add_argument(
        "-o", "--output", metavar="FILE", type=_path_or_standard, help="write to FILE, not to standard output"
    )
    selection = parser.add_argument_group("which part")
    selection.add_argument(
        "--world",
        metavar="W",
        help="only this world, with the interfaces, types and packages that it reaches; "
        "`name` in the main package, or `namespace:package/name@version`",
    )
    add_gates(selection)
    add_running(parser)


def _path_or_standard(text: str) -> Path | None:
    """The path that an argument names; None for `-`, which is standard input or output."""
    if not text:
        raise argparse.ArgumentTypeError("an empty path names nothing")
    return None if text == "-" else Path(text)


def _run(arguments: argparse.Namespace) -> None:
    if arguments.form == "wasm" and arguments.output is None and sys.stdout.isatty():
        arguments.parser.error("--wasm writes binary data: name a file with -o, or redirect standard output")
    options = {"features": split_names(arguments.features), "all_features": arguments.all_features}
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
