"""Angular power spectrum of the intensity that the gradient gives, with its noise.

Two estimates that agree where the noise is understood: C_l of all particles with the shot noise
subtracted, and the cross-spectrum of two half-samples, whose noises are independent. The band is
the scatter of the realisations, the bars the error of the median.
"""

import numpy as np

from hpc_cr.figures import style


def draw(panels, options):
    """One spectrum per panel, all on the same scale.

    Parameters
    ----------
    panels : sequence of hpc_cr.figures.panels.Panel
    options : hpc_cr.figures.panels.Options

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, all_axes = style.panels(len(panels), 2.5, extra=0.5)
    same_gradient = np.ptp([p.gradient_size for p in panels]) < 1e-12
    places = style.bottom_and_sides(len(panels))
    ranges = []
    for axes, panel, (lowest, left, right) in zip(all_axes, panels, places, strict=True):
        ranges.append(_panel(axes, panel))
        if lowest:
            axes.set_xlabel(r"multipole $\ell$")
        axes.tick_params(labelleft=left)
        if left:
            axes.set_ylabel(r"$C_\ell$ of the intensity $I/I_0$ [sr]")
        second = style.second_scale(axes, panel.gradient_size**-2, "")
        if right or not same_gradient:
            second.set_ylabel(r"$C_\ell/|g|^2$ [pc$^2$ sr]")
        else:
            second.set_yticklabels([])
    limits = style.decades(min(r[0] for r in ranges), max(r[1] for r in ranges))
    for axes in all_axes:
        axes.set_ylim(limits)
    style.legend_below(figure, all_axes[0].get_legend_handles_labels()[0], min(1 + len(panels), 3))
    return figure


def spectra(panel):
    """C_l (n, l_max) from l = 1 of finished rows: noise-subtracted and cross; noise (n,)."""
    where = {"gradient": panel.all_gradients(), "rig": panel.rig, "stop": panel.stop}
    whole = panel.results.power_spectrum(**where)
    cross = panel.results.power_spectrum(**where, estimator="cross")
    rows = panel.rows
    return whole.l[1:], whole.cl[rows, 1:], cross.cl[rows, 1:], whole.noise[rows]


def _panel(axes, panel):
    """Draw one spectrum; returns the range of C_l worth showing."""
    ell, whole, cross, noise = spectra(panel)
    independent = len(np.unique(panel.realisation))
    half = 0.5 / np.sqrt(independent)
    bracket = [max(0.5 - half, 0.0), min(0.5 + half, 1.0)]
    low, median, high = np.quantile(whole, [0.16, 0.5, 0.84], axis=0)
    level = float(np.median(noise))
    # what the noise leaves of a vanishing C_l: values below are no measurement
    blind = level * np.sqrt(2 / (2 * ell + 1) / independent)
    floor = _floor(median, blind)
    positive = median > 0
    axes.fill_between(
        ell,
        np.maximum(low, floor / 10),
        np.maximum(high, floor / 10),
        color=style.BLUE,
        alpha=0.2,
        linewidth=0,
        label="16 % to 84 % of realisations",
    )
    for shift, data, colour, marker, label in (
        (0.985, whole, style.BLUE, "o", "median, noise subtracted"),
        (1.015, cross, style.VERMILLION, "s", "median, cross of halves"),
    ):
        middle = np.median(data, axis=0)
        bars = np.abs(np.quantile(data, bracket, axis=0) - middle)
        shown = middle > 0
        axes.errorbar(
            ell[shown] * shift,
            middle[shown],
            bars[:, shown],
            color=colour,
            marker=marker,
            markersize=2.6,
            linestyle="none",
            elinewidth=0.8,
            capsize=1.2,
            label=label,
            markerfacecolor=colour if marker == "o" else "white",
            markeredgewidth=0.7,
        )
    axes.axhline(level, color=style.BLACK, linestyle=":", linewidth=1.0, label="shot noise")
    if positive[0]:
        # C_l / C_1 = 18 / [(2l + 1)(l + 1)(l + 2)], Ahlers 2014, PRL 112, 021101
        model = 18 / ((2 * ell + 1) * (ell + 1) * (ell + 2)) * median[0]
        axes.plot(
            ell,
            model,
            color=style.GREY,
            linestyle="--",
            linewidth=0.9,
            zorder=1,
            label="shape of Ahlers (2014)",
        )
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(0.85, ell[-1] * 1.15)
    ticks = [tick for tick in (1, 2, 3, 5, 10, 20, 30, 50, 100) if tick <= ell[-1]]
    axes.set_xticks(ticks, [str(tick) for tick in ticks])
    axes.tick_params(axis="x", which="minor", labelbottom=False)
    axes.set_title(panel.title(), linespacing=1.3)
    return floor, max(high.max(), level)


def _floor(median, blind):
    """Lowest C_l to show: the smallest measured median, or what the noise hides."""
    measured = median[(median > 0) & (median > blind)]
    candidates = np.append(measured, blind[blind > 0])
    return candidates.min() if len(candidates) else np.finfo(float).tiny
