"""Giacinti & Sigl 2012: multipoles, their size beside the dipole, and equation 8.

Equation 8 reads a_lm = |delta| int (G_p.e) Y*_lm with a unit vector G_p, the place at which the
particle that starts along n is found on a sphere of radius r ~ lambda, and |delta| = lambda |g|.
With the crossings X_r of that sphere, G_p = X_r/r: the prediction is the map g.X_r of the sphere
times lambda/r. A variant takes lambda G_p = X_r on a sphere of a few lambda: whether the place
expected after diffusion is that of the crossing, <X_R | X_r> = X_r.
"""

import numpy as np

from hpc_cr.anisotropy import ensembles
from hpc_cr.anisotropy.correlation import (
    correlation,
    covariance,
    products_of,
    ratio,
    rms,
    top_hat_window,
)
from hpc_cr.io.errors import ResultError
from hpc_cr.papers.giacinti_sigl2012.cases import (
    HIGH,
    LOW,
    SMOOTHING,
    statement,
    verdict_between,
    verdict_of,
    verdict_of_one,
    words,
)

USED = (2, 10)  # multipoles compared with equation 8
FAR = {LOW: 25.0, HIGH: 100.0}  # pc, a few mean free paths
EXTREMES_NSIDE = 32  # pixels of 1.8 degrees for spots of 20 degrees radius


def multipoles(case):
    """Multipoles against the dipole, strongest spots, and equation 8."""
    found = []
    for rigidity, rig in case.rig.items():
        at = f"at {rigidity:g} PV"
        last = case.halves(rig)
        for which, name in (((2, 2), "l = 2"), ((2, None), "all l >= 2")):
            squares = np.stack([covariance(last, last, 0.0, w) for w in (which, (1, 1))], axis=-1)
            with np.errstate(invalid="ignore"):
                measured = ensembles.function_of_mean(
                    lambda m: np.sqrt(m[..., 0] / m[..., 1]), squares, case.rows
                )
            found.append(
                statement(
                    "eq. 8", f"r.m.s. of {name} over that of the dipole {at}", "same order",
                    measured, "", verdict_of(*measured, 0.3, 3.0),
                )
            )  # fmt: skip
        found += [
            *_bound(case, rig, at), *_literal(case, rig, at),
            *_variant(case, rig, case.radius(FAR[rigidity]), at), *_spots(case, rigidity, rig, at),
        ]  # fmt: skip
    return found


def _bound(case, rig, at):
    """<F^2> of the relative deviation F over (lambda g)^2, which a unit vector G_p limits to 1."""
    last, size = case.halves(rig), np.linalg.norm(case.gradient(rig))
    own = np.sum((case.response(rig) @ case.gradient(rig)) ** 2, axis=-1)
    squares = [covariance(last, last, 0.0, which) for which in ((1, None), (1, 1))]
    rows = np.stack([*squares, size * case.traces(rig), own], axis=-1)
    all_l = ensembles.function_of_mean(lambda m: m[..., 0] / m[..., 2] ** 2, rows, case.rows)
    dipole = ensembles.function_of_mean(lambda m: m[..., 1] / m[..., 2] ** 2, rows, case.rows)
    of_own = ensembles.function_of_mean(lambda m: m[..., 0] / m[..., 3], rows, case.rows)
    return [
        statement(
            "eq. 8", f"<F^2>/(lambda |g|)^2, F = I/I0 - 1 in all l >= 1 {at}",
            "<= 1 (1/3 if G_p is isotropic)", all_l, "", verdict_between(*all_l, 1.0, 1.0),
            "|F| <= |delta| for a unit vector G_p: above 1 particles that start alike stay"
            f" together for longer than lambda; the dipole alone has {words(*dipole)}; with each"
            f" field's own |delta| for lambda |g| it is {words(*of_own)}",
        )
    ]  # fmt: skip


def literal(case, rig, stop, multipoles=USED):
    """Correlation and slope of a_lm at the last sphere against equation 8 with G_p = X_r/r.

    Parameters
    ----------
    case : Case
    rig, stop : int
        The stop of the sphere that gives G_p.
    multipoles : (int, int)

    Returns
    -------
    correlation, correlation_error, slope, slope_error : float
        The error of lambda is in that of the slope.
    """
    products = products_of(case.halves(rig, stop), case.halves(rig), 0.0, multipoles)
    rows = np.column_stack([products, case.traces(rig)])
    radius = case.stops[stop]

    def both(m):
        slope = m[..., 0] / np.sqrt(m[..., 1]) ** 2 * radius / m[..., 3]
        return np.stack([ratio(m), slope], axis=-1)

    with np.errstate(invalid="ignore", divide="ignore"):
        value, error = ensembles.function_of_mean(both, rows, case.rows)
    return float(value[0]), float(error[0]), float(value[1]), float(error[1])


def near_lambda(case, rig):
    """Index of the sphere whose radius is nearest to the mean free path."""
    length = float(case.mean_free_path(rig)[0])
    return case.radius(length) if length > 0 else 0


def _literal(case, rig, at):
    stop = near_lambda(case, rig)
    lengths = case.stops[stop] / case.mean_free_path(rig)[0]
    value, error, slope, slope_error = literal(case, rig, stop)
    sphere = f"G_p = X_r/r, r = {case.stops[stop]:g} pc = {lengths:.1f} lambda {at}"
    return [
        statement(
            "eq. 8", f"correlation of a_lm (l = 2 to 10) with eq. 8, {sphere}", "1",
            (value, error), "", verdict_between(value, error, 0.9, 0.5),
            "most of the structure is made outside of that sphere" if value < 0.5 else "",
        ),
        statement(
            "eq. 8", f"slope of a_lm against eq. 8, {sphere}", "1", (slope, slope_error), "",
            verdict_of(slope, slope_error, 0.8, 1.25),
            "the prediction with |delta| = lambda |g| is too small" if slope > 1 else "",
        ),
    ]  # fmt: skip


def _variant(case, rig, stop, at):
    """The last sphere against lambda G_p = X at a sphere of a few lambda."""
    length = float(case.mean_free_path(rig)[0])
    near, last = case.halves(rig, stop), case.halves(rig)
    plain = correlation(near, last, 0.0, USED)
    sphere = f"lambda G_p = X_r, r = {case.stops[stop]:g} pc = {case.stops[stop] / length:.1f}"
    sphere += f" lambda {at}"
    note = "not the paper's eq. 8, whose G_p is a unit vector: whether <X_R | X_r> = X_r"
    ahead = with_memory(case, rig, stop)
    if ahead is not None:
        note += (
            "; a particle that crosses a sphere keeps going: with lambda U added to X_r the slope"
            f" is {words(ahead.slope, ahead.slope_error, 3)}"
        )
    return [
        statement(
            "variant of eq. 8", f"correlation of a_lm (l = 2 to 10), {sphere}", "-",
            (plain.value, plain.error), "", "open", "structure is still added outside of it",
        ),
        statement(
            "variant of eq. 8", f"slope of a_lm, {sphere}", "-",
            (plain.slope, plain.slope_error), "", "open", note,
        ),
    ]  # fmt: skip


def with_memory(case, rig, stop):
    """Correlation of the last sphere with X + lambda U at a smaller one.

    U is the direction at the crossing, along which a particle goes on by lambda on average; None
    for a file that lacks its multipoles (of format version 1 or 2).
    """
    try:
        direction = case.results.direction_alm_half[case.rows, rig, stop]
    except ResultError:
        return None
    length = float(case.mean_free_path(rig)[0])
    ahead = case.halves(rig, stop)
    ahead = ahead + length * np.einsum("ahjm,j->ahm", direction, case.gradient(rig))
    return correlation(ahead, case.halves(rig), 0.0, USED)


def _spots(case, rigidity, rig, at):
    """R.m.s. of smoothed maps, and the distribution of their strongest spots."""
    last = case.halves(rig)
    size = 100 * np.array(rms(last, SMOOTHING))
    found = [
        statement(
            "figure 1", f"r.m.s. of the smoothed map without dipole {at}", "not given", size, "%",
            "open", "over all realisations; the paper shows one map",
        )
    ]  # fmt: skip
    if len(case.rows) < 3:
        return found
    spots = 100 * extremes(last)
    every = spots.ravel()
    low, high = np.quantile(every, [0.025, 0.975])
    measured = np.median(every), ensembles.median_error(every, len(spots))
    verdict = verdict_of_one(6.0, every) if rigidity == LOW else "open"
    found.append(
        statement(
            "figure 1", f"strongest hot or cold spot of a field, median {at}",
            "~6 %" if rigidity == LOW else "larger than at 10 PV", measured, "%", verdict,
            f"95 % of single ones lie in {low:.1f} to {high:.1f} %; from multipoles, filtered to"
            " the spectrum free of noise",
        )
    )  # fmt: skip
    return found


def extremes(halves, radius=SMOOTHING):
    """Strongest hot and cold spot of every smoothed sky without its dipole.

    Particles are too few for their noise not to matter: each a_lm is multiplied by
    sqrt(S_l/(S_l + N_l)), so that the skies have the spectrum S_l that is free of noise. Of a
    Gaussian sky the extremes are then distributed as those of the signal.

    Parameters
    ----------
    halves : ndarray (n, 2, n_lm), complex
        As for `hpc_cr.anisotropy.correlation.cross_power`.
    radius : float
        Degrees.

    Returns
    -------
    ndarray (n, 2)
        Largest excess and largest deficit of each sky, both positive.
    """
    import healpy

    from hpc_cr.anisotropy.correlation import cross_power
    from hpc_cr.anisotropy.multipoles import power

    whole = halves.mean(axis=1)
    signal = cross_power(halves, halves).mean(axis=0)
    total = power(whole).mean(axis=0)
    share = np.divide(signal, total, out=np.zeros_like(total), where=total > 0)
    factor = np.sqrt(np.clip(share, 0.0, 1.0)) * top_hat_window(len(share) - 1, radius)
    factor[:2] = 0.0
    skies = [
        healpy.alm2map(healpy.almxfl(np.ascontiguousarray(one), factor), EXTREMES_NSIDE)
        for one in whole
    ]
    return np.array([(sky.max(), -sky.min()) for sky in skies])
