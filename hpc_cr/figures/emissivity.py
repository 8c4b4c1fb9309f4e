"""Gamma rays per hydrogen atom in the plane against Galactocentric radius (Evoli et al. 2012,
Phys. Rev. Lett. 108, 211102, figure 1).

Left in photons, right over the value at the Sun. Measured steps: Strong & Mattox 1996 (without
errors); square: the local atomic gas of Abdo et al. 2009. What the model leaves out is electrons'
bremsstrahlung, which the measurements contain.
"""

import numpy as np

from hpc_cr.figures import galaxy_cases, style
from hpc_cr.figures.panels import FigureError
from hpc_cr.measurements import emissivity as measured

UNIT = 1e-26
SHOWN_KPC = (0.0, 20.0)


def curves(cases):
    """Integrated emissivity above 100 MeV in the plane.

    Parameters
    ----------
    cases : sequence of hpc_cr.io.galaxy.GalaxyResults

    Returns
    -------
    list of (ndarray (n,), ndarray (n,), float)
        Radii in pc within the halo's rim, photons/(s sr H atom), and the value at the Sun.
    """
    from hpc_cr.galaxy.emissivity import LOCAL_MeV

    found = []
    for case in cases:
        radii = case.map_radii[:-1]  # the last one is the rim, where there are no cosmic rays
        values = galaxy_cases.emissivity(case, LOCAL_MeV)[:-1, 0]
        found.append((radii, values, float(np.interp(case.job.halo.sun, radii, values))))
    return found


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
        a halo without radii between 5 and 15 kpc; experiments by name.
    """
    from matplotlib.lines import Line2D

    cases = galaxy_cases.select(opened, options)
    found = curves(cases)
    figure, (left, right) = style.panels(2, 2.6, extra=galaxy_cases.room(len(cases) + 2))
    handles = []
    texts, looks = galaxy_cases.labels(cases), galaxy_cases.looks(cases)
    for (radii, values, sun), text, look in zip(found, texts, looks, strict=True):
        left.plot(radii / 1e3, values / UNIT, **look)
        right.plot(radii / 1e3, values / sun, **look)
        handles.append(Line2D([], [], label=f"{text}: {_fall(radii, values):.3f}/kpc", **look))
    if galaxy_cases.shows_measured(options, "emissivity"):
        handles += _measured(left, right)
    for axes, label in ((left, r"$q$(> 100 MeV) [$10^{-26}$/(s sr H)]"),
                        (right, r"$q$ over that at the Sun")):
        axes.axvline(cases[0].job.halo.sun / 1e3, color=style.GREY, linestyle=":", linewidth=0.8)
        axes.set_yscale("log")
        axes.set_xlim(*SHOWN_KPC)
        axes.set_xlabel("Galactocentric radius [kpc]")
        axes.set_ylabel(label)
    top = max(values.max() / sun for _, values, sun in found)
    right.set_ylim(0.05, 2 * max(top, 1.5))
    left.set_ylim(*(np.array(right.get_ylim()) * np.median([sun for *_, sun in found]) / UNIT))
    for axes in (left, right):
        style.short_log(axes.yaxis, "log", axes.get_ylim())
    figure.suptitle(f"pions of {galaxy_cases.what(cases[0])}; {galaxy_cases.model(cases[0])}\n"
                    "in the legend: mean fall of ln q between 5 and 15 kpc", fontsize=8)
    style.legend_below(figure, handles, 3)
    return figure


def _fall(radii, values):
    from hpc_cr.galaxy.longitude import radial_fall

    try:
        return radial_fall(radii, values)
    except ValueError as error:
        raise FigureError(f"emissivity: {error}") from None


def _measured(left, right):
    """Steps against radius, and the local value; legend entries."""
    from matplotlib.lines import Line2D

    rings = measured.points("radial")
    edges = np.array([p.radius_low_kpc for p in rings] + [SHOWN_KPC[1]])
    values = np.array([p.value for p in rings])
    sun = next(p.value for p in rings if p.radius_low_kpc < 8.5 < p.radius_high_kpc)
    steps = {"color": style.GREY, "linewidth": 1.1, "gid": "measured", "zorder": 1}
    left.stairs(values / UNIT, edges, baseline=None, **steps)
    right.stairs(values / sun, edges, baseline=None, **steps)
    local = measured.points("integral")[0]
    point = {"color": style.BLACK, "marker": "s", "markersize": 3.8, "linestyle": "none"}
    left.errorbar([8.5], [local.value / UNIT], [[local.errors[0] / UNIT],
                                                [local.errors[1] / UNIT]],
                  capsize=1.5, elinewidth=0.8, gid="measured", zorder=4, **point)  # fmt: skip
    return [Line2D([], [], color=style.GREY, linewidth=1.1, label="Strong & Mattox 1996"),
            Line2D([], [], label="local gas, Abdo et al. 2009", **point)]
