"""Which names may stand beside each other.

Source: Explainer.md, "Import and Export Definitions" (strongly-unique); WIT.md, "Identifiers".
"""

from __future__ import annotations

import re

_ANNOTATION = re.compile(r"\[([a-z]+)\]")


def fold(label: str) -> str:
    """What labels are compared by: neither case nor hyphens tell them apart."""
    return label.replace("-", "").lower()


def _split(name: str) -> tuple[list[str], str]:
    annotations = []
    at = 0
    while found := _ANNOTATION.match(name, at):
        annotations.append(found[1])
        at = found.end()
    return annotations, name[at:]


class NameScope:
    """The names of an interface, or of a world's imports or exports."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    def add(self, name: str) -> str | None:
        """Take in a component-level name such as `f` or `[method]r.m`.

        Returns the earlier name that it clashes with, or None.
        """
        annotations, label = _split(name)
        if "constructor" in annotations:
            key = f"constructor {fold(label)}"
        elif "set" in annotations:
            key = f"set {fold(label)}"
        else:
            key = fold(label)
        previous = self._names.get(key)
        if previous is None and "." in label:
            # A method is not named like its resource.
            resource, method = (fold(part) for part in label.split(".", 1))
            if resource == method:
                previous = self._names.get(resource)
        self._names.setdefault(key, name)
        return previous


def rename(name: str, old: str, new: str) -> str | None:
    """A component-level name after `with { old as new }`: a resource takes its functions with it.

    Returns None where the renaming does not speak of `name`.
    """
    annotations, label = _split(name)
    head, dot, rest = label.partition(".")
    if head != old:
        return None
    return "".join(f"[{annotation}]" for annotation in annotations) + new + dot + rest
