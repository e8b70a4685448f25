"""Short digests of function types, by which generated bindings tell whether a component has the types that
they were made for.
"""

from __future__ import annotations

from zlib import crc32

from ingen_runtime.canonical.layout import components_of
from ingen_runtime.component.type_text import short_name
from ingen_runtime.component.types import (
    BorrowType,
    EnumType,
    FixedListType,
    FlagsType,
    FuncType,
    FutureType,
    OwnType,
    PrimitiveType,
    RecordType,
    ResultType,
    StreamType,
    ValType,
    VariantType,
)


class Fingerprints:
    """Digests of types by structure: of labels, kinds and contents. Names of types do not count, for a
    component may call a type by any name under which an interface uses it; those of resources do.
    """

    def __init__(self) -> None:
        # By identity: types are shared, and so each is looked at once, however often it is used.
        self._known: dict[int, tuple[ValType, str]] = {}

    def of_function(self, type_: FuncType) -> str:
        """Eight hexadecimal digits."""
        parts = [f"{label}:{self._of(param)}" for label, param in type_.params]
        return _digest("async" if type_.is_async else "func", *parts, self._maybe(type_.result))

    def _maybe(self, type_: ValType | None) -> str:
        return "_" if type_ is None else self._of(type_)

    def _of(self, type_: ValType) -> str:
        if isinstance(type_, PrimitiveType):
            return type_.value
        known = self._known.get(id(type_))
        if known is None:
            known = self._known[id(type_)] = (type_, _digest(type(type_).__name__, *self._parts(type_)))
        return known[1]

    def _parts(self, type_: ValType) -> list[str]:
        match type_:
            case RecordType(fields):
                return [f"{field.label}:{self._of(field.type)}" for field in fields]
            case VariantType(cases):
                return [f"{case.label}:{self._maybe(case.type)}" for case in cases]
            case FlagsType(labels) | EnumType(labels):
                return list(labels)
            case OwnType(resource) | BorrowType(resource):
                return [short_name(resource.name)]
            case ResultType(ok, err):
                return [self._maybe(ok), self._maybe(err)]
            case StreamType(element) | FutureType(element):
                return [self._maybe(element)]
            case FixedListType(element, length):
                return [self._of(element), str(length)]
            case _:
                return [self._of(part) for part in components_of(type_)]


def _digest(*parts: str) -> str:
    return f"{crc32(' '.join(parts).encode()):08x}"
