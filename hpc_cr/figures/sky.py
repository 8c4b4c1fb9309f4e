"""The sky as astronomers draw it: Mollweide, longitude 0 in the centre and growing to the left."""

import numpy as np

from hpc_cr.figures import style


def project(longitude, latitude):
    """Coordinates on a Mollweide axes of matplotlib.

    Parameters
    ----------
    longitude, latitude : float or array
        Galactic l and b in degrees.

    Returns
    -------
    x, y : ndarray
        Radians; x = -l, so that l = 90 deg lies at the left.
    """
    wrapped = (np.asarray(longitude, float) + 180.0) % 360.0 - 180.0
    return -np.radians(wrapped), np.radians(np.asarray(latitude, float))


NAMES = {
    "galactic": ("l", "b"),
    "equatorial": (r"\alpha", r"\delta"),
    "ecliptic": (r"\lambda", r"\beta"),
}
"""Symbols of longitude and latitude in the frames of `hpc_cr.coordinates`."""


def prepare(axes, colour="0.75", labels=style.GREY, frame="galactic", numbers=True):
    """Grid and tick labels of a sky map in degrees; matplotlib's own labels have the wrong sign.

    `numbers` off leaves the grid alone, for small maps.
    """
    longitudes = np.array([120, 60, 0, 300, 240])
    latitudes = np.array([-60, -30, 0, 30, 60])
    longitude_name, latitude_name = NAMES[frame]
    axes.set_xticks(project(longitudes, 0)[0])
    axes.set_xticklabels([])
    axes.set_yticks(np.radians(latitudes))
    names = [rf"${latitude_name}={b}\degree$" if b == 0 else rf"${b}\degree$" for b in latitudes]
    axes.set_yticklabels(names if numbers else [])
    axes.set_longitude_grid_ends(90)
    axes.grid(True, color=colour, linewidth=0.4)
    axes.set_axisbelow(True)
    for longitude in longitudes if numbers else ():
        text = rf"${longitude}\degree$"
        if longitude == 0:
            text = rf"${longitude_name}={longitude}\degree$"
        axes.annotate(
            text,
            project(longitude, 0),
            xytext=(1.5, 1.5),
            textcoords="offset points",
            fontsize=7,
            color=labels,
            zorder=2,
        )
    axes.tick_params(axis="y", labelcolor=style.GREY)


def circle(axes, vector, radius, **line):
    """Draw the circle of an angular radius (degrees) around the direction of a vector (3,)."""
    from hpc_cr.frames import lon_lat

    centre = np.asarray(vector, float) / np.linalg.norm(vector)
    first, second = np.linalg.svd(centre[None, :])[2][1:]
    angle, radius = np.linspace(0, 2 * np.pi, 181)[:, None], np.radians(radius)
    points = np.cos(radius) * centre + np.sin(radius) * (
        np.cos(angle) * first + np.sin(angle) * second
    )
    x, y = project(*lon_lat(points))
    # where the circle leaves the map at one side it comes back at the other: lift the pen
    x[1:][np.abs(np.diff(x)) > np.pi] = np.nan
    return axes.plot(x, y, **line)[0]


def mark(axes, vector, **marker):
    """Plot a marker where a vector (3,), Galactic Cartesian, points to."""
    from hpc_cr.frames import lon_lat

    settings = {"linestyle": "none", "clip_on": False, "zorder": 6} | marker
    return axes.plot(*(np.atleast_1d(c) for c in project(*lon_lat(vector))), **settings)[0]
