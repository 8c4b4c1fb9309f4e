"""What a detector sees: exact statements about dipoles, bands, energy bins and our motion.

Theory
- Frames: the Galactic centre stands at RA 266.405, Dec -28.936 deg (J2000), the north Galactic
  pole at 192.8595, 27.1283, the north ecliptic pole at RA 270, Dec 66.5607 (90 deg less the
  obliquity, 23.4393).
- First harmonic of a dipole delta: A = <cos dec> sqrt(delta_x^2 + delta_y^2), maximum towards its
  right ascension. Over a uniform band <cos dec> = [dec/2 + sin(2 dec)/4] / [sin dec], both between
  the edges; pi/4 on the whole sky.
- Subtracting the mean of every declination removes m = 0: the whole of a dipole along the axis; of
  an isotropic Gaussian C_l the share 1/(2l+1).
- Energy bins: with an interpolation linear in ln R the weights reproduce <ln R> of the bin exactly.
  Without resolution <ln E> of E^-gamma between E1 and E2 is elementary; with resolution sigma the
  true ln E of a reconstructed energy is Gaussian, mean ln E - (gamma - 1) sigma^2.
- Compton & Getting: (2 + gamma) v/c = 4.7 * 18/299792 = 2.822e-4.
"""

import healpy
import numpy as np
import pytest

from hpc_cr.anisotropy.multipoles import power
from hpc_cr.coordinates import FRAMES, pixel_directions, rotate_alm, rotate_map, rotation_to
from hpc_cr.detector import energy_bins, harmonics
from hpc_cr.detector.compton_getting import (
    LOCAL_STANDARD_OF_REST,
    add_dipole,
    compton_getting_dipole,
)
from hpc_cr.detector.energy_bins import BinError, EnergyBin, rigidity_weights
from hpc_cr.detector.exposure import Band, band_mean, exposure, mean_cosine
from hpc_cr.frames import lon_lat, unit_vector

L_MAX, NSIDE = 6, 32


def towards(ra, dec, size=1.0):
    """Galactic vector that points to an equatorial direction."""
    return size * unit_vector(ra, dec) @ rotation_to("equatorial")


def alm_of_map(values, l_max=L_MAX):
    return healpy.map2alm(values, lmax=l_max, iter=3)


def gaussian_alm(rng, cl, count):
    """count real Gaussian skies (count, n_lm) with the spectrum cl, of any frame."""
    l_max = len(cl) - 1
    ell, m = healpy.Alm.getlm(l_max)
    alm = rng.normal(size=(count, len(ell))) + 1j * rng.normal(size=(count, len(ell)))
    alm = np.where(m == 0, alm.real * np.sqrt(2), alm)
    return alm * np.sqrt(np.asarray(cl)[ell] / 2)


# ---- frames


@pytest.mark.parametrize("frame, galactic, there, tolerance", [
    ("equatorial", (0, 0), (266.405, -28.936), 1e-3),
    ("equatorial", (0, 90), (192.8595, 27.1283), 1e-4),
    ("ecliptic", (0, 90), (180.0232, 29.8115), 1e-3),
    ("ecliptic", (96.3840, 29.8115), (None, 90), 1e-3),
    ("galactic", (123, -45), (123, -45), 1e-9),
])  # fmt: skip
def test_known_directions(frame, galactic, there, tolerance):
    vector = rotation_to(frame) @ unit_vector(*galactic)
    apart = np.degrees(np.linalg.norm(vector - unit_vector(there[0] or 0.0, there[1])))
    assert apart < tolerance
    if frame == "equatorial":  # negative control: the inverse rotation leads elsewhere
        back = rotation_to(frame).T @ unit_vector(*galactic)
        assert np.degrees(np.arccos(back @ unit_vector(*there))) > 10


def test_obliquity_between_the_two_equators():
    north = rotation_to("equatorial") @ rotation_to("ecliptic").T @ [0, 0, 1]
    # J2000: 23.4393 deg, the pole on the circle of RA 270
    assert lon_lat(north) == pytest.approx((270.0, 90 - 23.4393), abs=1e-3)


@pytest.mark.parametrize("frame", FRAMES)
def test_rotations_are_rotations(frame):
    r = rotation_to(frame)
    np.testing.assert_allclose(r @ r.T, np.eye(3), atol=1e-15)
    assert np.linalg.det(r) == pytest.approx(1.0)
    with pytest.raises(ValueError, match="frames: galactic, equatorial, ecliptic"):
        rotation_to("supergalactic")


def test_multipoles_and_maps_turn_with_the_vectors():
    # f(n) = (d.n)^3 in Galactic coordinates; its rotated sky is (d.R^T n')^3
    d = np.array([0.3, -0.8, 0.5])
    rotation, n = rotation_to("equatorial"), pixel_directions(NSIDE)
    alm = alm_of_map((n @ d) ** 3)
    turned = healpy.alm2map(rotate_alm(alm, rotation), NSIDE)
    expected = (n @ (rotation @ d)) ** 3
    np.testing.assert_allclose(turned, expected, atol=1e-9)  # map2alm iterates to 1e-10
    assert np.abs(turned - (n @ (rotation.T @ d)) ** 3).max() > 0.1  # negative control
    np.testing.assert_allclose(rotate_alm(rotate_alm(alm, rotation), rotation.T), alm, atol=1e-12)
    # a map takes the value of the nearest pixel: off by at most |gradient| x its radius
    radius = healpy.max_pixrad(NSIDE)
    limit = 3 * np.linalg.norm(d) ** 3 * radius
    assert np.abs(rotate_map((n @ d) ** 3, "equatorial") - expected).max() < limit


# ---- dipole, band, multipoles


def test_phase_is_the_right_ascension_of_the_excess():
    dipoles = np.array([towards(90, 40, 2e-3), towards(213, -5, 1e-3), towards(359, 0, 1.0)])
    amplitude, phase = harmonics.amplitude_and_phase(harmonics.first_harmonic(dipoles, None))
    np.testing.assert_allclose(phase, [90, 213, 359], atol=1e-9)
    expected = [2e-3 * np.cos(np.radians(40)), 1e-3 * np.cos(np.radians(5)), 1.0]
    np.testing.assert_allclose(amplitude, expected)
    # a dipole along the axis is not seen
    assert np.linalg.norm(harmonics.first_harmonic(towards(17, 90), None)) < 1e-15


@pytest.mark.parametrize("low, high", [(-90, 90), (-20, 60), (10, 11), (-80, -30)])
def test_mean_cosine_of_a_uniform_band(low, high):
    a, b = np.radians([low, high])
    exact = ((b - a) / 2 + (np.sin(2 * b) - np.sin(2 * a)) / 4) / (np.sin(b) - np.sin(a))
    # midpoints in sin(dec): the square root at a pole costs (1/8192)^1.5 = 1.3e-6
    assert mean_cosine(Band(low, high)) == pytest.approx(exact, abs=3e-6)
    if (low, high) == (-90, 90):
        assert exact == pytest.approx(np.pi / 4)


def test_exposure_of_a_site_is_the_day_average_of_the_zenith_angle():
    band = Band(-90, 90, latitude=29.0, zenith=50.0)
    declination = np.array([-30.0, -15.0, 0.0, 29.0, 60.0, 75.0, 80.0])
    hour = (np.arange(200_000) + 0.5) * 2 * np.pi / 200_000
    phi, dec = np.radians(29.0), np.radians(declination)[:, None]
    cosine = np.sin(phi) * np.sin(dec) + np.cos(phi) * np.cos(dec) * np.cos(hour)
    seen = np.where(cosine > np.cos(np.radians(50.0)), cosine, 0.0).mean(axis=1)
    # edges of the visible arc are met to one of 200 000 hour angles
    np.testing.assert_allclose(exposure(band, declination), seen, atol=1e-5)
    assert seen[0] == 0 and seen[-1] == 0 and seen[3] > 0.2
    # at the pole the zenith angle is 90 - dec all day
    pole = Band(-90, 90, latitude=90.0, zenith=50.0)
    expected = [0, np.sin(np.radians(60))]
    np.testing.assert_allclose(exposure(pole, [39.0, 60.0]), expected, atol=1e-12)
    weighted, uniform = mean_cosine(band), mean_cosine(Band(-21, 79))
    assert abs(weighted - uniform) > 0.005  # negative control: the exposure counts


@pytest.mark.parametrize("band, text", [
    (Band(60, -20), "ascend"),
    (Band(-100, 0), "within -90"),
    (Band(-90, -60, 30.0, 50.0), "do not rise"),
    (Band(-90, 90, 30.0, 120.0), "zenith angles within"),
])  # fmt: skip
def test_bands_that_make_no_sense(band, text):
    with pytest.raises(ValueError, match=text):
        mean_cosine(band)


BANDS = [Band(), Band(-20, 60), Band(-90, 90, 29.0, 50.0)]


@pytest.mark.parametrize("band", BANDS)
def test_maps_multipoles_and_vectors_agree_for_pure_dipoles(band):
    dipole = towards(123.0, 35.0, 4e-3)
    expected = harmonics.first_harmonic(dipole, band)
    assert np.linalg.norm(expected) == pytest.approx(
        4e-3 * np.cos(np.radians(35)) * mean_cosine(band))  # fmt: skip
    sky = 1 + pixel_directions(NSIDE) @ dipole
    from_alm = harmonics.first_harmonic_of_alm(alm_of_map(sky), band)
    # scipy's and healpy's harmonics agree to rounding; map2alm iterates to 1e-8 of the map's 1
    np.testing.assert_allclose(from_alm, expected, atol=1e-7)
    # the edge of the band cuts pixels: 1.8 deg of 80, on a harmonic of 4e-3
    from_map = harmonics.first_harmonic_of_map(sky, band)
    np.testing.assert_allclose(from_map, expected, atol=0.02 * 4e-3)


def test_higher_multipoles_with_m_1_count_in_a_band():
    band, n = Band(-20, 60), pixel_directions(NSIDE, "equatorial")
    quadrupole = n[:, 0] * n[:, 2]  # ~ cos(alpha) sin(dec) cos(dec): l = 2, m = 1
    sky = 1e-3 * (pixel_directions(NSIDE) @ towards(90, 0) + quadrupole)
    expected = 1e-3 * np.array([band_mean(lambda d: np.sin(d) * np.cos(d), band),
                                mean_cosine(band)])  # fmt: skip
    from_alm = harmonics.first_harmonic_of_alm(alm_of_map(sky), band)
    np.testing.assert_allclose(from_alm, expected, atol=1e-8)
    from_map = harmonics.first_harmonic_of_map(sky, band)
    np.testing.assert_allclose(from_map, expected, atol=0.02e-3)
    # what the dipole alone says is elsewhere: that is what experiments see
    phase = harmonics.amplitude_and_phase(from_alm)[1]
    assert 5 < 90 - phase < 30
    # over both hemispheres alike this quadrupole cancels
    whole = harmonics.first_harmonic_of_alm(alm_of_map(sky))
    np.testing.assert_allclose(whole, [0.0, 1e-3 * np.pi / 4], atol=3e-9)


def test_first_harmonic_of_a_part_of_the_pixels():
    band, sky = Band(-20, 60), pixel_directions(NSIDE) @ towards(200, 10, 1e-2)
    sky[::7] = np.nan
    expected = harmonics.first_harmonic(towards(200, 10, 1e-2), band)
    np.testing.assert_allclose(harmonics.first_harmonic_of_map(sky, band), expected, atol=2e-4)
    with pytest.raises(ValueError, match="no pixels"):
        harmonics.first_harmonic_of_map(np.full(12, np.nan), band)


def test_errors_of_amplitude_and_phase():
    # unequal errors per Galactic component; scatter of 20 000 draws: 1/sqrt(2 N) = 0.5 %
    rng, errors = np.random.default_rng(5), np.array([1e-5, 3e-5, 2e-5])
    dipole, band = towards(70, 20, 1e-3), Band(-20, 60)
    harmonic = harmonics.first_harmonic(dipole + errors * rng.normal(size=(20_000, 3)), band)
    amplitude, phase = harmonics.amplitude_and_phase(harmonic)
    found = harmonics.amplitude_and_phase_errors(
        harmonics.first_harmonic(dipole, band), harmonics.harmonic_covariance(errors, band)
    )
    np.testing.assert_allclose(found, [amplitude.std(), phase.std()], rtol=0.025)  # 5 sigma
    # nothing but noise has any phase
    nothing = harmonics.amplitude_and_phase_errors(np.zeros(2), np.eye(2))
    assert nothing[1] == pytest.approx(90)


def test_noise_of_the_harmonic_from_multipoles():
    rng, noise, band = np.random.default_rng(6), 2.5e-7, Band(-20, 60)
    alm = gaussian_alm(rng, np.full(L_MAX + 1, noise), 1000)
    found = harmonics.first_harmonic_of_alm(alm, band).std()
    # 2000 numbers: 1.6 %
    assert found == pytest.approx(harmonics.alm_noise(noise, L_MAX, band), rel=0.06)


def test_subtracting_declination_means_kills_exactly_m_0():
    n = pixel_directions(NSIDE, "equatorial")
    axis = alm_of_map(n[:, 2] + 0.3 * n[:, 2] ** 3)
    assert np.abs(harmonics.without_m0(axis)).max() < 1e-9 * np.abs(axis).max()
    rest = alm_of_map(n[:, 0] + n[:, 0] * n[:, 1])
    np.testing.assert_allclose(harmonics.without_m0(rest), rest, atol=1e-9)
    # negative control: the Galactic m = 0 are another thing
    galactic = alm_of_map(pixel_directions(NSIDE)[:, 2])
    assert power(harmonics.without_m0(galactic))[1] > 0.5 * power(galactic)[1]
    # the same from a map, strip by strip: within a strip of width w, sin(dec) varies by w
    width = 4.0
    left = harmonics.subtract_strip_means(n[:, 2], width)
    assert np.abs(left).max() < np.radians(width)
    np.testing.assert_allclose(harmonics.subtract_strip_means(n[:, 0], width), n[:, 0], atol=0.05)


def test_share_of_isotropic_power_lost_with_m_0():
    cl, count = np.ones(L_MAX + 1), 400
    alm = gaussian_alm(np.random.default_rng(7), cl, count)
    kept = power(harmonics.without_m0(alm)).mean(axis=0)
    ell = np.arange(1, L_MAX + 1)
    # kept = sum of 2l unit variances over 2l + 1: variance 2 * 2l/(2l+1)^2 per sky; 5 sigma
    sigma = np.sqrt(4 * ell / (2 * ell + 1) ** 2 / count)
    np.testing.assert_array_less(np.abs(kept[1:] - (1 - 1 / (2 * ell + 1))), 5 * sigma)
    assert kept[1] < 1 - 5 * sigma[0]  # negative control: nothing lost


def test_summary_counts_realisations_and_keeps_the_mean_vector():
    rng = np.random.default_rng(8)
    harmonic = np.array([3.0, 4.0]) + 0.5 * rng.normal(size=(400, 2))
    covariance = np.broadcast_to(0.01 * np.eye(2), (400, 2, 2))
    s = harmonics.summarise(harmonic, covariance)
    # errors 0.5/sqrt(400) = 0.025 on 5; the mean amplitude exceeds 5 by 0.5^2/(2 * 5)
    assert s.mean_amplitude == pytest.approx(5.025, abs=0.125)
    assert s.mean_amplitude_error == pytest.approx(0.025, rel=0.2)
    assert s.mean_phase == pytest.approx(np.degrees(np.arctan2(4, 3)), abs=5 * 0.29)
    assert s.mean_phase_error == pytest.approx(np.degrees(0.025 / 5), rel=0.2)
    assert s.noise_floor == pytest.approx(np.sqrt(0.02))
    pairs = harmonics.summarise(np.repeat(harmonic, 4, axis=0), np.repeat(covariance, 4, axis=0),
                               np.repeat(np.arange(400), 4))  # fmt: skip
    assert pairs.mean_amplitude_error == pytest.approx(s.mean_amplitude_error)
    assert np.isnan(harmonics.summarise(harmonic[:1], covariance[:1]).mean_phase_error)


def test_errors_of_a_mean_that_has_one_direction():
    # rows s (0.6, 0.8), s = 1 to 9: <s> = 5, error sqrt(7.5/9); the direction is known exactly
    s = np.arange(1.0, 10.0)
    rows = s[:, None] * [0.6, 0.8]
    mean, along, phase = harmonics.mean_harmonic(rows, np.arange(9))
    np.testing.assert_allclose(mean, [3.0, 4.0])
    assert along == pytest.approx(np.sqrt(7.5 / 9))
    assert phase == pytest.approx(0, abs=1e-9)
    # negative control: a and b taken as independent
    apart = np.diag(rows.var(axis=0, ddof=1) / 9)
    wrong = harmonics.amplitude_and_phase_errors(mean, apart)
    assert wrong[0] < 0.8 * along and wrong[1] > 5
    # across: errors 1 of a along x give the phase of (0, 5) arctan(1/5)
    rows = np.column_stack([s - 5, np.full(9, 5.0)])
    mean, along, phase = harmonics.mean_harmonic(rows, np.arange(9))
    assert along == pytest.approx(0, abs=1e-12)
    assert phase == pytest.approx(np.degrees(np.arctan(np.sqrt(7.5 / 9) / 5)))
    assert np.isnan(harmonics.mean_harmonic(rows, np.zeros(9, int))[1:]).all()


# ---- energy bins

RIGIDITIES = np.geomspace(0.1, 1000, 60)


def mean_log(bin_, rigidities=RIGIDITIES):
    w = rigidity_weights(rigidities, bin_).weights
    assert w.sum() == pytest.approx(1)
    return w @ np.log(rigidities)


@pytest.mark.parametrize("gamma", [2.7, 1.0, 3.1])
def test_weights_of_a_perfect_detector(gamma):
    a, b, s = np.log(10.0), np.log(40.0), gamma - 1
    # <u> of exp(-s u) between a and b
    exact = (a + b) / 2 if s == 0 else (
        1 / s + (a * np.exp(-s * a) - b * np.exp(-s * b)) / (np.exp(-s * a) - np.exp(-s * b)))
    assert mean_log(EnergyBin(10, 40, 0.0, gamma)) == pytest.approx(exact, abs=1e-10)
    if gamma != 1:  # negative control: a bin flat in ln E
        assert abs(exact - (a + b) / 2) > 0.1


@pytest.mark.parametrize("sigma", [0.05, 0.3, 0.6])
def test_steep_spectra_fill_a_bin_from_below(sigma):
    bin_ = EnergyBin(10, 10, sigma, 2.7)
    exact = np.log(10) - 1.7 * sigma**2
    assert mean_log(bin_) == pytest.approx(exact, abs=1e-9)
    # the width: interpolation adds at most a quarter of a squared step
    w = rigidity_weights(RIGIDITIES, bin_).weights
    variance = w @ np.log(RIGIDITIES) ** 2 - exact**2
    step = np.log(RIGIDITIES[1] / RIGIDITIES[0])
    assert sigma**2 <= variance <= sigma**2 + step**2 / 4
    # a window of reconstructed energies is a mixture of such Gaussians
    window = mean_log(EnergyBin(10, 20, sigma, 2.7))
    sharp = mean_log(EnergyBin(10, 20, 0.0, 2.7))
    assert window == pytest.approx(sharp - 1.7 * sigma**2, abs=1e-9)


def test_helium_at_an_energy_has_half_the_rigidity():
    protons = mean_log(EnergyBin(8, 12, 0.2, 2.7, {1: 1.0}))
    helium = mean_log(EnergyBin(8, 12, 0.2, 2.7, {2: 3.0}))
    assert protons - helium == pytest.approx(np.log(2), abs=1e-9)
    mix = mean_log(EnergyBin(8, 12, 0.2, 2.7, {1: 0.6, 26: 0.2}))
    # 1e-8 of the iron lies below 0.1 PV
    assert protons - mix == pytest.approx(0.25 * np.log(26), abs=1e-7)
    # one energy of one nucleus, at a rigidity of the file: that rigidity alone
    w = rigidity_weights([10.0, 5.0, 20.0], EnergyBin(10, 10, composition={2: 1.0})).weights
    np.testing.assert_allclose(w, [0, 1, 0], atol=1e-12)


def test_bins_that_reach_outside_say_how_much():
    few = [10.0, 20.0, 50.0]
    # ln E = N(ln 50, 0.3) with gamma = 1: half of it lies above
    with pytest.raises(BinError, match=r"50 % above 50 PV.*at most 1 % may"):
        rigidity_weights(few, EnergyBin(50, 50, 0.3, 1.0))
    found = rigidity_weights(few, EnergyBin(50, 50, 0.3, 1.0), outside=0.6)
    assert found.above == pytest.approx(0.5, abs=1e-6)
    assert found.below == pytest.approx(0.0, abs=1e-6)
    assert found.weights.sum() == pytest.approx(1)
    # edges of the file themselves are inside, and a single rigidity does for its own energy
    assert rigidity_weights(few, EnergyBin(10, 50)).above == 0
    assert rigidity_weights([7.0], EnergyBin(7, 7)).weights == [1]
    with pytest.raises(BinError, match="below 7 PV and"):
        rigidity_weights([7.0], EnergyBin(7, 8))


@pytest.mark.parametrize("bin_", [EnergyBin(100, 200), EnergyBin(1, 1), EnergyBin(400, 400, 0.2)])
def test_bins_altogether_outside_are_refused_whatever_is_allowed(bin_):
    # ln(400/50) = 2.1 is 10 sigma of 0.2 away: no weight, or one of 1e-25
    with pytest.raises(BinError, match=" 100 %.* some of it must lie between") as error:
        rigidity_weights([10.0, 20.0, 50.0], bin_, outside=1.0)
    assert "\n" not in str(error.value)
    # negative control: a tenth of the bin is enough if so much is allowed
    assert np.isfinite(rigidity_weights([10.0, 20.0], EnergyBin(18, 200), 1.0).weights).all()


@pytest.mark.parametrize("outside", [np.nan, -0.1, 1.5])
def test_a_share_that_is_none_does_not_switch_the_check_off(outside):
    with pytest.raises(BinError, match="share .* outside"):
        rigidity_weights([10.0, 20.0], EnergyBin(12, 18), outside)


@pytest.mark.parametrize("bin_, text", [
    (EnergyBin(2, 1), "ascend"),
    (EnergyBin(-1, 1), "positive"),
    (EnergyBin(1, 2, -0.1), "resolution"),
    (EnergyBin(1, 2, 0.1, 40.0), "index"),
    (EnergyBin(1, 2, 0.1, 2.7, {1: -1.0}), "composition"),
])  # fmt: skip
def test_bins_that_make_no_sense(bin_, text):
    with pytest.raises(BinError, match=text):
        rigidity_weights(RIGIDITIES, bin_)


def test_averages_are_linear_and_leave_unfinished_rows_alone():
    weights = np.array([0.25, 0.0, 0.75])
    values = np.arange(12.0).reshape(2, 3, 2)
    values[0, 1] = np.nan  # without a weight it does not matter
    values[1, 2, 1] = np.nan
    found = energy_bins.average(values, weights)
    np.testing.assert_allclose(found[0], 0.25 * values[0, 0] + 0.75 * values[0, 2])
    assert np.isfinite(found[1, 0]) and np.isnan(found[1, 1])
    errors = energy_bins.average_error(np.array([[3.0, 9.0, 4.0]]), np.array([0.5, 0.0, 0.5]))
    np.testing.assert_allclose(errors, [2.5])  # sqrt(1.5^2 + 2^2)


def test_common_features_stay_and_unrelated_ones_wash_out():
    rng, weights, count = np.random.default_rng(9), np.array([0.5, 0.3, 0.2]), 300
    cl = np.ones(L_MAX + 1)
    common = gaussian_alm(rng, cl, count)[:, None].repeat(3, axis=1)
    own = gaussian_alm(rng, cl, 3 * count).reshape(count, 3, -1)
    noise = gaussian_alm(rng, 0.2 * cl, 6 * count).reshape(count, 3, 2, -1)
    for skies, expected in ((common, 1.0), (own, np.sum(weights**2))):
        averaged, single, *variances = energy_bins.washed_out(skies[:, :, None] + noise, weights)
        ratio = averaged.mean(axis=0)[1:] / single.mean(axis=0)[1:]
        # relative variance of a mean C_l: 2/((2l+1) count), of l = 1 0.05; 5 sigma, twice
        np.testing.assert_allclose(ratio, expected, rtol=0.33)
        assert ratio.mean() == pytest.approx(expected, rel=0.1)
        # negative control: with the noise of whole samples the ratio is not what it seems
        assert power((skies[:, :, None] + noise)[:, 0, 0]).mean() > 1.1
        # predicted sampling variance against the scatter that the noise adds
        exact = power(energy_bins.average(skies, weights))
        scatter = (averaged - exact)[:, 1:].var(axis=0)
        np.testing.assert_allclose(scatter.mean(), variances[0][:, 1:].mean(), rtol=0.2)


# ---- our motion


def test_compton_getting_of_the_sun():
    dipole = compton_getting_dipole(18 * unit_vector(48, 24), 2.7)
    assert np.linalg.norm(dipole) == pytest.approx(4.7 * 18 / 299_792.458)
    assert np.linalg.norm(dipole) == pytest.approx(2.82e-4, rel=1e-3)
    assert lon_lat(dipole) == pytest.approx((48, 24))  # the excess from where we move to
    # 11.1, 12.24, 7.25 km/s: 18.04 km/s towards l = atan(12.24/11.1), b = asin(7.25/18.04)
    speed = np.linalg.norm(LOCAL_STANDARD_OF_REST)
    assert speed == pytest.approx(18.04, abs=0.01)
    assert lon_lat(LOCAL_STANDARD_OF_REST) == pytest.approx((47.8, 23.7), abs=0.05)


def test_lorentz_boost_gives_that_dipole():
    # independent: intensity over momentum squared is invariant, I'(E) = D^2 I(E/D) with the
    # Doppler factor D, sqrt((1+beta)/(1-beta)) ahead and its inverse behind
    beta, gamma = 1e-4, 2.7
    doppler = np.sqrt((1 + beta) / (1 - beta)) ** np.array([1, -1])
    ahead, behind = doppler**2 * (1 / doppler) ** -gamma
    dipole = compton_getting_dipole([beta * 299_792.458, 0, 0], gamma)[0]
    assert (ahead - behind) / (ahead + behind) == pytest.approx(dipole, rel=1e-6)
    assert dipole != pytest.approx((gamma - 1) * beta, rel=0.5)  # negative control: no D^2, no dE


def test_a_dipole_added_to_multipoles():
    dipole = np.array([1e-3, -2e-3, 3e-3])
    alm = alm_of_map(pixel_directions(NSIDE) @ dipole)
    np.testing.assert_allclose(add_dipole(np.zeros_like(alm), dipole), alm, atol=1e-10)
