"""The intensity on the sky of one realisation, 1 + g.X(n) without its monopole.

From the stored displacement maps, or, where a file has none, from its multipoles up to l_max
(the title says so). Optionally averaged over discs, without its dipole, or as significance.
"""

import numpy as np

from hpc_cr.anisotropy import skymaps
from hpc_cr.figures import sky, style
from hpc_cr.figures.panels import FigureError, of_case
from hpc_cr.io.errors import ResultError

SYNTHESIS_NSIDE = 64


def draw(panels, options):
    """One Mollweide map per panel, each with its own colour bar.

    Parameters
    ----------
    panels : sequence of hpc_cr.figures.panels.Panel
    options : hpc_cr.figures.panels.Options

    Returns
    -------
    matplotlib.figure.Figure
    """
    figure, all_axes = style.panels(len(panels), 2.6, extra=0.25, projection="mollweide")
    for axes, panel in zip(all_axes, panels, strict=True):
        values, source = sky_values(panel, options)
        _panel(figure, axes, panel, values, source, options)
    handles = {}
    for axes in all_axes:
        found, names = axes.get_legend_handles_labels()
        handles |= dict(zip(names, found, strict=True))
    figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=len(handles))
    return figure


def sky_values(panel, options):
    """The map to show and where it comes from.

    Parameters
    ----------
    panel : hpc_cr.figures.panels.Panel
    options : hpc_cr.figures.panels.Options

    Returns
    -------
    values : ndarray (n_pix,)
        Relative intensity without its monopole, or significance in standard deviations.
    source : str
        Empty for stored maps, else what limits the synthesis.

    Raises
    ------
    FigureError
        The file does not have the realisation, or it is not finished, or significance is wanted
        without stored maps.
    """
    row = _row(panel, options.realisation)
    particles = panel.results.job.particles
    try:
        if particles.count is not None:
            raise ResultError(f"{panel.results.path}: random directions have no pixels")
        displacement = panel.results.maps("displacement", row, panel.rig, panel.stop)
    except ResultError as error:
        if options.significance:
            raise FigureError(f"significance needs displacement maps: {error}") from None
        alm = panel.results.alm[row, panel.rig, panel.stop]
        intensity = skymaps.map_from_alm(alm, panel.gradient, SYNTHESIS_NSIDE)
        source, sigma = rf"from multipoles $\ell \leq$ {panel.results.job.output.l_max}", 0.0
    else:
        intensity = skymaps.intensity_map(displacement, panel.gradient)
        source, sigma = "", None
    result = skymaps.residual_map(intensity, options.smooth, options.subtract_dipole, sigma)
    return result.significance if options.significance else result.values, source


def _row(panel, realisation):
    """Row of a realisation's first observer; None stands for the file's first realisation."""
    results, numbers = panel.results, panel.results.realisation
    first, last = int(numbers[0]), int(numbers[-1])
    rows = np.flatnonzero(numbers == (first if realisation is None else realisation))
    there = f"{first} to {last}" if first < last else f"{first} only"
    if not len(rows):
        raise FigureError(
            f"{results.path}: realisation {realisation} does not exist{of_case(results)};"
            f" the file has {there}"
        )
    if rows[0] not in panel.rows:
        raise FigureError(
            f"{results.path}: {results.job.entry_name(rows[0], panel.rig, results.case)}"
            f" is not finished; the file is for realisations {there}"
        )
    return int(rows[0])


def _panel(figure, axes, panel, values, source, options):
    import healpy

    n_lon, n_lat = 720, 361
    x = np.linspace(-np.pi, np.pi, n_lon)
    y = np.linspace(-np.pi / 2, np.pi / 2, n_lat)
    nside = healpy.npix2nside(len(values))
    # x = -l: the pixel at the left of the picture is the one at growing longitude
    pixels = healpy.ang2pix(nside, *np.meshgrid(-np.degrees(x), np.degrees(y)), lonlat=True)
    limit = np.nanquantile(np.abs(values), 1.0 if options.smooth else 0.998) or 1.0
    exponent = 0 if options.significance else int(np.floor(np.log10(limit)))
    import matplotlib

    colours = matplotlib.colormaps["RdBu_r"].with_extremes(bad="0.6")
    mesh = axes.pcolormesh(
        x,
        y,
        values[pixels] / 10.0**exponent,
        cmap=colours,
        rasterized=True,
        shading="nearest",
        vmin=-limit / 10.0**exponent,
        vmax=limit / 10.0**exponent,
    )
    sky.prepare(axes, colour="0.45", labels="0.1")
    axes.set_axisbelow(False)
    _marks(axes, panel, options)
    bar = figure.colorbar(mesh, ax=axes, orientation="horizontal", shrink=0.8, aspect=35, pad=0.04)
    unit = "" if exponent == 0 else rf" [$10^{{{exponent}}}$]"
    bar.set_label(
        "significance [standard deviations]"
        if options.significance
        else rf"relative intensity $\delta I/I_0${unit}"
    )
    row = _row(panel, options.realisation)
    notes = [f"realisation {panel.results.realisation[row]}"]
    notes += ["observer 0"] if panel.results.job.particles.observers > 1 else []
    notes += [source] if source else []
    notes += [rf"top hat of {options.smooth:g}$\degree$ radius"] if options.smooth else []
    notes += ["dipole subtracted"] if options.subtract_dipole else []
    axes.set_title(panel.title(count=False) + "\n" + ", ".join(notes), linespacing=1.3)


def _marks(axes, panel, options):
    row = np.flatnonzero(panel.rows == _row(panel, options.realisation))[0]
    edge = {"markeredgecolor": style.BLACK, "markeredgewidth": 0.6}
    sky.mark(
        axes, panel.gradient, marker="*", markersize=9, color=style.YELLOW, label="gradient", **edge
    )
    sky.mark(
        axes, panel.dipoles[row], marker="o", markersize=5, color="white", label="dipole", **edge
    )
    if panel.field is not None:
        sky.mark(
            axes,
            panel.field,
            marker="x",
            markersize=6,
            color=style.BLACK,
            markeredgewidth=1.6,
            label="regular field",
        )
