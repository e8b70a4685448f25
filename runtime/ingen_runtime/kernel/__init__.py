"""What one guest process may see and spend: clocks, files, streams, randomness, sockets, limits.

Preview 1 and preview 2 of WASI and the SDK are front doors to it.

| module | has |
|---|---|
| `process` | `Process`, which holds all of the below; `Folder`, `ProcessExit` |
| `limits` | `Limits`, and what counts against them |
| `clock` | `SystemClock`; `ManualClock`, which a test moves |
| `randomness` | `SystemRandomness`; `SeededRandomness`, for repeatable runs |
| `streams` | what a stream is: `InputStream`, `OutputStream` |
| `memory_streams`, `host_streams`, `file_streams` | streams in memory, on the host's descriptors, on files |
| `directories`, `files` | `Directory` and `Listing`; `File` |
| `resolve` | how paths are kept inside of a folder |
| `errors` | `FileError` |
"""
