"""`ingen run`: one program as the guest process of a VM."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import absent

_HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A C program for preview 1 of WASI."""
    if importlib.util.find_spec("ziglang") is None:
        absent("the C compiler is absent: pip install ziglang")
    output = tmp_path_factory.mktemp("emulator") / "program.wasm"
    compiler = [sys.executable, "-m", "ziglang", "cc", "-target", "wasm32-wasi", "-O1"]
    subprocess.run([*compiler, "-o", output, _HERE / "program.c"], check=True)
    return output


def ingen(*arguments: str | Path, given: str = "") -> subprocess.CompletedProcess[str]:
    """Run the command, with `given` on its standard input."""
    command = [sys.executable, "-m", "ingen_emulator", "run", *map(str, arguments)]
    return subprocess.run(command, input=given, capture_output=True, text=True, timeout=60, check=False)


def test_arguments_and_exit_status_are_the_programs(program: Path) -> None:
    told = ingen(program, "arguments", "a b", "--", "--env", "-x")
    assert (told.returncode, told.stdout) == (0, "program.wasm\narguments\na b\n--env\n-x\n")
    assert ingen(program, "exit", "7").returncode == 7


def test_standard_input_reaches_the_program(program: Path) -> None:
    assert ingen(program, "cat", given="one\ntwo").stdout == "one\ntwo"


def test_variables_tell_the_program_who_it_is(program: Path) -> None:
    def variable(name: str, *options: str) -> str:
        return ingen(program, "variable", name, *options).stdout.strip()

    assert variable("EVM_NAME") == "vm"
    assert variable("EVM_PRIVATE_IPV4", "--address", "10.9.8.7/24", "--name", "web") == "10.9.8.7"
    assert variable("COLOUR", "--env", "COLOUR=a=b") == "a=b"
    assert variable("PATH") == "(none)"


def test_the_host_network_is_that_of_the_machine(program: Path) -> None:
    told = ingen(program, "variable", "EVM_PRIVATE_IPV4", "--network", "host")
    assert (told.returncode, told.stderr) == (0, "")
    told = ingen(program, "exit", "0", "--network", "netns:no-such-namespace")
    assert told.returncode == 1
    assert "no-such-namespace" in told.stderr


def test_folders_are_reached_with_their_rights_and_nothing_else_is(program: Path, tmp_path: Path) -> None:
    def written(path: str, *options: str) -> int:
        return ingen(program, "write", path, *options).returncode

    assert written("/data/file", "--dir", f"{tmp_path}:/data") == 0
    assert (tmp_path / "file").read_text() == "written"
    assert written("/data/other", "--dir", f"{tmp_path}:/data:ro") == 3
    assert written("/data/../escaped", "--dir", f"{tmp_path}:/data") == 3
    assert written(str(tmp_path / "other")) == 3
    assert written("/vm/file") == 0
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_trap_shows_where_and_what_the_program_said(program: Path) -> None:
    told = ingen(program, "trap")
    assert told.returncode == 134
    assert told.stderr.startswith("about to trap\ningen: the program was stopped: unreachable")
    assert "program.wasm!main" in told.stderr
    assert "Traceback" not in told.stderr


def test_limits_end_the_program(program: Path) -> None:
    told = ingen(program, "loop", "--timeout", "0.2")
    assert told.returncode == 124
    assert told.stderr == "ingen: ended after 0.2 s, as --timeout says\n"
    assert ingen(program, "allocate", "30", "--memory-mib", "64").returncode == 0
    assert ingen(program, "allocate", "100", "--memory-mib", "64").returncode == 4


@pytest.mark.parametrize("what", ["loop", "cat"])
def test_ctrl_c_ends_the_program(program: Path, what: str) -> None:
    command = [sys.executable, "-m", "ingen_emulator", "run", str(program), what]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0
    )
    with process:
        assert process.stdin is not None
        assert process.stdout is not None
        # Both say something once they run.
        process.stdin.write(b"x" * 8192)
        process.stdout.read(1)
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=60)
    assert (process.returncode, told) == (130, b"")


@pytest.mark.parametrize("what", [["write", "/process/file"], ["nest"]])
def test_nothing_stays_behind(program: Path, tmp_path: Path, what: list[str]) -> None:
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-m", "ingen_emulator", "run", str(program), *what]
    assert subprocess.run(command, env=environment, timeout=60, check=False).returncode == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_leaves_nothing_behind(
    program: Path, tmp_path: Path, number: signal.Signals, status: int
) -> None:
    command = [sys.executable, "-m", "ingen_emulator", "run", str(program), "loop"]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.read(1)
        process.send_signal(number)
        _, told = process.communicate(timeout=60)
    assert (process.returncode, told.decode()) == (status, f"ingen: ended by {number.name}\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("closed", "status"), [("<&-", 0), (">&-", 5), ("2>&-", 0)])
def test_closed_streams_are_closed_for_the_program(program: Path, closed: str, status: int) -> None:
    """Nothing of the host's takes their place: to read or write them fails."""
    command = f'"$0" -m ingen_emulator run "$1" streams {closed}'
    told = subprocess.run(
        ["sh", "-c", command, sys.executable, str(program)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert told.returncode == status
    assert told.stdout == ("" if closed == ">&-" else f"{int(closed == '<&-')} {int(closed == '2>&-')}\n")
    assert told.stderr == ("" if closed == "2>&-" else "!")


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        (["missing.wasm"], 1, "error: cannot read missing.wasm: No such file or directory"),
        ([__file__], 1, f"error: cannot run {__file__}: no WebAssembly binary"),
        (["x.wasm", "--env", "COLOUR"], 2, "--env COLOUR: it is KEY=VALUE"),
        (["x.wasm", "--dir", "a:b:c"], 2, "--dir: `a:b:c` is not HOST:GUEST or HOST:GUEST:ro"),
        (["x.wasm", "--dir", "/missing:/x"], 2, "cannot use /missing: No such file or directory"),
        (["x.wasm", "--dir", f"{__file__}:/x"], 2, f"{__file__} is no folder"),
        (["x.wasm", "--dir", "/:/\udcff"], 2, "is not UTF-8"),
        (["x.wasm", "--name", ""], 2, "--name is empty"),
        (["x.wasm", "--address", "10.1"], 2, "such as 10.1.0.5/24"),
        (["x.wasm", "--network", "bridge"], 2, "--network bridge: it is virtual, host or netns:NAME"),
        ([__file__, "--network", "netns:"], 2, "--network netns:: it is virtual, host or netns:NAME"),
        (["x.wasm", "--memory-mib", "0"], 2, "it can be 1 to 4096"),
        (["x.wasm", "--timeout", "0"], 2, "it has to be more than 0"),
        (["x.wasm", "--adress", "10.1.0.5/24"], 2, "did you mean --address?"),
        (["x.wasm", "\udcff"], 2, "is not UTF-8"),
        ([], 2, "required: PROGRAM\n"),
    ],
)
def test_mistakes_are_explained(arguments: list[str], status: int, told: str) -> None:
    found = ingen(*arguments)
    assert found.returncode == status
    assert told in found.stderr
    assert "Traceback" not in found.stderr
