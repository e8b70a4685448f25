"""What an instance exports, as Python sees it: functions, nested instances, classes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol, cast

from ingen_runtime.canonical import (
    SLOT_SIZE,
    BorrowScope,
    Endpoint,
    ExportParts,
    ExportPlan,
    GuestResource,
    Resource,
    ResourceHandle,
    ValueClasses,
    compile_lift,
    release,
)
from ingen_runtime.canonical.handles import Loan
from ingen_runtime.canonical.names import attribute_name, class_name
from ingen_runtime.component.arguments import argument_binder
from ingen_runtime.component.entities import (
    DefinedType,
    Extern,
    FuncEntity,
    InstanceType,
    ResourceEntity,
    TypeExtern,
)
from ingen_runtime.component.items import (
    ComponentContext,
    ComponentItem,
    HostFunc,
    InstanceItem,
    Item,
    LiftedFunc,
    ModuleItem,
)
from ingen_runtime.component.names import AnnotatedName, Annotation, PlainName, function_attribute, parse_name
from ingen_runtime.component.type_text import func_type_text
from ingen_runtime.component.types import EnumType, FlagsType, FuncType, RecordType, VariantType
from ingen_runtime.engine import CoreStore, call_async
from ingen_runtime.engine.signature import signature_of
from ingen_runtime.errors import HostValueError

if TYPE_CHECKING:
    from ingen_runtime.component.concurrency.host_calls import HostCaller


class ExportedFunction(Protocol):
    """A function that an instance exports.

    Called, it runs the guest to its end; `call_async` runs it on a fiber, so that host functions can wait.
    Both take the parameters by position or by name, and raise ResultError for an error result.
    """

    type: FuncType
    call_async: Callable[..., Any]

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        """Call the guest."""


class Exports(Mapping[str, Any]):
    """The exports of an instance by name. What is a valid Python name is an attribute, too, except for the
    names that every mapping has, as `get` and `items`, and those below.

    `exports["greet"]` is a function, `exports["ns:pkg/iface"]` a nested `Exports`. Resources are classes
    whose constructor, methods and static functions call the guest; records, variants, enums and flags are
    the classes of their values.
    """

    def __init__(
        self,
        name: str,
        type_: InstanceType,
        item: InstanceItem,
        context: ComponentContext,
        classes: ValueClasses,
        owner: CoreStore,
    ) -> None:
        self._name = name
        self._type = type_
        self._item = item
        self._context = context
        self._classes = classes
        # Whoever holds a function holds the instance.
        self._owner = owner
        self._made: dict[str, Any] = {}
        self._attributes: dict[str, str] | None = None

    def __getitem__(self, name: str) -> Any:
        if name not in self._made:
            self._made[name] = self._make(name, self._type.exports[name])
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._type.exports)

    def __len__(self) -> int:
        return len(self._type.exports)

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("_"):
            raise AttributeError(attribute)
        if self._attributes is None:
            self._attributes = {
                _python_name(name, extern): name for name, extern in self._type.exports.items()
            }
        name = self._attributes.get(attribute)
        if name is None:
            raise AttributeError(f"{self!r} has no {attribute}", name=attribute, obj=self)
        return self[name]

    def __dir__(self) -> list[str]:
        names = [_python_name(name, extern) for name, extern in self._type.exports.items()]
        return [*super().__dir__(), *(name for name in names if name.isidentifier())]

    def __repr__(self) -> str:
        return f"<exports of {self._name}: {', '.join(self)}>"

    @property
    def store(self) -> CoreStore:
        """The store that the instance is in."""
        return self._owner

    @property
    def item(self) -> InstanceItem:
        """The instance itself, for linking."""
        return self._item

    @property
    def instance_type(self) -> InstanceType:
        """The instance's type, for linking."""
        return self._type

    def _make(self, name: str, extern: Extern) -> Any:
        item = self._item.exports[name]
        match extern:
            case FuncEntity():
                return self._func(name, extern, item)
            case InstanceType():
                assert isinstance(item, InstanceItem)
                return Exports(name, extern, item, self._context, self._classes, self._owner)
            case TypeExtern(ResourceEntity()):
                return item.class_ if isinstance(item, GuestResource) else _host_class(item)
            case TypeExtern(DefinedType() as defined):
                return self._value_class(defined)
            case TypeExtern():
                return None
            case _:
                return item.module if isinstance(item, ModuleItem) else cast(ComponentItem, item).plan

    def _value_class(self, defined: DefinedType) -> Any:
        match defined.type:
            case RecordType() as record:
                return self._classes.record(record).class_
            case VariantType() as variant:
                made = self._classes.variant(variant)
                return made.cases if made.base is None else made.base
            case EnumType() as enum:
                return self._classes.enum(enum)
            case FlagsType() as flags:
                return self._classes.flags(flags)
            case _:
                return defined.type

    def _func(self, name: str, entity: FuncEntity, item: Item) -> Any:
        if isinstance(item, HostFunc):
            return item.call
        assert isinstance(item, LiftedFunc)
        return export_function(name, entity.type, item, self._context, self._classes, self._owner)


def export_function(
    name: str,
    type_: FuncType,
    item: LiftedFunc,
    context: ComponentContext,
    classes: ValueClasses,
    owner: CoreStore,
) -> ExportedFunction:
    """The Python function for an exported function, whose type and resources are the root component's."""
    if item.side.context.is_async:
        # Late: slow to import, and most components have no tasks.
        from ingen_runtime.component.concurrency.host_calls import HostCaller

        caller = HostCaller(item, type_, item.side.endpoint(context.resources), classes)
        return _named(name, type_, caller)
    plan = compile_lift(type_, item.side.encoding, classes, name=name)
    endpoint = item.side.endpoint(context.resources)
    function: Any = plan.bind(item.raw_call, endpoint, item.raw_post_return)
    function.__doc__ = f"{name}: {func_type_text(type_)}"
    function.type = type_
    function.call_async = _AsyncCall(item, endpoint, plan, owner).call_async
    bound: ExportedFunction = function
    return bound


def _named(name: str, type_: FuncType, caller: HostCaller) -> ExportedFunction:
    called = attribute_name(name)
    bind = argument_binder(called, tuple(attribute_name(label) for label, _ in type_.params))

    def function(*arguments: Any, **keywords: Any) -> Any:
        return caller.call(*bind(*arguments, **keywords))

    async def call_async(*arguments: Any, **keywords: Any) -> Any:
        return await caller.call_async(*bind(*arguments, **keywords))

    named: Any = function
    named.__name__ = named.__qualname__ = called
    named.__doc__ = f"{name}: {func_type_text(type_)}"
    named.type = type_
    named.call_async = call_async
    return cast(ExportedFunction, named)


class _AsyncCall:
    """Calls an exported function on a fiber."""

    __slots__ = ("_bind_arguments", "_endpoint", "_item", "_owner", "_parts", "_plan")

    def __init__(self, item: LiftedFunc, endpoint: Endpoint, plan: ExportPlan, owner: CoreStore) -> None:
        self._item = item
        self._endpoint = endpoint
        self._plan = plan
        self._bind_arguments = argument_binder(attribute_name(plan.name), plan.parameters)
        self._owner = owner
        self._parts: ExportParts | None = None

    async def call_async(self, *given: Any, **keywords: Any) -> Any:
        """The method's name is in Python's warning where the `await` was forgotten."""
        arguments = self._bind_arguments(*given, **keywords)
        if self._parts is None:
            self._parts = self._plan.bind_parts(self._endpoint)
        parts, item, state = self._parts, self._item, self._endpoint.instance
        signature = signature_of(item.core.type)
        raw = bytearray(signature.slots * SLOT_SIZE)
        scope, loans = BorrowScope(), cast("list[Loan]", [])
        lowered = False
        state.enter()
        try:
            parts.lower(raw, 0, arguments, scope, loans)
            lowered = True
            result = await call_async(item.core, *signature.params.unpack_from(raw))
            if signature.type.results:
                signature.results.pack_into(raw, 0, *(result if isinstance(result, tuple) else (result,)))
            value, failure = parts.lift(raw, 0, loans)
            scope.check()
            if item.post_return is not None:
                state.may_leave = False
                await call_async(item.post_return, *signature.results.unpack_from(raw))
                state.may_leave = True
        except BaseException as error:
            if isinstance(error, HostValueError) and not lowered:
                state.leave()
            else:
                state.poison(error)
            raise
        finally:
            release(loans)
        state.leave()
        if failure is not None:
            raise failure
        return value


def _host_class(item: Item) -> Any:
    return getattr(item, "class_", None)


def _python_name(name: str, extern: Extern) -> str:
    if isinstance(extern, TypeExtern):
        return class_name(name)
    parsed = parse_name(name)
    if isinstance(parsed, PlainName):
        return function_attribute(parsed)
    return attribute_name(name.rpartition("/")[2].partition("@")[0])


# --- resource classes ---------------------------------------------------------------------------------------


def make_resource_classes(exports: Exports) -> None:
    """Give the guest's exported resources classes that have their constructors, methods and statics."""
    functions: dict[str, list[tuple[AnnotatedName, str]]] = {}
    resources: dict[str, GuestResource] = {}
    for name, extern in exports.instance_type.exports.items():
        item = exports.item.exports[name]
        if isinstance(extern, InstanceType):
            make_resource_classes(exports[name])
        elif isinstance(extern, TypeExtern) and isinstance(item, GuestResource):
            resources[name] = item
        elif isinstance(extern, FuncEntity) and name.startswith("["):
            parsed = parse_name(name)
            if isinstance(parsed, AnnotatedName):
                functions.setdefault(parsed.resource, []).append((parsed, name))
    for name, resource in resources.items():
        if resource.class_ is ResourceHandle:
            resource.class_ = _resource_class(exports, name, resource, functions.get(name, []))


def _resource_class(
    exports: Exports, name: str, resource: Resource, functions: list[tuple[AnnotatedName, str]]
) -> type[ResourceHandle]:
    members: dict[str, Any] = {"__slots__": (), "__doc__": f"The resource {resource.name}."}
    for parsed, export in functions:
        match parsed.annotation:
            case Annotation.CONSTRUCTOR:
                members["__new__"] = _constructor(exports, export)
                members["__init__"] = _keep
            case Annotation.METHOD:
                members[_member_name(parsed)] = _Method(exports, export)
            case Annotation.STATIC:
                members[_member_name(parsed)] = _Static(exports, export)
    made = type(class_name(name), (_ExportedResource,), members)
    return cast(type[ResourceHandle], made)


def _member_name(name: AnnotatedName) -> str:
    attribute = function_attribute(name)
    return f"{attribute}_" if hasattr(ResourceHandle, attribute) else attribute


class _ExportedResource(ResourceHandle):
    """The base of resource classes: made by their constructor function, or from a handle by the runtime."""

    __slots__ = ()

    def __new__(cls, *arguments: Any) -> Any:
        if arguments and isinstance(arguments[0], Resource):
            return object.__new__(cls)
        raise TypeError(f"the resource {cls.__name__} has no constructor")


def _constructor(exports: Exports, export: str) -> Any:
    def __new__(cls: type[Any], *arguments: Any, **keywords: Any) -> Any:
        if arguments and isinstance(arguments[0], Resource):
            return object.__new__(cls)
        return exports[export](*arguments, **keywords)

    return __new__


def _keep(self: ResourceHandle, *arguments: Any, **keywords: Any) -> None:
    """Set up a handle that the runtime makes; one that the constructor returned is set up already."""
    if arguments and isinstance(arguments[0], Resource):
        ResourceHandle.__init__(self, *arguments)


class _Method:
    """A method: `resource.method(...)` calls the guest with the resource as first argument."""

    __slots__ = ("_export", "_exports")

    def __init__(self, exports: Exports, export: str) -> None:
        self._exports = exports
        self._export = export

    def __get__(self, instance: Any, owner: type[Any]) -> Any:
        function = self._exports[self._export]
        return function if instance is None else BoundMethod(function, instance)


class BoundMethod:
    """A method of a resource, with `call_async` for calls on a fiber."""

    __slots__ = ("_function", "_self")

    def __init__(self, function: Any, self_: Any) -> None:
        self._function = function
        self._self = self_

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        return self._function(self._self, *arguments, **keywords)

    async def call_async(self, *arguments: Any, **keywords: Any) -> Any:
        """Call the guest on a fiber."""
        return await self._function.call_async(self._self, *arguments, **keywords)


class _Static:
    """A static function of a resource class."""

    __slots__ = ("_export", "_exports")

    def __init__(self, exports: Exports, export: str) -> None:
        self._exports = exports
        self._export = export

    def __get__(self, instance: Any, owner: type[Any]) -> Any:
        return self._exports[self._export]
