"""Published dipoles drawn beside predictions: which, how they look, what the legend says.

Measured amplitudes are those of the first harmonic in right ascension as printed, of the equatorial
dipole or of a band of declinations (`hpc_cr.measurements.dipole`), at the energy of the primary; a
prediction stands at a rigidity, which is the energy of a proton (1 PV: 1 PeV).
"""

from typing import NamedTuple

import numpy as np

from hpc_cr.figures import style
from hpc_cr.figures.panels import FigureError
from hpc_cr.measurements import dipole, dipole_limits

GID = "measured"
"""Mark of every artist that shows a measurement."""
COLOURS = {"air showers": style.VERMILLION, "muons in ice": style.PURPLE,
           "underground muons": style.PURPLE}  # fmt: skip
OTHER_COLOUR = style.SKY
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "p", "*", "h", "d", "H", "8")
FILLED = ("full", "none", "left")
"""Markers begin again, then open, then half filled."""


def chosen(options):
    """Points that `options.data` asks for, without those that figures leave out.

    Parameters
    ----------
    options : hpc_cr.figures.panels.Options

    Returns
    -------
    tuple of hpc_cr.measurements.dipole.DipolePoint

    Raises
    ------
    FigureError
        Unknown experiment, or a renewed table that cannot be read.
    """
    try:
        return dipole.for_figures(dipole.choose(dipole.current().points, options.data))
    except dipole.TableError as error:
        raise FigureError(f"--data: {error}") from None


def within(points, low, high):
    """Points with energies (PeV) from low to high, in the order of energy."""
    return tuple(sorted((p for p in points if low <= p.energy <= high), key=lambda p: p.energy))


def require(options, points, place):
    """A FigureError for an experiment that was named but has no point here.

    Parameters
    ----------
    options : hpc_cr.figures.panels.Options
    points : sequence with .experiment
        What some panel shows.
    place : str
        Where points were looked for: "between ... and ... PeV".
    """
    if options.data.strip().casefold() in ("all", "none"):
        return
    own = chosen(options)
    for name in sorted({p.experiment for p in own} - {p.experiment for p in points}):
        if name == "KASCADE":
            low, high = (p.energy for p in dipole_limits.rows(dipole_limits.KASCADE))
            raise FigureError(
                f"--data: KASCADE's limit is known between {low:g} and {high:g} PeV; dipole-energy"
                " and right-ascension draw its two ends, dipole-longitude what lies between"
            )
        energies = ", ".join(f"{p.energy:.3g}" for p in own if p.experiment == name)
        raise FigureError(f"--data: {name} has no point {place}; it has {energies} PeV")


def looks(points):
    """Marker and colour of each experiment: the colour tells the technique, the marker which one.

    Returns
    -------
    dict
        Experiment -> keyword arguments of a line, by technique and then alphabetically.
    """
    technique = {p.experiment: p.technique for p in points}
    order = sorted(technique, key=lambda name: (technique[name], name.casefold()))
    found = {}
    for number, name in enumerate(order):
        again, marker = divmod(number, len(MARKERS))
        found[name] = {"color": COLOURS.get(technique[name], OTHER_COLOUR),
                       "marker": MARKERS[marker],
                       "fillstyle": FILLED[again % len(FILLED)]}  # fmt: skip
    return found


def grouped_looks(points):
    """One look per technique, for too many experiments to tell them all apart.

    Returns
    -------
    dict
        Experiment -> keyword arguments of a line.
    """
    shapes = {"air showers": "o", "muons": "s"}
    return {p.experiment: {"color": "0.35" if _technique(p) == "air showers" else style.SKY,
                           "marker": shapes.get(_technique(p), "^"), "fillstyle": "none"}
            for p in points}  # fmt: skip


def grouped_handles(points, look):
    """Legend entries of `grouped_looks`, one per technique."""
    from matplotlib.lines import Line2D

    found = {_technique(p): look[p.experiment] for p in points}
    return [Line2D([], [], linestyle="none", markersize=3.4, label=f"measured: {name}", **one)
            for name, one in sorted(found.items())]  # fmt: skip


def _technique(point):
    """Air showers, muons underground or in ice, or else."""
    if point.technique == "air showers":
        return point.technique
    return "muons" if "muons" in point.technique else "other"


def draw_against_energy(axes, points, look):
    """Amplitudes with errors, upper limits with an arrow downwards.

    Parameters
    ----------
    axes : matplotlib Axes
        x in PV or PeV, y the amplitude, both logarithmic.
    points : sequence of DipolePoint
    look : dict
        From `looks`.
    """
    for name in dict.fromkeys(p.experiment for p in points):
        for limit in (False, True):
            own = [p for p in points if p.experiment == name and p.upper_limit == limit]
            if own:
                _draw(axes, own, limit, look[name])


def _draw(axes, own, limit, look):
    amplitude = np.array([p.amplitude for p in own])
    errors = np.array([p.errors for p in own]).T
    if limit:
        errors = np.array([0.3 * amplitude, 0 * amplitude])  # the length of the arrow
    drawn = axes.errorbar(
        [p.energy for p in own],
        amplitude,
        errors,
        uplims=limit,
        linestyle="none",
        markersize=3.4,
        markeredgewidth=0.6,
        elinewidth=0.7,
        capsize=0 if not limit else 1.5,
        alpha=0.85,
        zorder=3,
        label=f"{GID} {own[0].experiment}",
        **look,
    )
    for artist in (drawn.lines[0], *drawn.lines[1], *drawn.lines[2]):
        artist.set_gid(GID)


def turned(angle):
    """Degrees within [-70, 290), so that neither side of the local field is cut in two."""
    return (angle + 70) % 360 - 70


def draw_phases(axes, points, look):
    """Phases with errors, `turned`.

    Parameters
    ----------
    axes : matplotlib Axes
        x in PV or PeV, y in degrees from -70 to 290.
    points : sequence of DipolePoint
    look : dict
        From `looks` or `grouped_looks`.
    """
    own = [p for p in points if not p.upper_limit and np.isfinite(p.phase_deg)]
    for name in dict.fromkeys(p.experiment for p in own):
        some = [p for p in own if p.experiment == name]
        errors = np.nan_to_num([(p.phase_low_deg, p.phase_high_deg) for p in some]).T
        axes.errorbar([p.energy for p in some], [turned(p.phase_deg) for p in some], errors,
                      linestyle="none", markersize=3.4, alpha=0.85, markeredgewidth=0.6,
                      elinewidth=0.7, zorder=3, **look[name])  # fmt: skip


def handles(points, look):
    """Legend entries, one per experiment, in the order of `looks`."""
    from matplotlib.lines import Line2D

    kinds = {}
    for p in points:
        kinds.setdefault(p.experiment, set()).add(p.upper_limit)
    return [
        Line2D([], [], linestyle="none", markersize=3.8, markeredgewidth=0.6, **look[name],
               label=name + (" (limit)" if kinds[name] == {True} else ""))
        for name in look if name in kinds
    ]  # fmt: skip


def heading(separator=" "):
    """Heading of the legend: what is shown, and whether the table has been renewed."""
    text = f"measured in right ascension{separator}(at the energy of protons)"
    renewed = dipole.current().renewed
    return f"{text}\ntable renewed {renewed}" if renewed else text


def legends(figure, lines, points, look):
    """Legends below the panels: the prediction's lines, and the measurements in two columns.

    Beside each other on a wide figure, with their tops at one height.

    Parameters
    ----------
    figure : matplotlib Figure
        At single or double column width.
    lines : list
        Handles of the prediction, with labels.
    points : sequence of DipolePoint
        Measurements in any panel; none, no legend for them.
    look : dict
        From `looks`.
    """
    from matplotlib.lines import Line2D

    measured = handles(points, look)
    narrow = figure.get_figwidth() < 1.5 * style.SINGLE
    if not measured:
        style.legend_below(figure, lines, 2 if narrow else 4)
        return
    common = {"columnspacing": 1.0, "handletextpad": 0.5, "borderaxespad": 0.2}
    if not narrow:
        left = figure.legend(handles=lines, ncols=2, loc="outside lower left", **common)
        right = figure.legend(handles=measured, ncols=2, loc="outside lower right",
                              title=heading(), title_fontsize=7, alignment="left",
                              **common)  # fmt: skip
        _align_tops(figure, left, right)
        return
    # one legend: constrained layout does not stack two of them at one side
    title = Line2D([], [], linestyle="none", label=heading("\n"))
    entries = [*lines, title, *measured]
    if len(entries) % 2:
        entries.append(Line2D([], [], linestyle="none", label=" "))
    figure.legend(handles=entries, ncols=2, loc="outside lower center", **common)


def _align_tops(figure, *legends):
    """Raise legends at the lower edge to the top of the highest, for which room is left."""
    heights = [legend.get_window_extent().height for legend in legends]
    for legend, height in zip(legends, heights, strict=True):
        if height < max(heights):
            lift = (max(heights) - height) / figure.bbox.height
            legend.set_bbox_to_anchor((0.0, lift, 1.0, 1.0), figure.transFigure)


class Band(NamedTuple):
    """A measurement near one energy; energy in PeV, amplitude and errors dimensionless."""

    experiment: str
    energy: float
    amplitude: float
    errors: tuple  # downwards, upwards; 0, 0 for an upper limit
    upper_limit: bool


def near(rigidity, options):
    """Measurements to hold against predictions at one rigidity, at most one per experiment.

    Parameters
    ----------
    rigidity : float
        PV; compared with energies in PeV, that is, for protons.
    options : hpc_cr.figures.panels.Options
        With data "all": KASCADE and EAS-TOP 2009, with which Mertsch & Funk 2015 compare; by name:
        each experiment's point that lies closest.

    Returns
    -------
    list of Band
        Within half a decade; KASCADE's limit is interpolated between 0.7 and 6 PeV.
    """
    points = chosen(options)
    names = dipole.experiments(points)
    if options.data.strip().casefold() == "all":
        names = ["KASCADE", "EAS-TOP"]
        points = dipole_limits.rows(dipole_limits.EAS_TOP)
    found = []
    for name in names:
        if name == "KASCADE":
            limit = float(dipole_limits.kascade_limit(rigidity))
            found += [Band(name, rigidity, limit, (0.0, 0.0), True)] if np.isfinite(limit) else []
            continue
        own = [p for p in points if p.experiment == name
               and abs(np.log10(p.energy / rigidity)) <= NEAR]  # fmt: skip
        if own:
            p = min(own, key=lambda p: abs(np.log10(p.energy / rigidity)))
            errors = (0.0, 0.0) if p.upper_limit else p.errors
            found.append(Band(name, p.energy, p.amplitude, errors, p.upper_limit))
    return found


NEAR = 0.5
"""Largest distance in decades of energy."""
_LIMIT = {"color": style.SKY, "linewidth": 1.4}


def band_looks(shown):
    """Look of the band of each experiment: grey for EAS-TOP, as in the paper, colours for others.

    Parameters
    ----------
    shown : list of list of Band
        Of all panels.
    """
    names = dict.fromkeys(b.experiment for bands in shown for b in bands if not b.upper_limit)
    colours = iter(2 * (style.PURPLE, style.GREEN, style.YELLOW, style.SKY, style.BLUE))
    found = {}  # bands of more than ten experiments cannot be told apart anyway
    for name in names:
        found[name] = {"facecolor": "0.5" if name == "EAS-TOP" else next(colours, "0.3"),
                         "alpha": 0.28, "linewidth": 0}  # fmt: skip
    return found


def draw_across(axes, bands, factor, look):
    """Upper limits as lines with an arrow downwards, other measurements as bands of one sigma.

    Parameters
    ----------
    axes : matplotlib Axes
        y: amplitude times factor, logarithmic.
    bands : list of Band
    factor : float
    look : dict
        From `band_looks`.
    """
    for number, band in enumerate(bands):
        value = band.amplitude * factor
        if band.upper_limit:
            axes.axhline(value, zorder=1, gid=band.experiment, **_LIMIT)
            arrow = {"arrowstyle": "<-", "linewidth": 1.2, "color": style.SKY,
                     "shrinkA": 0, "shrinkB": 0}  # fmt: skip
            axes.annotate("", (0.04 + 0.05 * number, value), (0, -9), zorder=1, arrowprops=arrow,
                          xycoords=axes.get_yaxis_transform(), textcoords="offset points",
                          gid="limit")  # fmt: skip
        else:
            low, high = (value - band.errors[0] * factor, value + band.errors[1] * factor)
            axes.axhspan(low, high, zorder=1, gid=band.experiment, **look[band.experiment])


def band_handles(shown, options, look):
    """Legend entries of the bands of all panels.

    Parameters
    ----------
    shown : list of list of Band
    options : hpc_cr.figures.panels.Options
    look : dict
        From `band_looks`.
    """
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles = []
    for band in dict.fromkeys(band for bands in shown for band in bands):
        text = f"{band.experiment} {band.energy:.3g} PeV"
        if band.upper_limit:
            handles.append(Line2D([], [], label=f"{text} (limit)", **_LIMIT))
        else:
            handles.append(Patch(label=text, **look[band.experiment]))
    renewed = dipole.current().renewed
    if handles and renewed and options.data.strip().casefold() != "all":
        handles.append(Line2D([], [], linestyle="none", label=f"table renewed {renewed}"))
    return handles
