"""B/C of every case against kinetic energy per nucleon, with measurements.

Lines are modulated by the Sun in the force field, each with the potential that suits AMS-02 best
(in the legend); thin dotted: interstellar. chi^2 is that of all measurements within the case's
energies, each experiment with a potential of its own within 0.2 to 1 GV.
"""

import numpy as np

from hpc_cr.figures import galaxy_cases, style
from hpc_cr.figures.measured import MARKERS
from hpc_cr.figures.panels import FigureError
from hpc_cr.measurements import spectra as tables

RATIO = "B/C"
CHARGES = (5, 6)
LINE_OF = "AMS-02"
DEFAULT_GV = 0.6
"""Potential of the lines where AMS-02's points are not used."""
MARGIN_GEV = 0.6
"""Largest loss of energy per nucleon by modulation: 1 GV times Z/A."""


def isotopes(case, charge):
    """Interstellar fluxes of an element.

    Parameters
    ----------
    case : hpc_cr.io.galaxy.GalaxyResults
    charge : int

    Returns
    -------
    list of (ndarray (n_energy,), int, int)
        Flux per kinetic energy per nucleon at `energies`, charge, mass number.

    Raises
    ------
    FigureError
        The file has none.
    """
    kinetic = energies(case)
    found = [(case.flux(s.name, kinetic, "nucleon").total, s.z, s.a)
             for s in case.nuclei if s.z == charge]
    if not found:
        raise FigureError(f"{case.path}: {galaxy_cases.name(case)} has no isotope of Z = {charge};"
                          f" its nuclei are {', '.join(case.species)}")
    return found


def energies(case):
    """Kinetic energies per nucleon that all nuclei have, (n_energy,) GeV."""
    own = case.nucleon_GeV
    low, high = own[:, 0].max(), own[:, -1].min()
    if not low < high - MARGIN_GEV:
        raise FigureError(f"{case.path}: {galaxy_cases.name(case)} has no {MARGIN_GEV:g} GeV per"
                          " nucleon, which modulation needs, that are common to all nuclei")
    return np.geomspace(low, high, own.shape[1])


def prediction(case):
    """B/C of a case.

    Parameters
    ----------
    case : GalaxyResults

    Returns
    -------
    callable
        (potential in GV, kinetic energies per nucleon in GeV) -> ratio.

    Raises
    ------
    FigureError
        Boron or carbon is not there.
    """
    from hpc_cr.galaxy.ratio_fits import modulated_ratio

    kinetic = energies(case)
    above, below = (isotopes(case, charge) for charge in CHARGES)
    for charge, found in zip(CHARGES, (above, below), strict=True):
        if not all((flux > 0).all() for flux, _, _ in found):
            raise FigureError(f"{case.path}: {galaxy_cases.name(case)} has nuclei of Z = {charge}"
                              " without any flux; nuclei.network makes secondaries")
    return lambda potential, wanted: modulated_ratio(kinetic, above, below, potential, wanted)


def fit(case, points):
    """chi^2 of a case's B/C (hpc_cr.galaxy.ratio_fits.RatioFit) within its energies, or None.

    Parameters
    ----------
    case : GalaxyResults
    points : sequence of hpc_cr.measurements.spectra.SpectrumPoint
    """
    from hpc_cr.galaxy.ratio_fits import fit_ratio

    kinetic = energies(case)
    low, high = kinetic[0], kinetic[-1] - MARGIN_GEV
    inside = [p for p in points if low <= p.energy <= high]
    return fit_ratio(prediction(case), inside) if inside else None


def draw(opened, options):
    """A line per case.

    Parameters
    ----------
    opened : sequence of hpc_cr.io.galaxy.GalaxyResults
    options : hpc_cr.figures.panels.Options

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    FigureError
        Cases that are not there or not complete, without boron or carbon, or unknown experiments.
    """
    cases = galaxy_cases.select(opened, options)
    points = _chosen(options)
    measured = len({p.experiment for p in points})
    columns = 2 if len(cases) < 8 else 3
    figure, (axes,) = style.panels(1, 3.2, extra=galaxy_cases.room(len(cases) + measured, columns))
    figure.set_figwidth(5.2 if columns == 2 else style.DOUBLE)
    handles = []
    texts, looks = galaxy_cases.labels(cases), galaxy_cases.looks(cases)
    for case, text, look in zip(cases, texts, looks, strict=True):
        handles.append(_line(axes, case, points, text, look))
    handles += _measured(axes, points)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(0.4, max(energies(case)[-1] for case in cases))
    axes.set_ylim(0.01, 0.5)
    axes.set_xlabel("kinetic energy per nucleon [GeV]")
    axes.set_ylabel(RATIO)
    style.short_log(axes.yaxis, "log", axes.get_ylim())
    axes.set_title(f"{galaxy_cases.model(cases[0])}\nin the legend: $\\chi^2$ over"
                   f" degrees of freedom, potential for {LINE_OF}")
    style.legend_below(figure, handles, columns)
    return figure


def _chosen(options):
    wanted = options.data.strip()
    if wanted.casefold() == "none":
        return ()
    names = None if wanted.casefold() == "all" else [
        part.strip() for part in wanted.split(",") if part.strip()]
    try:
        return tables.points(RATIO, names)
    except ValueError as error:
        raise FigureError(f"--data: {error}") from None


def _line(axes, case, points, text, look):
    """Modulated and interstellar ratio of a case; its legend entry."""
    from matplotlib.lines import Line2D

    found = fit(case, points)
    potential = DEFAULT_GV if found is None else found.potentials.get(LINE_OF, DEFAULT_GV)
    ratio, kinetic = prediction(case), energies(case)
    wanted = np.geomspace(kinetic[0], kinetic[-1] - MARGIN_GEV, 200)
    axes.plot(wanted, ratio(potential, wanted), zorder=4, **look)
    axes.plot(wanted, ratio(0.0, wanted), zorder=3,
              **(look | {"linestyle": ":", "linewidth": 0.8}))
    quality = "" if found is None else f"{found.chi2:.0f}/{found.ndf}, "
    return Line2D([], [], label=f"{text}: {quality}{potential:.2f} GV", **look)


def _measured(axes, points):
    """Points with errors by experiment; legend entries."""
    from matplotlib.lines import Line2D

    handles = []
    for number, name in enumerate(dict.fromkeys(p.experiment for p in points)):
        own = tables.arrays([p for p in points if p.experiment == name])
        look = {"color": style.BLACK if name == LINE_OF else "0.55", "markersize": 2.8,
                "marker": MARKERS[number % len(MARKERS)], "linestyle": "none"}
        axes.errorbar(own.energy, own.value, [own.low, own.high], elinewidth=0.6, capsize=0,
                      zorder=2, gid="measured", **look)
        handles.append(Line2D([], [], label=name, **look))
    return handles
