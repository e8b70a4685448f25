"""The modules of the generated file: where each scope of the world stands."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from ingen_sdkgen.languages.plan import Direction, Plan, ScopeId, ScopePlan
from ingen_sdkgen.languages.rust.names import Names, identifier, snake
from ingen_sdkgen.languages.rust.options import Renames

Path: TypeAlias = tuple[str, ...]
"""The plain names of modules, from the top of the generated file."""

EXPORTS = "exports"
ABI = "_ingen"
# At the top of the file there are types beside modules, and a module would hide the type of its name.
_PRIMITIVES = "bool char str u8 u16 u32 u64 usize i8 i16 i32 i64 isize f32 f64".split()

ROOT: Path = ()
ABI_PATH: Path = (ABI,)


@dataclass(slots=True)
class Module:
    """A module: the scopes whose items are in it, and the modules in it by plain name."""

    path: Path
    scopes: list[ScopeId] = field(default_factory=list)
    children: dict[str, Module] = field(default_factory=dict)


class Modules:
    """The tree of modules: `namespace::package::interface`, for exports within `exports`.

    A package of which the world has several versions has its version in its module's name. The world's own
    items are at the top, those that it exports too.
    """

    def __init__(self, plan: Plan, renames: Renames) -> None:
        self.root = Module(ROOT)
        self._names: dict[Path, Names] = {ROOT: Names([EXPORTS, ABI, *_PRIMITIVES])}
        self._shared: dict[tuple[Path, str], str] = {}
        self._several = _several_versions(plan)
        self._renames = renames
        self._paths = [self._place(ScopeId(number), scope) for number, scope in enumerate(plan.scopes)]

    def path_of(self, scope: ScopeId) -> Path:
        """Where the items of a scope are."""
        return self._paths[scope]

    def _place(self, number: ScopeId, scope: ScopePlan) -> Path:
        path = ROOT
        if scope.key is not None:
            if scope.direction is Direction.EXPORT:
                path = (EXPORTS,)
            if scope.package is not None and not scope.labelled:
                package = scope.package.name
                if (scope.package.namespace, package) in self._several and scope.package.version:
                    package = f"{package}-{scope.package.version}"
                path = self._within(path, scope.package.namespace)
                path = self._within(path, package)
            plain = self._renames.of(scope.key) or snake(
                scope.key if scope.labelled or scope.interface is None else scope.interface
            )
            path = (*path, self._names_in(path).allot(plain))
        module = self.root
        for depth, name in enumerate(path, 1):
            module = module.children.setdefault(name, Module(path[:depth]))
        module.scopes.append(number)
        return path

    def _within(self, path: Path, name: str) -> Path:
        """The module of a namespace or package, the same for all that is in it."""
        known = self._shared.get((path, name))
        if known is None:
            known = self._shared[path, name] = self._names_in(path).allot(snake(name))
        return (*path, known)

    def _names_in(self, path: Path) -> Names:
        return self._names.setdefault(path, Names())


def _several_versions(plan: Plan) -> set[tuple[str, str]]:
    versions: dict[tuple[str, str], set[str | None]] = {}
    for scope in plan.scopes:
        if scope.package is not None and not scope.labelled:
            known = versions.setdefault((scope.package.namespace, scope.package.name), set())
            known.add(scope.package.version)
    return {package for package, known in versions.items() if len(known) > 1}


def relative(target: Path, at: Path) -> str:
    """The start of a path to something in `target`, for code in `at`: `super::super::ns::`."""
    common = 0
    while common < min(len(target), len(at)) and target[common] == at[common]:
        common += 1
    ups = ["super"] * (len(at) - common)
    downs = [identifier(name) for name in target[common:]]
    # A name alone could also mean a crate.
    start = ups or (["self"] if downs else [])
    return "".join(f"{name}::" for name in [*start, *downs])
