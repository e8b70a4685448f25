"""The project file: what it may say, and that each mistake in it is named with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingen_sdkgen.cli import main
from ingen_sdkgen.diagnostics import WitErrors
from ingen_sdkgen.languages.registry import Side
from ingen_sdkgen.project import BuildSettings, find_project_file
from ingen_sdkgen.project.file import read_project
from tests.sdkgen.project.conftest import PROJECT, write

Output = pytest.CaptureFixture[str]


def test_what_a_file_says() -> None:
    write(
        "ingen-sdkgen.toml",
        'wit = "wit"\nfeatures = ["a"]\nworld = "w"\n'
        '[[guest]]\nlanguage = "rust"\nout = "r"\nworld = "v"\nfeatures = []\n'
        'options = { derives = ["D"], stubs = true, renames = { "#x" = "Y" } }\n'
        'build = { output = "o.wasm", flags = ["-O2"], sources = ["*.c"], target = "t", component = true,'
        ' libraries = ["lib"] }\n'
        '[[guest]]\nlanguage = "c"\nout = "c"\nall-features = true\nwit = "other"\n',
    )
    Path("lib").mkdir()
    project = read_project(Path("ingen-sdkgen.toml"))
    rust, c = project.targets
    assert (rust.language.name, rust.language.side, rust.wit, rust.out) == (
        "rust",
        Side.GUEST,
        Path("wit"),
        Path("r"),
    )
    assert (rust.world, rust.features, rust.all_features) == ("v", (), False)
    assert rust.options == {"derives": ("D",), "stubs": True, "renames": {"#x": "Y"}}
    assert rust.build == BuildSettings(Path("o.wasm"), ("*.c",), ("-O2",), "t", True, (Path("lib"),))
    assert (c.world, c.features, c.all_features, c.wit, c.options) == ("w", ("a",), True, Path("other"), {})
    assert c.build.output is None


MISTAKES = [
    ('wit = "wit"', 'wti = "wit"', (1, 1), "there is no key `wti` in the project file", "`wit`"),
    ('out = "made"', "out = 1", (7, 7), "`out` is a number, but should be a string", None),
    ('out = "made"', 'out = ""', (7, 7), "`out` is empty", None),
    ('out = "made"', 'out = "/made"', (7, 7), "`out` is an absolute path", "from the folder of this file"),
    ('out = "made"', "", (5, 1), "this [[other]] does not say its `out`", None),
    ('wit = "wit"', "", (5, 1), "this [[other]] does not say its `wit`", None),
    ('language = "list"', "", (5, 1), "this [[other]] does not say its `language`", None),
    ('"list"', '"lisst"', (6, 12), "there is no language `lisst`", "did you mean `list`?"),
    ('"list"', '"c"', (6, 12), "there is no language `c`", "it goes under [[guest]]"),
    ('"templates"', '"nothing"', (3, 13), "there is no folder nothing", None),
    ("[[other]]", "[other]", (5, 1), "`other` is a table, but should be an array of tables", None),
    ('out = "made"', 'out = "m"\nbuild = {}', (8, 1), "there is no key `build` in [[other]]", None),
    ('out = "made"', 'out = "m"\noptions = { edn = "" }', (8, 13), "`list` has no option `edn`", "`end`"),
    (
        'out = "made"',
        'out = "m"\n[other.options]\nend = true',
        (9, 7),
        "`end` is `true`, but should be a",
        None,
    ),
    ('out = "made"', 'out = "m"\nfeatures = ["a", 1]', (8, 18), "`features` has a number in it", None),
    ('out = "made"', 'out = "m"\nfeatures = "a"', (8, 12), "`features` is a string, but should be", None),
    ('out = "made"', 'out = "m"\nall-features = 2020-01-01', (8, 16), "is a date or time, but", None),
    (PROJECT, 'wit = "wit"\nother = [1]', (2, 10), "`other` has a number in it", None),
    (PROJECT, 'wit = "wit"', (1, 1), "there is nothing to generate", None),
    ('wit = "wit"', 'wit = "é', (1, 9), "not TOML: ", None),
    ('out = "made"', 'out = "made" x', (7, 14), "not TOML: ", None),
]


@pytest.mark.parametrize(("old", "new", "position", "message", "hint"), MISTAKES)
def test_a_mistake_is_named_with_its_place(
    old: str, new: str, position: tuple[int, int], message: str, hint: str | None
) -> None:
    assert old in PROJECT
    write("ingen-sdkgen.toml", PROJECT.replace(old, new))
    with pytest.raises(WitErrors) as caught:
        read_project(Path("ingen-sdkgen.toml"))
    found = [error for error in caught.value.errors if message in error.message]
    assert found, [error.message for error in caught.value.errors]
    span = found[0].span
    assert span is not None
    location = caught.value.sources.locate(span.file, span.start)
    assert (location.line, location.column) == position
    if hint is not None:
        assert hint in (found[0].hint or "")


@pytest.mark.parametrize(
    ("library", "message"),
    [("/lib", "`/lib` is an absolute path: paths start from this folder"), ("lib", "there is no folder lib")],
)
def test_a_library_that_is_not_there(library: str, message: str) -> None:
    text = (
        f'wit = "wit"\n[[guest]]\nlanguage = "python"\nout = "p"\nbuild = {{ libraries = ["{library}"] }}\n'
    )
    write("ingen-sdkgen.toml", text)
    with pytest.raises(WitErrors) as caught:
        read_project(Path("ingen-sdkgen.toml"))
    assert [error.message for error in caught.value.errors] == [message]


def test_all_mistakes_are_shown_at_once(capfd: Output) -> None:
    write("ingen-sdkgen.toml", PROJECT.replace("[[other]]", "nonsense = 1\n[[other]]\nmore = 2"))
    assert main(["gen"]) == 1
    err = capfd.readouterr().err
    assert "--> ingen-sdkgen.toml:5:1" in err
    assert "--> ingen-sdkgen.toml:7:1" in err


def test_mistakes_as_annotations(capfd: Output) -> None:
    write("ingen-sdkgen.toml", PROJECT.replace("world", "wrld"))
    assert main(["gen", "--error-format", "github"]) == 1
    assert capfd.readouterr().err.startswith(
        "::error file=ingen-sdkgen.toml,line=2,endLine=2,col=1,endColumn=5"
    )


def test_the_nearest_file_above_is_found(place: Path, monkeypatch: pytest.MonkeyPatch, capfd: Output) -> None:
    (place / "a" / "b").mkdir(parents=True)
    monkeypatch.chdir(place / "a" / "b")
    assert find_project_file(Path()) == Path("../../ingen-sdkgen.toml")
    assert main(["gen"]) == 0
    assert (place / "made" / "shop.txt").is_file()
    assert "wrote ../../made/shop.txt" in capfd.readouterr().out


@pytest.mark.parametrize("given", ["ingen-sdkgen.toml", ".", "../{}/ingen-sdkgen.toml"])
def test_a_file_can_be_named(place: Path, given: str) -> None:
    assert main(["gen", "--project", given.format(place.name)]) == 0
    assert (place / "made" / "shop.txt").is_file()


def test_no_project_file(tmp_path_factory: pytest.TempPathFactory, capfd: Output) -> None:
    Path("ingen-sdkgen.toml").unlink()
    assert main(["gen"]) == 1
    assert "there is no ingen-sdkgen.toml in this folder or above it" in capfd.readouterr().err
    assert main(["gen", "--project", "absent.toml"]) == 1
    assert "cannot read absent.toml" in capfd.readouterr().err


def test_a_verb_without_anything_to_do(capfd: Output) -> None:
    assert main(["gen-wasm"]) == 1
    assert "has no [[guest]]: there is nothing to generate" in capfd.readouterr().err
