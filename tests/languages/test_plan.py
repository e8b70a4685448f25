"""The lowering plan agrees with wasm-tools on every world's core names and signatures."""

from __future__ import annotations

import pytest

from ingen_runtime.core_types import CoreFuncType, NumberType
from ingen_sdkgen.languages.errors import CodegenError
from ingen_sdkgen.languages.plan import Direction, Plan, ResourcePlan, ScopePlan
from ingen_sdkgen.languages.planning import find_world, plan_world
from ingen_sdkgen.model import List, Primitive, Record, WorldId
from ingen_sdkgen.resolve import load, load_text
from ingen_sdkgen.rewrite import types_in
from tests.languages.worlds import WIT, CoreNames, WorldCase, conformance_worlds, dummy_module, own_worlds

CASES = conformance_worlds() + own_worlds()


def _text(type_: CoreFuncType) -> str:
    params = " ".join(map(str, type_.params))
    results = " ".join(map(str, type_.results))
    return " ".join([f"(param {params})"] * bool(params) + [f"(result {results})"] * bool(results))


def _core_names(plan: Plan) -> CoreNames:
    imports, exports = {}, {}
    for scope in plan.scopes:
        for function in scope.functions:
            if function.core_module is not None:
                imports[function.core_module, function.core_name] = _text(function.core)
            else:
                exports[function.core_name] = _text(function.core)
        for resource in scope.resources:
            for intrinsic in (resource.drop, resource.new, resource.rep):
                if intrinsic is not None:
                    imports[intrinsic.module, intrinsic.name] = _text(intrinsic.type)
            if resource.destructor is not None:
                exports[resource.destructor] = "(param i32)"
    return CoreNames(imports, exports)


def _plan(file: str, world: str) -> Plan:
    resolve = load(WIT / file).resolve
    world_id = find_world(resolve, world)
    assert world_id is not None
    return plan_world(resolve, world_id, "test")


def _scope(plan: Plan, direction: Direction, key: str | None) -> ScopePlan:
    return next(scope for scope in plan.scopes if (scope.direction, scope.key) == (direction, key))


def _resource_meant(plan: Plan, scope: ScopePlan, name: str) -> ResourcePlan:
    return plan.resource(next(type_ for type_ in scope.types if plan.types[type_].name == name))


@pytest.mark.parametrize("case", [case for case in CASES if not case.asynchronous], ids=lambda case: case.id)
def test_core_names_and_signatures(case: WorldCase) -> None:
    expected = dummy_module(case)
    plan = plan_world(case.resolve, case.world, "test")
    found = _core_names(plan)
    assert found.imports == expected.imports
    own = ("cabi_realloc", "_initialize")
    posts = {name: type_ for name, type_ in expected.exports.items() if name.startswith("cabi_post_")}
    assert found.exports == {k: v for k, v in expected.exports.items() if k not in own and k not in posts}
    for scope in plan.scopes:
        for function in scope.functions:
            assert function.post_return is None or function.post_return in posts
            assert function.post_return is None or function.direction is Direction.EXPORT


def test_types_come_after_those_they_are_made_of() -> None:
    for case in CASES:
        if not case.asynchronous:
            for number, planned in enumerate(plan_world(case.resolve, case.world, "test").types):
                assert all(isinstance(t, Primitive) or t < number for t in types_in(planned.kind))


def test_an_interface_on_both_sides_has_two_sets_of_types() -> None:
    plan = _plan("scopes.wit", "both")
    imported = _scope(plan, Direction.IMPORT, "test:scopes/base@1.2.3")
    exported = _scope(plan, Direction.EXPORT, "test:scopes/base@1.2.3")
    assert not set(imported.types) & set(exported.types)
    for direction, base in ((Direction.IMPORT, imported), (Direction.EXPORT, exported)):
        for key in ("middle", "top"):
            scope = _scope(plan, direction, f"test:scopes/{key}@1.2.3")
            assert _resource_meant(plan, scope, "res") == base.resources[0]
            assert base.resources[0].direction is direction


def test_an_exported_interface_takes_types_from_imports_that_are_not_exported() -> None:
    plan = _plan("scopes.wit", "below")
    base = _scope(plan, Direction.IMPORT, "test:scopes/base@1.2.3")
    for direction, key in (
        (Direction.IMPORT, "middle"),
        (Direction.EXPORT, "middle"),
        (Direction.EXPORT, "top"),
    ):
        scope = _scope(plan, direction, f"test:scopes/{key}@1.2.3")
        assert _resource_meant(plan, scope, "res") == base.resources[0]


def test_labels_give_an_interface_types_of_its_own() -> None:
    plan = _plan("scopes.wit", "of-its-own")
    bases = [scope for scope in plan.scopes if scope.interface == "base"]
    assert [(scope.direction, scope.key, scope.labelled) for scope in bases] == [
        (Direction.IMPORT, "first", True),
        (Direction.IMPORT, "second", True),
        (Direction.IMPORT, "test:scopes/base@1.2.3", False),
        (Direction.EXPORT, "labelled", True),
    ]
    assert len({scope.resources[0].type for scope in bases}) == 4


def test_spilled_parameters_and_results() -> None:
    plan = _plan("scopes.wit", "below")
    for direction, result in ((Direction.IMPORT, ()), (Direction.EXPORT, (NumberType.I32,))):
        spilled = _scope(plan, direction, "test:scopes/middle@1.2.3").functions[-1]
        assert spilled.params_spilled
        assert spilled.result_spilled
        assert [param.offset for param in spilled.params] == [0, 64]
        assert (spilled.params_size, spilled.params_alignment) == (104, 8)
        assert spilled.core.results == result
        assert spilled.post_return is None


def test_canonical_types_have_no_aliases() -> None:
    plan = _plan("scopes.wit", "below")
    top = _scope(plan, Direction.EXPORT, "test:scopes/top@1.2.3").functions[0]
    middle = _scope(plan, Direction.IMPORT, "test:scopes/middle@1.2.3").functions[0]
    assert top.params[0].type != middle.params[1].type
    assert plan.canonical(top.params[0].type) != plan.canonical(middle.params[0].type)
    canonical = plan.canonical(top.params[0].type)
    assert not isinstance(canonical, Primitive)
    kind = plan.types[canonical].kind
    assert isinstance(kind, List)
    assert not isinstance(kind.type, Primitive)
    assert isinstance(plan.types[kind.type].kind, Record)
    assert plan.owns_memory(canonical)
    assert not plan.has_own(canonical)


@pytest.mark.parametrize(
    ("item", "named", "feature"),
    [
        ("export f: async func();", "function `f` of world `a:b/w`", "`async` functions"),
        ("import f: func(x: list<stream<u8>>);", "function `f` of world `a:b/w`", "streams"),
        ("export i: interface { type t = option<future>; }", "type `t` of interface `i`", "futures"),
        (
            "import i: interface { f: func(x: error-context); }",
            "function `f` of interface `i`",
            "error contexts",
        ),
    ],
)
def test_what_a_language_lacks(item: str, named: str, feature: str) -> None:
    text = f"package a:b;\nworld w {{\n  {item}\n}}\n"
    loaded = load_text(text)
    with pytest.raises(CodegenError) as caught:
        plan_world(loaded.resolve, WorldId(0), "Klingon")
    assert caught.value.item == named
    assert str(caught.value) == f"{named}: Klingon bindings cannot have {feature} yet"
    assert caught.value.span is not None
    assert loaded.sources.locate(0, caught.value.span.start).line == 3
    plan_world(loaded.resolve, WorldId(0), "Vulcan", lacks=())
