"""Spectrum of gamma rays at middle latitudes, 10 < |b| < 20 degrees, from the gas.

Left: E^2 times the mean intensity over all longitudes, of cosmic rays where the gas is; points: the
measured emissivity of the local atomic gas (Casandjian 2015) times the same column of hydrogen.
Right: the lines over the points, interpolated in energy, with the errors of the points. The model
has pions alone: no bremsstrahlung, inverse Compton emission, isotropic background or sources, which
observed spectra of the sky at these latitudes have (of the emissivity: bremsstrahlung).
"""

import numpy as np

from hpc_cr.figures import galaxy_cases, style
from hpc_cr.measurements import emissivity as measured

GAMMA_GEV = np.geomspace(0.05, 50, 31)
LONGITUDES = np.arange(5.0, 180.0, 10.0)
"""Middles of equal parts, degrees."""


def lines_of_sight(case):
    """Projection at middle latitudes (hpc_cr.galaxy.longitude.Projection)."""
    from hpc_cr.galaxy import longitude

    return longitude.projection(galaxy_cases.gas_of(case.job), LONGITUDES, case.map_radii,
                                case.map_heights, longitude.MIDDLE_DEG, case.job.halo.sun)


def spectrum(case, lines, gamma_GeV=GAMMA_GEV):
    """Mean intensity over all longitudes.

    Parameters
    ----------
    case : hpc_cr.io.galaxy.GalaxyResults
    lines : hpc_cr.galaxy.longitude.Projection
    gamma_GeV : array (n,)

    Returns
    -------
    ndarray (n,)
        Photons/(cm2 s sr GeV).
    """
    return galaxy_cases.photons(case, lines.matrix.mean(0), gamma_GeV)


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
        Cases that are not there or not complete, or without the energies that make photons;
        experiments by name.
    """
    from matplotlib.lines import Line2D

    cases = galaxy_cases.select(opened, options)
    with_points = galaxy_cases.shows_measured(options, "gamma-spectrum")
    points = measured.points("spectrum")
    at = np.array([p.energy_GeV for p in points])
    value = np.array([p.value for p in points])
    errors = np.array([p.errors for p in points]).T
    figure, (left, right) = style.panels(2, 2.6, extra=galaxy_cases.room(len(cases) + 1))
    handles, lines = [], {}
    texts, looks = galaxy_cases.labels(cases), galaxy_cases.looks(cases)
    for case, text, look in zip(cases, texts, looks, strict=True):
        key = repr((case.job.gas, case.job.halo))
        if key not in lines:
            lines[key] = lines_of_sight(case)
        column = lines[key].column.mean()
        found = GAMMA_GEV**2 * spectrum(case, lines[key])
        left.plot(GAMMA_GEV, found, **look)
        right.plot(at, np.exp(np.interp(np.log(at), np.log(GAMMA_GEV), np.log(found)))
                   / (column * value), **look)
        handles.append(Line2D([], [], label=text, **look))
    if with_points:
        point = {"color": style.BLACK, "marker": "o", "markersize": 2.6, "linestyle": "none"}
        left.errorbar(at, column * value, column * errors, elinewidth=0.7, gid="measured",
                      zorder=1, **point)
        right.fill_between(at, 1 - errors[0] / value, 1 + errors[1] / value, color=style.GREY,
                           alpha=0.3, linewidth=0, gid="measured")
        handles.append(Line2D([], [], label="local gas, Casandjian 2015", **point))
    for axes, label in ((left, r"$E^2 I$ [GeV/(cm$^2$ s sr)]"), (right, "model over measured")):
        axes.set_xscale("log")
        axes.set_xlim(GAMMA_GEV[0], GAMMA_GEV[-1])
        axes.set_xlabel("energy of photons [GeV]")
        axes.set_ylabel(label)
    left.set_yscale("log")
    right.set_ylim(0, 1.4)
    figure.suptitle(rf"10$^\circ$ < $|b|$ < 20$^\circ$, {style.number(column)} H/cm$^2$;"
                    f" pions of {galaxy_cases.what(cases[0])}\n{galaxy_cases.model(cases[0])}",
                    fontsize=8)
    style.legend_below(figure, handles, 3)
    return figure
