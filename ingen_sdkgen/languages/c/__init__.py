"""C guests: a header and a source file that need a C99 compiler for wasm32, `realloc` and `free`."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

from ingen_sdkgen.languages.c.view import view_world
from ingen_sdkgen.languages.planning import plan_world
from ingen_sdkgen.model import Resolve, WorldId
from ingen_sdkgen.render import Templates

__all__ = ["LANGUAGE", "TEMPLATES", "Options", "generate"]

LANGUAGE: Final = "c"
TEMPLATES: Final = ("c/header.h.j2", "c/source.c.j2", "c/definition.j2", "c/macros.j2")


@dataclass(frozen=True, slots=True)
class Options:
    """What a user can choose: `file` names both files instead of the world."""

    file: str | None = None


def generate(resolve: Resolve, world: WorldId, options: Options, templates: Templates) -> dict[str, bytes]:
    """The files of a C guest, by relative path: `WORLD.h` and `WORLD.c`.

    Raises: CodegenError, TemplateError.
    """
    view = view_world(plan_world(resolve, world, "C guest"), options.file)
    placed = {field.name: getattr(view, field.name) for field in fields(view)}
    return {
        f"{view.file}.h": templates.render("c/header.h.j2", placed),
        f"{view.file}.c": templates.render("c/source.c.j2", placed),
    }
