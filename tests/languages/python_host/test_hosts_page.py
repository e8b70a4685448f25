"""The page on typed hosts does what it says."""

from __future__ import annotations

import doctest
import re
import sys
from pathlib import Path

import pytest

from ingen_runtime.engine import wat_to_wasm
from ingen_sdkgen.languages import c, python_host
from ingen_sdkgen.model import WorldId
from ingen_sdkgen.render import Templates
from ingen_sdkgen.resolve import load_text
from tests.languages.c.toolchain import build

PAGE = Path(__file__).resolve().parents[3] / "docs" / "hosts.md"
GUEST = """
#include "world.h"
void *malloc(size_t size);
void free(void *ptr);
void *memcpy(void *to, const void *from, size_t n);
#define S(name) exports_demo_shop_stock_##name

struct S(cart_t) { uint32_t total; };

bool S(find)(shop_string_t name, S(item_t) *ret, S(problem_t) *err) {
    shop_string_t line = {malloc(12 + name.len), 12 + name.len};
    memcpy(line.ptr, "looking for ", 12);
    memcpy(line.ptr + 12, name.ptr, name.len);
    shop_log(line);
    shop_string_free(&line);
    if (name.len != 3) {
        *err = S(problem_unknown)(name);
        return false;
    }
    ret->name = name;
    ret->price = name.ptr[0] == 'c' ? 4 : 3;
    return true;
}
S(own_cart_t) S(cart_constructor)(shop_string_t owner) {
    S(cart_t) *made = malloc(sizeof *made);
    shop_string_free(&owner);
    made->total = 0;
    return S(own_cart_new)(made);
}
void S(cart_destructor)(S(cart_t) *rep) { free(rep); }
void S(cart_add)(S(cart_t) *self, S(item_t) *what) {
    self->total += what->price;
    S(item_free)(what);
}
uint32_t S(cart_total)(S(cart_t) *self) { return self->total; }
"""


def test_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = PAGE.read_text("utf-8")
    found = re.search(r"```wit\n(.*?)```", text, re.DOTALL)
    assert found is not None
    resolve = load_text(found[1]).resolve
    templates = Templates()
    package = tmp_path / "shop_host"
    package.mkdir()
    for name, content in python_host.generate(resolve, WorldId(0), python_host.Options(), templates).items():
        (package / name).write_bytes(content)
    (tmp_path / "guest.c").write_text(GUEST, "utf-8")
    files = c.generate(resolve, WorldId(0), c.Options("world"), templates)
    build(files, tmp_path, tmp_path / "guest.c").rename(tmp_path / "shop.wasm")
    (tmp_path / "adder.wasm").write_bytes(wat_to_wasm("(component)"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    try:
        result = doctest.testfile(str(PAGE), module_relative=False, optionflags=doctest.NORMALIZE_WHITESPACE)
    finally:
        for name in [name for name in sys.modules if name.partition(".")[0] == "shop_host"]:
            del sys.modules[name]
    assert result.failed == 0
    assert result.attempted > 8
