"""Radial distributions of sources.

All are 1 at the Sun; (r/r_Sun)^a exp[-b (r/r_Sun - 1)] is largest at r_Sun a/b. Shares within a
radius are compared with sums over rings of the density itself, 2 pc wide: below 1e-3 of any radius
beyond 2 kpc.
"""

import numpy as np
import pytest

from hpc_cr.sources.distributions import NAMES, SHAPES, density, radius_of_share, surface_density

SUN = 8500.0


@pytest.mark.parametrize("name", NAMES)
def test_one_at_the_sun_and_shares(name):
    assert surface_density(name, SUN) == pytest.approx(1, rel=1e-12)
    r = np.linspace(0, 20e3, 10_001)
    ring = r * surface_density(name, r)
    assert np.all(ring >= 0) and np.all(np.isfinite(ring))
    share = np.concatenate([[0], np.cumsum(ring[1:] + ring[:-1])])
    share /= share[-1]
    level = np.array([0.05, 0.3, 0.5, 0.8, 0.95])
    np.testing.assert_allclose(radius_of_share(level, name, 20e3), np.interp(level, share, r),
                               rtol=1e-3)
    if name != "uniform":  # control: not evenly over the area
        assert not np.allclose(radius_of_share(level, name, 20e3), 20e3 * np.sqrt(level), rtol=0.1)


def test_published_values():
    """Positions of the maxima and e-folds, from the exponents as published."""
    r = np.linspace(1.0, 15e3, 14_999)
    for name, a, b in (("case1996", 1.69, 3.33), ("lorimer2006", 1.9, 5.0),
                       ("green2015", 1.09, 3.87), ("case1998", 2.0, 3.53)):  # fmt: skip
        assert abs(r[np.argmax(surface_density(name, r))] - SUN * a / b) < 1.0
    # (r + r1)^a exp(-b r/(8.5 kpc + r1)): maximum at a (8.5 kpc + r1)/b - r1
    top = 1.64 * 9050 / 4.01 - 550
    assert abs(r[np.argmax(surface_density("yusifov2004", r))] - top) < 1.0
    assert surface_density("yusifov2004", 0.0) > 0.1 > surface_density("lorimer2006", 0.0)
    ratio = surface_density("lorimer2004", 2 * 1528.0) / surface_density("lorimer2004", 1528.0)
    assert ratio == pytest.approx(2**2.35 / np.e)
    # Ferriere's supernovae of type II: continuous at 3.7 kpc to the digits of 177.5
    below, above = surface_density("ferriere2001", [3700.0, 3700.1])
    assert below == pytest.approx(above, rel=2e-3)
    assert all(shape.reference for shape in SHAPES.values())


def test_height_and_cut():
    assert density("case1996", SUN, -200.0) == pytest.approx(np.exp(-1))
    assert density("case1996", SUN, 100.0, 50.0) == pytest.approx(np.exp(-2))
    found = density("case1996", np.array([[14e3], [16e3]]), np.array([0.0, 50.0]), largest=15e3)
    assert found.shape == (2, 2) and np.all(found[0] > 0) and not np.any(found[1])


def test_unknown_name_is_told():
    for wrong, hint in (("lorimer", "did you mean lorimer200"), ("zzz", "there are lorimer2006")):
        with pytest.raises(ValueError, match=hint):
            surface_density(wrong, SUN)
    with pytest.raises(ValueError, match="no distribution"):
        radius_of_share(np.array([0.5]), "zzz", 20e3)
