"""Dipoles and the axes they follow: the magnetic field, smoothed or regular, and the gradient.

Along a strong field M is nearly M_par b b, so that delta = M g points along +b or -b and its
amplitude goes as |cos psi|, psi being the angle between gradient and field. What does not follow
that law, near 90 degrees, is the work of the turbulence. Vectors are Galactic Cartesian, angles in
degrees.
"""

import numpy as np

RANDOM_MEDIAN = 60.0
"""Median angle between an axis and independent, isotropic directions, degrees."""


def axis_angles(vectors, axes):
    """Angles between vectors and axes without a sense.

    Parameters
    ----------
    vectors, axes : array (..., 3)
        Of any length, broadcast against each other.

    Returns
    -------
    ndarray (...)
        Degrees, 0 to 90; NaN for a vector of length zero.
    """
    vectors, axes = np.asarray(vectors, float), np.asarray(axes, float)
    along = np.abs(np.sum(vectors * axes, axis=-1))
    # the cross product keeps small angles exact
    across = np.linalg.norm(np.cross(vectors, axes), axis=-1)
    return np.where(along + across > 0, np.degrees(np.arctan2(across, along)), np.nan)


def random_axis_angle(quantile):
    """Angle to an axis below which a share of isotropic directions lies, degrees."""
    return np.degrees(np.arccos(1 - np.asarray(quantile, float)))


def eastward(field):
    """Unit vector at right angles to a field, towards growing longitude at b = 0.

    Parameters
    ----------
    field : array (3,)
        Of any length.

    Returns
    -------
    ndarray (3,)
        Towards l = 90 for a field towards l = 0; also for one along the Galactic axis.
    """
    east = np.cross([0.0, 0.0, 1.0], field)
    size = np.linalg.norm(east)
    return east / size if size > 1e-9 * np.linalg.norm(field) else np.array([0.0, 1.0, 0.0])


def gradients_about(field, angle):
    """Unit gradients at angles from a field, in its plane with `eastward`.

    Parameters
    ----------
    field : array (3,)
        Of any length.
    angle : array (n_angle,)
        From the field, degrees; 90 is `eastward`.

    Returns
    -------
    ndarray (n_angle, 3)
    """
    b = np.asarray(field, float) / np.linalg.norm(field)
    psi = np.radians(np.asarray(angle, float))[:, None]
    return np.cos(psi) * b + np.sin(psi) * eastward(b)


def amplitudes_at(response, gradients):
    """|M g| of every row for each gradient.

    Parameters
    ----------
    response : array (n, 3, 3)
        M_ij, pc.
    gradients : array (n_angle, 3)

    Returns
    -------
    ndarray (n, n_angle)
        pc for unit gradients.
    """
    return np.linalg.norm(np.einsum("nij,aj->nai", response, gradients), axis=-1)


def cosine_amplitude(amplitude, angle):
    """The A that brings A |cos psi| closest to an amplitude, by least squares.

    Parameters
    ----------
    amplitude : array (..., n_angle)
    angle : array (n_angle,)
        psi in degrees.

    Returns
    -------
    ndarray (...)
        Unit of the amplitude.
    """
    cosine = np.abs(np.cos(np.radians(angle)))
    return np.asarray(amplitude) @ cosine / (cosine @ cosine)


def alignment_needed(amplitude, angle, limit):
    """How close to 90 degrees the gradient has to be for the amplitude to stay below a limit.

    Parameters
    ----------
    amplitude : array (n_angle,)
        Median over realisations at each angle.
    angle : array (n_angle,)
        Angle of the gradient from the field in degrees, ascending through 90.
    limit : float
        In the unit of the amplitude.

    Returns
    -------
    float
        Half the width of the range around 90 degrees; 0 if the limit is exceeded at 90, 90 if
        it is kept at all angles given.
    """
    excess = np.asarray(amplitude, float) - limit
    if np.interp(90.0, angle, excess) > 0:
        return 0.0
    ends = []
    for side in (1, -1):
        chosen = np.flatnonzero(side * (angle - 90.0) >= 0)[::side]
        off, over = side * (angle[chosen] - 90.0), excess[chosen]
        crossed = np.flatnonzero(over > 0)
        if not len(crossed):
            ends.append(off[-1])
        elif crossed[0] == 0:
            ends.append(0.0)
        else:
            pair = slice(crossed[0] - 1, crossed[0] + 1)
            ends.append(np.interp(0.0, over[pair], off[pair]))
    return float(np.mean(ends))


def longitude_harmonics(amplitude, longitude):
    """Second harmonic of an amplitude in the gradient's longitude.

    |M g| is the same for g and -g, so that a preferred direction shows at twice the longitude.

    Parameters
    ----------
    amplitude : array (..., n)
        At equally spaced longitudes.
    longitude : array (n,)
        Degrees, once round.

    Returns
    -------
    ndarray (..., 3)
        Mean, cosine and sine part of a + b cos 2l + c sin 2l.
    """
    phase = 2 * np.radians(longitude)
    basis = np.stack([np.ones_like(phase), 2 * np.cos(phase), 2 * np.sin(phase)])
    return np.asarray(amplitude) @ basis.T / len(phase)
