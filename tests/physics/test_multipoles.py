"""Multipoles, power spectra and their noise on skies that are known exactly.

Theory. a_lm = (4 pi/N) sum_i X(n_i) Y*_lm(n_i), C_l = sum_m |a_lm|^2/(2l + 1). With unit vectors
n = (x, y, z) and the dipole vector d = 3 <n X>:
    a_10 = sqrt(4 pi/3) d_z,   a_11 = -sqrt(2 pi/3) (d_x - i d_y),   C_1 = (4 pi/9) |d|^2,
and X = n_z^2 has a_20 = (2/3) sqrt(4 pi/5) alone.

Noise that is independent from pixel to pixel, of variance s^2, adds N = 4 pi s^2/N_pix to every
C_l. It is estimated from the second differences r_0 - r_1 - r_2 + r_3 (variance 4 s^2) inside
groups of four neighbours. A smooth map of multipole l adds to that little: the second difference
of f over a pixel of side h = sqrt(4 pi/N_pix) is h^2 d^2f/dxdy, whose mean square over an
isotropic map is h^4 [l(l+1)]^2/8 <f^2>, so

    N_smooth = (4 pi/N_pix) <f^2> h^4 [l(l+1)]^2/32,

against (4 pi/N_pix) <f^2> for the plain variance. The cross-spectrum of two half-samples has no
noise on average. Opposite corners of the groups see smooth maps alike; even and odd RING
numbers instead alternate along every ring, which folds structure of order m into N_ring/2 - m.

Parameters: nside = 8 or 16; noise of 0.1 to 3 pc; random maps with l <= 4, C_l = 1 pc^2 sr.
"""

import numpy as np
import pytest

from hpc_cr.anisotropy.multipoles import (
    alm_of,
    alm_size,
    half_samples,
    power,
    spherical_harmonics,
)
from hpc_cr.anisotropy.observables import SkyObservables
from hpc_cr.anisotropy.response import nested_quads, response_of
from hpc_cr.trajectories.directions import healpix_directions, random_directions

NSIDE = 16
N_PIX = 12 * NSIDE**2
L_MAX = 2 * NSIDE
COVARIANCE = np.array([[1.0, 0.6, 0.0], [0.6, 4.0, -1.0], [0.0, -1.0, 9.0]])  # pc^2


@pytest.fixture(scope="module")
def n():
    return healpix_directions(NSIDE)


@pytest.fixture(scope="module")
def quads():
    return nested_quads(NSIDE)


def random_alm(generator, l_max, l_min=1):
    """Gaussian a_lm with C_l = 1 between l_min and l_max, healpy's order."""
    import healpy

    ell, m = healpy.Alm.getlm(l_max)
    alm = generator.standard_normal((len(ell), 2)) @ [1, 1j] / np.sqrt(2)
    alm[m == 0] = np.sqrt(2) * alm[m == 0].real
    return np.where(ell >= l_min, alm, 0)


def map_of(alm, nside=NSIDE):
    import healpy

    return healpy.alm2map(alm, nside)


def in_sigmas(samples, expected=0.0):
    samples = np.asarray(samples)
    return ((samples.mean(axis=0) - expected)
            / (samples.std(axis=0, ddof=1) / np.sqrt(len(samples))))


# ---- normalisation and conventions -----------------------------------------------------------


def check_dipole_of_alm(alm, dipole, tolerance=1e-12):
    """l = 1 of a_lm in healpy's order (a_00, a_10, ..., a_11, ...) against the dipole vector."""
    l_max = int(np.sqrt(2 * len(alm))) - 1
    # 1e-12: rounding of sums over 3072 pixels of maps of order 1
    assert abs(alm[1] - np.sqrt(4 * np.pi / 3) * dipole[2]) <= tolerance
    assert abs(alm[l_max + 1]
               + np.sqrt(2 * np.pi / 3) * (dipole[0] - 1j * dipole[1])) <= tolerance
    assert abs(power(alm)[1] - 4 * np.pi / 9 * np.sum(dipole**2)) <= tolerance


@pytest.mark.parametrize("sampling", ["healpix", "missing", "random"])
def test_l1_is_three_times_mean_of_nX(sampling, n, quads):
    generator = np.random.default_rng(31)
    scattered = None
    if sampling == "random":
        n = random_directions(1000, seed=5)
        scattered = (n, spherical_harmonics(n, 12))
    x = generator.standard_normal(len(n)) + n @ [1.0, 2.0, -3.0] + 5.0
    if sampling == "missing":
        x[generator.random(len(x)) < 0.3] = np.nan
    there = np.isfinite(x)
    alm = alm_of(x[None], 12, scattered=scattered)[0]
    if sampling == "random":  # <n n> is far from 1/3: monopole and dipole by least squares
        columns = np.column_stack([np.ones(len(n)), n])
        mean, *dipole = np.linalg.lstsq(columns, x, rcond=None)[0]
        dipole = np.array(dipole)
    else:
        mean = x[there].mean()
        dipole = 3 * np.mean(n[there] * (x[there] - mean)[:, None], axis=0)
    check_dipole_of_alm(alm, dipole)
    assert alm[0].real == pytest.approx(np.sqrt(4 * np.pi) * mean, abs=1e-12)
    with pytest.raises(AssertionError):  # control: the missing factor 3
        check_dipole_of_alm(alm, dipole / 3)
    with pytest.raises(AssertionError):  # control: the conjugate, a sky seen in a mirror
        check_dipole_of_alm(alm.conj(), dipole)


def test_dipole_and_response_are_the_same(n, quads):
    """3 <n X> = 3 A M with A = <n n>: the stored a_lm and M describe one sky."""
    generator = np.random.default_rng(32)
    x = generator.standard_normal((len(n), 3)) + 10 * n
    result = SkyObservables(n, NSIDE, 8).measure(x[None], x[None], np.array([0.0, 1e-3, 0.0]))
    for axis in range(3):
        dipole = 3 * (n.T @ n / len(n)) @ result["response"][0, :, axis]
        check_dipole_of_alm(result["alm"][0, axis], dipole, 1e-11)
    np.testing.assert_allclose(result["dipole"][0], 1e-3 * result["response"][0, :, 1])


def check_known_spectrum(cl, expected):
    # sums over pixel centres: 4e-4 at nside 16 for l <= 2 (A_ij is 1/3 to 4e-4 as well)
    assert np.abs(cl - expected).max() <= 2e-3 * expected.max()


@pytest.mark.parametrize("sampling", ["healpix", "sums"])
def test_power_spectrum_of_known_maps(sampling, n):
    d = np.array([0.3, -0.2, 0.5])
    scattered = (n, spherical_harmonics(n, 8)) if sampling == "sums" else None
    alm = alm_of(np.array([n @ d, n[:, 2] ** 2]), 8, scattered=scattered)
    dipole, quadrupole = np.zeros(9), np.zeros(9)
    dipole[1] = 4 * np.pi / 9 * d @ d
    quadrupole[0] = 4 * np.pi / 9  # <n_z^2> = 1/3
    quadrupole[2] = (2 / 3) ** 2 * 4 * np.pi / 5 / 5
    check_known_spectrum(power(alm)[0], dipole)
    check_known_spectrum(power(alm)[1], quadrupole)
    with pytest.raises(AssertionError):  # control: the sum over m without the factor 2 for m > 0
        check_known_spectrum(np.abs(alm[0, [0, 1]]) ** 2 / [1, 3], dipole[:2])


def test_healpix_and_direct_sums_agree(n):
    """Two implementations of Y_lm, healpy's and scipy's, on the same points."""
    x = np.random.default_rng(33).standard_normal((2, len(n)))
    x -= x.mean(axis=1, keepdims=True)  # a mean would leak into even l of plain sums
    direct = 4 * np.pi / len(n) * x @ spherical_harmonics(n, 16).T
    np.testing.assert_allclose(alm_of(x, 16), direct, rtol=0, atol=1e-12)  # rounding


def test_cross_power_against_a_sum_over_all_m():
    generator = np.random.default_rng(34)
    a, b = random_alm(generator, 5), random_alm(generator, 5)
    start, expected = 0, np.zeros(6)
    for m in range(6):
        for ell in range(m, 6):
            product = a[start] * b[start].conj()
            # a_l,-m b*_l,-m is the complex conjugate of a_lm b*_lm for real maps
            expected[ell] += (product if m == 0 else product + product.conj()).real / (2 * ell + 1)
            start += 1
    assert start == alm_size(5)
    np.testing.assert_allclose(power(a, b), expected, atol=1e-14)


# ---- pure noise ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def noise_skies(n):
    """Observables of 100 skies of noise with correlated axes."""
    generator = np.random.default_rng(35)
    factor = np.linalg.cholesky(COVARIANCE)
    sky = SkyObservables(n, NSIDE, 16)
    draws = [generator.standard_normal((1, len(n), 3)) @ factor.T for _ in range(100)]
    return [sky.measure(x, x, np.zeros(3)) for x in draws]


def check_noise(measured, expected):
    """Mean over the draws within 3 sigma, all nine components."""
    # largest of 6 pulls: 3 sigma is passed by chance in 98 % of seeds
    assert np.abs(in_sigmas(measured, expected)).max() <= 3.0


def test_quad_noise_is_unbiased_on_noise(n, quads):
    generator = np.random.default_rng(46)
    factor = np.linalg.cholesky(COVARIANCE)
    noise = np.array([response_of(n, generator.standard_normal((N_PIX, 3)) @ factor.T, quads).noise
                      for _ in range(1000)])
    expected = 4 * np.pi / N_PIX * COVARIANCE
    check_noise(noise, expected)
    # the mean over 1000 draws of 768 quads each is good to sqrt(2/768/1000) = 0.16 %
    np.testing.assert_allclose(np.diag(noise.mean(axis=0)), np.diag(expected), rtol=0.005)
    with pytest.raises(AssertionError):  # control: one degree of freedom too few in four
        check_noise(3 / 4 * noise, expected)


def test_spectra_have_no_bias_on_noise(noise_skies):
    """Mean over l >= 2 of each map's C_l, from all pixels minus the noise and from the halves."""
    whole = np.array([power(sky["alm"][0])[:, 2:].mean(axis=1) for sky in noise_skies])
    noise = np.array([np.diag(sky["noise"][0]) for sky in noise_skies])
    halves = np.array([power(sky["alm_half"][0, 0], sky["alm_half"][0, 1])[:, 2:].mean(axis=1)
                       for sky in noise_skies])
    assert np.abs(in_sigmas(whole - noise)).max() <= 3.0
    assert np.abs(in_sigmas(halves)).max() <= 3.0
    with pytest.raises(AssertionError):  # control: the noise left in
        assert np.abs(in_sigmas(whole)).max() <= 3.0
    with pytest.raises(AssertionError):  # control: a half-sample with itself
        same = [power(sky["alm_half"][0, 0])[:, 2:].mean(axis=1) for sky in noise_skies]
        assert np.abs(in_sigmas(same)).max() <= 3.0


def test_response_error_is_the_scatter_of_noise_skies(noise_skies):
    response = np.array([sky["response"][0] for sky in noise_skies])
    error = np.array([sky["response_error"][0] for sky in noise_skies])

    def check(claimed):
        pull = np.mean((response / claimed) ** 2)
        # 900 squared pulls; axes correlated by at most 0.33, their squares by 0.1: the error is at
        # most sqrt(2/900 x 1.2) = 0.052
        assert abs(pull - 1) <= 3 * 0.052

    check(error)
    with pytest.raises(AssertionError):  # control: the missing factor sqrt(3) of 3 <n X>
        check(error / np.sqrt(3))


# ---- smooth maps -----------------------------------------------------------------------------


@pytest.mark.parametrize("ell", [2, 3, 4, 6])
def test_quads_see_little_noise_in_smooth_maps(ell, n, quads):
    generator = np.random.default_rng(36 + ell)
    maps = np.array([map_of(random_alm(generator, ell, ell)) for _ in range(3)]).T
    plain = 4 * np.pi / N_PIX * maps.var(axis=0)
    expected = plain * (4 * np.pi / N_PIX) ** 2 * (ell * (ell + 1)) ** 2 / 32

    def check(noise):
        # pixels are neither square nor equal, and one map is not the average over rotations:
        # within a factor 4 of the estimate, which is below 1e-3 of the plain variance here
        assert np.all(noise <= 4 * expected)

    assert np.all(expected < 1e-3 * plain)
    check(np.diag(response_of(n, maps, quads).noise))
    with pytest.raises(AssertionError):  # control: the plain variance
        check(plain)


def check_smooth_spectrum(cl, expected, n_pix=N_PIX):
    # a mean over pixel centres instead of areas is off by the order of the second derivative,
    # l (l + 1) h^2/32 = 8/N_pix for l = 4 (6/N_pix found at nside 8 and 16), of the largest C_l
    assert np.abs(cl - expected).max() <= 8 / n_pix * expected[1:].max()


@pytest.mark.parametrize("nside", [8, 16])
def test_half_samples_of_smooth_maps(nside):
    generator = np.random.default_rng(41)
    alm = random_alm(generator, 4)
    smooth = map_of(alm, nside)[None]
    expected = np.zeros(2 * nside + 1)
    expected[:5] = power(alm)
    number = np.arange(12 * nside**2)

    def cross(first):
        return power(*(alm_of(smooth, 2 * nside, half)[0] for half in (first, ~first)))

    quad_half = half_samples(nested_quads(nside), len(number))[0]
    check_smooth_spectrum(power(alm_of(smooth, 2 * nside))[0], expected, len(number))
    check_smooth_spectrum(cross(quad_half), expected, len(number))
    for wrong in (number % 2 == 0, generator.permutation(number) % 2 == 0):
        with pytest.raises(AssertionError):  # control: RING even and odd; random halves
            check_smooth_spectrum(cross(wrong), expected, len(number))


def test_plain_variance_spoils_a_smooth_spectrum(n, quads):
    """C_l minus noise of a smooth map: right with the quads, wrong with its variance."""
    alm = random_alm(np.random.default_rng(42), 4)
    x = map_of(alm)
    expected = np.zeros(L_MAX + 1)
    expected[:5] = power(alm)
    measured = power(alm_of(x[None], L_MAX))[0]
    noise = response_of(n, np.stack([x] * 3, axis=1), quads).noise[0, 0]
    check_smooth_spectrum(measured - noise, expected)
    with pytest.raises(AssertionError):
        check_smooth_spectrum(measured - 4 * np.pi / N_PIX * x.var(), expected)


def test_signal_and_noise_together(n, quads):
    """Both estimators recover the C_l of a smooth map under noise of the same power."""
    generator = np.random.default_rng(43)
    alm = random_alm(generator, 4)
    true = np.zeros(9)
    true[:5] = power(alm)
    sky = SkyObservables(n, NSIDE, 8)
    smooth = np.repeat(map_of(alm)[:, None], 3, axis=1)
    level = np.sqrt(0.2 * N_PIX / (4 * np.pi))  # N = 0.2 pc^2 sr
    subtracted, crossed, raw = [], [], []
    for _ in range(100):
        x = smooth + level * generator.standard_normal(smooth.shape)
        result = {key: value[0] for key, value in sky.measure(x[None], x[None],
                                                              np.zeros(3)).items()}
        auto = power(result["alm"])
        subtracted.append((auto - np.diag(result["noise"])[:, None]).mean(axis=0))
        crossed.append(power(*result["alm_half"]).mean(axis=0))
        raw.append(auto.mean(axis=0))

    def check(estimates):
        # 8 multipoles at 3 sigma; the error of pixel centres (check_smooth_spectrum) on top
        error = np.std(estimates, axis=0, ddof=1) / np.sqrt(len(estimates))
        assert np.all(np.abs(np.mean(estimates, axis=0) - true)[1:]
                      <= 3 * error[1:] + 2e-3 * true.max())

    check(subtracted)
    check(crossed)
    with pytest.raises(AssertionError):  # control: the noise left in
        check(raw)


# ---- random directions -----------------------------------------------------------------------


def random_skies(structure, noise, generator):
    """Observables (150 draws) of structure(n) + noise at 600 new random directions each."""
    for draw in range(150):
        n = random_directions(600, seed=45, row=draw)
        x = structure(n) + noise * generator.standard_normal(len(n))
        result = SkyObservables(n, None, 4).measure(np.repeat(x[None, :, None], 3, axis=2),
                                                    n[None], np.zeros(3))
        yield (power(result["alm"][0, 0]), power(*result["alm_half"][0, :, 0]),
               result["noise"][0, 0, 0])


def check_unbiased(spectra, expected):
    # fitted monopole and dipole lower the halves' C_l by about 2/300 of itself for l >= 2, 0.0015
    # of 0.22: half its error here
    assert np.abs(in_sigmas(spectra, expected)[1:]).max() <= 3.0


def test_spectra_of_random_directions():
    """Every draw has new directions, so all structure beside the dipole enters the noise; both
    estimators have the true mean."""
    skies = random_skies(lambda n: n[:, 2] ** 2 + 1.5 * n[:, 0], 0.5, np.random.default_rng(44))
    raw, crossed, noise = (np.array(values) for values in zip(*skies, strict=True))
    expected = np.array([0.0, 4 * np.pi / 9 * 2.25, (2 / 3) ** 2 * 4 * np.pi / 25, 0.0, 0.0])
    check_unbiased(crossed, expected)
    check_unbiased(raw - noise[:, None], expected)
    # the dipole, which is fitted and not summed, does not leak into the noise of l >= 2: the
    # structure beside it is n_z^2 of variance 4/45 and noise of 0.25
    assert noise.mean() == pytest.approx(4 * np.pi / 600 * (4 / 45 + 0.25), rel=0.03)
    with pytest.raises(AssertionError):  # control: the noise left in
        check_unbiased(raw, expected)


def test_noise_of_random_directions():
    skies = random_skies(lambda n: 7.0, 0.5, np.random.default_rng(47))
    raw, crossed, noise = (np.array(values) for values in zip(*skies, strict=True))
    check_unbiased(raw - noise[:, None], np.zeros(5))
    check_unbiased(crossed, np.zeros(5))
    with pytest.raises(AssertionError):  # control: the noise left in
        check_unbiased(raw, np.zeros(5))
