"""Packages for Python guests: clean for every world, and usable in unit tests as they are."""

from __future__ import annotations

import importlib
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from ingen_sdkgen.languages.casing import pascal_case
from ingen_sdkgen.languages.errors import CodegenError
from ingen_sdkgen.languages.planning import find_world
from ingen_sdkgen.model import WorldId
from ingen_sdkgen.render import verify
from ingen_sdkgen.resolve import load, load_text
from tests.conftest import absent
from tests.languages.behaviour.test_resources import Thing, Things
from tests.languages.keywords import awkward_world, named_world
from tests.languages.python_guest.toolchain import write
from tests.languages.worlds import WIT, conformance_worlds, own_worlds

CASES = conformance_worlds() + own_worlds()
GUESTS = Path(__file__).parents[1] / "behaviour" / "python"
WORLDS = {
    "values": ("values.wit", "through"),
    "things": ("things.wit", "both"),
    "lent": ("things.wit", "handed"),
    "sink": ("sink.wit", "sink"),
}
"""The world of each guest."""


def run(*command: str, folder: Path) -> str:
    """What a tool prints that has to find nothing."""
    result = subprocess.run(
        [str(Path(sys.executable).with_name(command[0])), *command[1:]],
        cwd=folder,
        env={"PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout[-5000:] + result.stderr[-2000:]
    return result.stdout


def write_world(file: str, world: str, package: Path) -> None:
    """Write the package of a world beside the tests."""
    resolve = load(WIT / file).resolve
    world_id = find_world(resolve, world)
    assert world_id is not None
    write(resolve, world_id, package)


# --- Generated code ---


@pytest.fixture(scope="module")
def every_world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the packages of all worlds that guests can have, and of some with awkward names."""
    folder = tmp_path_factory.mktemp("worlds")
    written = 0
    for number, case in enumerate(CASES):
        try:
            write(case.resolve, case.world, folder / f"world{number}")
            written += 1
        except CodegenError as error:
            assert error.language == "Python guest"
            assert error.item in str(error)
    assert written > 50
    write(load_text(awkward_world()).resolve, WorldId(0), folder / "awkward")
    for name in ("self", "imports", "exports", "str", "type", "export", "fake-host", "bindings"):
        write(load_text(named_world(name)).resolve, WorldId(0), folder / f"named_{name.replace('-', '_')}")
    return folder


def test_every_world_is_clean(every_world: Path, tmp_path: Path) -> None:
    folder = tmp_path / "packages"
    shutil.copytree(every_world, folder)
    for path in folder.rglob("*.py"):
        assert verify(path.read_bytes()), path
    run("ruff", "check", "--isolated", "--no-cache", ".", folder=folder)
    packages = sorted(path.name for path in folder.iterdir() if path.is_dir())
    run("mypy", "--strict", "--explicit-package-bases", *packages, folder=folder)


def test_every_world_imports(every_world: Path) -> None:
    code = (
        "import importlib, pathlib\n"
        "for path in sorted(pathlib.Path().glob('*/*.py')):\n"
        "    importlib.import_module('.'.join(path.with_suffix('').parts).removesuffix('.__init__'))\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=every_world, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr


@pytest.mark.slow
def test_pyright_finds_nothing(every_world: Path, tmp_path: Path) -> None:
    if not Path(sys.executable).with_name("basedpyright").is_file():
        absent("the type checker is absent: pip install basedpyright")
    folder = tmp_path / "packages"
    shutil.copytree(every_world, folder, ignore=shutil.ignore_patterns("__pycache__"))
    # What is the same in every package is checked in one.
    packages = sorted(path.parent.name for path in folder.glob("*/_ingen_types.py"))
    same = [f"{name}/{module}" for name in packages[1:] for module in ("_ingen.py", "_ingen_types.py")]
    settings = {"typeCheckingMode": "standard", "exclude": same}
    (folder / "pyrightconfig.json").write_text(json.dumps(settings), "utf-8")
    run("basedpyright", "--level", "error", "--pythonpath", sys.executable, ".", folder=folder)


@pytest.mark.parametrize(("name", "world"), WORLDS.items())
def test_guests_type_check(name: str, world: tuple[str, str], tmp_path: Path) -> None:
    write_world(*world, tmp_path / "world")
    shutil.copy(GUESTS / f"{name}.py", tmp_path / "app.py")
    run("mypy", "--strict", "app.py", folder=tmp_path)


def test_what_is_missing_or_wrong_in_a_guest_is_found(tmp_path: Path) -> None:
    write_world("things.wit", "handed", tmp_path / "world")
    guest = (GUESTS / "lent.py").read_text("utf-8")
    for old, new, message in (
        ("def use_imported", "def use_exported", 'abstract attribute "use_imported"'),
        ("it.rename(", "it.remane(", '"Thing" has no attribute "remane"'),
        ("-> Pair", "-> int", 'Return type "int" of "use_imported" incompatible'),
        ("user = User()", "user = 1", 'type "int", base class "Exports" defined the type as "UserExports"'),
    ):
        assert old in guest
        (tmp_path / "app.py").write_text(guest.replace(old, new), "utf-8")
        with pytest.raises(AssertionError, match=message):
            run("mypy", "--strict", "app.py", folder=tmp_path)


@pytest.mark.parametrize(
    ("text", "item"),
    [
        ("import f: async func();", "function `f` of world `a:b/w`"),
        ("import i: interface { f: func(x: map<u8, u8>); }", "function `f` of interface `i`"),
        ("import i: interface { type t = list<u8, 3>; }", "type `t` of interface `i`"),
        (
            "import i: interface { resource r { x: get() -> u8; } }",
            "function `[method][get]r.x` of interface",
        ),
        ("import other: labelled;", "interface `other` of world `a:b/w`"),
    ],
)
def test_what_guests_cannot_have_is_named(text: str, item: str, tmp_path: Path) -> None:
    resolve = load_text(f"package a:b; interface labelled {{ f: func(); }} world w {{ {text} }}").resolve
    with pytest.raises(CodegenError, match="Python guest bindings cannot have") as caught:
        write(resolve, WorldId(0), tmp_path / "world")
    assert item in str(caught.value)


# --- What componentize-py makes of the same world ---


def test_componentize_py_reads_every_world(every_world: Path, tmp_path: Path) -> None:
    """Its bindings have the classes and functions that ours stand for, under the names that we say."""
    if not Path(sys.executable).with_name("componentize-py").is_file():
        absent("componentize-py is absent: pip install componentize-py")
    sys.path.insert(0, str(every_world))
    try:
        for package in sorted(path for path in every_world.iterdir() if path.is_dir()):
            tables = importlib.import_module(f"{package.name}._ingen_world")
            _compare(tables, package, tmp_path / package.name)
    finally:
        sys.path.remove(str(every_world))


def _compare(tables: ModuleType, package: Path, made: Path) -> None:
    settings = json.loads((package / "_ingen_build.json").read_bytes())
    names = [
        part
        for side in ("import", "export")
        for key, name in settings[f"{side}ed"].items()
        for part in (f"--{side}-interface-name", f"{key}={name}")
    ]
    wit = str(package / "_ingen_world.wit")
    options = ["-q", "-d", wit, "--all-features", "--world-module", "ingen_world"]
    run("componentize-py", *options, *names, "bindings", str(made), folder=package)
    root = made / "ingen_world"
    theirs = {path.relative_to(root).as_posix(): path.read_text("utf-8") for path in root.rglob("*.py")}

    def has(file: str, class_: str, function: str) -> bool:
        text = theirs.get(file, "")
        if class_:
            text = re.split(rf"^class {class_}\b", text, flags=re.MULTILINE)[-1].partition("\nclass ")[0]
        return f"\n{'    ' if class_ else ''}def {function}(" in text

    for (interface, _), function in tables.IMPORTS.items():
        module, class_, name = function.place
        # They forget functions of interfaces in the world, and of resources of the world itself.
        known = bool(class_ or ":" in interface) if module else not class_
        assert not known or has(f"imports/{module}.py" if module else "__init__.py", class_, name), name
    for protocol, functions in tables.EXPORTS.items():
        file = "__init__.py" if protocol == "IngenWorld" else "exports/__init__.py"
        keys = [key for key, name in settings["exported"].items() if pascal_case(name) == protocol]
        if protocol == "IngenWorld" or ":" in keys[0]:  # as above
            assert all(has(file, protocol, name) for name in functions), protocol
    for module, resources in tables.RESOURCES.items():
        for class_, _, functions in resources:
            assert all(has(f"exports/{module}.py", class_, name) for name in functions), class_
    ours = {name for group in tables.CLASSES.values() for name in group}
    for text in theirs.values():
        assert set(re.findall(r"^class (\w+)", text, re.MULTILINE)) - ours <= {*tables.EXPORTS, "IngenWorld"}


# --- Unit tests with a fake host ---


@pytest.fixture(scope="module")
def guests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Guests of the behaviour tests, imported as they are: each with its package."""
    folder = tmp_path_factory.mktemp("native")
    found = SimpleNamespace()
    sys.path.insert(0, str(folder))
    for name in ("values", "things"):
        write_world(*WORLDS[name], folder / f"native_{name}")
        source = (GUESTS / f"{name}.py").read_text("utf-8").replace("from world", f"from native_{name}")
        (folder / f"native_{name}_guest.py").write_text(source, "utf-8")
        setattr(found, f"{name}_world", importlib.import_module(f"native_{name}"))
        setattr(found, name, importlib.import_module(f"native_{name}_guest"))
    yield found
    sys.path.remove(str(folder))


class Echo:
    """Returns what it is given, or something else."""

    def __init__(self, **answers: Any) -> None:
        self.answers = answers

    def __getattr__(self, name: str) -> Any:
        return lambda *values: self.answers.get(name, values[0] if len(values) == 1 else values)


def test_a_fake_host_answers(guests: Any) -> None:
    world, echo = guests.values_world, guests.values_world.echo
    guest = guests.values.Guest()
    with world.fake_host(SimpleNamespace(echo=Echo())):
        assert guest.echo.point_of(echo.Point(1.0, 2.0)) == echo.Point(1.0, 2.0)
        assert guest.echo.shapes((echo.ShapeNone(), echo.ShapeMany(["a"]))) == [
            echo.ShapeNone(),
            echo.ShapeMany(["a"]),
        ]
        assert guest.echo.bytes_of(bytearray(b"ab")) == b"ab"
        assert guest.echo.color_of(echo.Color.RED) is echo.Color.RED
        assert guest.echo.all_of(echo.All.B31 | echo.All.B0) == echo.All.B31 | echo.All.B0
        assert guest.echo.option_option(world.Some(None)) == world.Some(None)
        assert guest.echo.result_inner([world.Ok("x"), world.Err(0.5)]) == [world.Ok("x"), world.Err(0.5)]
        assert guest.echo.f64(1) == 1.0
        nested = echo.Nested("n", [echo.Point(1.0, 2.0)], (3, "c"))
        assert guest.echo.nested_of(nested) == nested


def test_a_fake_host_fails(guests: Any) -> None:
    world, echo = guests.values_world, guests.values_world.echo

    class Failing(Echo):
        def result_of(self, x: Any) -> str:
            raise world.ResultError(echo.Color.BLUE)

        def u8(self, x: int) -> int:
            raise ZeroDivisionError

    with world.fake_host(SimpleNamespace(echo=Failing())):
        with pytest.raises(echo.ColorError) as caught:
            echo.result_of(world.Ok("x"))
        assert caught.value.value is echo.Color.BLUE
        with pytest.raises(ZeroDivisionError):
            echo.u8(1)


@pytest.mark.parametrize(
    ("function", "value", "message"),
    [
        ("u8", 256, "u8: x: expected u8: an int from 0 to 255, got int 256"),
        ("u8", True, "u8: x: expected u8: an int from 0 to 255, got bool True"),
        ("bool", 1, "bool: x: expected bool, got int 1"),
        ("f32", "1", "f32: x: expected a float, got str '1'"),
        ("f64", 10**400, "f64: x: expected a float, got int 1000"),
        ("char", "ab", "char: x: expected a str of length 1, got str 'ab'"),
        ("string", "\ud800", "string: x: expected text without lone surrogates"),
        ("string", b"x", "string: x: expected a str, got bytes b'x'"),
        ("bytes_of", [1], "bytes-of: x: expected bytes, got list [1]"),
        ("list_u32", "12", "list-u32: x: expected a list, got str '12'"),
        ("list_u32", [1, 2, -1], "list-u32: x[2]: expected u32: an int from 0 to 4294967295, got int -1"),
        ("tuple_of", (1, "x"), "tuple-of: x: expected a tuple of 3, got tuple (1, 'x')"),
        ("option_option", "x", "option-option: x: expected a Some or None, got str 'x'"),
        ("result_of", "x", "result-of: x: expected an Ok or an Err, got str 'x'"),
        ("color_of", 1, "color-of: x: expected Color, got int 1"),
        ("few_of", 1, "few-of: x: expected Few, got int 1"),
        ("shape_of", 1, "shape-of: x: expected a case of Shape, got int 1"),
        ("point_of", 1, "point-of: x: expected Point, got int 1"),
    ],
)
def test_wrong_values_are_named(guests: Any, function: str, value: object, message: str) -> None:
    world, echo = guests.values_world, guests.values_world.echo
    with world.fake_host(SimpleNamespace(echo=Echo(**{function: value}))):
        with pytest.raises(world.WrongValue) as caught:
            getattr(echo, function)(value)
        assert str(caught.value).startswith(message)


def test_where_wrong_values_are(guests: Any) -> None:
    world, echo = guests.values_world, guests.values_world.echo
    with world.fake_host(SimpleNamespace(echo=Echo(u8=256, list_list=(("a",), ("b", 1))))):
        calls: list[tuple[Callable[[], object], str]] = [
            (
                lambda: echo.nested_of(echo.Nested("n", [echo.Point("x", 1)], None)),
                "nested-of: x.points[0].x",
            ),
            (lambda: echo.shape_of(echo.ShapeMany(["a", 1])), "shape-of: x.value[1]"),
            (lambda: echo.result_inner([world.Err("x")]), "result-inner: x[0].value"),
            (lambda: echo.result_none(world.Ok(1)), "result-none: x.value"),
            (lambda: echo.u8(1), "u8: the fake host's result"),
            (lambda: echo.list_list([]), "list-list: the fake host's result[1][1]"),
        ]
        for call, place in calls:
            with pytest.raises(world.WrongValue) as caught:
                call()
            assert caught.value.place == place


def test_without_a_fake_host(guests: Any) -> None:
    with pytest.raises(
        guests.values_world.NoHost, match="`u8` is the host's: call it in a guest, or in a test"
    ):
        guests.values_world.echo.u8(1)
    with guests.values_world.fake_host(SimpleNamespace()), pytest.raises(AttributeError, match="echo"):
        guests.values_world.echo.u8(1)


def test_resources_of_a_fake_host(guests: Any) -> None:
    Thing.alive.clear()
    things, failure = guests.things_world.things, guests.things_world.ResultError

    class FakeThing(Thing):
        @staticmethod
        def checked(name: str) -> Thing:
            raise failure("no name")

    guest = guests.things.Guest()
    host = Things()
    host.thing = FakeThing
    with guests.things_world.fake_host(SimpleNamespace(things=host)):
        a, b = (guest.things.thing(name) for name in ("a", "bee"))
        assert (a.name(), b.name(), a.like(b)) == ("<a>", "<bee>", False)
        merged = guest.things.thing.merge(a, b)
        assert merged.name() == "<a&bee>"
        assert [thing.name() for thing in guest.things.make(["x", "y"])] == ["<x>", "<y>"]
        assert guest.things.total([b, merged]) == 8
        pair = guest.things.swap(things.Pair(merged, b))
        assert (pair.left.name(), pair.right.name()) == ("<bee>", "<a&bee>")
        assert guest.things.look([things.Seen(pair.left, 2)]) == ["bee 2 times"]
        with pytest.raises(failure, match="no name"):
            guest.things.thing.checked("")
        assert guest.things.counter(7).next() == 7


def test_resources_end(guests: Any) -> None:
    Thing.alive.clear()
    things, wrong = guests.things_world.things, guests.things_world.WrongValue
    gone = "expected Thing that was not dropped or given away"
    with guests.things_world.fake_host(SimpleNamespace(things=Things())):
        with things.Thing("a") as thing:
            assert len(Thing.alive) == 1
        assert len(Thing.alive) == 0
        thing.drop()
        with pytest.raises(wrong, match=gone):
            thing.name()
        thing = things.Thing("b")
        assert things.consume(thing) == "consumed b"
        with pytest.raises(wrong, match=gone):
            things.total([thing])
        thing, other = things.Thing("c"), things.Thing("d")
        with pytest.raises(wrong, match=gone):
            things.swap(things.Pair(thing, thing))
        with pytest.raises(wrong, match="expected Thing, got str 'd'"):
            things.swap(things.Pair(thing, "d"))
        assert (thing.name(), other.name()) == ("c", "d")


def test_what_is_exported(guests: Any) -> None:
    support = importlib.import_module("native_values._ingen")
    assert type(support.exported()) is guests.values.Guest
    support._exported.clear()
    with pytest.raises(RuntimeError, match=r"put `@native_values.export` before a class of yours"):
        support.exported()
    assert guests.values_world.export(guests.values.Guest) is guests.values.Guest
