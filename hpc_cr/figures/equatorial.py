"""Amplitude and phase of the first harmonic in right ascension against rigidity.

The projection of each sky's dipole on the equatorial plane, its length above and the right
ascension of its maximum below; realisations, their median and mean vector, the ensemble
expectation, and what has been measured. Measured amplitudes are as printed: those of a band that
were not divided by its <cos dec> lie below the equatorial dipole (`hpc_cr.measurements.dipole`).
"""

import numpy as np

from hpc_cr.anisotropy import ensembles
from hpc_cr.detector import harmonics
from hpc_cr.figures import measured, style
from hpc_cr.figures.panels import (
    by_rigidity,
    common_rows,
    range_of_normalisation,
    range_of_stops,
)

MARGIN = 1.5
"""Factor by which the axis goes beyond the lowest and the highest rigidity."""
CLOUD = 200
"""Phases drawn per rigidity at most; more would only blacken the panel."""

_TICKS = (-180, -90, 0, 90, 180)
_MEDIAN = {"color": style.BLUE, "marker": "^", "linestyle": "--", "markersize": 4, "capsize": 2,
           "elinewidth": 1.0, "zorder": 4}  # fmt: skip
_EXPECTED = {"color": style.GREEN, "marker": "D", "linestyle": "-.", "markersize": 3.5,
             "capsize": 2, "elinewidth": 1.0, "zorder": 4}  # fmt: skip


def draw(panels, options):
    """A pair of panels, amplitude above phase, per file, case and stop.

    Parameters
    ----------
    panels : sequence of hpc_cr.figures.panels.Panel
        One per rigidity and stop.
    options : hpc_cr.figures.panels.Options

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    FigureError
        An experiment that is unknown or has no point at these energies.
    """
    groups = by_rigidity(panels)
    points = [measured.within(measured.chosen(options), *_range(group)) for group in groups]
    all_points = [p for some in points for p in some]
    low, high = min(_range(g)[0] for g in groups), max(_range(g)[1] for g in groups)
    measured.require(options, all_points, f"between {low:.3g} and {high:.3g} PeV")
    look = measured.looks(all_points)
    harmonics = [[_Harmonics(panel) for panel in group] for group in groups]
    limits = _limits(harmonics, all_points)
    figure, pairs = _axes(len(groups), look)
    places = style.bottom_and_sides(len(groups))
    for pair, group, seen, own, place in zip(
        pairs, groups, harmonics, points, places, strict=True
    ):
        _amplitudes(pair[0], group, seen, limits)
        measured.draw_against_energy(pair[0], own, look)
        _phases(pair[1], group, seen)
        _measured_phases(pair[1], own, look)
        _label(pair, *place)
    handles = {}
    for axes in (axes for pair in pairs for axes in pair):
        for handle, text in zip(*axes.get_legend_handles_labels(), strict=True):
            if not text.startswith(measured.GID):
                handles.setdefault(text, handle)
    measured.legends(figure, list(handles.values()), all_points, look)
    return figure


class _Harmonics:
    """First harmonics of a panel's skies: values, summary, expectation with its errors."""

    def __init__(self, panel):
        errors = ensembles.sampling_errors(panel.response_error, panel.noise, panel.gradient)
        self.values = harmonics.first_harmonic(panel.dipoles, None)
        self.amplitude, self.phase = harmonics.amplitude_and_phase(self.values)
        covariance = harmonics.harmonic_covariance(errors, None)
        self.summary = harmonics.summarise(self.values, covariance, panel.realisation)
        dipoles = ensembles.symmetrise(panel.response, panel.symmetry) @ panel.gradient
        expected = harmonics.first_harmonic(dipoles, None)
        mean, *self.expected_error = harmonics.mean_harmonic(expected, panel.realisation)
        self.expected, self.expected_phase = harmonics.amplitude_and_phase(mean)


def _range(group):
    """Ends of the axis, PV; in PeV those of the measurements."""
    return group[0].rigidity / MARGIN, group[-1].rigidity * MARGIN


def _axes(count, look):
    """Figure and pairs of axes, two pairs abreast; the phase has 0.6 of the amplitude's height."""
    from matplotlib.figure import Figure

    columns = min(count, 2)
    rows = -(-count // columns)
    width = style.SINGLE if columns == 1 else style.DOUBLE
    lines = 6 + len(look) // 2 if columns == 1 else max(5, 2 + -(-len(look) // 2))
    size = (width, rows * 4.1 + 0.3 + 0.145 * lines)
    figure = Figure(figsize=size, layout="constrained")
    grid = figure.add_gridspec(2 * rows, columns, height_ratios=[1.0, 0.6] * rows)
    pairs = []
    for number in range(count):
        row, column = divmod(number, columns)
        upper = figure.add_subplot(grid[2 * row, column])
        pairs.append((upper, figure.add_subplot(grid[2 * row + 1, column], sharex=upper)))
    return figure, pairs


def _label(pair, lowest, left, right):
    """Axis labels where no neighbour has them."""
    upper, lower = pair
    upper.tick_params(labelbottom=False, labelleft=left)
    lower.tick_params(labelleft=left)
    if lowest:
        lower.set_xlabel("rigidity [PV]")
    if left:
        upper.set_ylabel("amplitude in right ascension")
        lower.set_ylabel("phase [deg]")
    hours = style.second_scale(lower, 1 / 15, "phase [h]" if right else "")
    hours.set_yticks([tick // 15 for tick in _TICKS])
    hours.set_yticklabels([f"{tick // 15 % 24}" if right else "" for tick in _TICKS])


def _amplitudes(axes, group, seen, limits):
    """Scatter, median, single skies, expectation and noise of A."""
    rigidity = np.array([p.rigidity for p in group])
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(_range(group))
    axes.set_ylim(limits)
    low, high = np.array([np.quantile(h.amplitude, [0.16, 0.84]) for h in seen]).T
    axes.fill_between(rigidity, low, high, color=style.BLUE, alpha=0.18, linewidth=0,
                      label="realisations, 16 % to 84 %")  # fmt: skip
    axes.errorbar(rigidity, [h.summary.median for h in seen],
                  [h.summary.median_error for h in seen],
                  label="their median, phase of\ntheir mean vector", **_MEDIAN)  # fmt: skip
    common = common_rows(group)
    for number, row in enumerate(common):
        values = [h.amplitude[p.rows == row][0] for h, p in zip(seen, group, strict=True)]
        label = f"single skies (first {len(common)})" if number == 0 else None
        axes.plot(rigidity, values, label=label, gid="single sky", **_single(number))
    axes.errorbar(rigidity, [float(h.expected) for h in seen],
                  [float(h.expected_error[0]) for h in seen],
                  label="ensemble expectation", **_EXPECTED)  # fmt: skip
    style.short_log(axes.yaxis, "log", limits)
    style.short_log(axes.xaxis, "log", axes.get_xlim())
    style.noise_line(axes, rigidity, [h.summary.noise_floor for h in seen], "")
    title = group[0].title(rigidity=False, stop=False, normalisation=False)
    title = f"{title}, {range_of_stops(group)}\n{range_of_normalisation(group)}"
    axes.set_title(title, linespacing=1.3)


def _phases(axes, group, seen):
    """Phases of all skies, of the first ones, of the mean vector and of the expectation."""
    rigidity = np.array([p.rigidity for p in group])
    for x, h in zip(rigidity, seen, strict=True):
        cloud = h.phase[:CLOUD]
        _round(axes, np.full(len(cloud), x), cloud, color=style.BLUE, alpha=0.3, marker="_",
               markersize=7, linestyle="none", gid="phases", zorder=2)  # fmt: skip
    for number, row in enumerate(common_rows(group)):
        values = [h.phase[p.rows == row][0] for h, p in zip(seen, group, strict=True)]
        _round(axes, rigidity, values, gid="single sky", **_single(number))
    means = [(h.summary.mean_phase, h.summary.mean_phase_error) for h in seen]
    _round(axes, rigidity, *np.array(means).T, **_MEDIAN)
    expected = [(float(h.expected_phase), float(h.expected_error[1])) for h in seen]
    _round(axes, rigidity, *np.array(expected).T, **_EXPECTED)
    # right ascension 0 in the middle, where most measurements are
    axes.set_ylim(-180, 180)
    axes.set_yticks(_TICKS, [f"{tick % 360}" for tick in _TICKS])


def _measured_phases(axes, points, look):
    """Published phases with their errors, in the looks of the amplitudes."""
    for name in look:
        own = [p for p in points if p.experiment == name and np.isfinite(p.phase_deg)]
        if own:
            energy = np.array([p.energy for p in own])
            error = np.array([(p.phase_low_deg, p.phase_high_deg) for p in own]).T
            settings = {"markersize": 3.4, "markeredgewidth": 0.6, "elinewidth": 0.7, "capsize": 0,
                        "alpha": 0.85, "zorder": 3, "linestyle": "none"}  # fmt: skip
            _round(axes, energy, np.array([p.phase_deg for p in own]), error,
                   gid=measured.GID, **settings | look[name])  # fmt: skip


def _round(axes, x, phase, error=None, **settings):
    """Plot angles the short way round: what leaves the panel at one edge enters at the other.

    Angles in degrees on an axis from -180 to 180; copies that reach neither edge are not drawn.
    """
    joined = settings["linestyle"] != "none"
    phase = np.unwrap(phase, period=360.0) if joined else np.asarray(phase, float)
    reach = 0.0 if error is None else np.nan_to_num(np.max(error))
    first = int(np.ceil((phase.min() - reach - 180) / 360))
    last = int(np.floor((phase.max() + reach + 180) / 360))
    for turn in range(first, last + 1):
        if error is None:
            axes.plot(x, phase - 360.0 * turn, **settings)
        else:
            axes.errorbar(x, phase - 360.0 * turn, error, **settings)


def _single(number):
    return {"color": style.SHADES[number], "linewidth": 0.8, "linestyle": "-", "marker": "o",
            "markersize": 2.6, "zorder": 3.5}  # fmt: skip


def _limits(harmonics, points):
    """Range of the amplitudes of all panels, with room for a line of text at the bottom."""
    seen = [h for group in harmonics for h in group]
    low = [np.quantile(h.amplitude, 0.05) for h in seen] + [float(h.expected) for h in seen]
    high = [np.quantile(h.amplitude, 0.98) for h in seen] + [float(h.expected) for h in seen]
    for point in points:
        low.append(max(point.amplitude - np.nan_to_num(point.errors[0]), 0.5 * point.amplitude))
        high.append(point.amplitude)
    return style.decades(min(low) / 1.4, max(high))
