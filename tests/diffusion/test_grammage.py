"""Grammage of a disc and halo, and the turbulent field whose diffusion B/C allows.

Theory. X = c rho h H/D_z; D = 5e28 cm^2/s, one proton per cm^3, h = 150 pc and H = 5 kpc give
7.2 g/cm^2, computed here with astropy. D_z is D_perp for a field in the plane and D_par for one
across it. A strength B solves L f(r_g(B)/L) = D; where f = b x^(1/3), B = r_g(1 uG)/L (b L/D)^3.
"""

import numpy as np
import pytest
from astropy import constants, units

from hpc_cr.config.scales import gyroradius
from hpc_cr.diffusion import fits, grammage
from hpc_cr.measurements.diffusion import boron_to_carbon_band

ETA = np.geomspace(0.1, 4, 10)


def pc(value):
    """cm^2/s as D/c in pc."""
    return (value * units.cm**2 / units.s / constants.c).to_value(units.pc)


def test_grammage_in_other_units():
    d = 5e28 * units.cm**2 / units.s
    rho = constants.m_p / units.cm**3
    x = (constants.c * rho * 150 * units.pc * 5 * units.kpc / d).to_value(units.g / units.cm**2)
    assert x == pytest.approx(7.16, abs=0.01)
    assert grammage.grammage(pc(5e28)) == pytest.approx(x, rel=1e-6)
    # (3-8)e28 is 4.5 to 11.9 g/cm^2: what 5 to 15 stand for
    low, high = grammage.grammage(np.array([pc(8e28), pc(3e28)]))
    assert (low, high) == pytest.approx((x * 5 / 8, x * 5 / 3), rel=1e-6)
    np.testing.assert_array_equal(grammage.allowed([4.9, 5.1, 14.9, 15.1]),
                                  [False, True, True, False])


def test_band_of_boron_to_carbon():
    assert boron_to_carbon_band(1e-5) == pytest.approx((pc(3e28), pc(8e28)), rel=1e-9)
    # 1 PV is 1e5 times 10 GV
    assert boron_to_carbon_band(1.0)[0] == pytest.approx(pc(3e28) * 1e5 ** (1 / 3), rel=1e-9)


def test_vertical():
    np.testing.assert_allclose(grammage.vertical(9.0, 0.01, np.array([0.0, 90.0, 30.0])),
                               [0.01, 9.0, 0.75 * 0.01 + 0.25 * 9.0])  # fmt: skip
    # isotropic diffusion knows no tilt
    np.testing.assert_allclose(grammage.vertical(2.0, 2.0, np.linspace(0, 90, 7)), 2.0)


@pytest.fixture(scope="module")
def levels():
    """D_par and D_perp in pc at 1 PV, with 2 % errors, such that 30 degrees are allowed at some."""
    rng = np.random.default_rng(4)
    parallel = 3.0 * (1 + (1.2 / ETA) ** 1.9)
    perp = 3.0 / (1 + (3.0 / ETA) ** 1.7)
    noise = 1 + 0.02 * rng.standard_normal((2, len(ETA)))
    parallel, perp = noise * (parallel, perp)
    return fits.fit_level(ETA, parallel, 0.02 * parallel, perp, 0.02 * perp)


def test_plane(levels):
    plane = grammage.tilt_plane(levels, 1.0, [0.0, 30.0, 90.0], ETA)
    assert plane.x.shape == (3, len(ETA))
    scale = 1e-5 ** (1 / 3)
    np.testing.assert_allclose(plane.x[0], grammage.grammage(levels.perp(ETA)[0] * scale))
    np.testing.assert_allclose(plane.x[2], grammage.grammage(levels.parallel(ETA)[0] * scale))
    # weaker turbulence along the field: faster out of the disc, less matter; across it, slower
    assert np.all(np.diff(plane.x[2]) > 0)
    assert np.all(np.diff(plane.x[1, ETA < 1]) > 0)
    assert np.all(np.diff(plane.x[0]) < 0)
    # D_perp that falls faster with falling rigidity keeps them longer in a disc without tilt only
    steep = grammage.tilt_plane(levels, 1.0, [0.0, 90.0], ETA, exponents=(1 / 3, 0.55))
    np.testing.assert_allclose(steep.x[0], plane.x[0] * 1e5 ** (0.55 - 1 / 3))
    np.testing.assert_allclose(steep.x[1], plane.x[2])


def test_allowed_levels(levels):
    found = grammage.allowed_levels(levels, 1.0, 30.0, (0.05, 5.0))
    assert [limit for _, _, limit in found] == [5.0, 15.0]
    for eta, _, limit in found:
        plane = grammage.tilt_plane(levels, 1.0, [30.0], [eta])
        assert plane.x[0, 0] == pytest.approx(limit, rel=1e-9)
    # the error is that of parameters drawn from the fit's covariance; 400 of them: 3.5 % of it
    rng = np.random.default_rng(5)
    drawn = rng.multivariate_normal(levels.fit.values, levels.fit.covariance, 400)
    eta, error, limit = found[0]
    nodes = np.geomspace(eta / 1.5, eta * 1.5, 300)
    ends = []
    for values in drawn:
        parallel, perp = (d * 1e-5 ** (1 / 3) for d in levels.curves(values, nodes))
        x = grammage.grammage(grammage.vertical(parallel, perp, 30.0))
        ends.append(np.interp(limit, x, nodes))
    assert np.std(ends) == pytest.approx(error, rel=4 * 0.035 + 0.05)
    # a field in the plane allows none of them
    assert grammage.allowed_levels(levels, 1.0, 0.0, (0.05, 5.0)) == []


def test_field_strengths():
    x = np.geomspace(1e-3, 20, 12)
    d = 4 / 3 * x**2 + 0.3 * x + 0.08 * np.cbrt(x)
    fit = fits.fit_isotropic(x, d, 0.01 * d, 5 / 3, form="sum", others=False)
    length = np.array([0.1, 5.0, 1e4])
    strength, ratio = grammage.field_strengths(fit, length)
    assert strength.shape == (2, 3)
    band = (pc(3e28), pc(8e28))
    for one, of, wanted in zip(strength, ratio, band, strict=True):
        # r_g of 10 GV in that field; a table of 4000 nodes in 18 decades is good to 1e-5
        np.testing.assert_allclose(of, gyroradius(1e-5, one) / length, rtol=1e-9)
        np.testing.assert_allclose(length * fit.evaluate(of)[0], wanted, rtol=1e-4)
    # beyond the nodes there is no answer
    assert np.all(np.isnan(grammage.field_strengths(fit, np.array([1e9]))[0]))
    # larger D, weaker field
    assert np.all(strength[0] > strength[1])
    # far below the transition resonant scattering alone is left; the next term is a x/(b x^(1/3))
    b = fit.fit["b"][0]
    exact = gyroradius(1e-5, 1.0) / length[2] * (b * length[2] / band[0]) ** 3
    part = 0.3 / b * ratio[0, 2] ** (2 / 3)
    assert strength[0, 2] == pytest.approx(exact, rel=5 * part + 1e-4)


def test_allowed_range_has_the_error_of_the_scaling(levels):
    """At 30 degrees X = X(D_par): another exponent p moves D_par by (1e-5)^(p - 1/3)."""
    within = 0.05, 5.0
    plain = grammage.allowed_levels(levels, 1.0, 30.0, within)
    others = (0.36, 0.5), (1 / 3, 0.6)
    found = grammage.allowed_range(levels, 1.0, 30.0, within, others)
    for one, (eta, error, x) in zip(found, plain, strict=True):
        assert (one.eta, one.error, one.x) == (eta, error, x)
        moved = [e for e, _, limit in grammage.allowed_levels(
            levels, 1.0, 30.0, within, exponents=others[0]) if limit == x]  # fmt: skip
        assert one.systematic == pytest.approx(min(abs(e - eta) for e in moved))
        assert one.total == pytest.approx(np.hypot(error, one.systematic))
        # D_perp's exponent alone: D_z is D_par sin^2 there, nothing is seen of it (control)
        alone = grammage.allowed_range(levels, 1.0, 30.0, within, others[1:])
        assert all(a.systematic < 0.1 * f.systematic for a, f in zip(alone, found, strict=True))
    assert np.isnan(grammage.allowed_range(levels, 1.0, 30.0, within, ())[0].systematic)
    # a way by which no level is allowed leaves nothing known
    far = grammage.allowed_range(levels, 1.0, 30.0, within, [(2.0, 2.0)])
    assert np.isinf(far[0].systematic) and np.isinf(far[0].total)
