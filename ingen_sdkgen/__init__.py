"""Ingen SDK generator: WIT in, typed bindings out."""

__version__ = "0.1.0"
