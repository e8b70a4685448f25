"""Generate Python guests, and make components of them."""

from __future__ import annotations

import shutil
from functools import cache
from pathlib import Path

from ingen_sdkgen import toolchains
from ingen_sdkgen.building import Guest, build
from ingen_sdkgen.languages import python_guest
from ingen_sdkgen.languages.registry import Side, languages
from ingen_sdkgen.model import Resolve, WorldId
from ingen_sdkgen.project import BuildSettings, Project, Target
from ingen_sdkgen.render import Templates
from tests.conftest import absent

_templates = cache(Templates)


def write(resolve: Resolve, world: WorldId, package: Path) -> None:
    """Write the package of a world."""
    files = python_guest.generate(resolve, world, python_guest.Options(), _templates())
    package.mkdir(parents=True)
    for name, content in files.items():
        (package / name).write_bytes(content)


def compile_python(
    resolve: Resolve,
    world: WorldId,
    sources: list[Path],
    folder: Path,
    package: str = "world",
    flags: tuple[str, ...] = (),
) -> Path:
    """The component of a guest, whose first source imports `package`."""
    try:
        toolchains.componentize_py()
    except toolchains.MissingTool as missing:
        absent(str(missing))
    code = folder / "src"
    write(resolve, world, code / package)
    for source in sources:
        shutil.copy(source, code)
    settings = BuildSettings(folder / "guest.wasm", (f"src/{sources[0].name}",), flags)
    (language,) = (language for language in languages(Side.GUEST) if language.name == "python")
    target = Target(language, Path(), None, code / package, build=settings)
    guest = Guest(Project(folder, (target,), None), target, ())
    assert build(guest)
    return guest.output
