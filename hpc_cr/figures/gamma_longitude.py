"""Gamma rays along the Galactic plane against longitude (Evoli et al. 2012, figure 2).

Photons of 1104 to 1442 MeV from the gas at |b| < 5 degrees, left; right the shape against that of
tau = 0.85 (or of the last case): each profile over its own mean over all longitudes. The Galaxy is
symmetric about its axis, so that one half of the longitudes is all. No measured profile is drawn:
the one of the paper also has inverse Compton emission, sources, and the gas as observed line by
line, not a disc.
"""

import numpy as np

from hpc_cr.figures import galaxy_cases, style
from hpc_cr.figures.panels import FigureError

LONGITUDES = np.arange(0.0, 180.1, 2.0)
"""Degrees."""


def profiles(cases, longitudes=LONGITUDES):
    """Intensity against longitude.

    Parameters
    ----------
    cases : sequence of hpc_cr.io.galaxy.GalaxyResults
    longitudes : array (n,)
        Degrees.

    Returns
    -------
    ndarray (n_case, n)
        Photons/(cm2 s sr).
    """
    from hpc_cr.galaxy.emissivity import FERMI_MeV
    from hpc_cr.galaxy.longitude import projection

    lines, found = {}, []
    for case in cases:
        job = case.job
        key = repr((job.gas, job.halo.radius, job.halo.half_height, job.halo.sun))
        if key not in lines:
            lines[key] = projection(galaxy_cases.gas_of(job), longitudes, case.map_radii,
                                    case.map_heights, sun_radius=job.halo.sun)
        found.append(lines[key](galaxy_cases.emissivity(case, FERMI_MeV)))
    return np.array(found)


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
        A single case, cases that are not complete, or without the energies that make
        photons; experiments by name.
    """
    from matplotlib.lines import Line2D

    from hpc_cr.galaxy.longitude import centre_over_anticentre, residual

    cases = galaxy_cases.select(opened, options)
    galaxy_cases.shows_measured(options, "gamma-longitude")
    if len(cases) < 2:
        raise FigureError(f"{opened[0].path}: shapes are compared between cases, and there is one")
    found = profiles(cases)
    base = galaxy_cases.reference(cases)
    texts, looks = galaxy_cases.labels(cases), galaxy_cases.looks(cases)
    figure, (left, right) = style.panels(2, 2.6, extra=galaxy_cases.room(len(cases)))
    handles = []
    for values, text, look in zip(found, texts, looks, strict=True):
        left.plot(LONGITUDES, values, **look)
        right.plot(LONGITUDES, residual(values, found[base]) - 1, **look)
        ratio = float(centre_over_anticentre(LONGITUDES, values))
        handles.append(Line2D([], [], label=f"{text}: {style.number(ratio, 3)}", **look))
    left.set_yscale("log")
    style.short_log(left.yaxis, "log", left.get_ylim())
    left.set_ylabel(r"1104-1442 MeV [photons/(cm$^2$ s sr)]")
    right.set_ylabel(f"shape against {texts[base]}, less 1")
    for axes in (left, right):
        axes.set_xlim(0, 180)
        axes.set_xticks(range(0, 181, 30))
        axes.set_xlabel("longitude [deg], both sides of the centre")
    figure.suptitle(rf"$|b|$ < 5$^\circ$, pions of {galaxy_cases.what(cases[0])}"
                    f"\n{galaxy_cases.model(cases[0])}; in the legend: mean within 30 degrees of"
                    " the centre over that of the anticentre", fontsize=8)
    style.legend_below(figure, handles, 3)
    return figure
