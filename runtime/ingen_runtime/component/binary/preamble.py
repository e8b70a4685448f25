"""The first eight bytes: magic, version and layer."""

from __future__ import annotations

import enum

from ingen_runtime.component.binary.reader import Buffer
from ingen_runtime.errors import ComponentFormatError

MAGIC = b"\0asm"
MODULE_PREAMBLE = MAGIC + b"\x01\0\0\0"
COMPONENT_PREAMBLE = MAGIC + b"\x0d\0\x01\0"


class BinaryKind(enum.Enum):
    """What a WebAssembly binary holds."""

    CORE_MODULE = "core module"
    COMPONENT = "component"


def binary_kind(data: Buffer, offset: int = 0, end: int | None = None) -> BinaryKind:
    """Tell core modules from components by the preamble at the start of `data[offset:end]`.

    Raises: ComponentFormatError where it is neither.
    """
    preamble = bytes(data[offset : offset + 8 if end is None else min(offset + 8, end)])
    if preamble == COMPONENT_PREAMBLE:
        return BinaryKind.COMPONENT
    if preamble == MODULE_PREAMBLE:
        return BinaryKind.CORE_MODULE
    if preamble[:4] != MAGIC:
        hint = "no WebAssembly binary: the magic bytes `\\0asm` are missing"
        if preamble.lstrip()[:2] == b"(m" or preamble.lstrip()[:2] == b"(c":
            hint += "; this looks like the text format, which `wasm-tools parse` converts"
        raise ComponentFormatError(hint, offset)
    if len(preamble) < 8:
        raise ComponentFormatError(
            "unexpected end of the section or file in the preamble", offset + len(preamble)
        )
    version, layer = int.from_bytes(preamble[4:6], "little"), int.from_bytes(preamble[6:8], "little")
    raise ComponentFormatError(
        f"unknown binary version 0x{version:x} at layer {layer}: "
        "this reads core modules of version 1 and components of version 0xd",
        offset + 4,
    )


def expect_kind(data: Buffer, offset: int, end: int, wanted: BinaryKind) -> None:
    """Check that a preamble of the wanted kind is at `offset`.

    Raises: ComponentFormatError where it is another one or none.
    """
    found = binary_kind(data, offset, end)
    if found is not wanted:
        raise ComponentFormatError(f"expected a {wanted.value}, found a {found.value}", offset)
