"""Lines of sight through gas that shines.

Theory, for a disc of gas of constant density within r < R, |z| < h and a constant emissivity: a
line at latitude b is min(rho/cos b, h/sin b) long, rho = d cos l + (R^2 - d^2 sin^2 l)^(1/2); its
mean over 0 < b < B is [rho b1 + h ln(sin B/sin b1)]/sin B with tan b1 = h/rho. For exp(-|z|/h) the
line is (h/sin b)[1 - exp(-rho tan b/h)] long, whose mean is a quadrature. Midpoints: second order
in the step for smooth gas; at a sharp edge the error is at most half a step per line.
"""

import numpy as np
import pytest
from scipy.integrate import quad

from hpc_cr.constants import CM_PER_PC
from hpc_cr.galaxy import gas, longitude

SUN, RADIUS, HEIGHT = 8500.0, 20000.0, 100.0
LONGITUDES = np.array([0.0, 20.0, 90.0, 150.0, 180.0])
RADII = np.linspace(0, RADIUS, 41)
HEIGHTS = np.concatenate([[0.0], np.geomspace(10, 4000, 20)])
SINE = np.sin(np.radians(5.0))


def rho(angle, sun=SUN):
    angle = np.radians(angle)
    return sun * np.cos(angle) + np.sqrt(RADIUS**2 - (sun * np.sin(angle)) ** 2)


def slab(r, z):
    return np.where(np.abs(z) < HEIGHT, 1.0, 0.0) * np.ones_like(r)


def exponential(r, z):
    return np.exp(-np.abs(z) / HEIGHT) * np.ones_like(r)


def slab_column(angle, sun=SUN):
    length = rho(angle, sun)
    b1 = np.arctan(HEIGHT / length)
    return CM_PER_PC * (length * b1 + HEIGHT * np.log(SINE / np.sin(b1))) / SINE


def exponential_column(angle):
    def length(sine):
        tangent = sine / np.sqrt(1 - sine**2)
        return -HEIGHT / sine * np.expm1(-rho(angle) * tangent / HEIGHT)

    return CM_PER_PC * quad(length, 0, SINE, points=[1e-3, 1e-2], limit=200)[0] / SINE


def test_uniform_disc():
    exact = slab_column(LONGITUDES)
    step = 20.0
    found = longitude.projection(slab, LONGITUDES, RADII, HEIGHTS, step=step, latitudes=96)
    # half a step of the shortest line, and 1/n^2 from the corner of the integrand at b1
    bound = 0.5 * step / (HEIGHT / SINE) + 96**-2 * 10
    assert np.allclose(found.column, exact, rtol=bound)
    ones = np.ones((RADII.size, HEIGHTS.size))
    assert np.allclose(found(3.0 * ones), 3.0 * exact, rtol=bound)
    # controls: the Sun at 8 kpc, and only the line at b = 0
    assert not np.allclose(exact, slab_column(LONGITUDES, 8000.0), rtol=bound)
    assert not np.allclose(exact, CM_PER_PC * rho(LONGITUDES), rtol=bound)


def test_exponential_disc_converges():
    exact = np.array([exponential_column(angle) for angle in LONGITUDES])
    off = [np.abs(longitude.projection(exponential, LONGITUDES, RADII, HEIGHTS, step=step).column
                  / exact - 1).max() for step in (400.0, 200.0, 100.0)]
    assert off[0] / off[1] == pytest.approx(4, rel=0.3)
    assert off[1] / off[2] == pytest.approx(4, rel=0.3)
    fine = longitude.projection(exponential, LONGITUDES, RADII, HEIGHTS).column
    assert np.allclose(fine, exact, rtol=off[0] / 256 * 2 + 1e-6)  # 25 pc: 16 times finer


def test_observed_gas_converges():
    """The default step and latitudes: 5e-4 of the profile in the Galaxy's gas, with its thin H2."""
    q = np.exp(-RADII / 5000.0)[:, None] * np.exp(-HEIGHTS / 2000.0)
    default, fine = (longitude.projection(gas.hydrogen, LONGITUDES, RADII, HEIGHTS, **better)(q)
                     for better in ({}, {"step": 12.5, "latitudes": 64}))
    assert np.allclose(default, fine, rtol=5e-4)
    # control: steps as long as the gas is thick at these latitudes
    coarse = longitude.projection(gas.hydrogen, LONGITUDES, RADII, HEIGHTS, step=1000.0)(q)
    assert not np.allclose(coarse, fine, rtol=5e-4)


def test_map_is_bilinear():
    """An emissivity linear in r and z is the integral of gas times that function."""
    found = longitude.projection(exponential, LONGITUDES, RADII, HEIGHTS)
    q = (1 + 0.3 * RADII / RADIUS)[:, None] * (2 - HEIGHTS / 4000)
    same = longitude.projection(
        lambda r, z: exponential(r, z) * (1 + 0.3 * r / RADIUS) * (2 - np.abs(z) / 4000),
        LONGITUDES, RADII, HEIGHTS)  # fmt: skip
    assert np.allclose(found(q), same.column, rtol=1e-12)
    both = found(np.stack([q, 2 * q]))
    assert both.shape == (2, 5) and np.allclose(both[1], 2 * both[0])


def test_middle_latitudes():
    """Of a wide layer the column is h/sin b: its mean over solid angle is h ln(s2/s1)/(s2 - s1)."""
    s1, s2 = np.sin(np.radians(longitude.MIDDLE_DEG))
    exact = CM_PER_PC * HEIGHT * np.log(s2 / s1) / (s2 - s1)
    found = longitude.middle_latitudes(exponential, RADII, HEIGHTS, longitudes=5)
    # ends of the map: exp(-40) above and exp(-20 kpc sin 10/h) beyond the edge; steps of 25 pc with
    # h/sin b = 290 to 580 pc
    assert found == pytest.approx(exact, rel=(25.0 / 290) ** 2 / 24 * 1.1)
    # control: without the weight of solid angle the mean over b
    b = np.radians(np.linspace(*longitude.MIDDLE_DEG, 2001))
    plain = CM_PER_PC * HEIGHT * np.mean(1 / np.sin(b))
    assert found != pytest.approx(plain, rel=(25.0 / 290) ** 2 / 24 * 1.1)


def test_shapes():
    angles = np.arange(0.0, 181.0, 10.0)
    profile = 1 + np.cos(np.radians(angles / 2))
    assert np.allclose(longitude.residual(3 * profile, profile), 1)
    assert longitude.residual(profile**2, profile)[0] > 1 > longitude.residual(
        profile**2, profile)[-1]
    ratio = longitude.centre_over_anticentre(angles, profile)
    assert ratio == pytest.approx(profile[:4].mean() / profile[-4:].mean())
    assert longitude.centre_over_anticentre(angles - 360.0, profile) == pytest.approx(ratio)
    fall = longitude.radial_fall(RADII, np.exp(-RADII / 4000.0))
    assert fall == pytest.approx(0.25)


@pytest.mark.parametrize("change", [{"latitude_deg": (5.0, 5.0)}, {"radii": [0.0]},
                                    {"heights": [100.0, 50.0]}, {"sun_radius": 3e4},
                                    {"step": 0.0}])  # fmt: skip
def test_bad_input(change):
    with pytest.raises(ValueError):
        longitude.projection(**({"gas": slab, "longitude_deg": 0.0, "radii": RADII,
                                 "heights": HEIGHTS} | change))
    with pytest.raises(ValueError, match="anticentre"):
        longitude.centre_over_anticentre([0.0, 90.0], [1.0, 1.0])
    with pytest.raises(ValueError, match="radii"):
        longitude.radial_fall([0.0, 100.0], [1.0, 1.0])
