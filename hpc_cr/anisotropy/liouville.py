"""From trajectories to intensities on the sky by Liouville's theorem.

The density at the far end of a trajectory, at -T, may carry a uniform gradient (intensity
1 + g.X), on top of it the dipole that diffusion in that gradient has already built up there
(Ahlers & Mertsch 2015, ApJ 815, L2: the "local anisotropy term"), or a value given on a sphere
around the observer (Giacinti & Sigl 2012, PRL 109, 071101, eq. 7).
"""

import numpy as np


def gradient_intensity(displacement, gradient):
    """Relative intensity minus one, g.X, of a uniform gradient.

    Parameters
    ----------
    displacement : ndarray (..., 3)
        X in pc.
    gradient : array_like (3,)
        grad n / n in 1/pc, Galactic Cartesian.
    """
    return np.asarray(displacement) @ np.asarray(gradient, float)


def local_term(direction, diffusion, gradient):
    """Relative intensity 3 U_i K_ij g_j of the diffusive dipole present at -T.

    The cosmic ray's momentum direction there is -U, so it comes from +U, and for diffusion with
    K = D/c (pc) the intensity from a direction m is 1 + 3 m.K g.

    Parameters
    ----------
    direction : ndarray (..., 3)
        U at -T.
    diffusion : ndarray (3, 3)
        K = D/c in pc.
    gradient : array_like (3,)
        1/pc.
    """
    current = np.asarray(diffusion, float) @ np.asarray(gradient, float)
    return 3.0 * np.asarray(direction) @ current


def sphere_intensity(crossing, radius, strength, axis):
    """Relative intensity minus one of a dipole 1 + Delta (n_R . e) on a sphere.

    Equal to `gradient_intensity` with g = (Delta / R) e.

    Parameters
    ----------
    crossing : ndarray (..., 3)
        First crossing R n_R in pc.
    radius : float
        R in pc.
    strength : float
        Delta = R |g|.
    axis : array_like (3,)
        Unit vector e, Galactic Cartesian.
    """
    return strength / radius * gradient_intensity(crossing, axis)


def local_response(response, direction_response, diffusion):
    """Response with the local term: M + 3 W K.

    Parameters
    ----------
    response : ndarray (..., 3, 3)
        M, pc.
    direction_response : ndarray (..., 3, 3)
        W_ij = 3 <n_i U_j>, the dipole of the map U_j: the map 3 U_i K_ij g_j has the dipole
        3 W_ij K_jk g_k.
    diffusion : ndarray (3, 3) or (..., 3, 3)
        K = D/c, pc.

    Returns
    -------
    ndarray (..., 3, 3)
        M + 3 W K, pc.
    """
    return response + 3.0 * direction_response @ np.asarray(diffusion, float)
