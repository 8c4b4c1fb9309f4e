"""Places of sources in the Galactic disc, drawn at random.

The surface densities are those of `hpc_cr.sources.distributions`.
"""

import numpy as np

from hpc_cr.fields.random import PLACE_STREAM, seed_sequence
from hpc_cr.jf12 import SUN_RADIUS
from hpc_cr.sources.distributions import radius_of_share


def disc_positions(count, seed, row, sources, half_height, largest):
    """Independent places of sources; number i does not depend on `count`.

    Parameters
    ----------
    count : int
    seed, row : int
        Name of the random stream.
    sources : str
        A name of `hpc_cr.sources.distributions`, or sun: all at the origin.
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
