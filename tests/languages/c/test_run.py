"""C guests with a C library, as users build them."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingen_runtime.component.component import Component
from ingen_sdkgen.languages import c
from ingen_sdkgen.model import WorldId
from ingen_sdkgen.render import Templates
from ingen_sdkgen.resolve import load_text
from tests.languages.c.toolchain import STRICT, zig

HELLO = """
#include "world.h"
#include <stdio.h>
plainly_string_t exports_plainly_greet(plainly_string_t name) {
    char text[100];
    int len = snprintf(text, sizeof text, "Hello, %.*s!", (int)name.len, name.ptr);
    plainly_string_free(&name);
    return plainly_string_copy_n(text, (size_t)len);
}
"""


@pytest.mark.slow
def test_with_a_c_library(tmp_path: Path) -> None:
    resolve = load_text(
        "package a:b;\nworld plainly { export greet: func(name: string) -> string; }\n"
    ).resolve
    for name, content in c.generate(resolve, WorldId(0), c.Options("world"), Templates()).items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "user.c").write_text(HELLO, "utf-8")
    target = ("-target", "wasm32-wasi", "-mexec-model=reactor")
    zig("cc", *target, *STRICT, "-std=c99", "-O1", "world.c", "user.c", "-o", "hello.wasm", folder=tmp_path)
    instance = Component.from_file(tmp_path / "hello.wasm").instantiate()
    assert instance.call("greet", "you") == "Hello, you!"
