"""Sky maps: smoothing, dipole subtraction, noise and significance.

Theory
------
A free particle has X = T n, so the sky is exactly the dipole 1 + T g.n. A top hat of radius R
multiplies a_lm by [P_(l-1)(c) - P_(l+1)(c)] / [(2l + 1)(1 - c)], c = cos R. Smoothing and dipole
subtraction are linear, x -> W x, so independent pixel noise sigma becomes sigma sqrt(sum W_ij^2).
Which pixels a disc holds is healpy's query_disc, pixel by pixel.

Parameters: nside 1 to 64, T = 30 pc, |g| = 1/(12 kpc).
"""

import healpy
import numpy as np
import pytest
from scipy.special import eval_legendre

from hpc_cr.anisotropy import skymaps
from hpc_cr.anisotropy.discs import disc_sums, rings_of
from hpc_cr.anisotropy.multipoles import alm_of
from hpc_cr.frames import unit_vector

TIME = 30.0  # pc
GRADIENT = unit_vector(70.0, 20.0) / 12_000.0  # 1/pc


def centres(nside):
    return np.column_stack(healpy.pix2vec(nside, np.arange(12 * nside**2)))


def test_free_particles_leave_a_pure_dipole():
    intensity = skymaps.intensity_map(TIME * centres(8).T, GRADIENT)
    fit = skymaps.subtract_dipole(intensity)
    # rounding only: intensities are 1 + 2.5e-3
    assert np.abs(fit.residual).max() < 1e-14
    assert fit.monopole == pytest.approx(1.0, abs=1e-14)
    np.testing.assert_allclose(fit.dipole, TIME * GRADIENT, atol=1e-14)
    result = skymaps.residual_map(intensity, radius=20.0, sigma=1e-9)
    assert np.abs(result.significance).max() < 1e-3


def test_local_term_adds_the_dipole_of_diffusion():
    # free particles: U = n, so 3 U K g = 3 n.(K g), a dipole 3 K g on top of T g
    diffusion = np.diag([5.0, 1.0, 2.0])
    n = centres(4).T
    intensity = skymaps.intensity_map(TIME * n, GRADIENT, n, diffusion)
    expected = TIME * GRADIENT + 3 * diffusion @ GRADIENT
    np.testing.assert_allclose(skymaps.subtract_dipole(intensity).dipole, expected, atol=1e-14)
    with pytest.raises(ValueError, match="both"):
        skymaps.intensity_map(TIME * n, GRADIENT, direction=n)


def test_missing_pixels_stay_missing_and_spoil_nothing():
    intensity = skymaps.intensity_map(TIME * centres(8).T, GRADIENT)
    intensity[10:200] = np.nan
    fit = skymaps.subtract_dipole(intensity)
    assert not np.ma.isMaskedArray(fit.residual)
    np.testing.assert_array_equal(np.isnan(fit.residual), np.isnan(intensity))
    np.testing.assert_allclose(fit.dipole, TIME * GRADIENT, atol=1e-14)
    smoothed, count = skymaps.smooth_top_hat(intensity, 15.0)
    assert np.isnan(smoothed[count == 0]).all() and np.isfinite(smoothed[count > 0]).all()
    assert count.min() == 0  # the hole is wider than the disc
    assert np.isnan(skymaps.smoothed_noise(intensity, 15.0, 1.0)[count == 0]).all()


@pytest.mark.parametrize("ell", [1, 2, 4])
def test_top_hat_has_the_window_of_a_top_hat(ell):
    radius, nside = 20.0, 64
    theta = np.arccos(centres(nside)[:, 2])
    wave = eval_legendre(ell, np.cos(theta))
    smoothed, count = skymaps.smooth_top_hat(wave, radius)
    c = np.cos(np.radians(radius))
    window = eval_legendre(ell - 1, c) - eval_legendre(ell + 1, c)
    window /= (2 * ell + 1) * (1 - c)
    measured = smoothed @ wave / (wave @ wave)
    # discs of centres on a lattice have their radius to a fraction of a pixel (0.9 deg), taken
    # as 2 % of 20 deg for the window and, on average over the sky, 0.5 % for the area;
    # 1 - window and the area go as R^2
    assert measured == pytest.approx(window, abs=0.04 * (1 - window))
    assert count.mean() == pytest.approx(len(wave) * (1 - c) / 2, rel=1e-2)
    # negative control: the window of a disc of that diameter instead of radius is told apart
    half = np.cos(np.radians(radius / 2))
    wrong = (eval_legendre(ell - 1, half) - eval_legendre(ell + 1, half)) / (2 * ell + 1)
    assert measured != pytest.approx(wrong / (1 - half), abs=0.04 * (1 - window))


@pytest.mark.parametrize("radius", [0.0, 25.0])
@pytest.mark.parametrize("subtract", [True, False])
def test_predicted_noise_is_exact(radius, subtract):
    nside, sigma = 4, 0.3
    template = np.ones(12 * nside**2)
    template[[5, 17, 100]] = np.nan
    finite = np.flatnonzero(np.isfinite(template))
    columns = []
    for pixel in finite:
        values = np.where(np.isfinite(template), 0.0, np.nan)
        values[pixel] = 1.0
        # without the dipole's subtraction the monopole's would still correlate pixels: smooth only
        values = skymaps.subtract_dipole(values).residual if subtract else values
        columns.append(skymaps.smooth_top_hat(values, radius)[0])
    exact = sigma * np.sqrt(np.square(columns).sum(axis=0))
    predicted = skymaps.smoothed_noise(template, radius, sigma, subtract)
    # at radius 0 a missing pixel has no value and no noise
    shown = np.isfinite(predicted)
    np.testing.assert_allclose(predicted[shown], exact[shown], rtol=1e-9)
    if subtract:
        # negative control: forgetting what the dipole takes away is too large everywhere
        plain = skymaps.smoothed_noise(template, radius, sigma, False)
        assert (plain[shown] > 1.001 * exact[shown]).all()


def test_pixel_noise_sees_noise_and_not_structure():
    rng = np.random.default_rng(11)
    nside, sigma = 16, 0.7
    noise = sigma * rng.standard_normal(12 * nside**2)
    x, y, z = centres(nside).T
    smooth = 1.0 + 5.0 * z + 3.0 * x * y
    quads = len(noise) // 4
    # chi^2 with one degree of freedom per quad: relative error sqrt(1 / (2 quads)) = 2.6 %
    tolerance = 4 * sigma / np.sqrt(2 * quads)
    assert skymaps.pixel_noise(noise) == pytest.approx(sigma, abs=tolerance)
    assert skymaps.pixel_noise(smooth + noise) == pytest.approx(sigma, abs=tolerance)
    # the second difference of 3xy over a pixel of 3.7 deg = 0.064 rad: 3 * 0.064^2 / 2 at most
    assert skymaps.pixel_noise(smooth) < 3 * 0.064**2
    # negative control: the plain scatter counts the structure as noise
    assert np.std(skymaps.subtract_dipole(smooth).residual) > 0.5


def test_significance_of_noise_is_unity_and_of_a_spot_is_not():
    rng = np.random.default_rng(5)
    nside, radius, sigma = 16, 12.0, 1e-3
    noise = 1.0 + sigma * rng.standard_normal(12 * nside**2)
    result = skymaps.residual_map(noise, radius, sigma=sigma)
    # discs overlap: about 4 / (1 - cos R) / 2 = 90 independent ones, so 4/sqrt(2 * 90) = 0.3
    assert np.std(result.significance) == pytest.approx(1.0, abs=0.3)
    assert np.abs(result.significance).max() < 5
    spot = healpy.query_disc(nside, unit_vector(40.0, 30.0), np.radians(radius))
    noise[spot] += sigma
    result = skymaps.residual_map(noise, radius, sigma=sigma)
    centre = healpy.vec2pix(nside, *unit_vector(40.0, 30.0))
    # an excess of one sigma per pixel in m pixels is sqrt(m) sigma, less what the dipole takes
    assert result.significance[centre] == pytest.approx(np.sqrt(len(spot)), abs=3.0)
    assert np.argmax(result.significance) in spot


def test_multipoles_give_the_map_back():
    nside = 16
    x, y, z = centres(nside).T
    displacement = np.array([4 * x + 2 * x * y, -y + z**2, 7 * z * x])
    direct = skymaps.intensity_map(displacement, GRADIENT)
    again = skymaps.map_from_alm(alm_of(displacement, 8), GRADIENT, nside)
    # a_lm by plain sums at nside 16: quadrature errors of some 1e-3
    np.testing.assert_allclose(again - 1, direct - 1, atol=5e-3 * np.abs(direct - 1).max())


@pytest.mark.parametrize("nside", [1, 2, 8, 32])
def test_rings_are_those_of_the_pixels(nside):
    rings, n = rings_of(nside), centres(nside)
    assert rings.first[0] == 0 and rings.first[-1] + rings.count[-1] == len(n)
    np.testing.assert_allclose(rings.z, n[rings.first, 2], atol=1e-14)
    np.testing.assert_allclose(rings.sine, np.hypot(*n[rings.first, :2].T), atol=1e-14)
    phi = np.arctan2(n[rings.first, 1], n[rings.first, 0])
    np.testing.assert_allclose(phi, rings.shift * 2 * np.pi / rings.count, atol=1e-12)


@pytest.mark.parametrize("nside", [1, 2, 8, 32])
@pytest.mark.parametrize("radius", [3.3, 20.0, 57.1, 89.3])
def test_disc_sums_are_the_sums_over_the_pixels_of_query_disc(nside, radius):
    rng = np.random.default_rng(nside)
    n = centres(nside)
    columns = np.column_stack([np.ones(len(n)), rng.standard_normal(len(n))])
    # pixel centres, the poles, and anywhere, where a disc may hold no pixel at all
    places = np.concatenate([n[:: max(len(n) // 200, 1)], rng.standard_normal((50, 3)),
                             [[0, 0, 1], [0, 0, -1]]])  # fmt: skip
    places /= np.linalg.norm(places, axis=1)[:, None]
    direct = [columns[healpy.query_disc(nside, place, np.radians(radius))].sum(axis=0)
              for place in places]  # fmt: skip
    # running sums over 12 nside^2 numbers of order one: 1e-16 sqrt(12288) each
    np.testing.assert_allclose(disc_sums(columns, radius, places), direct, atol=1e-11)
    if radius < 60 and nside > 1:
        # negative control: a pixel distance more
        wider = disc_sums(columns, radius + np.degrees(healpy.nside2resol(nside)), places)
        assert wider[:, 0].mean() > 1.02 * np.mean(direct, axis=0)[0]


def test_a_coarser_grid_holds_exact_averages_of_the_fine_map():
    rng = np.random.default_rng(2)
    nside, radius = 32, 25.0
    values = rng.standard_normal(12 * nside**2)
    values[500:900] = np.nan
    coarse = skymaps.smooth_top_hat(values, radius, nside=8)[0]
    direct = [np.nanmean(values[healpy.query_disc(nside, centre, np.radians(radius))])
              for centre in centres(8)]  # fmt: skip
    np.testing.assert_allclose(coarse, direct, rtol=1e-9)
    # negative control: averages of averaged pixels differ by the pixels at the disc's edge
    degraded = skymaps.smooth_top_hat(healpy.ud_grade(np.nan_to_num(values), 8), radius, nside=8)[0]
    assert np.abs(degraded - coarse).max() > 0.01


def test_coarse_grid_is_fine_compared_with_the_disc():
    for nside, radius, expected in ((256, 20.0, 64), (1024, 5.0, 256), (16, 20.0, 16), (32, 0, 32)):
        assert skymaps.smooth_nside(nside, radius) == expected
    # between neighbouring places a smooth map moves by less than between pixels of a tenth of the
    # radius: what is left out is small
    x, y, z = centres(64).T
    wave = x * y + z**3
    smooth = skymaps.smooth_top_hat(wave, 40.0)[0]
    assert healpy.npix2nside(len(smooth)) == 32
    fine = skymaps.smooth_top_hat(wave, 40.0, nside=64)[0]
    error = fine - healpy.ud_grade(smooth, 64)
    # nearest neighbour within half a pixel (0.9 deg = 0.016 rad) of a map with slopes of order one
    assert np.abs(error).max() < 0.03


def test_predicted_noise_before_the_map_is_made():
    rng = np.random.default_rng(8)
    nside, radius, sigma = 32, 20.0, 0.5
    noise = [
        np.std(skymaps.smooth_top_hat(sigma * rng.standard_normal(12 * nside**2), radius, 16)[0])
        for _ in range(20)
    ]
    # 20 maps of about 2/(1 - cos R) = 33 independent discs: 1/sqrt(2 * 660) = 2.8 %
    predicted = skymaps.predicted_noise(nside, radius, sigma)
    assert np.mean(noise) == pytest.approx(predicted, rel=0.11)
    # negative control: a disc of that diameter
    assert np.mean(noise) != pytest.approx(
        skymaps.predicted_noise(nside, radius / 2, sigma), rel=0.11
    )
    # particles that forgot their start cross a sphere of 250 pc anywhere: 1/sqrt(3) of 250/290
    chosen = skymaps.nside_for_noise(0.005, radius, 250 / 290 / np.sqrt(3))
    assert chosen == 256
    assert skymaps.predicted_noise(chosen // 2, radius, 250 / 290 / np.sqrt(3)) > 0.005
