"""Sums over the pixels of a HEALPix map inside discs, ring by ring.

The centres of a RING map lie on rings of equal latitude, equally spaced, so that a disc is one
interval in each ring it touches: with running sums along the rings a disc of m pixels costs
sqrt(m) look-ups instead of m. Which pixels lie inside is decided as by healpy's query_disc: those
whose centres are not farther from the disc's than its radius.
"""

from typing import NamedTuple

import numpy as np

CHUNK = 256
"""Discs done at a time: with some hundred rings each, arrays that fit into a cache."""


class Rings(NamedTuple):
    """The rings of a RING map, from north to south."""

    z: np.ndarray  # (n_ring,) sine of the latitude
    sine: np.ndarray  # (n_ring,) cosine of the latitude
    first: np.ndarray  # (n_ring,) its first pixel
    count: np.ndarray  # (n_ring,) its pixels
    shift: np.ndarray  # (n_ring,) longitude of the first pixel in pixel distances, 0 or 0.5


def rings_of(nside):
    """The rings of a HEALPix grid (`Rings`)."""
    number = np.arange(1, 4 * nside)
    from_pole = np.minimum(number, 4 * nside - number)
    cap = from_pole < nside
    count = np.where(cap, 4 * from_pole, 4 * nside)
    # from the pole's side in the caps: 1 - z loses digits
    below = np.where(cap, from_pole**2 / (3.0 * nside**2), 0.0)
    z = np.where(cap, np.sign(2 * nside - number) * (1 - below), 4 / 3 - 2 * number / (3.0 * nside))
    sine = np.where(cap, np.sqrt(below * (2 - below)), np.sqrt(1 - z * z))
    shift = np.where(cap | ((number - nside) % 2 == 0), 0.5, 0.0)
    return Rings(z, sine, np.cumsum(count) - count, count, shift)


def disc_sums(columns, radius, centres):
    """Sums of columns over the pixels within a radius of given directions.

    Parameters
    ----------
    columns : ndarray (n_pix, k)
        Maps in RING order, finite.
    radius : float
        Degrees, above 0 and at most 90.
    centres : ndarray (n, 3)
        Unit vectors in the frame of the maps.

    Returns
    -------
    ndarray (n, k)
    """
    import healpy

    columns = np.asarray(columns, float)
    rings = rings_of(healpy.npix2nside(len(columns)))
    running = np.zeros((len(columns) + 1, columns.shape[1]))
    np.cumsum(columns, axis=0, out=running[1:])
    centres = np.asarray(centres, float)
    result = np.empty((len(centres), columns.shape[1]))
    # discs at similar latitude touch the same rings
    order = np.argsort(-centres[:, 2], kind="stable")
    for low in range(0, len(order), CHUNK):
        chosen = order[low : low + CHUNK]
        result[chosen] = _chunk(running, rings, np.radians(radius), centres[chosen])
    return result


def _chunk(running, rings, angle, centres):
    """Sums for a few discs from the running sums (n_pix + 1, k) along the map."""
    z0, phi = centres[:, 2], np.arctan2(centres[:, 1], centres[:, 0]) % (2 * np.pi)
    sine0 = np.hypot(centres[:, 0], centres[:, 1])
    top, bottom = np.arcsin(np.clip([z0.max(), z0.min()], -1, 1)) + [angle, -angle]
    latitude = np.arctan2(rings.z, rings.sine)
    near = np.flatnonzero((latitude <= top + 1e-9) & (latitude >= bottom - 1e-9))
    first, count, shift = rings.first[near], rings.count[near], rings.shift[near]
    # half of the interval in longitude, from cos(angle) = z z0 + sin sin0 cos(dphi)
    with np.errstate(divide="ignore", invalid="ignore"):
        cosine = (np.cos(angle) - z0[:, None] * rings.z[near]) / (
            sine0[:, None] * rings.sine[near]
        )
    half = np.arccos(np.clip(cosine, -1, 1))
    scale = count / (2 * np.pi)
    begin = np.floor((phi[:, None] - half) * scale - shift).astype(int) + 1
    end = np.floor((phi[:, None] + half) * scale - shift).astype(int) + 1
    end = np.where(cosine <= -1, begin + count, np.minimum(end, begin + count))
    end = np.where(cosine > 1, begin, end)
    # an interval that begins before the first pixel or ends after the last goes round: whole
    # turns are added, since the running sum of pixel k + count is that of k plus the whole ring's
    whole = running[first + count] - running[first]
    return _from_start(running, whole, first, count, end) - _from_start(
        running, whole, first, count, begin
    )


def _from_start(running, whole, first, count, index):
    """Sums (n_disc, k) over the rings of the pixels before `index` (n_disc, n_ring) of a ring."""
    turns, place = np.divmod(index, count)
    part = running[first + place] - running[first]
    return (part + turns[..., None] * whole).sum(axis=1)
