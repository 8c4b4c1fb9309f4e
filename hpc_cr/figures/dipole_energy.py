"""Amplitude of the dipole against rigidity (Mertsch & Funk 2015, figure 1).

Mean, median and scatter of |delta| over the realisations, some single realisations (the same
field at every rigidity), the ensemble expectation and the sampling noise, for the job's gradient.
"""

import numpy as np

from hpc_cr.figures import style
from hpc_cr.figures.panels import FigureError
from hpc_cr.measurements.dipole_limits import DIPOLE_LIMITS

SINGLE = 5
"""Realisations drawn one by one."""


def draw(panels, options):
    """One panel per case.

    Parameters
    ----------
    panels : sequence of hpc_cr.figures.panels.Panel
        One per rigidity.
    options : hpc_cr.figures.panels.Options

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    FigureError
        Only one rigidity.
    """
    groups = {}
    for panel in panels:
        groups.setdefault((panel.results.path, panel.results.case), []).append(panel)
    for group in groups.values():
        if len({p.rigidity for p in group}) < 2:
            raise FigureError(
                f"{group[0].results.path}: dipole-energy needs two rigidities or more, there is"
                f" {style.rigidity(group[0].rigidity)}"
            )
    figure, all_axes = style.panels(len(groups), 2.6, extra=0.6)
    limits = _limits(groups.values())
    places = style.bottom_and_sides(len(groups))
    for axes, group, (lowest, left, right) in zip(all_axes, groups.values(), places, strict=True):
        group = sorted(group, key=lambda p: p.rigidity)
        _panel(axes, group, limits)
        axes.tick_params(labelleft=left)
        if lowest:
            axes.set_xlabel("rigidity [PV]")
        if left:
            axes.set_ylabel(r"amplitude of the dipole $|\delta|$")
        sizes = [p.gradient_size for p in group]
        if np.ptp(sizes) < 1e-12:
            second = style.second_scale(axes, 1 / sizes[0], "")
            if right:
                second.set_ylabel(r"$|\delta|/|g|$ [pc]")
            else:
                second.set_yticklabels([])
    handles = all_axes[0].get_legend_handles_labels()[0]
    style.legend_below(figure, handles, 2 if len(groups) == 1 else 4)
    return figure


def _panel(axes, group, limits):
    rigidity = np.array([p.rigidity for p in group])
    summaries = [p.summary for p in group]
    amplitude = [np.linalg.norm(p.dipoles, axis=1) for p in group]
    low, high = np.array([np.quantile(a, [0.16, 0.84]) for a in amplitude]).T
    axes.fill_between(
        rigidity,
        low,
        high,
        color=style.BLUE,
        alpha=0.18,
        linewidth=0,
        label="realisations, 16 % to 84 %",
    )
    # rows finished at every rigidity, in the file's order: nothing is picked by its look
    common = sorted(set.intersection(*(set(p.rows) for p in group)))[:SINGLE]
    for number, row in enumerate(common):
        values = [a[p.rows == row][0] for a, p in zip(amplitude, group, strict=True)]
        label = f"single skies (first {len(common)})" if number == 0 else None
        axes.plot(
            rigidity,
            values,
            color=style.GREY,
            linewidth=0.7,
            marker=".",
            markersize=4,
            label=label,
            zorder=2,
        )
    for name, error, text, options in (
        (
            "mean_amplitude",
            "mean_amplitude_error",
            r"mean of $|\delta|$",
            {"color": style.BLUE, "marker": "o", "linestyle": "-"},
        ),
        (
            "median",
            "median_error",
            r"median of $|\delta|$",
            {"color": style.ORANGE, "marker": "^", "linestyle": "--"},
        ),
    ):
        values = [getattr(s, name) for s in summaries]
        bars = [getattr(s, error) for s in summaries]
        axes.errorbar(
            rigidity,
            values,
            bars,
            markersize=4,
            capsize=2,
            elinewidth=1.0,
            label=text,
            zorder=4,
            **options,
        )
    expected = [np.linalg.norm(s.expectation) for s in summaries]
    along = [
        np.abs(s.expectation) @ s.expectation_error / n
        for s, n in zip(summaries, expected, strict=True)
    ]
    axes.errorbar(
        rigidity,
        expected,
        along,
        color=style.GREEN,
        marker="D",
        markersize=3.5,
        linestyle="-.",
        capsize=2,
        label="ensemble expectation",
        zorder=4,
    )
    _measurements(axes, rigidity)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_ylim(limits)
    style.short_log(axes.yaxis, "log", limits)
    style.short_log(axes.xaxis, "log", axes.get_xlim())
    style.noise_line(axes, rigidity, [s.noise_floor for s in summaries], "")
    title = group[0].title(rigidity=False, stop=False)
    axes.set_title(f"{title}, {_stops_text(group)}", linespacing=1.3)


def _stops_text(group):
    """The stop of all rigidities, or the range of theirs."""
    low, high = (f(group, key=lambda p: p.length) for f in (min, max))
    if np.isclose(low.length, high.length):
        return low.stop_text
    return f"{low.stop_text.removesuffix(' pc')} to {high.length:.3g} pc"


def _measurements(axes, rigidity):
    for limit in DIPOLE_LIMITS:
        if not 0.5 * rigidity[0] <= limit.energy <= 2 * rigidity[-1]:
            continue
        label = f"{limit.experiment}" + (" (upper limit)" if limit.upper_limit else "")
        known = axes.get_legend_handles_labels()[1]
        error = 0.25 * limit.amplitude if limit.upper_limit else limit.error
        axes.errorbar(
            limit.energy,
            limit.amplitude,
            error,
            uplims=limit.upper_limit,
            color=style.SKY if limit.upper_limit else style.BLACK,
            marker="" if limit.upper_limit else "s",
            markersize=3.5,
            capsize=2,
            linestyle="none",
            zorder=5,
            label=None if label in known else label,
        )


def _limits(groups):
    low, high = [], []
    for group in groups:
        for panel in group:
            amplitude = np.linalg.norm(panel.dipoles, axis=1)
            low += [np.quantile(amplitude, 0.02), np.linalg.norm(panel.summary.expectation)]
            high.append(amplitude.max())
        rigidity = sorted(p.rigidity for p in group)
        for limit in DIPOLE_LIMITS:
            if 0.5 * rigidity[0] <= limit.energy <= 2 * rigidity[-1]:
                low.append(limit.amplitude - np.nan_to_num(limit.error))
                high.append(limit.amplitude)
    return style.decades(min(low), max(high))
