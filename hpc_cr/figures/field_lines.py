"""Spread of field lines across the uniform field, D_FL = <x_i^2>/(2 s), against quasi-linear
theory, (L_c/8)(dB/B0)^2.

Left: running D_FL against the distance along the field; right: its plateau against the level, over
the theory, which holds for dB/B0 <= 0.3.
"""

import numpy as np

from hpc_cr.diffusion import theory
from hpc_cr.figures import diffusion_points, style
from hpc_cr.figures.diffusion_points import MARKERS
from hpc_cr.figures.panels import FigureError


def draw(opened, options):
    """Both panels; the colour goes with the level of turbulence.

    Parameters
    ----------
    opened : sequence of hpc_cr.io.diffusion.DiffusionResults
    options : hpc_cr.figures.panels.Options

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    FigureError
        No case with traced field lines.
    """
    from matplotlib import colormaps

    diffusion_points.without(options, "field-lines", "stops", "data")
    viridis = colormaps["viridis"]
    points = [p for p in diffusion_points.select(opened, options, True, "field-lines")
              if p.results.field_line is not None]  # fmt: skip
    if not points:
        raise FigureError(f"{opened[0].path}: no field lines were traced (field_lines.count)")
    # lines are those of the whole field at the lowest rigidity, where steps resolve all waves
    lowest = {}
    for point in points:
        key = (str(point.results.path), point.results.case)
        if key not in lowest or point.rigidity < lowest[key].rigidity:
            lowest[key] = point
    points = list(lowest.values())
    figure, (left, right) = style.panels(2, 2.9, extra=0.5)
    groups = diffusion_points.by(points, lambda p: round(p.eta, 3))
    colours = viridis(np.linspace(0.0, 0.9, len(groups)))
    for number, (_, group) in enumerate(groups):
        for shift, point in enumerate(group):
            _lines(left, right, point, colours[number], MARKERS[number % 7], 1.03**shift)
    points = [group[0] for _, group in groups]
    eta = np.geomspace(points[0].eta / 1.2, points[-1].eta * 1.2, 100)
    valid = theory.VALID["field_line_walk"](eta, 1.0)
    right.axhline(1.0, xmax=1.0, color=style.BLACK, linewidth=0.9, linestyle="--")
    if valid.any():
        right.plot(eta[valid], np.ones(valid.sum()), color=style.BLACK, linewidth=1.3)
        right.axvspan(eta[0], eta[valid][-1], color="0.92", linewidth=0, zorder=-1)
    for axes in (left, right):
        axes.set_xscale("log")
    left.set_yscale("log")
    left.set_xlabel(r"distance along $B_0$ over $L_c$, $s/L_c$")
    left.set_ylabel(r"$D_\mathrm{FL}/L_c = \langle x_i^2\rangle/(2 s L_c)$")
    right.set_xlim(eta[0], eta[-1])
    style.short_log(right.xaxis, "log", right.get_xlim())
    right.set_ylim(0, max(1.2, right.get_ylim()[1]))
    right.set_xlabel(r"$\delta B/B_0$")
    right.set_ylabel(r"$D_\mathrm{FL}$ / $(L_c/8)(\delta B/B_0)^2$")
    figure.suptitle(f"Field lines, {diffusion_points.counts(points)}; lines without points:"
                    r" $(L_c/8)(\delta B/B_0)^2$, dashed beyond its range $\delta B/B_0 \leq$"
                    f" {theory.WEAK:g}; open: no plateau", fontsize=8)  # fmt: skip
    style.legend_below(figure, left.get_legend_handles_labels()[0], 6)
    return figure


def _lines(left, right, point, colour, marker, shift):
    """Running D_FL, and what it comes to over the theory."""
    length = point.job.coherence_length
    distances, mean, error = point.results.field_line_coefficient(point.rig)
    shown = np.isfinite(mean) & (mean > 0)
    label = rf"$\delta B/B_0$ = {style.number(point.eta, 2)}" if shift == 1 else None
    left.errorbar(distances[shown] / length, mean[shown] / length,
                  np.nan_to_num(error[shown]) / length, color=colour, marker=marker, markersize=3,
                  linewidth=0.9, elinewidth=0.9, capsize=1.5, label=label)  # fmt: skip
    expected = float(theory.field_line_walk(point.eta, length))
    valid = bool(theory.VALID["field_line_walk"](point.eta, length))
    left.axhline(expected / length, color=colour, linewidth=0.8, linestyle="-" if valid else "--")
    limit = point.results.field_line_limit(point.rig)
    # several cases of one level stand side by side
    diffusion_points.draw_points(right, [point.eta * shift], np.array([limit.value]) / expected,
                                 np.array([limit.total]) / expected, [limit.state == "plateau"],
                                 colour, marker)
