"""The lowering plan: what a guest of one world needs to know, whatever its language.

`plan_world` (in `planning`) works out, once for all languages, how a core module that implements a world
talks to its imports and its callers. A language view turns it into names and statements, and decides nothing
about the canonical ABI.

**Types.** `Plan.types` holds every type that the world mentions, each after those it is made of. Kinds are
those of the IR (`ingen_sdkgen.model`), but *the `TypeId`s in them index `Plan.types`*, not the resolve they
came from: an interface that a world both imports and exports stands here twice, with two sets of nominal
types and resources, and so does one imported under two labels. A type in place (`list<string>`) has no name
and no scope, and stands here once however often it is written. `PlannedType.canonical` is the same type
without the aliases in it, at any depth: two types are the same for a caller if these are equal. It is a
primitive, a record, variant, enum, flags type or resource with its name, or a type in place; so a definition
like `type names = list<string>` has the `list<string>` in place for its canonical type.

**Layout.** `Plan.layout(type)` has size, alignment, offsets and the flat core types of a value, from the
runtime's own implementation. In a variant (also option, result), the flat values are the discriminant and
then slots that all payloads share: the payload's value of core type `have` (of `plan.layout(payload).flat`)
goes to the slot of core type `want` (`layout.flat[1:]`) by reinterpreting its bits and widening i32 to i64;
slots that a payload does not fill are zero.

**Scopes.** `Plan.scopes` are the imported interfaces, the world's own types and imported functions, the
exported interfaces, the world's exported functions; each after those whose types it uses. The world's own
two have `key` None. A scope lists its named types (aliases included, each after those it uses), its resources
and all its functions, those of resources included (`FunctionPlan.resource`).

**Functions.** `FunctionPlan.core_module` and `core_name` are the names in the core module, and `core` is its
core signature. Let P be the parameters in order, R the result:

- `params_spilled` false: the core parameters are the flat values of P, `ParamPlan.flat` counting in them.
  True: one pointer to memory in which P lie like the fields of a record (`ParamPlan.offset`,
  `params_size`, `params_alignment`).
- `result_spilled` false: the core result is the one flat value of R, or none. True: R lies in memory of
  `layout(R).size` and `.alignment`. An import is handed a pointer to it as its last core parameter; an
  export returns a pointer to it.

**Who frees what.**

- Calling an import: memory that parameters refer to is the caller's before and after the call, and only has
  to stay in place until the call returns. `own` handles in parameters are gone after the call, `borrow`
  handles stay. Memory that the result refers to was allocated through `cabi_realloc` and is the caller's to
  free, handles in it are the caller's to drop.
- Being called: memory that parameters refer to was allocated through `cabi_realloc` and is the callee's to
  free, and so is the block of spilled parameters itself. `own` handles in parameters are the callee's.
  A `borrow` of a resource that is imported has to be dropped before the call returns; a `borrow` of a
  resource that the guest itself exports (`ResourcePlan.direction` is EXPORT) arrives as its
  representation, not as a handle, and is not dropped. Memory that the result refers to stays until
  `post_return` is called, with the same core value that the export returned: it frees that memory (but
  neither drops handles nor has to free the block of the result, which may be static). `post_return` is None
  where the result refers to no memory.

**Resources.** A guest drops handles through `ResourcePlan.drop`. For those that it exports, `new` makes a
handle from a representation (an i32 of its choice), `rep` gives it back, and the guest exports `destructor`,
which is called with the representation when the owning handle is dropped.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import NewType

from ingen_runtime.component.types import FuncType, ValType
from ingen_runtime.core_types import CoreFuncType
from ingen_sdkgen.languages.layout import Layout, layout_of
from ingen_sdkgen.languages.valtypes import primitive_value_type
from ingen_sdkgen.model import (
    Alias,
    FunctionShape,
    PackageName,
    Primitive,
    Span,
    Stability,
    Type,
    TypeId,
    TypeKind,
)

ScopeId = NewType("ScopeId", int)


class Direction(enum.Enum):
    """Whether the guest calls something or is called."""

    IMPORT = "import"
    EXPORT = "export"


@dataclass(frozen=True, slots=True)
class PlannedType:
    """A type of the world; see the module's docstring.

    `owns_memory` says whether a value refers to memory that someone frees: it has a string, list or map in
    it. `has_own` and `has_borrow` say whether it has such handles. `value` and `layout` are None just for
    resources.
    """

    name: str | None
    kind: TypeKind
    scope: ScopeId | None
    canonical: Type
    value: ValType | None
    layout: Layout | None
    owns_memory: bool
    has_own: bool
    has_borrow: bool
    docs: str | None
    stability: Stability
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class CoreImport:
    """A core function that the guest's module imports."""

    module: str
    name: str
    type: CoreFuncType


@dataclass(frozen=True, slots=True)
class ResourcePlan:
    """A resource: one that is imported, or one that the guest exports."""

    type: TypeId
    name: str
    scope: ScopeId
    direction: Direction
    drop: CoreImport
    new: CoreImport | None
    rep: CoreImport | None
    destructor: str | None
    """The core export that destroys a representation: `(param i32)`. Set just for exported resources."""


@dataclass(frozen=True, slots=True)
class ParamPlan:
    """A parameter: the flat core parameters that it takes, or its offset among the spilled ones."""

    name: str
    type: Type
    flat: range
    offset: int


@dataclass(frozen=True, slots=True)
class FunctionPlan:
    """A function of the world; see the module's docstring.

    `name` is the component-level name (`[method]r.m`), `item_name` what it is called within its scope or its
    resource: `m`; for a constructor the name of the resource. A method's first parameter is `self`.
    """

    name: str
    item_name: str
    shape: FunctionShape
    resource: TypeId | None
    direction: Direction
    params: tuple[ParamPlan, ...]
    result: Type | None
    type: FuncType
    """The type at the component level."""
    core_module: str | None
    """The core module that an import comes from; None for an export."""
    core_name: str
    core: CoreFuncType
    params_spilled: bool
    params_size: int
    params_alignment: int
    result_spilled: bool
    post_return: str | None
    docs: str | None
    stability: Stability
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class ScopePlan:
    """An interface that the world imports or exports, or the world's own items on one side.

    `key` is the name at the component level, None for the world's own. `package` and `interface` are set
    where the interface belongs to a package: not for those written in place in the world, nor for the
    world's own. `labelled` says that the interface goes by a name of the world's instead of its own.
    """

    direction: Direction
    key: str | None
    package: PackageName | None
    interface: str | None
    labelled: bool
    types: tuple[TypeId, ...]
    resources: tuple[ResourcePlan, ...]
    functions: tuple[FunctionPlan, ...]
    docs: str | None
    stability: Stability


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything about a world; see the module's docstring."""

    name: str
    package: PackageName
    docs: str | None
    types: tuple[PlannedType, ...]
    scopes: tuple[ScopePlan, ...]
    component_type: bytes
    """Content of the custom section that tells tools which world a core module implements."""

    @property
    def full_name(self) -> str:
        """`namespace:package/world@version`."""
        return self.package.interface_id(self.name)

    @property
    def component_type_section(self) -> str:
        """The name of that section. Sections of one linked module must not share a name, so it has the
        world in it."""
        return f"component-type:{self.full_name}"

    def resource(self, type_: TypeId) -> ResourcePlan:
        """The resource that `type_`, a resource or an alias of one, means."""
        target = self.types[type_].canonical
        assert not isinstance(target, Primitive), "a resource is no primitive"
        scope = self.types[target].scope
        assert scope is not None, "a resource has a scope"
        return next(resource for resource in self.scopes[scope].resources if resource.type == target)

    def canonical(self, type_: Type) -> Type:
        """The type without the aliases in it."""
        return type_ if isinstance(type_, Primitive) else self.types[type_].canonical

    def dealias(self, type_: Type) -> Type:
        """The type that an alias means; what that is made of may still have aliases in it."""
        while not isinstance(type_, Primitive):
            kind = self.types[type_].kind
            if not isinstance(kind, Alias):
                break
            type_ = kind.type
        return type_

    def layout(self, type_: Type) -> Layout:
        """How values of `type_` (no resource) lie in memory."""
        if isinstance(type_, Primitive):
            return layout_of(primitive_value_type(type_))
        layout = self.types[type_].layout
        assert layout is not None, "a resource is no type of values"
        return layout

    def owns_memory(self, type_: Type) -> bool:
        """Whether values of `type_` refer to memory that someone frees."""
        return type_ is Primitive.STRING if isinstance(type_, Primitive) else self.types[type_].owns_memory

    def has_own(self, type_: Type) -> bool:
        """Whether values of `type_` have owning handles in them."""
        return not isinstance(type_, Primitive) and self.types[type_].has_own

    def has_borrow(self, type_: Type) -> bool:
        """Whether values of `type_` have borrowing handles in them."""
        return not isinstance(type_, Primitive) and self.types[type_].has_borrow
