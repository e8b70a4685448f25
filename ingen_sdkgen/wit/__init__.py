"""The WIT text format: tokens, grammar, syntax tree, printer."""
