"""Density of a burst's cloud near its field line, against the distance from it and time.

Points: particles in rings around the source's own field line, near the source (the first cells
along it), over realisations. Lines: the anisotropic Gaussian with the spread of the same clouds.
"""

import numpy as np

from hpc_cr.figures import source_cases, style
from hpc_cr.sources.gaussian import mean_in_cells

NEAR = 400.0
"""Cells up to this distance along the field line are taken together, pc."""
SHOWN = (0.0, 30.0, 70.0)
"""Distances from the field line of the panel against time, pc."""


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
            _across(left, results, rig, options, colours[float(results.rigidities[rig])])
        shown = _in_time(right, results, rigs[len(rigs) // 2])
        _finish(left, right, results, rigs, options, shown)
    handles = source_cases.rigidity_handles(found) + _handles()
    style.legend_below(figure, handles, 5)
    return figure


def _along(results):
    """Cells along the line to average over, and their lengths."""
    last = max(1, int(np.searchsorted(results.along, NEAR + 1e-9) - 1))
    return last, np.diff(results.along[: last + 1])


def profile(results, rig, stop):
    """Density by distance from the field line: value, error, prediction, each (n_perp,).

    Means over the cells up to NEAR along the line, weighted with their lengths; 1/pc^3. The error
    is the larger one of Poisson's and that over realisations.
    """
    last, lengths = _along(results)
    mean, poisson, error = (v[:last] for v in results.mean_density(rig, stop))
    weight = (lengths / lengths.sum())[:, None]
    value = np.nansum(mean * weight, axis=0)
    # cells without a particle count as zero beside others that have some
    value[np.isnan(mean).all(axis=0)] = np.nan
    error = np.sqrt(np.nansum((np.fmax(error, poisson) * weight) ** 2, axis=0))
    time, spread = results.stops[rig, stop], results.spread(rig)
    expected = mean_in_cells(results.along[[0, last]], results.perpendicular, time,
                             spread.parallel[stop], spread.perpendicular[stop])[0]
    return value, error, expected


def middles(edges):
    """Radius that halves the area of each ring, pc."""
    return np.sqrt((edges[1:] ** 2 + edges[:-1] ** 2) / 2)


def _across(axes, results, rig, options, colour):
    stop = source_cases.stop_of(results, rig, options)
    value, error, expected = profile(results, rig, stop)
    place = middles(results.perpendicular)
    source_cases.points(axes, place, value, error, color=colour, marker="o", zorder=3)
    _line(axes, place, expected, value, color=colour)


def _in_time(axes, results, rig):
    """Density against time at a few distances; the distances drawn."""
    shown = []
    cells = [max(0, int(np.searchsorted(results.perpendicular, d, "right") - 1)) for d in SHOWN]
    cells = [c for c in dict.fromkeys(cells) if c < len(results.perpendicular) - 1]
    profiles = [profile(results, rig, stop) for stop in range(results.stops.shape[1])]
    looks = (("o", "-"), ("s", "--"), ("^", ":"))
    for cell, (marker, line) in zip(cells, looks, strict=False):
        value, error, expected = (np.array([p[i][cell] for p in profiles]) for i in range(3))
        colour = style.SHADES[2 * len(shown)]
        source_cases.points(axes, results.stops[rig], value, error, color=colour, marker=marker)
        _line(axes, results.stops[rig], expected, value, color=colour, linestyle=line)
        low, high = results.perpendicular[cell : cell + 2]
        shown.append((f"{low:g}-{high:g} pc", colour, marker, line))
    return shown, results.rigidities[rig]


def _line(axes, x, expected, value, **look):
    """A prediction, down to a third of the smallest density found."""
    least = np.nanmin(value[value > 0]) / 3 if np.any(value > 0) else 0.0
    axes.plot(x, np.where(expected > least, expected, np.nan), linewidth=1.1, **look)


def _finish(left, right, results, rigs, options, shown):
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], color=c, marker=m, linestyle=line, markersize=3.4, label=label)
               for label, c, m, line in shown[0]]
    right.legend(handles=handles, loc="best", title=f"{style.rigidity(shown[1])}, from the line:",
                 title_fontsize=7, handlelength=2.6)
    time = results.stops[rigs[0], source_cases.stop_of(results, rigs[0], options)]
    for axes in (left, right):
        axes.set_yscale("log")
        axes.set_ylabel(r"density [pc$^{-3}$ per particle]")
    left.set_title(f"{source_cases.name(results)}, $cT$ = {style.number(time)} pc")
    right.set_title(f"{source_cases.name(results)}")
    left.set_xlabel("distance from the source's field line [pc]")
    right.set_xscale("log")
    right.set_xlabel("time $cT$ [pc]")
    left.set_xlim(0, None)


def _handles():
    from matplotlib.lines import Line2D

    return [Line2D([], [], color="0.3", label="Gaussian")]
