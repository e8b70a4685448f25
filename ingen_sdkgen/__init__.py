"""Ingen SDK generator: WIT in, typed bindings out."""
