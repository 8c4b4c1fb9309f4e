"""Power spectra of ensembles, their noise, and the local term.

Theory: Gaussian skies of spectrum C_l have <C_l^sky> = C_l with the scatter C_l sqrt(2/(2l + 1)).
Noise of variance v per pixel has N = 4 pi v/N_pix at every l, in each half-sample 2 N; the
cross-spectrum of the halves holds none of it. 18/((2l + 1)(l + 1)(l + 2)) has
sum_l (2l + 1) C_l = 9 C_1, so that the dipole's share is 1/3. Skies linear in n (free streaming,
a uniform field) have C_1 = 4 pi |delta|^2/9 and nothing else.
"""

import gzip
from pathlib import Path

import healpy
import numpy as np
import pytest
import synthetic_results

import hpc_cr
from hpc_cr.anisotropy import spectra
from hpc_cr.anisotropy.liouville import gradient_intensity, local_term
from hpc_cr.anisotropy.multipoles import alm_of, half_samples, power
from hpc_cr.anisotropy.observables import SkyObservables
from hpc_cr.anisotropy.response import nested_quads
from hpc_cr.config import parse_job
from hpc_cr.io.errors import ResultError

NSIDE, L_MAX, SKIES = 16, 24, 40
N_PIX = 12 * NSIDE**2
VERSION_1 = Path(__file__).parents[1] / "io" / "version-1.h5.gz"


@pytest.fixture(scope="module")
def noisy_skies():
    """a_lm of Gaussian skies with noise: whole (n, n_lm), halves (n, 2, n_lm), C_l, N."""
    rng = np.random.default_rng(1)
    ell = np.arange(L_MAX + 1)
    cl = np.where(ell > 0, 1.0 / (ell + 1.0) ** 3, 0.0)
    noise = cl[12]  # as large as the signal in the middle of the range
    halves_of = half_samples(nested_quads(NSIDE), N_PIX)
    whole, halves = [], []
    for _ in range(SKIES):
        sky = np.zeros(N_PIX)
        alm = np.zeros((L_MAX + 1) * (L_MAX + 2) // 2, complex)
        for m in range(L_MAX + 1):
            rows = m * (2 * L_MAX + 1 - m) // 2 + ell[m:]
            if m == 0:
                alm[rows] = rng.normal(size=len(rows)) * np.sqrt(cl)
            else:
                pair = rng.normal(size=(2, len(rows))) * np.sqrt(cl[m:] / 2)
                alm[rows] = pair[0] + 1j * pair[1]
        sky = healpy.alm2map(alm, NSIDE, lmax=L_MAX)
        sky += rng.normal(size=N_PIX) * np.sqrt(noise * N_PIX / 4 / np.pi)
        whole.append(alm_of(sky[None], L_MAX)[0])
        halves.append([alm_of(sky[None], L_MAX, half)[0] for half in halves_of])
    return np.array(whole), np.array(halves), cl, noise


def test_both_estimators_find_the_spectrum_under_the_noise(noisy_skies):
    whole, halves, cl, noise = noisy_skies
    subtracted = spectra.summarise(power(whole) - noise)
    cross = spectra.summarise(power(halves[:, 0], halves[:, 1]))
    for found, excess in ((subtracted, 1), (cross, 2)):
        # half-samples of a sky that varies within quads of pixels differ by a few per cent
        spread = np.sqrt(2 / (2 * found.l + 1) / SKIES) * (cl[1:] + excess * noise)
        assert np.all(np.abs(found.mean - cl[1:]) < 4 * spread + 0.03 * cl[1:])
        assert found.n == found.n_realisation == SKIES
    # control: with the noise left in, the mean over high l is twice too large
    high = slice(12, None)
    assert power(whole)[:, 1:].mean(axis=0)[high].sum() > 1.8 * cl[1:][high].sum()
    found = spectra.halves_noise(halves).mean()
    # 40 skies of 621 a_lm: 1/sqrt(40 621/2) = 0.9 %, and the halves' difference of a sky, 3 %
    assert found == pytest.approx(noise, rel=0.07)


def test_scatter_is_cosmic_variance_and_the_error_is_not(noisy_skies):
    _, _, cl, _ = noisy_skies
    rng = np.random.default_rng(2)
    dof = 2 * np.arange(L_MAX + 1) + 1
    skies = cl * rng.chisquare(dof, size=(2000, L_MAX + 1)) / dof
    few, many = spectra.summarise(skies[:200]), spectra.summarise(skies)
    expected = cl[1:] * np.sqrt(2 / dof[1:])
    # the scatter of chi^2 (kurtosis 12/dof) is known to sqrt((2 + 12/dof)/4/2000): 4 sigma
    width = 4 * np.sqrt((2 + 12 / dof[1:]) / 4 / 2000)
    assert np.all(np.abs(many.scatter / expected - 1) < width)
    np.testing.assert_allclose(many.mean_error, many.scatter / np.sqrt(2000), rtol=1e-9)
    assert np.all(few.mean_error > 2.5 * many.mean_error)  # sqrt(10)
    assert np.all(few.scatter < 1.5 * many.scatter)


def test_ratio_of_means_not_mean_of_ratios():
    """<1/C_1> of three squares is 3/<C_1>: the mean of ratios is three times the ratio."""
    rng = np.random.default_rng(3)
    dof = 2 * np.arange(4) + 1
    skies = rng.chisquare(dof, size=(4000, 4)) / dof  # C_l = 1
    found = spectra.summarise(skies)
    assert found.ratio[0] == 1.0 and found.ratio_error[0] == 0.0
    assert np.all(np.abs(found.ratio[1:] - 1) < 4 * found.ratio_error[1:])
    expected = np.sqrt((2 / 5 + 2 / 3) / 4000)  # relative errors of both means
    assert found.ratio_error[1] == pytest.approx(expected, rel=0.2)
    assert np.mean(skies[:, 2] / skies[:, 1]) > 2.5


def test_errors_count_realisations_not_skies():
    rng = np.random.default_rng(4)
    rows = np.repeat(rng.chisquare(5, size=(10, 5)), 4, axis=0)  # four equal skies in each
    found = spectra.summarise(rows, np.repeat(np.arange(10), 4))
    single = spectra.summarise(rows[::4])
    np.testing.assert_allclose(found.mean_error, single.mean_error, rtol=1e-9)
    assert found.share_error == pytest.approx(single.share_error)
    one = spectra.summarise(rows[:1])
    assert np.isnan(one.mean_error).all() and np.isnan(one.share_error) and one.share > 0
    gap = spectra.summarise(np.vstack([rows, np.full(5, np.nan)]))
    assert gap.n == 40


def test_shape_and_share():
    ell = np.arange(1, 41)
    shape = spectra.pitch_angle_shape(ell)
    assert shape[0] == 1.0
    assert shape[1] == pytest.approx(18 / (5 * 3 * 4)) == pytest.approx(0.3)
    found = spectra.summarise(np.r_[7.0, shape][None])  # the monopole does not count
    # sum_l 18/((l + 1)(l + 2)) telescopes to 18 (1/2 - 1/(l_max + 2))
    assert found.share == pytest.approx(3 / (18 * (1 / 2 - 1 / 42)))
    # control: l(l + 1) in place of (l + 1)(l + 2) would give C_2/C_1 = 1/5
    assert shape[1] != pytest.approx(0.2)


@pytest.mark.parametrize("estimator", ["noise-subtracted", "cross"])
def test_what_noise_alone_leaves(estimator):
    rng = np.random.default_rng(5)
    ell, n, noise = np.arange(1, 9), 400, 0.3
    left = []
    for l_one in ell:  # 2l + 1 real coefficients of power N, of power 2 N in each half
        first, second = np.sqrt(2 * noise) * rng.normal(size=(2, n, 2 * l_one + 1))
        if estimator == "cross":
            left.append((first * second).mean(axis=1))
        else:
            left.append((((first + second) / 2) ** 2).mean(axis=1) - noise)
    # 400 values: 3.5 %, more for the long tail of products of three: 4 sigma of 5 %
    np.testing.assert_allclose(np.std(left, axis=1), spectra.blind(noise, ell, 1, estimator),
                               rtol=0.2)  # fmt: skip
    assert spectra.blind(noise, ell, 100)[0] == pytest.approx(spectra.blind(noise, ell, 1)[0] / 10)


# ---- the local term, through a result file

G = np.array([1.0, -2.0, 0.5]) * 1e-4
K = np.array([[5.0, 1.0, 0.0], [-1.0, 4.0, 0.5], [0.0, 0.5, 9.0]])  # pc, a Hall part included


def linear_sky(job, row):
    """X = A n and U = B n: row 0 streams freely, others gyrate about z (M of the design)."""
    time, r_g = 15.0, 7.0
    if row == 0:
        return time * np.eye(3), np.eye(3)
    s, c = np.sin(time / r_g), np.cos(time / r_g)
    turn = np.array([[c, s, 0], [-s, c, 0], [0, 0, 1]])
    path = np.array([[r_g * s, r_g * (1 - c), 0], [-r_g * (1 - c), r_g * s, 0], [0, 0, time]])
    return path, turn


def linear_entry(job, row, rig):
    n = np.column_stack(healpy.pix2vec(job.particles.nside, np.arange(job.n_pix)))
    path, turn = linear_sky(job, row)
    sky = SkyObservables(n, job.particles.nside, job.output.l_max)
    stops = len(job.stops[0])
    x, u = np.array([n @ path.T] * stops), np.array([n @ turn.T] * stops)
    base = synthetic_results.entry(job, row, rig)
    return base | sky.measure(x, u, job.gradient_vectors[rig])


@pytest.fixture(scope="module")
def linear(tmp_path_factory):
    text = synthetic_results.JOB.replace("realisations = 6", "realisations = 2")
    job = parse_job(text.replace("nside = 4", "nside = 8"), name="linear")
    path = tmp_path_factory.mktemp("linear") / "linear.h5"
    return synthetic_results.write(path, job, entry=linear_entry)


def test_local_term_of_linear_skies_is_exact(linear):
    with hpc_cr.open_results(linear) as results:
        found = results.power_spectrum(G, estimator="cross", local_term=K)
        plain = results.power_spectrum(G, estimator="cross")
        for row in range(2):
            path, turn = linear_sky(results.job, row)
            delta = path.T @ G + 3 * turn.T @ K @ G
            # half-samples of nside 8 have <n_i n_j> = 1/3 to 2e-3 each
            assert found.cl[row, 1] == pytest.approx(4 * np.pi / 9 * delta @ delta, rel=8e-3)
            without = path.T @ G
            assert plain.cl[row, 1] == pytest.approx(4 * np.pi / 9 * without @ without, rel=8e-3)
            # the same from intensities on the sky, no a_lm between
            n = np.column_stack(healpy.pix2vec(8, np.arange(768)))
            sky = gradient_intensity(n @ path.T, G) + local_term(n @ turn.T, K, G)
            np.testing.assert_allclose(3 * (n * sky[:, None]).mean(axis=0), delta, rtol=2e-3)
            # controls: K without the factor 3, and U taken with the other sign
            for wrong in (path.T @ G + turn.T @ K @ G, path.T @ G - 3 * turn.T @ K @ G):
                assert abs(found.cl[row, 1] / (4 * np.pi / 9 * wrong @ wrong) - 1) > 0.1
        others = np.delete(found.cl, 1, axis=1)
        assert np.abs(others).max() < 1e-3 * found.cl[:, 1].min()
        assert np.all(found.noise < 1e-4 * found.cl[:, 1])
        square = (results.dipoles(G, local_term=K)[:, 0, -1] ** 2).sum(axis=1)
        np.testing.assert_allclose(found.cl[:, 1], 4 * np.pi / 9 * square, rtol=8e-3)


def test_local_term_from_the_ensemble_s_own_diffusion(linear):
    with hpc_cr.open_results(linear) as results:
        trace = np.mean([np.trace(linear_sky(results.job, row)[0]) / 3 for row in range(2)])
        own = results.power_spectrum(G, estimator="cross", local_term=True)
        given = results.power_spectrum(G, estimator="cross", local_term=trace / 3 * np.eye(3))
        np.testing.assert_allclose(own.cl[:, 1], given.cl[:, 1], rtol=1e-6)


def test_local_term_is_refused_where_its_noise_is_unknown(linear, tmp_path):
    with (
        hpc_cr.open_results(linear) as results,
        pytest.raises(ResultError, match='local term.*"cross"') as error,
    ):
        results.power_spectrum(local_term=True)
    assert "\n" not in str(error.value)
    old = tmp_path / "old.h5"
    old.write_bytes(gzip.decompress(VERSION_1.read_bytes()))
    with (
        hpc_cr.open_results(old) as results,
        pytest.raises(ResultError, match="version 1 has no anisotropy/direction_alm_half"),
    ):
        results.power_spectrum(estimator="cross", local_term=True)
