"""Typed Python guests: a package for componentize-py, that unit tests can use as it is."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields, replace
from typing import Final

from ingen_sdkgen.languages.features import ASYNCHRONY, Feature, check_features
from ingen_sdkgen.languages.plan import Direction
from ingen_sdkgen.languages.planning import plan_world
from ingen_sdkgen.languages.python_guest.crossing import view_crossing
from ingen_sdkgen.languages.python_guest.names import InterfaceNames
from ingen_sdkgen.languages.python_guest.view import ModuleBuilder
from ingen_sdkgen.languages.python_guest.views import CrossingView, ModuleView
from ingen_sdkgen.model import (
    Function,
    FunctionKind,
    FunctionShape,
    Param,
    Primitive,
    Resolve,
    WorldFunction,
    WorldId,
)
from ingen_sdkgen.render import Templates
from ingen_sdkgen.resolve import load_text
from ingen_sdkgen.restrict import find_world, restrict_to_world
from ingen_sdkgen.wit.printer import print_wit

__all__ = ["BUILD_FILE", "LANGUAGE", "TEMPLATES", "WIT_FILE", "Options", "generate"]

LANGUAGE: Final = "python_guest"
TEMPLATES: Final = (
    "python_guest/crossing.py.j2",
    "python_guest/ingen.py.j2",
    "python_guest/ingen_guest.py.j2",
    "python_guest/ingen_types.py.j2",
    "python_guest/macros.j2",
    "python_guest/module.py.j2",
)

WIT_FILE: Final = "_ingen_world.wit"
"""The world, as componentize-py reads it."""
BUILD_FILE: Final = "_ingen_build.json"
"""What componentize-py has to be told besides: see `ingen_sdkgen.building.python`."""

_DROP: Final = "ingen-drop"
"""The exported function that is told of representations whose resource is gone."""

_NAME: Final = "Python guest"
_LACKS: Final = ASYNCHRONY | {
    Feature.MAP,
    Feature.FIXED_LENGTH_LIST,
    Feature.ACCESSOR,
    Feature.LABEL,
}
"""What componentize-py does not know, up to 0.25."""


@dataclass(frozen=True, slots=True)
class Options:
    """What a user can choose: nothing so far."""


def generate(resolve: Resolve, world: WorldId, options: Options, templates: Templates) -> dict[str, bytes]:
    """The files of a guest's package, by path relative to the package's folder.

    Raises: CodegenError, TemplateError.
    """
    check_features(resolve, world, _NAME, _LACKS)
    wit = print_wit(restrict_to_world(resolve, world))
    # componentize-py numbers functions in the order in which it reads them from this text.
    read = load_text(wit, all_features=True).resolve
    content = resolve.worlds[world]
    found = find_world(read, resolve.packages[content.package].name.interface_id(content.name))
    plan = plan_world(read, found, _NAME, _LACKS)
    names = InterfaceNames.of(plan)
    built = ModuleBuilder(plan)
    crossing = view_crossing(built, names)
    drop = None
    if any(scope.resources for scope in plan.scopes if scope.direction is Direction.EXPORT):
        drop = _DROP
        wit = print_wit(_with_drop(read, found))
    build = {"world": plan.full_name, "drop": drop, **asdict(names)}
    files = {
        "py.typed": b"",
        WIT_FILE: wit.encode(),
        BUILD_FILE: json.dumps(build, indent=1).encode() + b"\n",
        "_ingen_world.py": templates.render("python_guest/crossing.py.j2", _shallow(crossing)),
    }
    for name in ("ingen", "ingen_types", "ingen_guest"):
        files[f"_{name}.py"] = templates.render(f"python_guest/{name}.py.j2", {"header": crossing.header})
    for module in built.views:
        files[f"{module.name}.py"] = templates.render("python_guest/module.py.j2", _shallow(module))
    return files


def _with_drop(resolve: Resolve, world: WorldId) -> Resolve:
    """The IR with one more function that the world exports: see `ingen_sdkgen.building.destructors`."""
    docs = "Told of resources of the guest's that are gone; not for hosts."
    params = (Param("rep", Primitive.U32),)
    drop = Function(_DROP, FunctionKind(FunctionShape.FREESTANDING), params, None, docs)
    content = resolve.worlds[world]
    more = replace(content, exports={**content.exports, _DROP: WorldFunction(drop)})
    worlds = tuple(more if number == world else other for number, other in enumerate(resolve.worlds))
    return replace(resolve, worlds=worlds)


def _shallow(view: ModuleView | CrossingView) -> dict[str, object]:
    return {field.name: getattr(view, field.name) for field in fields(view)}
