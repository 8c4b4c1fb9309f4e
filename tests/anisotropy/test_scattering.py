"""Decay of multipoles and range of an exact random walk of directions.

Theory. A walk on the sphere with steps of a fixed angle a in random azimuth multiplies the mean
P_l(n.U) by P_l(cos a) at each step, that is, by 1 - l (l + 1) a^2/4 + O(a^4): after N steps
exp(-l (l + 1) T/(2 tau)) with T/tau = N a^2/2, to a relative l^2 a^2/8 or so in the rate. Hard
scattering into a random direction with the rate 1/tau forgets all multipoles at the same rate.
"""

import numpy as np
import pytest

from hpc_cr.anisotropy import scattering
from hpc_cr.anisotropy.observables import direction_memory
from hpc_cr.trajectories.directions import healpix_directions

STEP = 0.1
STEPS = 60
STOPS = 6
TIME = STEPS * STEP**2 / 2 * np.arange(1, STOPS + 1)  # 0.3 to 1.8 tau
SKIES = 20


def turn(u, rng):
    """Directions one step later."""
    across = np.cross(u, rng.normal(size=u.shape))
    across /= np.linalg.norm(across, axis=1)[:, None]
    return np.cos(STEP) * u + np.sin(STEP) * across


def jump(u, rng):
    """Hard scattering with the same rate of decay of the dipole."""
    fresh = rng.normal(size=u.shape)
    fresh /= np.linalg.norm(fresh, axis=1)[:, None]
    return np.where(rng.random((len(u), 1)) < STEP**2 / 2, fresh, u)


def walk(move):
    """<P_l(n.U)>, (SKIES, STOPS, n_l)."""
    n = healpix_directions(8)
    memory = []
    for sky in range(SKIES):
        rng, u, stops = np.random.default_rng(sky), n, []
        for _ in range(STOPS):
            for _ in range(STEPS):
                u = move(u, rng)
            stops.append(direction_memory(n, u))
        memory.append(stops)
    return np.array(memory)


@pytest.fixture(scope="module")
def soft():
    return walk(turn)


@pytest.fixture(scope="module")
def hard():
    return walk(jump)


GROUP = np.arange(SKIES)


def test_walk_follows_the_theory(soft):
    for degree in range(1, 5):
        mean, error = soft[..., degree].mean(0), soft[..., degree].std(0, ddof=1) / np.sqrt(SKIES)
        expected = scattering.diffusion_memory(degree, TIME, 1.0)
        assert np.all(np.abs(mean - expected) < 4 * error + 0.01 * expected)


def test_rates(soft, hard):
    found = scattering.decay(soft, TIME, GROUP, 1)
    assert found.n_stop == STOPS
    assert abs(found.rate - 1.0) < 4 * found.error + STEP**2 / 4
    for degree, expected in ((2, 3.0), (3, 6.0)):
        ratio = scattering.decay_ratio(soft, TIME, GROUP, degree)
        assert abs(ratio.rate - expected) < 4 * ratio.error + expected * degree**2 * STEP**2 / 4
        # control: hard scattering
        other = scattering.decay_ratio(hard, TIME, GROUP, degree)
        assert abs(other.rate - 1.0) < 4 * other.error
        assert abs(other.rate - expected) > 4 * other.error


def test_a_multipole_lost_in_its_error_is_left_out():
    rng = np.random.default_rng(1)
    memory = rng.normal(size=(10, STOPS, 9))
    found = scattering.decay(memory, TIME, np.arange(10), 4)
    assert found.n_stop < 2 and np.isnan(found.rate)
    assert np.isnan(scattering.decay_ratio(memory, TIME, np.arange(10), 4).rate)
    # one realisation has no errors, so nothing stands out
    assert scattering.decay(np.ones((1, STOPS, 9)), TIME, [0], 1).n_stop == 0


def test_stops_count_by_their_errors():
    """Relative errors of 0.1 % at five stops, of 25 % at the sixth, whose mean is twice too high.

    Weights (mean/error)^2 leave the last stop 1/60000 of the others' weight and the rate its value;
    without weights the slope over six equidistant stops changes by 5/2 ln 2/17.5 per step.
    """
    step = TIME[1] - TIME[0]
    rng = np.random.default_rng(2)
    relative = np.array([1e-3] * 5 + [0.25]) * np.sqrt(SKIES)
    noise = rng.normal(size=(SKIES, STOPS))
    noise = (noise - noise.mean(0)) / noise.std(0, ddof=1)
    memory = np.ones((SKIES, STOPS, 3))
    for degree in (1, 2):
        exact = np.exp(-degree * TIME)
        exact[-1] *= 2.0 if degree == 1 else 1.0
        memory[..., degree] = exact * (1 + relative * noise)
    found = scattering.decay(memory, TIME, GROUP, 1)
    assert found.n_stop == STOPS
    assert found.rate == pytest.approx(1.0, abs=5e-3)
    plain = 1.0 - 2.5 * np.log(2) / 17.5 / step
    assert abs(plain - 1.0) > 0.05  # control: what all stops alike give
    assert scattering.decay_ratio(memory, TIME, GROUP, 2).rate == pytest.approx(2.0, abs=0.01)


def test_gyrotropic_share():
    """Averages of P_l(mu)^2 over the sphere: 1/(2 l + 1)."""
    mu, weight = np.polynomial.legendre.leggauss(20)
    for degree in range(5):
        square = np.polynomial.legendre.legval(mu, np.eye(5)[degree]) ** 2
        expected = square @ weight / 2
        assert scattering.diffusion_memory(degree, 0.0, 1.0, True) == pytest.approx(expected)


def test_ranges():
    # D = lambda c/3, t = k lambda/c: sqrt(4 k/3) lambda
    assert scattering.range_in_scattering_times(3.0, 1.0) == pytest.approx(2 * np.sqrt(3.0))
    # weak turbulence of the paper: q = 5/3, dB/B0 = 1/3, 1 PV in 3.795 uG
    value = scattering.quasilinear_range(1.0, 3.795, 1 / 3)
    assert value == pytest.approx(60 * 9 / 3.795 ** (1 / 3))
    assert 300 < value < 400  # "a few hundred parsecs"
    assert scattering.quasilinear_range(10.0, 3.795, 1 / 3) > 2 * value
