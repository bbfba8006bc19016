"""Weights that Python and Go compute alike, so that fixtures need not store them.

A tensor's values come from a SplitMix64 stream whose seed is the FNV-1a hash
of its name, xor the fixture's seed. The top 24 bits of each number make a
float in [-1, 1), exactly; the tensor's role says how it is scaled. All
arithmetic is in float32 with one rounding per operation, as in
embed/blip2/random.go.
"""

import math

import numpy as np

_GAMMA = np.uint64(0x9E3779B97F4A7C15)


def fnv1a(text: str) -> int:
    """The 64-bit FNV-1a hash of the text's UTF-8 bytes."""
    value = 0xCBF29CE484222325
    for byte in text.encode():
        value = ((value ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return value


def stream(name: str, seed: int, count: int) -> np.ndarray:
    """The first count numbers of the named SplitMix64 stream."""
    with np.errstate(over="ignore"):
        start = np.uint64(fnv1a(name) ^ seed)
        z = start + np.arange(1, count + 1, dtype=np.uint64) * _GAMMA
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))


def uniform(name: str, seed: int, count: int) -> np.ndarray:
    """Floats in [-1, 1), each a multiple of 2^-23."""
    top = (stream(name, seed, count) >> np.uint64(40)).astype(np.float32)
    return top * np.float32(2.0**-23) - np.float32(1)


def tensor(name: str, shape: tuple[int, ...], seed: int) -> np.ndarray:
    """The values of the checkpoint tensor of this name and shape."""
    values = uniform(name, seed, math.prod(shape))
    head = name.rsplit(".", 1)[0].lower()
    if name.endswith(".bias"):
        values = values * np.float32(0.125)
    elif "norm" in head:
        values = np.float32(1) + values * np.float32(0.25)
    elif name.endswith("_embeddings.weight") or "embedding" in name.rsplit(".", 1)[-1] or name == "query_tokens":
        values = values * np.float32(0.5)
    else:
        values = values * np.float32(1.75 / math.sqrt(math.prod(shape[1:])))
    return values.reshape(shape)
