"""Has a mean over realisations reached its limit at the last stop? A statement with a bound.

Let m_1 ... m_S be means of the same realisations at the stops T_1 ... T_S (times, or radii of
spheres), d = m_S - m_{S-1} the last change and d' the one before. Between the last two stops an
approach as T^-p, p > 0, leaves the share

    f = T_S^-p / (T_{S-1}^-p - T_S^-p)          (1 / (q^p - 1) for stops a factor q apart)

of the last change to come, m_inf - m_S = f d. Where d differs from zero, p is the one of
d/d' + t sigma, at most 2, if d/d' itself gives less than 1, or if that p is more than 1;
everywhere else p = 1. So f d is too large rather than too small for a power law whose p can be
seen, and for an exponential approach. The statement is

    |m_inf - m_S| <= f (|d| + t sigma_d) = x |m_S|,

sigma_d being the jackknife error over realisations, which are the same at both stops, and t
Student's 95 % quantile for their number. It is wrong where the approach is slower than 1/T and
the change is hidden by its error, or where a mean rests on a plateau and moves on later: no
statement from the stops themselves can see that.
"""

from typing import NamedTuple

import numpy as np

from hpc_cr.anisotropy import ensembles
from hpc_cr.statistics import student

TOLERANCE = 0.1
"""Largest bound that is called converged."""

USUAL, STEEPEST = 1.0, 2.0
"""Largest exponents p of the approach T^-p that are believed without and with a proof."""

ERRORS = "errors too large"
"""Reason where more realisations would decide."""


class Approach(NamedTuple):
    """How far one mean is from its limit; see `approach`. Changes and bound are relative to it."""

    state: str
    reason: str
    previous: float
    last: float
    value: float
    value_error: float
    change: float
    change_error: float
    exponent: float
    bound: float
    n_realisation: int


def approach(values, stops, realisation=None, tolerance=TOLERANCE):
    """Whether the mean over realisations still changes with the stop.

    Parameters
    ----------
    values : array (n, n_stop)
        One number per row and stop, such as M_par in pc or |delta|; rows with a NaN are left out.
    stops : array (n_stop,)
        Times or radii, pc, ascending.
    realisation : array (n,) of int, optional
        Realisation of each row; default: each row its own.
    tolerance : float
        Largest bound that is called converged.

    Returns
    -------
    Approach
        state : "converged" (bound <= tolerance), "not converged" (the last change differs from
        zero by t sigma, and the bound is larger) or "not decided" (the errors are too large);
        reason : why it is not decided, else empty.
        previous, last : the last two stops, pc.
        value, value_error : the mean at the last stop and its standard error.
        change, change_error : d / m_S and its standard error.
        exponent : p; NaN where the errors hide it or changes do not shrink.
        bound : x; inf where the changes do not shrink, NaN where undefined.
        Errors and bound are NaN for a single realisation.
    """
    values, stops = np.asarray(values, float), np.asarray(stops, float)
    use = np.isfinite(values).all(axis=1)
    group = (np.arange(len(values)) if realisation is None else np.asarray(realisation))[use]
    values, n = values[use], len(np.unique(group))
    mean, error = ensembles.mean_and_error(values, group)
    found = Approach("not decided", "", np.nan, float(stops[-1]), float(mean[-1]),
                     float(error[-1]), *[np.nan] * 4, n)  # fmt: skip
    if n == 0:
        return found._replace(reason="nothing finished")
    if len(stops) < 2:
        return found._replace(reason="a single stop")
    change, change_error = ensembles.function_of_mean(_last_change, values, group)
    found = found._replace(
        previous=float(stops[-2]), change=float(change), change_error=float(change_error)
    )
    if n < 2:
        return found._replace(reason="one realisation")
    margin = student(n) * change_error
    if not abs(mean[-1]) > student(n) * error[-1]:
        return found._replace(reason="the mean is lost in its error")
    seen = abs(change) > margin
    exponent, used = np.nan, USUAL
    if seen and len(stops) > 2:
        exponent, used = _exponents(np.diff(values[:, -3:], axis=1), group, stops[-3:])
    bound = (abs(change) + margin) * _remaining(used, *stops[-2:])
    found = found._replace(exponent=exponent if exponent > 0 else np.nan, bound=float(bound))
    if bound <= tolerance:
        return found._replace(state="converged")
    if seen:
        return found._replace(state="not converged")
    return found._replace(reason=ERRORS)


def responses(response, symmetry):
    """The numbers that the ensemble mean of a response consists of, Hall part aside.

    Parameters
    ----------
    response : array (..., 3, 3)
        M_ij, pc.
    symmetry : "isotropic", "none" or array (3,)
        As for `ensembles.symmetrise`.

    Returns
    -------
    dict of str to ndarray (...)
        "tr M/3", or "M_par" and "M_perp" along and across an axis, pc.
    """
    # without a symmetry the trace is still the mean over all directions of the gradient
    along = ensembles.coefficients(response, "isotropic" if isinstance(symmetry, str) else symmetry)
    if isinstance(symmetry, str):
        return {"tr M/3": along[..., 0]}
    return {"M_par": along[..., 0], "M_perp": along[..., 1]}


def _last_change(means):
    with np.errstate(divide="ignore", invalid="ignore"):
        return (means[..., -1] - means[..., -2]) / np.abs(means[..., -1])


def _exponents(changes, group, stops):
    """p of an approach as T^-p from the last two changes (n, 2), and the p that is safe to use."""
    (before, last), error = ensembles.mean_and_error(changes, group)
    if not before * last > 0:
        return np.nan, USUAL  # turned round: no trend to read off
    measured, proven = _exponent(last / before, stops), 0.0
    t = student(len(np.unique(group)))
    if abs(before) > 2 * t * error[0]:  # else a ratio to it has no error to speak of
        ratio, spread = ensembles.function_of_mean(lambda m: m[..., 1] / m[..., 0], changes, group)
        proven = _exponent(ratio + t * spread, stops)
    slow_or_proven = measured < USUAL or proven > USUAL
    return measured, min(proven, STEEPEST) if slow_or_proven else USUAL


def _exponent(ratio, stops):
    """p of an approach as T^-p with this ratio d/d' of changes; 0 where they do not shrink so."""
    p = np.linspace(1e-3, 8, 8000)
    low, middle, high = (stop / stops[-1] for stop in stops)
    # falls with p: at p = 0 it is that of a logarithm
    ratios = (middle**-p - high**-p) / (low**-p - middle**-p)
    return float(np.interp(-ratio, -ratios, p)) if ratio < ratios[0] else 0.0


def _remaining(exponent, previous, last):
    """Share f of the last change that is still to come."""
    return 1 / ((last / previous) ** exponent - 1) if exponent > 0 else np.inf
