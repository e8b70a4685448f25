"""Everything that the templates of the C guest place: a world in finished names, types and statements."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ingen_sdkgen.languages.c.definitions import CheckView, DefinitionView, checked_layouts, define_types
from ingen_sdkgen.languages.c.functions import Functions, FunctionView
from ingen_sdkgen.languages.c.helpers import Helpers, HelperView
from ingen_sdkgen.languages.c.types import CTypes, ResourceNames
from ingen_sdkgen.languages.casing import snake_case
from ingen_sdkgen.languages.plan import Direction, Plan, ResourcePlan, ScopePlan
from ingen_sdkgen.render import Header

_SECTION_BYTES_PER_LINE = 24
_SECTION_LINES_PER_STATEMENT = 32
"""C99 wants compilers to take string literals of 4,095 characters, so a large section is cut up."""


@dataclass(frozen=True, slots=True)
class ResourceView:
    """The functions of a resource. Those of an exported one in `names` are set; see `ResourceNames`."""

    name: str
    names: ResourceNames
    drop_core: str
    drop_module: str
    drop_name: str
    new_core: str
    new_name: str
    rep_core: str
    rep_name: str
    destructor_core: str
    destructor_name: str
    is_exported: bool


@dataclass(frozen=True, slots=True)
class ScopeView:
    """The functions of an interface, or of the world itself, on one side."""

    title: str
    docs: str | None
    resources: tuple[ResourceView, ...]
    functions: tuple[FunctionView, ...]

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to say."""
        return not self.functions and not self.resources


@dataclass(frozen=True, slots=True)
class StringView:
    """The string type, and the functions that come with it."""

    type: str
    view: str
    copy: str
    copy_n: str
    free: str


@dataclass(frozen=True, slots=True)
class WorldView:
    """A world for the templates of C.

    `file` is the name of both files without what follows the dot. `component_type` is the content of
    the section `component_type_section`: for each assembler statement the lines of bytes.
    """

    header: Header
    file: str
    guard: str
    name: str
    docs: str | None
    string: StringView
    definitions: tuple[DefinitionView, ...]
    helpers: tuple[HelperView, ...]
    internal_helpers: tuple[HelperView, ...]
    scopes: tuple[ScopeView, ...]
    checks: tuple[CheckView, ...]
    bits_of_f32: bool
    bits_of_f64: bool
    f32_of_bits: bool
    f64_of_bits: bool
    component_type_section: str
    component_type: tuple[tuple[str, ...], ...]


def view_world(plan: Plan, file: str | None = None, prefix: str | None = None) -> WorldView:
    """The view of a world; `file` is what the files are called, and what the world's own names begin with is
    `prefix`, instead of its name.
    """
    types = CTypes(plan, prefix)
    claim = types.names.claim
    string = StringView(
        types.string,
        claim(types.world, "string", "view"),
        claim(types.world, "string", "copy"),
        claim(types.world, "string", "copy_n"),
        types.string_free,
    )
    helpers = Helpers(types)
    casts: set[str] = set()
    functions = Functions(types, helpers, casts)
    scopes = [
        ScopeView(
            _title(scope, plan),
            scope.docs,
            tuple(_resource(types, resource) for resource in scope.resources),
            tuple(functions.view(function, prefix) for function in scope.functions),
        )
        for scope, prefix in zip(plan.scopes, types.prefixes, strict=True)
    ]
    return WorldView(
        header=Header(plan.full_name),
        file=file or snake_case(plan.name),
        guard=f"INGEN_{types.world.upper()}_H",
        name=plan.full_name,
        docs=plan.docs,
        string=string,
        definitions=tuple(define_types(types)),
        helpers=tuple(helpers.all()),
        internal_helpers=tuple(helpers.internal),
        scopes=tuple(scope for scope in scopes if not scope.is_empty),
        checks=tuple(checked_layouts(types)),
        bits_of_f32="ingen_bits_of_f32" in casts,
        bits_of_f64="ingen_bits_of_f64" in casts,
        f32_of_bits="ingen_f32_of_bits" in casts,
        f64_of_bits="ingen_f64_of_bits" in casts,
        component_type_section=plan.component_type_section,
        component_type=tuple(_assembler_bytes(plan.component_type)),
    )


def _title(scope: ScopePlan, plan: Plan) -> str:
    verb = "Imported" if scope.direction is Direction.IMPORT else "To be defined by you: exported"
    if scope.key is None:
        return f"{verb} by the world `{plan.full_name}` itself"
    if scope.labelled and scope.package is not None and scope.interface is not None:
        return f"{verb} as `{scope.key}`: `{scope.package.interface_id(scope.interface)}`"
    return f"{verb}: `{scope.key}`"


def _resource(types: CTypes, resource: ResourcePlan) -> ResourceView:
    names = types.resources[resource.type]
    claim = types.names.claim
    return ResourceView(
        name=resource.name,
        names=names,
        drop_core=claim("ingen_import", names.own_drop),
        drop_module=resource.drop.module,
        drop_name=resource.drop.name,
        new_core=claim("ingen_import", names.new) if names.new is not None else "",
        new_name="" if resource.new is None else resource.new.name,
        rep_core=claim("ingen_import", names.get_rep) if names.get_rep is not None else "",
        rep_name="" if resource.rep is None else resource.rep.name,
        destructor_core=claim("ingen_export", names.destructor) if names.destructor is not None else "",
        destructor_name=resource.destructor or "",
        is_exported=resource.direction is Direction.EXPORT,
    )


def _assembler_bytes(content: bytes) -> Iterator[tuple[str, ...]]:
    lines = [
        ",".join(map(str, content[start : start + _SECTION_BYTES_PER_LINE]))
        for start in range(0, len(content), _SECTION_BYTES_PER_LINE)
    ]
    for start in range(0, len(lines), _SECTION_LINES_PER_STATEMENT):
        yield tuple(lines[start : start + _SECTION_LINES_PER_STATEMENT])
