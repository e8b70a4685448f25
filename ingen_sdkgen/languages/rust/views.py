"""What the templates of a Rust guest place: finished names, types, signatures and statements.

Every text is ready to stand where the template puts it. Of each `doc`, `has_doc` says whether there is one.
"""

from __future__ import annotations

from dataclasses import dataclass

from ingen_sdkgen.languages.rust.conversions import AbiFunctionView


@dataclass(frozen=True, slots=True)
class ImportView:
    """A function that calls an import. `core` is the core signature: `(i32, i32) -> i32`."""

    doc: str
    has_doc: bool
    signature: str
    link_module: str
    link_name: str
    core: str
    statements: tuple[str, ...]
    value: str


@dataclass(frozen=True, slots=True)
class GuestFunctionView:
    """A function of a trait that the guest implements."""

    doc: str
    has_doc: bool
    signature: str


@dataclass(frozen=True, slots=True)
class CallView:
    """A function of the generated code that an export of the core module stands for.

    `generic` says whether it depends on the guest's implementation. `path` is where it stands, from the top
    of the file; `params` are those of its signature and `arguments` their names.
    """

    export: str
    name: str
    path: str
    generic: bool
    params: str
    arguments: str
    result: str
    statements: tuple[str, ...]
    value: str


@dataclass(frozen=True, slots=True)
class ExportView:
    """A function that the guest exports: of its trait, and what calls it."""

    guest: GuestFunctionView
    calls: tuple[CallView, ...]


@dataclass(frozen=True, slots=True)
class MemberView:
    """A field (`name: T`), a case (`Name(T)`) or a flag (`NAME`) of a type."""

    doc: str
    has_doc: bool
    name: str
    type: str
    has_type: bool
    label: str
    """The WIT name, as the content of a string literal."""
    bits: str
    """The mask of a flag."""


@dataclass(frozen=True, slots=True)
class TypeView:
    """A type of a module; just one of the `is_` fields is true.

    `generics` is `<'a>` or nothing, `any` is `<'_>` or nothing. A shared type stands in another module too,
    which is `target`; an alias is of `target`. A resource's alias has its borrow in `borrow_target`.
    """

    doc: str
    has_doc: bool
    name: str
    generics: str
    any: str
    derives: str
    members: tuple[MemberView, ...]
    is_shared: bool
    is_alias: bool
    is_record: bool
    is_variant: bool
    is_enum: bool
    is_flags: bool
    is_plain: bool
    is_error: bool
    target: str
    has_borrow_alias: bool
    borrow_name: str
    borrow_target: str
    repr: str
    all_bits: str


@dataclass(frozen=True, slots=True)
class ImportedResourceView:
    """A resource that is imported, with its constructor, methods and static functions."""

    doc: str
    has_doc: bool
    name: str
    borrow_name: str
    has_borrow: bool
    is_error: bool
    drop_module: str
    drop_name: str
    functions: tuple[ImportView, ...]


@dataclass(frozen=True, slots=True)
class ExportedResourceView:
    """A resource that the guest implements: its handle, and the trait of what is behind it."""

    doc: str
    has_doc: bool
    name: str
    borrow_name: str
    has_borrow: bool
    is_error: bool
    guest_name: str
    module: str
    drop_name: str
    new_name: str
    rep_name: str
    functions: tuple[GuestFunctionView, ...]


@dataclass(frozen=True, slots=True)
class ModuleView:
    """A module of the generated file, or its top.

    `abi` is what it uses of the module `_ingen`. `has_guest` says whether there is a trait `Guest`, with the
    functions `guest_functions` and an associated type for each of `exported_resources`. `calls` are what the
    exports of the core module stand for.
    """

    doc: str
    has_doc: bool
    name: str
    abi: str
    types: tuple[TypeView, ...]
    imported_resources: tuple[ImportedResourceView, ...]
    exported_resources: tuple[ExportedResourceView, ...]
    imports: tuple[ImportView, ...]
    has_guest: bool
    guest_functions: tuple[GuestFunctionView, ...]
    calls: tuple[CallView, ...]
    modules: tuple[ModuleView, ...]
    has_items: bool


@dataclass(frozen=True, slots=True)
class StubTraitView:
    """A trait to implement, as the file of stubs has it. `resources` are its associated types, with the
    functions of their traits."""

    path: str
    functions: tuple[str, ...]
    resources: tuple[StubResourceView, ...]


@dataclass(frozen=True, slots=True)
class StubResourceView:
    """A resource to implement."""

    name: str
    implementation: str
    trait: str
    functions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WorldView:
    """Everything about a world's file."""

    doc: str
    has_doc: bool
    name: str
    module: str
    macro: str
    root: ModuleView
    calls: tuple[CallView, ...]
    has_exports: bool
    has_realloc: bool
    functions: tuple[AbiFunctionView, ...]
    result_size: str
    section: str
    section_size: str
    section_lines: tuple[str, ...]
    stubs: tuple[StubTraitView, ...]
