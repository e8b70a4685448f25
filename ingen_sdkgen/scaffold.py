"""New projects: small ones, that build and run at once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from ingen_runtime.errors import IngenError
from ingen_sdkgen.languages.c.names import Names as CNames
from ingen_sdkgen.languages.casing import snake_case
from ingen_sdkgen.languages.python.names import MODULE_NAMES, Names, class_name
from ingen_sdkgen.render import Templates
from ingen_sdkgen.wit.printer import escape_name

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z][a-z0-9]*)*")


class BadName(IngenError):
    """A name that a world cannot have."""


@dataclass(frozen=True, slots=True)
class _Layout:
    """What a project in a language looks like."""

    out: str
    """The folder of the bindings."""
    file: str | None
    """What the bindings are called, None where the folder is."""
    files: Mapping[str, str]
    """Templates by the path of the file that they make."""


_EVERYWHERE = {
    "ingen-sdkgen.toml": "project.toml.j2",
    "wit/world.wit": "world.wit.j2",
    "main.py": "main.py.j2",
    ".gitignore": "gitignore.j2",
}
_LAYOUTS = {
    "rust": _Layout("src", "bindings", {"Cargo.toml": "rust/Cargo.toml.j2", "src/lib.rs": "rust/lib.rs.j2"}),
    "c": _Layout("bindings", "bindings", {"src/guest.c": "c/guest.c.j2"}),
    "python": _Layout(
        "src/bindings",
        None,
        {"src/guest.py": "python/guest.py.j2", "src/test_guest.py": "python/test_guest.py.j2"},
    ),
}

LANGUAGES = tuple(_LAYOUTS)
"""The languages that a project can be begun in."""


@dataclass(frozen=True, slots=True)
class _View:
    name: str
    wit_name: str
    class_name: str
    snake: str
    c_name: str
    language: str
    rust: bool
    out: str
    file: str | None


def new_project(name: str, language: str) -> dict[str, bytes]:
    """The files of a new project by their paths, its world called `name`.

    Raises: BadName
    """
    if not _NAME.fullmatch(name):
        words = re.findall(r"[a-z][a-z0-9]*", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", name).lower())
        hint = f"; `{'-'.join(words)}` would do" if words else ""
        raise BadName(f"`{name}` cannot name a world: names are lower-case words joined by `-`{hint}")
    layout = _LAYOUTS[language]
    view = _View(
        name,
        escape_name(name),
        Names(MODULE_NAMES).claim(class_name(name)),
        snake_case(name),
        CNames().claim(snake_case(name)),
        language,
        language == "rust",
        layout.out,
        layout.file,
    )
    templates = Templates()
    return {
        path: templates.render(f"new/{template}", asdict(view))
        for path, template in {**_EVERYWHERE, **layout.files}.items()
    }
