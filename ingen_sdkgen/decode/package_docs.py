"""Reads the `package-docs` section of an encoded package, and puts documentation and gates where they belong.

`ingen_sdkgen.encode.package_docs` describes the section.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

from ingen_runtime.component.binary.syntax import CustomSection
from ingen_runtime.errors import ComponentFormatError
from ingen_sdkgen.decode.drafts import Drafts, InterfaceDraft, PackageDraft, WorldDraft
from ingen_sdkgen.decode.names import is_label
from ingen_sdkgen.model import (
    Case,
    Enum,
    EnumCase,
    Field,
    Flag,
    Flags,
    Function,
    InterfaceId,
    Record,
    Stability,
    Stable,
    TypeId,
    TypeKind,
    Unstable,
    Variant,
    WorldFunction,
    WorldInterface,
    WorldItem,
    WorldKey,
    WorldType,
)

# Version 0 has functions' documentation as plain strings, and no gates.
_VERSIONS = (0, 1)
_VERSION_NUMBER = re.compile(r"(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)([-+][0-9A-Za-z.+-]+)?")
# JSON can escape what no UTF-8 text can have.
_SURROGATE = re.compile("[\ud800-\udfff]")
_Member = TypeVar("_Member", Field, Flag, Case, EnumCase)


def apply_package_docs(drafts: Drafts, package: PackageDraft, section: CustomSection) -> None:
    """Add what `section` says to the items of `package`.

    Raises: ComponentFormatError, where the section is malformed or speaks of what is not there.
    """
    data = bytes(section.data)
    if not data or data[0] not in _VERSIONS:
        raise ComponentFormatError("the version of the `package-docs` section is unknown", section.offset)
    try:
        content = json.loads(data[1:])
    except (ValueError, RecursionError) as error:
        raise ComponentFormatError(
            f"the `package-docs` section is no JSON: {error}", section.offset
        ) from None
    _Application(drafts, section.offset).package(package, content)


@dataclass(slots=True)
class _Application:
    drafts: Drafts
    offset: int

    def error(self, message: str) -> ComponentFormatError:
        return ComponentFormatError(f"in the `package-docs` section: {message}", self.offset)

    # --- JSON ---------------------------------------------------------------------------------------------

    def entries(self, obj: Any, key: str | None = None) -> Iterator[tuple[str, Any]]:
        """The entries of the object `obj`, or of the one at `key` in it, which may be missing."""
        if not isinstance(obj, dict):
            raise self.error("expected an object")
        if key is None:
            yield from obj.items()
        elif key in obj:
            yield from self.entries(obj[key])

    def text(self, value: Any) -> str:
        if not isinstance(value, str):
            raise self.error("expected a string")
        if _SURROGATE.search(value) is not None:
            raise self.error("half of a surrogate pair stands alone")
        return value

    def docs(self, obj: Any) -> str | None:
        docs = dict(self.entries(obj)).get("docs")
        return None if docs is None else self.text(docs)

    def gate(self, obj: Any) -> Stability:
        """The gate at `stability` in `obj`."""
        gate = dict(self.entries(obj)).get("stability")
        return None if gate is None else self.stability(gate)

    def stability(self, gate: Any) -> Stability:
        match gate:
            case "unknown":
                return None
            case {"stable": {"since": since, **more}}:
                return Stable(self.version(since), self.deprecated(more))
            case {"unstable": {"feature": feature, **more}}:
                if not is_label(self.text(feature)):
                    raise self.error(f"`{feature}` is not the name of a feature")
                return Unstable(feature, self.deprecated(more))
            case _:
                raise self.error("expected a gate")

    def deprecated(self, gate: dict[Any, Any]) -> str | None:
        deprecated = gate.get("deprecated")
        return None if deprecated is None else self.version(deprecated)

    def version(self, value: Any) -> str:
        text = self.text(value)
        if _VERSION_NUMBER.fullmatch(text) is None:
            raise self.error(f"`{text}` is not a version")
        return text

    # --- Items --------------------------------------------------------------------------------------------

    def package(self, package: PackageDraft, content: Any) -> None:
        for name, entry in self.entries(content, "worlds"):
            if name not in package.worlds:
                raise self.error(f"there is no world `{name}`")
            self.world(self.drafts.worlds[package.worlds[name]], entry)
        for name, entry in self.entries(content, "interfaces"):
            if name not in package.interfaces:
                raise self.error(f"there is no interface `{name}`")
            self.interface(self.drafts.interfaces[package.interfaces[name]], entry)
        package.docs = self.docs(content)

    def interface(self, interface: InterfaceDraft, content: Any) -> None:
        for name, entry in self.entries(content, "types"):
            if name not in interface.types:
                raise self.error(f"there is no type `{name}`")
            self.type_def(interface.types[name], entry)
        for name, entry in self.entries(content, "funcs"):
            if name not in interface.functions:
                raise self.error(f"there is no function `{name}`")
            interface.functions[name] = self.function(interface.functions[name], entry)
        interface.docs = self.docs(content)
        interface.stability = self.gate(content)

    def world(self, world: WorldDraft, content: Any) -> None:
        for group, items in (("interfaces", world.imports), ("interface_exports", world.exports)):
            for name, entry in self.entries(content, group):
                # Before there were groups for exports, all was in the first one.
                found = items if name in items else world.exports
                self.change(found, name, name, partial(self.inline_interface, content=entry))
        for name, entry in self.entries(content, "types"):
            item = world.imports.get(name)
            if not isinstance(item, WorldType):
                raise self.error(f"there is no type `{name}`")
            self.type_def(item.type, entry)
        for group, items in (("funcs", world.imports), ("func_exports", world.exports)):
            for name, entry in self.entries(content, group):
                found = items if name in items else world.exports
                self.change(found, name, name, partial(self.world_function, content=entry))
        for direction, items in (("import", world.imports), ("export", world.exports)):
            keys = {self.key_name(key): key for key in items}
            for name, entry in self.entries(content, f"interface_{direction}_stability"):
                gate = self.stability(entry)
                self.change(items, keys.get(name), name, partial(self.gated, stability=gate))
            for name, entry in self.entries(content, f"interface_{direction}_docs"):
                docs = self.text(entry)
                self.change(items, keys.get(name), name, partial(self.described, docs=docs))
        world.docs = self.docs(content)
        world.stability = self.gate(content)

    def change(
        self,
        items: dict[WorldKey, WorldItem],
        key: WorldKey | None,
        name: str,
        new: Callable[[WorldItem], WorldItem | None],
    ) -> None:
        """Replace the item at `key` by what `new` makes of it, which is None for an item of another kind."""
        changed = new(items[key]) if key is not None and key in items else None
        if key is None or changed is None:
            raise self.error(f"there is no such world item `{name}`")
        items[key] = changed

    def key_name(self, key: WorldKey) -> str:
        if isinstance(key, str):
            return key
        interface = self.drafts.interfaces[key]
        assert interface.name is not None
        assert interface.package is not None
        return self.drafts.packages[interface.package].name.interface_id(interface.name)

    def inline_interface(self, item: WorldItem, content: Any) -> WorldItem | None:
        if not isinstance(item, WorldInterface):
            return None
        interface = self.drafts.interfaces[InterfaceId(item.interface)]
        self.interface(interface, content)
        return replace(item, stability=interface.stability)

    def world_function(self, item: WorldItem, content: Any) -> WorldItem | None:
        return (
            WorldFunction(self.function(item.function, content)) if isinstance(item, WorldFunction) else None
        )

    def gated(self, item: WorldItem, stability: Stability) -> WorldItem | None:
        return replace(item, stability=stability) if isinstance(item, WorldInterface) else None

    def described(self, item: WorldItem, docs: str) -> WorldItem | None:
        return replace(item, docs=docs) if isinstance(item, WorldInterface) else None

    def function(self, function: Function, content: Any) -> Function:
        if content is None or isinstance(content, str):
            return replace(function, docs=content)
        return replace(function, docs=self.docs(content), stability=self.gate(content))

    def type_def(self, type_id: TypeId, content: Any) -> None:
        type_def = self.drafts.types[type_id]
        items = {name: self.text(docs) for name, docs in self.entries(content, "items")}
        kind = self.with_members(type_def.kind, items)
        if items:
            raise self.error(f"the type `{type_def.name}` has no `{next(iter(items))}`")
        docs, stability = self.docs(content), self.gate(content)
        self.drafts.types[type_id] = replace(type_def, kind=kind, docs=docs, stability=stability)

    def with_members(self, kind: TypeKind, items: dict[str, str]) -> TypeKind:
        """`kind` with documentation from `items`; what is used of that is removed."""

        def described(members: tuple[_Member, ...]) -> tuple[_Member, ...]:
            return tuple(replace(member, docs=items.pop(member.name, None)) for member in members)

        match kind:
            case Record(fields):
                return Record(described(fields))
            case Flags(flags):
                return Flags(described(flags))
            case Variant(cases):
                return Variant(described(cases))
            case Enum(enum_cases):
                return Enum(described(enum_cases))
            case _:
                return kind
