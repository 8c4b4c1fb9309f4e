"""How the response approaches its limit with the stopping time (or the sphere's radius).

For isotropic turbulence tr<M>/3, which tends to 3D/c; with a regular field the response along
it, M_par, and across it, M_perp. Errors are those of the mean over realisations; faint lines are
single realisations. The legend says how far the last stop is from the limit
(`hpc_cr.anisotropy.convergence`).
"""

import numpy as np

from hpc_cr.anisotropy import convergence, ensembles
from hpc_cr.figures import style

MAX_SINGLE = 60
"""Single realisations drawn per rigidity; more would only blacken the panel."""


def draw(panels, options):
    """One panel per case, one colour per rigidity.

    Parameters
    ----------
    panels : sequence of hpc_cr.figures.panels.Panel
    options : hpc_cr.figures.panels.Options

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    FigureError
        Nothing but parts of the sky, which have no response.
    """
    groups = _by_case(panels)
    long = max(sum(len(curves(panel)) for panel in group) for group in groups) > 2
    figure, all_axes = style.panels(len(groups), 3.2 if long else 2.6)
    places = style.bottom_and_sides(len(groups))
    for axes, group, (lowest, left, _) in zip(all_axes, groups, places, strict=True):
        for number, panel in enumerate(group):
            _curves(axes, panel, style.SEQUENCE[number % len(style.SEQUENCE)], len(group) > 1)
        _scales(axes, group)
        by_radius = group[0].results.stop_kind == "radius"
        if lowest:
            name = "radius of the sphere $R$" if by_radius else "backtracking time $cT$"
            axes.set_xlabel(f"{name} [pc]")
        if left:
            axes.set_ylabel("response [pc]")
        length = group[0].results.job.coherence_length
        if length and np.isfinite(length):
            symbol = "$R/L_c$" if by_radius else "$cT/L_c$"
            size = f"{symbol}   ($L_c$ = {style.number(length, 3)} pc)"
            style.second_scale(axes, 1 / length, size, "x")
        single = len(group) == 1
        title = group[0].title(rigidity=single, stop=False, normalisation=False)
        axes.set_title(title, linespacing=1.3)
        _legend(axes, group)
    return figure


def _by_case(panels):
    """Panels of the same file and case together, in order."""
    groups = {}
    for panel in panels:
        groups.setdefault((panel.results.path, panel.results.case), []).append(panel)
    return list(groups.values())


def curves(panel):
    """Coefficients against the stop.

    Returns
    -------
    list of (name, single, mean, error)
        single (n, n_stop), mean and error (n_stop,), pc.
    """
    response = panel.results.response[panel.rows, panel.rig]
    # without a symmetry the trace is still the mean over all directions of the gradient
    symmetry = "isotropic" if isinstance(panel.symmetry, str) else panel.symmetry
    single = ensembles.coefficients(response, symmetry)
    mean = ensembles.convergence(response, panel.realisation, symmetry)
    wanted = [(0, r"$\mathrm{tr}\langle M\rangle/3$")]
    if not isinstance(symmetry, str):
        wanted = [(0, r"$M_\parallel$"), (1, r"$M_\perp$")]
    return [
        (name, single[..., i], mean.coefficients[:, i], mean.coefficients_error[:, i])
        for i, name in wanted
    ]


def verdict_text(verdict):
    """An Approach (`hpc_cr.anisotropy.convergence`) in a few words for a legend."""
    if verdict.state == "converged":
        return f"within {100 * verdict.bound:.2g} %"
    if verdict.state == "not converged":
        return f"still {100 * verdict.change:+.2g} %"
    return "undecided"


def _curves(axes, panel, colour, several):
    stops = panel.results.stops[panel.rig]
    for style_index, (name, single, mean, error) in enumerate(curves(panel)):
        line, marker = (("-", "o"), ("--", "s"))[style_index]
        axes.plot(
            stops,
            single[:MAX_SINGLE].T,
            color=colour,
            alpha=0.13,
            linewidth=0.5,
            linestyle=line,
            zorder=1,
        )
        verdict = convergence.approach(single, stops, panel.realisation)
        label = f"{name}, {style.rigidity(panel.rigidity)}" if several else name
        if verdict.n_realisation > 1:
            label = f"{label}: {verdict_text(verdict)}"
        axes.errorbar(
            stops,
            mean,
            error,
            color=colour,
            linestyle=line,
            marker=marker,
            markersize=3.5,
            capsize=2,
            elinewidth=1.0,
            label=label,
            zorder=3,
            markerfacecolor="white" if style_index else colour,
        )


def _legend(axes, group):
    """The legend above the curves, where room is made for it, or below the panel if it is long."""
    handles, labels = axes.get_legend_handles_labels()
    several = max(len(np.unique(panel.realisation)) for panel in group) > 1
    look = {
        "handlelength": 1.8,
        "columnspacing": 1.0,
        "title": "limit: bound (95 %), or last change" if several else "one realisation: undecided",
        "alignment": "left",
    }
    if len(labels) > 2:
        axes.legend(handles, labels, loc="upper center", bbox_to_anchor=(0.5, -0.225), ncols=2,
                    fontsize=7, title_fontsize=7, **look)  # fmt: skip
        return
    share = 0.05 + 0.075 * (len(labels) + 1)  # of the panel's height
    low, high = axes.get_ylim()
    if axes.get_yscale() == "log":
        axes.set_ylim(low, low * (high / low) ** (1 / (1 - share)))
    else:
        axes.set_ylim(low, low + (high - low) / (1 - share))
    axes.legend(handles, labels, loc="upper left", title_fontsize=7, **look).set_zorder(5)


def _scales(axes, group):
    """Logarithmic in time if that spans more than a factor 3, in the response if more than 20."""
    stops = np.concatenate([p.results.stops[p.rig] for p in group])
    found = [curve for panel in group for curve in curves(panel)]
    means = np.concatenate([mean for _, _, mean, _ in found])
    single = np.concatenate([one.ravel() for _, one, _, _ in found])
    if stops.max() > 3 * stops.min():
        axes.set_xscale("log")
        ticks = np.unique(stops)
        if len(ticks) <= 6:
            axes.set_xticks(ticks, [f"{t:.3g}" for t in ticks])
            axes.tick_params(axis="x", which="minor", labelbottom=False)
    if means.min() > 0 and means.max() > 20 * means.min():
        axes.set_yscale("log")
        shown = single[single > 0]
        low = max(np.quantile(shown, 0.02), 0.1 * means.min())
        axes.set_ylim(style.decades(low, 1.2 * shown.max()))
    else:
        axes.axhline(0.0, color=style.GREY, linewidth=0.5, zorder=0)
