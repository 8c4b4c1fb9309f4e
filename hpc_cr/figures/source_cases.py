"""Cases and rigidities of source jobs, for figures with a row of two panels per case."""

import numpy as np

from hpc_cr.figures import panels, style
from hpc_cr.figures.panels import FigureError

MOST = 4
"""Cases on a page."""


def select(opened, options):
    """Cases with something finished in two realisations at least.

    Parameters
    ----------
    opened : sequence of hpc_cr.io.source.SourceResults
    options : hpc_cr.figures.panels.Options
        cases and rigidities choose.

    Returns
    -------
    list of (SourceResults, list of int)
        Case and indices of rigidities, ascending.

    Raises
    ------
    FigureError
        No such case or rigidity, nothing to draw, or more than fit.
    """
    panels.check_cases(opened, options)
    found = []
    for results in (case for file in opened for case in file.each_case()):
        if options.cases and results.case not in options.cases:
            continue
        chosen = panels.rigidity_indices(results, options.rigidities, "all")
        some = [rig for rig in sorted(chosen, key=lambda i: results.rigidities[i])
                if len(np.unique(results.realisation[results.done[:, rig]])) > 1]
        if some:
            found.append((results, some))
    if not found:
        raise FigureError(f"{opened[0].path}: no rigidity is finished in two realisations yet")
    if len(found) > MOST:
        raise FigureError(f"{len(found)} cases are more than fit on a page ({MOST});"
                          " choose with --case")
    return found


def page(found):
    """A figure with two panels per case: (figure, list of (left, right))."""
    figure, axes = style.panels(2 * len(found), 2.35, extra=0.5)
    return figure, [(axes[2 * i], axes[2 * i + 1]) for i in range(len(found))]


def stop_of(results, rig, options):
    """Index of the stop to show: the last of those chosen."""
    return panels.stop_index(results, rig, options.stops[-1] if options.stops else "-1")


def name(results):
    """Level of turbulence and number of realisations, for a panel."""
    job = results.job
    eta = job.turbulence.rms / job.regular.strength
    n = len(np.unique(results.realisation[results.done.any(axis=1)]))
    return rf"$B_\mathrm{{rms}}/B_0$ = {eta:.2g}, {n} realisations"


def label(results):
    """The case in messages."""
    return f"case '{results.case}'" if results.case else "it"


def colours(found):
    """Colour of each rigidity (PV), the same in all panels."""
    values = sorted({float(results.rigidities[rig]) for results, rigs in found for rig in rigs})
    return dict(zip(values, 3 * style.SEQUENCE, strict=False))


def rigidity_handles(found):
    """Legend entries of the rigidities."""
    from matplotlib.lines import Line2D

    return [Line2D([], [], color=colour, marker="o", markersize=3.4, linestyle="none",
                   label=style.rigidity(value)) for value, colour in colours(found).items()]


def points(axes, x, y, error, **look):
    """Points with error bars, those that are known."""
    x, y, error = (np.asarray(v, float) for v in (x, y, error))
    use = np.isfinite(y) & np.isfinite(x)
    drawn = {"linestyle": "none", "markersize": 3.4, "elinewidth": 0.8, "capsize": 1.2,
             "markeredgewidth": 0.8}
    axes.errorbar(x[use], y[use], np.nan_to_num(error[use]), **(drawn | look))
