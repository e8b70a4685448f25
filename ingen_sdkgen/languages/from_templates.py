"""Languages that users add: a folder of templates with a `language.toml`.

    description = "Markdown documentation of a world"
    side = "other"                              # guest, host or other; other if absent

    [files]                                     # from the path of a file to the template that makes it
    "{world}.md" = "world.md.j2"

    [interface-files]                           # the same for each interface of the world
    "{world}/{interface}.md" = "interface.md.j2"

    [options]                                   # what users may set, each with its default
    title = "API"

Templates get `world` (a `WorldOutline`), `options`, `header`, and for each interface `interface`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

from ingen_sdkgen.languages.registry import OWN_LANGUAGES, Language, Option, OptionKind, OptionValue, Side
from ingen_sdkgen.toml.tables import TomlFile, TomlTable, described, nearest

if TYPE_CHECKING:
    from ingen_sdkgen.model import Resolve, WorldId

MANIFEST = "language.toml"

_PLACEHOLDER = re.compile(r"\{(\w*)(?:\.(\w+))?\}")
_STYLES = ("snake", "upper_snake", "camel", "pascal")


class Manifest(NamedTuple):
    """What a `language.toml` says."""

    language: Language
    files: Mapping[str, str]
    interface_files: Mapping[str, str]
    defaults: Mapping[str, OptionValue]


def added_languages(templates: Path) -> list[Language]:
    """The languages that a folder of templates adds, by name.

    Raises: WitErrors, where a `language.toml` is wrong.
    """
    return [read_manifest(path.parent).language for path in sorted(templates.glob(f"*/{MANIFEST}"))]


def read_manifest(folder: Path) -> Manifest:
    """What the `language.toml` in a language's folder says.

    Raises: WitErrors, UnreadableInput
    """
    file = TomlFile(folder / MANIFEST, "a `language.toml`")
    top = file.top
    if any(folder.name in language.folders for language in OWN_LANGUAGES):
        top.problem(
            None, f"`{folder.name}` is a language already; a folder of that name replaces its templates"
        )
    description = top.text("description") or f"{folder.name}, from templates"
    defaults = _defaults(top.table("options"))
    manifest = Manifest(
        Language(
            folder.name,
            _side(top),
            description,
            tuple(Option(name, _kind(value), "") for name, value in defaults.items()),
            folder.name,
            None,
        ),
        _files(top, "files", ("world",)),
        _files(top, "interface-files", ("world", "interface")),
        defaults,
    )
    top.finish()
    if not manifest.files and not manifest.interface_files:
        top.problem(None, "it names no [files] and no [interface-files]: nothing would be generated")
    file.check()
    return manifest


def generate_from_templates(
    folder: Path,
    resolve: Resolve,
    world: WorldId,
    options: Mapping[str, OptionValue],
    templates: Path,
) -> dict[str, bytes]:
    """The files that the language in `folder` makes of a world.

    Raises: WitErrors where the manifest is wrong, or gives two files one name; TemplateError
    """
    from ingen_sdkgen.languages.outlining import outline_world
    from ingen_sdkgen.render import Header, Templates

    manifest = read_manifest(folder)
    environment = Templates(templates)
    outline = outline_world(resolve, world)
    view = {
        "world": outline,
        "options": {**manifest.defaults, **options},
        "header": Header(outline.full_name),
    }
    made: dict[str, bytes] = {}
    for pattern, template in manifest.files.items():
        names = {"world": outline.name}
        made[_filled(pattern, names)] = environment.render(f"{folder.name}/{template}", view)
    for pattern, template in manifest.interface_files.items():
        for interface in outline.interfaces:
            names = {"world": outline.name, "interface": interface.file_name}
            content = environment.render(f"{folder.name}/{template}", {**view, "interface": interface})
            path = _filled(pattern, names)
            if path in made:
                from ingen_sdkgen.toml.errors import TomlError

                raise TomlError(f"{folder / MANIFEST} gives two files the name {path}")
            made[path] = content
    return made


def _side(top: TomlTable) -> Side:
    name = top.text("side")
    known = {side.value: side for side in Side}
    if name is not None and name not in known:
        top.problem("side", f"there is no side `{name}`", hint=nearest(name, known, listed=True))
    return known.get(name or "", Side.OTHER)


def _files(top: TomlTable, key: str, names: tuple[str, ...]) -> dict[str, str]:
    table = top.table(key)
    files: dict[str, str] = {}
    for pattern in [] if table is None else table:
        assert table is not None
        template = table.text(pattern)
        problem = _problem_of(pattern, names)
        if problem is not None:
            table.problem(pattern, problem, at_key=True)
        elif template is not None:
            files[pattern] = template
    if key == "interface-files":
        for pattern in files:
            if "{interface" not in pattern:
                assert table is not None
                table.problem(pattern, f"`{pattern}` has no {{interface}} in it: all would have one name")
    return files


def _problem_of(pattern: str, names: tuple[str, ...]) -> str | None:
    """What is wrong with the path of a file."""
    for found in _PLACEHOLDER.finditer(pattern):
        if found[1] not in names:
            return f"there is no `{{{found[1]}}}` here, only {', '.join(f'`{{{name}}}`' for name in names)}"
        if found[2] is not None and found[2] not in _STYLES:
            return f"names have no `.{found[2]}`, only {', '.join(f'`.{style}`' for style in _STYLES)}"
    path = PurePosixPath(pattern)
    if path.is_absolute() or ".." in path.parts or "\\" in pattern:
        return f"`{pattern}` leads out of the output folder"
    return None


def _filled(pattern: str, names: Mapping[str, str]) -> str:
    return _PLACEHOLDER.sub(
        lambda found: str(getattr(names[found[1]], found[2]) if found[2] else names[found[1]]), pattern
    )


def _defaults(table: TomlTable | None) -> dict[str, OptionValue]:
    defaults: dict[str, OptionValue] = {}
    for name in [] if table is None else table:
        assert table is not None
        value = table.value(name)
        if isinstance(value, list) and OptionKind.LIST.fits(value):
            defaults[name] = tuple(value)
        elif isinstance(value, bool | str) or (isinstance(value, dict) and OptionKind.TABLE.fits(value)):
            defaults[name] = value
        else:
            kinds = ", ".join(kind.value for kind in OptionKind)
            table.problem(name, f"the default is {described(value)}; it can be one of: {kinds}")
    return defaults


def _kind(value: OptionValue) -> OptionKind:
    match value:
        case bool():
            return OptionKind.SWITCH
        case str():
            return OptionKind.TEXT
        case tuple():
            return OptionKind.LIST
        case _:
            return OptionKind.TABLE
