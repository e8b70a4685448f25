"""What a user can choose about Rust bindings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ingen_sdkgen.languages.errors import CodegenError
from ingen_sdkgen.languages.rust.names import is_plain_name


@dataclass(frozen=True, slots=True)
class Options:
    """Choices about Rust bindings.

    `derives` are paths of derive macros (`serde::Serialize`) for every record, variant, enum and flags type
    that has no handles in it, in addition to what each has anyway.

    `renames` gives items other Rust names. An item is written like this, and the name is spelled as it shall
    stand in Rust:

    - `ns:pkg/iface@1.0.0` or a label of the world: the module of an interface;
    - `ns:pkg/iface@1.0.0#item`: a type or a function of an interface, `#item` one of the world's own;
    - `…#type.item`: a field, case or flag of a type, or a method or static function of a resource.

    `file` names the file and its module instead of the world, in snake case.

    `stubs` adds a file with an implementation of every trait in which each function panics, to start from.

    Without `realloc`, the file does not define `cabi_realloc`, because another one of the same guest does:
    Rust has no weak symbols, and two definitions do not link.
    """

    derives: tuple[str, ...] = ()
    renames: Mapping[str, str] = field(default_factory=dict)
    file: str | None = None
    stubs: bool = False
    realloc: bool = True


class Renames:
    """The user's names for items; remembers which were asked for."""

    def __init__(self, renames: Mapping[str, str]) -> None:
        for item, name in renames.items():
            if not is_plain_name(name):
                raise CodegenError("Rust", f"`{item}`", f"cannot be renamed to {name!r}, no Rust name")
        self._renames = renames
        self._known: dict[str, None] = {}

    def of(self, item: str) -> str | None:
        """The user's name for an item, None where it keeps its own."""
        self._known[item] = None
        return self._renames.get(item)

    def check(self) -> None:
        """Check that every item that the user renames was asked for.

        Raises: CodegenError
        """
        for item in self._renames:
            if item not in self._known:
                from difflib import get_close_matches

                near = get_close_matches(item, self._known, 1)
                hint = f"; did you mean `{near[0]}`?" if near else ""
                raise CodegenError("Rust", f"`{item}`", f"is renamed, but the world has no such item{hint}")
