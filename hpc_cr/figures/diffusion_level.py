"""Diffusion along and across a regular field against the level of turbulence and the energy
(Kachelriess 2018, figure 3 right).

Left: at one rigidity and one total field sqrt(B0^2 + B_rms^2) against eta = B_rms/B0, with the
joint fit of `hpc_cr.diffusion.fits`. Right: against the energy of protons at fixed eta, with power
laws, and the ratio D_perp/D_par.
"""

import numpy as np

from hpc_cr.config.scales import gyroradius
from hpc_cr.diffusion import fits, theory
from hpc_cr.figures import diffusion_points, style
from hpc_cr.figures.diffusion_points import EV_PER_PV, cm2
from hpc_cr.figures.panels import FigureError
from hpc_cr.measurements.diffusion import boron_to_carbon_band

ETA_GALAXY = 0.25
"""The level at which the paper compares with D_iso."""
REFERENCE_PV = 1.0
LEAST_LEVELS = 3
RESONANT = 0.25
"""Power laws are fitted to r_g/L below this: there the isotropic D leaves its low-energy form."""


def draw(opened, options):
    """Levels at one rigidity (`--rigidity`, else the one nearest to 1 PV), energies at each level.

    Parameters
    ----------
    opened : sequence of hpc_cr.io.diffusion.DiffusionResults
    options : hpc_cr.figures.panels.Options

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    FigureError
        Fewer than three levels at one rigidity.
    """
    from dataclasses import replace

    from matplotlib.figure import Figure

    points, levels = level_points(opened, options, "diffusion-level")
    fit = level_fit(levels, "diffusion-level")
    every = replace(options, rigidities=())
    family = [p for p in diffusion_points.select(opened, every, True, "diffusion-level")
              if setting(p) == setting(levels[0])]  # fmt: skip
    try:
        isotropic = diffusion_points.select(opened, replace(every, cases=()), False, "")
    except FigureError:
        isotropic = []
    figure = Figure(figsize=(style.DOUBLE, 5.1), layout="constrained")
    grid = figure.add_gridspec(2, 2, width_ratios=(1.1, 1), height_ratios=(1.7, 1))
    left = figure.add_subplot(grid[:, 0])
    upper = figure.add_subplot(grid[0, 1])
    lower = figure.add_subplot(grid[1, 1], sharex=upper)
    _against_level(left, levels, fit, isotropic)
    _against_energy(upper, lower, family)
    upper.tick_params(labelbottom=False)
    job = levels[0].job
    name = diffusion_points.spectrum_name(job.turbulence.slope)
    figure.suptitle(rf"{name} turbulence, $L_\mathrm{{max}}$ ="
                    f" {style.number(job.turbulence.outer_scale, 3)} pc, total field"
                    rf" $(B_0^2 + B_\mathrm{{rms}}^2)^{{1/2}}$ ="
                    rf" {style.number(levels[0].total_field, 3)} $\mu$G;"
                    f" {diffusion_points.counts(family)}; open: no plateau",
                    fontsize=8)  # fmt: skip
    for axes, place in ((left, "outside lower left"), (upper, "outside lower right")):
        figure.legend(handles=axes.get_legend_handles_labels()[0], loc=place)
    return figure


def setting(point):
    """Spectrum and total field: what levels that are compared share."""
    turbulence = point.job.turbulence
    return point.group, round(turbulence.outer_scale, 6), float(f"{point.total_field:.3g}")


def level_points(opened, options, what):
    """All points with a regular field, and those of the levels to fit.

    The levels share spectrum, total field and rigidity; of several such groups the one of most
    levels, then the one nearest to 1 PV.

    Returns
    -------
    points, levels : list of Point
        levels with eta ascending.

    Raises
    ------
    FigureError
        Fewer than three levels.
    """
    points = diffusion_points.select(opened, options, True, what)
    groups = diffusion_points.by(points, lambda p: (setting(p), round(p.rigidity, 9)))
    sizes = [len({round(p.eta, 4) for p in group}) for _, group in groups]
    if max(sizes) < LEAST_LEVELS:
        raise FigureError(
            f"{opened[0].path}: {what} needs {LEAST_LEVELS} turbulence levels or more of one total"
            f" field sqrt(B0^2 + B_rms^2) at one rigidity; there are {max(sizes)}"
        )
    _, _, levels = max(
        (size, -abs(np.log(group[0].rigidity / REFERENCE_PV)), group)
        for size, (_, group) in zip(sizes, groups, strict=True)
    )
    return points, sorted(levels, key=lambda p: p.eta)


def level_fit(levels, what):
    """`fits.fit_level` of points, pc.

    Raises
    ------
    FigureError
        Too few points with errors.
    """
    eta = [p.eta for p in levels]
    parallel, parallel_error, _ = diffusion_points.values(levels, "D_par", drift=True)
    perp, perp_error, _ = diffusion_points.values(levels, "D_perp", drift=True)
    try:
        return fits.fit_level(eta, parallel, parallel_error, perp, perp_error)
    except fits.FitError as error:
        raise FigureError(f"{levels[0].results.path}: {what}: {error}") from None


def _against_level(axes, levels, fit, isotropic):
    eta = np.array([p.eta for p in levels])
    rigidity = levels[0].rigidity
    curve = np.geomspace(eta.min() / 1.3, eta.max() * 1.3, 200)
    found = [("D_par", fit.parallel(curve), style.BLUE, "o", _form(fit, "parallel")),
             ("D_perp", fit.perp(curve), style.VERMILLION, "s", _form(fit, "perp"))]  # fmt: skip
    for name, (value, error), colour, marker, label in found:
        points = diffusion_points.values(levels, name)
        diffusion_points.draw_points(axes, eta, *points, colour, marker, None, cm2(1.0))
        axes.plot(curve, cm2(value), color=colour, linewidth=1.0, label=label)
        axes.fill_between(curve, cm2(value - error), cm2(value + error), color=colour, alpha=0.25,
                          linewidth=0)  # fmt: skip
    _quasilinear(axes, levels[0], curve)
    _isotropic(axes, levels[0], isotropic)
    band = [cm2(d) for d in boron_to_carbon_band(rigidity)]
    axes.axhspan(*band, color=style.GREEN, alpha=0.25, linewidth=0,
                 label=r"$D_\mathrm{iso}$(B/C): (3-8)$\times10^{28}\,(E/10\,$GeV$)^{1/3}$")
    _near(axes, fit, rigidity, curve)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(curve[0], curve[-1])
    style.short_log(axes.xaxis, "log", axes.get_xlim())
    axes.set_xlabel(r"$\eta = B_\mathrm{rms}/B_0$")
    axes.set_ylabel(diffusion_points.D_LABEL)
    axes.set_title(f"{style.rigidity(rigidity)} (protons of"
                   f" {style.number(rigidity * EV_PER_PV)} eV)")  # fmt: skip


def _form(fit, which):
    d0 = diffusion_points.with_error(*(cm2(v) / 1e28 for v in fit.fit["D0"]))
    names = ("eta_par", "p") if which == "parallel" else ("eta_perp", "s")
    eta, power = (diffusion_points.with_error(*fit.fit[name]) for name in names)
    if which == "parallel":
        return (r"$D_\parallel = D_0\,[1 + (\eta_\parallel/\eta)^p]$, $D_0$ ="
                rf" ({d0})$\times10^{{28}}$," "\n" rf"$\eta_\parallel$ = {eta}, $p$ = {power}")
    return (r"$D_\perp = D_0/[1 + (\eta_\perp/\eta)^s]$," "\n"
            rf"$\eta_\perp$ = {eta}, $s$ = {power}")  # fmt: skip


def _quasilinear(axes, point, eta):
    """Theory of weak slab turbulence, dashed where it is not weak."""
    k_min = 2 * np.pi / point.job.turbulence.outer_scale
    regular = point.total_field / np.hypot(1.0, eta)
    r_g = gyroradius(point.rigidity, regular)
    value = cm2(theory.quasilinear_parallel(r_g, eta, k_min))
    valid = theory.VALID["quasilinear_parallel"](r_g, eta, k_min)
    look = {"color": style.SKY, "linewidth": 1.0}
    label = (r"quasi-linear $D_\parallel$, slab (dashed: invalid):" "\n"
             r"$\frac{27}{7\pi}\,c\,r_g\,\eta^{-2}(k_\mathrm{min}r_g)^{-2/3}$")  # fmt: skip
    axes.plot(eta, np.where(valid, value, np.nan), label=label, **look)
    axes.plot(eta, np.where(valid, np.nan, value), linestyle="--", **look)


def _isotropic(axes, point, isotropic):
    """What the same total field gives without a regular one, from the fit of D/(c L)."""
    same = [p for p in isotropic if p.group == point.group]
    if len({p.x for p in same}) < 3:
        return
    fit = diffusion_points.fit_isotropic(same, "diffusion-level")
    value, error = (cm2(v * point.length) for v in fit.evaluate(point.x))
    axes.axhspan(value - error, value + error, color=style.PURPLE, alpha=0.5, linewidth=1.0,
                 label=r"$D_\mathrm{iso}$ at $B_0 = 0$, same total field")  # fmt: skip


def _near(axes, fit, rigidity, curve):
    """Ratios to D_iso(B/C) at the level of the paper."""
    if not curve[0] <= ETA_GALAXY <= curve[-1]:
        return
    low, high = boron_to_carbon_band(rigidity)
    parallel, perp = float(fit.parallel(ETA_GALAXY)[0]), float(fit.perp(ETA_GALAXY)[0])
    axes.axvline(ETA_GALAXY, color="0.5", linewidth=0.7, linestyle=":")
    axes.text(0.97, 0.03, rf"at $\eta$ = {ETA_GALAXY:g}, $D_\mathrm{{iso}}$(B/C):" "\n"
              rf"$D_\parallel/D_\mathrm{{iso}}$ = {parallel / high:.1f} to {parallel / low:.1f}"
              "\n" rf"$D_\mathrm{{iso}}/D_\perp$ = {style.number(low / perp, 2)} to"
              f" {style.number(high / perp, 2)}", transform=axes.transAxes, ha="right",
              fontsize=7, linespacing=1.4)  # fmt: skip


def energy_laws(points):
    """Power laws against rigidity of D_par, D_perp and their ratio at one level.

    Parameters
    ----------
    points : list of Point
        Of one eta; those with r_g/L below RESONANT are fitted.

    Returns
    -------
    dict
        Name -> hpc_cr.diffusion.fits.Fit (amplitude at 1 PV in pc), for "D_par", "D_perp" and
        "ratio"; empty for a single rigidity.
    """
    resonant = [p for p in points if p.x < RESONANT]
    if len({p.rigidity for p in resonant}) < 2:
        return {}
    rigidity = [p.rigidity for p in resonant]
    found = {name: diffusion_points.values(resonant, name, drift=True) for name in
             ("D_par", "D_perp")}  # fmt: skip
    laws = {name: fits.fit_power_law(rigidity, value, error)
            for name, (value, error, _) in found.items()}  # fmt: skip
    laws["ratio"] = fits.fit_power_law(rigidity, *_ratio(found))
    return laws


def _ratio(found):
    (parallel, parallel_error, _), (perp, perp_error, _) = found["D_par"], found["D_perp"]
    ratio = perp / parallel
    return ratio, ratio * np.hypot(parallel_error / parallel, perp_error / perp)


def _against_energy(upper, lower, family):
    """D_par, D_perp and their ratio, one colour per level that has several rigidities."""
    from matplotlib.ticker import NullFormatter

    groups = [(eta, sorted(group, key=lambda p: p.rigidity))
              for eta, group in diffusion_points.by(family, lambda p: round(p.eta, 3))
              if len({p.rigidity for p in group}) > 1]  # fmt: skip
    if not groups:
        for axes in (upper, lower):
            axes.text(0.5, 0.5, "one rigidity only", transform=axes.transAxes, ha="center")
    every = [p.rigidity for _, group in groups for p in group] or [p.rigidity for p in family]
    curve = np.geomspace(min(every), max(every), 50)
    low, high = (cm2(d) for d in boron_to_carbon_band(curve))
    upper.fill_between(curve * EV_PER_PV, low, high, color=style.GREEN, alpha=0.25, linewidth=0)
    colours = (style.BLUE, style.VERMILLION, style.PURPLE, style.ORANGE, style.BLACK, style.SKY)
    for number, (eta, group) in enumerate(groups):
        colour = colours[number % len(colours)]
        energy = np.array([p.rigidity for p in group]) * EV_PER_PV
        found = {name: diffusion_points.values(group, name) for name in ("D_par", "D_perp")}
        for name, marker in (("D_par", "o"), ("D_perp", "s")):
            diffusion_points.draw_points(upper, energy, *found[name], colour, marker, None,
                                         cm2(1.0))  # fmt: skip
        plateau = found["D_par"][2] & found["D_perp"][2]
        diffusion_points.draw_points(lower, energy, *_ratio(found), plateau, colour, "D")
        laws = energy_laws(group)
        if not laws:
            continue
        inside = curve[curve <= max(p.rigidity for p in group if p.x < RESONANT)]
        for name, axes, factor in (("D_par", upper, cm2(1.0)), ("D_perp", upper, cm2(1.0)),
                                   ("ratio", lower, 1.0)):  # fmt: skip
            amplitude, exponent = laws[name].values
            axes.plot(inside * EV_PER_PV, factor * amplitude * inside**exponent, color=colour,
                      linewidth=0.9, linestyle="--" if name == "D_perp" else "-",
                      label=_laws(eta, laws) if name == "D_par" else None)  # fmt: skip
    for axes in (upper, lower):
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.yaxis.set_minor_formatter(NullFormatter())
    upper.set_xlim(*style.decades(curve[0] * EV_PER_PV, curve[-1] * EV_PER_PV))
    lower.set_xlabel("energy of protons [eV]")
    upper.set_ylabel(diffusion_points.D_LABEL)
    lower.set_ylabel(r"$D_\perp/D_\parallel$")


def _laws(eta, laws):
    """ "η = 0.25: D_par ~ E^0.35(2), ..." of one level."""
    along, across = (diffusion_points.with_error(*laws[name]["exponent"])
                     for name in ("D_par", "D_perp"))  # fmt: skip
    return (rf"$\eta$ = {style.number(eta, 2)}: $D_\parallel\propto E^a$, $a$ = {along};"
            rf" $D_\perp$ (dashed): {across}")  # fmt: skip
