"""Fluctuations by sources at single places and times.

Theory: with uniform D between absorbing boundaries at +-H a steady disc has, per mode k = (m + 1/2)
pi/H of the slab, N = (c_m/D) [K0(kr) int_0^r I0(ks) f s ds + I0(kr) int_r^inf K0(ks) f s ds] in the
plane, c_m the share of exp(-|z|/h)/2h in the mode. That is an exact solution, without time in it;
the quadrature over ages agrees to 1e-3, of which exp(-8) are the oldest sources left out. The mean
over Galaxies has an error of its scatter/sqrt(number) only with a finite variance, which a smallest
age gives: clouds are then all wider than some size.
"""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import ive, kve

from hpc_cr.jf12 import SUN_RADIUS
from hpc_cr.sources import discrete, gaussian
from hpc_cr.sources.discrete import Densities, Population
from hpc_cr.sources.distributions import surface_density
from hpc_cr.sources.supernovae import YEAR_PC

FEW = Population(interval_yr=300.0, youngest_yr=1e5)
D = np.array([20.0, 40.0])


def steady_disc(population, coefficient, modes=40):
    """Density and its radial derivative at the Sun by the modes of the slab."""
    found = np.zeros(2)
    h, half = population.scale_height_pc, population.half_height_pc
    for k in (np.arange(modes) + 0.5) * np.pi / half:
        share = (1 + np.exp(-half / h) * k * h * np.sin(k * half)) / (1 + (k * h) ** 2) / half
        found += share / coefficient * _mode(population, k)
    return population.rate_at_sun * found


def _mode(population, k):
    """Solution of f'' + f'/r - k^2 f + disc = 0 at the Sun, and its derivative."""
    def ring(r):
        return float(surface_density(population.distribution, r)) * r

    far = 30 / k  # exp(-30) of the Bessel functions, which come scaled with exp(+-kr)
    inner = quad(lambda r: ive(0, k * r) * np.exp(-k * (SUN_RADIUS - r)) * ring(r),
                 max(0.0, SUN_RADIUS - far), SUN_RADIUS, limit=200)[0]
    outer = quad(lambda r: kve(0, k * r) * np.exp(-k * (r - SUN_RADIUS)) * ring(r),
                 SUN_RADIUS, min(population.largest_pc, SUN_RADIUS + far), limit=200)[0]
    at = k * SUN_RADIUS
    return np.array([kve(0, at) * inner + ive(0, at) * outer,
                     k * (ive(1, at) * outer - kve(1, at) * inner)])


@pytest.mark.parametrize(("name", "half_height", "largest"),
                         [("case1996", 4000.0, 15e3), ("lorimer2006", 2000.0, 20e3)])
def test_mean_is_the_steady_disc(name, half_height, largest):
    population = Population(name, largest, half_height_pc=half_height)
    density, slope = steady_disc(population, 3.0)
    found = discrete.mean(population, np.array([3.0]))
    assert found.density[0] == pytest.approx(density, rel=1e-3)
    # the Galactic centre is at +x: the gradient is against the radius
    np.testing.assert_allclose(found.gradient[0], [-slope, 0, 0], rtol=1e-3, atol=1e-12 * -slope)
    assert found.gradient[0, 0] > 0
    # controls: twice the halo, and no cut of the ages
    assert steady_disc(population._replace(half_height_pc=2 * half_height), 3.0)[0] > 1.3 * density
    assert discrete.mean(population._replace(oldest_yr=4e5), D).density[0] < 0.9 * (
        discrete.mean(population, D).density[0])


def test_each_source_is_a_sum_over_images():
    """Young and old clouds, against 200 images of the Gaussian with the same tensor."""
    half = 700.0
    tensor = gaussian.uniaxial(3.0, 0.4, [1.0, 2.0, 0.0])
    rng = np.random.default_rng(3)
    count = 40
    place = rng.uniform(-1, 1, (count, 3)) * [400.0, 400.0, 650.0]
    age = np.geomspace(2e3, 6e6, count) * half**2 / 1e6
    inverse = np.linalg.inv(tensor[:2, :2])
    plane = np.array([[inverse[0, 0], inverse[0, 1], inverse[1, 1],
                       np.sqrt(np.linalg.det(tensor[:2, :2]))]])
    scaled = tensor[2, 2] * age / half**2
    assert scaled[0] < 0.01 and scaled[-1] > 1  # images and modes both
    number = np.arange(-100, 101)
    for r, t in zip(place, age, strict=True):
        found = np.zeros((1, 4))
        discrete._add(r[None], np.array([t]), plane, np.array([[tensor[2, 2], half]]),
                      np.array([np.inf]), 0.0, False, found)
        images = np.stack([np.full(201, r[0]), np.full(201, r[1]),
                           2 * number * half + (-1.0) ** number * r[2]], axis=1)
        each = (-1.0) ** number * gaussian.density(-images, t, tensor)
        steep = each[:, None] * gaussian.log_gradient(-images, t, tensor)
        # what cancels between images is lost to rounding
        largest = np.abs(each).max()
        np.testing.assert_allclose(found[0, 0], each.sum(), rtol=1e-8, atol=1e-13 * largest)
        np.testing.assert_allclose(found[0, 1:], steep.sum(axis=0), rtol=1e-8,
                                   atol=1e-13 * np.abs(steep).max())
    # control: the last cloud has met the boundary, alone it would be denser
    assert gaussian.density(-place[-1], age[-1], tensor) > 2 * found[0, 0]


def test_mean_over_galaxies():
    """Within 4 standard errors, isotropic and along the azimuth."""
    realisations = 200
    along = np.array([gaussian.uniaxial(3 * d, d, [0, 1, 0]) for d in D])
    for diffusion in (D, along):
        found = discrete.fluctuations(FEW, diffusion, seed=7, realisations=realisations)
        expected = discrete.mean(FEW, diffusion)
        for values, wanted in zip(found, expected, strict=True):
            error = values.std(axis=0, ddof=1) / np.sqrt(realisations)
            assert np.all(np.abs(values.mean(axis=0) - wanted) < 4 * error + 1e-3 * np.abs(wanted))
        scatter = found.density.std(axis=0, ddof=1) / np.sqrt(realisations)
        assert np.all(scatter < 0.03 * expected.density)
        # controls: all ages, and a Galaxy mirrored at the Sun
        assert np.all(np.abs(discrete.mean(FEW._replace(youngest_yr=0.0), diffusion).density
                             - found.density.mean(axis=0)) > 4 * scatter)
        slope = found.gradient[..., 0]
        error = slope.std(axis=0, ddof=1) / np.sqrt(realisations)
        assert np.all(slope.mean(axis=0) + expected.gradient[:, 0] > 4 * error)


def test_tail_of_bright_sources():
    """Sources brighter than x: int pi 4Dt ln[1/(x (4 pi D t)^(3/2))] dt of a thin disc's."""
    population = Population(scale_height_pc=0.1, interval_yr=0.004)
    coefficient, oldest = 8.0, 3500.0
    flux, steep = [], []
    for place, age in discrete._galaxy(population, 3, 0, oldest):
        distance = np.linalg.norm(place, axis=1)
        near = distance < 2000
        spread = 4 * coefficient * age[near]
        flux.append(np.exp(-(distance[near] ** 2) / spread) / (np.pi * spread) ** 1.5)
        steep.append(flux[-1] * 2 * distance[near] / spread)
    flux, steep = np.concatenate(flux), np.concatenate(steep)
    # the faintest level that no source older than the oldest reaches
    level = (4 * np.pi * coefficient * oldest) ** -1.5 * np.array([1.0, 8.0])

    def above(x):
        area = lambda t: 4 * np.pi * coefficient * t * np.log(  # noqa: E731
            1 / (x * (4 * np.pi * coefficient * t) ** 1.5))
        last = x ** (-2 / 3) / (4 * np.pi * coefficient)
        return population.rate_at_sun * quad(area, 0, last)[0]

    count = np.array([np.count_nonzero(flux > x) for x in level])
    expected = np.array([above(x) for x in level])
    assert expected[0] / expected[1] == pytest.approx(8 ** (4 / 3))  # no variance: exponent < 2
    assert np.all(np.abs(count - expected) < 4 * np.sqrt(expected))
    assert expected[1] > 16
    # control: the exponent of sources all around, 5/3
    assert abs(count[1] - count[0] * 8 ** (-5 / 3)) > 2 * np.sqrt(count[1])
    # gradients 2 d/(4 D t) of it: those above x are in the same proportion to 1/x, and not to the
    # power of 5/4 that belongs to sources all around; largest of an age at d^2 = 2 D t
    spread = 4 * coefficient * oldest
    steepest = np.sqrt(2 / spread) * np.exp(-0.5) / (np.pi * spread) ** 1.5
    some, few = (np.count_nonzero(steep > x) for x in steepest * np.array([1.0, 8.0]))
    error = np.sqrt(few + some / 64)
    assert abs(few - some / 8) < 4 * error
    assert abs(few - some * 8 ** (-5 / 4)) > 4 * error


def test_sources_are_numbered_by_age():
    first = discrete.fluctuations(FEW, D, seed=4, realisations=5)
    again = discrete.fluctuations(FEW, D[1:], seed=4, realisations=2)
    # the second rigidity reaches back less far; what it sees is the same
    np.testing.assert_array_equal(first.density[:2, 1:], again.density)
    np.testing.assert_array_equal(first.gradient[:2, 1:], again.gradient)
    other = discrete.fluctuations(FEW, D, seed=5, realisations=1)
    assert not np.any(other.density[0] == first.density[0])
    far = np.concatenate([age for _, age in discrete._galaxy(FEW, 4, 0, 1e6)])
    near = np.concatenate([age for _, age in discrete._galaxy(FEW, 4, 0, 1e5)])
    np.testing.assert_array_equal(far[:len(near)], near)
    # a Poisson process: mean number and its scatter
    assert np.all(np.diff(far) > 0)
    expected = 1e6 / (FEW.interval_yr * YEAR_PC)
    assert abs(np.count_nonzero(far < 1e6) - expected) < 4 * np.sqrt(expected)


def test_wide_clouds_from_a_steady_solution():
    """Young discrete sources and a smooth rest have the mean of all, and the same fluctuations."""
    near = FEW._replace(oldest_yr=1e6)
    sea, share = discrete.mean(FEW, D), discrete.mean(near, D)
    parts = discrete.fluctuations(near, D, seed=7, realisations=100)
    whole = discrete.completed(parts, sea, share)
    every = discrete.fluctuations(FEW, D, seed=7, realisations=100)
    difference = whole.density - every.density
    assert np.all(difference.std(axis=0) < 0.5 * every.density.std(axis=0))
    error = difference.std(axis=0, ddof=1) / 10
    assert np.all(np.abs(difference.mean(axis=0)) < 4 * error + 1e-3 * sea.density)
    # control: without the rest too little
    assert np.all((whole.density - parts.density).mean(axis=0) > 0.05 * sea.density)


def test_a_height_per_rigidity():
    """D(z) = D0 exp(z/H): a slab of D0 and height D0 int dz/D has a thin disc's density."""
    flat = Population(scale_height_pc=1.0, distribution="uniform", largest_pc=30e3)
    half, grown = 300.0, 100.0 * (1 - np.exp(-3.0))
    found = discrete.mean(flat._replace(half_height_pc=np.array([half, grown])), D).density
    for value, d, height in zip(found, D, (half, grown), strict=True):
        # N = s H/(2 D) of a disc wide against H; exp(-8) of the ages and h/H of the height
        assert value == pytest.approx(flat.rate_at_sun * height / (2 * d), rel=1.0 / height + 1e-3)
    apart = [discrete.fluctuations(FEW._replace(half_height_pc=height), D[k:k + 1], seed=2,
                                   realisations=3).density[:, 0]
             for k, height in enumerate((half, grown))]
    both = discrete.fluctuations(FEW._replace(half_height_pc=np.array([half, grown])), D, seed=2,
                                 realisations=3).density
    np.testing.assert_array_equal(both, np.stack(apart, axis=1))


def test_causality_takes_what_is_faster_than_light():
    out = np.zeros((1, 4))
    plane = np.array([[0.1, 0.0, 0.1, 10.0]])
    for distance, seen in ((99.0, True), (101.0, False)):
        out[:] = 0
        discrete._add(np.array([[distance, 0.0, 0.0]]), np.array([100.0]), plane,
                      np.array([[10.0, 4e3]]), np.array([np.inf]), 0.0, True, out)
        assert (out[0, 0] > 0) == seen


def test_dipole_and_bad_input():
    one = Densities(np.array([[2.0]]), np.array([[[4e-4, 0.0, -2e-4]]]))
    found = discrete.dipoles(one, 1.5 * np.eye(3)[None])
    np.testing.assert_allclose(found, [[[9e-4, 0, -4.5e-4]]])
    tilted = gaussian.uniaxial(3.0, 0.4, [1.0, 0.0, 1.0])[None]
    for wrong, told in ((tilted, "in the plane"), (np.array([-1.0]), "positive"),
                        (np.array([np.nan]), "positive"), (np.ones((2, 2)), "shape")):
        with pytest.raises(ValueError, match=told):
            discrete.fluctuations(FEW, wrong, realisations=1)
        with pytest.raises(ValueError, match=told):
            discrete.mean(FEW, wrong)
