"""The regular field of the Galaxy, and turbulence whose strength follows it.

JF12 is compared with an independent implementation (a table, see its head) and with what its
equations say in closed form: no divergence, no net flux of the arms, the local field.
"""

from pathlib import Path

import numpy as np
import pytest

from hpc_cr import make_field
from hpc_cr.config import parse_job
from hpc_cr.frames import lon_lat
from hpc_cr.jf12 import ARM_SHARES, ARMS, COEFFICIENTS, SUN_RADIUS, regular_field

TABLE = Path(__file__).with_name("jf12_gammaALPs.csv")
PARTS = {"disk": (True, False, False), "halo": (False, True, False),
         "poloidal": (False, False, True)}
LEFT_OUT = 5e-6
"""uG: the disk's field is left out where it is below 1e-6 of 4.2 uG."""

JOB = """
[run]
kind = "diffusion"
[turbulence]
rms = "{rms} uG"
outer_scale = "25 pc"
{profile}
[grids]
cells = 16
periods = 2
cells_per_wavelength = 3
[regular]
model = "jf12"
components = {parts}
[particles]
rigidities = ["100 PV"]
count = 12
[boundary]
times = ["1 pc"]
"""


def job(rms=0.0, parts=("disk", "halo", "x-field"), profile=""):
    return parse_job(JOB.format(rms=rms, parts=list(parts), profile=profile))


def jf12(points, parts=(True, True, True)):
    """(n, 3) Galactocentric pc -> (n, 3) uG."""
    return np.array([regular_field(*point, *parts) for point in points])


@pytest.fixture(scope="module")
def table():
    values = np.genfromtxt(TABLE, delimiter=",", names=True, skip_header=3)
    def vectors(name):
        return np.stack([values[f"{name}{axis}"] for axis in "xyz"], axis=1)
    return 1e3 * vectors(""), {name: vectors(f"{name}_") for name in PARTS}


def test_independent_implementation(table):
    points, expected = table
    for name, parts in PARTS.items():
        np.testing.assert_allclose(jf12(points, parts), expected[name], rtol=0, atol=LEFT_OUT)
    np.testing.assert_allclose(jf12(points), sum(expected.values()), rtol=0, atol=LEFT_OUT)
    assert all(np.abs(values).max() > 0.5 for values in expected.values())
    # controls: the Galaxy seen in a mirror, or turned to the other sense of rotation
    mirror = np.array([1.0, -1.0, 1.0])
    for wrong in (mirror * jf12(mirror * points), -jf12(points), jf12(-points)):
        assert np.abs(wrong - sum(expected.values())).max() > 1.0


def test_kernels_in_the_observers_frame(table):
    points, expected = table
    field = make_field(job())
    seen = field.at(points + [SUN_RADIUS, 0.0, 0.0])
    np.testing.assert_allclose(seen, sum(expected.values()), rtol=0, atol=LEFT_OUT)
    for name, part in (("disk", "disk"), ("halo", "halo"), ("poloidal", "x-field")):
        seen = make_field(job(parts=[part])).at(points + [SUN_RADIUS, 0.0, 0.0])
        np.testing.assert_allclose(seen, expected[name], rtol=0, atol=LEFT_OUT)
    # control: the observer in the centre
    assert np.abs(field.at(points) - sum(expected.values())).max() > 1.0


def test_field_at_the_sun():
    """Arm 5, -2.0 uG at 5 kpc: towards l = 90 - 11.5 degrees, with the Galactic rotation."""
    b = job(parts=["disk"]).regular_field
    longitude, latitude = lon_lat(b)
    assert longitude == pytest.approx(90 - 11.5) and latitude == 0
    inside = 1 / (1 + np.exp(-2 * 0.40 / 0.27))
    assert np.linalg.norm(b) == pytest.approx(2.0 * 5 / 8.5 * inside)
    whole = job()
    assert whole.b_ref == pytest.approx(np.linalg.norm(whole.regular_field))
    np.testing.assert_allclose(whole.regular_field, make_field(whole).at([0.0, 0.0, 0.0]))
    # the X field at z = 0 points north, B_X exp(-r/r_X), up by 49 degrees
    z = whole.regular_field[2]
    assert z == pytest.approx(4.6 * np.exp(-8.5 / 2.9) * np.sin(np.radians(49)))


def test_ends_of_the_disk():
    angles = np.linspace(0, 2 * np.pi, 73)
    circle = np.stack([np.cos(angles), np.sin(angles), 0 * angles], axis=1)
    around = np.stack([-np.sin(angles), np.cos(angles), 0 * angles], axis=1)
    disk = PARTS["disk"]
    assert not jf12(2990 * circle, disk).any() and not jf12(20_010 * circle).any()
    assert not jf12(990 * circle).any() and jf12(1010 * circle).any()
    ring = jf12(4000 * circle, disk)
    inside = 1 / (1 + np.exp(-2 * 0.40 / 0.27))
    np.testing.assert_allclose(ring, 0.1 * inside * around, atol=1e-12)
    assert jf12(5010 * circle, disk).any() and jf12(19_990 * circle, disk).any()


def test_arms_have_no_net_flux():
    angles = np.linspace(0, 2 * np.pi, 20_000, endpoint=False)
    for radius in (5.5e3, 9e3, 18e3):
        points = radius * np.stack([np.cos(angles), np.sin(angles), 0 * angles], axis=1)
        outward = np.sum(jf12(points, PARTS["disk"]) * points, axis=1) / radius
        # published shares have three digits: 0.0005 of each arm, 8 arms of up to 4.2 uG
        largest = np.sin(np.radians(11.5)) * 5e3 / radius
        assert abs(outward.mean()) < 8 * 0.0005 * 4.2 * largest
        assert np.abs(outward).mean() > 0.5 * largest
    # control: without the last arm there is a flux
    assert abs(np.dot(ARM_SHARES[:7], ARMS[:7])) > 0.4


def divergence(at, points, step=0.5):
    """Central differences, uG/kpc."""
    found = np.zeros(len(points))
    for axis, unit in enumerate(np.eye(3)):
        found += (at(points + step * unit) - at(points - step * unit))[:, axis] / (2 * step)
    return 1e3 * found


def smooth_points(generator, count=400):
    """Places away from the plane, the centre and the ends, where JF12 is continuous."""
    r, phi = generator.uniform(5.2e3, 19.5e3, count), generator.uniform(0, 2 * np.pi, count)
    z = generator.uniform(20, 4e3, count) * generator.choice([-1, 1], count)
    return np.stack([r * np.cos(phi), r * np.sin(phi), z], axis=1)


def test_no_divergence():
    """Fields vary over 200 pc and more: differences over 1 pc err by (1/200)^2/6 of 5 uG/kpc."""
    points = smooth_points(np.random.default_rng(3))
    for name, parts in PARTS.items():
        found = np.abs(divergence(lambda p, parts=parts: jf12(p, parts), points))
        # a point between two arms sees a jump
        assert np.mean(found > 1e-3) < (0.02 if name == "disk" else 1e-9), name
    inner = points * [0.2, 0.2, 1.0]
    inner = inner[np.linalg.norm(inner, axis=1) > 1100]
    assert np.abs(divergence(lambda p: jf12(p, PARTS["poloidal"]), inner)).max() < 1e-3
    # control: an X field that points the other way round up and down
    wrong = np.array([1.0, 1.0, -1.0])
    found = np.abs(divergence(lambda p: wrong * jf12(p, PARTS["poloidal"]), points))
    assert np.mean(found > 1e-3) > 0.9


def test_north_and_south():
    """The halo changes its sense; the X field's component along z does not, that along r does."""
    up = smooth_points(np.random.default_rng(4)) * [0.4, 0.4, 1.0]
    up = up[np.linalg.norm(up, axis=1) > 1100]
    up[:, 2] = np.abs(up[:, 2])
    down = up * [1, 1, -1]
    x_up, x_down = jf12(up, PARTS["poloidal"]), jf12(down, PARTS["poloidal"])
    np.testing.assert_allclose(x_down, x_up * [-1, -1, 1])
    assert np.all(x_up[:, 2] > 0) and np.all(np.sum(x_up * up, axis=1) > 0)
    turn_up, turn_down = (np.cross(p, jf12(p, PARTS["halo"]))[:, 2] for p in (up, down))
    assert np.all(turn_up > 0) and np.all(turn_down < 0)


def test_coefficients_are_complete():
    assert len(COEFFICIENTS) == 21
    assert ARMS[:7] == tuple(COEFFICIENTS[f"b_{i}"].value for i in range(1, 8))
    assert ARMS[7] == pytest.approx(2.7, abs=0.1)  # the table's, of coefficients not rounded


PROFILE = 'profile = "jf12-halo"\nradial_scale = "5 kpc"\nvertical_scale = "2 kpc"'


def test_strength_of_turbulence():
    """s(x) times the field of the same job without it, and JF12 as it is."""
    generator = np.random.default_rng(5)
    points = smooth_points(generator, 100)
    here = points + [SUN_RADIUS, 0.0, 0.0]
    even = make_field(job(2.0, ["disk"])).at(here)
    changing = make_field(job(2.0, ["disk"], PROFILE)).at(here)
    regular = jf12(points, PARTS["disk"])
    r, z = np.hypot(points[:, 0], points[:, 1]), points[:, 2]
    share = np.exp(-(r - 8500) / 5000 - z**2 / (2 * 2000**2))
    np.testing.assert_allclose(changing, regular + share[:, None] * (even - regular), atol=1e-9)
    # control: at the Sun it is 1, elsewhere the field is another
    assert np.abs(changing - even).max() > 0.5
    sun = [np.array([0.3, -0.2, 0.0])]
    np.testing.assert_allclose(make_field(job(2.0, ["disk"], PROFILE)).at(sun),
                               make_field(job(2.0, ["disk"])).at(sun), rtol=1e-3)


def test_divergence_of_scaled_turbulence_is_small():
    """div(s B) = B . grad s exactly: of the order of B_rms/scale, not of B_rms/L_c.

    (The interpolated field has a divergence of its own, which is scaled like the field.)
    """
    field = make_field(job(2.0, ["halo"], PROFILE))
    even = make_field(job(2.0, ["halo"]))
    points = smooth_points(np.random.default_rng(6), 200)
    here = points + [SUN_RADIUS, 0.0, 0.0]
    r, z = np.hypot(points[:, 0], points[:, 1]), points[:, 2]
    share = np.exp(-(r - 8500) / 5000 - z**2 / (2 * 2000**2))
    gradient = -share[:, None] * np.stack([points[:, 0] / r / 5000, points[:, 1] / r / 5000,
                                           z / 2000**2], axis=1)
    turbulent = even.at(here) - jf12(points, PARTS["halo"])
    expected = 1e3 * np.sum(turbulent * gradient, axis=1)
    step = 1e-3  # within one cell, where the interpolation is a polynomial
    found = divergence(field.at, here, step) - share * divergence(even.at, here, step)
    # a point in two cells at once, or float rounding: B 1e-16/step
    assert np.quantile(np.abs(found - expected), 0.98) < 1e-3 * 1e3 * 2.0 / 2000
    assert np.std(expected) > 0.1


@pytest.mark.parametrize("parts", [("disk", "halo", "x-field"), ("halo",), ("x-field",)])
def test_strongest_field(parts):
    """No place has more, and some place has as much, turbulence with its profile included."""
    from hpc_cr.jf12 import strongest_field

    rng = np.random.default_rng(8)
    n = 60_000
    r, phi = rng.uniform(0, 20e3, n), rng.uniform(0, 2 * np.pi, n)
    z = rng.uniform(-1, 1, n) ** 3 * 5e3
    r[: n // 2] = rng.uniform(980, 5500, n // 2)  # where it is strong
    points = np.stack([r * np.cos(phi), r * np.sin(phi), z], axis=1)
    regular = make_field(job(parts=parts)).at(points + [SUN_RADIUS, 0.0, 0.0])
    for rms, radius, height in ((0.0, np.inf, np.inf), (1.0, 10_970.0, 2840.0)):
        turbulent = rms * np.exp(-(r - SUN_RADIUS) / radius - 0.5 * (z / height) ** 2)
        total = np.sqrt((regular**2).sum(axis=1) + turbulent**2)
        found = strongest_field(parts, rms, radius, height)
        assert 0.98 < total.max() / found < 1.02
    # control: that at the Sun is far from it
    assert np.linalg.norm(job(parts=parts).regular_field) < 0.8 * strongest_field(parts, 0.0)
