"""Instances of components."""

from __future__ import annotations

from typing import Any

from ingen_runtime.canonical import ValueClasses
from ingen_runtime.component.entities import InstanceType
from ingen_runtime.component.exports import Exports, make_resource_classes
from ingen_runtime.component.items import ComponentContext, InstanceItem
from ingen_runtime.engine import CoreStore


class Instance:
    """An instance of a component, with `exports`.

    One call at a time enters it: another one meanwhile raises ReentranceError. After a trap, or an exception
    of a host function, every call raises PoisonedError.
    """

    def __init__(
        self,
        store: CoreStore,
        type_: InstanceType,
        item: InstanceItem,
        context: ComponentContext,
        classes: ValueClasses,
    ) -> None:
        self.store = store
        self.classes = classes
        self._context = context
        self.exports = Exports(context.state.name, type_, item, context, classes, store)
        make_resource_classes(self.exports)

    def call(self, name: str, *arguments: Any) -> Any:
        """Call an exported function; `ns:pkg/iface#func` is one in an exported instance."""
        return self.function(name)(*arguments)

    async def call_async(self, name: str, *arguments: Any) -> Any:
        """Call an exported function on a fiber, so that it can wait in `async def` host functions."""
        return await self.function(name).call_async(*arguments)

    def function(self, name: str) -> Any:
        """An exported function; `ns:pkg/iface#func` is one in an exported instance."""
        instance, hash_, function = name.rpartition("#")
        return self.exports[instance][function] if hash_ else self.exports[function]

    def close(self) -> None:
        """Free the instance and all that is in its store."""
        self.store.close()

    def __enter__(self) -> Instance:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Instance of {self._context.state.name}: {', '.join(self.exports)}>"
