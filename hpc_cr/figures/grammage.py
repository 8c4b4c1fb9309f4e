"""Grammage against the tilt of the regular field and the level of turbulence (Kachelriess 2018,
figure 3 left).

X = c rho h H/D_z with D_z = D_perp cos^2 + D_par sin^2 (`hpc_cr.diffusion.grammage`). D_par and
D_perp are those of the level fit at its rigidity, scaled to 10 GV with R^(1/3); dashed: D_perp
with the exponent that is measured.
"""

import numpy as np

from hpc_cr.diffusion import fits
from hpc_cr.diffusion import grammage as matter
from hpc_cr.figures import diffusion_level, diffusion_points, style
from hpc_cr.measurements.diffusion import BAND_PV

TILT = 30.0
"""Largest tilt that the paper calls not too large, degrees."""
ETA = (0.05, 2.0)
LABELS_AT = 75.0
"""Tilt at which the contours have their labels, degrees."""
SHOWN = (0.3, 300.0)
"""Range of the colours, g/cm^2."""


def draw(opened, options):
    """The plane of tilt and level, for the levels at one rigidity (`--rigidity`).

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
    from matplotlib.colors import LogNorm
    from matplotlib.figure import Figure

    _, levels = diffusion_level.level_points(opened, options, "grammage")
    fit = diffusion_level.level_fit(levels, "grammage")
    reference = levels[0].rigidity
    figure = Figure(figsize=(4.2, 4.3), layout="constrained")
    axes = figure.add_subplot()
    tilt, eta = np.linspace(0.0, 90.0, 181), np.geomspace(*ETA, 200)
    plane = matter.tilt_plane(fit, reference, tilt, eta)
    mesh = axes.pcolormesh(tilt, eta, np.clip(plane.x, *SHOWN).T, norm=LogNorm(*SHOWN),
                           cmap="cividis", rasterized=True)  # fmt: skip
    bar = figure.colorbar(mesh, ax=axes, pad=0.02, extend="both")
    bar.set_label(r"grammage $X$ at 10 GV [g cm$^{-2}$]")
    handles = _allowed(axes, plane.x, tilt, eta)
    handles += _measured_growth(axes, opened, options, levels, fit, tilt, eta)
    for level in levels:
        axes.axhline(level.eta, xmax=0.03, color="white", linewidth=1.2, gid="measured")
    axes.axvline(TILT, color="white", linewidth=0.9)
    axes.set_yscale("log")
    axes.set_xlim(0, 90)
    axes.set_ylim(*ETA)
    style.short_log(axes.yaxis, "log", ETA)
    axes.set_xlabel("tilt of the field to the plane [deg]")
    axes.set_ylabel(r"$\eta = B_\mathrm{rms}/B_0$")
    axes.set_title(_title(levels, fit, reference), linespacing=1.3)
    figure.legend(handles=handles, loc="outside lower center", ncols=1)
    return figure


def _allowed(axes, x, tilt, eta):
    """Contours of the allowed grammage, hatched between them."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    axes.contourf(tilt, eta, x.T, levels=matter.ALLOWED, colors="none", hatches=["////"])
    axes.contour(tilt, eta, x.T, levels=matter.ALLOWED, colors=style.VERMILLION, linewidths=2.0)
    # under the lower contour and over the upper one, where they are far apart
    column = x[np.searchsorted(tilt, LABELS_AT)]
    for limit, side in zip(matter.ALLOWED, ("top", "bottom"), strict=True):
        crossed = np.flatnonzero(np.diff(np.sign(column - limit)))
        if len(crossed):
            place = eta[crossed[0]] * (0.95 if side == "top" else 1.06)
            axes.text(LABELS_AT, place, rf"{limit:g} g cm$^{{-2}}$", va=side, ha="center",
                      fontsize=7, color="white")  # fmt: skip
    low, high = matter.ALLOWED
    return [
        Patch(facecolor="white", edgecolor=style.VERMILLION, hatch="////",
              label=rf"allowed: {low:g} $\leq X \leq$ {high:g} g cm$^{{-2}}$,"
              r" $D_\parallel$ and $D_\perp\propto R^{1/3}$"),
        Line2D([], [], color="0.6", marker="_", linestyle="none",
               label="levels measured (ticks at the left); the rest is the fit"),
    ]  # fmt: skip


def _measured_growth(axes, opened, options, levels, fit, tilt, eta):
    """The same contours with the measured exponent of D_perp; nothing with one rigidity."""
    from dataclasses import replace

    from matplotlib.lines import Line2D

    exponent = perp_exponent(opened, replace(options, rigidities=()), levels)
    if exponent is None:
        return []
    plane = matter.tilt_plane(fit, levels[0].rigidity, tilt, eta,
                              exponents=(1 / 3, exponent[0]))  # fmt: skip
    axes.contour(tilt, eta, plane.x.T, levels=matter.ALLOWED, colors="white", linewidths=0.7,
                 linestyles="--")  # fmt: skip
    shown = diffusion_points.with_error(*exponent)
    return [Line2D([], [], color="0.5", linestyle="--",
                   label=rf"limits with $D_\perp\propto R^a$ as measured, $a$ = {shown}")]


def perp_exponent(opened, options, levels):
    """Exponent of D_perp with rigidity, of the level nearest to eta = 0.25 that has several.

    Returns
    -------
    (exponent, error) or None
    """
    setting = diffusion_level.setting(levels[0])
    family = [p for p in diffusion_points.select(opened, options, True, "grammage")
              if diffusion_level.setting(p) == setting]  # fmt: skip
    found = []
    for eta, group in diffusion_points.by(family, lambda p: round(p.eta, 3)):
        try:
            laws = diffusion_level.energy_laws(group)
        except fits.FitError:
            continue
        if laws:
            found.append((abs(np.log(eta / diffusion_level.ETA_GALAXY)), laws["D_perp"]))
    return min(found, key=lambda pair: pair[0])[1]["exponent"] if found else None


def _title(levels, fit, reference):
    """What was scaled from where, and which levels are allowed at the tilt of the paper."""
    job = levels[0].job
    name = diffusion_points.spectrum_name(job.turbulence.slope)
    first = (rf"{name}, $L_\mathrm{{max}}$ = {style.number(job.turbulence.outer_scale, 3)} pc,"
             rf" total field {style.number(levels[0].total_field, 3)} $\mu$G")
    second = (f"scaled from {style.rigidity(reference)} to {style.rigidity(BAND_PV)};"
              f" {diffusion_points.counts(levels)}")  # fmt: skip
    return "\n".join([first, second, statement(fit, reference)])


def statement(fit, reference):
    """Levels allowed at the tilt of the paper, in words."""
    found = matter.allowed_levels(fit, reference, TILT, ETA)
    if not found:
        return f"tilt {TILT:g} deg: no level allowed, or all"
    shown = [diffusion_points.with_error(eta, error) for eta, error, _ in found]
    text = " to ".join(f"({one})" for one in shown)
    if len(found) == 1:
        side = "above" if found[0][2] == matter.ALLOWED[0] else "below"
        text = f"{side} {text}"
    return rf"tilt {TILT:g} deg: allowed $\eta$ = {text}"
