"""What earlier runs made of the same input: the IR, and finished output.

The input is known by a digest of everything that the result depends on, so nothing here can be out of date.
This module imports little: a run whose output is known ends before the model is even loaded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ingen_sdkgen import __version__
from ingen_sdkgen.cache import Cache, code_fingerprint, digest

if TYPE_CHECKING:
    from ingen_sdkgen.model import Resolve

_INPUT_SUFFIXES = (".wit", ".wat", ".wasm")


class EarlierRuns:
    """The results of earlier runs on one input, as long as the cache has them."""

    def __init__(self, cache: Cache, path: Path, *, features: Iterable[str], all_features: bool) -> None:
        """Look at the input, without understanding it. An unreadable one has no earlier results."""
        self._cache = cache
        self._path = path
        self._options = [
            __version__.encode(),
            b"all" if all_features else b"some",
            *(feature.encode("utf-8", "surrogateescape") for feature in sorted(set(features))),
        ]
        self._name = self._digest() if cache else None

    def ir(self) -> Resolve | None:
        """The IR of the input."""
        known = None if self._name is None else self._cache.load(f"ir-{self._name}")
        if known is None:
            return None
        from ingen_sdkgen.ir_bytes import load_ir

        try:
            return load_ir(known)
        except ValueError:
            return None

    def output(self, form: Sequence[str]) -> bytes | None:
        """What was printed of the input; `form` are the options that it depends on."""
        return None if self._name is None else self._cache.load(self._output_name(form))

    def keep(self, resolve: Resolve, form: Sequence[str], output: bytes) -> None:
        """Keep results for later runs, unless the input has changed since it was looked at."""
        if self._name is None or self._digest() != self._name:
            return
        from ingen_sdkgen.ir_bytes import dump_ir

        self._cache.store(f"ir-{self._name}", dump_ir(resolve))
        self._cache.store(self._output_name(form), output)

    def _output_name(self, form: Sequence[str]) -> str:
        parts = [part.encode("utf-8", "surrogateescape") for part in form]
        return f"out-{digest([str(self._name).encode(), *parts])}"

    def inputs(self) -> list[tuple[Path, bytes]]:
        """The files of the input with their contents; none where they cannot be read twice."""
        places = self._contents()
        return [] if places is None else [(path, data) for path, data in places if data is not None]

    def _contents(self) -> list[tuple[Path, bytes | None]] | None:
        """Files and folders (None) of the input, or None where it cannot be read, or only once."""
        try:
            if not self._path.is_dir() and not self._path.is_file():
                return None
            return [(place, None if place.is_dir() else place.read_bytes()) for place in _places(self._path)]
        except OSError:
            return None

    def _digest(self) -> str | None:
        """A name for the input: the tool, the options, names and contents of the files."""
        places = self._contents()
        if places is None:
            return None
        parts = [code_fingerprint(), b"%d" % len(self._options), *self._options]
        for place, data in places:
            parts += [bytes(place.relative_to(self._path)), data or b""]
        return digest(parts)


def _places(path: Path) -> Iterator[Path]:
    """Every file and folder that reading `path` may look into, and perhaps more, in a fixed order.

    A folder of a dependency may be a link, and its contents count all the same.
    """
    yield path
    if path.is_dir():
        for entry in sorted(path.iterdir()):
            if entry.suffix in _INPUT_SUFFIXES and entry.is_file():
                yield entry
        dependencies = path / "deps"
        if dependencies.is_dir():
            for entry in sorted(dependencies.iterdir()):
                if entry.is_dir():
                    yield entry
                    yield from sorted(file for file in entry.iterdir() if file.suffix in _INPUT_SUFFIXES)
                elif entry.suffix in _INPUT_SUFFIXES:
                    yield entry
