"""WebAssembly files as input: told from WIT, and brought into binary form."""

from __future__ import annotations

from pathlib import Path

from ingen_runtime.errors import ComponentFormatError

SUFFIXES = (".wasm", ".wat")
"""How the names of files end that hold WebAssembly, whichever form it has."""

_MAGIC = b"\0asm"


def is_binary(data: bytes) -> bool:
    """Whether this is WebAssembly in binary form; the first four bytes tell."""
    return data.startswith(_MAGIC)


def to_binary(data: bytes, path: Path) -> bytes:
    """The binary form of a WebAssembly file, which may be in text form.

    Raises: ComponentFormatError where it is neither.
    """
    if is_binary(data):
        return data
    from ingen_runtime.engine.text import text_to_binary

    try:
        return text_to_binary(data)
    except ComponentFormatError as error:
        if path.suffix == ".wat":
            # The assembler knows no file name, and writes this for it.
            raise ComponentFormatError(error.message.replace("<anon>", str(path))) from error
        raise ComponentFormatError("neither a WebAssembly binary nor the text form of one") from error
