"""Correlation of skies from half-samples.

Theory
------
Skies f = s + e, g = r s + sqrt(1 - r^2) t + e with independent Gaussian s, t of one spectrum have
the correlation r, whatever the noise e of the particles, which f and g share when both come from
the same particles at two stops. Noise of unlike half-samples is independent, so that products of
them are unbiased. Of n Gaussian skies with l from 2 to 6 (45 real modes) the summed correlation
has the error (1 - r^2)/sqrt(45 n), more with noise.

A top hat multiplies a_lm by a known window; white a_lm of variance one give, over the sphere,
<f f> = sum (2l + 1) W_l^2 / 4 pi.
"""

import healpy
import numpy as np
import pytest

from hpc_cr.anisotropy import correlation as skies
from hpc_cr.anisotropy import skymaps
from hpc_cr.anisotropy.multipoles import alm_of, half_samples
from hpc_cr.anisotropy.response import nested_quads

L_MAX = 6
SIZE = (L_MAX + 1) * (L_MAX + 2) // 2
ELL = healpy.Alm.getlm(L_MAX)[0]


def gaussian(rng, *shape):
    """White a_lm with C_l = 1, (*shape, SIZE)."""
    alm = (rng.standard_normal((*shape, SIZE)) + 1j * rng.standard_normal((*shape, SIZE)))
    alm /= np.sqrt(2)
    alm[..., : L_MAX + 1] = rng.standard_normal((*shape, L_MAX + 1))
    return alm


def pair(rng, r, n, noise):
    """Half-samples of two sets of skies with correlation r and the same noise in both."""
    first, other = gaussian(rng, n), gaussian(rng, n)
    second = r * first + np.sqrt(1 - r * r) * other
    error = noise * gaussian(rng, n, 2)
    return first[:, None] + error, second[:, None] + error


@pytest.mark.parametrize("r", [0.0, 0.7, -0.4])
@pytest.mark.parametrize("noise", [0.0, 1.0])
def test_correlation_is_free_of_noise(r, noise):
    rng = np.random.default_rng(3)
    first, second = pair(rng, r, 200, noise)
    found = skies.correlation(first, second)
    expected = (1 - r * r) / np.sqrt(45 * 200)
    # noise as large as the signal in each half: the products scatter some times more
    assert expected * 0.7 < found.error < expected * (1.4 + 3 * noise)
    assert found.value == pytest.approx(r, abs=4 * found.error)
    assert found.slope == pytest.approx(r, abs=4 * found.slope_error)
    if noise:
        # negative control: products of the same halves take the common noise for likeness
        whole = np.repeat(first.mean(axis=1)[:, None], 2, axis=1)
        other = np.repeat(second.mean(axis=1)[:, None], 2, axis=1)
        assert abs(skies.correlation(whole, other).value - r) > 4 * found.error


def test_equal_and_independent_skies():
    rng = np.random.default_rng(4)
    first, _ = pair(rng, 0.0, 10, 0.3)
    same = skies.correlation(first, first)
    assert same.value == pytest.approx(1.0, abs=1e-12) and same.slope == pytest.approx(1.0)
    np.testing.assert_allclose(same.single, 1.0)
    alone = skies.correlation(first[:1], first[:1])
    assert alone.value == pytest.approx(1.0) and np.isnan(alone.error)


def test_dipoles_count_only_where_asked_for():
    rng = np.random.default_rng(5)
    first, second = pair(rng, 0.0, 30, 0.0)
    dipole = np.where(ELL == 1, first, second)
    assert skies.correlation(first, dipole, multipoles=(1, 1)).value == pytest.approx(1.0)
    assert abs(skies.correlation(first, dipole).value) < 4 / np.sqrt(45 * 30)


@pytest.mark.parametrize("radius", [0.0, 25.0])
def test_rms_has_the_window_of_the_top_hat(radius):
    rng = np.random.default_rng(6)
    first, _ = pair(rng, 0.0, 300, 0.5)
    window = skies.top_hat_window(L_MAX, radius)
    ell = np.arange(L_MAX + 1)
    expected = np.sqrt(((2 * ell + 1) * window**2)[2:].sum() / (4 * np.pi))
    value, error = skies.rms(first, radius)
    assert value == pytest.approx(expected, abs=4 * error) and error < 0.03 * expected


def test_from_pixels_to_the_same_correlation():
    """Smoothed pixel maps without dipoles against the half-sample multipoles of the same maps."""
    rng = np.random.default_rng(7)
    nside, radius = 32, 20.0
    alm = gaussian(rng, 2)
    maps = np.array([healpy.alm2map(np.ascontiguousarray(a), nside) for a in alm])
    maps[1] = 0.6 * maps[0] + 0.8 * maps[1]
    smooth = [skymaps.residual_map(m, radius, sigma=0.0).values for m in maps]
    direct = np.mean(smooth[0] * smooth[1]) / np.sqrt(
        np.mean(smooth[0] ** 2) * np.mean(smooth[1] ** 2)
    )
    halves = half_samples(nested_quads(nside), maps.shape[1])
    stored = np.array([[alm_of(m[None], 12, half)[0] for half in halves] for m in maps])
    found = skies.correlation(stored[0][None], stored[1][None], radius)
    # discs of centres on a lattice: 0.5 % of their area; the subtracted dipole is exact
    assert found.value == pytest.approx(direct, abs=0.01)
    wrong = skies.correlation(stored[0][None], stored[1][None], radius, multipoles=(0, None))
    assert wrong.value != pytest.approx(direct, abs=0.01)


@pytest.mark.parametrize("common", [0.0, 1.5])
def test_common_share(common):
    rng = np.random.default_rng(9)
    n = 200
    shared = gaussian(rng)
    sky = common * shared + gaussian(rng, n)
    halves = sky[:, None] + 0.7 * gaussian(rng, n, 2)
    # |shared|^2 for this draw, by l >= 2 with both signs of m
    weight = np.where(ELL >= 2, np.where(healpy.Alm.getlm(L_MAX)[1] > 0, 2, 1), 0)
    power = common**2 * (weight @ np.abs(shared) ** 2)
    value, error = skies.common_share(halves)
    assert value == pytest.approx(power / (power + 45), abs=4 * error) and error < 0.05
    # negative control: the mean of n skies squared, noise and all, is not zero
    if not common:
        biased = weight @ np.abs(halves.mean(axis=(0, 1))) ** 2 / 45
        assert biased - value > 1 / n


def test_negative_squares_are_no_correlation():
    """Half-samples of noise alone with opposite signs: squares below zero, products above."""
    rng = np.random.default_rng(10)
    first = gaussian(rng, 5)[:, None] * np.array([1, -1])[:, None]
    found = skies.correlation(first, first)
    assert (skies.covariance(first, first) < 0).all()
    assert np.isnan([found.value, found.slope, *found.single]).all()
    assert np.isnan(skies.rms(first)[0])
    # negative control: with one sign it is a sky like any other
    assert skies.correlation(abs(first), abs(first)).value == pytest.approx(1.0)
