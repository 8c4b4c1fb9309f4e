"""Start directions on the sky: n points to where the particle comes from."""

import numpy as np

from hpc_cr.fields.random import (
    DIRECTION_STREAM,
    OBSERVER_STREAM,
    PLACE_STREAM,
    seed_sequence,
)
from hpc_cr.frames import patch_pixels


def healpix_directions(nside, pixels=None):
    """Centres of HEALPix pixels in RING order.

    Parameters
    ----------
    nside : int
    pixels : ndarray (n,) of int, optional
        RING numbers; default all 12 nside^2.

    Returns
    -------
    ndarray (n, 3)
        Unit vectors, Galactic Cartesian.
    """
    import healpy

    pixels = np.arange(12 * nside * nside) if pixels is None else pixels
    return np.stack(healpy.pix2vec(nside, pixels), axis=1)


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


def random_positions(count, seed, row, size):
    """Independent places in a cube around the origin; number i does not depend on `count`.

    Parameters
    ----------
    count : int
    seed, row : int
        Name of the random stream.
    size : float
        Side of the cube, pc.

    Returns
    -------
    ndarray (count, 3)
        pc, Galactic Cartesian.
    """
    generator = np.random.Generator(np.random.PCG64(seed_sequence(seed, row, PLACE_STREAM)))
    return size * (generator.random((count, 3)) - 0.5)


def observer_positions(job):
    """Positions of the observers (or sources) of every row of the result file.

    The first one of a realisation sits at the origin; further ones are placed at random in a
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
    nside, patch = job.particles.nside, job.particles.patch
    if nside is not None:
        pixels = None if patch is None else patch_pixels(nside, *patch)
        return healpix_directions(nside, pixels)
    first_row = job.run.first_realisation * job.particles.observers
    return random_directions(job.particles.count, job.run.seed, first_row + row)
