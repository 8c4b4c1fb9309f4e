"""The dipole inside the cloud of a burst, measured in several ways.

In cells around the source's field line (`hpc_cr.diffusion.clouds`), as an excess towards the
source:

    flow       3 <u_away>, u_away the direction of motion along the uniform field, away from it:
               an intensity I0 (1 + delta.n), n = -u, has <u> = -delta/3
    gradient   -3 D_par d ln n/ds, from the density of neighbouring cells
    Gaussian   3 s/(2 c T)

and at an observer by backtracking into the Gaussian cloud of the ensemble: the intensity from n is
the density at T - tau where the antiparticle that starts along n is after a time tau. That has the
Hall part of the diffusion tensor in it, which 3 R/(2 c T) leaves out (`response_dipole`).

Rows are realisations (and observers); errors are over realisations, never over particles alone.
"""

from typing import NamedTuple

import numpy as np

from hpc_cr.sources import gaussian
from hpc_cr.statistics import function_of_mean, mean_and_error

SIDES = np.array([1.0, -1.0])
"""Sign of the uniform field's direction on the two sides of a source, away from it."""


class Profile(NamedTuple):
    """Along the field line: value, its error over realisations, particles behind it.

    Attributes
    ----------
    value, error : ndarray (n_along, ...)
    particles : ndarray (n_along, ...)
    """

    value: np.ndarray
    error: np.ndarray
    particles: np.ndarray


def flow_profile(count, flow, realisation):
    """3 <u_away> per cell, both sides together.

    Parameters
    ----------
    count : ndarray (n_row, 2, n_along, n_perp)
        Particles.
    flow : ndarray (n_row, 2, n_along, n_perp, 3)
        Mean direction along the uniform field, away from the field line, around it.
    realisation : ndarray (n_row,) of int

    Returns
    -------
    Profile
        Means over all particles of all rows: (n_along, n_perp), dimensionless, positive for an
        excess from the source's side. Cells whose flow is not known (NaN) are left out of both
        sums; NaN where there are no particles in at least two realisations.
    """
    away = SIDES[:, None, None] * flow[..., 0]
    weight = np.where(np.isfinite(away), count, 0.0).sum(axis=1)
    total = np.where(np.isfinite(away), count * away, 0.0).sum(axis=1)
    particles = weight.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        value, error = function_of_mean(_ratio, np.stack([3 * total, weight], -1), realisation)
    few = _realisations_with(weight, realisation) < 2
    value, error = np.array(value), np.array(error)
    value[few] = error[few] = np.nan
    return Profile(value, error, particles)


def flow_over_gaussian(count, flow, places, time, realisation):
    """Flow dipole over 3 s/(2 c T): the slope through the origin over all cells.

    Parameters
    ----------
    count, flow, realisation
        As for `flow_profile`.
    places : ndarray (n_along,)
        Mean distance s of the particles in the cells, pc (`mean_places`).
    time : float
        T, pc.

    Returns
    -------
    ratio, error : float
        1 for the diffusive dipole of a Gaussian cloud; sum N u s over sum N s^2, times 2 T. Over
        all of a cloud, with every particle's own s, this is d ln<s^2>/d ln T: 2 for free flight.
    """
    away = SIDES[:, None, None] * flow[..., 0]
    known = np.isfinite(away)
    s = np.asarray(places, float)[:, None]
    up = np.where(known, count * away * s, 0.0).sum(axis=(1, 2, 3))
    down = np.where(known, count * s**2, 0.0).sum(axis=(1, 2, 3))
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio, error = function_of_mean(_ratio, np.stack([2 * time * up, down], -1), realisation)
    return float(ratio), float(error)


def mean_density(count, density, realisation):
    """Density in cells over rows and sides.

    Parameters
    ----------
    count, density : ndarray (n_row, 2, n_along, n_perp)
        1/pc^3; NaN where a field line is not known, which leaves out that side of the row.
    realisation : ndarray (n_row,) of int

    Returns
    -------
    mean, poisson, error : ndarray (n_along, n_perp)
        1/pc^3; Poisson error of the particles counted, and standard error over realisations,
        which has the Poisson error in it. Where no particle was counted the mean is 0 and both
        errors are NaN; where no field line is known all three are NaN.
    """
    known = np.isfinite(density)
    sides = known.sum(axis=1)
    part = np.where(known, density, 0.0).sum(axis=1)
    number = np.where(known, count, 0.0).sum(axis=(0, 1))
    with np.errstate(invalid="ignore", divide="ignore"):
        mean, error = function_of_mean(_ratio, np.stack([part, sides.astype(float)], -1),
                                       realisation)
        poisson = mean / np.sqrt(number)
    empty = number == 0
    return mean, *(np.where(empty, np.nan, v) for v in (poisson, error))


def gradient_profile(density, along, across, variance, parallel, realisation):
    """-3 D_par d ln n/ds between neighbouring cells, both sides and all distances together.

    Parameters
    ----------
    density : ndarray (n_row, 2, n_along, n_perp)
        1/pc^3.
    along, across : array (n_along + 1,), (n_perp + 1,)
        Edges of the cells, pc: densities are averaged over the area within the last one.
    variance : float
        <x_par^2> of the cloud, pc^2.
    parallel : (float, float)
        D_par/c and its error, pc.
    realisation : ndarray (n_row,) of int

    Returns
    -------
    places, value, error : ndarray (n_along - 1,)
        Half way between the mean places of the cells, pc; the dipole there, positive for an excess
        from the source's side. The difference of ln n over the distance is corrected for the width
        of the cells, as it is for a Gaussian of this variance.
    """
    middle, slope = _slopes(along, variance)
    with np.errstate(invalid="ignore", divide="ignore"):
        slopes, error = function_of_mean(slope, _rings(density, across), realisation)
    slopes = np.where(np.isfinite(slopes), slopes, np.nan)
    value = 3 * parallel[0] * slopes
    return middle, value, np.hypot(3 * parallel[0] * error, 3 * parallel[1] * slopes)


def gradient_over_gaussian(density, along, across, variance, parallel, time, realisation):
    """Gradient's dipole over 3 s/(2 c T): the slope through the origin over all pairs of cells.

    Parameters
    ----------
    density, along, across, variance, parallel, realisation
        As for `gradient_profile`.
    time : float
        T, pc.

    Returns
    -------
    ratio, error : float
        Pairs with the weights of their own errors; neighbouring ones share a cell, which the
        jackknife over realisations sees. The error of D_par is in it.
    """
    middle, value, error = gradient_profile(density, along, across, variance, (parallel[0], 0.0),
                                            realisation)
    use = np.isfinite(value) & (error > 0)
    if not use.any():
        return np.nan, np.nan
    slope = _slopes(along, variance)[1]
    expected = 1.5 * middle[use] / time
    weight = expected / error[use] ** 2
    weight = weight / np.sum(weight * expected)

    def ratio(means):
        return 3 * parallel[0] * (slope(means)[..., use] @ weight)

    with np.errstate(invalid="ignore", divide="ignore"):
        found, error = function_of_mean(ratio, _rings(density, across), realisation)
    return float(found), float(np.hypot(error, found * parallel[1] / parallel[0]))


def _rings(density, across):
    """Density times area over sides and rings, and the area known, (n_row, n_along, 2)."""
    area = np.diff(np.square(np.asarray(across, float)))
    known = np.isfinite(density)
    return np.stack([np.where(known, density * area, 0.0).sum(axis=(1, 3)),
                     np.where(known, area, 0.0).sum(axis=(1, 3))], -1)  # fmt: skip


def _slopes(along, variance):
    """Places between cells, and the function that makes -d ln n/ds of means of `_rings`."""
    places = mean_places(along, variance)
    middle, steps = (places[1:] + places[:-1]) / 2, np.diff(places)
    with np.errstate(divide="ignore", invalid="ignore"):
        coarse = -np.diff(np.log(_gaussian_means(along, variance))) / steps
        correction = middle / variance / coarse

    def slope(means):
        inside = means[..., 0] / means[..., 1]
        return -np.diff(np.log(inside), axis=-1) / steps * correction

    return middle, slope


def resolved(along, variance):
    """Whether cells along the field show the dipole of a whole cloud.

    The mean place in a cell is that of a Gaussian, which an early cloud is not: the first cell must
    be narrower than half of the cloud's width. And what lies beyond the last cell is missing from
    the sums, which is the same as nothing only for a Gaussian: they must reach to twice the width.

    Parameters
    ----------
    along : array (n_along + 1,)
        Edges, pc.
    variance : float
        <x_par^2> of the cloud, pc^2.

    Returns
    -------
    (bool, bool)
        The first cell is narrow enough, and the last one far enough.
    """
    width = np.sqrt(variance)
    return bool(2 * along[1] <= width), bool(width <= along[-1] / 2)


def mean_places(edges, variance):
    """Mean distance of the particles between the edges of cells, for a Gaussian cloud.

    Parameters
    ----------
    edges : array (n_along + 1,)
        pc.
    variance : float
        <x_par^2> of the cloud, pc^2.

    Returns
    -------
    ndarray (n_along,)
        pc; the middle of a cell that the cloud does not reach.
    """
    from scipy.special import erf

    edges = np.asarray(edges, float)
    sigma = np.sqrt(variance)
    inside = np.diff(erf(edges / (np.sqrt(2) * sigma)))
    top = -np.diff(np.exp(-(edges**2) / (2 * variance))) * sigma * np.sqrt(2 / np.pi)
    reached = inside > 1e-12
    return np.where(reached, top / np.where(reached, inside, 1.0), (edges[1:] + edges[:-1]) / 2)


def _gaussian_means(edges, variance):
    """Mean of exp(-s^2/(2 variance)) between the edges, up to a factor."""
    from scipy.special import erf

    edges = np.asarray(edges, float)
    return np.diff(erf(edges / np.sqrt(2 * variance))) / np.diff(edges)


def backtracked_dipole(displacement, directions, position, time, back, tensor):
    """Dipole at an observer in a Gaussian cloud, from trajectories in a concrete field.

    Parameters
    ----------
    displacement : ndarray (n, 3)
        X(tau; n) of the antiparticles from the observer, pc.
    directions : ndarray (n, 3)
        n on the sky, all over it.
    position : ndarray (3,)
        The observer's from the source, pc.
    time, back : float
        T since the burst and tau, pc.
    tensor : ndarray (3, 3)
        D/c of the cloud, pc.

    Returns
    -------
    ndarray (3,)
        delta, Galactic Cartesian: A^-1 <I n>/<I> with A = <n n> over the directions, 1/3 each for
        all of the sky.
    """
    intensity = gaussian.density(position + displacement, time - back, tensor)
    second = directions.T @ directions / len(directions)
    means = (intensity[:, None] * directions).mean(axis=0) - intensity.mean() * directions.mean(0)
    return np.linalg.solve(second, means) / intensity.mean()


def response_dipole(response, position, time, tensor):
    """delta = M grad ln n of the Gaussian cloud, the linear form of `backtracked_dipole`.

    Parameters
    ----------
    response : ndarray (..., 3, 3)
        M_ij, pc; i = sky axis, j = displacement axis.
    position, time, tensor
        As for `backtracked_dipole`.

    Returns
    -------
    ndarray (..., 3)
        Galactic Cartesian. The symmetric part of <M>, 3 D, makes 3 R/(2 c T) towards the source;
        the antisymmetric one, r_g for weak turbulence, adds a dipole across the field and the
        gradient, r_g d_perp/(2 D_perp T), that vanishes on the source's field line.
    """
    return response @ gaussian.log_gradient(position, time, tensor)


def response_over_diffusion(dipoles, position, time, realisation):
    """Mean of dipoles over realisations, towards the source and across, over 3 R/(2 c T).

    Parameters
    ----------
    dipoles : ndarray (n_row, 3)
    position : ndarray (3,)
        The observer's from the source, pc.
    time : float
        pc.
    realisation : ndarray (n_row,) of int

    Returns
    -------
    mean, error : ndarray (3,)
        Component towards the source first, then two across it; (1, 0, 0) is the diffusive dipole.
    """
    from hpc_cr.frames import field_axes

    axes = field_axes(-np.asarray(position, float))
    expected = gaussian.amplitude(np.linalg.norm(position), time)
    return mean_and_error(dipoles @ axes.T / expected, realisation)


def _ratio(means):
    return means[..., 0] / means[..., 1]


def _realisations_with(weight, realisation):
    """Realisations that have particles in each cell."""
    labels = np.unique(realisation)
    return sum((weight[realisation == one].sum(axis=0) > 0).astype(int) for one in labels)
