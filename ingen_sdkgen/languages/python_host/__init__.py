"""Typed Python hosts: a package with a class for the world, and a module for each interface."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

from ingen_sdkgen.languages.features import Feature
from ingen_sdkgen.languages.planning import plan_world
from ingen_sdkgen.languages.python_host.view import view_world
from ingen_sdkgen.model import Resolve, WorldId
from ingen_sdkgen.render import Templates

__all__ = ["LANGUAGE", "TEMPLATES", "Options", "generate"]

LANGUAGE: Final = "python_host"
TEMPLATES: Final = (
    "python_host/world.py.j2",
    "python_host/interface.py.j2",
    "python_host/macros.j2",
)

_LACKS: Final = frozenset({Feature.ERROR_CONTEXT})


@dataclass(frozen=True, slots=True)
class Options:
    """What a user can choose: nothing so far."""


def generate(resolve: Resolve, world: WorldId, options: Options, templates: Templates) -> dict[str, bytes]:
    """The files of a host package, by path relative to the package's folder.

    Raises: CodegenError, TemplateError.
    """
    plan = plan_world(resolve, world, "Python host", lacks=_LACKS)
    view = view_world(plan)
    files = {"py.typed": b""}
    for module in view.modules:
        placed = {field.name: getattr(module, field.name) for field in fields(module)}
        files[f"{module.name}.py"] = templates.render(
            "python_host/world.py.j2" if module.is_world else "python_host/interface.py.j2", placed
        )
    return files
