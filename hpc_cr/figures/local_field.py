"""Do dipoles follow the field around the observer? Angle to it, against the size of "around".

The field of each realisation is averaged over balls of growing radius, from the gyroradius to
the mean free path; the angle between the dipole and the axis of that average is smallest at the
size that the trajectories feel (Mertsch & Funk 2015: the dipole is likely along the total field
as they sample it). Directions without any relation have a median of 60 degrees.
"""

from typing import NamedTuple

import numpy as np

from hpc_cr.anisotropy import alignment
from hpc_cr.anisotropy.resampling import bootstrap
from hpc_cr.figures import style


class Angles(NamedTuple):
    """Angles between the dipoles and the smoothed field, degrees; see `angles`."""

    radius: np.ndarray  # (n_smoothing,) pc, the first one 0
    single: np.ndarray  # (n, n_smoothing)
    median: np.ndarray  # (n_smoothing,)
    error: np.ndarray
    regular: tuple  # median angle to the regular field with its error; NaN without one


def angles(panel):
    """Angles of a panel's dipoles to the field around the observer.

    Parameters
    ----------
    panel : hpc_cr.figures.panels.Panel

    Returns
    -------
    Angles
    """
    field = panel.results.local_field[panel.rows, panel.rig]
    single = alignment.axis_angles(panel.dipoles[:, None, :], field)
    median, error = bootstrap(_median, single, panel.realisation)
    regular = (np.nan, np.nan)
    if panel.field is not None:
        to_regular = alignment.axis_angles(panel.dipoles, panel.field)
        regular = bootstrap(_median, to_regular, panel.realisation)
    return Angles(panel.results.smoothing[panel.rig], single, median, error, regular)


def _median(values):
    return np.median(values, axis=0)


def draw(panels, options):
    """One panel per case and rigidity.

    Parameters
    ----------
    panels : sequence of hpc_cr.figures.panels.Panel
    options : hpc_cr.figures.panels.Options

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, all_axes = style.panels(len(panels), 2.4, extra=0.6)
    places = style.bottom_and_sides(len(panels))
    for axes, panel, (lowest, left, _) in zip(all_axes, panels, places, strict=True):
        _panel(axes, panel, angles(panel))
        axes.tick_params(labelleft=left)
        if lowest:
            axes.set_xlabel("radius over which the field is averaged [pc]")
        if left:
            axes.set_ylabel("angle between dipole and field [deg]")
    longest = max(all_axes, key=lambda a: len(a.get_legend_handles_labels()[0]))
    handles = longest.get_legend_handles_labels()[0]
    style.legend_below(figure, handles, 2 if len(panels) == 1 else 3)
    return figure


def _panel(axes, panel, found):
    radius = _drawn(found.radius)
    low, high = np.quantile(found.single, [0.16, 0.84], axis=0)
    _random(axes)
    axes.fill_between(radius[1:], low[1:], high[1:], color=style.BLUE, alpha=0.18, linewidth=0,
                      zorder=2, label="realisations, 16 % to 84 %")  # fmt: skip
    axes.vlines(radius[0], low[0], high[0], color=style.BLUE, alpha=0.35, linewidth=4, zorder=2)
    axes.plot(radius, found.single.T, linestyle="none", marker=".", markersize=1.8,
              color=style.GREY, alpha=0.5, zorder=2.5)  # fmt: skip
    bars = {"color": style.BLUE, "marker": "o", "markersize": 3.5, "capsize": 2, "elinewidth": 1.0}
    axes.errorbar(radius[1:], found.median[1:], found.error[1:], zorder=4, label="their median",
                  **bars)  # fmt: skip
    axes.errorbar(radius[:1], found.median[:1], found.error[:1], zorder=4, **bars)
    if np.isfinite(found.regular[0]):
        value, error = found.regular
        axes.axhspan(value - error, value + error, color=style.VERMILLION, alpha=0.25, linewidth=0)
        axes.axhline(value, color=style.VERMILLION, linestyle="--", linewidth=1.2, zorder=3,
                     label="median angle to the regular field")  # fmt: skip
    axes.set_xscale("log")
    axes.set_xlim(radius[0] / 1.6, radius[-1] * 1.25)
    axes.set_ylim(0, 90)
    axes.set_yticks(range(0, 91, 15))
    _ticks(axes, radius)
    # an angle does not change with the size of the response
    axes.set_title(panel.title(normalisation=False), linespacing=1.3)


def _drawn(radius):
    """Radii on a logarithmic axis: the observer's own place stands one step to the left."""
    step = radius[2] / radius[1] if len(radius) > 2 else 3.0
    return np.append(radius[1] / max(step, 1.6), radius[1:])


def _ticks(axes, radius):
    """The place of radius 0, the powers of ten, and few enough numbers to read."""
    from matplotlib.ticker import FixedLocator, NullFormatter, NullLocator

    decades = np.log10(radius[-1] / radius[1])
    if decades > 2:
        low, high = np.ceil(np.log10(radius[1] * 0.99)), np.log10(radius[-1] * 1.2)
        values = 10.0 ** np.arange(low, high)
    else:
        values = radius[1::2] if decades < 1.2 else radius[1:]
    axes.xaxis.set_major_locator(FixedLocator([radius[0], *values]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xticklabels(["0", *(style.number(v) for v in values)])
    axes.axvline(np.sqrt(radius[0] * radius[1]), color=style.GREY, linewidth=0.5, zorder=0)


def _random(axes):
    low, middle, high = alignment.random_axis_angle([0.16, 0.5, 0.84])
    axes.axhline(middle, color=style.BLACK, linestyle=":", linewidth=1.0, zorder=1,
                 label="random directions (thin: 16 %, 84 %)")  # fmt: skip
    for value in (low, high):
        axes.axhline(value, color=style.BLACK, linestyle=":", linewidth=0.5, zorder=1)
