"""Python guests of worlds that componentize-py's own bindings cannot be imported for."""

from __future__ import annotations

import importlib
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ingen_runtime import Component
from ingen_runtime.canonical import Err, Ok, ResultError, Some, ValueClasses
from ingen_runtime.canonical.names import attribute_name
from ingen_runtime.errors import ComponentFormatError, Trap
from ingen_sdkgen.building.destructors import with_destructors
from ingen_sdkgen.building.stubs import with_named_stubs
from ingen_sdkgen.encode.scope import custom_section, section, string, unsigned
from ingen_sdkgen.languages import python_host
from ingen_sdkgen.model import WorldId
from ingen_sdkgen.render import Templates
from ingen_sdkgen.resolve import load, load_text
from tests.languages.keywords import awkward_names, awkward_world
from tests.languages.python_guest.test_guest import run
from tests.languages.python_guest.toolchain import compile_python, write
from tests.runtime.stub_host import StubHost

HERE = Path(__file__).parent
PREFIX = b"\0asm\x0d\0\1\0"


def built(name: str, wit: str, folder: Path) -> Path:
    """The component of a guest beside this file."""
    source = folder / f"{name}.py"
    shutil.copy(HERE / f"{name}.py.txt", source)
    return compile_python(load_text(wit).resolve, WorldId(0), [source], folder)


@pytest.mark.slow
def test_awkward_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = built("awkward", awkward_world(), tmp_path)
    files = python_host.generate(
        load_text(awkward_world()).resolve, WorldId(0), python_host.Options(), Templates()
    )
    (tmp_path / "awkward_host").mkdir()
    for name, content in files.items():
        (tmp_path / "awkward_host" / name).write_bytes(content)
    monkeypatch.syspath_prepend(tmp_path)
    classes: ValueClasses = importlib.import_module("awkward_host")._INGEN_CLASSES
    component = Component.from_file(path, classes=classes)
    host = StubHost(component, {"test:names/shapes#use-all": lambda *values: values[1]})
    exports = component.instantiate(host.imports).exports
    functions = exports["test:names/functions"]
    for name in awkward_names():
        assert re.fullmatch(rf"{attribute_name(name)}_?\('x',\)", functions[name]("x"))
    use_all = exports["test:names/shapes"]["use-all"]
    fields, cases, labels, flags = (type_ for _, type_ in use_all.type.params)
    record = classes.record(fields).class_(*range(len(fields.fields)))
    for case, label in zip(classes.variant(cases).cases, classes.enum(labels), strict=True):
        assert use_all(record, case("text"), label, classes.flags(flags)(5)) == case("text")
        _, (given, *more) = host.calls[-1]
        assert (given, more) == (record, [case("text"), label, classes.flags(flags)(5)])
    thing = exports["test:names/methods"]["[constructor]thing"](3)
    for name in awkward_names():
        if name != "self":
            method = exports["test:names/methods"][f"[method]thing.{name}"]
            assert re.fullmatch(rf"(static )?{attribute_name(name)}_?\(7,\)", method(thing, 7))
        static = exports["test:names/methods"][f"[static]other.{name}"]
        assert re.fullmatch(rf"static {attribute_name(name)}_?\(7,\)", static(7))


# --- Odd names and types ---


class HostErr:
    """The host's `err`."""

    def __init__(self, self_: int) -> None:
        self.number = self_

    def handle(self) -> int:
        return self.number

    @staticmethod
    def finalizer(cls_: int) -> int:
        return cls_ + 1


class HostList:
    """The host's `list`."""

    def drop(self) -> str:
        return "dropped "


def is_instance(x: int) -> int:
    """Fails for zero."""
    if x == 0:
        raise ResultError("none")
    return x + 2


def after(x: Any) -> Any:
    """Gives back what it is given, returned or raised."""
    if isinstance(x, Err):
        raise ResultError(x.value)
    return x.value


IMPORTS: Mapping[str, Any] = {
    "err": HostErr,
    "[constructor]err": HostErr,
    "[method]err.handle": HostErr.handle,
    "[static]err.finalizer": HostErr.finalizer,
    "before": lambda x: x,
    "after": after,
    "in-place": {
        "list": HostList,
        "[constructor]list": HostList,
        "[method]list.drop": HostList.drop,
        "isinstance": is_instance,
        "weakref": HostList,
    },
}


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Component:
    """The component of the world with odd names and types."""
    path = built("odd", (HERE / "odd.wit").read_text("utf-8"), tmp_path_factory.mktemp("odd"))
    return Component.from_file(path)


def test_the_odd_guest_type_checks(tmp_path: Path) -> None:
    write(load(HERE / "odd.wit").resolve, WorldId(0), tmp_path / "world")
    shutil.copy(HERE / "odd.py.txt", tmp_path / "app.py")
    run("mypy", "--strict", "app.py", folder=tmp_path)


@pytest.mark.slow
def test_odd_types(odd: Component) -> None:
    exports = odd.instantiate(IMPORTS).exports
    signed = odd.classes.record(exports["signed-of"].type.result).class_
    for nested in (None, Some(None), Some(200)):
        value = signed([-128, 0, 127], [[], [-1]], nested, [Ok([-1]), Err(b"x")])
        assert exports["signed-of"](value) == value
    assert exports["answer-of"](Ok([-128, 127])) == [-128, 127]
    for given, raised in ((b"x", b"x"), (b"raise", b"raised")):
        with pytest.raises(ResultError) as caught:
            exports["answer-of"](Err(given))
        assert caught.value.value == raised


@pytest.mark.slow
def test_what_their_bindings_forget(odd: Component) -> None:
    exports = odd.instantiate(IMPORTS).exports
    assert exports["numbers"](5) == (5, 6, 7, "dropped dropped ")
    assert exports["numbers"](0) == (0, 1, 0, "dropped dropped ")


@pytest.mark.slow
def test_an_interface_that_is_called_like_a_module(odd: Component) -> None:
    random = odd.instantiate(IMPORTS).exports["random"]
    one = random.Union("one")
    assert (one.value(), random["[static]union.alive"]()) == ("one", 1)
    same = random.same(one)
    assert (same.value(), random["[static]union.alive"]()) == ("one", 1)
    same.drop()
    assert random["[static]union.alive"]() == 0


@pytest.mark.slow
def test_without_wasi_there_is_no_output(odd: Component) -> None:
    assert all(not name.startswith("wasi:") for name in odd.imports)
    with pytest.raises(Trap, match=r"in WASI, which this guest is built without!\S+ \(at"):
        odd.instantiate(IMPORTS).exports["seconds"]()


def test_stubs_of_wasi_get_names() -> None:
    types, functions = section(1, b"\1\x60\0\0"), section(3, b"\2\0\0")
    exports = section(7, b"\2" + string("then") + b"\0\1" + string("now") + b"\0\0")
    stub = b"\0asm\1\0\0\0" + types + functions + exports + section(10, b"\2" + b"\3\0\0\x0b" * 2)
    names = section(0, string("WASI, which this guest is built without"))
    names += section(1, b"\2\0" + string("now") + b"\1" + string("then"))
    named = stub + custom_section("name", names)
    assert with_named_stubs(PREFIX + section(1, stub)) == PREFIX + section(1, named)
    returns = stub.replace(b"\3\0\0\x0b", b"\3\0\x01\x0b")
    for other in (named, returns, b"\0asm\1\0\0\0" + types):
        assert with_named_stubs(PREFIX + section(1, other)) == PREFIX + section(1, other)


# --- Destructors ---


@pytest.mark.parametrize(
    "module",
    [
        b"\0asm\1\0\0\0" + custom_section("x", b"#[dtor]"),
        b"\0asm\1\0\0\0" + section(2, b"\0") + section(7, b"\1" + string("a#[dtor]b") + b"\0\0"),
        b"\0asm\1\0\0\0" + section(2, b"\1\0\0\x09" + unsigned(0) + b"#[dtor]"),
    ],
)
def test_what_componentize_py_does_not_make(module: bytes) -> None:
    assert with_destructors(PREFIX + section(2, module), "x") == PREFIX + section(2, module)
    with pytest.raises(ComponentFormatError):
        with_destructors(PREFIX + section(1, module), "x")
