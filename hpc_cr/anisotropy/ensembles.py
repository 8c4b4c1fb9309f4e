"""Ensembles of realisations: mean, scatter and direction of the dipole, and what is expected.

One realisation of the turbulence gives one dipole vector delta, which scatters widely. Three
things are kept apart: the scatter over realisations (cosmic variance, a property of the physics),
the error of a mean (falls with the number of realisations) and the sampling error within a
realisation (falls with the number of particles). Everything here is arrays in, numbers out;
rows of arrays are (realisation, observer) pairs. Rows of one realisation share their field, so
errors count realisations, not rows; with a single realisation every such error is NaN.
"""

from typing import NamedTuple

import numpy as np

from hpc_cr.frames import lon_lat
from hpc_cr.statistics import (
    function_of_mean,  # noqa: F401 - belongs to this module's functions of ensembles
    jackknife,
    leave_one_out,
    mean_and_error,
    undefined,
)


class DipoleSummary(NamedTuple):
    """The dipole over an ensemble, at one rigidity and stop; see `summarise` for definitions.

    Amplitudes and vectors are dimensionless, vectors and directions Galactic (the side with the
    excess); rigidity in PV, stop in pc, gradient in 1/pc, angles in degrees.
    """

    rigidity: float
    stop: float
    gradient: np.ndarray
    n: int
    n_realisation: int
    mean_amplitude: float
    mean_amplitude_error: float
    median: float
    median_error: float
    scatter: float
    scatter_error: float
    noise_floor: float
    rms_debiased: float
    vector_mean: np.ndarray
    vector_mean_error: np.ndarray
    direction: tuple
    direction_error_deg: float
    expectation: np.ndarray
    expectation_error: np.ndarray
    expectation_direction_error_deg: float


class Convergence(NamedTuple):
    """Mean response at each stop; see `convergence`."""

    mean: np.ndarray
    mean_error: np.ndarray
    coefficients: np.ndarray
    coefficients_error: np.ndarray


def summarise(
    dipoles,
    dipole_errors,
    response,
    gradient,
    *,
    rigidity=np.nan,
    stop=np.nan,
    realisation=None,
    symmetry="isotropic",
):
    """Summary of the dipoles of an ensemble.

    Parameters
    ----------
    dipoles : array (n, 3)
        Dipole vectors delta, Galactic Cartesian. Rows with a NaN are left out.
    dipole_errors : array (n, 3)
        Sampling errors of the components.
    response : array (n, 3, 3)
        Response M_ij, pc, of the same rows.
    gradient : array (3,)
        g = grad(n)/n, 1/pc.
    rigidity, stop : float
        Carried into the result, PV and pc.
    realisation : array (n,) of int, optional
        Realisation of each row; default: each row its own.
    symmetry : "isotropic", "none" or array (3,)
        Symmetry of the set-up, see `symmetrise`.

    Returns
    -------
    DipoleSummary
        n, n_realisation : rows and realisations used.
        mean_amplitude, scatter : mean and standard deviation (n - 1) of |delta| over the rows.
        median : of |delta|; its error is half the distance of the order statistics that bracket
        the central 68 % of the binomial distribution.
        noise_floor : sqrt(<sum_i error_i^2>), the |delta| that the finite number of particles
        alone would give (r.m.s.).
        rms_debiased : sqrt(<|delta|^2> - noise_floor^2); 0 where the noise is the larger.
        vector_mean : <delta>; direction : its (l, b); direction_error_deg : r.m.s. angular
        distance, sqrt of the summed variances of the two components across it over its length.
        expectation : dipole of the ensemble, <M> under the symmetry of the set-up times g;
        expectation_direction_error_deg : as direction_error_deg.
        Errors (*_error) are standard errors by the jackknife over realisations; NaN for one.
    """
    dipoles, dipole_errors = np.asarray(dipoles, float), np.asarray(dipole_errors, float)
    use = np.isfinite(dipoles).all(axis=-1)
    group = np.arange(len(dipoles)) if realisation is None else np.asarray(realisation)
    dipoles, dipole_errors, group = dipoles[use], dipole_errors[use], group[use]
    expected = symmetrise(np.asarray(response, float)[use], symmetry) @ np.asarray(gradient)
    amplitude = np.linalg.norm(dipoles, axis=-1)
    n_realisation = len(np.unique(group))

    mean, mean_error = mean_and_error(amplitude, group)
    scatter, scatter_error = scatter_and_error(amplitude, group)
    vector, vector_error = mean_and_error(dipoles, group)
    expectation, expectation_error = mean_and_error(expected, group)
    noise = float(np.sqrt(np.mean(np.sum(dipole_errors**2, axis=-1)))) if len(dipoles) else np.nan
    excess = float(np.mean(amplitude**2)) - noise**2 if len(dipoles) else np.nan
    lon, lat = lon_lat(vector)
    return DipoleSummary(
        rigidity=float(rigidity),
        stop=float(stop),
        gradient=np.asarray(gradient, float),
        n=len(dipoles),
        n_realisation=n_realisation,
        mean_amplitude=float(mean),
        mean_amplitude_error=float(mean_error),
        median=float(np.median(amplitude)) if len(dipoles) else np.nan,
        median_error=median_error(amplitude, n_realisation),
        scatter=float(scatter),
        scatter_error=float(scatter_error),
        noise_floor=noise,
        rms_debiased=float(np.sqrt(max(excess, 0.0))) if len(dipoles) else np.nan,
        vector_mean=vector,
        vector_mean_error=vector_error,
        direction=(float(lon), float(lat)),
        direction_error_deg=_direction_error(dipoles, group, vector),
        expectation=expectation,
        expectation_error=expectation_error,
        expectation_direction_error_deg=_direction_error(expected, group, expectation),
    )


def convergence(response, realisation=None, symmetry="isotropic"):
    """Mean response at each stop, to see whether it has reached its limit.

    Parameters
    ----------
    response : array (n, n_stop, 3, 3)
        Response M_ij, pc; rows with a NaN are left out.
    realisation : array (n,) of int, optional
        Realisation of each row.
    symmetry : "isotropic", "none" or array (3,)
        Symmetry of the set-up. Without an axis the coefficients refer to the z axis.

    Returns
    -------
    Convergence
        mean, mean_error (n_stop, 3, 3): <M> and its standard error, pc.
        coefficients, coefficients_error (n_stop, 3): M_par, M_perp and the Hall coefficient of
        <M>, pc; for an isotropic set-up M_par = M_perp = tr<M>/3 and no Hall part.
    """
    response = np.asarray(response, float)
    use = np.isfinite(response).all(axis=(1, 2, 3))
    response = response[use]
    group = np.arange(len(response)) if realisation is None else np.asarray(realisation)[use]
    parts = coefficients(response, symmetry)
    return Convergence(*mean_and_error(response, group), *mean_and_error(parts, group))


def coefficients(response, symmetry):
    """M_par, M_perp and Hall coefficient of a response.

    M = M_par b b + M_perp (1 - b b) + M_Hall eps_ijk b_k for an axis b, a sense included.

    Parameters
    ----------
    response : array (..., 3, 3)
        M_ij, pc.
    symmetry : "isotropic", "none" or array (3,)
        The axis b, of any length; "isotropic" gives (tr M/3, tr M/3, 0); "none" takes b = z.

    Returns
    -------
    ndarray (..., 3)
        M_par, M_perp, M_Hall, pc.
    """
    response = np.asarray(response, float)
    trace = np.trace(response, axis1=-2, axis2=-1)
    if isinstance(symmetry, str) and symmetry == "isotropic":
        return np.stack([trace / 3, trace / 3, np.zeros_like(trace)], axis=-1)
    b = _axis(symmetry)
    parallel = np.einsum("...ij,i,j", response, b, b)
    # eps_ijk b_k eps_ijl b_l = 2: half the contraction is the coefficient
    hall = np.einsum("...ij,ij", response, _cross_matrix(b)) / 2
    return np.stack([parallel, (trace - parallel) / 2, hall], axis=-1)


def symmetrise(response, symmetry):
    """The part of a response that the symmetry of the set-up allows the ensemble mean to have.

    Averaging over the directions that are equivalent lowers the error of <M> without a bias.

    Parameters
    ----------
    response : array (..., 3, 3)
        M_ij, pc.
    symmetry : "isotropic", "none" or array (3,)
        "isotropic": tr M/3 delta_ij; an axis b (uniform regular field, with its sense, any
        length): M_par b b + M_perp (1 - b b) + M_Hall eps_ijk b_k; "none": M as it is.

    Returns
    -------
    ndarray (..., 3, 3)
        pc.
    """
    response = np.asarray(response, float)
    if isinstance(symmetry, str) and symmetry == "none":
        return response
    parallel, perpendicular, hall = np.moveaxis(coefficients(response, symmetry), -1, 0)
    b = np.array([0.0, 0.0, 1.0]) if isinstance(symmetry, str) else _axis(symmetry)
    bb = np.outer(b, b)
    return (
        parallel[..., None, None] * bb
        + perpendicular[..., None, None] * (np.eye(3) - bb)
        + hall[..., None, None] * _cross_matrix(b)
    )


def sampling_errors(response_error, noise, gradient):
    """Sampling errors of the dipole components for a gradient.

    delta_i = M_ij g_j sums over correlated M_ij (the displacement's components belong to the same
    particles), with the correlations rho_jk of the shot noise:
    error_i^2 = sum_jk g_j g_k e_ij e_ik rho_jk.

    Parameters
    ----------
    response_error : array (..., 3, 3)
        Sampling errors e_ij of M_ij, pc.
    noise : array (..., 3, 3)
        Shot-noise power N_jk of the displacement maps, pc^2; rho_jk = N_jk / sqrt(N_jj N_kk).
    gradient : array (3,) or (..., 3)
        g, 1/pc; broadcast against the leading axes.

    Returns
    -------
    ndarray (..., 3)
        Dimensionless.
    """
    noise = np.asarray(noise, float)
    scale = np.sqrt(np.maximum(np.diagonal(noise, axis1=-2, axis2=-1), 0.0))
    product = scale[..., :, None] * scale[..., None, :]
    # a component without noise has no error, so its correlation is never used
    rho = np.divide(noise, product, out=np.zeros_like(noise), where=product > 0)
    weighted = np.asarray(response_error, float) * np.asarray(gradient, float)[..., None, :]
    square = np.einsum("...ij,...jk,...ik->...i", weighted, rho, weighted)
    square = np.where(np.isfinite(noise).all(axis=(-2, -1))[..., None], square, np.nan)
    return np.sqrt(np.maximum(square, 0.0))


def scatter_and_error(values, group):
    """Standard deviation (n - 1) of all rows and its standard error.

    The parameters are those of `mean_and_error`.

    Returns
    -------
    scatter, error : ndarray (...)
        NaN where undefined: for one row; the error also where a group is all but one row.
    """
    values = np.asarray(values, float)
    if len(values) < 2:
        return undefined(values), undefined(values)
    centred = values - values.mean(axis=0)  # sums of squares lose digits otherwise
    count, total = leave_one_out(centred, group)
    _, squares = leave_one_out(centred**2, group)
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = (squares - total**2 / count) / (count - 1)
    left_out = np.where(count > 1, np.sqrt(np.maximum(variance, 0.0)), np.nan)
    return values.std(axis=0, ddof=1), jackknife(left_out)


def median_error(amplitude, n_independent):
    """Half the distance of the order statistics at n/2 -+ sqrt(n)/2 (binomial, 68 %)."""
    if n_independent < 2:
        return np.nan
    # sqrt(n)/2 of independent values, as a fraction of the sorted sample
    half = 0.5 / np.sqrt(n_independent)
    low, high = np.quantile(amplitude, [max(0.5 - half, 0.0), min(0.5 + half, 1.0)])
    return float(high - low) / 2


def _direction_error(dipoles, group, vector):
    """R.m.s. angular distance of the mean vector's direction from the true one, degrees."""
    length = np.linalg.norm(vector)
    if not np.isfinite(length) or length == 0:
        return np.nan
    along = vector / length
    across = np.linalg.svd(along[None, :])[2][1:]  # two unit vectors at right angles to it
    _, error = mean_and_error(dipoles @ across.T, group)
    return float(np.degrees(np.arctan2(np.sqrt(np.sum(error**2)), length)))


def _axis(symmetry):
    if isinstance(symmetry, str):
        return np.array([0.0, 0.0, 1.0])
    axis = np.asarray(symmetry, float)
    return axis / np.linalg.norm(axis)


def _cross_matrix(b):
    """eps_ijk b_k."""
    return np.array([[0.0, b[2], -b[1]], [-b[2], 0.0, b[0]], [b[1], -b[0], 0.0]])
