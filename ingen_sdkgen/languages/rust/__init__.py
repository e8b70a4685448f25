"""Rust guests: one file that implements a world's side of the canonical ABI, without any crate."""

from __future__ import annotations

from ingen_sdkgen.languages.planning import plan_world
from ingen_sdkgen.languages.rust.names import snake
from ingen_sdkgen.languages.rust.options import RustOptions
from ingen_sdkgen.languages.rust.view import world_view
from ingen_sdkgen.model import Resolve, WorldId
from ingen_sdkgen.render import Header, Templates

__all__ = ["RustOptions", "generate"]


def generate(
    resolve: Resolve,
    world: WorldId,
    options: RustOptions | None = None,
    templates: Templates | None = None,
) -> dict[str, bytes]:
    """The files of a world's Rust bindings, by name: `WORLD.rs`, to be used as a module of that name.

    The module goes into any crate of edition 2021 or newer, with or without the standard library, for Rust
    1.82 and newer. The guest implements its traits and calls its macro `export!`.

    Raises: CodegenError, where the world or an option cannot be had; TemplateError
    """
    options = options or RustOptions()
    templates = templates or Templates()
    plan = plan_world(resolve, world, "Rust")
    view = world_view(plan, options)
    header = Header(plan.full_name)
    placed = {"header": header, "world": view}
    files = {f"{snake(plan.name)}.rs": templates.render("rust/world.rs.j2", placed)}
    if options.stubs:
        files[f"{snake(plan.name)}_stubs.rs"] = templates.render("rust/stubs.rs.j2", placed)
    return files
