"""Turbulent field and coherence length with the diffusion that B/C asks for (Kachelriess 2018,
figure 2).

D(10 GeV) = (3-8)e28 cm^2/s, solved for B_rms with the isotropic fit of each spectrum in the file.
L_coh is the two-sided coherence length of a spectrum that goes on for ever, L_max/5 (Kolmogorov)
or L_max/6 (Kraichnan); one-sided definitions are half of it. Dashed: outside of the measured
r_g/L.
"""

import numpy as np

from hpc_cr.diffusion import grammage
from hpc_cr.figures import diffusion_points, style
from hpc_cr.measurements.diffusion import BAND_CM2_PER_S, BAND_PV

LENGTHS_PC = (0.03, 1000.0)
GALAXY_UG = (1.0, 10.0)
GALAXY_PC = (1.0, 30.0)
"""Typical fields of the Galaxy, and lengths: up to a few tens of pc."""


def draw(opened, options):
    """A band for each spectrum.

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
        No case without a regular field, or too few rigidities.
    """
    from matplotlib.patches import Rectangle

    diffusion_points.without(options, "coherence-plane", "stops", "data")
    points = diffusion_points.select(opened, options, False, "coherence-plane")
    figure, (axes,) = style.panels(1, 2.9, extra=0.75)
    length = np.geomspace(*LENGTHS_PC, 300)
    handles, lowest = [], np.inf
    groups = diffusion_points.by(points, lambda p: p.group)[::-1]
    for number, (slope, group) in enumerate(groups):
        fit = diffusion_points.fit_isotropic(group, "coherence-plane")
        strength, x = diffusion_points.field_strengths(fit, length, group)
        colour = style.SEQUENCE[number]
        axes.fill_between(length, *strength, color=colour, alpha=0.25, linewidth=0)
        for edge, ratio in zip(strength, x, strict=True):
            inside = (ratio >= fit.x.min()) & (ratio <= fit.x.max())
            axes.plot(length, np.where(inside, edge, np.nan), color=colour, linewidth=1.0)
            axes.plot(length, np.where(~inside, edge, np.nan), color=colour, linewidth=0.9,
                      linestyle="--")  # fmt: skip
        _errors(axes, fit, length, colour)
        lowest = min(lowest, strength.min())
        unit = diffusion_points.unit_text(fit.slope)
        label = rf"{diffusion_points.spectrum_name(slope)}, $L_\mathrm{{coh}} = {unit}$"
        handles.append(Rectangle((0, 0), 1, 1, facecolor=colour, alpha=0.4, label=label))
    galaxy = Rectangle((GALAXY_PC[0], GALAXY_UG[0]), np.ptp(GALAXY_PC), np.ptp(GALAXY_UG),
                       facecolor=style.YELLOW, edgecolor=style.ORANGE, linewidth=0.8, alpha=0.7,
                       label=r"typical of the Galaxy: 1-10 $\mu$G, up to a few tens of pc")
    axes.add_patch(galaxy)
    axes.text(np.sqrt(np.prod(GALAXY_PC)), np.sqrt(np.prod(GALAXY_UG)), "Galaxy", ha="center",
              va="center", fontsize=7)  # fmt: skip
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(*LENGTHS_PC)
    axes.set_ylim(lowest / 2, 10 * GALAXY_UG[1])
    axes.set_xlabel(r"two-sided coherence length $L_\mathrm{coh}$ [pc]")
    axes.set_ylabel(r"$B_\mathrm{rms}$ [$\mu$G]")
    low, high = (value / 1e28 for value in BAND_CM2_PER_S)
    axes.set_title(rf"$D$({style.rigidity(BAND_PV).replace('GV', 'GeV')}) ="
                   rf" ({low:g}-{high:g})$\times10^{{28}}$ cm$^2$ s$^{{-1}}$ without"
                   f" regular field;\n{diffusion_points.counts(points)}; dashed: extrapolated,"
                   " dotted: error", linespacing=1.3)  # fmt: skip
    style.legend_below(figure, [*handles, galaxy], 1)
    return figure


def _errors(axes, fit, length, colour):
    """The band's edges moved by the error of the fit, as thin lines.

    d ln B = -d ln x, and d ln x = d ln D/(d ln D/d ln x) at fixed D.
    """
    for sign in (1, -1):
        strength, x = grammage.field_strengths(fit, length)
        found = fit.extrapolate(x)
        change = np.minimum(found.total / found.value, 1.0)
        log_x = np.log(x)
        growth = (np.log(fit.evaluate(np.exp(log_x + 0.01))[0])
                  - np.log(fit.evaluate(np.exp(log_x - 0.01))[0])) / 0.02  # fmt: skip
        edge = strength[0] if sign > 0 else strength[1]
        moved = edge * np.exp(sign * (change / growth)[0 if sign > 0 else 1])
        axes.plot(length, moved, color=colour, linewidth=0.6, linestyle=":")
