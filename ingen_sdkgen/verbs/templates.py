"""The verb `templates`: which templates there are, and copies of ours to change."""

from __future__ import annotations

import argparse
from pathlib import Path

from ingen_sdkgen.verbs.shared import add_running

_DESCRIPTION = """\
List the templates of all languages, or copy some into a folder to change them.

A template in the folder that --templates names, or `templates` in the project file, goes before ours of the
same name. A folder with a language.toml in it adds a language.
"""

_EPILOG = """\
examples:
  ingen-sdkgen templates list                          ours
  ingen-sdkgen templates list --templates templates    with yours, and which of ours they replace
  ingen-sdkgen templates copy c                        all templates of C, to templates/c
  ingen-sdkgen templates copy c/header.h.j2 --out templates
"""


def define(parser: argparse.ArgumentParser, verb: str) -> None:
    """Give the verb its arguments."""
    parser.description, parser.epilog = _DESCRIPTION, _EPILOG
    actions = parser.add_subparsers(
        title=f"what to do with {verb}", dest="action", metavar="ACTION", required=True
    )
    listing = actions.add_parser("list", help="list the templates, by language")
    listing.set_defaults(run=_list, parser=listing)
    listing.add_argument("--templates", metavar="DIR", type=Path, help="a folder of templates of yours")
    add_running(listing)
    copying = actions.add_parser("copy", help="copy a template, or all of a language, to change them")
    copying.set_defaults(run=_copy, parser=copying)
    copying.add_argument("name", metavar="NAME", help="a language, or a template as `list` shows it")
    copying.add_argument(
        "--out",
        metavar="DIR",
        type=Path,
        default=Path("templates"),
        help="the folder of templates to copy to (default: templates)",
    )
    copying.add_argument("--force", action="store_true", help="replace files that are there")
    add_running(copying)


def _list(arguments: argparse.Namespace) -> None:
    from ingen_sdkgen.languages.registry import languages
    from ingen_sdkgen.template_folders import own_templates, template_files

    ours = own_templates()
    user: Path | None = arguments.templates
    if user is not None and not user.is_dir():
        arguments.parser.error(f"--templates: there is no folder {user}")
    for language in languages(None, user):
        print(f"{language.name} ({language.side.value}): {language.description}")
        names = {
            path.relative_to(folder).as_posix(): folder
            for folder in [ours, *([] if user is None else [user])]
            for below in language.folders
            for path in template_files(folder / below)
        }
        for name in sorted(names):
            replaced = names[name] == user and (ours / name).is_file()
            remark = f"  from {user}{', in place of ours' if replaced else ''}" if names[name] == user else ""
            print(f"  {name}{remark}")


def _copy(arguments: argparse.Namespace) -> None:
    from ingen_sdkgen.diagnostics import WitError, did_you_mean
    from ingen_sdkgen.languages.registry import OWN_LANGUAGES
    from ingen_sdkgen.project.applying import write
    from ingen_sdkgen.template_folders import own_templates, template_files

    ours = own_templates()
    known = {path.relative_to(ours).as_posix(): path for path in template_files(ours)}
    name = arguments.name.rstrip("/")
    folders = {
        folder
        for language in OWN_LANGUAGES
        if name in (language.name, language.templates)
        for folder in language.folders
    }
    chosen = {each: path for each, path in known.items() if each == name or each.partition("/")[0] in folders}
    if not chosen:
        names = {language.name: None for language in OWN_LANGUAGES}
        hint = did_you_mean(name, [*names, *known]) or "`ingen-sdkgen templates list` shows all"
        raise WitError(f"there is no template and no language `{arguments.name}`", hint=hint)
    there = [arguments.out / known_name for known_name in chosen if (arguments.out / known_name).exists()]
    if there and not arguments.force:
        more = f" and {len(there) - 1} more" if len(there) > 1 else ""
        raise WitError(f"{there[0]}{more} is there already", hint="--force replaces it; nothing was copied")
    for known_name, path in chosen.items():
        write(arguments.out / known_name, path.read_bytes())
        print(f"copied {arguments.out / known_name}")
