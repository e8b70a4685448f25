"""Makes the plan of a binary: a component, or a core module that says which component it would make."""

from __future__ import annotations

from ingen_runtime.component.binary import BinaryKind, binary_kind, decode_component
from ingen_runtime.component.evaluate import evaluate_component
from ingen_runtime.component.module_plan import plan_module
from ingen_runtime.component.plan import ComponentPlan


def build_plan(data: bytes) -> ComponentPlan:
    """The plan of the component or core module in `data`.

    Raises: ComponentFormatError; LinkError where a core module is not what it says to be.
    """
    if binary_kind(data) is BinaryKind.CORE_MODULE:
        return plan_module(data)
    return evaluate_component(decode_component(data))
