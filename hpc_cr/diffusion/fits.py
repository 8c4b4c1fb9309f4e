"""Curves through measured diffusion coefficients, with the covariance of what they are made of.

Points of one file share realisations and are correlated: fits weigh them with their own errors, and
the errors of the parameters follow from the `covariance` of the points, if it is given.

Without a regular field D/(c L) is a function of x = r_g/L alone,

    D/(c L) = (4/3) x^2 L/L_c + [a x + b x^(2-q)]/[1 + (x/x_c)^2],

the limit of small angles, which is exact, the resonant term that the spectrum k^-q gives, and one
term between them. Without the cut-off x_c this is the form of Harari et al. 2014 (PRD 89, 123001),
whose Kolmogorov coefficients are a = 0.3 and b = 0.077; it misses what is measured by up to a
fifth around x = 1, where no wave is long enough to resonate. L = L_max (q-1)/(2 q) is the
two-sided coherence length L_c of a spectrum that goes on for ever, L_max/5 for Kolmogorov
(q = 5/3) and L_max/6 for Kraichnan (3/2).

Beside a regular field, at one rigidity and one total field sqrt(B0^2 + B_rms^2), against the level
eta = B_rms/B0,

    D_par = D0 [1 + (eta_par/eta)^p],    D_perp = D0/[1 + (eta_perp/eta)^s],

which meet in the isotropic D0 where the regular field is weak.
"""

from dataclasses import dataclass, field, replace

import numpy as np
from scipy import optimize

SMALL_ANGLE = 4.0 / 3.0


class FitError(ValueError):
    """Too few points, or points no curve can be put through; one line."""


@dataclass(frozen=True)
class Fit:
    """Parameters of a curve through n points.

    Attributes
    ----------
    names : tuple of str
    values : ndarray (n_par,)
    covariance : ndarray (n_par, n_par)
        With the scatter below in it.
    chi2 : float
        Of the points' own errors, without the scatter.
    n_point : int
    scatter : float
        Relative scatter about the curve that the points' errors do not explain: what has to be
        added to them in quadrature for chi2 to come down to the degrees of freedom. It tells how
        well the form can describe the points.
    """

    names: tuple
    values: np.ndarray
    covariance: np.ndarray
    chi2: float
    n_point: int
    scatter: float

    @property
    def errors(self):
        """Standard errors, (n_par,)."""
        return np.sqrt(np.diag(self.covariance))

    @property
    def dof(self):
        """Degrees of freedom."""
        return self.n_point - len(self.values)

    def __getitem__(self, name):
        """(value, error) of a parameter."""
        i = self.names.index(name)
        return float(self.values[i]), float(self.errors[i])

    def propagate(self, function):
        """A function of the parameters and its standard error.

        Parameters
        ----------
        function : callable (n_par,) -> float or ndarray (...)

        Returns
        -------
        value, error : ndarray (...)
        """
        value = np.asarray(function(self.values), float)
        step = 1e-4 * np.maximum(self.errors, 1e-6 * np.abs(self.values) + 1e-12)
        slopes = np.stack([
            (np.asarray(function(self.values + d)) - np.asarray(function(self.values - d)))
            / (2 * step[i]) for i, d in enumerate(np.diag(step))
        ])  # fmt: skip
        variance = np.einsum("i...,ij,j...->...", slopes, self.covariance, slopes)
        return value, np.sqrt(np.maximum(variance, 0.0))


def _least_squares(model, y, error, start, bounds=(-np.inf, np.inf)):
    """Parameters, response and chi2 of log(model/y) = 0 +- error/y.

    The logarithm, since the values span decades and their errors are relative. The response
    (n_par, n) says what the parameters change by with log(y).
    """
    sigma = error / y

    def residuals(parameters):
        value = model(parameters)
        # a curve below zero is worse than any other
        return np.where(value > 0, np.log(np.maximum(value, 1e-300) / y), -50.0) / sigma

    found = optimize.least_squares(residuals, start, bounds=bounds, x_scale="jac")
    try:
        response = np.linalg.solve(found.jac.T @ found.jac, found.jac.T / sigma)
    except np.linalg.LinAlgError:
        response = np.full((len(start), len(y)), np.nan)
    return found.x, response, 2 * float(found.cost)


def _with_scatter(names, model, y, error, start, bounds=(-np.inf, np.inf), covariance=None):
    """A fit whose points' errors get the scatter that makes chi2 equal the degrees of freedom.

    covariance: of log(y), (n, n); default: points are independent.
    """
    y, error = np.asarray(y, float), np.asarray(error, float)
    dof = len(y) - len(start)
    values, response, own = _least_squares(model, y, error, start, bounds)
    scatter = 0.0
    if dof > 0 and own > dof:
        def excess(log_scatter):
            total = np.hypot(error, np.exp(log_scatter) * y)
            return np.log(_least_squares(model, y, total, values, bounds)[2] / dof)

        low, high = np.log(1e-3 * np.min(error / y)), np.log(10.0)
        if excess(low) > 0:
            scatter = float(np.exp(optimize.brentq(excess, low, high, xtol=1e-3)))
        total = np.hypot(error, scatter * y)
        values, response, _ = _least_squares(model, y, total, values, bounds)
    points = np.diag((error / y) ** 2) if covariance is None else covariance
    points = points + scatter**2 * np.eye(len(y))
    return Fit(names, values, response @ points @ response.T, own, len(y), scatter)


def _select(covariance, usable):
    """Rows and columns of a covariance; None if there is none."""
    return None if covariance is None else np.asarray(covariance, float)[np.ix_(usable, usable)]


def _checked(least, *columns):
    """Which points can be used: positive, with an error; and the columns of those, as arrays."""
    columns = np.broadcast_arrays(*(np.asarray(c, float) for c in columns))
    usable = np.all([np.isfinite(c) & (c > 0) for c in columns], axis=0)
    if usable.sum() < least:
        raise FitError(
            f"{int(usable.sum())} of {usable.size} points have a positive value with an error;"
            f" a fit needs {least}"
        )
    return np.flatnonzero(usable), *(c[usable] for c in columns)


# without a regular field


def unit_length(outer_scale, slope):
    """L = L_max (q-1)/(2 q): L_max/5 for Kolmogorov, L_max/6 for Kraichnan; pc.

    Parameters
    ----------
    outer_scale : float or array
        L_max in pc.
    slope : float
        q > 1.
    """
    return outer_scale * (slope - 1.0) / (2.0 * slope)


FORMS = {
    "sum": ("a", "b"),
    "cut-off": ("a", "b", "cutoff"),
    "resonant": ("b",),
    "free exponent": ("a", "b", "cutoff", "exponent"),
}
"""Form of the isotropic fit -> its free parameters; of the others a = 0, no cut-off, and 2 - q."""


@dataclass(frozen=True)
class IsotropicFit:
    """D/(c L) against x: its `Fit`, its form (a key of FORMS), and the points behind it.

    Attributes
    ----------
    fit : Fit
    slope : float
        q.
    form : str
    x, d, error, coherence : ndarray (n,)
        As given to `fit_isotropic`, ascending.
    points : ndarray (n, n) or None
        Covariance of log(d).
    others : dict
        Name -> IsotropicFit to the same points otherwise, see `fit_isotropic`.
    """

    fit: Fit
    slope: float
    form: str
    x: np.ndarray
    d: np.ndarray
    error: np.ndarray
    coherence: np.ndarray
    points: np.ndarray | None = None
    others: dict = field(default_factory=dict)

    def evaluate(self, x, coherence=1.0):
        """D/(c L) at x = r_g/L and its standard error, ndarrays (...)."""
        return self.fit.propagate(lambda p: self.curve(p, x, coherence))

    def curve(self, parameters, x, coherence=1.0):
        """D/(c L) with given parameters instead of the fitted ones."""
        return _isotropic(_complete(self.form, parameters, self.slope), x, coherence)

    def low_energy(self, x):
        """The asymptote b x^(2-q) of resonant scattering."""
        full = _complete(self.form, self.fit.values, self.slope)
        return full["b"] * np.asarray(x, float) ** full["exponent"]

    def extrapolate(self, x):
        """D/(c L) at an x outside of the points, with its errors; an Extrapolation."""
        value, error = self.evaluate(x)
        values = {name: other.evaluate(x)[0] for name, other in self.others.items()}
        fixed = [v for name, v in values.items() if name != "free exponent"]
        change = [np.abs(v - value) for v in fixed] or [np.full_like(value, np.nan)]
        return Extrapolation(value, error, np.max(change, axis=0), values)

    def crossing(self):
        """x where the asymptotes (4/3) x^2 and b x^(2-q) cross, and its standard error."""

        def cross(parameters):
            full = _complete(self.form, parameters, self.slope)
            return (full["b"] / SMALL_ANGLE) ** (1 / (2.0 - full["exponent"]))

        return tuple(map(float, self.fit.propagate(cross)))

    def halfway(self):
        """x where d ln D/d ln x is half-way between 2 - q and 2, and its standard error."""
        return tuple(map(float, self.fit.propagate(self._halfway)))

    def _halfway(self, parameters):
        middle = 0.5 * (_complete(self.form, parameters, self.slope)["exponent"] + 2.0)
        log_x = np.linspace(np.log(1e-4), np.log(1e2), 2000)
        growth = np.gradient(np.log(self.curve(parameters, np.exp(log_x))), log_x)
        # from above: steeper than half-way from there on
        less = np.flatnonzero(growth < middle)
        if not less.size or less[-1] + 1 == len(growth):
            return np.nan
        last = less[-1]
        part = (middle - growth[last]) / (growth[last + 1] - growth[last])
        return np.exp(log_x[last] + part * (log_x[1] - log_x[0]))


@dataclass(frozen=True)
class Extrapolation:
    """A value outside of the points.

    Attributes
    ----------
    value, error : ndarray (...)
        With the fit's standard error.
    systematic : ndarray (...)
        Largest change that other forms and fewer points make, the exponent 2 - q kept.
    others : dict
        Name -> value of each of these, and with the exponent freed ("free exponent"), which is not
        in the systematic error but a number of its own: `freed`.
    """

    value: np.ndarray
    error: np.ndarray
    systematic: np.ndarray
    others: dict

    @property
    def freed(self):
        """The value without the theory's exponent 2 - q; NaN with too few points for that."""
        return self.others.get("free exponent", np.full_like(self.value, np.nan))

    @property
    def total(self):
        """Both errors in quadrature."""
        return np.hypot(self.error, self.systematic)


def _complete(form, parameters, slope):
    """All four parameters by name."""
    full = {"a": 0.0, "b": 0.0, "cutoff": np.inf, "exponent": 2.0 - slope}
    return full | dict(zip(FORMS[form], parameters, strict=True))


def _isotropic(full, x, coherence):
    x = np.asarray(x, float)
    resonant = full["a"] * x + full["b"] * x ** full["exponent"]
    return SMALL_ANGLE * x**2 / coherence + resonant / (1 + (x / full["cutoff"]) ** 2)


def fit_isotropic(x, d, error, slope, *, coherence=1.0, covariance=None, form="cut-off",
                  others=True):  # fmt: skip
    """D/(c L) through measured points.

    Parameters
    ----------
    x : array (n,)
        r_g/L, L = `unit_length`.
    d, error : array (n,)
        D/(c L) and its standard error; points without an error or not positive are left out.
    slope : float
        q.
    coherence : float or array (n,)
        L_c/L of each point, the coherence length being longer than L where the spectrum ends
        (`hpc_cr.config.scales.coherence_length`): the limit of small angles needs it.
    covariance : array (n, n), optional
        Of log(d), for the parameters' errors; default: independent points.
    form : str
        Key of FORMS; a form with more parameters than there are points becomes "sum".
    others : bool
        Make the fits that the systematic error of an extrapolation comes from: without the points
        of lowest x; without a cut-off to the points below x = 0.3; with the resonant term alone
        to those of lowest x; with the exponent freed.

    Returns
    -------
    IsotropicFit

    Raises
    ------
    FitError
        Fewer points than parameters.
    """
    least = len(FORMS["resonant"] if form == "resonant" else FORMS["sum"])
    usable, *columns = _checked(least, x, d, error, coherence)
    order = np.argsort(columns[0], kind="stable")
    x, d, error, coherence = (column[order] for column in columns)
    points = _select(covariance, usable[order])
    if len(x) <= len(FORMS[form]) and form != "resonant":
        form = "sum"
    first = {"a": 0.3, "b": 0.08, "cutoff": 0.5, "exponent": 2.0 - slope}
    lowest = {"a": -np.inf, "b": 0.0, "cutoff": 0.01, "exponent": 0.0}
    start = np.array([first[name] for name in FORMS[form]])
    bounds = [lowest[name] for name in FORMS[form]], np.inf

    def model(parameters):
        return _isotropic(_complete(form, parameters, slope), x, coherence)

    fit = _with_scatter(FORMS[form], model, d, error, start, bounds, points)
    result = IsotropicFit(fit, slope, form, x, d, error, coherence, points)
    return replace(result, others=_others(result)) if others else result


def _others(main):
    """Fits to fewer points, with fewer terms and with a free exponent, by name."""
    n = len(main.x)
    half = int(np.count_nonzero(main.x < 0.3))

    def fit(cut, form):
        points = (column[cut] for column in (main.x, main.d, main.error))
        covariance = _select(main.points, np.arange(n)[cut])
        return fit_isotropic(*points, main.slope, coherence=main.coherence[cut],
                             covariance=covariance, form=form, others=False)  # fmt: skip

    found, places = {}, np.unique(main.x)
    above = main.x > places[0]
    if above.sum() > len(FORMS[main.form]):
        found["without the lowest"] = fit(above, main.form)
    if half >= 3:
        found["points below x = 0.3"] = fit(slice(None, half), "sum")
    found["lowest with b alone"] = fit(~above, "resonant")
    if n > len(FORMS["free exponent"]):
        found["free exponent"] = fit(slice(None), "free exponent")
    return found


# beside a regular field


@dataclass(frozen=True)
class LevelFit:
    """Joint fit of D_par and D_perp against eta: parameters D0, eta_par, p, eta_perp, s.

    D0 in the unit of the coefficients: a parameter, which levels far below and above determine; D
    without a regular field is not in the fit.

    Attributes
    ----------
    fit : Fit
        Its covariance is that of the points' statistics plus, from MANY_LEVELS levels on, a
        jackknife over levels: what is left over of the form is no scatter but a wave about the
        curves, to which the usual errors, which take it for scatter, are blind.
    """

    fit: Fit

    def parallel(self, eta):
        """D_par at eta = B_rms/B0 and its standard error, ndarrays (...)."""
        return self.fit.propagate(lambda v: self.curves(v, eta)[0])

    def perp(self, eta):
        """D_perp at eta and its standard error."""
        return self.fit.propagate(lambda v: self.curves(v, eta)[1])

    def ratio(self, eta):
        """D_perp/D_par at eta and its standard error."""
        return self.fit.propagate(lambda v: self.curves(v, eta)[1] / self.curves(v, eta)[0])

    @staticmethod
    def curves(values, eta):
        """D_par and D_perp with given parameters instead of the fitted ones, ndarrays (...)."""
        d0, eta_par, p, eta_perp, s = values
        eta = np.asarray(eta, float)
        return d0 * (1 + (eta_par / eta) ** p), d0 / (1 + (eta_perp / eta) ** s)


LEVEL_PARAMETERS = ("D0", "eta_par", "p", "eta_perp", "s")


MANY_LEVELS = 5
"""Levels from which on each can be left out of the level fit."""


def fit_level(eta, parallel, parallel_error, perp, perp_error, covariance=None):
    """D_par = D0 [1 + (eta_par/eta)^p] and D_perp = D0/[1 + (eta_perp/eta)^s] together.

    Parameters
    ----------
    eta : array (n,)
        B_rms/B0 at one rigidity and one total field.
    parallel, parallel_error, perp, perp_error : array (n,)
        In one unit; points without an error or not positive are left out, of each by itself.
    covariance : array (2 n, 2 n), optional
        Of the logarithms of parallel and perp, one behind the other; default: independent points.

    Returns
    -------
    LevelFit

    Raises
    ------
    FitError
        Fewer than three points of either.
    """
    a, eta_a, par, par_error = _checked(3, eta, parallel, parallel_error)
    b, eta_b, per, per_error = _checked(3, eta, perp, perp_error)
    y, error = np.concatenate([par, per]), np.concatenate([par_error, per_error])
    etas = np.concatenate([eta_a, eta_b])
    points = _select(covariance, np.concatenate([a, np.size(eta) + b]))
    if np.unique(etas).size < 3:
        raise FitError("the level fit needs three levels B_rms/B0 or more")

    def model(logs):
        values = np.exp(np.clip(logs, -50, 50))
        return np.concatenate([LevelFit.curves(values, eta_a)[0],
                               LevelFit.curves(values, eta_b)[1]])  # fmt: skip

    # about where the two meet, and where they leave each other
    d0 = np.sqrt(par[np.argmax(eta_a)] * per[np.argmax(eta_b)])
    start = np.log([d0, max(eta_a.max() / 3, eta_a.min()), 1.5, eta_b.max(), 1.5])
    # in logarithms every parameter stays positive
    logs = _with_scatter(LEVEL_PARAMETERS, model, y, error, start, covariance=points)
    total = np.hypot(error, logs.scatter * y)
    spread = logs.covariance
    if np.unique(etas).size >= MANY_LEVELS:
        spread = _over_levels(model, y, error, total, logs.values, etas, points)
    values = np.exp(logs.values)
    return LevelFit(replace(logs, values=values, covariance=spread * np.outer(values, values)))


def _over_levels(model, y, error, total, logs, etas, points):
    """Covariance of the points' statistics and of a jackknife over the levels, added."""
    _, response, _ = _least_squares(model, y, total, logs)
    points = np.diag((error / y) ** 2) if points is None else points
    found = []
    for eta in np.unique(etas):
        keep = etas != eta
        found.append(_least_squares(lambda v, keep=keep: model(v)[keep], y[keep], total[keep],
                                    logs)[0])  # fmt: skip
    away = np.array(found) - np.mean(found, axis=0)
    return response @ points @ response.T + (len(found) - 1) / len(found) * away.T @ away


def fit_power_law(x, y, error, reference=1.0, covariance=None):
    """y = amplitude (x/reference)^exponent.

    Parameters
    ----------
    x, y, error : array (n,)
        Positive; points without an error are left out.
    reference : float
    covariance : array (n, n), optional
        Of log(y), for the parameters' errors; default: independent points.

    Returns
    -------
    Fit
        Parameters amplitude and exponent.

    Raises
    ------
    FitError
        Fewer than two points.
    """
    usable, x, y, error = _checked(2, x, y, error)
    points = _select(covariance, usable)
    if np.unique(x).size < 2:
        raise FitError("a power law needs two different places or more")
    slope, offset = np.polyfit(np.log(x / reference), np.log(y), 1)

    def model(parameters):
        return np.exp(parameters[0] + parameters[1] * np.log(x / reference))

    logs = _with_scatter(("amplitude", "exponent"), model, y, error, np.array([offset, slope]),
                         covariance=points)  # fmt: skip
    scale = np.array([np.exp(logs.values[0]), 1.0])
    values = np.array([scale[0], logs.values[1]])
    return replace(logs, values=values, covariance=logs.covariance * np.outer(scale, scale))


def power_law(x, y, error):
    """Exponent of y ~ x^exponent and its standard error.

    Parameters
    ----------
    x, y, error : array (n,)
        Positive; points without an error are left out.

    Returns
    -------
    exponent, error : float

    Raises
    ------
    FitError
        Fewer than two points.
    """
    return fit_power_law(x, y, error)["exponent"]
