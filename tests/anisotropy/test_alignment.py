"""Axes of dipoles where the response is exact.

Theory. In a uniform field along b, long after many gyrations, M = T b b up to the gyroradius: the
dipole of any gradient lies along +-b and |delta| = T |g| |cos psi|. A limit L is then kept for
|cos psi| < L/(T |g|), 90 - arccos(L/(T |g|)) degrees on either side of 90. Isotropic directions
have |cos| uniform in (0, 1): a median angle to an axis of 60 degrees.
"""

import numpy as np
import pytest

from hpc_cr.anisotropy import alignment
from hpc_cr.frames import unit_vector

B = unit_vector(30.0, 20.0)
T, RADIUS = 150.0, 0.3
EPS = np.array([[0, B[2], -B[1]], [-B[2], 0, B[0]], [B[1], -B[0], 0]])


def exact(gyroradius=RADIUS):
    """Response of a uniform field along B at T, pc."""
    phase = T / gyroradius
    across = np.eye(3) - np.outer(B, B)
    return (T * np.outer(B, B) + gyroradius * np.sin(phase) * across
            + gyroradius * (1 - np.cos(phase)) * EPS)  # fmt: skip


def test_dipoles_lie_along_the_field():
    gradient = unit_vector(np.arange(0, 360, 40.0), -35.0)
    dipoles = gradient @ exact().T
    angle = alignment.axis_angles(dipoles, B)
    cosine = np.abs(gradient @ B)
    # what is left across the field is at most 2 r_g
    assert np.all(np.tan(np.radians(angle)) < 2.01 * RADIUS / (T * cosine))
    assert np.allclose(alignment.axis_angles(-dipoles, 7 * B), angle)
    # control: a tensor whose sky axis is another one
    tilted = np.outer(unit_vector(60.0, 0.0), B) * T
    assert np.all(alignment.axis_angles(gradient @ tilted.T, B) > 30)
    assert np.all(alignment.axis_angles(gradient @ tilted, B) < 1e-9)  # its transpose hides that


def test_angles_at_the_ends():
    assert alignment.axis_angles([1e-9, 1.0, 0], [0, 1.0, 0]) == pytest.approx(np.degrees(1e-9))
    assert alignment.axis_angles([1.0, 0, 0], [0, 1.0, 0]) == 90.0
    assert np.isnan(alignment.axis_angles([0.0, 0, 0], [0, 1.0, 0]))


def test_random_directions():
    rng = np.random.default_rng(1)
    angle = alignment.axis_angles(rng.normal(size=(20000, 3)), B)
    # sigma of the median of |cos|, uniform: 0.5/sqrt(n); dcos = sin 60 deg dangle
    assert abs(np.median(angle) - alignment.RANDOM_MEDIAN) < 4 * np.degrees(0.5 / 141 / 0.87)
    assert alignment.random_axis_angle(0.5) == pytest.approx(60.0)
    low, high = alignment.random_axis_angle([0.16, 0.84])
    assert np.mean((angle > low) & (angle < high)) == pytest.approx(0.68, abs=0.015)


def test_cosine_law():
    psi = np.arange(0.0, 181.0, 5.0)
    gradients = alignment.gradients_about(7 * B, psi)
    np.testing.assert_allclose(gradients @ B, np.cos(np.radians(psi)), atol=1e-14)
    amplitude = alignment.amplitudes_at(np.array([exact(1e-9)]), gradients)[0]
    np.testing.assert_allclose(amplitude, T * np.abs(np.cos(np.radians(psi))), atol=1e-6)
    assert alignment.cosine_amplitude(amplitude, psi) == pytest.approx(T)
    # control: an isotropic response does not depend on the angle
    flat = alignment.amplitudes_at(np.eye(3)[None], gradients)[0]
    np.testing.assert_allclose(flat, 1.0)


def test_ninety_degrees_lie_towards_growing_longitude():
    for longitude in (0.0, 30.0, 250.0):
        found = alignment.gradients_about(unit_vector(longitude, 0.0), [90.0])[0]
        np.testing.assert_allclose(found, unit_vector(longitude + 90, 0.0), atol=1e-14)
        np.testing.assert_allclose(alignment.eastward(unit_vector(longitude, 40.0)), found,
                                   atol=1e-14)  # fmt: skip
    # a field along the Galactic axis has no east
    east = alignment.gradients_about([0.0, 0.0, -3.0], [90.0])[0]
    assert abs(east[2]) < 1e-12 and np.linalg.norm(east) == pytest.approx(1.0)


@pytest.mark.parametrize("share", [0.05, 0.138, 0.5])
def test_alignment_needed(share):
    psi = np.arange(20.0, 160.1, 0.5)
    amplitude = np.abs(np.cos(np.radians(psi)))
    needed = alignment.alignment_needed(amplitude, psi, share)
    assert needed == pytest.approx(90 - np.degrees(np.arccos(share)), abs=0.01)
    assert alignment.alignment_needed(amplitude + share + 0.01, psi, share) == 0.0
    assert alignment.alignment_needed(amplitude, psi, 2.0) == pytest.approx(70.0)


def test_longitude_harmonics():
    longitude = np.arange(0.0, 360.0, 15.0)
    amplitude = 3 + 0.5 * np.cos(np.radians(2 * longitude - 40.0))
    mean, cosine, sine = alignment.longitude_harmonics(amplitude, longitude)
    assert mean == pytest.approx(3.0) and np.hypot(cosine, sine) == pytest.approx(0.5)
    assert np.degrees(np.arctan2(sine, cosine)) == pytest.approx(40.0)
