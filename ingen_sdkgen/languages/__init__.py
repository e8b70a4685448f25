"""The targets that bindings are generated for.

Each language is a package with `names` (identifiers, keywords) and `view` (finished strings for the
templates), and is entered by its `generate` function. What all guests share is in `plan`.
"""
