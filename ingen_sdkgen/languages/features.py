"""What not every target can have, and the search for it."""

from __future__ import annotations

import enum
from collections.abc import Collection, Mapping

from ingen_sdkgen.languages.errors import CodegenError
from ingen_sdkgen.model import (
    FixedLengthList,
    Function,
    FunctionShape,
    Future,
    Map,
    Primitive,
    Resolve,
    Stream,
    Type,
    TypeDef,
    TypeId,
    TypeKind,
    WorldFunction,
    WorldId,
    WorldInterface,
    WorldType,
)
from ingen_sdkgen.rewrite import types_in


class Feature(enum.Enum):
    """What not every target can have; the value is how messages speak of it."""

    ASYNC = "`async` functions"
    STREAM = "streams"
    FUTURE = "futures"
    ERROR_CONTEXT = "error contexts"
    MAP = "maps"
    FIXED_LENGTH_LIST = "lists of a fixed length"
    ACCESSOR = "`get` and `set` functions"
    LABEL = "an interface under another name"


ASYNCHRONY = frozenset({Feature.ASYNC, Feature.STREAM, Feature.FUTURE, Feature.ERROR_CONTEXT})
"""What guests lack that are only ever called synchronously."""

_OF_KINDS: Mapping[type[TypeKind], Feature] = {
    Stream: Feature.STREAM,
    Future: Feature.FUTURE,
    Map: Feature.MAP,
    FixedLengthList: Feature.FIXED_LENGTH_LIST,
}
_ACCESSORS = frozenset(shape for shape in FunctionShape if shape.value.endswith(("getter", "setter")))


def check_features(resolve: Resolve, world: WorldId, language: str, lacks: Collection[Feature]) -> None:
    """Check that a world, with all that it imports and exports, needs nothing that a language lacks.

    Raises: CodegenError, that names the first item which does.
    """
    if lacks:
        _Search(resolve, language, lacks).world(world)


class _Search:
    def __init__(self, resolve: Resolve, language: str, lacks: Collection[Feature]) -> None:
        self._resolve = resolve
        self._language = language
        self._lacks = lacks
        self._known: dict[TypeId, Feature | None] = {}

    def world(self, world: WorldId) -> None:
        content = self._resolve.worlds[world]
        name = self._resolve.packages[content.package].name.interface_id(content.name)
        for key, item in [*content.imports.items(), *content.exports.items()]:
            match item:
                case WorldInterface(interface):
                    own_name = self._resolve.interface_name(interface)
                    within = key if isinstance(key, str) else own_name
                    if isinstance(key, str) and own_name is not None and Feature.LABEL in self._lacks:
                        raise self._error(f"interface `{key}` of world `{name}`", Feature.LABEL, item)
                    types = self._resolve.interfaces[interface].types.values()
                    for type_id in sorted(types):
                        self._type_def(type_id, f"interface `{within}`")
                    for function in self._resolve.interfaces[interface].functions.values():
                        self._function(function, f"interface `{within}`")
                case WorldFunction(function):
                    self._function(function, f"world `{name}`")
                case WorldType(type_id):
                    self._type_def(type_id, f"world `{name}`")

    def _type_def(self, type_id: TypeId, within: str) -> None:
        found = self._find(type_id)
        if found is not None:
            type_def = self._resolve.types[type_id]
            raise self._error(f"type `{type_def.name}` of {within}", found, type_def)

    def _function(self, function: Function, within: str) -> None:
        used = [param.type for param in function.params]
        if function.result is not None:
            used.append(function.result)
        found = next(filter(None, map(self._find, used)), None)
        if function.kind.shape.is_async and Feature.ASYNC in self._lacks:
            found = Feature.ASYNC
        if function.kind.shape in _ACCESSORS and Feature.ACCESSOR in self._lacks:
            found = Feature.ACCESSOR
        if found is not None:
            raise self._error(f"function `{function.name}` of {within}", found, function)

    def _error(
        self, item: str, feature: Feature, definition: Function | TypeDef | WorldInterface
    ) -> CodegenError:
        reason = f"{self._language} bindings cannot have {feature.value} yet"
        return CodegenError(self._language, item, reason, definition.span)

    def _find(self, type_: Type) -> Feature | None:
        if isinstance(type_, Primitive):
            found = Feature.ERROR_CONTEXT if type_ is Primitive.ERROR_CONTEXT else None
            return found if found in self._lacks else None
        if type_ not in self._known:
            kind = self._resolve.types[type_].kind
            own = _OF_KINDS.get(type(kind))
            parts = filter(None, map(self._find, types_in(kind)))
            self._known[type_] = own if own in self._lacks else next(parts, None)
        return self._known[type_]
