# Run these with ./justw, which makes .venv first; with .venv in place, `just` does too.

export PATH := justfile_directory() / ".venv/bin" + ":" + env("PATH")
export VIRTUAL_ENV := justfile_directory() / ".venv"

# How many processes run the tests at once
workers := "2"

[private]
default:
    @just --list --unsorted

# Install what the registries cannot give: Rust's WebAssembly targets (./justw made .venv before)
[group("start")]
init:
    @python scripts/install_rust_targets.py

# Run all tests, code checks included; this is what CI runs. ARGS go to pytest: ./justw test -k cache
[group("check")]
test *ARGS: init
    python -m pytest --numprocesses {{workers}} {{ARGS}}

# Run the code checks one by one with their own output, then the other tests
[group("check")]
check: init lint
    python -m pytest --numprocesses {{workers}} --ignore tests/project/test_code_rules.py

# Run the code checks only: ruff, format, types, import rules
[group("check")]
lint:
    ruff check .
    ruff format --check .
    mypy
    lint-imports --no-cache
    just gen --check

# Generate the bindings in this repository anew; `just lint` and the tests say where they are out of date
[group("change")]
gen *ARGS:
    ingen-sdkgen gen {{ARGS}}
    ingen-sdkgen gen --project examples/fleet {{ARGS}}
    ingen-sdkgen gen --project tests/sdk/guests {{ARGS}}

# The same for guests alone
[group("change")]
gen-wasm *ARGS:
    ingen-sdkgen gen-wasm {{ARGS}}
    ingen-sdkgen gen-wasm --project examples/fleet {{ARGS}}
    ingen-sdkgen gen-wasm --project tests/sdk/guests {{ARGS}}

# Compile the guests of the demo, in Rust, C and Python
[group("change")]
build: init
    ingen-sdkgen build --project examples/fleet

# Format the code and apply ruff's safe fixes
[group("change")]
format:
    ruff check --fix .
    ruff format .

# Rewrite the golden files with what the code says now; read the diff before you commit it
[group("change")]
bless *ARGS:
    python -m pytest --numprocesses {{workers}} --bless {{ARGS}}
    git status --short

# Build a guest in each language, and run them as a fleet of VMs that find each other
[group("try")]
demo: init
    @python scripts/demo.py

# Measure everything, beside wasmtime, wasm-tools, componentize-py and jco where they can do the same
[group("try")]
bench: bench-wit bench-generate bench-host bench-wasi bench-network bench-guests

# Measure reading WIT: whole runs beside wasm-tools and componentize-py, and time against size
[group("try")]
bench-wit *ARGS:
    python -m benchmarks.wit {{ARGS}}

# Measure generating bindings, beside componentize-py and jco (which npm installs)
[group("try")]
bench-generate *ARGS:
    python -m benchmarks.generate {{ARGS}}

# Measure the component host beside wasmtime's: calls, starts, many instances
[group("try")]
bench-host:
    python -m benchmarks.calls
    python -m benchmarks.startup

# Measure files and system calls beside wasmtime's own WASI
[group("try")]
bench-wasi:
    python -m benchmarks.wasi
    python -m benchmarks.wasi --preview 2

# Measure the networks of VMs without guests: TCP, round trips, pings, many VMs
[group("try")]
bench-network *ARGS:
    python -m benchmarks.network {{ARGS}}

# Measure guests on a network: two of each language, then a thousand VMs at once
[group("try")]
bench-guests:
    python -m benchmarks.guest_network
    python -m benchmarks.fleet

# Feed the WIT front end mutated input: ./justw fuzz --minutes 5
[group("try")]
fuzz *ARGS:
    python scripts/fuzz_wit.py {{ARGS}}

# Feed corrupted components to the host: ./justw fuzz-components --count 100000
[group("try")]
fuzz-components *ARGS:
    python scripts/fuzz_component.py {{ARGS}}
