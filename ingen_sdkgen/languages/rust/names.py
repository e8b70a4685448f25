"""Rust identifiers: the only place that knows Rust's keywords and spelling.

A plain name is an identifier without escapes (`type`), so that it can become a part of longer names;
`identifier` makes it one that may stand in code (`r#type`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from ingen_sdkgen.languages.casing import pascal_case, snake_case, upper_snake_case

KEYWORDS = frozenset(
    """
    abstract as async await become box break const continue crate do dyn else enum extern false final fn for
    gen if impl in let loop macro match mod move mut override priv pub ref return self Self static struct
    super trait true try type typeof unsafe unsized use virtual where while yield
    """.split()
)
"""Keywords of the editions 2015 to 2024, those that are only reserved included."""

_NEVER_RAW = frozenset({"crate", "self", "Self", "super"})
_IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]*\Z")


def snake(name: str) -> str:
    """The plain name of a function, parameter, field or module: `get-url` is `get_url`."""
    return _without_clash(snake_case(name))


def camel(name: str) -> str:
    """The plain name of a type or case: `get-URL` is `GetUrl`."""
    return _without_clash(pascal_case(name))


def screaming(name: str) -> str:
    """The plain name of a constant: `read-only` is `READ_ONLY`."""
    return upper_snake_case(name)


def identifier(plain: str) -> str:
    """The identifier as it stands in code."""
    return f"r#{plain}" if plain in KEYWORDS else plain


def is_plain_name(text: str) -> bool:
    """Whether a user may choose this as a plain name."""
    return bool(_IDENTIFIER.match(text)) and text not in _NEVER_RAW


def _without_clash(plain: str) -> str:
    # A trailing underscore can come from no WIT name.
    return f"{plain}_" if plain in _NEVER_RAW else plain


class Names:
    """The plain names of one scope, no two alike."""

    def __init__(self, reserved: Iterable[str] = ()) -> None:
        self._taken = set(reserved)

    def allot(self, plain: str) -> str:
        """The name, or where it is taken that name with an underscore, and a number if need be."""
        candidate, number = plain, 1
        while candidate in self._taken:
            candidate = f"{plain}_" if number == 1 else f"{plain}_{number}"
            number += 1
        self._taken.add(candidate)
        return candidate
