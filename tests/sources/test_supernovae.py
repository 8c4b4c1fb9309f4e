"""Number of sources that count, by Monte Carlo.

Theory: Poisson sources at a rate nu per time and volume in infinite space, each with a flux f(r,
t), have the mean sum nu int f dV dt. A Gaussian is normalised, so that sources of density rho per
volume and time would sum to rho tau_esc. Places and ages are checked against the distributions
they are drawn from; k sigma of the finite sample in each assert.
"""

import numpy as np
import pytest

from hpc_cr.jf12 import SUN_RADIUS
from hpc_cr.sources import gaussian, supernovae
from hpc_cr.sources.supernovae import Galaxy

SMALL = Galaxy(diffusion=5e28, interval_yr=3000.0)


def test_densities_are_the_gaussian():
    rng = np.random.default_rng(3)
    position, age = rng.normal(scale=400, size=(20, 3)), rng.uniform(1e5, 1e7, 20)
    parallel, perpendicular = SMALL.coefficients(1e-3)
    tensor = gaussian.uniaxial(parallel, perpendicular, [0, 1, 0])
    expected = [gaussian.density(r, t, tensor) for r, t in zip(position, age, strict=True)]
    expected *= np.exp(-age / SMALL.escape_time(1e-3))
    found = supernovae.densities(position, age, 1e-3, SMALL)
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    wrong = gaussian.uniaxial(parallel, perpendicular, [1, 0, 0])  # control: field across
    assert not np.allclose(found, [gaussian.density(r, t, wrong)
                                   for r, t in zip(position, age, strict=True)],
                           rtol=0.1, atol=0)


def test_values_of_the_paper():
    parallel, perpendicular = Galaxy(diffusion=3e28).coefficients(1e-5)
    assert parallel / perpendicular == pytest.approx(2500)
    assert perpendicular * 9.2508e28 == pytest.approx(6e25, rel=1e-4)
    assert Galaxy().escape_time(5e-6) / supernovae.YEAR_PC == pytest.approx(3e7)


def test_places_follow_the_disc():
    count = 40_000
    place = supernovae.places(np.random.default_rng(5), count)
    radius = np.hypot(SUN_RADIUS - place[:, 0], place[:, 1])
    assert radius.max() < supernovae.DISC_PC
    grid = np.linspace(0, supernovae.DISC_PC, 3001)
    x = grid / SUN_RADIUS
    shape = x**3 * np.exp(-3.53 * x)
    cumulated = np.concatenate([[0], np.cumsum((shape[1:] + shape[:-1]) / 2)])
    expected = np.interp(np.sort(radius), grid, cumulated / cumulated[-1])
    # Kolmogorov-Smirnov: 1.95/sqrt(n) is exceeded by one sample in 1000
    reached = np.abs(expected - (np.arange(count) + 0.5) / count).max()
    assert reached < 1.95 / np.sqrt(count)
    control = np.abs(np.sort(radius) / supernovae.DISC_PC - (np.arange(count) + 0.5) / count).max()
    assert control > 1.95 / np.sqrt(count)  # control: not uniform in the radius
    height = np.abs(place[:, 2])
    assert abs(height.mean() / supernovae.SCALE_HEIGHT_PC - 1) < 4 / np.sqrt(count)


def test_summary_of_known_fluxes():
    equal = supernovae.summarise(np.full(100, 2.0), np.arange(100.0) + 1)
    assert equal.effective == pytest.approx(100) and equal.makes == (50, 90)
    one = supernovae.summarise(np.array([1e-3, 10.0, 1e-3]), np.array([5.0, 7.0, 9.0]))
    assert one.effective == pytest.approx(1, abs=1e-3) and one.makes == (1, 1)
    assert one.age_yr * supernovae.YEAR_PC == pytest.approx(7.0)
    none = supernovae.summarise(np.empty(0), np.empty(0))
    assert none.makes == (0, 0) and np.isnan(none.effective)


def test_reproducible_and_fewer_sources_with_anisotropy():
    first = supernovae.contributions(1e-2, SMALL, seed=4, sets=12)
    again = supernovae.contributions(1e-2, SMALL, seed=4, sets=2)
    assert first[:2] == again
    assert first[0] != supernovae.contributions(1e-2, SMALL, seed=5, sets=1)[0]
    wide = supernovae.contributions(1e-2, SMALL._replace(gain=1.0, loss=1.0), seed=4, sets=12)
    narrow, broad = supernovae.numbers(first), supernovae.numbers(wide)
    assert narrow.most[0] + 3 * narrow.most[1] < broad.most[0] - 3 * broad.most[1]


def test_mean_flux_of_sources_that_fill_space():
    """Sources all over a box wider than their clouds: the sum is their density times tau."""
    galaxy = Galaxy(diffusion=5e28, gain=1.0, loss=1.0, interval_yr=3000.0)
    rigidity, box = 1e-2, 4e4
    tau = galaxy.escape_time(rigidity)
    rng = np.random.default_rng(8)
    count = 400_000
    age = rng.uniform(0, galaxy.ages * tau, count)
    place = rng.uniform(-box / 2, box / 2, (count, 3))
    flux = supernovae.densities(place, age, rigidity, galaxy)
    expected = count / (box**3 * galaxy.ages * tau) * tau * (1 - np.exp(-galaxy.ages))
    # the error of the sum from the scatter of 20 parts of it
    chunks = flux.reshape(20, -1).sum(axis=1) * 20
    assert abs(flux.sum() - expected) < 4 * chunks.std(ddof=1) / np.sqrt(20)
    assert abs(flux.sum() / 8 - expected) > 4 * chunks.std(ddof=1) / np.sqrt(20)  # control: volume
