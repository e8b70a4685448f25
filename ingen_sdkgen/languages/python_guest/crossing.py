"""From a plan to the view of how values and functions cross the boundary."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import assert_never

from ingen_sdkgen.languages.casing import pascal_case, snake_case
from ingen_sdkgen.languages.plan import Direction, FunctionPlan, ParamPlan, ScopePlan
from ingen_sdkgen.languages.python.errors import whole_result
from ingen_sdkgen.languages.python.names import constants_first, natural
from ingen_sdkgen.languages.python_guest.names import (
    WORLD_MODULE,
    InterfaceNames,
    raw_case,
    raw_class,
    raw_field,
    raw_function,
)
from ingen_sdkgen.languages.python_guest.view import ModuleBuilder
from ingen_sdkgen.languages.python_guest.views import (
    CrossingView,
    GroupView,
    ImportView,
    NamedView,
    ResourceExportView,
    TypeView,
)
from ingen_sdkgen.model import (
    Alias,
    Borrow,
    Enum,
    FixedLengthList,
    Flags,
    FunctionShape,
    Future,
    List,
    Map,
    Option,
    Own,
    Primitive,
    Record,
    Resource,
    Result,
    Stream,
    Tuple,
    Type,
    TypeId,
    Variant,
)
from ingen_sdkgen.render import Header

__all__ = ["view_crossing"]

_DIRECTIONS = {Direction.IMPORT: "imports", Direction.EXPORT: "exports"}


def view_crossing(built: ModuleBuilder, names: InterfaceNames) -> CrossingView:
    """The view of a world, whose modules are built."""
    return _Crossing(built, names).view()


class _Crossing:
    def __init__(self, built: ModuleBuilder, names: InterfaceNames) -> None:
        self._built = built
        self._plan = built.plan
        self._names = {Direction.IMPORT: names.imported, Direction.EXPORT: names.exported}
        self._of_world: set[str] = set()
        self._modules: set[str] = set()
        self._uses_support = False

    def view(self) -> CrossingView:
        types = tuple(
            TypeView(f"_T{number}", self._expression(TypeId(number)))
            for number, type_ in enumerate(self._plan.types)
            if type_.canonical == TypeId(number)
        )
        imports = tuple(
            ImportView(scope.key or "", function.name, self._import(scope, function))
            for scope in self._scopes(Direction.IMPORT)
            for function in scope.functions
        )
        classes = tuple(
            GroupView(self._module(scope), tuple(self._classes(scope)))
            for scope in self._plan.scopes
            if scope.types or scope.key is not None
        )
        exports = tuple(
            GroupView(
                pascal_case(WORLD_MODULE if scope.key is None else self._names[scope.direction][scope.key]),
                self._exports(scope, (f for f in scope.functions if f.resource is None)),
            )
            for scope in self._scopes(Direction.EXPORT)
        )
        resources = tuple(
            GroupView(snake_case(self._names[scope.direction][scope.key]), resources=self._resources(scope))
            for scope in self._scopes(Direction.EXPORT)
            if scope.key is not None and scope.resources
        )
        lines = [f"from . import {name} as _world_{name}" for name in constants_first(self._of_world)]
        lines += ["from . import _ingen"] * self._uses_support
        lines += ["from . import _ingen_types as _t"]
        lines += [f"from . import {module} as _{module}" for module in sorted(self._modules, key=natural)]
        header = Header(self._plan.full_name)
        return CrossingView(header, tuple(lines), types, imports, classes, exports, resources)

    def _scopes(self, direction: Direction) -> Iterator[ScopePlan]:
        return (scope for scope in self._plan.scopes if scope.direction is direction)

    def _module(self, scope: ScopePlan) -> str:
        """The module of componentize-py's bindings that has a scope's classes, below the world's."""
        if scope.key is None:
            return ""
        return f".{_DIRECTIONS[scope.direction]}.{snake_case(self._names[scope.direction][scope.key])}"

    def _class(self, module: str, name: str) -> str:
        """A class, as the table of crossings names it."""
        if module == self._built.types.world_module:
            self._of_world.add(name)
            return f"_world_{name}"
        self._modules.add(module)
        return f"_{module}.{name}"

    def _own_class(self, type_: TypeId) -> str:
        types = self._built.types
        return self._class(types.module(types.scope_of(type_)), types.class_of(type_))

    # --- Types --------------------------------------------------------------------------------------------

    def _type(self, type_: Type | None) -> str:
        if type_ is None:
            return "None"
        canonical = self._plan.canonical(type_)
        return f"_t.{canonical.name}" if isinstance(canonical, Primitive) else f"_T{canonical}"

    def _expression(self, type_: TypeId) -> str:
        match self._plan.types[type_].kind:
            case List(element):
                is_bytes = self._plan.canonical(element) is Primitive.U8
                return "_t.BYTES" if is_bytes else f"_t.List({self._type(element)})"
            case Tuple(types):
                return f"_t.Tuple({', '.join(map(self._type, types))})"
            case Option(some):
                return f"_t.Option({self._type(some)})"
            case Result(ok, err):
                return f"_t.Result({self._type(ok)}, {self._type(err)})"
            case Record(fields):
                listed = ", ".join(f'"{raw_field(field.name)}": {self._type(field.type)}' for field in fields)
                return f"_t.Record({self._own_class(type_)}, {{{listed}}})"
            case Variant(cases):
                listed = ", ".join(
                    f"{class_}: {self._type(case.type)}"
                    for class_, case in zip(self._case_classes(type_), cases, strict=True)
                )
                return f'_t.Variant("{self._built.types.class_of(type_)}", {{{listed}}})'
            case Enum():
                return f"_t.Enum({self._own_class(type_)})"
            case Flags():
                return f"_t.Flags({self._own_class(type_)})"
            case Own(resource):
                return f"_t.Own({self._type(resource)})"
            case Borrow(resource):
                return f"_t.Borrow({self._type(resource)})"
            case Resource():
                resource_plan = self._plan.resource(type_)
                if resource_plan.direction is Direction.IMPORT:
                    return f"_t.Imported({self._own_class(type_)})"
                scope = self._built.types.scope_of(type_)
                path = ", ".join(map(_quoted, self._path(scope, resource_plan.name)))
                own = {f.item_name for f in scope.functions if f.resource == type_}
                return f"_t.Exported({path}, ends={'drop' not in own})"
            case Alias() | FixedLengthList() | Map() | Future() | Stream():
                raise AssertionError("a canonical type that guests can have")
            case kind:
                assert_never(kind)

    def _case_classes(self, type_: TypeId) -> list[str]:
        types = self._built.types
        module = types.module(types.scope_of(type_))
        return [self._class(module, name) for name in types.variant(type_).cases]

    def _classes(self, scope: ScopePlan) -> Iterator[NamedView]:
        """The classes of a scope by the names that componentize-py's have."""
        for type_ in scope.types:
            planned = self._plan.types[type_]
            name = planned.name or ""
            match planned.kind:
                case Record() | Flags():
                    yield NamedView(raw_class(name), self._own_class(type_))
                case Enum():
                    yield NamedView(raw_class(name), f"_T{type_}.members.__getitem__")
                case Variant(cases):
                    for case, class_ in zip(cases, self._case_classes(type_), strict=True):
                        yield NamedView(raw_case(name, case.name), class_)
                case Resource():
                    self._uses_support = True
                    yield NamedView(raw_class(name), "_ingen.Handle")
                case _:
                    pass

    # --- Functions ----------------------------------------------------------------------------------------

    def _path(self, scope: ScopePlan, *names: str) -> list[str]:
        """Where what implements the world has something: the interface, the resource, the function."""
        members = self._built.members
        path = [members[scope.direction, scope.key, name] for name in names]
        if scope.key is not None:
            path.insert(0, self._built.attributes[scope.direction, scope.key])
        return path

    def _import(self, scope: ScopePlan, function: FunctionPlan) -> str:
        module = "" if scope.key is None else snake_case(self._names[scope.direction][scope.key])
        class_ = "" if function.resource is None else self._plan.types[function.resource].name or ""
        path = self._path(scope, function.name)
        maker = "_t.Import"
        if function.shape is FunctionShape.METHOD:
            maker, path = "_t.ImportedMethod", path[-1:]
        elif function.shape is FunctionShape.STATIC:
            path = self._path(scope, class_, function.name)
        elif function.shape is FunctionShape.CONSTRUCTOR:
            path = self._path(scope, class_)
        place = _tuple([module, raw_class(class_) if class_ else "", raw_function(function)])
        return f"{maker}({place}, {self._signature(function, path, function.params)})"

    def _export(self, scope: ScopePlan, function: FunctionPlan) -> str:
        params = function.params[1:] if function.shape is FunctionShape.METHOD else function.params
        # What is a `result` by another name is not raised.
        raises = not isinstance(function.result, Primitive | None) and isinstance(
            self._plan.types[function.result].kind, Result
        )
        signature = self._signature(function, self._path(scope, function.name), params)
        return f"_t.Export({signature}{', raises=True' if raises else ''})"

    def _signature(self, function: FunctionPlan, path: Iterable[str], params: Iterable[ParamPlan]) -> str:
        listed = ", ".join(f'"{param.name}": {self._type(param.type)}' for param in params)
        parts = [_quoted(function.name), _tuple(path), f"{{{listed}}}", self._type(function.result)]
        if whole_result(self._plan, function) is not None:
            error = self._built.errors.type_of(function)
            name = self._built.errors.class_of(function)
            if error is None or name is None:
                self._uses_support = True
                parts.append("_ingen.ResultError")
            else:
                types = self._built.types
                parts.append(self._class(types.module(types.scope_of(error)), name))
        return ", ".join(parts)

    def _exports(self, scope: ScopePlan, functions: Iterable[FunctionPlan]) -> tuple[NamedView, ...]:
        return tuple(NamedView(raw_function(f), self._export(scope, f)) for f in functions)

    def _resources(self, scope: ScopePlan) -> tuple[ResourceExportView, ...]:
        return tuple(
            ResourceExportView(
                raw_class(resource.name),
                self._type(resource.type),
                self._exports(scope, (f for f in scope.functions if f.resource == resource.type)),
            )
            for resource in scope.resources
        )


def _quoted(text: str) -> str:
    return f'"{text}"'


def _tuple(parts: Iterable[str]) -> str:
    listed = list(map(_quoted, parts))
    return f"({', '.join(listed)}{',' if len(listed) == 1 else ''})"
