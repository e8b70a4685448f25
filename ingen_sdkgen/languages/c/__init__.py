"""C guests: a header and a source file that need a C99 compiler for wasm32, `realloc` and `free`."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from typing import Final

from ingen_sdkgen.languages.c.view import view_world
from ingen_sdkgen.languages.errors import CodegenError
from ingen_sdkgen.languages.planning import plan_world
from ingen_sdkgen.model import Resolve, WorldId
from ingen_sdkgen.render import Templates

__all__ = ["LANGUAGE", "TEMPLATES", "Options", "generate"]

LANGUAGE: Final = "c"
TEMPLATES: Final = ("c/header.h.j2", "c/source.c.j2", "c/definition.j2", "c/macros.j2")


@dataclass(frozen=True, slots=True)
class Options:
    """What a user can choose: `file` names both files instead of the world, and names that belong to no
    interface begin with `prefix` instead of the world's name.
    """

    file: str | None = None
    prefix: str | None = None

    def __post_init__(self) -> None:
        if self.prefix is not None and not re.fullmatch(r"[a-z]\w*", self.prefix, re.ASCII):
            raise CodegenError("C guest", "`prefix`", f"cannot be {self.prefix!r}, which begins no C name")


def generate(resolve: Resolve, world: WorldId, options: Options, templates: Templates) -> dict[str, bytes]:
    """The files of a C guest, by relative path: `WORLD.h` and `WORLD.c`.

    Raises: CodegenError, TemplateError.
    """
    view = view_world(plan_world(resolve, world, "C guest"), options.file, options.prefix)
    placed = {field.name: getattr(view, field.name) for field in fields(view)}
    return {
        f"{view.file}.h": templates.render("c/header.h.j2", placed),
        f"{view.file}.c": templates.render("c/source.c.j2", placed),
    }
