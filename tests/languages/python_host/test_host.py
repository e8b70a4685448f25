"""Generated Python hosts: they type-check, they are clean, and they run guests."""

from __future__ import annotations

import asyncio
import importlib
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from ingen_runtime.bindings import Err
from ingen_runtime.component.component import Component
from ingen_runtime.component.linker import Linker
from ingen_runtime.errors import HostValueError, LinkError
from ingen_sdkgen.languages import c, python_host
from ingen_sdkgen.languages.errors import CodegenError
from ingen_sdkgen.languages.planning import find_world
from ingen_sdkgen.model import Resolve, WorldId
from ingen_sdkgen.render import Templates, verify
from ingen_sdkgen.resolve import load, load_text
from tests.conftest import absent
from tests.languages.behaviour.guests import Guests
from tests.languages.c.toolchain import build
from tests.languages.keywords import awkward_names, awkward_world, named_world
from tests.languages.worlds import WIT, conformance_worlds, own_worlds

ROOT = Path(__file__).resolve().parents[3]
TEMPLATES = Templates()
CASES = conformance_worlds() + own_worlds()


def write(resolve: Resolve, world: WorldId, folder: Path) -> None:
    """Write the package of a world."""
    folder.mkdir(parents=True)
    for name, content in python_host.generate(resolve, world, python_host.Options(), TEMPLATES).items():
        (folder / name).write_bytes(content)
        assert name == "py.typed" or verify(content)


def run(*command: str, folder: Path) -> None:
    """Run a tool that has to find nothing."""
    result = subprocess.run(
        [str(Path(sys.executable).with_name(command[0])), *command[1:]],
        cwd=folder,
        env={"MYPYPATH": str(ROOT / "runtime"), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout[-5000:] + result.stderr[-2000:]


def test_every_world_is_clean(tmp_path: Path) -> None:
    written = 0
    for number, case in enumerate(CASES):
        try:
            write(case.resolve, case.world, tmp_path / f"world{number}")
            written += 1
        except CodegenError as error:
            assert case.asynchronous, error
    assert written > 60
    write(load_text(awkward_world()).resolve, WorldId(0), tmp_path / "awkward")
    for name in ("self", "imports", "async-imports", "str", "type", "load"):
        write(load_text(named_world(name)).resolve, WorldId(0), tmp_path / f"named{name.replace('-', '_')}")
    run("ruff", "check", "--isolated", "--no-cache", ".", folder=tmp_path)
    packages = sorted(path.name for path in tmp_path.iterdir() if path.is_dir())
    run("mypy", "--strict", "--explicit-package-bases", *packages, folder=tmp_path)


def test_a_users_program_type_checks(packages: Path, tmp_path: Path) -> None:
    for name in ("banking_host", "branch_host", "values_host"):
        shutil.copytree(packages / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    program = Path(__file__).with_name("user.py.txt").read_text("utf-8")
    (tmp_path / "user.py").write_text(program, "utf-8")
    run("mypy", "--strict", "--explicit-package-bases", "user.py", folder=tmp_path)
    wrong = program.replace("return branch.teller.keep(account)", "return branch.teller.keep(7)")
    assert wrong != program
    (tmp_path / "user.py").write_text(wrong, "utf-8")
    with pytest.raises(AssertionError, match='has incompatible type "int"; expected "Account"'):
        run("mypy", "--strict", "--explicit-package-bases", "user.py", folder=tmp_path)


def test_pyright_finds_nothing(packages: Path, tmp_path: Path) -> None:
    if not Path(sys.executable).with_name("basedpyright").is_file():
        absent("the type checker is absent: pip install basedpyright")
    for folder in packages.iterdir():
        shutil.copytree(folder, tmp_path / folder.name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(Path(__file__).with_name("user.py.txt"), tmp_path / "user.py")
    settings_ = {"extraPaths": [str(ROOT / "runtime")], "typeCheckingMode": "standard"}
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(settings_), "utf-8")
    run("basedpyright", "--level", "error", "--pythonpath", sys.executable, ".", folder=tmp_path)


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder that generated packages can be imported from."""
    folder = tmp_path_factory.mktemp("packages")
    for file, world, name in (
        ("values.wit", "through", "values_host"),
        ("resources.wit", "banking", "banking_host"),
        ("resources.wit", "branch", "branch_host"),
    ):
        resolve = load(WIT / file).resolve
        world_id = find_world(resolve, world)
        assert world_id is not None
        write(resolve, world_id, folder / name)
    write(load_text(awkward_world()).resolve, WorldId(0), folder / "awkward_host")
    sys.path.insert(0, str(folder))
    yield folder
    sys.path.remove(str(folder))


def package(name: str) -> ModuleType:
    """A generated package."""
    return importlib.import_module(name)


class Echoing:
    """Has every function."""

    def __getattr__(self, name: str) -> Any:
        return lambda x: x


class Attributes:
    """An object with these attributes, that implements an interface."""

    def __init__(self, **attributes: Any) -> None:
        self.__dict__.update(attributes)


def test_awkward_names_import(packages: Path) -> None:
    assert package("awkward_host").Names


def test_values_are_of_the_generated_classes(guests: Guests) -> None:
    module = guests.package("values")
    echo = module._echo

    class Echo(Echoing):
        def result_of(self, x: Any) -> Any:
            if isinstance(x, Err):
                raise echo.ColorError(x.value)
            return x.value

    component = module.Through.component(guests.module("c", "values"))
    with module.Through.load(component, SimpleNamespace(echo=Echo())) as host:
        assert host.echo.point_of(echo.Point(1.0, 2.0)) == echo.Point(x=1.0, y=2.0)
        assert type(host.echo.shape_of(echo.ShapeCircle(0.5))) is echo.ShapeCircle
        assert host.echo.color_of(echo.Color.GREEN) is echo.Color.GREEN
        assert host.echo.some_of(echo.Some_.F8 | echo.Some_.F0) == echo.Some_.F8 | echo.Some_.F0
        with pytest.raises(echo.ColorError) as caught:
            host.echo.result_of(Err(echo.Color.RED))
        assert caught.value.value is echo.Color.RED
        with pytest.raises(HostValueError):
            host.echo.u8(256)


def test_imports_bring_their_classes(guests: Guests) -> None:
    module = guests.package("values")
    echo = module._echo
    seen = []

    class Turning(Echoing):
        def point_of(self, x: Any) -> Any:
            seen.append(x)
            return echo.Point(x.y, x.x)

    component = Component.from_file(guests.module("c", "values"))
    imports = module.Through.imports(Attributes(echo=Turning()))
    own = Linker(imports).instantiate(component).exports["test:values/echo@0.1.0"]
    assert own.Point is not echo.Point
    assert own.point_of(own.Point(1.0, 2.0)) == own.Point(2.0, 1.0)
    assert seen == [echo.Point(1.0, 2.0)]


def test_a_component_that_does_not_fit(packages: Path, guests: Guests) -> None:
    module = package("banking_host")
    through = guests.module("c", "values")
    with pytest.raises(LinkError, match=r"Attributes does not implement `test:resources/bank@0\.1\.0#total`"):
        module.Banking.load(through, Attributes(bank=Attributes(account=object)))
    with pytest.raises(LinkError, match="it lacks bank"):
        module.Banking.load(through, Attributes())


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        (
            "%u8: func(x: u8)",
            "%u8: func(x: u16)",
            r"echo@0\.1\.0#u8` is `func\(x: u8\) -> u8`.* for `func\(x: u16\) -> u8`",
        ),
        (
            "record one { only: u16 }",
            "record one { only: s16 }",
            r"record { only: u16 }.*another content",
        ),
        ("none,\n    circle", "nothing,\n    circle", r"#shape-of` is .*none.*another content of"),
        ("enum color { red, green", "enum color { red, violet", r"#color-of` is `func\(x: enum { red, green"),
    ],
)
def test_a_component_with_other_types(
    guests: Guests, tmp_path: Path, before: str, after: str, message: str
) -> None:
    text = (WIT / "values.wit").read_text("utf-8")
    changed = load_text(text.replace("/// Nothing at all.\n    ", "").replace(before, after)).resolve
    world = find_world(changed, "through")
    assert world is not None
    name = f"other_host_{tmp_path.name}"
    write(changed, world, tmp_path / name)
    sys.path.insert(0, str(tmp_path))
    try:
        with pytest.raises(LinkError, match=message):
            package(name).Through.load(guests.module("c", "values"), Attributes(echo=Echoing()))
    finally:
        sys.path.remove(str(tmp_path))


def test_a_type_may_go_by_another_name(guests: Guests, packages: Path) -> None:
    """The names of types are the WIT's matter: only what they hold has to be the same."""
    text = (WIT / "values.wit").read_text("utf-8").replace("record one", "record single")
    renamed = load_text(
        text.replace("one-of: func(x: one) -> one", "one-of: func(x: single) -> single")
    ).resolve
    world = find_world(renamed, "through")
    assert world is not None
    write(renamed, world, packages / "renamed_host")
    host = package("renamed_host").Through.load(guests.module("c", "values"), Attributes(echo=Echoing()))
    assert host.echo.u8(7) == 7


def test_a_world_without_imports(packages: Path, tmp_path: Path) -> None:
    resolve = load_text("package a:b;\nworld alone { export double: func(x: u32) -> u32; }\n").resolve
    write(resolve, WorldId(0), packages / "alone_host")
    files = c.generate(resolve, WorldId(0), c.Options("world"), TEMPLATES)
    (tmp_path / "guest.c").write_text(
        '#include "world.h"\nuint32_t exports_alone_double(uint32_t x) { return 2 * x; }\n', "utf-8"
    )
    module = build(files, tmp_path, tmp_path / "guest.c")
    with package("alone_host").Alone.load(module) as host:
        assert host.double(21) == 42

    other = load_text("package a:b;\nworld alone { export double: func(x: u64) -> u32; }\n").resolve
    write(other, WorldId(0), packages / "double_host")
    with pytest.raises(LinkError, match=r"`double` is `func\(x: u32\) -> u32`.* for `func\(x: u64\)"):
        package("double_host").Alone.load(module)

    async def use() -> int:
        async with await package("alone_host").Alone.load_async(module) as waiting:
            doubled: int = await waiting.double(4)
            return doubled

    assert asyncio.run(use()) == 8


@pytest.mark.parametrize("name", [*awkward_names(), "async-imports"])
def test_worlds_may_have_any_name(name: str, packages: Path) -> None:
    """Importing such a package finds every class that annotations and bases mention."""
    folder = f"named_{name.replace('-', '_')}"
    write(load_text(named_world(name)).resolve, WorldId(0), packages / folder)
    module = package(folder)
    assert len({getattr(module, public) for public in module.__all__}) == len(module.__all__)
