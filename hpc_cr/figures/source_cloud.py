"""How the cloud of a burst spreads, and how Gaussian it is.

Left: <X^2>/(2T) along (full) and across (open) the uniform field against time. Right: kurtosis
about the clouds' own means, 1 for a Gaussian, against the distance travelled along the field in
coherence lengths.
"""

import numpy as np

from hpc_cr.figures import source_cases, style


def draw(opened, options):
    """A row of two panels per case.

    Parameters
    ----------
    opened : sequence of hpc_cr.io.source.SourceResults
    options : hpc_cr.figures.panels.Options

    Returns
    -------
    matplotlib.figure.Figure
    """
    found = source_cases.select(opened, options)
    figure, rows = source_cases.page(found)
    colours = source_cases.colours(found)
    for (left, right), (results, rigs) in zip(rows, found, strict=True):
        for rig in rigs:
            colour = colours[float(results.rigidities[rig])]
            _widths(left, results, rig, colour)
            _kurtosis(right, results, rig, colour)
        left.set_xscale("log")
        left.set_yscale("log")
        left.set_xlabel("time $cT$ [pc]")
        left.set_ylabel(r"$\langle X^2\rangle/2T$ [pc]")
        right.set_xscale("log")
        right.axhline(1.0, color="0.6", linewidth=0.8, zorder=0)
        right.set_xlabel(r"distance travelled $\langle X_\parallel^2\rangle^{1/2}/L_c$")
        right.set_ylabel(r"kurtosis $\langle X^4\rangle/3\langle X^2\rangle^2$")
        for axes in (left, right):
            axes.set_title(source_cases.name(results))
    style.legend_below(figure, source_cases.rigidity_handles(found) + _handles(), 4)
    return figure


def _widths(axes, results, rig, colour):
    spread, stops = results.spread(rig), results.stops[rig]
    looks = (("parallel", "o", colour), ("perpendicular", "s", "white"))
    for name, marker, face in looks:
        source_cases.points(axes, stops, getattr(spread, name), getattr(spread, f"{name}_error"),
                            color=colour, marker=marker, markerfacecolor=face, linestyle="-",
                            linewidth=0.7)


def _kurtosis(axes, results, rig, colour):
    spread, stops = results.spread(rig), results.stops[rig]
    way = np.sqrt(2 * stops * spread.parallel) / results.job.coherence_length
    for index, (marker, face, line) in enumerate((("o", colour, "-"), ("s", "white", "--"))):
        source_cases.points(axes, way, spread.kurtosis[:, index], spread.kurtosis_error[:, index],
                            color=colour, marker=marker, markerfacecolor=face, linestyle=line,
                            linewidth=0.7)


def _handles():
    from matplotlib.lines import Line2D

    return [Line2D([], [], color="0.3", marker=marker, markerfacecolor=face, linestyle="none",
                   markersize=3.4, label=label)
            for marker, face, label in (("o", "0.3", "along the uniform field"),
                                        ("s", "white", "across it"))]
