"""Binary WIT to the IR: encoded packages, components, and core modules with `component-type` sections.

The IR is the one that wasm-tools reads from the same bytes, numbering included. A valid component whose
interface no WIT can express (it exports a type, say) is refused with the reason.

Source: WIT.md, "Package Format"; Binary.md.
"""

from __future__ import annotations

from ingen_runtime.component.binary import (
    BinaryKind,
    Component,
    CoreModule,
    binary_kind,
    decode_component,
    read_core_module,
)
from ingen_runtime.component.binary import syntax as s
from ingen_runtime.errors import ComponentFormatError
from ingen_sdkgen.decode.builder import Builder
from ingen_sdkgen.decode.drafts import Drafts, PackageDraft, WorldDraft
from ingen_sdkgen.decode.evaluation import (
    ComponentNode,
    Extern,
    Externs,
    InstanceNode,
    evaluate,
    evaluate_component_type,
)
from ingen_sdkgen.decode.names import full_name, is_label, parse_interface_name
from ingen_sdkgen.decode.package_docs import apply_package_docs
from ingen_sdkgen.encode.package_docs import PACKAGE_DOCS_SECTION
from ingen_sdkgen.model import PackageName, Resolve

__all__ = ["decode", "decode_package"]

_COMPONENT_TYPE_PREFIX = "component-type"
_ENCODING_SECTION = "wit-component-encoding"
_ENCODING_VERSION = 4


def decode(data: bytes) -> Resolve:
    """The IR of a binary of any of the three kinds.

    The main package of a component is `root:component`, with a world `root`. That of a core module is
    `root:root`: its world `root` is the union of the worlds of its `component-type` sections, whose own
    packages come after it.

    Raises: ComponentFormatError.
    """
    if binary_kind(data) is BinaryKind.CORE_MODULE:
        return _decode_module(read_core_module(data), len(data))
    component = decode_component(data)
    externs = evaluate(component, len(data))
    if _is_package(externs):
        return _decode_package(component, externs, len(data))
    return _decode_component(externs)


def decode_package(data: bytes) -> Resolve:
    """The IR of an encoded package, packages in topological order.

    Of other packages there is what the main package uses.

    Raises: ComponentFormatError, also for a component and a core module.
    """
    if binary_kind(data) is BinaryKind.CORE_MODULE:
        raise ComponentFormatError("expected an encoded WIT package, found a core module")
    component = decode_component(data)
    externs = evaluate(component, len(data))
    if not _is_package(externs):
        raise ComponentFormatError("expected an encoded WIT package, found a component")
    return _decode_package(component, externs, len(data))


def _is_package(externs: Externs) -> bool:
    """An encoded package exports nothing but component types, and imports nothing."""
    return (
        not externs.imports
        and bool(externs.exports)
        and all(
            extern.sort is s.Sort.TYPE and isinstance(extern.entity, ComponentNode)
            for extern in externs.exports
        )
    )


def _decode_package(component: Component, externs: Externs, byte_length: int) -> Resolve:
    builder: Builder | None = None
    for extern in externs.exports:
        if not is_label(extern.name.name):
            raise ComponentFormatError(
                f"the export `{extern.name}` has no plain name: no WIT package, or one of an old format",
                extern.offset,
            )
        assert isinstance(extern.entity, ComponentNode)
        item = evaluate_component_type(extern.entity, byte_length)
        exported = _only_export(item, extern.offset)
        package, _ = parse_interface_name(full_name(exported.name), extern.offset)
        if builder is None:
            builder = Builder(PackageDraft(package))
        elif package != builder.main.name:
            raise ComponentFormatError(
                f"`{exported.name}` is not in the package `{builder.main.name}`", extern.offset
            )
        if isinstance(exported.entity, InstanceNode):
            builder.define_interface(exported, item.imports)
        else:
            _define_world(builder, exported, byte_length)
    assert builder is not None
    main = builder.finish_packages()
    sections = component.custom_sections(PACKAGE_DOCS_SECTION)
    for section in sections:
        if section.name == PACKAGE_DOCS_SECTION:
            apply_package_docs(builder.drafts, builder.drafts.packages[main], section)
    return builder.drafts.finish(main)


def _only_export(externs: Externs, offset: int) -> Extern:
    if len(externs.exports) != 1:
        raise ComponentFormatError(
            f"expected a component type with one export, found {len(externs.exports)}", offset
        )
    return externs.exports[0]


def _define_world(builder: Builder, exported: Extern, byte_length: int) -> None:
    if not isinstance(exported.entity, ComponentNode):
        raise ComponentFormatError(f"`{exported.name}` is neither an interface nor a world", exported.offset)
    world = evaluate_component_type(exported.entity, byte_length)
    builder.define_world(exported.name, world, exported.offset)


def _decode_component(externs: Externs) -> Resolve:
    builder = Builder(PackageDraft(PackageName("root", "component")))
    world = builder.drafts.add_world(WorldDraft("root"))
    builder.main.worlds["root"] = world
    builder.fill_world(world, externs, of_component=True)
    return builder.drafts.finish(builder.finish_packages())


def _decode_module(module: CoreModule, byte_length: int) -> Resolve:
    drafts = Drafts()
    root = drafts.add_world(WorldDraft("root"))
    main = drafts.add_package(PackageDraft(PackageName("root", "root"), worlds={"root": root}))
    drafts.worlds[root].package = main
    sections = module.custom_sections(_COMPONENT_TYPE_PREFIX)
    if not sections:
        raise ComponentFormatError(
            "a core module without a `component-type` section, so its WIT is unknown; "
            "is the section missing, or was a component meant?"
        )
    # What joins worlds needs the resolver's modules, which a component does not.
    from ingen_sdkgen.decode.merge import merge_section

    for section in sections:
        merge_section(drafts, root, _decode_component_type(bytes(section.data), section.offset))
    return drafts.finish(main)


def _decode_component_type(data: bytes, offset: int) -> Drafts:
    """The content of a `component-type` section: a component that exports one world as a type."""
    component = decode_component(data)
    encodings = [
        bytes(section.data)
        for section in component.custom_sections(_ENCODING_SECTION)
        if section.name == _ENCODING_SECTION
    ]
    if not encodings or len(encodings[0]) != 2 or encodings[0][0] != _ENCODING_VERSION:
        raise ComponentFormatError("the format of this `component-type` section is unknown", offset)
    extern = _only_export(evaluate(component, len(data)), offset)
    if not isinstance(extern.entity, ComponentNode):
        raise ComponentFormatError("a `component-type` section without a world", offset)
    exported = _only_export(evaluate_component_type(extern.entity, len(data)), offset)
    package, _ = parse_interface_name(full_name(exported.name), offset)
    builder = Builder(PackageDraft(package))
    _define_world(builder, exported, len(data))
    builder.finish_packages()
    return builder.drafts
