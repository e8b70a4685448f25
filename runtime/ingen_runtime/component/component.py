"""Components: decoded, checked and compiled, ready to be instantiated any number of times."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingen_runtime.canonical import ValueClasses
from ingen_runtime.component import saved
from ingen_runtime.component.binary.syntax import CoreModuleDef, CustomSection
from ingen_runtime.component.entities import InstanceType
from ingen_runtime.component.plan import ComponentPlan, ComponentStep, ModuleStep
from ingen_runtime.engine import CoreModule, CoreStore, Engine, StoreLimits, default_engine
from ingen_runtime.errors import ComponentFormatError

if TYPE_CHECKING:
    from ingen_runtime.component.instance import Instance
    from ingen_runtime.component.interface import ItemInfo


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
        self._prepare(engine, classes)
        self._build(data)

    def _prepare(self, engine: Engine | None, classes: ValueClasses | None) -> None:
        self.engine = engine if engine is not None else default_engine()
        self.classes = classes if classes is not None else ValueClasses()
        self.plan: ComponentPlan
        self._modules: dict[int, CoreModule] = {}
        self._async_plans: dict[int, tuple[ComponentPlan, bool]] = {}

    def _build(self, data: bytes) -> None:
        # What decodes and checks is not imported where the component is loaded from the cache.
        from ingen_runtime.component.build import build_plan

        self.plan = build_plan(data)
        self._compile(self.plan)

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
        """The component in a file. Raises also OSError.

        A large one is kept in the code cache as a whole: see `saved`.
        """
        component = cls.__new__(cls)
        component._prepare(engine, classes)
        with Path(path).open("rb") as file:
            status = os.fstat(file.fileno())
            place = saved.place(component.engine, status)
            kept = None if place is None else saved.load(component.engine, place)
            if kept is not None:
                component.plan, component._modules = kept
                return component
            settled = saved.is_settled(status)
            data = file.read()
        component._build(data)
        cache = component.engine.cache
        if place is not None and cache is not None and settled and len(data) == status.st_size:
            saved.save(cache, place, component.plan, component._modules)
        return component

    def _compile(self, plan: ComponentPlan) -> None:
        for step in plan.steps:
            if isinstance(step, ModuleStep):
                self._modules[step.definition.start] = _compile_module(self.engine, step.definition)
            elif isinstance(step, ComponentStep):
                self._compile(step.component)

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
        from ingen_runtime.component.interface import describe

        return {name: describe(name, extern) for name, extern in self.plan.type.imports.items()}

    @cached_property
    def exports(self) -> Mapping[str, ItemInfo]:
        """What the component offers, by name."""
        from ingen_runtime.component.interface import describe

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


def _compile_module(engine: Engine, definition: CoreModuleDef) -> CoreModule:
    try:
        return CoreModule(engine, bytes(definition.data))
    except ComponentFormatError as error:
        raise ComponentFormatError(error.message, definition.start + (error.offset or 0)) from None
