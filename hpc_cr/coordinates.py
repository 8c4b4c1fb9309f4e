"""Celestial frames through astropy: Galactic, equatorial (ICRS) and barycentric ecliptic (J2000).

Everything else in the project is Galactic Cartesian (`hpc_cr.frames`). A frame is reached by one
rotation about the observer, v_frame = rotation_to(frame) @ v_galactic; in each of them x points to
longitude 0 on the equator and z to the pole:

    galactic     x to the Galactic centre, z to the north Galactic pole; l and b
    equatorial   x to the vernal equinox, z to the north celestial pole; right ascension and
                 declination
    ecliptic     x to the vernal equinox, z to the north ecliptic pole; ecliptic longitude and
                 latitude

`hpc_cr.frames.lon_lat` and `unit_vector` turn vectors of any of them into angles and back.
astropy.coordinates is loaded when a rotation is first asked for; nothing is downloaded, since
neither frame depends on the Earth's rotation.
"""

from functools import lru_cache

import numpy as np

FRAMES = ("galactic", "equatorial", "ecliptic")


@lru_cache(maxsize=3)
def rotation_to(frame):
    """Rotation from Galactic Cartesian components to those of another frame.

    Parameters
    ----------
    frame : "galactic", "equatorial" or "ecliptic"

    Returns
    -------
    ndarray (3, 3)
        v_frame = rotation @ v_galactic, or v_galactic @ rotation.T for vectors (..., 3);
        orthogonal to 1e-15, determinant +1, read-only. The transpose leads back.

    Raises
    ------
    ValueError
        No such frame.
    """
    if frame not in FRAMES:
        raise ValueError(f"frame {frame!r}; frames: {', '.join(FRAMES)}")
    matrix = np.eye(3) if frame == "galactic" else _axes_in(frame).T
    # what rounding leaves of the departure from a rotation is taken out: |v| stays exact
    left, _, right = np.linalg.svd(matrix)
    matrix = left @ right
    matrix.flags.writeable = False
    return matrix


def _axes_in(frame):
    """The Galactic axes x, y, z in the frame, (3, 3): one row each."""
    from astropy.coordinates import ICRS, BarycentricMeanEcliptic, CartesianRepresentation, Galactic

    axes = Galactic(CartesianRepresentation(np.eye(3)))
    target = ICRS() if frame == "equatorial" else BarycentricMeanEcliptic()
    unit = axes.transform_to(target).represent_as("unitspherical")
    return unit.to_cartesian().xyz.value.T


def rotate_alm(alm, rotation):
    """Multipoles of the same sky in a rotated frame.

    Parameters
    ----------
    alm : array (..., n_lm), complex
        healpy's order, of a real function f(n) of Galactic directions.
    rotation : array (3, 3)
        As from `rotation_to`; its transpose leads back.

    Returns
    -------
    ndarray (..., n_lm), complex
        Of f'(n') = f(n) with n' = rotation @ n; the powers C_l are the same.
    """
    import healpy

    alm = np.asarray(alm, complex)
    rotated = np.ascontiguousarray(alm.reshape(-1, alm.shape[-1])).copy()
    for row in rotated:
        healpy.rotate_alm(row, matrix=np.asarray(rotation, float))
    return rotated.reshape(alm.shape)


def pixel_directions(nside, frame="galactic"):
    """Directions of a Galactic map's pixels in a frame.

    Parameters
    ----------
    nside : int
        Of a HEALPix RING map.
    frame : str
        As for `rotation_to`.

    Returns
    -------
    ndarray (n_pix, 3)
        Unit vectors of the pixel centres, components in the frame.
    """
    import healpy

    centres = np.column_stack(healpy.pix2vec(nside, np.arange(12 * nside**2)))
    return centres @ rotation_to(frame).T


def rotate_map(values, frame, nside=None):
    """A Galactic map as a map of another frame, each pixel with the value at its centre.

    Parameters
    ----------
    values : array (n_pix,)
        HEALPix RING map, Galactic; NaN where missing.
    frame : str
        As for `rotation_to`.
    nside : int, optional
        Of the result; default that of `values`.

    Returns
    -------
    ndarray (12 nside^2,)
        RING map in the frame: values of the nearest Galactic pixel, so that noise stays what it
        was.
    """
    import healpy

    values = np.asarray(values)
    source = healpy.npix2nside(len(values))
    there = pixel_directions(source if nside is None else nside)  # as directions of the frame
    return values[healpy.vec2pix(source, *(there @ rotation_to(frame)).T)]
