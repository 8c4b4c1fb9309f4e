"""Amplitude of the dipole against the gradient's longitude (Mertsch & Funk 2015, figs 3 and 5).

delta = M g is linear in the gradient, so one stored response per realisation gives the
amplitude for every direction of the gradient. Each column of the histogram adds up to one. Near 90
degrees from a regular field, where everything happens within a few degrees, the option zoom shows
60 to 120 degrees, and below it the shares of realisations that agree with each measurement.
"""

from typing import NamedTuple

import numpy as np

from hpc_cr.anisotropy import alignment, ensembles
from hpc_cr.anisotropy.resampling import share
from hpc_cr.config.scales import gyroradius, isotropic_mean_free_path
from hpc_cr.figures import measured, style
from hpc_cr.figures.panels import FigureError
from hpc_cr.frames import lon_lat, unit_vector

STEP = 2.0
"""Distance of the gradient's longitudes in degrees."""
ZOOM = (60.0, 120.0, 0.5)
"""Ends and step of the gradient's angle from the field near 90 degrees."""
BINS_PER_DECADE = 14


class Profile(NamedTuple):
    """Amplitudes |delta|/|g| in pc at each angle of the gradient; see `profile`."""

    angle: np.ndarray  # (n_angle,) degrees
    amplitude: np.ndarray  # (n, n_angle) single realisations
    median: np.ndarray  # (n_angle,)
    median_range: np.ndarray  # (2, n_angle) order statistics that bracket the median at 68 %
    mean_vector: np.ndarray  # (n_angle,) |<delta>|/|g|
    mean_vector_error: np.ndarray
    expectation: np.ndarray  # (n_angle,) from <M> under the symmetry of the set-up
    expectation_error: np.ndarray
    noise_floor: np.ndarray  # (n_angle,) r.m.s. amplitude that the finite number of particles gives


def profile(response, error, noise, realisation, symmetry, directions, angle):
    """Amplitudes for gradients of unit size.

    Parameters
    ----------
    response, error, noise : ndarray (n, 3, 3)
        Response, its sampling error (pc), shot-noise power of the maps (pc^2).
    realisation : ndarray (n,) of int
        Realisation of each row; errors count realisations.
    symmetry : "isotropic", "none" or array (3,)
        For `ensembles.symmetrise`.
    directions : ndarray (n_angle, 3)
        Unit vectors of the gradient.
    angle : ndarray (n_angle,)
        Degrees, carried into the result.

    Returns
    -------
    Profile
    """
    dipoles = np.einsum("nij,aj->nai", response, directions)
    expected = np.einsum("nij,aj->nai", ensembles.symmetrise(response, symmetry), directions)
    amplitude = np.linalg.norm(dipoles, axis=-1)
    half = 0.5 / np.sqrt(len(np.unique(realisation)))
    sampling = [ensembles.sampling_errors(error, noise, g) for g in directions]
    floor = np.sqrt(np.mean(np.sum(np.square(sampling), axis=-1), axis=-1))

    return Profile(
        np.asarray(angle),
        amplitude,
        np.median(amplitude, axis=0),
        np.quantile(amplitude, [max(0.5 - half, 0.0), min(0.5 + half, 1.0)], axis=0),
        *_length_of_mean(dipoles, realisation),
        *_length_of_mean(expected, realisation),
        floor,
    )


def _length_of_mean(vectors, realisation):
    """Length of the mean vector (n_angle,) of (n, n_angle, 3); its error is that along it."""
    mean, _ = ensembles.mean_and_error(vectors, realisation)
    length = np.linalg.norm(mean, axis=-1)
    along = np.einsum("nai,ai->na", vectors, mean / np.maximum(length, 1e-300)[:, None])
    return length, ensembles.mean_and_error(along, realisation)[1]


def draw(panels, options):
    """One histogram per panel, all on the same scale in pc.

    Parameters
    ----------
    panels : sequence of hpc_cr.figures.panels.Panel
    options : hpc_cr.figures.panels.Options

    Returns
    -------
    matplotlib.figure.Figure
    """
    from matplotlib.lines import Line2D

    if options.zoom:
        panels = [p for p in panels if p.field is not None] or _no_field(panels)
    profiles = [_profile(panel, options) for panel in panels]
    shown = [measured.near(panel.rigidity, options) for panel in panels]
    limits = _limits(panels, profiles, shown)
    measured.require(options, sum(shown, []), "within half a decade of these rigidities")
    one = len(panels) == 1
    if options.zoom:
        figure, all_axes, share_axes = _zoom_panels(len(panels))
    else:
        figure, all_axes = style.panels(len(panels), 2.55, extra=1.0 if one else 0.5)
        share_axes = [None] * len(panels)
    same_gradient = np.ptp([p.gradient_size for p in panels]) < 1e-12
    seen, harari = [], []
    largest = max(_histogram(p, limits)[1].max() for p in profiles)
    look = measured.band_looks(shown)
    everything = zip(all_axes, share_axes, panels, profiles, shown,
                     style.bottom_and_sides(len(panels)), strict=True)  # fmt: skip
    for axes, below, panel, values, bands, place in everything:
        mesh = _panel(axes, panel, values, limits, largest, options)
        measured.draw_across(axes, bands, 1 / panel.gradient_size, look)
        seen.append(style.noise_line(axes, values.angle, values.noise_floor, " pc"))
        harari.append(_harari(axes, panel))
        lowest, left, right = place
        if below is not None:
            _shares(below, panel, values, bands, left)
            axes.tick_params(labelbottom=False)
        if lowest or below is not None:
            (axes if below is None else below).set_xlabel(_angle_label(panel, options))
        axes.tick_params(labelleft=left)
        if left:
            axes.set_ylabel(r"amplitude $|\delta|/|g|$ [pc]")
        second = style.second_scale(axes, panel.gradient_size, "")
        if right or not same_gradient:
            size = style.number(1e-3 / panel.gradient_size, 3)
            second.set_ylabel(rf"$|\delta|$ for $|g|$ = 1/({size} kpc)")
        else:
            second.set_yticklabels([])
    bar = figure.colorbar(
        mesh,
        ax=all_axes + [axes for axes in share_axes if axes is not None],
        pad=0.015,
        aspect=30,
        location="bottom" if one else "right",
    )
    bar.set_label("share of realisations per bin")
    handles = _handles(panels, any(seen), any(harari), options)
    handles += measured.band_handles(shown, options, look)
    if options.zoom:
        lines = {line["label"]: line for bands in shown for line in map(_share_line, bands)}
        handles += [Line2D([], [], **line) for line in lines.values()]
    style.legend_below(figure, handles, 2 if one else 4)
    return figure


def _profile(panel, options):
    """Profile of a panel over the angles that the options ask for."""
    if options.zoom:
        low, high, step = ZOOM
        angle = np.arange(low, high + step / 2, step)
    else:
        angle = np.arange(-180.0, 180.0 + STEP / 2, STEP)
    if _about_field(panel, options):
        directions = alignment.gradients_about(panel.field, angle)
    else:
        directions = unit_vector(angle, 0.0)
    errors = panel.response_error, panel.noise
    return profile(panel.response, *errors, panel.realisation, panel.symmetry, directions, angle)


def _about_field(panel, options):
    """Whether the gradient's angle is measured from the field."""
    return panel.field is not None and (options.from_field or options.zoom)


def _no_field(panels):
    raise FigureError(
        f"{panels[0].results.path}: no case with a regular field, from which the gradient's angle"
        " could be measured"
    )


def _zoom_panels(count):
    """A figure with pairs of panels: amplitudes above, shares below."""
    from matplotlib.figure import Figure

    columns = min(count, 2)
    rows = -(-count // columns)
    width = style.SINGLE if columns == 1 else style.DOUBLE
    figure = Figure(figsize=(width, 3.9 * rows + (1.2 if columns == 1 else 0.6)),
                    layout="constrained")  # fmt: skip
    grid = figure.add_gridspec(2 * rows, columns, height_ratios=[2, 1] * rows)
    places = [divmod(i, columns) for i in range(count)]
    above = [figure.add_subplot(grid[2 * row, column]) for row, column in places]
    below = [figure.add_subplot(grid[2 * row + 1, column]) for row, column in places]
    return figure, above, below


def _shares(axes, panel, values, bands, left):
    """Shares of realisations below a limit, or within a measurement's error, at each angle."""
    for band in bands:
        amplitude = values.amplitude * panel.gradient_size
        if band.upper_limit:
            agree = amplitude < band.amplitude
        else:
            low, high = band.errors
            agree = (amplitude >= band.amplitude - low) & (amplitude <= band.amplitude + high)
        found = np.array([share(column, panel.realisation) for column in agree.T]).T
        line = _share_line(band)
        axes.plot(values.angle, found[0], gid=line["label"], **line)
        axes.fill_between(values.angle, found[0] - found[1], found[0] + found[1],
                          color=line["color"], alpha=0.2, linewidth=0)  # fmt: skip
    for level in (0.2, 0.5):
        axes.axhline(level, color=style.GREY, linewidth=0.4, linestyle=":")
    axes.set_xlim(*ZOOM[:2])
    axes.set_xticks(range(60, 121, 10))
    axes.set_ylim(0, 1.02)
    axes.set_yticks([0, 0.2, 0.5, 1])
    axes.tick_params(labelleft=left)
    if left:
        axes.set_ylabel("share of\nrealisations")


def _share_line(band):
    """Look and label of the share that agrees with a measurement."""
    what, colour, look = ("below", style.SKY, "-") if band.upper_limit else ("within", "0.35", "--")
    return {"color": colour, "linestyle": look, "linewidth": 1.2,
            "label": f"share {what} {band.experiment}"}  # fmt: skip


def _harari(axes, panel):
    """What isotropic diffusion with D of the turbulence itself predicts, as computed only.

    Harari, Mollerach & Roulet's (2014) fit for turbulence without a regular field.
    """
    if panel.field is not None or panel.options.normalisation != "physical":
        return False
    turbulence = panel.results.job.turbulence
    radius = gyroradius(panel.rigidity, turbulence.rms)
    value = float(isotropic_mean_free_path(radius, turbulence.outer_scale))
    axes.axhline(value, gid="Harari", **_HARARI)
    return True


def _panel(axes, panel, values, limits, share, options):
    """Histogram, lines and measurements of one panel."""
    edges, shares = _histogram(values, limits)
    half = (values.angle[1] - values.angle[0]) / 2
    columns = np.append(values.angle - half, values.angle[-1] + half)
    mesh = axes.pcolormesh(
        columns, edges, shares.T, cmap=_colours(), vmin=0, vmax=share, rasterized=True, zorder=0
    )
    if panel.field is not None and not _about_field(panel, options):
        longitude = (float(lon_lat(panel.field)[0]) + 180) % 360 - 180
        axes.axvline(longitude, **_FIELD)
    axes.fill_between(
        values.angle,
        values.mean_vector - values.mean_vector_error,
        values.mean_vector + values.mean_vector_error,
        color=style.VERMILLION,
        alpha=0.25,
        linewidth=0,
        zorder=2,
    )
    bars = slice(10, None, 20) if options.zoom else slice(15, None, 30)
    below_above = np.abs(values.median_range - values.median)[:, bars]
    axes.errorbar(
        values.angle[bars],
        values.median[bars],
        below_above,
        fmt="none",
        ecolor=style.ORANGE,
        elinewidth=1.1,
        capsize=1.8,
        zorder=4,
    )
    for name, data in (
        ("expectation", values.expectation),
        ("mean vector", values.mean_vector),
        ("median", values.median),
    ):
        axes.plot(values.angle, data, label=name, zorder=3, **_LINES[name])
    axes.set_yscale("log")
    axes.set_ylim(limits)
    style.short_log(axes.yaxis, "log", limits)
    axes.set_xlim(values.angle[0], values.angle[-1])
    axes.set_xticks(range(60, 121, 10) if options.zoom else range(-180, 181, 60))
    plain = panel.options.normalisation == "physical" and not options.zoom
    title = panel.title(normalisation=plain)
    # the factor of a normalisation takes a line of its own: the others fill the panel's width
    axes.set_title(title if plain else f"{title}\n{panel.normalisation_text}", linespacing=1.3)
    return mesh


_HARARI = {"color": style.GREEN, "linewidth": 0.7, "zorder": 2}
_FIELD = {"color": style.BLUE, "linewidth": 0.9, "linestyle": (0, (1, 2)), "zorder": 1}
_LINES = {
    "median": {"color": style.ORANGE, "linestyle": "--", "linewidth": 1.6},
    "mean vector": {"color": style.VERMILLION, "linestyle": "-"},
    "expectation": {"color": style.GREEN, "linestyle": "-."},
}


def _histogram(values, limits):
    """Edges (pc) and shares (n_angle, n_bin), each row adding up to one."""
    low, high = np.log10(limits)
    edges = np.logspace(low, high, 1 + max(8, int(round((high - low) * BINS_PER_DECADE))))
    shares = [np.histogram(np.clip(column, *limits), edges)[0] for column in values.amplitude.T]
    return edges, np.array(shares) / len(values.amplitude)


def _limits(panels, profiles, shown):
    """Common range in pc of all amplitudes, lines and nearby measurements."""
    low, high = [], []
    for panel, values, bands in zip(panels, profiles, shown, strict=True):
        low += [np.quantile(values.amplitude, 0.01), values.median.min()]
        high += [values.amplitude.max(), values.mean_vector.max()]
        for band in bands:
            lowest = max(band.amplitude - band.errors[0], 0.3 * band.amplitude)
            low.append(lowest / panel.gradient_size)
            high.append((band.amplitude + band.errors[1]) / panel.gradient_size)
    # lines near zero (a mean vector that happens to vanish) do not set the scale
    return style.decades(max(min(low), 1e-3 * max(high)), max(high))


def _handles(panels, with_noise, with_harari, options):
    from matplotlib.lines import Line2D

    labels = {
        "median": "median of realisations",
        "mean vector": "their mean vector",
        "expectation": "ensemble expectation",
    }
    handles = [Line2D([], [], label=text, **_LINES[name]) for name, text in labels.items()]
    if with_harari:
        text = "isotropic diffusion, $D$ of\nHarari et al. 2014"
        handles.append(Line2D([], [], label=text, **_HARARI))
    if any(panel.field is not None and not _about_field(panel, options) for panel in panels):
        handles.append(Line2D([], [], label="regular field", **_FIELD))
    if with_noise:
        handles.append(Line2D([], [], label="sampling noise", **style.NOISE))
    return handles


def _colours():
    """White to deep violet, light enough for lines on top to stay visible."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("shares", ["#ffffff", "#c9c5e3", "#7a6fb5", "#3b2a7d"])


def _angle_label(panel, options):
    if _about_field(panel, options):
        return "angle of the gradient from the field [deg]"
    return r"Galactic longitude of the gradient ($b$ = 0) [deg]"
