"""The contents of a set of bindings, from this run or from an earlier one of the same input."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ingen_sdkgen import __version__
from ingen_sdkgen.cache import Cache, digest
from ingen_sdkgen.earlier_runs import EarlierRuns
from ingen_sdkgen.languages.registry import generate
from ingen_sdkgen.project import Project, Target
from ingen_sdkgen.project.lock import Entry, content_digest
from ingen_sdkgen.template_folders import templates_digest

if TYPE_CHECKING:
    from ingen_sdkgen.model import Resolve, WorldId


class Produced(NamedTuple):
    """What a target consists of now."""

    target: Target
    name: str
    """What the lock file calls it."""
    entry: Entry
    files: Mapping[str, bytes]
    """Contents by path, which starts from the project's root."""


class Generator:
    """Generates targets of a project, with what earlier runs and earlier targets have read."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._earlier: dict[tuple[object, ...], EarlierRuns] = {}
        self._read: dict[tuple[object, ...], Resolve] = {}

    def produce(self, target: Target) -> Produced:
        """The contents of a target.

        Raises: WitErrors, UnreadableInput, TemplateError, ProjectError
        """
        try:
            templates = templates_digest(target.language.folders, target.templates)
        except OSError as error:
            from ingen_sdkgen.failures import UnreadableInput

            raise UnreadableInput(Path(error.filename), error.strerror or str(error)) from error
        key = (target.wit, target.features, target.all_features)
        earlier = self._earlier.get(key)
        if earlier is None:
            earlier = self._earlier[key] = EarlierRuns(
                Cache.of_user(), target.wit, features=target.features, all_features=target.all_features
            )
        language = target.language
        settings = json.dumps([target.world, *_settings(target)], sort_keys=True)
        form = ["bindings", language.side.value, language.name, templates, settings, target.wit.name]
        known = earlier.output(form)
        files = None if known is None else _unpacked(known)
        if files is None:
            resolve = self._resolve(key, target, earlier)
            files = _generated(resolve, target)
            earlier.keep(resolve, form, _packed(files))
        shown = self._project.shown(target.out)
        here = {_joined(shown, name): content for name, content in files.items()}
        entry = Entry(
            language.side.value,
            __version__,
            digest([settings.encode()]),
            templates,
            {self._input_name(target, path): content_digest(data) for path, data in earlier.inputs()},
            {name: content_digest(content) for name, content in here.items()},
        )
        of_world = "" if target.world is None else f" of {target.world}"
        name = f"{language.side.value} {language.name}{of_world} in {shown}"
        return Produced(target, name, entry, here)

    def _resolve(self, key: tuple[object, ...], target: Target, earlier: EarlierRuns) -> Resolve:
        resolve = self._read.get(key) or earlier.ir()
        if resolve is None:
            from ingen_sdkgen.reading import read

            resolve = read(target.wit, features=target.features, all_features=target.all_features)
        self._read[key] = resolve
        return resolve

    def _input_name(self, target: Target, path: Path) -> str:
        """What the lock file calls an input: without a project file, nothing that depends on its place."""
        if self._project.file is not None:
            return self._project.shown(path)
        return Path(os.path.relpath(path, target.wit.parent)).as_posix()


def _settings(target: Target) -> list[object]:
    return [sorted(set(target.features)), target.all_features, dict(target.options)]


def _joined(folder: str, name: str) -> str:
    return name if folder == "." else f"{folder}/{name}"


def _generated(resolve: Resolve, target: Target) -> dict[str, bytes]:
    from ingen_sdkgen.diagnostics import WitError, WitErrors
    from ingen_sdkgen.restrict import find_world, only_world

    world = only_world(resolve) if target.world is None else find_world(resolve, target.world)
    resolve = _with_name(resolve, world, target.wit)
    try:
        files = generate(target.language, resolve, world, target.options, target.templates)
    except WitError as error:
        if error.span is None:
            raise
        # Spans point into sources, and an IR that was kept has none: read them again.
        from ingen_sdkgen.resolve import load

        loaded = load(target.wit, features=target.features, all_features=target.all_features)
        raise WitErrors([error], loaded.sources) from None
    return dict(sorted(files.items()))


def _with_name(resolve: Resolve, world: WorldId, path: Path) -> Resolve:
    """The IR with a world of a component, which has no name of its own, called as its file is."""
    from dataclasses import replace

    content = resolve.worlds[world]
    words = re.findall(r"[a-z][a-z0-9]*", path.name.partition(".")[0].lower())
    if resolve.packages[content.package].name.namespace != "root" or content.name != "root" or not words:
        return resolve
    named = replace(content, name="-".join(words))
    worlds = tuple(named if id_ == world else other for id_, other in enumerate(resolve.worlds))
    return replace(resolve, worlds=worlds)


# --- As one entry of the cache --------------------------------------------------------------------------


def _packed(files: Mapping[str, bytes]) -> bytes:
    sizes = json.dumps({name: len(content) for name, content in files.items()}).encode()
    return b"\n".join([sizes, b"".join(files.values())])


def _unpacked(data: bytes) -> dict[str, bytes] | None:
    sizes, _, rest = data.partition(b"\n")
    files, at = {}, 0
    for name, size in json.loads(sizes).items():
        files[name] = rest[at : at + size]
        at += size
    return files
