"""Has a running diffusion coefficient reached a plateau, and what is its value there?

Let m_k = <X_i X_j>(T_k)/2 = T_k D(T_k) be the spread of one realisation at the stops T_k. Its
growth between stops,

    I_k = (m_{k+1} - m_k)/(T_{k+1} - T_k),

does not remember the ballistic beginning, which stays in D(T) as c/T. A plateau begins at the
earliest stop T_a from which on, over the same realisations,

1. no I_k differs from the mean growth of what comes after it, m_S - m_{k+1} over T_S - T_{k+1}
   (contrasts that are independent for a Brownian motion, each tested at 5 % over their number);
2. the trend of I over ln T differs from zero by less than t sigma;
3. the change that it makes from T_a to T_S, C = ln(T_S/T_a) d ln I/d ln T, is at most 10 %:
   |C| + t sigma_C <= 0.1, t being Student's 95 % quantile for the number of realisations;
4. T_S >= 2.5 T_a: less shows nothing.

For 1 and 2 a difference below 2 % counts as none; where this leaves no plateau, one below 5 %.
The value is then (m_S - m_a)/(T_S - T_a). A slow trend passes: growth as T^-0.05, or a limit that
is approached as T^-1/2. |C| is therefore a second error of the value, `Coefficient.trend`, besides
that of the mean: a power law has changed by it between the two stops, and what is approached as
T^-1/2 is off by 0.7 |C| (T_S = 10 T_a) to 2 |C| (2.5 T_a). Only the error of the mean falls with
more realisations.
For a Brownian motion the variance of I_k is proportional to (T_{k+1} + T_k)/(T_{k+1} - T_k), its
covariances are zero: nearly 1/ln(T_{k+1}/T_k), so that least squares with the weights
ln(T_{k+1}/T_k) have the smallest error. Weights are fixed beforehand and errors come from the
scatter of the realisations, so Student's t is exact for Gaussian ones.

Where there is no plateau the trend over the last stops, a factor of 2.5 at least, decides between
falling, rising and not decided. It has to be seen with a probability of error of 5 % over
STATEMENTS, since a file makes so many; or of 1 % if it is seen with the other one, and the same
sign, over a range twice as long. The statement is about the range of the stops: a
coefficient that stays flat for long and moves on later cannot be recognised by it.
"""

from itertools import product
from typing import NamedTuple

import numpy as np

from hpc_cr.statistics import student

TOLERANCE = 0.1
"""Largest bound on the change along a plateau."""
NEGLIGIBLE = (0.02, 0.05)
"""Relative differences that count as none, however well measured: the first that does."""
SPAN = 2.5
"""Ratio of the last and the first stop of a plateau, at least."""
STATEMENTS = 50
"""Coefficients of a usual file: that one of them is falsely called falling or rising is allowed in
5 % of the files."""
STILL, BALLISTIC = 0.2, 1.8
"""Exponents of <X X>(T) below which it is bounded and above which ballistic; 1 is diffusion."""

ERRORS = "errors too large"
"""Reason where more realisations would decide."""
BOUNDED = "bounded, <X X> does not keep growing"
"""Reason where particles come back, as in a uniform field alone."""
PLATEAU, FALLING, RISING, UNDECIDED = "plateau", "falling", "rising", "not decided"


class Coefficient(NamedTuple):
    """A diffusion coefficient and what it rests on; see `coefficient`."""

    name: str
    value: float  # pc (D/c)
    error: float  # pc, standard error over realisations
    state: str  # "plateau", "falling", "rising" or "not decided"
    reason: str  # in words; empty for a plateau
    since: float  # pc, the stops between which the value is taken
    until: float  # pc
    exponent: float  # d ln D/d ln T between these stops
    exponent_error: float
    n_realisation: int
    bound: float  # 95 % bound on the relative change between these stops

    @property
    def trend(self):
        """Relative change of the growth between the two stops, as measured; NaN if unknown.

        The second error of the value, which the error of the mean does not contain: the limit may
        lie off by as much (see the module), and more realisations do not make it smaller.
        """
        if not self.since > 0:
            return float("nan")
        return float(abs(self.exponent) * np.log(self.until / self.since))

    @property
    def total(self):
        """Both errors in quadrature, pc."""
        return float(np.hypot(self.error, self.trend * self.value))


def components(tensor, axis=None):
    """The coefficients that the symmetry of the set-up leaves of a diffusion tensor.

    Parameters
    ----------
    tensor : array (..., 3, 3)
        D_ij/c, pc, Galactic Cartesian.
    axis : array (3,), optional
        Direction b of a uniform field, of any length.

    Returns
    -------
    dict of str to ndarray (...)
        "D_iso" = tr D/3; with an axis "D_par" = b.D.b and "D_perp" = (tr D - D_par)/2 before it.
    """
    tensor = np.asarray(tensor, float)
    trace = np.trace(tensor, axis1=-2, axis2=-1)
    if axis is None:
        return {"D_iso": trace / 3}
    b = np.asarray(axis, float) / np.linalg.norm(axis)
    parallel = np.einsum("...ij,i,j", tensor, b, b)
    return {"D_par": parallel, "D_perp": (trace - parallel) / 2, "D_iso": trace / 3}


def hall(tensor, axis):
    """Antisymmetric (Hall) coefficient D_A of a diffusion tensor, D_ij = ... + D_A eps_ijk b_k.

    Parameters
    ----------
    tensor : array (..., 3, 3)
        int <u_i(t) u_j(0)> dt, pc: i = axis of the later direction. With j_i = -D_ij d_j n the
        flux is D_A b x grad n, the diamagnetic drift.
    axis : array (3,)
        Direction b of the uniform field, of any length.

    Returns
    -------
    ndarray (...)
        pc; positive for positive particles: r_g/3 in a uniform field alone, averaged over
        gyration.
    """
    b = np.asarray(axis, float) / np.linalg.norm(axis)
    cross = np.array([[0.0, b[2], -b[1]], [-b[2], 0.0, b[0]], [b[1], -b[0], 0.0]])
    return np.einsum("...ij,ij", np.asarray(tensor, float), cross) / 2


def coefficient(values, stops, realisation=None, name="D", tolerance=TOLERANCE):
    """What a component of the running diffusion tensor comes to.

    Parameters
    ----------
    values : array (n, n_stop)
        <X_i X_j>/(2 T) of each row at the stops, pc; for field lines <x_i x_j>/(2 s). Rows with a
        NaN are left out.
    stops : array (n_stop,)
        Times c T or distances s, pc, ascending.
    realisation : array (n,) of int, optional
        Realisation of each row; default: each row its own.
    name : str
        Carried into the result.
    tolerance : float
        Largest bound on the change along a plateau.

    Returns
    -------
    Coefficient
        state : "plateau", "falling" (slower than diffusion: subdiffusive, or bounded), "rising"
        (faster: superdiffusive, ballistic, or stops too early) or "not decided" (one realisation,
        too few stops, errors too large).
        value, error : pc; without a plateau the growth over the last stops, which is an upper
        (falling) or lower (rising) bound on a limit that may not exist. NaN without finished
        rows; the error also for one realisation.
        exponent : over the stops of the value; where <X X> has stopped growing, that of D(T).
    """
    stops = np.asarray(stops, float)
    spread = _per_realisation(values, realisation)[1] * stops
    n = len(spread)
    found = Coefficient(name, np.nan, np.nan, UNDECIDED, "nothing finished", np.nan, np.nan,
                        np.nan, np.nan, n, np.nan)  # fmt: skip
    if n == 0:
        return found
    first = _last_range(stops)
    found = found._replace(**_value(spread, stops, first))
    if len(stops) < 3:
        return found._replace(reason="a single stop" if len(stops) == 1 else "two stops")
    if n < 2:
        return found._replace(reason="one realisation")
    if stops[-1] < SPAN * stops[0]:
        return found._replace(reason=f"stops span less than a factor of {SPAN:g}")
    for negligible, start in product(NEGLIGIBLE, range(first + 1)):
        trend = _trend(spread, stops, start, negligible)
        if (trend is not None and not trend.seen and trend.bound <= tolerance
                and not _stands_out(spread, stops, start, negligible)):
            return found._replace(**_value(spread, stops, start), **trend.numbers, state=PLATEAU,
                                  reason="")
    return _without_plateau(found, spread, stops, first, tolerance)


def _without_plateau(found, spread, stops, first, tolerance):
    """State and reason from the last stops."""
    growth, error = _envelope_growth(spread, stops, first)
    if growth < STILL or _shrinks(spread[:, first:]):
        return found._replace(state=FALLING, exponent=growth - 1, exponent_error=error,
                              reason=BOUNDED)
    trend = _trend(spread, stops, first, NEGLIGIBLE[0], 0.05 / STATEMENTS)
    if trend is None:
        return found._replace(reason="the growth is lost in its error")
    found = found._replace(**trend.numbers)
    if not trend.seen and _seen_twice(spread, stops, first):
        trend = trend._replace(seen=True)
    if trend.seen and trend.exponent < 0:
        return found._replace(state=FALLING, reason="subdiffusive, or stops too early")
    if trend.seen:
        early = "superdiffusive, or stops too early"
        return found._replace(state=RISING, reason="ballistic" if growth > BALLISTIC else early)
    return found._replace(reason=ERRORS if trend.bound > tolerance else "uneven")


def _seen_twice(spread, stops, start):
    """Whether a trend from a stop on is seen at 1 %, and over twice the range beyond doubt."""
    earlier = np.nonzero(2 * stops <= stops[start] * (1 + 1e-9))[0]
    if not len(earlier):
        return False
    last = _trend(spread, stops, start, NEGLIGIBLE[0], 0.01)
    longer = _trend(spread, stops, int(earlier[-1]), NEGLIGIBLE[0], 0.05 / STATEMENTS)
    if last is None or longer is None:
        return False
    return last.seen and longer.seen and last.exponent * longer.exponent > 0


class _Trend(NamedTuple):
    exponent: float
    error: float
    bound: float
    seen: bool

    @property
    def numbers(self):
        return {"exponent": float(self.exponent), "exponent_error": float(self.error),
                "bound": float(self.bound)}  # fmt: skip


def _trend(spread, stops, start, negligible, chance=0.05):
    """Slope of ln I over ln T from a stop on; None where the mean growth is lost in its error.

    chance: probability of error with which it is called seen, the bound's being 5 %.
    """
    ends = stops[start:]
    growth = np.diff(spread[:, start:], axis=1) / np.diff(ends)
    weight = np.diff(np.log(ends))
    place = np.log(ends[:-1]) + weight / 2
    place -= np.average(place, weights=weight)
    # per realisation, linear: no bias of a logarithm, and growth may have any sign
    level = np.average(growth, axis=1, weights=weight)
    slope = growth @ (weight * place) / np.sum(weight * place**2)
    t = student(len(spread))
    if not level.mean() > t * _error(level):
        return None
    exponent = slope.mean() / level.mean()
    error = _error(slope - exponent * level) / level.mean()
    span = np.log(ends[-1] / ends[0])
    change, margin = abs(exponent) * span, t * error * span
    strict = student(len(spread), chance) * error * span
    return _Trend(exponent, error, change + margin, bool(change > max(strict, negligible)))


def _stands_out(spread, stops, start, negligible):
    """Whether the growth in some interval from a stop on differs from the growth after it."""
    count = len(stops) - 2 - start
    if count < 1:
        return False
    t = student(len(spread), 0.05 / count)
    for k in range(start, start + count):
        here = (spread[:, k + 1] - spread[:, k]) / (stops[k + 1] - stops[k])
        later = (spread[:, -1] - spread[:, k + 1]) / (stops[-1] - stops[k + 1])
        difference = here - later
        if abs(difference.mean()) > max(t * _error(difference), negligible * abs(later.mean())):
            return True
    return False


def _value(spread, stops, start):
    """Growth from a stop to the last one; from the beginning if there is but one stop."""
    if len(stops) == 1:
        since, growth = 0.0, spread[:, 0] / stops[0]
    else:
        since = float(stops[start])
        growth = (spread[:, -1] - spread[:, start]) / (stops[-1] - stops[start])
    return {"value": float(growth.mean()), "error": float(_error(growth)), "since": since,
            "until": float(stops[-1])}  # fmt: skip


def growths(values, stops, found, realisation=None):
    """The growth behind a coefficient's value in each realisation.

    Parameters
    ----------
    values, stops, realisation
        As for `coefficient`.
    found : Coefficient
        What it came to.

    Returns
    -------
    labels : ndarray (n,)
        Realisations.
    growth : ndarray (n,)
        pc, between the stops found.since and found.until; their mean is found.value.
    """
    stops = np.asarray(stops, float)
    labels, spread = _per_realisation(values, realisation)
    spread = spread * stops
    if not len(labels) or not found.since > 0:
        return labels, spread[:, -1] / stops[-1]
    start = int(np.argmin(np.abs(stops - found.since)))
    return labels, (spread[:, -1] - spread[:, start]) / (stops[-1] - stops[start])


def _envelope_growth(spread, stops, start):
    """d ln <X X>/d ln T of its largest values until a stop and after it, and its error.

    1 for diffusion, 2 for ballistic particles; about 0 for gyration, whose <X X> comes and goes.
    """
    before = spread[:, np.argmax(spread[:, : start + 1].mean(axis=0))]
    after = spread[:, start + 1 + np.argmax(spread[:, start + 1 :].mean(axis=0))]
    if not (before.mean() > 0 and after.mean() > 0):
        return np.nan, np.nan
    span = np.log(stops[-1] / stops[start])
    error = _error(after / after.mean() - before / before.mean())
    return float(np.log(after.mean() / before.mean()) / span), float(error / span)


def _shrinks(spread):
    """Whether <X X> becomes smaller between two stops, beyond its error."""
    growth = np.diff(spread, axis=1)
    t = student(len(spread), 0.05 / growth.shape[1])
    return bool(np.any([-one.mean() > t * _error(one) for one in growth.T]))


def _last_range(stops):
    """First stop of the latest range that spans enough and has two intervals, if there is one."""
    enough = np.nonzero(stops[-1] >= SPAN * stops[:-2] * (1 - 1e-9))[0] if len(stops) > 2 else []
    return int(enough[-1]) if len(enough) else 0


def _per_realisation(values, realisation):
    """Labels of the realisations and means over the rows of each, (n_realisation, n_stop)."""
    values = np.asarray(values, float)
    group = np.arange(len(values)) if realisation is None else np.asarray(realisation)
    use = np.isfinite(values).all(axis=1)
    labels = np.unique(group[use])
    means = [values[use & (group == one)].mean(axis=0) for one in labels]
    return labels, np.array(means).reshape(-1, values.shape[1])


def _error(values):
    """Standard error of the mean over realisations."""
    return np.std(values, ddof=1) / np.sqrt(len(values)) if len(values) > 1 else np.nan
