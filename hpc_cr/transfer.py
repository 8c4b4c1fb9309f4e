"""Interpolation between the nodes of a grid, and what it keeps of a plane wave.

Along an axis the value at t in [0, 1] between two nodes is sum_j w_j(t) b_j over the nearest nodes,
in three dimensions the product of three such sums. Of a wave with f waves per cell an axis leaves

    transfer  T(f) = sum_j int w_j(t) cos(2 pi f (j - t)) dt        (amplitude of the wave itself),
    power     P(f) = int |sum_j w_j(t) exp(2 pi i f j)|^2 dt        (with all that is added to it:

P - T^2 is in aliases, waves of f + 1, f - 1, ... per cell). Linear weights give T = sinc^2 and
P = (2 + cos 2 pi f)/3, the cubic B-spline T = sinc^4; Catmull-Rom goes through the nodes.
"""

import numpy as np

WEIGHTS = {
    "trilinear": ((1, -1),
                  (0, 1)),
    "catmull-rom": ((0, -1 / 2, 1, -1 / 2),
                    (1, 0, -5 / 2, 3 / 2),
                    (0, 1 / 2, 2, -3 / 2),
                    (0, 0, -1 / 2, 1 / 2)),
    "b-spline": ((1 / 6, -1 / 2, 1 / 2, -1 / 6),
                 (2 / 3, 0, -1, 1 / 2),
                 (1 / 6, 1 / 2, 1 / 2, -1 / 2),
                 (0, 0, 0, 1 / 6)),
}
"""Weights of the nodes from left to right, as coefficients of 1, t, t^2, t^3.

They are compiled into the numba kernels."""

LEAST_CELLS = {"trilinear": 4.0, "catmull-rom": 3.0, "b-spline": 2.5}
"""Cells per wavelength down to which the transfer is divided out in full."""


def nodes_before(interpolation):
    """Nodes that an axis needs before those on either side of a place: 0, cubic ones 1."""
    return len(WEIGHTS[interpolation]) // 2 - 1


_T, _DT = np.polynomial.legendre.leggauss(16) * np.array([[0.5], [0.5]]) + np.array([[0.5], [0.0]])


def _weights(interpolation):
    """Weights (n_node, 16) at the nodes of a quadrature over t."""
    return np.array(WEIGHTS[interpolation], float) @ np.vander(
        _T, len(WEIGHTS[interpolation][0]), increasing=True).T


def axis_transfer(interpolation, waves):
    """Amplitude that an axis keeps of `waves` (array (...)) per cell."""
    weights = _weights(interpolation)
    number = np.arange(len(weights)) - nodes_before(interpolation)
    phase = 2 * np.pi * np.asarray(waves, float)[..., None, None] * (number[:, None] - _T)
    return np.sum(weights * _DT * np.cos(phase), axis=(-2, -1))


def axis_power(interpolation, waves):
    """Power that an axis keeps of `waves` (array (...)) per cell, aliases included."""
    weights = _weights(interpolation)
    phase = 2 * np.pi * np.asarray(waves, float)
    overlap = (weights * _DT) @ weights.T
    power = np.trace(overlap) * np.ones_like(phase)
    for distance in range(1, len(weights)):
        power += 2 * np.trace(overlap, distance) * np.cos(distance * phase)
    return power


LEAST_TRANSFER = {name: float(axis_transfer(name, 1 / (cells * np.sqrt(3))) ** 3)
                  for name, cells in LEAST_CELLS.items()}
"""Smallest transfer of all three axes that synthesis divides out: 0.813, 0.931, 0.342.

That of a wave of LEAST_CELLS cells along the diagonal; along an axis such a wave keeps up to 10 %
less, which is not restored. The boost of shorter waves stops here: their aliases are as strong as
they are, and towards the corners of the Brillouin zone it would explode.
"""
