"""Estimators of ensemble quantities that need fewer realisations or fewer particles.

Each returns one number per row (realisation, observer), or a mean with its jackknife error, and
rests on an exact statement about the ensemble:

- a statistical symmetry of the set-up (`equivalent_gradients`, `amplitudes`),
- the 1/N law of the bias that noise gives to an amplitude (`half_responses`,
  `debiased_amplitudes`),
- stationarity: a particle's state at the end of its path is as likely as at the start
  (`arrival_response`),
- the diffusive dipole that is already present at -T (`limit_response`),
- the mean over all places of a function of the field, known beforehand (`field_controls`,
  `controlled_mean`).

Rows are finished ones (`Results.done`). None of this is for one sky: maps, C_l and the
distribution of |delta| come from `response` itself.
What each gains is in docs/statistics.md, measured by tools/studies/statistics.py.
"""

import numpy as np

from hpc_cr.anisotropy.ensembles import mean_and_error, symmetrise
from hpc_cr.anisotropy.multipoles import half_samples
from hpc_cr.anisotropy.response import nested_quads
from hpc_cr.trajectories.directions import healpix_directions

AZIMUTHS = 24
"""Equivalent gradients about an axis; |delta|^2 holds no more than the second harmonic of it."""


def equivalent_gradients(gradient, symmetry):
    """Gradients that the symmetry of a set-up makes equivalent to one.

    Parameters
    ----------
    gradient : array_like (3,)
        g, 1/pc.
    symmetry : "isotropic", "none" or array (3,)
        As in `ensembles.symmetrise`: every direction; none but itself; the same angle to the
        axis b, all azimuths about it.

    Returns
    -------
    ndarray (n, 3)
        1/pc; the first is the gradient itself where there is an axis or no symmetry.
    """
    g = np.asarray(gradient, float)
    if isinstance(symmetry, str):
        if symmetry == "none":
            return g[None]
        n = healpix_directions(2)
        # one of each opposite pair, since |M g| is the same for -g; no centre is on this plane
        return np.linalg.norm(g) * n[n @ [1.0, 2e-3, 3e-6] > 0]
    b = np.asarray(symmetry, float) / np.linalg.norm(symmetry)
    along, across = (g @ b) * b, g - (g @ b) * b
    angle = 2 * np.pi * np.arange(AZIMUTHS)[:, None] / AZIMUTHS
    return along + np.cos(angle) * across + np.sin(angle) * np.cross(b, across)


def amplitudes(response, gradient, symmetry):
    """|delta| = |M g| of every row, averaged over the equivalent gradients.

    The ensemble mean is that of |delta| for the gradient itself; the scatter over rows is
    smaller and is not the cosmic variance of |delta|.

    Parameters
    ----------
    response : array (..., 3, 3)
        M_ij, pc.
    gradient, symmetry
        See `equivalent_gradients`.

    Returns
    -------
    ndarray (...)
    """
    dipoles = np.asarray(response, float) @ equivalent_gradients(gradient, symmetry).T
    return np.linalg.norm(dipoles, axis=-2).mean(axis=-1)


def half_responses(alm_half, nside):
    """Responses of the two half-samples from their stored multipoles.

    With all particles finished <n (X - <X>)> of a half follows from its l = 1 multipoles, and
    the second moments of its directions are known from the pixels.

    Parameters
    ----------
    alm_half : array (..., 2, 3, n_lm), complex
        As stored, n_lm for an l_max of at least 1.
    nside : int
        At least 2: halves of 6 directions do not fix a dipole.

    Returns
    -------
    ndarray (..., 2, 3, 3)
        M_ij of each half, pc.

    Raises
    ------
    ValueError
        For nside below 2.
    """
    if nside < 2:
        raise ValueError("half-samples need nside 2 or more")
    alm = np.asarray(alm_half)
    l_max = int((np.sqrt(8 * alm.shape[-1] + 1) - 3) / 2 + 0.5)
    zero, one = alm[..., 1].real, alm[..., l_max + 1]
    moment = np.stack([-np.sqrt(2.0) * one.real, np.sqrt(2.0) * one.imag, zero], axis=-2)
    moment /= np.sqrt(12 * np.pi)  # <n_i (X_j - <X_j>)>, pc
    n = healpix_directions(nside)
    halves = [n[mask] - n[mask].mean(axis=0)
              for mask in half_samples(nested_quads(nside), len(n))]
    inverse = np.array([np.linalg.inv(half.T @ half / len(half)) for half in halves])
    return inverse @ moment


def debiased_amplitudes(whole, halves):
    """|delta| of every row without the bias of first order in the noise, 2 a(N) - <a(N/2)>.

    Noise of N particles raises the mean amplitude by c/N (for noise below the amplitude), that
    of N/2 by 2c/N. A single value may come out negative: for means only.

    Parameters
    ----------
    whole : array (...)
        `amplitudes` from all particles.
    halves : array (..., 2)
        The same from each half-sample.

    Returns
    -------
    ndarray (...)
    """
    return 2 * np.asarray(whole) - np.mean(halves, axis=-1)


def arrival_response(displacement, direction):
    """3 <X_i U_j>, whose ensemble mean is that of M_ij.

    In a homogeneous ensemble with isotropic starts the end of a backtracked path, reversed, is
    as good a start of a cosmic ray as any: M_ij = 3 <n_i X_j> turns into 3 <X_i U_j>. Its errors
    are nearly independent of those of M, since it belongs to other places.

    Parameters
    ----------
    displacement, direction : array (..., 3, n_pix)
        X_j in pc and U_j at a stop time, as stored with `output.displacement` and
        `output.final_direction`; a particle with a NaN is left out. Not for spheres: a first
        crossing is no stationary time.

    Returns
    -------
    ndarray (..., 3, 3)
        pc; NaN without particles.
    """
    x, u = np.asarray(displacement, float), np.asarray(direction, float)
    use = np.isfinite(x).all(axis=-2) & np.isfinite(u).all(axis=-2)
    count = use.sum(axis=-1)[..., None, None]
    x, u = np.where(use[..., None, :], x, 0.0), np.where(use[..., None, :], u, 0.0)
    with np.errstate(invalid="ignore"):
        return 3 * (x @ np.swapaxes(u, -1, -2)) / count


def limit_response(response, direction_response, group, symmetry):
    """Late-time limit of <M> from an earlier time, (1 - <W>)^-1 <M>.

    With the diffusive dipole already there at -T (Ahlers & Mertsch 2015) the response is
    M + 3 W K; for K = M_limit/3 that is M_limit at any T at which the memory of the direction,
    W, and the running M decay alike (exactly for small-angle scattering, not where r_g << L_c:
    compare two stops).

    Parameters
    ----------
    response, direction_response : array (n_row, ..., 3, 3)
        M_ij in pc, and W_ij = 3 <n_i U_j>.
    group : array (n_row,) of int
        Realisation of each row.
    symmetry : "isotropic", "none" or array (3,)
        As in `ensembles.symmetrise`.

    Returns
    -------
    limit, error : ndarray (..., 3, 3)
        pc, with the jackknife error over realisations.
    """
    m, w = symmetrise(response, symmetry), symmetrise(direction_response, symmetry)
    mean_m, mean_w = m.mean(axis=0), w.mean(axis=0)
    left = np.linalg.inv(np.eye(3) - mean_w)
    limit = left @ mean_m
    # first order: d limit = (1 - W)^-1 (dM + dW limit)
    _, error = mean_and_error(left @ (m + w @ limit), group)
    return limit, error


def field_controls(field, positions, reference):
    """Functions of |B| at observers minus their means over the field: |B|, |B|^2 and 1/|B|.

    Parameters
    ----------
    field : MagneticField
        One realisation.
    positions : array_like (n, 3)
        Observers, pc.
    reference : array_like (n_point, 3)
        Random points that stand for all places of the field, pc; a few thousand will do.

    Returns
    -------
    ndarray (n, 3)
        uG, uG^2, 1/uG; for `controlled_mean`.
    """
    def functions(points):
        strength = np.linalg.norm(field.at(points), axis=-1)
        return np.stack([strength, strength**2, 1 / strength], axis=-1)

    return functions(np.asarray(positions, float)) - functions(reference).mean(axis=0)


def controlled_mean(values, controls, group):
    """Mean over rows with control variates: what the controls explain does not count as error.

    A local strong field makes the gyroradius small and the response with it, and how strong the
    field is at a place is known for all places. The regression is made without the realisation
    it is applied to, so that its coefficients bring no bias.

    Parameters
    ----------
    values : array (n_row, ...)
    controls : array (n_row, n_control)
        Of zero mean over the ensemble, as from `field_controls`.
    group : array (n_row,) of int
        Realisation of each row; at least two.

    Returns
    -------
    mean, error : ndarray (...)
        Standard error over realisations.
    """
    return mean_and_error(controlled_values(values, controls, group), group)


def controlled_values(values, controls, group):
    """Values (n_row, ...) less what the controls explain, by regressions on other realisations."""
    values, controls = np.asarray(values, float), np.asarray(controls, float)
    group = np.asarray(group)
    flat = values.reshape(len(values), -1)
    columns = np.column_stack([np.ones(len(controls)), controls])
    result = np.empty_like(flat)
    for label in np.unique(group):
        own = group == label
        slopes = np.linalg.lstsq(columns[~own], flat[~own], rcond=None)[0][1:]
        result[own] = flat[own] - controls[own] @ slopes
    return result.reshape(values.shape)
