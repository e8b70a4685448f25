"""Names for what stands in for WASI in Python guests that are built without it.

componentize-py (0.25) puts a core module in the place of each interface: all that it has traps, and nothing
tells what it is. With names, the trap says what the guest wanted of its system.
"""

from __future__ import annotations

from collections.abc import Iterator

from ingen_runtime.component.binary.reader import Reader
from ingen_sdkgen.encode.scope import custom_section, section, string, unsigned, vector

__all__ = ["CORE_MODULE", "core_exports", "sections", "with_named_stubs"]

CORE_MODULE = 1
"""The number of a component's sections that are core modules."""

_TYPE, _FUNCTION, _EXPORT, _CODE = 1, 3, 7, 10
_UNREACHABLE = b"\x03\x00\x00\x0b"
_MODULE_NAME = "WASI, which this guest is built without"


def sections(binary: bytes) -> Iterator[tuple[int, bytes]]:
    """The sections of a module or component: the number and the content of each."""
    reader = Reader(binary, 8)
    while reader.position < reader.end:
        number = reader.u8()
        yield number, bytes(reader.take(reader.u32()))


def core_exports(content: bytes) -> Iterator[tuple[str, int, int]]:
    """Name, kind and index of each export, by the export section of a core module."""
    reader = Reader(content)
    for _ in range(reader.u32()):
        yield reader.name(), reader.u8(), reader.u32()


def with_named_stubs(component: bytes) -> bytes:
    """The component, with names in the core modules that only trap."""
    made = [component[:8]]
    for number, content in sections(component):
        if number == CORE_MODULE:
            content += _names(content)
        made.append(section(number, content))
    return b"".join(made)


def _names(module: bytes) -> bytes:
    """The name section that a stub gets; nothing for other modules."""
    found = list(sections(module))
    if [number for number, _ in found] != [_TYPE, _FUNCTION, _EXPORT, _CODE]:
        return b""
    content = dict(found)
    exports = sorted((index, name) for name, _, index in core_exports(content[_EXPORT]))
    if content[_CODE] != vector([_UNREACHABLE] * len(exports)):
        return b""
    functions = vector(unsigned(index) + string(name) for index, name in exports)
    return custom_section("name", section(0, string(_MODULE_NAME)) + section(1, functions))
