"""The response tensor: what dipole a unit gradient of the density would give.

By Liouville's theorem the intensity that arrives from n is the phase-space density at the other
end of the trajectory, I(n)/I0 = 1 + g_j X_j(n) for a uniform relative gradient g = grad n / n.
Its dipole delta_i = M_ij g_j follows by least squares over the directions used,

    M = A^-1 <(n - <n>)(X - <X>)^T>,   A_ij = <(n_i - <n_i>)(n_j - <n_j>)>,

which for the full set of HEALPix centres (<n> = 0) is A^-1 <n X^T>; A is 1/3 to 1.5e-3 at
nside 8, and with it a free particle gives M = T exactly.
"""

from typing import NamedTuple

import numpy as np


class Response(NamedTuple):
    """Response of one sky: index i is the sky axis, j the axis of displacement (or direction)."""

    response: np.ndarray  # (3, 3) M_ij, unit of the maps
    error: np.ndarray  # (3, 3) sampling error of M_ij
    noise: np.ndarray  # (3, 3) shot-noise power N_jj' of the maps, unit^2 (sr)


def dipole_matrix(directions, maps):
    """M_ij (3, n_map) of maps (n_pix, n_map), or (3,) of one (n_pix,), over directions (n_pix, 3).

    All values must be finite.
    """
    n = directions - directions.mean(axis=0)
    return np.linalg.solve(n.T @ n, n.T @ (maps - maps.mean(axis=0)))


def nested_quads(nside):
    """RING numbers (n_pix/4, 4) of the four children of each pixel of nside/2, NESTED order.

    Within a group the pixels 0 and 3 lie opposite each other, as do 1 and 2.
    """
    import healpy

    return healpy.nest2ring(nside, np.arange(12 * nside * nside)).reshape(-1, 4)


def quad_covariance(residual, quads):
    """Covariance (n_map, n_map) per pixel of the part of maps that is independent between pixels.

    From the second difference r_0 - r_1 - r_2 + r_3 of four neighbouring pixels, which is zero
    for a map linear across them; a quad with a missing pixel is left out.

    Parameters
    ----------
    residual : ndarray (n_pix, n_map)
    quads : ndarray (n_quad, 4)
        From `nested_quads`.
    """
    r = residual[quads]
    second = r[:, 0] - r[:, 1] - r[:, 2] + r[:, 3]
    second = second[np.isfinite(second).all(axis=1)]
    if not len(second):
        return np.full((residual.shape[1],) * 2, np.nan)
    return second.T @ second / (4 * len(second))


def response_of(directions, maps, quads=None):
    """Response tensor of one sky with its sampling error.

    The noise of the maps is the scatter that neighbouring directions do not share (chaotic
    trajectories), seen inside quads of HEALPix pixels once monopole and dipole are taken out; for
    random directions it is the whole scatter about the dipole, since every structure of the map
    then adds to the sampling error.

    Parameters
    ----------
    directions : ndarray (n_pix, 3)
        Unit vectors n on the sky.
    maps : ndarray (n_pix, 3)
        Displacements X_j(n) in pc (or directions U_j); NaN where a particle did not finish.
    quads : ndarray (n_quad, 4), optional
        From `nested_quads`, for the full set of HEALPix centres.

    Returns
    -------
    Response
        All NaN if fewer than five particles finished.
    """
    finite = np.isfinite(maps).all(axis=1)
    count = int(finite.sum())
    if count < 5:
        return Response(*(np.full((3, maps.shape[1]), np.nan) for _ in range(3)))
    n = directions[finite]
    tensor = dipole_matrix(n, maps[finite])
    n0, x0 = n.mean(axis=0), maps[finite].mean(axis=0)
    residual = maps - x0 - (directions - n0) @ tensor
    if quads is not None:
        covariance = quad_covariance(residual, quads)
    else:
        covariance = residual[finite].T @ residual[finite] / (count - 4)
    centred = n - n0
    spread = np.diag(np.linalg.inv(centred.T @ centred))
    error = np.sqrt(np.outer(spread, np.diag(covariance)))
    return Response(tensor, error, 4 * np.pi / count * covariance)
