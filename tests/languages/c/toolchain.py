"""Compile generated C for wasm32, without a C library, and make components of it."""

from __future__ import annotations

import importlib.util
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.conftest import absent
from tests.sdkgen.oracle import wasm_tools

STRICT = ("-Wall", "-Wextra", "-Wconversion", "-Wpedantic", "-Werror")
TARGET = ("-target", "wasm32-freestanding")

# What generated code wants of a C library, and what compilers make of loops: an allocator that counts.
LIBRARY = r"""
#include <stddef.h>
#include <stdint.h>
typedef struct { size_t size; size_t unused; } block;
static unsigned char arena[1 << 22] __attribute__((aligned(16)));
static size_t used;
static block *spare[32];
int32_t live_blocks;
static unsigned class_of(size_t size) {
    unsigned class = 4;
    while (((size_t)1 << class) < size) class++;
    return class;
}
void *memcpy(void *to, const void *from, size_t n) {
    for (size_t i = 0; i < n; i++) ((char *)to)[i] = ((const char *)from)[i];
    return to;
}
void *memset(void *to, int byte, size_t n) {
    for (size_t i = 0; i < n; i++) ((char *)to)[i] = (char)byte;
    return to;
}
size_t strlen(const char *text) {
    size_t n = 0;
    while (text[n]) n++;
    return n;
}
void free(void *ptr) {
    if (ptr == NULL) return;
    block *freed = (block *)ptr - 1;
    if (freed->unused != 0xA110C) __builtin_trap();
    freed->unused = (size_t)spare[class_of(freed->size)];
    spare[class_of(freed->size)] = freed;
    live_blocks--;
}
void *realloc(void *ptr, size_t size) {
    unsigned class = class_of(size);
    block *made = spare[class];
    if (made != NULL) {
        spare[class] = (block *)made->unused;
    } else {
        if (used + sizeof *made + ((size_t)1 << class) > sizeof arena) return NULL;
        made = (block *)(arena + used);
        used += sizeof *made + ((size_t)1 << class);
    }
    made->size = (size_t)1 << class;
    made->unused = 0xA110C;
    live_blocks++;
    if (ptr != NULL) {
        size_t old = ((block *)ptr - 1)->size;
        memcpy(made + 1, ptr, old < size ? old : size);
        free(ptr);
    }
    return made + 1;
}
"""


def zig(*arguments: str | Path, folder: Path) -> None:
    """Run `zig ARGUMENTS`; a failure ends the test with what it printed."""
    package = importlib.util.find_spec("ziglang")
    if package is None or package.origin is None:
        absent("the C compiler is absent: pip install ziglang")
    program = Path(package.origin).with_name("zig")
    command = [str(program), *map(str, arguments)]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if result.returncode != 0 or result.stderr:
        pytest.fail(f"{' '.join(command)}\n{result.stderr[:20_000]}", pytrace=False)


def compile_strictly(source: Path, optimization: str = "-O1") -> Path:
    """The object of generated C; a warning ends the test."""
    made = source.with_suffix(".o")
    # Without optimization zig adds checks that call a library of its own.
    flags = ["-std=c99", optimization, "-fno-sanitize=undefined", *STRICT]
    zig("cc", *TARGET, *flags, "-c", source, "-o", made, folder=source.parent)
    return made


def compile_plainly(source: Path, text: str) -> Path:
    """The object of C that a test has written."""
    source.write_text(text, "utf-8")
    made = source.with_suffix(".o")
    zig("cc", *TARGET, "-O1", "-w", "-fno-builtin", "-c", source, "-o", made, folder=source.parent)
    return made


def check_header_as_cpp(header: Path) -> None:
    """Compile a header as C++; a warning ends the test."""
    source = header.with_suffix(".cc")
    source.write_text(f'#include "{header.name}"\n', "utf-8")
    made = header.with_suffix(".cc.o")
    zig("c++", *TARGET, "-std=c++17", *STRICT, "-c", source, "-o", made, folder=header.parent)


def link(objects: Sequence[Path], made: Path) -> Path:
    """The core module of some objects."""
    zig("wasm-ld", "--no-entry", *objects, "-o", made, folder=made.parent)
    return made


def componentize(module: Path) -> Path:
    """The component that a core module says it is, which wasm-tools has found valid."""
    made = module.with_suffix(".component.wasm")
    made.write_bytes(wasm_tools("component", "new", "--skip-validation", module))
    wasm_tools("validate", "--features", "all", made)
    return made
