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
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingen_runtime.component.component import Component
from ingen_runtime.component.linker import Linker
from ingen_runtime.component.types import FuncType, ResultType
from ingen_runtime.errors import HostValueError, LinkError
from ingen_sdkgen.languages import python_host
from ingen_sdkgen.languages.errors import CodegenError
from ingen_sdkgen.languages.planning import find_world
from ingen_sdkgen.model import Resolve, WorldId
from ingen_sdkgen.render import Templates, verify
from ingen_sdkgen.resolve import load, load_text
from tests.conftest import absent
from tests.languages.c.conftest import library
from tests.languages.c.test_resources import BANKING, BRANCH
from tests.languages.c.test_run import ECHO, FUNCTIONS, IMPORTS, build, through_source
from tests.languages.keywords import awkward_world
from tests.languages.worlds import WIT, conformance_worlds, own_worlds
from tests.runtime.canonical.strategies import values

__all__ = ["library"]

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


@pytest.fixture(scope="module")
def through(tmp_path_factory: pytest.TempPathFactory, library: Path) -> Path:
    folder = tmp_path_factory.mktemp("through")
    return build("values.wit", "through", folder, library, through_source("through"))


@pytest.fixture(scope="module")
def banking(tmp_path_factory: pytest.TempPathFactory, library: Path) -> Path:
    return build("resources.wit", "banking", tmp_path_factory.mktemp("banking"), library, BANKING)


class Attributes:
    """An object with these attributes, that implements an interface."""

    def __init__(self, **attributes: Any) -> None:
        self.__dict__.update(attributes)


def echoes() -> Any:
    """A host of the world `through`, whose functions return what they get."""
    sides = {
        interface.split("/")[1].split("@")[0]: Attributes(
            **{name.replace("-", "_"): function for name, function in functions.items()}
        )
        for interface, functions in IMPORTS.items()
    }
    return Attributes(**sides)


def test_awkward_names_import(packages: Path) -> None:
    assert package("awkward_host").Names


@pytest.mark.parametrize(("interface", "name"), FUNCTIONS)
@settings(
    max_examples=10,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_values_pass_through(
    packages: Path, through: Path, interface: str, name: str, data: st.DataObject
) -> None:
    module = package("values_host")
    host = _loaded(module, through)
    raw = host._ingen_instance.exports[interface][name]
    type_: FuncType = raw.type
    arguments = [data.draw(values(param, module._INGEN_CLASSES)) for _, param in type_.params]
    side = getattr(host, interface.split("/")[1].split("@")[0])
    function = getattr(side, name.replace("-", "_"))
    try:
        found = function(*arguments)
    except module._bindings.ResultError as error:
        assert arguments == [module._bindings.Err(error.value)]
    else:
        expected = arguments[0] if len(arguments) == 1 else tuple(arguments)
        if isinstance(expected, module._bindings.Ok) and isinstance(type_.result, ResultType):
            expected = expected.value
        assert found == expected


_LOADED: dict[Path, Any] = {}


def _loaded(module: ModuleType, path: Path) -> Any:
    if path not in _LOADED:
        _LOADED[path] = module.Through.load(path, echoes())
    return _LOADED[path]


def test_values_are_of_the_generated_classes(packages: Path, through: Path) -> None:
    module = package("values_host")
    echo = importlib.import_module("values_host.echo")
    with module.Through.load(module.Through.component(through), echoes()) as host:
        assert host.echo.point_of(echo.Point(1.0, 2.0)) == echo.Point(x=1.0, y=2.0)
        assert type(host.echo.shape_of(echo.ShapeCircle(0.5))) is echo.ShapeCircle
        assert host.echo.color_of(echo.Color.GREEN) is echo.Color.GREEN
        assert host.echo.some_of(echo.Some_.F8 | echo.Some_.F0) == echo.Some_.F8 | echo.Some_.F0
        with pytest.raises(echo.ColorError) as caught:
            host.echo.result_of(module._bindings.Err(echo.Color.RED))
        assert caught.value.value is echo.Color.RED
        with pytest.raises(HostValueError):
            host.echo.u8(256)


def test_imports_bring_their_classes(packages: Path, through: Path) -> None:
    module = package("values_host")
    echo = importlib.import_module("values_host.echo")
    seen = []

    def point_of(point: Any) -> Any:
        seen.append(point)
        return echo.Point(point.y, point.x)

    host = echoes()
    host.echo.point_of = point_of
    instance = Linker(module.Through.imports(host)).instantiate(Component.from_file(through))
    own = instance.exports[ECHO]
    assert own.Point is not echo.Point
    assert own.point_of(own.Point(1.0, 2.0)) == own.Point(2.0, 1.0)
    assert seen == [echo.Point(1.0, 2.0)]


def test_an_exported_resource(packages: Path, banking: Path) -> None:
    module = package("banking_host")
    account = type("Account", (), dict.fromkeys(_METHODS, print))
    unused = Attributes(account=account, total=print, close=print, swap=print, find=print)
    with module.Banking.load(banking, Attributes(bank=unused)) as host:
        bank = host.bank
        with bank.Account("ann") as ann, bank.Account(owner="bobby") as bob:
            assert isinstance(ann, importlib.import_module("banking_host.bank").GuestAccount)
            assert (ann.owner(), bob.owner()) == ("ann", "bobby")
            assert ann.deposit(amount=5) == 5
            assert ann.richer(bob)
            opened = bank.Account.open(["x", "yy"])
            assert all(isinstance(account, bank.Account) for account in opened)
            assert bank.find(opened, "-").owner() == "x"
        with pytest.raises(HostValueError):
            ann.owner()


_METHODS = ("owner", "deposit", "merge", "richer", "open")


def test_waiting(packages: Path, tmp_path: Path, library: Path) -> None:
    module = package("branch_host")
    path = build("resources.wit", "branch", tmp_path, library, BRANCH)

    class Account:
        def __init__(self, owner: str) -> None:
            self._owner = owner

        async def owner(self) -> str:
            await asyncio.sleep(0)
            return self._owner

        async def deposit(self, amount: int) -> int:
            await asyncio.sleep(0)
            return amount

        def merge(self, other: Account) -> int:
            return 0

        def richer(self, other: Account) -> bool:
            return False

        @staticmethod
        async def open(owners: list[str]) -> list[Account]:
            await asyncio.sleep(0)
            return [Account(owner) for owner in owners]

    async def use() -> None:
        bank = Attributes(account=Account, total=print, close=print, swap=print, find=print)
        async with await module.Branch.load_async(path, Attributes(bank=bank)) as host:
            ann = Account("ann")
            assert await host.teller.audit(ann) == "ann"
            assert await host.teller.keep(ann) == 5
            assert await host.teller.give() is ann
            assert await host.teller.give() is None

    asyncio.run(use())


def test_a_component_that_does_not_fit(packages: Path, through: Path, tmp_path: Path) -> None:
    module = package("banking_host")
    with pytest.raises(LinkError, match=r"Attributes does not implement `test:resources/bank@0\.1\.0#total`"):
        module.Banking.load(through, Attributes(bank=Attributes(account=object)))
    with pytest.raises(LinkError, match="it lacks bank"):
        module.Banking.load(through, Attributes())
    resolve = load_text(
        (WIT / "values.wit").read_text("utf-8").replace("%u8: func(x: u8)", "%u8: func(x: u16)")
    ).resolve
    world = find_world(resolve, "through")
    assert world is not None
    write(resolve, world, packages / "other_host")
    with pytest.raises(LinkError, match=r"the function `u8` is `func\(x: u8\) -> u8`"):
        package("other_host").Through.load(through, echoes())
