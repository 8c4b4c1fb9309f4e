"""Start directions on the sky: n points to where the particle comes from."""

import numpy as np

from hpc_cr.fields.random import DIRECTION_STREAM, OBSERVER_STREAM, seed_sequence


def healpix_directions(nside):
    """Centres of all HEALPix pixels in RING order.

    Parameters
    ----------
    nside : int

    Returns
    -------
    ndarray (12 nside^2, 3)
        Unit vectors, Galactic Cartesian.
    """
    import healpy

    return np.stack(healpy.pix2vec(nside, np.arange(12 * nside * nside)), axis=1)


def random_directions(count, seed, row=0):
    """Independent isotropic directions; number i does not depend on `count`.

    Parameters
    ----------
    count : int
    seed, row : int
        Name of the random stream.

    Returns
    -------
    ndarray (count, 3)
        Unit vectors, Galactic Cartesian.
    """
    sequence = seed_sequence(seed, row, DIRECTION_STREAM)
    draw = np.random.Generator(np.random.PCG64(sequence)).random((count, 2))
    cosine, azimuth = 2 * draw[:, 0] - 1, 2 * np.pi * draw[:, 1]
    sine = np.sqrt(1 - cosine**2)
    return np.stack([sine * np.cos(azimuth), sine * np.sin(azimuth), cosine], axis=1)


def observer_positions(job):
    """Positions of the observers of every row of the result file.

    The first observer of a realisation sits at the origin; further ones are placed at random in a
    cube of ten outer scales: each sees its own sky of the same field.

    Returns
    -------
    ndarray (n_row, 3)
        pc, Galactic Cartesian; row = (realisation - first_realisation) * observers + observer.
    """
    positions = np.zeros((job.run.realisations, job.particles.observers, 3))
    for realisation, places in enumerate(positions, job.run.first_realisation):
        sequence = seed_sequence(job.run.seed, realisation, OBSERVER_STREAM)
        generator = np.random.Generator(np.random.PCG64(sequence))
        size = 10 * job.turbulence.outer_scale
        places[1:] = generator.uniform(-size / 2, size / 2, (len(places) - 1, 3))
    return positions.reshape(-1, 3)


def start_directions(job, row):
    """Directions n (n_pix, 3) of one row: HEALPix centres, or random ones of their own."""
    if job.particles.nside is not None:
        return healpix_directions(job.particles.nside)
    first_row = job.run.first_realisation * job.particles.observers
    return random_directions(job.particles.count, job.run.seed, first_row + row)
