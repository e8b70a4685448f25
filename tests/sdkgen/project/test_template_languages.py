"""Languages that are templates and nothing else, and templates in place of ours."""

from __future__ import annotations

import dataclasses
from importlib import import_module
from pathlib import Path

import pytest

from ingen_sdkgen.cli import main
from ingen_sdkgen.languages.from_templates import generate_from_templates
from ingen_sdkgen.languages.outline import Name
from ingen_sdkgen.languages.outlining import outline_world
from ingen_sdkgen.languages.registry import OWN_LANGUAGES, Language, OptionKind
from ingen_sdkgen.model import WorldId
from ingen_sdkgen.resolve import load_text
from ingen_sdkgen.wit.printer import print_wit
from tests.languages.worlds import conformance_worlds
from tests.sdkgen.project.conftest import files, write
from tests.sdkgen.samples import EVERYTHING

ROOT = Path(__file__).resolve().parents[3]
MARKDOWN = ROOT / "examples" / "templates" / "markdown"
Output = pytest.CaptureFixture[str]


# --- The registry ---


@pytest.mark.parametrize(
    "language", OWN_LANGUAGES, ids=lambda language: f"{language.side.value}-{language.name}"
)
def test_the_registry_tells_the_truth(language: Language) -> None:
    assert language.module is not None
    options = import_module(language.module).Options
    known = {field.name.replace("_", "-"): field.type for field in dataclasses.fields(options)}
    types = {
        OptionKind.TEXT: {"str | None", "str"},
        OptionKind.SWITCH: {"bool"},
        OptionKind.LIST: {"tuple[str, ...]"},
        OptionKind.TABLE: {"Mapping[str, str]"},
    }
    assert set(known) == {option.name for option in language.options}
    for option in language.options:
        assert known[option.name] in types[option.kind], option.name
        assert option.help
    assert (ROOT / "templates" / language.templates).is_dir()


# --- The example ---


def test_the_example_is_short() -> None:
    lines = sum(len(path.read_text().splitlines()) for path in MARKDOWN.iterdir())
    assert lines < 100


def test_the_example_documents_a_world(capfd: Output) -> None:
    arguments = ["gen", str(ROOT / "examples" / "greeter"), "--language", "markdown"]
    arguments += ["--templates", str(MARKDOWN.parent), "--out", "api"]
    assert main(arguments) == 0
    text = files("api")["greeter.md"]
    assert "# World `greeter`\n" in text
    assert "### Interface `demo:greeter/greetings@0.1.0`\n\nWords for people.\n" in text
    assert "    greet: func(who: person, tone: tone) -> result<string, refusal>\n\nA greeting" in text
    assert "| `unknown-language` | `string` |" in text
    assert "\n\n\n" not in text
    assert main([*arguments, "--option", "signatures=false"]) == 0
    assert "greet: func" not in files("api")["greeter.md"]


def test_the_documents_show_the_example() -> None:
    text = (ROOT / "docs" / "generating.md").read_text("utf-8")
    for path in MARKDOWN.iterdir():
        assert path.read_text("utf-8").strip() in text, path.name


# --- What templates see ---


def test_the_outline_has_everything() -> None:
    resolve = load_text(EVERYTHING, features=["x"]).resolve
    world = outline_world(resolve, WorldId(0))
    assert (world.name, world.full_name, world.docs) == ("w", "a:b/w@1.2.3-rc.1+x", "world docs")
    interfaces = {str(item.name): item for item in world.interfaces}
    assert {"i", "j", "primary", "inl", "sec", "inle"} <= set(interfaces)
    types = {str(item.name): item for item in interfaces["i"].types}
    assert {name: str(item.target) for name, item in types.items() if item.kind == "type"} == {
        "t": "tuple<u8, r>",
        "al": "r",
        "kk": "u32",
    }
    assert [(member.name, str(member.type)) for member in types["r"].members] == [
        ("a", "u32"),
        ("b", "list<u8>"),
        ("c", "option<option<string>>"),
    ]
    assert {types[name].kind for name in ["r", "v", "fl", "e", "res"]} == {
        "record",
        "variant",
        "flags",
        "enum",
        "resource",
    }
    assert [(function.kind, function.name) for function in types["res"].functions][:4] == [
        ("constructor", "new"),
        ("method", "m"),
        ("static", "s"),
        ("method", "am"),
    ]
    assert interfaces["i"].since == "1.0.0"
    uses = {item.name: item.target for item in interfaces["j"].types if item.kind == "use"}
    assert {name: str(target) for name, target in uses.items()} == {"r": "r", "res2": "res", "vv": "v"}
    assert [function.name for function in world.imported_functions][:2] == ["f", "af"]


def test_signatures_are_those_of_the_printer() -> None:
    resolve = load_text(EVERYTHING, features=["x"]).resolve
    printed = {line.strip().removesuffix(";") for line in print_wit(resolve).splitlines()}
    world = outline_world(resolve, WorldId(0))
    functions = [
        function
        for item in world.interfaces
        for function in [*item.functions, *(of for type_ in item.types for of in type_.functions)]
    ]
    assert len(functions) == 19
    assert {function.text for function in functions} <= printed


def test_every_world_can_be_documented(conformance: Path) -> None:
    cases = conformance_worlds()
    assert len(cases) >= 90
    for case in cases:
        made = generate_from_templates(MARKDOWN, case.resolve, case.world, {}, MARKDOWN.parent)
        (text,) = made.values()
        world = case.resolve.worlds[case.world]
        assert f"# World `{world.name}`\n" in text.decode()
        printed = print_wit(case.resolve)
        for item in outline_world(case.resolve, case.world).interfaces:
            for function in item.functions:
                assert f"  {function.text};" in printed, case.id


def test_a_name_in_other_styles() -> None:
    name = Name("http-2-Request")
    assert (name.snake, name.upper_snake, name.camel, name.pascal) == (
        "http_2_request",
        "HTTP_2_REQUEST",
        "http2Request",
        "Http2Request",
    )


# --- Mistakes in a language.toml ---


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        ("", "it names no [files] and no [interface-files]"),
        ('side = "left"\n[files]\na = "b"', "there is no side `left`"),
        ('files = "a"', "`files` is a string, but should be a table"),
        ("[files]\na = 1", "`a` is a number, but should be a string"),
        ('[files]\n"{interface}.md" = "x"', "there is no `{interface}` here, only `{world}`"),
        ('[files]\n"{world.Title}" = "x"', "names have no `.Title`, only `.snake`"),
        ('[files]\n"../{world}" = "x"', "leads out of the output folder"),
        ('[files]\n"/{world}" = "x"', "leads out of the output folder"),
        ('[interface-files]\n"{world}.md" = "x"', "has no {interface} in it"),
        ('[files]\na = "b"\n[options]\nx = 1', "the default is a number; it can be one of: true or false"),
        ('[files]\na = "b"\n[option]', "there is no key `option` in a `language.toml`"),
    ],
)
def test_a_wrong_manifest_is_named(capfd: Output, manifest: str, message: str) -> None:
    write("templates/list/language.toml", manifest)
    assert main(["gen"]) == 1
    err = capfd.readouterr().err
    assert message in err
    assert "--> templates/list/language.toml:" in err


def test_our_languages_cannot_be_added_again(capfd: Output) -> None:
    write("templates/c/language.toml", '[files]\na = "b"')
    assert main(["gen"]) == 1
    assert "`c` is a language already" in capfd.readouterr().err


def test_a_language_for_one_side(capfd: Output) -> None:
    write("templates/list/language.toml", 'side = "guest"\n[files]\n"{world.upper_snake}.x" = "list.j2"\n')
    write("templates/list/list.j2", "{{ world.name.pascal }}\n")
    arguments = ["wit", "--world", "shop", "--language", "list", "--templates", "templates", "--out", "x"]
    assert main(["gen-wasm", *arguments]) == 0
    assert files("x")["SHOP.x"] == "Shop\n"
    with pytest.raises(SystemExit):
        main(["gen-host", *arguments])


# --- The verb ---


def test_the_list_names_languages_and_templates(capfd: Output) -> None:
    assert main(["templates", "list"]) == 0
    out = capfd.readouterr().out
    for language in OWN_LANGUAGES:
        assert f"{language.name} ({language.side.value}): {language.description}\n" in out
    assert "  c/header.h.j2\n" in out
    write("templates/c/header.h.j2", "")
    assert main(["templates", "list", "--templates", "templates"]) == 0
    out = capfd.readouterr().out
    assert "list (other): A list\n" in out
    assert "  list/list.j2  from templates\n" in out
    assert "  c/header.h.j2  from templates, in place of ours\n" in out


def test_a_copy_can_be_changed(capfd: Output) -> None:
    assert main(["templates", "copy", "c/header.h.j2", "--out", "mine"]) == 0
    assert set(files("mine")) == {"c/header.h.j2"}
    write("mine/c/header.h.j2", "/* {{ header.line }} */\n/* mine */\n")
    arguments = ["gen-wasm", "wit", "--world", "shop", "--language", "c", "--out", "c", "--templates", "mine"]
    assert main(arguments) == 0
    assert "/* mine */" in files("c")["shop.h"]
    assert main(["templates", "copy", "c", "--out", "mine"]) == 1
    assert "mine/c/header.h.j2 is there already" in capfd.readouterr().err
    assert main(["templates", "copy", "c", "--out", "mine", "--force"]) == 0
    assert set(files("mine")) == {
        path.relative_to(ROOT / "templates").as_posix() for path in (ROOT / "templates" / "c").iterdir()
    }
    assert main([*arguments, "--check"]) == 1
    assert "its templates have changed" in capfd.readouterr().err


def test_a_language_is_copied_whatever_its_folder_is_called(capfd: Output) -> None:
    assert main(["templates", "copy", "python", "--out", "mine"]) == 0
    assert "python_host/world.py.j2" in files("mine")
    assert main(["templates", "copy", "new"]) == 1  # what `new` makes projects of is no language


def test_what_is_not_there_cannot_be_copied(capfd: Output) -> None:
    assert main(["templates", "copy", "c/heder.h.j2"]) == 1
    assert "did you mean `c/header.h.j2`?" in capfd.readouterr().err
    assert main(["templates", "copy", "zzzzzz"]) == 1
    assert "`ingen-sdkgen templates list` shows all" in capfd.readouterr().err
