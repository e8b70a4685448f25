"""The lock file: what was generated, from what, by which version.

It says what a file on disk is: as generated, changed by hand, or not ours. That something is up to date is
never concluded from it, for the same version of the generator may have been changed by its developers.

Digests and relative paths only, in a fixed order: the same on every machine.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ingen_sdkgen.cache import digest

_ABOUT = "Written by ingen-sdkgen: commit it, do not edit it."
_FORMAT = 1


class Entry(NamedTuple):
    """What is known of one set of bindings."""

    side: str
    generator: str
    """The version of the generator that made it."""
    settings: str
    """A digest of what the project file or the command line says of it."""
    templates: str
    """A digest of the templates: ours of the language, and those of the user."""
    inputs: Mapping[str, str]
    """Digests by path, which starts from the lock file's folder."""
    files: Mapping[str, str]
    """The same of what was generated."""


Lock = Mapping[str, Entry]
"""Entries by names that say which bindings they are of."""


def content_digest(content: bytes) -> str:
    """The digest of a file's content."""
    return digest([content])


def read_lock(path: Path) -> dict[str, Entry]:
    """The entries of a lock file; none where there is no file.

    Raises: UnreadableInput
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return {}
    except OSError as error:
        from ingen_sdkgen.failures import UnreadableInput

        raise UnreadableInput(path, error.strerror or str(error)) from error
    try:
        content = json.loads(data)
        if content["format"] > _FORMAT:
            from ingen_sdkgen.failures import UnreadableInput

            raise UnreadableInput(path, "a newer ingen-sdkgen has written it; update this one")
        return {str(name): _entry(fields) for name, fields in content["bindings"].items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        where = f" at line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        reason = f"it is damaged{where}; delete it and generate again"
        from ingen_sdkgen.failures import UnreadableInput

        raise UnreadableInput(path, reason) from error


def _entry(fields: Mapping[str, Any]) -> Entry:
    entry = Entry(**fields)
    for value in entry:
        texts = [*value, *value.values()] if isinstance(value, dict) else [value]
        if not all(isinstance(text, str) for text in texts):
            raise ValueError("not a string")
    if not (isinstance(entry.inputs, dict) and isinstance(entry.files, dict)):
        raise ValueError("not a table")
    return entry


def lock_bytes(lock: Lock) -> bytes:
    """The content of a lock file."""
    content = {
        "about": _ABOUT,
        "format": _FORMAT,
        "bindings": {name: entry._asdict() for name, entry in lock.items()},
    }
    return (json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()
