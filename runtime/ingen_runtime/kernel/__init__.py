"""What one guest process may see and spend: clocks, files, streams, randomness, sockets, limits.

Preview 1 and preview 2 of WASI and the SDK are front doors to it.
"""
