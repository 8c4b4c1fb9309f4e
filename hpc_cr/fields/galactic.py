"""Fields that change over the Galaxy, for kernels: JF12, and the turbulence's strength.

The strength of the turbulent field is multiplied by

    s(r, z) = exp[-(r - r_Sun)/R] exp[-z^2/(2 H^2)],

1 at the Sun: the form of the random halo field of Jansson & Farrar (2012, ApJ 761, L11), who find
R = 10.97 kpc and H = 2.84 kpc. The product is not exactly free of divergence: div(s B) =
B . grad s, of the order of L_c/R or L_c z/H^2 of what B has by its own structure.
"""

import numpy as np

from hpc_cr.jf12 import SUN_RADIUS, regular_field
from hpc_cr.kernel import njit

jf12 = njit(regular_field)
"""`hpc_cr.jf12.regular_field`, compiled by numba."""

NO_GALAXY = np.zeros(0)
"""FieldArrays.galactic of a field that is the same everywhere."""
DISK, HALO, POLOIDAL, RADIUS, HEIGHT = range(5)
"""Numbers of FieldArrays.galactic: 1 where a part of JF12 is on, else 0; R and H of the
turbulence in pc, infinite for a strength that does not change with r or z."""


def galactic_array(parts=(), radius=np.inf, height=np.inf):
    """FieldArrays.galactic.

    Parameters
    ----------
    parts : collection of str
        Of "disk", "halo", "x-field": parts of JF12.
    radius, height : float
        Scales R and H of the turbulence's strength, pc.

    Returns
    -------
    ndarray (5,), or (0,) where nothing changes with the place
    """
    if not parts and np.isinf(radius) and np.isinf(height):
        return NO_GALAXY
    on = [float(name in parts) for name in ("disk", "halo", "x-field")]
    return np.array([*on, radius, height])


@njit
def add_galaxy(galactic, regular, x, y, z, bx, by, bz):
    """Scale the turbulent part of a field at a point (observer's frame, pc) and add JF12 (uG)."""
    gx = x - SUN_RADIUS
    if galactic[RADIUS] < np.inf or galactic[HEIGHT] < np.inf:
        # inf: the quotients are 0
        depth = z / galactic[HEIGHT]
        outward = (np.sqrt(gx * gx + y * y) - SUN_RADIUS) / galactic[RADIUS]
        share = np.exp(-outward - 0.5 * depth * depth)
        bx = regular[0] + share * (bx - regular[0])
        by = regular[1] + share * (by - regular[1])
        bz = regular[2] + share * (bz - regular[2])
    if galactic[DISK] > 0.0 or galactic[HALO] > 0.0 or galactic[POLOIDAL] > 0.0:
        jx, jy, jz = jf12(gx, y, z, galactic[DISK] > 0.0, galactic[HALO] > 0.0,
                          galactic[POLOIDAL] > 0.0)
        bx += jx
        by += jy
        bz += jz
    return bx, by, bz
