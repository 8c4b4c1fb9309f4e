"""The cloud of particles around a burst, counted around the source's field line.

Cells are rings around the field line of the source: at a distance s from the source along the
uniform field, on either side of it, and at a distance d from the point where the field line has
moved s along the uniform field, across it.
"""

from typing import NamedTuple

import numpy as np

from hpc_cr.diffusion import tensors
from hpc_cr.statistics import mean_and_error


class Cells(NamedTuple):
    """A cloud in cells; arrays have the axes (n_stop, 2 sides, n_along, n_perpendicular)."""

    count: np.ndarray  # particles
    density: np.ndarray  # count/(particles x volume), 1/pc^3
    flow: np.ndarray  # (..., 3) mean direction along the field, away from the line, around it


def count_in_cells(displacement, direction, line, axis, along, perpendicular):
    """Count particles in the cells around a field line.

    Parameters
    ----------
    displacement, direction : ndarray (n_stop, n, 3)
        From the source, pc, and direction of motion, Galactic Cartesian.
    line : ndarray (2, n_node, 3)
        The field line on both sides, at equal distances along +-axis from 0 to along[-1], pc from
        the source; NaN where unknown.
    axis : ndarray (3,)
        Unit vector of the uniform field: side 0 is where it points to.
    along, perpendicular : array (n_along + 1,), (n_perpendicular + 1,)
        Edges of the cells, pc, increasing, not negative.

    Returns
    -------
    Cells
        Density and flow are NaN in cells that reach beyond the known part of the line (particles
        there are not counted), and the flow where there is no particle.
    """
    along, perpendicular = np.asarray(along, float), np.asarray(perpendicular, float)
    n_stop, n, _ = displacement.shape
    shape = (2, len(along) - 1, len(perpendicular) - 1)
    height = displacement @ axis
    side = np.where(height >= 0, 0, 1)
    away = displacement - height[..., None] * axis - _line_at(line, axis, side, np.abs(height),
                                                              along[-1])
    distance = np.linalg.norm(away, axis=-1)
    radial = np.divide(away, distance[..., None], out=np.zeros_like(away),
                       where=distance[..., None] > 0)
    around = np.cross(axis, radial)
    parts = [direction @ axis, np.sum(direction * radial, -1), np.sum(direction * around, -1)]
    i = np.searchsorted(along, np.abs(height), "right") - 1
    j = np.searchsorted(perpendicular, distance, "right") - 1
    inside = (i >= 0) & (i < shape[1]) & (j >= 0) & (j < shape[2]) & np.isfinite(distance)
    count = np.zeros((n_stop, *shape), np.int64)
    flow = np.full((n_stop, *shape, 3), np.nan)
    for stop in range(n_stop):
        use = inside[stop]
        cell = np.ravel_multi_index((side[stop, use], i[stop, use], j[stop, use]), shape)
        count[stop] = np.bincount(cell, minlength=count[stop].size).reshape(shape)
        some = count[stop] > 0
        for axis_number, part in enumerate(parts):
            total = np.bincount(cell, part[stop, use], count[stop].size).reshape(shape)
            flow[stop, ..., axis_number][some] = total[some] / count[stop][some]
    volume = np.diff(along)[:, None] * np.pi * np.diff(perpendicular**2)
    density = count / (n * volume) if n else np.full(count.shape, np.nan)
    unknown = _unknown_cells(line, along)
    density[:, unknown] = np.nan
    flow[:, unknown] = np.nan
    return Cells(count, density, flow)


def _unknown_cells(line, along):
    """Cells that reach into a part of the line that is not known, (2, n_along) of bool."""
    known = np.isfinite(line).all(axis=2)
    nodes = np.linspace(0.0, along[-1], line.shape[1])
    # a place between two nodes needs both of them
    broken = ~(known[:, 1:] & known[:, :-1])
    touched = (nodes[1:] > along[:-1, None]) & (nodes[:-1] < along[1:, None])
    return (broken[:, None] & touched).any(axis=2)


def _line_at(line, axis, side, height, longest):
    """The field line's displacement across the axis at heights (n_stop, n); NaN beyond its end."""
    across = line - (line @ axis)[..., None] * axis
    place = height / longest * (line.shape[1] - 1)
    beyond = place > line.shape[1] - 1
    first = np.minimum(place.astype(np.int64), line.shape[1] - 2)
    part = (place - first)[..., None]
    found = (1 - part) * across[side, first] + part * across[side, first + 1]
    found[beyond] = np.nan
    return found


class Moments(NamedTuple):
    """Moments of a cloud at every stop."""

    mean: np.ndarray  # (n_stop, 3) pc
    covariance: np.ndarray  # (n_stop, 3, 3) pc^2
    kurtosis: np.ndarray  # (n_stop, 3) about the mean, along `axes`; 1 for a Gaussian


def moments(displacement, axes):
    """Mean, covariance and kurtosis of a cloud.

    Parameters
    ----------
    displacement : ndarray (n_stop, n, 3)
        From the source, pc, Galactic Cartesian.
    axes : ndarray (3, 3)
        Rows: the axes of the kurtosis.

    Returns
    -------
    Moments
    """
    n_stop, n, _ = displacement.shape
    if not n:
        return Moments(*(np.full((n_stop, *shape), np.nan) for shape in ((3,), (3, 3), (3,))))
    mean = displacement.mean(axis=1)
    rest = displacement - mean[:, None]
    covariance = np.einsum("sni,snj->sij", rest, rest) / n
    return Moments(mean, covariance, tensors.kurtosis(rest, axes))


class Spread(NamedTuple):
    """How clouds have spread at every stop, mean and standard error over realisations.

    Spreads are <X_i^2>/(2 T) in pc, about the source (what many realisations fill) and, with
    `own`, about each cloud's own mean (what one of them fills).
    """

    parallel: np.ndarray  # (n_stop,)
    parallel_error: np.ndarray
    perpendicular: np.ndarray
    perpendicular_error: np.ndarray
    own_perpendicular: np.ndarray
    own_perpendicular_error: np.ndarray
    kurtosis: np.ndarray  # (n_stop, 2) along and across, about the clouds' own means
    kurtosis_error: np.ndarray


def spread(mean, covariance, kurtosis, times, axes, realisation):
    """Spread of clouds over realisations.

    Parameters
    ----------
    mean : ndarray (n_row, n_stop, 3)
        pc, Galactic Cartesian.
    covariance : ndarray (n_row, n_stop, 3, 3)
        pc^2.
    kurtosis : ndarray (n_row, n_stop, 3)
        Along the uniform field and two axes across.
    times : ndarray (n_stop,)
        pc.
    axes : ndarray (3, 3)
        Rows: along the uniform field and two across.
    realisation : ndarray (n_row,) of int

    Returns
    -------
    Spread
    """
    times = np.asarray(times, float)
    own = second_moments(np.zeros_like(mean), covariance, axes)[1]
    parts = (*second_moments(mean, covariance, axes), own)
    found = [values for part in parts for values in mean_and_error(part / (2 * times), realisation)]
    both = np.stack([kurtosis[..., 0], kurtosis[..., 1:].mean(axis=-1)], axis=-1)
    return Spread(*found, *mean_and_error(both, realisation))


def second_moments(mean, covariance, axes):
    """<X_par^2> and the mean of the two <X_perp^2> about the source, (n_row, n_stop) each, pc^2.

    Parameters
    ----------
    mean, covariance, axes
        As for `spread`.
    """
    square = np.einsum("ai,rsij,aj->rsa", axes, covariance, axes)
    square = square + np.einsum("ai,rsi->rsa", axes, mean) ** 2
    return square[..., 0], square[..., 1:].mean(axis=-1)
