"""Where templates are. Apart from `render`, so that asking does not load a template engine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from ingen_sdkgen.cache import digest


def own_templates() -> Path:
    """The folder of our own templates: inside the installed package, or at the top of a checkout."""
    package = Path(__file__).parent
    installed = package / "templates"
    return installed if installed.is_dir() else package.parent / "templates"


def template_files(folder: Path) -> Iterator[Path]:
    """Every file in a folder of templates, sorted; none where there is no folder."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.name.startswith("."):
            yield path


def templates_digest(folders: Iterable[str], user: Path | None) -> str:
    """A digest of what a language's output may come from: our templates in its folders, and the user's.

    A user's templates may include any other of theirs.

    Raises: OSError
    """
    parts: list[bytes] = []
    ours = [(own_templates(), below) for below in folders]
    for folder, below in [*ours, *([] if user is None else [(user, "")])]:
        parts.append(b"folder")
        for path in template_files(folder / below):
            parts += [
                path.relative_to(folder).as_posix().encode("utf-8", "surrogateescape"),
                path.read_bytes(),
            ]
    return digest(parts)
