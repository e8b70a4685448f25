"""Python names for WIT labels, as hosts without generated bindings see them."""

from __future__ import annotations

import keyword
import re
from functools import lru_cache


@lru_cache(maxsize=4096)  # asked again for each instance of a component
def attribute_name(label: str) -> str:
    """The name of a record's attribute or of a parameter: `max-speed` gives `max_speed`, `class` gives
    `class_`.
    """
    return _usable("_".join(word.lower() for word in label.split("-")))


def member_name(label: str) -> str:
    """The name of an enum's or flags' member: `dark-red` gives `DARK_RED`."""
    return _usable("_".join(word.upper() for word in label.split("-")))


@lru_cache(maxsize=4096)
def class_name(label: str) -> str:
    """The name of a class: `http-error` gives `HttpError`, `ns:pkg/iface@1.0.0#http-error` does too."""
    words = re.split(r"-|(?<=[0-9])(?=[a-z])", re.split(r"[#/.:]", label)[-1])
    return _usable("".join(word[:1].upper() + word[1:] for word in words if word))


def _usable(name: str) -> str:
    return f"{name}_" if keyword.iskeyword(name) else name
