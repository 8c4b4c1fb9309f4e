"""Angular power spectrum of the intensity that the gradient gives, with its noise.

One stop: ensemble mean with its error, every realisation faintly, their scatter (cosmic variance)
as a band. Two estimates that agree where the noise is understood: C_l of all particles with the
shot noise subtracted, and the cross-spectrum of two half-samples, whose noises are independent.
Several stops: the mean by stop, on request also with the dipole that is there at -T already.
"""

import numpy as np

from hpc_cr.anisotropy import spectra as statistics
from hpc_cr.figures import style

MAX_SINGLE = 60
"""Single realisations drawn; more would only blacken the panel."""


def draw(panels, options):
    """One panel per case and rigidity, all on the same scale; stops are curves of a panel.

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
        Nothing but parts of the sky, which have no spectrum.
    """
    groups = {}
    for panel in panels:
        key = panel.results.path, panel.results.case, panel.rig
        groups.setdefault(key, []).append(panel)
    groups = list(groups.values())
    figure, all_axes = style.panels(len(groups), 2.6, extra=0.65)
    same_gradient = np.ptp([p.gradient_size for p in panels]) < 1e-12
    places = style.bottom_and_sides(len(groups))
    ranges = []
    for axes, group, (lowest, left, right) in zip(all_axes, groups, places, strict=True):
        ranges.append(_stops(axes, group) if len(group) > 1 else _panel(axes, group[0]))
        _axes(axes, group, lowest, left)
        second = style.second_scale(axes, group[0].gradient_size**-2, "")
        if right or not same_gradient:
            second.set_ylabel(r"$C_\ell/|g|^2$ [pc$^2$ sr]")
        else:
            second.set_yticklabels([])
    limits = style.decades(min(r[0] for r in ranges), max(r[1] for r in ranges))
    if any(len(group) > 1 for group in groups):
        # room for the legend at the lower left
        limits = limits[0] * (limits[0] / limits[1]) ** 0.2, limits[1]
    for axes in all_axes:
        axes.set_ylim(limits)
    if any(len(group) == 1 for group in groups):
        handles = _every_label(all_axes, groups)
        style.legend_below(figure, handles, 2 if len(groups) == 1 else 3)
    return figure


def _every_label(all_axes, groups):
    """A handle per label of the panels with one stop, which share the legend below."""
    found = {}
    for axes, group in zip(all_axes, groups, strict=True):
        if len(group) == 1:
            for handle, label in zip(*axes.get_legend_handles_labels(), strict=True):
                found.setdefault(label, handle)
    return list(found.values())


def spectrum(panel, estimator="cross", local_term=False):
    """C_l of a panel's finished rows with its gradient and normalisation.

    The local term has K = <M>/3 of the file's last stop, the best that it knows of the diffusion,
    at every stop.

    Returns
    -------
    hpc_cr.anisotropy.spectra.Spectrum
        From l = 1.
    cl : ndarray (n, l_max)
        Of the rows.
    noise : float
        Shot-noise power of all particles, mean over the rows.
    """
    tensor = panel.results.diffusion()[:, -1] if local_term else False
    found = panel.results.power_spectrum(
        panel.all_gradients(), panel.rig, panel.stop, estimator, tensor
    )
    cl = panel.scale**2 * found.cl[panel.rows]
    noise = panel.scale**2 * float(np.mean(found.noise[panel.rows]))
    return statistics.summarise(cl, panel.realisation), cl[:, 1:], noise


def _panel(axes, panel):
    """Draw one stop; returns the range of C_l worth showing."""
    cross, _, cross_noise = spectrum(panel)
    whole, cl, noise = spectrum(panel, "noise-subtracted")
    blind = statistics.blind(noise, whole.l, whole.n)
    floor = _floor(whole.mean, blind)
    if whole.n > 1:
        _realisations(axes, whole.l, cl, floor / 10)
    who = "mean, " if whole.n > 1 else "one sky, "  # one sky is no ensemble
    _means(axes, whole, 0.985, style.BLUE, "o", f"{who}noise subtracted", blind, "-")
    hidden = statistics.blind(cross_noise, cross.l, cross.n, "cross")
    _means(axes, cross, 1.015, style.VERMILLION, "s", f"{who}cross of halves", hidden)
    top = max(np.quantile(cl, 0.84, axis=0).max(), noise, whole.mean.max())
    if panel.options.local_term:
        local, _, _ = spectrum(panel, local_term=True)
        _means(axes, local, 1.045, style.GREEN, "^", "the same with the local term", hidden)
        top = max(top, local.mean.max())
    axes.axhline(noise, color=style.BLACK, linestyle=":", linewidth=1.0, label="shot noise")
    axes.fill_between(
        whole.l,
        floor / 100,
        np.maximum(blind, floor / 100),
        facecolor="none",
        edgecolor=style.GREY,
        hatch="////",
        linewidth=0,
        alpha=0.5,
        zorder=0,
        label="hidden by noise",
    )
    _shape(axes, whole)
    _share(axes, whole)
    axes.set_title(panel.title(), linespacing=1.3)
    return floor, top


def _stops(axes, group):
    """Draw the mean by stop, with and without the local term; returns the range of C_l."""
    import matplotlib

    colours = matplotlib.colormaps["viridis"](np.linspace(0.0, 0.85, len(group)))
    low, high = [], []
    for panel, colour in zip(group, colours, strict=True):
        plain, cl, noise = spectrum(panel)
        symbol = "cT" if panel.results.stop_kind == "time" else "R"
        label = f"${symbol}$ = {style.number(panel.length, 3)} pc"
        blind = statistics.blind(noise, plain.l, plain.n, "cross")
        _means(axes, plain, 0.985, colour, "o", label, blind, "-")
        floor = _floor(plain.mean, blind)
        shown = np.where(cl > floor / 10, cl, np.nan)[:MAX_SINGLE]
        axes.plot(plain.l, shown.T, color=colour, alpha=0.1, linewidth=0.4, zorder=1)
        low.append(floor)
        high.append(plain.mean.max())
        if panel.options.local_term:
            local, _, noise = spectrum(panel, local_term=True)
            blind = statistics.blind(noise, plain.l, plain.n, "cross")
            last = "with the local term" if panel is group[-1] else None
            _means(axes, local, 1.015, colour, "^", last, blind, "--")
            high.append(local.mean.max())
    _shape(axes, plain)
    legend = axes.legend(
        loc="lower left", handlelength=2.4, frameon=True, framealpha=0.8, edgecolor="none"
    )
    legend.set_zorder(5)
    axes.set_title(group[-1].title(stop=False), linespacing=1.3)
    return min(low), max(high)


def _realisations(axes, ell, cl, lowest):
    """Every realisation faintly, and the band of two thirds of them."""
    shown = np.where(cl > lowest, cl, np.nan)[:MAX_SINGLE]
    for number, one in enumerate(shown):
        axes.plot(
            ell,
            one,
            color=style.SKY,
            alpha=0.35,
            linewidth=0.4,
            zorder=1,
            label=None if number else "single realisations",
        )
    low, high = np.quantile(cl, [0.16, 0.84], axis=0)
    axes.fill_between(
        ell,
        np.maximum(low, lowest),
        np.maximum(high, lowest),
        color=style.BLUE,
        alpha=0.2,
        linewidth=0,
        label="16 % to 84 % of them",
    )


def _means(axes, found, shift, colour, marker, label, blind, line="none"):
    """Ensemble mean with its standard error, where noise does not hide it."""
    mean = np.where(found.mean > blind, found.mean, np.nan)
    axes.errorbar(
        found.l * shift,
        mean,
        found.mean_error if found.n_realisation > 1 else None,
        color=colour,
        marker=marker,
        markersize=2.6,
        linestyle=line,
        linewidth=0.7,
        elinewidth=0.8,
        capsize=1.2,
        label=label,
        markerfacecolor=colour if marker == "o" else "white",
        markeredgewidth=0.7,
        zorder=3,
    )


def _shape(axes, found):
    """C_1 times the shape for pitch-angle diffusion."""
    if not found.mean[0] > 0:
        return
    model = found.mean[0] * statistics.pitch_angle_shape(found.l)
    axes.plot(
        found.l,
        model,
        color=style.BLACK,
        linestyle="--",
        linewidth=0.9,
        zorder=2,
        label="shape of Ahlers (2014)",
    )


def _share(axes, found):
    """What the dipole has of the power, in words."""
    error = rf" $\pm$ {100 * found.share_error:.0f}" if found.n_realisation > 1 else ""
    text = (
        f"dipole: {100 * found.share:.0f}{error} % of the\n"
        rf"power in $\ell$ = 1 to {found.l[-1]}"
    )
    if not 0 <= found.share <= 1.2 or found.share_error > 0.3:
        text = "dipole's share of the power:\nlost in the noise"
    axes.text(
        0.97,
        0.96,
        text,
        transform=axes.transAxes,
        ha="right",
        va="top",
        fontsize=7,
        linespacing=1.3,
    )


def _axes(axes, group, lowest, left):
    """Scales and labels; what the pixels do not resolve is greyed."""
    job = group[0].results.job
    l_max = job.output.l_max
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(0.85, l_max * 1.15)
    ticks = [tick for tick in (1, 2, 3, 5, 10, 20, 30, 50, 100) if tick <= l_max]
    axes.set_xticks(ticks, [str(tick) for tick in ticks])
    axes.tick_params(axis="x", which="minor", labelbottom=False)
    axes.tick_params(labelleft=left)
    if lowest:
        axes.set_xlabel(r"multipole $\ell$")
    if left:
        axes.set_ylabel(r"$C_\ell$ of the intensity $I/I_0$ [sr]")
    nside = job.particles.nside
    if nside and l_max > statistics.resolved_l(nside):
        edge = statistics.resolved_l(nside)
        axes.axvspan(edge * 1.02, l_max * 1.15, color=style.GREY, alpha=0.15, zorder=0)
        text = f"not resolved (nside {nside})"
        axes.text(edge * 1.05, 0.5, text, transform=axes.get_xaxis_transform(), rotation=90,
                  fontsize=7, va="center")  # fmt: skip


def _floor(mean, blind):
    """Lowest C_l to show: the smallest measured mean, or what the noise hides."""
    measured = mean[(mean > 0) & (mean > blind)]
    candidates = np.append(measured, blind[blind > 0])
    return candidates.min() if len(candidates) else np.finfo(float).tiny
