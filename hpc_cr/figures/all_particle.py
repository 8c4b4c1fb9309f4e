"""Spectrum of all particles together and of mass groups, with measurements.

E^2.6 J against the total energy, background and local source together (Li, Yuan, Liu & Guo 2021,
arXiv:2107.00313, figure 2). The sum is drawn where every nucleus of the file is known.
"""

import numpy as np

from hpc_cr.figures import galaxy_groups, measured_spectra, style
from hpc_cr.figures.galaxy_cases import select
from hpc_cr.figures.galaxy_spectra import POWER, label_axes, share_heights

MOST = 4
SHOWN_GEV = (1e2, 1e9)
COLOURS = (style.VERMILLION, style.BLUE, style.PURPLE, style.ORANGE, style.SKY)
STYLES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1)))


def draw(opened, options):
    """A panel per case with spectra of its own.

    Parameters
    ----------
    opened : sequence of hpc_cr.io.galaxy.GalaxyResults
    options : hpc_cr.figures.panels.Options
        cases; data chooses experiments.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    FigureError
        Too many cases, an unknown experiment, nuclei without a common energy, or none within
        SHOWN_GEV.
    """
    cases = galaxy_groups.with_other_spectra(select(opened, options))
    cases = galaxy_groups.at_most(cases, MOST, "all-particle")
    points = measured_spectra.chosen(options, ["all"])["all"]
    look = measured_spectra.looks(points)
    figure, all_axes = style.panels(len(cases), 2.9, extra=0.5 + 0.14 * -(-len(look) // 4))
    for axes, case, place in zip(all_axes, cases, style.bottom_and_sides(len(cases)), strict=True):
        _panel(axes, case)
        measured_spectra.draw(axes, points, POWER, look)
        axes.set_title(f"{len(case.species)} nuclei, {galaxy_groups.title(case)}")
        label_axes(axes, *place[:2])
        axes.set_xlim(*SHOWN_GEV)
    share_heights(all_axes, "all-particle", opened[0].path)
    lines = {}
    for axes in all_axes:
        for line in axes.lines:
            if line.get_gid() in ("group", "total"):
                lines.setdefault(line.get_label(), line)
    style.legend_below(figure, [*lines.values(), *measured_spectra.handles(look)],
                       4 if len(cases) > 1 else 2)  # fmt: skip
    return figure


def _panel(axes, case):
    for (label, names), colour, line in zip(galaxy_groups.groups(case), COLOURS, STYLES,
                                            strict=False):  # fmt: skip
        energy = galaxy_groups.energies(case, names)
        flux = sum(case.flux(name, energy).total for name in names)
        axes.plot(energy, flux * energy**POWER, color=colour, linestyle=line, linewidth=1.0,
                  label=label, gid="group", zorder=3)  # fmt: skip
    energy = galaxy_groups.energies(case)
    total = np.sum([case.flux(name, energy).total for name in case.species], axis=0)
    axes.plot(energy, total * energy**POWER, color=style.BLACK, label="all", gid="total", zorder=4)
