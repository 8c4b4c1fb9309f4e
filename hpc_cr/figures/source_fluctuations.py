"""Flux and dipole at the Sun if sources burst at single places and times, against rigidity.

Left: density over that of the steady disc; right: the dipole in right ascension, |delta| cos(dec).
Bands hold 68 and 95 % of the Galaxies, thin lines are a few of them. Three sources in a century, of
the job's distribution and height, are drawn one by one for OLDEST_YR and spread with the D of the
Sun between boundaries at +-D(0) int_0^H dz/D(z) (`hpc_cr.sources.discrete`): where D grows away
from the plane, particles that get there are lost. What these sources lack on average is added from
the steady solution of the job's transport equation, without losses: nothing but the oldest for a
uniform D, and a fifth of the density at 1 TV, a third at 1 PV for that of Li et al. (2021), whose
slow zone is as thin as the sources' disc. Flows follow the job's local field.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from hpc_cr.campaigns import galaxy_setting
from hpc_cr.figures import measured, panels, style
from hpc_cr.figures.panels import FigureError
from hpc_cr.galaxy import local_field, transport
from hpc_cr.jf12 import SUN_RADIUS
from hpc_cr.sources import discrete

GALAXIES, SHOWN = 100, 4
LOWEST_GV, HIGHEST_GV, COUNT = 100.0, 1e7, 9
"""Rigidities, and how many: below there are too many sources, above there are none."""
OLDEST_YR = 5e6
"""Of older ones some 500 lie within each other's clouds for the smallest D in use (0.3 pc), so that
their sum fluctuates by 5 %; for 2 pc it is 1 %."""
MOST = 4
LEVELS = (2.5, 16, 50, 84, 97.5)


class Fluctuations(NamedTuple):
    """Of one case.

    Attributes
    ----------
    rigidity_GV : ndarray (n,)
    ratio : ndarray (n_galaxy, n)
        Density over that of the steady disc.
    dipoles : ndarray (n_galaxy, n, 3)
    steady : ndarray (n, 3)
        Dipole of the steady disc.
    smooth : ndarray (n,)
        Share of the density that is taken from the steady solution.
    """

    rigidity_GV: np.ndarray
    ratio: np.ndarray
    dipoles: np.ndarray
    steady: np.ndarray
    smooth: np.ndarray


def draw(opened, options):
    """A row of two panels per case.

    Parameters
    ----------
    opened : sequence of hpc_cr.io.galaxy.GalaxyResults
    options : hpc_cr.figures.panels.Options
        cases chooses, data chooses the measurements.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    FigureError
        No such case, too many, or one that this cannot treat.
    """
    panels.check_cases(opened, options)
    cases = [case for file in opened for case in file.each_case()
             if not options.cases or case.case in options.cases]
    if len(cases) > MOST:
        raise FigureError(f"{len(cases)} cases are more than fit on a page ({MOST});"
                          " choose with --case")
    found = [fluctuations_of(case) for case in cases]
    low = min(one.rigidity_GV[0] for one in found) / 1e6
    high = max(one.rigidity_GV[-1] for one in found) / 1e6
    points = measured.within(measured.chosen(options), low, high)
    measured.require(options, points, f"between {low:.3g} and {high:.3g} PeV")
    everything = options.data.strip().casefold() == "all"
    look = measured.grouped_looks(points) if everything else measured.looks(points)
    figure, axes = style.panels(2 * len(cases), 2.4, extra=0.5 if everything else 1.0)
    for number, (case, one) in enumerate(zip(cases, found, strict=True)):
        left, right = axes[2 * number:2 * number + 2]
        _panel(left, one.rigidity_GV, one.ratio, np.ones(len(one.rigidity_GV)))
        _panel(right, one.rigidity_GV, local_field.equatorial(one.dipoles)[0],
               local_field.equatorial(one.steady)[0])
        measured.draw_against_energy(right, points, look)
        _finish(left, right, case, number == len(cases) - 1, (low, high))
    if everything:
        style.legend_below(figure, _handles() + measured.grouped_handles(points, look), 4)
    else:
        measured.legends(figure, _handles(), points, look)
    return figure


def fluctuations_of(results, galaxies=GALAXIES, count=COUNT):
    """Fluctuations for the Galaxy of one case.

    Parameters
    ----------
    results : hpc_cr.io.galaxy.GalaxyResults
    galaxies, count : int
        Realisations and rigidities.

    Returns
    -------
    Fluctuations

    Raises
    ------
    FigureError
        The Sun is elsewhere than at 8.5 kpc, or all of the job's rigidities are too low.
    """
    job = results.job
    if job.halo.sun != SUN_RADIUS:
        raise FigureError(f"{results.path}: source-fluctuations needs halo.sun = \"8.5 kpc\"")
    highest = min(HIGHEST_GV, np.nanmax(results.rigidities_GV))
    if highest <= LOWEST_GV:
        raise FigureError(f"{results.path}: source-fluctuations begins at {LOWEST_GV:g} GV, above"
                          " the job's energies")
    rigidity = np.geomspace(max(LOWEST_GV, np.nanmin(results.rigidities_GV)), highest, count)
    population = population_of(job, rigidity)
    at_sun = galaxy_setting.diffusion_model(job).at(job.halo.sun, 0.0, rigidity)
    drawn, share = _drawn(population, tuple(at_sun), job.run.seed, galaxies)
    sea = steady_disc(job, rigidity)
    whole = discrete.completed(drawn, sea, share)
    tensor = galaxy_setting.local_tensor(job, rigidity)
    return Fluctuations(rigidity, whole.density / sea.density, discrete.dipoles(whole, tensor),
                        discrete.dipoles(sea, tensor), 1 - share.density / sea.density)


@lru_cache(maxsize=4)
def _drawn(population, coefficients, seed, galaxies):
    """Monte Carlo and its mean; cases that differ in the local field share it."""
    at_sun = np.array(coefficients)
    return (discrete.fluctuations(population, at_sun, seed=seed, realisations=galaxies),
            discrete.mean(population, at_sun))


def population_of(job, rigidity_GV):
    """The sources of a job's case as a Population, with an effective height per rigidity."""
    return discrete.Population(
        distribution=job.sources.distribution, scale_height_pc=job.sources.scale_height,
        largest_pc=min(job.sources.largest_radius or np.inf, job.halo.radius),
        half_height_pc=tuple(effective_height(job, rigidity_GV)), oldest_yr=OLDEST_YR)


def effective_height(job, rigidity_GV):
    """D(0) int_0^H dz/D(z) at the Sun, (n,) pc: H where D does not depend on the height."""
    z = np.linspace(0, job.halo.half_height, 2001)
    d = galaxy_setting.diffusion_model(job).at(job.halo.sun, z, rigidity_GV[:, None])
    return d[:, 0] * np.trapezoid(1 / d, z, axis=1)


def steady_disc(job, rigidity_GV):
    """Steady solution at the Sun per particle of a source and its rate, without losses.

    Returns
    -------
    hpc_cr.sources.discrete.Densities
    """
    setting, _ = galaxy_setting.setting(job, coarse=True)
    model, population = setting.diffusion, population_of(job, rigidity_GV)
    found = []
    for rigidity in rigidity_GV:
        medium = transport.medium(setting.grid, lambda r, z, at=rigidity: model.at(r, z, at))
        density = transport.Factorised(setting.grid, medium).solve(setting.site)
        found.append(transport.at_sun(setting.grid, density, job.halo.sun))
    # sources per volume and time at the Sun in the plane
    rate = population.rate_at_sun / (2 * population.scale_height_pc)
    radial = rate * np.array([one.radial for one in found])
    return discrete.Densities(rate * np.array([one.density for one in found]),
                              np.stack([-radial, 0 * radial, 0 * radial], axis=-1))


def _panel(axes, rigidity_GV, values, steady):
    """Bands, median, single Galaxies and what the steady disc gives."""
    x = rigidity_GV / 1e6
    lowest, low, middle, high, highest = np.percentile(values, LEVELS, axis=0)
    axes.fill_between(x, lowest, highest, color=style.BLUE, alpha=0.15, linewidth=0)
    axes.fill_between(x, low, high, color=style.BLUE, alpha=0.3, linewidth=0)
    for one, shade in zip(values[:SHOWN], style.SHADES[1:], strict=True):
        axes.plot(x, one, color=shade, linewidth=0.6)
    axes.plot(x, middle, color=style.BLUE)
    axes.plot(x, steady, color=style.BLACK, linestyle="--")


def _finish(left, right, case, lowest, limits):
    for axes in (left, right):
        axes.set(xscale="log", yscale="log", xlim=limits)
        if lowest:
            axes.set_xlabel("rigidity [PV]")
        style.short_log(axes.yaxis, "log", axes.get_ylim())
    left.set_ylabel("density / steady disc")
    right.set_ylabel(r"$|\delta|\,\cos\,$dec")
    job = case.job
    title = (f"{job.sources.distribution}, {job.diffusion.model} diffusion, "
             rf"$H$ = {job.halo.half_height / 1e3:g} kpc")
    left.set_title(f"{case.case}: {title}" if case.case else title)
    right.set_title(f"{GALAXIES} Galaxies, 3 sources per century")


def _handles():
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    return [Patch(color=style.BLUE, alpha=0.4, linewidth=0, label="68 % of the Galaxies"),
            Patch(color=style.BLUE, alpha=0.15, linewidth=0, label="95 %"),
            Line2D([], [], color=style.BLUE, label="median"),
            Line2D([], [], color=style.BLACK, linestyle="--", label="steady disc"),
            Line2D([], [], color=style.SHADES[2], linewidth=0.6, label="single Galaxies")]
