"""From a path to an IR, whatever is at the path."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ingen_runtime.errors import ComponentFormatError
from ingen_sdkgen.failures import UnreadableInput
from ingen_sdkgen.model import Resolve
from ingen_sdkgen.wasm_files import SUFFIXES, is_binary, to_binary


def read(path: Path, *, features: Iterable[str] = (), all_features: bool = False) -> Resolve:
    """Read a WIT file, a folder of WIT, an encoded package, a component, or a module that carries its world.

    `features` switch `@unstable` items of WIT text on; binaries have none left to decide. WebAssembly is
    known by its first bytes, or as `.wasm` or `.wat`, and may be in text form then.

    Raises: WitErrors, UnreadableInput
    """
    try:
        if not path.is_dir():
            return read_data(path.read_bytes(), path, features=features, all_features=all_features)
        from ingen_sdkgen.resolve import load

        return load(path, features=features, all_features=all_features).resolve
    except OSError as error:
        raise UnreadableInput(Path(error.filename or path), error.strerror or str(error)) from error


def read_data(
    data: bytes, path: Path, *, features: Iterable[str] = (), all_features: bool = False
) -> Resolve:
    """Read what a file holds, as `read` does; `path` is what messages call it.

    Raises: WitErrors, UnreadableInput
    """
    if path.suffix not in SUFFIXES and not is_binary(data):
        from ingen_sdkgen.resolve import load_data

        return load_data(data, str(path), features=features, all_features=all_features).resolve
    from ingen_sdkgen.decode import decode

    try:
        return decode(to_binary(data, path))
    except ComponentFormatError as error:
        raise UnreadableInput(path, str(error)) from error
