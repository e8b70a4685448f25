"""From a path to an IR, whatever is at the path, and from the cache where that was read before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from ingen_runtime.errors import ComponentFormatError, IngenError
from ingen_sdkgen import __version__
from ingen_sdkgen.cache import Cache, code_fingerprint, digest
from ingen_sdkgen.model import Resolve

_WASM_MAGIC = b"\0asm"
_INPUT_SUFFIXES = (".wit", ".wat", ".wasm")


class UnreadableInput(IngenError):
    """There is nothing to read at the path, or what is there is broken."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"cannot read {path}: {reason}")
        self.path = path
        self.reason = reason


def read(
    path: Path, *, features: Iterable[str] = (), all_features: bool = False, cache: Cache | None = None
) -> Resolve:
    """Read a WIT file, a folder of WIT, an encoded package or a component.

    `features` switch `@unstable` items of WIT text on; binaries have none left to decide. With a cache, what
    was read from the same text before is not parsed again.

    Raises: WitErrors, UnreadableInput
    """
    try:
        if path.is_file() and _is_binary(path):
            return _decode(path)
        return _read_text(path, sorted(set(features)), all_features, cache or Cache(None))
    except OSError as error:
        raise UnreadableInput(Path(error.filename or path), error.strerror or str(error)) from error


def _is_binary(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(_WASM_MAGIC)) == _WASM_MAGIC


def _decode(path: Path) -> Resolve:
    from ingen_sdkgen.decode import decode

    try:
        return decode(path.read_bytes())
    except ComponentFormatError as error:
        raise UnreadableInput(path, str(error)) from error


def _read_text(path: Path, features: list[str], all_features: bool, cache: Cache) -> Resolve:
    from ingen_sdkgen.ir_bytes import dump_ir, load_ir

    name = _entry_name(path, features, all_features)
    known = cache.load(name)
    if known is not None:
        try:
            return load_ir(known)
        except ValueError:
            pass
    from ingen_sdkgen.resolve import load

    resolve = load(path, features=features, all_features=all_features).resolve
    # Not under the name of files that changed while they were read.
    if _entry_name(path, features, all_features) == name:
        cache.store(name, dump_ir(resolve))
    return resolve


def _entry_name(path: Path, features: list[str], all_features: bool) -> str:
    """A digest of all that the IR depends on: the tool, the options, names and contents of the files."""
    parts = [b"ir", __version__.encode(), code_fingerprint(), b"all" if all_features else b"some"]
    parts.append(",".join(features).encode("utf-8", "surrogatepass"))
    for file in _inputs(path):
        parts.append(bytes(file.relative_to(path)))
        parts.append(file.read_bytes())
    return "ir-" + digest(parts)


def _inputs(path: Path) -> Iterator[Path]:
    """Every file that reading `path` may open, and perhaps more, in a fixed order."""
    if not path.is_dir():
        yield path
        return
    for entry in sorted(path.iterdir()):
        if entry.name == "deps":
            yield from sorted(file for file in entry.rglob("*") if file.suffix in _INPUT_SUFFIXES)
        elif entry.suffix in _INPUT_SUFFIXES:
            yield entry
