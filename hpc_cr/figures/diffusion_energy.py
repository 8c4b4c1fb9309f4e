"""Diffusion coefficient against energy without a regular field (Kachelriess 2018, figure 1).

Left: D(E) of protons, one colour per field strength, the fit with both asymptotes and its
extrapolation to 10 GeV, and the field strengths that B/C would ask for. Right: all of it as one
function D/(c L) of x = r_g/L with the transition, and the ratio to the interpolation of Harari et
al. 2014.
"""

import numpy as np

from hpc_cr.config.scales import gyroradius
from hpc_cr.diffusion import fits, theory
from hpc_cr.figures import diffusion_points, style
from hpc_cr.figures.diffusion_points import EV_PER_PV, MARKERS, cm2
from hpc_cr.measurements.diffusion import BAND_CM2_PER_S, BAND_PV


def draw(opened, options):
    """Cases without a regular field that share a spectrum; with several, that of most cases.

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
        No case without a regular field, or too few rigidities.
    """
    from matplotlib.figure import Figure

    diffusion_points.without(options, "diffusion-energy", "stops", "data")
    points = diffusion_points.select(opened, options, False, "diffusion-energy")
    groups = diffusion_points.by(points, lambda p: (p.group, p.job.turbulence.outer_scale))
    _, points = max(groups, key=lambda group: len(group[1]))
    fit = diffusion_points.fit_isotropic(points, "diffusion-energy")
    figure = Figure(figsize=(style.DOUBLE, 4.9), layout="constrained")
    grid = figure.add_gridspec(2, 2, width_ratios=(1.15, 1), height_ratios=(1.7, 1))
    left = figure.add_subplot(grid[:, 0])
    upper = figure.add_subplot(grid[0, 1])
    lower = figure.add_subplot(grid[1, 1], sharex=upper)
    strengths = diffusion_points.by(points, lambda p: round(p.job.turbulence.rms, 6))
    _energies(left, strengths, fit)
    _universal(upper, strengths, fit)
    _ratio(lower, strengths, fit)
    style.short_log(lower.xaxis, "log", lower.get_xlim())
    upper.tick_params(labelbottom=False)
    job = points[0].job
    figure.suptitle(
        f"{diffusion_points.spectrum_name(fit.slope)} turbulence, $B_0$ = 0, $L_\\mathrm{{max}}$ ="
        f" {style.number(job.turbulence.outer_scale, 3)} pc, $L$ ="
        f" ${diffusion_points.unit_text(fit.slope)}$ = {style.number(points[0].length, 3)} pc;"
        f" {diffusion_points.counts(points)}", fontsize=8)  # fmt: skip
    _legends(figure, left, fit)
    return figure


def _legends(figure, axes, fit):
    """The measured points inside of the panel, everything else under the figure."""
    from matplotlib.container import ErrorbarContainer

    handles, labels = axes.get_legend_handles_labels()
    points = [isinstance(handle, ErrorbarContainer) for handle in handles]
    axes.legend([h for h, point in zip(handles, points, strict=True) if point],
                [t for t, point in zip(labels, points, strict=True) if point],
                loc="lower right", fontsize=6.5, handlelength=1.2, title_fontsize=6.5,
                title=r"$B_\mathrm{rms}$: $D$(10 GeV) [$10^{26}\,$cm$^2\,$s$^{-1}$];" "\n"
                f"with a free exponent {_free(fit)}")  # fmt: skip
    style.legend_below(figure, [h for h, point in zip(handles, points, strict=True) if not point],
                       2)  # fmt: skip


def _free(fit):
    """The low-energy exponent of the fit that leaves it free, in words."""
    other = fit.others.get("free exponent")
    return diffusion_points.with_error(*other.fit["exponent"]) if other else "not fitted"


def _look(number):
    return style.SEQUENCE[number % 7], MARKERS[number % 7]


def _energies(axes, strengths, fit):
    """D(E) with fit and extrapolation for each field strength."""
    everything = [point for _, group in strengths for point in group]
    length = everything[0].length
    top = max(point.rigidity for point in everything)
    rigidity = np.geomspace(BAND_PV, 2 * top, 300)
    for number, (rms, group) in enumerate(strengths):
        colour, marker = _look(number)
        value, error, plateau = diffusion_points.values(group, "D_iso", drift=True)
        energy = np.array([p.rigidity for p in group]) * EV_PER_PV
        at_10_gev = fit.extrapolate(gyroradius(BAND_PV, rms) / length)
        text = diffusion_points.with_error(float(at_10_gev.value * cm2(length)) / 1e26,
                                           float(at_10_gev.total * cm2(length)) / 1e26)
        freed = float(at_10_gev.freed * cm2(length)) / 1e26
        second = f"; {style.number(freed, 2)}" if np.isfinite(freed) else ""
        label = rf"{style.number(rms, 3)} $\mu$G: {text}{second}"
        diffusion_points.draw_points(axes, energy, value, error, plateau, colour, marker, label,
                                     cm2(1.0))
        x = gyroradius(rigidity, rms) / length
        found = fit.extrapolate(x)
        curve = cm2(found.value * length)
        inside = x >= fit.x.min()
        axes.plot(rigidity[inside] * EV_PER_PV, curve[inside], color=colour, linewidth=0.9)
        axes.plot(rigidity[~inside] * EV_PER_PV, curve[~inside], color=colour, linewidth=0.8,
                  linestyle="--")  # fmt: skip
        spread = np.where(inside, found.error, found.total) * cm2(length)
        axes.fill_between(rigidity * EV_PER_PV, np.maximum(curve - spread, 1e20), curve + spread,
                          color=colour, alpha=0.2, linewidth=0)  # fmt: skip
    _wanted(axes, fit, everything, rigidity)
    _slopes(axes, fit, length, np.array([rms for rms, _ in strengths]), rigidity)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(0.5 * BAND_PV * EV_PER_PV, rigidity[-1] * EV_PER_PV)
    lowest = cm2(fit.evaluate(gyroradius(BAND_PV, strengths[-1][0]) / length)[0] * length)
    highest = max(p.found["D_iso"].value for p in everything)
    axes.set_ylim(0.1 * lowest, 10 * cm2(highest))  # room for the legend
    axes.set_xlabel("energy of protons [eV]")
    axes.set_ylabel(diffusion_points.D_LABEL)


def _wanted(axes, fit, points, rigidity):
    """The field strengths that give what B/C asks for at 10 GeV."""
    length = points[0].length
    strong, weak = diffusion_points.field_strengths(fit, [length], points)[0][:, 0]
    curves = [cm2(fit.evaluate(gyroradius(rigidity, b) / length)[0] * length)
              for b in (strong, weak)]  # fmt: skip
    sizes = " to ".join(style.number(b * 1e6) for b in (weak, strong))
    low, high = (value / 1e28 for value in BAND_CM2_PER_S)
    axes.fill_between(rigidity * EV_PER_PV, *curves, color=style.GREEN, alpha=0.3, linewidth=0,
                      label=rf"$D$(10 GeV) = ({low:g}-{high:g})$\times10^{{28}}$ (B/C):"
                      rf" $B_\mathrm{{rms}}$ = ({sizes})$\times10^{{-6}}\,\mu$G")  # fmt: skip
    axes.plot([BAND_PV * EV_PER_PV] * 2, BAND_CM2_PER_S, color=style.GREEN, linewidth=3.5,
              solid_capstyle="butt", zorder=5)  # fmt: skip


def _slopes(axes, fit, length, strengths, rigidity):
    """Both asymptotes for one of the field strengths, and where they cross for each."""
    rms = strengths[len(strengths) // 2]
    x = gyroradius(rigidity, rms) / length
    low, high = cm2(fit.low_energy(x) * length), cm2(fits.SMALL_ANGLE * x**2 * length)
    exponent = 2 - fit.slope
    name = "1/3" if abs(exponent - 1 / 3) < 1e-3 else f"{exponent:.3g}"
    cross = fit.crossing()[0]
    energy = rigidity * EV_PER_PV
    below, above = x < 30 * cross, x > cross / 10
    axes.plot(energy[below], low[below], color="0.35", linewidth=0.8, linestyle=":",
              label=rf"$\propto E^{{{name}}}$, $\propto E^2$ ({style.number(rms, 3)} $\mu$G)")
    axes.plot(energy[above], high[above], color="0.35", linewidth=0.8, linestyle=":")
    places = cross * length / gyroradius(1.0, strengths) * EV_PER_PV
    height = np.full(len(places), cm2(fits.SMALL_ANGLE * cross**2 * length))
    axes.plot(places, height, marker="+", color=style.BLACK, markersize=7, linestyle="none",
              zorder=5, label="transition: asymptotes cross")  # fmt: skip


def _universal(axes, strengths, fit):
    """D/(c L) against x with the fit, the asymptotes and the transition."""
    for number, (_, group) in enumerate(strengths):
        value, error, plateau = diffusion_points.values(group, "D_iso", drift=True)
        length = np.array([p.length for p in group])
        colour, marker = _look(number)
        diffusion_points.draw_points(axes, [p.x for p in group], value / length, error / length,
                                     plateau, colour, marker)  # fmt: skip
    x = np.geomspace(fit.x.min() / 2, fit.x.max() * 2, 200)
    axes.plot(x, fit.evaluate(x)[0], color=style.BLACK, linewidth=0.9, label=_formula(fit))
    exponent = 2 - fit.slope
    name = "1/3" if abs(exponent - 1 / 3) < 1e-3 else f"{exponent:.3g}"
    b, b_error = fit.fit["b"]
    text = diffusion_points.with_error(b, b_error)
    cross, halfway = fit.crossing(), fit.halfway()
    low = x < 20 * cross[0]
    axes.plot(x[low], fit.low_energy(x[low]), color=style.BLACK, linewidth=0.9, linestyle=":",
              label=rf"$b\,x^{{{name}}}$, $b$ = {text}")
    valid = theory.VALID["small_angle"](x, 1.0)
    axes.plot(x[valid], theory.small_angle(x[valid], 1.0), color=style.ORANGE, linewidth=0.9,
              label=r"$\frac{4}{3}x^2$, small angles (dashed: $r_g < 3\,L_c$)")
    near = ~valid & (x > cross[0] / 2)
    axes.plot(x[near], theory.small_angle(x[near], 1.0), color=style.ORANGE, linewidth=0.9,
              linestyle="--")  # fmt: skip
    ratio = 2 * fit.slope / (fit.slope - 1)  # L_max/L
    axes.axvspan(cross[0], halfway[0], color=style.SKY, alpha=0.35, linewidth=0)
    if x[0] < ratio < x[-1] / 1.3:  # room for the words beside the line
        axes.axvline(ratio, color="0.4", linestyle="-.", linewidth=0.8)
        axes.text(ratio * 1.08, 0.03, r"$R_L = L_\mathrm{max}$", rotation=90, fontsize=6.5,
                  va="bottom", transform=axes.get_xaxis_transform())  # fmt: skip
    axes.text(0.02, 0.03, "transition (blue): asymptotes cross at\n"
              rf"$R_L$ = ({diffusion_points.with_error(*cross)}) $L$ ="
              rf" {style.number(cross[0] / ratio)} $L_\mathrm{{max}}$,""\n"
              r"d$\,$ln$\,D$/d$\,$ln$\,E$ is half-way at" "\n"
              rf"$R_L$ = ({diffusion_points.with_error(*halfway)}) $L$ ="
              rf" {style.number(halfway[0] / ratio)} $L_\mathrm{{max}}$", fontsize=6.5,
              va="bottom", transform=axes.transAxes, linespacing=1.35, zorder=6)  # fmt: skip
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(x[0], x[-1])
    low, high = fit.evaluate(np.array([x[0], x[-1]]))[0]
    axes.set_ylim(low / 300, high * 10)  # room for words
    axes.set_ylabel(r"$D/(c L)$")
    axes.legend(loc="upper left", fontsize=6.5)


def _formula(fit):
    name = "1/3" if abs(2 - fit.slope - 1 / 3) < 1e-3 else f"{2 - fit.slope:.3g}"
    a = diffusion_points.with_error(*fit.fit["a"])
    text = rf"fit: $\frac{{4}}{{3}}x^2 + (a x + b x^{{{name}}})"
    if fit.form == "cut-off":
        cut = diffusion_points.with_error(*fit.fit["cutoff"])
        return rf"{text}/[1 + (x/x_c)^2]$," "\n" rf"$a$ = {a}, $x_c$ = {cut}"
    return rf"{text}$, $a$ = {a}"


def _ratio(axes, strengths, fit):
    """Measured, scaled to L_c = L by the fit, over Harari et al.'s interpolation."""
    kolmogorov = abs(fit.slope - 5 / 3) < 1e-3
    what = "Harari et al." if kolmogorov else "fit"

    def reference(x):
        return theory.harari(x, 1.0) if kolmogorov else fit.evaluate(x)[0]

    for number, (_, group) in enumerate(strengths):
        x, length = np.array([p.x for p in group]), np.array([p.length for p in group])
        value, error, plateau = diffusion_points.values(group, "D_iso", drift=True)
        # to the coherence length L, which the curves have
        coherence = np.array([p.job.coherence_length for p in group]) / length
        shorter = fit.evaluate(x, coherence)[0] / fit.evaluate(x)[0]
        scale = reference(x) * length * shorter
        colour, marker = _look(number)
        diffusion_points.draw_points(axes, x, value / scale, error / scale, plateau, colour,
                                     marker)
    x = np.geomspace(fit.x.min() / 2, fit.x.max() * 2, 200)
    value, error = fit.evaluate(x)
    axes.plot(x, value / reference(x), color=style.BLACK, linewidth=0.9)
    axes.fill_between(x, (value - error) / reference(x), (value + error) / reference(x),
                      color="0.7", linewidth=0, zorder=0)
    if kolmogorov:
        limit = theory.small_angle(x, 1.0) / reference(x)
        valid = theory.VALID["small_angle"](x, 1.0)
        axes.plot(x[valid], limit[valid], color=style.ORANGE, linewidth=0.9)
        unknown = ~theory.VALID["harari"](x, 1.0)
        if unknown.any():
            axes.axvspan(x[0], x[unknown][-1], color="0.92", linewidth=0, zorder=-1)
            axes.text(x[0] * 1.15, 0.05, "fit of Harari et al.\nnot tested there", fontsize=6,
                      transform=axes.get_xaxis_transform())
    axes.axhline(1.0, color="0.4", linewidth=0.7, linestyle=":")
    axes.set_xlabel(r"$x = r_g/L$")
    axes.set_ylabel(f"$D$ / {what}")
    points = [point for _, group in strengths for point in group]
    note = diffusion_points.left_out(points, "D_iso")
    told = ["points scaled to $L_c = L$", f"open: no plateau{note and ';'}", *note.split(": ")]
    axes.text(0.97, 0.95, "\n".join(line for line in told if line), transform=axes.transAxes,
              fontsize=6, ha="right", va="top")  # fmt: skip
