"""Builds the syntax tree: one method per rule of `wit.lark`, called by the parser as the rule ends.

A rule gets what its parts made; punctuation is gone, a terminal that the grammar names is a `Token`, and an
optional part that is absent is None.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from ingen_sdkgen.diagnostics import WitSyntaxError, did_you_mean
from ingen_sdkgen.model import PackageName, Primitive, Span, Stable, Unstable
from ingen_sdkgen.wit import syntax
from ingen_sdkgen.wit.docs import docs_of
from ingen_sdkgen.wit.tokens import Token, unescape

_MAX_U32 = 0xFFFF_FFFF
_PRIMITIVES = {primitive.value: primitive for primitive in Primitive}
_NUMBER = r"(?:0|[1-9][0-9]*)"
_PRERELEASE = rf"(?:{_NUMBER}|[0-9]*[A-Za-z-][0-9A-Za-z-]*)"
_SEMVER = re.compile(
    rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}"
    rf"(?:-(?P<pre>{_PRERELEASE}(?:\.{_PRERELEASE})*)?)?"
    r"(?:\+(?P<build>[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?)?\Z"
)


class _Gate:
    """One attribute: its name, the keyword or None, and the value's token."""

    __slots__ = ("at", "key", "name", "value")

    def __init__(self, at: Token, name: Token, key: Token | None, value: Token) -> None:
        self.at, self.name, self.key, self.value = at, name, key, value


class _GateList:
    """The attributes of an item; `start` is where the first one begins, or None."""

    __slots__ = ("gates", "start")

    def __init__(self, start: int | None, gates: syntax.Gates) -> None:
        self.start, self.gates = start, gates


class TreeBuilder:
    """Makes nodes; what the grammar cannot say about a rule is checked here and reported to `errors`."""

    def begin(
        self,
        file: int,
        data: bytes,
        comments: dict[int, list[tuple[int, int]]],
        errors: list[WitSyntaxError],
    ) -> None:
        """Start on a file."""
        self._file = file
        self._data = data
        self._comments = comments
        self._errors = errors

    # --- Pieces -----------------------------------------------------------------------------------------

    def _span(self, token: Token) -> Span:
        return Span(self._file, token.start, token.end)

    def _id(self, token: Token) -> syntax.Id:
        return syntax.Id(token.text, Span(self._file, token.start, token.end))

    def _docs(self, start: int) -> str | None:
        ranges = self._comments.get(start)
        return None if ranges is None else docs_of(self._data, ranges)

    def _error(self, message: str, span: Span, hint: str | None = None) -> None:
        self._errors.append(WitSyntaxError(message, span, hint=hint))

    def _version(self, token: Token) -> str:
        """A valid semantic version; an empty pre-release or build part (`1.0.0-`) is dropped."""
        found = _SEMVER.match(token.text)
        if found is None:
            self._error(
                f"`{token.text}` is not a semantic version",
                self._span(token),
                hint="numbers have no leading zeros: see semver.org",
            )
            return token.text
        if any(
            int(number) >= 1 << 64 for number in re.findall(r"[0-9]+", token.text.split("-")[0].split("+")[0])
        ):
            self._error(f"a number of the version `{token.text}` is too large", self._span(token))
        core = re.split(r"[-+]", token.text, maxsplit=1)[0]
        pre = f"-{found['pre']}" if found["pre"] else ""
        build = f"+{found['build']}" if found["build"] else ""
        return core + pre + build

    # --- Packages and files -----------------------------------------------------------------------------

    def file(self, parts: list[Any]) -> syntax.FileSyntax:
        return syntax.FileSyntax(parts[0], parts[1:])

    def package_name(self, parts: list[Any]) -> tuple[PackageName, Span]:
        namespace, name, version = parts
        end = name.end if version is None else version.end
        span = Span(self._file, namespace.start, end)
        return PackageName(
            namespace.text, name.text, None if version is None else self._version(version)
        ), span

    def package_header(self, parts: list[Any]) -> syntax.PackageId:
        keyword, (name, span) = parts
        ranges = self._comments.get(keyword.start)
        docs_span = span
        if ranges:
            docs_span = Span(self._file, ranges[0][0], ranges[-1][1])
        return syntax.PackageId(name, span, self._docs(keyword.start), docs_span)

    def nested_package(self, parts: list[Any]) -> syntax.NestedPackage:
        return syntax.NestedPackage(self.package_header(parts[:2]), parts[2:])

    def toplevel_use(self, parts: list[Any]) -> syntax.TopLevelUse:
        gates, keyword, path, alias = parts
        return syntax.TopLevelUse(
            path, None if alias is None else self._id(alias), self._span(keyword), gates.start is not None
        )

    def local_path(self, parts: list[Any]) -> syntax.LocalPath:
        return syntax.LocalPath(self._id(parts[0]))

    def package_path(self, parts: list[Any]) -> syntax.PackagePath:
        namespace, package, name, version = parts
        return syntax.PackagePath(
            PackageName(namespace.text, package.text, None if version is None else self._version(version)),
            Span(self._file, namespace.start, package.end),
            self._id(name),
        )

    # --- Gates ------------------------------------------------------------------------------------------

    def gate(self, parts: list[Any]) -> _Gate:
        at, name, argument, *more = parts
        if isinstance(argument, Token):
            return _Gate(at, name, None, argument)
        key, value = argument
        # The grammar takes several arguments, so that a wrong first one is what gets reported.
        if more and name.text in _GATE_ARGUMENTS and key.text == _GATE_ARGUMENTS[name.text][0]:
            self._error(f"`@{name.text}` has one argument", self._span(more[0][0]))
        return _Gate(at, name, key, value)

    def gate_argument(self, parts: list[Any]) -> tuple[Token, Token]:
        return parts[0], parts[1]

    def gates(self, parts: list[Any]) -> _GateList:
        if not parts:
            return _NO_GATES
        values: dict[str, str] = {}
        gates: list[_Gate] = parts
        for gate in gates:
            name = gate.name.text
            if name not in _GATE_ARGUMENTS:
                self._error(
                    f"there is no attribute `@{name}`",
                    self._span(gate.name),
                    hint="known attributes are @since, @unstable, @deprecated and @external-id",
                )
                continue
            if name in values:
                self._error(f"`@{name}` stands here twice", self._span(gate.name))
                continue
            value = self._gate_value(gate)
            if value is not None:
                values[name] = value
            if "since" in values and "unstable" in values:
                self._error("an item cannot be both `@since` and `@unstable`", self._span(gate.name))
                values.pop(name, None)
        deprecated = values.get("deprecated")
        stability: Stable | Unstable | None = None
        if "since" in values:
            stability = Stable(values["since"], deprecated)
        elif "unstable" in values:
            stability = Unstable(values["unstable"], deprecated)
        elif deprecated is not None:
            name_token = next(gate.name for gate in gates if gate.name.text == "deprecated")
            self._error(
                "`@deprecated` stands alone",
                self._span(name_token),
                hint="say since when the item exists: add `@since(version = …)` or `@unstable(feature = …)`",
            )
        return _GateList(gates[0].at.start, syntax.Gates(stability, values.get("external-id")))

    def _gate_value(self, gate: _Gate) -> str | None:
        """The value of a known attribute, or None after an error."""
        key, value_type, example = _GATE_ARGUMENTS[gate.name.text]
        written = gate.name.text
        if (gate.key is None) != (key is None):
            first = gate.value if gate.key is None else gate.key
            self._error(f"`@{written}` is written `@{written}({example})`", self._span(first))
            return None
        if gate.key is not None and gate.key.text != key:
            self._error(f"expected `{key}`, found `{gate.key.text}`", self._span(gate.key))
            return None
        if gate.value.type != value_type:
            self._error(f"`@{written}` is written `@{written}({example})`", self._span(gate.value))
            return None
        if value_type == "VERSION":
            return self._version(gate.value)
        if value_type == "STRING":
            try:
                return unescape(gate.value, self._file)
            except WitSyntaxError as error:
                self._errors.append(error)
                return None
        return gate.value.text

    # --- Interfaces and worlds --------------------------------------------------------------------------

    def _item_docs(self, gates: _GateList, first: Token) -> str | None:
        return self._docs(first.start if gates.start is None else gates.start)

    def interface(self, parts: list[Any]) -> syntax.InterfaceSyntax:
        gates, keyword, name, *items = parts
        return syntax.InterfaceSyntax(self._id(name), items, self._item_docs(gates, keyword), gates.gates)

    def world(self, parts: list[Any]) -> syntax.WorldSyntax:
        gates, keyword, name, *items = parts
        return syntax.WorldSyntax(self._id(name), items, self._item_docs(gates, keyword), gates.gates)

    def _world_extern(self, parts: list[Any], is_import: bool) -> syntax.WorldExtern:
        gates, keyword, extern = parts
        return syntax.WorldExtern(is_import, extern, self._item_docs(gates, keyword), gates.gates)

    def import_item(self, parts: list[Any]) -> syntax.WorldExtern:
        return self._world_extern(parts, True)

    def export_item(self, parts: list[Any]) -> syntax.WorldExtern:
        return self._world_extern(parts, False)

    def extern_function(self, parts: list[Any]) -> syntax.ExternFunction:
        return syntax.ExternFunction(self._id(parts[0]), parts[1])

    def extern_interface(self, parts: list[Any]) -> syntax.ExternInterface:
        name, _keyword, *items = parts
        return syntax.ExternInterface(self._id(name), items)

    def extern_labelled(self, parts: list[Any]) -> syntax.ExternPath:
        return syntax.ExternPath(self._id(parts[0]), parts[1])

    def extern_path(self, parts: list[Any]) -> syntax.ExternPath:
        return syntax.ExternPath(None, parts[0])

    def include(self, parts: list[Any]) -> syntax.Include:
        gates, _keyword, path, *names = parts
        return syntax.Include(path, [name for name in names if name is not None], gates.gates)

    def include_name(self, parts: list[Any]) -> syntax.IncludeName:
        return syntax.IncludeName(self._id(parts[0]), self._id(parts[1]))

    def use(self, parts: list[Any]) -> syntax.Use:
        gates, _keyword, path, *names = parts
        return syntax.Use(path, [name for name in names if name is not None], gates.gates)

    def use_name(self, parts: list[Any]) -> syntax.UseName:
        name, alias = parts
        return syntax.UseName(self._id(name), None if alias is None else self._id(alias))

    # --- Type definitions -------------------------------------------------------------------------------

    def _definition(
        self, parts: list[Any], body: Callable[[list[Any]], syntax.TypeBody]
    ) -> syntax.TypeDefinition:
        gates, keyword, name, *rest = parts
        rest = [part for part in rest if part is not None]
        return syntax.TypeDefinition(self._id(name), body(rest), self._item_docs(gates, keyword), gates.gates)

    def alias(self, parts: list[Any]) -> syntax.TypeDefinition:
        return self._definition(parts, lambda rest: syntax.AliasBody(rest[0]))

    def record(self, parts: list[Any]) -> syntax.TypeDefinition:
        return self._definition(parts, syntax.RecordBody)

    def flags(self, parts: list[Any]) -> syntax.TypeDefinition:
        return self._definition(parts, syntax.FlagsBody)

    def enum(self, parts: list[Any]) -> syntax.TypeDefinition:
        return self._definition(parts, syntax.EnumBody)

    def variant(self, parts: list[Any]) -> syntax.TypeDefinition:
        return self._definition(parts, syntax.VariantBody)

    def resource(self, parts: list[Any]) -> syntax.TypeDefinition:
        return self._definition(parts, syntax.ResourceBody)

    def field(self, parts: list[Any]) -> syntax.FieldSyntax:
        return syntax.FieldSyntax(self._id(parts[0]), parts[1], self._docs(parts[0].start))

    def label(self, parts: list[Any]) -> syntax.LabelSyntax:
        return syntax.LabelSyntax(self._id(parts[0]), self._docs(parts[0].start))

    def case(self, parts: list[Any]) -> syntax.CaseSyntax:
        return syntax.CaseSyntax(self._id(parts[0]), parts[1], self._docs(parts[0].start))

    # --- Functions --------------------------------------------------------------------------------------

    def _named_function(self, parts: list[Any], is_static: bool) -> syntax.NamedFunction:
        gates, name, function = parts
        return syntax.NamedFunction(
            self._id(name), function, self._item_docs(gates, name), gates.gates, is_static=is_static
        )

    def interface_function(self, parts: list[Any]) -> syntax.NamedFunction:
        return self._named_function(parts, False)

    def method(self, parts: list[Any]) -> syntax.NamedFunction:
        return self._named_function(parts, False)

    def static_method(self, parts: list[Any]) -> syntax.NamedFunction:
        return self._named_function(parts, True)

    def constructor(self, parts: list[Any]) -> syntax.NamedFunction:
        gates, keyword, params, result = parts
        span = self._span(keyword)
        function = syntax.Function(params, result, is_async=False, accessor=None, span=span)
        return syntax.NamedFunction(
            syntax.Id("constructor", span),
            function,
            self._item_docs(gates, keyword),
            gates.gates,
            is_constructor=True,
        )

    def function(self, parts: list[Any]) -> syntax.Function:
        is_async, keyword, params, result = parts
        return syntax.Function(params, result, is_async is not None, None, self._span(is_async or keyword))

    def accessor(self, parts: list[Any]) -> syntax.Function:
        keyword, params, result = parts
        if keyword.text not in ("get", "set"):
            self._error(
                f"expected `func`, `get` or `set`, found `{keyword.text}`",
                self._span(keyword),
                did_you_mean(keyword.text, ["func", "get", "set"]),
            )
        return syntax.Function(params, result, False, keyword.text, self._span(keyword))

    def params(self, parts: list[Any]) -> list[syntax.Param]:
        return [part for part in parts if part is not None]

    def param(self, parts: list[Any]) -> syntax.Param:
        return syntax.Param(self._id(parts[0]), parts[1])

    # --- Types ------------------------------------------------------------------------------------------

    def primitive(self, parts: list[Any]) -> syntax.PrimitiveType:
        return syntax.PrimitiveType(_PRIMITIVES[parts[0].text], self._span(parts[0]))

    def named_type(self, parts: list[Any]) -> syntax.NamedType:
        return syntax.NamedType(self._id(parts[0]))

    def list(self, parts: list[Any]) -> syntax.ListType:  # the rule's name
        return syntax.ListType(parts[1], None, self._span(parts[0]))

    def fixed_length_list(self, parts: Any) -> syntax.ListType:
        keyword, element, length = parts
        value = int(length.text) if len(length.text) <= 10 else _MAX_U32 + 1
        if value > _MAX_U32:
            self._error(f"a list's length is at most {_MAX_U32}", self._span(length))
        return syntax.ListType(element, min(value, _MAX_U32), self._span(keyword))

    def map(self, parts: Any) -> syntax.MapType:
        return syntax.MapType(parts[1], parts[2], self._span(parts[0]))

    def option(self, parts: Any) -> syntax.OptionType:
        return syntax.OptionType(parts[1], self._span(parts[0]))

    def tuple(self, parts: Any) -> syntax.TupleType:
        return syntax.TupleType([part for part in parts[1:] if part is not None], self._span(parts[0]))

    def result(self, parts: Any) -> syntax.ResultType:
        return syntax.ResultType(parts[1], parts[2], self._span(parts[0]))

    def result_of_nothing(self, parts: Any) -> syntax.ResultType:
        return syntax.ResultType(None, parts[1], self._span(parts[0]))

    def own(self, parts: Any) -> syntax.HandleType:
        return syntax.HandleType(self._id(parts[1]), False, self._span(parts[0]))

    def borrow(self, parts: Any) -> syntax.HandleType:
        return syntax.HandleType(self._id(parts[1]), True, self._span(parts[0]))

    def future(self, parts: Any) -> syntax.FutureType:
        return syntax.FutureType(parts[1], self._span(parts[0]))

    def stream(self, parts: Any) -> syntax.StreamType:
        return syntax.StreamType(parts[1], self._span(parts[0]))


_NO_GATES = _GateList(None, syntax.Gates())

# Attribute: its keyword, the terminal of its value, and how it is written.
_GATE_ARGUMENTS: dict[str, tuple[str | None, str, str]] = {
    "since": ("version", "VERSION", "version = 1.0.0"),
    "unstable": ("feature", "ID", "feature = name"),
    "deprecated": ("version", "VERSION", "version = 1.0.0"),
    "external-id": (None, "STRING", '"id"'),
}
