"""A local source and the sea of cosmic rays: dipole against energy, with measurements.

Above: |delta| in right ascension, the dipole along the local field line times the cosine of its
declination; parts across the field, the source's 3 d_perp/(2 c T) and the Hall part, are left out.
Below: right ascension of the maximum. Left: D_par and D_perp from B/C (Kachelriess 2018); right:
those measured at B_rms/B0 nearest to 0.25 in the file, as power laws continued to lower energies.
The source has the energy that makes f = SHARE at 10 TeV; the sea is fitted to measured dipoles
between 0.3 and 5 PeV for each source (`hpc_cr.sources.local_source.fit_sea`). Hatched: energies at
which a source would have more than all protons, f > 1.
"""

from functools import lru_cache

import numpy as np

from hpc_cr.figures import diffusion_points, measured, style
from hpc_cr.figures.panels import FigureError
from hpc_cr.measurements import dipole
from hpc_cr.sources import local_source

ETA = 0.25
SHARE, SHARE_AT = 0.7, 0.01
"""f of the source at this rigidity (PV)."""
DIFFUSION = 5e28
"""D_iso at 10 GV for B/C, cm^2/s: between 3 and 8."""
FIELD_LB = (210.5, -57.1)
"""Local field (l, b) from the ribbon that IBEX sees around the heliosphere (Funsten et al. 2013,
ApJ 776, 30; Schwadron et al. 2014, Science 343, 988)."""
CUTOFFS = ((0.1, "-", "100 TeV"), (1.0, "--", "1 PeV"))
RANGE = ((200.0, 3.0), (300.0, 2.0))
"""(distance in pc, age in Myr) that make the smallest and the largest dipole."""
VELA = local_source.Source(age_myr=0.011, distance=300.0, across=0.0)
VELA_LB = (263.6, -2.8)
"""Galactic direction of the Vela remnant and its pulsar, degrees."""
ENERGIES = np.geomspace(1e-4, 5.0, 600)
"""PV."""
COLOURS = {"source": style.VERMILLION, "sea": style.PURPLE, "sum": style.BLACK}


def draw(opened, options):
    """Four panels: amplitude and phase, for both sets of coefficients.

    Parameters
    ----------
    opened : sequence of hpc_cr.io.diffusion.DiffusionResults
    options : hpc_cr.figures.panels.Options
        cases chooses the turbulence level, data the measurements.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    FigureError
        No case with a uniform field and two rigidities.
    """
    usual = local_source.of_boron_to_carbon(DIFFUSION)._replace(
        label=rf"B/C, {style.number(DIFFUSION)} cm$^2$ s$^{{-1}}$ at 10 GV")  # fmt: skip
    both = (usual, coefficients_of(opened, options)[0])
    shown = measured.within(measured.chosen(options), ENERGIES[0], ENERGIES[-1])
    measured.require(options, shown, "between 0.1 TeV and 5 PeV")
    everything = options.data.strip().casefold() == "all"
    look = measured.grouped_looks(shown) if everything else measured.looks(shown)
    figure, axes = style.panels(4, 2.3, extra=0.7 if everything else 1.0)
    for number, coefficients in enumerate(both):
        top, bottom = axes[number], axes[number + 2]
        totals = _amplitudes(top, coefficients)
        measured.draw_against_energy(top, shown, look)
        _phases(bottom, totals)
        measured.draw_phases(bottom, shown, look)
        _finish(top, bottom, number == 0)
        top.set_title(_title(coefficients))
    if everything:
        style.legend_below(figure, _handles() + measured.grouped_handles(shown, look), 3)
    else:
        measured.legends(figure, _handles(), shown, look)
    return figure


def coefficients_of(opened, options):
    """Power laws through D_par and D_perp of the case nearest to B_rms/B0 = 0.25.

    Returns
    -------
    coefficients : hpc_cr.sources.local_source.Coefficients
    eta : float
    """
    points = diffusion_points.select(opened, options, True, "single-source")
    groups = {}
    for point in points:
        groups.setdefault((point.results.path, point.results.case), []).append(point)
    several = [group for group in groups.values() if len(group) > 1]
    if not several:
        raise FigureError(f"{opened[0].path}: single-source needs a case with a uniform regular"
                          " field and two rigidities or more")  # fmt: skip
    group = min(several, key=lambda g: abs(np.log(g[0].eta / ETA)))
    try:
        found = of_points(group)
    except ValueError as error:
        raise FigureError(f"{group[0].results.path}: {error}") from None
    level = (rf"measured, $B_\mathrm{{rms}}/B_0$ = {group[0].eta:.2g},"
             rf" {group[0].total_field:.2g} $\mu$G")  # fmt: skip
    return found._replace(label=level), group[0].eta


def of_points(points):
    """Power laws through D_par and D_perp of one case, bounds left out.

    Parameters
    ----------
    points : sequence of hpc_cr.figures.diffusion_points.Point

    Returns
    -------
    hpc_cr.sources.local_source.Coefficients

    Raises
    ------
    hpc_cr.diffusion.fits.FitError
        Fewer than two rigidities are left.
    """
    value, error, both = diffusion_points.to_fit(points, "D_par", "D_perp")
    n = len(points)
    return local_source.of_measured([p.rigidity for p in points], value[0], error[0], value[1],
                                    error[1], (both[:n, :n], both[n:, n:]))  # fmt: skip


@lru_cache(maxsize=1)
def measured_dipoles():
    """All measurements with errors that figures show, `hpc_cr.sources.local_source.Measured`."""
    points = [p for p in dipole.for_figures(dipole.current().points) if not p.upper_limit]
    return local_source.Measured(np.array([p.energy for p in points]),
                                 np.array([p.amplitude for p in points]),
                                 np.array([max(p.errors) for p in points]), equator())  # fmt: skip


def models(coefficients):
    """What the curves of one set of coefficients are: per cut-off the source and the sea beside it.

    Parameters
    ----------
    coefficients : hpc_cr.sources.local_source.Coefficients

    Returns
    -------
    list of (hpc_cr.sources.local_source.Source, hpc_cr.sources.local_source.Sea)
        In the order of CUTOFFS.
    """
    sources = [local_source.normalised(local_source.Source(cutoff=cutoff), coefficients, SHARE,
                                       SHARE_AT) for cutoff, _, _ in CUTOFFS]  # fmt: skip
    return [(source, local_source.fit_sea(measured_dipoles(), source, coefficients))
            for source in sources]


def flip(coefficients, cutoff):
    """Energy (PeV) of the highest flip of the phase for a cut-off (PV), and its error."""
    return local_source.last_flip(local_source.Source(cutoff=cutoff), coefficients,
                                  measured_dipoles(), SHARE, SHARE_AT, ENERGIES)  # fmt: skip


def equator():
    """Cosine of the field line's declination: what right ascension shows of a dipole along it."""
    return float(np.cos(np.radians(_field()[1])))


def _field():
    """Right ascension and declination of the field's direction, degrees."""
    from hpc_cr.coordinates import rotation_to
    from hpc_cr.frames import lon_lat, unit_vector

    return lon_lat(rotation_to("equatorial") @ unit_vector(*FIELD_LB))


def _amplitudes(axes, coefficients):
    """Curves of one set of coefficients; the sums (total along the field line) per cut-off."""
    projected, totals = equator(), []
    for (_, line, _), (source, sea) in zip(CUTOFFS, models(coefficients), strict=True):
        total, local, _ = local_source.dipole(ENERGIES, source, coefficients, sea.value)
        axes.plot(ENERGIES, projected * local, color=COLOURS["source"], linestyle=line, zorder=5)
        axes.plot(ENERGIES, projected * np.abs(total), color=COLOURS["sum"], linestyle=line,
                  linewidth=1.1, zorder=6)  # fmt: skip
        axes.plot(ENERGIES, projected * sea.value * np.cbrt(ENERGIES), color=COLOURS["sea"],
                  linestyle=line, zorder=4)  # fmt: skip
        totals.append((total, line))
        above = local_source.excluded(ENERGIES, source, coefficients)
        if above:
            axes.axvspan(*above, facecolor="none", edgecolor="0.75", hatch="////", linewidth=0,
                         zorder=0)  # fmt: skip
        if line == "-":
            low, high = (local / source.amplitude
                         * source._replace(distance=r, age_myr=t).amplitude for r, t in RANGE)
            axes.fill_between(ENERGIES, projected * low, projected * high, linewidth=0, alpha=0.16,
                              color=COLOURS["source"], zorder=1)  # fmt: skip
    axes.axhline(VELA.amplitude / 200, color="0.5", linestyle=":", linewidth=0.9, zorder=0)
    return totals


def _phases(axes, totals):
    """The side of the sum, as right ascension."""
    towards = _field()[0]
    for total, line in totals:
        side = np.where(total >= 0, measured.turned(towards), measured.turned(towards + 180))
        axes.plot(ENERGIES, np.where(np.isfinite(total), side, np.nan), color=COLOURS["sum"],
                  linestyle=line, linewidth=1.1, zorder=6)  # fmt: skip


def _finish(top, bottom, left):
    for axes in (top, bottom):
        axes.set_xscale("log")
        axes.set_xlim(ENERGIES[0], ENERGIES[-1])
    top.set_yscale("log")
    top.set_ylim(3e-5, 1e-2)
    bottom.set_ylim(-70, 300)
    bottom.set_yticks([0, 90, 180, 270])
    bottom.set_xlabel("energy [PeV]")
    if left:
        top.set_ylabel("dipole in right ascension")
        bottom.set_ylabel("phase (right ascension) [deg]")


def _title(coefficients):
    parallel, perpendicular = coefficients.at(SHARE_AT)
    return (f"$D$: {coefficients.label}\n"
            rf"at 10 TV: $D_\parallel$, $D_\perp$ = {style.number(float(parallel), 2)},"
            rf" {style.number(float(perpendicular), 2)} pc")  # fmt: skip


def _handles():
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    age, distance = local_source.Source().age_myr, local_source.Source().distance
    lines = [Line2D([], [], color=COLOURS["source"],
                    label=f"source, {distance:g} pc, {age:g} Myr, f = {SHARE:g} at 10 TeV"),
             Patch(color=COLOURS["source"], alpha=0.16, linewidth=0,
                   label="200 pc, 3 Myr to 300 pc, 2 Myr"),
             Line2D([], [], color=COLOURS["sea"], label=r"sea, $E^{1/3}$, without $1-f$"),
             Line2D([], [], color=COLOURS["sum"], label="sum along the field line")]
    vela = rf"Vela, $3R/2cT$ = {VELA.amplitude:.2g}, over 200"
    lines.append(Line2D([], [], color="0.5", linestyle=":", linewidth=0.9, label=vela))
    lines.append(Patch(facecolor="none", edgecolor="0.75", hatch="////", linewidth=0,
                       label="f above 1"))  # fmt: skip
    return lines + [Line2D([], [], color="0.4", linestyle=line, label=f"cut-off {label}")
                    for _, line, label in CUTOFFS]
