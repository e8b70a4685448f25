"""Emulated cloud VMs: each has addresses, environment and folders, and runs guest processes."""
