"""Single trajectories from a small part of the sky (Giacinti & Sigl 2012, figure 3).

First the relative intensity around the directions that the particles arrive from, then the paths,
projected on the Galactic plane, at three zooms. The paths are computed again from the job in the
file, with its field, integrator and step: what is drawn is what the map was made from.

The zero of the intensity is the monopole and the dipole of the whole sky where the file has it
(of a part of the sky, from a case with the same field, rigidity and stop); else the mean of what
is shown.
"""

from typing import NamedTuple

import numpy as np

from hpc_cr.anisotropy import skymaps
from hpc_cr.anisotropy.discs import disc_sums
from hpc_cr.figures import style
from hpc_cr.figures.panels import FigureError
from hpc_cr.figures.sky_values import intensity_of, row_of
from hpc_cr.frames import lon_lat, unit_vector

DIRECTIONS = ((154.0, 5.0), (156.0, 5.0), (163.0, 5.0), (164.0, 5.0))
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

    directions = options.directions or DIRECTIONS
    if len(directions) > len(COLOURS):
        raise FigureError(f"{len(directions)} trajectories are too many; at most {len(COLOURS)}")
    figure = Figure(figsize=(style.DOUBLE, 6.3 * len(panels)), layout="constrained")
    parts = figure.subfigures(len(panels), 1, squeeze=False)[:, 0]
    for part, panel in zip(parts, panels, strict=True):
        row = row_of(panel, options.realisation)
        number = f", realisation {panel.results.realisation[row]}"
        part.suptitle(panel.title(count=False) + number, fontsize=8)
        all_axes = part.subplots(2, 2).ravel()
        _sky(part, all_axes[0], view_of(panel, options), directions)
        paths = paths_of(panel, directions, row)
        far = panel.length
        if panel.results.stop_kind == "time":
            far = max(np.abs(path).max() for path in paths.points)
        for axes, zoom in zip(all_axes[1:], ZOOMS, strict=True):
            _paths(axes, paths.points, directions, _round(zoom * far))
        lines, names = all_axes[1].get_legend_handles_labels()
        part.legend(lines, names, loc="outside lower center", ncols=4)
    return figure


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
        directions = options.directions or DIRECTIONS
        centre = lon_lat(unit_vector(*np.transpose(directions)).mean(axis=0))
        # the paper's part of the sky for the paper's directions
        centre = np.clip(np.round(np.array(centre) / 15) * 15, [0, -75], [360, 75])
        width = WIDTH
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
        # the turn that the window shows
        shown = view.longitude.mean()
        place = shown + (longitude - shown + 180) % 360 - 180
        cross = {"marker": "x", "markersize": 6, "markeredgewidth": 1.8, "gid": "start"}
        axes.plot(place, latitude, color=colour, **cross)
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


def _round(value):
    """A length to one significant digit."""
    return float(f"{value:.1g}")
