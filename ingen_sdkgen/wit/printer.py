"""The IR as canonical WIT text.

The text has the items, the order and the spelling that `wasm-tools component wit` prints; it differs just in
blank lines (one between any two items of a package) and in `{}` for a body that is empty. Types come before
functions, what belongs to a resource stands in its body, `use` is grouped by interface, and a world lists
all of its imports, so that no `include` is left.

Reading the text gives the IR again, but for what text decides anew or cannot say: the numbering of tables,
where the source had its items in another order; `Interface.clone_of`; the documentation of a `use`; and
`@since` with a version that the package has not reached, which comes by an include from another package.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import assert_never

from ingen_runtime.errors import IngenError
from ingen_sdkgen.model import (
    Alias,
    Borrow,
    Case,
    Enum,
    EnumCase,
    Field,
    FixedLengthList,
    Flag,
    Flags,
    Function,
    FunctionShape,
    Future,
    InterfaceId,
    InterfaceOwner,
    List,
    Map,
    Option,
    Own,
    PackageId,
    Primitive,
    Record,
    Resolve,
    Resource,
    Result,
    Stability,
    Stable,
    Stream,
    Tuple,
    Type,
    TypeDef,
    TypeId,
    Unstable,
    Variant,
    World,
    WorldFunction,
    WorldId,
    WorldInterface,
    WorldItem,
    WorldKey,
    WorldType,
)
from ingen_sdkgen.semver import Version

_INDENT = "  "

# `float32` and `float64` are no keywords, but no reader takes them where a type is meant.
ESCAPED_NAMES = frozenset(primitive.value for primitive in Primitive) | {
    "as",
    "async",
    "borrow",
    "constructor",
    "enum",
    "export",
    "flags",
    "float32",
    "float64",
    "from",
    "func",
    "future",
    "import",
    "include",
    "interface",
    "list",
    "map",
    "option",
    "own",
    "package",
    "record",
    "resource",
    "result",
    "static",
    "stream",
    "tuple",
    "type",
    "use",
    "variant",
    "with",
    "world",
}

_ACCESSORS = {
    FunctionShape.GETTER: "get",
    FunctionShape.SETTER: "set",
    FunctionShape.METHOD_GETTER: "get",
    FunctionShape.METHOD_SETTER: "set",
    FunctionShape.STATIC_GETTER: "get",
    FunctionShape.STATIC_SETTER: "set",
}
_STATIC = {
    FunctionShape.STATIC,
    FunctionShape.ASYNC_STATIC,
    FunctionShape.STATIC_GETTER,
    FunctionShape.STATIC_SETTER,
}
_WITH_SELF = {
    FunctionShape.METHOD,
    FunctionShape.ASYNC_METHOD,
    FunctionShape.METHOD_GETTER,
    FunctionShape.METHOD_SETTER,
}


class UnprintableError(IngenError):
    """No WIT text describes the IR; happens just for what was decoded from a component."""


def print_wit(resolve: Resolve, *, dependencies: bool = True, docs: bool = True) -> str:
    """The main package as WIT text, then, if `dependencies`, all other packages as nested packages.

    With its dependencies the text can be read on its own. Without them it is what belongs in one folder of
    a `deps/` tree.

    Raises: UnprintableError, for a world of a component that no WIT text describes.
    """
    parts = [_PackagePrinter(resolve, resolve.main, docs).document()]
    if dependencies:
        parts += [
            _PackagePrinter(resolve, PackageId(package), docs).nested()
            for package in range(len(resolve.packages))
            if package != resolve.main
        ]
    return "\n".join(parts)


def escape_name(name: str) -> str:
    """`name` as WIT text spells it: with `%` in front where it is a keyword."""
    return f"%{name}" if name in ESCAPED_NAMES else name


@dataclass(slots=True)
class _UseGroup:
    """The names that one `use` statement brings in."""

    interface: InterfaceId
    type_def: TypeDef
    names: list[tuple[str, str]] = field(default_factory=list)


@dataclass(slots=True)
class _PackagePrinter:
    resolve: Resolve
    package: PackageId
    with_docs: bool
    lines: list[str] = field(default_factory=list)
    indent: str = ""

    # --- Lines --------------------------------------------------------------------------------------------

    def document(self) -> str:
        package = self.resolve.packages[self.package]
        self.docs(package.docs)
        self.line(f"package {self.package_path(self.package)}{self.version(self.package)};")
        self.lines.append("")
        self.package_items()
        return self.text()

    def nested(self) -> str:
        package = self.resolve.packages[self.package]
        self.docs(package.docs)
        header = f"package {self.package_path(self.package)}{self.version(self.package)}"
        with _Body(self, header):
            self.package_items()
        return self.text()

    def text(self) -> str:
        while self.lines and not self.lines[-1]:
            self.lines.pop()
        return "\n".join(self.lines) + "\n"

    def line(self, text: str) -> None:
        self.lines.append(self.indent + text)

    def blank_line(self) -> None:
        """Separate items: at most one blank line, none at the start of a body."""
        if self.lines and self.lines[-1] and not self.lines[-1].endswith("{"):
            self.lines.append("")

    def docs(self, docs: str | None) -> None:
        if docs is None or not self.with_docs:
            return
        lines = docs.split("\n")
        # A reader drops the indentation that all lines share, but only as far as it is made of spaces.
        all_indented = all(text[:1] in ("", " ", "\t") for text in lines)
        for text in lines:
            space = "" if not text or (all_indented and text[0] == "\t") else " "
            self.line(f"///{space}{text}")

    def stability(self, stability: Stability) -> None:
        match stability:
            case None:
                return
            case Stable(since, deprecated):
                if not self.has_reached(since):
                    return
                self.line(f"@since(version = {since})")
            case Unstable(feature, deprecated):
                self.line(f"@unstable(feature = {escape_name(feature)})")
            case _:
                assert_never(stability)
        if deprecated is not None:
            self.line(f"@deprecated(version = {deprecated})")

    def has_reached(self, version: str) -> bool:
        """Whether `@since` may name that version: it may not, where an item comes from another package."""
        own = self.resolve.packages[self.package].name.version
        return own is not None and Version.parse(version) <= Version.parse(own)

    def external_id(self, external_id: str | None) -> None:
        if external_id is not None:
            self.line(f"@external-id({quote_string(external_id)})")

    # --- Packages -----------------------------------------------------------------------------------------

    def package_path(self, package: PackageId) -> str:
        name = self.resolve.packages[package].name
        return f"{escape_name(name.namespace)}:{escape_name(name.name)}"

    def version(self, package: PackageId) -> str:
        version = self.resolve.packages[package].name.version
        return "" if version is None else f"@{version}"

    def package_items(self) -> None:
        package = self.resolve.packages[self.package]
        for name, interface in package.interfaces.items():
            self.blank_line()
            self.interface_body(interface, f"interface {escape_name(name)}")
        for name, world in package.worlds.items():
            self.blank_line()
            self.world(world, name)

    def interface_path(self, interface: InterfaceId) -> str:
        item = self.resolve.interfaces[interface]
        if item.name is None:
            raise UnprintableError("an interface without a name is referred to from elsewhere")
        name = escape_name(item.name)
        if item.package == self.package:
            return name
        return f"{self.package_path(item.package)}/{name}{self.version(item.package)}"

    def interface_body(self, interface: InterfaceId, header: str, item: WorldInterface | None = None) -> None:
        """An interface with its body; `item` is what a world says about one that is written in place."""
        content = self.resolve.interfaces[interface]
        self.docs(content.docs)
        self.stability(content.stability)
        if item is not None:
            self.external_id(item.external_id)
        with _Body(self, header):
            self.type_defs(content.types, content.functions.values())
            for function in content.functions.values():
                if function.kind.resource is None:
                    self.blank_line()
                    self.function(function)

    # --- Worlds -------------------------------------------------------------------------------------------

    def world(self, world_id: WorldId, name: str) -> None:
        world = self.resolve.worlds[world_id]
        self.docs(world.docs)
        self.stability(world.stability)
        with _Body(self, f"world {escape_name(name)}"):
            self.world_imports(world)
            self.blank_line()
            for key, item in world.exports.items():
                self.world_item(key, item, "export")

    def world_imports(self, world: World) -> None:
        types: dict[str, TypeId] = {}
        functions: list[Function] = []
        for key, item in world.imports.items():
            match item:
                case WorldInterface():
                    self.world_item(key, item, "import")
                case WorldType(type_id):
                    types[str(key)] = type_id
                case WorldFunction(function):
                    functions.append(function)
                case _:
                    assert_never(item)
        self.type_defs(types, functions)
        self.blank_line()
        for function in functions:
            if function.kind.resource is None:
                self.function(function, "import ")

    def world_item(self, key: WorldKey, item: WorldItem, direction: str) -> None:
        match item:
            case WorldInterface(interface):
                content = self.resolve.interfaces[interface]
                if isinstance(key, str) and content.name is None:
                    self.interface_body(interface, f"{direction} {escape_name(key)}: interface", item)
                    return
                self.docs(item.docs)
                self.stability(item.stability)
                self.external_id(item.external_id)
                label = f"{escape_name(key)}: " if isinstance(key, str) else ""
                self.line(f"{direction} {label}{self.interface_path(interface)};")
            case WorldFunction(function):
                self.function(function, f"{direction} ")
            case WorldType():
                raise UnprintableError(f"a world exports the type `{key}`")
            case _:
                assert_never(item)

    # --- Functions ----------------------------------------------------------------------------------------

    def function(self, function: Function, prefix: str = "") -> None:
        self.docs(function.docs)
        self.stability(function.stability)
        self.external_id(function.external_id)
        self.line(f"{prefix}{self.signature(function)};")

    def signature(self, function: Function) -> str:
        shape = function.kind.shape
        params = function.params[1:] if shape in _WITH_SELF else function.params
        listed = ", ".join(f"{escape_name(param.name)}: {self.type(param.type)}" for param in params)
        if shape is FunctionShape.CONSTRUCTOR:
            head = f"constructor({listed})"
            if function.result is None or self.is_own(function.result, function.kind.resource):
                return head
        else:
            static = "static " if shape in _STATIC else ""
            async_ = "async " if shape.is_async else ""
            keyword = _ACCESSORS.get(shape, "func")
            # `[method]r.m`, `[static][get]r.m`, `[get]f`: the last part is what WIT text names.
            name = function.name.rpartition("]")[2].rpartition(".")[2]
            head = f"{escape_name(name)}: {static}{async_}{keyword}({listed})"
        return head if function.result is None else f"{head} -> {self.type(function.result)}"

    def is_own(self, type_: Type, resource: TypeId | None) -> bool:
        if isinstance(type_, Primitive):
            return False
        type_def = self.resolve.types[type_]
        return type_def.name is None and type_def.kind == Own(resource if resource is not None else type_)

    # --- Types --------------------------------------------------------------------------------------------

    def type_defs(self, types: Mapping[str, TypeId], functions: Iterable[Function]) -> None:
        by_resource: dict[TypeId, list[Function]] = {}
        for function in functions:
            if function.kind.resource is not None:
                by_resource.setdefault(function.kind.resource, []).append(function)
        defined: list[tuple[str, TypeId]] = []
        groups: dict[tuple[InterfaceId, Stability, str | None], _UseGroup] = {}
        for name, type_id in types.items():
            type_def = self.resolve.types[type_id]
            used = self.used_type(type_def)
            if used is None:
                defined.append((name, type_id))
                continue
            interface, original = used
            group_key = (interface, type_def.stability, type_def.external_id)
            group = groups.setdefault(group_key, _UseGroup(interface, type_def))
            group.names.append((original, name))
        for group in groups.values():
            self.use(group)
        for name, type_id in defined:
            self.blank_line()
            self.type_def(name, type_id, by_resource.get(type_id, []))

    def used_type(self, type_def: TypeDef) -> tuple[InterfaceId, str] | None:
        """The interface that `use` takes this type from and its name there, or None if it is no `use`."""
        if not isinstance(type_def.kind, Alias) or isinstance(type_def.kind.type, Primitive):
            return None
        target = self.resolve.types[type_def.kind.type]
        if target.name is None or target.owner == type_def.owner:
            return None
        if not isinstance(target.owner, InterfaceOwner):
            raise UnprintableError(f"the type `{type_def.name}` is another name for a type of a world")
        return target.owner.interface, target.name

    def use(self, group: _UseGroup) -> None:
        self.stability(group.type_def.stability)
        self.external_id(group.type_def.external_id)
        names = ", ".join(_renamed(original, name) for original, name in group.names)
        self.line(f"use {self.interface_path(group.interface)}.{{{names}}};")

    def type_def(self, name: str, type_id: TypeId, functions: list[Function]) -> None:
        type_def = self.resolve.types[type_id]
        self.docs(type_def.docs)
        self.stability(type_def.stability)
        self.external_id(type_def.external_id)
        name = escape_name(name)
        match type_def.kind:
            case Record(fields):
                with _Body(self, f"record {name}"):
                    self.members(fields)
            case Flags(flags):
                with _Body(self, f"flags {name}"):
                    self.members(flags)
            case Variant(cases):
                with _Body(self, f"variant {name}"):
                    self.members(cases)
            case Enum(enum_cases):
                with _Body(self, f"enum {name}"):
                    self.members(enum_cases)
            case Resource() if not functions:
                self.line(f"resource {name};")
            case Resource():
                with _Body(self, f"resource {name}"):
                    for function in functions:
                        self.function(function)
            case _:
                self.line(f"type {name} = {self.type_structure(type_id)};")

    def members(self, members: Iterable[Field | Flag | Case | EnumCase]) -> None:
        for member in members:
            self.docs(member.docs)
            name = escape_name(member.name)
            match member:
                case Field():
                    self.line(f"{name}: {self.type(member.type)},")
                case Case() if member.type is not None:
                    self.line(f"{name}({self.type(member.type)}),")
                case _:
                    self.line(f"{name},")

    def type(self, type_: Type) -> str:
        if isinstance(type_, Primitive):
            return type_.value
        name = self.resolve.types[type_].name
        return escape_name(name) if name is not None else self.type_structure(type_)

    def type_structure(self, type_id: TypeId) -> str:
        type_def = self.resolve.types[type_id]
        match type_def.kind:
            case Tuple(types):
                return f"tuple<{', '.join(map(self.type, types))}>"
            case Option(type_):
                return f"option<{self.type(type_)}>"
            case Result(None, None):
                return "result"
            case Result(ok, None) if ok is not None:
                return f"result<{self.type(ok)}>"
            case Result(ok, err):
                assert err is not None
                return f"result<{'_' if ok is None else self.type(ok)}, {self.type(err)}>"
            case List(type_):
                return f"list<{self.type(type_)}>"
            case FixedLengthList(type_, length):
                return f"list<{self.type(type_)}, {length}>"
            case Map(key, value):
                return f"map<{self.type(key)}, {self.type(value)}>"
            case Future(payload):
                return "future" if payload is None else f"future<{self.type(payload)}>"
            case Stream(payload):
                return "stream" if payload is None else f"stream<{self.type(payload)}>"
            case Own(resource):
                # In place, the resource's name alone means the same; after `type a =` it would be an alias.
                owned = self.type(resource)
                return owned if type_def.name is None else f"own<{owned}>"
            case Borrow(resource):
                return f"borrow<{self.type(resource)}>"
            case Alias(type_):
                return self.type(type_)
            case Record() | Flags() | Variant() | Enum() | Resource():
                raise UnprintableError("a type that needs a name has none")
            case _:
                assert_never(type_def.kind)


class _Body:
    """A `{ … }` block; it is `{}` on the header's line if nothing is printed inside."""

    def __init__(self, printer: _PackagePrinter, header: str) -> None:
        self.printer = printer
        self.header = header

    def __enter__(self) -> None:
        self.printer.line(f"{self.header} {{")
        self.start = len(self.printer.lines)
        self.printer.indent += _INDENT

    def __exit__(self, *_: object) -> None:
        printer = self.printer
        printer.indent = printer.indent.removesuffix(_INDENT)
        while not printer.lines[-1]:
            printer.lines.pop()
        if len(printer.lines) == self.start:
            printer.lines[-1] += "}"
        else:
            printer.line("}")


def quote_string(text: str) -> str:
    """`text` as a WIT string literal in ASCII, with quotes."""
    return f'"{"".join(_escaped_characters(text))}"'


def _escaped_characters(text: str) -> Iterator[str]:
    short = {"\t": "\\t", "\n": "\\n", "\r": "\\r", '"': '\\"', "\\": "\\\\"}
    for character in text:
        if character in short:
            yield short[character]
        elif " " <= character <= "~":
            yield character
        else:
            yield f"\\u{{{ord(character):x}}}"


def _renamed(original: str, name: str) -> str:
    if original == name:
        return escape_name(name)
    return f"{escape_name(original)} as {escape_name(name)}"
