"""From a plan to the views of a Python host."""

from __future__ import annotations

from ingen_runtime.component.fingerprints import Fingerprints
from ingen_runtime.component.type_text import func_type_text
from ingen_sdkgen.languages.plan import Direction, FunctionPlan, Plan, ResourcePlan, ScopePlan
from ingen_sdkgen.languages.python.definitions import BuiltinsView, define_all, function_name, member_names
from ingen_sdkgen.languages.python.errors import Errors, whole_result
from ingen_sdkgen.languages.python.names import BUILTIN_NAMES, Names, attribute_name, class_name, module_names
from ingen_sdkgen.languages.python.types import Annotator, Position, PyTypes
from ingen_sdkgen.languages.python_host.prelude import import_lines, public_names, written_builtins
from ingen_sdkgen.languages.python_host.registrations import registered_classes, registered_errors
from ingen_sdkgen.languages.python_host.views import (
    FunctionView,
    InterfaceView,
    ModuleView,
    PackageView,
    ResourceView,
    SideView,
)
from ingen_sdkgen.model import FunctionShape, Type
from ingen_sdkgen.render import Header

_WORLD_MODULE = "__init__"
_TAKEN_MODULES = (_WORLD_MODULE, "abstractmethod", "annotations", "bindings", "builtins", "dataclass", "os")
_RESERVED_MEMBERS = frozenset({"load", "load_async", "component", "imports", "close", "aclose"})
_RESOURCE_MEMBERS = frozenset({"drop", "release", "is_alive", "create"})
_STATIC = {FunctionShape.STATIC, FunctionShape.STATIC_GETTER, FunctionShape.STATIC_SETTER}


def view_world(plan: Plan) -> PackageView:
    """The view of a world."""
    modules = module_names(plan, taken=_TAKEN_MODULES)
    types = PyTypes(plan, modules, _WORLD_MODULE)
    by_module: dict[str, list[ScopePlan]] = {}
    for scope in plan.scopes:
        by_module.setdefault(types.module(scope), []).append(scope)
    builder = _Builder(plan, types, modules)
    views = [builder.module(name, scopes) for name, scopes in by_module.items() if name != _WORLD_MODULE]
    views.append(builder.module(_WORLD_MODULE, by_module[_WORLD_MODULE]))
    return PackageView(tuple(views))


class _Builder:
    def __init__(self, plan: Plan, types: PyTypes, modules: dict[str, str]) -> None:
        self._plan = plan
        self._types = types
        self._modules = modules
        self._errors = Errors(plan, types)
        self._fingerprints = Fingerprints()
        self._sides: dict[tuple[str, Direction], tuple[str, str]] = {}

    def module(self, name: str, scopes: list[ScopePlan]) -> ModuleView:
        """One module, of the scopes that share a key."""
        is_world = name == _WORLD_MODULE
        title = f"the world `{self._plan.full_name}`" if is_world else f"the interface `{scopes[0].key}`"
        members = member_names(self._plan, scopes) | (set(self._modules.values()) if is_world else set())
        shadowed = frozenset(members & BUILTIN_NAMES)
        annotator = Annotator(self._types, name, shadowed)
        waiting = Annotator(self._types, name, shadowed, second=True)
        everything = define_all(self._types, scopes, annotator)
        errors = self._errors.of_module(name)
        sides = {}
        for direction in Direction:
            side = [scope for scope in scopes if scope.direction is direction]
            sides[direction] = self._side(name, title, side, direction, annotator, waiting)
        registered = registered_classes(self._types, scopes, annotator)
        raised = registered_errors(self._types, scopes, annotator, self._errors)
        used = annotator.used | waiting.used
        if written_builtins(is_world, sides) & shadowed:
            used.add("builtins")
        modules = set(self._modules.values()) if is_world else annotator.imports | waiting.imports
        return ModuleView(
            name=name,
            header=Header(self._plan.full_name),
            title=f"T{title[1:]}",
            docs=(self._plan.docs if is_world else scopes[0].docs) or "",
            builtins=BuiltinsView.of_module(self._types, name, shadowed),
            import_lines=tuple(import_lines(is_world, everything, errors, sides, used, modules)),
            public=tuple(public_names(is_world, everything, errors, sides)),
            registered_modules=tuple(sorted(self._modules.values())) if is_world else (),
            definitions=tuple(view for view in everything if not view.is_alias),
            aliases=tuple(view for view in everything if view.is_alias),
            registered=registered,
            registered_errors=raised,
            errors=tuple(errors),
            imported=sides[Direction.IMPORT],
            exported=sides[Direction.EXPORT],
            world_class=class_name(self._plan.name),
            is_world=is_world,
        )

    # --- Functions ----------------------------------------------------------------------------------------

    def _side(
        self,
        module: str,
        title: str,
        scopes: list[ScopePlan],
        direction: Direction,
        annotator: Annotator,
        waiting: Annotator,
    ) -> SideView:
        is_world = module == _WORLD_MODULE
        names = self._types.names[module]
        imported = direction is Direction.IMPORT
        plain = class_name(self._plan.name if is_world else module.replace("_", "-"))
        wanted = "Imports" if imported and is_world else f"{plain}Imports" if imported else plain
        name = wanted if is_world and imported else names.claim(wanted)
        async_name = names.claim(f"Async{wanted}")
        self._sides[module, direction] = (name, async_name)
        members = Names({"self", *_RESERVED_MEMBERS} if is_world else {"self"})
        interfaces: list[InterfaceView] = []
        if is_world:
            for scope in self._plan.scopes:
                if scope.direction is direction and scope.key is not None:
                    target = self._types.module(scope)
                    if not scope.functions and not scope.resources:
                        continue
                    interfaces.append(
                        InterfaceView(
                            scope.key, members.claim(target), target, *self._sides[target, direction]
                        )
                    )
        functions: list[FunctionView] = []
        resources: list[ResourceView] = []
        for scope in scopes:
            resources += [
                self._resource(scope, resource, members, annotator, waiting) for resource in scope.resources
            ]
            functions += [
                self._function(function, members, annotator, waiting)
                for function in scope.functions
                if function.resource is None
            ]
        docs = next(
            (scope.docs for scope in scopes if scope.docs),
            f"The {'imports' if imported else 'exports'} of {title}.",
        )
        empty = not functions and not resources and not interfaces
        return SideView(name, async_name, docs, tuple(functions), tuple(resources), tuple(interfaces), empty)

    def _resource(
        self,
        scope: ScopePlan,
        resource: ResourcePlan,
        members: Names,
        annotator: Annotator,
        waiting: Annotator,
    ) -> ResourceView:
        exported = resource.direction is Direction.EXPORT
        own = Names(_RESOURCE_MEMBERS if exported else ())
        functions = tuple(
            self._function(function, own, annotator, waiting)
            for function in scope.functions
            if function.resource == resource.type
        )
        wanted = class_name(resource.name) if exported else attribute_name(resource.name)
        return ResourceView(
            self._types.class_of(resource.type),
            self._types.second_class_of(resource.type),
            resource.name,
            members.claim(wanted),
            self._plan.types[resource.type].docs or f"The resource `{resource.name}`.",
            functions,
        )

    def _function(
        self, function: FunctionPlan, members: Names, annotator: Annotator, waiting: Annotator
    ) -> FunctionView:
        imported = function.direction is Direction.IMPORT
        incoming = Position.GOT if imported else Position.GIVEN
        outgoing = Position.GIVEN if imported else Position.GOT
        is_static = function.shape in _STATIC
        is_constructor = function.shape is FunctionShape.CONSTRUCTOR
        is_method = function.resource is not None and not is_static and not is_constructor
        names = Names({"self", "cls", "result"})
        params = [(names.claim(attribute_name(p.name)), p.type) for p in function.params[is_method:]]
        whole = whole_result(self._plan, function)
        result: Type | None = function.result if whole is None else whole.ok

        def listed(annotate: Annotator) -> str:
            return "".join(f", {name}: {annotate.annotate(type_, incoming)}" for name, type_ in params)

        docs = function.docs or f"`{function.name}`."
        raised = self._errors.raised(function, annotator)
        if raised is not None:
            docs = f"{docs}\n\nRaises: {raised}".strip()
        return FunctionView(
            name="__init__" if is_constructor else members.claim(function_name(function)),
            label=function.name,
            type=func_type_text(function.type),
            fingerprint=self._fingerprints.of_function(function.type),
            params=listed(annotator).removeprefix(", ") if is_static else listed(annotator),
            async_params=listed(waiting).removeprefix(", ") if is_static else listed(waiting),
            class_params=listed(annotator),
            async_class_params=listed(waiting),
            arguments=", ".join((["self"] if is_method else []) + [name for name, _ in params]),
            returns=annotator.annotate(result, outgoing),
            async_returns=waiting.annotate(result, outgoing),
            docs=docs,
            is_static=is_static,
            is_constructor=is_constructor,
            is_nothing=result is None,
        )
