"""From a result file to the numbers of a statement: panels, ensembles, ratios and shares."""

import numpy as np

from hpc_cr.anisotropy import alignment
from hpc_cr.anisotropy.ensembles import coefficients, function_of_mean, mean_and_error
from hpc_cr.anisotropy.ensembles import scatter_and_error as _scatter_and_error
from hpc_cr.anisotropy.resampling import bootstrap_scaled, share
from hpc_cr.figures import style
from hpc_cr.figures.panels import FigureError, Options, Panel
from hpc_cr.frames import lon_lat
from hpc_cr.measurements.dipole_limits import kascade_limit

NORMALISATIONS = ("physical", "diffusion")
"""(a) and (b) in statements; see `hpc_cr.figures.panels.Options`."""


def observed(case, rigidity=1.0, stop=-1, normalisation="physical"):
    """Panel of a case at one rigidity and stop.

    Parameters
    ----------
    case : hpc_cr.io.results.Results
        Beside a regular field the gradient stands at right angles to it, in the direction of
        `alignment.eastward`, whatever the file's own; its size is the file's.
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
    field = np.asarray(case.job.regular_field, float)
    across = tuple(map(float, lon_lat(alignment.eastward(field)))) if field.any() else None
    options = Options(normalisation=normalisation, gradient=across)
    try:
        return Panel(case, rig, range(case.stops.shape[1])[stop], options, case.case)
    except FigureError:
        return None


def observed_at_all(case, rigidities, stop=-1, normalisation="physical"):
    """Responses of the rows that are finished at every rigidity.

    Parameters
    ----------
    case, stop, normalisation
        As for `observed`.
    rigidities : sequence of float
        PV.

    Returns
    -------
    (panels, responses, realisation) or None
        Panels, responses (n_rigidity, n, 3, 3) in pc and realisations (n,) of the common rows;
        None if there are none.
    """
    panels = [observed(case, rigidity, stop, normalisation) for rigidity in rigidities]
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
        Of a Panel; a number, or one with its error.
    normalisation : str
    digits : int
        After the point.
    """
    panels = [observed(case, rigidity, stop, normalisation) for stop in range(case.stops.shape[1])]
    times = ", ".join(f"{p.length:.3g}" for p in panels if p is not None)
    values = ", ".join(_in_digits(number(p), digits) for p in panels if p is not None)
    return f"T = {times} pc: {values}"


def _in_digits(number, digits):
    value, error = number if np.size(number) == 2 else (number, np.nan)
    text = f"{float(value):.{digits}f}"
    return f"{text} +- {float(error):.{digits}f}" if np.isfinite(error) else text


def plus_minus(value, error, form=".3g", error_form=".2g"):
    """Value and error as text; without an error where it is unknown, "-" without a value."""
    if not np.isfinite(value):
        return "-"
    return f"{value:{form}} +- {error:{error_form}}" if np.isfinite(error) else f"{value:{form}}"


def count(panel):
    """Number of realisations."""
    return len(np.unique(panel.realisation))


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
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = scatter / mean
        return float(relative), float(np.hypot(scatter_error / mean, relative * error / mean))


def noise_share(panel):
    """Amplitude that the finite number of particles alone would give, over the mean |delta|."""
    return panel.summary.noise_floor / panel.summary.mean_amplitude


def along(panel):
    """What a normalisation scales: tr M/3, or M_par beside a regular field, (n,) pc."""
    return coefficients(panel.response, panel.symmetry)[:, 0]


def gradients(panel, angle):
    """Unit gradients (n_angle, 3) at angles from the regular field, 90 being the panel's own."""
    return alignment.gradients_about(panel.field, angle)


def amplitude_at(panel, angle):
    """|M g|/|g| of every row for a gradient at one angle from the regular field, (n,) pc."""
    return alignment.amplitudes_at(panel.response, gradients(panel, [angle]))[:, 0]


def resampled(panel, statistic, amplitude):
    """A statistic of amplitudes (n, ...) with its error, that of the normalisation included."""
    scaled = None if panel.options.normalisation == "physical" else along(panel)[:, None]
    return bootstrap_scaled(
        lambda rows: statistic(rows[:, 0]), amplitude[:, None], scaled, panel.realisation
    )


def share_with(panel, chosen):
    """Share of rows whose amplitude has a property, with its error over realisations.

    Parameters
    ----------
    panel : Panel
    chosen : callable
        From amplitudes (n,) to flags (n,).

    Returns
    -------
    share, error : float
        Binomial; where the response is scaled, the larger one of that and the bootstrap's, which
        knows the error of the factor but none for a share of 0 or 1.
    """
    amplitude = np.linalg.norm(panel.dipoles, axis=1)
    value, error = share(chosen(amplitude), panel.realisation)
    if panel.options.normalisation != "physical":
        drawn = resampled(panel, lambda rows: np.mean(chosen(rows)), amplitude)[1]
        error = float(np.fmax(error, drawn))
    return value, error


def below_limit(panel):
    """Share of rows below KASCADE's limit, for the panel's gradient, with its error."""
    limit = kascade_limit(panel.rigidity)
    return share_with(panel, lambda amplitude: amplitude < limit)


def within(panel, middle, sigma):
    """Share of rows with an amplitude within middle +- sigma, with its error."""
    return share_with(panel, lambda amplitude: np.abs(amplitude - middle) <= sigma)


def size_text(panel):
    """How the response is normalised."""
    if panel.options.normalisation == "physical":
        return "(a)"
    return f"(b) M x {plus_minus(panel.scale, panel.scale_error)}"


def case_text(panel):
    """The case: eta = 1 for isotropic turbulence, or its name."""
    return "eta = 1" if panel.field is None else panel.label


def start_text(panel):
    """Case, rigidity and time in the words of a statement."""
    return f"{case_text(panel)}, {style.rigidity(panel.rigidity)}, T = {panel.length:.3g} pc"
