"""Where sources lie in the Galactic disc.

Surface densities of supernova remnants are (r/r_Sun)^a exp[-b (r - r_Sun)/r_Sun], r_Sun =
8.5 kpc: a = 1.09, b = 3.87 (Green 2015, MNRAS 454, 1517) or a = 2.00, b = 3.53 (Case &
Bhattacharya 1998, ApJ 504, 761).
"""

import numpy as np
from scipy.special import gammainc, gammaincinv

from hpc_cr.fields.random import PLACE_STREAM, seed_sequence
from hpc_cr.jf12 import SUN_RADIUS

EXPONENTS = {"green2015": (1.09, 3.87), "case1998": (2.00, 3.53)}
"""a and b of the surface densities."""


def radius_of_share(share, sources, largest):
    """Galactocentric radius within which a share of the sources lies.

    Parameters
    ----------
    share : ndarray (n,)
        0 to 1.
    sources : {"uniform", "green2015", "case1998"}
    largest : float
        Radius of the disc, pc.

    Returns
    -------
    ndarray (n,)
        pc.
    """
    if sources == "uniform":
        return largest * np.sqrt(share)
    a, b = EXPONENTS[sources]
    # r f(r) is a Gamma distribution, cut off
    scale = SUN_RADIUS / b
    return scale * gammaincinv(a + 2, share * gammainc(a + 2, largest / scale))


def disc_positions(count, seed, row, sources, half_height, largest):
    """Independent places of sources; number i does not depend on `count`.

    Parameters
    ----------
    count : int
    seed, row : int
        Name of the random stream.
    sources : {"sun", "uniform", "green2015", "case1998"}
        sun: all at the origin.
    half_height : float
        They lie evenly in |z| < half_height, pc.
    largest : float
        Largest Galactocentric radius, pc.

    Returns
    -------
    ndarray (count, 3)
        pc, observer's Galactic frame.
    """
    if sources == "sun":
        return np.zeros((count, 3))
    generator = np.random.Generator(np.random.PCG64(seed_sequence(seed, row, PLACE_STREAM)))
    draw = generator.random((count, 3))
    radius = radius_of_share(draw[:, 0], sources, largest)
    azimuth = 2 * np.pi * draw[:, 1]
    return np.stack([SUN_RADIUS + radius * np.cos(azimuth), radius * np.sin(azimuth),
                     half_height * (2 * draw[:, 2] - 1)], axis=1)
