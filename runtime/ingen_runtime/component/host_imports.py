"""Finds what the host gives for a component's imports: Python objects whose attributes implement interfaces.

An interface is implemented by a module, an object or a mapping. A function `get-random-bytes` is the key of
that name in a mapping, else the attribute `get_random_bytes`. A resource `input-stream` is the class
`InputStream`, its constructor calls the class, methods and static functions are the class's. A function of a
resource may also be given by its whole name, `[method]input-stream.read`, in a mapping.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NoReturn

from ingen_runtime.canonical import GuestResource, HostResource, Resource, ValueClasses
from ingen_runtime.canonical.names import attribute_name, class_name
from ingen_runtime.component.binary.syntax import ExternName
from ingen_runtime.component.entities import (
    ComponentType,
    Extern,
    FuncEntity,
    InstanceType,
    ModuleType,
    ResourceEntity,
    TypeExtern,
)
from ingen_runtime.component.items import ComponentItem, CoreImports, HostFunc, InstanceItem, Item, ModuleItem
from ingen_runtime.component.names import (
    AnnotatedName,
    Annotation,
    PlainName,
    compatible_track,
    function_attribute,
    parse_name,
    version_order,
)
from ingen_runtime.component.plan import ComponentPlan, CoreImportStep
from ingen_runtime.component.types import ResourceType
from ingen_runtime.engine import CoreFunc, CoreFuncType, CoreMemory, CoreModule, CoreStore
from ingen_runtime.errors import LinkError, Trap, TrapKind
from ingen_runtime.frozen import frozen
from ingen_runtime.waiting import Waits, may_wait, waits

_ABSENT = object()


@frozen
class Implementation:
    """What implements an import, with the classes of the values that it takes and returns."""

    given: Any
    classes: ValueClasses


def find_import(provided: Mapping[str, Any], name: ExternName) -> Any:
    """What is provided for an import: by its name, by a compatible version, or by the interface that it
    implements.

    Raises: LookupError where nothing is.
    """
    for wanted in (name.name, name.implements):
        if wanted is None:
            continue
        if wanted in provided:
            return provided[wanted]
        track = compatible_track(wanted)
        if track is not None:
            compatible = [offer for offer in provided if compatible_track(offer) == track]
            if compatible:
                return provided[max(compatible, key=version_order)]
    raise LookupError(name.name)


class ImportResolver:
    """Turns Python objects into items, once for each instantiation.

    `resources` is the root instance's mapping of resource types, filled while the plan is carried out. With
    `trap_missing`, what is missing traps when it is called.
    """

    def __init__(
        self,
        provided: Mapping[str, Any],
        resources: Mapping[ResourceType, Resource],
        *,
        trap_missing: bool = False,
        unwrap: Callable[[Any, Extern], Item] | None = None,
    ) -> None:
        self._provided = provided
        self._resources = resources
        self._trap_missing = trap_missing
        self._unwrap = unwrap
        self._made: dict[ResourceType, Resource] = {}
        self._missing: list[tuple[str, str]] = []
        self._classes: ValueClasses | None = None

    def resolve(self, plan: ComponentPlan) -> dict[str, Item]:
        """The items for all imports.

        Raises: LinkError that names every import that is missing or does not fit.
        """
        items: dict[str, Item] = {}
        for name, extern in plan.type.imports.items():
            try:
                given = find_import(self._provided, plan.import_names[name])
            except LookupError:
                given = _implementation(self._provided, name) if isinstance(extern, FuncEntity) else _ABSENT
                if given is _ABSENT and not self._trap_missing and not _is_only_types(extern):
                    self._missing.append((name, f"`{name}`{_suggestion(name, self._provided)}"))
                    continue
            self._classes = None
            if isinstance(given, Implementation):
                given, self._classes = given.given, given.classes
            items[name] = self._item(name, given, extern, name)
        if self._missing:
            raise _missing_error(self._missing)
        return items

    def resolve_core(self, plan: ComponentPlan) -> dict[str, CoreImports]:
        """What is provided for the core imports of a core module, by import module name.

        Raises: LinkError where one is missing or does not fit.
        """
        found: dict[str, CoreImports] = {}
        for step in plan.steps:
            if not isinstance(step, CoreImportStep) or step.module in found:
                continue
            given = self._provided.get(step.module, _ABSENT)
            if given is _ABSENT and self._trap_missing:
                given = _TrappingCoreImports(step.module)
            if not hasattr(given, "core_function"):
                self._wrong(step.module, "an object with `core_function`: see `CoreImports`", given)
            found[step.module] = given
        return found

    def _item(self, name: str, given: Any, extern: Extern, path: str) -> Item:
        if self._unwrap is not None and given is not _ABSENT:
            item = self._unwrap(given, extern)
            if item is not None:
                return item
        match extern:
            case FuncEntity():
                return self._func(given, extern, path)
            case InstanceType():
                return self._instance(given, extern, path)
            case TypeExtern(ResourceEntity(resource=resource)):
                return self._resource(given, resource, path)
            case TypeExtern():
                return None
            case ModuleType():
                if not isinstance(given, CoreModule):
                    self._wrong(path, "a CoreModule", given)
                return ModuleItem(given)
            case ComponentType():
                plan = getattr(given, "plan", None)
                if not isinstance(plan, ComponentPlan):
                    self._wrong(path, "a Component", given)
                return ComponentItem(plan, None)

    def _wrong(self, path: str, wanted: str, given: Any) -> NoReturn:
        found = "nothing" if given is _ABSENT else f"{type(given).__name__} {given!r:.60}"
        raise LinkError(f"import `{path}` needs {wanted}, not {found}", path)

    def _func(self, given: Any, func: FuncEntity, path: str) -> Item:
        if given is _ABSENT:
            return HostFunc(path, func.type, _trap(path), self._resources, Waits.NEVER)
        if not callable(given):
            self._wrong(path, "a callable", given)
        return HostFunc(path, func.type, given, self._resources, waits(given), self._classes)

    def _resource(self, given: Any, resource: ResourceType, path: str) -> Resource:
        made = self._made.get(resource)
        if made is None:
            if given is _ABSENT:
                made = HostResource(resource.name)
            elif isinstance(given, GuestResource):
                made = given
            elif isinstance(given, type):
                made = HostResource(resource.name, given, _destructor(given))
            else:
                self._wrong(path, "a class", given)
            self._made[resource] = made
        return made

    def _instance(self, given: Any, instance: InstanceType, path: str) -> Item:
        exports: dict[str, Item] = {}
        for name, extern in instance.exports.items():
            inner_path = f"{path}#{name}"
            match extern:
                case TypeExtern(ResourceEntity(resource=resource)):
                    found = _member(given, name, class_name(name))
                    if found is _ABSENT and given is not _ABSENT and resource not in self._made:
                        # All its functions may be given by their whole names.
                        self._made[resource] = HostResource(resource.name)
                    exports[name] = self._resource(found, resource, inner_path)
                case FuncEntity():
                    implementation = _implementation(given, name)
                    if implementation is _ABSENT and not self._trap_missing:
                        self._missing.append((inner_path, f"`{inner_path}`"))
                        continue
                    exports[name] = self._func(implementation, extern, inner_path)
                case TypeExtern():
                    exports[name] = None
                case _:
                    found = _member(given, name, attribute_name(name))
                    if found is _ABSENT and not self._trap_missing:
                        self._missing.append((inner_path, f"`{inner_path}`"))
                        continue
                    exports[name] = self._item(name, found, extern, inner_path)
        return InstanceItem(exports)


def _is_only_types(extern: Extern) -> bool:
    """Whether there is nothing to implement: types that are no resources, and interfaces of such."""
    match extern:
        case TypeExtern(entity):
            return not isinstance(entity, ResourceEntity)
        case InstanceType():
            return all(map(_is_only_types, extern.exports.values()))
        case _:
            return False


def _missing_error(missing: list[tuple[str, str]]) -> LinkError:
    shown = ", ".join(text for _, text in missing[:8])
    more = f" and {len(missing) - 8} more" if len(missing) > 8 else ""
    plural = "imports are" if len(missing) > 1 else "import is"
    wasi = any(name.startswith("wasi:") for name, _ in missing)
    hint = "; those of WASI come from `ingen_runtime.wasi.p2.wasi_imports`" if wasi else ""
    return LinkError(f"{len(missing)} {plural} missing: {shown}{more}{hint}", missing[0][0])


def _suggestion(name: str, offered: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, [str(offer) for offer in offered], n=1)
    return f" (is it `{near[0]}`?)" if near else ""


def _member(given: Any, exact: str, attribute: str) -> Any:
    if given is _ABSENT:
        return _ABSENT
    if isinstance(given, Mapping):
        return given.get(exact, given.get(attribute, _ABSENT))
    return getattr(given, attribute, _ABSENT)


def _implementation(given: Any, name: str) -> Any:
    """What implements a function of an interface."""
    parsed = parse_name(name)
    if isinstance(parsed, PlainName):
        return _member(given, name, function_attribute(parsed))
    if not isinstance(parsed, AnnotatedName):
        return _member(given, name, attribute_name(name))
    if isinstance(given, Mapping) and name in given:
        return given[name]
    class_ = _member(given, parsed.resource, class_name(parsed.resource))
    if isinstance(class_, Implementation):
        function = _implementation({parsed.resource: class_.given}, name)
        return function if function is _ABSENT else Implementation(function, class_.classes)
    if class_ is _ABSENT or parsed.annotation is Annotation.CONSTRUCTOR:
        return class_
    attribute = function_attribute(parsed)
    function = getattr(class_, attribute, _ABSENT)
    if function is _ABSENT or parsed.annotation is Annotation.STATIC:
        return function
    # What no subclass can replace is called without looking it up.
    return function if getattr(class_, "__final__", False) else _method(attribute, waits(function))


def _method(attribute: str, how: Waits) -> Callable[..., Any]:
    """A function that calls the method of its first argument, whatever its class."""
    if how is Waits.ALWAYS:

        async def call_async(self: Any, *arguments: Any) -> Any:
            return await getattr(self, attribute)(*arguments)

        return call_async

    def call(self: Any, *arguments: Any) -> Any:
        return getattr(self, attribute)(*arguments)

    return may_wait(call) if how is Waits.MAYBE else call


def _destructor(class_: type[Any]) -> Callable[[Any], object] | None:
    """What runs when a guest drops the last handle: the class's `drop`, where it has one."""
    if not callable(getattr(class_, "drop", None)):
        return None

    def destroy(rep: Any) -> None:
        rep.drop()

    return destroy


@frozen
class _TrappingCoreImports:
    """Core functions that trap."""

    module: str

    def core_function(
        self, store: CoreStore, name: str, type_: CoreFuncType, memory: Callable[[], CoreMemory]
    ) -> CoreFunc:
        return CoreFunc.from_python(store, type_, _trap(f"{self.module}#{name}"))


def _trap(path: str) -> Callable[..., Any]:
    def call(*_: object) -> NoReturn:
        raise Trap(TrapKind.OTHER, f"the import `{path}` was called, which nothing implements")

    return call
