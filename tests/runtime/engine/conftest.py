"""What the engine's tests share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import pytest

from ingen_runtime.engine import (
    CoreFunc,
    CoreInstance,
    CoreModule,
    CoreStore,
    Engine,
    EngineConfig,
    StoreLimits,
    wat_to_wasm,
)

Instantiate: TypeAlias = Callable[..., CoreInstance]


@pytest.fixture(scope="session")
def engine() -> Engine:
    """One engine for all tests that need no other, without a cache."""
    return Engine(EngineConfig())


@pytest.fixture
def instantiate(engine: Engine) -> Instantiate:
    """Instantiates a module in the text format, with a Python callable for each of its imports."""

    def make(
        text: str,
        hosts: Sequence[Callable[..., Any]] = (),
        *,
        store: CoreStore | None = None,
        limits: StoreLimits | None = None,
    ) -> CoreInstance:
        if store is None:
            store = CoreStore(engine, limits)
        module = CoreModule(store.engine, wat_to_wasm(text))
        imports = []
        for wanted, host in zip(module.imports, hosts, strict=True):
            assert not hasattr(wanted.type, "limits")
            imports.append(CoreFunc.from_python(store, wanted.type, host))  # type: ignore[arg-type] # tests import functions only
        return CoreInstance(store, module, imports)

    return make


def func(instance: CoreInstance, name: str) -> CoreFunc:
    """The exported function `name`."""
    export = instance.export(name)
    assert isinstance(export, CoreFunc)
    return export
