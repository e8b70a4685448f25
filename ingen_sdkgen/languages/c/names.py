"""Identifiers of C, usable from C++ as well.

File-scope names are prefixed by interface or world and given out by `Names`, which never gives out one twice.
Fields and parameters go through `local_name`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Final

from ingen_sdkgen.languages.casing import snake_case
from ingen_sdkgen.languages.plan import Direction, Plan

RESERVED_PREFIX: Final = "ingen_"
"""What generated names that no user is meant to write begin with; no name from WIT gets to."""

_C_KEYWORDS: Final = """
    auto break case char const continue default do double else enum extern float for goto if inline int long
    register restrict return short signed sizeof static struct switch typedef union unsigned void volatile
    while alignas alignof bool constexpr false nullptr static_assert thread_local true typeof typeof_unqual
    asm fortran
"""
_CPP_KEYWORDS: Final = """
    and and_eq atomic_cancel atomic_commit atomic_noexcept bitand bitor catch char8_t char16_t
    char32_t class co_await co_return co_yield compl concept const_cast consteval constinit
    contract_assert decltype delete dynamic_cast explicit export final friend import module mutable
    namespace new noexcept not not_eq operator or or_eq override private protected public reflexpr
    reinterpret_cast requires static_cast synchronized template this throw transaction_safe
    transaction_safe_dynamic try typeid typename using virtual wchar_t xor xor_eq
"""
# Macros of the standard library, and its functions that look like a prefixed name.
_STANDARD_NAMES: Final = """
    assert complex errno imaginary noreturn null offsetof stdin stdout stderr setjmp unix linux main environ
    va_arg va_copy va_end va_start aligned_alloc at_quick_exit quick_exit posix_memalign posix_fadvise
    posix_fallocate sched_yield clock_getres clock_gettime clock_nanosleep clock_settime call_once
    thrd_create mtx_lock cnd_wait tss_create cabi_realloc
"""
_STANDARD_PATTERN: Final = re.compile(
    r"u?int(_least|_fast)?\d+_t|(u?int(ptr|max)|s?size|ptrdiff|wchar|wint|max_align|time|clock|off|l*div)_t"
    r"|U?INT(_LEAST|_FAST)?(\d+|PTR|MAX)_(MAX|MIN|C|WIDTH)"
    r"|(CHAR|SCHAR|UCHAR|SHRT|USHRT|INT|UINT|LONG|ULONG|LLONG|ULLONG|FLT|DBL|LDBL|SIZE|PTRDIFF|WCHAR|WINT)_\w+"
)

KEYWORDS: Final = frozenset(_C_KEYWORDS.split()) | frozenset(_CPP_KEYWORDS.split())
_RESERVED: Final = KEYWORDS | frozenset(_STANDARD_NAMES.split())


def local_name(name: str) -> str:
    """A field or parameter: snake case, with an underscore where C, C++ or their libraries want the name.

    What looks like a type or like one of our own names gets one too, so that no type and no function is
    hidden where the local name is in scope.
    """
    plain = snake_case(name)
    taken = plain in _RESERVED or plain.endswith("_t") or plain.startswith(RESERVED_PREFIX)
    return f"{plain}_" if taken else plain


class Names:
    """Names of one scope of C, each given out once."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = set(taken)

    def claim(self, *parts: str, suffix: str = "") -> str:
        """A name from parts joined by underscores, and a suffix; numbered where that is taken or C's own."""
        stem = "_".join(part for part in parts if part)
        name, number = f"{stem}{suffix}", 2
        while name in self._taken or name in _RESERVED or _STANDARD_PATTERN.fullmatch(name):
            name = f"{stem}_{number}{suffix}"
            number += 1
        self._taken.add(name)
        return name


def scope_prefixes(plan: Plan, world: str) -> list[str]:
    """What the names of each scope begin with, by the scope's number.

    Interfaces of packages: `namespace_package_interface`, with the package's version where the world has two
    versions of the package. Interfaces that go by a label, and the world's own items: the label or `world`.
    What is exported has `exports_` in front.
    """
    versions = Counter(
        (package.namespace, package.name)
        for package in {scope.package for scope in plan.scopes if scope.package is not None}
    )
    names, prefixes = Names(), []
    for scope in plan.scopes:
        if scope.key is None:
            stem = world
        elif scope.labelled or scope.package is None or scope.interface is None:
            stem = snake_case(scope.key)
        else:
            package = scope.package
            several = versions[package.namespace, package.name] > 1
            parts = [package.namespace, package.name, (package.version or "") if several else ""]
            stem = snake_case(" ".join([*parts, scope.interface]))
        exported = "exports" if scope.direction is Direction.EXPORT else ""
        prefixes.append(names.claim(exported, stem))
    return prefixes
