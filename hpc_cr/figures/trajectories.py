"""Single trajectories from a small part of the sky (Giacinti & Sigl 2012, figure 3).

First the relative intensity around the directions that the particles arrive from, then the paths,
projected on the Galactic plane, at three zooms. The paths are computed again from the job in the
file, with its field, integrator and step: what is drawn is what the map was made from.

Where no directions are given the particles are those of the strongest excess and of the strongest
deficit whose discs lie in the part shown, and of the strongest place two degrees next to each.

The zero of the intensity is the monopole and the dipole of the whole sky where the file has it
(of a part of the sky, from a case with the same field, rigidity and stop); else the mean of what
is shown.
"""

from typing import NamedTuple

import numpy as np

from hpc_cr.anisotropy import skymaps
from hpc_cr.anisotropy.discs import disc_sums
from hpc_cr.figures import style
from hpc_cr.figures.panels import FigureError, of_case
from hpc_cr.figures.sky_values import intensity_of, row_of
from hpc_cr.frames import lon_lat, unit_vector

CENTRE = (165.0, 15.0)
"""Galactic l, b in degrees of what is shown of a whole sky without directions: the paper's part."""
APART = 2.0
"""Degrees from an extremum to the place next to it."""
SMOOTHING = 5.0
"""Degrees, radius of the top hat where the user names none."""
WIDTH = 30.0
"""Degrees shown of a whole sky."""
ZOOMS = (0.8, 0.08, 0.012)
"""Half-widths of the three pictures in units of the last sphere's radius: 200, 20 and 3 of 250 pc;
with times, of the farthest point of the paths."""
GRID = 121
COLOURS = (style.VERMILLION, style.PURPLE, style.BLUE, style.GREEN, style.ORANGE, style.BLACK)


class View(NamedTuple):
    """Relative intensity over a part of the sky; see `view_of`."""

    longitude: np.ndarray  # (n,) degrees, growing
    latitude: np.ndarray  # (n,) degrees
    values: np.ndarray  # (n, n) latitude by longitude, without monopole (and dipole)
    noise: float  # largest standard error; NaN from multipoles
    radius: float  # degrees
    note: str


def draw(panels, options):
    """Four pictures for each panel.

    Parameters
    ----------
    panels : sequence of hpc_cr.figures.panels.Panel
    options : hpc_cr.figures.panels.Options

    Returns
    -------
    matplotlib.figure.Figure
    """
    from matplotlib.figure import Figure

    count = len(options.directions)
    if count > len(COLOURS):
        raise FigureError(f"{count} trajectories are too many; at most {len(COLOURS)}")
    figure = Figure(figsize=(style.DOUBLE, 6.3 * len(panels)), layout="constrained")
    parts = figure.subfigures(len(panels), 1, squeeze=False)[:, 0]
    for part, panel in zip(parts, panels, strict=True):
        row = row_of(panel, options.realisation)
        number = f", realisation {panel.results.realisation[row]}"
        part.suptitle(panel.title(count=False) + number, fontsize=8)
        view = view_of(panel, options)
        _check(panel, view, options.directions)
        directions = options.directions or extremes_of(view)
        all_axes = part.subplots(2, 2).ravel()
        _sky(part, all_axes[0], view, directions)
        paths = paths_of(panel, directions, row)
        far = panel.length
        if panel.results.stop_kind == "time":
            far = max(np.abs(path).max() for path in paths.points)
        for axes, zoom in zip(all_axes[1:], ZOOMS, strict=True):
            _paths(axes, paths.points, directions, _round(zoom * far))
            _gradient(axes, panel.gradient, _round(zoom * far))
        lines, names = all_axes[1].get_legend_handles_labels()
        part.legend(lines, names, loc="outside lower center", ncols=5)
    return figure


def extremes_of(view):
    """Directions of the strongest excess and deficit of a view, and of the places next to them.

    Parameters
    ----------
    view : View

    Returns
    -------
    tuple of (l, b)
        Four, Galactic degrees: the largest value, the largest of those `APART` degrees from it,
        the smallest value, and the smallest of those as far from it. All are a disc's radius away
        from the edges, if the view is wide enough.
    """
    places = np.meshgrid(view.longitude, view.latitude)
    n = unit_vector(*places)
    step = view.latitude[1] - view.latitude[0]
    width = view.latitude[-1] - view.latitude[0]
    usable = np.isfinite(view.values)
    if width > 4 * view.radius:
        # at an edge the largest value need not be an extremum
        for place, line in zip(places, (view.longitude, view.latitude), strict=True):
            usable &= (place >= line[0] + view.radius) & (place <= line[-1] - view.radius)
    found = []
    for sign in (1, -1):
        size = np.where(usable, sign * view.values, -np.inf)
        first = np.unravel_index(np.argmax(size), size.shape)
        distance = np.degrees(np.arccos(np.clip(n @ n[first], -1, 1)))
        ring = np.where(np.abs(distance - APART) < step, size, -np.inf)
        for place in (first, np.unravel_index(np.argmax(ring), ring.shape)):
            found.append((float(places[0][place] % 360), float(places[1][place])))
    return tuple(found)


def _check(panel, view, directions):
    """Refuse directions outside of what is shown."""
    for longitude, latitude in directions:
        (west, east), (south, north) = view.longitude[[0, -1]], view.latitude[[0, -1]]
        inside = west - 1e-9 <= _in_turn(view, longitude) <= east + 1e-9
        if not (inside and south - 1e-9 <= latitude <= north + 1e-9):
            raise FigureError(
                f"{panel.results.path}: the direction {longitude:g},{latitude:g} is outside of"
                f" the part of the sky shown{of_case(panel.results)}, l = {west:g} to {east:g} and"
                f" b = {south:g} to {north:g} deg"
            )


def _in_turn(view, longitude):
    """A longitude in the turn that the window shows."""
    shown = view.longitude.mean()
    return shown + (longitude - shown + 180) % 360 - 180


def paths_of(panel, directions, row):
    """Trajectories computed again as the job did, up to the panel's stop.

    Parameters
    ----------
    panel : hpc_cr.figures.panels.Panel
    directions : sequence of (l, b) in degrees
    row : int
        Row of the file: its realisation and observer.

    Returns
    -------
    hpc_cr.trajectories.paths.Paths
    """
    from hpc_cr.campaigns.work import plan_of
    from hpc_cr.fields import make_field
    from hpc_cr.trajectories.paths import follow

    results = panel.results
    job = results.job
    plan = plan_of(job, panel.rig)
    field = make_field(job, int(results.realisation[row]))
    start = unit_vector(*np.transpose(directions))
    paths = follow(field, plan, start, results.observers[row], job.integrator.method)
    if panel.stop + 1 < len(plan.stops):
        paths = paths._replace(
            points=[
                _until(path, end)
                for path, end in zip(paths.points, paths.displacement[panel.stop], strict=True)
            ]
        )
    return paths


def _until(path, end):
    """The part of a path up to the point nearest to a stop, and that stop."""
    nearest = int(np.argmin(np.sum((path - end) ** 2, axis=1)))
    return np.vstack([path[:nearest], end])


def view_of(panel, options):
    """Smoothed relative intensity around the directions.

    Parameters
    ----------
    panel : hpc_cr.figures.panels.Panel
    options : hpc_cr.figures.panels.Options
        smooth, realisation, directions.

    Returns
    -------
    View
        In Galactic coordinates at a lattice of places, each the average over the pixels within
        the radius; of a patch, the part at least that radius from its edge.
    """
    import healpy

    row = row_of(panel, options.realisation)
    intensity, source = intensity_of(panel, row)
    nside = healpy.npix2nside(len(intensity))
    # a disc must hold some pixels
    radius = max(options.smooth or SMOOTHING, 1.5 * np.degrees(healpy.nside2resol(nside)))
    zero, note = _zero(panel, row, intensity)
    sigma = np.nan if source else _pixel_noise(intensity)
    longitude, latitude = _window(panel, options, radius)
    places = unit_vector(*np.meshgrid(longitude, latitude))
    inside = np.isfinite(intensity)
    columns = np.column_stack([inside, np.where(inside, intensity - 1.0, 0.0)])
    count, total = np.moveaxis(disc_sums(columns, radius, places.reshape(-1, 3)), -1, 0)
    count = np.where(count > 0.5, count, np.nan)
    values = (total / count).reshape(places.shape[:2]) - (zero[0] + places @ zero[1:])
    if note == "":
        values -= np.nanmean(values)
        note = "mean of the part subtracted"
    noise = float(sigma / np.sqrt(np.nanmin(count)))
    return View(longitude, latitude, values, noise, radius, note)


def _pixel_noise(intensity):
    """Noise of a pixel from groups of four neighbours, without a fit to a part of the sky."""
    import healpy

    from hpc_cr.anisotropy.response import nested_quads, quad_covariance

    quads = nested_quads(healpy.npix2nside(len(intensity)))
    quads = quads[np.isfinite(intensity[quads[:, 0]])]
    return float(np.sqrt(quad_covariance(intensity[:, None], quads)[0, 0]))


def _zero(panel, row, intensity):
    """Monopole (of the deviation) and dipole to subtract, (4,), and what they are."""
    note = "dipole of the whole sky subtracted"
    if panel.results.job.particles.patch is None:
        fit = skymaps.subtract_dipole(intensity)
        return np.append(fit.monopole - 1.0, fit.dipole), note
    for other in panel.results.each_case():
        found = _same_sky(panel, row, other)
        if found is not None:
            gradient = panel.scale * panel.gradient
            monopole = other.alm[found][:, 0].real @ gradient / np.sqrt(4 * np.pi)
            return np.append(monopole, other.response[found] @ gradient), note
    return np.zeros(4), ""


def _same_sky(panel, row, other):
    """(row, rigidity, stop) of the same field, rigidity and stop in a case of the whole sky."""
    job, theirs = panel.results.job, other.job
    parts = ("turbulence", "grids", "regular", "boundary")
    if theirs.particles.patch is not None or job.run.seed != theirs.run.seed:
        return None
    if any(getattr(job, part) != getattr(theirs, part) for part in parts):
        return None
    rows = np.flatnonzero(other.realisation == panel.results.realisation[row])
    rigs = np.flatnonzero(np.isclose(other.rigidities, panel.rigidity, rtol=1e-9))
    if not len(rows) or not len(rigs) or not other.done[rows[0], rigs[0]]:
        return None
    if not np.allclose(other.observers[rows[0]], panel.results.observers[row]):
        return None
    return int(rows[0]), int(rigs[0]), panel.stop


def _window(panel, options, radius):
    """Longitudes and latitudes shown."""
    patch = panel.results.job.particles.patch
    if patch is not None:
        centre, width = (patch.l, patch.b), max(patch.width - 2 * radius, patch.width / 4)
    else:
        centre, width = CENTRE, WIDTH
        if options.directions:
            middle = lon_lat(unit_vector(*np.transpose(options.directions)).mean(axis=0))
            # the paper's part of the sky for the paper's directions
            centre = np.clip(np.round(np.array(middle) / 15) * 15, [0, -75], [360, 75])
    step = np.linspace(-width / 2, width / 2, GRID)
    return centre[0] + step, centre[1] + step


def _sky(figure, axes, view, directions):
    limit = float(np.nanmax(np.abs(view.values))) or 1.0
    exponent = int(np.floor(np.log10(limit)))
    mesh = axes.pcolormesh(
        view.longitude,
        view.latitude,
        view.values / 10.0**exponent,
        cmap="RdBu_r",
        shading="nearest",
        rasterized=True,
        vmin=-limit / 10.0**exponent,
        vmax=limit / 10.0**exponent,
    )
    for (longitude, latitude), colour in zip(directions, COLOURS, strict=False):
        cross = {"marker": "x", "markersize": 6, "markeredgewidth": 1.8, "gid": "start"}
        axes.plot(_in_turn(view, longitude), latitude, color=colour, **cross)
    axes.set_xlim(view.longitude[-1], view.longitude[0])
    axes.set_ylim(view.latitude[0], view.latitude[-1])
    axes.set_xlabel(r"Galactic longitude $l$ [deg]")
    axes.set_ylabel(r"Galactic latitude $b$ [deg]")
    axes.set_aspect("equal")
    noise = "" if np.isnan(view.noise) else rf", noise $\leq$ {style.number(100 * view.noise)} %"
    axes.set_title(rf"top hat of {view.radius:.2g}$\degree$ radius{noise}" + f"\n{view.note}")
    bar = figure.colorbar(mesh, ax=axes, location="right", shrink=0.8, aspect=25, pad=0.01)
    unit = "" if exponent == 0 else rf" [$10^{{{exponent}}}$]"
    bar.set_label(rf"relative intensity $\delta I/I_0${unit}")


def _paths(axes, points, directions, half_width):
    for path, (longitude, latitude), colour in zip(points, directions, COLOURS, strict=False):
        label = rf"$l={longitude:g}\degree$, $b={latitude:g}\degree$"
        line = {"color": colour, "rasterized": len(path) > 2000}
        outside = np.flatnonzero((np.abs(path[:, :2]) > 1.05 * half_width).any(axis=1))
        left = outside[0] + 1 if len(outside) else len(path)
        axes.plot(*path[:left, :2].T, linewidth=1.0, label=label, gid="path", **line)
        # what comes back later belongs to the larger scales
        axes.plot(*path[left - 1 :, :2].T, linewidth=0.4, alpha=0.4, **line)
    axes.plot(0, 0, "+", color=style.BLACK, markersize=7, zorder=5)
    axes.set_xlim(-half_width, half_width)
    axes.set_ylim(-half_width, half_width)
    axes.set_aspect("equal")
    axes.set_xlabel("$X$ to the Galactic centre [pc]")
    axes.set_ylabel(r"$Y$ to $l = 90\degree$ [pc]")
    axes.set_title(f"projection on the Galactic plane, within {style.number(half_width)} pc")


def _gradient(axes, gradient, half_width):
    """A star on the frame, on the side of the dense gas, where the gradient lies near the plane."""
    across = np.asarray(gradient)[:2]
    if np.linalg.norm(across) < 0.3 * np.linalg.norm(gradient) or not across.any():
        return
    place = half_width * across / np.abs(across).max()
    star = {"markersize": 10, "markeredgecolor": style.BLACK, "markeredgewidth": 0.6}
    axes.plot(
        *place, "*", color=style.YELLOW, clip_on=False, zorder=6, label="gradient", gid="gradient",
        linestyle="none", **star,
    )  # fmt: skip


def _round(value):
    """A length to one significant digit."""
    return float(f"{value:.1g}")
