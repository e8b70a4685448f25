"""Packages on disk: which files make up which package.

A file is one package; a folder is one package, with those that it uses in `deps/`: a folder, a `.wit` file or
an encoded package each. The `deps/` of a dependency are not read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ingen_runtime.errors import ComponentFormatError
from ingen_sdkgen.diagnostics import ItemConflict, ItemNotFound, Note, SourceMap, WitError
from ingen_sdkgen.model import Resolve
from ingen_sdkgen.resolve.paths import PackageSyntax
from ingen_sdkgen.wasm_files import SUFFIXES, to_binary
from ingen_sdkgen.wit import syntax
from ingen_sdkgen.wit.parser import parse_file

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(slots=True)
class PackageFiles:
    """What was read: packages as text, the first one being asked for, and packages in binary form."""

    packages: list[PackageSyntax] = field(default_factory=list)
    binaries: list[Resolve] = field(default_factory=list)


class FileReader:
    """Reads files into `sources`; mistakes go to `errors`."""

    def __init__(self, sources: SourceMap, errors: list[WitError]) -> None:
        self._sources = sources
        self._errors = errors

    def read(self, path: Path) -> PackageFiles:
        """Read a file or a folder.

        Raises: OSError where it cannot be read.
        """
        files = PackageFiles()
        if not path.is_dir():
            files.packages += self._group(str(path), [self._parse(path)])
            return files
        main = self._folder(path)
        dependencies: list[PackageSyntax] = []
        folder = path / "deps"
        if folder.is_dir():
            for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
                if entry.is_dir():
                    dependencies += self._folder(entry)
                elif entry.suffix == ".wit":
                    dependencies += self._group(str(entry), [self._parse(entry)])
                elif entry.suffix in SUFFIXES:
                    binary = self._binary(entry)
                    if binary is not None:
                        files.binaries.append(binary)
        files.packages = main + dependencies
        return files

    def read_data(self, name: str, data: bytes) -> PackageFiles:
        """Take in the content of a file as if it had that name."""
        return PackageFiles(self._group(name, [self._parse_data(name, data)]))

    def _folder(self, path: Path) -> list[PackageSyntax]:
        entries = sorted(path.iterdir(), key=lambda entry: entry.name)
        files = [entry for entry in entries if entry.suffix == ".wit" and not entry.is_dir()]
        if not files:
            self._errors.append(
                ItemNotFound(
                    f"there is no `.wit` file in the folder {path}", hint="is this the right folder?"
                )
            )
            return []
        return self._group(str(path), [self._parse(file) for file in files])

    def _parse(self, path: Path) -> syntax.FileSyntax | None:
        return self._parse_data(str(path), path.read_bytes())

    def _parse_data(self, name: str, data: bytes) -> syntax.FileSyntax | None:
        data = data.removeprefix(_BYTE_ORDER_MARK)
        number = self._sources.add(name, data)
        tree, errors = parse_file(data, number)
        self._errors += errors
        # Where the mistakes may have taken the header with them, the package is not known.
        return None if errors and (tree is None or tree.package is None) else tree

    def _binary(self, path: Path) -> Resolve | None:
        from ingen_sdkgen.decode import decode_package

        try:
            return decode_package(to_binary(path.read_bytes(), path))
        except ComponentFormatError as error:
            self._errors.append(WitError(f"{path} is not an encoded WIT package: {error}"))
            return None

    # --- Grouping ---------------------------------------------------------------------------------------

    def _group(self, where: str, trees: Sequence[syntax.FileSyntax | None]) -> list[PackageSyntax]:
        """The package that these files share, and the packages nested in them."""
        if any(tree is None for tree in trees):
            return []  # what they define is not known, and the mistake is reported
        header: syntax.PackageId | None = None
        documented: syntax.PackageId | None = None
        files: list[Sequence[syntax.TopItem]] = []
        nested: list[PackageSyntax] = []
        for tree in trees:
            assert tree is not None
            if tree.package is not None:
                header, documented = self._merge_headers(header, documented, tree.package)
            files.append([item for item in tree.items if not isinstance(item, syntax.NestedPackage)])
            for item in tree.items:
                if isinstance(item, syntax.NestedPackage):
                    package = item.package
                    nested.append(PackageSyntax(package.name, package.span, package.docs, [item.items]))
        if header is None:
            self._errors.append(
                ItemNotFound(
                    f"{where} does not say which package it is",
                    hint="start a file with `package namespace:name;`",
                )
            )
            return []
        docs = None if documented is None else documented.docs
        return [PackageSyntax(header.name, header.span, docs, files), *nested]

    def _merge_headers(
        self, header: syntax.PackageId | None, documented: syntax.PackageId | None, found: syntax.PackageId
    ) -> tuple[syntax.PackageId, syntax.PackageId | None]:
        if header is not None and header.name != found.name:
            self._errors.append(
                ItemConflict(
                    f"this file is of package `{found.name}`, others here are of `{header.name}`",
                    found.span,
                    notes=[Note("the other package is named here", header.span)],
                    hint="a folder is one package; others belong into `deps/`",
                )
            )
        if found.docs:
            if documented is not None:
                self._errors.append(
                    ItemConflict(
                        "two files document the package",
                        found.docs_span,
                        notes=[Note("the other one is here", documented.docs_span)],
                        hint="keep one of them",
                    )
                )
            return found, found
        return found, documented
