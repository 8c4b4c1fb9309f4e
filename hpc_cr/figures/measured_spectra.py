"""Published spectra drawn beside predictions: which, how they look, what the legend says."""

import numpy as np

from hpc_cr.figures import style
from hpc_cr.figures.measured import FILLED, GID, MARKERS
from hpc_cr.figures.panels import FigureError
from hpc_cr.measurements import spectra

SPACE_COLOUR, GROUND_COLOUR = style.GREEN, "0.45"


def chosen(options, quantities):
    """Points per total energy of the experiments that `options.data` asks for.

    Parameters
    ----------
    options : hpc_cr.figures.panels.Options
        data: "all", "none", or names of experiments separated by commas.
    quantities : sequence of str
        As in `hpc_cr.measurements.spectra`.

    Returns
    -------
    dict of str to tuple of SpectrumPoint
        By quantity.

    Raises
    ------
    FigureError
        An experiment that measured none of them.
    """
    points = {q: spectra.per_total_energy(spectra.points(q)) for q in quantities}
    wanted = options.data.strip().casefold()
    if wanted in ("all", "none"):
        return {q: own if wanted == "all" else () for q, own in points.items()}
    known = {p.experiment.casefold(): p.experiment for own in points.values() for p in own}
    names = [word.strip().casefold() for word in wanted.split(",") if word.strip()]
    for name in names:
        if name not in known:
            raise FigureError(f"--data: no spectrum of {', '.join(quantities)} by {name!r}; there"
                              f" are {', '.join(known.values())}")  # fmt: skip
    kept = {known[name] for name in names}
    return {q: tuple(p for p in own if p.experiment in kept) for q, own in points.items()}


def looks(points):
    """Marker and colour of each experiment: colours for space and ground.

    Parameters
    ----------
    points : sequence of SpectrumPoint

    Returns
    -------
    dict
        Experiment -> keyword arguments of a line, experiments in space first.
    """
    names = list(dict.fromkeys(p.experiment for p in points))
    names.sort(key=lambda name: name not in spectra.IDENTIFIED)
    found = {}
    for number, name in enumerate(names):
        again, marker = divmod(number, len(MARKERS))
        found[name] = {"color": SPACE_COLOUR if name in spectra.IDENTIFIED else GROUND_COLOUR,
                       "marker": MARKERS[marker],
                       "fillstyle": FILLED[1 - again % 2]}  # fmt: skip
    return found


def draw(axes, points, power, look):
    """E^power J with errors.

    Parameters
    ----------
    axes : matplotlib Axes
        x: total energy in GeV; both axes logarithmic.
    points : sequence of SpectrumPoint
        Per total energy.
    power : float
    look : dict
        From `looks`.
    """
    for name in dict.fromkeys(p.experiment for p in points):
        energy, value, low, high = spectra.arrays([p for p in points if p.experiment == name])
        scale = energy**power
        # an error as large as the value has no lower end on a logarithmic axis
        errors = np.array([np.minimum(low, 0.95 * value), high]) * scale
        drawn = axes.errorbar(energy, value * scale, errors, linestyle="none", markersize=2.8,
                              markeredgewidth=0.5, elinewidth=0.5, alpha=0.8, zorder=2,
                              label=f"{GID} {name}", **look[name])  # fmt: skip
        for artist in (drawn.lines[0], *drawn.lines[2]):
            artist.set_gid(GID)


def handles(look):
    """Legend entries, one per experiment."""
    from matplotlib.lines import Line2D

    return [Line2D([], [], linestyle="none", markersize=3.4, markeredgewidth=0.6, label=name, **one)
            for name, one in look.items()]  # fmt: skip
