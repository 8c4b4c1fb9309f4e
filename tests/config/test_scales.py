"""Scales against published or independent numbers.

- r_g [pc] = 1.0810076 R[PV]/B[uG], from r_g = R/(c B) with the IAU parsec.
- Two-sided coherence length pi int E/k dk / int E dk: here integrated numerically, and the values
  quoted for (L_min, L_max, q) to the digits given.
- Trilinear interpolation averaged over directions keeps .243, .664, .833, .902, .936, .975 of a
  wave's power at 2, 4, 6, 8, 10, 16 cells per wavelength; here also by Monte Carlo from random
  directions and positions inside a cell.
- Quasi-linear mean free path at 1 PV in 3.795 uG with B_rms = 1.265 uG, L_max = 100 pc: 138 pc.
"""

import numpy as np
import pytest

from hpc_cr.config import Level, parse_job
from hpc_cr.config.levels import band_rms
from hpc_cr.config.scales import (
    LEAST_TRANSFER,
    coherence_length,
    gyroradius,
    isotropic_mean_free_path,
    kept_power,
    kept_power_of_wave,
    mean_free_paths,
    negligible_wavelength,
)
from hpc_cr.config.schema import Turbulence
from hpc_cr.transfer import axis_power, axis_transfer


def test_gyroradius():
    assert gyroradius(1.0, 1.0) == pytest.approx(1.0810076, rel=5e-8)  # the digits given
    assert gyroradius(1.0, 4.0) == pytest.approx(0.2702519, rel=2e-7)
    assert np.allclose(gyroradius([0.01, 0.1], 4.0), [0.002702519, 0.02702519], rtol=2e-7)
    assert gyroradius(1.0, 0.0) == np.inf


@pytest.mark.parametrize("longest, shortest, slope, expected", [
    (150, 1, 5 / 3, 31.094), (100, 0.1, 5 / 3, 20.202), (100, 50, 5 / 3, 37.024),
    (100, 0.1, 3 / 2, 17.210),
])
def test_coherence_length_quoted(longest, shortest, slope, expected):
    assert coherence_length(longest, shortest, slope) == pytest.approx(expected, abs=5e-4)
    # control: the one-sided definition, and Kraichnan for Kolmogorov, are off by far more
    assert coherence_length(longest, shortest, slope) / 2 != pytest.approx(expected, rel=0.1)
    assert coherence_length(longest, shortest, slope + 1 / 6) != pytest.approx(expected, rel=0.005)


@pytest.mark.parametrize("slope", [0.7, 1.0, 1.5, 5 / 3, 2.0, 3.0])
def test_coherence_length_by_quadrature(slope):
    log_k = np.linspace(np.log(2 * np.pi / 120), np.log(2 * np.pi / 0.3), 20001)
    k = np.exp(log_k)
    energy = k**-slope
    expected = np.pi * np.trapezoid(energy, log_k) / np.trapezoid(k * energy, log_k)
    # trapezoidal rule: error ~ (step^2 / 12) q^2 = 1e-8 for a step of 3e-4
    assert coherence_length(120.0, 0.3, slope) == pytest.approx(expected, rel=1e-7)


def test_kept_power_table():
    cells = np.array([2, 4, 6, 8, 10, 16])
    quoted = [0.243, 0.664, 0.833, 0.902, 0.936, 0.975]
    assert np.allclose(kept_power_of_wave(cells), quoted, atol=6e-4)


def test_kept_power_by_monte_carlo():
    rng = np.random.default_rng(1)
    unit = rng.standard_normal((200_000, 3))
    unit /= np.linalg.norm(unit, axis=1)[:, None]
    place = rng.random(unit.shape)
    for cells, tolerance in ((3.0, 0.005), (5.0, 0.004)):
        phase = 2 * np.pi * unit / cells
        # |sum over corners of weight x wave|^2, a product over the axes
        corner = (1 - place) + place * np.exp(1j * phase)
        kept = np.abs(corner.prod(axis=1)) ** 2
        # tolerance: above five standard errors
        assert 5 * kept.std() / np.sqrt(len(kept)) < tolerance
        assert kept_power_of_wave(cells) == pytest.approx(kept.mean(), abs=tolerance)


def test_compensated_power():
    # exact down to 4 cells up to what interpolation folds in from its own harmonics (1 %), and
    # bounded below, where only the factor of 4 cells is divided out
    assert np.allclose(kept_power_of_wave([4, 6, 8, 16], True), 1.0, atol=0.01)
    assert kept_power_of_wave(2.5, True) == pytest.approx(
        kept_power_of_wave(2.5) / LEAST_TRANSFER["trilinear"] ** 2, rel=0.05)
    assert LEAST_TRANSFER["trilinear"] == pytest.approx(0.813, abs=5e-4)


def test_compensation_ends_at_a_diagonal_wave_of_4_cells():
    m = 1 / (4 * 3**0.5)  # |k| = 2 pi/(4 cells) along (1, 1, 1), in waves per cell
    assert LEAST_TRANSFER["trilinear"] == pytest.approx(np.sinc(m) ** 6, rel=1e-12)
    # control: along an axis a wave of the same length keeps less, sinc^2(pi/4) = 8/pi^2
    assert axis_transfer("trilinear", 0.25) == pytest.approx(8 / np.pi**2, rel=1e-12)
    assert LEAST_TRANSFER["trilinear"] > 8 / np.pi**2 + 2e-3


@pytest.mark.parametrize("interpolation, cells, quoted", [
    ("catmull-rom", [4, 8], [0.925, 0.9945]), ("b-spline", [4, 8], [0.435, 0.814])])
def test_kept_power_of_cubic_interpolation(interpolation, cells, quoted):
    """Quoted for Catmull-Rom; the B-spline's from the values of the seventh-degree spline.

    Its power per axis is sum_n (k_n/k)^-8 sin^8(k/2)/(k/2)^8 over the aliases k_n = k + 2 pi n,
    (2416 + 2382 cos k + 240 cos 2k + 2 cos 3k)/5040.
    """
    assert np.allclose(kept_power_of_wave(cells, False, interpolation), quoted, atol=6e-4)
    k = 2 * np.pi * np.linspace(0, 0.5, 9)
    closed = (2416 + 2382 * np.cos(k) + 240 * np.cos(2 * k) + 2 * np.cos(3 * k)) / 5040
    assert np.allclose(axis_power("b-spline", k / (2 * np.pi)), closed, rtol=1e-12)
    assert np.allclose(axis_transfer("b-spline", k / (2 * np.pi)), np.sinc(k / (2 * np.pi)) ** 4,
                       rtol=1e-12)


@pytest.mark.parametrize("interpolation, cells", [("trilinear", 4), ("catmull-rom", 3.5),
                                                  ("b-spline", 2.7)])
def test_compensation_restores_the_power(interpolation, cells):
    # and adds up to 1 % of aliases; waves half as long lack more than 10 %
    assert 0.99 < kept_power_of_wave(cells, True, interpolation) < 1.01
    assert kept_power_of_wave(cells, False, interpolation) < 0.9
    assert kept_power_of_wave(2.0, True, interpolation) < 0.9


def test_kept_power_of_a_band_lies_between_its_ends():
    level = Level(box=400.0, longest=100.0, shortest=25.0, rms=1.0, cells=64)
    low, high = kept_power_of_wave(np.array([4.0, 16.0]))
    kept = kept_power(level, 5 / 3, False)
    assert low < kept < high
    # the spectrum weights the long waves: more than the mean of the ends
    assert kept > 0.5 * (low + high)
    assert kept_power(level, 3.0, False) > kept


def test_mean_free_paths():
    # x = r_g/L_c = 0.2703/20: 20 (4 x^2 + 0.9 x + 0.23 x^(1/3)) = 1.353 pc
    assert mean_free_paths([1.0], 4.0, 0.0, 100.0) == pytest.approx(1.353, abs=1e-3)
    assert isotropic_mean_free_path(20.0, 100.0) == pytest.approx(20 * (4 + 0.9 + 0.23), rel=1e-12)
    strong = mean_free_paths([1.0, 0.1], 1.265, 3.795, 100.0)
    assert strong[0] == pytest.approx(138.0, abs=0.1)
    # quasi-linear: lambda ~ r_g^(1/3)
    assert strong[0] / strong[1] == pytest.approx(10 ** (1 / 3), rel=1e-9)
    # a weak uniform field leaves the isotropic estimate in the total field
    weak = mean_free_paths([1.0], 4.0, 1.0, 100.0)
    assert weak == pytest.approx(isotropic_mean_free_path(gyroradius(1.0, 17**0.5), 100.0))
    assert np.isinf(mean_free_paths([1.0], 0.0, 4.0, 100.0)).all()


def test_negligible_wavelength():
    """The waves left out scatter with lambda = 4 r_g^2/L_c of their own field and coherence length,
    which must be mean free path / share; computed here from the band's r.m.s. and L_c."""
    turbulence = Turbulence(slope=5 / 3, rms="3 uG", outer_scale="100 pc", inner_scale="0.001 pc")
    rigidities, share = np.array([1.0, 100.0, 300.0]), 1e-3
    r_g = gyroradius(rigidities, 3.0)
    paths = mean_free_paths(rigidities, 3.0, 0.0, 100.0)
    waves = negligible_wavelength(rigidities, paths, r_g, turbulence, share)
    rising = r_g / 5 > waves
    assert rising.tolist() == [False, True, True]
    assert waves[0] == pytest.approx(r_g[0] / 5)   # the theory's end
    for rigidity, path, wave in zip(rigidities[rising], paths[rising], waves[rising], strict=True):
        rms = band_rms(3.0, (wave, 0.001), (100.0, 0.001), 5 / 3)
        alone = 4 * gyroradius(rigidity, rms)**2 / coherence_length(wave, 0.001, 5 / 3)
        assert path / alone == pytest.approx(share, rel=1e-9)
        # control: waves twice as long scatter three times as much
        longer = band_rms(3.0, (2 * wave, 0.001), (100.0, 0.001), 5 / 3)
        double = 4 * gyroradius(rigidity, longer)**2 / coherence_length(2 * wave, 0.001, 5 / 3)
        assert path / double > 2.5 * share
    np.testing.assert_array_equal(negligible_wavelength(rigidities, paths, r_g, turbulence, 0.0),
                                  0.001)
    # beyond L_max/5 the gyroradius is no limit any more: the outer scale's own waves scatter
    assert waves[2] < 0.05 * 100


def test_levels_that_a_rigidity_follows():
    text = """
[run]
kind = "anisotropy"
[turbulence]
rms = "4 uG"
outer_scale = "100 pc"
[grids]
cells = 64
[integrator]
negligible_scattering = {share}
[particles]
rigidities = ["10 TV", "1 PV"]
"""
    job = parse_job(text.format(share=0.001))
    r_g, longest = job.gyroradii, np.array([level.longest for level in job.levels])
    assert job.resolved_waves[0] == pytest.approx(r_g[0] / 5)   # L_min
    assert job.levels_followed[0] == len(job.levels) > job.levels_followed[1]
    assert longest[job.levels_followed[1]] <= r_g[1] / 5 < longest[job.levels_followed[1] - 1]
    # one step per shortest wave, two where shorter ones exist, which would add to the scattering
    np.testing.assert_allclose(job.longest_steps, [r_g[0] / 5, r_g[1] / 10])
    everything = parse_job(text.format(share=0))
    assert everything.levels_followed.tolist() == 2 * [len(job.levels)]
    np.testing.assert_allclose(everything.resolved_waves, r_g[0] / 5)
    np.testing.assert_allclose(everything.longest_steps, r_g[0] / 5)
