"""From the syntax trees of one package to its draft."""

from __future__ import annotations

from ingen_sdkgen.diagnostics import ResolveError, WitError
from ingen_sdkgen.resolve.drafts import PackageDraft
from ingen_sdkgen.resolve.functions import FunctionDrafter
from ingen_sdkgen.resolve.interfaces import InterfaceDrafter
from ingen_sdkgen.resolve.namespaces import PackageNames
from ingen_sdkgen.resolve.paths import PackageSyntax
from ingen_sdkgen.resolve.types import TypeDrafter
from ingen_sdkgen.resolve.worlds import WorldDrafter
from ingen_sdkgen.wit import syntax


def draft_package(package: PackageSyntax, errors: list[WitError]) -> PackageDraft:
    """Resolve the names of a package as far as the package itself tells; mistakes go to `errors`."""
    for file in package.files:
        for item in file:
            if isinstance(item, syntax.NestedPackage):
                errors.append(
                    ResolveError(
                        "a nested package stands at the top of a file, not in another package",
                        item.package.span,
                    )
                )
    draft = PackageDraft(package.name, package.span, package.docs)
    names = PackageNames(package, draft, errors)
    types = TypeDrafter(draft, errors)
    functions = FunctionDrafter(draft, types, errors)
    interfaces = InterfaceDrafter(draft, types, functions, errors)
    for id_, interface, file_names in names.interfaces():
        interfaces.draft(id_, interface.items, interface.docs, interface.gates, file_names)
    worlds = WorldDrafter(draft, functions, interfaces, errors)
    for world_id, world, file_names in names.worlds():
        worlds.draft(world_id, world, file_names)
    return draft
