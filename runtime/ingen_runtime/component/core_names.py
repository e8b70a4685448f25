"""How a core module names what it imports and exports of its world.

Two schemes are in use: the one that wit-component grew (`ns:pkg/iface#func`, `cabi_realloc`), and the one of
BuildTargets.md in the component model, for 32-bit memories (`cm32p2|ns:pkg/iface|func`).
"""

from __future__ import annotations

from typing import Protocol

from ingen_runtime.component.names import compatible_track
from ingen_runtime.frozen import frozen

_STANDARD = "cm32p2"


@frozen
class CoreImportName:
    """What a core import is: a function, or with `builtin` an intrinsic of the resource `name`.

    `interface` is the interface's name, None for the world itself; `exported` tells the resources that the
    module implements from those that it uses.
    """

    interface: str | None
    name: str
    builtin: str | None = None
    exported: bool = False


class CoreNames(Protocol):
    """A naming scheme."""

    memory: str
    realloc: str
    initialize: str

    def read_import(self, module: str, name: str) -> CoreImportName:
        """What a core import is."""

    def interface_key(self, interface: str) -> str:
        """How an interface's name appears in core names."""

    def export(self, interface: str | None, name: str) -> str:
        """The core export of a function."""

    def post_return(self, core_name: str) -> str:
        """The core export of the post-return function of a core export."""

    def destructor(self, interface: str, resource: str) -> str:
        """The core export of a resource's destructor."""


class LegacyNames:
    """wit-component's scheme."""

    memory = "memory"
    realloc = "cabi_realloc"
    initialize = "_initialize"

    def read_import(self, module: str, name: str) -> CoreImportName:
        exported = module.startswith("[export]")
        path = module.removeprefix("[export]")
        interface = None if path == "$root" else path
        for builtin in ("new", "rep", "drop"):
            prefix = f"[resource-{builtin}]"
            if name.startswith(prefix):
                return CoreImportName(interface, name.removeprefix(prefix), f"resource.{builtin}", exported)
        return CoreImportName(interface, name)

    def interface_key(self, interface: str) -> str:
        return interface

    def export(self, interface: str | None, name: str) -> str:
        return name if interface is None else f"{interface}#{name}"

    def post_return(self, core_name: str) -> str:
        return f"cabi_post_{core_name}"

    def destructor(self, interface: str, resource: str) -> str:
        return f"{interface}#[dtor]{resource}"


class StandardNames:
    """The scheme of BuildTargets.md."""

    memory = f"{_STANDARD}_memory"
    realloc = f"{_STANDARD}_realloc"
    initialize = f"{_STANDARD}_initialize"

    def read_import(self, module: str, name: str) -> CoreImportName:
        path = module.removeprefix(_STANDARD).removeprefix("|")
        exported = path.startswith("_ex_")
        interface = path.removeprefix("_ex_") or None
        for builtin in ("new", "rep", "drop"):
            suffix = f"_{builtin}"
            if name.endswith(suffix):
                return CoreImportName(interface, name.removesuffix(suffix), f"resource.{builtin}", exported)
        return CoreImportName(interface, name)

    def interface_key(self, interface: str) -> str:
        return compatible_track(interface) or interface

    def export(self, interface: str | None, name: str) -> str:
        return f"{_STANDARD}|{'' if interface is None else self.interface_key(interface)}|{name}"

    def post_return(self, core_name: str) -> str:
        return f"{core_name}_post"

    def destructor(self, interface: str, resource: str) -> str:
        return self.export(interface, f"{resource}_dtor")


def core_names(import_modules: list[str], exports: list[str]) -> CoreNames:
    """The scheme that a module with these import modules and exports uses."""
    if any(name.startswith(_STANDARD) for name in (*import_modules, *exports)):
        return StandardNames()
    return LegacyNames()
