"""Writes how generated code gets at a memory that grows: its view, and the checks against its end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ingen_runtime.canonical.endpoint import EndpointNames
from ingen_runtime.canonical.source import Source


def refresh_view(source: Source, names: EndpointNames) -> None:
    """Write what takes a view of the memory once guest code has run, which may have let it grow.

    Where the memory stays, the view of what was there serves until something lies beyond its end.
    """
    if names.stays:
        return
    if not names.keeps_view:
        _renew_view(source, names)
        return
    # This is `CoreMemory.view` written out, which saves a quarter of what it costs.
    with source.block(f"if {names.measure}(*{names.measured}) != {names.view_length}:"):
        _renew_view(source, names)


@contextmanager
def where_invalid(source: Source, names: EndpointNames, condition: str) -> Iterator[None]:
    """Write a block for where `condition`, which compares with the view's end, holds of the memory as it is
    now.
    """
    with source.block(f"if {condition}:"):
        if not names.stays:
            yield
            return
        _renew_view(source, names)
        with source.block(f"if {condition}:"):
            yield


def _renew_view(source: Source, names: EndpointNames) -> None:
    source.line(f"{names.view} = {names.view_of}()")
    if names.keeps_view:
        source.line(f"{names.view_length} = len({names.view})")
