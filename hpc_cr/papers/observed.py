"""From a result file to the numbers of a statement: ensembles, ratios and verdicts."""

import numpy as np

from hpc_cr.anisotropy import alignment
from hpc_cr.anisotropy.ensembles import coefficients, function_of_mean, mean_and_error
from hpc_cr.anisotropy.ensembles import scatter_and_error as _scatter_and_error
from hpc_cr.anisotropy.resampling import share, zero_test
from hpc_cr.figures import style
from hpc_cr.figures.panels import FigureError, Options, Panel
from hpc_cr.measurements.dipole_limits import kascade_limit

SURE = 2.0
"""Standard errors that decide a comparison."""
APART = 3.0
"""Standard errors that tell two numbers apart; between SURE and this it stays open."""


def equal(value, error, expected):
    """Verdict on value = expected: within SURE errors, that themselves are below half of it."""
    if not (np.isfinite(value) and np.isfinite(error)) or error > 0.5 * abs(expected):
        return "open"
    distance = abs(value - expected)
    if distance <= SURE * error:
        return "agrees"
    return "differs" if distance > APART * error else "open"


def above(value, error, bound):
    """Verdict on value > bound: by SURE errors, or below it by as many."""
    if not (np.isfinite(value) and np.isfinite(error)) or abs(value - bound) <= SURE * error:
        return "open"
    return "agrees" if value > bound else "differs"


def below(value, error, bound):
    """Verdict on value < bound, as `above`."""
    return above(-value, error, -bound)


def zero(values, group):
    """Verdict on a mean vector (values (n, m)) being zero, and the test behind it as text."""
    chi2, p = zero_test(values, group)
    if not np.isfinite(p):
        return "open", "too few realisations"
    # 2 and 3 standard deviations of a normal variable
    verdict = "agrees" if p > 0.0455 else "differs" if p < 0.0027 else "open"
    return verdict, f"chi2 = {chi2:.1f} for {values.shape[1]} components, p = {p:.2g}"


def observed(case, rigidity=1.0, stop=-1, normalisation="physical"):
    """Panel of a case at one rigidity and stop.

    Parameters
    ----------
    case : hpc_cr.io.results.Results
    rigidity : float
        PV.
    stop : int
        Index.
    normalisation : "physical" or "diffusion"
        See `hpc_cr.figures.panels.Options`.

    Returns
    -------
    Panel or None
        None if the file has no such rigidity or nothing finished there.
    """
    rig = int(np.argmin(np.abs(np.log(case.rigidities / rigidity))))
    if not np.isclose(case.rigidities[rig], rigidity, rtol=1e-2):
        return None
    options = Options(normalisation=normalisation)
    try:
        return Panel(case, rig, range(case.stops.shape[1])[stop], options, case.case)
    except FigureError:
        return None


def observed_at_all(case, rigidities):
    """Responses of the rows that are finished at every rigidity.

    Parameters
    ----------
    case : hpc_cr.io.results.Results
    rigidities : sequence of float
        PV.

    Returns
    -------
    (panels, responses, realisation) or None
        Panels at the last stop, responses (n_rigidity, n, 3, 3) in pc and realisations (n,) of
        the common rows; None if there are none.
    """
    panels = [observed(case, rigidity) for rigidity in rigidities]
    if any(panel is None for panel in panels):
        return None
    common = sorted(set.intersection(*(set(panel.rows) for panel in panels)))
    if not common:
        return None
    responses = [panel.response[np.isin(panel.rows, common)] for panel in panels]
    return panels, np.array(responses), panels[0].realisation[np.isin(panels[0].rows, common)]


def at_each_stop(case, rigidity, number, normalisation="physical", digits=2):
    """A number at every stop as text: "T = 3.4, 6.8 pc: 1.2, 1.3".

    Parameters
    ----------
    case : hpc_cr.io.results.Results
    rigidity : float
        PV.
    number : callable
        Of a Panel.
    normalisation : str
    digits : int
        After the point.
    """
    panels = [observed(case, rigidity, stop, normalisation) for stop in range(case.stops.shape[1])]
    times = ", ".join(f"{p.length:.3g}" for p in panels if p is not None)
    values = ", ".join(f"{float(number(p)):.{digits}f}" for p in panels if p is not None)
    return f"T = {times} pc: {values}"


def ratio_of_means(pair, group):
    """<first>/<second> of rows (n, 2) with its standard error over realisations."""
    value, error = function_of_mean(_ratio, pair, group)
    return float(value), float(error)


def _ratio(mean):
    with np.errstate(divide="ignore", invalid="ignore"):
        return mean[..., 0] / mean[..., 1]


def relative_scatter(vectors, group):
    """Standard deviation of the lengths of vectors (n, 3) over their mean, with its error."""
    amplitude = np.linalg.norm(vectors, axis=-1)
    scatter, scatter_error = _scatter_and_error(amplitude, group)
    mean, error = mean_and_error(amplitude, group)
    # the two errors are taken as independent
    relative = scatter / mean
    return float(relative), float(relative * np.hypot(scatter_error / scatter, error / mean))


def trace(panel):
    """tr M/3 of every row, (n,) pc."""
    return np.trace(panel.response, axis1=-2, axis2=-1) / 3


def along_field(panel):
    """M_par of every row, (n,) pc."""
    return coefficients(panel.response, panel.symmetry)[:, 0]


def gradients(panel, angle):
    """Unit gradients (n_angle, 3) at angles from the regular field, towards the panel's own."""
    return alignment.gradients_about(panel.field, panel.gradient, np.asarray(angle, float))


def amplitude_at(panel, angle):
    """|M g|/|g| of every row for a gradient at one angle from the regular field, (n,) pc."""
    return alignment.amplitudes_at(panel.response, gradients(panel, [angle]))[:, 0]


def below_limit(panel):
    """Share of rows below KASCADE's limit, for the panel's gradient, with its error."""
    amplitude = np.linalg.norm(panel.dipoles, axis=1)
    return share(amplitude < kascade_limit(panel.rigidity))


def within(panel, middle, sigma):
    """Share of rows with an amplitude within middle +- sigma, with its error."""
    amplitude = np.linalg.norm(panel.dipoles, axis=1)
    return share(np.abs(amplitude - middle) <= sigma)


def size_text(panel):
    """How the response is normalised."""
    if panel.options.normalisation == "physical":
        return "(a)"
    return f"(b) M x {panel.scale:.3g}"


def case_text(panel):
    """The case: eta = 1 for isotropic turbulence, or its name."""
    return "eta = 1" if panel.field is None else panel.label


def start_text(panel):
    """Case, rigidity and time in the words of a statement."""
    return f"{case_text(panel)}, {style.rigidity(panel.rigidity)}, T = {panel.length:.3g} pc"
