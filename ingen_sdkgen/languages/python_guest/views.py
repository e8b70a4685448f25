"""Everything that the templates of Python guests place."""

from __future__ import annotations

from dataclasses import dataclass

from ingen_sdkgen.languages.python.definitions import BuiltinsView, DefinitionView
from ingen_sdkgen.languages.python.errors import ErrorView
from ingen_sdkgen.render import Header


@dataclass(frozen=True, slots=True)
class FunctionView:
    """A function, as the guest calls it or as something implements it.

    `params` begin with a comma where they go after `self`.
    """

    name: str
    label: str
    params: str
    arguments: str
    returns: str
    docs: str
    is_static: bool
    is_constructor: bool


@dataclass(frozen=True, slots=True)
class ResourceView:
    """A resource: what stands for the host's, or what implements one. `attribute` is where that is."""

    name: str
    label: str
    attribute: str
    docs: str
    functions: tuple[FunctionView, ...]


@dataclass(frozen=True, slots=True)
class InterfaceView:
    """An interface in one of the world's protocols."""

    key: str
    attribute: str
    module: str
    class_name: str


@dataclass(frozen=True, slots=True)
class ProtocolView:
    """What implements one side of an interface or of the world: a fake host, or the guest."""

    class_name: str
    docs: str
    functions: tuple[FunctionView, ...]
    resources: tuple[ResourceView, ...]
    interfaces: tuple[InterfaceView, ...]


@dataclass(frozen=True, slots=True)
class ModuleView:
    """A module of the package; the world's own is `__init__`. `key` is the interface's name, or nothing."""

    name: str
    key: str
    header: Header
    title: str
    docs: str
    builtins: BuiltinsView
    import_lines: tuple[str, ...]
    public: tuple[str, ...]
    definitions: tuple[DefinitionView, ...]
    aliases: tuple[DefinitionView, ...]
    errors: tuple[ErrorView, ...]
    functions: tuple[FunctionView, ...]
    resources: tuple[ResourceView, ...]
    protocols: tuple[ProtocolView, ...]
    has_calls: bool
    is_world: bool


@dataclass(frozen=True, slots=True)
class TypeView:
    """How values of a type cross: a variable, and the expression that makes it."""

    variable: str
    expression: str


@dataclass(frozen=True, slots=True)
class ImportView:
    """An imported function: the interface that has it, its name there, and the expression that makes it."""

    interface: str
    label: str
    expression: str


@dataclass(frozen=True, slots=True)
class NamedView:
    """What componentize-py calls something, and the expression for it."""

    name: str
    expression: str


@dataclass(frozen=True, slots=True)
class ResourceExportView:
    """An exported resource: what componentize-py calls it, its variable, and its functions."""

    name: str
    variable: str
    functions: tuple[NamedView, ...]


@dataclass(frozen=True, slots=True)
class GroupView:
    """What componentize-py has in one module or class."""

    name: str
    members: tuple[NamedView, ...] = ()
    resources: tuple[ResourceExportView, ...] = ()


@dataclass(frozen=True, slots=True)
class CrossingView:
    """How all values and functions of the world cross."""

    header: Header
    import_lines: tuple[str, ...]
    types: tuple[TypeView, ...]
    imports: tuple[ImportView, ...]
    classes: tuple[GroupView, ...]
    exports: tuple[GroupView, ...]
    resources: tuple[GroupView, ...]
