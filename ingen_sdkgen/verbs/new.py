"""The verb `new`: begin a project."""

from __future__ import annotations

import argparse
from pathlib import Path

from ingen_sdkgen.verbs.shared import add_running

_DESCRIPTION = """\
Begin a project in a new folder: a WIT world with one function, a guest that has it, a host that calls it.
"""

_EPILOG = """\
examples:
  ingen-sdkgen new hello --language c
  cd hello
  ingen-sdkgen build
  python main.py
"""


def define(parser: argparse.ArgumentParser, verb: str) -> None:
    """Give the verb its arguments."""
    parser.description, parser.epilog = _DESCRIPTION, _EPILOG
    parser.set_defaults(run=_run)
    parser.add_argument(
        "folder", metavar="NAME", type=Path, help=f"the folder to make; its name is that of the {verb} world"
    )
    parser.add_argument(
        "--language", metavar="L", required=True, help="the language of the guest: rust, c or python"
    )
    add_running(parser)


def _run(arguments: argparse.Namespace) -> None:
    from ingen_sdkgen.diagnostics import WitError
    from ingen_sdkgen.project.applying import write
    from ingen_sdkgen.scaffold import LANGUAGES, new_project

    if arguments.language not in LANGUAGES:
        arguments.parser.error(f"there is no language {arguments.language}; there is {', '.join(LANGUAGES)}")
    folder: Path = arguments.folder
    files = new_project(folder.resolve().name, arguments.language)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise WitError(f"{folder} is there already, and is not an empty folder")
    for path, content in files.items():
        write(folder / path, content)
    print(f"made {folder} with {', '.join(files)}\n")
    print(f"  cd {folder}\n  ingen-sdkgen build\n  python main.py")
