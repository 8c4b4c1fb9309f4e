"""Numbers of a galaxy job's cases with errors, and verdicts on them.

Nothing here is drawn at random. Errors are what is left of the grid, a third of the change from
half the cells to all, and where normalisations are fitted the covariance of the fit.
"""

from typing import NamedTuple

import numpy as np

from hpc_cr.galaxy.local_field import equatorial
from hpc_cr.papers import Statement
from hpc_cr.papers.verdicts import APART, SURE

TURN = 24.0
"""Hours of right ascension."""
ENERGIES_GEV = np.geomspace(1e2, 1e7, 501)
"""Total energies at which curves are searched for extremes and flips, a hundredth of a decade
apart."""

SMALLEST = 5e-4
"""Relative errors that are not worth a digit, and left out."""


class Number(NamedTuple):
    """A number and its error; NaN where there is none."""

    value: float
    error: float = np.nan


def of_case(case, measure, period=None):
    """A number that a case gives, with its error.

    Parameters
    ----------
    case : hpc_cr.io.galaxy.GalaxyResults
    measure : callable
        From a case to a float.
    period : float, optional
        Of the number, as TURN for right ascensions.

    Returns
    -------
    Number
    """
    return of_case_all(case, lambda c: [measure(c)], period)[0]


def of_case_all(case, measure, period=None):
    """The same of several numbers that a measure gives at once, a list of Number."""
    values = np.array(measure(case), float)

    def change(other):
        moved = np.array(measure(other), float) - values
        return moved if period is None else (moved + period / 2) % period - period / 2

    parts = [change(case.varied(coarse=True)) / 3]
    if case.job.injection.normalisation == "fitted":
        for step in _steps(case.fit):
            # factors are at least 0
            up, down = (change(case.varied(np.maximum(case.scales + sign * step, 0.0)))
                        for sign in (1, -1))  # fmt: skip
            parts.append((up - down) / 2)
    errors = np.linalg.norm(parts, axis=0)
    shown = errors > SMALLEST * np.abs(values)
    return [Number(float(value), float(error) if worth else np.nan)
            for value, error, worth in zip(values, errors, shown, strict=True)]  # fmt: skip


def _steps(fit):
    """Independent changes of the factors (n_species, 2), one standard deviation each."""
    sizes, directions = np.linalg.eigh(fit.covariance)
    large = sizes > 1e-12 * sizes[-1]
    return [np.sqrt(size) * direction.reshape(fit.scales.shape)
            for size, direction in zip(sizes[large], directions.T[large], strict=True)]  # fmt: skip


def statement(where, text, paper, number, unit, verdict, note=""):
    """A Statement of a Number."""
    return Statement(where, text, paper, float(number.value), float(number.error), unit, verdict,
                     note)  # fmt: skip


def near(number, expected, tolerance, period=None):
    """Verdict on a number being `expected` within a tolerance; "open" where its error decides, from
    the tolerance to three errors beyond."""
    away = number.value - expected
    if period is not None:
        away = (away + period / 2) % period - period / 2
    error = np.nan_to_num(number.error)
    beyond = abs(away) - tolerance
    if not np.isfinite(beyond):
        return "open"
    if beyond > APART * error:
        return "differs"
    return "open" if error > tolerance or beyond > 0 else "agrees"


def within(number, low, high):
    """Verdict on low <= number <= high, both positive; "open" where its error reaches an end."""
    if not np.isfinite(number.value):
        return "open"
    error = SURE * np.nan_to_num(number.error)
    if number.value + error < low or number.value - error > high:
        return "differs"
    inside = number.value - error >= low and number.value + error <= high
    return "agrees" if inside else "open"


def factor(number, expected, most=2.0):
    """Verdict on a number being `expected` up to a factor."""
    return within(number, expected / most, expected * most)


def equator(case, energy_GeV, species=None, **local):
    """Amplitude in right ascension and phase (h) at total energies, two arrays (n,)."""
    return equatorial(case.dipoles(energy_GeV, species=species, **local))


def phase_at(energy_GeV, **local):
    """A measure for `of_case`: phase in h at one energy."""
    return lambda case: equator(case, [energy_GeV], **local)[1][0]


def apart(hours, other):
    """Angle between right ascensions, [0, 12] h."""
    return np.abs((np.asarray(hours) - other + TURN / 2) % TURN - TURN / 2)


def flip(case, species=None, before_GeV=1e4, **local):
    """Energy at which the phase is a right angle away from what it is at `before_GeV`, GeV.

    There the dipole along the earlier phase changes sign, whichever way it turns.

    Returns
    -------
    float
        NaN where it does not happen between `before_GeV` and 10 PeV.
    """
    energy = ENERGIES_GEV[ENERGIES_GEV >= before_GeV * (1 - 1e-9)]
    amplitude, hours = equator(case, energy, species, **local)
    along = amplitude * np.cos(np.pi * (hours - hours[0]) / (TURN / 2))
    below = np.flatnonzero(along < 0)
    if not below.size:
        return np.nan
    i = below[0]
    share = along[i - 1] / (along[i - 1] - along[i])
    return float(energy[i - 1] * (energy[i] / energy[i - 1]) ** share)


def extreme(energy, values, which):
    """Energy of the largest (which = 1) or smallest (-1) value, between points by a parabola; NaN
    of nothing."""
    if not len(values):
        return np.nan
    i = int(np.argmax(which * values))
    x = np.log(energy)
    if 0 < i < len(values) - 1:
        low, middle, high = values[i - 1 : i + 2]
        curvature = low - 2 * middle + high
        if curvature != 0:
            return float(np.exp(x[i] + (x[i + 1] - x[i]) * (low - high) / (2 * curvature)))
    return float(energy[i])
