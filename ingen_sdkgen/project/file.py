"""Reading `ingen-sdkgen.toml`.

wit = "wit"                 # what every table below uses that does not say otherwise
world = "greeter"

[[guest]]                   # code that becomes WebAssembly
language = "c"
out = "guest/bindings"

[[host]]                    # code that runs it
language = "python"
out = "greeter_host"

[[other]]                   # anything else that templates make of a world
language = "markdown"
templates = "templates"
out = "docs/api"
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from ingen_sdkgen.languages.registry import Language, OptionKind, OptionValue, Side, languages
from ingen_sdkgen.project import BuildSettings, Project, Target
from ingen_sdkgen.toml.tables import TomlFile, TomlTable, described, nearest


def read_project(path: Path) -> Project:
    """The project that a file describes.

    Raises: WitErrors with every mistake in it, UnreadableInput
    """
    file = TomlFile(path, "the project file")
    targets = _Reader(path.parent).targets(file.top)
    file.check()
    return Project(path.parent, tuple(targets), path)


class _Shared(NamedTuple):
    """What stands at the top of the file, for all targets."""

    wit: Path | None
    world: str | None
    features: tuple[str, ...] | None
    all_features: bool | None
    templates: Path | None


class _Reader:
    def __init__(self, root: Path) -> None:
        self.root = root

    def targets(self, top: TomlTable) -> list[Target]:
        shared = _Shared(
            self._path(top, "wit"),
            top.text("world"),
            top.texts("features"),
            top.switch("all-features"),
            self._folder_of_templates(top),
        )
        tables = [(side, table) for side in Side for table in top.tables(side.value)]
        if not any(side.value in top for side in Side):
            message = "there is nothing to generate: no [[guest]], no [[host]] and no [[other]]"
            top.problem(None, message)
        targets = [self._target(side, table, shared) for side, table in tables]
        top.finish()
        return [target for target in targets if target is not None]

    def _target(self, side: Side, table: TomlTable, shared: _Shared) -> Target | None:
        """A target; None where something is wrong, which is noted."""
        templates = self._folder_of_templates(table) or shared.templates
        language = self._language(side, table, templates)
        out, wit = self._path(table, "out"), self._path(table, "wit") or shared.wit
        world, features = table.text("world"), table.texts("features")
        all_features = table.switch("all-features")
        options = table.table("options")
        build = self._build(table) if side is Side.GUEST else BuildSettings()
        table.finish()
        missing = [key for key, value in [("wit", wit), ("out", out)] if value is None and key not in table]
        for key in missing:
            table.problem(None, f"this [[{side.value}]] does not say its `{key}`")
        chosen = {} if options is None or language is None else _options(options, language)
        if language is None or out is None or wit is None:
            return None
        return Target(
            language,
            wit,
            world or shared.world,
            out,
            features if features is not None else shared.features or (),
            bool(shared.all_features if all_features is None else all_features),
            chosen,
            templates,
            build,
        )

    def _path(self, table: TomlTable, key: str) -> Path | None:
        text = table.text(key)
        if text is None:
            return None
        if PurePosixPath(text).is_absolute() or Path(text).is_absolute():
            message = f"`{key}` is an absolute path, which would be another one on other machines"
            table.problem(key, message, hint="paths start from the folder of this file")
            return None
        return self.root / text

    def _libraries(self, table: TomlTable) -> Iterator[Path]:
        for text in table.texts("libraries") or ():
            if PurePosixPath(text).is_absolute() or Path(text).is_absolute():
                table.problem("libraries", f"`{text}` is an absolute path: paths start from this folder")
            elif not (self.root / text).is_dir():
                table.problem("libraries", f"there is no folder {self.root / text}")
            else:
                yield self.root / text

    def _folder_of_templates(self, table: TomlTable) -> Path | None:
        path = self._path(table, "templates")
        if path is not None and not path.is_dir():
            table.problem("templates", f"there is no folder {path}")
            return None
        return path

    def _language(self, side: Side, table: TomlTable, templates: Path | None) -> Language | None:
        name = table.text("language")
        if name is None:
            if "language" not in table:
                table.problem(None, f"this [[{side.value}]] does not say its `language`")
            return None
        known = languages(None, templates)
        here = {language.name: language for language in known if language.side is side}
        if name not in here:
            elsewhere = next((language.side for language in known if language.name == name), None)
            hint = f"it goes under [[{elsewhere.value}]]" if elsewhere else nearest(name, here, listed=True)
            what = "language" if side is Side.OTHER else f"{side.value} language"
            table.problem("language", f"there is no {what} `{name}`", hint=hint)
            return None
        return here[name]

    def _build(self, target: TomlTable) -> BuildSettings:
        table = target.table("build")
        if table is None:
            return BuildSettings()
        settings = BuildSettings(
            self._path(table, "output"),
            table.texts("sources") or (),
            table.texts("flags") or (),
            table.text("target"),
            table.switch("component") or False,
            tuple(self._libraries(table)),
        )
        table.finish()
        return settings


def _options(table: TomlTable, language: Language) -> dict[str, OptionValue]:
    options: dict[str, OptionValue] = {}
    for key in table:
        value, option = table.value(key), language.option(key)
        if option is None:
            hint = nearest(key, [known.name for known in language.options], listed=True)
            table.problem(key, f"`{language.name}` has no option `{key}`", hint=hint, at_key=True)
        elif not option.kind.fits(value):
            table.problem(key, f"`{key}` is {described(value)}, but should be {option.kind.value}")
        else:
            options[key] = _as_option(value, option.kind)
    return options


def _as_option(value: object, kind: OptionKind) -> OptionValue:
    if kind is OptionKind.LIST:
        assert isinstance(value, list)
        return tuple(value)
    assert isinstance(value, bool | str | dict)
    return value
