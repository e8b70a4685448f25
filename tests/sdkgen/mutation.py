"""Broken binaries, made from sound ones."""

from __future__ import annotations

from random import Random

# What an index, a count, a type or a flag turns into most harmfully.
_BYTES = (0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x40, 0x41, 0x42, 0x68, 0x69, 0x70, 0x72, 0x7F, 0x80, 0xFF)


def mutate_binary(data: bytes, random: Random) -> bytes:
    """`data` with one to four changes, after its preamble: a byte changed, bytes lost, added or moved."""
    out = bytearray(data)
    for _ in range(random.choice((1, 1, 1, 2, 4))):
        at = random.randrange(8, len(out)) if len(out) > 8 else len(out)
        match random.randrange(8):
            case 0 | 1 | 2:
                out[at : at + 1] = bytes([random.choice(_BYTES)])
            case 3:
                out[at : at + 1] = bytes([random.randrange(256)])
            case 4:
                del out[at : at + random.choice((1, 2, 8, 40))]
            case 5:
                out[at:at] = random.randbytes(random.choice((1, 2, 5)))
            case 6:
                start = random.randrange(len(out))
                out[at:at] = out[start : start + random.choice((1, 4, 16, 60))]
            case _:
                del out[at:]
    return bytes(out)
