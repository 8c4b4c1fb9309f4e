"""Escape from the Galaxy: mean escape time and grammage against rigidity.

Power laws are put through the rigidities whose gyroradius at the Sun is below the turbulence's
coherence length (`resonant`), where waves of the particles' own scale scatter them. Close to that
length they are steeper than far below, where a Kolmogorov spectrum has D ~ R^(1/3). Particles that
started near the Sun, where B/C is measured, are shown as well: those from the inner Galaxy leave
much sooner. Their lowest rigidity is carried on to 10 GV in two ways: as R^(-1/3), and as 1/D(R) of
isotropic turbulence with its transition (Harari et al. 2014). Beside them what B/C allows, 5-15
g/cm^2 at 10 GV falling as R^(-1/3), the residence time of Kachelriess 2018 (arXiv:1811.02419), "few
times 1e7 yr (R/5 GV)^(-1/3)" (drawn: 2 to 5), and straight flight.
"""

from typing import NamedTuple

import numpy as np

from hpc_cr.config.scales import gyroradius
from hpc_cr.diffusion import fits, grammage, theory
from hpc_cr.figures import panels, style
from hpc_cr.figures.panels import FigureError
from hpc_cr.io.escape import MYR_PER_PC, NEAR_SUN

TEN_GV = 1e-5
"""PV."""
TIME_MYR, TIME_AT_PV = (20.0, 50.0), 5e-6
"""Residence time of the paper, "few times 1e7 yr", and the rigidity that it holds at."""
SLOPE = -1.0 / 3.0


PARTICLES = ("particles.rigidities", "particles.count", "run.realisations",
             "run.first_realisation")  # fmt: skip
"""Settings in which cases of one curve may differ."""


class Curve(NamedTuple):
    """Cases that differ in their particles only: points by rigidity, ascending, and power laws."""

    label: str
    rigidity: np.ndarray  # PV
    time: np.ndarray  # Myr, mean and error (n, 2)
    grammage: np.ndarray  # g/cm^2, mean and error (n, 2)
    near: dict  # "time", "grammage" -> the same (n, 2) of starts near the Sun (NEAR_SUN)
    escapes: tuple  # of hpc_cr.io.escape.Escapes
    escapes_near: tuple  # the same of starts near the Sun
    resonant: np.ndarray  # (n,) of bool: the power laws' points
    fits: dict  # "time", "grammage" -> hpc_cr.diffusion.fits.Fit at 1 PV, or None
    job: object  # of the first case

    def lowest(self, name):
        """Time or grammage at the lowest rigidity and its error, of starts near the Sun."""
        return self.near[name][0]

    def kolmogorov(self, name):
        """Time (Myr) or grammage (g/cm^2) near the Sun as R^(-1/3) at 10 GV, and error.

        Parameters
        ----------
        name : "time" or "grammage"
        """
        return self.lowest(name) * (TEN_GV / self.rigidity[0]) ** SLOPE

    def isotropic(self, name, rigidity=TEN_GV):
        """The same as 1/D(R) of isotropic turbulence of the Sun's field, at a rigidity in PV."""
        turbulence = self.job.turbulence
        length = fits.unit_length(turbulence.outer_scale, turbulence.slope)
        here, there = (theory.harari(gyroradius(r, self.job.b_ref), length)
                       for r in (self.rigidity[0], rigidity))
        return np.multiply.outer(self.lowest(name), here / there)


def resonant(job):
    """Rigidities whose gyroradius in the reference field is below L_c, (n_rig,) of bool."""
    return job.gyroradii < job.coherence_length


def curves(cases, options):
    """Points and power laws, cases that differ in their particles only being one curve.

    Parameters
    ----------
    cases : sequence of hpc_cr.io.escape.EscapeResults
    options : hpc_cr.figures.panels.Options

    Returns
    -------
    list of Curve
        Without those where nothing escaped yet.

    Raises
    ------
    FigureError
        No case has a rigidity that the options name.
    """
    groups, missed = {}, None
    for case in cases:
        try:
            chosen = panels.rigidity_indices(case, options.rigidities, "all")
        except FigureError as error:
            missed = error  # another case may have it
            continue
        shared = {k: v for k, v in case.job.settings().items() if k not in PARTICLES}
        groups.setdefault(repr(shared), []).append((case, chosen))
    if missed is not None and not groups:
        raise missed
    names = [", ".join(case.case for case, _ in group) * (len(groups) > 1)
             for group in groups.values()]  # fmt: skip
    found = [_curve(name, group) for name, group in zip(names, groups.values(), strict=True)]
    return [one for one in found if one is not None]


def _curve(label, group):
    """Curve of pairs of a case and indices of its rigidities, or None."""
    points = [(float(case.rigidities[i]), case.escapes(i), case.escapes(i, NEAR_SUN),
               bool(resonant(case.job)[i]))
              for case, chosen in group for i in chosen if case.done[:, i].any()]  # fmt: skip
    points = sorted((p for p in points if p[1].n > 1), key=lambda p: p[0])
    if not points:
        return None
    rigidity, every, near, low = zip(*points, strict=True)
    rigidity, low = np.array(rigidity), np.array(low)
    (time, column), (near_time, near_column) = (
        (MYR_PER_PC * np.array([(e.time, e.time_error) for e in some]),
         np.array([(e.grammage, e.grammage_error) for e in some])) for some in (every, near)
    )  # fmt: skip
    laws = {name: _power_law(rigidity[low], values[low])
            for name, values in (("time", time), ("grammage", column))}
    return Curve(label, rigidity, time, column, {"time": near_time, "grammage": near_column},
                 every, near, low, laws, group[0][0].job)


def _power_law(rigidity, values):
    """Power law, its amplitude at 1 PV; None from a single point."""
    try:
        return fits.fit_power_law(rigidity, *values.T)
    except fits.FitError:
        return None


def draw(opened, options):
    """One colour per curve.

    Parameters
    ----------
    opened : sequence of hpc_cr.io.escape.EscapeResults
    options : hpc_cr.figures.panels.Options

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    FigureError
        Nothing escaped yet, or no such case or rigidity.
    """
    panels.check_cases(opened, options)
    cases = [case for file in opened for case in file.each_case()
             if not options.cases or case.case in options.cases]
    found = curves(cases, options)
    if not found:
        raise FigureError(f"{opened[0].path}: no particle has escaped yet")
    figure, (left, right) = style.panels(2, 3.0, extra=0.55)
    rigidity = np.array([0.5 * TEN_GV, 2.0 * max(c.rigidity.max() for c in found)])
    below = [c.rigidity[c.resonant].max() for c in found if c.resonant.any()]
    band = np.array([rigidity[0], max(below, default=found[0].rigidity[0])])
    time = [level * (band / TIME_AT_PV) ** SLOPE for level in TIME_MYR]
    left.fill_between(band, *time, color=style.GREY, alpha=0.25, linewidth=0)
    column = [level * (band / TEN_GV) ** SLOPE for level in grammage.ALLOWED]
    right.fill_between(band, *column, color=style.GREY, alpha=0.25, linewidth=0)
    height = cases[0].job.boundary.half_height
    left.axhline(height * MYR_PER_PC, color=style.BLACK, linestyle=":", linewidth=0.9)
    for number, each in enumerate(found):
        colour = style.SEQUENCE[number % len(style.SEQUENCE)]
        for axes, values, name in ((left, each.time, "time"), (right, each.grammage, "grammage")):
            _points(axes, each, values, name, colour)
    for axes, label in ((left, "escape time [Myr]"), (right, r"grammage [g/cm$^2$]")):
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlim(*rigidity)
        axes.set_xlabel("rigidity [PV]")
        axes.set_ylabel(label)
    figure.suptitle(_title(cases[0].job), fontsize=8)
    style.legend_below(figure, _handles(found), 2 if len(found) < 3 else 3)
    return figure


def _points(axes, each, values, name, colour):
    """Points with errors and the power law; hollow where no wave resonates."""
    for chosen, face in ((each.resonant, colour), (~each.resonant, "white")):
        axes.errorbar(each.rigidity[chosen], values[chosen, 0], values[chosen, 1], color=colour,
                      marker="o", markersize=3.5, markerfacecolor=face, linestyle="none",
                      capsize=1.5, elinewidth=0.9, zorder=3)  # fmt: skip
    near = each.near[name]
    axes.errorbar(0.93 * each.rigidity, near[:, 0], near[:, 1], color=colour, marker="D",
                  markersize=3.0, markerfacecolor="white", markeredgewidth=0.7, linestyle="none",
                  capsize=1.5, elinewidth=0.7, zorder=2)  # fmt: skip
    if each.resonant[0] and np.isfinite(each.lowest(name)[0]):
        x = np.geomspace(TEN_GV, each.rigidity[0], 50)
        axes.plot(x[[0, -1]], [each.kolmogorov(name)[0], each.lowest(name)[0]], color=colour,
                  linewidth=0.7)  # fmt: skip
        axes.plot(x, each.isotropic(name, x)[0], color=colour, linewidth=0.7, linestyle="-.")
    law = each.fits[name]
    if law is None:
        return
    fitted = each.rigidity[each.resonant]
    x = np.geomspace(0.7 * fitted.min(), 1.4 * fitted.max(), 50)
    axes.plot(x, law.values[0] * x ** law.values[1], color=colour, linewidth=1.4, linestyle="--")


def _title(job):
    turbulence, boundary = job.turbulence, job.boundary
    model = {"none": "no regular field", "uniform": "uniform field", "jf12": "JF12"}
    level = f"{style.number(turbulence.rms, 2)} uG".replace("uG", r"$\mu$G")
    return (f"{model[job.regular.model]}, turbulence {level} at the Sun, $L_\\mathrm{{max}}$ ="
            f" {style.number(turbulence.outer_scale, 3)} pc; halo $|z|$ <"
            f" {style.number(boundary.half_height / 1e3, 2)} kpc,"
            f" $r$ < {style.number(boundary.radius / 1e3, 2)} kpc")  # fmt: skip


def _handles(found):
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles = []
    for number, each in enumerate(found):
        slopes = []
        for name, symbol in (("time", r"\tau"), ("grammage", "X")):
            if each.fits[name] is not None:
                value, error = each.fits[name]["exponent"]
                error = f"{error:.2f}" if np.isfinite(error) else "?"
                slopes.append(rf"${symbol}\propto R^{{{value:.2f}\pm{error}}}$")
        name = f"{each.label}, all starts: " if each.label else "all starts: "
        handles.append(Line2D([], [], color=style.SEQUENCE[number % len(style.SEQUENCE)],
                              marker="o", markersize=3.5, linestyle="--", linewidth=1.0,
                              label=name + (", ".join(slopes) or "no fit")))  # fmt: skip
    near = NEAR_SUN
    few = "-".join(f"{level / 10:g}" for level in TIME_MYR)
    low, high = grammage.ALLOWED
    return [
        *handles,
        Patch(color=style.GREY, alpha=0.25, linewidth=0,
              label=rf"left: {few}$\times10^7$ yr $(R/5\,$GV$)^{{-1/3}}$; right: {low:g}-{high:g}"
              r" g/cm$^2$ $(R/10\,$GV$)^{-1/3}$"),  # fmt: skip
        Line2D([], [], color="0.3", marker="D", markersize=3.0, markerfacecolor="white",
               linestyle="none",
               label=f"starts at {near[0] / 1e3:g} < $r$ < {near[1] / 1e3:g} kpc"),  # fmt: skip
        Line2D([], [], color="0.3", linewidth=0.7,
               label=r"of these: from the lowest as $R^{-1/3}$"),  # fmt: skip
        Line2D([], [], color="0.3", linewidth=0.7, linestyle="-.",
               label="as $1/D(R)$ without regular field"),  # fmt: skip
        Line2D([], [], color=style.BLACK, linestyle=":", linewidth=0.9,
               label="half height of the halo / $c$"),  # fmt: skip
        Line2D([], [], color="0.3", marker="o", markersize=3.5, markerfacecolor="white",
               linestyle="none",
               label="$r_g$ at the Sun beyond $L_c$: not in the fit"),  # fmt: skip
    ]
