"""Giacinti & Sigl 2012: statements on where the features are made, and on what they depend."""

import numpy as np

from hpc_cr.anisotropy import ensembles
from hpc_cr.anisotropy.correlation import correlation, covariance, products_of, ratio, rms
from hpc_cr.papers.giacinti_sigl2012.cases import (
    HIGH,
    LOW,
    SMOOTHING,
    statement,
    verdict_between,
    verdict_of,
)

LEVELS = (0.7, 0.9)
"""Correlations with the last sphere that may be called converged: the maps share half, or four
fifths, of their variance. The paper judges by eye, so that neither decides."""
RATIO = 5 ** (1 / 3)  # of 50 to 10 PV if the mean free path grows as R^(1/3)
WIDTH = 0.3
"""Standard deviation in ln R of what an experiment takes for one rigidity (p. 3)."""


def convergence(case):
    """From which radius on maps are converged, and the mean free path, over `ensemble`."""
    found = []
    for (rigidity, rig), paper in zip(case.rig.items(), (25.0, 50.0), strict=False):
        stop, at = case.radius(paper), f"at {rigidity:g} PV"
        here = correlation(case.halves(rig, stop), case.halves(rig), SMOOTHING)
        found.append(
            statement(
                "figure 2", f"correlation of maps at R = {case.stops[stop]:g} and"
                f" {case.stops[-1]:g} pc {at}", "converged", (here.value, here.error), "",
                verdict_between(here.value, here.error, 0.9, 0.5),
                f"middle 68 % of single skies: {_range(here.single)} (with their noise)",
            )
        )  # fmt: skip
        for level in LEVELS:
            found.append(
                statement(
                    "figure 2", f"radius where that correlation reaches {level:g} {at}",
                    f"{paper:g} pc", reached(case, rig, level), "pc", "open",
                    "interpolated in log R; the level is ours, the paper judges by eye",
                )
            )  # fmt: skip
        found.append(
            statement(
                "p. 3", f"mean free path lambda {at}", f"~{paper:g} pc (locally)",
                case.mean_free_path(rig), "pc", "open",
                f"3 D/c = <tr M>/3 at R = {case.stops[-1]:g} pc, over the ensemble; the paper's is"
                " a length near one observer",
            )
        )  # fmt: skip
    return found


def reached(case, rig, level):
    """Radius at which the correlation with the last sphere first reaches a level; pc, with error.

    The jackknife runs over the products of all spheres together, which are of the same fields.
    """
    last = case.halves(rig)
    products = [
        products_of(case.halves(rig, stop), last, SMOOTHING) for stop in range(len(case.stops))
    ]
    value, error = ensembles.function_of_mean(
        lambda m: crossing(case.stops, ratio(m), level), np.stack(products, axis=1), case.rows
    )
    return float(value), float(error)


def crossing(stops, values, level):
    """Stop at which values first reach a level, interpolated in the logarithm of the stop.

    Parameters
    ----------
    stops : array (n_stop,)
    values : array (..., n_stop)
    level : float

    Returns
    -------
    ndarray (...)
        NaN where a value is missing, none reaches the level, or the first one does.
    """
    values = np.asarray(values, float)
    above = values >= level
    high = np.argmax(above, axis=-1)[..., None]
    known = above.any(axis=-1) & (high[..., 0] > 0) & np.isfinite(values).all(axis=-1)
    low = np.maximum(high - 1, 0)
    before, after = (np.take_along_axis(values, i, axis=-1)[..., 0] for i in (low, high))
    ends = np.log(stops)[np.concatenate([low, high], axis=-1)]
    with np.errstate(invalid="ignore", divide="ignore"):
        share = (level - before) / (after - before)
        radius = np.exp(ends[..., 0] + share * (ends[..., 1] - ends[..., 0]))
    return np.where(known, radius, np.nan)


def _range(single):
    single = single[np.isfinite(single)]
    if not len(single):
        return "not known"
    low, high = np.quantile(single, [0.16, 0.84])
    return f"{low:.2f} to {high:.2f}"


def convergence_of_one(case):
    """The same correlation for the field shown."""
    found = []
    for (rigidity, rig), paper in zip(case.rig.items(), (25.0, 50.0), strict=False):
        stop = case.radius(paper)
        here = correlation(case.halves(rig, stop)[:1], case.halves(rig)[:1], SMOOTHING)
        found.append(
            statement(
                "figure 2", f"the same correlation of the field shown, R = {case.stops[stop]:g} pc"
                f" at {rigidity:g} PV", "converged", (here.value, np.nan), "", "open",
                "its particles' noise is taken out",
            )
        )  # fmt: skip
    return found


def rigidities(case):
    """Features and dipoles at 50 PV against those at 10 PV."""
    if HIGH not in case.rig:
        return []
    return _likeness(case) + _growth(case)


def _likeness(case):
    """Correlations between the two rigidities, of maps and of dipoles."""
    low, high = case.halves(case.rig[LOW]), case.halves(case.rig[HIGH])
    whole = correlation(low, high, SMOOTHING)
    dipole = correlation(low, high, 0.0, (1, 1))
    rows = np.stack([products_of(low, high, *how) for how in ((SMOOTHING,), (0.0, (1, 1)))], axis=1)
    difference = ensembles.function_of_mean(
        lambda m: ratio(m[..., 1, :]) - ratio(m[..., 0, :]), rows, case.rows
    )
    return [
        statement(
            "figure 1", "correlation of the maps without dipole at 10 and 50 PV",
            "strongly different", (whole.value, whole.error), "",
            verdict_between(whole.value, whole.error, 0.25, 0.5),
        ),
        statement(
            "figure 1", "correlation of the dipoles at 10 and 50 PV", "not given",
            (dipole.value, dipole.error), "", "open",
        ),
        statement(
            "p. 3", "correlation of the dipoles minus that of the maps", "dipole depends less",
            difference, "", verdict_between(*difference, 0.25, 0.0),
        ),
    ]  # fmt: skip


def _growth(case):
    """Ratios of the sizes at the two rigidities."""
    low, high = case.rig[LOW], case.rig[HIGH]
    squares = np.stack(
        [covariance(case.halves(r), case.halves(r), SMOOTHING) for r in (low, high)], axis=-1
    )
    traces = np.stack([case.traces(r) for r in (low, high)], axis=-1)
    found = []
    for name, values, power in (
        ("r.m.s. of the smoothed maps without dipole", squares, 0.5),
        ("mean free paths", traces, 1.0),
    ):
        with np.errstate(invalid="ignore"):
            measured = ensembles.function_of_mean(
                lambda m, p=power: (m[..., 1] / m[..., 0]) ** p, values, case.rows
            )
        found.append(
            statement(
                "p. 3", f"ratio at 50 to 10 PV of the {name}", "5^(1/3) = 1.71", measured, "",
                verdict_of(*measured, 0.9 * RATIO, 1.1 * RATIO),
                "at 50 PV the gyroradius is 13.5 pc and resonates with waves of 85 pc, close to"
                " L_max = 150 pc, where lambda grows faster than R^(1/3)",
            )
        )  # fmt: skip
    return found


def energies(case):
    """What is left of the features after averaging over rigidities."""
    values = case.results.rigidities
    if len(values) < 3:
        return []
    order = np.argsort(values)
    log = np.log(values[order])
    halves = np.array([case.halves(int(rig))[:1] for rig in order])
    middle = (log[0] + log[-1]) / 2
    found = []
    for text, density in (
        (f"{values.min():g} to {values.max():g} PV", np.ones_like(log)),
        (f"{WIDTH:g} in ln R around {np.exp(middle):.3g} PV",
         np.exp(-0.5 * ((log - middle) / WIDTH) ** 2)),
    ):  # fmt: skip
        # the trapezoidal rule over ln R
        weight = density * np.gradient(log)
        for name, normalised in (("", False), (", each map over its r.m.s.", True)):
            kept = washed_out(halves, weight, SMOOTHING, (2, None), normalised)
            dipole = washed_out(halves, weight, 0.0, (1, 1), normalised)
            found.append(
                statement(
                    "p. 3", f"r.m.s. without dipole averaged over {text}, to that of one"
                    f" rigidity{name}", "factor of a few to ten", (kept, np.nan), "", "open",
                    f"the dipole keeps {dipole:.2f} of its length" if np.isfinite(dipole) else "",
                )
            )  # fmt: skip
    return found


def washed_out(halves, weight, radius, multipoles, normalised=False):
    """R.m.s. of a mean of maps over the mean of their r.m.s., free of noise.

    Parameters
    ----------
    halves : ndarray (n_map, n_row, 2, n_lm), complex
    weight : array (n_map,)
        Of the maps in the mean.
    radius, multipoles
        As for `hpc_cr.anisotropy.correlation.rms`.
    normalised : bool
        Divide each map by its r.m.s. first, so that those of high rigidity, which are stronger
        for the same gradient, do not decide alone.

    Returns
    -------
    float
        1 for maps that are alike, 1/sqrt(n) for n independent ones of one size; NaN where noise
        leaves a negative square.
    """
    sizes = np.array([rms(one, radius, multipoles)[0] for one in halves])
    if normalised:
        with np.errstate(invalid="ignore", divide="ignore"):
            halves = halves / sizes[:, None, None, None]
        sizes = np.ones_like(sizes)
    share = np.asarray(weight, float) / np.sum(weight)
    mean = np.einsum("e,e...->...", share, halves)
    whole, size = rms(mean, radius, multipoles)[0], share @ sizes
    return float(whole / size) if size > 0 else np.nan


def large_scale(case):
    """Small scales beside a uniform field."""
    found = []
    field = case.results.job.regular_field
    size = np.linalg.norm(field)
    apart = np.nan
    if size > 0:
        gradient = case.gradient(case.rig[LOW])
        cosine = field @ gradient / size / np.linalg.norm(gradient)
        apart = np.degrees(np.arccos(np.clip(cosine, -1, 1)))
    for rigidity, rig in case.rig.items():
        last = case.halves(rig)
        squares = covariance(last, last, SMOOTHING)
        square, error = ensembles.mean_and_error(squares, case.rows)
        value = np.sqrt(square) if square > 0 else np.nan
        positive, chance = _positive(squares)
        note = f"the field is {apart:.0f} deg from the gradient; " if np.isfinite(apart) else ""
        note += f"the square, free of noise, is positive in {positive} of {len(squares)} fields"
        found.append(
            statement(
                "p. 4", f"r.m.s. of the smoothed map without dipole at {rigidity:g} PV with a"
                f" uniform field of {size:g} uG", "small scales appear too",
                (100 * value, 100 * error / (2 * value)), "%",
                "agrees" if chance < 0.003 else "open", note,
            )
        )  # fmt: skip
    return found


def _positive(squares):
    """How many values are positive, and the chance of as many if each sign were as likely."""
    from math import comb

    n, positive = len(squares), int((squares > 0).sum())
    return positive, sum(comb(n, k) for k in range(positive, n + 1)) / 2**n
