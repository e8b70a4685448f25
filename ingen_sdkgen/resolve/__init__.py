"""From WIT sources to the IR.

Stages, each in a module of its own: files to syntax trees (`files`), a package's names and types to a draft
(`drafting`, with `namespaces`, `types`, `functions`, `interfaces` and `worlds`), the draft into the tables,
with gates applied (`placing`), `include` (`include`), and the imports and exports that a world needs besides
those written (`elaborate`).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ingen_sdkgen.diagnostics import (
    MAX_ERRORS,
    ErrorList,
    ItemConflict,
    Note,
    ResolveError,
    SourceMap,
    TooManyErrors,
    WitError,
    WitErrors,
)
from ingen_sdkgen.model import PackageName, Resolve
from ingen_sdkgen.resolve.drafting import draft_package
from ingen_sdkgen.resolve.files import FileReader, PackageFiles
from ingen_sdkgen.resolve.gates import Gatekeeper
from ingen_sdkgen.resolve.merging import merge
from ingen_sdkgen.resolve.paths import PackageSyntax, paths_in
from ingen_sdkgen.resolve.placing import place_package
from ingen_sdkgen.resolve.tables import Tables
from ingen_sdkgen.semver import Version
from ingen_sdkgen.wit import syntax

__all__ = ["Loaded", "load", "load_data", "load_text"]


@dataclass(frozen=True, slots=True)
class Loaded:
    """An IR, and the sources that its spans point into."""

    resolve: Resolve
    sources: SourceMap


def load(path: Path, *, features: Iterable[str] = (), all_features: bool = False) -> Loaded:
    """Read a WIT file, or a folder of WIT with its `deps/`.

    `features` are those whose `@unstable` items are in.

    Raises: WitErrors with every independent mistake; OSError where a file cannot be read.
    """
    sources, errors = SourceMap(), list[WitError]()
    files = FileReader(sources, errors).read(path)
    return _resolve(files, sources, errors, Gatekeeper(frozenset(features), all_features=all_features))


def load_text(
    text: str, name: str = "input.wit", *, features: Iterable[str] = (), all_features: bool = False
) -> Loaded:
    """Read WIT from a string; `name` is what messages call it.

    Raises: WitErrors
    """
    data = text.encode("utf-8", "surrogatepass")
    return load_data(data, name, features=features, all_features=all_features)


def load_data(data: bytes, name: str, *, features: Iterable[str] = (), all_features: bool = False) -> Loaded:
    """Read WIT from the bytes of a file; `name` is what messages call it.

    Raises: WitErrors
    """
    sources, errors = SourceMap(), list[WitError]()
    files = FileReader(sources, errors).read_data(name, data)
    return _resolve(files, sources, errors, Gatekeeper(frozenset(features), all_features=all_features))


def _resolve(files: PackageFiles, sources: SourceMap, errors: list[WitError], gates: Gatekeeper) -> Loaded:
    _fail_on(errors, sources)
    tables = Tables()
    for binary in files.binaries:
        try:
            merge(binary, tables)
        except WitError as error:
            errors.append(error)
    main = files.packages[0].name
    packages = _by_name(files.packages, errors)
    _fail_on(errors, sources)

    order = _package_order(packages, errors)
    # A package that uses a broken one is not looked at: what is missing there is not its own mistake.
    broken = packages.keys() - set(order)
    for name in order:
        if any(used in broken for used, _ in _used_packages(packages[name])):
            broken.add(name)
            continue
        found = ErrorList()
        with contextlib.suppress(TooManyErrors):
            draft = draft_package(packages[name], found)
            if not found:
                place_package(draft, tables, gates, found)
        if found:
            errors += found
            broken.add(name)
        if len(errors) >= MAX_ERRORS:
            break
    _fail_on(errors, sources)
    return Loaded(tables.finish(tables.package_ids[main]), sources)


def _fail_on(errors: list[WitError], sources: SourceMap) -> None:
    if errors:
        raise WitErrors(errors[:MAX_ERRORS], sources)


def _by_name(packages: list[PackageSyntax], errors: list[WitError]) -> dict[PackageName, PackageSyntax]:
    by_name: dict[PackageName, PackageSyntax] = {}
    for package in packages:
        first = by_name.setdefault(package.name, package)
        if first is not package:
            errors.append(
                ItemConflict(
                    f"the package `{package.name}` is defined in two places",
                    package.span,
                    notes=[Note("the other place is here", first.span)],
                )
            )
    return by_name


def _used_packages(package: PackageSyntax) -> list[tuple[PackageName, syntax.PackagePath]]:
    """The packages that one uses, each with the path that names it first."""
    used: dict[PackageName, syntax.PackagePath] = {}
    for file in package.files:
        for use in paths_in(file):
            if isinstance(use.path, syntax.PackagePath):
                used.setdefault(use.path.package, use.path)
    return list(used.items())


def _sort_key(name: PackageName) -> tuple[str, str, bool, Version | None]:
    version = None if name.version is None else Version.parse(name.version)
    return name.namespace, name.name, version is not None, version


def _package_order(packages: dict[PackageName, PackageSyntax], errors: list[WitError]) -> list[PackageName]:
    """Packages after those that they use, else by name. Those on a cycle are reported and left out."""
    used = {
        name: [entry for entry in _used_packages(package) if entry[0] in packages]
        for name, package in packages.items()
    }
    order: dict[PackageName, None] = {}
    cyclic: set[PackageName] = set()
    for root in sorted(packages, key=_sort_key):
        # A depth-first walk with a stack of its own; `path` holds what is being visited.
        path: dict[PackageName, int] = {}
        if root in order or root in cyclic:
            continue
        path[root] = 0
        while path:
            name = next(reversed(path))
            at = path[name]
            if at == len(used[name]):
                del path[name]
                if name not in cyclic:
                    order[name] = None
                continue
            path[name] += 1
            target, _ = used[name][at]
            if target in path:
                visited = list(path)
                errors.append(_cycle_error(visited[visited.index(target) :], used))
                cyclic.update(path)
            elif target in cyclic:
                cyclic.update(path)
            elif target not in order:
                path[target] = 0
    return list(order)


def _cycle_error(
    cycle: list[PackageName], used: dict[PackageName, list[tuple[PackageName, syntax.PackagePath]]]
) -> ResolveError:
    """Packages that use each other in a ring, reported at the first one by name."""
    first = cycle.index(min(cycle, key=_sort_key))
    target = cycle[(first + 1) % len(cycle)]
    written = dict(used[cycle[first]])[target]
    if len(cycle) == 1:
        return ResolveError(
            f"the package `{target}` uses itself",
            written.package_span,
            hint="inside a package, refer to an interface by its name alone",
        )
    ring = [*cycle[first:], *cycle[: first + 1]]
    return ResolveError(
        f"the package `{target}` depends on itself",
        written.package_span,
        notes=[Note(" uses ".join(f"`{name}`" for name in ring))],
    )
