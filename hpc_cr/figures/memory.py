"""How the first directions are forgotten: decay of multipoles with the backtracking time.

<P_l(n.U)> is what is left at Earth of a multipole l in the directions at -T. Isotropic
scattering promises exp(-l(l + 1) T/(2 tau)), tau = 3 D/c^2 (Ahlers 2014); where the pitch angle
about a field is all that changes, that over 2l + 1. tau is taken from the ensemble's response
at the last stop, 3 D/c = tr<M>/3, or <M_par> along a regular field.
"""

import numpy as np

from hpc_cr.anisotropy import ensembles
from hpc_cr.anisotropy.scattering import SIGNIFICANCE, diffusion_memory
from hpc_cr.figures import style

MULTIPOLES = (1, 2, 3, 4)


def scattering_time(panel):
    """tau = 3 D/c^2 of the ensemble at the last stop, as a length, with its error.

    Returns
    -------
    (float, float)
        pc.
    """
    response = panel.results.response[panel.rows, panel.rig, -1]
    along = ensembles.coefficients(response, panel.symmetry)[:, 0]
    mean, error = ensembles.mean_and_error(along, panel.realisation)
    return float(mean), float(error)


def draw(panels, options):
    """One panel per case and rigidity.

    Parameters
    ----------
    panels : sequence of hpc_cr.figures.panels.Panel
        The stop does not matter: the figure shows all.
    options : hpc_cr.figures.panels.Options

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, all_axes = style.panels(len(panels), 2.6, extra=0.75 if len(panels) == 1 else 0.6)
    places = style.bottom_and_sides(len(panels))
    for axes, panel, (lowest, left, _) in zip(all_axes, panels, places, strict=True):
        _panel(axes, panel)
        if lowest:
            axes.set_xlabel("backtracking time $cT$ [pc]")
        if left:
            axes.set_ylabel(r"$\langle P_\ell(n\cdot U)\rangle$")
    style.legend_below(figure, _handles(), 3 if len(panels) == 1 else 4)
    return figure


def _panel(axes, panel):
    memory = panel.results.memory[panel.rows, panel.rig]
    time = panel.results.stops[panel.rig]
    tau, tau_error = scattering_time(panel)
    mean, error = ensembles.mean_and_error(memory, panel.realisation)
    if len(np.unique(panel.realisation)) < 2:
        error = np.zeros_like(mean)
    floor = 0.4 * np.min(np.where(error > 0, error, np.inf)[:, list(MULTIPOLES)])
    floor = float(np.clip(floor, 1e-5, 1e-2)) if np.isfinite(floor) else 1e-4
    curve = np.geomspace(time[0] / 2, time[-1] * 1.2, 200)
    for number, degree in enumerate(MULTIPOLES):
        colour = style.SEQUENCE[number]
        axes.plot(curve, diffusion_memory(degree, curve, tau), color=colour, linestyle="-",
                  linewidth=1.0)  # fmt: skip
        axes.plot(curve, diffusion_memory(degree, curve, tau, gyrotropic=True), color=colour,
                  linestyle=":", linewidth=1.0)  # fmt: skip
        shift = 1.03 ** (number - 1.5)  # bars side by side
        _points(axes, time * shift, mean[:, degree], error[:, degree], floor, colour, number)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(curve[0], curve[-1])
    axes.set_ylim(floor, 1.3)
    axes.set_xticks(time, [style.number(t) for t in time])
    axes.tick_params(axis="x", which="minor", bottom=False, top=False, labelbottom=False)
    title = panel.title(stop=False, normalisation=False)
    error_text = rf" $\pm$ {style.number(tau_error)}" if np.isfinite(tau_error) else ""
    axes.set_title(rf"{title}, $c\tau$ = {style.number(tau, 3)}{error_text} pc", linespacing=1.3)


def _points(axes, time, mean, error, floor, colour, number):
    """Values that stand out, and upper limits of SIGNIFICANCE standard errors for the rest."""
    seen = mean > SIGNIFICANCE * error
    axes.errorbar(
        time[seen],
        mean[seen],
        error[seen],
        color=colour,
        linestyle="none",
        marker="osD^"[number],
        markersize=3.5,
        capsize=1.5,
        elinewidth=0.9,
        zorder=3,
    )
    limit = np.maximum(mean, 0.0)[~seen] + SIGNIFICANCE * error[~seen]
    axes.errorbar(
        time[~seen],
        limit,
        0.3 * limit,
        uplims=True,
        color=colour,
        alpha=0.5,
        linestyle="none",
        marker="_",
        markersize=4,
        elinewidth=0.7,
        capsize=1.5,
        zorder=2,
    )


def _handles():
    from matplotlib.lines import Line2D

    marks = [
        Line2D([], [], color=style.SEQUENCE[i], marker="osD^"[i], markersize=3.5, linestyle="none",
               label=rf"$\ell$ = {degree}")  # fmt: skip
        for i, degree in enumerate(MULTIPOLES)
    ]
    lines = [
        Line2D([], [], color="0.3", linewidth=1.0, label=r"$e^{-\ell(\ell+1)T/2\tau}$"),
        Line2D([], [], color="0.3", linewidth=1.0, linestyle=":",
               label=r"the same$\,/\,(2\ell+1)$"),  # fmt: skip
        Line2D([], [], color="0.3", marker="_", linestyle="none", alpha=0.6,
               label=rf"$<${SIGNIFICANCE:g}$\sigma$: limit"),  # fmt: skip
    ]
    return marks + lines
