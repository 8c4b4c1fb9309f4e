"""Grammage against the tilt of the regular field and the level of turbulence (Kachelriess 2018,
figure 3 left).

X = c rho h H/D_z with D_z = D_perp cos^2 + D_par sin^2 (`hpc_cr.diffusion.grammage`). D_par and
D_perp are those of the level fit at its rigidity, scaled to 10 GV with R^(1/3); dashed: other ways
to get there from what is measured at the level nearest to eta = 0.25 (`ways`), whose largest change
is the systematic error of the levels that are allowed.
"""

import numpy as np

from hpc_cr.diffusion import grammage as matter
from hpc_cr.figures import diffusion_level, diffusion_points, style
from hpc_cr.measurements.diffusion import BAND_PV

TILT = 30.0
"""Largest tilt that the paper calls not too large, degrees."""
ETA = (0.05, 2.0)
LABELS_AT = 75.0
"""Tilt at which the contours have their labels, degrees."""
NAMES = ("D_par", "D_perp")
GROWING = 0.25
"""r_g/L up to which exponents are measured that may hold below."""
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

    diffusion_points.without(options, "grammage", "stops", "data")
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
    others = ways(opened, options, levels)
    handles += _other_ways(axes, others, reference, fit, tilt, eta)
    for level in levels:
        axes.axhline(level.eta, xmax=0.03, color="white", linewidth=1.2, gid="measured")
    axes.axvline(TILT, color="white", linewidth=0.9)
    axes.set_yscale("log")
    axes.set_xlim(0, 90)
    axes.set_ylim(*ETA)
    style.short_log(axes.yaxis, "log", ETA)
    axes.set_xlabel("tilt of the field to the plane [deg]")
    axes.set_ylabel(r"$\eta = B_\mathrm{rms}/B_0$")
    axes.set_title(_title(levels, fit, reference, others), linespacing=1.3)
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
              r" $D_\parallel$ and $D_\perp\propto R^{1/3}$ (dashed, dotted: other ways)"),
        Line2D([], [], color="0.6", marker="_", linestyle="none",
               label="levels measured (ticks at the left); the rest is the fit"),
    ]  # fmt: skip


def _other_ways(axes, others, reference, fit, tilt, eta):
    """The same contours by other ways to scale; nothing with one rigidity."""
    from matplotlib.lines import Line2D

    handles = []
    for (name, exponents), look in zip(others.items(), (":", "--"), strict=False):
        plane = matter.tilt_plane(fit, reference, tilt, eta, exponents=exponents)
        axes.contour(tilt, eta, plane.x.T, levels=matter.ALLOWED, colors="white", linewidths=0.9,
                     linestyles=look)  # fmt: skip
        handles.append(Line2D([], [], color="0.5", linestyle=look, label=name))
    return handles


def ways(opened, options, levels):
    """Exponents with which D_par and D_perp of the level fit may be scaled down to 10 GV.

    From the rigidities of the level nearest to eta = 0.25 that has several: R^(1/3) from the
    lowest of them instead of the fit's, and from there on their own mean exponents.

    Returns
    -------
    dict of str to (float, float)
        Name for people -> exponents of D_par and D_perp from the fit's rigidity to 10 GV.
    """
    from dataclasses import replace

    setting = diffusion_level.setting(levels[0])
    every = replace(options, rigidities=())
    return ways_of([p for p in diffusion_points.select(opened, every, True, "grammage")
                    if diffusion_level.setting(p) == setting], levels[0].rigidity)  # fmt: skip


def ways_of(points, reference):
    """`ways` of points of one setting, from a rigidity in PV."""
    found = []
    for eta, group in diffusion_points.by(points, lambda p: round(p.eta, 3)):
        high = [p for p in group if abs(np.log(p.rigidity / reference)) < 1e-6]
        low = [p for p in group if p.rigidity <= reference * (1 + 1e-9) and p.x <= GROWING]
        laws = diffusion_level.mean_laws(low, NAMES)
        if high and len(laws) == len(NAMES):
            found.append((abs(np.log(eta / diffusion_level.ETA_GALAXY)), eta, low, high[0], laws))
    if not found:
        return {}
    _, eta, group, high, laws = min(found, key=lambda one: one[0])
    anchored, mean, ends = [], [], []
    for name in NAMES:
        low = min((p for p in group if p.found[name].state not in diffusion_points.BOUNDS),
                  key=lambda p: p.rigidity)  # fmt: skip
        # from the lowest rigidity down, as one exponent from the fit's rigidity on
        step = np.log(high.found[name].value / low.found[name].value)
        for exponents, power in ((anchored, 1 / 3), (mean, laws[name]["exponent"][0])):
            down = power * np.log(low.rigidity / BAND_PV)
            exponents.append(float((step + down) / np.log(high.rigidity / BAND_PV)))
        ends.append(low.rigidity)
    shown = ", ".join(diffusion_points.with_error(*laws[name]["exponent"]) for name in NAMES)
    low = " and ".join(style.rigidity(one) for one in sorted(set(ends)))
    return {
        rf"$R^{{1/3}}$ from {low} ($\eta$ = {style.number(eta, 2)})": tuple(anchored),
        rf"from there with the mean exponents up to $r_g = L/4$: {shown}": tuple(mean),
    }


def _title(levels, fit, reference, others):
    """What was scaled from where, and which levels are allowed at the tilt of the paper."""
    job = levels[0].job
    name = diffusion_points.spectrum_name(job.turbulence.slope)
    first = (rf"{name}, $L_\mathrm{{max}}$ = {style.number(job.turbulence.outer_scale, 3)} pc,"
             rf" total field {style.number(levels[0].total_field, 3)} $\mu$G")
    second = (f"scaled from {style.rigidity(reference)} to {style.rigidity(BAND_PV)};"
              f" {diffusion_points.counts(levels)}")  # fmt: skip
    return "\n".join([first, second, statement(fit, reference, others)])


def statement(fit, reference, others=None):
    """Levels allowed at the tilt of the paper, in words; errors with those of other ways."""
    found = matter.allowed_range(fit, reference, TILT, ETA, (others or {}).values())
    if not found:
        limits = matter.tilt_plane(fit, reference, [TILT], np.geomspace(*ETA, 50)).x
        told = "every level" if matter.allowed(limits).all() else "no level"
        return f"tilt {TILT:g} deg: {told} from {ETA[0]:g} to {ETA[1]:g} allowed"
    shown = [diffusion_points.with_error(one.eta, one.total) if np.isfinite(one.total)
             else f"{style.number(one.eta)}, by other ways none" for one in found]  # fmt: skip
    text = " to ".join(f"({one})" for one in shown)
    if len(found) == 1:
        side = "above" if found[0].x == matter.ALLOWED[0] else "below"
        text = f"{side} {text}"
    return rf"tilt {TILT:g} deg: allowed $\eta$ = {text}"
