"""The dipole that our own motion makes (Compton & Getting 1935, Phys. Rev. 47, 817).

Cosmic rays that are isotropic in a frame in which we move with velocity v, with an intensity
~ E^-gamma at fixed energy, arrive with the dipole (2 + gamma) v/c: the excess comes from where we
move to.
"""

import numpy as np

from hpc_cr.constants import SPEED_OF_LIGHT_M_PER_S

LOCAL_STANDARD_OF_REST = (11.1, 12.24, 7.25)
"""Sun's velocity (U, V, W) in km/s, Galactic Cartesian, relative to the local standard of rest
(Schoenrich, Binney & Dehnen 2010, MNRAS 403, 1829): 18.0 km/s towards (l, b) = (47.8, 23.7)."""


def compton_getting_dipole(velocity_km_s, index):
    """Dipole of a motion through isotropic cosmic rays.

    Parameters
    ----------
    velocity_km_s : array_like (..., 3)
        Of the observer relative to the frame in which the cosmic rays are isotropic, km/s,
        Galactic Cartesian.
    index : float
        gamma of the differential energy spectrum E^-gamma.

    Returns
    -------
    ndarray (..., 3)
        delta, Galactic Cartesian; it adds to the dipole of the propagation.
    """
    speed_of_light_km_s = SPEED_OF_LIGHT_M_PER_S / 1e3
    return (2.0 + index) * np.asarray(velocity_km_s, float) / speed_of_light_km_s


def add_dipole(alm, dipole):
    """Multipoles of a sky with a dipole added.

    Parameters
    ----------
    alm : array (..., n_lm), complex
        Of the relative intensity, healpy's order, l_max of at least 1.
    dipole : array_like (3,)
        In the frame of the multipoles.

    Returns
    -------
    ndarray (..., n_lm), complex
    """
    alm = np.array(alm, complex)
    l_max = int((np.sqrt(8 * alm.shape[-1] + 1) - 3) / 2 + 0.5)
    x, y, z = np.asarray(dipole, float)
    alm[..., 1] += np.sqrt(4 * np.pi / 3) * z
    alm[..., l_max + 1] -= np.sqrt(2 * np.pi / 3) * (x - 1j * y)
    return alm
