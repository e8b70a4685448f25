"""The languages that bindings can be generated for, known without loading any of them.

Each of ours is a module with a function `generate`; one that a user adds is a folder of templates with a
`language.toml` (`ingen_sdkgen.languages.from_templates`).

These are named tuples, like all that a run needs which has nothing to do: importing `dataclasses` takes
longer than the rest of such a run's own work.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from ingen_sdkgen.model import Resolve, WorldId

OptionValue = bool | str | tuple[str, ...] | Mapping[str, str]
"""The value of a language's option; which of them is the option's `OptionKind`."""


class Side(enum.Enum):
    """What bindings are for; the value is the name of the table in a project file."""

    GUEST = "guest"
    HOST = "host"
    OTHER = "other"
    """Neither: documentation, for instance."""


class OptionKind(enum.Enum):
    """The type of an option's value; the value says it in words."""

    SWITCH = "true or false"
    TEXT = "a string"
    LIST = "a list of strings"
    TABLE = "a table of strings"

    def fits(self, value: object) -> bool:
        """Whether a value from a project file is of this kind."""
        match self:
            case OptionKind.SWITCH:
                return isinstance(value, bool)
            case OptionKind.TEXT:
                return isinstance(value, str)
            case OptionKind.LIST:
                return isinstance(value, list) and all(isinstance(item, str) for item in value)
            case OptionKind.TABLE:
                return isinstance(value, dict) and all(isinstance(item, str) for item in value.values())


class Option(NamedTuple):
    """Something that a user can choose about a language's bindings."""

    name: str
    kind: OptionKind
    help: str


class Language(NamedTuple):
    """A language on one side of the boundary."""

    name: str
    side: Side
    description: str
    options: tuple[Option, ...]
    templates: str
    """The folder of its templates, in our folder of templates and in a user's."""
    module: str | None
    """What has its `generate`; None where templates are all there is."""
    shared: tuple[str, ...] = ()
    """Folders of templates that other languages use too."""

    @property
    def folders(self) -> tuple[str, ...]:
        """The folders of all templates that it may use."""
        return (self.templates, *self.shared)

    def option(self, name: str) -> Option | None:
        """The option of that name."""
        return next((option for option in self.options if option.name == name), None)


OWN_LANGUAGES: tuple[Language, ...] = (
    Language(
        "rust",
        Side.GUEST,
        "one file for any crate, without dependencies",
        (
            Option("file", OptionKind.TEXT, "the name of the module, in place of the world's"),
            Option("derives", OptionKind.LIST, "derive macros for every type without handles in it"),
            Option("renames", OptionKind.TABLE, "names in Rust for items: `ns:pkg/iface#item`"),
            Option("stubs", OptionKind.SWITCH, "also a file to start from, with every trait implemented"),
            Option("realloc", OptionKind.SWITCH, "false: another file of the guest defines `cabi_realloc`"),
        ),
        "rust",
        "ingen_sdkgen.languages.rust",
    ),
    Language(
        "c",
        Side.GUEST,
        "a header and a source file in C99",
        (
            Option("file", OptionKind.TEXT, "the name of both files, in place of the world's"),
            Option("prefix", OptionKind.TEXT, "what the world's names begin with, in place of its own"),
        ),
        "c",
        "ingen_sdkgen.languages.c",
    ),
    Language(
        "python",
        Side.GUEST,
        "a typed package for componentize-py, and for unit tests",
        (),
        "python_guest",
        "ingen_sdkgen.languages.python_guest",
        ("python",),
    ),
    Language(
        "python",
        Side.HOST,
        "a typed package with a class for the world",
        (),
        "python_host",
        "ingen_sdkgen.languages.python_host",
        ("python",),
    ),
)


def languages(side: Side | None = None, templates: Path | None = None) -> list[Language]:
    """Our languages and those that a user's folder of templates adds, of one side or of all.

    Raises: WitErrors, where a `language.toml` is wrong.
    """
    known: Iterable[Language] = OWN_LANGUAGES
    if templates is not None:
        from ingen_sdkgen.languages.from_templates import added_languages

        known = [*known, *added_languages(templates)]
    return [language for language in known if side is None or language.side is side]


def generate(
    language: Language,
    resolve: Resolve,
    world: WorldId,
    options: Mapping[str, OptionValue],
    templates: Path | None,
) -> dict[str, bytes]:
    """The files that a language makes of a world, by their paths in the output folder (with `/`).

    Raises: CodegenError, TemplateError
    """
    from importlib import import_module

    from ingen_sdkgen.render import Templates

    if language.module is None:
        from ingen_sdkgen.languages.from_templates import generate_from_templates

        assert templates is not None, "a language that is not ours comes from a folder"
        return generate_from_templates(templates / language.templates, resolve, world, options, templates)
    module = import_module(language.module)
    chosen = module.Options(**{name.replace("-", "_"): value for name, value in options.items()})
    made: dict[str, bytes] = module.generate(resolve, world, chosen, Templates(templates))
    return made
