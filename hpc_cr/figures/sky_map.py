"""The intensity on the sky of one realisation, 1 + g.X(n) without its monopole.

From the stored displacement maps, or, where a file has none, from its multipoles up to l_max
(the title says so). Optionally averaged over discs, without its dipole, or as significance; then
the significant hot and cold spots are numbered (`hpc_cr.anisotropy.features`).

Several stops of several rigidities make a table: a row per rigidity with one colour scale, a
column per stop (Giacinti & Sigl 2012, figure 2).
"""

import numpy as np

from hpc_cr.figures import sky, sky_values, style
from hpc_cr.figures.sky_values import dipole_of, row_of, sky_of

COORDINATES = {
    "galactic": "Galactic l, b",
    "equatorial": r"right ascension $\alpha$, declination $\delta$ (ICRS)",
    "ecliptic": r"ecliptic $\lambda$, $\beta$ (J2000)",
}
MOST_COLUMNS = 4


def draw(panels, options):
    """One Mollweide map per panel: each with its own colour bar, or a table of stops.

    Parameters
    ----------
    panels : sequence of hpc_cr.figures.panels.Panel
    options : hpc_cr.figures.panels.Options

    Returns
    -------
    matplotlib.figure.Figure
    """
    rows = _table(panels)
    if 2 < len(rows[0]) <= MOST_COLUMNS:
        return _draw_table(rows, options)
    skies = [sky_of(panel, options) for panel in panels]
    titles = [_title(*pair, options) for pair in zip(panels, skies, strict=True)]
    # three lines find room in the usual height
    more = 0.16 * max(max(title.count("\n") for title in titles) - 2, 0)
    figure, all_axes = style.panels(len(panels), 2.6 + more, extra=0.25, projection="mollweide")
    for axes, panel, one, title in zip(all_axes, panels, skies, titles, strict=True):
        mesh, exponent = _map(axes, one.values, _limit(one.values, options), options)
        sky.prepare(axes, colour="0.45", labels="0.1", frame=options.frame)
        axes.set_axisbelow(False)
        _marks(axes, panel, options)
        _numbers(axes, one.features, options.frame)
        bar = figure.colorbar(
            mesh, ax=axes, orientation="horizontal", shrink=0.8, aspect=35, pad=0.04
        )
        bar.set_label(_quantity(exponent, options))
        axes.set_title(title, linespacing=1.3)
    _legend(figure, all_axes, [one.found for one in skies if one.features])
    return figure


def _table(panels):
    """Panels by file, case and rigidity: a list of rows."""
    rows = {}
    for panel in panels:
        rows.setdefault((panel.results.path, panel.results.case, panel.rig), []).append(panel)
    return list(rows.values())


def _draw_table(rows, options):
    """Rows of one rigidity with a common colour scale, columns of stops."""
    from matplotlib.figure import Figure

    columns = max(len(row) for row in rows)
    height = 6.4 / columns * 0.55
    size = (style.DOUBLE, len(rows) * (height + 0.36) + 0.75)
    figure = Figure(figsize=size, layout="constrained")
    all_axes, common = [], None
    for number, row in enumerate(rows):
        skies = [sky_of(panel, options) for panel in row]
        limit = max(_limit(one.values, options) for one in skies)
        drawn = []
        for column, (panel, one) in enumerate(zip(row, skies, strict=True)):
            axes = figure.add_subplot(
                len(rows), columns, number * columns + column + 1, projection="mollweide"
            )
            mesh, exponent = _map(axes, one.values, limit, options)
            sky.prepare(axes, colour="0.45", frame=options.frame, numbers=False)
            axes.set_axisbelow(False)
            _marks(axes, panel, options)
            noise = f"\nnoise {_percent(one.noise)}" if np.isfinite(one.noise) else ""
            axes.set_title(f"{style.rigidity(panel.rigidity)}, {panel.stop_text}{noise}")
            drawn.append(axes)
        bar = figure.colorbar(mesh, ax=drawn, shrink=0.9, aspect=12, pad=0.01)
        bar.set_label(_quantity(exponent, options, short=True))
        all_axes += drawn
        common = common or (row[0], skies[0])
    what = _title(*common, options, numbers=False)
    figure.suptitle(
        f"{what}; one colour scale per row; longitude 0 in the centre, growing to the left,"
        r" grid of 60$\degree$ and 30$\degree$",
        fontsize=8,
        wrap=True,
    )
    _legend(figure, all_axes)
    return figure


def _limit(values, options):
    """Largest |value| that the colours show; of a map of pixels nearly all."""
    return float(np.nanquantile(np.abs(values), 1.0 if options.smooth else 0.998)) or 1.0


def _map(axes, values, limit, options):
    """Draw a map within -limit..limit; the mesh and the power of ten taken out of its scale."""
    import healpy
    import matplotlib

    from hpc_cr.coordinates import rotation_to
    from hpc_cr.frames import unit_vector

    n_lon, n_lat = 720, 361
    x = np.linspace(-np.pi, np.pi, n_lon)
    y = np.linspace(-np.pi / 2, np.pi / 2, n_lat)
    # x = -longitude: the pixel at the left of the picture is the one at growing longitude
    places = unit_vector(*np.meshgrid(-np.degrees(x), np.degrees(y))) @ rotation_to(options.frame)
    pixels = healpy.vec2pix(healpy.npix2nside(len(values)), *np.moveaxis(places, -1, 0))
    exponent = 0 if options.significance else int(np.floor(np.log10(limit)))
    mesh = axes.pcolormesh(
        x,
        y,
        values[pixels] / 10.0**exponent,
        cmap=matplotlib.colormaps["RdBu_r"].with_extremes(bad="0.6"),
        rasterized=True,
        shading="nearest",
        vmin=-limit / 10.0**exponent,
        vmax=limit / 10.0**exponent,
    )
    return mesh, exponent


def _quantity(exponent, options, short=False):
    if options.significance:
        return r"significance [$\sigma$]" if short else "significance [standard deviations]"
    unit = "" if exponent == 0 else rf" [$10^{{{exponent}}}$]"
    return rf"$\delta I/I_0${unit}" if short else rf"relative intensity $\delta I/I_0${unit}"


def _percent(noise):
    return "< 0.01 %" if noise < 1e-4 else rf"$\leq$ {style.number(100 * noise)} %"


def _title(panel, one, options, numbers=True):
    """What it is; `numbers` off for a table, whose maps have their own rigidity, stop and noise."""
    row = row_of(panel, options.realisation)
    notes = [f"realisation {panel.results.realisation[row]}"]
    notes += ["observer 0"] if panel.results.job.particles.observers > 1 else []
    notes += [one.source] if one.source else []
    notes += [rf"top hat of {options.smooth:g}$\degree$ radius"] if options.smooth else []
    notes += ["dipole subtracted"] if options.subtract_dipole else []
    extra = ["local term"] if options.local_term else []
    if numbers:
        known = options.smooth and np.isfinite(one.noise)
        noise = f", noise {_percent(one.noise)}" if known else ""
        extra += [COORDINATES[options.frame]] if options.frame != "galactic" else []
        lines = [panel.title(count=False) + noise, *_wrapped(notes)]
    else:
        first = panel.title(rigidity=False, stop=False, count=False)
        lines = [first.replace("\n", ", ") + ", " + ", ".join(notes)]
        extra += [COORDINATES[options.frame]]
    return "\n".join(lines + ([", ".join(extra)] if extra else []))


def _wrapped(notes, width=58):
    """Notes joined by commas, in lines that fit above a map."""
    lines = [notes[0]]
    for note in notes[1:]:
        if len(f"{lines[-1]}, {note}".replace(r"$\degree$", "o")) > width:
            lines.append(note)
        else:
            lines[-1] += f", {note}"
    return lines


def _marks(axes, panel, options):
    from hpc_cr.coordinates import rotation_to

    rotation = rotation_to(options.frame)
    edge = {"markeredgecolor": style.BLACK, "markeredgewidth": 0.6}
    small = axes.get_position().width < 0.3
    sky.mark(
        axes,
        rotation @ panel.gradient,
        marker="*",
        markersize=6 if small else 9,
        color=style.YELLOW,
        label="gradient",
        **edge,
    )
    sky.mark(
        axes,
        rotation @ dipole_of(panel, row_of(panel, options.realisation)),
        marker="o",
        markersize=3.5 if small else 5,
        color="white",
        label="dipole",
        **edge,
    )
    if panel.field is not None:
        sky.mark(
            axes,
            rotation @ panel.field,
            marker="x",
            markersize=6,
            color=style.BLACK,
            markeredgewidth=1.6,
            label="regular field",
        )


def _numbers(axes, features, frame):
    """The features' numbers at their places, the strongest first."""
    from matplotlib import patheffects

    from hpc_cr.coordinates import rotation_to
    from hpc_cr.frames import lon_lat

    outline = [patheffects.withStroke(linewidth=1.6, foreground="white")]
    for number, feature in enumerate(features, 1):
        place = sky.project(*lon_lat(rotation_to(frame) @ feature.direction))
        axes.annotate(
            str(number),
            place,
            ha="center",
            va="center",
            fontsize=8,
            fontweight="bold",
            color=style.BLACK,
            path_effects=outline,
            zorder=5,
            gid="feature",
        )


def _legend(figure, all_axes, found=()):
    """One legend below for all maps; found: significant features of each map that numbers some."""
    handles = {}
    for axes in all_axes:
        drawn, names = axes.get_legend_handles_labels()
        handles |= dict(zip(names, drawn, strict=True))
    if found:
        from matplotlib.lines import Line2D

        from hpc_cr.anisotropy.features import SIGNIFICANT

        which = "the strongest first"
        if max(found) > sky_values.NUMBERED:
            counts = " and ".join(map(str, found))
            which = f"the {sky_values.NUMBERED} strongest of {counts}"
        label = rf"extrema above {SIGNIFICANT:g} $\sigma$, {which}"
        handles[label] = Line2D(
            [], [], linestyle="none", marker="$1$", markersize=5, color=style.BLACK
        )
    figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=len(handles))
