"""Sky map of the dipoles of single realisations (Mertsch & Funk 2015, figures 2 and 4).

Each circle is one realisation's dipole, at the direction of the excess, with a radius
proportional to |delta|; all panels of a figure share the scale. Around the mean vector and the
expectation of the ensemble an outline of the same scale shows their amplitude.
"""

import numpy as np

from hpc_cr.figures import sky, style
from hpc_cr.frames import lon_lat

LARGEST_RADIUS = 11.0
"""Radius of the largest circle in points."""


def draw(panels, options):
    """One Mollweide map per panel, with a common legend.

    Parameters
    ----------
    panels : sequence of hpc_cr.figures.panels.Panel
    options : hpc_cr.figures.panels.Options

    Returns
    -------
    matplotlib.figure.Figure
    """
    amplitudes = [np.linalg.norm(p.dipoles, axis=1) / p.gradient_size for p in panels]
    largest = max(a.max() for a in amplitudes)
    with_field = any(p.field is not None for p in panels)
    legend_height = 0.75 + 0.25 * with_field if len(panels) == 1 else 0.45
    scaled = any(p.options.normalisation != "physical" for p in panels)
    height = 2.2 + 0.15 * (scaled and len(panels) > 1)  # for the title's third line
    figure, all_axes = style.panels(
        len(panels), height, extra=legend_height, projection="mollweide"
    )
    for axes, panel, amplitude in zip(all_axes, panels, amplitudes, strict=True):
        sky.prepare(axes)
        # what the map's fixed shape leaves goes to the title, with room for a circle at the pole
        axes.set_anchor("S")
        axes.set_title(_title(panel), linespacing=1.3, pad=LARGEST_RADIUS)
        points = LARGEST_RADIUS / largest
        _circles(axes, panel.dipoles, amplitude * points)
        _ensemble(axes, panel, points)
        _directions(axes, panel)
        noise = style.number(panel.summary.noise_floor / panel.gradient_size)
        axes.text(
            1.0,
            0.0,
            f"sampling\nnoise {noise} pc",
            transform=axes.transAxes,
            fontsize=7,
            color=style.GREY,
            linespacing=1.2,
            ha="right",
        )
    handles = _marker_handles(with_field)
    handles += _size_handles(panels, largest)
    style.legend_below(figure, handles, 2 if len(panels) == 1 else 3)
    return figure


def _title(panel):
    """The panel's title; a factor of the response takes a line of its own."""
    if panel.options.normalisation != "physical":
        return f"{panel.title(normalisation=False)}\n{panel.normalisation_text}"
    return panel.title()


def _circles(axes, dipoles, radius):
    """Circles of radius in points at the dipoles' directions, the large ones first."""
    order = np.argsort(-radius)
    x, y = sky.project(*lon_lat(dipoles[order]))
    size = (2 * radius[order]) ** 2
    axes.scatter(
        x,
        y,
        s=size,
        facecolor=(0, 0, 0, 0.07),
        edgecolor=style.BLACK,
        linewidth=0.6,
        clip_on=False,
        zorder=3,
        gid="realisations",
    )
    axes.scatter(x, y, s=1.2, color=style.BLACK, linewidth=0, clip_on=False, zorder=3)


def _ensemble(axes, panel, points):
    """Mean vector and expectation, each with an outline of its amplitude."""
    summary = panel.summary
    for vector, marker, colour, gid in (
        (summary.vector_mean, "s", style.VERMILLION, "vector mean"),
        (summary.expectation, "D", style.GREEN, "expectation"),
    ):
        if gid == "vector mean" and summary.direction_error_deg < 90:
            sky.circle(
                axes,
                vector,
                summary.direction_error_deg,
                color=colour,
                linewidth=0.9,
                linestyle=(0, (3, 1.5)),
                zorder=5,
                gid="direction error",
            )
        radius = np.linalg.norm(vector) / panel.gradient_size * points
        # a diamond's width is sqrt 2 times its markersize
        size = 2 * radius / (np.sqrt(2) if marker == "D" else 1)
        if size > 5:
            sky.mark(
                axes,
                vector,
                marker=marker,
                markersize=size,
                markerfacecolor="none",
                markeredgecolor=colour,
                markeredgewidth=1.0,
                zorder=5,
            )
        sky.mark(axes, vector, gid=gid, **_MARKERS[gid])


_MARKERS = {
    "gradient": {
        "marker": "*",
        "markersize": 11,
        "color": style.YELLOW,
        "markeredgecolor": style.BLACK,
        "markeredgewidth": 0.6,
    },
    "vector mean": {
        "marker": "s",
        "markersize": 4.5,
        "color": style.VERMILLION,
        "markeredgecolor": "white",
        "markeredgewidth": 0.4,
    },
    "expectation": {
        "marker": "D",
        "markersize": 4.0,
        "color": style.GREEN,
        "markeredgecolor": "white",
        "markeredgewidth": 0.4,
    },
    "regular field": {"marker": "x", "markersize": 7, "color": style.BLUE, "markeredgewidth": 2.0},
    "opposite field": {"marker": "x", "markersize": 5, "color": style.BLUE, "markeredgewidth": 0.8},
}


def _directions(axes, panel):
    """Gradient and regular field."""
    # below the mean and the expectation, which fall on it in isotropic turbulence
    sky.mark(axes, panel.gradient, gid="gradient", zorder=4, **_MARKERS["gradient"])
    if panel.field is not None:
        sky.mark(axes, panel.field, gid="regular field", **_MARKERS["regular field"])
        sky.mark(axes, -panel.field, gid="opposite field", **_MARKERS["opposite field"])


def _marker_handles(with_field):
    from matplotlib.lines import Line2D

    labels = {
        "gradient": "cosmic-ray gradient",
        "vector mean": r"mean vector (dashed: 1$\sigma$)",
        "expectation": "ensemble expectation",
    }
    if with_field:
        labels["regular field"] = "regular field (thin: antipode)"
    return [
        Line2D([], [], linestyle="none", label=text, **_MARKERS[name])
        for name, text in labels.items()
    ]


def _size_handles(panels, largest):
    """Circles of round amplitudes in pc, and what they are in |delta| for the job's gradient."""
    from matplotlib.lines import Line2D

    sizes = {round(p.gradient_size, 12) for p in panels}
    big = style.round_value(largest)
    handles = []
    for value in (big, style.round_value(big / 3.9)):
        label = rf"$|\delta|/|g|$ = {style.number(value)} pc"
        if len(sizes) == 1:
            space = "\n" if len(panels) == 1 else " "
            label += rf"{space}($|\delta|$ = {style.number(value * sizes.copy().pop())})"
        handles.append(
            Line2D(
                [],
                [],
                linestyle="none",
                marker="o",
                markersize=2 * LARGEST_RADIUS * value / largest,
                markerfacecolor=(0, 0, 0, 0.07),
                markeredgecolor=style.BLACK,
                markeredgewidth=0.6,
                label=label,
            )
        )
    return handles
