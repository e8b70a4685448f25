"""What WIT text can say and no component can have.

Source: Explainer.md, "Type Definitions" and "Name Uniqueness"; wasm-tools refuses the same when it validates.
"""

from __future__ import annotations

from collections.abc import Iterable

from ingen_sdkgen.encode.errors import EncodeError
from ingen_sdkgen.labels import fold
from ingen_sdkgen.model import Alias, Borrow, Future, Own, Primitive, Resolve, Stream, Type
from ingen_sdkgen.rewrite import types_in

MAX_LIST_LENGTH = 1 << 30
"""How many elements a fixed-length list has at most."""


def check_item_names(names: Iterable[str]) -> None:
    """Check that the names of a package's interfaces and worlds differ in more than case and hyphens.

    Raises: EncodeError.
    """
    seen: dict[str, str] = {}
    for name in names:
        first = seen.setdefault(fold(name), name)
        if first != name:
            raise EncodeError(
                f"`{first}` and `{name}` clash in binary form: names differ in more than case and hyphens"
            )


def check_length(length: int) -> None:
    """Check the length of a fixed-length list.

    Raises: EncodeError.
    """
    if not 0 < length <= MAX_LIST_LENGTH:
        raise EncodeError(
            f"a fixed-length list has 1 to {MAX_LIST_LENGTH} elements in binary form, and not {length}"
        )


def check_payload(resolve: Resolve, kind: Stream | Future) -> None:
    """Check what a stream or future carries.

    Raises: EncodeError.
    """
    if isinstance(kind, Stream) and _is_char(resolve, kind.type):
        raise EncodeError("`stream<char>` has no binary form; use a `stream<u8>` of encoded text")
    pending: list[Type] = [] if kind.type is None else [kind.type]
    seen = set[Type]()
    while pending:
        type_ = pending.pop()
        if isinstance(type_, Primitive) or type_ in seen:
            continue
        seen.add(type_)
        inner = resolve.types[type_].kind
        if isinstance(inner, Borrow):
            what = "stream" if isinstance(kind, Stream) else "future"
            raise EncodeError(f"a {what} carries a borrowed handle, and a borrow ends with the call")
        if not isinstance(inner, Own):
            pending += types_in(inner)


def _is_char(resolve: Resolve, type_: Type | None) -> bool:
    while type_ is not None and not isinstance(type_, Primitive):
        kind = resolve.types[type_].kind
        type_ = kind.type if isinstance(kind, Alias) else None
    return type_ is Primitive.CHAR
