"""Random packages: ours and wasm-tools agree on them, in every form."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings

from ingen_sdkgen.decode import decode
from ingen_sdkgen.encode import EncodeError, encode_package
from ingen_sdkgen.model import (
    PackageId,
    Resolve,
    Stability,
    Stable,
    World,
    WorldFunction,
    WorldInterface,
    WorldType,
)
from ingen_sdkgen.model_json import render_json, to_json
from ingen_sdkgen.resolve import load_text
from ingen_sdkgen.wit.printer import print_wit
from tests.sdkgen.canonical import canonical
from tests.sdkgen.oracle import FEATURES, OracleError, wit_binary, wit_json, wit_json_text, wit_text
from tests.sdkgen.strategies import document, generate, packages
from tests.sdkgen.test_encode import without_producers
from tests.sdkgen.test_printer import layout_free

SHARES = 8
BATCHES_PER_SHARE = 5
BATCH = 50


def read(text: str) -> Resolve:
    return load_text(text, features=["active"]).resolve


def texts(seeds: range) -> list[str]:
    return [generate(Random(seed), f"n{seed}") for seed in seeds]


@pytest.mark.slow
@pytest.mark.parametrize("share", range(SHARES))
def test_ours_agrees_with_wasm_tools(share: int) -> None:
    """2,000 groups of packages, many in one run of wasm-tools."""
    for batch in range(BATCHES_PER_SHARE):
        first = (share * BATCHES_PER_SHARE + batch) * BATCH
        seeds = range(first, first + BATCH)
        text = document(texts(seeds))
        if to_json(read(text)) != wit_json(text, *FEATURES):
            for seed in seeds:
                alone = document(texts(range(seed, seed + 1)))
                assert to_json(read(alone)) == wit_json(alone, *FEATURES), f"seed {seed}:\n{alone}"
            pytest.fail(f"seeds {seeds} differ together only")


@settings(max_examples=50, deadline=None)
@given(packages())
def test_ours_agrees_with_wasm_tools_on_what_hypothesis_finds(text: str) -> None:
    assert render_json(read(document([text]))) == wit_json_text(document([text]), *FEATURES)


@pytest.mark.slow
@pytest.mark.parametrize("share", range(4))
def test_every_form_of_a_package_gives_it_back(share: int) -> None:
    checked = 0
    for seed in range(share * 25, share * 25 + 25):
        resolve = read(document(texts(range(seed, seed + 1))))
        for number in range(1, len(resolve.packages)):
            checked += check_forms(replace(resolve, main=PackageId(number)))
    assert checked > 20


def check_forms(resolve: Resolve) -> bool:
    """Check the text, and the binary; returns False where there is none that wasm-tools reads."""
    text = print_wit(resolve)
    reread = read(text)
    if not takes_gates_from_elsewhere(resolve):
        assert canonical(to_json(reread)) == canonical(to_json(resolve))
    assert print_wit(reread) == text
    if not has_bare_label(resolve):
        assert layout_free(text) == layout_free(wit_text(text, *FEATURES))

    try:
        binary = encode_package(reread)
    except EncodeError:
        # Text may have what binaries must not, like `stream<char>`.
        with pytest.raises(OracleError):
            wit_binary(text, *FEATURES)
        return False
    assert binary == without_producers(wit_binary(text, "--skip-validation", *FEATURES))
    try:
        expected = wit_json_text(binary)
    except OracleError:
        decode(binary)
        return False
    assert render_json(decode(binary)) == expected
    return True


def takes_gates_from_elsewhere(resolve: Resolve) -> bool:
    """Whether a world has a gate with a version that its own package has not: by an include."""
    return any(
        isinstance(stability, Stable) and resolve.packages[world.package].name.version is None
        for world in resolve.worlds
        for stability in world_gates(resolve, world)
    )


def world_gates(resolve: Resolve, world: World) -> Iterator[Stability]:
    for item in (*world.imports.values(), *world.exports.values()):
        match item:
            case WorldInterface(interface, stability):
                yield stability
                content = resolve.interfaces[interface]
                if content.name is None:
                    yield from (resolve.types[type_].stability for type_ in content.types.values())
                    yield from (function.stability for function in content.functions.values())
            case WorldFunction(function):
                yield function.stability
            case WorldType(type_):
                yield resolve.types[type_].stability


def has_bare_label(resolve: Resolve) -> bool:
    """Whether a label has no documentation, but its interface has: wasm-tools then prints that one."""
    return any(
        isinstance(item, WorldInterface)
        and isinstance(key, str)
        and item.docs is None
        and resolve.interfaces[item.interface].name is not None
        and resolve.interfaces[item.interface].docs is not None
        for world in resolve.worlds
        for key, item in (*world.imports.items(), *world.exports.items())
    )
