"""The command line: what it prints where, its exit statuses, and that a user never sees a traceback."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ingen_sdkgen import __version__, reading
from ingen_sdkgen.cli import main

ROOT = Path(__file__).resolve().parents[2]

GOOD = """\
package demo:a@1.0.0;
/// Says “hello”.
interface i { f: func(x: u8) -> string; @unstable(feature = extra) g: func(); }
world w { export i; }
world other { import h: func(); }
"""
BAD = "package demo:a;\ninterface i { f: func(x: strin); g: func(y: lisst); }\n"

Output = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A current folder with `good.wit` and `bad.wit`, and a cache of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("INGEN_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.delenv("INGEN_TRACEBACK", raising=False)
    monkeypatch.setenv("COLUMNS", "100")
    Path("good.wit").write_text(GOOD, encoding="utf-8")
    Path("bad.wit").write_text(BAD)
    return tmp_path


def usage_status(*arguments: str) -> object:
    with pytest.raises(SystemExit) as exit_:
        main(arguments)
    return exit_.value.code


def process(
    *arguments: str,
    code: str = "import sys, ingen_sdkgen.cli as c; sys.exit(c.main())",
    stdin: bytes = b"",
    **environment: str,
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'runtime'}", **environment},
        input=stdin,
        capture_output=True,
        check=False,
    )


# --- What is printed ---


def test_canonical_wit_by_default(capfd: Output) -> None:
    assert main(["wit", "good.wit"]) == 0
    out, err = capfd.readouterr()
    assert err == ""
    assert out.startswith("package demo:a@1.0.0;\n\n/// Says “hello”.\ninterface i {\n")


@pytest.mark.parametrize("options", [[], ["--all-features"], ["--features", "extra,more"]])
def test_json_is_that_of_wasm_tools(capfd: Output, wasm_tools: Path, options: list[str]) -> None:
    assert main(["wit", "good.wit", "--json", *options]) == 0
    oracle = subprocess.run(
        [wasm_tools, "component", "wit", "--json", "good.wit", *options],
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(capfd.readouterr().out) == json.loads(oracle.stdout)


def test_features_may_be_repeated(capfd: Output) -> None:
    assert main(["wit", "good.wit", "--features", "a, b", "--features", "extra"]) == 0
    assert "g: func();" in capfd.readouterr().out
    assert main(["wit", "good.wit", "--features", "a extra,b"]) == 0
    assert "g: func();" in capfd.readouterr().out


def test_an_encoded_package_reads_back(capfd: Output, wasm_tools: Path) -> None:
    assert main(["wit", "good.wit", "--wasm", "-o", "good.wasm"]) == 0
    assert capfd.readouterr() == ("", "")
    subprocess.run([wasm_tools, "validate", "--features", "all", "good.wasm"], check=True)
    main(["wit", "good.wit"])
    expected = capfd.readouterr().out
    assert main(["wit", "good.wasm"]) == 0
    assert capfd.readouterr().out == expected


def test_a_component_shows_its_world(capfd: Output) -> None:
    Path("c.wat").write_text('(component (import "f" (func (param "x" u8))))')
    assert main(["wit", "c.wat"]) == 0
    assert "  import f: func(x: u8);" in capfd.readouterr().out
    Path("c.wat").write_text("(component (nonsense))")
    assert main(["wit", "c.wat"]) == 1
    err = capfd.readouterr().err
    assert "cannot read c.wat: " in err
    assert "--> c.wat:1:13\n" in err


def test_binary_output_goes_to_a_pipe(place: Path) -> None:
    assert process("wit", "good.wit", "--wasm").stdout.startswith(b"\0asm")


def test_binary_output_does_not_go_to_a_terminal(monkeypatch: pytest.MonkeyPatch, capfd: Output) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert usage_status("wit", "good.wit", "--wasm") == 2
    assert "name a file with -o" in capfd.readouterr().err


def test_one_world(capfd: Output) -> None:
    assert main(["wit", "good.wit", "--world", "other"]) == 0
    assert capfd.readouterr().out == "package demo:a@1.0.0;\n\nworld other {\n  import h: func();\n}\n"


def test_text_and_json_go_to_a_file_too(capfd: Output) -> None:
    assert main(["wit", "good.wit", "--json", "-o", "good.json"]) == 0
    assert capfd.readouterr() == ("", "")
    assert json.loads(Path("good.json").read_text())["packages"][0]["name"] == "demo:a@1.0.0"


def test_output_is_utf_8_in_any_locale() -> None:
    result = process("wit", "good.wit", LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    assert result.returncode == 0
    assert "“hello”" in result.stdout.decode()


# --- What goes wrong ---


def test_all_errors_of_a_run_are_shown(capfd: Output) -> None:
    assert main(["wit", "bad.wit"]) == 1
    out, err = capfd.readouterr()
    assert out == ""
    assert "--> bad.wit:2:26" in err
    assert "--> bad.wit:2:45" in err
    assert "\x1b" not in err


def test_errors_as_json(capfd: Output) -> None:
    assert main(["wit", "bad.wit", "--error-format", "json"]) == 1
    errors = json.loads(capfd.readouterr().err)["errors"]
    assert [(error["file"], error["line"], error["column"]) for error in errors] == [
        ("bad.wit", 2, 26),
        ("bad.wit", 2, 45),
    ]


def test_errors_as_annotations(capfd: Output) -> None:
    assert main(["wit", "bad.wit", "--error-format", "github"]) == 1
    lines = capfd.readouterr().err.splitlines()
    assert len(lines) == 2
    assert all(re.match(r"::error file=bad\.wit,line=2,", line) for line in lines)


def test_colours_only_on_a_terminal(monkeypatch: pytest.MonkeyPatch, capfd: Output) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    main(["wit", "bad.wit"])
    assert "\x1b[" in capfd.readouterr().err
    monkeypatch.setenv("NO_COLOR", "1")
    main(["wit", "bad.wit"])
    assert "\x1b[" not in capfd.readouterr().err


def test_a_world_that_is_not_there(capfd: Output) -> None:
    assert main(["wit", "good.wit", "--world", "othr"]) == 1
    err = capfd.readouterr().err
    assert "package `demo:a@1.0.0` has no world `othr`" in err
    assert "did you mean `other`?" in err


def test_an_empty_name_is_no_world(capfd: Output) -> None:
    assert main(["wit", "good.wit"]) == 0
    assert main(["wit", "good.wit", "--world", ""]) == 1
    assert "has no world ``" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("data", "line"),
    [(GOOD.encode(), b"package demo:a@1.0.0;"), (b"\0asm\x0d\0\1\0", b"package root:component;")],
)
def test_standard_input(place: Path, data: bytes, line: bytes) -> None:
    Path("-").write_text(BAD)
    result = process("wit", "-", "-o", "-", stdin=data)
    assert (result.returncode, result.stderr) == (0, b"")
    assert result.stdout.splitlines()[0] == line
    result = process("wit", "-", stdin=b"interface i {}")
    assert (result.returncode, result.stdout) == (1, b"")
    assert b"<stdin> does not say which package it is" in result.stderr


def test_standard_input_that_is_closed(monkeypatch: pytest.MonkeyPatch, capfd: Output) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    assert main(["wit", "-"]) == 1
    assert capfd.readouterr().err == "error: cannot read <stdin>: it is closed\n"


def test_a_path_that_is_not_there(capfd: Output) -> None:
    assert main(["wit", "nothing.wit"]) == 1
    assert "nothing.wit" in capfd.readouterr().err


@pytest.mark.parametrize("data", [b"", b"\0asm", b"\0asm\x0d\0\x01\0\x07\xff", b"\xff\xfe\0\0"])
def test_a_file_of_rubbish(capfd: Output, data: bytes) -> None:
    Path("rubbish.wasm").write_bytes(data)
    assert main(["wit", "rubbish.wasm"]) == 1
    assert capfd.readouterr().err.startswith("error: cannot read rubbish.wasm: ")


@pytest.mark.parametrize("text", [b"\xff", b"package a:b;;", b"pakcage a:b;", "paçkage a:b;".encode()])
def test_a_broken_header_is_not_reported_as_missing(capfd: Output, text: bytes) -> None:
    Path("header.wit").write_bytes(text)
    assert main(["wit", "header.wit"]) == 1
    assert "which package" not in capfd.readouterr().err


def test_a_name_outside_ascii_is_shown_as_it_is(capfd: Output) -> None:
    Path("name.wit").write_text("package a:b; interfaçe i {}", encoding="utf-8")
    assert main(["wit", "name.wit"]) == 1
    assert "found `interfaçe`" in capfd.readouterr().err


def test_output_that_cannot_be_written(capfd: Output) -> None:
    assert main(["wit", "good.wit", "-o", "missing/out.wit"]) == 1
    assert "cannot write missing/out.wit" in capfd.readouterr().err


def test_a_failed_run_leaves_the_output_file_alone(capfd: Output) -> None:
    Path("out.wit").write_text("as it was")
    assert main(["wit", "bad.wit", "-o", "out.wit"]) == 1
    assert Path("out.wit").read_text() == "as it was"


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_that_goes_away_is_no_error(unbuffered: str) -> None:
    fields = ", ".join(f"field-{at}: u8" for at in range(20_000))
    Path("long.wit").write_text(f"package a:b; interface i {{ record r {{ {fields} }} }}")
    script = f"{sys.executable} -c 'import sys, ingen_sdkgen.cli as c; sys.exit(c.main())' wit long.wit"
    result = subprocess.run(
        ["bash", "-c", f"{script} | head -c 10; echo ${{PIPESTATUS[0]}}"],
        env={
            **os.environ,
            "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'runtime'}",
            "PYTHONUNBUFFERED": unbuffered,
        },
        capture_output=True,
        text=True,
        check=True,
    )
    assert (result.stdout, result.stderr) == ("package a:141\n", "")


# --- Usage ---


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "the following arguments are required: VERB"),
        (["wti"], "invalid choice: 'wti'"),
        (["wit"], "the following arguments are required: PATH"),
        (["wit", ""], "argument PATH: an empty path names nothing"),
        (["wit", "a", "b"], "one argument too many: b"),
        (["wit", "a", "-"], "one argument too many: -"),
        (["wit", "a", "--jsn"], "there is no option --jsn; did you mean `--json`?"),
        (["wit", "a", "--feature=x"], "there is no option --feature=x; did you mean `--features`?"),
        (["wit", "a", "--json", "--wasm"], "not allowed with argument"),
        (["wit", "a", "--all-features", "--features", "x"], "not allowed with argument"),
        (["wit", "a", "--error-format", "xml"], "invalid choice: 'xml'"),
    ],
)
def test_wrong_usage(capfd: Output, arguments: list[str], message: str) -> None:
    assert usage_status(*arguments) == 2
    err = capfd.readouterr().err
    assert message in err
    assert err.count("\n") == 2
    assert err.endswith(" --help`.\n")


def test_help_and_version(capfd: Output) -> None:
    assert usage_status("--version") == 0
    assert capfd.readouterr().out == f"ingen-sdkgen {__version__}\n"
    for arguments in (["--help"], ["wit", "--help"]):
        assert usage_status(*arguments) == 0
        out = capfd.readouterr().out
        assert max(map(len, out.splitlines())) <= 100


# --- Bugs ---


@pytest.fixture
def bug(monkeypatch: pytest.MonkeyPatch, place: Path) -> None:
    def fail(*args: object, **options: object) -> None:
        raise KeyError("inner\nworkings")

    monkeypatch.setattr(reading, "read", fail)
    monkeypatch.setattr("tempfile.tempdir", str(place))


@pytest.mark.usefixtures("bug")
def test_a_bug_of_ours_asks_to_be_reported(capfd: Output) -> None:
    assert main(["wit", "good.wit"]) == 70
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith("ingen-sdkgen: KeyError: ")
    assert "This is a bug in ingen, not in your input; please report it" in err
    assert "Traceback" not in err
    details = re.search(r"The details are in (\S+\.txt):", err)
    assert details is not None
    text = Path(details[1]).read_text()
    assert "Traceback" in text
    assert __version__ in text
    assert repr(sys.argv) in text


@pytest.mark.usefixtures("bug")
def test_the_environment_asks_for_the_traceback(capfd: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INGEN_TRACEBACK", "1")
    assert main(["wit", "good.wit"]) == 70
    assert "Traceback (most recent call last)" in capfd.readouterr().err


# --- The cache, and what a run imports ---


def test_a_second_run_does_not_parse(capfd: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    assert main(["wit", "good.wit"]) == 0
    first = capfd.readouterr().out

    def fail(*args: object, **options: object) -> None:
        raise AssertionError("parsed again")

    monkeypatch.setattr("ingen_sdkgen.resolve.load_data", fail)
    assert main(["wit", "good.wit"]) == 0
    assert capfd.readouterr().out == first
    assert main(["wit", "good.wit", "--no-cache"]) == 70
    assert main(["wit", "good.wit", "--all-features"]) == 70
    Path("good.wit").write_text(GOOD + "// changed")
    assert main(["wit", "good.wit"]) == 70


def test_a_changed_dependency_is_read_again(capfd: Output, place: Path) -> None:
    (place / "wit" / "deps" / "b").mkdir(parents=True)
    (place / "wit" / "a.wit").write_text("package a:a; world w { import b:b/i; }")
    dependency = place / "wit" / "deps" / "b" / "b.wit"
    dependency.write_text("package b:b; interface i { f: func(); }")
    assert main(["wit", "wit"]) == 0
    assert "  f: func();" in capfd.readouterr().out
    dependency.write_text("package b:b; interface i { g: func(); }")
    assert main(["wit", "wit"]) == 0
    assert "  g: func();" in capfd.readouterr().out


def test_a_changed_dependency_behind_a_link_is_read_again(capfd: Output, place: Path) -> None:
    (place / "wit" / "deps").mkdir(parents=True)
    (place / "elsewhere").mkdir()
    (place / "wit" / "deps" / "b").symlink_to(place / "elsewhere")
    (place / "wit" / "a.wit").write_text("package a:a; world w { import b:b/i; }")
    for name in ["f", "g"]:
        (place / "elsewhere" / "b.wit").write_text(f"package b:b; interface i {{ {name}: func(); }}")
        assert main(["wit", "wit"]) == 0
        assert f"  {name}: func();" in capfd.readouterr().out


def test_a_new_folder_in_deps_is_not_overlooked(capfd: Output, place: Path) -> None:
    (place / "wit" / "deps").mkdir(parents=True)
    (place / "wit" / "a.wit").write_text("package a:a;")
    assert main(["wit", "wit"]) == 0
    (place / "wit" / "deps" / "empty").mkdir()
    assert main(["wit", "wit", "--no-cache"]) == main(["wit", "wit"]) == 1


@pytest.mark.skipif(not Path("/dev/stdin").exists(), reason="the system has no /dev/stdin")
def test_a_pipe_is_read_once(place: Path) -> None:
    code = "import sys, ingen_sdkgen.cli as c; sys.exit(c.main())"
    result = subprocess.run(
        [sys.executable, "-c", code, "wit", "/dev/stdin"],
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'runtime'}"},
        input=GOOD.encode(),
        capture_output=True,
        check=False,
    )
    assert result.stderr == b""
    assert result.stdout.startswith(b"package demo:a@1.0.0;")


def test_no_cache_leaves_no_trace(place: Path, capfd: Output) -> None:
    assert main(["wit", "good.wit", "--no-cache"]) == 0
    assert not (place / "cache").exists()


def test_a_cache_of_rubbish_does_not_matter(place: Path, capfd: Output) -> None:
    assert main(["wit", "good.wit"]) == 0
    expected = capfd.readouterr()
    for entry in (place / "cache").iterdir():
        entry.write_bytes(b"rubbish")
    assert main(["wit", "good.wit"]) == 0
    assert capfd.readouterr() == expected


def test_a_cache_that_cannot_be_does_not_matter(
    place: Path, capfd: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INGEN_CACHE_DIR", str(place / "good.wit" / "below"))
    assert main(["wit", "good.wit"]) == 0


@pytest.mark.parametrize(
    ("arguments", "absent"),
    [
        (["--help"], ["lark", "ingen_sdkgen.model", "dataclasses", "wasmtime", "tempfile"]),
        (
            ["wit", "good.wit"],
            ["lark", "wasmtime", "tempfile", "importlib.metadata", "ingen_sdkgen.diagnostics"],
        ),
    ],
)
def test_a_run_imports_what_it_needs(arguments: list[str], absent: list[str]) -> None:
    assert process("wit", "good.wit").returncode == 0
    code = (
        "import sys, ingen_sdkgen.cli as c\n"
        "try: c.main()\n"
        "except SystemExit: pass\n"
        f"print([name for name in {absent} if name in sys.modules], file=sys.stderr)"
    )
    assert process(*arguments, code=code).stderr.decode() == "[]\n"


def test_a_new_input_is_read_without_lark(place: Path) -> None:
    Path("good.wit").write_text("package a:b;")
    code = "import sys, ingen_sdkgen.cli as c; c.main(); sys.exit('lark' in sys.modules)"
    known = process("wit", "good.wit", code=code)
    assert (known.returncode, known.stdout) == (0, b"package a:b;\n")
