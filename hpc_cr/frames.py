"""Directions in the Galactic Cartesian frame.

The observer is at the origin; x points to the Galactic centre (l = 0, b = 0), y to l = 90 deg,
z to the north Galactic pole. A direction on the sky is where a particle comes from.
"""

from functools import lru_cache

import numpy as np


def unit_vector(longitude, latitude):
    """Cartesian unit vector of a Galactic direction.

    Parameters
    ----------
    longitude, latitude : float or array (...)
        Galactic l and b in degrees.

    Returns
    -------
    ndarray (..., 3)
        Unit vector, dimensionless, Galactic Cartesian.
    """
    lon, lat = np.radians(longitude), np.radians(latitude)
    lon, lat = np.broadcast_arrays(lon, lat)
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=-1)


def lon_lat(vector):
    """Galactic longitude and latitude of a vector of any length.

    Parameters
    ----------
    vector : array_like (..., 3)
        Galactic Cartesian components, any unit.

    Returns
    -------
    longitude, latitude : ndarray (...)
        Degrees; longitude in [0, 360).
    """
    v = np.asarray(vector, dtype=float)
    lon = np.degrees(np.arctan2(v[..., 1], v[..., 0])) % 360.0
    lat = np.degrees(np.arctan2(v[..., 2], np.hypot(v[..., 0], v[..., 1])))
    return lon, lat


def field_axes(field):
    """Axes along and across a field.

    Parameters
    ----------
    field : array_like (3,)
        Galactic Cartesian, any unit; zero for none.

    Returns
    -------
    ndarray (3, 3)
        Rows: unit vectors along the field and two across it, right-handed. Without a field the
        Galactic axes.
    """
    field = np.asarray(field, float)
    if not np.any(field):
        return np.eye(3)
    along = field / np.linalg.norm(field)
    # any direction that is not nearly parallel: the Galactic axis that is farthest from it
    across = np.cross(along, np.eye(3)[np.argmin(np.abs(along))])
    across /= np.linalg.norm(across)
    return np.stack([along, across, np.cross(along, across)])


@lru_cache(maxsize=4)
def patch_pixels(nside, longitude, latitude, width):
    """HEALPix pixels of a part of the sky, bounded by circles of longitude and latitude.

    Parameters
    ----------
    nside : int
    longitude, latitude : float
        Galactic (l, b) of its middle in degrees.
    width : float
        Its extent in l and in b, degrees.

    Returns
    -------
    ndarray (n_pix,) of int
        RING numbers of the pixels whose centres lie within, ascending; read-only.
    """
    import healpy

    colatitude = np.radians(90.0 - latitude)
    half = np.radians(width / 2)
    strip = healpy.query_strip(nside, max(colatitude - half, 0.0), min(colatitude + half, np.pi))
    lon = healpy.pix2ang(nside, strip, lonlat=True)[0]
    pixels = strip[np.abs((lon - longitude + 180.0) % 360.0 - 180.0) <= width / 2]
    pixels.flags.writeable = False
    return pixels
