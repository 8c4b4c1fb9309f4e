"""Running diffusion coefficients against time, and whether they have reached a plateau.

Three estimators that agree only for large times (`hpc_cr.diffusion.tensors`): <X_i X_j>/(2T), its
growth between stops, and the integral of the velocity correlation. Grey: the stops that the value
comes from, and the value with its error and what is left of a trend in quadrature. Arrows at the
lower edge: not positive.
"""

import numpy as np

from hpc_cr.constants import PC_C_CM2_PER_S
from hpc_cr.figures import diffusion_points, style

MOST = 8
"""Panels drawn unless cases and rigidities are chosen."""
ESTIMATORS = (
    ("displacement", style.BLUE, "o", r"$\langle X^2\rangle/2T$"),
    ("interval", style.VERMILLION, "s", r"growth of $\langle X^2\rangle/2$ between stops"),
    ("velocity", style.GREEN, "^", r"$\int\langle u(t)\,u(0)\rangle dt$"),
)
NAMES = {"D_iso": r"$D$", "D_par": r"$D_\parallel$", "D_perp": r"$D_\perp$"}
STATES = {"falling": "still falling", "rising": "still rising", "not decided": "not decided"}


def draw(opened, options):
    """One panel per case and rigidity.

    Parameters
    ----------
    opened : sequence of hpc_cr.io.diffusion.DiffusionResults
    options : hpc_cr.figures.panels.Options

    Returns
    -------
    matplotlib.figure.Figure
    """
    diffusion_points.without(options, "diffusion", "stops", "data")
    points = diffusion_points.select(opened, options, None, "diffusion")
    chosen, total = points, len(points)
    if total > MOST and not (options.cases and options.rigidities):
        chosen = [points[i] for i in np.unique(np.linspace(0, total - 1, MOST).astype(int))]
    figure, all_axes = style.panels(len(chosen), 2.5, extra=0.55)
    places = style.bottom_and_sides(len(chosen))
    for axes, point, (lowest, left, right) in zip(all_axes, chosen, places, strict=True):
        _panel(axes, point)
        if lowest:
            axes.set_xlabel("time $cT$ [pc]")
        if left:
            axes.set_ylabel("$D/c$ [pc]")
        second = style.second_scale(axes, PC_C_CM2_PER_S, "")
        if right:
            second.set_ylabel(diffusion_points.D_LABEL)
    if len(chosen) < total:
        figure.suptitle(f"{len(chosen)} of {total} cases and rigidities (--case and --rigidity"
                        " choose)", fontsize=8)  # fmt: skip
    style.legend_below(figure, _handles(), 2 if len(chosen) == 1 else 4)
    return figure


def _panel(axes, point):
    results = point.results
    stops = results.stops[point.rig]
    running = results.running(point.rig)
    shown = ["D_par", "D_perp"] if point.has_field else ["D_iso"]
    lines, heights, negative = [], [], []
    for name in shown:
        found = point.found[name]
        for estimator, colour, marker, _ in ESTIMATORS:
            mean, error = running[name][estimator]
            time = stops
            if estimator == "interval":
                # of the time between two stops; the first one begins at 0 like <X X>/2T
                time, mean, error = np.sqrt(stops[1:] * stops[:-1]), mean[1:], error[1:]
            good = np.isfinite(mean) & (mean > 0)
            negative.extend((place, colour) for place in time[np.isfinite(mean) & (mean <= 0)])
            heights.append(mean[good])
            axes.errorbar(time[good], mean[good], np.nan_to_num(error[good]), color=colour,
                          marker=marker, markersize=3, linewidth=0.9, elinewidth=0.9, capsize=1.5,
                          linestyle="--" if name == "D_perp" else "-",
                          markerfacecolor="white" if name == "D_perp" else colour)  # fmt: skip
        flat, error = found.state == "plateau", np.nan_to_num(found.error)
        error = np.hypot(error, np.nan_to_num(found.trend * found.value)) if flat else error
        axes.fill_between([found.since, found.until], found.value - error, found.value + error,
                          facecolor="0.75" if flat else "white", edgecolor="0.65", zorder=0,
                          linewidth=2.5 if flat else 0.8, hatch=None if flat else "//////",
                          gid=f"value {name}")  # fmt: skip
        lines.append(statement(found))
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(*style.decades(stops[0], stops[-1]))
    heights = np.concatenate(heights)
    # room for the statements at the top
    low, high = style.decades(heights.min(), heights.max())
    axes.set_ylim(low, high * (high / low) ** (0.16 * len(lines)))
    style.short_log(axes.yaxis, "log", axes.get_ylim())
    for place, colour in negative:
        axes.plot([place], [0.02], color=colour, marker="v", markersize=5, linestyle="none",
                  transform=axes.get_xaxis_transform(), gid="not positive")  # fmt: skip
    axes.text(0.03, 0.97, "\n".join(lines), transform=axes.transAxes, va="top", fontsize=6,
              linespacing=1.35)  # fmt: skip
    axes.set_title(_title(point), linespacing=1.3)


def statement(found):
    """A coefficient and its state in words, the trend in per cent as second error:
    "D = 23.9 ± 0.4 pc ± 2.1 %, flat from 5 pc"."""
    value = diffusion_points.with_error(found.value, found.error)
    text = f"{NAMES[found.name]} = {value} pc"
    if found.state == "plateau":
        trend = f"{100 * found.trend:.1f}"
        return rf"{text} $\pm$ {trend} %, flat from {style.number(found.since)} pc"
    state = STATES[found.state]
    if np.isfinite(found.exponent):
        state += rf", $T^{{{found.exponent:+.2f}}}$"
    return f"{text}, {state}"


def _title(point):
    job = point.job
    field = rf"$B_\mathrm{{rms}}$ = {style.number(job.turbulence.rms, 3)} $\mu$G"
    if point.has_field:
        field += rf", $B_0$ = {style.number(job.regular.strength, 3)} $\mu$G"
    return (f"{point.label}: {field}\n{style.rigidity(point.rigidity)}, $r_g$ ="
            f" {style.number(point.gyroradius)} pc, $L_c$ = {style.number(job.coherence_length)}"
            f" pc, {diffusion_points.counts([point])}")  # fmt: skip


def _handles():
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    marks = [Line2D([], [], color=colour, marker=marker, markersize=3, linewidth=0.9, label=label)
             for _, colour, marker, label in ESTIMATORS]  # fmt: skip
    across = Line2D([], [], color="0.3", marker="o", markersize=3, linewidth=0.9, linestyle="--",
                    markerfacecolor="white", label="across the field")  # fmt: skip
    flat = Patch(facecolor="0.75", edgecolor="0.7", label="plateau with error and trend")
    return [*marks, across, flat,
            Patch(facecolor="white", edgecolor="0.7", hatch="////", label="no plateau: last stops")]
