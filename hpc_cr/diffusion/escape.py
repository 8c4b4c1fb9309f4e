"""Leaving the Galaxy: where a path crosses the halo's boundary, and the gas along it.

Paths are given by points at equal distances along them, as displacements from where the particle
started or as places; between two points a path is taken as straight. Places are in the observer's
Galactic frame, pc, the Galaxy's centre at x = SUN_RADIUS.
"""

import numpy as np

from hpc_cr.constants import CM_PER_PC, PROTON_MASS_G
from hpc_cr.jf12 import SUN_RADIUS

G_PER_CM2 = PROTON_MASS_G * CM_PER_PC
"""Grammage of one pc through gas of one proton per cm^3, g/cm^2 (5.16e-6)."""


def leaves(before, after, half_height, radius):
    """Where straight pieces of path first leave the halo |z| < half_height, r < radius.

    Parameters
    ----------
    before, after : ndarray (..., 3)
        Ends of the pieces, pc; the first inside.
    half_height, radius : float
        Of the cylinder around the Galaxy's centre, pc.

    Returns
    -------
    ndarray (...)
        Fraction of the piece, in [0, 1]; inf where it ends inside.
    """
    z0, z1 = before[..., 2], after[..., 2]
    step = after - before
    with np.errstate(divide="ignore", invalid="ignore"):
        up = (np.sign(z1) * half_height - z0) / (z1 - z0)
        # |p + s q|^2 = radius^2 across the axis
        px, py = before[..., 0] - SUN_RADIUS, before[..., 1]
        qx, qy = step[..., 0], step[..., 1]
        a, b = qx * qx + qy * qy, px * qx + py * qy
        c = px * px + py * py - radius * radius
        aside = (-b + np.sqrt(np.maximum(b * b - a * c, 0.0))) / a
    ended_above = np.abs(z1) >= half_height
    ended_aside = (px + qx) ** 2 + (py + qy) ** 2 >= radius * radius
    found = np.minimum(np.where(ended_above, up, np.inf), np.where(ended_aside, aside, np.inf))
    return np.where(np.isinf(found), found, np.clip(found, 0.0, 1.0))


def mean_density(z0, z1, half_height, profile):
    """Mean density along straight pieces of path from height z0 to z1, in units of the plane's.

    Parameters
    ----------
    z0, z1 : ndarray (...)
        pc.
    half_height : float
        Half height of the slab or scale height, pc.
    profile : {"slab", "exponential"}
        1 within the half height, or exp(-|z|/half_height).

    Returns
    -------
    ndarray (...)
        (int rho dz)/(z1 - z0), exact; its limit where z0 = z1.
    """
    span = z1 - z0
    # so short a piece that the difference of integrals would lose its digits
    level = np.abs(span) < 1e-7 * half_height
    middle = 0.5 * (z0 + z1)
    if profile == "slab":
        inside = np.clip(z1, -half_height, half_height) - np.clip(z0, -half_height, half_height)
        at = (np.abs(middle) < half_height).astype(float)
    else:
        def integral(z):
            return np.sign(z) * half_height * -np.expm1(-np.abs(z) / half_height)

        inside = integral(z1) - integral(z0)
        at = np.exp(-np.abs(middle) / half_height)
    return np.where(level, at, inside / np.where(level, 1.0, span))
