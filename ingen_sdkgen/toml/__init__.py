"""TOML files that people write: values of the right types, and mistakes with their places.

`tables` reads, `places` finds where in the text a mistake stands.
"""
