"""Amplitude of the dipole against rigidity (Mertsch & Funk 2015, figure 1).

Single realisations (the same field at every rigidity), median and scatter of |delta| over all of
them, the ensemble expectation and the sampling noise, for the chosen gradient; beside them what
isotropic diffusion predicts, and what has been measured.
"""

import numpy as np

from hpc_cr.config.scales import gyroradius, isotropic_mean_free_path
from hpc_cr.figures import measured, style
from hpc_cr.figures.panels import (
    FigureError,
    by_rigidity,
    common_rows,
    range_of_normalisation,
    range_of_stops,
)
from hpc_cr.measurements.diffusion import boron_to_carbon

MARGIN = 1.5
"""Factor by which the axis goes beyond the lowest and the highest rigidity."""


def draw(panels, options):
    """One panel per file, case and stop.

    Parameters
    ----------
    panels : sequence of hpc_cr.figures.panels.Panel
        One per rigidity and stop.
    options : hpc_cr.figures.panels.Options

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    FigureError
        Only one rigidity, or an unknown experiment.
    """
    groups = _groups(panels)
    points = [measured.within(measured.chosen(options), *_range(group)) for group in groups]
    all_points = [p for some in points for p in some]
    low, high = min(_range(g)[0] for g in groups), max(_range(g)[1] for g in groups)
    measured.require(options, all_points, f"between {low:.3g} and {high:.3g} PeV")
    look = measured.looks(all_points)
    limits = _limits(groups, all_points)
    figure, all_axes = style.panels(len(groups), 2.9, extra=_legend_height(len(groups), look))
    places = style.bottom_and_sides(len(groups))
    for axes, group, own, place in zip(all_axes, groups, points, places, strict=True):
        lowest, left, right = place
        _panel(axes, group, limits)
        measured.draw_against_energy(axes, own, look)
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
    measured.legends(figure, _handles(all_axes), all_points, look)
    return figure


_ORDER = ("realisations", "their median", "single skies", "ensemble", "isotropic", "sampling noise")


def _handles(all_axes):
    """Legend entries of the prediction from all panels, in the order of `_ORDER`."""
    found = {}
    for axes in all_axes:
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
            if label.startswith(_ORDER):
                found.setdefault(label, handle)
    place = {label: [label.startswith(word) for word in _ORDER].index(True) for label in found}
    return [found[label] for label in sorted(found, key=place.get)]


def _groups(panels):
    """Panels of one file, case and stop together, by rigidity."""
    groups = by_rigidity(panels)
    for group in groups:
        if len({p.rigidity for p in group}) < 2:
            raise FigureError(
                f"{group[0].results.path}: dipole-energy needs two rigidities or more, there is"
                f" {style.rigidity(group[0].rigidity)}"
            )
    return groups


def _range(group):
    """Ends of the axis, PV; in PeV those of the measurements."""
    return group[0].rigidity / MARGIN, group[-1].rigidity * MARGIN


def _legend_height(count, look):
    """Room below the panels in inches: rows of text, beside each other on a wide figure."""
    lines = 8
    rows = lines + len(look) // 2 if count == 1 else max(lines // 2, 2 + -(-len(look) // 2))
    return 0.3 + 0.145 * rows


def _panel(axes, group, limits):
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(_range(group))
    axes.set_ylim(limits)
    _realisations(axes, group)
    _ensemble(axes, group)
    _diffusion(axes, group)
    style.short_log(axes.yaxis, "log", limits)
    style.short_log(axes.xaxis, "log", axes.get_xlim())
    rigidity = np.array([p.rigidity for p in group])
    style.noise_line(axes, rigidity, [p.summary.noise_floor for p in group], "")
    title = group[0].title(rigidity=False, stop=False, normalisation=False)
    title = f"{title}, {range_of_stops(group)}\n{range_of_normalisation(group)}"
    axes.set_title(title, linespacing=1.3)


def _realisations(axes, group):
    """Scatter, median and single realisations of |delta|."""
    rigidity = np.array([p.rigidity for p in group])
    amplitude = [np.linalg.norm(p.dipoles, axis=1) for p in group]
    low, high = np.array([np.quantile(a, [0.16, 0.84]) for a in amplitude]).T
    axes.fill_between(rigidity, low, high, color=style.BLUE, alpha=0.18, linewidth=0,
                      label="realisations, 16 % to 84 %")  # fmt: skip
    axes.errorbar(
        rigidity,
        [p.summary.median for p in group],
        [p.summary.median_error for p in group],
        color=style.BLUE,
        marker="^",
        linestyle="--",
        markersize=4,
        capsize=2,
        elinewidth=1.0,
        label="their median",
        zorder=4,
    )
    common = common_rows(group)
    for number, row in enumerate(common):
        values = [a[p.rows == row][0] for a, p in zip(amplitude, group, strict=True)]
        label = f"single skies (first {len(common)})" if number == 0 else None
        axes.plot(rigidity, values, color=style.SHADES[number], linewidth=0.8, marker="o",
                  markersize=2.6, label=label, gid="single sky", zorder=3.5)  # fmt: skip


def _ensemble(axes, group):
    """Length of the expected dipole, with its error along it."""
    summaries = [p.summary for p in group]
    expected = [np.linalg.norm(s.expectation) for s in summaries]
    along = [
        np.abs(s.expectation) @ s.expectation_error / n
        for s, n in zip(summaries, expected, strict=True)
    ]
    axes.errorbar(
        [p.rigidity for p in group],
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


def _diffusion(axes, group):
    """What isotropic diffusion predicts: 3 D/c |g| with D from B/C, and with D of the turbulence.

    The second is Harari, Mollerach & Roulet's (2014) fit for turbulence without a regular field;
    it belongs to the response as computed, not to one that is normalised to B/C.
    """
    sizes = np.array([p.gradient_size for p in group])
    rigidity = np.array([p.rigidity for p in group])
    if np.ptp(sizes) < 1e-12:
        rigidity = np.geomspace(*_range(group), 30)
        sizes = np.full(30, sizes[0])
    axes.plot(rigidity, 3 * boron_to_carbon(rigidity) * sizes, color=style.BLACK, linestyle=":",
              linewidth=1.3, label=r"isotropic diffusion, $D$ of B/C", gid="B/C",
              zorder=2)  # fmt: skip
    panel = group[0]
    if panel.field is None and panel.options.normalisation == "physical":
        turbulence = panel.results.job.turbulence
        free_path = isotropic_mean_free_path(
            gyroradius(rigidity, turbulence.rms), turbulence.outer_scale
        )
        axes.plot(rigidity, free_path * sizes, color=style.GREEN, linewidth=0.7,
                  label="isotropic diffusion, $D$ of\nHarari et al. 2014", gid="Harari",
                  zorder=2)  # fmt: skip


def _limits(groups, points):
    """Range of the amplitudes of all panels, with room for a line of text at the bottom."""
    low, high = [], []
    for group in groups:
        rows = common_rows(group)
        for panel in group:
            amplitude = np.linalg.norm(panel.dipoles, axis=1)
            low += [np.quantile(amplitude, 0.02), np.linalg.norm(panel.summary.expectation)]
            low += list(amplitude[np.isin(panel.rows, rows)])
            high += [np.quantile(amplitude, 0.98), np.linalg.norm(panel.summary.expectation)]
            high.append(3 * boron_to_carbon(panel.rigidity) * panel.gradient_size)
    for point in points:
        low.append(max(point.amplitude - np.nan_to_num(point.errors[0]), 0.5 * point.amplitude))
        high.append(point.amplitude)
    lowest, highest = min(low), max(high)
    return style.decades(lowest * (lowest / highest) ** 0.08, highest)
