"""Async components: threads and tasks, waitables, streams and futures, and the built-ins that work on them.

Guest threads are coroutines around the engine's fibers; one `Scheduler` for each store lets them run in turn.

Source: CanonicalABI.md, "Runtime State", and Concurrency.md.
"""
