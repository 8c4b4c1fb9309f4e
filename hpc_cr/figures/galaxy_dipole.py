"""Dipole of a galaxy job in right ascension against energy, with measurements.

Amplitude of the equatorial dipole, |delta| cos(declination), above, right ascension of its maximum
below, of all nuclei at one total energy (Li, Yuan, Liu & Guo 2021, arXiv:2107.00313, figures 3 to
5). Pairs of panels, as far as the file has cases for them:

    the first case with its local field and without, and cases in other modes (without it only
    where the local source does not spread along it); alone, where no case has a local field
    the first case by mass group: the phase turns where each group's local source ends
    cases that differ from the first with a local field in D_perp/D_par alone
    cases that differ from it in the exponent of its rise with rigidity alone

Measured points stand at the energy of the primary.
"""

from typing import NamedTuple

import numpy as np

from hpc_cr.coordinates import rotation_to
from hpc_cr.detector import harmonics
from hpc_cr.figures import galaxy_groups, measured, style
from hpc_cr.figures.galaxy_cases import select
from hpc_cr.figures.panels import FigureError
from hpc_cr.frames import lon_lat, unit_vector

GEV_PER_PEV = 1e6
AMPLITUDES = (1e-6, 2e-2)
_TICKS = (0, 90, 180, 270)
_GREYS = ("0.0", "0.35", "0.55", "0.7")
_STYLES = ("-", "--", "-.", ":")


class Curve(NamedTuple):
    """One line in a pair of panels: what the legend says, dipoles (n, 3), how it looks."""

    label: str  # empty: not in the legend
    energy: np.ndarray  # total, GeV
    dipoles: np.ndarray
    look: dict


def draw(opened, options):
    """Pairs of panels, amplitude above phase, two abreast.

    Parameters
    ----------
    opened : sequence of hpc_cr.io.galaxy.GalaxyResults
    options : hpc_cr.figures.panels.Options
        cases (the first of those chosen is what others are compared with), data.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    FigureError
        No energy at which all nuclei are known, no known flux there, an unknown experiment, or
        one without points.
    """
    cases = select(opened, options)
    if not cases:
        raise FigureError(f"{opened[0].path}: nothing to draw")
    low, high = galaxy_groups.energies(cases[0])[[0, -1]] / GEV_PER_PEV
    shown = measured.within(measured.chosen(options), low, high)
    measured.require(options, shown, f"between {low:.3g} and {high:.3g} PeV")
    everything = options.data.strip().casefold() == "all"
    look = measured.grouped_looks(shown) if everything else measured.looks(shown)
    handles = (measured.grouped_handles if everything else measured.handles)(shown, look)
    found = [(title, own) for title, own in _pairs(cases) if own]
    if not np.isfinite(found[0][1][0].dipoles).any():
        raise FigureError(f"{cases[0].path}: the flux of some nucleus is not known at any energy")
    figure, pairs = _axes(len(found), 0.35 + 0.15 * -(-len(handles) // 3))
    for number, ((title, curves), pair) in enumerate(zip(found, pairs, strict=True)):
        _pair(pair, curves, next(filter(_has_field, cases), cases[0]))
        measured.draw_against_energy(pair[0], shown, look)
        measured.draw_phases(pair[1], shown, look)
        pair[0].set_title(title)
        _label(pair, *style.bottom_and_sides(len(found))[number])
        pair[0].set_xlim(low, high)
    if handles:
        style.legend_below(figure, handles, 3 if len(found) > 1 else 2)
    return figure


def _pairs(cases):
    """Title and curves of each pair of panels."""
    first, turned = cases[0], [case for case in cases if _has_field(case)]
    title = "with and without the local field" if turned else "isotropic diffusion"
    yield title, _modes(cases)
    yield f"mass groups, {galaxy_groups.mode(first)}", _groups(first)
    if not turned:
        return
    at, mode = 1e6 * turned[0].job.diffusion.rigidity, galaxy_groups.mode(turned[0])
    rows = (("ratio", r"$D_\perp/D_\parallel$ at {:.3g} GV, {}"),
            ("ratio_slope", r"exponent of $D_\perp/D_\parallel$, {1}"))  # fmt: skip
    for key, title in rows:
        yield title.format(at, mode), _by(turned, key)


def _has_field(case):
    return case.job.local_field.direction is not None


def _modes(cases):
    """The first case of each mode, with its field (full) and without (dashed).

    A mode that begins with a case without a local field has its first case with one, too.
    """
    by_mode, curves = {}, []
    for case in cases:
        own = by_mode.setdefault(galaxy_groups.mode(case), [case])
        if _has_field(case) and not any(_has_field(one) for one in own):
            own.append(case)
    chosen = [(galaxy_groups.title(case) if case is not own[0] else mode, case)
              for mode, own in by_mode.items() for case in own]  # fmt: skip
    for (name, case), colour in zip(chosen, (style.BLACK, style.BLUE, style.GREEN,
                                                      style.PURPLE), strict=False):  # fmt: skip
        energy = galaxy_groups.energies(case)
        curves.append(Curve(name, energy, case.dipoles(energy), {"color": colour}))
        # without the field a source that spread along it would have arrived with another density
        spreads = case.job.local_source.kernel == "anisotropic"
        if _has_field(case) and not spreads:
            look = {"color": colour, "linestyle": "--", "linewidth": 1.0}
            without = case.dipoles(energy, direction=None)
            curves.append(Curve("", energy, without, look))
    return curves


def _groups(case):
    """All nuclei, and each mass group alone, of one case."""
    groups = galaxy_groups.groups(case)
    if len(groups) < 2:
        return []
    energy = galaxy_groups.energies(case)
    curves = [Curve("all", energy, case.dipoles(energy), {"color": style.BLACK})]
    colours = (style.VERMILLION, style.BLUE, style.PURPLE, style.ORANGE, style.SKY)
    for number, (label, names) in enumerate(groups):
        own = galaxy_groups.energies(case, names)
        look = {"color": colours[number], "linestyle": (_STYLES * 2)[number], "linewidth": 1.0}
        curves.append(Curve(label, own, case.dipoles(own, species=names), look))
    return curves


def _by(cases, key):
    """Cases that differ from the first in one key of [local_field] alone, by its value."""
    first, found = cases[0], {}
    name = f"local_field.{key}"
    base = {k: v for k, v in first.job.settings().items() if k != name}
    for case in cases:
        settings = case.job.settings()
        if {k: v for k, v in settings.items() if k != name} == base and case.path == first.path:
            found.setdefault(settings[name], case)  # a case with a field has both keys
    if len(found) < 2:
        return []
    curves = []
    for number, value in enumerate(sorted(found)):
        energy = galaxy_groups.energies(found[value])
        look = {"color": _GREYS[number % 4], "linestyle": _STYLES[number % 4]}
        curves.append(Curve(f"{value:g}", energy, found[value].dipoles(energy), look))
    return curves


def _axes(count, legend):
    """Figure and pairs of axes, two pairs abreast."""
    from matplotlib.figure import Figure

    columns = min(count, 2)
    rows = -(-count // columns)
    width = style.SINGLE if columns == 1 else style.DOUBLE
    figure = Figure(figsize=(width, rows * 4.0 + legend), layout="constrained")
    grid = figure.add_gridspec(2 * rows, columns, height_ratios=[1.0, 0.75] * rows)
    pairs = []
    for number in range(count):
        row, column = divmod(number, columns)
        upper = figure.add_subplot(grid[2 * row, column])
        pairs.append((upper, figure.add_subplot(grid[2 * row + 1, column], sharex=upper)))
    return figure, pairs


def _pair(pair, curves, case):
    upper, lower = pair
    for curve in curves:
        harmonic = harmonics.first_harmonic(curve.dipoles, None)
        amplitude, phase = harmonics.amplitude_and_phase(harmonic)
        upper.plot(curve.energy / GEV_PER_PEV, amplitude, gid="curve", zorder=5, **curve.look)
        lower.plot(*_broken(curve.energy / GEV_PER_PEV, measured.turned(phase)), gid="curve",
                   zorder=5, **curve.look)  # fmt: skip
    box = {"facecolor": "white", "alpha": 0.75, "linewidth": 0, "pad": 0.5}
    for label, angle in _directions(case):
        height = measured.turned(angle)
        lower.axhline(height, color="0.75", linewidth=0.7, zorder=0, gid=label)
        # there are few points in these corners
        place, side = (0.015, "left") if height > 180 else (0.985, "right")
        lower.text(place, height, label, transform=lower.get_yaxis_transform(), fontsize=7,
                   color="0.35", horizontalalignment=side, verticalalignment="center", zorder=6,
                   bbox=box)  # fmt: skip
    handles = _handles(curves)
    upper.legend(handles=handles, loc="lower left", ncols=1 + (len(handles) > 3), handlelength=2.0,
                 columnspacing=1.0, borderaxespad=0.2, labelspacing=0.3)  # fmt: skip


def _handles(curves):
    """Legend entries of curves; those without the local field have one together."""
    from matplotlib.lines import Line2D

    found = [Line2D([], [], label=curve.label, **curve.look) for curve in curves if curve.label]
    if any(not curve.label for curve in curves):
        found.append(Line2D([], [], color="0.5", linestyle="--", linewidth=1.0,
                            label="without the field"))  # fmt: skip
    return found


def _directions(case):
    """Right ascensions (degrees) to which a dipole may point: of field, source and centre."""
    found = {"Galactic centre": unit_vector(0.0, 0.0)}
    field, source = case.job.local_field.direction, case.job.local_source.direction
    if field is not None:
        found["field"] = unit_vector(*field)
        found["field, opposite"] = -found["field"]
    if source is not None:
        found["local source"] = unit_vector(*source)
    return [(label, lon_lat(rotation_to("equatorial") @ v)[0]) for label, v in found.items()]


def _broken(x, angle):
    """A curve of angles, cut where it leaves at one edge and comes back at the other."""
    cut = np.flatnonzero(np.abs(np.diff(angle)) > 180) + 1
    return np.insert(x, cut, np.nan), np.insert(angle, cut, np.nan)


def _label(pair, lowest, left, right):
    """Axes, and labels where no neighbour has them."""
    upper, lower = pair
    upper.set_xscale("log")
    upper.set_yscale("log")
    upper.set_ylim(AMPLITUDES)
    lower.set_ylim(-70, 290)
    lower.set_yticks(_TICKS)
    upper.tick_params(labelbottom=False, labelleft=left)
    lower.tick_params(labelleft=left)
    if lowest:
        lower.set_xlabel("total energy [PeV]")
    if left:
        upper.set_ylabel("dipole in right ascension")
        lower.set_ylabel("phase [deg]")
    hours = style.second_scale(lower, 1 / 15, "phase [h]" if right else "")
    hours.set_yticks([tick // 15 for tick in _TICKS])
    hours.set_yticklabels([f"{tick // 15}" if right else "" for tick in _TICKS])
