"""WIT names cut into words, and put together again in the ways of other languages."""

from __future__ import annotations

import re

_SEPARATOR = re.compile(r"[^0-9A-Za-z]+")


def words(name: str) -> list[str]:
    """The words of a WIT name, in lower case; versions (`1.2.3-rc.1`) and full names come apart too."""
    return [word.lower() for word in _SEPARATOR.split(name) if word]


def snake_case(name: str) -> str:
    """`http-request` as `http_request`."""
    return "_".join(words(name))


def upper_snake_case(name: str) -> str:
    """`http-request` as `HTTP_REQUEST`."""
    return snake_case(name).upper()


def pascal_case(name: str) -> str:
    """`http-request` as `HttpRequest`."""
    return "".join(word.capitalize() for word in words(name))
