"""The anisotropy as an experiment on the ground sees it.

An air-shower array calibrates its acceptance with the data themselves, so that only what varies
with right ascension alpha at a fixed declination is left. Of a dipole delta it measures the
projection on the equatorial plane: the first harmonic in right ascension,

    I(alpha)/I0 - 1 = a cos alpha + b sin alpha = A cos(alpha - phase),
    (a, b) = <cos dec> (delta_x, delta_y)   in equatorial components,

with the mean over the band of declinations seen (`hpc_cr.detector.exposure`). The component
along the Earth's axis is lost, and with it every multipole with m = 0. Higher multipoles with
m = 1 add to the harmonic: the weight of a_l1 is the band's mean of 2 lambda_l1(dec), with
Y_lm = lambda_lm(dec) exp(i m alpha).

Dipoles and maps come in Galactic coordinates, as everywhere; a first harmonic is the vector
(a, b), which averages and carries errors as amplitude and phase do not. Amplitudes are relative to
the intensity's mean over the whole sky: the mean over the band differs by the m = 0 part, a
correction of second order.
"""

from typing import NamedTuple

import numpy as np

from hpc_cr.anisotropy import ensembles
from hpc_cr.coordinates import pixel_directions, rotate_alm, rotation_to
from hpc_cr.detector.exposure import Band, band_mean, exposure, mean_cosine
from hpc_cr.frames import lon_lat

WHOLE_SKY = Band()


class HarmonicSummary(NamedTuple):
    """The first harmonic over an ensemble; see `summarise`. Amplitudes are dimensionless."""

    n: int
    n_realisation: int
    mean_amplitude: float
    mean_amplitude_error: float
    median: float
    median_error: float
    scatter: float
    scatter_error: float
    noise_floor: float
    mean_harmonic: np.ndarray
    mean_harmonic_error: np.ndarray
    mean_phase: float
    mean_phase_error: float


def equatorial(dipoles):
    """Equatorial components of Galactic vectors (..., 3): x to the equinox, z to the north pole."""
    return np.asarray(dipoles, float) @ rotation_to("equatorial").T


def first_harmonic(dipoles, band=WHOLE_SKY):
    """First harmonic in right ascension that a pure dipole gives.

    Parameters
    ----------
    dipoles : array (..., 3)
        delta, Galactic Cartesian.
    band : hpc_cr.detector.exposure.Band or None
        Declinations seen; None for the projection on the equatorial plane itself (<cos dec> = 1),
        the equatorial dipole.

    Returns
    -------
    ndarray (..., 2)
        (a, b).
    """
    weight = 1.0 if band is None else mean_cosine(band)
    return weight * equatorial(dipoles)[..., :2]


def amplitude_and_phase(harmonic):
    """A and the right ascension of the maximum.

    Parameters
    ----------
    harmonic : array (..., 2)

    Returns
    -------
    amplitude, phase : ndarray (...)
        Phase in degrees, [0, 360).
    """
    harmonic = np.asarray(harmonic, float)
    a, b = harmonic[..., 0], harmonic[..., 1]
    return np.hypot(a, b), np.degrees(np.arctan2(b, a)) % 360.0


def harmonic_covariance(dipole_errors, band=WHOLE_SKY):
    """Covariance of `first_harmonic` from the errors of a dipole's components.

    Parameters
    ----------
    dipole_errors : array (..., 3)
        Standard errors of the Galactic components, independent of each other (pixel centres make
        <n_i n_j> diagonal).
    band : Band or None

    Returns
    -------
    ndarray (..., 2, 2)
    """
    weight = 1.0 if band is None else mean_cosine(band)
    rotation = rotation_to("equatorial")[:2]
    variance = np.asarray(dipole_errors, float) ** 2
    return weight**2 * np.einsum("ai,...i,bi->...ab", rotation, variance, rotation)


def amplitude_and_phase_errors(harmonic, covariance):
    """Errors of A and of the phase.

    Parameters
    ----------
    harmonic : array (..., 2)
    covariance : array (..., 2, 2)

    Returns
    -------
    amplitude_error, phase_error : ndarray (...)
        Along the vector; across it, arctan(sigma/A) in degrees, 90 where noise is all there is.
    """
    harmonic = np.asarray(harmonic, float)
    size = np.linalg.norm(harmonic, axis=-1)
    # the direction of a vanishing vector is any
    along = np.where(size[..., None] > 0, harmonic, [1.0, 0.0])
    along = along / np.linalg.norm(along, axis=-1, keepdims=True)
    across = np.stack([-along[..., 1], along[..., 0]], axis=-1)
    errors = [np.sqrt(np.einsum("...a,...ab,...b", u, covariance, u)) for u in (along, across)]
    return errors[0], np.degrees(np.arctan2(errors[1], size))


def mean_harmonic(harmonic, group):
    """Mean (a, b) over rows, with the errors of its amplitude and phase.

    a and b may be correlated, fully where every row is a number times one fixed vector, as the
    expectation of an isotropic set-up: errors are taken along and across the mean, row by row.

    Parameters
    ----------
    harmonic : array (n, 2)
    group : array (n,) of int
        Realisation of each row.

    Returns
    -------
    mean : ndarray (2,)
    amplitude_error, phase_error : float
        Standard error along the mean; that across it as arctan(sigma/A) in degrees. NaN for a
        single realisation.
    """
    harmonic = np.asarray(harmonic, float)
    mean = ensembles.mean_and_error(harmonic, group)[0]
    size = np.linalg.norm(mean)
    along = mean / size if size > 0 else np.array([1.0, 0.0])
    across = np.array([-along[1], along[0]])
    errors = ensembles.mean_and_error(harmonic @ np.column_stack([along, across]), group)[1]
    return mean, float(errors[0]), float(np.degrees(np.arctan2(errors[1], size)))


def harmonic_weights(l_max, band=WHOLE_SKY):
    """Weights of the multipoles a_l1 in the first harmonic, 2 <lambda_l1>.

    Parameters
    ----------
    l_max : int
    band : Band

    Returns
    -------
    ndarray (l_max,)
        From l = 1.
    """
    from scipy.special import sph_harm_y

    degrees = np.arange(1, l_max + 1)[:, None]
    return 2 * band_mean(lambda dec: sph_harm_y(degrees, 1, np.pi / 2 - dec, 0.0).real, band)


def first_harmonic_of_alm(alm, band=WHOLE_SKY):
    """First harmonic of a sky with all its multipoles.

    Parameters
    ----------
    alm : array (..., n_lm), complex
        Of the relative intensity, Galactic, healpy's order.
    band : Band

    Returns
    -------
    ndarray (..., 2)
        (a, b).
    """
    alm = rotate_alm(alm, rotation_to("equatorial"))
    l_max = _l_max(alm)
    # sum_l 2 lambda_l1 Re(a_l1 exp(i alpha)) = a cos alpha + b sin alpha
    c = alm[..., l_max + 1:2 * l_max + 1] @ harmonic_weights(l_max, band)
    return np.stack([c.real, -c.imag], axis=-1)


def alm_noise(noise, l_max, band=WHOLE_SKY):
    """Standard error of a and of b in `first_harmonic_of_alm`, from the shot-noise power.

    Parameters
    ----------
    noise : float or array (...)
        Power N of each a_lm; its real and imaginary part have the variance N/2.
    l_max : int
    band : Band

    Returns
    -------
    ndarray (...)
    """
    return np.sqrt(np.asarray(noise, float) / 2 * np.sum(harmonic_weights(l_max, band) ** 2))


def first_harmonic_of_map(values, band=WHOLE_SKY):
    """First harmonic of a map, fitted by least squares with 1, cos alpha and sin alpha.

    Parameters
    ----------
    values : array (n_pix,)
        Relative intensity, HEALPix RING, Galactic; NaN pixels are left out.
    band : Band
        Pixels are weighted with its exposure.

    Returns
    -------
    ndarray (2,)
        (a, b).

    Raises
    ------
    ValueError
        Fewer than three pixels are seen; one line.
    """
    import healpy

    values = np.asarray(values, float)
    directions = pixel_directions(healpy.npix2nside(len(values)), "equatorial")
    alpha, declination = lon_lat(directions)
    weight = np.sqrt(exposure(band, declination)) * np.isfinite(values)
    seen = weight > 0
    if np.count_nonzero(seen) < 3:
        raise ValueError(f"declinations {band.low:g} to {band.high:g} deg hold no pixels to fit")
    alpha, weight = np.radians(alpha[seen]), weight[seen]
    columns = np.column_stack([np.ones(len(alpha)), np.cos(alpha), np.sin(alpha)])
    return np.linalg.lstsq(weight[:, None] * columns, weight * values[seen])[0][1:]


def without_m0(alm):
    """What is left of a sky if the mean of every declination is subtracted.

    Parameters
    ----------
    alm : array (..., n_lm), complex
        Galactic, healpy's order.

    Returns
    -------
    ndarray (..., n_lm), complex
        Galactic; the equatorial m = 0 are gone. Of an isotropic ensemble C_l loses the share
        1/(2l + 1) on average, a third of the dipole's power.
    """
    rotation = rotation_to("equatorial")
    alm = rotate_alm(alm, rotation)
    alm[..., :_l_max(alm) + 1] = 0.0
    return rotate_alm(alm, rotation.T)


def subtract_strip_means(values, width):
    """A map less its mean in every strip of declination.

    Parameters
    ----------
    values : array (n_pix,)
        HEALPix RING map, Galactic; NaN pixels stay NaN.
    width : float
        Of a strip, degrees.

    Returns
    -------
    ndarray (n_pix,)
        Galactic.
    """
    import healpy

    values = np.asarray(values, float)
    declination = lon_lat(pixel_directions(healpy.npix2nside(len(values)), "equatorial"))[1]
    strip = ((declination + 90.0) // width).astype(int)
    finite = np.isfinite(values)
    count = np.bincount(strip, finite)
    total = np.bincount(strip, np.where(finite, values, 0.0))
    mean = np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0)
    return values - mean[strip]


def summarise(harmonic, covariance, realisation=None):
    """The first harmonic over an ensemble.

    Parameters
    ----------
    harmonic : array (n, 2)
        (a, b) of each row; rows with a NaN are left out.
    covariance : array (n, 2, 2)
        Of the sampling within a realisation.
    realisation : array (n,) of int, optional
        Realisation of each row; default: each row its own.

    Returns
    -------
    HarmonicSummary
        mean_amplitude, median, scatter: of A over the rows, as one experiment under one field
        would measure it; noise_floor: r.m.s. A that the finite number of particles alone gives;
        mean_harmonic, mean_phase: of the mean (a, b), phase in degrees; errors are standard
        errors over realisations, NaN for a single one.
    """
    harmonic, covariance = np.asarray(harmonic, float), np.asarray(covariance, float)
    use = np.isfinite(harmonic).all(axis=-1)
    group = (np.arange(len(harmonic)) if realisation is None else np.asarray(realisation))[use]
    harmonic, covariance = harmonic[use], covariance[use]
    size = np.linalg.norm(harmonic, axis=-1)
    n_realisation = len(np.unique(group))
    mean, _, phase_error = mean_harmonic(harmonic, group)
    noise = np.trace(covariance, axis1=-2, axis2=-1)
    return HarmonicSummary(
        len(harmonic),
        n_realisation,
        *(float(v) for v in ensembles.mean_and_error(size, group)),
        float(np.median(size)) if len(size) else np.nan,
        ensembles.median_error(size, n_realisation),
        *(float(v) for v in ensembles.scatter_and_error(size, group)),
        float(np.sqrt(noise.mean())) if len(size) else np.nan,
        mean,
        ensembles.mean_and_error(harmonic, group)[1],
        float(amplitude_and_phase(mean)[1]),
        phase_error,
    )


def _l_max(alm):
    return int((np.sqrt(8 * alm.shape[-1] + 1) - 3) / 2 + 0.5)
