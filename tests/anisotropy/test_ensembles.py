"""Ensemble statistics of dipoles.

Theory: for n independent values of standard deviation s the mean has the error s/sqrt(n); for
isotropic Gaussian vectors of component variance s^2, <|d|^2> = 3 s^2. A response of a set-up with
one axis b is M_par b b + M_perp (1 - b b) + M_Hall eps_ijk b_k, of an isotropic one tr M/3.
Samples come from fixed seeds; Monte-Carlo tolerances are 4 sigma of the sample used.
"""

import numpy as np
import pytest

from hpc_cr.anisotropy import ensembles

AXIS = np.array([1.0, 2.0, -2.0]) / 3.0
EPS = np.zeros((3, 3, 3))
for i, j, k in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
    EPS[i, j, k], EPS[j, i, k] = 1.0, -1.0


def axial(parallel, perpendicular, hall, b=AXIS):
    bb = np.outer(b, b)
    return parallel * bb + perpendicular * (np.eye(3) - bb) + hall * EPS @ b


def summary_of(dipoles, errors=None, response=None, gradient=(1e-4, 0, 0), **options):
    n = len(dipoles)
    errors = np.zeros((n, 3)) if errors is None else errors
    response = np.zeros((n, 3, 3)) if response is None else response
    return ensembles.summarise(dipoles, errors, response, gradient, **options)


def test_mean_scatter_and_errors_by_hand():
    dipoles = np.diag([1.0, 2.0, 6.0])
    s = summary_of(dipoles)
    assert s.n == s.n_realisation == 3
    assert s.mean_amplitude == pytest.approx(3.0)
    assert s.median == 2.0
    assert s.scatter == pytest.approx(np.sqrt((4 + 1 + 9) / 2))
    assert s.mean_amplitude_error == pytest.approx(s.scatter / np.sqrt(3))
    np.testing.assert_allclose(s.vector_mean, [1 / 3, 2 / 3, 2])
    np.testing.assert_allclose(s.vector_mean_error, dipoles.std(axis=0, ddof=1) / np.sqrt(3))
    # leaving one out: sd of (2, 6), (1, 6), (1, 2)
    left = np.array([4, 5, 1]) / np.sqrt(2)
    assert s.scatter_error == pytest.approx(np.sqrt(2 / 3 * np.sum((left - left.mean()) ** 2)))


def test_one_realisation_has_no_errors():
    s = summary_of(np.array([[1e-3, 0, 0]]))
    assert s.mean_amplitude == pytest.approx(1e-3)
    for value in (s.mean_amplitude_error, s.median_error, s.scatter, s.scatter_error):
        assert np.isnan(value)
    assert np.isnan(s.vector_mean_error).all() and np.isnan(s.expectation_error).all()
    assert np.isnan(s.direction_error_deg)


def test_several_observers_of_one_realisation_are_still_one_realisation():
    rng = np.random.default_rng(1)
    s = summary_of(rng.normal(size=(5, 3)), realisation=np.zeros(5, int))
    assert s.n == 5 and s.n_realisation == 1
    assert np.isnan(s.mean_amplitude_error) and np.isfinite(s.scatter)


def test_no_rows():
    s = summary_of(np.full((4, 3), np.nan))
    assert s.n == 0
    assert np.isnan([s.mean_amplitude, s.median, s.scatter, s.noise_floor, s.rms_debiased]).all()


def test_rows_that_are_not_done_do_not_count():
    rng = np.random.default_rng(2)
    dipoles = rng.normal(size=(6, 3))
    gaps = dipoles.copy()
    gaps[[1, 4]] = np.nan
    group = np.array([0, 0, 1, 1, 2, 2])
    keep = [0, 2, 3, 5]
    a = summary_of(gaps, realisation=group)
    b = summary_of(dipoles[keep], realisation=group[keep])
    assert a.mean_amplitude == b.mean_amplitude and a.scatter_error == b.scatter_error


def test_errors_are_true_when_observers_share_a_realisation():
    """Rows of a realisation have a common part: the error must be that of 20, not of 80 values."""
    rng = np.random.default_rng(3)
    trials, realisations, observers = 300, 20, 4
    group = np.repeat(np.arange(realisations), observers)
    means, errors, naive = [], [], []
    for _ in range(trials):
        rows = np.repeat(rng.normal(size=realisations), observers) + 0.3 * rng.normal(size=80)
        mean, error = ensembles.mean_and_error(rows, group)
        means.append(mean)
        errors.append(error)
        naive.append(rows.std(ddof=1) / np.sqrt(len(rows)))
    true = np.std(means)
    # the scatter of 300 means is known to 1/sqrt(600) = 4 %: 4 sigma
    assert np.sqrt(np.mean(np.square(errors))) == pytest.approx(true, rel=0.16)
    # control: counting rows gives half the error (1/sqrt(4))
    assert np.sqrt(np.mean(np.square(naive))) < 0.6 * true


def test_scatter_and_median_errors_are_true():
    rng = np.random.default_rng(4)
    samples = [summary_of(rng.normal(size=(60, 3))) for _ in range(200)]
    for value, error in (("scatter", "scatter_error"), ("median", "median_error")):
        true = np.std([getattr(s, value) for s in samples])
        claimed = np.sqrt(np.mean([getattr(s, error) ** 2 for s in samples]))
        # 200 samples: 5 %, 4 sigma; the order statistics themselves scatter by 10 %
        assert claimed == pytest.approx(true, rel=0.25)


def test_noise_floor_and_debiased_rms():
    """Noise of s per component gives |delta|_rms = sqrt(3) s; signals add in quadrature."""
    rng = np.random.default_rng(5)
    n, noise, signal = 20_000, 2e-4, 3e-4
    true = signal * rng.normal(size=(n, 3))
    measured = true + noise * rng.normal(size=(n, 3))
    s = summary_of(measured, np.full((n, 3), noise))
    assert s.noise_floor == pytest.approx(np.sqrt(3) * noise)
    # <|d|^2> of n Gaussian vectors scatters by sqrt(2/3n) = 0.6 %: 4 sigma of it, times 1.4
    assert s.rms_debiased == pytest.approx(np.sqrt(3) * signal, rel=0.02)
    # control: without the subtraction it is 20 % too large
    assert np.sqrt(np.mean(measured**2) * 3) > 1.15 * np.sqrt(3) * signal
    assert summary_of(true * 1e-3, np.full((n, 3), noise)).rms_debiased == 0.0


def test_direction_and_its_error():
    """Mean vector along l = 90 deg; r.m.s. angle sqrt(2) s/(sqrt(n) |mean|) for isotropic noise."""
    rng = np.random.default_rng(6)
    n, mean, spread = 50, 1.0, 0.7
    found = [
        summary_of(np.array([0, mean, 0]) + spread * rng.normal(size=(n, 3))) for _ in range(400)
    ]
    lon, lat = np.array([s.direction for s in found]).T
    angle = np.degrees(np.arccos(np.cos(np.radians(lon - 90)) * np.cos(np.radians(lat))))
    expected = np.degrees(np.sqrt(2) * spread / np.sqrt(n) / mean)
    # 400 angles of two components each: 1/sqrt(1600) = 2.5 %, 4 sigma
    assert np.sqrt(np.mean(angle**2)) == pytest.approx(expected, rel=0.1)
    claimed = np.sqrt(np.mean([s.direction_error_deg**2 for s in found]))
    assert claimed == pytest.approx(expected, rel=0.1)


def test_symmetric_part_of_an_axial_response():
    rng = np.random.default_rng(7)
    m = axial(130.0, 4.0, -2.5)
    np.testing.assert_allclose(ensembles.coefficients(m, 7 * AXIS), [130.0, 4.0, -2.5], rtol=1e-13)
    np.testing.assert_allclose(ensembles.symmetrise(m, AXIS), m, rtol=1e-13)
    # control: the other sense of the field flips the Hall part and nothing else
    np.testing.assert_allclose(ensembles.coefficients(m, -AXIS), [130.0, 4.0, 2.5], rtol=1e-13)
    # a projection: what it leaves out stays out
    any_matrix = rng.normal(size=(5, 3, 3))
    once = ensembles.symmetrise(any_matrix, AXIS)
    np.testing.assert_allclose(ensembles.symmetrise(once, AXIS), once, atol=1e-14)
    np.testing.assert_allclose(ensembles.symmetrise(any_matrix, "none"), any_matrix)
    isotropic = ensembles.symmetrise(any_matrix, "isotropic")
    trace = np.trace(any_matrix, axis1=1, axis2=2)
    np.testing.assert_allclose(isotropic, trace[:, None, None] / 3 * np.eye(3), atol=1e-15)


def test_symmetric_part_is_the_average_over_equivalent_directions():
    """Turning about b by 0, 120, 240 deg and averaging Q M Q^T gives the same."""
    m = np.random.default_rng(8).normal(size=(3, 3))
    cross = -EPS @ AXIS  # cross @ v = b x v
    turned = []
    for angle in np.radians([0, 120, 240]):
        q = np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross
        turned.append(q @ m @ q.T)
    np.testing.assert_allclose(ensembles.symmetrise(m, AXIS), np.mean(turned, axis=0), atol=1e-14)


def test_expectation_uses_the_symmetry():
    """Mean over n noisy responses; the symmetric part's error is smaller than that of <M> g."""
    rng = np.random.default_rng(9)
    n, gradient = 400, np.array([0.0, 1e-4, 0.0])
    response = 10.0 * np.eye(3) + 5.0 * rng.normal(size=(n, 3, 3))
    dipoles = response @ gradient
    s = summary_of(dipoles, response=response, gradient=gradient)
    np.testing.assert_allclose(s.expectation[[0, 2]], 0.0, atol=1e-18)
    assert s.expectation_error[1] == pytest.approx(5e-4 / np.sqrt(3 * n), rel=0.15)
    assert abs(s.expectation[1] - 1e-3) < 4 * s.expectation_error[1]
    assert s.vector_mean_error[1] > 1.4 * s.expectation_error[1]  # sqrt(3) expected


def test_convergence_of_the_mean_response():
    rng = np.random.default_rng(10)
    truth = np.stack([axial(40, 4, -1), axial(90, 4, -2), axial(125, 4, -2)])
    response = truth + rng.normal(size=(500, 3, 3, 3))
    response[17] = np.nan
    found = ensembles.convergence(response, symmetry=AXIS)
    assert found.mean.shape == found.mean_error.shape == (3, 3, 3)
    limits = np.array([[40, 4, -1], [90, 4, -2], [125, 4, -2]])
    assert np.all(np.abs(found.coefficients - limits) < 4 * found.coefficients_error)
    # b.M.b, half the trace of the rest, half the antisymmetric part: variances 1, 1/2, 1/2
    expected = np.sqrt(np.array([1, 1 / 2, 1 / 2]) / 499)
    np.testing.assert_allclose(found.coefficients_error, np.tile(expected, (3, 1)), rtol=0.15)


def test_sampling_error_of_a_gradient_that_mixes_components():
    """White noise of covariance C in X: delta_i = 3 <n_i g.X> has the variance 3 g.C.g / N_pix."""
    rng = np.random.default_rng(11)
    n_pix, trials = 768, 400
    directions = rng.normal(size=(n_pix, 3))
    directions /= np.linalg.norm(directions, axis=1)[:, None]
    mix = np.array([[1.0, 0, 0], [0.9, 0.4, 0], [-0.5, 0.3, 0.8]])
    covariance = mix @ mix.T
    gradient = np.array([1.0, -1.0, 0.5]) * 1e-3
    noise = 4 * np.pi / n_pix * covariance
    error = np.sqrt(3 * np.diag(covariance) / n_pix) * np.ones((3, 1))
    x = rng.normal(size=(trials, n_pix, 3)) @ mix.T
    delta = 3 * np.einsum("pi,tpj,j->ti", directions, x, gradient) / n_pix
    claimed = ensembles.sampling_errors(error, noise, gradient)
    # 1200 values: 2 % on the r.m.s., and <n_i n_i> differs from 1/3 by 3 %
    assert np.sqrt(np.mean(delta**2)) == pytest.approx(np.sqrt(np.mean(claimed**2)), rel=0.09)
    # control: taken as independent the components' errors would give another number
    naive = np.sqrt(np.sum((error * gradient) ** 2, axis=1))
    assert np.sqrt(np.mean(naive**2)) > 1.3 * np.sqrt(np.mean(claimed**2))


def test_no_noise_no_error():
    errors = ensembles.sampling_errors(np.zeros((2, 3, 3)), np.zeros((2, 3, 3)), [1e-4, 0, 0])
    np.testing.assert_array_equal(errors, np.zeros((2, 3)))
