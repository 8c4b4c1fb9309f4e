"""Protons and helium at the Sun: background, local source and sum, with measurements.

Spectra are interstellar: below some 50 GV the Sun takes some of what is measured. They are drawn
per total energy, as E^2.6 J (Li, Yuan, Liu & Guo 2021, arXiv:2107.00313, figure 1). Cases that
differ in the local field alone have the same spectra and are drawn once. Where normalisations are
fitted, the panel says by which factors the job's background and local source are multiplied.
"""

import numpy as np

from hpc_cr.figures import galaxy_groups, measured_spectra, style
from hpc_cr.figures.galaxy_cases import select
from hpc_cr.figures.panels import FigureError

POWER = 2.6
SHOWN = (("H1", "H", "protons"), ("He4", "He", "helium"))
MOST = 4
COLOURS = {"background": style.BLUE, "local": style.VERMILLION, "total": style.BLACK}
LABELS = {"background": "background", "local": "local source", "total": "sum"}
LOWEST_GEV = 10.0
"""Where the axis begins at the earliest; the Sun changes all that is below."""
DECADES = 3.0
"""On the vertical axis, up to a factor of ROOM above what the highest curve reaches there."""
ROOM = 8.0


def draw(opened, options):
    """A row of panels per case with spectra of its own.

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
        Neither protons nor helium, or none of them above LOWEST_GEV; too many cases, an unknown
        experiment.
    """
    cases = galaxy_groups.with_other_spectra(select(opened, options))
    cases = galaxy_groups.at_most(cases, MOST, "galaxy-spectra")
    shown = [(case, *one) for case in cases for one in SHOWN if one[0] in case.species]
    if not shown:
        raise FigureError(f"{opened[0].path}: galaxy-spectra needs H1 or He4 among its nuclei")
    points = measured_spectra.chosen(options, list(dict.fromkeys(q for _, _, q, _ in shown)))
    look = measured_spectra.looks([p for own in points.values() for p in own])
    figure, all_axes = style.panels(len(shown), 2.5, extra=0.45 + 0.14 * -(-len(look) // 4))
    places = style.bottom_and_sides(len(shown))
    for axes, (case, name, quantity, words), place in zip(all_axes, shown, places, strict=True):
        _panel(axes, case, name)
        measured_spectra.draw(axes, points[quantity], POWER, look)
        axes.set_title(f"{words}, {galaxy_groups.title(case)}")
        label_axes(axes, *place[:2])
    share_heights(all_axes, "galaxy-spectra", opened[0].path)
    style.legend_below(figure, _handles() + measured_spectra.handles(look),
                       4 if len(shown) > 1 else 2)  # fmt: skip
    return figure


def label_axes(axes, lowest, left):
    """Logarithmic axes, and labels where no neighbour has them."""
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.tick_params(labelleft=left)
    if lowest:
        axes.set_xlabel("total energy [GeV]")
    if left:
        axes.set_ylabel(r"$E^{2.6} J$ [GeV$^{1.6}$ m$^{-2}$ s$^{-1}$ sr$^{-1}$]")


def share_heights(all_axes, figure, path):
    """The same limits for all panels, by what is highest above 10 LOWEST_GEV (or at all).

    Raises
    ------
    FigureError
        A panel without any flux.
    """
    tops = []
    for axes in all_axes:
        energy, values = np.hstack([np.stack(line.get_data()) for line in axes.lines
                                    if line.get_gid() == "total"])  # fmt: skip
        low, high = axes.get_xlim()
        shown = (energy >= low) & (energy <= high) & (values > 0)
        if not shown.any():
            raise FigureError(f"{path}: no flux between {low:.3g} and {high:.3g} GeV, the energies"
                              f" of {figure} ({axes.get_title()})")  # fmt: skip
        high_up = shown & (energy >= 10 * LOWEST_GEV)
        tops.append(values[high_up if high_up.any() else shown].max())
    top = ROOM * max(tops)
    for axes in all_axes:
        axes.set_ylim(top / 10**DECADES, top)


def _panel(axes, case, name):
    energy = galaxy_groups.energies(case, [name])
    if energy[-1] <= LOWEST_GEV:
        raise FigureError(f"{case.path}: galaxy-spectra begins at {LOWEST_GEV:g} GeV, above the"
                          f" energies of {name}")  # fmt: skip
    flux = case.flux(name, energy)
    for part, label in LABELS.items():
        values = getattr(flux, part)
        if values.any():
            axes.plot(energy, np.where(values > 0, values, np.nan) * energy**POWER, gid=part,
                      color=COLOURS[part], label=label, zorder=4)  # fmt: skip
    axes.set_xlim(max(energy[0], LOWEST_GEV), energy[-1])
    if case.job.injection.normalisation == "fitted":
        _factors(axes, case, case.number(name))


def _factors(axes, case, row):
    fit = case.fit
    lines = [rf"{part} $\times$ {_factor(*numbers)}" for part, *numbers in
             zip(("background", "local"), fit.scales[row], fit.errors[row], fit.limits[row],
                 strict=True)]  # fmt: skip
    lines.append(f"scatter of all data {100 * fit.scatter:.0f} %")
    axes.text(0.97, 0.96, "\n".join(lines), transform=axes.transAxes, fontsize=7, zorder=6,
              horizontalalignment="right", verticalalignment="top")  # fmt: skip


def _factor(value, error, limit):
    return f"less than {limit:.2g}" if limit > 0 else rf"{value:.3g} $\pm$ {error:.2g}"


def _handles():
    from matplotlib.lines import Line2D

    return [Line2D([], [], color=COLOURS[part], label=label) for part, label in LABELS.items()]
