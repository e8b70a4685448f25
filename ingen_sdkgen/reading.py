"""From a path to an IR, whatever is at the path."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ingen_runtime.errors import ComponentFormatError
from ingen_sdkgen.failures import UnreadableInput
from ingen_sdkgen.model import Resolve

_WASM_MAGIC = b"\0asm"


def read(path: Path, *, features: Iterable[str] = (), all_features: bool = False) -> Resolve:
    """Read a WIT file, a folder of WIT, an encoded package, a component, or a module that carries its world.

    `features` switch `@unstable` items of WIT text on; binaries have none left to decide.
    A binary may be in text form where the file is called `.wat`.

    Raises: WitErrors, UnreadableInput
    """
    try:
        if path.is_file() and (path.suffix == ".wat" or _is_binary(path)):
            return _decode(path)
        from ingen_sdkgen.resolve import load

        return load(path, features=features, all_features=all_features).resolve
    except OSError as error:
        raise UnreadableInput(Path(error.filename or path), error.strerror or str(error)) from error


def _is_binary(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(_WASM_MAGIC)) == _WASM_MAGIC


def _decode(path: Path) -> Resolve:
    from ingen_sdkgen.decode import decode

    data = path.read_bytes()
    try:
        if not data.startswith(_WASM_MAGIC):
            from ingen_runtime.engine.text import text_to_binary

            data = text_to_binary(data)
        return decode(data)
    except ComponentFormatError as error:
        raise UnreadableInput(path, str(error)) from error
