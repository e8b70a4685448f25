"""Components: decoded, checked and compiled, ready to be instantiated any number of times."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingen_runtime.canonical import ValueClasses
from ingen_runtime.component.binary import BinaryKind, binary_kind
from ingen_runtime.component.binary.syntax import CoreModuleDef, CustomSection
from ingen_runtime.component.entities import InstanceType
from ingen_runtime.component.interface import ItemInfo, describe
from ingen_runtime.component.kept_plans import KeptPlan, KeptPlans
from ingen_runtime.component.plan import ComponentPlan, ComponentStep, ModuleStep
from ingen_runtime.engine import CoreModule, CoreStore, Engine, StoreLimits, default_engine
from ingen_runtime.errors import ComponentFormatError

if TYPE_CHECKING:
    import os

    from ingen_runtime.component.instance import Instance


class Component:
    """A component, checked and compiled for an engine.

        component = Component.from_file("greeter.wasm")
        instance = component.instantiate({"log": print})
        instance.exports["greet"]("you")

    A core module that carries a `component-type` section is taken for the component that it would make.

    `imports` and `exports` say what it needs and offers; each prints as WIT. `classes` decides which Python
    classes stand for the types that have names; by default they are made from the types.

    Raises: ComponentFormatError where the bytes are no valid component.
    """

    def __init__(
        self, data: bytes, *, engine: Engine | None = None, classes: ValueClasses | None = None
    ) -> None:
        self.engine = engine if engine is not None else default_engine()
        self.classes = classes if classes is not None else ValueClasses()
        self._modules: dict[int, CoreModule] = {}
        self._async_plans: dict[int, tuple[ComponentPlan, bool]] = {}
        plans = KeptPlans(self.engine.cache)
        name = plans.name(data)
        kept = plans.load(name, data)
        self.plan: ComponentPlan = _make_plan(data) if kept is None else kept.plan
        self._compile(self.plan, {} if kept is None else kept.digests)
        if kept is None:
            digests = {start: module.digest for start, module in self._modules.items() if module.digest}
            plans.save(name, KeptPlan(self.plan, digests))

    @classmethod
    def from_bytes(
        cls, data: bytes, *, engine: Engine | None = None, classes: ValueClasses | None = None
    ) -> Component:
        """The component in `data`."""
        return cls(bytes(data), engine=engine, classes=classes)

    @classmethod
    def from_file(
        cls,
        path: str | os.PathLike[str],
        *,
        engine: Engine | None = None,
        classes: ValueClasses | None = None,
    ) -> Component:
        """The component in a file. Raises also OSError."""
        return cls(Path(path).read_bytes(), engine=engine, classes=classes)

    def _compile(self, plan: ComponentPlan, digests: Mapping[int, bytes]) -> None:
        for step in plan.steps:
            if isinstance(step, ModuleStep):
                start = step.definition.start
                self._modules[start] = _compile_module(self.engine, step.definition, digests.get(start))
            elif isinstance(step, ComponentStep):
                self._compile(step.component, digests)

    @cached_property
    def export_type(self) -> InstanceType:
        """What the component's instances export, as a type."""
        return InstanceType(self.plan.type.exports)

    def is_async(self, plan: ComponentPlan) -> bool:
        """Whether a plan of the component brings in something that may wait."""
        found = self._async_plans.get(id(plan))
        if found is None or found[0] is not plan:
            found = self._async_plans[id(plan)] = (plan, plan.is_async)
        return found[1]

    def module(self, definition: CoreModuleDef) -> CoreModule:
        """The compiled module of a definition."""
        return self._modules[definition.start]

    @cached_property
    def imports(self) -> Mapping[str, ItemInfo]:
        """What the component needs, by name."""
        return {name: describe(name, extern) for name, extern in self.plan.type.imports.items()}

    @cached_property
    def exports(self) -> Mapping[str, ItemInfo]:
        """What the component offers, by name."""
        return {name: describe(name, extern) for name, extern in self.plan.type.exports.items()}

    @property
    def custom_sections(self) -> tuple[CustomSection, ...]:
        """The custom sections of the outermost component."""
        return self.plan.custom_sections

    def instantiate(
        self,
        imports: Mapping[str, Any] | None = None,
        *,
        store: CoreStore | None = None,
        limits: StoreLimits | None = None,
    ) -> Instance:
        """An instance with these imports: see `Linker`.

        Raises: LinkError, Trap, and what host functions raise that start functions call.
        """
        from ingen_runtime.component.linker import Linker

        return Linker(imports).instantiate(self, store=store, limits=limits)

    def __repr__(self) -> str:
        needs, offers = ", ".join(self.imports), ", ".join(self.exports)
        return f"<Component: imports {needs or 'nothing'}; exports {offers or 'nothing'}>"


def _make_plan(data: bytes) -> ComponentPlan:
    # Imported here, because a component whose plan was kept needs none of this.
    if binary_kind(data) is BinaryKind.CORE_MODULE:
        from ingen_runtime.component.module_plan import plan_module

        return plan_module(data)
    from ingen_runtime.component.binary import decode_component
    from ingen_runtime.component.evaluate import evaluate_component

    return evaluate_component(decode_component(data))


def _compile_module(engine: Engine, definition: CoreModuleDef, digest: bytes | None) -> CoreModule:
    try:
        return CoreModule(engine, bytes(definition.data), digest)
    except ComponentFormatError as error:
        raise ComponentFormatError(error.message, definition.start + (error.offset or 0)) from None
