"""Counter-based random numbers: any mode of any field, from its name alone.

Philox 4x32-10 (Salmon, Moraes, Dror & Shaw 2011, SC'11, doi:10.1145/2063384.2063405). The
counter is the mode's integer wave vector, the key comes from SeedSequence(seed,
spawn_key=(realisation, stream)): every rank can compute any part of a field, in any order.
"""

import numpy as np

from hpc_cr.kernel import njit

_M0, _M1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_W0, _W1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)
_LOW, _SHIFT = np.uint64(0xFFFFFFFF), np.uint64(32)

FIELD_STREAM, DIRECTION_STREAM, OBSERVER_STREAM, WAVE_STREAM = 0, 1, 2, 3
"""First number of the streams of a realisation; a stream of a level appends the level."""


def seed_sequence(seed, realisation, *stream):
    """SeedSequence of one named stream of one realisation (numpy.random.SeedSequence)."""
    return np.random.SeedSequence(seed, spawn_key=(realisation, *stream))


def philox_key(sequence):
    """Two 32-bit words (in uint64) that key `philox` for a SeedSequence."""
    return sequence.generate_state(2, np.uint32).astype(np.uint64)


@njit
def philox(c0, c1, c2, c3, k0, k1):
    """Four 32-bit random words (uint64 each) of counter (c0..c3) and key (k0, k1), all uint64."""
    for _ in range(10):
        p0 = _M0 * c0
        p1 = _M1 * c2
        c0, c1, c2, c3 = (p1 >> _SHIFT) ^ c1 ^ k0, p1 & _LOW, (p0 >> _SHIFT) ^ c3 ^ k1, p0 & _LOW
        k0 = (k0 + _W0) & _LOW
        k1 = (k1 + _W1) & _LOW
    return c0, c1, c2, c3


@njit
def four_normals(a, b, c, d, k0, k1):
    """Four independent standard normal numbers for the integer counter (a, b, c, d)."""
    w0, w1, w2, w3 = philox(
        np.uint64(a) & _LOW, np.uint64(b) & _LOW, np.uint64(c) & _LOW, np.uint64(d) & _LOW, k0, k1
    )
    scale = 1.0 / 4294967296.0
    # the half keeps the uniform number away from 0, where the logarithm has no value
    r1 = np.sqrt(-2.0 * np.log((np.float64(w0) + 0.5) * scale))
    r2 = np.sqrt(-2.0 * np.log((np.float64(w2) + 0.5) * scale))
    a1 = 2.0 * np.pi * scale * np.float64(w1)
    a2 = 2.0 * np.pi * scale * np.float64(w3)
    return r1 * np.cos(a1), r1 * np.sin(a1), r2 * np.cos(a2), r2 * np.sin(a2)
