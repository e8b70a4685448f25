"""Runs a core module as it is: its `component-type` section says which world it implements.

The names of the module's imports and exports say what is lifted and lowered, as for `wasm-tools component
new`; this makes the plan of the component that it would make. The core functions that the module imports need
its memory, which exists only afterwards, so indices in this plan may point ahead.

A program for preview 1 of WASI imports core functions that no world has; the host gives them as they are
(`CoreImportStep`), and what such a program runs by, `_start`, is an export of that name. It needs no section.

Source: component-model BuildTargets.md and wit-component's naming of core imports and exports.
"""

from __future__ import annotations

from collections.abc import Mapping

from ingen_runtime.canonical.layout import Direction, flatten_functype, needs_memory
from ingen_runtime.component.binary import decode_component, read_core_module
from ingen_runtime.component.binary.core_module import CoreExternType, CoreModule
from ingen_runtime.component.binary.core_types import MemoryType
from ingen_runtime.component.binary.syntax import (
    CanonBuiltin,
    CanonOptions,
    CoreModuleDef,
    CustomSection,
    ExternName,
    Sort,
)
from ingen_runtime.component.core_names import CoreImportName, core_names
from ingen_runtime.component.entities import (
    ComponentType,
    Extern,
    FuncEntity,
    InstanceType,
    ResourceEntity,
    TypeExtern,
    sort_of,
)
from ingen_runtime.component.evaluate import evaluate_component
from ingen_runtime.component.item_refs import resource_paths
from ingen_runtime.component.naming import name_resources
from ingen_runtime.component.plan import (
    PREVIEW_1,
    START,
    AliasStep,
    BagStep,
    BuiltinStep,
    ComponentPlan,
    CoreAliasStep,
    CoreBagStep,
    CoreCallStep,
    CoreImportStep,
    CoreInstantiateStep,
    ExportStep,
    ImportStep,
    ItemRef,
    LiftStep,
    LowerStep,
    ModuleStep,
    ResourceStep,
    Step,
)
from ingen_runtime.component.types import FuncType, ResourceType, StringEncoding
from ingen_runtime.core_types import CoreFuncType, NumberType
from ingen_runtime.errors import ComponentFormatError, LinkError

_SECTION = "component-type"
_ENCODING_SECTION = "wit-component-encoding"
_ENCODINGS = (StringEncoding.UTF8, StringEncoding.UTF16, StringEncoding.LATIN1_UTF16)
_RESOURCE_SIGNATURES = {
    "resource.new": CoreFuncType((NumberType.I32,), (NumberType.I32,)),
    "resource.rep": CoreFuncType((NumberType.I32,), (NumberType.I32,)),
    "resource.drop": CoreFuncType((NumberType.I32,), ()),
}


def plan_module(data: bytes) -> ComponentPlan:
    """The plan for a core module with a `component-type` section, or one for preview 1 of WASI.

    Raises: ComponentFormatError where it is neither, or the section is malformed; LinkError where an
    import or export of the module is not of its world.
    """
    module = read_core_module(data)
    sections = module.custom_sections(_SECTION)
    needs_system = any(imported == PREVIEW_1 for imported, _, _ in module.imports)
    is_program = needs_system or (not sections and START in module.exports)
    if not sections and not is_program:
        raise ComponentFormatError(
            "a core module without a `component-type` section: it does not say which world it implements", 0
        )
    worlds = [_read_world(section) for section in sections]
    if needs_system and not _is_memory32(module.exports.get("memory")):
        raise LinkError("the module exports no 32-bit `memory`, in which system calls find what they work on")
    if is_program:
        worlds.append((_program_world(module), StringEncoding.UTF8))
    world, encoding = _merge(worlds)
    return _ModulePlanner(data, module, world, encoding).plan()


def _program_world(module: CoreModule) -> ComponentType:
    """What a program for preview 1 of WASI has beside its world."""
    exports: dict[str, Extern] = {}
    if START in module.exports:
        exports[START] = FuncEntity((), None, False)
    return ComponentType({}, exports, (), ())


def _is_memory32(type_: CoreExternType | None) -> bool:
    return isinstance(type_, MemoryType) and not type_.limits.is_64 and not type_.limits.shared


def _read_world(section: CustomSection) -> tuple[ComponentType, StringEncoding]:
    plan = evaluate_component(decode_component(section.data))
    encoding = StringEncoding.UTF8
    for inner in plan.custom_sections:
        if inner.name == _ENCODING_SECTION and len(inner.data) >= 2 and inner.data[1] < len(_ENCODINGS):
            encoding = _ENCODINGS[inner.data[1]]
    for extern in plan.type.exports.values():
        if isinstance(extern, TypeExtern) and isinstance(extern.entity, ComponentType):
            for world in extern.entity.exports.values():
                if isinstance(world, ComponentType):
                    return world, encoding
    raise ComponentFormatError(f"the section `{section.name}` describes no world", section.offset)


def _merge(worlds: list[tuple[ComponentType, StringEncoding]]) -> tuple[ComponentType, StringEncoding]:
    """One world of several, as when several pieces of a program were generated apart from one another."""
    first, encoding = worlds[0]
    if len(worlds) == 1:
        return first, encoding
    imports: dict[str, Extern] = {}
    exports: dict[str, Extern] = {}
    for world, _ in worlds:
        imports = {**world.imports, **imports}
        exports = {**world.exports, **exports}
    bound = tuple(resource for world, _ in worlds for resource in world.import_bound)
    made = tuple(resource for world, _ in worlds for resource in world.export_bound)
    return ComponentType(imports, exports, bound, made), encoding


class _ModulePlanner:
    """The index spaces of the component that is planned."""

    def __init__(
        self, data: bytes, module: CoreModule, world: ComponentType, encoding: StringEncoding
    ) -> None:
        self._data = data
        self._module = module
        self._world = world
        self._encoding = encoding
        self._names = core_names([path for path, _, _ in module.imports], list(module.exports))
        self._import_interfaces = {self._names.interface_key(name): name for name in world.imports}
        self._export_interfaces = {self._names.interface_key(name): name for name in world.exports}
        self._steps: list[Step] = []
        self._funcs: dict[tuple[str | None, str], int] = {}
        self._func_count = 0
        self._instances: dict[str, int] = {}
        self._instance_count = 0
        # Core functions that are lowered come first, then those that the module exports, in this order.
        self._exported = {
            name: index
            for index, name in enumerate(
                name for name, type_ in module.exports.items() if isinstance(type_, CoreFuncType)
            )
        }
        self._lowered_count = len(module.imports)

    def plan(self) -> ComponentPlan:
        world = self._world
        for name, extern in world.imports.items():
            self._import(name, extern)
        for name, extern in world.exports.items():
            self._make_resources(name, extern)
        self._instantiate()
        for name, extern in world.exports.items():
            self._export(name, extern)
        return ComponentPlan(
            world,
            tuple(self._steps),
            {name: ExternName(name) for name in world.imports},
            {name: ExternName(name) for name in world.exports},
            self._module.sections,
        )

    def _import(self, name: str, extern: Extern) -> None:
        paths = resource_paths(extern, self._world.import_bound)
        self._steps.append(ImportStep(ExternName(name), sort_of(extern), extern, paths))
        if isinstance(extern, InstanceType):
            self._instances[name] = self._instance_count
            self._instance_count += 1
        elif isinstance(extern, FuncEntity):
            self._funcs[None, name] = self._func_count
            self._func_count += 1

    def _make_resources(self, name: str, extern: Extern) -> None:
        """Make the resources that an exported interface defines."""
        if not isinstance(extern, InstanceType):
            return
        name_resources(extern, name, set(self._world.export_bound))
        for inner, each in extern.exports.items():
            resource = _resource_of(each)
            if resource is not None and resource in self._world.export_bound:
                destructor = self._core_export(self._names.destructor(name, inner))
                self._steps.append(ResourceStep(resource, destructor))

    def _core_export(self, name: str) -> int | None:
        """The core function that the module exports, counted ahead."""
        index = self._exported.get(name)
        return None if index is None else self._lowered_count + index

    def _options(self, *, post_return: str | None = None) -> CanonOptions:
        has_memory = self._names.memory in self._module.exports
        return CanonOptions(
            string_encoding=self._encoding,
            memory=0 if has_memory else None,
            realloc=self._core_export(self._names.realloc) if has_memory else None,
            post_return=None if post_return is None else self._core_export(post_return),
        )

    # The module's imports.

    def _instantiate(self) -> None:
        bags: dict[str, dict[str, ItemRef]] = {}
        for core_index, (module_name, name, type_) in enumerate(self._module.imports):
            self._lower(module_name, name, type_)
            bags.setdefault(module_name, {})[name] = ItemRef(Sort.CORE_FUNC, core_index)
        for bag in bags.values():
            self._steps.append(CoreBagStep(bag))
        definition = CoreModuleDef(0, 0, memoryview(self._data))
        self._steps.append(ModuleStep(definition))
        args = {module_name: index for index, module_name in enumerate(bags)}
        self._steps.append(CoreInstantiateStep(0, args))
        instance = len(bags)
        if self._names.memory in self._module.exports:
            self._steps.append(CoreAliasStep(Sort.CORE_MEMORY, instance, self._names.memory))
        for name in self._exported:
            self._steps.append(CoreAliasStep(Sort.CORE_FUNC, instance, name))
        initialize = self._core_export(self._names.initialize)
        if initialize is not None:
            self._steps.append(CoreCallStep(initialize))

    def _lower(self, module_name: str, name: str, type_: CoreExternType) -> None:
        if module_name == PREVIEW_1 and isinstance(type_, CoreFuncType):
            self._steps.append(CoreImportStep(module_name, name, type_))
            return
        wanted = self._names.read_import(module_name, name)
        builtin = self._builtin(wanted)
        if builtin is not None:
            self._check(f"{module_name}#{name}", type_, builtin.core_type)
            self._steps.append(builtin)
            return
        interface = wanted.interface
        if interface is not None:
            interface = self._import_interfaces.get(interface, interface)
        func = self._func_type(interface, name)
        if func is None:
            raise LinkError(
                f"the core module imports `{module_name}` `{name}`, which is not in its world; "
                "an adapter module can provide it: `wasm-tools component new --adapt`",
                f"{module_name}#{name}",
            )
        index = self._funcs.get((interface, name))
        if index is None:
            assert interface is not None
            self._steps.append(AliasStep(Sort.FUNC, self._instances[interface], name))
            index = self._funcs[interface, name] = self._func_count
            self._func_count += 1
        core_type = flatten_functype(func, Direction.LOWER)
        self._check(f"{module_name}#{name}", type_, core_type)
        self._steps.append(LowerStep(index, self._options(), func, core_type))

    def _func_type(self, interface: str | None, name: str) -> FuncType | None:
        scope: Mapping[str, Extern] = self._world.imports
        if interface is not None:
            extern = scope.get(interface)
            if not isinstance(extern, InstanceType):
                return None
            scope = extern.exports
        found = scope.get(name)
        return found.type if isinstance(found, FuncEntity) else None

    def _builtin(self, wanted: CoreImportName) -> BuiltinStep | None:
        """The step for an intrinsic of a resource."""
        if wanted.builtin is None:
            return None
        externs = self._world.exports if wanted.exported else self._world.imports
        scope: Mapping[str, Extern] = externs
        if wanted.interface is not None:
            interfaces = self._export_interfaces if wanted.exported else self._import_interfaces
            extern = externs.get(interfaces.get(wanted.interface, ""))
            if not isinstance(extern, InstanceType):
                return None
            scope = extern.exports
        found = scope.get(wanted.name)
        resource = None if found is None else _resource_of(found)
        if resource is None:
            return None
        signature = _RESOURCE_SIGNATURES[wanted.builtin]
        return BuiltinStep(CanonBuiltin(wanted.builtin), signature, resource=resource)

    def _check(self, name: str, found: CoreExternType, wanted: CoreFuncType) -> None:
        if found != wanted:
            raise LinkError(
                f"the core module has `{name}` with the type {found}, its world says {wanted}", name
            )

    # The world's exports.

    def _export(self, name: str, extern: Extern) -> None:
        item: ItemRef
        match extern:
            case FuncEntity():
                item = ItemRef(Sort.FUNC, self._lift(self._names.export(None, name), extern.type))
            case InstanceType():
                items = {
                    inner: self._member(self._names.export(name, inner), each)
                    for inner, each in extern.exports.items()
                }
                self._steps.append(BagStep(items))
                item = ItemRef(Sort.INSTANCE, self._instance_count)
                self._instance_count += 1
            case _:
                item = ItemRef(sort_of(extern), 0, _resource_of(extern))
        self._steps.append(ExportStep(ExternName(name), item, extern, ()))
        if item.sort is Sort.FUNC:
            self._func_count += 1
        elif item.sort is Sort.INSTANCE:
            self._instance_count += 1

    def _member(self, core_name: str, extern: Extern) -> ItemRef:
        if isinstance(extern, FuncEntity):
            return ItemRef(Sort.FUNC, self._lift(core_name, extern.type))
        return ItemRef(sort_of(extern), 0, _resource_of(extern))

    def _lift(self, core_name: str, type_: FuncType) -> int:
        core_func = self._core_export(core_name)
        if core_func is None:
            raise LinkError(
                f"the core module does not export `{core_name}`, which its world wants", core_name
            )
        wanted = flatten_functype(type_, Direction.LIFT)
        self._check(core_name, self._module.exports[core_name], wanted)
        post_return = self._names.post_return(core_name)
        if post_return in self._module.exports:
            self._check(post_return, self._module.exports[post_return], CoreFuncType(wanted.results, ()))
        options = self._options(post_return=post_return)
        if options.realloc is None and any(needs_memory(param) for _, param in type_.params):
            raise LinkError(
                f"`{core_name}` takes values in memory, which needs an export `{self._names.realloc}`",
                core_name,
            )
        self._steps.append(LiftStep(core_func, options, type_))
        self._func_count += 1
        return self._func_count - 1


def _resource_of(extern: Extern) -> ResourceType | None:
    if isinstance(extern, TypeExtern) and isinstance(extern.entity, ResourceEntity):
        return extern.entity.resource
    return None
