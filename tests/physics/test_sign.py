"""Sign: with more cosmic rays on one side, the excess arrives from that side.

Theory. A density gradient g = grad(n)/n drives the flux -D grad n down the gradient, so that
more particles arrive from the dense side: delta = +(3 D/c) g in isotropic turbulence, before the
plateau with the running D at that T. With Liouville, delta = <M> g with <M> = tr<M>/3 times the
unit matrix. One realisation's dipole is scattered about that; only the ensemble's mean is along g.

Against it the same anisotropy is counted forward in time, without Liouville or backtracking:
positive particles start at places where the density is n(x) ~ 1 + g.(x - x_end) relative to
where they end after T (statistical weight), and are sorted by the direction they arrive from,
-U. The dipole of the arrivals is delta = 3 <weight (-U)>.

Parameters: 4 uG of Kolmogorov turbulence between 100 and 6 pc, r_g = 10 pc, T = 30 pc,
|g| = 1/(500 pc) towards (l, b) = (75, -30); 64 realisations with 4 observers each.
"""

import numpy as np
import pytest
from particles import forward, mean_and_error, rigidity_of, transport_job

from hpc_cr import make_field
from hpc_cr.anisotropy.response import nested_quads, response_of
from hpc_cr.frames import unit_vector
from hpc_cr.trajectories import backtrack
from hpc_cr.trajectories.directions import healpix_directions

GYRORADIUS, TIME, NSIDE, REALISATIONS, OBSERVERS = 10.0, 30.0, 4, 64, 4
ALONG = unit_vector(75.0, -30.0)
GRADIENT = ALONG / 500.0


@pytest.fixture(scope="module")
def job():
    return transport_job(inner=6.0, seed=61)


def mean_dipoles(job, sign=1):
    """Dipoles (n_realisation, 3); with sign = -1 the sky is looked at the wrong way round."""
    n = healpix_directions(NSIDE)
    quads = nested_quads(NSIDE)
    generator = np.random.default_rng(62)
    dipoles = []
    for realisation in range(REALISATIONS):
        field = make_field(job, realisation)
        rigidity = rigidity_of(GYRORADIUS, field)
        here = []
        for position in generator.uniform(-2000, 2000, (OBSERVERS, 3)):
            tracks = backtrack(field, rigidity, sign * n, [TIME], position=position)
            here.append(response_of(n, tracks.displacement[0], quads).response @ GRADIENT)
        dipoles.append(np.mean(here, axis=0))
    return np.array(dipoles)


@pytest.fixture(scope="module")
def dipoles(job):
    return mean_dipoles(job)


@pytest.fixture(scope="module")
def arrivals(job):
    """The same from forward-moving particles of other realisations, (n_realisation, 3)."""
    result = []
    for realisation in range(1000, 1000 + REALISATIONS):
        tracks = forward(job, realisation, GYRORADIUS, 2000, [TIME])
        weight = 1.0 - tracks.displacement[0] @ GRADIENT  # x_start - x_end = -X
        arrival = -tracks.direction[0]
        # the unweighted particles' mean direction belongs to no gradient: without it less noise
        result.append(3 * np.mean((weight - weight.mean())[:, None] * arrival, axis=0))
    return np.array(result)


def check_along_gradient(dipoles):
    """The mean is along +g at 5 sigma, and without a component across it at 3 sigma."""
    mean, error = mean_and_error(dipoles @ ALONG)
    assert mean >= 5 * error > 0
    across = np.linalg.svd(ALONG[None])[2][1:]
    mean, error = mean_and_error(dipoles @ across.T)
    assert np.all(np.abs(mean) <= 3 * error)


def test_mean_dipole_points_to_the_dense_side(job, dipoles):
    check_along_gradient(dipoles)
    with pytest.raises(AssertionError):  # control: momentum directions taken for sky directions
        check_along_gradient(mean_dipoles(job, sign=-1))
    with pytest.raises(AssertionError):  # control: a gradient down instead of up
        check_along_gradient(-dipoles)


def check_same_dipole(backtracked, counted):
    (mean, error), (expected, expected_error) = mean_and_error(backtracked), mean_and_error(counted)
    # three components at 3 sigma, errors from the scatter over realisations
    assert np.all(np.abs(mean - expected) <= 3 * np.hypot(error, expected_error))


def test_mean_dipole_is_the_one_counted_forward(dipoles, arrivals):
    check_along_gradient(arrivals)
    check_same_dipole(dipoles, arrivals)
    with pytest.raises(AssertionError):  # control: momentum directions taken for sky directions
        check_same_dipole(dipoles, -arrivals)
    with pytest.raises(AssertionError):  # control: the missing factor 3
        check_same_dipole(dipoles, arrivals / 3)
