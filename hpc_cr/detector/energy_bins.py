"""Averages over an energy bin: spectrum, energy resolution and composition.

A bin of reconstructed energies E_rec between E1 and E2 holds particles of true energy E with the
weight

    dN/dln E ~ E^(1-gamma) P(E),   P = int_E1^E2 dln E_rec N(ln E_rec - ln E; sigma),

and, of those, a share f_Z of charge Z, whose rigidity is E/(Z e): E[PeV]/Z in PV. Anisotropies are
known at the rigidities R_k of a file. Between two neighbours they are interpolated linearly in
ln R (intensities, not amplitudes), which makes the average over the bin a weighted sum over k.

Intensities add up linearly: features that differ from rigidity to rigidity wash out (Giacinti &
Sigl 2012), and C_l of the average is below the average of C_l. Skies that have nothing in common
bring it down to sum_k w_k^2 (`RigidityWeights.floor`; 1/n for n equal weights): where the ratio is
that low, it takes a file with rigidities closer together to see how low it is.
"""

from typing import NamedTuple

import numpy as np

from hpc_cr.anisotropy.multipoles import power

CHARGES = {"p": 1, "H": 1, "He": 2, "C": 6, "N": 7, "O": 8, "Ne": 10, "Mg": 12, "Si": 14, "S": 16,
           "Fe": 26}  # fmt: skip
"""Z of what a composition may name."""

OUTSIDE = 0.01
"""Share of a bin that may lie outside the file's rigidities; the rest then stands for it."""

LEAST = 1e-6
"""Share of a bin that must lie inside them whatever is allowed: less is the tail of a tail."""

_GAUSS = np.polynomial.legendre.leggauss(12)


class BinError(ValueError):
    """A bin that makes no sense or that the rigidities do not cover; one line."""


class EnergyBin(NamedTuple):
    """What a bin holds.

    Attributes
    ----------
    low, high : float
        Reconstructed energies, PeV; both the same for a single reconstructed energy.
    resolution : float
        Standard deviation sigma of ln E_rec at a true energy; 0 for none.
    index : float
        gamma of the differential spectrum E^-gamma, of every charge.
    composition : dict of int to float
        Charge Z -> share of the particles at a given energy; normalised to 1.
    """

    low: float
    high: float
    resolution: float = 0.0
    index: float = 2.7
    composition: dict = {1: 1.0}


class RigidityWeights(NamedTuple):
    """How much each rigidity of a file counts in a bin.

    Attributes
    ----------
    weights : ndarray (n_rig,)
        Sum 1, in the file's order.
    below, above : float
        Shares of the bin below the lowest and above the highest rigidity, left out.
    """

    weights: np.ndarray
    below: float
    above: float

    @property
    def floor(self):
        """Sum of the squared weights: what unrelated skies of the same C_l leave of it."""
        return float(np.sum(self.weights**2))


def rigidity_weights(rigidities, energies, outside=OUTSIDE):
    """Weights of a file's rigidities for an energy bin.

    Parameters
    ----------
    rigidities : array (n_rig,)
        PV, all different, in any order.
    energies : EnergyBin
    outside : float
        Largest share of the bin that may lie outside the rigidities, 0 to 1.

    Returns
    -------
    RigidityWeights

    Raises
    ------
    BinError
        More lies outside, or all of it, or the bin makes no sense.
    """
    _check(energies)
    if not 0 <= outside <= 1:
        raise BinError(f"share {outside:g} outside the rigidities: it lies within 0 and 1")
    rigidities = np.asarray(rigidities, float)
    order = np.argsort(rigidities)
    nodes = np.log(rigidities[order])
    total = sum(energies.composition.values())
    result = np.zeros(len(nodes) + 2)
    for charge, share in energies.composition.items():
        u, mass = _true_energies(energies, nodes + np.log(charge))
        result += share / total * _onto(nodes, u - np.log(charge), mass)
    below, above = result[0], result[-1]
    if not below + above <= outside or not result[1:-1].sum() > LEAST:
        raise BinError(_uncovered(energies, rigidities, below, above, outside))
    weights = np.empty(len(nodes))
    weights[order] = result[1:-1] / result[1:-1].sum()
    return RigidityWeights(weights, float(below), float(above))


def average(values, weights, axis=1):
    """Average of anisotropies over the rigidities.

    Parameters
    ----------
    values : array
        Dipoles, a_lm or maps of relative intensity, real or complex, of the same fields at every
        rigidity.
    weights : array (n_rig,)
    axis : int
        The axis of the rigidities, which disappears.

    Returns
    -------
    ndarray
        NaN where a rigidity with a weight is NaN.
    """
    used = np.flatnonzero(weights)
    return np.tensordot(np.asarray(weights)[used], np.take(values, used, axis), (0, axis))


def average_error(errors, weights, axis=1):
    """Standard error of `average` from independent sampling errors at each rigidity."""
    square = average(np.asarray(errors, float) ** 2, np.asarray(weights, float) ** 2, axis)
    return np.sqrt(square)


def washed_out(halves, weights):
    """Power of a sky averaged over a bin beside the mean power of its rigidities.

    Parameters
    ----------
    halves : array (n_row, n_rig, 2, n_lm), complex
        a_lm of the relative intensity from two half-samples, whose cross-power has no shot noise.
    weights : array (n_rig,)

    Returns
    -------
    averaged, single : ndarray (n_row, l_max + 1)
        C_l of the average, and the average of C_l; their ratio is 1 for features that do not
        change with rigidity.
    averaged_variance, single_variance : ndarray (n_row, l_max + 1)
        Of both, from the finite number of particles, independent at each rigidity.
    """
    mean = average(halves, weights)
    used = np.flatnonzero(weights)
    kept = np.asarray(weights)[used]
    each = np.stack([power(halves[:, k, 0], halves[:, k, 1]) for k in used], axis=1)
    variance = np.stack([cross_variance(halves[:, k]) for k in used], axis=1)
    return (power(mean[:, 0], mean[:, 1]), average(each, kept),
            cross_variance(mean), average(variance, kept**2))


def cross_variance(halves):
    """Sampling variance of the cross-power of two half-samples of one sky.

    With the noise powers N1 and N2 of the halves, [C_l (N1 + N2) + N1 N2]/(2l + 1); N1 + N2 is
    the power of the halves' difference, smoothed over three l.

    Parameters
    ----------
    halves : array (..., 2, n_lm), complex

    Returns
    -------
    ndarray (..., l_max + 1)
    """
    signal = np.maximum(power(halves[..., 0, :], halves[..., 1, :]), 0.0)
    both = power(halves[..., 0, :] - halves[..., 1, :])
    padded = np.concatenate([both[..., 1:2], both[..., 1:], both[..., -1:]], axis=-1)
    smooth = both.copy()
    smooth[..., 1:] = (padded[..., :-2] + padded[..., 1:-1] + padded[..., 2:]) / 3
    return (signal * smooth + smooth**2 / 4) / (2 * np.arange(both.shape[-1]) + 1)


def _true_energies(energies, nodes):
    """Quadrature over ln E of the bin's particles: points and shares, which sum to 1.

    Panels end at the nodes, where the interpolation has its kinks.
    """
    sigma, slope = energies.resolution, energies.index - 1
    a, b = np.log(energies.low), np.log(energies.high)
    if sigma == 0 and a == b:
        return np.array([a]), np.ones(1)
    reach = 9 * sigma + abs(slope) * sigma**2
    ends = np.array([a - reach, b + reach])
    step = min(0.25, sigma / 2) if sigma > 0 else 0.25
    breaks = np.union1d(ends, nodes[(nodes > ends[0]) & (nodes < ends[1])])
    breaks = np.concatenate([np.linspace(x, y, int(np.ceil((y - x) / step)) + 1)
                             for x, y in zip(breaks[:-1], breaks[1:], strict=True)])
    half = np.diff(breaks)[:, None] / 2
    u = (breaks[:-1, None] + half * (1 + _GAUSS[0])).ravel()
    mass = (half * _GAUSS[1]).ravel() * np.exp(-slope * (u - a)) * _acceptance(u, a, b, sigma)
    return u, mass / mass.sum()


def _acceptance(u, a, b, sigma):
    """Probability that ln E = u is reconstructed between a and b, or its density at a = b."""
    from scipy.special import ndtr

    if sigma == 0:
        return np.ones_like(u)
    if a == b:
        return np.exp(-0.5 * ((u - a) / sigma) ** 2)
    return ndtr((b - u) / sigma) - ndtr((a - u) / sigma)


def _onto(nodes, x, mass):
    """Shares of points x that fall to the nodes by linear interpolation; below and above as ends.

    Returns
    -------
    ndarray (n_node + 2,)
    """
    tiny = 1e-9  # a bin that ends at a file's rigidity, up to rounding
    low, high = x < nodes[0] - tiny, x > nodes[-1] + tiny
    inside = ~(low | high)
    x, kept = np.clip(x[inside], nodes[0], nodes[-1]), mass[inside]
    left = np.clip(np.searchsorted(nodes, x, "right") - 1, 0, max(len(nodes) - 2, 0))
    right = np.minimum(left + 1, len(nodes) - 1)
    gap = nodes[right] - nodes[left]
    part = np.divide(x - nodes[left], gap, out=np.zeros_like(x), where=gap > 0)
    result = np.zeros(len(nodes) + 2)
    np.add.at(result, left + 1, kept * (1 - part))
    np.add.at(result, right + 1, kept * part)
    result[0], result[-1] = mass[low].sum(), mass[high].sum()
    return result


def _check(energies):
    """Raise BinError for a bin that makes no sense."""
    if not 0 < energies.low <= energies.high < np.inf:
        raise BinError(f"energies {energies.low:g} to {energies.high:g} PeV: give two positive ones"
                       " that ascend, or one")  # fmt: skip
    if not (energies.resolution == 0 or 1e-3 <= energies.resolution <= 2):
        raise BinError(f"resolution {energies.resolution:g}: sigma of ln E is 0, or lies within"
                       " 0.001 and 2")  # fmt: skip
    if not -2 <= energies.index <= 10:
        raise BinError(f"spectral index {energies.index:g}: it lies within -2 and 10")
    shares = energies.composition
    if not (shares and all(z >= 1 and 0 <= f < np.inf for z, f in shares.items())
            and sum(shares.values()) > 0):  # fmt: skip
        raise BinError(f"composition {shares}: charges from 1 with shares above 0")


def _uncovered(energies, rigidities, below, above, outside):
    span = f"{energies.low:g} PeV" if energies.low == energies.high else (
        f"{energies.low:g} to {energies.high:g} PeV")
    most = f"at most {100 * outside:g} % may" if outside < 1 else "some of it must lie between"
    return (
        f"energy bin {span} (resolution {energies.resolution:g}): {100 * below:.3g} % of it lies"
        f" below {rigidities.min():g} PV and {100 * above:.3g} % above {rigidities.max():g} PV,"
        f" where there are no results; {most}"
    )
