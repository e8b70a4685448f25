"""What the README shows is what the commands print: each `console` block is run and compared."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_BLOCK = re.compile(r"^```console\n\$ (?P<command>[^\n]+)\n(?P<output>.*?)^```$", re.MULTILINE | re.DOTALL)


def output_of(command: str) -> str:
    program, *arguments = shlex.split(command)
    assert program == "ingen-sdkgen", f"the README runs {program}"
    result = subprocess.run(
        [str(Path(sys.executable).with_name(program)), *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "runtime")])},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )
    assert result.returncode in (0, 1), result.stdout
    return result.stdout


def test_the_readme_shows_what_is_printed(golden: Callable[[Path, str], None]) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(_BLOCK.findall(readme)) >= 3

    def rerun(block: re.Match[str]) -> str:
        return f"```console\n$ {block['command']}\n{output_of(block['command'])}```"

    golden(ROOT / "README.md", _BLOCK.sub(rerun, readme))


def test_each_link_in_a_document_leads_somewhere() -> None:
    for document in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]:
        # What stands in code is no link.
        prose = re.sub(r"```.*?```|`[^`\n]*`", "", document.read_text(encoding="utf-8"), flags=re.DOTALL)
        for target in re.findall(r"\]\(([^)#:]+)\)", prose):
            assert (document.parent / target).exists(), f"{document.name} links to {target}"
