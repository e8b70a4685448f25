"""From a plan to the views of a Python guest."""

from __future__ import annotations

from ingen_sdkgen.languages.plan import Direction, FunctionPlan, Plan, ResourcePlan, ScopePlan
from ingen_sdkgen.languages.python.definitions import BuiltinsView, define_all, member_names
from ingen_sdkgen.languages.python.errors import Errors, whole_result
from ingen_sdkgen.languages.python.names import BUILTIN_NAMES, Names, attribute_name, class_name, module_names
from ingen_sdkgen.languages.python.types import Annotator, Position, PyTypes
from ingen_sdkgen.languages.python_guest.prelude import import_lines, public_names
from ingen_sdkgen.languages.python_guest.views import (
    FunctionView,
    InterfaceView,
    ModuleView,
    ProtocolView,
    ResourceView,
)
from ingen_sdkgen.model import FunctionShape, Type
from ingen_sdkgen.render import Header

WORLD_MODULE = "__init__"
_SUFFIXES = {Direction.IMPORT: "Imports", Direction.EXPORT: "Exports"}
_RESERVED_FUNCTIONS = frozenset({"annotations", "dataclass", "export", "fake_host", "super"})
"""What modules call themselves, so that no imported function can hide it."""
_RESERVED_MODULES = (WORLD_MODULE, "abstractmethod", "builtins", "ingen", "ingen_functions", "t")
"""What modules import others as, but for an underscore."""


class ModuleBuilder:
    """Builds the views of all modules. What implements the items of the world is noted on the way.

    `attributes` is where a protocol of the world has an interface, `members` where a protocol has a function
    or a resource.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        scopes: dict[str | None, list[ScopePlan]] = {}
        for scope in plan.scopes:
            scopes.setdefault(scope.key, []).append(scope)
        functions = {
            attribute_name(function.item_name)
            for scope in scopes[None]
            for function in scope.functions
            if scope.direction is Direction.IMPORT
        }
        self.modules = module_names(plan, taken=(*_RESERVED_MODULES, *_RESERVED_FUNCTIONS, *functions))
        self.types = PyTypes(plan, self.modules, WORLD_MODULE, second="Host")
        self.errors = Errors(plan, self.types)
        self.attributes: dict[tuple[Direction, str], str] = {}
        self.members: dict[tuple[Direction, str | None, str], str] = {}
        self._classes: dict[tuple[Direction, str | None], str] = {}
        keys = [key for key in scopes if key is not None]
        self.views = tuple(self._module(key, scopes[key]) for key in [*keys, None])

    def _module(self, key: str | None, scopes: list[ScopePlan]) -> ModuleView:
        is_world = key is None
        name = WORLD_MODULE if key is None else self.modules[key]
        title = f"the interface `{key}`" if key is not None else f"the world `{self.plan.full_name}`"
        members = member_names(self.plan, scopes) | (set(self.modules.values()) if is_world else set())
        shadowed = frozenset(members & BUILTIN_NAMES)
        annotator = Annotator(self.types, name, shadowed)
        of_fakes = Annotator(self.types, name, shadowed, second=True)
        definitions = define_all(self.types, scopes, annotator)
        imported = [scope for scope in scopes if scope.direction is Direction.IMPORT]
        exported = [scope for scope in scopes if scope.direction is Direction.EXPORT]
        functions, resources = self._called(imported, annotator)
        protocols = [
            protocol
            for protocol in (
                self._protocol(Direction.IMPORT, key, title, imported, of_fakes),
                self._protocol(Direction.EXPORT, key, title, exported, annotator),
            )
            if protocol is not None
        ]
        errors = self.errors.of_module(name)
        has_calls = bool(functions or resources)
        used = annotator.used | of_fakes.used
        if shadowed & _written_builtins(is_world, resources, protocols):
            used.add("builtins")
        other = {interface.module for protocol in protocols for interface in protocol.interfaces}
        other |= annotator.imports | of_fakes.imports
        return ModuleView(
            name=name,
            key=key or "",
            header=Header(self.plan.full_name),
            title=f"T{title[1:]}",
            docs=(self.plan.docs if is_world else scopes[0].docs) or "",
            builtins=BuiltinsView.of_module(self.types, name, shadowed),
            import_lines=tuple(
                import_lines(is_world, definitions, errors, protocols, has_calls, used, other)
            ),
            public=tuple(public_names(is_world, definitions, errors, functions, resources, protocols)),
            definitions=tuple(view for view in definitions if not view.is_alias),
            aliases=tuple(view for view in definitions if view.is_alias),
            errors=tuple(errors),
            functions=tuple(functions),
            resources=tuple(resources),
            protocols=tuple(protocols),
            has_calls=has_calls,
            is_world=is_world,
        )

    # --- What the guest calls -----------------------------------------------------------------------------

    def _called(
        self, scopes: list[ScopePlan], annotator: Annotator
    ) -> tuple[list[FunctionView], list[ResourceView]]:
        names = Names(_RESERVED_FUNCTIONS)
        functions = [
            self._function(function, names, annotator, called=True)
            for scope in scopes
            for function in scope.functions
            if function.resource is None
        ]
        resources = [
            self._resource(scope, resource, "", annotator, called=True)
            for scope in scopes
            for resource in scope.resources
        ]
        return functions, resources

    # --- What implements something ------------------------------------------------------------------------

    def _protocol(
        self, side: Direction, key: str | None, title: str, scopes: list[ScopePlan], annotator: Annotator
    ) -> ProtocolView | None:
        names = Names({"self"})
        interfaces: list[InterfaceView] = []
        if key is None:
            for scope in self.plan.scopes:
                if scope.direction is side and (side, scope.key) in self._classes:
                    assert scope.key is not None, "an interface"
                    module = self.modules[scope.key]
                    attribute = self.attributes[side, scope.key] = names.claim(module)
                    class_ = self._classes[side, scope.key]
                    interfaces.append(InterfaceView(scope.key, attribute, module, class_))
        resources: list[ResourceView] = []
        functions: list[FunctionView] = []
        for scope in scopes:
            for resource in scope.resources:
                attribute = names.claim(attribute_name(resource.name))
                self.members[side, key, resource.name] = attribute
                resources.append(self._resource(scope, resource, attribute, annotator, called=False))
            for function in scope.functions:
                if function.resource is None:
                    view = self._function(function, names, annotator, called=False)
                    self.members[side, key, function.name] = view.name
                    functions.append(view)
        if key is not None and not functions and not resources:
            return None
        name = _SUFFIXES[side]
        if key is not None:
            module = self.modules[key]
            name = self._classes[side, key] = self.types.names[module].claim(
                f"{class_name(module.replace('_', '-'))}{name}"
            )
        who = "a host, also a fake one," if side is Direction.IMPORT else "the guest"
        default = f"The {side.value}s of {title}."
        docs = next((scope.docs for scope in scopes if scope.docs), default)
        docs = f"{docs if key is not None else default}\n\nWhat {who} implements."
        return ProtocolView(name, docs, tuple(functions), tuple(resources), tuple(interfaces))

    # --- Both ---------------------------------------------------------------------------------------------

    def _resource(
        self, scope: ScopePlan, resource: ResourcePlan, attribute: str, annotator: Annotator, *, called: bool
    ) -> ResourceView:
        of_fakes = resource.direction is Direction.IMPORT and not called
        names = Names({"drop"} if called else ())
        functions: list[FunctionView] = []
        for function in scope.functions:
            if function.resource == resource.type:
                functions.append(self._function(function, names, annotator, called=called))
                if not called:
                    self.members[scope.direction, scope.key, function.name] = functions[-1].name
        return ResourceView(
            (self.types.second_class_of if of_fakes else self.types.class_of)(resource.type),
            resource.name,
            attribute,
            self.plan.types[resource.type].docs or f"The resource `{resource.name}`.",
            tuple(functions),
        )

    def _function(
        self, function: FunctionPlan, members: Names, annotator: Annotator, *, called: bool
    ) -> FunctionView:
        is_static = function.shape is FunctionShape.STATIC
        is_constructor = function.shape is FunctionShape.CONSTRUCTOR
        is_method = function.shape is FunctionShape.METHOD
        names = Names({"self", "cls", "result"})
        params = [(names.claim(attribute_name(p.name)), p.type) for p in function.params[is_method:]]
        whole = whole_result(self.plan, function)
        result: Type | None = function.result if whole is None else whole.ok
        given, got = (Position.GIVEN, Position.GOT) if called else (Position.GOT, Position.GIVEN)
        listed = "".join(f", {name}: {annotator.annotate(type_, given)}" for name, type_ in params)
        after_self = not is_static if function.resource is not None else not called
        docs = function.docs or f"`{function.name}`."
        raised = self.errors.raised(function, annotator)
        return FunctionView(
            name="__init__" if is_constructor else members.claim(attribute_name(function.item_name)),
            label=function.name,
            params=listed if after_self else listed.removeprefix(", "),
            arguments=", ".join((["self"] if is_method else []) + [name for name, _ in params]),
            returns=annotator.annotate(result, got),
            docs=docs if raised is None else f"{docs}\n\nRaises: {raised}".strip(),
            is_static=is_static,
            is_constructor=is_constructor,
        )


def _written_builtins(
    is_world: bool, called: list[ResourceView], protocols: list[ProtocolView]
) -> frozenset[str]:
    """The built-in names of a module outside of annotations of values."""
    implemented = [resource for protocol in protocols for resource in protocol.resources]
    static = any(f.is_static for resource in [*called, *implemented] for f in resource.functions)
    return frozenset({"staticmethod"} if static else ()) | ({"type"} if is_world or implemented else set())
