"""Generating: what is written, what is left alone, and what a check finds."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ingen_sdkgen.cli import main
from ingen_sdkgen.languages import registry
from tests.sdkgen.project.conftest import PROJECT, WIT, files, write

ROOT = Path(__file__).resolve().parents[3]
Output = pytest.CaptureFixture[str]

GOODS = "demo-shop-goods-1.0.0/functions.txt"


def snapshot() -> dict[str, tuple[bytes, int]]:
    """All that is in the current folder, with the times of changes."""
    return {
        str(path): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in Path().rglob("*")
        if path.is_file() and path.parts[0] != "cache"
    }


def generated(capfd: Output) -> None:
    """Generate, and forget what was printed."""
    assert main(["gen"]) == 0
    capfd.readouterr()


def test_what_is_generated(capfd: Output) -> None:
    assert main(["gen"]) == 0
    assert capfd.readouterr() == (f"wrote made/{GOODS}\nwrote made/shop.txt\n", "")
    made = files()
    assert set(made) == {"shop.txt", GOODS}
    assert made["shop.txt"].endswith("\ndemo:shop/shop@1.0.0.\n")
    assert made[GOODS] == "count: func() -> price\n"


def test_the_second_run_changes_nothing(capfd: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    generated(capfd)
    before = snapshot()

    def fail(*args: object, **options: object) -> None:
        raise AssertionError("generated again")

    monkeypatch.setattr(registry, "generate", fail)
    monkeypatch.setattr("ingen_sdkgen.project.generation.generate", fail)
    assert main(["gen"]) == 0
    assert capfd.readouterr() == ("2 files up to date\n", "")
    assert snapshot() == before
    assert main(["gen", "--quiet"]) == 0
    assert capfd.readouterr() == ("", "")


def test_a_deleted_file_comes_back_without_generating(capfd: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    generated(capfd)
    before = files()
    Path("made/shop.txt").unlink()
    monkeypatch.setattr("ingen_sdkgen.project.generation.generate", None)
    assert main(["gen"]) == 0
    assert capfd.readouterr().out == "wrote made/shop.txt\n"
    assert files() == before


def test_without_a_cache_the_result_is_the_same(capfd: Output) -> None:
    generated(capfd)
    before = snapshot()
    assert main(["gen", "--no-cache"]) == 0
    assert snapshot() == before
    assert main(["gen", "--check", "--no-cache"]) == 0


def test_two_folders_give_the_same_bytes(place: Path, monkeypatch: pytest.MonkeyPatch, capfd: Output) -> None:
    generated(capfd)
    (place / "far" / "away").mkdir(parents=True)
    for name in ["wit", "templates"]:
        shutil.copytree(name, place / "far" / "away" / name)
    shutil.copy("ingen-sdkgen.toml", place / "far" / "away")
    lock, made = Path("ingen-sdkgen.lock").read_bytes(), files()
    monkeypatch.chdir(place / "far" / "away")
    monkeypatch.setenv("INGEN_CACHE_DIR", str(place / "cache-2"))
    assert main(["gen"]) == 0
    assert files() == made
    assert Path("ingen-sdkgen.lock").read_bytes() == lock
    assert str(place).encode() not in lock


# --- --check and --diff ---


def test_a_check_of_a_clean_tree_is_silent(capfd: Output) -> None:
    generated(capfd)
    before = snapshot()
    for option in ["--check", "--diff"]:
        assert main(["gen", option]) == 0
        assert capfd.readouterr() == ("", "")
    assert snapshot() == before


def change_wit() -> None:
    write("wit/shop.wit", WIT.replace("count: func", "total: func"))


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (
            change_wit,
            [
                f"made/{GOODS} is stale: wit/shop.wit has changed",
                "ingen-sdkgen.lock is stale: wit/shop.wit has changed",
            ],
        ),
        (
            lambda: write("wit/shop.wit", "// a remark\n" + WIT),
            ["ingen-sdkgen.lock is stale: wit/shop.wit has changed"],
        ),
        (
            lambda: write("wit/more.wit", "interface more {}"),
            ["ingen-sdkgen.lock is stale: wit/more.wit is new"],
        ),
        (
            lambda: write("ingen-sdkgen.toml", PROJECT + 'options = { end = "!" }\n'),
            [
                "made/shop.txt is stale: its world, features or options have changed",
                "ingen-sdkgen.lock is stale: its world, features or options have changed",
            ],
        ),
        (
            lambda: write("templates/list/functions.j2", "new\n"),
            [
                f"made/{GOODS} is stale: its templates have changed",
                "ingen-sdkgen.lock is stale: its templates have changed",
            ],
        ),
        (
            lambda: Path("made/shop.txt").unlink(),
            ["made/shop.txt is missing: it was generated, and is gone"],
        ),
        (
            lambda: write("made/shop.txt", "mine\n"),
            ["made/shop.txt is edited by hand: it is not as it was generated"],
        ),
        (
            lambda: write("ingen-sdkgen.toml", PROJECT.replace('"shop"', '"second"')),
            [
                "made/second.txt is missing: it was not generated yet",
                "made/shop.txt is extra: it was generated once, and nothing generates it any more",
                "ingen-sdkgen.lock is stale: it does not have the other list of second in made yet",
            ],
        ),
        (
            lambda: Path("ingen-sdkgen.lock").unlink(),
            ["ingen-sdkgen.lock is missing: nothing was generated yet, or it was deleted"],
        ),
    ],
    ids=["stale", "comment", "new-input", "options", "templates", "missing", "edited", "extra", "lock"],
)
def test_what_a_check_finds(capfd: Output, change: object, found: list[str]) -> None:
    generated(capfd)
    assert callable(change)
    change()
    before = snapshot()
    for option in ["--check", "--diff"]:
        assert main(["gen", option]) == 1
        err = capfd.readouterr().err
        assert [
            line.removeprefix("error: ") for line in err.splitlines() if line.startswith("error: ")
        ] == found
        assert "hint: `ingen-sdkgen gen` brings everything up to date" in err
        assert snapshot() == before
    assert main(["gen"]) == 0
    assert main(["gen", "--check"]) == 0


def test_another_version_is_a_cause(capfd: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    generated(capfd)
    lock = json.loads(Path("ingen-sdkgen.lock").read_text())
    for entry in lock["bindings"].values():
        entry["generator"] = "0.0.1"
    write("ingen-sdkgen.lock", json.dumps(lock))
    assert main(["gen", "--check"]) == 1
    assert "ingen-sdkgen.lock is stale: ingen-sdkgen 0.0.1 made it, and this is " in capfd.readouterr().err


def test_a_diff_shows_what_would_change(capfd: Output) -> None:
    generated(capfd)
    change_wit()
    Path("made/shop.txt").unlink()
    assert main(["gen", "--diff"]) == 1
    out = capfd.readouterr().out
    assert f"--- a/made/{GOODS}\n+++ b/made/{GOODS}\n" in out
    assert "-count: func() -> price\n+total: func() -> price\n" in out
    assert "--- /dev/null\n+++ b/made/shop.txt\n" in out


def test_findings_as_annotations_and_json(capfd: Output) -> None:
    generated(capfd)
    change_wit()
    assert main(["gen", "--check", "--error-format", "github"]) == 1
    lines = capfd.readouterr().err.splitlines()
    assert lines[0].startswith(f"::error file=made/{GOODS},line=1,")
    assert lines[1].startswith("::error file=ingen-sdkgen.lock,line=1,")
    assert main(["gen", "--check", "--error-format", "json"]) == 1
    errors = json.loads(capfd.readouterr().err)["errors"]
    assert [(error["code"], error["file"]) for error in errors] == [
        ("OutOfDate", f"made/{GOODS}"),
        ("OutOfDate", "ingen-sdkgen.lock"),
    ]


# --- What is not ours ---


def test_an_edited_file_is_generated_again_and_said_so(capfd: Output) -> None:
    generated(capfd)
    before = files()
    write("made/shop.txt", "mine\n")
    assert main(["gen"]) == 0
    err = capfd.readouterr().err
    assert err == "note: made/shop.txt was edited by hand, it is as generated again\n"
    assert files() == before


def test_a_file_that_is_not_ours_is_left_alone(capfd: Output) -> None:
    write("made/shop.txt", "mine\n")
    before = snapshot()
    assert main(["gen"]) == 1
    err = capfd.readouterr().err
    assert "cannot write made/shop.txt: a file is there that ingen-sdkgen did not make" in err
    assert "--force" in err
    assert snapshot() == before
    assert main(["gen", "--force"]) == 0
    assert files()["shop.txt"] != "mine\n"


def test_the_header_tells_our_files_where_the_lock_is_gone(capfd: Output) -> None:
    generated(capfd)
    Path("ingen-sdkgen.lock").unlink()
    write("templates/list/list.j2", "# {{ header.line }}\nnew\n")
    assert main(["gen"]) == 0
    assert capfd.readouterr().err == ""
    Path("ingen-sdkgen.lock").unlink()
    write("made/shop.txt", files()["shop.txt"] + "more\n")
    assert main(["gen"]) == 0
    assert "was edited by hand" in capfd.readouterr().err


def test_other_files_in_the_folder_stay(capfd: Output) -> None:
    write("made/mine.txt", "mine\n")
    generated(capfd)
    write("ingen-sdkgen.toml", PROJECT.replace('"made"', '"elsewhere"'))
    assert main(["gen"]) == 0
    assert files() == {"mine.txt": "mine\n"}
    assert "removed made/shop.txt" in capfd.readouterr().out
    assert not Path("made/demo-shop-goods-1.0.0").exists()


def test_an_extra_file_that_was_edited_stays(capfd: Output) -> None:
    generated(capfd)
    write("made/shop.txt", "mine\n")
    write("ingen-sdkgen.toml", PROJECT.replace('"made"', '"elsewhere"'))
    assert main(["gen", "--check"]) == 1
    assert "made/shop.txt is edited by hand: nothing generates it any more" in capfd.readouterr().err
    assert main(["gen"]) == 0
    assert capfd.readouterr().err == "note: made/shop.txt was edited by hand, so it stays\n"
    assert files() == {"shop.txt": "mine\n"}
    assert main(["gen", "--check"]) == 0


@pytest.mark.parametrize(
    "damage", ["<<<<<<< HEAD\n{}", "[]", '{"format": 1}', '{"format": 1, "bindings": {"a": {}}}']
)
def test_a_damaged_lock_file(capfd: Output, damage: str) -> None:
    generated(capfd)
    write("ingen-sdkgen.lock", damage)
    for arguments in (["gen"], ["gen", "--check"]):
        assert main(arguments) == 1
        assert "cannot read ingen-sdkgen.lock: it is damaged" in capfd.readouterr().err


def test_a_lock_file_of_the_future(capfd: Output) -> None:
    write("ingen-sdkgen.lock", '{"format": 2}')
    assert main(["gen"]) == 1
    assert "a newer ingen-sdkgen has written it" in capfd.readouterr().err


# --- What goes wrong ---


def test_a_failed_run_writes_nothing(capfd: Output) -> None:
    write("ingen-sdkgen.toml", PROJECT + '[[other]]\nlanguage = "list"\nout = "b"\nworld = "absent"\n')
    assert main(["gen"]) == 1
    assert "has no world `absent`" in capfd.readouterr().err
    assert not Path("made").exists()
    assert not Path("ingen-sdkgen.lock").exists()


def test_input_that_is_not_there(capfd: Output) -> None:
    shutil.rmtree("wit")
    assert main(["gen"]) == 1
    assert "cannot read wit: " in capfd.readouterr().err


def test_a_run_that_was_stopped_goes_on(capfd: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    generated(capfd)
    change_wit()
    write("templates/list/list.j2", "# {{ header.line }}\nnew\n")
    written: list[Path] = []

    def stop(path: Path, content: bytes) -> None:
        if written:
            raise KeyboardInterrupt
        written.append(path)
        path.write_bytes(content)

    with monkeypatch.context() as patch:
        patch.setattr("ingen_sdkgen.project.applying.write", stop)
        assert main(["gen"]) == 130
    assert main(["gen", "--check"]) == 1
    assert "edited" not in capfd.readouterr().err
    assert main(["gen"]) == 0
    assert capfd.readouterr().err == ""
    assert main(["gen", "--check"]) == 0


def test_a_mistake_in_the_wit_has_its_place(capfd: Output) -> None:
    write("wit/shop.wit", "package a:b; interface i { f: func(x: strin); }")
    assert main(["gen"]) == 1
    assert "--> wit/shop.wit:1:39" in capfd.readouterr().err


def test_what_a_language_cannot_have_has_its_place(capfd: Output) -> None:
    write("a.wit", "package a:b;\nworld w { import f: async func(); }")
    for _ in range(2):
        assert main(["gen-wasm", "a.wit", "--language", "c", "--out", "out"]) == 1
        err = capfd.readouterr().err
        assert "`async` functions" in err
        assert "--> a.wit:2:18" in err
        assert not Path("out").exists()


def test_a_mistake_in_a_template_is_named(capfd: Output) -> None:
    write("templates/list/list.j2", "line\n{{ world.nothing }}\n")
    assert main(["gen"]) == 1
    assert "list/list.j2:2: " in capfd.readouterr().err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{{ 1 + 'a' }}", "list/part.j2:2: TypeError: "),
        ("{{ world.name | nonsense }}", "list/part.j2:2: No filter named 'nonsense'."),
        ("{{ world.nme }}", "list/part.j2:2: 'ingen_sdkgen.languages.outline.WorldOutline object' has no"),
        ("{% include 'list/absent.j2' %}", "list/absent.j2: there is no such template"),
    ],
)
def test_a_mistake_in_an_included_template_is_named(capfd: Output, text: str, message: str) -> None:
    write("templates/list/list.j2", "one\n\n{% include 'list/part.j2' %}")
    write("templates/list/part.j2", f"one\n{text}\n")
    assert main(["gen"]) == 1
    assert f"error: {message}" in capfd.readouterr().err


def test_two_files_with_one_name(capfd: Output) -> None:
    write("templates/list/language.toml", '[interface-files]\n"{interface.snake}.md" = "functions.j2"\n')
    write("wit/shop.wit", "package a:b;\nworld shop { import c: interface {} import c0: interface {} }\n")
    write("wit/deps/x/x.wit", "package a:bc;\n")
    assert main(["gen", "--quiet"]) == 0
    text = "package a:b-c;\nworld shop { import d; import a:b/c-d; }\ninterface d {}\n"
    write("wit/shop.wit", text)
    write("wit/deps/x/x.wit", "package a:b;\ninterface c-d {}\n")
    assert main(["gen"]) == 1
    assert "templates/list/language.toml gives two files the name a_b_c_d.md" in capfd.readouterr().err


def test_two_targets_with_one_file(capfd: Output) -> None:
    write("ingen-sdkgen.toml", PROJECT + '[[other]]\nlanguage = "list"\nout = "made"\nfeatures = ["extra"]\n')
    assert main(["gen"]) == 1
    assert "two targets make made/" in capfd.readouterr().err


def test_output_that_cannot_be_written(capfd: Output) -> None:
    write("made", "a file where a folder would be")
    assert main(["gen"]) == 1
    assert "cannot write made/" in capfd.readouterr().err


# --- Without a project file ---

FLAGS = ["gen", "wit", "--language", "list", "--templates", "templates", "--out", "made"]


def test_flags_alone(capfd: Output) -> None:
    assert main([*FLAGS, "--world", "shop"]) == 0
    assert set(files()) == {"shop.txt", GOODS, "ingen-sdkgen.lock"}
    assert main([*FLAGS, "--world", "shop", "--check"]) == 0
    Path("made/shop.txt").unlink()
    capfd.readouterr()
    assert main([*FLAGS, "--world", "shop", "--check"]) == 1
    assert "error: made/shop.txt is missing: it was generated, and is gone" in capfd.readouterr().err
    assert not Path("ingen-sdkgen.lock").exists()


def test_the_lock_of_flags_does_not_tell_where_the_input_is(place: Path, capfd: Output) -> None:
    main([*FLAGS, "--world", "shop"])
    expected = files()
    main(["gen", str(place / "wit"), *FLAGS[2:-1], str(place / "a" / "b" / "c"), "--world", "shop"])
    assert files("a/b/c") == expected


def test_two_worlds_in_one_folder(capfd: Output) -> None:
    assert main([*FLAGS, "--world", "shop"]) == 0
    Path(f"made/{GOODS}").unlink()
    write("templates/list/language.toml", '[files]\n"{world}.txt" = "list.j2"\n[options]\nend = "."')
    assert main([*FLAGS, "--world", "second"]) == 0
    assert {"shop.txt", "second.txt"} <= set(files())


def test_options_and_features(capfd: Output) -> None:
    assert main([*FLAGS, "--world", "shop", "--option", "end=!", "--features", "extra"]) == 0
    assert files()["shop.txt"].endswith("demo:shop/shop@1.0.0!\n")
    assert "more: func()" in files()[GOODS]


def test_options_of_each_kind(capfd: Output) -> None:
    arguments = ["gen-wasm", "wit", "--world", "shop", "--language", "rust", "--out", "rust"]
    options = ["stubs", "file=made", "derives=std::hash::Hash,Eq", "renames=#log=write", "derives=PartialEq"]
    assert main([*arguments, *(part for option in options for part in ("--option", option))]) == 0
    made = files("rust")
    assert {"made.rs", "made_stubs.rs"} <= set(made)
    assert "fn write(" in made["made.rs"]
    assert main([*arguments, "--option", "stubs=false"]) == 0
    assert set(files("rust")) == {"shop.rs", "ingen-sdkgen.lock"}


def test_a_component_gives_its_name_to_its_world(capfd: Output) -> None:
    text = '(component (import "log" (func (param "x" string))))'
    write("my_greeter.component.wat", text)
    assert main(["gen-host", "my_greeter.component.wat", "--out", "host"]) == 0
    assert "class MyGreeter:" in files("host")["__init__.py"]
    Path("my_greeter.component.wat").rename("other.wat")
    assert main(["gen-host", "other.wat", "--out", "host"]) == 0
    assert "class Other:" in files("host")["__init__.py"]


@pytest.mark.parametrize(
    "language", registry.OWN_LANGUAGES, ids=lambda item: f"{item.side.value}-{item.name}"
)
def test_two_processes_give_the_same_bytes(language: registry.Language) -> None:
    wit = ROOT / "tests" / "languages" / "wit" / "values.wit"
    verb = "gen-host" if language.side is registry.Side.HOST else "gen-wasm"
    made = []
    for seed in ["1", "2"]:
        command = "import sys, ingen_sdkgen.cli as c; sys.exit(c.main())"
        arguments = [verb, str(wit), "--world", "through", "--language", language.name]
        arguments += ["--out", f"out-{seed}", "--no-cache"]
        environment = {"PYTHONHASHSEED": seed, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'runtime'}"}
        subprocess.run(
            [sys.executable, "-c", command, *arguments], env={**os.environ, **environment}, check=True
        )
        made.append(files(f"out-{seed}"))
    assert made[0] == made[1]
    assert len(made[0]) >= 2


def test_the_only_world_need_not_be_named(capfd: Output) -> None:
    assert main(FLAGS) == 1
    err = capfd.readouterr().err
    assert "package `demo:shop@1.0.0` has several worlds" in err
    assert "`shop`, `second`" in err
    write("one.wit", "package a:b; world w {}")
    assert main(["gen", "one.wit", *FLAGS[2:]]) == 0
    assert "w.txt" in files()
    write("none.wit", "package a:b;")
    assert main(["gen", "none.wit", *FLAGS[2:]]) == 1
    assert "package `a:b` has no world" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["gen", "wit", "--language", "c"], "say where the files go: --out DIR"),
        (["gen-wasm", "wit", "--out", "o"], "say which language: --language c|python|rust"),
        (
            ["gen-wasm", "wit", "--language", "cc", "--out", "o"],
            "there is no language cc here; there is c, python, rust",
        ),
        (["gen-wasm", "--language", "c"], "--language needs a WIT; without one the project file decides"),
        (["gen", "--all-features"], "--all-features needs a PATH"),
        ([*FLAGS, "--project", "x"], "--project says what to generate, and so does wit"),
        ([*FLAGS, "--templates", "x"], "--templates: there is no folder x"),
        ([*FLAGS, "--option", "x=1"], "list has no option x; there is end"),
        ([*FLAGS, "--option", "end"], "--option end needs a value: end=VALUE"),
        (
            ["gen-wasm", "wit", "--language", "rust", "--out", "o", "--option", "stubs=1"],
            "1 is neither true nor",
        ),
        (
            ["gen-wasm", "wit", "--language", "rust", "--out", "o", "--option", "renames=1"],
            "1 is not KEY=VALUE",
        ),
    ],
)
def test_wrong_usage(capfd: Output, arguments: list[str], message: str) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(arguments)
    assert exit_.value.code == 2
    assert message in capfd.readouterr().err


# --- What a run imports ---


def test_a_run_with_nothing_to_do_imports_little() -> None:
    code = (
        "import sys, ingen_sdkgen.cli as c\n"
        "assert c.main(['gen']) == 0\n"
        "assert c.main(['gen', '--check']) == 0\n"
        "heavy = {'jinja2', 'lark', 'dataclasses', 'tempfile', 'difflib', 'ingen_sdkgen.model'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    command = [sys.executable, "-c", code]
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'runtime'}"}
    for _ in range(2):
        result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stderr
    assert result.stderr == "[]\n"
