"""From the lowering plan of a world to what the templates of a Rust guest place."""

from __future__ import annotations

from ingen_sdkgen.languages.casing import snake_case
from ingen_sdkgen.languages.errors import CodegenError
from ingen_sdkgen.languages.plan import Direction, FunctionPlan, Plan, PlannedType, ResourcePlan, ScopePlan
from ingen_sdkgen.languages.rust.abi import Abi
from ingen_sdkgen.languages.rust.docs import documentation
from ingen_sdkgen.languages.rust.functions import FunctionNames, Functions, ResultArea
from ingen_sdkgen.languages.rust.modules import ABI_PATH, Module, Modules, Path, relative
from ingen_sdkgen.languages.rust.names import Names, identifier, is_plain_name, snake
from ingen_sdkgen.languages.rust.options import Options, Renames
from ingen_sdkgen.languages.rust.types import RustTypes
from ingen_sdkgen.languages.rust.views import (
    CallView,
    ExportedResourceView,
    GuestFunctionView,
    ImportedResourceView,
    ImportView,
    MemberView,
    ModuleView,
    StubResourceView,
    StubTraitView,
    TypeView,
    WorldView,
)
from ingen_sdkgen.model import (
    Enum,
    Flags,
    Record,
    Resource,
    Type,
    TypeId,
    Variant,
)

_BYTES_PER_LINE = 24

# What the names of types in signatures mean, so that they do without the standard library's prelude.
_FOR_EVERY_MODULE = ["BTreeMap", "String", "Vec"]


def world_view(plan: Plan, options: Options) -> WorldView:
    """The view of a world.

    Raises: CodegenError, where an option does not fit the world.
    """
    return _Builder(plan, options).world()


def module_name(plan: Plan, options: Options) -> str:
    """The plain name of the generated file's module.

    Raises: CodegenError
    """
    name = options.file or snake(plan.name)
    if not is_plain_name(name):
        raise CodegenError("Rust", f"`{name}`", "no Rust module can be called that")
    return name


class _Builder:
    def __init__(self, plan: Plan, options: Options) -> None:
        self._plan = plan
        self._options = options
        self._renames = Renames(options.renames)
        self._modules = Modules(plan, self._renames)
        self._types = RustTypes(plan, self._modules, self._renames)
        self._abi = Abi(self._types)
        self._result_area = ResultArea()
        self._functions = Functions(self._types, self._abi, self._result_area)
        self._errors = self._types.errors()
        self._borrowed = self._types.borrowed()
        self._calls: list[CallView] = []
        self._stubs: list[StubTraitView] = []
        self._stub_names = Names(["Component"])
        self._module_name = module_name(plan, options)

    def world(self) -> WorldView:
        plan = self._plan
        root = self._module(self._modules.root)
        self._renames.check()
        doc = documentation(plan.docs)
        content = plan.component_type
        lines = [content[at : at + _BYTES_PER_LINE] for at in range(0, len(content), _BYTES_PER_LINE)]
        return WorldView(
            doc,
            bool(doc),
            plan.full_name,
            identifier(self._module_name),
            f"_ingen_export_{snake_case(plan.name)}",
            root,
            tuple(self._calls),
            bool(self._calls),
            self._options.realloc,
            self._abi.functions,
            str(self._result_area.size),
            plan.component_type_section,
            str(len(content)),
            tuple(map(_byte_string, lines)),
            tuple(self._stubs),
        )

    # --- Modules ------------------------------------------------------------------------------------------

    def _module(self, module: Module) -> ModuleView:
        at = module.path
        docs: list[str] = []
        types: list[TypeView] = []
        imported: list[ImportedResourceView] = []
        exported: list[ExportedResourceView] = []
        imports: list[ImportView] = []
        guests: list[GuestFunctionView] = []
        calls: list[CallView] = []
        for number in module.scopes:
            scope = self._plan.scopes[number]
            if scope.docs is not None:
                docs.append(documentation(scope.docs, scope.stability))
            types += [self._type(type_, at) for type_ in scope.types if self._is_listed(type_)]
            free = [function for function in scope.functions if function.resource is None]
            names = FunctionNames(scope, free, self._renames)
            if scope.direction is Direction.IMPORT:
                imports += [self._functions.imported(function, names.of(function), at) for function in free]
                imported += [self._imported_resource(scope, resource, at) for resource in scope.resources]
            else:
                views = [
                    self._functions.exported(function, names.of(function), at, "Guest") for function in free
                ]
                resources = [self._exported_resource(scope, resource, at) for resource in scope.resources]
                exported += [resource for resource, _ in resources]
                guests += [view.guest for view in views]
                calls += [call for view in views for call in view.calls]
                calls += [call for _, resource_calls in resources for call in resource_calls]
                self._stub(scope, free, names, at)
        self._calls += calls
        children = tuple(self._module(child) for child in module.children.values())
        doc = "\n\n".join(docs)
        return ModuleView(
            doc=doc,
            has_doc=bool(doc),
            name=identifier(at[-1]) if at else "",
            abi=f"{relative(ABI_PATH, at)}{{{', '.join((['self'] if at else []) + _FOR_EVERY_MODULE)}}}",
            types=tuple(types),
            imported_resources=tuple(imported),
            exported_resources=tuple(exported),
            imports=tuple(imports),
            has_guest=bool(guests or exported),
            guest_functions=tuple(guests),
            calls=tuple(calls),
            modules=children,
            has_items=bool(module.scopes),
        )

    # --- Resources ----------------------------------------------------------------------------------------

    def _imported_resource(self, scope: ScopePlan, resource: ResourcePlan, at: Path) -> ImportedResourceView:
        planned = self._plan.types[resource.type]
        names = self._types.resource_names(resource.type)
        functions = _functions_of(self._plan, scope, resource)
        spelled = FunctionNames(scope, functions, self._renames)
        doc = documentation(planned.docs, planned.stability)
        return ImportedResourceView(
            doc,
            bool(doc),
            identifier(names.own),
            names.borrow,
            resource.type in self._borrowed,
            resource.type in self._errors,
            resource.drop.module,
            resource.drop.name,
            tuple(self._functions.imported(function, spelled.of(function), at) for function in functions),
        )

    def _exported_resource(
        self, scope: ScopePlan, resource: ResourcePlan, at: Path
    ) -> tuple[ExportedResourceView, list[CallView]]:
        planned = self._plan.types[resource.type]
        names = self._types.resource_names(resource.type)
        functions = _functions_of(self._plan, scope, resource)
        spelled = FunctionNames(scope, functions, self._renames)
        views = [
            self._functions.exported(function, spelled.of(function), at, names.guest)
            for function in functions
        ]
        doc = documentation(planned.docs, planned.stability)
        assert resource.new is not None and resource.rep is not None, "an exported resource has both"
        view = ExportedResourceView(
            doc,
            bool(doc),
            identifier(names.own),
            names.borrow,
            resource.type in self._borrowed,
            resource.type in self._errors,
            names.guest,
            resource.drop.module,
            resource.drop.name,
            resource.new.name,
            resource.rep.name,
            tuple(view.guest for view in views),
        )
        calls = [call for function_view in views for call in function_view.calls]
        calls.append(self._functions.destructor(resource, identifier(names.own), at))
        return view, calls

    # --- Types --------------------------------------------------------------------------------------------

    def _is_listed(self, type_: TypeId) -> bool:
        return not isinstance(self._plan.types[type_].kind, Resource)

    def _type(self, type_: TypeId, at: Path) -> TypeView:
        planned = self._plan.types[type_]
        kind = planned.kind
        alias = not isinstance(kind, Record | Variant | Enum | Flags)
        shared = self._types.imported(type_) is not None
        doc = documentation(planned.docs, planned.stability)
        target, borrow_name, borrow_target, has_borrow_alias = "", "", "", False
        if shared:
            target = self._types.path(type_, at)
        elif alias:
            if planned.value is not None:
                target = self._types.structural(kind, at, "'a")
            else:
                resource = self._types.resource(type_)
                target = self._types.path(resource.type, at)
                has_borrow_alias = resource.type in self._borrowed
                borrow_name = self._types.resource_names(type_).borrow
                borrow_target = self._types.path(resource.type, at, borrow=True)
        members, bits = self._members(type_, at)
        return TypeView(
            doc=doc,
            has_doc=bool(doc),
            name=identifier(self._types.name(type_)),
            generics="<'a>" if planned.has_borrow else "",
            any="<'_>" if planned.has_borrow else "",
            derives=self._derives(type_, planned),
            members=members,
            is_shared=shared,
            is_alias=alias,
            is_record=isinstance(kind, Record),
            is_variant=isinstance(kind, Variant),
            is_enum=isinstance(kind, Enum),
            is_flags=isinstance(kind, Flags),
            is_plain=self._types.is_plain(type_) if planned.value is not None else False,
            is_error=type_ in self._errors,
            target=target,
            has_borrow_alias=has_borrow_alias,
            borrow_name=borrow_name,
            borrow_target=borrow_target,
            repr=f"u{8 * planned.layout.size}" if planned.layout is not None else "",
            all_bits=f"0x{bits:x}",
        )

    def _members(self, type_: TypeId, at: Path) -> tuple[tuple[MemberView, ...], int]:
        """The members of a type; for flags, with the mask of all of them."""
        kind = self._plan.types[type_].kind
        members: list[tuple[str, str | None, Type | None]]
        match kind:
            case Record(fields):
                members = [(field.name, field.docs, field.type) for field in fields]
            case Variant(cases):
                members = [(case.name, case.docs, case.type) for case in cases]
            case Enum(labels):
                members = [(label.name, label.docs, None) for label in labels]
            case Flags(flags):
                members = [(flag.name, flag.docs, None) for flag in flags]
            case _:
                return (), 0
        views = []
        for number, ((label, docs, part_type), name) in enumerate(
            zip(members, self._types.members(type_), strict=True)
        ):
            doc = documentation(docs)
            text = "" if part_type is None else self._types.owned(part_type, at, "'a")
            views.append(
                MemberView(
                    doc, bool(doc), identifier(name), text, part_type is not None, label, f"0x{1 << number:x}"
                )
            )
        return tuple(views), (1 << len(members)) - 1

    def _derives(self, type_: TypeId, planned: PlannedType) -> str:
        """What a record, variant, enum or flags type derives."""
        kind = planned.kind
        if not isinstance(kind, Record | Variant | Enum | Flags):
            return ""
        derives = [] if isinstance(kind, Flags) else ["Debug"]
        if not planned.has_own and not planned.has_borrow:
            derives.append("Clone")
            if self._types.is_copy(type_):
                derives.append("Copy")
            derives.append("PartialEq")
            if not self._types.has_float(type_):
                derives += ["Eq", "Hash"]
            if isinstance(kind, Enum | Flags):
                derives += ["PartialOrd", "Ord"]
            if isinstance(kind, Flags):
                derives.append("Default")
            known = {*derives, "Debug"}
            derives += [path for path in self._options.derives if path.rpartition("::")[2] not in known]
        return ", ".join(derives)

    # --- Stubs --------------------------------------------------------------------------------------------

    def _stub(self, scope: ScopePlan, free: list[FunctionPlan], names: FunctionNames, at: Path) -> None:
        # As if the stubs stood in a module beside the file of bindings.
        outside = ("_ingen_stubs",)
        start = f"{identifier(self._module_name)}::"

        def signature(function: FunctionPlan, spelled: FunctionNames) -> str:
            text = self._functions.guest_signature(function, spelled.of(function), outside)
            return text.replace("super::", start)

        resources = []
        for resource in scope.resources:
            functions = _functions_of(self._plan, scope, resource)
            spelled = FunctionNames(scope, functions, self._renames)
            own = self._types.resource_names(resource.type)
            resources.append(
                StubResourceView(
                    identifier(own.own),
                    self._stub_names.allot(own.own),
                    start + "".join(f"{identifier(name)}::" for name in at) + own.guest,
                    tuple(signature(function, spelled) for function in functions),
                )
            )
        if free or resources:
            self._stubs.append(
                StubTraitView(
                    start + "".join(f"{identifier(name)}::" for name in at) + "Guest",
                    tuple(signature(function, names) for function in free),
                    tuple(resources),
                )
            )


def _functions_of(plan: Plan, scope: ScopePlan, resource: ResourcePlan) -> list[FunctionPlan]:
    """The functions of a resource."""
    return [
        function
        for function in scope.functions
        if function.resource is not None and plan.types[function.resource].canonical == resource.type
    ]


def _byte_string(content: bytes) -> str:
    """The content of a byte string literal that may go on in the next line."""
    return "".join(
        chr(byte) if 0x20 < byte < 0x7F and byte not in b'"\\' else f"\\x{byte:02x}" for byte in content
    )
