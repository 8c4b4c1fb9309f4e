"""Hot and cold spots of a smoothed sky: where, how strong, how significant, how wide.

A feature is a local extremum of the deviation from isotropy, the largest of its sign within a
disc of the smoothing radius. Its region is the connected part of the sky around it that exceeds
half of its amplitude; a weaker extremum inside the region of a stronger one is no feature of its
own. Its extent is the diameter of a circle of the region's solid angle.
"""

from typing import NamedTuple

import numpy as np

from hpc_cr.frames import lon_lat

SIGNIFICANT = 5.0
"""Standard deviations above which an extremum counts: a smoothed sky has some hundred independent
places, and chance gives one above five in less than one of 10^4 skies."""


class Feature(NamedTuple):
    """An extremum of a smoothed sky."""

    direction: np.ndarray  # (3,) unit vector, Galactic Cartesian
    longitude: float  # Galactic l, degrees
    latitude: float  # Galactic b, degrees
    amplitude: float  # deviation from isotropy there, in units of the map
    noise: float  # its standard error
    significance: float  # amplitude / noise, with sign
    diameter: float  # degrees, of the region above half of the amplitude


def find_features(sky, separation, significance=SIGNIFICANT, most=None):
    """The significant extrema of a smoothed sky, the strongest first.

    Parameters
    ----------
    sky : hpc_cr.anisotropy.skymaps.SmoothedMap
        From `residual_map`; RING, Galactic, NaN where unknown.
    separation : float
        Degrees: of extrema of one sign that are closer only the stronger one counts; take the
        radius of the smoothing.
    significance : float
        Least |amplitude| / noise.
    most : int, optional
        Stop after so many; default all.

    Returns
    -------
    list of Feature
    """
    import healpy

    values = np.asarray(sky.values, float)
    nside = healpy.npix2nside(len(values))
    neighbours = healpy.get_all_neighbours(nside, np.arange(len(values))).T
    # a direction without a neighbour (-1, at eight corners of the grid) points to the pixel itself
    neighbours = np.where(neighbours >= 0, neighbours, np.arange(len(values))[:, None])
    found, taken = [], np.zeros(len(values), bool)
    for pixel in _extrema(values, neighbours):
        if len(found) == most:
            break
        if taken[pixel] or not abs(sky.significance[pixel]) >= significance:
            continue
        centre = np.array(healpy.pix2vec(nside, pixel))
        if _near_stronger(found, centre, values[pixel], separation):
            continue
        region = _region(values, neighbours, pixel)
        taken |= region
        longitude, latitude = lon_lat(centre)
        found.append(
            Feature(
                centre,
                float(longitude),
                float(latitude),
                float(values[pixel]),
                float(sky.noise[pixel]),
                float(sky.significance[pixel]),
                float(np.degrees(2 * np.arccos(1 - 2 * region.mean()))),
            )
        )
    return found


def _near_stronger(found, centre, value, separation):
    """Whether a feature of the same sign lies within `separation` degrees of a place."""
    nearest = np.cos(np.radians(separation))
    return any(one.amplitude * value > 0 and one.direction @ centre > nearest for one in found)


def _extrema(values, neighbours):
    """Pixels of positive maxima and negative minima, by decreasing size."""
    around = values[neighbours]
    with np.errstate(invalid="ignore"):
        hot = (values > 0) & (values[:, None] >= around).all(axis=1)
        cold = (values < 0) & (values[:, None] <= around).all(axis=1)
    pixels = np.flatnonzero(hot | cold)
    return pixels[np.argsort(-np.abs(values[pixels]), kind="stable")]


def _region(values, neighbours, pixel):
    """Mask of the connected region around a pixel above half of its value."""
    with np.errstate(invalid="ignore"):
        above = values / values[pixel] > 0.5
    inside = np.zeros(len(values), bool)
    edge = np.array([pixel])
    while len(edge):
        inside[edge] = True
        edge = np.unique(neighbours[edge])
        edge = edge[above[edge] & ~inside[edge]]
    return inside
