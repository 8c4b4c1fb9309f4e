"""What pitch-angle diffusion promises of scattering, and what trajectories show.

With isotropic scattering an anisotropy of the directions of multipole l decays as
exp(-l (l + 1) T/(2 tau)), tau = 3 D/c^2 (Ahlers 2014, PRL 112, 021101; its scattering time is
2 tau). `hpc_cr.anisotropy.observables.direction_memory` measures that decay as <P_l(n.U)>.
Times and lengths in pc.
"""

from typing import NamedTuple

import numpy as np

from hpc_cr.anisotropy import ensembles

SIGNIFICANCE = 3.0
"""Standard errors that a multipole must stand out by to enter a fit."""


class Decay(NamedTuple):
    """Decay of one multipole; see `decay`."""

    l: int  # noqa: E741 - the field's name for it
    n_stop: int
    rate: float
    error: float


def diffusion_memory(l, time, tau, gyrotropic=False):  # noqa: E741
    """exp(-l (l + 1) T/(2 tau)), what isotropic scattering leaves of a multipole.

    Parameters
    ----------
    l : int
    time : float or array (...)
        T, pc.
    tau : float
        3 D/c, pc.
    gyrotropic : bool
        Scattering of the pitch angle only, about a field that turns the rest round fast: of all
        2l + 1 moments the one about the field is left.

    Returns
    -------
    float or ndarray (...)
    """
    share = 1 / (2 * l + 1) if gyrotropic else 1.0
    return share * np.exp(-l * (l + 1) * np.asarray(time, float) / (2 * tau))


def decay(memory, time, group, l):  # noqa: E741
    """Rate of decay of one multipole between the first stops, where it stands out.

    Parameters
    ----------
    memory : array (n, n_stop, n_l)
        <P_l(n.U)> of each row, l from 0.
    time : array (n_stop,)
        pc, ascending.
    group : array (n,) of int
        Realisation of each row.
    l : int

    Returns
    -------
    Decay
        rate : minus the slope of ln <<P_l>> over the first n_stop stops, as long as the mean
        over rows exceeds SIGNIFICANCE standard errors, 1/pc. Each stop has the weight
        (mean/error)^2, the inverse variance of its logarithm; the error of the rate is the
        jackknife's. NaN for fewer than two such stops.
    """
    values = np.asarray(memory, float)[..., l]
    n_stop, relative = _standing_out(values, group)
    if n_stop < 2:
        return Decay(l, n_stop, np.nan, np.nan)
    weight = _weights(relative[:n_stop] ** 2)
    found = ensembles.function_of_mean(
        lambda m: _rate(m, time[:n_stop], weight), values[:, :n_stop], group
    )
    return Decay(l, n_stop, float(found[0]), float(found[1]))


def decay_ratio(memory, time, group, l):  # noqa: E741
    """Rate of decay of multipole l over that of l = 1, over the stops that both stand out at.

    Both rates have the same weights, the inverse variances of ln <<P_l>> - ln <<P_1>>, so that
    they belong to the same times. The parameters are those of `decay`.

    Returns
    -------
    Decay
        rate : the ratio; isotropic scattering gives l (l + 1)/2.
    """
    both = np.asarray(memory, float)[..., [1, l]]
    seen = [_standing_out(both[..., i], group) for i in (0, 1)]
    n_stop = min(count for count, _ in seen)
    if n_stop < 2:
        return Decay(l, n_stop, np.nan, np.nan)
    weight = _weights(sum(relative[:n_stop] ** 2 for _, relative in seen))
    times = time[:n_stop]

    def ratio(mean):
        return _rate(mean[..., 1], times, weight) / _rate(mean[..., 0], times, weight)

    value, error = ensembles.function_of_mean(ratio, both[:, :n_stop], group)
    return Decay(l, n_stop, float(value), float(error))


def _standing_out(values, group):
    """Number of first stops with a significant mean, and relative errors (n_stop,)."""
    mean, error = ensembles.mean_and_error(values, group)
    stands_out = mean > SIGNIFICANCE * error
    n_stop = len(mean) if stands_out.all() else int(np.argmin(stands_out))
    with np.errstate(divide="ignore", invalid="ignore"):
        return n_stop, error / np.abs(mean)


def _weights(variance):
    """Inverse variances; alike where there is no scatter at all."""
    return 1 / np.maximum(variance, 1e-20)


def _rate(mean, time, weight):
    """Minus the slope of ln mean (..., n_stop) against time, by weighted least squares."""
    time = np.asarray(time, float)
    centred = weight * (time - np.average(time, weights=weight))
    with np.errstate(invalid="ignore", divide="ignore"):
        return -np.log(mean) @ centred / (centred @ time)


def range_in_scattering_times(mean_free_path, times):
    """sqrt(4 D t): how far particles have come along the field, pc.

    Parameters
    ----------
    mean_free_path : float or array (...)
        3 D_par/c = c tau, pc.
    times : float
        t in units of tau.
    """
    return np.sqrt(4 * times / 3) * np.asarray(mean_free_path, float)


def quasilinear_range(rigidity, field, ratio, slope=5 / 3):
    """The estimate of that range in Mertsch & Funk (2015): 100/q pc (dB/B0)^-2 (R/B0)^(2-q).

    Parameters
    ----------
    rigidity, field : float
        PV, and B0 in uG.
    ratio : float
        dB/B0.
    slope : float
        q.

    Returns
    -------
    float
        pc.
    """
    return 100 / slope / ratio**2 * (rigidity / field) ** (2 - slope)
