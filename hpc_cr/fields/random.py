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

FIELD_STREAM, DIRECTION_STREAM, OBSERVER_STREAM, WAVE_STREAM, PLACE_STREAM = range(5)
"""First number of the streams of a realisation; a stream of a level appends the level."""


def seed_sequence(seed, realisation, *stream):
    """SeedSequence of one named stream of one realisation (numpy.random.SeedSequence)."""
    return np.random.SeedSequence(seed, spawn_key=(realisation, *stream))


def philox_key(sequence):
    """Two 32-bit words (in uint64) that key `philox` for a SeedSequence."""
    return sequence.generate_state(2, np.uint32).astype(np.uint64)


@njit(forceinline=True)
def philox(c0, c1, c2, c3, k0, k1):
    """Four 32-bit random words (uint64 each) of counter (c0..c3) and key (k0, k1), all uint64."""
    for _ in range(10):
        p0 = _M0 * c0
        p1 = _M1 * c2
        c0, c1, c2, c3 = (p1 >> _SHIFT) ^ c1 ^ k0, p1 & _LOW, (p0 >> _SHIFT) ^ c3 ^ k1, p0 & _LOW
        k0 = (k0 + _W0) & _LOW
        k1 = (k1 + _W1) & _LOW
    return c0, c1, c2, c3


# The library's log, sin and cos are calls that keep a loop from being done in vector registers,
# and would take most of the time of a synthesis. These have no branches and are forced into their
# caller's loop; polynomials of fdlibm (Sun Microsystems 1993: e_log.c, k_sin.c, k_cos.c), each
# within 1e-16 on its range.

_SQRT_HALF = np.int64(np.float64(np.sqrt(0.5)).view(np.int64))
_EXPONENT = np.int64(52)
_QUARTER, _EIGHTH = np.uint64(30), np.uint64(1 << 29)


@njit(forceinline=True)
def _log(x):
    """Natural logarithm of a positive normal number."""
    bits = np.float64(x).view(np.int64)
    exponent = (bits - _SQRT_HALF) >> _EXPONENT
    # x = 2^exponent (1 + f), 1 + f in [sqrt(1/2), sqrt(2)); log(1 + f) = 2 artanh(s)
    f = np.int64(bits - (exponent << _EXPONENT)).view(np.float64) - 1.0
    s = f / (2.0 + f)
    z = s * s
    r = z * (6.666666666666735130e-01 + z * (3.999999999940941908e-01
        + z * (2.857142874366239149e-01 + z * (2.222219843214978396e-01
        + z * (1.818357216161805012e-01 + z * (1.531383769920937332e-01
        + z * 1.479819860511658591e-01))))))
    h = 0.5 * f * f
    return float(exponent) * 0.6931471805599453 - ((h - s * (h + r)) - f)


@njit(forceinline=True)
def _cos_sin(word):
    """Cosine and sine of the angle 2 pi word/2^32 of a 32-bit word (uint64)."""
    quarter = (word + _EIGHTH) >> _QUARTER
    rest = np.int64(word) - (np.int64(quarter) << np.int64(30))
    t = float(rest) * (2.0 * np.pi / 4294967296.0)   # in [-pi/4, pi/4]
    z = t * t
    s = t + t * z * (-1.66666666666666324348e-01 + z * (8.33333333332248946124e-03
        + z * (-1.98412698298579493134e-04 + z * (2.75573137070700676789e-06
        + z * (-2.50507602534068634195e-08 + z * 1.58969099521155010221e-10)))))
    c = 1.0 - 0.5 * z + z * z * (4.16666666666666019037e-02
        + z * (-1.38888888888741095749e-03 + z * (2.48015872894767294178e-05
        + z * (-2.75573143513906633035e-07 + z * (2.08757232129817482790e-09
        + z * -1.13596475577881948265e-11)))))
    odd = (quarter & np.uint64(1)) != 0
    cosine, sine = (s, c) if odd else (c, s)
    cosine = -cosine if ((quarter + np.uint64(1)) & np.uint64(2)) != 0 else cosine
    sine = -sine if (quarter & np.uint64(2)) != 0 else sine
    return cosine, sine


@njit(forceinline=True)
def four_normals(a, b, c, d, k0, k1):
    """Four independent standard normal numbers for the integer counter (a, b, c, d).

    Box & Muller 1958 (doi:10.1214/aoms/1177706645) on the four words.
    """
    w0, w1, w2, w3 = philox(
        np.uint64(a) & _LOW, np.uint64(b) & _LOW, np.uint64(c) & _LOW, np.uint64(d) & _LOW, k0, k1
    )
    scale = 1.0 / 4294967296.0
    # the half keeps the uniform number away from 0, where the logarithm has no value
    r1 = np.sqrt(-2.0 * _log((np.float64(w0) + 0.5) * scale))
    r2 = np.sqrt(-2.0 * _log((np.float64(w2) + 0.5) * scale))
    c1, s1 = _cos_sin(w1)
    c2, s2 = _cos_sin(w3)
    return r1 * c1, r1 * s1, r2 * c2, r2 * s2
