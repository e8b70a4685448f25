"""The verbs `gen`, `gen-wasm` and `gen-host`: generate bindings, or check that they are up to date."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple, NoReturn

from ingen_sdkgen.languages.registry import Language, OptionKind, OptionValue, Side, languages
from ingen_sdkgen.project import Project, Target
from ingen_sdkgen.project.comparison import Comparison, State, compare
from ingen_sdkgen.verbs.shared import add_gates, add_project, add_running, project_file, split_names


class _Verb(NamedTuple):
    sides: tuple[Side, ...]
    what: str
    path: str
    examples: str


_VERBS = {
    "gen": _Verb(
        (Side.GUEST, Side.HOST, Side.OTHER),
        "Generate all that the project file lists, or what the command line says.",
        "PATH",
        """\
  ingen-sdkgen gen                   all that ingen-sdkgen.toml lists
  ingen-sdkgen gen --check           write nothing; fail if a generated file is not up to date
  ingen-sdkgen gen wit/ --world greeter --language markdown --templates templates --out docs/api
""",
    ),
    "gen-wasm": _Verb(
        (Side.GUEST,),
        "Generate bindings for guests: code that is compiled to WebAssembly.",
        "WIT",
        """\
  ingen-sdkgen gen-wasm              the guests that ingen-sdkgen.toml lists
  ingen-sdkgen gen-wasm greeter.wit --world greeter --language rust --out src/bindings
  ingen-sdkgen gen-wasm wit/ --world greeter --language c --out bindings --check
""",
    ),
    "gen-host": _Verb(
        (Side.HOST,),
        "Generate bindings for hosts: code that runs WebAssembly.",
        "WIT_OR_COMPONENT",
        """\
  ingen-sdkgen gen-host              the hosts that ingen-sdkgen.toml lists
  ingen-sdkgen gen-host greeter.wasm --out greeter_host
  ingen-sdkgen gen-host wit/ --world greeter --out greeter_host --diff
""",
    ),
}

_DESCRIPTION = """\
{what}

Without {path}, the project file says what to generate. With it, --language and --out do, and no project file
is read. A lock file, ingen-sdkgen.lock, says what was made; it stands beside the project file, or in --out.
"""


def define(parser: argparse.ArgumentParser, verb: str) -> None:
    """Give the verb its arguments."""
    about = _VERBS[verb]
    parser.description = _DESCRIPTION.format(what=about.what, path=about.path)
    known = sorted({language.name for side in about.sides for language in languages(side)})
    parser.epilog = f"{_options_help(about.sides)}examples:\n{about.examples}"
    parser.set_defaults(run=_run, of=verb)
    parser.add_argument(
        "path",
        metavar=about.path,
        type=Path,
        nargs="?",
        help="a WIT file, a folder of WIT, an encoded package or a component",
    )
    choice = parser.add_argument_group(f"what to generate, with {about.path}")
    choice.add_argument("--world", metavar="W", help="the world (default: the only one)")
    listed = f"{', '.join(known)}, or what --templates adds" if known else "what --templates adds"
    choice.add_argument("--language", metavar="L", help=f"the language: {listed}")
    choice.add_argument("--out", metavar="DIR", type=Path, help="the folder for what is generated")
    choice.add_argument(
        "--option",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="an option of the language; may be repeated",
    )
    choice.add_argument(
        "--templates", metavar="DIR", type=Path, help="a folder of templates that go before ours"
    )
    add_gates(choice)
    action = parser.add_argument_group("what to do")
    action.add_argument(
        "--check", action="store_true", help="write nothing; name every file that is not up to date, and fail"
    )
    action.add_argument("--diff", action="store_true", help="the same, and show what would change")
    action.add_argument(
        "--force", action="store_true", help="replace files of the same name that ingen-sdkgen did not make"
    )
    running = add_running(parser)
    add_project(running)
    running.add_argument("-q", "--quiet", action="store_true", help="say nothing of what was done")


def _options_help(sides: Iterable[Side]) -> str:
    lines = []
    for side in sides:
        for language in languages(side):
            for option in language.options:
                of_language = f"{language.name} {side.value}"
                lines.append(f"  {of_language:12} {option.name:9} {option.kind.value:19} {option.help}\n")
    return f"options of languages, for --option:\n{''.join(lines)}\n" if lines else ""


def _run(arguments: argparse.Namespace) -> None:
    sides = _VERBS[arguments.of].sides
    project = _project(arguments, sides)
    targets = [target for target in project.targets if target.language.side in sides]
    if not targets:
        from ingen_sdkgen.diagnostics import WitError

        wanted = " and no ".join(f"[[{side.value}]]" for side in sides)
        raise WitError(f"{project.file} has no {wanted}: there is nothing to generate for this verb")
    comparison = compare(project, targets, sides)
    if arguments.check or arguments.diff:
        _check(project, comparison, arguments)
        return
    _apply(project, comparison, arguments)


# --- What to generate -----------------------------------------------------------------------------------


def _project(arguments: argparse.Namespace, sides: tuple[Side, ...]) -> Project:
    if arguments.path is not None:
        return _project_of_arguments(arguments, sides)
    given = [
        name
        for name in ("world", "language", "out", "option", "templates", "features", "all_features")
        if getattr(arguments, name)
    ]
    if given:
        option = "--" + given[0].replace("_", "-")
        _refuse(
            arguments, f"{option} needs a {_VERBS[arguments.of].path}; without one the project file decides"
        )
    from ingen_sdkgen.project.file import read_project

    return read_project(project_file(arguments.project))


def _project_of_arguments(arguments: argparse.Namespace, sides: tuple[Side, ...]) -> Project:
    if arguments.project is not None:
        _refuse(arguments, f"--project says what to generate, and so does {arguments.path}")
    if arguments.templates is not None and not arguments.templates.is_dir():
        _refuse(arguments, f"--templates: there is no folder {arguments.templates}")
    language = _language(arguments, sides)
    if arguments.out is None:
        _refuse(arguments, f"with {arguments.path}, say where the files go: --out DIR")
    target = Target(
        language,
        arguments.path,
        arguments.world,
        arguments.out,
        tuple(split_names(arguments.features)),
        arguments.all_features,
        _options(arguments, language),
        arguments.templates,
    )
    return Project(arguments.out, (target,), None)


def _language(arguments: argparse.Namespace, sides: tuple[Side, ...]) -> Language:
    known = [language for language in languages(None, arguments.templates) if language.side in sides]
    names = ", ".join(sorted({language.name for language in known}))
    if arguments.language is None:
        if len(known) == 1:
            return known[0]
        _refuse(arguments, f"say which language: --language {'|'.join(names.split(', '))}")
    found = [language for language in known if language.name == arguments.language]
    if len(found) > 1:
        _refuse(arguments, f"{arguments.language} has guests and hosts: use gen-wasm or gen-host")
    if not found:
        _refuse(arguments, f"there is no language {arguments.language} here; there is {names or 'none'}")
    return found[0]


def _options(arguments: argparse.Namespace, language: Language) -> dict[str, OptionValue]:
    options: dict[str, OptionValue] = {}
    for given in arguments.option:
        name, has_value, value = given.partition("=")
        option = language.option(name)
        if option is None:
            names = ", ".join(option.name for option in language.options)
            there_is = f"; there is {names}" if names else ", and no other"
            _refuse(arguments, f"{language.name} has no option {name}{there_is}")
        if option.kind is OptionKind.SWITCH:
            if value not in ("", "true", "false"):
                _refuse(arguments, f"--option {name}: {value} is neither true nor false")
            options[name] = value != "false"
        elif not has_value:
            _refuse(arguments, f"--option {name} needs a value: {name}=VALUE")
        elif option.kind is OptionKind.LIST:
            before = options.get(name, ())
            assert isinstance(before, tuple)
            options[name] = (*before, *split_names([value]))
        elif option.kind is OptionKind.TABLE:
            key, equals, of_key = value.rpartition("=")
            if not equals:
                _refuse(arguments, f"--option {name}: {value} is not KEY=VALUE")
            before = options.get(name, {})
            assert isinstance(before, dict)
            options[name] = {**before, key: of_key}
        else:
            options[name] = value
    return options


def _refuse(arguments: argparse.Namespace, message: str) -> NoReturn:
    """End with a usage error."""
    parser: argparse.ArgumentParser = arguments.parser
    parser.error(message)


# --- What to do -----------------------------------------------------------------------------------------


def _check(project: Project, comparison: Comparison, arguments: argparse.Namespace) -> None:
    if not comparison.findings:
        return
    from ingen_sdkgen.project.out_of_date import differences, out_of_date

    if arguments.diff:
        for line in differences(comparison.findings):
            print(line)
        sys.stdout.flush()
    command = "ingen-sdkgen " + (arguments.of if arguments.path is None else f"{arguments.of} …")
    places = arguments.error_format != "text"
    raise out_of_date(project, comparison.findings, command, places=places)


def _apply(project: Project, comparison: Comparison, arguments: argparse.Namespace) -> None:
    changes = [finding for finding in comparison.findings if finding.path != project.lock.name]
    if comparison.findings:
        from ingen_sdkgen.project.applying import apply

        apply(project, comparison, force=arguments.force)
    for finding in changes:
        if finding.state is State.EDITED:
            was = "it is as generated again" if finding.after is not None else "so it stays"
            where = project.place(finding.path)
            print(f"note: {where} was edited by hand, {was}", file=sys.stderr)
    if arguments.quiet:
        return
    for finding in changes:
        if finding.after is not None:
            print(f"wrote {project.place(finding.path)}")
        elif finding.state is State.EXTRA:
            print(f"removed {project.place(finding.path)}")
    if not changes:
        files = "1 file" if comparison.current == 1 else f"{comparison.current} files"
        print(f"{files} up to date")
