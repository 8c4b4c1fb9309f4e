"""Angular power spectra over an ensemble: mean, scatter, shape, share of the dipole, noise.

C_l of one sky scatters about the ensemble mean (cosmic variance); both are given, and kept apart.
Ratios are ratios of means: C_1 of a single sky is a sum of few squares and often small, so that
the mean of C_l/C_1 lies far above the ratio of the means (3 times for independent Gaussian a_lm).
"""

from typing import NamedTuple

import numpy as np

from hpc_cr.anisotropy import ensembles


class Spectrum(NamedTuple):
    """C_l over an ensemble; see `summarise`. All (n_l,) from l = 1, but share and n."""

    l: np.ndarray  # noqa: E741 - the field's name for it
    mean: np.ndarray
    mean_error: np.ndarray
    scatter: np.ndarray
    scatter_error: np.ndarray
    ratio: np.ndarray
    ratio_error: np.ndarray
    share: float
    share_error: float
    n: int
    n_realisation: int


def summarise(cl, realisation=None):
    """Mean, scatter and shape of the spectra of an ensemble.

    Parameters
    ----------
    cl : array (n, l_max + 1)
        C_l of each row from l = 0, free of noise; rows with a NaN are left out.
    realisation : array (n,) of int, optional
        Realisation of each row; default: each row its own.

    Returns
    -------
    Spectrum
        mean : ensemble mean; scatter : standard deviation (n - 1) over the rows.
        ratio : <C_l>/<C_1>.
        share : 3 <C_1> / sum_l (2 l + 1) <C_l>, l from 1 to l_max: what the dipole has of the
        variance on the sky.
        n, n_realisation : rows and realisations used.
        Errors (*_error) are standard errors by the jackknife over realisations; NaN for one.
    """
    cl = np.asarray(cl, float)
    group = np.arange(len(cl)) if realisation is None else np.asarray(realisation)
    use = np.isfinite(cl).all(axis=1)
    cl, group = cl[use, 1:], group[use]
    ell = np.arange(1, cl.shape[1] + 1)
    return Spectrum(
        ell,
        *ensembles.mean_and_error(cl, group),
        *ensembles.scatter_and_error(cl, group),
        *ensembles.function_of_mean(_ratio, cl, group),
        *map(float, ensembles.function_of_mean(_share, cl, group)),
        n=len(cl),
        n_realisation=len(np.unique(group)),
    )


def pitch_angle_shape(ell):
    """C_l/C_1 of a sky in gradient and pitch-angle diffusion, 18/((2l + 1)(l + 1)(l + 2)).

    Ahlers 2014, PRL 112, 021101: mean power at late times where trajectories of close directions
    part as their relative diffusion has it. A shape to compare with; its assumptions are not
    those of a field at hand, and a spectrum that differs is no mistake.

    Parameters
    ----------
    ell : array of int
        From 1.
    """
    ell = np.asarray(ell, float)
    return 18 / ((2 * ell + 1) * (ell + 1) * (ell + 2))


def blind(noise, ell, n, estimator="noise-subtracted"):
    """Standard deviation that shot noise alone gives to a mean C_l: less is no measurement.

    N sqrt(2/((2l + 1) n)) with the noise subtracted. The cross-spectrum has two half-samples of
    noise 2 N each: 2 N sqrt(1/((2l + 1) n)), sqrt(2) as much.

    Parameters
    ----------
    noise : float
        Shot-noise power N of all particles, mean over the skies.
    ell : array of int
    n : int
        Skies.
    estimator : "noise-subtracted" or "cross"
    """
    factor = 4 if estimator == "cross" else 2
    return noise * np.sqrt(factor / ((2 * np.asarray(ell) + 1) * n))


def halves_noise(halves):
    """Shot-noise power N (...) of a sky from its half-samples' a_lm (..., 2, n_lm).

    Their difference holds no sky, only noise of power 4 N (2 N from each half); averaged over
    all a_lm with l >= 2.
    """
    from hpc_cr.anisotropy.multipoles import power

    halves = np.asarray(halves)
    cl = power(halves[..., 0, :] - halves[..., 1, :])
    ell = np.arange(cl.shape[-1])
    weight = np.where(ell >= 2, 2 * ell + 1, 0)
    return cl @ weight / max(weight.sum(), 1) / 4


def resolved_l(nside):
    """Highest l that HEALPix centres of an nside resolve, 2 nside.

    Sums over pixel centres mix what varies within a pixel (about l > 3 nside) into lower l; up to
    2 nside the harmonics of a smooth sky come out to a per cent without weights or iterations.
    """
    return 2 * nside


def _ratio(cl):
    with np.errstate(divide="ignore", invalid="ignore"):
        return cl / cl[..., :1]


def _share(cl):
    weight = 2 * np.arange(1, cl.shape[-1] + 1) + 1
    with np.errstate(divide="ignore", invalid="ignore"):
        return 3 * cl[..., 0] / (cl @ weight)
