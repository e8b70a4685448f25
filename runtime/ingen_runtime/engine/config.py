"""How the engine compiles and runs code."""

from __future__ import annotations

from typing import Any, Literal

from ingen_runtime.frozen import frozen

KIB = 1024
MIB = 1024 * KIB
GIB = 1024 * MIB


@frozen
class EngineConfig:
    """The settings of an `Engine`.

    The defaults are for speed, and for 10,000 guests in a process: see `memory_reservation`.
    """

    memory_reservation: int = 4 * GIB
    """Address space that each linear memory reserves, in bytes. With 4 GiB it never moves, which saves
    work in every call that passes strings or lists, and code that accesses it is smaller. With 0 it takes a
    memory mapping less, and address space does not limit the number of memories to 32,000."""
    memory_guard_size: int = 32 * MIB
    """Inaccessible bytes after each linear memory; with a reservation of 4 GiB they save bounds checks."""
    memory_reservation_for_growth: int = 0
    """Bytes to reserve beyond a memory that moved, so that it moves less often."""
    max_wasm_stack: int = 512 * KIB
    """Stack that guest code may use, host functions' frames between guest frames included, in bytes."""
    async_stack_size: int = 8 * MIB + 512 * KIB
    """Stack of a fiber, in bytes: `max_wasm_stack`, and for host functions the 8 MiB that CPython's own
    limits of recursion count on. Only touched pages cost."""
    epoch_interruption: bool = True
    """Compile checks into loops and functions that let the host interrupt a guest, or make it yield."""
    consume_fuel: bool = False
    """Compile an instruction counter into the code, so that stores can limit fuel. Costs speed."""
    opt_level: Literal["none", "speed", "speed_and_size"] = "speed"
    nan_canonicalization: bool = False
    """Make every NaN that an instruction produces the same one, for reproducible runs."""
    simd: bool = True
    relaxed_simd: bool = True
    relaxed_simd_deterministic: bool = False
    tail_call: bool = True
    multi_memory: bool = True
    memory64: bool = True
    exceptions: bool = True
    function_references: bool = True
    gc: bool = True
    wide_arithmetic: bool = True
    parallel_compilation: bool = True
    """Compile one module's functions on all cores."""

    def __post_init__(self) -> None:
        if self.async_stack_size < self.max_wasm_stack + 256 * KIB:
            raise ValueError(
                f"async_stack_size ({self.async_stack_size}) must exceed max_wasm_stack "
                f"({self.max_wasm_stack}) by at least 256 KiB, the room for host functions"
            )

    def fingerprint(self) -> str:
        """Equal for two configurations exactly when they make the same code of a module, in any process."""
        settings = self._settings()
        del settings["parallel_compilation"]
        return ",".join(f"{name}={value}" for name, value in sorted(settings.items()))

    def compiling_alone(self) -> EngineConfig:
        """The same configuration, compiling on one thread."""
        return EngineConfig(**{**self._settings(), "parallel_compilation": False})

    def _settings(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__match_args__}
