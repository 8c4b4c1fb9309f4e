"""Ratio of antiprotons to protons at the Sun against kinetic energy, for every case.

Antiprotons are made by the case's nuclei in its gas and diffuse as protons do
(`hpc_cr.galaxy.antiprotons`: with those that lost energy in collisions, without reacceleration and
ionisation). Full: after modulation, the same for both charges; dotted: interstellar. The package
has no table of measured ratios.
"""

import numpy as np

from hpc_cr.figures import galaxy_cases, style
from hpc_cr.figures.panels import FigureError

LOWEST_GEV, MARGIN = 0.5, 20.0
"""Lowest energy, and by how much protons must reach beyond the highest."""
COUNT = 22
POTENTIAL_GV = 0.6


def ratio(case, count=COUNT, tertiary=True):
    """Interstellar fluxes of antiprotons and protons at the Sun.

    Parameters
    ----------
    case : hpc_cr.io.galaxy.GalaxyResults
    count : int
        Number of energies.
    tertiary : bool
        As of `hpc_cr.galaxy.antiprotons.solve`.

    Returns
    -------
    kinetic, antiprotons, protons : ndarray (n,)
        GeV; 1/(GeV m2 s sr), not scaled to measured protons.

    Raises
    ------
    FigureError
        No protons, or not at the energies that make antiprotons.
    """
    from hpc_cr.campaigns.galaxy_setting import setting
    from hpc_cr.galaxy import antiprotons, spectra, transport

    protons = case.nucleon_GeV[case.number("H1")]
    if protons[-1] < MARGIN * 10 or protons[0] > 10:
        raise FigureError(f"{case.path}: {galaxy_cases.name(case)} has protons of {protons[0]:.3g}"
                          f" to {protons[-1]:.3g} GeV; antiprotons need those of 10 to 200 GeV")
    kinetic = np.geomspace(max(LOWEST_GEV, protons[0]), protons[-1] / MARGIN, count)
    of_protons = case.flux("H1", kinetic, "nucleon").background
    if not (of_protons > 0).all():
        raise FigureError(f"{case.path}: {galaxy_cases.name(case)} has no protons from"
                          f" {kinetic[0]:.3g} to {kinetic[-1]:.3g} GeV")
    problem, _ = setting(case.job)
    beta = spectra.velocity(spectra.rigidity(kinetic, 1, 1), 1, 1)
    made = _made(case, kinetic, problem.grid)
    found = np.empty(count)
    for k, density in antiprotons.solve(problem, kinetic, made, tertiary):
        found[k] = beta[k] * transport.at_sun(problem.grid, density, problem.sun_radius).density
    return kinetic, found, of_protons


def _made(case, kinetic, grid):
    """Production in the cells, (n, n_r, n_z)."""
    from scipy.interpolate import RegularGridInterpolator

    from hpc_cr.galaxy import antiprotons, spectra

    currents = [flux / spectra.axis_per_rigidity("nucleon", at, s.z, s.a)[:, None, None]
                for s, at, flux in zip(case.nuclei, case.rigidities_GV, case.maps, strict=True)]
    on_map = antiprotons.production(kinetic, case.nucleon_GeV, [s.a for s in case.nuclei],
                                    currents, case.job.gas.helium)
    linear = RegularGridInterpolator((case.map_radii, case.map_heights),
                                     np.moveaxis(on_map, 0, -1))
    places = np.stack(np.meshgrid(grid.r, grid.z, indexing="ij"), -1)
    return np.moveaxis(linear(places), -1, 0)


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
        Cases that are not there or not complete, or without the protons that make
        antiprotons; experiments by name.
    """
    from matplotlib.lines import Line2D

    from hpc_cr.galaxy.spectra import modulated

    cases = galaxy_cases.select(opened, options)
    galaxy_cases.shows_measured(options, "antiproton-ratio")
    columns = 2 if len(cases) < 8 else 3
    figure, (axes,) = style.panels(1, 2.8, extra=galaxy_cases.room(len(cases), columns))
    figure.set_figwidth(4.6 if columns == 2 else style.DOUBLE)
    handles = []
    texts, looks = galaxy_cases.labels(cases), galaxy_cases.looks(cases)
    for case, text, look in zip(cases, texts, looks, strict=True):
        kinetic, antiproton, proton = ratio(case)
        seen = [modulated(kinetic, flux, 1, 1, POTENTIAL_GV) for flux in (antiproton, proton)]
        axes.plot(kinetic, np.divide(*seen), **look)
        axes.plot(kinetic, antiproton / proton, **(look | {"linestyle": ":", "linewidth": 0.8}))
        handles.append(Line2D([], [], label=text, **look))
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("kinetic energy [GeV]")
    axes.set_ylabel(r"$\bar{p}/p$")
    axes.set_title(f"{galaxy_cases.model(cases[0])}; force field of {POTENTIAL_GV:g} GV")
    style.legend_below(figure, handles, columns)
    return figure
