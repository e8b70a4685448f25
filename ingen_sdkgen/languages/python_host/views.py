"""Everything that the templates of Python hosts place."""

from __future__ import annotations

from dataclasses import dataclass

from ingen_sdkgen.languages.python.definitions import BuiltinsView, DefinitionView
from ingen_sdkgen.languages.python.errors import ErrorView
from ingen_sdkgen.languages.python_host.registrations import RegistrationView
from ingen_sdkgen.render import Header


@dataclass(frozen=True, slots=True)
class FunctionView:
    """A function, as Python calls it or is called. What begins with `async_` is for those that can wait.

    What goes after `self` or `cls` begins with a comma where
    there is anything. `type` is the function's type in WIT, `fingerprint` tells it from others.
    """

    name: str
    label: str
    type: str
    fingerprint: str
    params: str
    async_params: str
    class_params: str
    async_class_params: str
    arguments: str
    returns: str
    async_returns: str
    docs: str
    is_static: bool
    is_constructor: bool
    is_nothing: bool


@dataclass(frozen=True, slots=True)
class ResourceView:
    """A resource: what the host implements, or what stands for a guest's.

    `attribute` is where an interface has the class.
    """

    name: str
    async_name: str
    label: str
    attribute: str
    docs: str
    functions: tuple[FunctionView, ...]


@dataclass(frozen=True, slots=True)
class InterfaceView:
    """An interface in the world's classes: its attribute, module and classes."""

    key: str
    attribute: str
    module: str
    class_name: str
    async_class_name: str


@dataclass(frozen=True, slots=True)
class SideView:
    """What a world imports or exports in one interface, or by itself."""

    class_name: str
    async_class_name: str
    docs: str
    functions: tuple[FunctionView, ...]
    resources: tuple[ResourceView, ...]
    interfaces: tuple[InterfaceView, ...]
    is_empty: bool

    @property
    def checked(self) -> tuple[FunctionView, ...]:
        """All functions, those of resources included."""
        return self.functions + tuple(f for resource in self.resources for f in resource.functions)


@dataclass(frozen=True, slots=True)
class ModuleView:
    """A module of the package; the world's own is `__init__`.

    `aliases` may stand for classes of resources, and so come after these.
    """

    name: str
    header: Header
    title: str
    docs: str
    builtins: BuiltinsView
    import_lines: tuple[str, ...]
    public: tuple[str, ...]
    registered_modules: tuple[str, ...]
    definitions: tuple[DefinitionView, ...]
    aliases: tuple[DefinitionView, ...]
    registered: tuple[RegistrationView, ...]
    registered_errors: tuple[RegistrationView, ...]
    errors: tuple[ErrorView, ...]
    imported: SideView
    exported: SideView
    world_class: str
    is_world: bool


@dataclass(frozen=True, slots=True)
class PackageView:
    """The package of a world."""

    modules: tuple[ModuleView, ...]
