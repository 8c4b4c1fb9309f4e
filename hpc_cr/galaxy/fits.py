"""Normalisations of predicted spectra, fitted to the measured ones (the "refitted" mode).

The intensity of species i is b_i B_i(E) + l_i L_i(E), background and local source: b_i = l_i = 1
are the templates B and L as given. The factors are at least 0 and minimise

    chi^2 = sum_k [y_k - sum_i (b_i B_ik + l_i L_ik)]^2 / (sigma_k^2 + (s y_k)^2)

over all data at once; an all-particle point sums over species, one of an element over that element
alone. Experiments differ by more than their errors, above all in the energy scale: the relative
scatter s is what brings chi^2 down to the degrees of freedom, 0 if it is below them already. It is
linear in the factors, so that minimum and covariance are exact, not the end of a search; weights
that follow the measured values make the factors s^2 too low, 1 % for a scatter of a tenth.
"""

from itertools import product
from typing import NamedTuple

import numpy as np
from scipy import optimize

from hpc_cr.measurements import spectra as tables

COMPONENTS = ("background", "local")
ENERGIES_GEV = (100.0, 1e8)
"""Total energies of the points that normalisations are fitted to: above the Sun's modulation, below
what is likely to come from outside the Galaxy."""
UNKNOWN_SYSTEMATIC = 0.1
"""Relative systematic error of air-shower spectra that come with statistical errors alone: about
what others of their kind have."""


class DataSet(NamedTuple):
    """Measured points and what each template predicts for them.

    Attributes
    ----------
    name : str
    value, error : ndarray (n_point,)
        Intensity in any unit, and its error (one standard deviation).
    templates : ndarray (n_species, 2, n_point)
        Background and local source of each species at the points, in the same unit; zeros for
        species that the measurement does not count.
    """

    name: str
    value: np.ndarray
    error: np.ndarray
    templates: np.ndarray


class Refit(NamedTuple):
    """Factors on background and local source of each species.

    Attributes
    ----------
    species : tuple of str
    scales, errors : ndarray (n_species, 2)
        Columns as COMPONENTS; a factor of 0 has the error 0 and a limit instead.
    limits : ndarray (n_species, 2)
        Upper limit with 95 % (chi^2 up by 2.71) of factors that came out 0, NaN for the others.
    covariance : ndarray (2 n_species, 2 n_species)
        Of scales.ravel(), with the scatter in it; tied species are fully correlated.
    chi2 : float
        With the points' own errors, at the factors above.
    ndf : int
    scatter : float
        s: relative, in quadrature beside the points' errors.
    parts : dict of str to (float, int)
        chi^2 (own errors) and number of points per data set.
    """

    species: tuple
    scales: np.ndarray
    errors: np.ndarray
    limits: np.ndarray
    covariance: np.ndarray
    chi2: float
    ndf: int
    scatter: float
    parts: dict

    def __str__(self):
        """A line per species, or per species that share their factors, and the quality."""
        shared = {}
        for name, *rows in zip(self.species, self.scales, self.errors, self.limits, strict=True):
            shared.setdefault(tuple(map(tuple, rows[:2])), ([], rows))[0].append(name)
        lines = [f"{' '.join(names)}: " + ", ".join(
            f"{part} {_text(*numbers)}" for part, *numbers in zip(COMPONENTS, *rows, strict=True))
                 for names, rows in shared.values()]  # fmt: skip
        parts = ", ".join(f"{name} {chi2:.0f}/{n}" for name, (chi2, n) in self.parts.items())
        lines.append(f"chi^2/ndf = {self.chi2:.0f}/{self.ndf} ({parts}),"
                     f" scatter {100 * self.scatter:.1f} %")  # fmt: skip
        return "\n".join(lines)

    def predict(self, templates):
        """Background, local source, their sum, and the standard error of the sum.

        Parameters
        ----------
        templates : array (n_species, 2, n)

        Returns
        -------
        background, local, total, error : ndarray (n,)
        """
        templates = np.asarray(templates, float)
        background, local = np.einsum("sc,scn->cn", self.scales, templates)
        flat = templates.reshape(-1, templates.shape[-1])
        variance = np.einsum("in,ij,jn->n", flat, self.covariance, flat)
        return background, local, background + local, np.sqrt(np.maximum(variance, 0.0))


def _text(factor, error, limit):
    return f"< {limit:.3g} (95 %)" if limit > 0 else f"{factor:.3g} +- {error:.2g}"


def refit(species, sets, groups=None):
    """Non-negative factors on the templates, fitted to all data sets at once.

    Parameters
    ----------
    species : sequence of str
    sets : sequence of DataSet
    groups : sequence of int, optional
        Species of one group share their two factors; default: each its own.

    Returns
    -------
    Refit

    Raises
    ------
    ValueError
        Something not finite or not positive, too few points, or factors that the data cannot tell
        apart; one line.
    """
    species = tuple(species)
    groups = np.unique(range(len(species)) if groups is None else groups, return_inverse=True)[1]
    if len(groups) != len(species):
        raise ValueError(f"{len(groups)} groups for {len(species)} species")
    design, value, error = _stacked(species, sets, groups)
    used = design.any(axis=1)  # a local source that some species do not have
    ndf = len(value) - np.count_nonzero(used)
    if ndf < 1:
        raise ValueError(f"{len(value)} points cannot fix {np.count_nonzero(used)} factors")
    scatter = _scatter(design[used], value, error, ndf)
    found = np.zeros((3, len(design)))
    found[2] = np.nan
    covariance = np.zeros((len(design), len(design)))
    names = [f"{part} of {_members(species, groups, group)}"
             for group, part in product(range(groups.max() + 1), COMPONENTS)]  # fmt: skip
    found[:, used], covariance[np.ix_(used, used)] = _solve(
        design[used], value, np.hypot(error, scatter * value), np.array(names)[used])
    spread = (2 * groups[:, None] + [0, 1]).ravel()
    residuals = (value - found[0] @ design) / error
    parts, start = {}, 0
    for one in sets:
        chi2 = float(np.sum(residuals[start : start + len(one.value)] ** 2))
        start += len(one.value)
        parts[one.name] = (chi2, len(one.value))
    scales, errors, limits = (row[spread].reshape(-1, 2) for row in found)
    return Refit(species, scales, errors, limits, covariance[np.ix_(spread, spread)],
                 float(np.sum(residuals**2)), ndf, scatter, parts)  # fmt: skip


def _members(species, groups, group):
    return "+".join(name for name, own in zip(species, groups, strict=True) if own == group)


def _stacked(species, sets, groups):
    """Templates summed over groups (2 n_group, n_point), values and errors of all sets."""
    columns = []
    for one in sets:
        templates = np.asarray(one.templates, float)
        if templates.shape != (len(species), 2, len(one.value)):
            raise ValueError(f"{one.name}: templates {templates.shape} are not (species, 2, points)"
                             f" = ({len(species)}, 2, {len(one.value)})")  # fmt: skip
        if not (np.isfinite(templates).all() and (templates >= 0).all()):
            raise ValueError(f"{one.name}: templates must be finite and at least 0")
        if not (np.isfinite(one.value).all() and (np.asarray(one.error) > 0).all()):
            raise ValueError(f"{one.name}: values must be finite and errors positive")
        summed = np.zeros((groups.max() + 1, 2, len(one.value)))
        np.add.at(summed, groups, templates)
        columns.append(summed.reshape(-1, len(one.value)))
    value, error = (np.concatenate([getattr(one, name) for one in sets])
                    for name in ("value", "error"))  # fmt: skip
    return np.concatenate(columns, axis=1), value, error


def _scatter(design, value, error, ndf):
    """Relative scatter that brings chi^2 down to the degrees of freedom."""

    def excess(scatter):
        sigma = np.hypot(error, scatter * value)
        return optimize.nnls((design / sigma).T, value / sigma)[1] ** 2 - ndf

    if excess(0.0) <= 0:
        return 0.0
    if excess(10.0) > 0:
        raise ValueError("the templates are nowhere near the data")
    return float(optimize.brentq(excess, 0.0, 10.0, xtol=1e-6))


def _solve(design, value, sigma, names):
    """Factors, errors and limits (3, n) and the covariance (n, n) of the non-negative fit."""
    scale = 1 / np.linalg.norm(design / sigma, axis=1)
    matrix, wanted = (design / sigma * scale[:, None]).T, value / sigma
    _, sizes, directions = np.linalg.svd(matrix, full_matrices=False)
    if sizes[-1] < 1e-6 * sizes[0]:
        alike = names[np.abs(directions[-1]) > 0.1]
        raise ValueError(f"the data cannot tell apart {', '.join(alike)}")
    best, rest = optimize.nnls(matrix, wanted)
    free = best > 0
    covariance = np.zeros((len(best), len(best)))
    covariance[np.ix_(free, free)] = np.linalg.inv(matrix[:, free].T @ matrix[:, free])
    limits = np.full(len(best), np.nan)
    for i in np.flatnonzero(~free):
        limits[i] = _limit(matrix, wanted, i, rest**2)
    found = np.array([best, np.sqrt(np.diag(covariance)), limits]) * scale
    return found, covariance * np.outer(scale, scale)


def _limit(matrix, wanted, column, least):
    """The factor at which chi^2, minimised over the others, is 2.71 above its minimum at 0."""
    others = np.delete(matrix, column, axis=1)

    def rise(factor):
        left = wanted - factor * matrix[:, column]
        rest = optimize.nnls(others, left)[1] if others.size else np.linalg.norm(left)
        return rest**2 - least - 2.71

    high = 1.0
    while rise(high) < 0:
        high *= 2
        if high > 1e12:
            return np.inf
    return float(optimize.brentq(rise, 0.0, high))


def measured_sets(species, flux, quantities=("H", "He", "all"), energies=ENERGIES_GEV):
    """Data sets from the project's tables.

    Spectra of elements are those of experiments that identify each particle; air-shower arrays
    count for all particles together, where models of the interactions matter less.

    Parameters
    ----------
    species : sequence of str
        Elements, or isotopes such as "He4".
    flux : callable
        Total energies (n,) in GeV -> background and local source (n_species, 2, n) per total
        energy, GeV^-1 m^-2 s^-1 sr^-1; NaN where it is not known.
    quantities : sequence of str
        Of `hpc_cr.measurements.spectra`: elements, and "all" for all particles.
    energies : (float, float)
        Lowest and highest total energy, GeV.

    Returns
    -------
    sets : list of DataSet
        Errors are the larger side, statistical and systematic in quadrature, with
        UNKNOWN_SYSTEMATIC where an array gives none. Points at energies
        where a species that counts is not known are left out.
    groups : list of int
        For `refit`: species that are among the quantities have their own factors, all others, seen
        in all particles only, share theirs.
    """
    elements = [name.rstrip("0123456789") for name in species]
    sets = []
    for quantity in quantities:
        points = tables.per_total_energy(tables.points(quantity))
        alike = quantity == tables.ALL_PARTICLES
        points = [p for p in points if energies[0] <= p.energy <= energies[1]
                  and (alike or p.experiment in tables.IDENTIFIED)]  # fmt: skip
        energy, value, low, high = tables.arrays(points)
        unknown = [not p.sys_high > 0 and p.experiment not in tables.IDENTIFIED for p in points]
        error = np.hypot(np.maximum(low, high), UNKNOWN_SYSTEMATIC * np.array(unknown) * value)
        templates = np.array(flux(energy), float)
        if not alike:
            templates[[name != quantity for name in elements]] = 0.0
        known = np.isfinite(templates).all(axis=(0, 1))
        sets.append(DataSet(quantity, value[known], error[known], templates[..., known]))
    own = [q for q in quantities if q != tables.ALL_PARTICLES]
    return sets, [own.index(name) if name in own else len(own) for name in elements]
