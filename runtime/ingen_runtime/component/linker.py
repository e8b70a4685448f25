"""Joins a component and what it imports to an instance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ingen_runtime.canonical import InstanceState
from ingen_runtime.component.entities import Extern, InstanceType
from ingen_runtime.component.exports import Exports
from ingen_runtime.component.host_imports import ImportResolver
from ingen_runtime.component.instance import Instance
from ingen_runtime.component.instantiate import Instantiation, new_context, run, run_async
from ingen_runtime.component.items import Item
from ingen_runtime.component.subtyping import Mismatch, bind, match_extern
from ingen_runtime.engine import CoreStore, StoreLimits
from ingen_runtime.errors import LinkError

if TYPE_CHECKING:
    from ingen_runtime.component.component import Component


class Linker:
    """Implementations of imports, by import name.

        linker = Linker({"log": print})
        linker["wasi:cli/environment@0.2.0"] = Environment()
        instance = linker.instantiate(component)

    A function is implemented by a callable, `def` or `async def`; an interface by a module, an object, a
    mapping, or by what another instance of the same store exports (see `host_imports`). The version of an
    interface may differ from the one imported as far as both are compatible.
    """

    def __init__(self, imports: Mapping[str, Any] | None = None) -> None:
        if not isinstance(imports, Mapping | None):
            raise TypeError(
                "imports are a mapping of import names to what implements them, "
                f'as in {{"log": print}}, not {type(imports).__name__} {imports!r:.60}'
            )
        self._imports: dict[str, Any] = dict(imports or {})
        self._trap_missing = False

    def __setitem__(self, name: str, implementation: Any) -> None:
        self._imports[name] = implementation

    def define(self, name: str, implementation: Any) -> Linker:
        """Implement an import; returns the linker."""
        self._imports[name] = implementation
        return self

    def trap_missing(self) -> Linker:
        """Let imports that nothing implements trap when they are called; returns the linker."""
        self._trap_missing = True
        return self

    def instantiate(
        self, component: Component, *, store: CoreStore | None = None, limits: StoreLimits | None = None
    ) -> Instance:
        """Make an instance of a component, in a store of its own if none is given.

        Raises: LinkError, Trap, and what host functions raise that start functions call.
        """
        instantiation = self._prepare(component, store, limits)
        item = run(instantiation)
        return self._finish(component, instantiation, item)

    async def instantiate_async(
        self, component: Component, *, store: CoreStore | None = None, limits: StoreLimits | None = None
    ) -> Instance:
        """The same; start functions may wait in `async def` host functions."""
        instantiation = self._prepare(component, store, limits)
        item = await run_async(instantiation)
        return self._finish(component, instantiation, item)

    def _prepare(
        self, component: Component, store: CoreStore | None, limits: StoreLimits | None
    ) -> Instantiation:
        if store is None:
            store = CoreStore(component.engine, limits)
        elif limits is not None:
            raise ValueError("limits belong to a store: give them to the store that is passed")
        target = store
        context = new_context(store, component, InstanceState(), None, component.plan)

        def unwrap(given: Any, extern: Extern) -> Item:
            return _exported(given, extern, target)

        resolver = ImportResolver(
            self._imports, context.resources, trap_missing=self._trap_missing, unwrap=unwrap
        )
        arguments = resolver.resolve(component.plan)
        core_imports = resolver.resolve_core(component.plan)
        context.state.busy = True
        return Instantiation(store, component, component.plan, arguments, context, core_imports)

    def _finish(self, component: Component, instantiation: Instantiation, item: Any) -> Instance:
        context = instantiation.context
        context.state.busy = False
        return Instance(instantiation.store, component.export_type, item, context, component.classes)


def _exported(given: Any, extern: Extern, store: CoreStore) -> Item:
    """The instance behind what another instance exports; None where `given` is something else."""
    if not isinstance(given, Exports) or not isinstance(extern, InstanceType):
        return None
    if given.store is not store:
        raise LinkError("instances can only be linked to one another in one store")
    try:
        match_extern(given.instance_type, extern, bind(extern.bound), lambda nodes: None)
    except Mismatch as error:
        raise LinkError(f"the exported instance does not fit: {error}") from None
    return given.item
