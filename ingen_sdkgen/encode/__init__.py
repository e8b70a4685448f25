"""The IR in binary form: as an encoded WIT package, and as the `component-type` section of a core module.

What the binary form does not carry, whoever writes it:

- the numbering of the IR's tables: a reader numbers things in the order in which it meets them;
- of other packages, everything but the interfaces that are used, and of those that no world has, everything
  but the types; nor their documentation, gates, and the packages that nothing is used from;
- that an interface is a copy of another one (`Interface.clone_of`);
- documentation and gates, in a `component-type` section: they are in a package's `package-docs` section only.

A package without interfaces and worlds has no binary form, because its name is nowhere in it.
"""

from __future__ import annotations

import enum

from ingen_sdkgen.encode.checks import check_item_names
from ingen_sdkgen.encode.errors import EncodeError
from ingen_sdkgen.encode.package_docs import PACKAGE_DOCS_SECTION, encode_package_docs
from ingen_sdkgen.encode.scope import Scope, ScopeKind, custom_section, extern_name, section, string, unsigned
from ingen_sdkgen.encode.types import encode_interface, encode_world
from ingen_sdkgen.model import Resolve, WorldId

__all__ = ["EncodeError", "StringEncoding", "encode_component_type", "encode_package"]

_COMPONENT_PREAMBLE = b"\0asm\x0d\0\x01\0"
_ENCODING_SECTION = "wit-component-encoding"
_ENCODING_VERSION = 4


class StringEncoding(enum.Enum):
    """How a guest's strings are encoded; the value is what a `component-type` section calls it."""

    UTF8 = 0
    UTF16 = 1
    LATIN1_UTF16 = 2


def encode_package(resolve: Resolve) -> bytes:
    """The main package as an encoded WIT package.

    Each interface and world becomes a component type that is exported under its plain name. Documentation
    and gates go to a custom section.

    Raises: EncodeError, for a package without interfaces and worlds, and for what no component can have.
    """
    package = resolve.packages[resolve.main]
    if not package.interfaces and not package.worlds:
        raise EncodeError(f"package {package.name} has no interface and no world, so it has no binary form")
    check_item_names([*package.interfaces, *package.worlds])
    out = bytearray(_COMPONENT_PREAMBLE)
    types = 0
    for name, interface in package.interfaces.items():
        types += _add_type(out, types, name, encode_interface(resolve, interface))
    for name, world in package.worlds.items():
        types += _add_type(out, types, name, _wrapped_world(resolve, world))
    out += custom_section(PACKAGE_DOCS_SECTION, encode_package_docs(resolve))
    return bytes(out)


def encode_component_type(
    resolve: Resolve, world: WorldId, string_encoding: StringEncoding = StringEncoding.UTF8
) -> bytes:
    """The content of a `component-type` custom section, for a core module that implements `world`.

    Custom sections whose name starts with `component-type` tell `wasm-tools component new` and
    `wasm-component-ld` what a module's imports and exports mean.

    Raises: EncodeError, for what no component can have.
    """
    out = bytearray(_COMPONENT_PREAMBLE)
    out += custom_section(_ENCODING_SECTION, bytes([_ENCODING_VERSION, string_encoding.value]))
    _add_type(out, 0, resolve.worlds[world].name, _wrapped_world(resolve, world))
    return bytes(out)


def _wrapped_world(resolve: Resolve, world: WorldId) -> bytes:
    """A component type that exports the world as a component under its full name."""
    content = resolve.worlds[world]
    wrapper = Scope(ScopeKind.COMPONENT)
    index = wrapper.define_type(encode_world(resolve, world))
    full_name = resolve.packages[content.package].name.interface_id(content.name)
    wrapper.component(extern_name(full_name), index)
    return wrapper.finish()


def _add_type(out: bytearray, index: int, name: str, definition: bytes) -> int:
    """Append a type with number `index` and its export; returns by how much the index space grew."""
    out += section(7, b"\x01" + definition)
    out += section(11, b"\x01\x00" + string(name) + b"\x03" + unsigned(index) + b"\x00")
    return 2
