"""Density of a burst's cloud near its field line, against the distance from it and time.

Points: particles in rings around the source's own field line, near the source (the first cells
along it), over realisations. Lines: the anisotropic Gaussian with the spread of the same clouds.
"""

import numpy as np

from hpc_cr.figures import source_cases, style
from hpc_cr.figures.panels import FigureError
from hpc_cr.sources.gaussian import mean_along, mean_in_cells

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
        drawn = [_across(left, results, rig, options, colours[float(results.rigidities[rig])])
                 for rig in rigs]
        shown = _in_time(right, results, rigs[len(rigs) // 2])
        if not np.any(np.isfinite(np.concatenate([*drawn, shown[2]]))):
            raise FigureError(f"{results.path}: {source_cases.label(results)} has no particle in"
                              " cells with a known field line")  # fmt: skip
        _clip(left, np.concatenate(drawn))
        _clip(right, shown[2])
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
    is the larger one of Poisson's and that over realisations. Cells without a particle count as
    zero beside others that have some, those without a known field line not at all.
    """
    last, lengths = _along(results)
    mean, poisson, error = (v[:last] for v in results.mean_density(rig, stop))
    known = np.isfinite(mean)
    weight = np.where(known, lengths[:, None], 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        weight = weight / weight.sum(axis=0)
    value = np.sum(np.where(known, mean, 0.0) * weight, axis=0)
    value[~np.any(mean > 0, axis=0)] = np.nan
    error = np.sqrt(np.nansum((np.fmax(error, poisson) * weight) ** 2, axis=0))
    time, spread = results.stops[rig, stop], results.spread(rig)
    expected = mean_in_cells(results.along[: last + 1], results.perpendicular, time,
                             spread.parallel[stop], spread.perpendicular[stop])
    return value, error, np.sum(expected * weight, axis=0)


def middles(edges):
    """Radius that halves the area of each ring, pc."""
    return np.sqrt((edges[1:] ** 2 + edges[:-1] ** 2) / 2)


def _across(axes, results, rig, options, colour):
    stop = source_cases.stop_of(results, rig, options)
    value, error, _ = profile(results, rig, stop)
    place = middles(results.perpendicular)
    source_cases.points(axes, place, value, error, color=colour, marker="o", zorder=3)
    spread = results.spread(rig)
    fine = np.linspace(0, results.perpendicular[-1], 301)
    axes.plot(fine, _gaussian(results, results.stops[rig, stop], spread.parallel[stop],
                              spread.perpendicular[stop], fine), linewidth=1.1, color=colour)
    return value


def _gaussian(results, time, parallel, perpendicular, distance):
    """Density at a distance from the field line, mean over the cells up to NEAR along it."""
    near = [0.0, results.along[_along(results)[0]]]
    line = mean_along(near, time, parallel)[0]
    return line * np.exp(-(distance**2) / (4 * perpendicular * time)) / (
        4 * np.pi * perpendicular * time)  # fmt: skip


def _in_time(axes, results, rig):
    """Density against time at a few distances; the distances drawn."""
    shown = []
    cells = [max(0, int(np.searchsorted(results.perpendicular, d, "right") - 1)) for d in SHOWN]
    cells = [c for c in dict.fromkeys(cells) if c < len(results.perpendicular) - 1]
    profiles = [profile(results, rig, stop) for stop in range(results.stops.shape[1])]
    looks = (("o", "-"), ("s", "--"), ("^", ":"))
    stops, spread = results.stops[rig], results.spread(rig)
    fine = np.geomspace(stops[0], stops[-1], 121)
    # <X^2>/2T between the stops: straight in the logarithms
    between = [np.exp(np.interp(np.log(fine), np.log(stops), np.log(width)))
               for width in (spread.parallel, spread.perpendicular)]
    found = []
    for cell, (marker, line) in zip(cells, looks, strict=False):
        value, error = (np.array([p[i][cell] for p in profiles]) for i in range(2))
        colour = style.SHADES[2 * len(shown)]
        source_cases.points(axes, results.stops[rig], value, error, color=colour, marker=marker)
        low, high = results.perpendicular[cell : cell + 2]
        axes.plot(fine, [_ring(results, time, *widths, low, high)
                         for time, *widths in zip(fine, *between, strict=True)],
                  linewidth=1.1, color=colour, linestyle=line)
        shown.append((f"{low:g}-{high:g} pc", colour, marker, line))
        found.append(value)
    return shown, results.rigidities[rig], np.concatenate(found)


def _ring(results, time, parallel, perpendicular, low, high):
    """The Gaussian's mean in a ring and the cells up to NEAR."""
    near = [0.0, results.along[_along(results)[0]]]
    return mean_in_cells(near, [low, high], time, parallel, perpendicular)[0, 0]


def _clip(axes, values):
    """Let the points decide what is shown: a Gaussian goes on down to nothing."""
    some = values[np.isfinite(values) & (values > 0)]
    if some.size:
        axes.set_ylim(some.min() / 3, some.max() * 3)


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
