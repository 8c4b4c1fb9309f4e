"""The dipole inside the cloud of a burst against that of a Gaussian one, 3 s/(2 c T).

Left: in cells along the source's field line, from the flow of the particles and from the gradient
of their density (where D_par has a plateau). Right: both over 3 s/(2 c T), over all cells, against
time in mean free paths 3 D_par/c: 2 for particles that still fly freely, 1 for diffusion; from when
on the first cell is narrower than half of the cloud, and as long as the cells reach to twice its
width.
"""

import numpy as np

from hpc_cr.figures import source_cases, style
from hpc_cr.figures.panels import FigureError

SURE = 3.0
"""Cells whose error is this many times smaller than the largest dipole expected are drawn."""


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
        for number, rig in enumerate(rigs):
            colour = colours[float(results.rigidities[rig])]
            _cells(left, results, rig, options, colour, number / max(len(rigs), 1))
            _ratios(right, results, rig, colour)
        _finish(left, right, results, rigs, options)
    style.legend_below(figure, source_cases.rigidity_handles(found) + _handles(), 4)
    return figure


def _cells(axes, results, rig, options, colour, shift):
    stop = source_cases.stop_of(results, rig, options)
    one = results.dipoles(rig, stop)
    if not np.any(np.isfinite(one.flow.value)):
        raise FigureError(f"{results.path}: {source_cases.label(results)} has no flow in cells with"
                          " a known field line")  # fmt: skip
    largest = np.nanmax(one.gaussian)
    place = one.gaussian * (1 + 0.03 * (shift - 0.4))  # beside each other, not on top
    good = one.flow.error < largest / SURE
    source_cases.points(axes, place[good], one.flow.value[good], one.flow.error[good],
                        color=colour, marker="o", zorder=3)
    between = 1.5 * one.between / results.stops[rig, stop]
    good = one.gradient_error < largest / SURE
    source_cases.points(axes, between[good], one.gradient[good], one.gradient_error[good],
                        color=colour, marker="s", markerfacecolor="white")


def _ratios(axes, results, rig, colour):
    stops = results.stops[rig]
    found = [results.dipoles(rig, stop) for stop in range(len(stops))]
    path = 3 * results.coefficients(rig)["D_par"].value
    source_cases.points(axes, stops / path, [one.ratio for one in found],
                        [one.ratio_error for one in found], color=colour, marker="o",
                        linestyle="-", linewidth=0.7)
    source_cases.points(axes, stops / path, [one.gradient_ratio for one in found],
                        [one.gradient_ratio_error for one in found], color=colour, marker="s",
                        markerfacecolor="white", linestyle=":", linewidth=0.7)


def _finish(left, right, results, rigs, options):
    stop = source_cases.stop_of(results, rigs[0], options)
    time = results.stops[rigs[0], stop]
    top = max(np.nanmax(results.dipoles(rig, stop).gaussian) for rig in rigs) * 1.1
    left.plot([0, top], [0, top], color="0.5", linewidth=0.9, zorder=0)
    left.set_xlim(0, top)
    left.set_ylim(-0.12 * top, 1.35 * top)
    left.set_xlabel(r"$3s/(2cT)$")
    left.set_ylabel("dipole towards the source")
    left.set_title(f"{source_cases.name(results)}, $cT$ = {style.number(time)} pc")
    right.set_xscale("log")
    right.axhline(1.0, color="0.5", linewidth=0.9, zorder=0)
    right.set_ylim(0.5, 2.4)
    right.set_xlabel(r"time $T/\tau$, $c\tau = 3D_\parallel/c$")
    right.set_ylabel(r"dipole over $3s/(2cT)$")
    right.set_title(source_cases.name(results))


def _handles():
    from matplotlib.lines import Line2D

    return [Line2D([], [], color="0.3", marker="o", linestyle="none", markersize=3.4,
                   label=r"flow, $3\langle u\rangle$"),
            Line2D([], [], color="0.3", marker="s", markerfacecolor="white", linestyle="none",
                   markersize=3.4, label=r"gradient, $3D_\parallel\nabla n/cn$"),
            Line2D([], [], color="0.5", label=r"Gaussian, $3s/2cT$")]
