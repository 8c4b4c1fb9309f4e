"""How alike skies are without their dipoles: at different radii or times, at different rigidities.

Left: the correlation of each stop's smoothed sky with that of the last stop, which tells from
where on the sky no longer changes. Right: the correlation of the sky at each rigidity with that at
the lowest one, and the same for the dipoles alone. Shot noise is taken out by half-samples
(`hpc_cr.anisotropy.correlation`); points of several realisations are those of their summed
products, with their standard error, and the band holds the middle 68 % of the single skies.
"""

import numpy as np

from hpc_cr.anisotropy.correlation import correlation
from hpc_cr.figures import style
from hpc_cr.figures.panels import FigureError

SMOOTHING = 20.0
"""Degrees, radius of the top hat where the user names none."""
FEW = 3
"""With more rigidities than this a case is shown against rigidity only."""
MARKERS = "osD^v<>P"


def draw(panels, options):
    """Two panels, or the one that the files allow.

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
        One stop and one rigidity, or parts of the sky only.
    """
    radius = options.smooth or SMOOTHING
    cases = _by_case(panels)
    by_stop = [c for c in cases if len(c) <= FEW and c[0].stop > 0]
    by_rigidity = [c for c in cases if len(c) > 1]
    wanted = [(_stops, by_stop), (_rigidities, by_rigidity)]
    wanted = [(plot, shown) for plot, shown in wanted if shown]
    if not wanted:
        raise FigureError(
            f"{panels[0].results.path}: a correlation needs two stops or two rigidities"
        )
    figure, all_axes = style.panels(len(wanted), 3.0)
    halves = _Halves()
    names = list(dict.fromkeys(_name(case[0]) for case in cases))
    markers = {name: MARKERS[i % len(MARKERS)] for i, name in enumerate(names)}
    for axes, (plot, shown) in zip(all_axes, wanted, strict=True):
        plot(axes, shown, halves, radius, markers)
        axes.axhline(1.0, color=style.GREY, linewidth=0.5, zorder=0)
        axes.axhline(0.0, color=style.GREY, linewidth=0.5, zorder=0)
        axes.set_ylim(min(-0.1, axes.get_ylim()[0]), 1.12)
        _legend(axes)
    all_axes[0].set_ylabel("correlation of skies, free of noise")
    return figure


class _Halves:
    """Half-sample multipoles of the intensity, read once per case."""

    def __init__(self):
        self._read = {}

    def of(self, panel, rig=None, stop=None, rows=None):
        """(n, 2, n_lm) at a rigidity and stop of a panel's case; default the panel's own."""
        key = id(panel.results)
        if key not in self._read:
            self._read[key] = panel.results.alm_half
        rows = panel.rows if rows is None else rows
        stop = panel.stop if stop is None else stop
        alm = self._read[key][rows, panel.rig if rig is None else rig, stop]
        return np.einsum("ahjm,j->ahm", alm, panel.gradient)


def _by_case(panels):
    """Panels of the same file, case and stop, by rising rigidity."""
    groups = {}
    for panel in panels:
        groups.setdefault((panel.results.path, panel.results.case, panel.stop), []).append(panel)
    return [sorted(group, key=lambda p: p.rigidity) for group in groups.values()]


def _stops(axes, cases, halves, radius, markers):
    """Correlation with the last stop against the stop."""
    colours = _colours(cases)
    for case in cases:
        for panel in case:
            last = halves.of(panel)
            stops = panel.results.stops[panel.rig, : panel.stop + 1]
            found = [
                correlation(halves.of(panel, stop=s), last, radius, group=panel.realisation)
                for s in range(len(stops))
            ]
            colour, name = colours[panel.rigidity], _name(panel)
            text = style.rigidity(panel.rigidity)
            _points(axes, stops, found, markers[name], colour, (text, f"{name} ({_skies(panel)})"))
    first = cases[0][0]
    time = first.results.stop_kind == "time"
    axes.set_xscale("log")
    ticks = np.unique(np.concatenate([c[0].results.stops[c[0].rig] for c in cases]))
    if len(ticks) <= 8:
        axes.set_xticks(ticks, [f"{t:.3g}" for t in ticks])
        axes.tick_params(axis="x", which="minor", labelbottom=False)
    axes.set_xlabel("backtracking time $cT$ [pc]" if time else "radius of the sphere $R$ [pc]")
    what = "$cT$" if time else "$R$"
    same = len({round(c[0].length, 6) for c in cases}) == 1
    end = f"{what} = {style.number(first.length, 3)} pc" if same else f"the last {what}"
    axes.set_title(
        rf"with the sky at {end}" + "\n" + rf"$\ell \geq 2$, top hat of {radius:g}$\degree$ radius"
    )


def _rigidities(axes, cases, halves, radius, markers):
    """Correlation with the lowest rigidity against R/R_0, with and without the dipole."""
    for case in cases:
        rows = sorted(set.intersection(*(set(panel.rows) for panel in case)))
        if not rows:
            continue
        realisation = case[0].results.realisation[rows]
        ratio = np.array([panel.rigidity for panel in case]) / case[0].rigidity
        first = halves.of(case[0], rows=rows)
        name = _name(case[0])
        text_of_case = f"{name}, " if name else ""
        text_of_case += rf"$\mathcal{{R}}_0$ = {style.rigidity(case[0].rigidity)}"
        for which, colour, text in (
            ((2, None), style.BLUE, rf"$\ell \geq 2$, {radius:g}$\degree$"),
            ((1, 1), style.VERMILLION, "dipole"),
        ):
            found = [
                correlation(first, halves.of(panel, rows=rows), radius, which, realisation)
                for panel in case
            ]
            _points(
                axes, ratio, found, markers[name], colour, (text, text_of_case), band=False
            )  # fmt: skip
    axes.set_xscale("log")
    style.short_log(axes.xaxis, "log", axes.get_xlim())
    axes.set_xlabel(r"rigidity $\mathcal{R}/\mathcal{R}_0$")
    axes.set_title("with the sky at the lowest rigidity")


def _points(axes, x, found, marker, colour, labels, band=True):
    """One curve; labels: what its colour and what its marker says."""
    values = np.array([one.value for one in found])
    errors = np.array([one.error for one in found])
    single = len(found[0].single) == 1
    if band and not single:
        low, high = np.nanquantile([one.single for one in found], [0.16, 0.84], axis=1)
        axes.fill_between(x, low, np.minimum(high, 1.1), color=colour, alpha=0.12, linewidth=0)
    axes.errorbar(
        x,
        values,
        None if single else errors,
        color=colour,
        marker=marker,
        markersize=4,
        markerfacecolor="white" if single else colour,
        # between two points nothing is known
        linestyle="none" if len(x) < 3 else "--" if single else "-",
        linewidth=1.0,
        capsize=2,
        label="\n".join(labels),
    )


def _legend(axes):
    """Colours once and markers once, instead of every pair of them."""
    from matplotlib.lines import Line2D

    handles = {}
    for container in axes.containers:
        line = container.lines[0]
        colour, marker = container.get_label().split("\n")
        face = "white" if line.get_markerfacecolor() == "white" else style.GREY
        look = {"linestyle": line.get_linestyle(), "marker": line.get_marker(), "markersize": 4}
        handles[colour] = Line2D([], [], color=line.get_color(), linewidth=2.5, label=colour)
        handles[marker] = Line2D(
            [], [], color=style.GREY, markerfacecolor=face, label=marker, **look
        )  # fmt: skip
    # colours first
    order = sorted(handles.values(), key=lambda line: line.get_linewidth(), reverse=True)
    axes.legend(handles=order, loc="best", handlelength=2.0)


def _name(panel):
    return panel.label


def _colours(cases):
    """One colour per rigidity."""
    rigidities = sorted({panel.rigidity for case in cases for panel in case})
    return {r: style.SEQUENCE[i % len(style.SEQUENCE)] for i, r in enumerate(rigidities)}


def _skies(panel):
    count = len(panel.rows)
    return f"{count} sky" if count == 1 else f"{count} skies"
