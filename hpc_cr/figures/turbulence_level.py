"""Response and dipole against the share of the field's energy that is turbulent.

The share is B_rms^2 / (B_rms^2 + B0^2), one point per case. Left: response along and across the
regular field, ensemble mean with its error. Right: median |delta| over the realisations for a
gradient at 90 degrees to the field. Single realisations stand faintly beside.
"""

import numpy as np

from hpc_cr.anisotropy import convergence, ensembles
from hpc_cr.figures import style
from hpc_cr.figures.panels import FigureError

MAX_SINGLE = 60
"""Single realisations drawn per case."""


def draw(panels, options):
    """Both panels, one colour per rigidity.

    Parameters
    ----------
    panels : sequence of hpc_cr.figures.panels.Panel
        One per case and rigidity.
    options : hpc_cr.figures.panels.Options

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    FigureError
        Fewer than two levels of turbulence.
    """
    panels = sorted(panels, key=lambda panel: (-panel.rigidity, turbulent_share(panel)))
    if len({turbulent_share(panel) for panel in panels}) < 2:
        raise FigureError(
            f"{panels[0].results.path}: turbulence-level needs two cases or more with different"
            " shares of turbulence (turbulence.rms, regular.strength)"
        )
    figure, (left, right) = style.panels(2, 2.8, extra=0.55)
    rigidities = list(dict.fromkeys(panel.rigidity for panel in panels))
    for number, rigidity in enumerate(rigidities):
        group = [panel for panel in panels if panel.rigidity == rigidity]
        _responses(left, group, number, len(rigidities) > 1)
        _amplitudes(right, group, number, len(rigidities) > 1)
    for axes in (left, right):
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlabel(r"turbulent share $B_\mathrm{rms}^2/(B_\mathrm{rms}^2 + B_0^2)$")
        shares = np.unique([turbulent_share(panel) for panel in panels])
        axes.set_xlim(*style.decades(shares[0], shares[-1]))
        style.short_log(axes.xaxis, "log", axes.get_xlim())
    left.set_ylabel("response [pc]")
    right.set_ylabel(r"$|\delta|$, gradient at 90 deg to the field")
    sizes = [panel.gradient_size for panel in panels]
    if np.ptp(sizes) < 1e-12:
        style.second_scale(right, 1 / sizes[0], r"$|\delta|/|g|$ [pc]")
    figure.suptitle(_title(panels), fontsize=8)
    handles = [*left.get_legend_handles_labels()[0], *right.get_legend_handles_labels()[0]]
    style.legend_below(figure, handles, 3)
    return figure


def turbulent_share(panel):
    """B_rms^2 / (B_rms^2 + B0^2) of a panel's case."""
    rms = panel.results.job.turbulence.rms
    regular = 0.0 if panel.field is None else np.linalg.norm(panel.field)
    return float(rms**2 / (rms**2 + regular**2))


def across(panel):
    """Gradient (3,) at 90 degrees to the regular field, as near the job's as that can be, 1/pc."""
    gradient = panel.gradient
    if panel.field is None:
        return gradient
    b = panel.field / np.linalg.norm(panel.field)
    part = gradient - b * (b @ gradient)
    if np.linalg.norm(part) < 1e-6 * panel.gradient_size:
        part = np.cross(b, np.eye(3)[np.argmin(np.abs(b))])
    return panel.gradient_size * part / np.linalg.norm(part)


def _responses(axes, group, number, several):
    """M_par and M_perp; tr M/3 stands for both where nothing but turbulence is."""
    for index, (name, marker) in enumerate((("parallel", "o"), ("perp", "s"))):
        share, mean, error, reached = [], [], [], []
        for panel in group:
            found = convergence.responses(panel.response, panel.symmetry)
            single = list(found.values())[min(index, len(found) - 1)]
            state = convergence.approach(
                _at_all_stops(panel, index), panel.results.stops[panel.rig], panel.realisation
            )
            share.append(turbulent_share(panel))
            value, spread = ensembles.mean_and_error(single, panel.realisation)
            mean.append(float(value))
            error.append(float(spread))
            reached.append(_is_last(panel) and state.state == "converged")
            _faint(axes, share[-1], single, _colour(number, index))
        label = rf"$M_\{name}$" + (f", {style.rigidity(group[0].rigidity)}" if several else "")
        _points(axes, share, mean, error, reached, _colour(number, index), marker, label)


def _at_all_stops(panel, index):
    """The same coefficient at every stop of the file, (n, n_stop)."""
    response = panel.results.response[panel.rows, panel.rig]
    found = list(convergence.responses(response, panel.symmetry).values())
    return found[min(index, len(found) - 1)]


def _amplitudes(axes, group, number, several):
    share, median, error, reached, noise = [], [], [], [], []
    for panel in group:
        gradient = across(panel)
        amplitude = np.linalg.norm(panel.response @ gradient, axis=-1)
        sampling = ensembles.sampling_errors(panel.response_error, panel.noise, gradient)
        found = ensembles.summarise(
            panel.response @ gradient, sampling, panel.response, gradient,
            realisation=panel.realisation,
        )  # fmt: skip
        share.append(turbulent_share(panel))
        median.append(found.median)
        error.append(found.median_error)
        noise.append(found.noise_floor)
        at_stops = panel.scale * panel.results.response[panel.rows, panel.rig] @ gradient
        state = convergence.approach(
            np.linalg.norm(at_stops, axis=-1), panel.results.stops[panel.rig], panel.realisation
        )
        reached.append(_is_last(panel) and state.state == "converged")
        _faint(axes, share[-1], amplitude, _colour(number, 2))
    label = r"median $|\delta|$" + (f", {style.rigidity(group[0].rigidity)}" if several else "")
    _points(axes, share, median, error, reached, _colour(number, 2), "D", label)
    axes.plot(share, noise, label=None if number else "sampling noise", **style.NOISE)


def _is_last(panel):
    return panel.stop == panel.results.stops.shape[1] - 1


def _points(axes, share, mean, error, reached, colour, marker, label):
    """Means with errors, open without a proof of convergence; arrow from mean + 2 sigma down.

    A single realisation has no error: no bar, and no limit.
    """
    share, mean, error = np.array(share), np.array(mean), np.array(error)
    alone = np.isnan(error)
    top = np.where(alone, np.nan, mean + 2 * np.nan_to_num(error))
    error = np.nan_to_num(error)
    measured = (mean > 2 * error) & (mean > 0)
    limited = ~measured & (top > 0)
    for points, filled in ((np.array(reached), True), (~np.array(reached), False)):
        shown = points & measured
        if not shown.any():
            continue
        axes.errorbar(share[shown], mean[shown], error[shown], color=colour, marker=marker,
                      markersize=4, linestyle="none", capsize=2, elinewidth=1.0, zorder=3,
                      markerfacecolor=colour if filled else "white",
                      label=label + ("" if filled else ", limit not proven"))  # fmt: skip
    if measured.any():
        axes.plot(share[measured], mean[measured], color=colour, linewidth=0.7, zorder=2)
    if limited.any():
        axes.errorbar(share[limited], top[limited], 0.4 * top[limited], uplims=True, color=colour,
                      marker="_", linestyle="none", elinewidth=1.0, capsize=2, zorder=3,
                      label=f"{label}, 95 % limit")  # fmt: skip


def _faint(axes, share, values, colour):
    values = values[:MAX_SINGLE]
    # a little beside the mean, spread so that points do not hide each other
    beside = share * np.geomspace(1.03, 1.10, len(values))
    axes.plot(beside, np.where(values > 0, values, np.nan), ".", color=colour, alpha=0.25,
              markersize=2.0, markeredgewidth=0, zorder=1)  # fmt: skip


def _colour(number, index):
    return style.SEQUENCE[(3 * number + index) % len(style.SEQUENCE)]


def _title(panels):
    panel = panels[0]
    rigidities = dict.fromkeys(style.rigidity(p.rigidity) for p in panels)
    counts = dict.fromkeys(p.count_text for p in panels)
    scaled = panel.options.normalisation != "physical"
    text = r"each $M$ scaled to $D_\mathrm{B/C}$" if scaled else panel.normalisation_text
    return f"{', '.join(rigidities)}; {' or '.join(counts)} per level; {text}"
