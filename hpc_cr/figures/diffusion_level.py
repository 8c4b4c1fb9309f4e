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
RESONANT = diffusion_points.RESONANT
"""Power laws are fitted to r_g/L up to this."""


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

    diffusion_points.without(options, "diffusion-level", "stops", "data")
    points, levels = level_points(opened, options, "diffusion-level")
    fit = level_fit(levels, "diffusion-level")
    every = replace(options, rigidities=())
    family = [p for p in diffusion_points.select(opened, every, True, "diffusion-level")
              if setting(p) == setting(levels[0])]  # fmt: skip
    note = diffusion_points.left_out(levels, "D_par", "D_perp")
    note = f" ({note})" if note else ""
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
                    f" {diffusion_points.counts(family)}; open: no plateau{note}",
                    fontsize=8)  # fmt: skip
    figure.legend(handles=left.get_legend_handles_labels()[0], loc="outside lower left")
    figure.legend(handles=upper.get_legend_handles_labels()[0], loc="outside lower right",
                  title="exponents from each energy to the next", title_fontsize=7)
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
    (parallel, perp), (parallel_error, perp_error), covariance = diffusion_points.to_fit(
        levels, "D_par", "D_perp")  # fmt: skip
    try:
        return fits.fit_level(eta, parallel, parallel_error, perp, perp_error, covariance)
    except fits.FitError as error:
        raise FigureError(f"{levels[0].results.path}: {what}: {error}") from None


def _against_level(axes, levels, fit, isotropic):
    eta = np.array([p.eta for p in levels])
    rigidity = levels[0].rigidity
    curve = np.geomspace(eta.min() / 1.3, eta.max() * 1.3, 200)
    found = [("D_par", fit.parallel(curve), style.BLUE, "o", _form(fit, "parallel")),
             ("D_perp", fit.perp(curve), style.VERMILLION, "s", _form(fit, "perp"))]  # fmt: skip
    for name, (value, error), colour, marker, label in found:
        points = diffusion_points.values(levels, name, drift=True)
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
            rf"$\eta_\perp$ = {eta}, $s$ = {power}" "\n" f"{goodness(fit.fit)}")  # fmt: skip


def goodness(fit):
    """How well a form describes its points, in words."""
    return (rf"both: $\chi^2$/dof = {style.number(fit.chi2, 3)}/{fit.dof},"
            f" off by {100 * fit.scatter:.2g} %")  # fmt: skip


def _quasilinear(axes, point, eta):
    """Theory of weak slab turbulence, dashed where it is not weak."""
    k_min = 2 * np.pi / point.job.turbulence.outer_scale
    regular = point.total_field / np.hypot(1.0, eta)
    r_g = gyroradius(point.rigidity, regular)
    value = cm2(theory.quasilinear_parallel(r_g, eta, k_min))
    valid = theory.VALID["quasilinear_parallel"](r_g, eta, k_min)
    look = {"color": style.SKY, "linewidth": 1.0}
    label = (r"quasi-linear $D_\parallel$, slab (dashed: invalid), $r_{g,0}$ in $B_0$:" "\n"
             r"$\frac{27}{7\pi}\,c\,r_{g,0}\,\eta^{-2}(k_\mathrm{min}r_{g,0})^{-2/3}$")  # fmt: skip
    axes.plot(eta, np.where(valid, value, np.nan), label=label, **look)
    axes.plot(eta, np.where(valid, np.nan, value), linestyle="--", **look)


def _isotropic(axes, point, isotropic):
    """What the same total field gives without a regular one, from the fit of D/(c L)."""
    same = [p for p in isotropic if p.group == point.group]
    if len({p.x for p in same}) < 3:
        return
    try:
        fit = diffusion_points.fit_isotropic(same, "diffusion-level")
    except FigureError:
        return
    value, error = (cm2(v * point.length) for v in fit.evaluate(point.x))
    told = f"({diffusion_points.with_error(float(value / 1e28), float(error / 1e28))})"
    axes.axhspan(value - error, value + error, color=style.PURPLE, alpha=0.5, linewidth=1.0,
                 label=r"$D$ at $B_0 = 0$, same total field, not in" "\n"
                 rf"the fit: {told}$\times10^{{28}}$")  # fmt: skip


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
        Of one eta; those with r_g/L up to RESONANT are fitted.

    Returns
    -------
    dict
        Name -> hpc_cr.diffusion.fits.Fit (amplitude at 1 PV in pc), for "D_par", "D_perp" and
        "ratio"; empty for a single rigidity.
    """
    return _laws_of([p for p in points if p.x <= RESONANT])


def mean_laws(points, names=("D_par", "D_perp", "ratio")):
    """The same for all points: mean exponents over a range in which they change."""
    return _laws_of(points, names)


def _laws_of(points, names=("D_par", "D_perp", "ratio")):
    if len({p.rigidity for p in points}) < 2:
        return {}
    rigidity = [p.rigidity for p in points]
    values, errors, covariance = _columns(points)
    n, found = len(points), {}
    for i, name in enumerate(("D_par", "D_perp", "ratio")):
        part = slice(i * n, (i + 1) * n)
        if name in names and len(set(np.compress(np.isfinite(values[i]), rigidity))) > 1:
            found[name] = fits.fit_power_law(rigidity, values[i], errors[i],
                                             covariance=covariance[part, part])  # fmt: skip
    return found


def _columns(points):
    """D_par, D_perp and their ratio: values and errors (3, n), covariance of logarithms.

    The error of a ratio knows that both share realisations.
    """
    (parallel, perp), errors, covariance = diffusion_points.to_fit(points, "D_par", "D_perp")
    n = len(points)
    one = np.eye(n)
    mix = np.block([[one, 0 * one], [0 * one, one], [-one, one]])
    known = np.nan_to_num(covariance)
    covariance = mix @ known @ mix.T
    ratio = perp / parallel
    error = ratio * np.sqrt(np.maximum(np.diag(covariance)[2 * n :], 0.0))
    return np.array([parallel, perp, ratio]), np.array([*errors, error]), covariance


def local_exponents(points, name):
    """Exponents of D with rigidity between neighbouring points.

    Parameters
    ----------
    points : list of Point
        Of one level.
    name : "D_par", "D_perp" or "ratio"

    Returns
    -------
    list of (low, high, exponent, error)
        Rigidities in PV; without points that are but bounds.
    """
    points = sorted(points, key=lambda p: p.rigidity)
    found = []
    for pair in zip(points, points[1:], strict=False):
        law = _laws_of(list(pair), (name,))
        if name in law:
            found.append((pair[0].rigidity, pair[1].rigidity, *law[name]["exponent"]))
    return found


def _ratio(points):
    """D_perp/D_par and its error, drawn also where one of them is but a bound."""
    parallel, perp = (diffusion_points.values(points, name, drift=True)
                      for name in ("D_par", "D_perp"))  # fmt: skip
    shared = diffusion_points.correlated(points, ("D_par", "D_perp"))
    n = len(points)
    # both errors, and what the realisations that they share take away
    both = sum((error / value) ** 2 for value, error, _ in (parallel, perp))
    both = both - 2 * np.diag(shared[:n, n:])
    ratio = perp[0] / parallel[0]
    return ratio, ratio * np.sqrt(np.maximum(both, 0.0))


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
        found = {name: diffusion_points.values(group, name, drift=True)
                 for name in ("D_par", "D_perp")}  # fmt: skip
        for name, marker in (("D_par", "o"), ("D_perp", "s")):
            diffusion_points.draw_points(upper, energy, *found[name], colour, marker, None,
                                         cm2(1.0))  # fmt: skip
        plateau = found["D_par"][2] & found["D_perp"][2]
        diffusion_points.draw_points(lower, energy, *_ratio(group), plateau, colour, "D")
        laws, resonant = energy_laws(group), [p.rigidity for p in group if p.x <= RESONANT]
        for name, axes, factor in (("D_par", upper, cm2(1.0)), ("D_perp", upper, cm2(1.0)),
                                   ("ratio", lower, 1.0)):  # fmt: skip
            if name in laws:
                amplitude, exponent = laws[name].values
                inside = np.array([min(resonant), max(resonant)])
                axes.plot(inside * EV_PER_PV, factor * amplitude * inside**exponent, color=colour,
                          linewidth=0.9, linestyle="--" if name == "D_perp" else "-")  # fmt: skip
        upper.plot([], [], color=colour, linewidth=0.9, label=_laws(eta, group))
    for axes in (upper, lower):
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.yaxis.set_minor_formatter(NullFormatter())
    upper.set_xlim(*style.decades(curve[0] * EV_PER_PV, curve[-1] * EV_PER_PV))
    lower.set_xlabel("energy of protons [eV]")
    upper.set_ylabel(diffusion_points.D_LABEL)
    lower.set_ylabel(r"$D_\perp/D_\parallel$")


def _laws(eta, group):
    """Exponents of D_par and D_perp between neighbouring rigidities, in words."""
    parts = []
    for name, symbol in (("D_par", r"$D_\parallel$"), ("D_perp", r"$D_\perp$ (dashed)")):
        local = [diffusion_points.with_error(value, error)
                 for _, _, value, error in local_exponents(group, name)]  # fmt: skip
        parts.append(f"{symbol}: {', '.join(local) or 'no two plateaus'}")
    return "\n".join([rf"$\eta$ = {style.number(eta, 2)}, {parts[0]}", parts[1]])
