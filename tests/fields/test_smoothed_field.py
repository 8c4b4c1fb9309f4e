"""Field averaged over balls around the observer.

Theory. The mean of a plane wave cos(k.x + a) over a ball of radius r around x0 is its value at
x0 times W(kr) = 3 [sin(kr) - kr cos(kr)]/(kr)^3. The ball is sampled at N = 1024 points that fill
it evenly; independent random points would leave an error of 1/sqrt(N) = 0.03 of a wave far below
r, evenly spread ones less.
"""

import numpy as np
import pytest

from hpc_cr.fields.nested import smoothed_field

PLACE = np.array([3.0, -2.0, 5.0])
WAVE = np.array([0.4, -0.7, 0.59])
WAVE = WAVE / np.linalg.norm(WAVE)


def wave(points):
    """(n, 3) pc -> three waves of unit amplitude with k = 1/pc and different phases."""
    phase = np.atleast_2d(points) @ WAVE
    return np.stack([np.cos(phase), np.sin(phase), np.cos(phase + 1.0)], axis=-1).reshape(
        np.shape(points))


def window(radius):
    return 3 * (np.sin(radius) - radius * np.cos(radius)) / radius**3


@pytest.mark.parametrize("radius", [0.1, 1.0, 2.0, 4.0, 7.0, 20.0])
def test_plane_wave(radius):
    (mean,) = smoothed_field(wave, PLACE, [radius])
    assert np.abs(mean - window(radius) * wave(PLACE)).max() < 0.03
    if 1.0 <= radius <= 4.0:  # control: a mean over the surface is another one
        surface = np.sin(radius) / radius
        assert np.abs(mean - surface * wave(PLACE)).max() > 0.03


def test_radius_zero_is_the_point_and_a_uniform_field_stays():
    point, _ = smoothed_field(wave, PLACE, [0.0, 1.0])
    np.testing.assert_array_equal(point, wave(PLACE))
    uniform = np.array([1.0, 2.0, -3.0])
    mean = smoothed_field(lambda points: np.zeros(np.shape(points)) + uniform, PLACE, [0.0, 9.0])
    np.testing.assert_allclose(mean, [uniform] * 2, rtol=1e-12)
