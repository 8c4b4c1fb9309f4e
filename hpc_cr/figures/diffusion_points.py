"""Measured diffusion coefficients of several files, cases and rigidities, for figures.

D/c in pc, rigidities in PV; figures show D in cm^2/s.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from hpc_cr.config.scales import gyroradius
from hpc_cr.constants import PC_C_CM2_PER_S
from hpc_cr.diffusion import fits, grammage
from hpc_cr.figures import panels, style
from hpc_cr.figures.panels import FigureError

D_LABEL = r"$D$ [cm$^2$ s$^{-1}$]"
EV_PER_PV = 1e15
"""Energy of a proton of 1 PV, eV."""
MARKERS = "os^Dv<>"
LEAST_POINTS = 4
"""Points that an isotropic fit needs, one of them with r_g/L below RESONANT."""
RESONANT = 0.1
"""r_g/L up to which D grows with its low-energy exponent; above, the transition begins."""
BOUNDS = ("falling", "rising")
"""States in which a value is but a bound: drawn open, and in no fit."""


class Point(NamedTuple):
    """One case at one rigidity.

    Attributes
    ----------
    results : hpc_cr.io.diffusion.DiffusionResults
    rig : int
    rigidity : float
        PV.
    found : dict
        Name ("D_iso", "D_par", "D_perp") -> hpc_cr.diffusion.coefficients.Coefficient.
    """

    results: object
    rig: int
    rigidity: float
    found: dict

    @property
    def job(self):
        """The case's job."""
        return self.results.job

    @property
    def label(self):
        """Name of the case, or of the job without cases."""
        return self.results.case or self.job.name

    @property
    def eta(self):
        """B_rms/B0, infinite without a regular field."""
        b0 = self.job.regular.strength if self.has_field else 0.0
        return self.job.turbulence.rms / b0 if b0 else np.inf

    @property
    def has_field(self):
        """Whether there is a uniform field."""
        return bool(np.any(self.job.regular_field))

    @property
    def total_field(self):
        """sqrt(B0^2 + B_rms^2), uG."""
        return float(np.hypot(self.job.turbulence.rms, np.linalg.norm(self.job.regular_field)))

    @property
    def length(self):
        """L = L_max (q-1)/(2 q), pc: the two-sided L_c of a spectrum that goes on for ever."""
        turbulence = self.job.turbulence
        return fits.unit_length(turbulence.outer_scale, turbulence.slope)

    @property
    def gyroradius(self):
        """In the total field, pc."""
        return gyroradius(self.rigidity, self.total_field)

    @property
    def x(self):
        """r_g/L."""
        return self.gyroradius / self.length

    @property
    def group(self):
        """What has to be equal for D/(c L) to be one function of level and x: spectrum."""
        return round(self.job.turbulence.slope, 4)


def select(opened, options, regular, what):
    """Points of opened files, of the cases and rigidities that the options choose.

    Parameters
    ----------
    opened : sequence of DiffusionResults
    options : hpc_cr.figures.panels.Options
    regular : bool or None
        Only cases with a uniform field, only those without, or all.
    what : str
        Name of the figure, for messages.

    Returns
    -------
    list of Point
        Those with something finished; case by case, rigidities ascending.

    Raises
    ------
    FigureError
        No such case or rigidity, nothing finished, no case of this sort, or a file given twice.
    """
    panels.check_cases(opened, options)
    paths = [Path(file.path).resolve() for file in opened]
    for place, path in enumerate(paths):
        if path in paths[:place]:
            raise FigureError(f"{opened[place].path}: given twice; its points would count twice")
    found, fitting, missed = [], 0, None
    for file in opened:
        for results in file.each_case():
            model = results.job.regular.model
            if options.cases and results.case not in options.cases:
                continue
            if model not in ("none", "uniform") or not results.job.turbulence.rms > 0:
                continue
            if regular is not None and regular is not (model == "uniform"):
                continue
            fitting += 1
            try:
                chosen = panels.rigidity_indices(results, options.rigidities, "all")
            except FigureError as error:
                # another case may have this rigidity
                missed = error
                continue
            for rig in sorted(chosen, key=lambda i: results.rigidities[i]):
                if results.done[:, rig].any():
                    found.append(Point(results, rig, float(results.rigidities[rig]),
                                       results.coefficients(rig)))  # fmt: skip
    if found:
        return found
    if missed is not None:
        raise missed
    if fitting:
        raise FigureError(f"{opened[0].path}: no finished realisation yet")
    sort = {True: "with a uniform regular field (regular.model)",
            False: 'without a regular field (regular.model = "none")'}.get(regular, "")  # fmt: skip
    raise FigureError(f"{opened[0].path}: the figure {what} needs turbulent cases {sort}".rstrip())


def without(options, what, *names):
    """Refuse options that a figure has no use for.

    Parameters
    ----------
    options : hpc_cr.figures.panels.Options
    what : str
        Name of the figure.
    *names : "stops" or "data"

    Raises
    ------
    FigureError
        One of them is not at its default.
    """
    told = {"stops": ("--stop", "all stops enter"), "data": ("--data", "it shows no measurements")}
    for name in names:
        if getattr(options, name) != getattr(panels.Options(), name):
            option, reason = told[name]
            raise FigureError(f"the figure {what} has no {option}: {reason}")


def values(points, name, drift=False):
    """A coefficient of several points.

    Parameters
    ----------
    points : sequence of Point
    name : str
    drift : bool
        Add to the error what is left of a trend (`Coefficient.trend`) in quadrature; half of the
        value where it is unknown.

    Returns
    -------
    value, error : ndarray (n,)
        pc.
    plateau : ndarray (n,) of bool
    """
    found = [point.found[name] for point in points]
    value = np.array([c.value for c in found], float)
    error = np.array([c.error for c in found], float)
    plateau = np.array([c.state == "plateau" for c in found], bool)
    if drift:
        trend = np.nan_to_num([c.trend for c in found], nan=0.5)
        error = np.hypot(error, trend * np.abs(value))
    return value, error, plateau


def to_fit(points, *names):
    """Coefficients of several points for a fit.

    Parameters
    ----------
    points : sequence of Point
    *names : str

    Returns
    -------
    value, error : ndarray (n_names, n)
        pc; the error with the trend. NaN for what is but a bound (BOUNDS): fits leave it out.
    covariance : ndarray (n_names n, n_names n)
        Of ln(value), one name behind the other: trends are independent, statistical errors are
        correlated as far as points share realisations.
    """
    value, error = np.array([values(points, name, drift=True)[:2] for name in names]
                            ).transpose(1, 0, 2)  # fmt: skip
    bound = np.array([[p.found[name].state in BOUNDS for p in points] for name in names], bool)
    value, error = np.where(bound, np.nan, value), np.where(bound, np.nan, error)
    own = np.array([p.found[name].error for name in names for p in points]) / value.ravel()
    trend = np.diag((error.ravel() / value.ravel()) ** 2 - own**2)
    return value, error, trend + correlated(points, names)


def correlated(points, names):
    """Covariance of ln(value) from realisations that points share, (n_names n, n_names n).

    Realisations of one seed and number go together. With g_k the growth of realisation k and its
    mean g over n of them, d_k = (g_k - g)/(g sqrt(n (n-1))): the sum of d_k^2 is the error of the
    mean squared, that of d_k d'_k the covariance of two points.
    """
    place, rows = {}, []
    for name in names:
        for point in points:
            labels, growth = point.results.growths(point.rig, {name: point.found[name]})[name]
            rows.append((point.job.run.seed, labels, growth))
            for label in labels:
                place.setdefault((point.job.run.seed, int(label)), len(place))
    away = np.zeros((len(rows), len(place)))
    for row, (seed, labels, growth) in zip(away, rows, strict=True):
        n = len(labels)
        if n > 1:
            row[[place[seed, int(label)] for label in labels]] = (
                (growth - growth.mean()) / (growth.mean() * np.sqrt(n * (n - 1))))  # fmt: skip
    return away @ away.T


def left_out(points, *names):
    """How many coefficients of points fits leave out: "2 without a plateau left out", or ""."""
    count = sum(p.found[name].state in BOUNDS for p in points for name in names)
    return f"{count} still falling or rising: not in the fit" if count else ""


def fit_isotropic(points, what):
    """`fits.fit_isotropic` of points without a regular field that share a spectrum.

    Raises
    ------
    FigureError
        Too few points with a plateau, or none of a gyroradius below the transition.
    """
    length = np.array([point.length for point in points])
    (value,), (error,), covariance = to_fit(points, "D_iso")
    coherence = np.array([point.job.coherence_length for point in points]) / length
    x = np.array([point.x for point in points])
    used = np.isfinite(value) & np.isfinite(error)
    if used.sum() < LEAST_POINTS or not x[used].min() <= RESONANT:
        raise FigureError(
            f"{points[0].results.path}: {what}: {int(used.sum())} of {used.size} points have a"
            f" value to fit; needs {LEAST_POINTS} that neither fall nor rise, and one of them with"
            f" r_g <= {RESONANT:g} L (L = {style.number(length[0], 3)} pc)"
        )
    try:
        return fits.fit_isotropic(x, value / length, error / length, points[0].job.turbulence.slope,
                                  coherence=coherence, covariance=covariance)  # fmt: skip
    except fits.FitError as error:
        raise FigureError(f"{points[0].results.path}: {what}: {error}") from None


def field_strengths(fit, length, points):
    """`hpc_cr.diffusion.grammage.field_strengths` of a fit to points.

    Raises
    ------
    FigureError
        The fit falls somewhere, so that no single field gives what is asked for.
    """
    try:
        return grammage.field_strengths(fit, length)
    except ValueError as error:
        raise FigureError(f"{points[0].results.path}: {error}") from None


def by(points, key):
    """Points in groups of equal key, in the order of the keys: list of (key, list of Point)."""
    groups = {}
    for point in points:
        groups.setdefault(key(point), []).append(point)
    return sorted(groups.items())


def spectrum_name(slope):
    """ "Kolmogorov", "Kraichnan", or the slope."""
    for name, value in (("Kolmogorov", 5 / 3), ("Kraichnan", 3 / 2)):
        if abs(slope - value) < 1e-3:
            return name
    return rf"$q$ = {slope:.3g}"


def unit_text(slope):
    """The unit of lengths: "L_max/5"."""
    return rf"L_\mathrm{{max}}/{float(f'{2 * slope / (slope - 1):.3g}'):g}"


def counts(points):
    """ "20 realisations", or their range."""
    n = [next(iter(point.found.values())).n_realisation for point in points]
    low, high = min(n), max(n)
    text = f"{low}" if low == high else f"{low} to {high}"
    return f"{text} realisation{'s' if high != 1 else ''}"


def draw_points(axes, x, value, error, plateau, colour, marker="o", label=None, factor=1.0):
    """Points with error bars: full where there is a plateau, open where there is none.

    One realisation has no error: no bar.
    """
    x, value = np.asarray(x, float), np.asarray(value, float) * factor
    error = np.nan_to_num(np.asarray(error, float)) * factor
    for filled in (True, False):
        shown = (np.asarray(plateau) == filled) & np.isfinite(value) & (value > 0)
        if not shown.any():
            continue
        axes.errorbar(x[shown], value[shown], error[shown], color=colour, marker=marker,
                      markersize=3.6, linestyle="none", capsize=1.5, elinewidth=0.9, zorder=4,
                      markeredgewidth=0.8, markerfacecolor=colour if filled else "white",
                      label=label)  # fmt: skip
        label = None


def with_error(value, error):
    """ "23.9 ± 0.4": one digit of the error, two where it begins with a 1."""
    if not (np.isfinite(error) and error > 0 and value):
        return style.number(value, 3)
    exponent = int(np.floor(np.log10(abs(value))))
    size = int(np.floor(np.log10(error)))
    places = (1 if error / 10.0**size < 1.95 else 0) - size
    if -3 <= exponent <= 3:
        return rf"{value:.{max(places, 0)}f} $\pm$ {error:.{max(places, 0)}f}"
    scale, places = 10.0**exponent, max(places + exponent, 0)
    return (rf"({value / scale:.{places}f} $\pm$ {error / scale:.{places}f})"
            rf"$\times10^{{{exponent}}}$")


def cm2(value):
    """D/c in pc as D in cm^2/s."""
    return np.asarray(value) * PC_C_CM2_PER_S
