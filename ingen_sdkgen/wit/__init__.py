"""WIT text: reading and printing it."""
