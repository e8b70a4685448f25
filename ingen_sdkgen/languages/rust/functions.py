"""Functions: those that the guest calls, and those that call the guest."""

from __future__ import annotations

from ingen_sdkgen.languages.casing import snake_case
from ingen_sdkgen.languages.plan import FunctionPlan, ResourcePlan, ScopePlan
from ingen_sdkgen.languages.rust.abi import Abi
from ingen_sdkgen.languages.rust.docs import documentation
from ingen_sdkgen.languages.rust.expressions import CORE, Code, offset, tuple_of
from ingen_sdkgen.languages.rust.modules import Path
from ingen_sdkgen.languages.rust.names import Names, identifier, snake
from ingen_sdkgen.languages.rust.options import Renames
from ingen_sdkgen.languages.rust.types import METHODS, RustTypes, item_key
from ingen_sdkgen.languages.rust.values import Value, place, view
from ingen_sdkgen.languages.rust.views import CallView, ExportView, GuestFunctionView, ImportView
from ingen_sdkgen.model import FunctionShape, Primitive, Result, Type

_SETTERS = frozenset({FunctionShape.SETTER, FunctionShape.METHOD_SETTER, FunctionShape.STATIC_SETTER})


class FunctionNames:
    """The Rust names of the functions of one scope or resource; setters yield to what else is there."""

    def __init__(self, scope: ScopePlan, functions: list[FunctionPlan], renames: Renames) -> None:
        names = Names()
        self._names: dict[str, str] = {}
        ranks = {FunctionShape.CONSTRUCTOR: 0, **dict.fromkeys(_SETTERS, 2)}
        for function in sorted(functions, key=lambda function: ranks.get(function.shape, 1)):
            self._names[function.name] = names.allot(_chosen(scope, function, renames) or _spelled(function))

    def of(self, function: FunctionPlan) -> str:
        """The plain name of a function."""
        return self._names[function.name]


def _spelled(function: FunctionPlan) -> str:
    if function.shape is FunctionShape.CONSTRUCTOR:
        return "new"
    if function.shape in _SETTERS:
        return f"set_{snake(function.item_name).rstrip('_')}"
    return snake(function.item_name)


def _chosen(scope: ScopePlan, function: FunctionPlan, renames: Renames) -> str | None:
    if function.shape is FunctionShape.CONSTRUCTOR:
        return None
    name = function.item_name
    if function.resource is not None:
        name = f"{function.name.rpartition(']')[2].rpartition('.')[0]}.{name}"
    if function.shape in _SETTERS:
        name = f"set-{name}" if function.resource is None else name.replace(".", ".set-")
    return renames.of(item_key(scope, name))


class Functions:
    """Writes the functions of a world."""

    def __init__(self, types: RustTypes, abi: Abi, result_area: ResultArea) -> None:
        self._types = types
        self._plan = types.plan
        self._abi = abi
        self._result_area = result_area
        self._call_names = Names()

    # --- Imports ------------------------------------------------------------------------------------------

    def imported(self, function: FunctionPlan, name: str, at: Path) -> ImportView:
        """The function that calls an import."""
        code = self._abi.code(at)
        method = function.shape in METHODS
        params, values = self._import_params(function, code, method)
        statements: list[str] = []
        scratch = "&mut _ingen_scratch"
        if any(self._types.needs_scratch(param.type) for param in function.params):
            statements.append("let mut _ingen_scratch = _ingen::Scratch::new();")
        arguments: list[str] = []
        if function.params_spilled:
            statements.append(f"let mut _ingen_params = _ingen::Area::<{function.params_size}>::new();")
            statements.append("let _ingen_base = _ingen_params.pointer();")
            for param, value in zip(function.params, values, strict=True):
                pointer = offset("_ingen_base", param.offset)
                statements.append(code.store(param.type, value, pointer, scratch) + ";")
            arguments.append("_ingen_base as i32")
        else:
            for param, value in zip(function.params, values, strict=True):
                names = [f"_ingen_a{i}" for i in param.flat]
                statements.append(f"let {tuple_of(names)} = {code.lower(param.type, value, scratch)};")
                arguments += names
        if function.result_spilled:
            assert function.result is not None, "what is spilled is there"
            size = self._plan.layout(function.result).size
            statements.append(f"let mut _ingen_area = _ingen::Area::<{size}>::new();")
            statements.append("let _ingen_result = _ingen_area.pointer();")
            arguments.append("_ingen_result as i32")
        call = f"_ingen_import({', '.join(arguments)})"
        lifted = ""
        if function.result is None:
            statements.append(f"{call};")
        elif function.result_spilled:
            statements.append(f"{call};")
            lifted = code.load(function.result, "_ingen_result")
        else:
            lifted = code.lift(function.result, ["_ingen_result"])
            if lifted == "_ingen_result":
                lifted = call
            else:
                statements.append(f"let _ingen_result = {call};")
        doc = documentation(function.docs, function.stability)
        returns = "" if function.result is None else f" -> {code.owned(function.result)}"
        return ImportView(
            doc,
            bool(doc),
            f"pub fn {identifier(name)}({', '.join(params)}){returns}",
            _literal(function.core_module or ""),
            _literal(function.core_name),
            f"({', '.join(CORE[core] for core in function.core.params)})"
            + "".join(f" -> {CORE[core]}" for core in function.core.results),
            tuple(statements),
            lifted,
        )

    def _import_params(
        self, function: FunctionPlan, code: Code, method: bool
    ) -> tuple[list[str], list[Value]]:
        params: list[str] = []
        values: list[Value] = []
        names = Names()
        for number, param in enumerate(function.params):
            if method and number == 0:
                params.append("&self")
                values.append(view("self"))
                continue
            name = identifier(names.allot(snake(param.name)))
            if self._plan.has_own(param.type):
                params.append(f"{name}: {code.owned(param.type)}")
                values.append(place(name))
            else:
                params.append(f"{name}: {self._types.viewed(param.type, code.at)}")
                values.append(view(name))
        return params, values

    def _call_name(self, kind: str, item: str) -> str:
        return self._call_names.allot(f"_ingen_{kind}_{snake_case(item)}")

    # --- Exports ------------------------------------------------------------------------------------------

    def exported(self, function: FunctionPlan, name: str, at: Path, guest: str) -> ExportView:
        """What the guest implements and what calls it; `guest` is the trait or the resource's trait."""
        code = self._abi.code(at)
        doc = documentation(function.docs, function.stability)
        signature = self.guest_signature(function, name, at)
        call = self._call_name("call", function.name)
        calls = [self._call(function, name, code, call, guest)]
        if function.post_return is not None:
            calls.append(self._post_return(function, code, self._call_name("post", function.name)))
        return ExportView(GuestFunctionView(doc, bool(doc), signature), tuple(calls))

    def guest_signature(self, function: FunctionPlan, name: str, at: Path) -> str:
        """The signature of what the guest implements, for code in `at`: `fn f(&self, a: u32) -> String`."""
        params: list[str] = []
        names = Names()
        for number, param in enumerate(function.params):
            if number == 0 and function.shape in METHODS:
                params.append("&self")
            else:
                plain = identifier(names.allot(snake(param.name)))
                params.append(f"{plain}: {self._types.owned(param.type, at)}")
        returns = ""
        if function.shape is FunctionShape.CONSTRUCTOR:
            returns = f" -> {self._constructor_result(function, at)}"
        elif function.result is not None:
            returns = f" -> {self._types.owned(function.result, at)}"
        return f"fn {identifier(name)}({', '.join(params)}){returns}"

    def _constructor_result(self, function: FunctionPlan, at: Path) -> str:
        kind = self._kind(function.result)
        if not isinstance(kind, Result):
            return "Self"
        error = "()" if kind.err is None else self._types.owned(kind.err, at)
        return f"Result<Self, {error}>"

    def _call(self, function: FunctionPlan, name: str, code: Code, call: str, guest: str) -> CallView:
        resource = None if function.resource is None else self._types.name(function.resource)
        implementation = "_IngenT" if resource is None else f"<_IngenT as Guest>::{identifier(resource)}"
        statements = ["_ingen::run_constructors_once();"]
        arguments: list[str] = []
        if function.params_spilled:
            statements.append("let _ingen_base = a0 as *mut u8;")
        for number, param in enumerate(function.params):
            if function.params_spilled:
                lifted = code.load(param.type, offset("_ingen_base", param.offset))
            else:
                lifted = code.lift(param.type, [f"a{i}" for i in param.flat])
            if number == 0 and function.shape in METHODS:
                # A borrow of what the guest itself implements arrives as its representation.
                representation = (
                    "_ingen::read::<u32>(_ingen_base)" if function.params_spilled else "a0 as u32"
                )
                lifted = f"_ingen::Rep::<{implementation}>::get({representation})"
            statements.append(f"let p{number} = {lifted};")
            arguments.append(f"p{number}")
        if function.params_spilled:
            statements.append(
                f"_ingen::deallocate(_ingen_base, {function.params_size}, {function.params_alignment});"
            )
        invocation = f"<{implementation} as {guest}>::{identifier(name)}({', '.join(arguments)})"
        if function.shape is FunctionShape.CONSTRUCTOR:
            assert resource is not None, "a constructor is a resource's"
            make = f"{identifier(resource)}::new::<{implementation}>"
            fallible = isinstance(self._kind(function.result), Result)
            invocation = f"{invocation}.map({make})" if fallible else f"{make}({invocation})"
        value = ""
        if function.result is None:
            statements.append(f"{invocation};")
        else:
            statements.append(f"let result = {invocation};")
            if function.result_spilled:
                layout = self._plan.layout(function.result)
                self._result_area.hold(layout.size)
                statements.append("let _ingen_area = _ingen::result_area();")
                statements.append(code.put(function.result, "result", "_ingen_area") + ";")
                value = "_ingen_area as i32"
            else:
                value = code.lower(function.result, place("result"), "")
                if value == "result":
                    statements.pop()
                    value = invocation
        return self._call_view(function.core_name, call, code.at, True, function, statements, value)

    def _post_return(self, function: FunctionPlan, code: Code, call: str) -> CallView:
        assert function.result is not None and function.post_return is not None, "it frees a result"
        return CallView(
            _literal(function.post_return),
            call,
            _path(code.at, call),
            False,
            "a0: i32",
            "a0",
            "",
            ("let at = a0 as *mut u8;", code.free(function.result, "at") + ";"),
            "",
        )

    def destructor(self, resource: ResourcePlan, own: str, at: Path) -> CallView:
        """What destroys the representation of a resource that the guest exports."""
        assert resource.destructor is not None, "it is exported"
        call = self._call_name("destroy", resource.name)
        statement = f"_ingen::Rep::<<_IngenT as Guest>::{own}>::destroy(a0 as u32);"
        return CallView(
            _literal(resource.destructor), call, _path(at, call), True, "a0: i32", "a0", "", (statement,), ""
        )

    def _call_view(
        self,
        export: str,
        call: str,
        at: Path,
        generic: bool,
        function: FunctionPlan,
        statements: list[str],
        value: str,
    ) -> CallView:
        core = [f"a{i}" for i in range(len(function.core.params))]
        types = [CORE[type_] for type_ in function.core.params]
        return CallView(
            _literal(export),
            call,
            _path(at, call),
            generic,
            ", ".join(f"{name}: {type_}" for name, type_ in zip(core, types, strict=True)),
            ", ".join(core),
            "".join(f" -> {CORE[type_]}" for type_ in function.core.results),
            tuple(statements),
            value,
        )

    def _kind(self, type_: Type | None) -> object:
        if type_ is None:
            return None
        target = self._plan.canonical(type_)
        return target if isinstance(target, Primitive) else self._plan.types[target].kind


class ResultArea:
    """The memory in which exports leave their results: as large as the largest needs."""

    def __init__(self) -> None:
        self.size = 0

    def hold(self, size: int) -> None:
        """Make it large enough for a result."""
        self.size = max(self.size, size)


def _path(at: Path, name: str) -> str:
    return "::".join([*map(identifier, at), name])


def _literal(text: str) -> str:
    """A string literal; names at the component level need no escapes."""
    return f'"{text}"'
