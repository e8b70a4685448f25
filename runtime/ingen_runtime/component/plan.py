"""What instantiating a component does, step by step, with every index checked.

A step names members of index spaces by number, as the binary does; types are evaluated already. Steps of
types do not appear: what a type means at run time is only which resource it is, and that is found by
`ResourcePath`s.

Most classes here are named tuples: as dataclasses, they would add 50 ms to every start.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple, TypeAlias

from ingen_runtime.component.binary.syntax import (
    CanonBuiltin,
    CanonOptions,
    CoreModuleDef,
    CustomSection,
    ExternName,
    Sort,
)
from ingen_runtime.component.entities import ComponentType, Extern
from ingen_runtime.component.types import FuncType, ResourceType, ValType
from ingen_runtime.core_types import CoreFuncType
from ingen_runtime.frozen import frozen

PREVIEW_1: Final = "wasi_snapshot_preview1"
"""The module name of preview 1 of WASI in the imports of core modules."""
START: Final = "_start"
"""What programs for preview 1 run by: an export of core modules, and of the plans made of them."""


class ResourcePath(NamedTuple):
    """Where the resource that `resource` stands for is found: a chain of export names.

    The chain starts at the import or instance that the step made.
    """

    resource: ResourceType
    path: tuple[str, ...]


@frozen
class ItemRef:
    """A member of an index space; `resource` is set where it is a resource type, whose index is not used."""

    sort: Sort
    index: int
    resource: ResourceType | None = None


class ModuleStep(NamedTuple):
    """Adds a core module."""

    definition: CoreModuleDef


class CoreInstantiateStep(NamedTuple):
    """Adds a core instance made from a module; `args` are core instances by the import's module name."""

    module: int
    args: Mapping[str, int]


class CoreCallStep(NamedTuple):
    """Calls a core function that takes and returns nothing."""

    core_func: int


class CoreBagStep(NamedTuple):
    """Adds a core instance that is put together."""

    exports: Mapping[str, ItemRef]


class ComponentStep(NamedTuple):
    """Adds a component."""

    component: ComponentPlan


class InstantiateStep(NamedTuple):
    """Adds an instance made from a component."""

    component: int
    args: Mapping[str, ItemRef]
    resources: tuple[ResourcePath, ...]


class BagStep(NamedTuple):
    """Adds an instance that is put together."""

    exports: Mapping[str, ItemRef]


class AliasStep(NamedTuple):
    """Adds an export of an instance; types need no step."""

    sort: Sort
    instance: int
    name: str


class CoreAliasStep(NamedTuple):
    """Adds an export of a core instance."""

    sort: Sort
    instance: int
    name: str


@frozen
class OuterAliasStep:
    """Adds a core module or component of an enclosing component, `count` components out."""

    sort: Sort
    count: int
    index: int


class ResourceStep(NamedTuple):
    """Makes a resource type; `destructor` is a core function."""

    resource: ResourceType
    destructor: int | None


class LiftStep(NamedTuple):
    """Adds a function that is implemented by a core function."""

    core_func: int
    options: CanonOptions
    type: FuncType


class LowerStep(NamedTuple):
    """Adds a core function that calls a function."""

    func: int
    options: CanonOptions
    type: FuncType
    core_type: CoreFuncType


class BuiltinStep(NamedTuple):
    """Adds a core function that the component model has built in.

    `resource` is set for `resource.*`, `element` for streams and futures (None where they carry nothing),
    `results` for `task.return`.
    """

    builtin: CanonBuiltin
    core_type: CoreFuncType
    resource: ResourceType | None = None
    element: ValType | None = None
    result: ValType | None = None


class ImportStep(NamedTuple):
    """Adds an import."""

    name: ExternName
    sort: Sort
    type: Extern
    resources: tuple[ResourcePath, ...]


class CoreImportStep(NamedTuple):
    """Adds a core function that the host gives to a core module, as it gives preview 1 of WASI.

    Only plans of core modules have this step: components import nothing of the kind.
    """

    module: str
    name: str
    type: CoreFuncType


class ExportStep(NamedTuple):
    """Exports an item, and adds it again as a new one."""

    name: ExternName
    item: ItemRef
    type: Extern
    resources: tuple[ResourcePath, ...]


Step: TypeAlias = (
    ModuleStep
    | CoreInstantiateStep
    | CoreBagStep
    | CoreCallStep
    | ComponentStep
    | InstantiateStep
    | BagStep
    | AliasStep
    | CoreAliasStep
    | OuterAliasStep
    | ResourceStep
    | LiftStep
    | LowerStep
    | BuiltinStep
    | ImportStep
    | CoreImportStep
    | ExportStep
)


class ComponentPlan(NamedTuple):
    """A component that is valid: its type and the steps that instantiate it."""

    type: ComponentType
    steps: tuple[Step, ...]
    import_names: Mapping[str, ExternName]
    export_names: Mapping[str, ExternName]
    custom_sections: tuple[CustomSection, ...]

    @property
    def is_async(self) -> bool:
        """Whether a step brings in something that may wait; nested components do not count."""
        return any(map(_is_async, self.steps))


def _is_async(step: Step) -> bool:
    match step:
        case LiftStep() | LowerStep():
            return step.options.is_async
        case BuiltinStep():
            return step.resource is None
        case _:
            return False
