"""Rust guests: one file that implements a world's side of the canonical ABI, without any crate."""

from __future__ import annotations

import re
from typing import Final

from ingen_sdkgen.languages.planning import plan_world
from ingen_sdkgen.languages.rust.options import Options
from ingen_sdkgen.languages.rust.view import module_name, world_view
from ingen_sdkgen.model import Resolve, WorldId
from ingen_sdkgen.render import Header, Templates

__all__ = ["LANGUAGE", "TEMPLATES", "Options", "generate"]

LANGUAGE: Final = "rust"
TEMPLATES: Final = (
    "rust/world.rs.j2",
    "rust/module.rs.j2",
    "rust/types.rs.j2",
    "rust/resources.rs.j2",
    "rust/functions.rs.j2",
    "rust/abi.rs.j2",
    "rust/stubs.rs.j2",
)


def generate(resolve: Resolve, world: WorldId, options: Options, templates: Templates) -> dict[str, bytes]:
    """The files of a Rust guest, by relative path: `WORLD.rs`, to be used as a module of that name.

    The module goes into any crate of edition 2021 or newer, with or without the standard library, for Rust
    1.82 and newer. The guest implements its traits and calls its macro `export!`.

    Raises: CodegenError, where the world or an option cannot be had; TemplateError.
    """
    plan = plan_world(resolve, world, "Rust guest")
    name = module_name(plan, options)
    placed = {"header": Header(plan.full_name), "world": world_view(plan, options)}
    files = {f"{name}.rs": templates.render("rust/world.rs.j2", placed, _tidy)}
    if options.stubs:
        files[f"{name}_stubs.rs"] = templates.render("rust/stubs.rs.j2", placed, _tidy)
    return files


def _tidy(text: str) -> str:
    """At most one empty line in a row, and none at the ends of a block."""
    text = re.sub(r"\n{3,}", "\n\n", text)
    text = re.sub(r"\n\n( *\})", r"\n\1", text)
    return re.sub(r"\{\n\n", "{\n", text).rstrip("\n") + "\n"
