"""Components: from bytes to instances that Python calls.

The way of a component, each step in the module of its name:

1.  `binary` decodes bytes to definitions, by index and unchecked. Core modules are read as far as linking
    needs.
2.  `evaluate` walks the definitions with a `scope` of index spaces, checks every rule (`canon_checks`,
    `core_definitions`, `extern_checks`, `subtyping`, `visibility`), and makes types (`types` by structure,
    `entities` by definition) and a `plan`: the steps of instantiation. For a core module that carries a
    `component-type` section, `module_plan` makes the plan.
3.  `component.Component` holds the plan and has the core modules compiled. `saved` keeps both in the code
    cache, so that a large component is decoded and checked once; then nothing of steps 1 and 2 runs.
4.  `linker.Linker` takes the host's objects; `host_imports` finds in them what implements the imports.
5.  `instantiate` carries out the plan's steps: core instances, resources, functions. `lowering` makes the
    core functions that guests import; `ingen_runtime.canonical` compiles them when they are first called.
6.  `instance.Instance` and `exports.Exports` are what Python sees. `interface` and `type_text` describe it.

`concurrency` has the async part: tasks, the scheduler, streams and futures. `items` is what index spaces
hold at run time, with the state of an instance.
"""
